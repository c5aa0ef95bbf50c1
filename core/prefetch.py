"""Running an iterator in a thread of its own, a few items ahead of who takes them; nothing else."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from queue import Queue
from typing import TypeVar, cast

Item = TypeVar("Item")
_END = object()


def ahead(items: Iterable[Item], depth: int) -> Generator[Item]:
    """Yield the same items, made by a thread up to ``depth`` ahead.

    What the iterable raises is raised here. Closing the generator stops the thread after the item it is at; memory is
    that of ``depth`` + 2 items.
    """
    queue: Queue[object] = Queue(maxsize=max(1, depth))
    stop = threading.Event()
    failure: list[BaseException] = []
    thread = threading.Thread(target=_fill, args=(items, queue, stop, failure), daemon=True, name="ahead")
    thread.start()
    try:
        while (item := queue.get()) is not _END:
            yield cast(Item, item)
    finally:
        stop.set()
        while thread.is_alive():
            _drain(queue)
            thread.join(timeout=0.02)
    if failure:
        raise failure[0]


def _fill(items: Iterable[object], queue: Queue[object], stop: threading.Event, failure: list[BaseException]) -> None:
    try:
        for item in items:
            queue.put(item)
            if stop.is_set():
                break
    except BaseException as error:  # noqa: BLE001  carried to the thread that takes the items, and raised there
        failure.append(error)
    finally:
        if isinstance(items, Generator):
            items.close()
        queue.put(_END)


def _drain(queue: Queue[object]) -> None:
    while not queue.empty():
        queue.get_nowait()
