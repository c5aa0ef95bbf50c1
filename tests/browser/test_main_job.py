"""The main job as a person does it: open, click, find land like it, bring a scene of one's own."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psutil
import pytest
from playwright.sync_api import Page, expect

from core.encoders.openvino import has_bf16
from core.scenes.library import Library
from tests.browser.accessibility import OPENED, assert_accessible, assert_popovers_accessible
from tests.browser.conftest import PROJECTOR, SCENE, Chromium, Server, start
from tests.browser.views import (
    LONG,
    ask_by_an_area,
    click_a_point,
    click_the_map,
    give_and_take_examples,
    go_back_and_forward,
    map_frame,
    query,
    tiles,
    wait_for_query,
    wait_for_ranks,
    wait_for_views,
    what_is_seen,
)
from tests.data import shared
from tests.scenes import add_scene
from tests.trials import leave_word
from tests.waiting import until

pytestmark = pytest.mark.browser
UPLOADER = "[class*='st-key-upload_files_'] input[type=file]"
"""That of scenes; one for a map of classes may stand beside it."""


def test_a_first_visit_opens_the_scene_finds_land_like_a_point_and_a_place_and_cuts_it_otherwise(
    page: Page, server: Server
) -> None:
    page.goto(server.url)
    wait_for_views(page)
    expect(page.get_by_text("patches of")).to_be_visible()
    first = click_a_point(page)
    shown = tiles(page)
    assert [tile["rank"] for tile in shown] == ["Query", *[str(rank) for rank in range(1, 21)]]
    similarities = [float(tile["value"]) for tile in shown[1:]]
    assert similarities == sorted(similarities, reverse=True)
    wait_for_ranks(page, 20)
    assert page.url.count(f"q={first}") == 1

    land = map_frame(page).locator(".leaflet-container")
    land.evaluate("element => { element.dataset.kept = 'yes' }")
    second = click_the_map(page, 0.37, 0.55, other_than=first)
    wait_for_ranks(page, 20)
    assert land.get_attribute("data-kept") == "yes"
    page.route("**/early/**", lambda route: route.abort())  # the run alone does it too
    go_back_and_forward(page, first, second)
    page.unroute("**/early/**")
    an_answer_stands_before_the_page_has_run_and_is_the_same_after(page, second)
    give_and_take_examples(page, second)
    ask_by_an_area(page)
    assert land.get_attribute("data-kept") == "yes"
    land.focus()
    page.keyboard.press("ArrowRight")
    expect(map_frame(page).locator(".landlike-said")).to_contain_text("°")
    page.locator(".ll-plot .stage").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".evidence .area")).to_have_count(0)
    a_person_cuts_the_scene_otherwise_and_goes_back_by_one_click(page)


def an_answer_stands_before_the_page_has_run_and_is_the_same_after(page: Page, asked: int) -> None:
    page.evaluate(
        """() => window.addEventListener("landlike:early", () => requestAnimationFrame(() => {
          const map = document.querySelector("iframe[title*='folium']").contentDocument;
          const marks = map.querySelectorAll(".landlike-rank").length;
          const pale = getComputedStyle(document.querySelector(".st-key-why_view")).opacity;
          window.early = [location.search, document.querySelector(".ll-plot .told").textContent, marks, pale];
        }), { once: true })"""
    )
    page.locator(".gallery .tile").nth(4).click()
    page.wait_for_function("window.early")
    early = tiles(page)
    address, words, marks, pale = page.evaluate("window.early")
    assert f"q={asked}" in address, "the page does not know of it yet"
    assert (words.split(",")[0], marks, pale) == (f"20 patches like patch {early[0]['patch']}", 21, "0.3")
    assert wait_for_query(page, asked) == early[0]["patch"]
    expect(page.locator(".st-key-why_view")).to_have_css("opacity", "1")
    same = ("patch", "rank", "value")
    assert [[one[name] for name in same] for one in tiles(page)] == [[one[name] for name in same] for one in early]
    page.go_back()
    assert wait_for_query(page, early[0]["patch"]) == asked


def a_person_cuts_the_scene_otherwise_and_goes_back_by_one_click(page: Page) -> None:
    before = click_a_point(page)
    page.locator(".st-key-cut_open button").first.click()
    side = page.get_by_role("spinbutton", name="Size, metres a side")
    side.fill("1280")
    side.press("Tab")
    expect(page.locator(".st-key-cut_panel").get_by_text("1,280 m are 128 pixels.")).to_be_visible()
    page.locator(".ll-cut .ll-grid").wait_for()
    page.locator(".st-key-cut_start button").first.click()
    expect(page.locator(".st-key-cut_open").get_by_text("Patches 1.28 km").first).to_be_visible(timeout=LONG)
    wait_for_views(page)
    assert wait_for_query(page) != before, "the patch at the same place has another number"
    assert "cut=128-128" in page.url
    page.locator(".st-key-cut").get_by_text("640 m").click()
    expect(page.locator(".st-key-cut_open").get_by_text("Patches 640 m").first).to_be_visible(timeout=LONG)
    wait_for_views(page)
    assert "cut=" not in page.url


STAMPS = """
() => {
  window.stamps = 0;
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (source, ...place) {
    if (source instanceof HTMLCanvasElement && source.width < 64) window.stamps += 1;
    return draw.call(this, source, ...place);
  };
}
"""


STILL = """
() => {
  if (window.stampsSeen !== window.stamps) { window.stampsSeen = window.stamps; window.framesSince = 0; }
  return ++window.framesSince > 30;
}
"""
"""True once thirty frames were drawn without another diamond."""


def a_query_and_a_glance_leave_the_diamonds_of_unfamiliar_patches_as_they_are(page: Page) -> None:
    page.evaluate(STAMPS)
    page.set_viewport_size({"width": 1300, "height": 900})
    page.wait_for_function("window.stamps > 0", timeout=LONG)
    page.wait_for_function(STILL, polling="raf", timeout=LONG)
    stamped = page.evaluate("window.stamps")
    first = click_a_point(page)
    page.locator(".gallery .tile").nth(3).hover()
    page.locator(".gallery .tile").nth(5).click()
    wait_for_query(page, first)
    wait_for_ranks(page, 20)
    assert page.evaluate("window.stamps") == stamped
    page.set_viewport_size(PROJECTOR)
    page.wait_for_function("before => window.stamps > before", arg=stamped, timeout=LONG)


def test_one_visit_pictures_classes_colours_on_the_map_clusters_trust_diamonds_and_accessibility(
    page: Page, server: Server
) -> None:
    """One visit, because each costs the browser seconds."""
    page.goto(f"{server.url}/?marks=on")
    wait_for_views(page)
    expect(page.locator(".st-key-plot_bar").get_by_text("Layout…")).to_have_count(0, timeout=LONG)
    pictures_and_tiles_really_load(page)
    a_click_on_a_class_selects_its_patches(page)
    the_map_shows_the_colours_of_the_plot_until_that_is_switched_off(page)
    clusters_are_looked_for_in_the_background_and_then_colour_the_plot(page, server)
    the_trust_panel_measures_by_itself_and_the_plot_takes_its_colours(page)
    page.keyboard.press("Escape")
    page.locator(OPENED).wait_for(state="detached")
    a_query_and_a_glance_leave_the_diamonds_of_unfamiliar_patches_as_they_are(page)
    all_pages_are_accessible_and_one_left_with_the_trust_panel_open_shows_the_other(page)


def all_pages_are_accessible_and_one_left_with_the_trust_panel_open_shows_the_other(page: Page) -> None:
    opened = assert_popovers_accessible(page)
    assert {"Share", "Download", "Filter", "Trust", "Layout", "What it has learned"} <= set(opened)
    page.get_by_test_id("stPopoverButton").filter(has_text="Trust").click()
    page.locator(".st-key-trust_panel").wait_for()
    expect(page.locator(".ll-verdict")).to_be_visible(timeout=LONG)
    assert_accessible(page)
    page.get_by_role("link", name="Models").click()
    page.locator(".st-key-model_spectral").wait_for()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.locator(".st-key-model_spectral")).to_have_count(1)
    assert_accessible(page)
    for name, part in (("Classify", ".labeller button"), ("Scenes", UPLOADER)):
        page.get_by_role("link", name=name).click()
        page.locator(part).first.wait_for(state="attached", timeout=LONG)
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        assert_accessible(page)
        if name == "Classify":
            assert_popovers_accessible(page)


def clusters_are_looked_for_in_the_background_and_then_colour_the_plot(page: Page, server: Server) -> None:
    page.locator(".st-key-colour input").first.click()
    page.get_by_role("option", name="Colour by cluster").click()
    expect(page.locator(".ll-plot .key")).to_contain_text(re.compile("water|vegetation|land"), timeout=LONG)
    expect(page.get_by_text("Clusters:")).to_have_count(0)
    modules = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "sklearn" not in modules, "the web process found them itself"
    _rename_merge_and_label_a_cluster(page)


def _rename_merge_and_label_a_cluster(page: Page) -> None:
    """Give the largest cluster a name, make it one with the next, and label its patches by a click; then undo that."""
    rows, told = (
        page.get_by_role("listbox", name="Clusters").get_by_role("option"),
        page.locator(".st-key-cluster_told"),
    )
    acts = page.locator(".st-key-cluster_acts")
    rows.first.click()
    expect(rows.first).to_have_attribute("aria-selected", "true")
    other, before = str(rows.nth(1).locator("b").text_content()), rows.count()
    acts.get_by_text("Rename").click()
    box = page.get_by_role("textbox", name="Name, then Enter")
    box.fill("Salt <b> marsh")
    box.press("Enter")
    expect(told).to_contain_text("is called “Salt <b> marsh” now")
    acts.get_by_text("Merge").click()
    page.locator("[data-testid=stPills], [data-testid=stButtonGroup]").get_by_text(other, exact=True).click()
    page.locator(".st-key-cluster_merge_go button").click()
    expect(told).to_contain_text("2 clusters are one: “Salt <b> marsh”")
    expect(rows).to_have_count(before - 1)
    expect(rows.first.locator("b")).to_have_text("Salt <b> marsh")
    patches = str(rows.first.locator("span").first.text_content())
    acts.get_by_text("Label all as").click()
    page.locator(".st-key-cluster_label_0 button").click()
    expect(told).to_contain_text(f"{patches} patches labelled Salt <b> marsh.")
    page.locator(".st-key-cluster_unlabel button").click()
    expect(told).to_contain_text("Taken back")


def the_trust_panel_measures_by_itself_and_the_plot_takes_its_colours(page: Page) -> None:
    page.get_by_test_id("stPopoverButton").filter(has_text="Trust").click()
    expect(
        page.get_by_text("Measuring how far this can be trusted").or_(page.locator(".ll-trust")).first
    ).to_be_visible()
    expect(page.locator(".ll-trust .lead").first).to_contain_text("of its land with its neighbours", timeout=LONG)
    expect(page.locator(".ll-trust")).to_have_count(6)
    expect(page.locator(".ll-verdict")).to_contain_text("Holds")
    page.locator(".st-key-trust_colour_layout button").first.click()
    expect(page.locator(".ll-plot .bar")).to_contain_text("Distortion", timeout=LONG)


def pictures_and_tiles_really_load(page: Page) -> None:
    for place in range(4):
        picture = page.locator(".gallery .tile img").nth(place)
        expect(picture).to_have_js_property("complete", True, timeout=LONG)
        assert picture.evaluate("image => image.naturalWidth") > 0
    map_frame(page).locator(".leaflet-imagery-pane img.leaflet-tile-loaded").first.wait_for(timeout=LONG)


def the_map_shows_the_colours_of_the_plot_until_that_is_switched_off(page: Page) -> None:
    page.locator(".st-key-overlay label").first.click()
    legend, tiles_shown = (
        map_frame(page).locator(".landlike-legend"),
        map_frame(page).locator(".leaflet-values-pane img"),
    )
    expect(legend).to_contain_text("Annual crop")
    names = page.locator(".ll-plot .chip:not(:has-text('Unfamiliar')) b").all_inner_texts()
    counts = page.locator(".ll-plot .chip:not(:has-text('Unfamiliar')) small").all_inner_texts()
    rows = legend.locator(".landlike-legend-title:has(.landlike-swatch)").all_inner_texts()
    assert [row.split("\n") for row in rows] == [[name, count] for name, count in zip(names, counts, strict=True)]
    expect(tiles_shown.first).to_have_attribute("src", re.compile("/overlay/.+/class/"), timeout=LONG)
    page.locator(".st-key-colour input").click()
    page.get_by_role("option", name="Colour by mean brightness").click()
    expect(legend).to_contain_text("Brightness (B02, B03, B04)", timeout=LONG)
    expect(page.locator(".ll-plot .bar")).to_contain_text("Brightness (B02, B03, B04)")
    shown = map_frame(page).locator(".leaflet-values-pane img.leaflet-tile-loaded[src*='/brightness/']").first
    shown.wait_for(timeout=LONG)
    page.locator(".st-key-overlay label").first.click()
    expect(tiles_shown).to_have_count(0, timeout=LONG)


def a_click_on_a_class_selects_its_patches(page: Page) -> None:
    chip = page.locator(".ll-plot .chip", has_text="Forest")
    count = chip.locator("small").inner_text()
    chip.click()
    expect(page.get_by_text(f"{count} patches selected of")).to_be_visible(timeout=LONG)
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()
    expect(page.get_by_text("patches selected")).to_have_count(0)


def test_a_link_reopens_a_view_whose_files_are_there_and_that_somebody_else_sees_the_same_and_keys_go_on(
    browser: Chromium, page: Page, server: Server, tmp_path: Path
) -> None:
    where = json.dumps([{"value": "brightness", "low": 0.0, "high": 0.2}])
    page.goto(f"{server.url}/?" + urlencode({"scene": SCENE, "q": 7, "k": 40, "where": where}))
    assert wait_for_query(page) == 7
    wait_for_ranks(page, 40)
    the_neighbours_can_be_downloaded(page, tmp_path)
    page.keyboard.press("Escape")
    page.locator(OPENED).wait_for(state="detached")
    somebody_else_sees_the_same_by_a_shared_address(browser, page)
    keys_go_on(page)


def somebody_else_sees_the_same_by_a_shared_address(browser: Chromium, page: Page) -> None:
    page.locator(".ll-plot[data-ready]").wait_for(timeout=LONG)  # it tells the server what is done
    good, bad = (int(page.locator(".gallery .tile").nth(place).get_attribute("data-patch") or -1) for place in (4, 9))
    acts = [{"what": "evidence", "id": good, "sign": 1}, {"what": "evidence", "id": bad, "sign": -1},
            {"what": "select", "ids": [3, 4, 5, 30]}]  # fmt: skip
    for act, told in zip(acts, ("2 examples", "unlike 1", "4 patches selected"), strict=True):
        page.evaluate("(detail) => window.dispatchEvent(new CustomEvent('landlike:do', { detail }))", act)
        expect(page.locator(".ll-plot .told")).to_contain_text(told)
    page.locator(".st-key-colour input").click()
    page.get_by_role("option", name="Colour by mean brightness").click()
    expect(page.locator(".ll-plot .bar")).to_contain_text("Brightness", timeout=LONG)
    page.get_by_test_id("stPopoverButton").filter(has_text="Share").click()
    address = page.locator("[data-testid=stPopoverBody] code").inner_text()
    page.keyboard.press("Escape")
    mine = what_is_seen(page)
    assert [len(mine[name]) for name in ("answers", "examples")] == [4, 3]
    assert (mine["examples on the map"], mine["ranked on the map"] > 20) == (3, True)
    context = browser.new_context(viewport=PROJECTOR)
    other = context.new_page()
    other.goto(address)
    wait_for_views(other)
    expect(map_frame(other).locator(".landlike-rank")).to_have_count(mine["ranked on the map"] + 3, timeout=LONG)
    assert what_is_seen(other) == mine
    context.close()


def keys_go_on(page: Page) -> None:
    stage, keys = page.locator(".ll-plot .stage"), page.locator(".ll-plot .keys")
    for _ in range(2):  # examples and selection
        stage.focus()
        page.keyboard.press("Escape")
    expect(page.locator(".evidence .one")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ll-plot .said:not(.told)")).to_contain_text("Patch")
    page.keyboard.press("Enter")
    beside = wait_for_query(page)
    expect(stage).to_be_focused()
    page.keyboard.press("?")
    expect(keys).to_contain_text("find land like it")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.locator(".st-key-colour input").click()
    page.get_by_role("option", name="Colour by NDWI").click()
    expect(page.get_by_role("option")).to_have_count(0)
    page.keyboard.press("?")  # what the mouse chose leaves the keys to the page
    expect(keys).to_be_visible()
    page.keyboard.press("?")
    page.locator(".st-key-words input").focus()
    page.keyboard.type("ax?")
    expect(page.locator(".st-key-words input")).to_have_value("ax?")
    expect(keys).to_be_hidden()
    page.locator(".st-key-words input").fill("")
    stage.focus()
    assert query(page) == beside, "nothing happens while somebody writes"
    page.keyboard.press("Escape")
    expect(page.locator(".gallery .tile.query")).to_have_count(0)
    expect(stage).to_be_focused()


def the_neighbours_can_be_downloaded(page: Page, tmp_path: Path) -> None:
    page.get_by_test_id("stPopoverButton").filter(has_text="Download").click()
    contents = {}
    for title, ending in (("GeoJSON", "geojson"), ("CSV", "csv")):
        page.get_by_role("radio", name=title, exact=True).click()
        with page.expect_download(timeout=LONG) as download:
            page.get_by_test_id("stDownloadButton").get_by_role("button", name=f"Download {title}").click()
        assert download.value.suggested_filename == f"found-{SCENE}-7.{ending}"
        download.value.save_as(tmp_path / ending)
        contents[ending] = (tmp_path / ending).read_text()
    features = json.loads(contents["geojson"])["features"]
    rows = list(csv.DictReader(contents["csv"].splitlines()))
    shown = [tile["patch"] for tile in tiles(page)]
    assert [feature["properties"]["patch_id"] for feature in features] == shown
    assert [int(row["patch_id"]) for row in rows] == shown
    assert shown[0] == 7


def test_what_is_no_scene_loses_nothing_and_an_upload_becomes_a_scene_that_can_be_searched(
    page: Page, server: Server, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/scenes")
    a_file_that_is_no_scene_gets_one_sentence_and_loses_nothing(page, server, tmp_path)
    page.get_by_role("link", name="Models").click()
    page.locator(".st-key-model_spectral").wait_for()
    page.get_by_role("link", name="Scenes").click()
    an_upload_becomes_a_scene_that_can_be_searched(page, "eurosat_ms.zip", "eurosat_ms", "collection of 296 patches")


def an_upload_becomes_a_scene_that_can_be_searched(page: Page, file: str, name: str, says: str) -> None:
    page.locator(UPLOADER).set_input_files([shared(file)])
    page.locator(".st-key-upload_add button:enabled").click(timeout=LONG)
    card = page.locator("[class*='st-key-card_']", has_text=name).first  # One from the run before may still stand.
    card.wait_for(timeout=LONG)
    card.get_by_text("What was read, decided and assumed").click()
    expect(card.get_by_text(says).first).to_be_visible()
    card.get_by_role("button", name="Explore", exact=True).click()
    wait_for_views(page)
    expect(page.get_by_text(name).first).to_be_visible()
    page.locator(".gallery .tile").nth(1).click()
    asked = wait_for_query(page)
    wait_for_ranks(page, 20)
    assert query(page) == asked


def a_file_that_is_no_scene_gets_one_sentence_and_loses_nothing(page: Page, server: Server, tmp_path: Path) -> None:
    bad = tmp_path / "<b>holiday ${x} `y`.tif"
    bad.write_text("this is no image")
    before = sum(not path.name.startswith(".") for path in (server.root / "scenes").iterdir())
    page.locator(UPLOADER).set_input_files([bad])
    page.locator(".st-key-upload_add button:enabled").click()
    sentence = page.locator("[data-testid=stAlert]", has_text="holiday")
    sentence.wait_for(timeout=LONG)
    assert "<b>holiday ${x} `y`" in sentence.inner_text().replace("\u2060", "")
    assert "Traceback" not in page.content()
    expect(page.get_by_text(re.compile(rf"^{before} scenes?, "))).to_be_visible()


def running(server: Server) -> dict[str, object]:
    """The encode job's progress as it lies on disk."""
    for path in (server.root / "jobs").glob("*.json"):
        record = json.loads(path.read_text())
        if record["kind"] == "encode" and record["payload"]["recipe"]["encoder"] != "spectral":
            note = path.with_suffix(".progress")
            return record | (json.loads(note.read_text()) if note.exists() else {"done": 0})
    return {"state": "none", "done": 0}


