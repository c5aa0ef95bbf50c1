from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from core.errors import SettingsError
from core.imagery.render import EMPTY_TILE, palette
from core.imagery.tiles import map_tile
from core.scenes.library import Library
from core.scenes.location import bounds_lonlat
from core.scenes.scene import Scene
from core.scenes.webmercator import tile_square
from tests.mapped import add_mapped, lonlat_of, pixels_of, ramps, source_of, tile_at


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def middle(scene: Scene) -> tuple[float, float]:
    bounds = bounds_lonlat(scene)
    assert bounds is not None
    return (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2


def told(scene: Scene, colour: np.ndarray) -> tuple[float, float]:
    """Row and column that a colour of ``ramps`` tells."""
    curve = palette(scene, "true").paint(np.tile(np.arange(0, 10_001, dtype=np.uint16), (3, 1, 1)))[0, :, 0]
    numbers = [float(np.flatnonzero(curve == byte).mean()) for byte in colour[:2]]
    return tuple(  # type: ignore[return-value]
        (number - 500) / 9000 * (side - 1) + 0.5
        for number, side in zip(numbers, (scene.grid.height, scene.grid.width), strict=True)
    )


@pytest.mark.parametrize("z", [9, 13, 16])
def test_every_pixel_shows_the_land_at_its_place(library: Library, z: int) -> None:
    scene = add_mapped(library)
    x, y = tile_at(*middle(scene), z)
    shown = pixels_of(map_tile(scene, z, x, y, "true"))
    assert shown.shape == (256, 256, 4)
    checked = 0
    for row in range(4, 256, 12):
        for col in range(4, 256, 12):
            expected = source_of(scene, *lonlat_of(z, x, y, row + 0.5, col + 0.5))
            margin = 156_543 / 2**z / 10
            if not (margin < expected[0] < 512 - margin and margin < expected[1] < 640 - margin):
                continue
            assert shown[row, col, 3] == 255
            found = told(scene, shown[row, col])
            assert math.dist(found, expected) < 5 + 0.6 * margin / 2
            checked += 1
    assert checked >= (2 if z < 10 else 20)


def test_it_agrees_with_gdals_own_warp(library: Library) -> None:
    scene = add_mapped(library, shape=(1024, 1024))
    z = 13
    x, y = tile_at(*middle(scene), z)
    square = tile_square(z, x, y)
    transform = rasterio.Affine(square.pixel, 0, square.left, 0, -square.pixel, square.top)
    with (
        rasterio.open(scene.pixels_path, driver="GTiff") as data,
        WarpedVRT(
            data, crs="EPSG:3857", transform=transform, width=256, height=256, resampling=Resampling.bilinear
        ) as warped,
    ):
        numbers = warped.read([4, 3, 2])
    expected = palette(scene, "true").paint(numbers)
    shown = pixels_of(map_tile(scene, z, x, y, "true"))
    both = (numbers[0] > 0) & (shown[..., 3] == 255)
    assert both.mean() > 0.9
    assert (both == (numbers[0] > 0)).mean() > 0.995
    assert np.abs(shown[both][:, :3].astype(int) - expected[both]).max() <= 3


def test_neighbouring_tiles_meet_without_a_seam(library: Library) -> None:
    scene = add_mapped(library, shape=(1024, 1024))
    z = 15
    x, y = tile_at(*middle(scene), z)
    left, right = (pixels_of(map_tile(scene, z, x + step, y, "true")).astype(int) for step in (0, 1))
    assert left[..., 3].min() == right[..., 3].min() == 255
    assert np.abs(left[:, -1, :3] - right[:, 0, :3]).max() <= 2


def test_no_data_and_beyond_the_edge_are_transparent(library: Library) -> None:
    pixels = ramps(512, 640)
    pixels[:, :, :320] = 0
    scene = add_mapped(library, pixels=pixels)
    z = 12
    x, y = tile_at(*middle(scene), z)
    shown = pixels_of(map_tile(scene, z, x, y, "true"))
    for row in range(6, 256, 10):
        for col in range(6, 256, 10):
            source = source_of(scene, *lonlat_of(z, x, y, row + 0.5, col + 0.5))
            inside = 4 < source[0] < 508 and 324 < source[1] < 636
            outside = not (-4 < source[0] < 516 and 316 < source[1] < 644)
            assert not inside or shown[row, col, 3] == 255
            assert not outside or shown[row, col, 3] == 0
    # Colours at the border of no data are not mixed with black.
    border = shown[..., 3] == 255
    assert shown[border][:, 2].min() >= 120


def test_far_away_is_the_same_empty_tile(library: Library) -> None:
    scene = add_mapped(library)
    assert map_tile(scene, 3, 0, 7, "true") is EMPTY_TILE
    assert map_tile(scene, 14, 0, 0, "ndvi") is EMPTY_TILE
    assert pixels_of(EMPTY_TILE)[..., 3].max() == 0


def test_a_scene_without_a_place_has_only_empty_tiles(library: Library) -> None:
    scene = add_mapped(library, crs=None)
    assert map_tile(scene, 0, 0, 0, "true") is EMPTY_TILE


def test_unknown_settings_are_refused(library: Library) -> None:
    scene = add_mapped(library)
    with pytest.raises(SettingsError):
        map_tile(scene, 0, 0, 0, "thermal")
    with pytest.raises(SettingsError):
        map_tile(scene, 0, 0, 0, "true", "extreme")


ANTIMERIDIAN = [
    ("EPSG:32660", (10.0, 0.0, 814_945.0, 0.0, -10.0, 1_826_548.0)),
    ("EPSG:32601", (10.0, 0.0, 179_000.0, 0.0, -10.0, 1_826_548.0)),
    ("EPSG:4326", (1e-4, 0.0, 179.97, 0.0, -1e-4, 10.0)),
    ("EPSG:4326", (1e-4, 0.0, -180.03, 0.0, -1e-4, 10.0)),
]


@pytest.mark.parametrize(("crs", "transform"), ANTIMERIDIAN, ids=["utm60", "utm1", "east", "west"])
def test_scenes_across_the_antimeridian_show_on_both_sides(library: Library, crs: str, transform: tuple) -> None:  # type: ignore[type-arg]
    scene = add_mapped(library, crs=crs, transform=transform)
    bounds = bounds_lonlat(scene)
    assert bounds is not None
    assert bounds[2] - bounds[0] < 0.2
    _, lat = middle(scene)
    z = 13
    shares = []
    for lon in (179.99, -179.99):
        x, y = tile_at(lon, lat, z)
        shown = pixels_of(map_tile(scene, z, x, y, "true"))
        shares.append((shown[..., 3] == 255).mean())
        row, col = (int(value) for value in np.argwhere(shown[..., 3] == 255)[1000])
        place = lonlat_of(z, x, y, row + 0.5, col + 0.5)
        x_source, y_source = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*place)
        if crs == "EPSG:4326":
            x_source += 360 * round((transform[2] + 0.03 - x_source) / 360)
        expected = scene.grid.rowcol(x_source, y_source)
        assert math.dist(told(scene, shown[row, col]), expected) < 6
    assert min(shares) > 0.05


