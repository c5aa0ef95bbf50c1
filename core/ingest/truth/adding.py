"""Adding a map of classes to a scene of the library; its files are opened in the sandbox alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import SceneError, SourceError
from core.files import disk_full, never
from core.ingest.boundary import DEFAULT_LIMITS, linked
from core.ingest.files import list_files, map_name
from core.ingest.messages import clean_name, errors_about, no_room
from core.ingest.sandbox.limits import Limits
from core.ingest.sandbox.process import answer_of_sandbox
from core.ingest.sandbox.protocol import TruthRequest, truth_result_from_dict
from core.progress import Progress, silent
from core.scenes.library import Library
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from core.scenes.truth import Truth, TruthMap, add_truth_map

_BESIDE = (".aux.xml", ".msk")
_SAME_STEM = (".tfw", ".tifw", ".wld", ".pgw", ".j2w", ".prj")


def add_map(
    paths: Sequence[Path],
    library: Library,
    scene: Scene,
    *,
    classes: str = "",
    fewest: int = 1,
    progress: Progress = silent,
    cancelled: Callable[[], bool] = never,
    limits: Limits = DEFAULT_LIMITS,
) -> Truth:
    """Keep a map of classes with a scene, on its grid, in place of one that was added before.

    Args:
        paths: the map, and what goes with it: a CSV of names, files beside it; or one zip of these.
        library: that of the scene.
        scene: a scene, no collection.
        classes: what codes mean, ``0=water,1=trees``; empty = as the files say.
        fewest: classes that it has to tell apart on the scene, for what it is wanted for.
        progress: told rows of the scene.
        cancelled: asked ten times a second; True stops the work.
        limits: what the sandbox may use.

    Raises:
        SourceError: one sentence on why the map cannot be used; what was there before stays.
        SceneError: when the disk refuses it.
        JobCancelledError: when it was cancelled.
    """
    paths = list(paths)
    shown = map_name(paths)
    with errors_about(shown):
        if scene.kind == "collection":
            found = f"“{scene.name}” is a collection of patches from many places, which no map covers"
            raise SourceError(found=found, remedy="add the map to a scene, or give the patches in class folders")
        try:
            with library.staged() as staged:
                links, scratch = linked(list_files(paths), staged)
                request = TruthRequest(
                    name=shown,
                    paths=links,
                    names=tuple(name for name, _ in list_files(paths)),
                    directory=staged,
                    scratch=scratch,
                    grid=scene.grid,
                    turned=_turned(scene),
                    classes=classes,
                )
                found_map = answer_of_sandbox(request, limits, progress, cancelled, understand=truth_result_from_dict)
                if len(found_map.classes) < fewest:
                    remedy = "give a map that tells two classes or more apart"
                    raise SourceError(found="all land of the scene is of one class", remedy=remedy)
                known = TruthMap(
                    file="",
                    source=clean_name(shown, 120),
                    classes=found_map.classes,
                    colours=found_map.colours,
                    covered=found_map.covered,
                    findings=found_map.findings,
                )
                return add_truth_map(library.get(scene.id), staged / "truth.tif", known)
        except OSError as error:
            if disk_full(error):
                raise no_room() from error
            raise SourceError(found="it cannot be read", remedy="check that it is there and yours") from error


def with_files_beside(path: Path) -> list[Path]:
    """Return a map and the files that lie beside it and say something of it."""
    beside = [*(path.with_name(path.name + end) for end in _BESIDE), *(path.with_suffix(end) for end in _SAME_STEM)]
    return [path, *(one for one in beside if one.is_file() and one != path)]


def _turned(scene: Scene) -> bool:
    """Tell whether a scene was turned or mirrored when it was read; False where that is no longer known."""
    try:
        return any(line.topic == "orientation" for line in load_quality(scene.directory).findings)
    except SceneError:
        return False
