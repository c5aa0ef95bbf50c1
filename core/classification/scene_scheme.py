"""The scheme that the patches of a scene are labelled by, kept with its labels, and schemes kept for other scenes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.classification.schemes import KEYS, LandClass, Scheme, free_code, read_scheme, scheme_json
from core.errors import LandlikeError, SettingsError, StoreError
from core.files import discard, disk_errors, replacing
from core.scenes.given.annotations import MOST_CLASSES, Annotations, read_annotations
from core.scenes.given.classes import clean_class, renamed_classes
from core.scenes.given.history import change_annotations
from core.scenes.scene import Scene
from core.values.palette import further_colour

OWN_SCHEME = "own"
"""Name of a scheme that people made themselves."""

_SUFFIX = ".json"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


def scheme_of_scene(scene: Scene) -> Scheme | None:
    """Return the scheme that was chosen for a scene; None where none was, or what is kept of it is damaged."""
    return parsed_scheme(read_annotations(scene).scheme)


def parsed_scheme(kept: str) -> Scheme | None:
    """Return the scheme that labels are kept with, as ``Annotations.scheme`` has it; None as of ``scheme_of_scene``."""
    try:
        return read_scheme(kept.encode(), "the scheme of a scene") if kept else None
    except LandlikeError:
        return None


def choose_scheme(scene: Scene, scheme: Scheme) -> None:
    """Label a scene by a scheme from now on, as a step that can be undone; labels that there are stay.

    Raises:
        SceneError: as of ``change_annotations``.
    """
    written = scheme_json(scheme)

    def change(known: Annotations) -> Annotations:
        return replace(known, scheme=written)

    change_annotations(scene, "Choosing classes", change, f"classes of “{scheme.title}”")


def name_class(scene: Scene, scheme: Scheme, name: str) -> Scheme:
    """Add a class to the scheme of a scene, with a code, a colour and a key of its own; return the scheme.

    Raises:
        SettingsError: for a name that cannot be used or is there, or one class too many.
        SceneError: as of ``change_annotations``.
    """
    asked = "Naming a class"
    clean = clean_class(asked, name)
    alike = next(
        (one.title for one in scheme.classes if clean.casefold() in {one.name.casefold(), one.title.casefold()}), ""
    )
    if alike:
        raise SettingsError(asked, f"there is a class “{alike}” already", "label by it, or give another name")
    if len(scheme.classes) >= MOST_CLASSES:
        raise SettingsError(asked, f"there are {MOST_CLASSES} classes already", "use one of them")
    taken = {one.key for one in scheme.classes}
    fresh = LandClass(
        code=free_code(asked, [one.code for one in scheme.classes]), name=clean,
        colour=further_colour([one.colour for one in scheme.classes]),
        key=next((key for key in KEYS if key not in taken), ""),
    )  # fmt: skip
    found = replace(scheme, classes=(*scheme.classes, fresh))
    choose_scheme(scene, found)
    return found


@dataclass(frozen=True, kw_only=True)
class ClassEdit:
    """What becomes of a class of a scheme.

    Attributes:
        before: its name until now; empty = it is new.
        after: what it is from now on; None = it goes.
    """

    before: str
    after: LandClass | None


def edit_scheme(scene: Scene, scheme: Scheme, edits: Sequence[ClassEdit], *, title: str = "") -> Scheme:
    """Change classes of the scheme of a scene, and the labels with them, as one step that can be undone.

    Labels of a class that is renamed get its new name, and those of a class that is coloured its colour.

    Args:
        scene: the scene.
        scheme: until now.
        edits: of all its classes, in the order they are to be shown.
        title: of the scheme from now on; empty = as it is.

    Returns:
        The scheme from now on.

    Raises:
        SettingsError: when a code, a name, a key is there twice, or a class with labels would go.
        SceneError: as of ``change_annotations``.
    """
    asked = "Changing classes"
    kept = [(edit.before, edit.after) for edit in edits if edit.after is not None]
    draft = Scheme(name=OWN_SCHEME, title=title.strip()[:60] or scheme.title, classes=tuple(one for _, one in kept))
    fresh = replace(read_scheme(scheme_json(draft).encode(), draft.title), source=scheme.source)
    names = {before: after.name for (before, _), after in zip(kept, fresh.classes, strict=True) if before}
    gone = [edit.before for edit in edits if edit.after is None]

    def change(known: Annotations) -> Annotations:
        labelled = next((name for name in gone if known.classes.get(name)), None)
        if labelled is not None:
            found = f"patches are labelled “{labelled}”"
            raise SettingsError(asked, found, "join it to another class, or take these labels away, before it goes")
        taken = next((new for old, new in names.items() if _in_the_way(known, names, old, new)), None)
        if taken is not None:
            raise SettingsError(asked, f"there are labels of a class “{taken}” already", "join the two")
        moved = renamed_classes(known, {old: new for old, new in names.items() if old != new})
        colours = {one.name: one.colour for one in fresh.classes if moved.classes.get(one.name)}
        return replace(moved, colours={**moved.colours, **colours}, scheme=scheme_json(fresh))

    change_annotations(scene, asked, change, f"other classes in “{fresh.title}”")
    return fresh


def _in_the_way(known: Annotations, names: Mapping[str, str], old: str, new: str) -> bool:
    """Return whether labels of another class have the name that a class is to have."""
    return old != new and bool(known.classes.get(new)) and names.get(new, new) == new


class KeptSchemes:
    """Schemes of their own that people kept for other scenes, a file each.

    Args:
        root: folder of the data.
    """

    def __init__(self, root: Path) -> None:
        self.root = root / "schemes"

    def all(self) -> dict[str, Scheme]:
        """Return those that can be read, by name, in the order of their titles."""
        found = {}
        for path in sorted(self.root.glob(f"*{_SUFFIX}")):
            try:
                found[path.stem] = read_scheme(path.read_bytes(), path.name)
            except (OSError, LandlikeError):
                continue  # One that is damaged keeps nobody from the others.
        return dict(sorted(found.items(), key=lambda one: one[1].title.casefold()))

    def save(self, scheme: Scheme) -> str:
        """Keep a scheme, and return the name that its title makes; one of the same name is replaced.

        Raises:
            SettingsError: when the title has no letter or digit.
            StoreError: when the disk refuses it.
        """
        name = re.sub(r"[^a-z0-9]+", "-", scheme.title.casefold()).strip("-")[:60].strip("-")
        if not name:
            raise SettingsError("Keeping classes", f"“{scheme.title}” has no letter or digit", "give another name")
        advice = "make room on the disk and keep it again"
        with disk_errors("Keeping classes", full=advice, other=advice):
            self.root.mkdir(parents=True, exist_ok=True)
            with replacing(self._path(name)) as part:
                part.write_text(scheme_json(scheme), encoding="utf-8")
        return name

    def delete(self, name: str) -> None:
        """Remove one; nothing happens where there is none."""
        discard(self._path(name))

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise StoreError("Looking for classes", f"none are kept as “{name[:60]}”", "choose some of those there are")
        return self.root / f"{name}{_SUFFIX}"
