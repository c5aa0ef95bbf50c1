"""Visitors without a browser: sessions of a running server, held over Streamlit's own socket."""

from __future__ import annotations

import asyncio
import statistics
import time
import urllib.request
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

Made = TypeVar("Made")
TIMEOUT = 60.0
BREATH_SECONDS = 2.0
"""An active visitor asks again so long after the last answer."""


@dataclass
class Load:
    """What was measured while visitors were there.

    Attributes:
        reruns: seconds from asking for a run of the page to its end, of active visitors.
        health: seconds until the server said that it is well.
        memory: megabytes of the server's own process: before, when all had come, in the end.
    """

    reruns: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def milliseconds(self, percent: int) -> float:
        """Return a percentile of the reruns."""
        return _percentile(self.reruns, percent) * 1000

    def health_milliseconds(self, percent: int) -> float:
        """Return a percentile of the answers on health."""
        return _percentile(self.health, percent) * 1000

    def words(self) -> str:
        """Say it in a line."""
        memory = " → ".join(f"{value:.0f}" for value in self.memory)
        return (
            f"{len(self.reruns)} reruns: median {self.milliseconds(50):.0f} ms, p95 {self.milliseconds(95):.0f} ms; "
            f"health p99 {self.health_milliseconds(99):.0f} ms; memory {memory} MB"
        )


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def megabytes(pid: int) -> float:
    """Return the resident memory of a process, its children not counted."""
    import psutil  # Visitors inside of a container have none.

    return float(psutil.Process(pid).memory_info().rss) / 1e6


def _socket(url: str) -> connect:
    address = f"{url.replace('http', 'ws')}/_stcore/stream"
    return connect(address, max_size=None, subprotocols=["streamlit"], ping_interval=None)  # type: ignore[list-item]


async def rerun(socket: ClientConnection, query: str = "") -> float:
    """Run the page once; gives seconds until the server said that the run has ended.

    A panel that follows a job runs the page again by itself where the job ended meanwhile; then that run counts too.

    Raises:
        AssertionError: when the page showed a failure, or its run did not end well.
    """
    ask = BackMsg()
    ask.rerun_script.query_string = query
    began = time.perf_counter()
    await socket.send(ask.SerializeToString())
    while True:
        answer = ForwardMsg()
        answer.ParseFromString(await asyncio.wait_for(socket.recv(), TIMEOUT))  # type: ignore[arg-type]
        kind = answer.WhichOneof("type")
        assert answer.delta.new_element.WhichOneof("type") != "exception", answer
        if kind == "script_finished" and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            assert answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
            return time.perf_counter() - began


async def _stay(url: str, load: Load, ready: asyncio.Barrier, over: asyncio.Event, wait: float | None) -> None:
    """Hold a session; an active one begins ``wait`` seconds after all are there, so that none keep step."""
    async with _socket(url) as socket:
        await rerun(socket)
        await ready.wait()
        if wait is None:
            drain = asyncio.ensure_future(_drain(socket))
            await over.wait()
            drain.cancel()
            return
        await asyncio.sleep(wait)
        while not over.is_set():
            load.reruns.append(await rerun(socket))
            await asyncio.sleep(BREATH_SECONDS)


async def _drain(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


def _ask_health(url: str) -> float:
    began = time.perf_counter()
    urllib.request.urlopen(f"{url}/_stcore/health", timeout=TIMEOUT).read()
    return time.perf_counter() - began


async def _measure(url: str, pid: int, idle: int, active: int, seconds: float) -> Load:
    load, over = Load(memory=[megabytes(pid)]), asyncio.Event()
    ready = asyncio.Barrier(idle + active + 1)
    async with asyncio.TaskGroup() as visitors:
        for number in range(idle + active):
            wait = BREATH_SECONDS * (number - idle) / active if number >= idle else None
            visitors.create_task(_stay(url, load, ready, over, wait))
            await asyncio.sleep(0.1)
        await ready.wait()
        load.memory.append(megabytes(pid))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            load.health.append(await asyncio.to_thread(_ask_health, url))
            await asyncio.sleep(0.25)
        over.set()
    load.memory.append(megabytes(pid))
    return load


def in_its_own_loop(work: Coroutine[Any, Any, Made]) -> Made:
    """Run in a thread with a loop of its own: Playwright has one in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def measured(url: str, pid: int, *, idle: int, active: int, seconds: float) -> Load:
    """Hold sessions on the page Explore: idle ones ran it once, active ones run it again every two seconds."""
    return in_its_own_loop(_measure(url, pid, idle, active, seconds))


async def _come_and_go(url: str, sessions: int, at_once: int, query: str) -> None:
    gate = asyncio.Semaphore(at_once)

    async def one() -> None:
        async with gate, _socket(url) as socket:
            await rerun(socket, query)

    await asyncio.gather(*(one() for _ in range(sessions)))


def come_and_go(url: str, sessions: int, *, at_once: int = 4, query: str = "") -> None:
    """Open so many sessions, run the page Explore once in each, and close them.

    Args:
        url: address of the server.
        sessions: how many.
        at_once: how many of them at a time.
        query: parameters of the page's address, such as ``encoder=spectral``.
    """
    in_its_own_loop(_come_and_go(url, sessions, at_once, query))
