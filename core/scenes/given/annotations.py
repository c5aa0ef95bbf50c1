"""The file of labels that people gave by hand: windows by class, who gave each, when and from what view, and colours.

With them stands from which classes people choose. Every change is a step that can be undone; the steps lie in a file
beside it. A file of an earlier version, which has windows by class alone, reads the same. What labels mean for the
patches of a grid is ``core.scenes.labels``.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from core.errors import SceneError, SettingsError
from core.files import write_atomically
from core.scenes.scene import Scene

LABELS_FILE, STEPS_FILE = "labels.json", "labels_steps.json"

LONGEST_NAME, MOST_CLASSES = 60, 200
"""Characters of a class name, and classes of a scene, that people can give."""

NOBODYS = "no class"
"""What legends call patches that have no class, with case folded."""

MOST_UNDONE = 100
"""Changes that can be undone; earlier ones stay as they are."""

DAMAGED = (ValueError, TypeError, KeyError, AttributeError)
"""What reading a damaged file of labels raises."""

Window = tuple[int, int, int]
"""Row and column of a patch's first pixel, and its side in pixels."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_writing = threading.Lock()


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
    try:
        return _parsed((scene.directory / LABELS_FILE).read_bytes())
    except FileNotFoundError:
        return Annotations()
    except (OSError, *DAMAGED) as error:
        if asked is None:
            return Annotations()
        remedy = f"move {LABELS_FILE} out of the folder of the scene {scene.id}"
        raise SceneError(asked, "the labels given before cannot be read", remedy) from error


def change_annotations(scene: Scene, asked: str, change: Callable[[Annotations], Annotations], what: str = "") -> None:
    """Change what people said of a scene, as a step that can be undone.

    Args:
        scene: the scene.
        asked: what is asked for, for sentences.
        change: gives what is to be there of what is there.
        what: the step in words, such as ``Reed for 3 patches``; empty = as ``asked``.

    Raises:
        SettingsError: for one class too many.
        SceneError: when the labels cannot be written, or those there are cannot be read.
    """
    with _writing:
        before = read_annotations(scene, asked)
        after = change(before)
        _write(scene, asked, after)
        _keep_step(scene, _Step.between(before, after, what or asked))


def rename_class(scene: Scene, old: str, new: str) -> None:
    """Give a class another name; who gave its labels stays, and its colour.

    Raises:
        SettingsError: when there is no such class, the name cannot be used, or another class has it.
        SceneError: as of ``change_annotations``.
    """
    asked = f"Renaming “{old}”"
    clean = clean_class(asked, new)

    def change(known: Annotations) -> Annotations:
        _needed(asked, known, [old])
        if clean != old and known.classes.get(clean):
            raise SettingsError(asked, f"there is a class “{clean}” already", "merge the two, or choose another name")
        return renamed_classes(known, {old: clean})

    change_annotations(scene, asked, change, f"“{old}” is called “{clean}”")


def merge_classes(scene: Scene, names: Iterable[str], into: str) -> None:
    """Make one class of several, which may be one of them; who gave its labels stays.

    Raises:
        SettingsError: when there is no such class, or the name cannot be used.
        SceneError: as of ``change_annotations``.
    """
    wanted, asked = list(dict.fromkeys(names)), f"Merging classes into “{into}”"
    clean = clean_class(asked, into)

    def change(known: Annotations) -> Annotations:
        _needed(asked, known, wanted)
        return renamed_classes(known, dict.fromkeys(wanted, clean))

    listed = ", ".join(f"“{name}”" for name in wanted if name != clean)
    change_annotations(scene, asked, change, f"{listed} merged into “{clean}”")


def recolour_class(scene: Scene, name: str, colour: str) -> None:
    """Give a class a colour, ``#rrggbb``; an empty one gives it back the app's.

    Raises:
        SettingsError: when there is no such class, or it is no colour.
        SceneError: as of ``change_annotations``.
    """
    asked = f"Colouring “{name}”"
    if colour and not _COLOUR.fullmatch(colour):
        raise SettingsError(asked, f"“{colour[:20]}” is no colour", "choose one such as #2c5f45")

    def change(known: Annotations) -> Annotations:
        _needed(asked, known, [name])
        others = {other: kept for other, kept in known.colours.items() if other != name}
        return replace(known, colours=others | {name: colour} if colour else others)

    change_annotations(scene, asked, change, f"“{name}” has another colour")


def _needed(asked: str, known: Annotations, names: Iterable[str]) -> None:
    for name in names:
        if not known.classes.get(name):
            there = ", ".join(f"“{one}”" for one in sorted(known.classes)) or "none"
            raise SettingsError(asked, f"there is no class “{name}”", f"choose one of those there are: {there}")


