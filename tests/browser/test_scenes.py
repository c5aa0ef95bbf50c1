"""The table of the Scenes page under a pointer and a keyboard, which nothing else can tell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from core.scenes.library import Library
from pages.ui.scenes.table import HEADER_HEIGHT, ROW_HEIGHT
from tests.browser.conftest import Server, serving
from tests.scenes import add_scene
from tests.trials import leave_word

pytestmark = pytest.mark.browser
NAMES = ("Marsh", "Delta", "Alps")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("data")
    for number, name in enumerate(NAMES):
        created = f"2024-06-2{3 - number}T00:00:00+00:00"
        add_scene(Library(root), f"t-{number}", name=name, created=created, height=64, width=64)
    leave_word(root)
    with serving(root) as server:
        yield server


def click_row(page: Page, row: float) -> None:
    """Click into the name of a row, not its button."""
    box = page.get_by_test_id("stDataFrame").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 200, box["y"] + HEADER_HEIGHT + ROW_HEIGHT * (row + 0.5))


def test_a_click_on_a_row_shows_its_details_where_a_name_is_changed_and_a_deletion_undone(
    page: Page, server: Server
) -> None:
    page.goto(f"{server.url}/scenes")
    name = page.locator(".card-name")
    expect(name).to_have_text("Marsh")
    click_row(page, 1)
    expect(name).to_have_text("Delta")
    click_row(page, -0.9)  # The header: sorted by name.
    click_row(page, 0)
    expect(name).to_have_text("Alps")
    click_row(page, 2)
    expect(name).to_have_text("Marsh")
    enter_saves_a_name_and_closes_and_a_deletion_is_undone(page)


def enter_saves_a_name_and_closes_and_a_deletion_is_undone(page: Page) -> None:
    page.get_by_role("button", name="Rename").click()
    field = page.get_by_label("Name", exact=True)
    field.fill("Salt marsh")
    field.press("Enter")
    expect(page.locator(".card-name")).to_have_text("Salt marsh")
    expect(field).to_have_count(0)
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".card-name")).to_have_text("Delta")
    page.reload()
    page.get_by_text("Deleted: 1 scene").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".card-name")).to_have_text("Salt marsh")
