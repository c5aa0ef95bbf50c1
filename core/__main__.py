"""The command line, ``python -m core``: the same pipeline as the pages, without the queue.

It puts together the commands of ``core.cli``, runs one and prints its lines. Exit codes: 0 = done, 1 = the input was
refused (one sentence on stderr), 2 = wrong usage, 130 = stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Sequence

from core.cli.areas import AccuracyCommand, AreasCommand, SampleDesignCommand
from core.cli.classification import ClassifyCommand
from core.cli.cluster import WorkerCommand
from core.cli.clusters import ClusterCommand
from core.cli.command import Command, add_command
from core.cli.encoders import EncodersCommand
from core.cli.evaluation import EvaluateCommand, ReportCommand
from core.cli.features import CompareCommand, EmbedCommand, NeighboursCommand, ProjectCommand
from core.cli.regression import RegressCommand
from core.cli.scenes import SampleCommand, SceneCommand, SyntheticCommand
from core.cli.search import SearchCommand
from core.cli.serve import ServeCommand
from core.cli.training import FinetuneCommand
from core.cli.views import OpenBundleCommand, ViewCommand
from core.config import hush, settings
from core.errors import LandlikeError
from core.mirror.opening import open_data

COMMANDS: tuple[Command, ...] = (
    EncodersCommand(),
    SceneCommand(),
    EmbedCommand(),
    EvaluateCommand(),
    FinetuneCommand(),
    NeighboursCommand(),
    SearchCommand(),
    CompareCommand(),
    ClassifyCommand(),
    ClusterCommand(),
    RegressCommand(),
    SampleDesignCommand(),
    AccuracyCommand(),
    AreasCommand(),
    ViewCommand(),
    OpenBundleCommand(),
    ReportCommand(),
    ProjectCommand(),
    SyntheticCommand(),
    SampleCommand(),
    ServeCommand(),
    WorkerCommand(),
)

WITHOUT_DATA = frozenset({"serve", "worker"})
"""Commands that open the data of the configuration themselves, or never."""

STOPPED, CLOSED_PIPE = 130, 141
"""128 + the number of the signal, as shells count."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = _joined(sys.argv[1:] if arguments is None else arguments)
    # Making the forms of all the others would take most of the time of a short command.
    named = [command for command in COMMANDS if given[:1] == [command.name]]
    options = parser(named or COMMANDS).parse_args(given)
    hush()
    try:
        config = settings()
        if options.command not in WITHOUT_DATA:
            open_data(config)
        for line in options.run(options, config):
            print(line)
        sys.stdout.flush()
    except LandlikeError as error:
        return _refuse(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except OSError as error:
        return _refuse(f"{options.command}: {error.strerror or error}; check the disk and its permissions.")
    except KeyboardInterrupt:
        print(f"{options.command}: stopped; what is stored so far is kept.", file=sys.stderr)
        return STOPPED
    return 0


def parser(commands: Sequence[Command] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of some commands, or of all."""
    whole = argparse.ArgumentParser(
        prog="python -m core",
        description="Find land like this, without the pages.",
        epilog="COMMAND --help is the manual of a command.",
    )
    choice = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in commands:
        add_command(choice, command)
    return whole


def _joined(arguments: Sequence[str]) -> list[str]:
    """Join values such as ``-,-,B02`` to their option by ``=``, because argparse takes them for options."""
    joined: list[str] = []
    for argument in arguments:
        if argument.startswith("-,") and joined and joined[-1].startswith("--") and "=" not in joined[-1]:
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    warnings.simplefilter("ignore")
    status = main()
    if status == STOPPED:  # Threads of libraries may still be at work, and would abort the process when Python ends.
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