def confirm_labels(scene: Scene, windows: Iterable[Window]) -> None:
    """Keep labels that were doubted: they are not doubted again until they change. Errors of ``change_annotations``."""
    chosen, asked = frozenset(windows), "Keeping labels as they are"

    def change(known: Annotations) -> Annotations:
        return replace(known, confirmed=known.confirmed | (chosen & known.of_window().keys()))

    count = len(chosen)
    change_annotations(scene, asked, change, f"{count} label{'s' if count != 1 else ''} kept as right")


def renamed_classes(known: Annotations, names: Mapping[str, str]) -> Annotations:
    """Return it with classes under other names, old name to new; those that come to have the same are one."""
    classes: dict[str, set[Window]] = {}
    for name, given in known.classes.items():
        classes.setdefault(names.get(name, name), set()).update(given)
    colours = {name: colour for name, colour in known.colours.items() if name not in names}
    for name, new in names.items():
        if name in known.colours:
            colours.setdefault(new, known.colours[name])
    return replace(known, classes=classes, colours=colours | {k: v for k, v in known.colours.items() if k in colours})


@dataclass(frozen=True, kw_only=True)
class _Step:
    """A change.

    Attributes:
        what: in words.
        windows: row, column, side, class before and after, fact before and after, of every window that changed.
        colours: name of a class, its colour before and after.
        confirmed: windows whose label came to be confirmed (True) or no longer was (False).
        scheme: before and after, where it changed.
    """

    what: str
    windows: tuple[tuple[Window, str | None, str | None, LabelFact | None, LabelFact | None], ...]
    colours: tuple[tuple[str, str | None, str | None], ...]
    confirmed: tuple[tuple[Window, bool], ...] = ()
    scheme: tuple[str, str] | None = None

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to undo."""
        return bool(self.windows or self.colours or self.confirmed or self.scheme)

    @classmethod
    def between(cls, before: Annotations, after: Annotations, what: str) -> _Step:
        """Return the step from one state to the next."""
        old, new = before.of_window(), after.of_window()
        rows = []
        for window in sorted(old.keys() | new.keys()):
            pair = (old.get(window), new.get(window))
            if pair[0] != pair[1]:
                rows.append((window, *pair, before.facts.get(window), after.facts.get(window)))
        names = sorted(before.colours.keys() | after.colours.keys())
        painted = [(name, before.colours.get(name), after.colours.get(name)) for name in names]
        confirmed = [(window, window in after.confirmed) for window in sorted(before.confirmed ^ after.confirmed)]
        return cls(
            what=what, windows=tuple(rows), colours=tuple(one for one in painted if one[1] != one[2]),
            confirmed=tuple(confirmed),
            scheme=None if before.scheme == after.scheme else (before.scheme, after.scheme),
        )  # fmt: skip

    def undone(self, known: Annotations) -> Annotations:
        """Return a state without it; labels that were changed since by others stay as they are."""
        return self._to(known, 2, 1)

    def done(self, known: Annotations) -> Annotations:
        """Return a state with it again."""
        return self._to(known, 1, 2)

    def _to(self, known: Annotations, source: Literal[1, 2], target: Literal[1, 2]) -> Annotations:
        now = known.of_window()
        groups: dict[tuple[str | None, LabelFact], list[Window]] = {}
        for window, *names, old, new in self.windows:
            was, wanted = names if source == 1 else names[::-1]
            if now.get(window) == was:
                fact = (old if target == 1 else new) or LabelFact()
                groups.setdefault((wanted, fact), []).append(window)
        for (name, fact), windows in groups.items():
            known = known.with_class(windows, name, fact)
        colours = dict(known.colours)
        for painted in self.colours:
            if colours.get(painted[0]) == painted[source]:
                colours[painted[0]] = painted[target] or ""
        known = replace(known, colours={name: colour for name, colour in colours.items() if colour})
        if self.scheme is not None and known.scheme == self.scheme[source - 1]:
            known = replace(known, scheme=self.scheme[target - 1])
        confirmed = {window for window, on in self.confirmed if on == (target == 2)} & known.of_window().keys()
        dropped = {window for window, on in self.confirmed if on != (target == 2)}
        return replace(known, confirmed=known.confirmed - dropped | confirmed)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that ``from_json`` reads."""
        rows = [
            [*window, before, after, _fact_values(old), _fact_values(new)]
            for window, before, after, old, new in self.windows
        ]
        values = {"what": self.what, "windows": rows, "colours": [list(one) for one in self.colours]}
        if self.confirmed:
            values["confirmed"] = [[*window, on] for window, on in self.confirmed]
        return values if self.scheme is None else {**values, "scheme": list(self.scheme)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> _Step:
        """Read what ``to_json`` gave. Raises one of ``DAMAGED``."""
        rows = tuple(
            ((int(top), int(left), int(side)), before, after, _fact_of(old), _fact_of(new))
            for top, left, side, before, after, old, new in values["windows"]
        )
        painted = tuple((str(name), before, after) for name, before, after in values["colours"])
        confirmed = tuple(
            ((int(top), int(left), int(side)), bool(on)) for top, left, side, on in values.get("confirmed") or ()
        )
        return cls(
            what=str(values["what"]), windows=rows, colours=painted, confirmed=confirmed,
            scheme=_pair(values.get("scheme")),
        )  # fmt: skip


def _pair(values: Any) -> tuple[str, str] | None:  # noqa: ANN401  JSON
    if values is None:
        return None
    before, after = values
    return str(before), str(after)


def _fact_values(fact: LabelFact | None) -> list[str] | None:
    return None if fact is None else [fact.who, fact.when, fact.view]


def _fact_of(values: Any) -> LabelFact | None:  # noqa: ANN401  JSON
    if values is None:
        return None
    who, when, view = values
    return LabelFact(who=str(who), when=str(when), view=str(view))


@dataclass(frozen=True, kw_only=True)
class _Steps:
    """Steps, of which the first so many are done."""

    steps: tuple[_Step, ...] = ()
    done: int = 0


def _read_steps(scene: Scene) -> _Steps:
    """Return the steps that are kept; none where their file is missing or damaged, which loses no label."""
    try:
        whole = json.loads((scene.directory / STEPS_FILE).read_bytes())
        steps = tuple(_Step.from_json(one) for one in whole["steps"])
        return _Steps(steps=steps, done=max(0, min(int(whole["done"]), len(steps))))
    except (OSError, *DAMAGED):
        return _Steps()


def _write_steps(scene: Scene, kept: _Steps) -> None:
    whole = {"version": 1, "done": kept.done, "steps": [one.to_json() for one in kept.steps]}
    try:
        write_atomically(scene.directory / STEPS_FILE, json.dumps(whole).encode())
    except OSError:  # The labels are written; that this change cannot be undone loses none of them.
        (scene.directory / STEPS_FILE).unlink(missing_ok=True)


def _keep_step(scene: Scene, step: _Step) -> None:
    if step.changes_something:
        before = _read_steps(scene)
        steps = (*before.steps[: before.done], step)[-MOST_UNDONE:]
        _write_steps(scene, _Steps(steps=steps, done=len(steps)))


def undoable(scene: Scene) -> tuple[str, str]:
    """Return the step that ``undo_labels`` would take back and that ``redo_labels`` would do again, each or empty."""
    kept = _read_steps(scene)
    back = kept.steps[kept.done - 1].what if kept.done else ""
    return back, kept.steps[kept.done].what if kept.done < len(kept.steps) else ""


def undo_labels(scene: Scene) -> str:
    """Take the last change of a scene's labels back; return it in words, empty where there is none.

    A patch that was changed again by another, after that step, stays as it is.

    Raises:
        SceneError: as of ``change_annotations``.
    """
    return _stepped(scene, "Undoing", back=True)


def redo_labels(scene: Scene) -> str:
    """Do a change again that was taken back; return it in words, empty where there is none. Errors as above."""
    return _stepped(scene, "Doing again", back=False)


def _stepped(scene: Scene, verb: str, *, back: bool) -> str:
    with _writing:
        kept = _read_steps(scene)
        at = kept.done - 1 if back else kept.done
        if not 0 <= at < len(kept.steps):
            return ""
        step, asked = kept.steps[at], f"{verb} a change of labels"
        known = read_annotations(scene, asked)
        _write(scene, asked, step.undone(known) if back else step.done(known))
        _write_steps(scene, replace(kept, done=at if back else at + 1))
        return step.what


def now_utc() -> str:
    """Return this moment in UTC as facts hold it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def annotations_version(scene: Scene) -> str:
    """Return what tells classes and colours from any others, in hexadecimal; empty when there are no labels."""
    try:
        return _version((scene.directory / LABELS_FILE).read_bytes())
    except OSError:
        return ""


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


def clean_class(asked: str, name: str) -> str:
    """Return the name of a class without spaces that say nothing.

    Raises:
        SettingsError: for a name that cannot be used.
    """
    clean = " ".join(name.split())
    if clean.casefold() == NOBODYS:
        raise SettingsError(asked, f"“{clean}” means patches without a class", "give another name")
    if not clean or len(clean) > LONGEST_NAME or not clean.isprintable():
        found = "the class has no name" if not clean else "its name is too long or has characters that cannot be shown"
        raise SettingsError(asked, found, f"give a name of 1 to {LONGEST_NAME} letters")
    return clean


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


def _write(scene: Scene, asked: str, known: Annotations) -> None:
    if sum(bool(given) for given in known.classes.values()) > MOST_CLASSES:
        raise SettingsError(asked, f"there are {MOST_CLASSES} classes already", "use one of them")
    try:
        write_atomically(scene.directory / LABELS_FILE, _content(known))
    except OSError as error:
        found = f"the disk refused it ({error.strerror})"
        raise SceneError(asked, found, "free some space and label them again") from error
