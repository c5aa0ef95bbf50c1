"""Patches lie where their ids say, whatever the size, stride and shape."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from core.errors import PatchError
from core.scenes.cut import Cut, Edge
from core.scenes.library import Library
from core.scenes.patches import PatchGrid, PatchRef, centres_lonlat, corners_lonlat, patch_grid
from core.scenes.places import source_names
from tests.scenes import add_scene, place_pixels, read_patch


@st.composite
def grids(draw: st.DrawFn) -> PatchGrid:
    size = draw(st.integers(8, 40))
    stride = draw(st.integers(max(1, size // 8), size))
    most = size + 9 * stride
    height, width = draw(st.integers(size, most)), draw(st.integers(size, most))
    edge: Edge = draw(st.sampled_from(["leave", "cover"]))
    return PatchGrid(height=height, width=width, cut=Cut.of(size, stride, edge=edge))


@given(grids())
def test_every_window_lies_inside_and_ids_are_row_major(grid: PatchGrid) -> None:
    windows = [grid.window(patch_id) for patch_id in range(grid.count)]
    assert len(set(windows)) == grid.count
    assert windows == sorted(windows)
    for row, col, height, width in (windows[0], windows[-1]):
        assert 0 <= row <= grid.height - height
        assert 0 <= col <= grid.width - width
    left_over = grid.height - (windows[-1][0] + grid.size), grid.width - (windows[-1][1] + grid.size)
    assert grid.left_over == left_over
    assert max(left_over) < grid.cut.stride
    if grid.cut.edge == "cover":
        assert left_over == (0, 0)
    regular = PatchGrid(height=grid.height, width=grid.width, cut=Cut.of(grid.size, grid.cut.stride))
    assert {regular.window(patch_id) for patch_id in range(regular.count)} <= set(windows), "only the last ones move"
    assert grid.first_pixels(np.arange(grid.count)).tolist() == [list(window[:2]) for window in windows]


@given(grids())
def test_every_pixel_that_is_not_left_over_is_in_a_patch_and_only_overlaps_share(grid: PatchGrid) -> None:
    counts = np.zeros((grid.height, grid.width), np.int64)
    for patch_id in range(grid.count):
        row, col, height, width = grid.window(patch_id)
        counts[row : row + height, col : col + width] += 1
    below, right = grid.left_over
    inside = counts[: grid.height - below, : grid.width - right]
    assert inside.min() == 1
    assert counts.sum() == inside.sum()


@given(grids(), st.data())
def test_a_window_names_its_patch_and_no_other_window_does(grid: PatchGrid, data: st.DataObject) -> None:
    top, left, side, _ = grid.window(data.draw(st.integers(0, grid.count - 1)))
    windows = [grid.window(patch_id)[:3] for patch_id in range(grid.count)]
    for down, aside, more in product((-1, 0, 1), repeat=3):
        near = (top + down, left + aside, side + more)
        assert grid.patch_of_window(*near) == (windows.index(near) if near in windows else None)


@settings(max_examples=40)
@given(grids(), st.data())
def test_patch_at_finds_the_patch_with_the_nearest_centre(grid: PatchGrid, data: st.DataObject) -> None:
    row, col = data.draw(st.floats(0, grid.height - 0.01)), data.draw(st.floats(0, grid.width - 0.01))
    found = grid.patch_at(row, col)
    distances = {}
    for patch_id in range(grid.count):
        top, left, size, _ = grid.window(patch_id)
        if top <= row < top + size and left <= col < left + size:
            distances[patch_id] = (abs(top + size / 2 - row), abs(left + size / 2 - col))
    if not distances:
        assert found is None
    else:
        assert found is not None
        best = (min(d[0] for d in distances.values()), min(d[1] for d in distances.values()))
        np.testing.assert_allclose(distances[found], best, atol=1e-9)


@settings(max_examples=40)
@given(grids(), st.data())
def test_of_patches_that_are_there_the_one_with_the_nearest_centre_is_found(
    grid: PatchGrid, data: st.DataObject
) -> None:
    there = np.array(sorted(data.draw(st.sets(st.integers(0, grid.count - 1)))), np.int64)
    places = st.tuples(st.floats(0, grid.height - 0.01), st.floats(0, grid.width - 0.01))
    rows, cols = np.array(data.draw(st.lists(places, min_size=1, max_size=5))).T
    for row, col, found in zip(rows, cols, grid.patches_at(rows, cols, there).tolist(), strict=True):
        away = {
            patch: np.hypot(top + size / 2 - row, left + size / 2 - col)
            for patch, (top, left, size, _) in ((one, grid.window(one)) for one in there.tolist())
            if top <= row < top + size and left <= col < left + size
        }
        assert (found in away) if away else (found == -1)
        assert not away or away[found] == pytest.approx(min(away.values()), abs=1e-9)


@given(grids(), st.data())
def test_touching_is_exactly_the_overlapping_or_adjacent_windows(grid: PatchGrid, data: st.DataObject) -> None:
    patch_id = data.draw(st.integers(0, grid.count - 1))
    top, left, size, _ = grid.window(patch_id)
    expected = set()
    for other in range(grid.count):
        row, col, _, _ = grid.window(other)
        if abs(row - top) <= size and abs(col - left) <= size:
            expected.add(other)
    assert set(grid.touching(patch_id).tolist()) == expected


def test_missing_bands_are_filled_by_the_rule(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path), bands=("B02", "B04", "B08"))
    pixels, mask = read_patch(scene, patch_grid(scene), 0, ("B10", "B11", "B01", "B03"))
    assert mask.all()
    assert (pixels[0] == 0).all()
    np.testing.assert_allclose(pixels[1] * 10_000, place_pixels(256, 320, 3)[2, :64, :64], rtol=1e-5)
    np.testing.assert_allclose(pixels[2] * 10_000, place_pixels(256, 320, 3)[0, :64, :64], rtol=1e-5)


def test_corners_agree_with_rasterio(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path))
    grid = patch_grid(scene)
    corners = corners_lonlat(scene, grid, np.array([0, 7]))
    assert corners is not None
    with rasterio.open(scene.pixels_path) as data:
        x, y = data.transform @ (2 * 64, 64)
        lon, lat = Transformer.from_crs(data.crs, "EPSG:4326", always_xy=True).transform(x, y)
    np.testing.assert_allclose(corners[1, 0], [lon, lat], atol=1e-9)
    centre = centres_lonlat(scene, grid, np.array([7]))
    assert centre is not None
    np.testing.assert_allclose(centre[0], corners[1].mean(axis=0))


def test_a_patch_across_the_antimeridian_stays_in_one_piece(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path))
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:32601", always_xy=True).transform(180, 1.8)
    grid = replace(scene.grid, crs="EPSG:32601", transform=(10, 0, x - 320, 0, -10, y))
    scene = replace(scene, grid=grid)
    corners = corners_lonlat(scene, patch_grid(scene), np.array([0]))
    centre = centres_lonlat(scene, patch_grid(scene), np.array([0]))
    assert corners is not None
    assert centre is not None
    assert np.ptp(corners[0, :, 0]) < 0.01
    assert abs(abs(centre[0, 0]) - 180) < 0.01


def test_a_scene_without_a_place_has_no_corners(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path), crs=None)
    assert corners_lonlat(scene, patch_grid(scene), np.array([0])) is None
    assert centres_lonlat(scene, patch_grid(scene), np.array([0])) is None


@pytest.mark.parametrize(("size", "stride"), [(7, 7), (513, 513), (64, 65), (64, 0), (64, 7)])
def test_sizes_and_strides_out_of_range_are_refused(tmp_path: Path, size: int, stride: int) -> None:
    scene = add_scene(Library(tmp_path))
    with pytest.raises(PatchError, match="choose a size"):
        patch_grid(scene, Cut.of(size, stride))


@pytest.mark.parametrize(("size", "stride"), [(0, None), (4096, None), (64, -5), (32, 2)])
def test_of_a_collection_they_are_refused_too(tmp_path: Path, size: int, stride: int | None) -> None:
    scene = replace(add_scene(Library(tmp_path)), kind="collection", patch_size=64)
    with pytest.raises(PatchError, match="choose a size"):
        patch_grid(scene, Cut.of(size, stride))


def test_a_scene_smaller_than_a_patch_is_refused(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path), height=63, width=300)
    with pytest.raises(PatchError, match="300 × 63 pixels, smaller than one patch of 64 × 64"):
        patch_grid(scene)


@pytest.mark.parametrize("patch_id", [-1, 20])
def test_unknown_patches_are_refused(tmp_path: Path, patch_id: int) -> None:
    with pytest.raises(PatchError, match="patches 0 to 19"):
        patch_grid(add_scene(Library(tmp_path))).window(patch_id)


def test_a_collection_takes_places_from_its_table(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path), crs=None)
    corners = np.full((4, 8), np.nan)
    corners[1] = [10, 50, 10.1, 50, 10.1, 49.9, 10, 49.9]
    table = pa.table(
        {"patch_id": pa.array(range(4)), "source_name": ["a", "b", "c", "d"],
         "corners": pa.FixedSizeListArray.from_arrays(pa.array(corners.ravel()), 8)}
    )  # fmt: skip
    pq.write_table(table, scene.places_path)
    scene = replace(scene, kind="collection", patch_size=64)
    grid = patch_grid(scene, Cut.of(32, 16))
    assert grid.cut == Cut.of(64)
    found = corners_lonlat(scene, grid, np.array([1, 0]))
    assert found is not None
    assert found[0].tolist() == [[10, 50], [10.1, 50], [10.1, 49.9], [10, 49.9]]
    assert np.isnan(found[1]).all()
    assert source_names(scene) == ["a", "b", "c", "d"]


@settings(max_examples=40)
@given(scene=st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True), patch=st.integers(0, 10**9 - 1))
def test_a_patch_is_found_again_by_its_text(scene: str, patch: int) -> None:
    ref = PatchRef(scene, patch)
    assert PatchRef.parse(str(ref)) == ref
    assert PatchRef.parse(str(patch), scene) == ref, "as links of earlier versions have it"


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1.5", "٣", "9" * 10, " 4", "a:", ":4", "A:4", "../x:4", "a:b:4", "a:4:"]
)
def test_what_names_no_patch_is_none(text: str) -> None:
    assert PatchRef.parse(text, "scene-1") is None


def test_a_number_alone_is_of_no_scene() -> None:
    assert PatchRef.parse("4") is None
