"""The map in a real frame: kept over queries, offline, fast, aligned; and foreign text that stays text."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Dialog, Frame, Page, expect

from core.scenes.library import Library
from core.scenes.patches import centres_lonlat, patch_grid
from core.scenes.scene import Scene
from tests.browser.conftest import ROOT, Chromium
from tests.mapped import add_mapped
from tests.pages.ui.common.test_escape import HOSTILE
from tests.waiting import answers, free_port, until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Scene]]:
    root, port = tmp_path_factory.mktemp("map"), free_port()
    scene = add_mapped(Library(root), shape=(1024, 1280))
    environment = {
        **os.environ,
        "LANDLIKE_DATA": str(root),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ['PYTHONPATH']}",
    }
    command = [sys.executable, "-m", "tests.browser.map_app", str(port)]
    log = root / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or answers(url), 60)
        assert process.poll() is None, log.read_text()
        yield url, scene
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def frame(page: Page, served: tuple[str, Scene]) -> Frame:
    """The map's frame, imagery loaded."""
    page.goto(f"{served[0]}/?scene={served[1].id}")
    return _frame(page)


def _frame(page: Page) -> Frame:
    page.wait_for_selector('iframe[title*="folium"]')
    frame = next(frame for frame in page.frames if "folium" in frame.url)
    frame.wait_for_selector(".leaflet-imagery-pane .leaflet-tile-loaded")
    frame.wait_for_function("!document.querySelector('.leaflet-imagery-pane img:not(.leaflet-tile-loaded)')")
    return frame


def _pixel(frame: Frame, lon: float, lat: float) -> tuple[float, float]:
    """Where a place is on the whole page."""
    x, y = frame.evaluate(f"(() => {{ const p = map.latLngToContainerPoint([{lat}, {lon}]); return [p.x, p.y]; }})()")
    box = frame.frame_element().bounding_box()
    assert box is not None
    return box["x"] + x, box["y"] + y


def _centre(scene: Scene, patch_id: int) -> tuple[float, float]:
    centres = centres_lonlat(scene, patch_grid(scene), np.array([patch_id]))
    assert centres is not None
    return float(centres[0, 0]), float(centres[0, 1])


def test_the_map_lies_right_asks_by_a_click_and_stays_as_it_is(
    page: Page, served: tuple[str, Scene], frame: Frame
) -> None:
    """One visit, because each costs the browser seconds."""
    frame.evaluate("window.__home = [map.getCenter(), map.getZoom()]")
    outlines_lie_on_the_pixels_of_their_patch(page, served[1], frame)
    a_click_asks_for_the_patch_under_it(page, served[1], frame)
    moving_the_map_does_not_run_the_page(page, frame)
    a_query_from_elsewhere_is_brought_into_view(page, served[1], frame)
    a_new_query_keeps_the_map_its_place_and_its_pictures(page, served[1], frame)
    a_frame_without_height_for_a_moment_does_not_move_the_map(page, served[1], frame)
    what_is_pressed_is_asked_though_another_answer_arrives(page, served[1], frame)
    ground_and_names_lie_below_and_follow_the_page_into_the_dark(page, frame)


def a_click_asks_for_the_patch_under_it(page: Page, scene: Scene, frame: Frame) -> None:
    page.mouse.click(*_pixel(frame, *_centre(scene, 137)))
    expect(page.get_by_text("query=137")).to_be_visible()
    expect(frame.locator(".landlike-query")).to_have_count(1)
    expect(frame.locator(".landlike-rank")).to_have_count(13)
    frame.evaluate("window.__place = [map.getCenter(), map.getZoom()]")
    page.get_by_text("query 5", exact=True).click()
    expect(page.get_by_text("query=5")).to_be_visible()
    frame.evaluate("map.setView(...window.__place, {animate: false})")
    page.mouse.click(*_pixel(frame, *_centre(scene, 137)))
    expect(page.get_by_text("query=137")).to_be_visible()  # at the very same place once more


