"""The Models page, cold and warm: cards, counts a class, starting, watching and deleting."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.config import Config
from core.encoders.base import EncoderSpec
from core.encoders.eight_bits import Trial, keep
from core.encoders.files import write_checksums
from core.encoders.openvino import processor_key
from core.encoders.registry import ENTRIES, SHIPPED, load_encoder
from core.engine.operations import Engine
from core.errors import TrainingError
from core.evaluation.report.card import Section
from core.features.runs import RunRecord
from core.jobs.executor import JobCall
from core.jobs.lanes import Lane
from core.jobs.queue import Job
from core.jobs.worker import JobOutcome
from core.scenes.cut import Cut
from core.scenes.labels import LabelSet
from core.scenes.quality import Finding, QualityRecord
from core.training.request import TrainingRequest
from pages.ui.common.escape import plain
from pages.ui.models.card import WHY_THEY_DIFFER, card_lines, kept, numbers_words, technical
from pages.ui.models.label_choice import ADDED
from pages.ui.models.training_form import NO_ZIP
from pages.ui.models.training_jobs import _round_up, seconds_left
from pages.ui.state import cache
from pages.ui.state import engine as shared_engine
from pages.ui.state.session import Session
from tests import onnx_models
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
    backend="openvino", origin="a test", trainable=True,
)  # fmt: skip


class Held:
    """Takes the work of a started engine and holds it, so that it runs until a test says how it ends."""

    def __init__(self) -> None:
        self.running: dict[str, Future[JobOutcome]] = {}

    def submit(self, call: JobCall) -> Future[JobOutcome]:
        self.running[call.job_id] = Future()
        return self.running[call.job_id]

    def warm(self, function: Callable[[], object]) -> Future[Any]:
        raise AssertionError("nothing is warmed here")

    def kill(self) -> None:
        raise AssertionError("nothing is killed here")

    def shutdown(self) -> None:
        pass

    def wait(self, job: Job) -> None:
        """Until a job runs."""
        deadline = time.monotonic() + 10
        while job.id not in self.running:
            assert time.monotonic() < deadline, "it never began"
            time.sleep(0.01)

    def end(self, engine: Engine, job: Job, state: str, message: str) -> None:
        """Have a job end."""
        self.wait(job)
        self.running[job.id].set_result(JobOutcome(state=state, message=message))
        engine.jobs.wait(job.id, 10)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def engine(tmp_path: Path, held: Held, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path))
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    monkeypatch.delenv("LANDLIKE_MODELS", raising=False)
    lanes = {name: Lane(executor=lambda: held) for name in ("train", "scene")}
    made = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes=lanes)
    shared_engine.replace_engine(made)
    cache.forget()
    yield made
    made.close()
    shared_engine.replace_engine(None)
    cache.forget()


def train(engine: Engine, title: str, scene_id: str = "small-1", base: str = "scratch") -> Job:
    plots = LabelSet(scene_id=scene_id, by="truth")
    return engine.trainings.submit(TrainingRequest(title=title, sets=(plots,), base=base, epochs=5))


def epochs_done(engine: Engine, name: str, count: int) -> None:
    """Make a training look as if so many epochs were done."""
    folder = engine.config.trained / f"{name}.training"
    folder.mkdir(parents=True, exist_ok=True)
    history = [{"number": n, "loss": 2.0 / n, "accuracy": 0.3 * n, "seconds": float(n)} for n in range(1, count + 1)]
    (folder / "state.json").write_text(json.dumps({"history": history}))


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


def html(test: AppTest) -> str:
    return " ".join(element.proto.body for element in test.get("html"))


def run() -> AppTest:
    test = AppTest.from_file(PAGE, default_timeout=30).run()
    assert not test.exception
    return test


def added(job: Job) -> AppTest:
    """The page of the visitor who asked for a job by adding a zip."""
    test = AppTest.from_file(PAGE, default_timeout=30)
    visitor = Session()
    visitor.work[ADDED] = job.id
    test.session_state["landlike"] = visitor
    test.run()
    assert not test.exception
    return test


def shown(test: AppTest) -> str:
    return " ".join(element.value for element in (*test.markdown, *test.caption))


def test_encoders_are_listed_with_what_is_known_of_them(engine: Engine) -> None:
    test = run()
    assert test.button(key=f"use_{SHIPPED}").disabled
    assert not test.button(key="use_spectral").disabled
    assert test.button(key="get_eurosat-ms-resnet50").label == "Get it"
    assert "on the Models page" not in shown(test)
    assert test.code[0].value.partition("?")[0].endswith("/eurosat-ms-resnet50/1")
    assert "It has learned nothing" in shown(test)
    assert "no labelled patches yet" in test.info[0].value


def test_get_it_begins_the_download_there_and_says_in_a_sentence_why_it_failed(engine: Engine, held: Held) -> None:
    engine.start()
    test = run()
    test.button(key="get_eurosat-ms-resnet50").click().run()
    assert not test.exception
    (job,) = [job for job in engine.jobs.jobs() if job.kind == "fetch"]
    assert test.button(key="stop_fetch-eurosat-ms-resnet50").label == "Stop"
    held.end(engine, job, "failed", "Downloading the model: no network here; try again.")
    test.run()
    assert [plain("Downloading the model: no network here; try again.")] == [one.value for one in test.error]
    held.running.clear()
    test.button(key="get_eurosat-ms-resnet50").click().run()
    held.end(engine, job, "done", "eurosat-ms-resnet50")
    test.run()
    assert not test.exception, "files that went again are no circle"
    assert test.button(key="get_eurosat-ms-resnet50").label == "Get it"


def test_an_onnx_model_has_a_card_and_is_no_base(engine: Engine, tmp_path: Path) -> None:
    models = (str(onnx_models.write(tmp_path, stated=onnx_models.STATED | {"title": "Three bands"})),)
    made = Engine(Config(root=tmp_path, model_cache=tmp_path / "models", models=models), lanes={})
    shared_engine.replace_engine(made)
    add_labelled(made)
    test = run()
    words = shown(test)
    assert "Three bands" in html(test)
    assert "No model card came with this model" in words
    assert "3 bands · 16 × 16 pixels · 5 features · openvino" in words
    assert "Three bands" not in test.selectbox(key="teach_base").options
    assert "Landlike 2" in test.selectbox(key="teach_base").options
    assert not test.button(key="use_tiny").disabled


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
    assert load_encoder("meadows", engine.config).spec.dimension == load_encoder(SHIPPED, engine.config).spec.dimension
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
    test.button(key="teach_start").click().run()
    assert not test.exception
    (job,) = [job for job in engine.jobs.jobs() if job.kind == "train"]
    asked = engine.jobs.payload(job.id)
    assert asked == {
        "sets": [{"scene_id": scene_id, "by": "truth"}], "base": "scratch", "freeze": False, "epochs": 40,
        "title": "Alpine Wiesen & Seen", "name": "alpine-wiesen-seen",
    }  # fmt: skip
    assert test.text_input(key="teach_title").value == "", "its name is taken: the box waits for the next one"


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
    job = engine.trainings.submit(TrainingRequest(title="Reed", sets=(plots,), epochs=5))
    folder = engine.config.trained / "reed.training"
    folder.mkdir(parents=True)
    history = [{"number": n, "loss": 2.0 / n, "accuracy": 0.3 * n, "seconds": float(n)} for n in (1, 2)]
    (folder / "state.json").write_text(json.dumps({"history": history}))
    test = run()
    charts = test.get("vega_lite_chart") or test.get("arrow_vega_lite_chart")
    axes = [json.loads(chart.proto.spec)["encoding"] for chart in charts]
    assert [[axis[name]["scale"]["domain"] for name in "xy"] for axis in axes] == [[[1, 5], [0, 2]], [[1, 5], [0, 100]]]
    assert seconds_left(job.id, history) == 3.0, "a second a pass, and three to come"
    resumed = [{**history[0], "seconds": 9.0}, {**history[1], "seconds": 2.0}]
    assert seconds_left(job.id, resumed) == 6.0
    assert seconds_left(job.id, []) is None
    assert "Loss: 1" in shown(test)
    assert "named rightly, %: 60" in shown(test)
    test.button(key=f"stop_{job.id}").click().run()
    found = engine.jobs.get(job.id)
    assert found is not None
    assert found.state == "cancelled"
    test.run().button(key=f"restart_{job.id}").click().run()
    assert not test.exception
    again = engine.jobs.get(job.id)
    assert again is not None
    assert again.active, "one click asks for the same once more"
    assert engine.jobs.payload(again.id)["epochs"] == 5


@pytest.mark.parametrize(
    ("loss", "most"), [(0.0, 0.5), (0.3, 0.5), (0.5, 0.5), (1.38, 1.5), (math.nan, 1.0), (math.inf, 1.0)]
)
def test_a_chart_of_losses_has_a_range_whatever_they_are(loss: float, most: float) -> None:
    assert _round_up(loss) == most


def test_a_damaged_model_is_named_and_the_page_goes_on(engine: Engine) -> None:
    directory = add_trained(engine)
    (directory / "saved_model.pb").write_bytes(b"nothing")
    test = run()
    assert "damaged" in shown(test)
    assert "delete it and train it again" in shown(test)
    assert "Meadows (damaged)" in html(test)
    assert "use_meadows" not in [button.key for button in test.button], "there is nowhere to get it from"
    assert test.button(key="gone_meadows")


def test_cards_with_odd_contents_do_not_stop_a_page() -> None:
    for card in ({"classes": ["a"]}, {"accuracy": []}, {"accuracy": {"random": 3}}, {"measured": {}}, {"epochs": "x"}):
        assert isinstance(card_lines(card, SPEC), list)
        assert technical(SPEC, card).startswith("1 band")


def test_a_card_says_in_words_what_numbers_an_encoder_computes_in() -> None:
    assert "8-bit numbers" in technical(replace(SPEC, precision="int8"), {})
    assert "32-bit numbers" in technical(replace(SPEC, precision="f32"), {})


def test_a_card_says_what_8_bit_numbers_gain_here_and_change() -> None:
    small, exact, short = (replace(SPEC, precision=name) for name in ("int8", "f32", "bf16"))
    won = numbers_words(small, Trial(faster=1.93, agreeing=0.981))
    assert "1.9 times as fast as with 32-bit numbers on this computer, and 98 of 100 neighbours are the same" in won
    beside = numbers_words(small, Trial(faster=1.14, agreeing=0.98, beside="bf16"))
    assert "1.1 times as fast as with 16-bit numbers on this computer, and 98 of 100" in beside
    lost = numbers_words(exact, Trial(faster=1.12, agreeing=0.94))
    assert "are not used: it is 1.1 times as fast" in lost
    assert "94 of 100 neighbours are the same" in lost
    assert "could not be tried" in numbers_words(exact, Trial(faster=0, agreeing=0))
    assert numbers_words(exact, None) == ""
    assert "16-bit numbers" in numbers_words(short, None)
    assert "are not used: it is 0.7 times as fast" in numbers_words(short, Trial(faster=0.7, agreeing=1, beside="bf16"))


def test_what_was_tried_stands_on_the_card_of_the_encoder_with_an_8_bit_form(engine: Engine) -> None:
    keep(Trial(faster=1.93, agreeing=0.981), Path(ENTRIES[SHIPPED].reference), engine.config.model_cache)
    (engine.config.model_cache / f"bf16-{processor_key()}").write_text("no")
    assert shown(run()).count("98 of 100 neighbours are the same") == 1


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


def test_the_name_of_a_model_that_is_being_trained_is_taken(engine: Engine, held: Held) -> None:
    engine.start()
    add_labelled(engine)
    test = run()
    test.text_input(key="teach_title").set_value("Second").run()
    test.button(key="teach_start").click().run()
    assert not test.exception
    assert len(engine.jobs.jobs()) == 1
    for epochs in (40, 7):
        test.number_input[0].set_value(epochs)
        test.text_input(key="teach_title").set_value("second ").run()
        assert test.button(key="teach_start").disabled
        assert "is being trained; how far it is stands at the top of this page" in shown(test)
    held.end(engine, engine.jobs.jobs()[0], "failed", "It failed.")
    assert not test.run().button(key="teach_start").disabled


def test_as_many_passes_are_trained_as_were_typed_or_none(engine: Engine) -> None:
    add_labelled(engine)
    test = run()
    test.text_input(key="teach_title").set_value("Reed").run()
    for wrong in (10_001, 0, -3):
        test.number_input[0].set_value(wrong).run()
        assert test.button(key="teach_start").disabled
        assert "Passes over the patches go from 1 to 10,000." in shown(test)
    test.number_input[0].set_value(600).run()
    test.button(key="teach_start").click().run()
    (job,) = engine.jobs.jobs()
    assert engine.jobs.payload(job.id)["epochs"] == 600


def test_one_pass_is_told_in_words_for_no_line_can_be_drawn(engine: Engine) -> None:
    add_labelled(engine)
    train(engine, "Reed")
    epochs_done(engine, "reed", 1)
    test = run()
    assert "After the first pass: 30 % of the held-out patches named rightly, loss 2. Curves appear" in shown(test)
    assert not test.get("vega_lite_chart")
    assert not test.get("arrow_vega_lite_chart")


@pytest.mark.parametrize(("done", "says"), [(0, "stopping…"), (2, "stopping; measuring what it has learned")])
def test_stop_is_seen_to_be_heard(engine: Engine, held: Held, done: int, says: str) -> None:
    add_labelled(engine)
    engine.start()
    job = train(engine, "Reed")
    epochs_done(engine, "reed", done)
    held.wait(job)
    test = run()
    assert not test.button(key=f"stop_{job.id}").disabled
    test.button(key=f"stop_{job.id}").click().run()
    assert test.button(key=f"stop_{job.id}").disabled
    (bar,) = test.get("progress")
    assert says in bar.proto.text


def test_a_model_that_is_ready_is_announced_to_who_started_it(
    engine: Engine, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []
    monkeypatch.setattr("streamlit.switch_page", left.append)
    engine.start()
    add_labelled(engine)
    test = run()
    for title in ("Reed", "Bog"):
        test.text_input(key="teach_title").set_value(title).run()
        test.button(key="teach_start").click().run()
    second, first = engine.jobs.jobs()
    assert not test.success
    for job, name in ((first, "reed"), (second, "bog")):
        add_trained(engine, name)
        held.end(engine, job, "done", name)
    test.run()
    assert [line.value for line in test.success] == [plain(f"“{title}”") + " is ready." for title in ("Reed", "Bog")]
    test.button(key=f"dismiss_ready_{first.id}").click().run()
    assert len(test.success) == 1
    test.button(key=f"use_ready_{second.id}").click().run()
    visitor = test.session_state["landlike"]
    assert (visitor.encoder, visitor.work, left) == ("bog", {}, ["explore.py"])
    assert not run().success, "others have not waited for it"


def test_a_model_that_was_deleted_is_not_announced(engine: Engine, held: Held) -> None:
    engine.start()
    add_labelled(engine)
    test = run()
    test.text_input(key="teach_title").set_value("Reed").run()
    test.button(key="teach_start").click().run()
    held.end(engine, engine.jobs.jobs()[0], "done", "reed")
    test.run()
    assert not test.exception
    assert not test.success


def test_how_a_training_failed_is_told_with_its_title_until_somebody_dismisses_it(engine: Engine, held: Held) -> None:
    engine.start()
    add_labelled(engine)
    for title, asked in (("Blank", "Learning from labelled patches"), ("Other", "Training on from x")):
        held.end(
            engine, train(engine, title), "failed", str(TrainingError(asked, "too few patches of A (1)", "give more"))
        )
    test = run()
    assert [line.value for line in test.error] == [
        plain("Training “Other”: training on from x: too few patches of A (1); give more."),
        plain("Training “Blank”: too few patches of A (1); give more."),
    ]
    for job in engine.jobs.jobs():
        test.button(key=f"dismiss_{job.id}").click().run()
    assert not test.error
    assert not run().error, "nor does another visitor read of it again"


def test_deleting_a_model_says_which_trainings_need_it(engine: Engine) -> None:
    add_labelled(engine)
    add_trained(engine, "reed")
    add_trained(engine, "bog")
    train(engine, "Upland", base="reed")
    assert shown(run()).count("may fail without it: " + plain("“Upland”")) == 1


def test_what_was_left_out_of_a_zip_is_said(engine: Engine) -> None:
    scene_id = add_labelled(engine)
    lines = (
        Finding(topic="left out", value="3 files: a.tif, b.tif, c.tif (broken)", basis="warning", because="they are"),
        Finding(topic="date", value="unknown", basis="assumed", because="nothing says it"),
    )
    record = QualityRecord(source="x", findings=lines, settings={})
    (engine.library.get(scene_id).directory / "quality.json").write_text(record.to_json())
    assert not run().warning
    job = engine.jobs.settled("ingest", "k", "Opening", scene_id)
    (told,) = added(job).warning
    assert told.value == plain("Plots: left out 3 files: a.tif, b.tif, c.tif (broken); they are.")


def test_a_zip_that_cannot_be_opened_is_told_with_what_is_wanted(engine: Engine, held: Held, tmp_path: Path) -> None:
    engine.start()
    job = engine.submit_ingest([tmp_path / "letter.zip"], asked_by="models")
    held.end(engine, job, "failed", "Opening “letter.zip”: its content is not a raster image; choose a GeoTIFF.")
    assert NO_ZIP not in shown(run()), "somebody else's"
    test = added(job)
    assert NO_ZIP in shown(test)
    test.button(key=f"dismiss_{job.id}").click().run()
    assert NO_ZIP not in shown(test)


def test_names_that_mean_something_else_are_not_given(engine: Engine) -> None:
    scene_id = add_labelled(engine)
    names = []
    for title in ("scratch", "spectral", "2024", "2024!", "Landlike 1", "森林", "Rice", "rice"):
        sets = (LabelSet(scene_id=scene_id, by="truth"),)
        job = engine.trainings.submit(TrainingRequest(title=title, sets=sets, epochs=1))
        names.append(engine.jobs.payload(job.id)["name"])
    assert names == [
        "scratch-2", "spectral-2", "model-2024", "model-2024-2", "landlike-1-2", "model", "rice", "rice-2",
    ]  # fmt: skip


def test_what_was_added_without_classes_is_said(engine: Engine) -> None:
    scene = small_scene(engine, truth=False)
    add_labelled(engine)
    test = added(engine.jobs.settled("ingest", "k", "Opening", scene.id))
    assert plain("has no classes, so nothing can be learned from it") in test.warning[0].value


def test_patches_that_were_just_added_are_chosen(engine: Engine) -> None:
    add_labelled(engine)
    test = run()
    newest = small_scene(engine, "newest-1", created="2999-01-01T00:00:00+00:00", name="Newest")
    assert test.run().multiselect[0].value == [f"truth-{newest.id}"]


RIVALS = {"title": "Landlike 1", "nearest": 0.7, "head": 0.9}


@pytest.mark.parametrize(
    ("best", "says"),
    [
        ({"number": 2, "accuracy": 0.8}, "No pass yet names more than a head on Landlike 1 would: 90 %."),
        ({"number": 0, "accuracy": 0.95}, "No pass yet names more than Landlike 1 did before it."),
        ({"number": 2, "accuracy": 0.95}, ""),
    ],
)
def test_a_training_that_a_head_would_match_says_so_before_its_end(
    engine: Engine, held: Held, best: dict[str, float], says: str
) -> None:
    engine.start()
    job = train(engine, "Reed", add_labelled(engine), base=SHIPPED)
    held.wait(job)
    epochs_done(engine, "reed", 2)
    state = engine.config.trained / "reed.training" / "state.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"rivals": RIVALS, "best": best}))
    test = run()
    charts = test.get("vega_lite_chart") or test.get("arrow_vega_lite_chart")
    colour = json.loads(charts[1].proto.spec)["encoding"]["color"]
    assert colour["scale"]["domain"] == ["This training", "A head on Landlike 1", "Landlike 1"]
    assert (says in " ".join(element.value for element in test.info)) if says else not test.info
    if says:
        test.button(key=f"head_{job.id}").click().run()
        assert not test.exception
        (head,) = [one for one in engine.jobs.jobs() if one.kind == "train" and one.id != job.id]
        asked = engine.jobs.payload(head.id)
        assert (asked["head"], asked["base"], asked["title"]) == (True, SHIPPED, "Reed, head")
        assert asked["sets"] == engine.jobs.payload(job.id)["sets"]
        stopped = engine.jobs.get(job.id)
        assert stopped is not None
        assert stopped.stopping


def test_a_head_is_asked_for_on_any_encoder_with_files(engine: Engine) -> None:
    add_labelled(engine)
    test = run()
    test.text_input(key="teach_title").set_value("Mires").run()
    test.radio(key="teach_how").set_value("head").run()
    assert test.selectbox(key="teach_base_head").options == ["Landlike 2", "Landlike 1"]
    test.button(key="teach_start").click().run()
    assert not test.exception
    (job,) = [job for job in engine.jobs.jobs() if job.kind == "train"]
    asked = engine.jobs.payload(job.id)
    assert (asked["head"], asked["base"], asked["epochs"], asked["freeze"]) == (True, SHIPPED, None, False)


def test_a_card_says_which_pass_was_kept() -> None:
    history = [{"number": number} for number in (1, 2, 3)]
    assert kept({"kept_epoch": 2, "history": history}).startswith("It is as after pass 2 of 3, the best by patches")
    none = kept({"kept_epoch": 0, "history": history, "base_title": "Landlike *1*"})
    assert none.startswith(f"No pass named more of the patches it was chosen by than {plain('Landlike *1*')} did")
    assert kept({"head": True, "base": "landlike-1"}).startswith(
        f"A head: its features are those of {plain('landlike-1')},"
    )
    assert kept({"history": history}) == kept({"kept_epoch": None, "history": 3}) == ""


def test_a_card_shows_what_was_measured_on_land_with_a_map_of_classes(engine: Engine) -> None:
    recipe = engine.recipe(engine.library.get(add_labelled(engine)), "spectral", cut=Cut.of(32))
    engine.store.runs.put(RunRecord(recipe=recipe, spec=engine.spec("spectral"), planned=4, stored=4))
    assert "measured here" not in shown(run())
    sentences = ("Of 100 parts of its land a patch shares 73 with its *neighbours*.", "More.")
    land = Section(name="land", title="Land?", sentences=sentences)
    older = Section(name="land", title="Land?", sentences=("Of before.",))
    for key, section in (("truth-a", older), ("truth-b", land)):
        engine.reports.put(recipe, key, [section], {})
    os.utime(engine.reports.root / recipe.scene_id / f"{recipe.key}-truth-a.trust.json", (1, 1))
    cache.forget()
    words = shown(run())
    assert f"- Plots: {plain(sentences[0])}" in words
    assert "Of before" not in words
