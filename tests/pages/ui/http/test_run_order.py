"""What a run has drawn reaches the browser, and a click on a page's link is not lost, however busy the loop is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import MagicMock, patch

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache

from pages.ui.http.run_order import keep_runs_in_order
from pages.ui.http.together import hand_over_together

T = TypeVar("T")

MANY = """
import streamlit as st

for number in range(200):
    st.text(number)
"""

SCRIPT = """
import streamlit as st

@st.fragment
def click():
    st.text("answer of the click")

@st.fragment
def follow():
    st.text("how far a job is")

click()
follow()
"""


def _shown(session: AppSession) -> list[tuple[str, str]]:
    """What leaves for the browser now: texts, and the part of the page that each belongs to."""
    deltas = [message.delta for message in session.flush_browser_queue() if message.WhichOneof("type") == "delta"]
    texts = [delta for delta in deltas if delta.new_element.WhichOneof("type") == "text"]
    return [(delta.new_element.text.body, delta.fragment_id) for delta in texts]


def _run_out(session: AppSession) -> None:
    """Let a run draw to its end while the event loop sends nothing."""
    runner = session._scriptrunner
    assert runner is not None
    assert runner._script_thread is not None
    runner._script_thread.join(20)


async def _over(session: AppSession) -> None:
    while session._scriptrunner is not None:
        await asyncio.sleep(0.001)


async def _visit(script: Path) -> list[str]:
    session = AppSession(ScriptData(str(script), is_hello=False), MagicMock(), ScriptCache(), None, {})
    try:
        return await _texts_of(session)
    finally:
        await _over(session)
        session.shutdown()  # It closes the event loop of its scripts.


async def _texts_of(session: AppSession) -> list[str]:
    session.request_rerun(ClientState())
    await _over(session)
    (_, of_click), (job, of_job) = _shown(session)
    session.request_rerun(ClientState(fragment_id=of_click))
    _run_out(session)
    session.request_rerun(ClientState(fragment_id=of_job))  # Before anything of the click was sent.
    texts: list[str] = []
    while job not in texts:
        await asyncio.sleep(0.001)
        texts += [text for text, _ in _shown(session)]
    return texts


PAGES = """
import time
import streamlit as st

@st.fragment
def follow():
    st.text("how far a job is")

def jobs():
    follow()

def land():
    for _ in range(50):
        st.text("land")
        time.sleep(0.002)

st.navigation([st.Page(jobs, title="Jobs", default=True), st.Page(land, title="Land", url_path="land")]).run()
"""


async def _link(script: Path, moments: int) -> tuple[list[str], str]:
    """Click the link of another page and let the page before ask for a part of it after some moments.

    Gives the texts that were shown since, and the page that the browser was told of last.
    """
    session = AppSession(ScriptData(str(script), is_hello=False), MagicMock(), ScriptCache(), None, {})
    try:
        session.request_rerun(ClientState())
        await _over(session)
        ((_, of_job),) = _shown(session)
        before = session.page_script_hash
        (other,) = set(session._pages_manager.get_pages()) - {before}
        session.request_rerun(ClientState(page_script_hash=other))
        for _ in range(moments):
            await asyncio.sleep(0.001)
        assert session._scriptrunner is not None
        session.request_rerun(ClientState(page_script_hash=before, fragment_id=of_job))
        await _over(session)
        sent = session.flush_browser_queue()
        told = [message.new_session for message in sent if message.WhichOneof("type") == "new_session"]
        deltas = [message.delta.new_element.text.body for message in sent if message.WhichOneof("type") == "delta"]
        assert other == told[0].page_script_hash
        return [body for body in deltas if body], "land" if told[-1].page_script_hash == other else "jobs"
    finally:
        await _over(session)
        session.shutdown()


async def _wakes(script: Path) -> tuple[list[str], int]:
    """Let a run draw to its end while the loop does something else: what it drew, and how often it woke the loop."""
    session = AppSession(ScriptData(str(script), is_hello=False), MagicMock(), ScriptCache(), None, {})
    loop = asyncio.get_running_loop()
    try:
        with patch.object(loop, "call_soon_threadsafe", wraps=loop.call_soon_threadsafe) as wake:
            session.request_rerun(ClientState())
            _run_out(session)
            await _over(session)
            return [text for text, _ in _shown(session)], wake.call_count
    finally:
        await _over(session)
        session.shutdown()


def _done(visit: Coroutine[Any, Any, T]) -> T:
    for make_so in (keep_runs_in_order, hand_over_together):
        make_so()
        make_so()
    with patch.object(Runtime, "_instance", MagicMock()), ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, visit).result(20)  # This thread may have a loop: Playwright's.


def test_what_a_click_found_is_sent_though_a_panel_asks_for_its_own_run(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    assert _done(_visit(script)) == ["answer of the click", "how far a job is"]


@pytest.mark.parametrize("moments", [0, 20], ids=["before it runs", "while it runs"])
def test_a_click_on_a_link_is_not_lost_to_a_panel_of_the_page_before(tmp_path: Path, moments: int) -> None:
    script = tmp_path / "script.py"
    script.write_text(PAGES)
    texts, page = _done(_link(script, moments))
    assert page == "land"
    assert texts == ["land"] * 50


def test_a_run_wakes_the_loop_once_for_all_that_waits_and_not_for_each_element(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(MANY)
    texts, wakes = _done(_wakes(script))
    assert texts == [str(number) for number in range(200)]
    assert wakes < 10