def a_new_query_keeps_the_map_its_place_and_its_pictures(page: Page, scene: Scene, frame: Frame) -> None:
    frame.evaluate("window.__mark = map; map.setView(__home[0], __home[1] + 1, {animate: false})")
    frame.wait_for_function("!document.querySelector('.leaflet-imagery-pane img:not(.leaflet-tile-loaded)')")
    frame.evaluate("document.querySelectorAll('.leaflet-imagery-pane img').forEach((image) => { image.__mark = 1; })")
    before = frame.evaluate("[map.getZoom(), map.getCenter().lat, map.getCenter().lng]")
    for patch_id in (150, 169, 151):
        page.mouse.click(*_pixel(frame, *_centre(scene, patch_id)))
        expect(page.get_by_text(f"query={patch_id}")).to_be_visible()
        frame.wait_for_selector(".landlike-query")
    assert frame.evaluate("window.__mark === map && window.map === map")
    assert frame.evaluate("[map.getZoom(), map.getCenter().lat, map.getCenter().lng]") == before
    assert frame.evaluate("[...document.querySelectorAll('.leaflet-imagery-pane img')].every((image) => image.__mark)")
    # Another rendering changes the pictures and nothing else.
    page.get_by_text("ndvi", exact=True).click()
    frame.wait_for_function("!document.querySelector('.leaflet-imagery-pane img[src*=true]')")
    assert frame.evaluate("window.__mark === map")
    assert frame.evaluate("[map.getZoom(), map.getCenter().lat, map.getCenter().lng]") == before


def a_frame_without_height_for_a_moment_does_not_move_the_map(page: Page, scene: Scene, frame: Frame) -> None:
    frame.evaluate("map.setView(...__home, {animate: false})")
    before = frame.evaluate("[map.getZoom(), map.getCenter().lat, map.getCenter().lng]")
    room = page.locator('iframe[title*="folium"]')
    room.evaluate("frame => { frame.style.setProperty('height', '0px', 'important') }")
    frame.wait_for_function("map.getContainer().clientHeight === 0")
    page.get_by_text("query 5", exact=True).click()
    expect(page.get_by_text("query=5")).to_be_visible()
    frame.locator(".landlike-query").wait_for(state="attached")
    room.evaluate("frame => { frame.style.removeProperty('height') }")
    frame.wait_for_function("map.getContainer().clientHeight > 100 && !map._panAnim?._inProgress")
    assert frame.evaluate("[map.getZoom(), map.getCenter().lat, map.getCenter().lng]") == before


def what_is_pressed_is_asked_though_another_answer_arrives(page: Page, scene: Scene, frame: Frame) -> None:
    frame.evaluate("map.setView(...__home, {animate: false})")
    page.mouse.click(*_pixel(frame, *_centre(scene, 137)))
    expect(page.get_by_text("query=137")).to_be_visible()
    page.mouse.move(*_pixel(frame, *_centre(scene, 139)))  # a neighbour, with an outline
    page.mouse.down()
    assert frame.evaluate("document.querySelector('.leaflet-marks-pane path:hover') !== null")
    page.get_by_text("query 5", exact=True).dispatch_event("click")
    expect(page.get_by_text("query=5")).to_be_visible()
    page.mouse.up()
    expect(page.get_by_text("query=139")).to_be_visible()


def ground_and_names_lie_below_and_follow_the_page_into_the_dark(page: Page, frame: Frame) -> None:
    frame.evaluate("map.setView(...__home, {animate: false})")
    expect(frame.locator('.leaflet-base-pane img[src*="/ground/light/"].leaflet-tile-loaded').first).to_be_attached()
    expect(frame.locator(".landlike-where")).to_contain_text("Slovenia")
    expect(frame.locator(".leaflet-control-attribution")).to_contain_text("Natural Earth")
    frame.evaluate("map.setZoom(10, {animate: false})")
    expect(frame.locator(".landlike-place", has_text="Gorizia")).to_have_count(1)
    expect(frame.locator(".landlike-meridian").first).to_contain_text("° E")
    page.evaluate("document.querySelector('.stApp').style.backgroundColor = 'rgb(14, 17, 19)'")
    page.get_by_text("query 5", exact=True).click()
    expect(frame.locator('.leaflet-base-pane img[src*="/ground/dark/"].leaflet-tile-loaded').first).to_be_attached()


def moving_the_map_does_not_run_the_page(page: Page, frame: Frame) -> None:
    runs = int(page.get_by_text("runs=").inner_text().split("=")[-1])
    frame.evaluate("map.zoomIn(1, {animate: false}); map.panBy([60, 40], {animate: false})")
    frame.wait_for_function("!document.querySelector('.leaflet-imagery-pane img:not(.leaflet-tile-loaded)')")
    page.get_by_text("query 5", exact=True).click()
    expect(page.get_by_text("query=5")).to_be_visible()
    # Runs come in the order they were asked for: had moving asked for one, it would have been counted by now.
    assert int(page.get_by_text("runs=").inner_text().split("=")[-1]) == runs + 1


