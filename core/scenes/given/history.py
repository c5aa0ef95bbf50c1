"""Changes of labels that people gave: each is a step that can be undone; the steps lie in a file beside the labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from core.errors import StoreError
from core.files import discard, editing, write_atomically
from core.scenes.given.annotations import (
    LABELS_FILE,
    Annotations,
    LabelFact,
    Window,
    read_annotations,
    write_annotations,
)
from core.scenes.kept import read_kept
from core.scenes.scene import Scene

STEPS_FILE = "labels_steps.json"

MOST_UNDONE = 100
"""Changes that can be undone; earlier ones stay as they are."""


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
    with editing(scene.directory / LABELS_FILE, scene.directory / STEPS_FILE, asked=asked):
        before = read_annotations(scene, asked)
        after = change(before)
        write_annotations(scene, asked, after)
        _keep_step(scene, _Step.between(before, after, what or asked))


def confirm_labels(scene: Scene, windows: Iterable[Window]) -> None:
    """Keep labels that were doubted: they are not doubted again until they change. Errors of ``change_annotations``."""
    chosen, asked = frozenset(windows), "Keeping labels as they are"

    def change(known: Annotations) -> Annotations:
        return replace(known, confirmed=known.confirmed | (chosen & known.of_window().keys()))

    count = len(chosen)
    change_annotations(scene, asked, change, f"{count} label{'s' if count != 1 else ''} kept as right")


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
    asked = f"{verb} a change of labels"
    with editing(scene.directory / LABELS_FILE, scene.directory / STEPS_FILE, asked=asked):
        kept = _read_steps(scene)
        at = kept.done - 1 if back else kept.done
        if not 0 <= at < len(kept.steps):
            return ""
        step = kept.steps[at]
        known = read_annotations(scene, asked)
        write_annotations(scene, asked, step.undone(known) if back else step.done(known))
        _write_steps(scene, replace(kept, done=at if back else at + 1))
        return step.what


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
    return read_kept(scene, STEPS_FILE, _parsed, "what can be undone") or _Steps()


def _parsed(content: bytes) -> _Steps:
    whole = json.loads(content)
    steps = tuple(_Step.from_json(one) for one in whole["steps"])
    return _Steps(steps=steps, done=max(0, min(int(whole["done"]), len(steps))))


def _write_steps(scene: Scene, kept: _Steps) -> None:
    whole = {"version": 1, "done": kept.done, "steps": [one.to_json() for one in kept.steps]}
    try:
        write_atomically(scene.directory / STEPS_FILE, json.dumps(whole).encode())
    except (OSError, StoreError):  # The labels are written; that this change cannot be undone loses none of them.
        with suppress(StoreError):
            discard(scene.directory / STEPS_FILE)


def _keep_step(scene: Scene, step: _Step) -> None:
    if step.changes_something:
        before = _read_steps(scene)
        steps = (*before.steps[: before.done], step)[-MOST_UNDONE:]
        _write_steps(scene, _Steps(steps=steps, done=len(steps)))
