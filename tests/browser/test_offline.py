"""Chromium reaches this computer only."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error

from tests.browser.conftest import Chromium

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("host", ["example.com", "192.0.2.1"])
def test_other_computers_have_no_address(browser: Chromium, host: str) -> None:
    page = browser.new_page()
    try:
        with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
            page.goto(f"http://{host}/", timeout=10_000)
    finally:
        page.close()
