"""The Scenes page, cold and warm: what it lists, and that its buttons do what they say."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.engine.operations import Engine
from core.errors import BucketError
from core.export.bundle import Bundle, bundle_bytes
from core.files import write_atomically
from core.ingest.bands.choices import scale_asked
from core.jobs.queue import Job
from core.scenes.patches import PatchRef
from core.scenes.scene import Scene, Series
from core.storage.faults import _DENIED
from pages.ui.common.escape import plain
from pages.ui.common.sidebar import TROUBLE
from pages.ui.scenes.details import card_facts
from pages.ui.scenes.news import forget_told
from pages.ui.scenes.table import looked_at
from pages.ui.state.session import Session
from tests.pages.conftest import MAIN
from tests.scenes import add_scene

PAGE = str(Path(__file__).resolve().parents[2] / "pages" / "open.py")
NASTY = "Fields <script>alert(1)</script> `${x}`"


def said(test: AppTest) -> str:
    """All error sentences of a page, as people read them."""
    return html.unescape(" ".join(error.value for error in test.error))


def told(test: AppTest) -> str:
    """All other messages of a page, as people read them."""
    return html.unescape(" ".join(message.value for message in [*test.success, *test.info]))


def run(visitor: Session | None = None) -> AppTest:
    test = AppTest.from_file(PAGE, default_timeout=30)
    if visitor is not None:
        test.session_state["landlike"] = visitor
    test.run()
    assert not test.exception
    return test


def click(test: AppTest, key: str) -> AppTest:
    test.button(key=key).click().run()
    assert not test.exception
    return test


def ended(engine: Engine, message: str, *, state: str = "done", title: str = "Opening “a.tif”") -> Job:
    """An ingest that ended like that."""
    job = engine.jobs.settled("ingest", title, title, message)
    if state != "done":
        path = engine.config.root / "jobs" / f"{job.id}.json"
        engine.jobs._records[job.id] = replace(engine.jobs._records[job.id], state=state)
        assert path.exists()
    return job


def series_of(engine: Engine, count: int) -> list[Scene]:
    """A series of scenes, ``s-0`` and so on, a month apart."""
    made = []
    for index in range(count):
        scene = add_scene(engine.library, f"s-{index}", name=f"Delta, 2020-0{index + 1}-01")
        series = Series(id="series-1", name="Delta", index=index, count=count)
        made.append(replace(scene, date=f"2020-0{index + 1}-01", series=series))
        write_atomically(scene.directory / "scene.json", made[-1].to_json().encode())
    return made


def test_a_scene_that_is_being_opened_is_not_asked_for(engine: Engine) -> None:
    engine.submit_sample()
    assert "There is no scene yet" not in told(run())


def test_an_empty_library_says_what_to_do(engine: Engine) -> None:
    test = run()
    assert "There is no scene yet" in test.info[0].value
    assert not [button for button in test.button if button.key == "upload_add"]


def test_scenes_are_listed_with_what_tells_them_apart(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name="First", created="2024-01-01T00:00:00+00:00")
    add_scene(engine.library, "t-2", name="Second", crs=None)
    test = run()
    assert any(caption.value.startswith("2 scenes, ") for caption in test.caption)
    table = test.dataframe[0].value
    assert table["Name"].tolist() == ["Second", "First"]
    assert table["Pixel"].isna().tolist() == [True, False]
    assert table["Pixel"][1] == pytest.approx(10, rel=0.001)
    assert table["Patches"].tolist() == [20, 20]
    assert table["Disk"].tolist() == [engine.disk_bytes(name) for name in ("t-2", "t-1")]
    assert table["Cloud"].isna().all()
    assert test.button(key="explore_t-2").label == "Explore", "the details are those of the newest"
    assert "No place on Earth is known: no map" in card_facts(engine.library.get("t-2"))


def test_the_details_are_those_of_the_scene_that_was_chosen(engine: Engine) -> None:
    for scene_id in ("t-1", "t-2"):
        add_scene(engine.library, scene_id)
    for scene_id in ("t-1", "t-2"):
        assert run(Session(listed=scene_id)).button(key=f"explore_{scene_id}")


def test_names_are_shown_literally(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name=NASTY)
    shown = " ".join(element.proto.body for element in run().get("html"))
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown
    assert "${x}" not in shown


def renaming(engine: Engine, key: str) -> AppTest:
    """The page with the popover open in which a name is typed."""
    test = AppTest.from_file(PAGE, default_timeout=30)
    test.session_state[f"rename_{key}"] = True
    return test.run()


def test_a_scene_is_renamed_and_the_form_closes(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name="Before")
    test = renaming(engine, "t-1")
    test.text_input(key="name_t-1").set_value("After")
    click(test, "save_t-1")
    assert engine.library.get("t-1").name == "After"
    assert not test.session_state["rename_t-1"]


def test_an_empty_name_is_refused_in_its_place(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name="Before")
    test = renaming(engine, "t-1")
    test.text_input(key="name_t-1").set_value("  ")
    click(test, "save_t-1")
    assert "the new name is empty" in said(test)
    assert test.button(key="delete_t-1"), "the card is whole"
    assert engine.library.get("t-1").name == "Before"


def test_a_deleted_scene_can_be_brought_back_also_after_a_reload(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name="Fields")
    test = click(run(), "delete_t-1")
    assert "t-1" not in engine.library
    assert "“Fields” is deleted. It can be brought back until" in told(test)
    assert engine.jobs.jobs() == []
    click(test, "dismiss_deletion")
    assert "“Fields”" not in told(test)
    again = run()
    assert any("Fields" in line.value for line in again.markdown)
    click(again, "undo_t-1")
    assert engine.library.get("t-1").name == "Fields"


def test_what_is_removed_for_good_is_gone_with_its_features(engine: Engine) -> None:
    scene = add_scene(engine.library, "t-1")
    click(click(run(), "delete_t-1"), "remove_t-1")
    assert [job.kind for job in engine.jobs.jobs()] == ["delete"]
    assert engine.library.trash.scenes() == []
    assert not scene.directory.exists()


@pytest.mark.parametrize(("deleted", "left"), [("t-1", None), ("t-2", "t-1")])
def test_only_deleting_the_open_scene_closes_it(engine: Engine, deleted: str, left: str | None) -> None:
    for scene_id in ("t-1", "t-2"):
        add_scene(engine.library, scene_id)
    visitor = Session(scene_id="t-1", query=PatchRef("t-1", 3), listed=deleted)
    click(run(visitor), f"delete_{deleted}")
    assert deleted not in engine.library
    assert visitor.scene_id == left
    assert visitor.query == (PatchRef("t-1", 3) if left else None)


def test_the_details_are_those_of_the_scene_that_is_explored_until_another_is_chosen(engine: Engine) -> None:
    for scene_id in ("t-1", "t-2", "t-3"):
        add_scene(engine.library, scene_id)
    visitor = Session()
    run(visitor)
    newest = visitor.shown
    other, chosen = (scene_id for scene_id in ("t-1", "t-2", "t-3") if scene_id != newest)
    visitor = Session(scene_id=other)
    test = run(visitor)
    assert visitor.shown == other
    visitor.listed = chosen
    test.run()
    assert visitor.shown == chosen


def test_a_scene_deleted_in_another_window_is_named_with_a_way_back(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name="Fields")
    visitor = Session(listed="t-1")
    test = run(visitor)
    engine.set_scene_aside("t-1")
    test.run()
    assert "“Fields” was deleted in another window." in told(test)
    click(test, "bring_back_listed")
    assert "t-1" in engine.library
    assert visitor.listed == "t-1"


def test_a_scene_that_was_only_shown_is_named_too_and_an_own_deletion_is_no_other_windows(engine: Engine) -> None:
    """Its details were there because it came last; nobody chose it."""
    for scene_id, name in (("t-1", "Fields"), ("t-2", "Marsh")):
        add_scene(engine.library, scene_id, name=name)
    visitor = Session()
    test = run(visitor)
    shown = engine.library.get(visitor.shown)
    engine.set_scene_aside(shown.id)
    for _ in range(2):
        test.run()
        assert f"“{shown.name}” was deleted in another window." in told(test)
    click(test, "dismiss_listed")
    assert "another window" not in told(test)
    visitor.listed = visitor.shown
    click(click(test, f"delete_{visitor.shown}"), "dismiss_deletion")
    assert "another window" not in told(test)


def test_a_scene_replaced_in_another_window_gives_way_to_its_successor(engine: Engine) -> None:
    for scene_id in ("t-1", "t-2"):
        add_scene(engine.library, scene_id)
    engine.library.set_aside("t-1", successor="t-2")
    assert run(Session(listed="t-1")).button(key="explore_t-2")


def test_one_damaged_scene_does_not_take_the_page_down(engine: Engine) -> None:
    broken = add_scene(engine.library, "t-1")
    add_scene(engine.library, "t-2")
    (broken.directory / "quality.json").write_text("{")
    test = run(Session(listed="t-1"))
    assert "quality record of t-1" in said(test)
    assert test.button(key="explore_t-1").label == "Explore"
    assert len(test.dataframe[0].value) == 2


def test_a_bundle_among_scenes_is_named_with_its_place_and_not_added() -> None:
    test = run()
    content = bundle_bytes(Bundle(scene={"id": "s"}, recipe={"encoder": "e"}))
    test.file_uploader[0].upload("b.zip", content, "application/zip").run()
    assert told(test).startswith("“b.zip” is a bundle and no scene: give it to “Open a view that somebody handed on”")
    assert "upload_add" not in [button.key for button in test.button]


def test_settings_that_cannot_be_are_one_sentence_and_stop_the_upload(engine: Engine) -> None:
    test = run()
    test.file_uploader[0].upload("a.tif", b"II*\0", "image/tiff").run()
    assert not test.button(key="upload_add").disabled
    test.text_input(key="upload_bands").set_value("B02 B99").run()
    assert not test.exception
    assert "B99" in said(test)
    assert test.button(key="upload_add").disabled


def test_the_sample_is_asked_for_once(engine: Engine) -> None:
    test = click(click(run(), "open_sample"), "open_sample")
    assert not test.exception
    assert [job.kind for job in engine.jobs.jobs()] == ["sample"]


def test_the_synthetic_landscape_is_one_click_away(engine: Engine) -> None:
    test = run()
    test.button(key="open_synthetic").click().run()
    assert not test.exception
    assert [(job.kind, engine.jobs.payload(job.id)["size"]) for job in engine.jobs.jobs()] == [("synthetic", 2560)]


def test_files_are_grouped_and_named_before_they_are_added_and_then_the_uploader_is_empty(engine: Engine) -> None:
    test = run()
    names = ["fields_B02.tif", "fields_B03.tif", "fields_B04.tif", "delta.zip"]
    test.file_uploader[0].set_value([(name, b"II*\0", "image/tiff") for name in names]).run()
    captions = [html.unescape(caption.value) for caption in test.caption]
    assert any(caption.startswith("3 files, 12 bytes: fields_B02.tif … fields_B04.tif") for caption in captions)
    typed = [field for field in test.text_input if (field.key or "").startswith("upload_name_")]
    assert [field.value for field in typed] == ["delta", "fields"]
    typed[0].set_value("The delta")
    assert test.button(key="upload_add").label == "Add 2 scenes"
    click(test, "upload_add")
    payloads = [engine.jobs.payload(job.id) for job in engine.jobs.jobs() if job.kind == "ingest"]
    assert {payload["name"]: len(payload["paths"]) for payload in payloads} == {"The delta": 1, None: 3}
    assert not [button for button in test.button if button.key == "upload_add"], "the uploader is empty"
    test.run()
    assert len([job for job in engine.jobs.jobs() if job.kind == "ingest"]) == 2


def test_a_scene_that_came_in_is_told_until_that_is_dismissed(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name="Fields", created="2024-06-22T10:00:00+00:00")
    job = ended(engine, "t-1")
    test = run(Session(added={job.id: 1_719_050_000.0}))
    assert "“Fields” is in." in told(test)
    assert test.button(key=f"explore_in_{job.id}").label == "Explore it"
    click(test, f"dismiss_in_{job.id}")
    assert "is in." not in told(test)


def test_what_was_here_already_says_where_it_is(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name="Fields", created="2024-06-22T10:00:00+00:00")
    job = ended(engine, "t-1")
    test = run(Session(added={job.id: 1_719_060_000.0}))
    assert "“a.tif” is here already as “Fields”, since 2024-06-22; nothing was added." in told(test)
    assert test.button(key=f"explore_in_{job.id}")


def test_the_scene_that_came_in_last_stays_on_show_while_the_next_is_waited_for(engine: Engine) -> None:
    for name in ("t-1", "t-2", "t-3"):
        add_scene(engine.library, name, name=name)
    visitor = Session(scene_id="t-1", added={ended(engine, "t-2").id: 0.0})
    assert looked_at(visitor) == "t-2"
    forget_told(visitor)
    assert (visitor.added, looked_at(visitor)) == ({}, "t-2"), "another was just asked for"
    job = ended(engine, "t-3", title="Opening “b.tif”")
    visitor.added[job.id] = 0.0
    test = click(run(visitor), f"dismiss_in_{job.id}")
    assert looked_at(test.session_state["landlike"]) == "t-3"
    visitor.open("t-2")
    assert looked_at(visitor) == "t-2"


def folds(test: AppTest) -> list[str]:
    """The titles of what is folded."""
    return [one.label for one in test.expander]


def test_of_many_scenes_the_newest_is_told_and_the_rest_folded_and_dismissing_forgets_none_that_comes(
    engine: Engine,
) -> None:
    asked = {}
    for number in range(7):
        add_scene(engine.library, f"t-{number}", name=f"Fields {number}", created="2024-06-22T10:00:00+00:00")
        job = ended(engine, f"t-{number}", title=f"Opening “{number}.tif”")
        asked[job.id] = 1_719_060_000.0 if number == 6 else 0.0
    coming = engine.submit_synthetic()
    test = run(Session(added={**asked, coming.id: 0.0}))
    assert "6 more: 6 in" in folds(test)
    assert "“6.tif” is here already as “Fields 6”" in html.unescape(test.info[0].value), "the latest, out of the fold"
    click(test, "dismiss_all_more_news")
    assert "Fields" not in told(test).replace("Fields 6", "")
    assert list(test.session_state["landlike"].added) == [*list(asked)[-1:], coming.id]


def test_what_a_click_asks_for_is_not_hidden_behind_what_was_told(engine: Engine) -> None:
    add_scene(engine.library, "t-1", name="Fields")
    told_of = ended(engine, "t-1")
    test = click(run(Session(added={told_of.id: 0.0})), "open_synthetic")
    assert [engine.jobs.payload(job)["size"] for job in test.session_state["landlike"].added] == [2560]


def test_files_of_one_scene_are_under_way_under_one_name(engine: Engine, tmp_path: Path) -> None:
    paths = [tmp_path / f"marsh_{band}.tif" for band in ("B02", "B03")]
    assert engine.submit_ingest(paths).title == "Opening “marsh”"


def test_who_did_not_ask_for_a_scene_is_not_told(engine: Engine) -> None:
    add_scene(engine.library, "t-1")
    ended(engine, "t-1")
    assert told(run()) == ""


def test_failures_belong_to_their_file_and_are_dismissed_one_by_one_or_together(engine: Engine) -> None:
    jobs = [
        ended(
            engine, f"Opening “{name}.tif”: it is empty; choose another.", state="failed", title=f"Opening “{name}.tif”"
        )
        for name in "abcdef"
    ]
    nameless = ended(engine, "The disk is full.", state="failed", title="Opening “x.zip”")
    test = run()
    assert "Opening “x.zip”: the disk is full." in said(test)
    assert said(test).count("it is empty") == 6
    assert "6 more: 6 failed" in folds(test)
    click(test, f"dismiss_{nameless.id}")
    assert "x.zip" not in said(test)
    assert "5 more: 5 failed" in folds(test)
    click(test, "dismiss_all_more_news")
    assert said(test).count("it is empty") == 1
    assert all(engine.jobs.get(job.id) for job in jobs)


def test_a_question_about_the_scale_is_answered_by_a_click(engine: Engine, tmp_path: Path) -> None:
    """The upload waits for it; dismissing the question drops the upload."""
    names = [engine.config.root / "uploads" / folder / "field.tif" for folder in ("one", "two")]
    jobs = []
    for path in names:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"II*\0")
        job = engine.submit_ingest([path], asked_by="")
        asked = scale_asked("nothing tells", "B04", {"dn": 0.31, "dn+1000": 0.21})
        failed = replace(engine.jobs._records[job.id], state="failed", message=f"{path.parent.name}: {asked}")
        engine.jobs._records[job.id] = failed
        jobs.append(job)
    for number in range(3):
        ended(engine, f"Opening “{number}.tif”: it is empty; choose another.", state="failed", title=f"“{number}.tif”")
    test = run()
    fold = next(one for one in test.expander if one.label == "2 more: 2 failed")
    assert not [one.label for one in fold.button if "reflects" in one.label], "what came later hides no question"
    assert [button.label for button in test.button if "reflects" in button.label][:2] == [
        "B04 reflects 0.31",
        "B04 reflects 0.21",
    ]
    click(test, f"scale_dn+1000_{jobs[0].id}")
    (again,) = [job for job in engine.jobs.jobs() if job.kind == "ingest" and job.state != "failed"]
    assert engine.jobs.payload(again.id)["settings"]["scale"] == "dn+1000"
    assert names[0].exists()
    click(test, f"dismiss_{jobs[1].id}")
    assert not names[1].exists()


def test_an_upload_that_a_bucket_refused_is_tried_again_by_a_click(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = engine.config.root / "uploads" / "one" / "field.tif"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"II*\0")
    job, sentence = engine.submit_ingest([path]), str(BucketError("Writing s3://land/a/files/b", *_DENIED))
    engine.jobs._records[job.id] = replace(engine.jobs._records[job.id], state="failed", message=sentence)
    test = run()
    assert "the bucket refuses it" in said(test)
    click(test, f"again_{job.id}")
    assert [(one.kind, one.state) for one in engine.jobs.jobs()] == [("ingest", "queued")]
    assert path.exists()
    monkeypatch.setattr(Engine, "trouble", sentence)
    whole = AppTest.from_file(MAIN, default_timeout=30).run()
    assert [warning.value for warning in whole.sidebar.warning] == [f"{plain(sentence)} {TROUBLE}"]


def test_a_file_that_fails_again_is_told_once(engine: Engine) -> None:
    for _ in range(3):
        job = engine.submit_ingest([Path("a.tif")], name=None)
        again = f"{job.id}-{len(engine.jobs._records)}"
        failed = replace(
            engine.jobs._records.pop(job.id), id=again, state="failed", message="Opening “a.tif”: it is empty."
        )
        engine.jobs._records[again] = failed
    test = run()
    assert said(test).count("it is empty") == 1
    (button,) = [button for button in test.button if button.label == "Dismiss"]
    button.click().run()
    assert said(test) == ""


def test_what_failed_on_another_page_is_not_told_here(engine: Engine) -> None:
    job = engine.submit_ingest([Path("patches.zip")], asked_by="models")
    engine.jobs._records[job.id] = replace(engine.jobs._records[job.id], state="failed", message="It is empty.")
    assert said(run()) == ""


def test_a_series_is_one_row_with_its_dates(engine: Engine) -> None:
    series_of(engine, 3)
    add_scene(engine.library, "t-1")
    test = run(Session(listed="s-1"))
    table = test.dataframe[0].value.set_index("Name")
    assert table.loc["Delta", "Date"] == "2020-01-01 … 2020-03-01 (3 dates)"
    assert table.loc["Delta", "Patches"] == 60
    assert len(table) == 2
    assert test.button(key="explore_s-1")
    assert test.selectbox(key="date_series-1").value == "s-1"
    test.selectbox(key="date_series-1").set_value("s-2").run()
    assert test.button(key="explore_s-2")


def test_a_series_is_renamed_and_deleted_as_one(engine: Engine) -> None:
    series_of(engine, 2)
    test = renaming(engine, "series-1")
    test.text_input(key="name_series-1").set_value("Estuary")
    click(test, "save_series-1")
    assert test.dataframe[0].value["Name"].tolist() == ["Estuary"]
    assert test.button(key="delete_all").label == "Delete all 2"
    click(test, "delete_all")
    assert engine.library.scenes() == []
    assert "2 scenes are deleted." in told(test)
    click(test, "undo_deletion")
    assert test.dataframe[0].value["Name"].tolist() == ["Estuary"]


def with_source(engine: Engine, **settings: object) -> Scene:
    """A scene whose source was kept, and which was read by some settings."""
    scene = add_scene(engine.library, "t-1", name="Fields")
    (scene.directory / "origin").mkdir()
    (scene.directory / "origin" / "fields.tif").write_bytes(b"II*\0")
    record = json.loads((scene.directory / "quality.json").read_text())
    line = {"topic": "scale", "value": "reflectance × 1,000", "basis": "decided", "because": "they are small"}
    record["findings"].append(line | {"override": "scale"})
    record["settings"] = settings
    (scene.directory / "quality.json").write_text(json.dumps(record))
    return scene


def test_reading_differently_begins_with_what_was_decided_and_asks_only_for_what_changed(engine: Engine) -> None:
    with_source(engine, nodata=-5.0)
    test = click(run(), "again_t-1")
    key = "reread_t-1"
    assert test.selectbox(key=f"{key}_scale").value == "1000"
    assert test.date_input(key=f"{key}_date").value.isoformat() == "2024-06-21"
    assert test.text_input(key=f"{key}_crs").value == "EPSG:32631"
    assert f"{key}_vector" not in {one.key for one in test.text_input}, "it has pixels, so it is no file of vectors"
    assert test.button(key=f"{key}_go").disabled, "nothing is changed yet"
    assert test.button(key=f"{key}_go").help == "Change something first."
    test.selectbox(key=f"{key}_level").set_value("L2A").run()
    click(test, f"{key}_go")
    (job,) = engine.jobs.jobs()
    payload = engine.jobs.payload(job.id)
    wanted = {"bands": None, "scale": "auto", "date": None, "level": "L2A", "crs": None, "nodata": -5.0, "time": None}
    assert payload["settings"] == wanted
    assert (payload["name"], payload["rereads"], payload["replaces"]) == ("Fields", "t-1", True)


def test_reading_again_at_10_m_is_one_click_away_where_it_was_asked_for(engine: Engine) -> None:
    """The form said nothing of 10 m, and its button could not be pressed."""
    with_source(engine, ten_metres=False)
    test = run(Session(listed="t-1", rereading="t-1", finer=True))
    assert "interpolated to pixels of 10 m" in " ".join(one.value for one in test.markdown)
    assert test.checkbox(key="reread_t-1_finer_ten_metres").value
    click(test, "reread_t-1_go")
    settings = engine.jobs.payload(engine.jobs.jobs()[0].id)["settings"]
    assert {name for name, value in settings.items() if value not in (None, "auto", False)} == {"ten_metres"}
    click(test, "again_t-1")
    assert not test.checkbox(key="reread_t-1_ten_metres").value, "asked for otherwise, it is as it was read"


def test_a_reading_can_become_a_named_copy(engine: Engine) -> None:
    with_source(engine)
    test = click(run(), "again_t-1")
    test.radio(key="reread_t-1_what").set_value("Keep it and make a copy").run()
    test.text_input(key="reread_t-1_name").set_value("Fields, surface").run()
    test.selectbox(key="reread_t-1_level").set_value("L2A").run()
    click(test, "reread_t-1_go")
    payload = engine.jobs.payload(engine.jobs.jobs()[0].id)
    assert (payload["name"], payload["replaces"]) == ("Fields, surface", False)


def test_a_scene_without_its_source_says_why_it_cannot_be_read_again(engine: Engine) -> None:
    add_scene(engine.library, "t-1")
    button = run().button(key="again_t-1")
    assert button.disabled
    assert "were not kept" in button.help