def a_query_from_elsewhere_is_brought_into_view(page: Page, scene: Scene, frame: Frame) -> None:
    lon, lat = _centre(scene, 300)
    frame.evaluate(f"map.setView([{lat}, {lon}], 16, {{animate: false}})")
    zoom = frame.evaluate("map.getZoom()")
    page.mouse.click(*_pixel(frame, lon, lat))
    expect(page.get_by_text("query=300")).to_be_visible()
    page.get_by_text("query 5", exact=True).click()
    lon, lat = _centre(scene, 5)
    frame.wait_for_function(f"map.getBounds().contains([{lat}, {lon}])")
    assert frame.evaluate("map.getZoom()") == zoom


def outlines_lie_on_the_pixels_of_their_patch(page: Page, scene: Scene, frame: Frame) -> None:
    """``ramps`` brightens red downward and green to the right: the colour under a patch's centre tells its place."""
    faded_in = "[...document.querySelectorAll('.leaflet-imagery-pane img')].every((one) => one.style.opacity === '1')"
    frame.wait_for_function(faded_in)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    curve_red, curve_green = [], []
    for patch_id in (21, 90, 188, 255, 318):
        red, green, _ = picture.getpixel(tuple(round(value) for value in _pixel(frame, *_centre(scene, patch_id))))
        row, col = divmod(patch_id, patch_grid(scene).n_cols)
        curve_red.append((row, red))
        curve_green.append((col, green))
    for curve in (curve_red, curve_green):
        ordered = [value for _, value in sorted(curve)]
        assert ordered == sorted(ordered)
        assert ordered[-1] - ordered[0] > 60


def test_an_online_map_that_cannot_be_reached_says_so(browser: Chromium, served: tuple[str, Scene]) -> None:
    # In a context of its own: only here is another machine asked, after a person chose so, and never reached.
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.route("**/tile.openstreetmap.org/**", lambda route: route.abort())
    page = context.new_page()
    page.goto(f"{served[0]}/?scene={served[1].id}")
    frame = _frame(page)
    frame.locator(".leaflet-control-layers").hover()
    choice = frame.get_by_text("OpenStreetMap (online)")
    choice.hover()
    frame.evaluate("new Promise((done) => setTimeout(done))")  # Leaflet ignores a click as the mouse comes in
    choice.click()
    expect(frame.get_by_text("cannot be reached")).to_be_visible()
    choice.click()
    expect(frame.get_by_text("cannot be reached")).to_have_count(0)
    context.close()


def test_foreign_text_stays_text_everywhere(page: Page, served: tuple[str, Scene]) -> None:
    alarms: list[str] = []

    def note(dialog: Dialog) -> None:
        alarms.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    try:
        foreign_text_stays_text(page, served[0])
    finally:
        page.remove_listener("dialog", note)
    assert alarms == ["the end"], "nothing else has run"


def foreign_text_stays_text(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector('iframe[title*="folium"]')
    frame = next(frame for frame in page.frames if "folium" in frame.url)
    frame.wait_for_selector(".leaflet-tooltip")
    page.wait_for_selector(f".st-key-html{len(HOSTILE) - 1} p")
    tooltips = [text.strip() for text in frame.locator(".leaflet-tooltip").all_inner_texts()]
    for number, text in enumerate(HOSTILE):
        shown = "".join(character if character.isprintable() else "�" for character in text)
        markdown = page.locator(f".st-key-markdown{number}")
        assert markdown.inner_text().replace("\N{WORD JOINER}", "").strip() == shown
        assert markdown.locator("a, em, strong, code, img, script, .katex").count() == 0
        paragraph = page.locator(f".st-key-html{number} p")
        assert paragraph.inner_text() == shown
        assert paragraph.get_attribute("title") in (shown, None)  # Streamlit drops what looks like a script's end
        assert tooltips[number] == shown
    assert frame.locator(".leaflet-tooltip img, .leaflet-tooltip script").count() == 0
    frame.locator("path.leaflet-interactive").first.dispatch_event("click")
    with page.expect_event("dialog"):
        frame.evaluate("setTimeout(() => alert('the end'))")
