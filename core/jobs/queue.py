"""The queue of background jobs: kept on disk, resumed after a crash, shared by all who ask for the same work.

Jobs of a kind go through a lane (``core.jobs.lanes``), first come, first served; a thread here serves each slot of a
lane. What the work is belongs to the functions passed in, and how it is done inside a worker to ``core.jobs.worker``.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from core.errors import JobError, StoreError
from core.files import FileLock
from core.jobs.files import JobFiles, ProgressNote, Record
from core.jobs.lanes import JobKind, Lane, Slot
from core.jobs.worker import JobOutcome, unexpected

MAX_TRIES = 3
"""A job over which a worker died this often has failed."""

KEEP_SECONDS, KEEP_COUNT = 24 * 3600, 100
"""Finished jobs are forgotten after a day, or when there are more than so many."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A piece of background work as people see it.

    Attributes:
        id: names it.
        kind: ``ingest``, ``sample``, ``synthetic``, ``encode``, ``project``, ``groups``, ``trust``, ``train``,
            ``delete``, ``delete_features`` or ``fetch``.
        title: what it is, for people; may hold names that people typed.
        state: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``.
        done: units done.
        total: units in all, 0 = unknown.
        rate: units a second, smoothed; 0 = unknown.
        seconds_left: an estimate, or None when there is none.
        message: of what is done, the result, such as a scene's id; else the sentence of a failure.
        position: how many jobs go before it; 0 = its turn.
        stopping: True = it runs still, and somebody asked it to stop.
        ended: seconds since 1970 when it ended, 0 = it has not.
        doing: what it does before ``total`` is known, or what it waits for; or empty.
    """

    id: str
    kind: str
    title: str
    state: str
    done: int = 0
    total: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    message: str = ""
    position: int = 0
    stopping: bool = False
    ended: float = 0.0
    doing: str = ""

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in {"queued", "running"}


def job_id(kind: str, key: str) -> str:
    """Return the id of the job of a kind and key."""
    return hashlib.sha256(f"{kind}:{key}".encode()).hexdigest()[:20]


class JobQueue:
    """Jobs under ``root``/jobs; one server at a time; every method may be called from any thread.

    Args:
        root: folder of all data.
        kinds: kinds of jobs by name.
        lanes: where they run, by name.
        keep_seconds: finished jobs are forgotten after so long.
        keep_count: of more finished jobs than this, the earliest are forgotten.
    """

    def __init__(
        self,
        root: Path,
        kinds: Mapping[str, JobKind],
        lanes: Mapping[str, Lane],
        *,
        keep_seconds: float = KEEP_SECONDS,
        keep_count: int = KEEP_COUNT,
    ) -> None:
        self._files = JobFiles(root / "jobs")
        self._lock = FileLock(root / "jobs" / "server.lock")
        self._kinds, self._lanes = kinds, lanes
        self._keep_seconds, self._keep_count = keep_seconds, keep_count
        self._changed = threading.Condition()
        self._records: dict[str, Record] = {}
        self._threads: list[threading.Thread] = []
        self._closing = False

    def start(self) -> None:
        """Take up the jobs that an earlier server left, and begin to work.

        Raises:
            StoreError: when another server works on the same data.
        """
        if not self._lock.take():
            found = f"another server works on them (process {self._lock.holder()})"
            raise StoreError("Opening the data", found, "stop that one or choose another folder for the data")
        with self._changed:
            for record in self._files.records():
                if record.kind in self._kinds and record.id not in self._records:
                    self._take_up(record)
            self._prune()
        for name, lane in self._lanes.items():
            for slot in range(lane.slots):
                self._run_thread(self._serve, name, f"{name}-{slot}")
        self._run_thread(self._close_with_program, "", "close")

    def close(self) -> None:
        """Stop working; running jobs go on when the next server starts. Harmless when repeated."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread() and not thread.name.endswith("-close"):
                thread.join(timeout=10)
        self._lock.release()

    def submit(
        self, kind: str, key: str, title: str, payload: Mapping[str, Any] | None = None, after: str | None = None
    ) -> Job:
        """Ask for work; who asks for what already waits or runs gets the same job.

        Args:
            kind: kind of work.
            key: what makes two requests the same.
            title: what people read.
            payload: arguments as JSON values.
            after: id of a job that has to be done before; when it fails, so does this one.
        """
        with self._changed:
            name = job_id(kind, key)
            known = self._records.get(name)
            if known is None or not known.active:
                self._add(Record(
                    id=name, kind=kind, title=title, payload=dict(payload or {}), after=after, run=uuid4().hex,
                ))  # fmt: skip
            return self._job(self._records[name])

    def settled(self, kind: str, key: str, title: str, message: str) -> Job:
        """Return a job that is done because its result is there already."""
        with self._changed:
            name = job_id(kind, key)
            known = self._records.get(name)
            if known is None or known.state != "done":
                ended = time.time()
                self._add(Record(id=name, kind=kind, title=title, state="done", message=message, finished=ended))
            return self._job(self._records[name])

    def get(self, job_id: str) -> Job | None:
        """Return a job; None when it never was or is forgotten."""
        with self._changed:
            record = self._records.get(job_id)
            return None if record is None else self._job(record)

    def jobs(self) -> list[Job]:
        """Return all jobs, latest first, but those that were dismissed."""
        with self._changed:
            records = sorted(self._records.values(), key=lambda record: record.sequence, reverse=True)
            return [self._job(record, told=record.active) for record in records if not record.dismissed]

    def payload(self, job_id: str) -> Mapping[str, Any]:
        """Return the arguments a job was submitted with; empty for an unknown one."""
        record = self._records.get(job_id)
        return {} if record is None else record.payload

    def runs(self) -> dict[str, bool]:
        """Return the runs of all jobs that are known; True = its end is not on record yet."""
        with self._changed:
            return {record.run: record.active for record in self._records.values() if record.run}

    def cancel(self, job_id: str) -> None:
        """Stop a job, for all who asked for it; what it has done so far is kept."""
        with self._changed:
            record = self._records.get(job_id)
            if record is None or not record.active:
                return
            if record.state == "queued":
                self._end(record, _cancelled(record))
            else:
                self._files.ask_cancel(job_id)

    def dismiss(self, job_id: str) -> None:
        """Take a job that has ended off the list, for all; does nothing to one that waits or runs.

        Its record stays as long as any: who asked for it sees how it ended, and the same training goes on from it.
        """
        with self._changed:
            record = self._records.get(job_id)
            if record is not None and not record.active:
                self._put(replace(record, dismissed=True))

    def wait(self, job_id: str, timeout: float | None = None) -> Job:
        """Wait until a job has ended.

        Raises:
            JobError: when there is no such job, or time is up.
        """
        with self._changed:
            ended = self._changed.wait_for(
                lambda: job_id not in self._records or not self._records[job_id].active, timeout
            )
            if not ended or job_id not in self._records:
                found = "it has not ended in time" if not ended else "there is no such job"
                raise JobError("Waiting for background work", found, "look again later")
            return self._job(self._records[job_id])

    def _take_up(self, record: Record) -> None:
        """Go on with a record of an earlier server."""
        again = replace(record, state="queued", run=record.run or uuid4().hex)
        self._records[record.id] = again if record.active else record
        if record.active and self._files.cancel_asked(record.id):
            self._end(record, _cancelled(record))

    def _add(self, record: Record) -> None:
        """Take a new record in, behind all others, in place of an ended one of its id."""
        self._files.clear(record.id)
        last = max((other.sequence for other in self._records.values()), default=0)
        self._put(replace(record, sequence=last + 1))

    def _put(self, record: Record) -> None:
        """Keep a record, on disk first; when the disk is full, in memory at least."""
        try:
            self._files.write(record)
        except OSError as error:
            _log.warning("The record of a job could not be written: %s", error)
        self._records[record.id] = record
        self._changed.notify_all()

    def _end(self, record: Record, outcome: JobOutcome) -> None:
        self._put(replace(record, state=outcome.state, message=outcome.message, finished=time.time()))
        self._prune()

    def _prune(self) -> None:
        finished = [record for record in self._records.values() if not record.active]
        finished.sort(key=lambda record: record.finished, reverse=True)
        deadline = time.time() - self._keep_seconds
        for place, record in enumerate(finished):
            if place >= self._keep_count or record.finished < deadline:
                del self._records[record.id]
                self._files.remove(record.id)

    def _job(self, record: Record, *, told: bool = True) -> Job:
        """Return a job as people see it; ``told`` = with how far it came, which is read from the disk."""
        note = self._files.progress(record.id) if told and record.state != "queued" else ProgressNote()
        left = None
        if record.state == "running" and note.rate > 0 and note.total:
            left = max(0.0, (note.total - note.done) / note.rate - (time.time() - note.updated))
        return Job(
            id=record.id,
            kind=record.kind,
            title=record.title,
            state=record.state,
            done=note.done,
            total=note.total,
            rate=note.rate,
            seconds_left=left,
            message=record.message,
            position=self._position(record),
            stopping=record.state == "running" and self._files.cancel_asked(record.id),
            ended=record.finished,
            doing=note.doing,
        )

    def _position(self, record: Record) -> int:
        if record.state != "queued":
            return 0
        lane = self._kinds[record.kind].lane
        return sum(
            other.active and self._kinds[other.kind].lane == lane and other.sequence < record.sequence
            for other in self._records.values()
        )

    def _run_thread(self, target: Callable[[str], None], argument: str, name: str) -> None:
        thread = threading.Thread(target=target, args=(argument,), daemon=True, name=f"jobs-{name}")
        self._threads.append(thread)
        thread.start()

    def _close_with_program(self, _: str) -> None:
        """Let go of the workers when the program ends; else Python would wait for them to finish."""
        threading.main_thread().join()
        self.close()

    def _serve(self, lane: str) -> None:
        """Serve one slot: job after job until the queue closes."""
        slot = Slot(self._lanes[lane])
        while (record := self._take(lane, slot)) is not None:
            outcome = self._try(record, slot)
            if outcome is not None:
                with self._changed:
                    self._end(self._records[record.id], outcome)
                slot.settle(record)
        slot.stop()

    def _take(self, lane: str, slot: Slot) -> Record | None:
        """Return the next job of a lane, now running; waits for one, and warms its slot up meanwhile if that pays.

        None when the queue closes.
        """
        with self._changed:
            while not self._closing:
                ready = self._ready(lane)
                if ready is not None:
                    running = replace(ready, state="running")
                    self._files.forget_progress(ready.id)
                    self._put(running)
                    return running
                if slot.expects_work([one.kind for one in self._records.values() if one.state == "running"]):
                    slot.warm_up()
                if not self._changed.wait(slot.patience):
                    slot.warm_up()
        return None

    def _ready(self, lane: str) -> Record | None:
        """Return the first waiting job of a lane whose predecessor is done; those whose predecessor failed end here."""
        waiting = [record for record in self._records.values() if record.state == "queued"]
        for record in sorted(waiting, key=lambda record: record.sequence):
            before = self._records.get(record.after or "")
            if self._kinds[record.kind].lane != lane or (before is not None and before.active):
                continue
            if before is None or before.state == "done":
                return record
            self._end(record, JobOutcome(state=before.state, message=before.message))
        return None

    def _try(self, record: Record, slot: Slot) -> JobOutcome | None:
        """Run a job until it ends; None when the queue closes first. A worker that is killed is replaced."""
        kind = self._kinds[record.kind]
        outcome = None
        while outcome is None and not self._closing:
            try:
                outcome = slot.run(kind, self._files, self._records[record.id], lambda: self._closing)
            except BrokenExecutor:
                slot.stop()
                outcome = self._died(self._records[record.id])
            except Exception as error:  # noqa: BLE001  without its thread the lane would never end a job again
                outcome = unexpected(record.title, error)
        return outcome

    def _died(self, record: Record) -> JobOutcome | None:
        """Tell what follows from the death of a worker: an end, or None for another try."""
        if self._closing:
            return None
        if self._files.cancel_asked(record.id):
            return _cancelled(record)
        with self._changed:
            again = replace(record, tries=record.tries + 1)
            self._put(again)
        _log.warning("%s: the worker died (%d of %d tries)", record.title, again.tries, MAX_TRIES)
        if again.tries < MAX_TRIES:
            return None
        found = f"the process that did it was killed {MAX_TRIES} times, perhaps for want of memory"
        return JobOutcome(
            state="failed", message=str(JobError(record.title, found, "free some memory and start again"))
        )


def _cancelled(record: Record) -> JobOutcome:
    return JobOutcome(state="cancelled", message=str(JobError(record.title, "it was cancelled", "start it again")))
