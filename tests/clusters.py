"""A real Dask cluster on this computer: a scheduler that has no Landlike, and workers as people start them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from tests.waiting import free_port, until

ROOT = Path(__file__).resolve().parents[1]
DEATHS = 2
"""A job has failed over which so many workers died."""


class LocalCluster:
    """Processes of a scheduler and its workers.

    Args:
        home: folder of its logs.
        workers: how many.
        processors: one each of these in turn is all that a worker may use; empty = any.
        environment: of the workers, beside that of this process.

    Attributes:
        address: of the scheduler; the same when it is started again.
    """

    def __init__(
        self,
        home: Path,
        workers: int = 2,
        processors: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._home, self._port, self._processors = home, free_port(), processors
        self._environment = os.environ | (environment or {})
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._workers: list[subprocess.Popen[bytes]] = []
        self.start_scheduler()
        for _ in range(workers):
            self.add_worker()

    def start_scheduler(self) -> None:
        asked = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
        environment = os.environ | {
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(DEATHS - 1),
            "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",  # Else it looks at itself fifty times a second.
        }
        with (self._home / "scheduler.log").open("ab") as log:
            self.scheduler = subprocess.Popen(
                [*asked, "--port", str(self._port), "--no-dashboard"],
                cwd=self._home, env=environment, stdout=log, stderr=log,
            )  # fmt: skip

    def kill_scheduler(self) -> None:
        self.scheduler.kill()
        self.scheduler.wait()

    def add_worker(
        self, command: Sequence[str] = ("-m", "core", "worker"), cwd: Path = ROOT
    ) -> subprocess.Popen[bytes]:
        """Start a worker as people do, or by another command."""
        with (self._home / "workers.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, *command, self.address, "--host", "127.0.0.1"],
                cwd=cwd, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip
        if self._processors:
            psutil.Process(worker.pid).cpu_affinity([self._processors[len(self._workers) % len(self._processors)]])
        self._workers.append(worker)
        return worker

    def working(self) -> list[psutil.Process]:
        """The processes that do the work, beneath those that watch them."""
        found = []
        for worker in self._workers:
            if worker.poll() is None:
                below = psutil.Process(worker.pid).children(recursive=True)
                found += [one for one in below if "spawn_main" in " ".join(_command(one))]
        return found

    def close(self) -> None:
        self.scheduler.kill()
        for worker in self._workers:
            worker.terminate()
        for process in (self.scheduler, *self._workers):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def log(self) -> str:
        return (self._home / "workers.log").read_text()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def workers_ready(address: str, root: Path, count: int) -> list[str]:
    """Wait for so many workers that are fit; their addresses."""
    from core.files import never
    from core.jobs.cluster.connection import cluster_at

    found: list[str] = []

    def enough() -> bool:
        found[:] = cluster_at(address, root).workers("Testing", lambda _: None, never)
        return len(found) >= count

    until(enough, 60)
    return found