def test_polar_scenes_end_where_the_web_map_ends(library: Library) -> None:
    at_pole = add_mapped(library, "pole", crs="EPSG:3995", transform=(10.0, 0.0, -3000.0, 0.0, -10.0, 2500.0))
    assert bounds_lonlat(at_pole) is None
    assert all(map_tile(at_pole, 2, x, 0, "true") is EMPTY_TILE for x in range(4))
    wide = add_mapped(library, "wide", crs="EPSG:3995", transform=(4000.0, 0.0, -1.2e6, 0.0, -4000.0, 1e6))
    bounds = bounds_lonlat(wide)
    assert bounds is not None
    assert bounds[2] - bounds[0] == pytest.approx(360)
    shown = [pixels_of(map_tile(wide, 3, x, 0, "true")) for x in range(8)]
    assert all((tile[:30, :, 3] == 255).all() for tile in shown)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    zone=st.integers(1, 60), south=st.booleans(), lat=st.floats(1, 80), offset=st.floats(-2.5, 2.5),
    z=st.integers(11, 17), row=st.integers(40, 470), col=st.integers(40, 600),
)  # fmt: skip
def test_any_place_on_earth_shows_at_its_tile(
    tmp_path_factory: pytest.TempPathFactory,
    zone: int, south: bool, lat: float, offset: float, z: int, row: int, col: int,
) -> None:  # fmt: skip
    lat = -lat if south else lat
    crs = f"EPSG:{(32700 if south else 32600) + zone}"
    forward = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x0, y0 = forward.transform(-183 + 6 * zone + offset, lat)
    library = Library(tmp_path_factory.mktemp("earth"))
    scene = add_mapped(library, crs=crs, transform=(10.0, 0.0, x0 - 3200, 0.0, -10.0, y0 + 2560))
    xs, ys = scene.grid.xy(np.array(row + 0.5), np.array(col + 0.5))
    lon, north = forward.transform(float(xs), float(ys), direction="INVERSE")
    x, y = tile_at(lon, north, z)
    side = 2**z
    tile_col = int(((lon + 180) / 360 * side % 1) * 256)
    tile_row = int(((1 - math.asinh(math.tan(math.radians(north))) / math.pi) / 2 * side % 1) * 256)
    shown = pixels_of(map_tile(scene, z, x, y, "true"))
    assert shown[tile_row, tile_col, 3] == 255
    margin = 156_543 * math.cos(math.radians(lat)) / 2**z / 10
    assert math.dist(told(scene, shown[tile_row, tile_col]), (row + 0.5, col + 0.5)) < 6 + margin
