"""What work takes: seconds on the clock and of processors, and the memory of a command at its peak."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

WATCH = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
sys.stderr.write(f"\\n{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
sys.exit(code)
"""
"""Runs a command from a small process: what its process began with counts as a command's memory."""


@dataclass(frozen=True, kw_only=True)
class Spending:
    """What a command of ours took: seconds on the clock and of processors, bytes at the peak, and what it printed."""

    seconds: float
    processor: float
    peak: int
    printed: str


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Return seconds on the clock and of processors, of this process and those that it waited for."""
    begun, before = time.monotonic(), processor_seconds()
    work()
    return time.monotonic() - begun, processor_seconds() - before


def run(folder: Path, *words: object) -> Spending:
    """Run ``python -m core`` on the data in a folder."""
    told: list[subprocess.CompletedProcess[str]] = []
    environment = {**os.environ, "LANDLIKE_DATA": str(folder / "data")}
    command = [sys.executable, "-c", WATCH, sys.executable, "-m", "core", *map(str, words)]

    def work() -> None:
        told.append(subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=900))

    seconds, processor = spent(work)
    peak = 1024 * int(told[0].stderr.rpartition("\n")[2])
    return Spending(seconds=seconds, processor=processor, peak=peak, printed=told[0].stdout)


def processor_seconds() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)
