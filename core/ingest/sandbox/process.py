"""Running the sandbox from the parent: starts its process, watches it, ends it, and takes its last word."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

import core
from core.errors import JobCancelledError, SourceTooLargeError
from core.ingest.files import file_words
from core.ingest.messages import opening, unreadable
from core.ingest.sandbox.limits import ALLOWED_DRIVERS, VECTOR_DRIVERS, Limits, sandbox_environment
from core.ingest.sandbox.protocol import IngestRequest, IngestResult, error_from_dict, result_from_dict
from core.progress import Doing, Progress, unsaid

Answer = TypeVar("Answer")
_MAX_LINE = 64 * 2**20
_TICK = 0.1
_PATIENCE = 60.0
"""Seconds after which nobody listens to the child any more."""


class SandboxRequest(Protocol):
    """What a sandbox is asked to do."""

    @property
    def name(self) -> str:
        """What it is about, for sentences."""

    @property
    def scratch(self) -> Path:
        """A folder for temporary files."""

    def to_json(self) -> str:
        """Return one line of JSON."""


def run_sandboxed(
    request: IngestRequest,
    limits: Limits,
    progress: Progress,
    cancelled: Callable[[], bool],
    doing: Doing = unsaid,
) -> IngestResult:
    """Have a sandbox make a scene; arguments and errors are those of ``answer_of_sandbox``."""
    return answer_of_sandbox(request, limits, progress, cancelled, understand=result_from_dict, doing=doing)


def answer_of_sandbox(
    request: SandboxRequest,
    limits: Limits,
    progress: Progress,
    cancelled: Callable[[], bool],
    *,
    understand: Callable[[Any], Answer],
    doing: Doing = unsaid,
) -> Answer:
    """Have a sandbox do something and return its answer.

    Args:
        request: what to do.
        limits: what it may use.
        progress: told rows or patches; what it raises ends the child.
        cancelled: asked ten times a second.
        doing: told which file is opened.
        understand: takes the answer over, field by field; what it raises counts as nonsense.

    Raises:
        SourceError: what the child found, or one sentence when it died.
        JobCancelledError: when ``cancelled`` says so.
    """
    child = _start(request)
    try:
        message = _watch(child, request, limits, progress, cancelled, doing=doing)
    finally:
        _end(child)
    return _understand(message, understand)


def _start(request: SandboxRequest) -> subprocess.Popen[bytes]:
    import rasterio

    with rasterio.Env() as env:
        drivers = set(env.drivers())
    allowed = ALLOWED_DRIVERS
    if getattr(request, "vectors", False):
        import pyogrio  # It brings a GDAL of its own.

        drivers, allowed = drivers | set(pyogrio.list_drivers()), VECTOR_DRIVERS
    root = Path(str(core.__file__)).resolve().parents[1]
    environment = sandbox_environment(drivers, root, request.scratch, allowed=allowed)
    if allowed is VECTOR_DRIVERS:
        del environment["OGR_SKIP"]  # GDAL 3.12 dies where both name the same drivers; GDAL_SKIP does for all.
    return subprocess.Popen(
        [sys.executable, "-m", "core.ingest.sandbox.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=request.scratch,
        env=environment,
        start_new_session=True,
    )


def _watch(
    child: subprocess.Popen[bytes],
    request: SandboxRequest,
    limits: Limits,
    progress: Progress,
    cancelled: Callable[[], bool],
    *,
    doing: Doing,
) -> dict[str, Any] | None:
    """Wait for the child's last message; None when it ended without one."""
    line_in = json.dumps({"request": json.loads(request.to_json()), "limits": limits.to_dict()})
    lines: queue.Queue[bytes | None] = queue.Queue(maxsize=64)
    threading.Thread(target=_pump, args=(child.stdout, lines), daemon=True).start()
    threading.Thread(target=_send, args=(child.stdin, line_in), daemon=True).start()
    deadline = time.monotonic() + limits.wall_seconds
    while True:
        if cancelled():
            raise JobCancelledError(opening(request.name), "it was cancelled", "open it again when you like")
        if time.monotonic() > deadline:
            found = f"reading it takes longer than the {limits.wall_seconds / 60:.0f} minutes allowed"
            raise SourceTooLargeError(found=found, remedy="cut the area of interest out of it first")
        try:
            line = lines.get(timeout=_TICK)
        except queue.Empty:
            continue
        if line is None:
            return None
        message = _parse(line)
        if message is not None and "progress" in message:
            _report(message["progress"], progress)
        elif message is not None and "opening" in message:
            _report(message["opening"], lambda number, count: doing(file_words("opening", number, count)))
        else:
            return message


def _send(stdin: IO[bytes] | None, line: str) -> None:
    """Send the request; the pipe stays open, because the child ends when it closes."""
    if stdin is not None:
        with suppress(OSError):
            stdin.write(line.encode() + b"\n")
            stdin.flush()


def _pump(stdout: IO[bytes] | None, lines: queue.Queue[bytes | None]) -> None:
    if stdout is not None:
        with suppress(OSError, ValueError, queue.Full):
            while line := stdout.readline(_MAX_LINE):
                lines.put(line, timeout=_PATIENCE)
    with suppress(queue.Full):
        lines.put(None, timeout=_PATIENCE)


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _report(numbers: object, progress: Progress) -> None:
    if isinstance(numbers, list) and len(numbers) == 2 and all(isinstance(number, int) for number in numbers):
        done, total = numbers
        progress(max(0, min(done, total)), max(1, total))


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was not sent any more is of no use
                pipe.close()


def _understand(message: dict[str, Any] | None, understand: Callable[[Any], Answer]) -> Answer:
    if message is None:
        raise unreadable()
    if "error" in message:
        error = message["error"]
        raise error_from_dict(error if isinstance(error, dict) else {})
    try:
        return understand(message["result"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable() from error
