"""What documents promise: their length, their links, the tasks and commands they name, the figures they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.__main__ import COMMANDS
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


def test_the_machine_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("processor : 0\nmodel name : Fast One\n")
    assert machine(path).startswith("Fast One, ")
