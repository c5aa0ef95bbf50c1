"""A batch from beginning to end: what is done already is left alone, the rest is done in turn and told.

Several runs may write into one storage. They hold no locks: before an input is begun its record is looked at, and who
writes it second takes the first one's (``ledger``). A run that meets another goes on in an order of its own.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from core.config import Config
from core.engine.batch.catalogue import publish
from core.engine.batch.inputs import BatchInput
from core.engine.batch.ledger import Ledger
from core.engine.batch.record import InputRecord, record_key
from core.engine.batch.wish import BatchWish
from core.engine.batch.work import (
    SCRATCH_FOLDER,
    EmbedTask,
    drop_scratch,
    embed_input,
    finished,
    prepared,
    sweep_scratch,
)
from core.errors import LandlikeError, StoreError
from core.prefetch import ahead
from core.storage.address import open_storage
from core.storage.base import ObjectInfo

PUBLISH_SECONDS = 60.0
"""What is said of the whole is written at most this often while a batch goes on, and takes a tenth of its time."""

_AT_ONCE = 16
"""Inputs that are looked at together."""

BatchState = Literal["written", "there already", "failed"]


@dataclass(frozen=True, kw_only=True)
class BatchStep:
    """What became of one input in this run.

    Attributes:
        state: ``there already`` also where another run did it meanwhile.
        record: of it.
    """

    state: BatchState
    record: InputRecord


class SceneMap(Protocol):
    """Does tasks, here or on workers, and yields a record each as they end, in any order."""

    def __call__(self, tasks: Iterator[EmbedTask]) -> Generator[InputRecord]:
        """Take a task from the iterator only when it can be begun.

        Raises:
            StoreError: when the storage cannot be written.
        """


def in_turn(tasks: Iterator[EmbedTask]) -> Generator[InputRecord]:
    """Do one task after another in this process; while one is encoded the next is read."""
    with closing(ahead((prepared(task) for task in tasks), depth=1)) as read:
        for one in read:
            yield finished(one)


def on_cluster(config: Config, waiting: Callable[[str], None] = lambda _words: None) -> SceneMap:
    """Return a map of whole scenes over the workers of the Dask cluster that is configured.

    Args:
        config: with a scheduler.
        waiting: told what is waited for, while there is no scheduler or no worker.
    """

    def mapped(tasks: Iterator[EmbedTask]) -> Generator[InputRecord]:
        from core.jobs.cluster.chunks import chunks_done
        from core.jobs.cluster.connection import cluster_at

        cluster = cluster_at(config.scheduler, config.root, config.bucket)
        spreading = chunks_done(cluster, "Embedding many scenes", embed_input, tasks, waiting=waiting)
        with closing(spreading) as done:
            yield from (record for _task, record in done)

    return mapped


def run_batch(
    inputs: Sequence[BatchInput],
    wish: BatchWish,
    out: str,
    config: Config,
    *,
    mapped: SceneMap = in_turn,
    begun: Callable[[int, int], None] = lambda _todo, _all: None,
) -> Iterator[BatchStep]:
    """Embed what is not there yet, and yield what became of each input as it ends.

    Args:
        inputs: all of the batch.
        wish: how they are embedded.
        out: address of the storage.
        config: where models lie.
        mapped: does the tasks.
        begun: told how many are to be done, and how many there are.

    Raises:
        StoreError: when the storage or the disk cannot be written; what is done is kept, and is not done again.
    """
    sweep_scratch(config)
    batch = _Batch(inputs, wish, out, config)
    there = batch.sort_out()
    begun(len(batch.todo), len(inputs))
    yield from (BatchStep(state="there already", record=record) for record in there)
    reachable = True
    try:
        with closing(mapped(batch.tasks())) as records:
            for record in records:
                yield batch.settled(record)
                batch.publish_at_times()
        yield from batch.found
    except StoreError:
        reachable = False
        raise
    finally:
        drop_scratch(config.root / SCRATCH_FOLDER)
        if reachable:
            publish(batch.ledger)


class _Batch:
    """One run: what is known of its inputs, and what is left to do."""

    def __init__(self, inputs: Sequence[BatchInput], wish: BatchWish, out: str, config: Config) -> None:
        self.inputs, self.wish, self.out, self.config = inputs, wish, out, config
        self.ledger = Ledger(open_storage(out))
        self.todo: list[BatchInput] = []
        self.found: list[BatchStep] = []
        self._objects: dict[str, ObjectInfo] = {}
        self._alone, self._moved = True, False
        self._published, self._took = time.monotonic(), 0.0

    def key(self, one: BatchInput) -> str:
        """Return where the record of an input is kept."""
        return record_key(one.identity, self.wish.place)

    def sort_out(self) -> list[InputRecord]:
        """Return records of inputs that need nothing; the others are to be done."""
        self.ledger.refresh()
        self._objects = {info.key: info for info in self.ledger.storage.list()}
        here = {self.key(one) for one in self.inputs}
        self._moved = any(record.key not in here and record.wish == self.wish.digest for record in self.ledger.records)
        known = [self.ledger.known(self.key(one)) for one in self.inputs]
        counting = [record if record is not None and self._counts(record) else None for record in known]
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # Those of buckets are asked for far away.
            asked = [one for one, record in zip(self.inputs, counting, strict=True) if record is not None]
            states = {self.key(one): state for one, state in zip(asked, pool.map(_state, asked), strict=True)}
        done = []
        for one, record in zip(self.inputs, counting, strict=True):
            same = record is not None and record.state == states[self.key(one)]
            whole = self.ledger.whole(record, self._objects) if same and record is not None else None
            if whole is None:
                self.todo.append(one)
            else:
                done.append(whole if whole == record else self.ledger.settle(whole))
        return done

    def tasks(self) -> Iterator[EmbedTask]:
        """Yield what is left to do; what turns out to be done is noted as found."""
        left = list(reversed(self.todo))
        while left:
            one = left.pop()
            if self.ledger.changed(key := self.key(one)):
                theirs = self.ledger.look(key)
                if theirs is not None and self._counts(theirs) and theirs.state == _state(one):
                    self.found.append(BatchStep(state="there already", record=theirs))
                    if self._alone:
                        self._alone = False
                        random.SystemRandom().shuffle(left)
                    continue
            if (same := self._same_content(one)) is not None:
                self.found.append(BatchStep(state="there already", record=self.ledger.settle(same)))
                continue
            # A worker does all of an input by itself.
            yield EmbedTask(input=one, wish=self.wish, out=self.out, config=replace(self.config, scheduler=""))

    def settled(self, record: InputRecord) -> BatchStep:
        """Write the record of what was done, and tell what became of it."""
        counts = self.ledger.settle(record)
        if not counts.done:
            return BatchStep(state="failed", record=counts)
        return BatchStep(state="written" if counts is record else "there already", record=counts)

    def publish_at_times(self) -> None:
        """Say what is said of the whole, unless that was just done."""
        began = time.monotonic()
        if began - self._published > max(PUBLISH_SECONDS, 10 * self._took):
            publish(self.ledger)
            self._published = time.monotonic()
            self._took = self._published - began

    def _counts(self, record: InputRecord) -> bool:
        return record.done and record.wish == self.wish.digest

    def _same_content(self, one: BatchInput) -> InputRecord | None:
        """Return a record for an input that was only touched or moved since it was done; None where it is to be done.

        Its files are read for that, so it is asked only where an input may be such a one, and when it is its turn.
        """
        before = self.ledger.known(self.key(one))
        if not self._moved and (before is None or not self._counts(before)):
            return None
        try:
            state, content = one.state(), one.content()
        except LandlikeError:
            return None  # What is the matter with it is told when it is read.
        found = self.ledger.of_content(content, self.wish.digest)
        whole = None if found is None else self.ledger.whole(found, self._objects)
        if whole is None:
            return None
        return replace(whole, input=one.name, identity=one.identity, state=state)


def _state(one: BatchInput) -> str:
    try:
        return one.state()
    except LandlikeError:
        return ""
