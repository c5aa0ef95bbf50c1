"""The executor of this computer: one worker process, which dies with its server."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from core.jobs.executor import JobCall
from core.jobs.worker import JobOutcome, perform

PR_SET_PDEATHSIG = 1
"""From ``linux/prctl.h``: the signal a process gets when the thread that started it ends."""


class WorkerPool:
    """One worker process that ends when its pool is shut down or its parent process dies, even by ``kill -9``.

    The worker holds one end of a pipe, tells its process id through it, and exits when the other end closes. On Linux
    the kernel ends it besides, in case it is deep inside compiled code then. It notes its progress and looks for wishes
    to cancel in the files of the job itself.
    """

    def __init__(self, niceness: int = 0) -> None:
        context = get_context("spawn")
        self._lifeline, self._theirs = context.Pipe()
        arguments = (self._theirs, os.getpid(), niceness)
        self._pool = ProcessPoolExecutor(1, context, initializer=_settle, initargs=arguments)
        self._pid = 0

    def submit(self, call: JobCall) -> Future[JobOutcome]:
        """Begin a job in the worker."""
        return self._pool.submit(perform, call.task, call.files, call.job_id, call.title, call.payload)

    def warm(self, function: Callable[[], object]) -> Future[Any]:
        """Start the worker and have it do something first."""
        return self._pool.submit(function)

    def kill(self) -> None:
        """Kill the worker by the system's own means; does nothing before it runs."""
        if not self._pid and self._lifeline.poll():
            self._pid = self._lifeline.recv()
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def shutdown(self) -> None:
        """End the worker at once, whatever it does."""
        self._lifeline.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._theirs.close()


def _settle(lifeline: Connection, parent: int, niceness: int) -> None:
    """Make this process a good worker: polite, deaf to Ctrl-C, and bound to its parent's life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    os.nice(niceness)
    lifeline.send(os.getpid())
    threading.Thread(target=_follow, args=(lifeline,), daemon=True, name="lifeline").start()


def _follow(lifeline: Connection) -> None:
    """Exit when the other end of the pipe closes; nothing is ever sent this way."""
    try:
        lifeline.recv()
    except (EOFError, OSError):
        os._exit(1)
