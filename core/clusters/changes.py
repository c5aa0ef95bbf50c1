"""What people decided on a scene's clusters, in ``clusters.json`` beside its pixels: how many, their names, merges.

Names and merges are kept for a recipe and settings, and hold for the very clusters they were given to: those of a later
find that differs are left alone. Every change can be undone. Which clusters are on show is kept for each recipe.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from core.errors import SceneError, SettingsError
from core.features.recipe import Recipe
from core.files import editing
from core.scenes.kept import read_kept, write_kept
from core.scenes.scene import Scene
from core.similarity.clusters import ClusterSet, ClusterSettings, FoundClusters

CLUSTERS_FILE = "clusters.json"
LONGEST_CLUSTER_NAME = 60
"""Characters of a name that people give."""

MOST_CHANGES = 100
"""Changes that can be undone; earlier ones stay as they are."""

_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ClusterChanges:
    """What clusters are called and which are one.

    Attributes:
        names: that people gave, by the smallest number that the cluster was found as.
        merged: numbers of clusters as they were found that are one, each in one tuple at most.
        what: the change that led here, in words; empty = as they were found.
    """

    names: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    merged: tuple[tuple[int, ...], ...] = ()
    what: str = ""

    @property
    def version(self) -> str:
        """Return what tells it from others, in hexadecimal; empty where nothing was changed."""
        if not self.names and not self.merged:
            return ""
        said = json.dumps([sorted(self.names.items()), sorted(self.merged)])
        return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


UNCHANGED = ClusterChanges()


@dataclass(frozen=True, kw_only=True)
class _History:
    """Changes one after the other.

    Attributes:
        check: of the clusters they hold for.
        states: after each change.
        done: how many of them count; later ones were undone.
    """

    check: str = ""
    states: tuple[ClusterChanges, ...] = ()
    done: int = 0

    @property
    def now(self) -> ClusterChanges:
        """Return the state that counts."""
        return self.states[self.done - 1] if self.done else UNCHANGED


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """The file of a scene.

    Attributes:
        shown: which clusters are on show, by recipe.
        histories: by recipe and settings.
    """

    shown: Mapping[str, ClusterSettings] = field(default_factory=lambda: MappingProxyType({}))
    histories: Mapping[tuple[str, str], _History] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterOrigin:
    """Clusters as they were found, and where: what changes hold for.

    Attributes:
        scene: the scene.
        recipe: of the features that were clustered.
        settings: how.
        found: the clusters.
    """

    scene: Scene
    recipe: Recipe
    settings: ClusterSettings
    found: FoundClusters

    @property
    def key(self) -> tuple[str, str]:
        """Return what changes are kept under."""
        return self.recipe.key, self.settings.key

    @property
    def check(self) -> str:
        """Return what tells these clusters from any others."""
        return check_of(self.found)


def check_of(found: FoundClusters) -> str:
    """Return what tells clusters from any others, in hexadecimal."""
    return hashlib.blake2b(np.ascontiguousarray(found.index, np.int16).tobytes(), digest_size=8).hexdigest()


@dataclass(frozen=True, kw_only=True)
class DecidedClusters:
    """All that is decided on the clusters of a scene, without the clusters: enough to make them again elsewhere.

    Attributes:
        settings: how they are found.
        check: of the clusters, as ``check_of`` gives it.
        changes: what became of them since.
    """

    settings: ClusterSettings
    check: str
    changes: ClusterChanges = UNCHANGED


def decided_clusters(origin: ClusterOrigin) -> DecidedClusters:
    """Return what is decided on clusters now."""
    return DecidedClusters(settings=origin.settings, check=origin.check, changes=changes_of(origin))


def decided_otherwise(scene: Scene, recipe: Recipe, decided: DecidedClusters) -> bool:
    """Return whether somebody chose, named or merged clusters of a scene, and not as is decided elsewhere.

    Of a damaged file nothing can be known, so that it counts as decided otherwise.
    """
    try:
        return _otherwise(_read(scene, "Reading clusters"), recipe, decided)
    except SceneError:
        return True


def adopt_clusters(scene: Scene, recipe: Recipe, decided: DecidedClusters) -> None:
    """Let what is decided elsewhere hold here, as a change that can be undone; does nothing where it holds already.

    Raises:
        SettingsError: where somebody decided otherwise here.
        SceneError: as of ``rename_cluster``.
    """
    asked = f"Taking over clusters of “{scene.name}”"
    with editing(scene.directory / CLUSTERS_FILE, asked=asked):
        known = _read(scene, asked)
        if _otherwise(known, recipe, decided):
            found = "somebody chose, named or merged them otherwise here"
            raise SettingsError(asked, found, "take that back first, or keep these")
        key, histories = (recipe.key, decided.settings.key), dict(known.histories)
        if decided.changes.version and _states_of(known, key).now.version != decided.changes.version:
            states = (replace(decided.changes, what="names and merges were taken over"),)
            histories[key] = _History(check=decided.check, states=states, done=1)
        shown = dict(known.shown)
        if shown.get(recipe.key, ClusterSettings()) != decided.settings:
            shown[recipe.key] = decided.settings
        if shown != known.shown or histories != known.histories:
            _write(scene, asked, replace(known, shown=shown, histories=histories))


def _otherwise(known: _Kept, recipe: Recipe, decided: DecidedClusters) -> bool:
    if known.shown.get(recipe.key, decided.settings) != decided.settings:
        return True
    history = _states_of(known, (recipe.key, decided.settings.key))
    same = history.check == decided.check and history.now.version == decided.changes.version
    return bool(history.now.version) and not same


def _states_of(known: _Kept, key: tuple[str, str]) -> _History:
    """Return the changes that are kept under a key, whichever clusters they hold for."""
    return known.histories.get(key, _History())


def chosen_settings(scene: Scene, recipe: Recipe) -> ClusterSettings:
    """Return how the clusters on show are found: as somebody chose last, else as usual."""
    return _read(scene).shown.get(recipe.key, ClusterSettings())


def choose_settings(scene: Scene, recipe: Recipe, settings: ClusterSettings) -> None:
    """Put clusters on show that are found so; names and merges of others are kept for when they come back.

    Raises:
        SceneError: when the disk refuses it, or what was kept before cannot be read.
    """
    asked = f"Choosing clusters of “{scene.name}”"
    with editing(scene.directory / CLUSTERS_FILE, asked=asked):
        known = _read(scene, asked)
        _write(scene, asked, replace(known, shown={**known.shown, recipe.key: settings}))


def changes_of(origin: ClusterOrigin) -> ClusterChanges:
    """Return what became of clusters since they were found; nothing for others than those that were changed."""
    return _history(_read(origin.scene), origin).now


def undoable_change(origin: ClusterOrigin) -> str:
    """Return the change that ``undo_change`` would take back, in words; empty when there is none."""
    return changes_of(origin).what


def rename_cluster(origin: ClusterOrigin, known: ClusterSet, number: int, name: str) -> None:
    """Give a cluster a name; an empty one gives it back the one by its light.

    Args:
        origin: the clusters as they were found.
        known: as they are called now.
        number: of the cluster.
        name: what to call it.

    Raises:
        SettingsError: when there is no such cluster, the name cannot be used, or another cluster has it.
        SceneError: when the disk refuses it, or what was kept before cannot be read.
    """
    asked = f"Renaming “{known.names[number]}”" if 0 <= number < len(known.names) else "Renaming a cluster"
    _there(asked, known, [number])
    clean, key = _clean(asked, name, known, {number}), min(known.parts[number])

    def change(before: ClusterChanges) -> ClusterChanges:
        names = {other: said for other, said in before.names.items() if other != key}
        if clean:
            names[key] = clean
        what = f"“{known.names[number]}” is called “{clean}”" if clean else f"“{known.names[number]}” lost its name"
        return replace(before, names=names, what=what)

    _change(origin, asked, change)


def merge_clusters(origin: ClusterOrigin, known: ClusterSet, numbers: Iterable[int], name: str = "") -> None:
    """Make one cluster of several.

    Args:
        origin: the clusters as they were found.
        known: as they are called now.
        numbers: of the clusters, at least two.
        name: of the new one; empty = the name that people gave the largest of them that has one, else one by its light.

    Raises:
        SettingsError: for fewer than two, one that there is not, and as of ``rename_cluster``.
        SceneError: as of ``rename_cluster``.
    """
    wanted, asked = list(dict.fromkeys(numbers)), "Merging clusters"
    _there(asked, known, wanted)
    if len(wanted) < 2:
        raise SettingsError(asked, "one cluster was named", "name two or more")
    clean = _clean(asked, name, known, set(wanted))
    together = tuple(sorted(part for number in wanted for part in known.parts[number]))
    listed = " and ".join(f"“{known.names[number]}”" for number in wanted)

    def change(before: ClusterChanges) -> ClusterChanges:
        given = clean or next((said for part in together if (said := before.names.get(part))), "")
        names = {other: said for other, said in before.names.items() if other not in together}
        if given:
            names[together[0]] = given
        merged = tuple(parts for parts in before.merged if not set(parts) & set(together))
        return ClusterChanges(names=names, merged=(*merged, together), what=f"{listed} are one")

    _change(origin, asked, change)


def undo_change(origin: ClusterOrigin) -> str:
    """Take the last change of clusters back; return it in words, empty where there is none.

    Raises:
        SceneError: as of ``rename_cluster``.
    """
    asked = f"Undoing a change of clusters of “{origin.scene.name}”"
    with editing(origin.scene.directory / CLUSTERS_FILE, asked=asked):
        known = _read(origin.scene, asked)
        history = _history(known, origin)
        if not history.done:
            return ""
        changed = replace(history, done=history.done - 1)
        _write(origin.scene, asked, replace(known, histories={**known.histories, origin.key: changed}))
        return history.now.what


def _there(asked: str, known: ClusterSet, numbers: Iterable[int]) -> None:
    for number in numbers:
        if not 0 <= number < len(known.names):
            there = ", ".join(f"“{name}”" for name in known.names[:12])
            raise SettingsError(asked, f"there is no cluster {number + 1}", f"choose of {there}")


def _clean(asked: str, name: str, known: ClusterSet, own: set[int]) -> str:
    """Return a name without spaces that say nothing; empty stays empty."""
    clean = " ".join(name.split())
    if len(clean) > LONGEST_CLUSTER_NAME or not clean.isprintable():
        found = "its name is too long or has characters that cannot be shown"
        raise SettingsError(asked, found, f"give a name of 1 to {LONGEST_CLUSTER_NAME} letters")
    taken = {other.casefold() for number, other in enumerate(known.names) if number not in own}
    if clean.casefold() in taken:
        raise SettingsError(asked, f"there is a cluster “{clean}” already", "merge the two, or choose another name")
    return clean


def _history(known: _Kept, origin: ClusterOrigin) -> _History:
    """Return the changes that hold for clusters: none of those that were of others."""
    check = origin.check
    found = known.histories.get(origin.key)
    return found if found is not None and found.check == check else _History(check=check)


def _change(origin: ClusterOrigin, asked: str, change: Callable[[ClusterChanges], ClusterChanges]) -> None:
    with editing(origin.scene.directory / CLUSTERS_FILE, asked=asked):
        known = _read(origin.scene, asked)
        history = _history(known, origin)
        states = (*history.states[: history.done], change(history.now))[-MOST_CHANGES:]
        changed = replace(history, states=states, done=len(states))
        _write(origin.scene, asked, replace(known, histories={**known.histories, origin.key: changed}))


def _read(scene: Scene, asked: str | None = None) -> _Kept:
    """Return what is kept; of a damaged file nothing, unless something is ``asked`` of it.

    Raises:
        SceneError: when something is asked, and the file cannot be read.
    """
    return read_kept(scene, CLUSTERS_FILE, _parsed, "what was decided on clusters before", asked=asked) or _Kept()


@lru_cache(maxsize=32)
def _parsed(content: bytes) -> _Kept:
    whole = json.loads(content)
    if whole["version"] != _VERSION:
        raise ValueError("another version")
    shown = {str(key): ClusterSettings.from_values(values) for key, values in whole["shown"].items()}
    histories = {}
    for one in whole["changes"]:
        states = tuple(_state(values) for values in one["states"])
        done = max(0, min(int(one["done"]), len(states)))
        histories[str(one["recipe"]), str(one["settings"])] = _History(
            check=str(one["check"]), states=states, done=done
        )
    return _Kept(shown=shown, histories=histories)


def _state(values: Mapping[str, Any]) -> ClusterChanges:
    names = {int(number): str(name)[:LONGEST_CLUSTER_NAME] for number, name in values["names"].items()}
    merged = tuple(tuple(sorted({int(number) for number in parts})) for parts in values["merged"])
    return ClusterChanges(names=names, merged=merged, what=str(values["what"]))


def _write(scene: Scene, asked: str, known: _Kept) -> None:
    changes = [
        {
            "recipe": recipe, "settings": settings, "check": history.check, "done": history.done,
            "states": [
                {"what": one.what, "names": {str(key): name for key, name in one.names.items()},
                 "merged": [list(parts) for parts in one.merged]}
                for one in history.states
            ],
        }
        for (recipe, settings), history in known.histories.items()
    ]  # fmt: skip
    shown = {key: asdict(settings) for key, settings in known.shown.items()}
    text = json.dumps({"version": _VERSION, "shown": shown, "changes": changes}, ensure_ascii=False)
    write_kept(scene, CLUSTERS_FILE, text.encode(), asked=asked)
