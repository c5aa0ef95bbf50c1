"""A real server and a real Chromium; every test marked ``browser`` uses them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.chromium import find
from tests.waiting import answers, free_port, until

expect.set_options(timeout=60_000)
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@dataclass
class Server:
    """A running app.

    Attributes:
        url: its address.
        root: its data directory.
        process: its process; kill it as you like.
        log: what it printed.
    """

    url: str
    root: Path
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)


def start(root: Path, port: int | None = None, **environment: str) -> Server:
    """Start the app on ``root`` and wait until it answers."""
    port = free_port() if port is None else port
    log = root.parent / f"{root.name}-{port}.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "serve", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "LANDLIKE_DATA": str(root), **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    server = Server(f"http://127.0.0.1:{port}", root, process, log)
    until(lambda: process.poll() is not None or answers(server.url), 60, "the app did not start in a minute")
    assert process.poll() is None, f"the app did not start:\n{log.read_text()}"
    return server


@contextmanager
def serving(root: Path, **environment: str) -> Iterator[Server]:
    server = start(root, **environment)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find()
    if path is None:
        reason = "Chromium is missing and could not be installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page at projector size that fails the test on any request that leaves this machine."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    strangers: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: _note(request.url, strangers))
    page.set_default_timeout(30_000)
    yield page
    context.close()
    assert strangers == [], "the page asked other machines"


def _note(url: str, strangers: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")):
        strangers.append(url)
