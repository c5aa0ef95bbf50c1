"""What lies behind closed buttons is drawn after all that is seen, so that a click is answered before it is made.

The browser has what stands behind a button before that is opened; nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from streamlit.delta_generator import DeltaGenerator

_WAITING: ContextVar[list[tuple[DeltaGenerator, Callable[[], None]]] | None] = ContextVar("panels", default=None)


@contextmanager
def seen_first() -> Iterator[None]:
    """Draw what ``filled_last`` is given inside at the end, in the order in which it came."""
    waiting: list[tuple[DeltaGenerator, Callable[[], None]]] = []
    before = _WAITING.set(waiting)
    try:
        yield
    finally:
        _WAITING.reset(before)
    for box, draw in waiting:
        with box:
            draw()


def filled_last(box: DeltaGenerator, draw: Callable[[], None]) -> None:
    """Draw what a button opens: at the end of ``seen_first``, and at once outside of it.

    Args:
        box: what opens, such as a popover.
        draw: draws what is in it.
    """
    waiting = _WAITING.get()
    if waiting is None:
        with box:
            draw()
    else:
        waiting.append((box, draw))
