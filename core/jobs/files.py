"""Files of background jobs: their records, how far they are, and wishes to cancel them. Running them is ``jobs.queue``.

In one directory, for a job of some id:

    <id>.json      the record, written by the server only
    <id>.progress  how far it is, written by who does the work, a few times a second
    <id>.cancel    exists when somebody wants it to stop

They belong to the server; workers of a cluster tell it how far they are (``core.jobs.cluster.desk``).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.files import replacing, write_atomically

ACTIVE = frozenset({"queued", "running"})


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known about a job on disk.

    Attributes:
        id: names the files; made of what makes two requests the same.
        kind: kind of work.
        title: what people read.
        payload: arguments of the work, as JSON.
        state: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``.
        message: sentence of a failure, or the result of what is done.
        after: id of a job that has to be done before, or None.
        tries: how often a worker died over it.
        sequence: order of submission.
        finished: seconds since 1970 when it ended, 0 = it has not.
        dismissed: True = people have read how it ended, so lists leave it out.
        run: names this submission, which none other has, of this server or another.
    """

    id: str
    kind: str
    title: str
    payload: dict[str, Any] = field(default_factory=dict)
    state: str = "queued"
    message: str = ""
    after: str | None = None
    tries: int = 0
    sequence: int = 0
    finished: float = 0.0
    dismissed: bool = False
    run: str = ""

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE


@dataclass(frozen=True, kw_only=True)
class ProgressNote:
    """How far a job is.

    Attributes:
        done: units done.
        total: units in all, 0 = unknown.
        rate: units a second, smoothed; 0 = unknown.
        updated: seconds since 1970.
        pid: process that does the work.
        doing: what is done before the units are known, or what is waited for; or empty.
    """

    done: int = 0
    total: int = 0
    rate: float = 0.0
    updated: float = 0.0
    pid: int = 0
    doing: str = ""


class JobFiles:
    """The directory of job files; reading never fails, damaged files count as absent."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)

    def records(self) -> list[Record]:
        """Return all records, in order of submission."""
        found = [_load(path, Record) for path in self.directory.glob("*.json")]
        return sorted((record for record in found if record is not None), key=lambda record: record.sequence)

    def write(self, record: Record) -> None:
        """Write a record, surviving a crash."""
        write_atomically(self.directory / f"{record.id}.json", json.dumps(asdict(record)).encode())

    def progress(self, job_id: str) -> ProgressNote:
        """Tell how far a job is; all zero when nobody said."""
        return _load(self.directory / f"{job_id}.progress", ProgressNote) or ProgressNote()

    def note(self, job_id: str, note: ProgressNote) -> None:
        """Say how far a job is; readers see the old note or the new."""
        with replacing(self.directory / f"{job_id}.progress", durable=False) as fresh:
            fresh.write_text(json.dumps(asdict(note)), encoding="utf-8")

    def ask_cancel(self, job_id: str) -> None:
        """Ask whoever does the work to stop."""
        (self.directory / f"{job_id}.cancel").touch()

    def cancel_asked(self, job_id: str) -> bool:
        """Tell whether somebody wants a job to stop."""
        return (self.directory / f"{job_id}.cancel").exists()

    def clear(self, job_id: str) -> None:
        """Forget progress and wishes of an earlier run."""
        self.forget_progress(job_id)
        (self.directory / f"{job_id}.cancel").unlink(missing_ok=True)

    def forget_progress(self, job_id: str) -> None:
        """Forget the progress of an earlier run."""
        (self.directory / f"{job_id}.progress").unlink(missing_ok=True)

    def remove(self, job_id: str) -> None:
        """Remove all files of a job."""
        self.clear(job_id)
        (self.directory / f"{job_id}.json").unlink(missing_ok=True)


def _load(path: Path, kind: Any) -> Any:  # noqa: ANN401  either of two dataclasses
    try:
        return kind(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
