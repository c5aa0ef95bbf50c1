"""How long work tells how far it is; drawing it is the pages' and the command line's business."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called as ``progress(done, total)``, from any thread; it may raise ``JobCancelledError`` to stop the work."""


Doing = Callable[[str], None]
"""Called with what the work does before it can tell how far it is, such as ``checking file 3 of 13``."""


def silent(_done: int, _total: int) -> None:
    """Progress nobody watches."""


def unsaid(_words: str) -> None:
    """Tell nobody what is done."""


def part_of(progress: Progress, first: int, last: int) -> Progress:
    """Progress of one part of a work as thousandths of the whole, from ``first`` to ``last``."""

    def told(done: int, total: int) -> None:
        progress(first + (last - first) * done // max(total, 1), 1000)

    return told
