"""Scenes that lie oddly: mirrored, rotated, geographic, polar, across the antimeridian, by control points, nowhere."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.transform import Affine

from core.bands import BAND_NAMES
from core.errors import SourceError
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.cut import Cut
from core.scenes.library import Library
from core.scenes.patches import corners_lonlat, patch_grid
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from tests.core.ingest.rasters import LAND, NORTH_UP, UTM, land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")


def notes(scene: Scene) -> dict[str, str]:
    return {
        line.topic: f"{line.basis}: {line.value}; {line.because}" for line in load_quality(scene.directory).findings
    }


def corners(scene: Scene) -> NDArray[np.float64]:
    grid = patch_grid(scene, Cut.of(8))
    found = corners_lonlat(scene, grid, np.arange(grid.count))
    assert found is not None
    return found


def test_south_up(tmp_path: Path, library: Library) -> None:
    flipped = Affine(10, 0, 400_000, 0, 10, 4_999_360)
    scene = ingest([write_tif(tmp_path / "a.tif", land()[:, ::-1], BAND_NAMES, transform=flipped)], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land())
    assert scene.grid.transform == tuple(NORTH_UP)[:6]
    assert "mirrored" in notes(scene)["orientation"]


def test_a_coarse_band_of_another_origin_that_ends_before_the_others(tmp_path: Path, library: Library) -> None:
    """Bands of 20 and 60 m begin and end on lattices of their own, half a pixel or more off those of 10 m."""
    fine = ("B02", "B03", "B04", "B08")
    for pixels, name in zip(land(fine), fine, strict=True):
        write_tif(tmp_path / f"x_{name}.tif", pixels[None])
    rows, cols = np.mgrid[0:31, 0:41]
    step = (2 * rows + 0.5) + (2 * cols - 0.5) * 0.5
    coarse = (LAND["B05"] * (1 + step / 400)).round().astype(np.uint16)
    shifted = Affine(20, 0, 399_990, 0, -20, 5_000_000)
    write_tif(tmp_path / "x_B05.tif", coarse[None], transform=shifted)
    scene = ingest([tmp_path], library)
    got = read_scene(scene.directory).astype(int)
    assert np.abs(got[:, 1:61, 1:-1] - land((*fine[:3], "B05", "B08"))[:, 1:61, 1:-1]).max() <= 1
    assert not got[:, 62:].any(), "rows that B05 does not reach"
    assert notes(scene)["no data"].startswith("read: 3.1%")
    assert notes(scene)["no data"].endswith("or where B05 ends before the others")


def test_an_affine_that_says_nothing_turns_nothing(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "a.tif", land(), BAND_NAMES, crs=None, transform=Affine.identity())
    scene = ingest([path], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land())
    assert scene.grid.crs is None
    assert "orientation" not in notes(scene)


def test_columns_backwards(tmp_path: Path, library: Library) -> None:
    flipped = Affine(-10, 0, 400_800, 0, -10, 5_000_000)
    scene = ingest([write_tif(tmp_path / "a.tif", land()[:, :, ::-1], BAND_NAMES, transform=flipped)], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land())
    assert scene.grid.transform == tuple(NORTH_UP)[:6]


def place_ramp(transform: Affine, height: int, width: int) -> NDArray[np.uint16]:
    """Numbers that are linear in the coordinates, so that they tell where a pixel lies after any resampling."""
    rows, cols = np.mgrid[0:height, 0:width] + 0.5
    x = transform.a * cols + transform.b * rows + transform.c
    y = transform.d * cols + transform.e * rows + transform.f
    number = 3000 + (x - 400_000) / 2 + (y - 5_000_000) / 4
    return np.rint(np.stack([number, number / 2, number / 4])).astype(np.uint16)


@pytest.mark.parametrize("angle", [5.0, 30.0, 90.0, 135.0])
def test_rotated(tmp_path: Path, library: Library, angle: float) -> None:
    turned = Affine.translation(400_000, 5_000_000) @ Affine.rotation(angle) @ Affine.scale(10, -10)
    pixels = place_ramp(turned, 100, 120)
    path = write_tif(tmp_path / "a.tif", pixels, ["B02", "B03", "B04"], transform=turned)
    scene = ingest([path], library, IngestSettings(scale="dn"))
    a, b, _, d, e, _ = scene.grid.transform
    assert (b, d) == (0, 0)
    assert a == pytest.approx(10)
    assert e == pytest.approx(-10)
    got = read_scene(scene.directory)
    expected = place_ramp(Affine(*scene.grid.transform), scene.grid.height, scene.grid.width)
    valid = got[0] > 0
    assert abs(int(valid.sum()) - 100 * 120) < 300
    off = np.abs(got.astype(int) - expected.astype(int))[:, valid]
    assert np.quantile(off, 0.95) <= 1
    assert "the file has 120 × 100" in notes(scene)["size"]
    assert off.max() <= 4
    assert "north up" in notes(scene)["orientation"]


def test_geographic(tmp_path: Path, library: Library) -> None:
    transform = Affine(0.00018, 0, 13.29, 0, -0.000125, 45.79)
    scene = ingest([write_tif(tmp_path / "a.tif", land(), BAND_NAMES, crs="EPSG:4326", transform=transform)], library)
    assert scene.grid.crs == "EPSG:4326"
    np.testing.assert_array_equal(read_scene(scene.directory), land())
    np.testing.assert_allclose(corners(scene)[0, 0], [13.29, 45.79])
    assert "14.0 m × 13.9 m" in notes(scene)["resolution"]


def test_antimeridian(tmp_path: Path, library: Library) -> None:
    transform = Affine(0.0001, 0, 179.997, 0, -0.0001, -16.5)
    scene = ingest([write_tif(tmp_path / "a.tif", land(), BAND_NAMES, crs="EPSG:4326", transform=transform)], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land())
    assert np.ptp(corners(scene)[..., 0]) < 0.02
    zone = Affine(10, 0, 819_900, 0, -10, 8_200_000)
    utm = ingest([write_tif(tmp_path / "b.tif", land(), BAND_NAMES, crs="EPSG:32760", transform=zone)], library)
    lons = corners(utm)[..., 0]
    assert np.ptp(lons % 360) < 0.02
    assert "centre" in notes(utm)["place"]


@pytest.mark.parametrize(("crs", "x", "y"), [("EPSG:3413", -200_000, -1_900_000), ("EPSG:32661", 2_100_000, 1_900_000)])
def test_polar(tmp_path: Path, library: Library, crs: str, x: float, y: float) -> None:
    path = write_tif(tmp_path / "a.tif", land(), BAND_NAMES, crs=crs, transform=Affine(10, 0, x, 0, -10, y))
    scene = ingest([path], library)
    assert scene.grid.crs == crs
    np.testing.assert_array_equal(read_scene(scene.directory), land())
    assert (corners(scene)[..., 1] > 70).all()


def test_no_reference_system(tmp_path: Path, library: Library) -> None:
    bare = ingest([write_tif(tmp_path / "a.tif", land(), BAND_NAMES, crs=None, transform=None)], library)
    assert bare.grid.crs is None
    assert bare.grid.transform == (1, 0, 0, 0, 1, 0)
    np.testing.assert_array_equal(read_scene(bare.directory), land())
    assert "warning: unknown, so there is no map" in notes(bare)["place"]
    positioned = write_tif(tmp_path / "b.tif", land(), BAND_NAMES, crs=None)
    assert ingest([positioned], library).grid.crs is None
    assert ingest([positioned], library, IngestSettings(crs=UTM)).grid.crs == UTM


@pytest.mark.parametrize("shape", [(64, 80), (32, 40), (22, 27), (11, 14)])
def test_bands_without_a_place_lie_over_each_other_where_their_sizes_say_how(
    tmp_path: Path, library: Library, shape: tuple[int, int]
) -> None:
    fine, coarse = land(("B02", "B03", "B04")), land(("B11",), *shape)
    for name, band in (("B02", fine[0]), ("B03", fine[1]), ("B04", fine[2]), ("B11", coarse[0])):
        write_tif(tmp_path / f"{name}.tif", band[None], crs=None, transform=None)
    scene = ingest([tmp_path], library)
    assert scene.bands == ("B02", "B03", "B04", "B11")
    assert abs(int(read_scene(scene.directory)[3, 30, 40]) - int(coarse[0, shape[0] // 2, shape[1] // 2])) < 20


@pytest.mark.parametrize("shape", [(60, 80), (64, 70), (40, 40), (43, 53)])
def test_bands_without_a_place_are_not_stretched_over_each_other(
    tmp_path: Path, library: Library, shape: tuple[int, int]
) -> None:
    for name, band in zip(("B02", "B03", "B04"), land(("B02", "B03", "B04")), strict=True):
        write_tif(tmp_path / f"{name}.tif", band[None], crs=None, transform=None)
    write_tif(tmp_path / "B11.tif", land(("B11",), *shape), crs=None, transform=None)
    with pytest.raises(SourceError, match=rf"“B11.tif” has {shape[0]} × {shape[1]} pixels and another band 64 × 80"):
        ingest([tmp_path], library)


def test_control_points(tmp_path: Path, library: Library) -> None:
    ends = [(0, 0), (0, 80), (64, 0), (64, 80), (32, 40)]
    points = [GroundControlPoint(row, col, *(NORTH_UP @ (col, row))) for row, col in ends]
    path = write_tif(
        tmp_path / "a.tif", land(), BAND_NAMES, transform=None, crs=None, gcps=(points, rasterio.CRS.from_string(UTM))
    )
    scene = ingest([path], library)
    assert scene.grid.crs == UTM
    np.testing.assert_allclose(scene.grid.transform, tuple(NORTH_UP)[:6], atol=1e-6)
    np.testing.assert_array_equal(read_scene(scene.directory), land())
    assert "5 control points" in notes(scene)["place"]


@pytest.mark.parametrize(
    "transform",
    [
        Affine(0, 0, 400_000, 0, 0, 5_000_000),
        Affine(10, 10, 0, 10, 10, 0),
        Affine(math.nan, 0, 0, 0, -10, 0),
        Affine(math.inf, 0, 0, 0, -10, 0),
        Affine(1e-12, 0, 0, 0, -1e-12, 0),
        Affine(10, 0, 1e12, 0, -10, 1e12),
        Affine(10, 0, 9e8, 0, -10, 9e8),
    ],
)
def test_positions_that_no_place_has(tmp_path: Path, library: Library, transform: Affine) -> None:
    scene = ingest([write_tif(tmp_path / "a.tif", land(), BAND_NAMES, transform=transform)], library)
    assert scene.grid.crs is None
    np.testing.assert_array_equal(read_scene(scene.directory), land())
    assert notes(scene)["place"].startswith("warning")


def test_reference_system_of_its_own(tmp_path: Path, library: Library) -> None:
    own = "+proj=laea +lat_0=45.1 +lon_0=13.7 +ellps=GRS80 +units=m"
    path = write_tif(tmp_path / "a.tif", land(), BAND_NAMES, crs=own, transform=Affine(10, 0, 0, 0, -10, 0))
    scene = ingest([path], library)
    assert scene.grid.crs is not None
    np.testing.assert_allclose(corners(scene)[0, 0], [13.7, 45.1], atol=1e-6)


@pytest.mark.parametrize("size", [3.0, 30.0])
def test_unusual_resolution_is_a_warning(tmp_path: Path, library: Library, size: float) -> None:
    path = write_tif(tmp_path / "a.tif", land(), BAND_NAMES, transform=Affine(size, 0, 400_000, 0, -size, 5_000_000))
    assert notes(ingest([path], library))["resolution"].startswith(f"warning: {size:.1f} m")


def test_feet_are_turned_into_metres(tmp_path: Path, library: Library) -> None:
    foot = 1200 / 3937
    options: dict[str, Any] = {"crs": "EPSG:2229", "transform": Affine(10 / foot, 0, 6.4e6, 0, -10 / foot, 1.8e6)}
    scene = ingest([write_tif(tmp_path / "a.tif", land(), BAND_NAMES, **options)], library)
    assert "10.0 m × 10.0 m" in notes(scene)["resolution"]


TEN = IngestSettings(ten_metres=True)


def test_pixels_of_twenty_metres_are_interpolated_to_ten(tmp_path: Path, library: Library) -> None:
    """A pixel of 10 m lies a quarter of a pixel of 20 m off the middle of that; a ramp stays a ramp."""
    coarse = Affine(20, 0, 400_000, 0, -20, 5_000_000)
    scene = ingest([write_tif(tmp_path / "a.tif", land(), BAND_NAMES, transform=coarse)], library, TEN)
    assert scene.grid.transform == (10, 0, 400_000, 0, -10, 5_000_000)
    assert (scene.grid.height, scene.grid.width) == (128, 160)
    rows, cols = np.mgrid[0:128, 0:160]
    step = (rows - 0.5) / 2 + (cols - 0.5) / 2 * 0.5
    wanted = np.stack([LAND[name] * (1 + step / 400) for name in BAND_NAMES])
    got = read_scene(scene.directory).astype(float)
    assert np.abs(got - wanted)[:, 1:-1, 1:-1].max() <= 1.5
    said = notes(scene)
    assert said["size"] == ("chosen: 160 × 128 pixels; interpolated from 80 × 64 pixels of 20.0 m × 20.0 m, as wished")
    assert said["resolution"].startswith("read: 10.0 m × 10.0 m a pixel")


def test_degrees_become_ten_metres_both_ways(tmp_path: Path, library: Library) -> None:
    """About 14 m of longitude and 15 m of latitude at 45° north; the ground that is covered stays."""
    degrees = Affine(0.00018, 0, 13, 0, -0.00014, 45)
    path = write_tif(tmp_path / "a.tif", land(), BAND_NAMES, crs="EPSG:4326", transform=degrees)
    plain, fine = (ingest([path], library, wish).grid for wish in (IngestSettings(), TEN))
    assert fine.corners()[2] == pytest.approx(plain.corners()[2], abs=1e-4)
    assert fine.width > 1.3 * plain.width
    assert fine.height > 1.5 * plain.height
    lon = fine.transform[0] * 111_320 * math.cos(math.radians(45))
    assert (lon, -fine.transform[4] * 111_320) == pytest.approx((10, 10), rel=2e-3)


def test_what_cannot_be_interpolated_is_refused(tmp_path: Path, library: Library) -> None:
    nowhere = write_tif(tmp_path / "a.tif", land(), BAND_NAMES, crs=None, transform=Affine.identity())
    with pytest.raises(SourceError, match="its place is unknown; leave its pixels as they are"):
        ingest([nowhere], library, TEN)
    huge = Affine(250, 0, 400_000, 0, -250, 5_000_000)
    with pytest.raises(SourceError, match=r"its own are \d+\.\d m × \d+\.\d m; leave its pixels as they are"):
        ingest([write_tif(tmp_path / "b.tif", land(), BAND_NAMES, transform=huge)], library, TEN)
    assert "ten_metres" not in IngestSettings().to_dict()
