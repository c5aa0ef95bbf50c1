"""Runs of a page in order: what one has drawn is sent before the next begins, and a page that was left stays left."""

from __future__ import annotations

from collections import deque
from functools import wraps
from weakref import WeakKeyDictionary

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType
from streamlit.runtime.scriptrunner_utils.script_run_context import SCRIPT_RUN_CONTEXT_ATTR_NAME

MOMENT_SECONDS = 0.002
PATIENCE = 2500
"""Moments after which a run that was told to stop, and does not, is waited for no longer."""


def keep_runs_in_order() -> None:
    """Have Streamlit's sessions begin no run before the one that just ended is sent; asking twice is as asking once.

    A run draws in a thread of its own and hands what it drew to the event loop. Where it has ended and the loop, busy
    with pictures, has not sent all of it, Streamlit 1.67 begins the next run at once, takes the ended one for one that
    was stopped, and throws away what is left of it (``AppSession._handle_scriptrunner_event_on_event_loop``). A panel
    that follows a job asks for a run twice a second: what a click had found was then lost on its way.

    A browser that has not heard yet of the page that was clicked goes on asking for parts of the page before. While the
    new page's run waits, Streamlit takes such a part and that run for one, and runs the page that comes last: the click
    was lost, and on a busy computer seldom or often. While the new page runs, the part came after it, under the page
    before, and the browser emptied itself. Parts of a page that was left are therefore not run.
    """
    usual = AppSession.request_rerun
    if hasattr(usual, "__wrapped__"):
        return
    asked: WeakKeyDictionary[AppSession, deque[ClientState | None]] = WeakKeyDictionary()

    @wraps(usual)
    def request_rerun(session: AppSession, client_state: ClientState | None) -> None:
        waiting = asked.setdefault(session, deque())
        waiting.append(client_state)
        if len(waiting) == 1:  # Else the first of them looks after all, in the order in which they came.
            begin(session, waiting, PATIENCE)

    def begin(session: AppSession, waiting: deque[ClientState | None], moments: int) -> None:
        while waiting:
            if moments and _is_ending(session):
                session._event_loop.call_later(MOMENT_SECONDS, begin, session, waiting, moments - 1)
                return
            client_state = waiting.popleft()
            if client_state is None or not _is_left(session, client_state):
                usual(session, client_state)

    AppSession.request_rerun = request_rerun  # type: ignore[method-assign]


def _is_ending(session: AppSession) -> bool:
    """Return whether a session's run takes no more requests and has not yet said that it is over."""
    runner = session._scriptrunner
    return runner is not None and runner._requests._state is ScriptRequestType.STOP


def _is_left(session: AppSession, asked: ClientState) -> bool:
    """Return whether a part of a page is asked for while another page runs, or waits to."""
    runner = session._scriptrunner
    if runner is None or not asked.fragment_id or not asked.page_script_hash:
        return False
    context = getattr(runner._script_thread, SCRIPT_RUN_CONTEXT_ATTR_NAME, None)
    running = context.page_script_hash if context is not None else ""  # Empty until its first run has begun.
    page = running or runner._requests._rerun_data.page_script_hash
    return bool(page) and page != asked.page_script_hash
