"""An upload as large as a product: memory of the web process while a real browser sends it, and when it is added."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page

from core.scenes.library import Library
from tests.browser.conftest import browser, serving
from tests.browser.conftest import own_page as page
from tests.browser.views import LONG
from tests.scenes import add_scene
from tests.waiting import until

pytestmark = pytest.mark.bench
__all__ = ["browser", "page"]

UPLOADER = "[class*='st-key-upload_files_'] input[type=file]"
ADD = ".st-key-upload_add button:enabled"
MEGABYTES = 800
MOST_MORE = 100
"""Megabytes that the process may have more at its peak."""


def peak_megabytes(process: int) -> float:
    """Return the most resident memory that a process has had, or the memory it has where that is not known."""
    status = Path(f"/proc/{process}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peak = [int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM")]
    return peak[0] if peak else psutil.Process(process).memory_info().rss / 1e6


def written(path: Path) -> Path:
    block = os.urandom(2**20)
    with path.open("wb") as file:
        file.write(b"PK")
        for _ in range(MEGABYTES * 10**6 // len(block)):
            file.write(block)
    return path


def test_an_upload_of_800_mb(page: Page, tmp_path: Path) -> None:
    add_scene(Library(tmp_path / "data"), "t-1", name="Fields", height=64, width=64)
    file = written(tmp_path / "product.zip")
    with serving(tmp_path / "data") as server:
        page.goto(f"{server.url}/scenes")
        page.locator(UPLOADER).wait_for(state="attached", timeout=LONG)
        page.locator(".card-name").first.wait_for(timeout=LONG)
        time.sleep(4)  # What other pages need is imported beside.
        before = peak_megabytes(server.process.pid)
        began = time.perf_counter()
        page.locator(UPLOADER).set_input_files(file)
        page.locator(ADD).wait_for(timeout=10 * LONG)
        taken, sent = time.perf_counter() - began, peak_megabytes(server.process.pid)
        page.locator(ADD).click()
        page.locator(ADD).wait_for(state="detached", timeout=10 * LONG)
        added = peak_megabytes(server.process.pid)
        arrived = [path for path in (tmp_path / "data" / "uploads").rglob("*") if path.is_file()]
        until(lambda: not any(path.exists() for path in arrived), 60, "the upload stays on the disk")
    print(f"\n{MEGABYTES} MB sent in {taken:.1f} s; peak of the web process {before:.0f} MB before, "
          f"{sent:.0f} when it was there, {added:.0f} when it was added")  # fmt: skip
    assert added <= before + MOST_MORE
