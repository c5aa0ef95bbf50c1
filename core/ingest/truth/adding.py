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
from core.ingest.sandbox.protocol import TruthRequest, TruthResult, truth_result_from_dict
from core.progress import Progress, silent
from core.scenes.library import Library
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from core.scenes.truth import Truth, TruthMap, add_truth_map, class_numbers

_BESIDE = (".aux.xml", ".msk")
_SAME_STEM = (".tfw", ".tifw", ".wld", ".pgw", ".j2w", ".prj")


def add_map(
    paths: Sequence[Path],
    library: Library,
    scene: Scene,
    *,
    classes: str = "",
    fewest: int = 1,
    having: Sequence[str] = (),
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
        having: names of classes that it needs, likewise; capitals do not matter.
        progress: told rows of the scene.
        cancelled: asked ten times a second; True stops the work.
        limits: what the sandbox may use.

    Raises:
        SourceError: one sentence on why the map cannot be used; what was there before stays.
        SettingsError: for a class that it needs and does not have; likewise.
        SceneError: when the disk refuses it.
        JobCancelledError: when it was cancelled.
    """
    paths = list(paths)
    shown = map_name(paths)
    with errors_about(shown):
        if scene.is_collection:
            found = f"“{scene.name}” is a collection of patches from many places, which no map covers"
            raise SourceError(found=found, remedy="add the map to a scene, or give the patches in class folders")
        try:
            with library.staged() as staged:
                request = _request(paths, staged, scene, shown, classes)
                placed = answer_of_sandbox(request, limits, progress, cancelled, understand=truth_result_from_dict)
                _check(placed, fewest, having)
                return add_truth_map(library.get(scene.id), staged / "truth.tif", _known(placed, shown))
        except OSError as error:
            if disk_full(error):
                raise no_room() from error
            raise SourceError(found="it cannot be read", remedy="check that it is there and yours") from error


def _request(paths: Sequence[Path], staged: Path, scene: Scene, shown: str, classes: str) -> TruthRequest:
    """Return what the sandbox is asked, the files linked into a folder that it may read."""
    files = list_files(paths)
    links, scratch = linked(files, staged)
    return TruthRequest(
        name=shown,
        paths=links,
        names=tuple(name for name, _ in files),
        directory=staged,
        scratch=scratch,
        grid=scene.grid,
        turned=_turned(scene),
        classes=classes,
    )


def _check(found: TruthResult, fewest: int, having: Sequence[str]) -> None:
    """Refuse a map that is of no use for what it is wanted for, before it replaces another one."""
    if len(found.classes) < fewest:
        remedy = "give a map that tells two classes or more apart"
        raise SourceError(found="all land of the scene is of one class", remedy=remedy)
    class_numbers(found.classes, having)


def _known(found: TruthResult, shown: str) -> TruthMap:
    return TruthMap(
        file="",
        source=clean_name(shown, 120),
        classes=found.classes,
        colours=found.colours,
        covered=found.covered,
        findings=found.findings,
    )


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
