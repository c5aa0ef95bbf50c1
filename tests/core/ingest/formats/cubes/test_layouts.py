"""Layouts of named producers: EOPF's products, Earth Engine's, ACOLITE's, Digital Earth Australia's, sharded Zarr."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from core.ingest.boundary import ingest, ingest_all
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.formats.cubes.made import NORTH, SIX, WEST, centres, cube, written
from tests.core.ingest.rasters import NORTH_UP, land, read_scene

PACKED = {"add_offset": -0.1, "scale_factor": 0.0001, "fill_value": 0, "valid_min": 1, "valid_max": 65_535}
FINE, COARSE = ("B02", "B03", "B04", "B08"), ("B02", "B05", "B8A", "B11", "B12")


def eopf(folder: Path, version: int, *, nested: bool) -> Path:
    """A product in the layout of EOPF's samples: groups of reflectance by pixel size, masks called by bands, STAC."""
    import zarr

    for path, bands, side in (("r10m", FINE, 10), ("r20m", COARSE, 20)):
        every = side // 10
        pixels = land(bands)[:, ::every, ::every] + 1000
        rows, cols = pixels.shape[1:]
        attrs: dict[str, Any] = {"proj:epsg": 32_633, "proj:transform": [side, 0, WEST, 0, -side, NORTH, 0, 0, 1]}
        attrs |= {"_eopf_attrs": PACKED} if nested else PACKED
        made = xr.Dataset(
            {band.lower(): (("y", "x"), pixels[n].astype(np.uint16), attrs) for n, band in enumerate(bands)},
            coords={"y": centres(NORTH, -side, rows).astype(int), "x": centres(WEST, side, cols).astype(int)},
        )
        group(folder, f"measurements/reflectance/{path}", made, version)
        masks = xr.Dataset({band.lower(): (("y", "x"), np.zeros((rows, cols), np.uint8)) for band in bands})
        group(folder, f"quality/mask/{path}", masks, version)
    codes = xr.Dataset({"scl": (("y", "x"), np.full((32, 40), 4, np.uint8))}, {"y": made.y, "x": made.x})
    group(folder, "conditions/mask/l2a_classification/r20m", codes, version)
    root = zarr.open_group(str(folder), mode="a")
    root.attrs["stac_discovery"] = {
        "id": "S2B_MSIL2A_20250522T125039_N0511_R095_T33TUL_20250522T133252",
        "properties": {"created": "2025-06-30T00:00:00Z", "datetime": "2025-05-22T12:50:39Z", "eo:cloud_cover": 12.5},
    }
    return folder


def group(folder: Path, path: str, made: xr.Dataset, version: int) -> None:
    made.to_zarr(folder, group=path, zarr_format=version, mode="a", consolidated=False)  # type: ignore[call-overload]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("version", "nested", "packed"), [(2, False, True), (3, True, False)])
def test_a_product_of_eopf_opens_by_its_groups(
    tmp_path: Path, library: Library, version: int, nested: bool, packed: bool
) -> None:
    path = eopf(tmp_path / "in" / "product.zarr", version, nested=nested)
    if packed:
        path = Path(shutil.make_archive(str(tmp_path / "product.zarr"), "zip", path))
    scene = ingest([path], library)
    assert (scene.date, scene.level, scene.name) == ("2025-05-22", "L2A", "product")
    assert scene.bands == ("B02", "B03", "B04", "B05", "B08", "B8A", "B11", "B12")
    assert (scene.grid.crs, scene.grid.transform) == ("EPSG:32633", tuple(NORTH_UP)[:6])
    assert scene.classification
    found = read_scene(scene.directory)
    np.testing.assert_array_equal(found[[0, 1, 2, 4]], land(FINE))
    coarse = land(("B05",))[0, ::2, ::2]
    assert abs(found[3][1::2, 1::2].astype(int) - coarse).max() <= coarse.max() - coarse.min()
    lines = {line.topic: line.value for line in load_quality(scene.directory).findings}
    assert "scale 0.0001 and offset -0.1" in lines["scale"]
    assert "resampled" in lines


