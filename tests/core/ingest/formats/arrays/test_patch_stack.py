"""Patches in one array: told from dates of one place, with the classes that other arrays name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import SourceError
from core.ingest.boundary import ingest, ingest_all
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.places import source_names
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import land, read_scene

pytestmark = pytest.mark.usefixtures("here")
SIDE, COUNT = 16, 12


def patches(count: int = COUNT) -> NDArray[np.uint16]:
    """Different land, bright and dark in other places each, shape (count, SIDE, SIDE, 13)."""
    random = np.random.default_rng(1)
    fields = random.uniform(0.6, 1.4, (count, SIDE // 4, SIDE // 4)).repeat(4, axis=1).repeat(4, axis=2)
    return (fields[..., None] * land(height=SIDE, width=SIDE).transpose(1, 2, 0)).astype(np.uint16)


CODES = np.arange(COUNT) % 3
NAMES = np.array(["Forest", "Lake", "Quarry"])
ONE_HOT = np.eye(3, dtype=np.float32)[CODES]


@pytest.mark.parametrize(
    ("labels", "beside", "classes", "first"),
    [
        (NAMES[CODES], {}, ("Forest", "Lake", "Quarry"), False),
        (CODES, {}, ("0", "1", "2"), True),
        (CODES[:, None].astype(np.uint8), {"names": NAMES}, ("Forest", "Lake", "Quarry"), False),
        (ONE_HOT, {"class_names": NAMES.astype(np.bytes_)}, ("Forest", "Lake", "Quarry"), True),
    ],
)
def test_classes_beside_an_array_make_it_patches(
    tmp_path: Path, library: Library, labels: NDArray[np.generic], beside: dict[str, NDArray[np.str_]],
    classes: tuple[str, ...], *, first: bool,
) -> None:  # fmt: skip
    every = patches()
    np.savez(tmp_path / "train.npz", X=np.moveaxis(every, -1, 1) if first else every, y=labels, **beside)
    scene = ingest([tmp_path / "train.npz"], library, IngestSettings())
    assert (scene.kind, scene.patch_size, scene.classes) == ("collection", SIDE, classes)
    got = read_scene(scene.directory)
    np.testing.assert_array_equal(got[:, :SIDE, SIDE : 2 * SIDE], np.moveaxis(every[1], -1, 0))
    assert source_names(scene)[:2] == ["X_00", "X_01"]
    (line,) = [one for one in load_quality(scene.directory).findings if one.topic == "classes"]
    assert line.because == "named by “y.npy”"


def test_without_classes_what_shows_different_places_is_patches(tmp_path: Path, library: Library) -> None:
    np.save(tmp_path / "chips.npy", patches())
    scene = ingest([tmp_path / "chips.npy"], library, IngestSettings())
    assert (scene.kind, scene.classes) == ("collection", ())
    said = [one for one in load_quality(scene.directory).findings if one.topic == "patches"]
    assert "shows different places" in said[0].because


def test_dates_of_one_place_stay_dates(tmp_path: Path, library: Library) -> None:
    random = np.random.default_rng(0)
    one = patches(1)[0].astype(np.float64)
    dates = np.stack([one * random.uniform(0.8, 1.2) + random.normal(0, 2, one.shape) for _ in range(9)])
    np.save(tmp_path / "cube.npy", np.clip(dates, 1, 10_000).astype(np.uint16))
    assert len(ingest_all([tmp_path / "cube.npy"], library, IngestSettings())) == 9
    days = np.array([f"2020-01-{day:02d}" for day in range(1, COUNT + 1)])
    np.savez(tmp_path / "dated.npz", X=patches(), days=days)
    scenes = ingest_all([tmp_path / "dated.npz"], library, IngestSettings())
    assert [scene.date for scene in scenes] == days.tolist(), "what a file states wins"


def test_a_chosen_date_is_a_date(tmp_path: Path, library: Library) -> None:
    np.savez(tmp_path / "train.npz", X=patches(), y=CODES)
    scene = ingest([tmp_path / "train.npz"], library, IngestSettings(time=4))
    assert scene.kind == "scene"
    np.testing.assert_array_equal(read_scene(scene.directory), np.moveaxis(patches()[4], -1, 0))


def test_no_labels_are_taken_from_what_is_none(tmp_path: Path, library: Library) -> None:
    few = patches(4)
    for number, beside in enumerate([np.linspace(0, 1, 4), np.zeros((4, 2))]):
        path = tmp_path / f"few{number}.npz"
        np.savez(path, X=few, y=beside)
        assert {scene.kind for scene in ingest_all([path], library, IngestSettings())} == {"scene"}
    pickled = np.array(["Forest", None, "Lake", 3], dtype=object)
    np.savez(tmp_path / "pickled.npz", X=few, y=pickled)
    scenes = ingest_all([tmp_path / "pickled.npz"], library, IngestSettings())
    assert {scene.kind for scene in scenes} == {"scene"}


def test_too_many_patches_are_refused(tmp_path: Path, library: Library) -> None:
    count = 50_001
    np.savez(tmp_path / "many.npz", X=np.zeros((count, 8, 8, 3), np.uint16), y=np.arange(count) % 2)
    with pytest.raises(SourceError, match="it holds 50,001 patches, more than the 50,000 allowed; split it"):
        ingest([tmp_path / "many.npz"], library, IngestSettings())
