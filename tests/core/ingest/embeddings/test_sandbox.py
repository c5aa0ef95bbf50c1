"""A file of vectors is opened in the locked-down process, and what that answers is checked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import SourceError
from core.features.vector_table import vector_table
from core.ingest.boundary import ingest
from core.ingest.embeddings.take_over import take_over
from core.ingest.sandbox.protocol import IngestResult, result_from_dict
from core.scenes.geobox import UNPLACED, GeoBox
from core.scenes.library import Library
from core.scenes.scene import GivenColumn, GivenVectors
from tests.embeddings import ROWS, plain, vectors

ENCODER = {
    "name": "given-1", "title": "T", "origin": "o", "fingerprint": "0" * 64, "dimension": 16, "bands": [],
    "input_size": None, "level": None,
}  # fmt: skip


def test_the_child_reads_it(tmp_path: Path, library: Library) -> None:
    told: list[tuple[int, int]] = []
    path = plain(tmp_path / "f.parquet", label=["wood", "field"] * (ROWS // 2))
    scene = ingest([path], library, progress=lambda done, total: told.append((done, total)))
    np.testing.assert_array_equal(vector_table(scene).vectors, vectors())
    assert told[-1] == (ROWS, ROWS)
    assert {one.name for one in scene.directory.iterdir()} == {
        "vectors.npy", "rows.npy", "places.parquet", "values.parquet", "truth.tif", "quality.json", "scene.json",
    }  # fmt: skip


def written(folder: Path, **changes: object) -> IngestResult:
    """Arrays as the child writes them, some of them replaced, and its answer."""
    arrays = {
        "vectors": vectors(), "rows": np.arange(ROWS), "corners": np.zeros((ROWS, 8)),
        "columns": np.zeros((1, ROWS), np.float32),
    } | changes  # fmt: skip
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    (folder / "names.json").write_text(json.dumps(["x"] * ROWS))
    given = GivenVectors(column="e", encoder=ENCODER, columns=(GivenColumn(name="kind", kind="class", classes=("a",)),))
    grid = GeoBox(crs=None, transform=UNPLACED, height=5 * 8, width=6 * 8)
    made = IngestResult(grid=grid, bands=(), kind="collection", patch_size=8, given=given)
    return result_from_dict(json.loads(json.dumps(made.to_dict())))


@pytest.mark.parametrize(
    "changes",
    [
        {"vectors": vectors()[:-1]},
        {"vectors": vectors().astype(np.float64)},
        {"rows": np.arange(ROWS) + 1},
        {"rows": np.zeros(ROWS, np.int64)},
        {"corners": np.zeros((ROWS, 6))},
        {"columns": np.full((1, ROWS), 3, np.float32)},
    ],
    ids=["short", "double", "outside", "twice", "corners", "class"],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    result = written(tmp_path, **changes)
    with pytest.raises(SourceError, match="damaged or made-up"):
        take_over(tmp_path, result)


def test_arrays_that_fit_are_taken_over(tmp_path: Path) -> None:
    take_over(tmp_path, written(tmp_path))
    assert (tmp_path / "places.parquet").exists()
    assert (tmp_path / "values.parquet").exists()


def test_an_answer_of_another_form_is_nonsense(tmp_path: Path) -> None:
    fields = written(tmp_path).to_dict()
    for name, value in (("fingerprint", "../../x"), ("dimension", 10**6), ("level", "L9")):
        spoiled = json.loads(json.dumps(fields))
        spoiled["given"]["encoder"][name] = value
        with pytest.raises(ValueError, match=r"encoder|whole number"):
            result_from_dict(spoiled)
