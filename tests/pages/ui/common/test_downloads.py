"""The one place for files: what is offered, what becomes an order, and what is made at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.encoders.registry import SPECTRAL
from core.engine.exports.order import CONTENTS
from core.engine.operations import Engine
from core.jobs.lanes import Lane
from core.scenes.given.history import undo_labels
from core.scenes.labels import give_label
from core.scenes.patches import PatchRefs, patch_grid
from core.similarity.neighbours import Neighbours
from pages.ui.common import downloads
from pages.ui.common.downloads import AT_ONCE, OLDER, offered_files, order_for, quick_to_make
from pages.ui.state.engine import replace_engine
from pages.ui.state.question import Question
from pages.ui.state.session import Session
from tests.fakes import ThreadWorker
from tests.pages.conftest import MAIN, encode, small_scene
from tests.pages.ui.common.test_handover import RECIPE, known
from tests.waiting import until

NEAR = Neighbours(scene="s", ids=np.array([7, 2]), similarity=np.array([0.75, 0.5], np.float32))


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "bounds_lonlat", lambda _scene: None)
    monkeypatch.setattr(downloads, "choices", lambda _known, _asked: ["ndvi", "ndwi"])


def view(question: Question, selected: tuple[int, ...] = (), kind: str = "scene", least: float | None = None) -> Any:
    return SimpleNamespace(
        scene=SimpleNamespace(id="s-1", is_collection=kind == "collection"), known=known(), question=question,
        recipe=RECIPE, least=least,
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


def test_a_file_of_older_labels_is_no_longer_offered(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "quick_to_make", lambda *_: False)  # a report takes seconds
    made = Engine(engine.config, lanes={"export": Lane(executor=ThreadWorker)})
    replace_engine(made)
    made.jobs.start()
    try:
        scene = small_scene(made, truth=False)
        encode(made, scene, SPECTRAL)
        app = AppTest.from_file(MAIN, default_timeout=30)
        app.session_state["landlike"] = Session(scene_id=scene.id, encoder=SPECTRAL)
        app.run()
        app.selectbox(key="download_what").select("All 42 patches").run()
        app.button(key="download_make").click().run()
        until(lambda: made.jobs.jobs()[0].state == "done")
        assert "download_again" in keys(app.run())
        assert OLDER not in [one.value for one in app.caption]
        give_label(scene, patch_grid(scene), [3], "Water")
        assert "download_make" in keys(app.run())
        assert "download_again" not in keys(app)
        assert OLDER in [one.value for one in app.caption]
        undo_labels(scene)
        assert "download_again" in keys(app.run()), "it is of what is on show again"
    finally:
        made.close()


def keys(app: AppTest) -> set[str | None]:
    """Keys of the buttons on a page on which nothing went wrong."""
    assert not app.exception
    return {one.key for one in app.button}
