"""What a run has drawn reaches the browser, also where the next is asked for before the event loop has sent it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import MagicMock, patch

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache

from pages.ui.http.run_order import keep_runs_in_order

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


def test_what_a_click_found_is_sent_though_a_panel_asks_for_its_own_run(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    keep_runs_in_order()
    keep_runs_in_order()
    with patch.object(Runtime, "_instance", MagicMock()), ThreadPoolExecutor(1) as thread:
        texts = thread.submit(asyncio.run, _visit(script)).result(20)  # This thread may have a loop: Playwright's.
    assert texts == ["answer of the click", "how far a job is"]
