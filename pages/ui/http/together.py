"""What runs of pages draw is handed to the server's thread many messages at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import wraps
from weakref import WeakKeyDictionary

from streamlit.runtime.app_session import AppSession


def hand_over_together() -> None:
    """Have Streamlit's sessions wake the event loop once for all that waits for it; asking twice is as asking once.

    A run of a page draws in a thread of its own, and Streamlit 1.67 wakes the loop for each element that it draws. The
    loop then takes the interpreter, and the run waits until it gets that back: a hundred times for a click. The loop
    takes what came meanwhile in the order in which it came, and wakes no later than it would.
    """
    usual = AppSession._call_soon_on_event_loop
    if hasattr(usual, "__wrapped__"):
        return
    handed: WeakKeyDictionary[AppSession, deque[Callable[[], None]]] = WeakKeyDictionary()
    woken: WeakKeyDictionary[AppSession, bool] = WeakKeyDictionary()

    @wraps(usual)
    def call_soon(session: AppSession, callback: Callable[[], None]) -> None:
        waiting = handed.setdefault(session, deque())
        waiting.append(callback)
        if not woken.get(session):
            wake(session, waiting)

    def wake(session: AppSession, waiting: deque[Callable[[], None]]) -> None:
        woken[session] = True
        usual(session, lambda: take(session, waiting))

    def take(session: AppSession, waiting: deque[Callable[[], None]]) -> None:
        woken[session] = False  # First: what is appended from now on is seen below, or wakes the loop again.
        try:
            while waiting:
                waiting.popleft()()
        finally:
            if waiting:  # One of them failed, which is its own affair.
                wake(session, waiting)

    AppSession._call_soon_on_event_loop = call_soon  # type: ignore[method-assign]
