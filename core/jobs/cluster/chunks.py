"""One function over many chunks, by all workers of a cluster; what comes back comes as it is done.

    for chunk, value in chunks_done(cluster, "Encoding “Virginia”", encode_part, chunks): …

``encode_part`` is importable by name, its argument and what it gives can be pickled.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from core.errors import JobCancelledError, JobError, LandlikeError
from core.files import disk_full, never, reason
from core.jobs.cluster.connection import POLL_SECONDS, Cluster, ClusterCall, LostCallError, Words

_AHEAD = 2
"""Chunks a worker has at once: one that it does, one that waits, so that it is never idle."""

MOST_FAULTS = 3
"""A chunk that failed on so many workers has failed."""

_log = logging.getLogger(__name__)

Chunk = TypeVar("Chunk")
Made = TypeVar("Made")


def untold(_words: str) -> None:
    """Tell nobody what is waited for."""


def chunks_done(
    cluster: Cluster,
    asked: str,
    function: Callable[[Chunk], Made],
    chunks: Iterable[Chunk],
    *,
    cancelled: Callable[[], bool] = never,
    waiting: Words = untold,
    since: float | None = None,
) -> Generator[tuple[Chunk, Made]]:
    """Yield chunks and what the function gave for them, in the order in which they are done; each once.

    A chunk whose worker died is done by another. One whose worker refused it, because its disk is full or it lacks an
    encoder, is done by others too, and that worker gets no more. When the scheduler is gone, it is waited for, and what
    was under way is done again. Chunks are taken as they can be done, so there may be any number of them.

    Args:
        cluster: whose workers do it.
        asked: what is being done, for people.
        function: does one chunk.
        chunks: what to do.
        cancelled: asked a few times a second.
        waiting: told what is waited for, while there is no scheduler or no worker; then an empty text.
        since: seconds since 1970; work that began earlier goes first. None = now.

    Raises:
        LandlikeError: what the function raised for one chunk on several workers; it names the last one.
        JobCancelledError: when ``cancelled`` says so.
    """
    work = _Spreading(cluster, asked, function, iter(chunks), priority=-(time.time() if since is None else since))
    try:
        while work.refill(waiting, cancelled):
            ended = list(work.ended())
            yield from ended
            if cancelled():
                raise JobCancelledError(asked, "it was cancelled", "start it again when you like")
            if not ended:
                time.sleep(POLL_SECONDS)
    finally:
        work.stop()


@dataclass(eq=False)
class _Try(Generic[Chunk]):
    """A chunk, the call that does it, and who failed over it."""

    chunk: Chunk
    call: ClusterCall | None = None
    failed: list[str] = field(default_factory=list)


class _Spreading(Generic[Chunk, Made]):
    """What is under way, and who gets no more."""

    def __init__(
        self,
        cluster: Cluster,
        asked: str,
        function: Callable[[Chunk], Made],
        chunks: Iterator[Chunk],
        *,
        priority: float,
    ) -> None:
        self._cluster, self._asked, self._function, self._chunks = cluster, asked, function, chunks
        self._priority = priority
        self._under_way: list[_Try[Chunk]] = []
        self._again: deque[_Try[Chunk]] = deque()
        self._shunned: set[str] = set()
        self._told = ""

    def refill(self, waiting: Words, cancelled: Callable[[], bool]) -> bool:
        """Have as many chunks under way as the workers can use; False when all are done."""
        if not self._under_way and not self._again and not self._next():
            return False
        there = self._cluster.workers(self._asked, self._telling(waiting), cancelled)
        usable = [worker for worker in there if worker not in self._shunned] or there
        self._reclaim()
        while len(self._under_way) < _AHEAD * len(usable) and (self._again or self._next()):
            one = self._again.popleft()
            try:
                one.call = self._cluster.call(
                    self._asked, self._function, one.chunk, priority=self._priority, shun=self._shunned
                )
            except LostCallError:
                self._again.appendleft(one)
                break
            self._under_way.append(one)
        return True

    def ended(self) -> Iterator[tuple[Chunk, Made]]:
        """Yield what was done since the last time."""
        for one in list(self._under_way):
            assert one.call is not None  # noqa: S101  for the type checker
            try:
                answer = one.call.answer()
            except LostCallError:
                self._take_back(one)
                continue
            if answer is None:
                continue
            if answer.error is None and not answer.unfit:
                self._under_way.remove(one)
                yield one.chunk, answer.value
            else:
                if answer.unfit:
                    self._cluster.look_again()
                self._fault(one, answer.worker, self._sentence(answer.worker, answer.error))

    def stop(self) -> None:
        """Let go of what is under way."""
        self._cluster.drop(one.call for one in self._under_way if one.call is not None)

    def _next(self) -> bool:
        """Queue the next chunk; False when there is none."""
        for chunk in self._chunks:
            self._again.append(_Try(chunk))
            return True
        return False

    def _telling(self, waiting: Words) -> Words:
        def tell(words: str) -> None:
            if words != self._told:
                self._told = words
                waiting(words)

        return tell

    def _take_back(self, one: _Try[Chunk]) -> None:
        self._under_way.remove(one)
        self._again.append(one)

    def _reclaim(self) -> None:
        """Take back what waits for workers that are gone."""
        for one in list(self._under_way):
            if one.call is not None and self._cluster.stranded(one.call):
                self._cluster.drop([one.call])
                self._take_back(one)

    def _fault(self, one: _Try[Chunk], worker: str, error: LandlikeError) -> None:
        """Leave a chunk that a worker refused to others, and that worker alone from now on."""
        self._take_back(one)
        one.failed.append(worker)
        self._shunned.add(worker)
        if len(set(one.failed)) >= MOST_FAULTS or len(one.failed) > len(set(one.failed)):
            raise error
        _log.warning("%s Others do its part.", error)

    def _sentence(self, worker: str, error: Any) -> LandlikeError:  # noqa: ANN401
        """Return what a worker raised as one sentence that names it."""
        if error is None:
            found = f"the worker {worker} has another Landlike"
            return JobError(self._asked, found, "give it the same one and start it again")
        if isinstance(error, LandlikeError):
            return JobError(self._asked, f"on the worker {worker}: {error.asked}: {error.found}", error.remedy)
        if disk_full(error):
            return JobError(self._asked, f"the disk of the worker {worker} is full", "free some of it")
        return JobError(self._asked, f"on the worker {worker}: {reason(error)}", "check its disk and its permissions")
