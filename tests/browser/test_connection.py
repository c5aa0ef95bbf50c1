"""Pages opened by their own address find their server, and one that is gone is spoken of in our words."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import serving, start

pytestmark = pytest.mark.browser
HOSTS = ("localhost", "127.0.0.1")


def test_a_page_opened_by_its_address_asks_for_nothing_that_is_not_there(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for address, heading in (("/scenes", "Scenes"), ("/models", "Models"), ("/models/", "Models")):
            page = browser.new_page()
            missing: list[str] = []
            page.on("response", lambda answer, found=missing: found.append(answer.url) if answer.status > 399 else None)
            page.goto(f"{server.url}{address}")
            expect(page.get_by_role("heading", name=heading).first).to_be_visible()
            page.get_by_role("link", name="Scenes").click()
            expect(page).to_have_url(f"{server.url}/scenes")
            page.close()
            assert missing == []


def test_a_server_that_is_gone_is_told_in_our_words_and_comes_back(browser: Browser, tmp_path: Path) -> None:
    server = start(tmp_path)
    pages = [browser.new_page() for _ in HOSTS]
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
        server = start(tmp_path, port=int(server.url.rsplit(":", 1)[1]))
        for page in pages:
            expect(page.get_by_role("dialog")).to_have_count(0)
            expect(page.get_by_role("heading", name="Scenes").first).to_be_visible()
    finally:
        for page in pages:
            page.close()
        server.stop()
