"""Labels given by hand follow the ground into another reading of the same source, as far as it has such patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyproj import Transformer

from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.given.annotations import Window
from core.scenes.given.transfer import LabelTransfer, transfer_labels
from core.scenes.labels import add_windows, give_label, given_windows
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from tests.scenes import UTM31, add_scene

LEFT, TOP = UTM31[2], UTM31[5]


@pytest.fixture
def old(tmp_path: Path) -> Scene:
    """4 × 5 patches of 64 pixels of 10 m."""
    return add_scene(Library(tmp_path))


def other(tmp_path: Path, grid: GeoBox) -> Scene:
    """A scene that lies on a grid; only the grid and the folder count here."""
    made = add_scene(Library(tmp_path), "t-2")
    return replace(made, grid=grid)


def placed(left: float, top: float, pixel: float = 10.0, height: int = 256, width: int = 320) -> GeoBox:
    return GeoBox(crs="EPSG:32631", transform=(pixel, 0, left, 0, -pixel, top), height=height, width=width)


def label(scene: Scene, **classes: Sequence[Window]) -> None:
    add_windows(scene, {name: set(windows) for name, windows in classes.items()})


def test_the_same_grid_keeps_every_label(old: Scene, tmp_path: Path) -> None:
    give_label(old, patch_grid(old), [0, 7], "Forest")
    give_label(old, patch_grid(old, Cut.of(32, 16)), [5], "River")
    new = other(tmp_path, old.grid)
    assert transfer_labels(old, new) == LabelTransfer(kept=3, lost=0)
    assert given_windows(new) == given_windows(old)


@pytest.mark.parametrize("crs", [None, "EPSG:32633"])
def test_another_reference_system_for_the_same_pixels_keeps_every_label(
    old: Scene, tmp_path: Path, crs: str | None
) -> None:
    label(old, Forest=[(64, 128, 64)])
    transform = (1, 0, 0, 0, 1, 0) if crs is None else old.grid.transform
    new = other(tmp_path, replace(old.grid, crs=crs, transform=transform))
    assert transfer_labels(old, new) == LabelTransfer(kept=1, lost=0)
    assert given_windows(new) == given_windows(old)


def test_a_grid_that_moved_by_whole_patches_keeps_what_it_covers(old: Scene, tmp_path: Path) -> None:
    label(old, Forest=[(64, 128, 64), (0, 0, 64)])
    new = other(tmp_path, placed(LEFT + 640, TOP - 640, height=192, width=256))
    assert transfer_labels(old, new) == LabelTransfer(kept=1, lost=1)
    assert given_windows(new) == {"Forest": {(0, 64, 64)}}


@pytest.mark.parametrize(("pixels", "kept"), [(1, 1), (6, 1), (7, 0), (32, 0)])
def test_a_grid_that_moved_a_little_keeps_labels_while_four_fifths_of_the_ground_agree(
    old: Scene, tmp_path: Path, pixels: int, kept: int
) -> None:
    label(old, Forest=[(64, 128, 64)])
    new = other(tmp_path, placed(LEFT - 10 * pixels, TOP + 10 * pixels))
    assert (1 - 6 / 64) ** 2 > 0.8 > (1 - 7 / 64) ** 2
    assert transfer_labels(old, new) == LabelTransfer(kept=kept, lost=1 - kept)
    assert given_windows(new) == ({"Forest": {(64, 128, 64)}} if kept else {})


def test_patches_of_half_the_pixels_stand_for_the_same_ground(old: Scene, tmp_path: Path) -> None:
    label(old, Forest=[(64, 128, 64)])
    new = other(tmp_path, placed(LEFT, TOP, 20.0, height=128, width=160))
    assert transfer_labels(old, new) == LabelTransfer(kept=1, lost=0)
    assert given_windows(new) == {"Forest": {(32, 64, 32)}}


def test_another_projection_of_the_ground_is_followed(old: Scene, tmp_path: Path) -> None:
    label(old, Forest=[(64, 128, 64)])
    x, y = Transformer.from_crs("EPSG:32631", "EPSG:3035", always_xy=True).transform(LEFT + 1600, TOP - 960)
    grid = GeoBox(crs="EPSG:3035", transform=(10, 0, x - 320 - 640, 0, -10, y + 320 + 640 * 2), height=320, width=320)
    new = other(tmp_path, grid)
    assert transfer_labels(old, new) == LabelTransfer(kept=1, lost=0)
    assert given_windows(new) == {"Forest": {(128, 64, 64)}}


def test_patches_at_the_edge_that_were_moved_inwards_follow_the_edge(old: Scene, tmp_path: Path) -> None:
    label(old, Edge=[(250 - 64, 300 - 64, 64)], Forest=[(0, 64, 64)])
    old = replace(old, grid=placed(LEFT, TOP, height=250, width=300))
    new = other(tmp_path, placed(LEFT + 20, TOP, height=250, width=298))
    assert transfer_labels(old, new) == LabelTransfer(kept=2, lost=0)
    assert given_windows(new) == {"Edge": {(250 - 64, 298 - 64, 64)}, "Forest": {(0, 64, 64)}}


def test_ground_without_a_place_is_the_same_only_pixel_by_pixel(old: Scene, tmp_path: Path) -> None:
    label(old, Forest=[(64, 128, 64)])
    old = replace(old, grid=replace(old.grid, crs=None))
    new = other(tmp_path, replace(old.grid, height=250))
    assert transfer_labels(old, new) == LabelTransfer(kept=0, lost=1)
    assert given_windows(new) == {}


def test_labels_that_are_there_already_stay(old: Scene, tmp_path: Path) -> None:
    label(old, Forest=[(64, 128, 64), (0, 0, 64)])
    new = other(tmp_path, old.grid)
    label(new, River=[(64, 128, 64)])
    transfer_labels(old, new)
    assert given_windows(new) == {"River": {(64, 128, 64)}, "Forest": {(0, 0, 64)}}


def test_without_labels_there_is_nothing_to_keep(old: Scene, tmp_path: Path) -> None:
    new = other(tmp_path, old.grid)
    assert transfer_labels(old, new) == LabelTransfer(kept=0, lost=0)
    assert not (new.directory / "labels.json").exists()


def collection(tmp_path: Path, scene_id: str, names: Sequence[str], side: int) -> Scene:
    """A mosaic of two columns."""
    made = add_scene(Library(tmp_path), scene_id)
    pq.write_table(pa.table({"source_name": pa.array(names)}), made.directory / "places.parquet")
    grid = replace(made.grid, crs=None, height=side * (len(names) // 2), width=2 * side)
    return replace(made, kind="collection", patch_size=side, grid=grid)


def test_patches_of_a_collection_are_known_by_their_files(tmp_path: Path) -> None:
    before = collection(tmp_path, "t-1", ["a.tif", "b.tif", "c.tif", ""], 64)
    after = collection(tmp_path, "t-2", ["c.tif", "x.tif", "a.tif", ""], 32)
    label(before, Forest=[(0, 0, 64), (0, 64, 64)], River=[(64, 0, 64)], Void=[(64, 64, 64)])
    assert transfer_labels(before, after) == LabelTransfer(kept=2, lost=2)
    assert given_windows(after) == {"Forest": {(32, 0, 32)}, "River": {(0, 0, 32)}}
