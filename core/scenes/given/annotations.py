"""The file of labels that people gave by hand: windows by class, who gave each, when and from what view, and colours.

With them stands from which classes people choose. A file of an earlier version, which has windows by class alone, reads
the same. How it changes is ``core.scenes.given.history``; what labels mean for the patches of a grid is
``core.scenes.labels``.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from core.errors import SettingsError
from core.scenes.kept import DAMAGED, read_kept, write_kept
from core.scenes.scene import Scene

LABELS_FILE = "labels.json"

MOST_CLASSES = 200
"""Classes of a scene that people can give."""

Window = tuple[int, int, int]
"""Row and column of a patch's first pixel, and its side in pixels."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, kw_only=True)
class LabelFact:
    """What is known of one label beside its class.

    Attributes:
        who: gave it, as they call themselves, or empty.
        when: moment in UTC, ISO 8601 to the second, or empty.
        view: what it was given from, such as ``map``, ``plot``, ``label next`` or a file's name, or empty.
    """

    who: str = ""
    when: str = ""
    view: str = ""


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """All that people said of a scene's patches.

    Attributes:
        classes: windows by the name of their class; no window is in two.
        facts: of some windows.
        colours: ``#rrggbb`` of classes that people chose one for, by name.
        confirmed: windows whose label somebody doubted, looked at again and kept.
        scheme: the classes that labels are chosen from, as ``core.classification.scene_scheme`` writes them, or empty.
    """

    classes: Mapping[str, set[Window]] = field(default_factory=lambda: MappingProxyType({}))
    facts: Mapping[Window, LabelFact] = field(default_factory=lambda: MappingProxyType({}))
    colours: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    confirmed: frozenset[Window] = frozenset()
    scheme: str = ""

    def with_class(self, windows: Iterable[Window], name: str | None, fact: LabelFact) -> Annotations:
        """Return it with windows of one class, in place of the one they had; None = of none."""
        chosen = set(windows)
        known = {other: given - chosen for other, given in self.classes.items()}
        facts = {window: told for window, told in self.facts.items() if window not in chosen}
        if name is not None:
            known[name] = known.get(name, set()) | chosen
            facts |= dict.fromkeys(chosen, fact)
        return replace(self, classes=known, facts=facts, confirmed=self.confirmed - chosen)

    def of_window(self) -> dict[Window, str]:
        """Return the class of each window."""
        return {window: name for name, given in self.classes.items() for window in given}


def read_annotations(scene: Scene, asked: str | None = None) -> Annotations:
    """Return what people said of a scene; of a damaged file nothing, unless something is ``asked`` of it.

    Raises:
        SceneError: when something is asked, and the file cannot be read.
    """
    return read_kept(scene, LABELS_FILE, _parsed, "the labels given before", asked=asked) or Annotations()


def write_annotations(scene: Scene, asked: str, known: Annotations) -> None:
    """Write what people said of a scene; what is ``asked`` is for sentences.

    Raises:
        SettingsError: for one class too many.
        SceneError: when the labels cannot be written.
    """
    if sum(bool(given) for given in known.classes.values()) > MOST_CLASSES:
        raise SettingsError(asked, f"there are {MOST_CLASSES} classes already", "use one of them")
    write_kept(scene, LABELS_FILE, _content(known), asked=asked, again="label them again")


def annotations_version(scene: Scene) -> str:
    """Return what tells classes and colours from any others, in hexadecimal; empty when there are no labels."""
    try:
        return _version((scene.directory / LABELS_FILE).read_bytes())
    except OSError:
        return ""


def now_utc() -> str:
    """Return this moment in UTC as facts hold it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=32)
def _version(content: bytes) -> str:
    """Return the version of a file's classes and colours alone; empty when it holds none or is damaged."""
    try:
        known = _parsed(content)
    except DAMAGED:
        return ""
    if not known.classes:
        return ""
    plain = Annotations(classes=known.classes, colours=known.colours)
    return hashlib.blake2b(_content(plain), digest_size=8).hexdigest()


def _parsed(content: bytes) -> Annotations:
    """Return what a file of labels says; facts and colours that are none are passed over."""
    whole = json.loads(content)
    classes = {
        str(name): {(int(row), int(col), int(side)) for row, col, side in given}
        for name, given in whole["classes"].items()
    }
    facts: dict[Window, LabelFact] = {}
    for row in whole.get("facts") or ():
        if isinstance(row, list) and len(row) == 6:
            top, left, side, who, when, view = row
            facts[int(top), int(left), int(side)] = LabelFact(who=str(who), when=str(when), view=str(view))
    stated = whole.get("colours") or {}
    colours = {name: colour for name, colour in stated.items() if isinstance(colour, str) and _COLOUR.fullmatch(colour)}
    confirmed = frozenset((int(row), int(col), int(side)) for row, col, side in whole.get("confirmed") or ())
    scheme = whole.get("scheme")
    return Annotations(
        classes=classes, facts=facts, colours=colours, confirmed=confirmed,
        scheme=scheme if isinstance(scheme, str) else "",
    )  # fmt: skip


def _content(known: Annotations) -> bytes:
    """Return the file of labels; without colours and facts it is that of the version before."""
    whole = {name: sorted(given) for name, given in sorted(known.classes.items()) if given}
    values: dict[str, Any] = {"version": 1, "classes": whole}
    windows = {window for given in whole.values() for window in given}
    colours = {name: colour for name, colour in sorted(known.colours.items()) if colour and name in whole}
    facts = [
        [*window, fact.who, fact.when, fact.view]
        for window, fact in sorted(known.facts.items(), key=lambda one: one[0])
        if window in windows and fact != LabelFact()
    ]
    if colours:
        values["colours"] = colours
    if facts:
        values["facts"] = facts
    if known.confirmed & windows:
        values["confirmed"] = sorted(known.confirmed & windows)
    if known.scheme:
        values["scheme"] = known.scheme
    return json.dumps(values).encode()