@pytest.mark.usefixtures("here")
def test_floats_that_a_codec_unpacks_are_not_scaled_again(tmp_path: Path, library: Library) -> None:
    import numcodecs
    import zarr

    made = cube()
    root = zarr.open_group(str(tmp_path / "geo.zarr"), mode="w", zarr_format=2)
    codec = numcodecs.FixedScaleOffset(offset=-0.1, scale=10_000, dtype="f8", astype="u2")
    for name in (*SIX, "x", "y"):
        values = made[name].values / (10_000 if name in SIX else 1)
        filters = [codec] if name in SIX else None
        array = root.create_array(name, shape=values.shape, dtype="f8", filters=filters)
        array[:] = values
        array.attrs.update({"_ARRAY_DIMENSIONS": list(made[name].dims), "scale_factor": 0.0001, "add_offset": -0.1}
                           if name in SIX else {"_ARRAY_DIMENSIONS": [name]})  # fmt: skip
    root.attrs["proj:code"] = "EPSG:32633"
    np.testing.assert_array_equal(read_scene(ingest([tmp_path / "geo.zarr"], library).directory), land(SIX))


@pytest.mark.usefixtures("here")
def test_shards_are_read_chunk_by_chunk(tmp_path: Path, library: Library) -> None:
    encoding = {name: {"chunks": (1, 16, 16), "shards": (1, 32, 80)} for name in SIX}
    path = tmp_path / "sharded.zarr"
    written(path, cube(dates=("2021-05-01", "2021-06-01")), zarr_format=3, encoding=encoding)
    scenes = ingest_all([path], library)
    assert [scene.date for scene in scenes] == ["2021-05-01", "2021-06-01"]
    np.testing.assert_array_equal(read_scene(scenes[1].directory), land(SIX) + 1)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("lesser", "better"), [("nbar_", "nbart_"), ("rhot_", "rhos_")])
def test_of_two_ways_of_processing_the_better_counts(
    tmp_path: Path, library: Library, lesser: str, better: str
) -> None:
    lights = dict(zip(SIX, (492, 560, 665, 833, 1614, 2202), strict=True))
    colours = dict(zip(SIX, ("blue", "green", "red", "nir_1", "swir_2", "swir_3"), strict=True))
    called = {name: f"{lights[name] if 'rho' in better else colours[name]}" for name in SIX}
    made = cube([f"{better}{called[name]}" for name in SIX])
    for name in SIX:
        made[f"{lesser}{called[name]}"] = made[f"{better}{called[name]}"] + np.uint16(50)
    if lesser == "rhot_":  # Of two bands there is nothing at the surface, and what there is would mix quantities.
        made["rhot_945"], made["rhot_1374"] = made["rhot_833"] // 3, made["rhot_492"] // 90
    scene = ingest([written(tmp_path / "both.nc", made)], library)
    assert scene.bands == SIX
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))


@pytest.mark.usefixtures("here")
def test_groups_and_variables_may_be_of_a_date_each(tmp_path: Path, library: Library) -> None:
    dates = ("2021-05-01", "2021-06-01")
    for number, date in enumerate(dates):
        made = cube()
        for name in SIX:
            made[name].values[:] += number
        written(tmp_path / "groups.nc", made, group=date, mode="a" if number else "w")
    made = cube([f"{name}_{date}" for date in dates for name in SIX], bands=SIX * 2)
    for name in SIX:
        made[f"{name}_{dates[1]}"].values[:] += 1
    for path in (tmp_path / "groups.nc", written(tmp_path / "names.nc", made)):
        scenes = ingest_all([path], library)
        assert [scene.date for scene in scenes] == list(dates)
        np.testing.assert_array_equal(read_scene(scenes[1].directory), land(SIX) + 1)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("version", [2, 3])
def test_arrays_that_name_no_axes_are_pictures_without_a_place(tmp_path: Path, library: Library, version: int) -> None:
    import zarr

    root = zarr.open_group(str(tmp_path / "plain.zarr"), mode="w", zarr_format=version)  # type: ignore[arg-type]
    for name, pixels in zip(SIX, land(SIX), strict=True):
        root.create_array(name, data=pixels)
    scene = ingest([tmp_path / "plain.zarr"], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))
    lines = {line.topic: line for line in load_quality(scene.directory).findings}
    assert (scene.grid.crs, lines["axes"].basis) == (None, "assumed")


@pytest.mark.usefixtures("here")
def test_units_may_be_a_scale(tmp_path: Path, library: Library) -> None:
    scene = ingest([written(tmp_path / "units.nc", cube(units="1e-4"))], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))
    assert any("scale 0.0001" in line.value for line in load_quality(scene.directory).findings)
