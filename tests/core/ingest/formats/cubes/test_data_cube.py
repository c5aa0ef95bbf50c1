"""Cubes as a source: bands, dates, places and numbers as their producers write them; xarray's own reading as oracle."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import rasterio
import xarray as xr

from core.errors import BandsError, ScaleError, SeveralDatesError, SourceError
from core.ingest.boundary import ingest, ingest_all
from core.ingest.formats.cubes.containers import values_of
from core.ingest.formats.cubes.raster import Plane
from core.ingest.formats.cubes.statements import NumberRules
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from tests.core.ingest.formats.cubes.made import NORTH, SIX, UTM_WKT, WEST, centres, cube, written
from tests.core.ingest.rasters import NORTH_UP, land, read_scene
from tests.data import shared

pytestmark = pytest.mark.usefixtures("here")
DATES = ("2021-05-01", "2021-06-01", "2021-07-01")


def said(scene: Scene, topic: str) -> str:
    """What the record says of a topic."""
    return "; ".join(
        f"{line.value} ({line.because})" for line in load_quality(scene.directory).findings if line.topic == topic
    )


def test_a_coordinate_is_read_once_for_all_that_lies_along_it(tmp_path: Path) -> None:
    path = written(tmp_path / "farm.nc", cube(dates=DATES))
    with xr.open_dataset(path, engine="h5netcdf", create_default_indexes=False, cache=False) as file:
        rows = file.variables["y"]
        first = values_of(rows, "y")
    path.unlink()
    np.testing.assert_array_equal(values_of(rows, "y"), first)


def test_each_date_of_a_cube_is_a_scene_of_its_own_date_and_place(tmp_path: Path, library: Library) -> None:
    path = written(tmp_path / "farm.nc", cube(dates=("2021-05-01", "2021-06-03", "2021-07-09")))
    scenes = ingest_all([path], library)
    assert [scene.date for scene in scenes] == ["2021-05-01", "2021-06-03", "2021-07-09"]
    assert [scene.series and (scene.series.index, scene.series.count) for scene in scenes] == [(0, 3), (1, 3), (2, 3)]
    for number, scene in enumerate(scenes):
        assert (scene.bands, scene.grid.crs, scene.grid.transform) == (SIX, "EPSG:32633", tuple(NORTH_UP)[:6])
        np.testing.assert_array_equal(read_scene(scene.directory), land(SIX) + number)


def test_one_date_can_be_chosen_by_itself(tmp_path: Path, library: Library) -> None:
    path = written(tmp_path / "farm.nc", cube(dates=("2021-05-01", "2021-06-03")))
    scene = ingest([path], library, IngestSettings(date="2021-06-03"))
    assert scene.date == "2021-06-03"
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX) + 1)
    with pytest.raises(BandsError, match="2021-06-04 was chosen"):
        ingest([path], library, IngestSettings(date="2021-06-04"))
    with pytest.raises(SeveralDatesError, match="of 2 dates, 2021-05-01, 2021-06-03"):
        ingest([path], library)


@pytest.mark.parametrize(("suffix", "options"), [(".nc", {}), (".zarr", {"zarr_format": 3})])
def test_rows_may_run_north_columns_west_and_axes_in_any_order(
    tmp_path: Path, library: Library, suffix: str, options: dict[str, int]
) -> None:
    made = cube().isel(y=slice(None, None, -1), x=slice(None, None, -1)).transpose("x", "y")
    scene = ingest([written(tmp_path / f"farm{suffix}", made, **options)], library)
    assert scene.grid.transform == tuple(NORTH_UP)[:6]
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))


def test_an_axis_of_bands_is_named_by_its_labels(tmp_path: Path, library: Library) -> None:
    one = cube().drop_vars("spatial_ref").to_array("band", name="reflectance").transpose("y", "x", "band")
    labels = ["blue", "green", "red", "nir", "swir16", "swir22"]
    made = one.assign_coords(band=labels).to_dataset()
    made.attrs["crs"] = "EPSG:32633"
    scene = ingest([written(tmp_path / "one.nc", made)], library)
    assert (scene.bands, scene.grid.crs) == (SIX, "EPSG:32633")
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))


def test_variables_that_only_count_are_named_by_their_attributes(tmp_path: Path, library: Library) -> None:
    """GDAL calls the variables of a NetCDF “Band1” and so on, and says what they are in their long names."""
    made = cube([f"Band{n}" for n in range(1, 7)])
    for number, name in enumerate(SIX, 1):
        made[f"Band{number}"].attrs["long_name"] = name
    assert ingest([written(tmp_path / "gdal.nc", made)], library).bands == SIX
    for number in range(1, 7):
        made[f"Band{number}"].attrs["long_name"] = f"GDAL Band Number {number}"
    with pytest.raises(BandsError, match="only counted"):
        ingest([written(tmp_path / "counted.nc", made)], library)
    named = ingest([tmp_path / "counted.nc"], library, IngestSettings(bands=SIX))
    np.testing.assert_array_equal(read_scene(named.directory), land(SIX))


def test_wavelengths_name_variables(tmp_path: Path, library: Library) -> None:
    made = cube([f"reflectance_{letter}" for letter in "abcdef"])
    for letter, light in zip("abcdef", (492.4, 0.5598, 664.6, 832.8, 1613.7, 2.2024), strict=True):
        made[f"reflectance_{letter}"].attrs["radiation_wavelength"] = light
    assert ingest([written(tmp_path / "lights.nc", made)], library).bands == SIX


def test_what_is_no_light_is_left_out_and_named(tmp_path: Path, library: Library) -> None:
    made = cube()
    for name in ("B04_std", "ndvi", "t2m"):
        made[name] = made["B04"].copy()
    scene = ingest([written(tmp_path / "farm.nc", made)], library)
    assert scene.bands == SIX
    left = said(scene, "left out")
    assert all(name in left for name in ("B04_std", "ndvi", "t2m"))


def test_a_cube_of_the_weather_is_refused_by_what_it_holds(tmp_path: Path, library: Library) -> None:
    made = cube(("t2m", "tp", "u10", "v10"), bands=SIX[:4])
    with pytest.raises(BandsError, match="its variables are t2m, tp, u10, v10, and none is named as a Sentinel-2 band"):
        ingest([written(tmp_path / "era5.nc", made)], library)


def test_scale_and_offset_are_those_of_the_attributes(tmp_path: Path, library: Library) -> None:
    made = cube(scale_factor=0.0001, add_offset=-0.1)
    for name in SIX:
        made[name].values[:] += 1000
    scene = ingest([written(tmp_path / "farm.nc", made)], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))
    assert said(scene, "scale").startswith("number × scale + offset, scale 0.0001 and offset -0.1")


def test_percent_is_a_scale_that_units_state(tmp_path: Path, library: Library) -> None:
    made = cube(units="percent")
    for name in SIX:
        made[name] = (made[name] / 100).astype(np.float32).assign_attrs(made[name].attrs)
    scene = ingest([written(tmp_path / "percent.nc", made)], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))


def test_every_number_that_stands_for_nothing_is_no_data(tmp_path: Path, library: Library) -> None:
    made = cube(valid_min=np.int16(1), valid_max=np.int16(10_000))
    for name in SIX:
        made[name] = (
            made[name]
            .astype(np.int16)
            .assign_attrs(made[name].attrs, _FillValue=np.int16(-9999), missing_value=np.int16(-1))
        )
    made["B02"].values[0, :5] = [-9999, -1, 20_000, 0, -5]
    made["B12"].values[3, 3] = 10_001
    scene = ingest([written(tmp_path / "farm.nc", made)], library)
    expected = land(SIX)
    expected[:, 0, :5] = 0
    expected[:, 3, 3] = 0
    np.testing.assert_array_equal(read_scene(scene.directory), expected)
    assert said(scene, "valid range").startswith("1 to 10000")


def test_signed_numbers_may_be_meant_unsigned(tmp_path: Path, library: Library) -> None:
    made = cube()
    for name in SIX:
        numbers = made[name].values * 10
        numbers[0, 0] = 65_535
        attrs = made[name].attrs | {"_Unsigned": "true", "_FillValue": np.int16(-1), "scale_factor": 0.00001}
        made[name] = (("y", "x"), numbers.view(np.int16), attrs)
    scene = ingest([written(tmp_path / "farm.nc", made)], library)
    expected = land(SIX)
    expected[:, 0, 0] = 0
    np.testing.assert_array_equal(read_scene(scene.directory), expected)


def test_a_date_of_nothing_but_a_fill_that_no_attribute_declares_is_empty(tmp_path: Path, library: Library) -> None:
    made = cube(dates=("2021-05-01", "2021-06-01", "2021-07-01"))
    for name in SIX:
        made[name].values[1] = 65_535
    scenes = ingest_all([written(tmp_path / "months.nc", made)], library)
    assert [scene.date for scene in scenes] == ["2021-05-01", "2021-07-01"]
    for scene in scenes:
        assert "2021-06-01 (this date of the series could not be opened: every pixel is no data)" in said(
            scene, "left out"
        )


def test_dates_that_are_not_told_apart_are_counted(tmp_path: Path, library: Library) -> None:
    made = cube(dates=("2021-05-01T10:10", "2021-05-01T10:20", "2021-05-06"))
    scenes = ingest_all([written(tmp_path / "orbits.nc", made)], library)
    assert [scene.date for scene in scenes] == ["2021-05-01", "2021-05-01", "2021-05-06"]
    for number, scene in enumerate(scenes):
        np.testing.assert_array_equal(read_scene(scene.directory), land(SIX) + number)


def test_more_dates_than_a_hundred_are_refused_and_one_of_them_is_not(tmp_path: Path, library: Library) -> None:
    days = np.datetime64("2021-01-01") + np.arange(101)
    made = cube(dates=[str(day) for day in days])
    path = written(tmp_path / "long.nc", made)
    with pytest.raises(BandsError, match=r"of 101 dates, .* no more than 100 are opened at once"):
        ingest_all([path], library)
    assert ingest([path], library, IngestSettings(date="2021-04-11")).date == "2021-04-11"


def test_files_of_a_date_or_of_a_band_each_are_one_source(tmp_path: Path, library: Library) -> None:
    (tmp_path / "dates").mkdir()
    for number, date in enumerate(("2021-05-01", "2021-06-01")):
        made = cube()
        for name in SIX:
            made[name].values[:] += number
        written(tmp_path / "dates" / f"farm_{date}.nc", made)
    scenes = ingest_all([tmp_path / "dates"], library)
    assert [scene.date for scene in scenes] == ["2021-05-01", "2021-06-01"]
    np.testing.assert_array_equal(read_scene(scenes[1].directory), land(SIX) + 1)
    (tmp_path / "bands").mkdir()
    for name in SIX:
        written(tmp_path / "bands" / f"{name}.nc", cube()[[name, "spatial_ref"]])
    np.testing.assert_array_equal(read_scene(ingest([tmp_path / "bands"], library).directory), land(SIX))


def test_a_classification_of_some_dates_is_that_of_its_dates(tmp_path: Path, library: Library) -> None:
    made = cube(dates=DATES)
    codes = np.stack([np.full((64, 80), code, np.uint8) for code in (4, 6)])
    made["SCL"] = (("seen", "y", "x"), codes)
    made["seen"] = ("seen", np.array([DATES[1], "2030-01-01"], dtype="datetime64[ns]"))
    scenes = ingest_all([written(tmp_path / "c.nc", made)], library)
    assert [scene.classification for scene in scenes] == [date == DATES[1] for date in DATES]
    with rasterio.open(scenes[1].directory / "classification.tif") as data:
        assert set(data.read(1).ravel()) == {4}
    [left_out] = [line for line in load_quality(scenes[0].directory).findings if line.topic == "left out"]
    assert "SCL" in left_out.value
    assert left_out.because == "they are of other dates than the bands"


@pytest.mark.parametrize(
    ("seen", "because"),
    [
        pytest.param(None, "which of their times is that of the bands is not told", id="no dates"),
        pytest.param([DATES[0]] * 2, "they have the date of the bands more than once", id="a date twice"),
    ],
)
def test_why_a_classification_is_left_out_is_what_is_so(
    tmp_path: Path, library: Library, seen: list[str] | None, because: str
) -> None:
    made = cube()
    made["SCL"] = (("t" if seen is None else "seen", "y", "x"), np.full((2, 64, 80), 4, np.uint8))
    if seen is not None:
        made["seen"] = ("seen", np.array(seen, dtype="datetime64[ns]"))
    made = made.assign_coords(time=np.datetime64(DATES[0], "ns"))
    scene = ingest([written(tmp_path / "c.nc", made)], library)
    [left_out] = [line for line in load_quality(scene.directory).findings if line.topic == "left out"]
    assert "SCL" in left_out.value
    assert left_out.because == because


def test_bands_of_several_dates_and_of_one_are_no_scene(tmp_path: Path, library: Library) -> None:
    made = cube(dates=DATES)
    made["B11"] = (("once", "y", "x"), made["B11"].values[:1])
    made["once"] = ("once", np.array(["2030-01-01"], dtype="datetime64[ns]"))
    with pytest.raises(BandsError, match="are of different dates"):
        ingest([written(tmp_path / "c.nc", made)], library)


def test_a_classification_lies_beside_and_states_the_level(tmp_path: Path, library: Library) -> None:
    made = cube(dates=("2021-05-01", "2021-06-01"))
    codes = np.full((2, 64, 80), 4, dtype=np.uint8)
    codes[1, :, :20] = 9
    made["SCL"] = (("time", "y", "x"), codes)
    scenes = ingest_all([written(tmp_path / "farm.nc", made)], library)
    assert [(scene.level, scene.classification) for scene in scenes] == [("L2A", True), ("L2A", True)]
    assert said(scenes[0], "cloud").startswith("0.0% under cloud")
    assert said(scenes[1], "cloud").startswith("25.0% under cloud")


@pytest.mark.parametrize(
    "transform",
    [
        np.array([10.0, 0, WEST, 0, -10, NORTH, 0, 0, 1]),
        repr(NORTH_UP),
    ],
    ids=["numbers", "repr"],
)
def test_coordinates_of_corners_are_told_by_the_transform(
    tmp_path: Path, library: Library, transform: np.ndarray | str
) -> None:
    """stackstac gives coordinates of upper left corners, and the transform among the attributes."""
    made = cube()
    made = made.assign_coords(x=made.x - 5, y=made.y + 5)
    for name in SIX:
        made[name].attrs["transform"] = transform
    scene = ingest([written(tmp_path / "corners.nc", made)], library)
    assert scene.grid.transform == tuple(NORTH_UP)[:6]
    assert "corners of pixels" in said(scene, "place")


def test_a_transform_that_was_left_behind_by_a_cut_does_not_count(tmp_path: Path, library: Library) -> None:
    made = cube()
    made["spatial_ref"].attrs["GeoTransform"] = "400000 10 0 5000000 0 -10"
    scene = ingest([written(tmp_path / "cut.nc", made.isel(y=slice(8, None), x=slice(16, None)))], library)
    assert scene.grid.transform == (10, 0, WEST + 160, 0, -10, NORTH - 80)
    assert "otherwise than its coordinates" in said(scene, "place")


def test_rows_from_the_south_fit_a_transform_from_the_north(tmp_path: Path, library: Library) -> None:
    """GDAL writes NetCDF so, and states the transform of the picture."""
    made = cube().isel(y=slice(None, None, -1))
    made["spatial_ref"].attrs["GeoTransform"] = "400000 10 0 5000000 0 -10 "
    scene = ingest([written(tmp_path / "gdal.nc", made)], library)
    assert scene.grid.transform == tuple(NORTH_UP)[:6]
    assert said(scene, "place").endswith("(the file says so)")
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))


def test_coordinates_that_count_pixels_are_no_place(tmp_path: Path, library: Library) -> None:
    made = cube().assign_coords(x=np.arange(80), y=np.arange(64))
    assert ingest([written(tmp_path / "counted.nc", made)], library).grid.crs is None
    made["spatial_ref"].attrs["GeoTransform"] = "400000 10 0 5000000 0 -10"
    placed = ingest([written(tmp_path / "placed.nc", made)], library)
    assert (placed.grid.crs, placed.grid.transform) == ("EPSG:32633", tuple(NORTH_UP)[:6])


def test_pixels_of_two_sizes_may_lie_in_one_group(tmp_path: Path, library: Library) -> None:
    fine, coarse = cube(SIX[:4]).rename(x="x10", y="y10"), cube(SIX[4:], bands=SIX[4:]).coarsen(x=2, y=2).mean()
    scene = ingest(
        [written(tmp_path / "sizes.nc", fine.merge(coarse.rename(x="x_20m", y="y_20m"), compat="override"))], library
    )
    assert scene.bands == SIX
    np.testing.assert_array_equal(read_scene(scene.directory)[:4], land(SIX[:4]))
    # Means of a plane lie in the middle of the larger pixels, so the plane comes out again but for its edges.
    inner = read_scene(scene.directory)[4:, 1:-1, 1:-1].astype(int) - land(SIX[4:])[:, 1:-1, 1:-1]
    assert abs(inner).max() <= 1


def test_longitudes_and_latitudes_need_no_reference_system(tmp_path: Path, library: Library) -> None:
    made = cube().drop_vars("spatial_ref").rename(y="lat", x="lon")
    made = made.assign_coords(lat=centres(48, -0.0001, 64), lon=centres(355.0, 0.0001, 80).astype(np.float32))
    made.lat.attrs["units"], made.lon.attrs["units"] = "degrees_north", "degrees_east"
    scene = ingest([written(tmp_path / "lonlat.nc", made)], library)
    assert scene.grid.crs == "EPSG:4326"
    assert scene.grid.transform[2] == pytest.approx(-5.0, abs=2e-5)
    assert scene.grid.transform[5] == pytest.approx(48.0, abs=1e-9)


def test_bounds_count_where_coordinates_lie_in_them(tmp_path: Path, library: Library) -> None:
    def bounded(made: xr.Dataset, half: float) -> xr.Dataset:
        made.y.attrs["bounds"] = "y_bnds"
        made["y_bnds"] = (("y", "bnds"), np.stack([made.y.values + half, made.y.values - half], axis=1))
        return made

    made = bounded(cube(), 5.0)
    scene = ingest([written(tmp_path / "corners.nc", made.assign_coords(y=made.y + 5))], library)
    assert scene.grid.transform == tuple(NORTH_UP)[:6]
    wide = ingest([written(tmp_path / "wide.nc", bounded(cube(), 500.0))], library)
    assert wide.grid.transform == tuple(NORTH_UP)[:6]
    rows = cube().y.values.copy()
    rows[32:] -= 500
    gap = bounded(cube().assign_coords(y=rows), 5.0)
    with pytest.raises(SourceError, match="not evenly spaced: from 10 to 510"):
        ingest([written(tmp_path / "gap.nc", gap)], library)


def test_uneven_and_curved_places_are_refused(tmp_path: Path, library: Library) -> None:
    made = cube()
    uneven = made.assign_coords(y=made.y + np.where(np.arange(64) > 30, 40, 0))
    with pytest.raises(SourceError, match=r"“y” is not evenly spaced: from 10 to 30"):
        ingest([written(tmp_path / "uneven.nc", uneven)], library)
    rows, cols = np.mgrid[0:64, 0:80]
    swath = made.drop_vars(["x", "y"]).assign_coords(
        lat=(("y", "x"), 48 - 0.0001 * rows - 0.00005 * cols), lon=(("y", "x"), 5 + 0.0001 * cols)
    )
    with pytest.raises(SourceError, match="a latitude and a longitude each"):
        ingest([written(tmp_path / "swath.nc", swath)], library)


def test_without_coordinates_there_is_no_place_and_the_record_says_so(tmp_path: Path, library: Library) -> None:
    scene = ingest([written(tmp_path / "nowhere.nc", cube().drop_vars(["x", "y"]))], library)
    assert scene.grid.crs is None
    assert said(scene, "place") == "unknown, so there is no map (the file has no coordinates of rows and columns)"


def test_grids_of_several_places_are_no_scene(tmp_path: Path, library: Library) -> None:
    path = written(tmp_path / "two.nc", cube(SIX[:3]), group="a")
    far = cube(SIX[3:], bands=SIX[3:])
    written(path, far.assign_coords(x=far.x + 50_000), group="b", mode="a")
    with pytest.raises(BandsError, match="lies in another place than the other bands"):
        ingest([path], library)


def test_coordinates_may_lie_in_an_outer_group(tmp_path: Path, library: Library) -> None:
    made = cube()
    path = written(tmp_path / "groups.nc", made[["x", "y", "spatial_ref"]])
    with h5py.File(path, "a") as file:
        inner = file.create_group("reflectance")
        for name in SIX:
            inner[name] = made[name].values
            inner[name].attrs["grid_mapping"] = "spatial_ref"
            inner[name].dims[0].attach_scale(file["y"])
            inner[name].dims[1].attach_scale(file["x"])
    scene = ingest([path], library)
    assert (scene.grid.crs, scene.grid.transform) == ("EPSG:32633", tuple(NORTH_UP)[:6])


def test_classic_netcdf_is_read_too(tmp_path: Path, library: Library) -> None:
    made = cube(dates=("2021-05-01",))
    for name in SIX:
        made[name] = made[name].astype(np.int16)
    scene = ingest([written(tmp_path / "old.nc", made, engine="scipy", format="NETCDF3_64BIT")], library)
    assert (scene.date, scene.bands, scene.grid.crs) == ("2021-05-01", SIX, "EPSG:32633")
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))


def test_another_calendar_is_said(tmp_path: Path, library: Library) -> None:
    made = cube(dates=("2021-05-01",)).assign_coords(time=[150.0])
    made.time.attrs.update(units="days since 2021-01-01", calendar="noleap")
    scene = ingest([written(tmp_path / "noleap.nc", made)], library)
    assert scene.date == "2021-05-31"
    assert "calendar “noleap”" in said(scene, "calendar")


def test_dates_before_sentinel_2_are_refused(tmp_path: Path, library: Library) -> None:
    with pytest.raises(SourceError, match="its dates are 1990-05-01, before Sentinel-2"):
        ingest([written(tmp_path / "old.nc", cube(dates=("1990-05-01",)))], library)


def test_a_landsat_cube_is_called_what_it_is(tmp_path: Path, library: Library) -> None:
    made = cube(("blue", "green", "red", "nir", "swir16", "swir22"))
    made.attrs["platform"] = "landsat-8"
    with pytest.raises(SourceError, match="it is a Landsat product"):
        ingest([written(tmp_path / "cube.nc", made)], library)


def test_the_real_series_opens_with_its_dates_and_numbers(tmp_path: Path, library: Library) -> None:
    path = shared("series/worldcereal_preprocessed_inputs.nc")
    scene = ingest([path], library, IngestSettings(date="2021-08-01"))
    assert (scene.grid.crs, scene.grid.transform) == ("EPSG:32631", (10, 0, 664_000, 0, -10, 5_612_120))
    with h5py.File(path) as file:
        oracle = np.stack([file[f"S2-L2A-{band}"][9].view(np.uint16) for band in scene.bands])
    np.testing.assert_array_equal(read_scene(scene.directory), oracle)
    with pytest.raises(SourceError, match="every pixel is no data"):
        ingest([path], library, IngestSettings(date="2020-12-01"))


def test_a_cube_that_a_person_packed_into_a_zip_opens_as_itself(tmp_path: Path, library: Library) -> None:
    written(tmp_path / "in" / "farm.zarr", cube())
    shutil.make_archive(str(tmp_path / "farm.zarr"), "zip", tmp_path / "in")
    scene = ingest([tmp_path / "farm.zarr.zip"], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))


def test_numbers_that_are_not_told_are_asked_for(tmp_path: Path, library: Library) -> None:
    made = xr.Dataset({name: made.astype(np.uint16) + 3000 for name, made in cube().drop_vars("spatial_ref").items()})
    made.attrs["crs"] = UTM_WKT
    with pytest.raises(ScaleError, match=r"an offset of 0\.1 or not"):
        ingest([written(tmp_path / "bright.nc", made)], library)


def test_blocks_of_long_rows_are_of_few_rows_so_that_those_of_all_bands_are_kept() -> None:
    def block(chunk: tuple[int, int], kind: str) -> tuple[int, int]:
        pixels = np.broadcast_to(np.zeros((), kind), (10_980, 10_980))
        variable, rules = xr.Variable(("y", "x"), pixels), NumberRules(dtype=np.dtype(kind))
        return Plane(number=0, variable=variable, at={}, y="y", x="x", rules=rules, chunk=chunk).block

    assert block((64, 10_980), "f4") == (64, 10_980)
    assert block((1, 10_980), "f8") == (47, 10_980)
    assert block((256, 256), "u2") == (512, 512)
    assert block((1024, 1024), "f8") == (1024, 1024)


@pytest.mark.parametrize(
    ("attrs", "refused"),
    [
        ({"classes": "0 - free_sky, 1 - cloud"}, None),
        ({"flag_meanings": "clear not_clear"}, None),
        ({}, "by “s2_mask”, taken for a mask of where there is data, none of its pixels holds any"),
    ],
)
def test_a_mask_is_of_what_its_attributes_say(
    tmp_path: Path, library: Library, attrs: dict[str, str], refused: str | None
) -> None:
    made = cube()
    made["s2_mask"] = (("y", "x"), np.zeros((64, 80), np.float32), attrs)
    path = written(tmp_path / "minicube.nc", made)
    if refused is not None:
        with pytest.raises(SourceError, match=refused):
            ingest([path], library)
        return
    made["s2_mask"][:32] = 1
    scene = ingest([written(tmp_path / "half.nc", made)], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))
    assert said(scene, "left out").startswith("s2_mask (they are layers of quality")
