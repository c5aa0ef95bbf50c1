"""What can be taken away: the query with its nearest, what examples found, what is selected, or all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.scenes.patches import PatchRef, PatchRefs, patch_grid
from core.search.ranking import PROBABILITY
from core.similarity.neighbours import Neighbours
from pages.ui.common import downloads
from pages.ui.common.downloads import contents, export_rows
from pages.ui.state.question import Question
from tests.core.export.test_geoparquet import scene

NEAR = Neighbours(ids=np.array([7, 2]), similarity=np.array([0.75, 0.5], np.float32))


def view(like: tuple[int, ...] = (8,), least: float | None = None, selected: tuple[int, ...] = ()) -> Any:
    one = scene()
    ranking = SimpleNamespace(measure=PROBABILITY)
    return SimpleNamespace(
        scene=one, known=SimpleNamespace(grid=patch_grid(one), ranking=lambda _question: ranking), labels=None,
        query=PatchRef(one.id, like[0]) if like else None, neighbours=NEAR if like else None, least=least,
        question=Question(one.id, like), selection=PatchRefs(one.id, selected), recipe=SimpleNamespace(encoder="x"),
        table=SimpleNamespace(patch_ids=np.arange(12)), rows=lambda ids: ids,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def indices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "export_columns", lambda _known: {"ndvi": np.linspace(0, 1, 12, dtype=np.float32)})


def test_a_query_comes_before_its_nearest() -> None:
    rows = export_rows(view(), "like")
    assert rows.columns["patch_id"].tolist() == [8, 7, 2]
    assert rows.columns["rank"].tolist() == [0, 1, 2]
    assert rows.columns["similarity"].tolist() == [1.0, 0.75, 0.5]
    assert set(rows.columns["measure"]) == {"cosine"}
    np.testing.assert_array_equal(rows.columns["ndvi"], np.linspace(0, 1, 12, dtype=np.float32)[[8, 7, 2]])


@pytest.mark.parametrize("asked", [view(like=(8, 3)), view(least=0.4)])
def test_what_examples_or_a_threshold_found_holds_no_patch_twice_and_says_what_its_score_is(asked: Any) -> None:
    rows = export_rows(asked, "like")
    assert rows.columns["patch_id"].tolist() == [7, 2]
    assert rows.columns["rank"].tolist() == [1, 2]
    assert rows.columns["similarity"].tolist() == [0.75, 0.5]
    assert set(rows.columns["measure"]) == {"probability"}


def test_the_selection_and_all_patches_can_be_taken_without_a_query() -> None:
    assert list(contents(view(like=()))) == ["patches"]
    asked = view(like=(), selected=(3, 4))
    assert {what: ids.tolist() for what, ids in contents(asked).items()} == {
        "selected": [3, 4], "patches": list(range(12))
    }  # fmt: skip
    assert "rank" not in export_rows(asked, "selected").columns
