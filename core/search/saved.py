"""Searches that people keep with a scene under a name, in ``searches.json`` beside its pixels.

Patches are kept as windows of their scene, as labels are, so that a search holds when the scene is cut otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import SceneError, SettingsError
from core.files import editing
from core.scenes.kept import DAMAGED, read_kept, write_kept
from core.scenes.patches import PatchGrid, PatchRef
from core.scenes.regions.map_region import read_region
from core.scenes.scene import SCENE_ID, Scene
from core.search.examples import AreaExample, Evidence, Example, PatchExample, VectorExample

SEARCHES_FILE = "searches.json"
LONGEST_SEARCH_NAME, MOST_SAVED, MOST_SAVED_BYTES = 60, 200, 32 * 2**20
"""Characters of a name, searches of a scene, and bytes of its file."""

_VERSION = 1

GridOf = Callable[[str], PatchGrid | None]
"""Gives the patches of a scene by its id as they are cut now; None when there is no such scene."""


@dataclass(frozen=True, kw_only=True)
class LoadedEvidence:
    """A search that was kept.

    Attributes:
        evidence: its examples, as patches of the scenes as they are cut now.
        moved: examples that are another window now: the patch that holds the middle of the old one.
        lost: examples whose scene or place is not there any more.
    """

    evidence: Evidence
    moved: int = 0
    lost: int = 0


def saved_searches(scene: Scene) -> tuple[str, ...]:
    """Return the names of the searches kept with a scene, in alphabetical order.

    Raises:
        SceneError: when they cannot be read.
    """
    return tuple(sorted(_read(scene, f"Reading the searches of “{scene.name}”"), key=str.casefold))


def save_evidence(scene: Scene, evidence: Evidence, grid_of: GridOf) -> None:
    """Keep a search with a scene under its name, in place of one of the same name.

    Raises:
        SettingsError: for a name that cannot be shown, no examples, or one search too many.
        SceneError: when the disk refuses it, or those there are cannot be read.
        PatchError: when an example is no patch of its scene.
    """
    asked = f"Keeping a search of “{scene.name}”"
    name = _clean(asked, evidence.name)
    if not evidence.examples:
        raise SettingsError(asked, "it has no examples", "mark a patch first")
    with editing(scene.directory / SEARCHES_FILE, asked=asked):
        known = dict(_read(scene, asked))
        known[name] = [_written(one, grid_of) for one in evidence.examples]
        if len(known) > MOST_SAVED:
            raise SettingsError(asked, f"there are {MOST_SAVED} searches already", "delete one of them")
        _write(scene, asked, known)


def load_evidence(scene: Scene, name: str, grid_of: GridOf) -> LoadedEvidence:
    """Return a search that was kept with a scene.

    Raises:
        SettingsError: when there is none of that name.
        SceneError: when it cannot be read.
    """
    asked = f"Opening a search of “{scene.name}”"
    known = _read(scene, asked)
    if name not in known:
        there = ", ".join(f"“{one}”" for one in sorted(known)[:12]) or "none"
        raise SettingsError(asked, f"there is no search “{name[:LONGEST_SEARCH_NAME]}”", f"choose of {there}")
    try:
        return read_evidence(known[name], name, grid_of)
    except (SettingsError, *DAMAGED) as error:
        raise SceneError(asked, "its examples cannot be read", "delete it and keep it anew") from error


def delete_search(scene: Scene, name: str) -> None:
    """Forget a search that was kept with a scene; harmless when there is none of that name.

    Raises:
        SceneError: when the disk refuses it, or those there are cannot be read.
    """
    asked = f"Deleting a search of “{scene.name}”"
    with editing(scene.directory / SEARCHES_FILE, asked=asked):
        known = dict(_read(scene, asked))
        if known.pop(name, None) is not None:
            _write(scene, asked, known)


def written_evidence(evidence: Evidence, grid_of: GridOf) -> list[dict[str, Any]]:
    """Return examples as JSON values, patches as windows, for bundles.

    Raises:
        PatchError: when an example is no patch of its scene.
        SettingsError: when its scene is not there.
    """
    return [_written(one, grid_of) for one in evidence.examples]


def read_evidence(listed: list[dict[str, Any]], name: str, grid_of: GridOf) -> LoadedEvidence:
    """Return what ``written_evidence`` gave, as patches of the scenes as they are cut now.

    Of several windows that have become one patch the latest mark counts.

    Raises:
        SettingsError: when an area is none, or there are too many examples.
        ValueError: or ``TypeError``, ``KeyError``, ``AttributeError``, ``IndexError`` for what makes no sense.
    """
    marks: dict[object, Example] = {}
    moved = lost = 0
    for values in listed:
        one, same = _example(values, grid_of)
        if one is None:
            lost += 1
            continue
        moved += not same
        marks[one.what] = one
    return LoadedEvidence(evidence=Evidence(examples=tuple(marks.values()), name=name), moved=moved, lost=lost)


def written_kind(one: Example) -> dict[str, Any]:
    """Return what is kept of any example: whether it is a good one, and its weight, where it does not count once."""
    return {"good": one.good} | ({} if one.weight == 1 else {"weight": one.weight})


def _written(one: Example, grid_of: GridOf) -> dict[str, Any]:
    kind = written_kind(one)
    if isinstance(one, AreaExample):
        return {**kind, "area": one.area.to_geojson(), "title": one.title}
    if isinstance(one, VectorExample):
        more: dict[str, Any] = {"chip": one.chip} if one.chip else {}
        more |= {"bands": list(one.bands)} if one.bands else {}
        return {**kind, "vector": list(one.vector), "encoder": one.fingerprint, "title": one.title, **more}
    grid = grid_of(one.ref.scene)
    if grid is None:
        raise SettingsError("Keeping a search", f"the scene {one.ref.scene} is not there", "take its examples away")
    return {**kind, "scene": one.ref.scene, "window": list(grid.window(one.ref.patch)[:3])}


def _example(values: Mapping[str, Any], grid_of: GridOf) -> tuple[Example | None, bool]:
    """Return one example of JSON values, and whether it is what it was; None when its patch is gone."""
    good = values["good"]
    if not isinstance(good, bool):
        raise TypeError("an example is neither good nor bad")
    weight = float(values.get("weight", 1.0))
    if "area" in values:
        return AreaExample(area=read_region(values["area"]), good=good, title=str(values["title"]), weight=weight), True
    if "vector" in values:
        vector = tuple(float(number) for number in values["vector"])
        if not vector or not np.isfinite(vector).all():
            raise ValueError("features are not finite")
        title, fingerprint, chip = str(values["title"]), str(values["encoder"]), str(values.get("chip", ""))
        bands = tuple(str(name) for name in values.get("bands", ()))
        return VectorExample(
            vector=vector,
            fingerprint=fingerprint,
            good=good,
            title=title,
            chip=chip,
            bands=bands,
            weight=weight,
        ), True
    scene, window = str(values["scene"]), values["window"]
    if not SCENE_ID.fullmatch(scene):
        raise ValueError("no id of a scene")
    top, left, side = (int(number) for number in window)
    grid = grid_of(scene)
    if grid is None:
        return None, False
    own = grid.patch_of_window(top, left, side)
    patch = grid.patch_at(top + side / 2, left + side / 2) if own is None else own
    if patch is None:
        return None, own is not None
    return PatchExample(ref=PatchRef(scene, patch), good=good, weight=weight), own is not None


def _clean(asked: str, name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > LONGEST_SEARCH_NAME or not clean.isprintable():
        found = "it has no name" if not clean else "its name is too long or has characters that cannot be shown"
        raise SettingsError(asked, found, f"give a name of 1 to {LONGEST_SEARCH_NAME} letters")
    return clean


def _read(scene: Scene, asked: str) -> Mapping[str, list[dict[str, Any]]]:
    """Return the searches of a scene by name.

    Raises:
        SceneError: for a damaged file, and one of another version.
    """
    version, searches = read_kept(scene, SEARCHES_FILE, _parsed, "the searches kept before", asked=asked) or (
        _VERSION,
        {},
    )
    if version != _VERSION:
        found = f"the searches kept before are of version {version!r}, and this app reads {_VERSION}"
        remedy = f"use the app that kept them, or move {SEARCHES_FILE} out of the folder of the scene {scene.id}"
        raise SceneError(asked, found, remedy)
    return searches


def _parsed(content: bytes) -> tuple[Any, Mapping[str, list[dict[str, Any]]]]:
    """Return the version of a file, and its searches by name; none of another version."""
    whole = json.loads(content)
    version, searches = whole["version"], whole["searches"]
    if version != _VERSION:
        return version, {}
    if not all(isinstance(listed, list) for listed in searches.values()):
        raise ValueError("searches")
    return version, {str(name): listed for name, listed in searches.items()}


def _write(scene: Scene, asked: str, known: Mapping[str, list[dict[str, Any]]]) -> None:
    text = json.dumps({"version": _VERSION, "searches": dict(sorted(known.items()))}, ensure_ascii=False)
    data = text.encode()
    if len(data) > MOST_SAVED_BYTES:
        raise SettingsError(asked, f"all of them take more than {MOST_SAVED_BYTES // 2**20} MB", "delete one of them")
    path = scene.directory / SEARCHES_FILE
    if not path.is_file() or path.read_bytes() != data:
        write_kept(scene, SEARCHES_FILE, data, asked=asked, again="keep it again")
