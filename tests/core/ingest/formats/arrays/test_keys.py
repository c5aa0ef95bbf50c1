"""Arrays beside an array of pixels: which is the scene, its dates, names of bands; several arrays of a date each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import SourceError
from core.ingest.boundary import ingest, ingest_all
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import land, read_scene

pytestmark = pytest.mark.usefixtures("here")
DATES = ("2019-04-05", "2019-04-10", "2019-06-20")


def stack() -> NDArray[np.uint16]:
    return np.stack([np.moveaxis(land(), 0, -1) + 50 * n for n in range(3)]).astype(np.uint16)


@pytest.mark.parametrize(
    "dates",
    [
        np.array(DATES, dtype="datetime64[ns]"),
        np.array([date.encode() for date in DATES]),
        np.array([int(date.replace("-", "")) for date in DATES]),
    ],
)
def test_dates_of_an_npz(tmp_path: Path, library: Library, dates: NDArray[np.generic]) -> None:
    mask = np.zeros((3, 64, 80, 1), dtype=np.uint8)
    np.savez(tmp_path / "site.npz", data=stack(), mask=mask, timestamps=dates)
    scenes = ingest_all([tmp_path / "site.npz"], library)
    assert [(scene.date, scene.name) for scene in scenes] == [(date, f"site, {date}") for date in DATES]
    for n, scene in enumerate(scenes):
        np.testing.assert_array_equal(read_scene(scene.directory), land() + 50 * n)
    told = {line.topic: line for line in load_quality(scenes[0].directory).findings}
    assert told["date"].because == "“timestamps.npy” states the dates"
    assert told["left out"].value == "mask.npy"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dates.json", json.dumps({"0": 20190405, "1": 20190410, "2": 20190620})),
        ("info.csv", "id,date,cloud\n" + "".join(f"{n},{date},0.{n}\n" for n, date in enumerate(DATES))),
        ("times.txt", "\n".join(DATES)),
    ],
)
def test_dates_beside_an_array(tmp_path: Path, library: Library, name: str, text: str) -> None:
    (tmp_path / "site").mkdir()
    np.save(tmp_path / "site" / "stack.npy", stack())
    (tmp_path / "site" / name).write_text(text)
    assert [scene.date for scene in ingest_all([tmp_path / "site"], library)] == list(DATES)


def test_the_ends_of_a_time_are_no_dates(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    np.save(tmp_path / "site" / "20190405_20190620.npy", stack()[:2])
    (tmp_path / "site" / "readme.txt").write_text("from 2019-04-05 to 2019-06-20")
    assert [scene.date for scene in ingest_all([tmp_path / "site"], library)] == [None, None]


def test_names_of_bands_in_an_npz(tmp_path: Path, library: Library) -> None:
    order = ("B08", "B02", "B03", "B04")
    np.savez(tmp_path / "site.npz", x=land(order), names=np.array(order))
    scene = ingest([tmp_path / "site.npz"], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(("B02", "B03", "B04", "B08")))


def test_arrays_of_a_date_each_are_a_series(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    for n, date in enumerate(DATES):
        np.save(tmp_path / "site" / f"site_{date}.npy", stack()[n])
    scenes = ingest_all([tmp_path / "site"], library)
    assert [scene.date for scene in scenes] == list(DATES)
    np.testing.assert_array_equal(read_scene(scenes[2].directory), land() + 100)


def test_arrays_of_which_each_may_be_the_scene(tmp_path: Path, library: Library) -> None:
    np.savez(tmp_path / "two.npz", before=stack()[0], after=stack()[1])
    with pytest.raises(SourceError, match=r"2 arrays that may be a scene, “after.npy”, “before.npy”; open one of them"):
        ingest([tmp_path / "two.npz"], library)
