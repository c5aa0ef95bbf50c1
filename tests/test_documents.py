"""What documents promise: their length, their links, the tasks and commands they name, the figures they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.__main__ import COMMANDS
from tests.bench.all_land import TileCost, all_land, cost_of
from tests.bench.results import README as FIGURES
from tests.bench.results import load, machine, result_of, table_of, with_table

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = {".venv", ".landlike", "node_modules"}
DOCUMENTS = [path for path in ROOT.rglob("*.md") if not OUTSIDE & set(path.relative_to(ROOT).parts)]
MOST_WORDS = 700
TASKS = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_readme_is_read_in_three_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= MOST_WORDS


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)\)", path.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (path.parent / link).exists(), f"{path.name} links to {link}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tasks_and_commands_are_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"`make ([a-z]+)|^    make ([a-z]+)", text, re.MULTILINE)) <= {
        pair for task in TASKS for pair in ((task, ""), ("", task))
    }
    named = set(re.findall(r"python -m core ([a-z]+)", text))
    assert named <= {command.name for command in COMMANDS}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_paths_that_documents_name_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for found in re.findall(r"(?<![\w/])((?:core|pages|tests)/[\w./-]+)", text):
        assert (ROOT / found.rstrip("./")).exists(), f"{name} names {found}"


def test_the_drawing_of_the_readme_has_every_room() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rooms = {f"core/{path.parent.name}" for path in (ROOT / "core").glob("*/__init__.py")}
    assert {line.split()[0] for line in text.splitlines() if line.startswith("    core/")} == rooms


def test_the_table_of_figures_is_that_of_the_results() -> None:
    text = FIGURES.read_text(encoding="utf-8")
    assert with_table(text, load()) == text, "run python -m tests.bench.results"


def test_a_result_becomes_a_row() -> None:
    kept = result_of("test_x.py::test_y", "\nrate: 5 | 6\n\nmemory: 2 GB\n", passed=False)
    assert kept.lines == ("rate: 5 | 6", "memory: 2 GB")
    assert "| `test_x.py::test_y` | **over its limit:** rate: 5 \\| 6<br>memory: 2 GB |" in table_of([kept])
    assert kept.machine in table_of([kept])


def test_what_a_tile_takes_is_read_back_and_all_land_follows() -> None:
    cost = TileCost(patches=29_241, seconds=54.0, processor=86.0, written=26e6, read=1600e6)
    assert cost_of(cost.line()) == cost
    assert cost_of("again, with all there: 3.1 s") is None
    told = list(all_land(cost, price=0.05, computers=100, tiles=18_000))
    assert told[1] == "processor-hours: 430 = 18,000 tiles × 86.0 processor-seconds"
    assert [line.split(" = ")[0] for line in told] == [
        "patches: 526 million", "processor-hours: 430", "money: 22", "on the clock: 2.7 h", "written: 0.47 TB",
        "read: 28.8 TB",
    ]  # fmt: skip


def test_the_machine_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("processor : 0\nmodel name : Fast One\n")
    assert machine(path).startswith("Fast One, ")
