"""The Scenes page, cold and warm: what it lists, and that its buttons do what they say."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.config import Config
from core.engine.operations import Engine
from core.scenes.patches import PatchRef
from pages.open import card_facts
from pages.ui.state import engine as shared_engine
from pages.ui.state.session import Session
from tests.scenes import add_scene

PAGE = str(Path(__file__).resolve().parents[2] / "pages" / "open.py")
NASTY = "Fields <script>alert(1)</script> `${x}`"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    shared_engine.replace_engine(made)
    yield made
    shared_engine.replace_engine(None)


def said(test: AppTest) -> str:
    """All error sentences of a page, as people read them."""
    return html.unescape(" ".join(error.value for error in test.error))


def run() -> AppTest:
    test = AppTest.from_file(PAGE, default_timeout=30).run()
    assert not test.exception
    return test


def test_an_empty_library_says_what_to_do(engine: Engine) -> None:
    test = run()
    assert "There is no scene yet" in test.info[0].value
    assert test.button(key="upload_add").disabled


def test_scenes_are_listed_with_their_size(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name="First")
    add_scene(engine.library, "t-2", name="Second", crs=None)
    test = run()
    assert any(caption.value.startswith("2 scenes, ") for caption in test.caption)
    assert {test.button(key="explore_t-1").label, test.button(key="explore_t-2").label} == {"Explore"}
    assert "No place on Earth is known: no map" in card_facts(engine.library.get("t-2"))


def test_names_are_shown_literally(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name=NASTY)
    shown = " ".join(element.proto.body for element in run().get("html"))
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown
    assert "${x}" not in shown


def test_a_scene_is_renamed(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name="Before")
    test = run()
    test.text_input(key="name_t-1").set_value("After").run()
    test.button(key="save_t-1").click().run()
    assert not test.exception
    assert engine.library.get("t-1").name == "After"


def test_an_empty_name_is_refused_in_a_sentence(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name="Before")
    test = run()
    test.text_input(key="name_t-1").set_value("  ").run()
    test.button(key="save_t-1").click().run()
    assert "the new name is empty" in said(test)
    assert engine.library.get("t-1").name == "Before"


def test_a_scene_is_deleted_with_its_features(engine: Engine) -> None:
    add_scene(engine.library, "t-1")
    test = run()
    test.button(key="sure_t-1").click().run()
    assert not test.exception
    assert "t-1" not in engine.library
    assert [job.kind for job in engine.jobs.jobs()] == ["delete"]


@pytest.mark.parametrize(("deleted", "left"), [("t-1", None), ("t-2", "t-1")])
def test_only_deleting_the_open_scene_closes_it(engine: Engine, deleted: str, left: str | None) -> None:
    for scene_id in ("t-1", "t-2"):
        add_scene(engine.library, scene_id)
    test = AppTest.from_file(PAGE, default_timeout=30)
    visitor = Session(scene_id="t-1", query=PatchRef("t-1", 3))
    test.session_state["landlike"] = visitor
    test.run()
    test.button(key=f"sure_{deleted}").click().run()
    assert not test.exception
    assert deleted not in engine.library
    assert visitor.scene_id == left
    assert visitor.query == (PatchRef("t-1", 3) if left else None)


def test_one_damaged_scene_does_not_take_the_page_down(engine: Engine) -> None:
    broken = add_scene(engine.library, "t-1")
    add_scene(engine.library, "t-2")
    (broken.directory / "quality.json").write_text("{")
    test = run()
    assert "quality record of t-1" in said(test)
    assert test.button(key="explore_t-2").label == "Explore"


def test_settings_that_cannot_be_are_one_sentence_and_stop_the_upload(engine: Engine) -> None:
    test = run()
    test.text_input(key="upload_bands").set_value("B02 B99").run()
    assert not test.exception
    assert "B99" in said(test)
    assert test.button(key="upload_add").disabled


def test_the_sample_is_asked_for_once(engine: Engine) -> None:
    test = run()
    test.button(key="open_sample").click().run()
    test.button(key="open_sample").click().run()
    assert not test.exception
    assert [job.kind for job in engine.jobs.jobs()] == ["sample"]


def test_the_synthetic_landscape_is_one_click_away(engine: Engine) -> None:
    test = run()
    test.button(key="open_synthetic").click().run()
    assert not test.exception
    assert [(job.kind, engine.jobs.payload(job.id)["size"]) for job in engine.jobs.jobs()] == [("synthetic", 2560)]


def test_an_empty_name_is_refused_in_its_place(engine: Engine) -> None:
    scene = add_scene(engine.library)
    test = run()
    test.text_input(key=f"name_{scene.id}").set_value("  ")
    test.button(key=f"save_{scene.id}").click().run()
    assert "the new name is empty" in said(test)
    assert test.button(key=f"sure_{scene.id}"), "the card is whole"
    assert engine.library.get(scene.id).name == scene.name
