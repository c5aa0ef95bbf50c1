"""What is installed: every package that ours need is pinned, at the version that runs here."""

from __future__ import annotations

import re
from importlib.metadata import distribution, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
FILES = (ROOT / "requirements.txt", ROOT / "tests" / "requirements.txt")


def lines(path: Path) -> list[str]:
    """The requirements in a file, without comments."""
    stripped = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in stripped if line]


def wanted_here() -> list[Requirement]:
    """What the files ask for on this system and Python."""
    asked = [Requirement(line) for path in FILES for line in lines(path)]
    return [one for one in asked if one.marker is None or one.marker.evaluate()]


def pins() -> dict[str, Requirement]:
    """Requirements of constraints.txt by their canonical name, those of other systems left out."""
    found = [Requirement(line) for line in lines(ROOT / "constraints.txt")]
    return {canonicalize_name(one.name): one for one in found if one.marker is None or one.marker.evaluate()}


def needed() -> set[str]:
    """Canonical names of all packages that the requirements need here, through others too."""
    todo = wanted_here()
    seen: set[tuple[str, str]] = set()
    while todo:
        one = todo.pop()
        for extra in one.extras | {""}:
            if (one.name, extra) in seen:
                continue
            seen.add((one.name, extra))
            more = map(Requirement, distribution(one.name).requires or [])
            todo += [other for other in more if other.marker is None or other.marker.evaluate({"extra": extra})]
    return {canonicalize_name(name) for name, _ in seen}


def test_all_that_is_needed_is_pinned_to_what_runs_here() -> None:
    pinned = pins()
    assert len(needed()) > 80
    assert needed() - pinned.keys() == set(), "run make constraints"
    other = {name: version(name) for name in needed() if not pinned[name].specifier.contains(version(name))}
    assert other == {}, "installed otherwise than constraints.txt says"


def test_requirements_and_constraints_agree() -> None:
    pinned = pins()
    for one in wanted_here():
        (spec,) = pinned[canonicalize_name(one.name)].specifier
        assert spec.operator == "=="
        assert one.specifier.contains(spec.version), f"{one}: run make constraints"


def test_constraints_name_no_place_on_the_network() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert re.findall(r"https?:|--\w*(?:index|find)|@", text) == []


def test_every_requirement_says_what_it_is_for() -> None:
    for line in FILES[0].read_text(encoding="utf-8").splitlines():
        assert not line[:1].isalpha() or re.search(r"#\s+\S", line), f"{line} lacks its reason"
