"""The one place for files: what is offered, what becomes an order, and what is made at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.engine.exports.order import CONTENTS
from core.scenes.patches import PatchRefs
from core.similarity.neighbours import Neighbours
from pages.ui.common import downloads
from pages.ui.common.downloads import AT_ONCE, offered_files, order_for, quick_to_make
from pages.ui.state.question import Question
from pages.ui.state.session import Session
from tests.pages.ui.common.test_handover import RECIPE, known

NEAR = Neighbours(scene="s", ids=np.array([7, 2]), similarity=np.array([0.75, 0.5], np.float32))


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "bounds_lonlat", lambda _scene: None)
    monkeypatch.setattr(downloads, "choices", lambda _known, _asked: ["ndvi", "ndwi"])


def view(question: Question, selected: tuple[int, ...] = (), kind: str = "scene", least: float | None = None) -> Any:
    return SimpleNamespace(
        scene=SimpleNamespace(id="s-1", kind=kind), known=known(), question=question, recipe=RECIPE, least=least,
        neighbours=None if question.empty else NEAR, selection=PatchRefs("s-1", selected), given=None, filters="",
        table=range(12), asked=None,
        layout=None,
    )  # fmt: skip


def test_all_is_offered_in_one_place_and_what_is_not_there_is_not() -> None:
    visitor = Session()
    assert list(offered_files(visitor, view(Question("s-1")))) == ["patches", "map", "plot", "report", "features"]
    asked = offered_files(visitor, view(Question("s-1", (3,)), (1, 2), kind="collection"))
    assert list(asked) == ["found", "selected", "patches", "plot", "report", "bundle", "features"]
    assert asked["found"] == "Query and 2 neighbours"
    assert offered_files(visitor, view(Question("s-1", (3, 4))))["found"] == "2 patches found"


@pytest.mark.parametrize(("what", "form"), [(what, form) for what, forms in CONTENTS.items() for form in forms])
def test_an_order_holds_what_is_on_show(what: str, form: str) -> None:
    visitor = Session(colour="ndwi", count=33)
    made = order_for(visitor, view(Question("s-1", (3, 8), (5,)), (1, 2)), what, form)
    assert (made.what, made.form) == (what, form)
    assert made.view.patches(good=True) == [3, 8]
    assert made.view.count == 33
    assert (made.patches == (1, 2)) == (what in {"selected", "spectra", "bundle"})
    assert (made.colour == "ndwi") == (what in {"map", "plot", "report", "bundle"})


def test_only_what_takes_no_longer_than_a_second_is_made_while_the_page_waits() -> None:
    visitor, few, many = Session(), view(Question("s-1", (3,))), range(AT_ONCE + 1)
    large: Any = SimpleNamespace(table=many)
    assert quick_to_make(known(), order_for(visitor, few, "patches", "gpkg"))  # type: ignore[arg-type]
    assert not quick_to_make(large, order_for(visitor, few, "patches", "csv"))
    assert quick_to_make(large, order_for(visitor, few, "found", "csv"))
    everything = view(Question("s-1", (3,)), least=0.1)
    assert not quick_to_make(large, order_for(visitor, everything, "found", "csv"))
    assert not quick_to_make(known(), order_for(visitor, few, "report", "pdf"))  # type: ignore[arg-type]
