"""A background job as people see it, and its name; the queue is ``core.jobs``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Job:
    """A piece of background work as people see it.

    Attributes:
        id: names it.
        kind: ``ingest``, ``sample``, ``encode``, ``project``, ``trust``, ``train``, ``delete`` or ``fetch``.
        title: what it is, for people; may hold names that people typed.
        state: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``.
        done: units done.
        total: units in all, 0 = unknown.
        rate: units a second, smoothed; 0 = unknown.
        seconds_left: an estimate, or None when there is none.
        message: of what is done, the result, such as a scene's id; else the sentence of a failure.
        position: how many jobs go before it; 0 = its turn.
        stopping: True = it runs still, and somebody asked it to stop.
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

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in {"queued", "running"}


def job_id(kind: str, key: str) -> str:
    """The id of the job of a kind and key."""
    return hashlib.sha256(f"{kind}:{key}".encode()).hexdigest()[:20]
