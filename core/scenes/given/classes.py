"""Names of the classes that people label by: which can be used, and several made one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from core.errors import SettingsError
from core.scenes.given.annotations import Annotations, Window
from core.scenes.given.history import change_annotations
from core.scenes.scene import Scene

LONGEST_NAME = 60
"""Characters of a class name that people can give."""

NOBODYS = "no class"
"""What legends call patches that have no class, with case folded."""


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


def _needed(asked: str, known: Annotations, names: Iterable[str]) -> None:
    for name in names:
        if not known.classes.get(name):
            there = ", ".join(f"“{one}”" for one in sorted(known.classes)) or "none"
            raise SettingsError(asked, f"there is no class “{name}”", f"choose one of those there are: {there}")


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
