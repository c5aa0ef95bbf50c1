"""A job on its way to a worker, and how it is done there: once, where the worker has the data, for whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from core.config import Config
from core.errors import JobCancelledError, LandlikeError, StoreError
from core.files import locked
from core.jobs.cluster.desk import DESK
from core.jobs.cluster.run import GivenFile, Run, RunEnd, sweep_worker
from core.jobs.files import ProgressNote
from core.jobs.worker import ON_WORKER, JobTask, perform
from core.mirror.opening import at_worker

PATHS = "paths"
"""The argument of a job that names the files which it reads."""


@dataclass(frozen=True, kw_only=True)
class Errand:
    """One job as a worker gets it.

    Attributes:
        task: does the work; importable by name.
        run: names its run.
        title: what people read.
        payload: arguments as JSON values.
        given: the files that it reads, those of ``payload`` by the same numbers.
        config: where the server has the data.
    """

    task: JobTask
    run: str
    title: str
    payload: Mapping[str, Any]
    given: tuple[GivenFile, ...]
    config: Config


def perform_once(errand: Errand) -> RunEnd:
    """Do a job in a worker as ``perform`` does, unless another worker does it or has done it.

    A connection that broke says nothing of the work behind it: that may go on, on a worker that nobody hears of. So
    whoever does a job holds a lock, and keeps the result; who comes after it gives that result.
    """
    with DESK.at(errand.run):
        try:
            return _done_here(errand, at_worker(errand.config))
        except JobCancelledError as error:
            return RunEnd(state="cancelled", message=str(error))
        except LandlikeError as error:
            return _refused(errand, error)


def _done_here(errand: Errand, here: Config) -> RunEnd:
    _swept(here)
    run = Run(here, errand.run)

    def unwanted() -> bool:
        return DESK.cancel_asked(errand.run)

    def waiting(words: str) -> None:
        DESK.note(errand.run, ProgressNote(doing=words))

    try:
        with locked(run.lock, unwanted, waiting):
            known = run.kept()
            if known is not None:
                return known
            DESK.begin(errand.run)
            end = _performed(errand, run, unwanted)
            if end.state == "done":
                run.keep(end)
            return end
    finally:
        run.leave()


def _performed(errand: Errand, run: Run, unwanted: Callable[[], bool]) -> RunEnd:
    """Do the work on the files that were given."""
    paths = run.take(errand.given, errand.title)
    payload = {**errand.payload, PATHS: list(map(str, paths))} if PATHS in errand.payload else errand.payload
    refusals: list[LandlikeError] = []

    def refused(error: LandlikeError) -> str:
        refusals.append(error)
        return str(error)

    outcome = perform(errand.task, DESK, errand.run, errand.title, payload, refused=refused)
    if refusals and _at_fault(errand, refusals[0]):
        return _refused(errand, refusals[0])
    gone = run.gone(errand.given, paths)
    made = run.send_back(outcome.made, unwanted)
    return RunEnd(state=outcome.state, message=outcome.message, gone=gone, made=made)


def _at_fault(errand: Errand, error: LandlikeError) -> bool:
    """Tell whether a failure is one of this worker, whose disk is its own, and not of the job or of the bucket."""
    return bool(errand.config.bucket) and type(error) is StoreError


def _refused(errand: Errand, error: LandlikeError) -> RunEnd:
    """Return the end of a job that was refused, in a sentence that names the worker when that is at fault."""
    if not _at_fault(errand, error):
        return RunEnd(state="failed", message=str(error))
    from distributed import get_worker

    about = "" if error.asked == errand.title else f"{error.asked}: "
    found = f"{ON_WORKER} {get_worker().address}: {about}{error.found}"
    return RunEnd(state="failed", message=str(StoreError(errand.title, found, error.remedy)), faulty=True)


@cache
def _swept(here: Config) -> None:
    """Remove, once a process, what a worker before it left that was killed."""
    sweep_worker(here)