def wait_until(server: Server, done: int) -> dict[str, object]:
    def far_enough() -> bool:
        job = running(server)
        assert job["state"] not in {"failed", "cancelled"}, job
        return int(str(job["done"])) >= done or job["state"] == "done"

    until(far_enough, 120, "no progress")
    return running(server)


@contextmanager
def on_one_processor() -> Iterator[None]:
    """Let processes that are started meanwhile have one processor: slow work takes as long, and half of the machine."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def test_a_job_outlives_a_reload_a_killed_worker_and_a_killed_server(
    page: Page, tmp_path: Path, model: Callable[[str], Path]
) -> None:
    root = tmp_path / "data"
    side = 960 if has_bf16() else 384  # With bf16 fewer patches would be done before anything is noted of them.
    patches = (side // 64) ** 2
    scene = add_scene(Library(root), height=side, width=side).id
    leave_word(root)
    with on_one_processor():
        server = start(root, LANDLIKE_MODELS=str(model("resnet")))
    try:
        address = f"{server.url}/?scene={scene}&encoder=resnet"
        page.goto(address)
        page.get_by_text(f"of {patches} patches").wait_for(timeout=LONG)
        worker = int(str(wait_until(server, 8)["pid"]))
        os.kill(worker, signal.SIGSTOP)  # else it would go on encoding all the while that the page opens again
        page.reload()
        page.get_by_text(f"of {patches} patches").wait_for(timeout=LONG)
        assert running(server)["state"] == "running"

        os.kill(worker, signal.SIGKILL)
        until(lambda: running(server).get("pid") not in {worker, None}, 60)
        job = running(server)
        assert (job["state"], job["tries"]) == ("running", 1)

        children = psutil.Process(server.process.pid).children(recursive=True)
        server.stop(signal.SIGKILL)
        psutil.wait_procs(children, timeout=20)
        assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
        port = int(server.url.rsplit(":", 1)[1])
        server = start(root, port, LANDLIKE_MODELS=str(model("resnet")))
        page.goto(address)
        wait_for_views(page)
        assert wait_until(server, patches)["state"] == "done"
        page.locator(".gallery .tile").nth(1).click()
        wait_for_query(page)
    finally:
        server.stop()
