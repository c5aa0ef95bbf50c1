"""Teaching an encoder as a person does it: label patches, start a training, watch it, use what it gave."""

from __future__ import annotations

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.browser.conftest import SCENE, Server
from tests.browser.views import LONG, map_frame, tiles, wait_for_query, wait_for_views

pytestmark = pytest.mark.browser


def label(page: Page, place: int, name: str) -> None:
    """Ask for the picture at a place of the gallery, and label it and the patches most like it."""
    before = next((tile["patch"] for tile in tiles(page) if tile["rank"] == "Query"), None)
    page.locator(".gallery .tile").nth(place).click()
    wait_for_query(page, before)
    page.get_by_test_id("stPopoverButton").filter(has_text="Label").click()
    page.locator(".st-key-label_panel").get_by_text("most like it").click()
    choice = page.locator(".st-key-label_class input")
    choice.fill(name)
    choice.press("Enter")
    page.locator(".st-key-label_give button:not([disabled])").click()
    expect(page.locator(".st-key-label_panel")).to_contain_text(f"21 patches labelled {name}", timeout=LONG)
    page.keyboard.press("Escape")
    page.locator(".st-key-clear button").first.click()
    expect(page.locator(".gallery .tile.query")).to_have_count(0, timeout=LONG)


def test_labels_teach_an_encoder_that_is_used(page: Page, server: Server) -> None:
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        said.append(message.text)

    page.on("console", note)
    try:
        labels_teach_an_encoder_that_is_used(page, server, said)
    finally:
        page.remove_listener("console", note)


def labels_teach_an_encoder_that_is_used(page: Page, server: Server, said: list[str]) -> None:
    page.goto(f"{server.url}/?scene={SCENE}")
    wait_for_views(page)
    label(page, 0, "Shore <i>")
    label(page, 5, "Upland")
    legend = page.locator(".ll-plot .key .chip b")
    expect(legend.filter(has_text="Shore <i>")).to_have_count(1, timeout=LONG)
    expect(legend.filter(has_text="Upland")).to_have_count(1)
    expect(map_frame(page).locator(".landlike-legend-title").filter(has_text="Upland")).to_have_count(1)

    page.get_by_test_id("stPopoverButton").filter(has_text="Label").click()
    page.locator(".st-key-label_teach button").click()
    expect(page.locator(".st-key-teach")).to_contain_text("your labels", timeout=LONG)
    page.locator(".st-key-teach_how label", has_text="The last step").click()
    title = page.locator(".st-key-teach_title input")
    title.fill("Two lands")
    title.press("Enter")
    page.locator(".st-key-teach_start button:not([disabled])").click()
    expect(page.get_by_text("Training “Two lands”")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Held-out patches named rightly").first).to_be_visible(timeout=LONG)

    expect(page.locator("[class*=st-key-training_]").locator("canvas, svg.marks")).to_have_count(2, timeout=LONG)

    expect(page.get_by_text("“Two lands” is ready.")).to_be_visible(timeout=LONG)
    assert not [text for text in said if "Infinite extent" in text], "charts have a range before they have data"
    page.locator("[class*=st-key-use_ready_] button").click()
    wait_for_views(page)
    expect(page.get_by_role("combobox", name="Encoder")).to_have_value("Two lands")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
