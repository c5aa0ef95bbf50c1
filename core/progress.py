"""How long work tells how far it is; drawing it is the pages' and the command line's business."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called as ``progress(done, total)``, from any thread; it may raise ``JobCancelledError`` to stop the work."""


def silent(_done: int, _total: int) -> None:
    """Progress nobody watches."""


def part_of(progress: Progress, first: int, last: int) -> Progress:
    """Progress of one part of a work as thousandths of the whole, from ``first`` to ``last``."""

    def told(done: int, total: int) -> None:
        progress(first + (last - first) * done // max(total, 1), 1000)

    return told
