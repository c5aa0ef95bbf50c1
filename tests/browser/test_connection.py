"""Pages opened by their own address find their server, and one that is gone is spoken of in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Response, expect

from pages.ui.http.splash import splash_page
from tests.browser.conftest import Server, start
from tests.trials import leave_word

pytestmark = pytest.mark.browser
HOSTS = ("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """A server without scenes; one that takes its place is added behind it."""
    root = tmp_path_factory.mktemp("data")
    leave_word(root)
    started = [start(root)]
    yield started
    started[-1].stop()


def test_a_page_opened_by_its_address_asks_for_nothing_that_is_not_there(page: Page, servers: list[Server]) -> None:
    url = servers[-1].url
    missing: list[str] = []

    def note(answer: Response) -> None:
        if answer.status > 399:
            missing.append(answer.url)

    page.on("response", note)
    try:
        for address, heading in (("/classify", ""), ("/models/", "Models"), ("/scenes", "Scenes")):
            page.goto(f"{url}{address}")
            expect(page.get_by_role("heading", name=heading).first).to_be_visible()
            page.get_by_role("link", name="Scenes").click()
            expect(page).to_have_url(f"{url}/scenes")
    finally:
        page.remove_listener("response", note)
    assert missing == []
    a_page_that_is_empty_for_a_while_says_that_it_is_being_made(page)


def a_page_that_is_empty_for_a_while_says_that_it_is_being_made(page: Page) -> None:
    expect(page.get_by_role("heading", name="Scenes").first).to_be_visible()
    said = "one => getComputedStyle(one, '::before').content"
    assert page.locator(".stMainBlockContainer").evaluate(said) == "none"
    page.locator(".stMainBlockContainer > .stVerticalBlock").evaluate("one => one.remove()")
    assert "is being made" in page.locator(".stMainBlockContainer").evaluate(said)


def test_another_threshold_is_in_the_address_and_no_step_of_the_history(page: Page, servers: list[Server]) -> None:
    url = servers[-1].url
    page.goto(f"{url}/health")
    (script,) = re.findall(r"</title><script>(.*?)</script>", splash_page(), re.DOTALL)
    page.evaluate(script)
    push = "address => { history.pushState({}, '', address); return history.length; }"
    length = page.evaluate(push, "?scene=s&q=3")
    assert page.evaluate(push, "?scene=s&q=3&above=0.9") == length
    expect(page).to_have_url(f"{url}/health?scene=s&q=3&above=0.9")
    assert page.evaluate(push, "?scene=s&q=4") == length + 1
    page.go_back()
    expect(page).to_have_url(f"{url}/health?scene=s&q=3&above=0.9")


def test_a_server_that_is_gone_is_told_in_our_words_and_comes_back(page: Page, servers: list[Server]) -> None:
    server, other = servers[-1], page.context.new_page()
    pages = [page, other]
    try:
        for page, host in zip(pages, HOSTS, strict=True):
            page.goto(f"{server.url.replace('127.0.0.1', host)}/scenes")
            expect(page.get_by_role("heading", name="Scenes").first).to_be_visible()
        server.stop()
        for page in pages:
            dialog = page.get_by_role("dialog")
            expect(dialog).to_contain_text("Landlike does not answer")
            expect(dialog).to_contain_text("start it again in a terminal by")
            expect(dialog).to_contain_text("make run")
            expect(dialog).not_to_contain_text("treamlit")
        servers.append(start(server.root, port=int(server.url.rsplit(":", 1)[1])))
        for page in pages:
            expect(page.get_by_role("dialog")).to_have_count(0)
            expect(page.get_by_role("heading", name="Scenes").first).to_be_visible()
    finally:
        other.close()
