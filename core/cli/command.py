"""What a command of the command line is: its form, its manual, its progress bar.

A command is a class whose docstring is its manual: the first line is what ``--help`` lists, all of it is what
``COMMAND --help`` prints.
"""

from __future__ import annotations

import argparse
import inspect
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from core.config import Config
from core.progress import Progress, silent

WIDEST = 100
"""Characters of a line of a manual, where the terminal is that wide."""


class Command(Protocol):
    """One command; its docstring is its manual."""

    name: str

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what may be asked of it to its parser."""

    def run(self, options: argparse.Namespace, config: Config) -> Iterable[str]:
        """Do it, and yield the lines it has to say. Heavy modules are imported here, so that others need not wait.

        Raises:
            LandlikeError: when the input is refused.
        """


def add_command(
    choice: argparse._SubParsersAction[argparse.ArgumentParser], command: Command
) -> argparse.ArgumentParser:
    """Add a command with its manual to those that can be chosen."""
    paragraphs = inspect.cleandoc(type(command).__doc__ or command.name).split("\n\n")
    parser = choice.add_parser(
        command.name,
        help=(paragraphs[0][:1].lower() + paragraphs[0][1:].rstrip(".")).replace("%", "%%"),
        description="\n\n".join(_filled(" ".join(one.split())) for one in paragraphs),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.arguments(parser)
    parser.set_defaults(run=command.run)
    return parser


def _filled(text: str) -> str:
    width = min(WIDEST, shutil.get_terminal_size().columns - 2)
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


@contextmanager
def bar_of(title: str, unit: str) -> Iterator[Progress]:
    """Show a progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield silent
        return
    from tqdm import tqdm  # type: ignore[import-untyped]

    with tqdm(desc=title, unit=f" {unit}", leave=False) as bar:

        def progress(done: int, total: int) -> None:
            if bar.total is None:
                bar.initial = done
            bar.total = total
            bar.update(done - bar.n)

        yield progress
