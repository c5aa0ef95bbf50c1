"""Patches in HDF5: told from dates of one place, with the classes that a dataset beside them names."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import h5py
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
SIDE, COUNT = 32, 10
TEN = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
CODES = np.arange(COUNT) % 4


def patches(*, of_one_place: bool = False) -> NDArray[np.float64]:
    """Reflectance of shape (COUNT, SIDE, SIDE, 10), bright and dark in other places each unless of one place."""
    random = np.random.default_rng(2)
    fields = random.uniform(0.6, 1.4, (1 if of_one_place else COUNT, 8, 8)).repeat(4, axis=1).repeat(4, axis=2)
    light = random.uniform(0.97, 1.03, (COUNT, 1, 1))
    numbers: NDArray[np.float64] = (fields * light)[..., None] * land(TEN, SIDE, SIDE).transpose(1, 2, 0) / 10_000
    return numbers


def write(path: Path, **datasets: NDArray[np.generic]) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = values
    return path


def test_so2sat_as_it_is_published(tmp_path: Path, library: Library) -> None:
    every = patches()
    radar = np.random.default_rng(3).normal(size=(COUNT, SIDE, SIDE, 8))
    path = write(tmp_path / "validation.h5", sen1=radar, sen2=every, label=np.eye(17)[CODES])
    scene = ingest([path], library)
    assert (scene.kind, scene.patch_size, scene.bands) == ("collection", SIDE, TEN)
    assert scene.classes == ("Compact high-rise", "Compact low-rise", "Compact mid-rise", "Open high-rise")
    got = read_scene(scene.directory)
    np.testing.assert_array_equal(got[:, :SIDE, SIDE : 2 * SIDE], np.rint(every[1] * 10_000).transpose(2, 0, 1))
    assert source_names(scene)[:2] == ["sen2_0", "sen2_1"]
    lines = {one.topic: one for one in load_quality(scene.directory).findings}
    assert lines["product"].value == "So2Sat LCZ42"
    assert lines["left out"].value == "sen1"


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (CODES.astype(np.int64), ("0", "1", "2", "3")),
        (np.array(["Elm", "Fir", "Oak", "Yew"])[CODES].astype(np.bytes_), ("Elm", "Fir", "Oak", "Yew")),
        (None, ()),
    ],
)
def test_patches_and_their_classes(
    tmp_path: Path, library: Library, labels: NDArray[np.generic] | None, classes: tuple[str, ...]
) -> None:
    every = np.moveaxis(patches(), -1, 1)
    beside = {} if labels is None else {"y": labels}
    scene = ingest([write(tmp_path / "train.h5", X=every, **beside)], library, IngestSettings(bands=TEN))
    assert (scene.kind, scene.classes) == ("collection", classes)
    got = read_scene(scene.directory)
    np.testing.assert_array_equal(got[:, :SIDE, :SIDE], np.rint(every[0] * 10_000))


def test_dates_of_one_place_are_no_patches(tmp_path: Path, library: Library) -> None:
    path = write(tmp_path / "series.h5", data=patches(of_one_place=True)[:3], quality=CODES[:3] // 2)
    with suppress(SourceError):
        assert {scene.kind for scene in ingest_all([path], library, IngestSettings(bands=TEN))} == {"scene"}
    assert not [scene for scene in library.scenes() if scene.kind == "collection"]
