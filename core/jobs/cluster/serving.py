"""A worker of the cluster: one process that does jobs, watched by another, which starts it again when it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

import dask
from distributed import Nanny

from core.jobs.cluster.calls import hush_dask
from core.jobs.scheduler import scheduler_answers

_SELDOM = {
    "distributed": {
        "admin": {"tick": {"interval": "1s"}, "system-monitor": {"interval": "5s"}},
        "worker": {"profile": {"enabled": False}},
    }
}
"""How often Dask looks at itself, for a dashboard that there is none of: else up to a hundred times a second."""

_AGAIN_SECONDS = 1.0
"""How often a scheduler that does not answer is tried."""


def serve_worker(
    address: str, *, niceness: int, name: str | None, host: str | None, say: Callable[[str], None]
) -> None:
    """Work for a scheduler until this process is told to end; when the scheduler is gone, wait for it.

    Args:
        address: of the scheduler.
        niceness: how far it gives way to other processes of this computer, 0 to 19.
        name: what others call it, or None.
        host: the address of this computer that others reach it by; None = as the scheduler sees it.
        say: told what becomes of it, a line each.
    """
    if hasattr(os, "nice"):
        os.nice(niceness)
    hush_dask()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(address, name=name, host=host, say=say))


async def _serve(address: str, *, name: str | None, host: str | None, say: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    if sys.platform != "win32":
        for one in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(one, stop.set)
    said = ""
    while not stop.is_set():
        sentence = f"Waiting for the Dask scheduler at {address}, which does not answer."
        if await asyncio.to_thread(scheduler_answers, address):
            try:
                await _work(address, name=name, host=host, say=say, stop=stop)
                said = ""
            except (OSError, TimeoutError, RuntimeError, ValueError) as error:
                sentence = f"Working for {address}: it could not begin ({_shortly(error)}); trying again."
        if not stop.is_set():
            if said != sentence:
                say(sentence)
                said = sentence
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _AGAIN_SECONDS)


async def _work(
    address: str, *, name: str | None, host: str | None, say: Callable[[str], None], stop: asyncio.Event
) -> None:
    """Be a worker until the scheduler is gone, or until told to stop."""
    # Dask would have matrix products done in one thread, for it expects as many tasks as processors; ours use all.
    # What it says of a scheduler that is gone is said by us, in one sentence.
    before = {"DASK_LOGGING__DISTRIBUTED": "critical"}
    config = dask.config.merge(dask.config.config, _SELDOM)
    with dask.config.set(config | {"distributed.nanny.pre-spawn-environ": before}):
        nanny = Nanny(
            address, nthreads=1, name=name, host=host, memory_limit=0, dashboard=False, death_timeout=60, config=config
        )
    async with nanny:
        say(f"Working for {address} as {nanny.worker_address}.")
        ended, told = asyncio.ensure_future(nanny.finished()), asyncio.ensure_future(stop.wait())
        await asyncio.wait([ended, told], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        told.cancel()


def _shortly(error: BaseException) -> str:
    """Return what is at the bottom of an error, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
