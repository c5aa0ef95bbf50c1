"""The command that makes a computer a worker of a cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from core.config import Config, scheduler_address
from core.errors import SettingsError


class WorkerCommand:
    """Work for a Dask cluster.

    It does jobs, one at a time and with all processors, for every Landlike whose LANDLIKE_SCHEDULER names the same
    scheduler. Start one on each computer, in the same version of Landlike; it has to see the data folder at the same
    path.

    A worker that dies is started again. When the scheduler is gone, it is waited for. Ctrl-C ends it.
    """

    name = "worker"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the scheduler, and how much of this computer it may have."""
        parser.add_argument(
            "scheduler", nargs="?", metavar="tcp://HOST:PORT", help="of the scheduler; default LANDLIKE_SCHEDULER"
        )
        parser.add_argument(
            "--host", metavar="H", help="how others reach this computer; default: as the scheduler does"
        )
        parser.add_argument("--name", metavar="N", help="what others call it; default its address")
        parser.add_argument("--niceness", type=int, default=5, metavar="0…19", help="gives way to others; default 5")

    def run(self, options: argparse.Namespace, config: Config) -> Iterable[str]:
        """Work until told to end."""
        address = scheduler_address(options.scheduler) if options.scheduler else config.scheduler
        if not address:
            raise SettingsError("Working for a cluster", "no scheduler is named", "give it as tcp://HOST:8786")
        if not 0 <= options.niceness <= 19:
            raise SettingsError("Working for a cluster", f"--niceness is {options.niceness}", "give 0 to 19")
        from core.jobs.cluster.serving import serve_worker

        serve_worker(address, niceness=options.niceness, name=options.name, host=options.host, say=_say)
        return ()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
