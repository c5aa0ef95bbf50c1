"""The Models page, cold and warm: cards, counts a class, starting, watching and deleting."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.config import Config
from core.encoders.base import EncoderSpec
from core.encoders.model_files import write_checksums
from core.encoders.registry import SHIPPED, load_encoder
from core.labels import LabelSet
from core.pipeline import Engine
from pages.ui import cached
from pages.ui import engine as shared_engine
from pages.ui.model_card import WHY_THEY_DIFFER, sentences, technical
from pages.ui.session import Session
from pages.ui.teaching import ADDED
from tests.pages.conftest import CLASSES, banded, small_scene
from tests.scenes import add_scene

PAGE = str(Path(__file__).resolve().parents[2] / "pages" / "models.py")
CARD = {
    "title": "Meadows",
    "data": "plots <b>2024</b>.zip",
    "base": "landlike-1",
    "classes": {"Meadow": 30, "Reed": 12},
    "accuracy": {
        "random": {"patches": 8, "accuracy": 0.874, "low": 0.53, "high": 0.98},
        "spatial": {"patches": 9, "accuracy": 0.77, "low": 0.45, "high": 0.94},
    },
    "epochs": 10,
    "date": "2026-01-02",
    "limits": ["Snow"],
}
SPEC = EncoderSpec(
    name="m", title="M", fingerprint="0", bands=("B04",), input_size=64, gain=None, dimension=160,
    backend="openvino", origin="a test",
)  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path))
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    monkeypatch.delenv("LANDLIKE_MODELS", raising=False)
    made = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    shared_engine.replace_engine(made)
    cached.forget()
    yield made
    shared_engine.replace_engine(None)
    cached.forget()


def add_labelled(engine: Engine) -> str:
    pixels, truth = banded()
    options = {"height": pixels.shape[1], "width": pixels.shape[2], "pixels": pixels}
    return add_scene(engine.library, "small-1", name="Plots", truth=truth, classes=CLASSES, **options).id


def add_trained(engine: Engine, name: str = "meadows") -> Path:
    """A finished model: the shipped one under another name and card."""
    source = Path(__file__).resolve().parents[2] / "core" / "encoders" / "models" / SHIPPED
    target = engine.trained.directory(name)
    shutil.copytree(source, target)
    (target / "card.json").write_text(json.dumps(CARD))
    write_checksums(target, whole=True)
    return target


def run() -> AppTest:
    test = AppTest.from_file(PAGE, default_timeout=30).run()
    assert not test.exception
    return test


def shown(test: AppTest) -> str:
    return " ".join(element.value for element in (*test.markdown, *test.caption))


def test_encoders_are_listed_with_what_is_known_of_them(engine: Engine) -> None:
    test = run()
    assert test.button(key=f"use_{SHIPPED}").disabled
    assert not test.button(key="use_spectral").disabled
    assert test.button(key="use_eurosat-ms-resnet50").label == "Get it"
    assert "on the Models page" not in shown(test)
    assert test.code[0].value.partition("?")[0].endswith("/eurosat-ms-resnet50/1")
    assert "It has learned nothing" in shown(test)
    assert "no labelled patches yet" in test.info[0].value


def test_a_model_trained_here_is_shown_used_and_deleted(engine: Engine) -> None:
    directory = add_trained(engine)
    test = run()
    words = shown(test)
    assert "Learned from 42 patches of plots" in words
    assert "<b>2024</b>" not in words
    assert "Of 8 patches held out at random it names **87 in 100 (53 to 98)** rightly." in words
    assert "going on from Landlike 1, " in words
    assert "10 passes" in words
    assert WHY_THEY_DIFFER in words
    assert load_encoder("meadows").spec.dimension == load_encoder(SHIPPED).spec.dimension
    test.button(key="gone_meadows").click().run()
    assert not test.exception
    assert not directory.exists()
    assert "use_meadows" not in [button.key for button in test.button]


def test_a_training_is_asked_for_with_what_was_chosen(engine: Engine) -> None:
    scene_id = add_labelled(engine)
    test = run()
    assert test.button(key="teach_start").disabled
    test.text_input(key="teach_title").set_value("Alpine Wiesen & Seen").run()
    test.selectbox(key="teach_base").set_value("scratch").run()
    assert test.toggle(key="teach_freeze").disabled
    test.button(key="teach_start").click().run()
    assert not test.exception
    (job,) = [job for job in engine.jobs.jobs() if job.kind == "train"]
    asked = engine.jobs.payload(job.id)
    assert asked == {
        "sets": [{"scene_id": scene_id, "by": "truth"}], "base": "scratch", "freeze": False, "epochs": 40,
        "title": "Alpine Wiesen & Seen", "name": "alpine-wiesen-seen",
    }  # fmt: skip


def test_one_class_is_not_enough(engine: Engine) -> None:
    pixels, truth = banded()
    options = {"height": pixels.shape[1], "width": pixels.shape[2], "pixels": pixels}
    add_scene(engine.library, "small-1", name="Plots", truth=(truth > 0).astype("uint16"), classes=("Reed",), **options)
    test = run()
    test.text_input(key="teach_title").set_value("Reed").run()
    assert test.button(key="teach_start").disabled
    assert "Two classes or more" in shown(test)


def test_a_training_under_way_shows_its_curves_and_can_be_stopped(engine: Engine) -> None:
    plots = LabelSet(scene_id=add_labelled(engine), by="truth")
    job = engine.submit_training([plots], base="scratch", freeze=False, epochs=5, title="Reed")
    folder = engine.config.trained / "reed.training"
    folder.mkdir(parents=True)
    history = [{"number": n, "loss": 2.0 / n, "accuracy": 0.3 * n, "seconds": float(n)} for n in (1, 2)]
    (folder / "state.json").write_text(json.dumps({"history": history}))
    test = run()
    assert "Loss: 1" in shown(test)
    assert "named rightly, %: 60" in shown(test)
    test.button(key=f"stop_{job.id}").click().run()
    found = engine.jobs.get(job.id)
    assert found is not None
    assert found.state == "cancelled"


def test_a_damaged_model_is_named_and_the_page_goes_on(engine: Engine) -> None:
    directory = add_trained(engine)
    (directory / "saved_model.pb").write_bytes(b"nothing")
    test = run()
    assert "damaged" in shown(test)
    assert test.button(key="gone_meadows")


def test_cards_with_odd_contents_do_not_stop_a_page() -> None:
    for card in ({"classes": ["a"]}, {"accuracy": []}, {"accuracy": {"random": 3}}, {"measured": {}}, {"epochs": "x"}):
        assert isinstance(sentences(card, SPEC), list)
        assert technical(SPEC, card).startswith("1 band")


def test_names_of_models_are_safe_and_free(engine: Engine) -> None:
    trained = engine.trained
    assert trained.fresh_name("../../etc/passwd") == "etc-passwd"
    assert trained.fresh_name("Wiesen & Äcker") == "wiesen-acker"
    assert trained.fresh_name("水") == "model"
    add_trained(engine, "reed")
    assert trained.fresh_name("Reed") == "reed-2"


def test_deleting_reaches_the_model_of_the_card_and_no_other(engine: Engine) -> None:
    add_trained(engine, SHIPPED)
    assert not any(button.key == f"gone_{SHIPPED}" for button in run().button), "the shipped one cannot be deleted"
    taken = engine.trained.directory(SHIPPED)
    run().button(key=f"gone_{taken}").click().run()
    assert not taken.exists()


def test_a_taken_name_is_refused_before_the_training(engine: Engine) -> None:
    add_labelled(engine)
    test = run()
    test.text_input(key="teach_title").set_value("landlike 1").run()
    assert test.button(key="teach_start").disabled
    assert "There is an encoder named landlike 1 already" in shown(test)


def test_names_that_mean_something_else_are_not_given(engine: Engine) -> None:
    scene_id = add_labelled(engine)
    wanted = {"base": "scratch", "freeze": False, "epochs": 1}
    names = []
    for title in ("scratch", "spectral", "2024", "2024!", "Landlike 1", "森林", "Rice", "rice"):
        job = engine.submit_training([LabelSet(scene_id=scene_id, by="truth")], title=title, **wanted)
        names.append(engine.jobs.payload(job.id)["name"])
    assert names == [
        "scratch-2", "spectral-2", "model-2024", "model-2024-2", "landlike-1-2", "model", "rice", "rice-2",
    ]  # fmt: skip


def test_what_was_added_without_classes_is_said(engine: Engine) -> None:
    scene = small_scene(engine, truth=False)
    add_labelled(engine)
    job = engine.jobs.settled("ingest", "k", "Opening", scene.id)
    test = AppTest.from_file(PAGE, default_timeout=30)
    visitor = Session()
    visitor.work[ADDED] = job.id
    test.session_state["landlike"] = visitor
    test.run()
    assert "has no classes, so nothing can be learned from it" in test.warning[0].value


def test_patches_that_were_just_added_are_chosen(engine: Engine) -> None:
    add_labelled(engine)
    test = run()
    newest = small_scene(engine, "newest-1", created="2999-01-01T00:00:00+00:00", name="Newest")
    assert test.run().multiselect[0].value == [f"truth-{newest.id}"]
