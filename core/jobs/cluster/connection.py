"""The connection to a Dask cluster: made when it is wanted, and again when it broke; who of its workers is fit."""

from __future__ import annotations

import logging
import pickle
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import distributed
from distributed.client import Client, Future
from distributed.scheduler import KilledWorker
from distributed.utils import CancelledError

from core.errors import JobCancelledError, JobError
from core.jobs.cluster.calls import CallAnswer, hush_dask, sealed, sealed_task
from core.jobs.cluster.desk import DeskNote, visit_desk
from core.jobs.cluster.fitness import facts_here, leave_mark, unfit
from core.jobs.scheduler import scheduler_answers

CONNECT_SECONDS = 10.0
"""How long a connection may take that somebody answers to; a broken one is given up after as long."""

_LOOK_SECONDS = 1.0
"""How often a scheduler that does not answer is tried, and the list of workers is asked for."""

POLL_SECONDS = 0.02
"""How often what is under way is looked at; what is asked is in this process."""

_BROKEN = (OSError, TimeoutError, CancelledError, RuntimeError)
"""What Dask raises when a connection breaks, or is closed meanwhile."""

_log = logging.getLogger(__name__)

Words = Callable[[str], None]
"""Is told what is waited for."""


class LostCallError(Exception):
    """A call whose connection broke: nobody will answer, and it is to be made again."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterCall:
    """A call that was made; asked by one thread.

    Attributes:
        asked: what is being done.
        client: who made it.
        comm: the connection by which it was made.
        future: Dask's own.
        allowed: addresses of the workers that may do it; empty = any.
    """

    asked: str
    client: Client
    comm: Any
    future: Future
    allowed: frozenset[str]

    def answer(self) -> CallAnswer | None:
        """Return what became of it; None while nothing has.

        Raises:
            LostCallError: when the connection broke.
            JobError: when the workers that did it died, again and again, or what came is no answer.
        """
        if self.client.scheduler_comm is not self.comm or self.future.status == "cancelled":
            raise LostCallError
        if self.future.status == "error":
            return self._explained()
        if self.future.status != "finished":
            return None
        try:
            found = self.future.result(timeout=CONNECT_SECONDS)
        except TimeoutError:
            return None  # Who held it died meanwhile; it is done again.
        except _BROKEN as error:
            raise LostCallError from error
        if not isinstance(found, CallAnswer):
            raise JobError(self.asked, "a worker gave what is no answer", "give all the same Landlike")
        return found

    def _explained(self) -> CallAnswer:
        try:
            error = self.future.exception(timeout=CONNECT_SECONDS)
        except _BROKEN as broken:
            raise LostCallError from broken
        if isinstance(error, KilledWorker):
            last = getattr(error.last_worker, "address", "unknown")
            found = (
                f"{error.allowed_failures + 1} workers died over it, the last one {last}, perhaps for want of memory"
            )
            raise JobError(self.asked, found, "give them more memory and start again") from error
        if isinstance(error, ImportError | AttributeError):
            return CallAnswer(worker="that did it", unfit=True)
        found = f"something unexpected went wrong on a worker ({type(error).__name__})"
        raise JobError(self.asked, found, "details are in its log") from error


class Cluster:
    """A Dask cluster by the address of its scheduler; safe from any thread.

    Args:
        address: such as ``tcp://10.0.0.1:8786``.
        root: the folder of the data, which all workers have to see.
        bucket: the address of the data, where the folder is a working copy: then workers have to reach that.
    """

    def __init__(self, address: str, root: Path, bucket: str = "") -> None:
        self.address, self._root, self._bucket = address, root, bucket
        self._lock = threading.RLock()
        self._client: Client | None = None
        self._tried = self._looked = -_LOOK_SECONDS
        self._known: dict[str, tuple[str, str]] = {}
        hush_dask()

    def workers(self, asked: str, waiting: Words, cancelled: Callable[[], bool]) -> list[str]:
        """Return addresses of the workers that are fit, at least one; waits for the scheduler and for them.

        Args:
            asked: what they are wanted for.
            waiting: told what is waited for, then an empty text.
            cancelled: asked meanwhile.

        Raises:
            JobError: when there are workers, and none is fit.
            JobCancelledError: when ``cancelled`` says so.
        """
        waited = False
        while True:
            if not self._connected():
                waiting(f"waiting for the Dask scheduler at {self.address}, which does not answer")
            elif fit := [worker for worker, (found, _) in self._known.items() if not found]:
                if waited:
                    waiting("")
                return fit
            elif self._known:
                found, remedy = next(iter(self._known.values()))
                raise JobError(asked, found, remedy)
            else:
                waiting(f"waiting for a worker of the Dask cluster at {self.address}, which has none")
            if cancelled():
                raise JobCancelledError(asked, "it was cancelled", "start it again when you like")
            waited = True
            time.sleep(POLL_SECONDS * 5)

    def call(
        self,
        asked: str,
        function: Callable[..., Any],
        *arguments: Any,  # noqa: ANN401  whatever it takes
        priority: float = 0,
        shun: Collection[str] = (),
        only: str = "",
    ) -> ClusterCall:
        """Have a worker call a function.

        Args:
            asked: what is being done, for the sentence of a failure.
            function: importable by name.
            arguments: its own.
            priority: what has more goes first.
            shun: addresses of workers that must not do it, unless no other is fit.
            only: the address of the worker that has to; empty = any that is fit.

        Raises:
            LostCallError: when there is no connection.
        """
        client = self._client
        comm = None if client is None else client.scheduler_comm
        if client is None or comm is None or client.status != "running":
            raise LostCallError
        allowed = {only} if only else self._allowed(shun)
        try:
            future = client.submit(
                pickle.loads,
                sealed_task(asked, function, *arguments),
                key=f"landlike-{uuid4().hex}",
                pure=False,
                priority=priority,
                workers=sorted(allowed) or None,
            )
        except _BROKEN as error:
            raise LostCallError from error
        return ClusterCall(asked=asked, client=client, comm=comm, future=future, allowed=frozenset(allowed))

    def look_again(self) -> None:
        """Ask at once who is there: a worker that is not fit did a call."""
        self._looked = -_LOOK_SECONDS

    def stranded(self, one: ClusterCall) -> bool:
        """Tell whether a call waits for workers that are all gone."""
        return bool(one.allowed) and self._connected() and one.allowed.isdisjoint(self._known)

    def drop(self, calls: Iterable[ClusterCall]) -> None:
        """Let go of calls: those that have not begun never will, and nobody hears of the others."""
        for one in calls:
            with suppress(*_BROKEN):
                one.client.cancel([one.future], force=True)

    def kill(self, one: ClusterCall) -> None:
        """End a call at once, with the process that does it; its nanny starts another."""
        try:
            doing = [worker for worker, keys in one.client.processing().items() if one.future.key in keys]
            self.drop([one])
            for worker in doing:
                one.client.restart_workers([worker], timeout=CONNECT_SECONDS)
        except (*_BROKEN, ValueError) as error:
            _log.warning("%s: the worker that does it could not be ended (%s)", one.asked, error)

    def visited(self, run: str, *, unwanted: bool, among: Collection[str] = ()) -> dict[str, DeskNote]:
        """Return how far a job is, by the addresses of the workers that are at it, or wait there for who is.

        Args:
            run: of the job.
            unwanted: True = they are told that nobody wants it any more.
            among: addresses of those to visit; empty = all that are fit.
        """
        client = self._client
        fit = [worker for worker, (found, _) in self._known.items() if not found and (not among or worker in among)]
        if client is None or not fit:
            return {}
        try:
            # A worker that died would be called for half a minute.
            there = [worker for worker in client.ncores() if worker in fit]
            if not there:
                return {}
            told = client.run(pickle.loads, sealed(visit_desk, run, unwanted), workers=there, on_error="ignore")
        except (*_BROKEN, ValueError, KeyError):
            return {}
        return {worker: one for worker, one in told.items() if isinstance(one, DeskNote)}

    def everywhere(self, function: Callable[[], object]) -> None:
        """Have every worker that is fit call a function, after all else; nobody waits for it."""
        if not self._connected():
            return
        for worker in [worker for worker, (found, _) in self._known.items() if not found]:
            with suppress(LostCallError):
                distributed.fire_and_forget(self.call("Warming up", function, only=worker, priority=-1e12).future)

    def close(self) -> None:
        """Let the connection go; harmless when repeated."""
        with self._lock:
            client, self._client, self._known = self._client, None, {}
        if client is not None:
            with suppress(*_BROKEN):
                client.close(timeout=2)

    def _allowed(self, shun: Collection[str]) -> set[str]:
        """Return who may do a call; none named = anybody, for a worker that is started again has another address."""
        fit = {worker for worker, (found, _) in self._known.items() if not found}
        return (fit - set(shun) or fit) if shun or len(fit) < len(self._known) else set()

    def _connected(self) -> bool:
        """Tell whether the scheduler answers, and know its workers then."""
        with self._lock:
            client = self._client
            if client is not None and client.status == "connecting":
                return False
            if client is not None and client.status != "running":
                self.close()
                client = None
            if client is None and time.monotonic() - self._tried >= _LOOK_SECONDS:
                client = self._connect()
                self._tried = time.monotonic()
            if client is None:
                return False
            try:
                self._look(client)
            except _BROKEN:
                return False
            return True

    def _connect(self) -> Client | None:
        if not scheduler_answers(self.address):
            return None
        with suppress(*_BROKEN):
            leave_mark(self._root, self._bucket)
            self._client = Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False, name="landlike")
            self._looked = -_LOOK_SECONDS
        return self._client

    def _look(self, client: Client) -> None:
        """Learn which workers there are by now, and ask the new ones whether they are fit."""
        hurry = 1 if any(not found for found, _ in self._known.values()) else 0.2
        if time.monotonic() - self._looked < _LOOK_SECONDS * hurry:
            return
        there = set(client.ncores())
        self._known = {worker: said for worker, said in self._known.items() if worker in there}
        new = sorted(there - self._known.keys())
        if new:
            ours = facts_here(self._root, self._bucket)
            told = client.run(
                pickle.loads, sealed(facts_here, self._root, self._bucket), workers=new, on_error="return"
            )
            for worker, theirs in told.items():
                if not isinstance(theirs, OSError):  # It went away again.
                    self._known[worker] = said = unfit(worker, theirs, ours, self._bucket or self._root)
                    if said[0]:
                        _log.warning("Using the cluster: %s; %s.", *said)
        self._looked = time.monotonic()


@cache
def cluster_at(address: str, root: Path, bucket: str = "") -> Cluster:
    """Return the connection of this process to a cluster."""
    return Cluster(address, root, bucket)
