"""What benchmarks printed when they last ran, kept in ``results.json``, and the table of it in this folder's README.

``tests/bench/conftest.py`` keeps what each benchmark prints. ``python -m tests.bench.results`` writes the table anew.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
RESULTS, README = FOLDER / "results.json", FOLDER / "README.md"
BEGIN, END = "<!-- written by make bench: begin -->", "<!-- written by make bench: end -->"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one benchmark printed.

    Attributes:
        test: its file and name, as pytest takes them below ``tests/bench``.
        lines: what it printed, without empty lines.
        passed: True = its figures kept to its limits.
        date: when, as year-month-day.
        machine: on what.
    """

    test: str
    lines: tuple[str, ...]
    passed: bool
    date: str
    machine: str


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name, how many processors this process may use, and the Python that runs."""
    names = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in names if line.startswith("model name")), platform.machine())
    return f"{model}, {len(os.sched_getaffinity(0))} processors, Python {platform.python_version()}"


def result_of(test: str, printed: str, passed: bool) -> Result:
    """Return the result of a benchmark that has just run here."""
    lines = tuple(line.strip() for line in printed.splitlines() if line.strip())
    today = datetime.now(UTC).date().isoformat()
    return Result(test=test, lines=lines, passed=passed, date=today, machine=machine())


def load(path: Path = RESULTS) -> list[Result]:
    """Return all results, by the name of the test."""
    if not path.exists():
        return []
    return [Result(**{**one, "lines": tuple(one["lines"])}) for one in json.loads(path.read_text(encoding="utf-8"))]


def keep(fresh: Sequence[Result], path: Path = RESULTS, readme: Path = README) -> None:
    """Put fresh results in the place of earlier ones of the same tests, and write the table anew."""
    known = {one.test: one for one in [*load(path), *fresh]}
    rows = [asdict(known[test]) for test in sorted(known)]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    readme.write_text(with_table(readme.read_text(encoding="utf-8"), load(path)), encoding="utf-8")


def with_table(text: str, results: Sequence[Result]) -> str:
    """Return a README's text with the table of results in place of the one it has."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table_of(results)}{END}{rest.split(END)[1]}"


def table_of(results: Sequence[Result]) -> str:
    """Return the table of results, in Markdown; the machine is told once a group."""
    if not results:
        return "\nNothing has been measured by `make bench` since its results are kept.\n\n"
    parts = []
    for where in sorted({(one.date, one.machine) for one in results}, reverse=True):
        parts += [f"\n{where[0]}, {where[1]}:\n", "| benchmark | what it printed |", "|---|---|"]
        for one in results:
            if (one.date, one.machine) == where:
                said = "<br>".join(line.replace("|", "\\|") for line in one.lines)
                parts.append(f"| `{one.test}` | {said if one.passed else f'**over its limit:** {said}'} |")
    return "\n".join(parts) + "\n\n"


if __name__ == "__main__":
    keep([])
