from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.errors import TrainingError
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.cut import Cut
from core.scenes.labels import give_label
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.training.dataset import labelled, stems
from tests.labelled import CLASSES, pixels, write_zip
from tests.scenes import add_scene, place_pixels


@pytest.mark.usefixtures("here")
def test_patches_of_a_collection_come_with_their_pixels_classes_names_and_places(tmp_path: Path) -> None:
    scene = ingest([write_zip(tmp_path / "set.zip", 3)], Library(tmp_path), IngestSettings(scale="dn"))
    found = labelled(scene)
    assert found.classes == CLASSES
    assert found.bands == BAND_NAMES
    assert found.counts() == dict.fromkeys(CLASSES, 3)
    for row, name in enumerate(found.names):
        label, index = name.removesuffix(".tif").split("_")
        number = CLASSES.index(label)
        assert found.labels[row] == number
        truth = pixels(label, 1000 * number + int(index) - 1).transpose(1, 2, 0)
        assert np.abs(found.pixels[row].astype(int) - truth).max() <= 1
    assert found.lonlat.shape == (9, 2)
    assert (np.abs(found.lonlat - [14, 45]) < 3).all()


@pytest.mark.usefixtures("here")
def test_some_of_them(tmp_path: Path) -> None:
    scene = ingest([write_zip(tmp_path / "set.zip", 2)], Library(tmp_path), IngestSettings(scale="dn"))
    found = labelled(scene)
    part = found.take(found.labels == 1)
    assert (len(part), set(part.labels.tolist())) == (2, {1})
    assert part.names == tuple(name for name in found.names if "Sand" in name)
    assert (part.pixels == found.pixels[found.labels == 1]).all()


def test_patches_of_a_scene_count_where_one_class_fills_them(tmp_path: Path) -> None:
    truth = np.ones((256, 320), np.uint16)
    truth[:64, :32] = 2
    truth[64:128, :10] = 2
    truth[128:192, :64] = 0
    scene = add_scene(Library(tmp_path), truth=truth, classes=("Land", "Water"))
    found = labelled(scene)
    assert len(found) == 20 - 2, "half a patch of water and a patch of nothing do not count"
    assert set(found.labels.tolist()) == {0}
    expected = place_pixels(256, 320, 13)[:, 64:128, :64].transpose(1, 2, 0)
    row = found.names.index("t-1-5")
    assert (found.pixels[row] == expected).all()


def test_patches_labelled_by_hand_count_however_mixed_their_land_is(tmp_path: Path) -> None:
    truth = np.ones((256, 320), np.uint16)
    truth[:, ::2] = 2
    scene = add_scene(Library(tmp_path), truth=truth, classes=("Land", "Water"))
    assert len(labelled(scene)) == 0
    grid = patch_grid(scene)
    give_label(scene, grid, [6, 3], "Reed")
    give_label(scene, grid, [19], "Bog")
    found = labelled(scene, by="hand")
    assert found.classes == ("Bog", "Reed")
    assert found.names == ("t-1-3", "t-1-6", "t-1-19")
    assert found.labels.tolist() == [1, 1, 0]
    expected = place_pixels(256, 320, 13)
    for row, (top, left) in enumerate([(0, 192), (64, 64), (192, 256)]):
        assert (found.pixels[row] == expected[:, top : top + 64, left : left + 64].transpose(1, 2, 0)).all()


def test_labels_by_hand_are_learned_as_their_patches_were_cut(tmp_path: Path) -> None:
    """Also where patches overlap, or the last ones were moved inwards; the usual cut wins where it has as many."""
    library = Library(tmp_path)
    expected = place_pixels(250, 330, 13)
    for number, cut in enumerate((Cut.of(32), Cut.of(48, 16, edge="cover"), Cut.of(64))):
        scene = add_scene(library, f"t-{number}", height=250, width=330)
        grid = patch_grid(scene, cut)
        chosen = [1, grid.n_cols + 2, grid.count - 1]
        give_label(scene, grid, chosen, "Reed")
        give_label(scene, patch_grid(scene), [0], "Bog")
        found = labelled(scene, by="hand")
        windows = [grid.window(patch_id) for patch_id in chosen]
        reeds = found.pixels[found.labels == found.classes.index("Reed")]
        assert sorted(patch.tobytes() for patch in reeds) == sorted(
            np.ascontiguousarray(expected[:, top : top + cut.size, left : left + cut.size].transpose(1, 2, 0)).tobytes()
            for top, left, _, _ in windows
        )
        assert len(labelled(scene, Cut.of(64), by="hand")) == (1 if cut.size != 64 else 4)


def test_a_scene_without_labels_teaches_nothing(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="give patches in folders named by class"):
        labelled(add_scene(Library(tmp_path)))


def test_one_stem_is_one_place() -> None:
    assert stems(["MS/Forest/Forest_1.tif", "Forest_1.jpg"]) == ["Forest_1", "Forest_1"]
