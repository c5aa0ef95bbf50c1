"""The first start on an empty disk: a real scene opens by itself, and the page says how far it is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.sample.package import PACKAGE
from tests.browser.conftest import serving
from tests.browser.views import LONG, click_a_point, map_frame, wait_for_ranks, wait_for_views

pytestmark = pytest.mark.browser
WATCH = """
() => new MutationObserver(() => {
  const said = document.body.innerText;
  window.__contradicted ||= said.includes("click one to find") && said.includes("Encoding the scene");
}).observe(document.body, { subtree: true, childList: true, characterData: true })
"""


def test_the_first_visit_opens_a_real_scene_that_can_be_asked(page: Page, tmp_path: Path) -> None:
    try:
        distribution(PACKAGE)
    except PackageNotFoundError:
        pytest.skip(f"{PACKAGE} is not installed; run make sample")
    with serving(tmp_path / "data", LANDLIKE_FIRST_SCENE="sample") as server:
        page.goto(server.url)
        expect(page.get_by_text("a real one is being opened for you to try")).to_be_visible()
        expect(page.get_by_text("Opening the sample scene")).to_be_visible()
        page.evaluate(WATCH)
        wait_for_views(page)
        assert not page.evaluate("window.__contradicted"), "a click was asked for beside patches being encoded"
        expect(page.get_by_text("900 patches of Virginia's barrier coast")).to_be_visible()
        expect(page.get_by_text("L1C · 2016-01-12 · all 13 bands")).to_be_visible()
        expect(map_frame(page).locator(".leaflet-control-attribution")).to_contain_text(
            "Contains modified Copernicus Sentinel data 2016", timeout=LONG
        )
        assert len(list(server.root.glob("scenes/s-*/origin/s2_B*.jp2"))) == 13, "it can be read again"
        click_a_point(page)
        wait_for_ranks(page, 20)
