"""A real server and a real Chromium; every test marked ``browser`` uses them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, ViewportSize, expect, sync_playwright

from core.scenes.library import Library
from core.synthetic.landscape import make_synthetic, synthetic_id
from tests.chromium import find
from tests.trials import leave_word
from tests.waiting import answers, free_port, until

expect.set_options(timeout=60_000)
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-rasterization",  # without a graphics card it takes the processor twice as long
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
SCENE = synthetic_id(1280, 0)
PROJECTOR: ViewportSize = {"width": 1440, "height": 900}


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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a synthetic scene of 400 patches, ``SCENE``, which tests share; they may add scenes to it.

    ``test_first_scene.py`` begins without any.
    """
    root = tmp_path_factory.mktemp("data")
    make_synthetic(Library(root), size=1280)
    leave_word(root)
    with serving(root) as server:
        yield server


class Chromium:
    """The browser of this process, started anew where it has died: its own faults are no fault of the pages."""

    def __init__(self, playwright: Playwright, path: str) -> None:
        self._playwright, self._path = playwright, path
        self._browser: Browser | None = None

    def new_context(self, **options: Any) -> BrowserContext:
        """Return a visitor of its own, without a tab."""
        return self._alive().new_context(**options)

    def new_page(self, **options: Any) -> Page:
        """Return a tab of a visitor of its own, who goes with it."""
        return self._alive().new_page(**options)

    @contextmanager
    def with_profile(self, directory: Path) -> Iterator[Page]:
        """Give a tab of a browser of its own that keeps what it loads on disk, as a person's does."""
        context = self._playwright.chromium.launch_persistent_context(
            directory, executable_path=self._path, args=CHROMIUM_ARGUMENTS, viewport=PROJECTOR
        )
        try:
            yield context.pages[0]
        finally:
            context.close()

    def close(self) -> None:
        """End it."""
        if self._browser is not None:
            self._browser.close()

    def _alive(self) -> Browser:
        if self._browser is None or not self._browser.is_connected():
            self._browser = self._playwright.chromium.launch(executable_path=self._path, args=CHROMIUM_ARGUMENTS)
        return self._browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    path = find()
    if path is None:
        reason = "Chromium is missing and could not be installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = Chromium(playwright, path)
        yield chromium
        chromium.close()


class Tab:
    """One tab of a visitor, of which what leaves this machine is noted.

    Args:
        context: that of the visitor.
        page: the tab.
    """

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.strangers: list[str] = []
        self.context, self.page = context, page
        self.page.on("request", lambda request: self._note(request.url))
        self.page.set_default_timeout(30_000)

    def _note(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")):
            self.strangers.append(url)

    def forget(self) -> None:
        """Make who comes next a new visitor, at projector size."""
        self.context.clear_cookies()
        if self.page.url.startswith("http"):
            self.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
            self.page.goto("about:blank")  # The app would go on, and say in a dialog that its server is gone.
        self.page.set_viewport_size(PROJECTOR)

    def check(self) -> None:
        """Assert that nothing left this machine since it was asked last."""
        strangers, self.strangers[:] = list(self.strangers), []
        assert strangers == [], "the page asked other machines"


class TabInTurn:
    """The tab that the tests of this process use in turn.

    Its browser keeps on disk what it has compiled of the app's scripts, as a person's does. A visitor without a profile
    compiles the largest of them at each opening.
    """

    def __init__(self, browser: Chromium, directories: pytest.TempPathFactory) -> None:
        self._browser, self._directories = browser, directories
        self._open: ExitStack | None = None
        self._tab: Tab | None = None

    def take(self) -> Tab:
        """Return it, of a browser begun anew where there is none."""
        if self._tab is None:
            self._open = ExitStack()
            page = self._open.enter_context(self._browser.with_profile(self._directories.mktemp("profile")))
            self._tab = Tab(page.context, page)
        return self._tab

    def end(self) -> None:
        """Close it and its browser."""
        if self._open is not None:
            with suppress(Error):  # The browser may have died.
                self._open.close()
        self._open = self._tab = None


@pytest.fixture(scope="session")
def _in_turn(browser: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TabInTurn]:
    in_turn = TabInTurn(browser, tmp_path_factory)
    yield in_turn
    in_turn.end()


@pytest.fixture
def page(_in_turn: TabInTurn, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page at projector size that fails the test on any request that leaves this machine.

    It is the tab of the test before, unless that failed. Take ``own_page`` to leave listeners or scripts in it.
    """
    failed = request.session.testsfailed
    tab = _in_turn.take()
    yield tab.page
    if request.session.testsfailed > failed or tab.page.is_closed():
        _in_turn.end()
    else:
        tab.forget()
    tab.check()


@pytest.fixture
def own_page(browser: Chromium) -> Iterator[Page]:
    """A page as ``page`` is, in a tab that no other test has."""
    context = browser.new_context(viewport=PROJECTOR)
    tab = Tab(context, context.new_page())
    yield tab.page
    with suppress(Error):  # The browser may have died.
        context.close()
    tab.check()
