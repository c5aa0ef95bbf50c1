"""Ingest: what a person gives becomes a canonical scene of the library. Files are opened by the child alone."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import SourceError
from core.files import write_atomically
from core.ingest.files import list_files, scene_id_of, source_name, title_of
from core.ingest.messages import clean_name, disk_full, is_disk_full, opening
from core.ingest.sandbox.limits import Limits
from core.ingest.sandbox.process import run_child
from core.ingest.sandbox.protocol import Outcome, PlacedPatch, Task
from core.ingest.settings import IngestSettings
from core.progress import Progress, silent
from core.scenes.library import Library
from core.scenes.quality import QualityRecord
from core.scenes.scene import Scene

DEFAULT_SETTINGS = IngestSettings()
DEFAULT_LIMITS = Limits()
_KEPT = ("pixels.tif", "truth.tif", "places.parquet", "quality.json")


def never() -> bool:
    """Nobody cancels."""
    return False


def ingest(
    paths: Sequence[Path],
    library: Library,
    settings: IngestSettings = DEFAULT_SETTINGS,
    *,
    name: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = never,
    limits: Limits = DEFAULT_LIMITS,
) -> Scene:
    """Take a source into the library; at once when it is there already.

    Args:
        paths: files, one folder, or one zip. Names matter: bands, date and level are read from them.
        library: where the scene goes.
        settings: a person's decisions.
        name: what people will call the scene; None = the name of the file or folder.
        progress: told rows of pixels, or patches of a collection.
        cancelled: asked ten times a second; True stops the work.
        limits: what the child may use.

    Raises:
        SourceError: one sentence on why it cannot become a scene.
        JobCancelledError: when it was cancelled.
    """
    paths = [Path(path) for path in paths]
    shown = source_name(paths)
    try:
        files = list_files(paths, shown)
        scene_id = scene_id_of(files, settings, cancelled)
        if scene_id in library:
            return library.get(scene_id)
        staged = library.staging()
        try:
            task = _task(files, shown, settings, staged)
            outcome = _stage(task, limits, progress or silent, cancelled)
            return library.add(staged, _scene(scene_id, name or title_of(paths, shown), outcome, staged))
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(shown) from error
        raise SourceError(opening(shown), "its files cannot be read", "check that they are there and yours") from error


def _task(files: Sequence[tuple[str, Path]], shown: str, settings: IngestSettings, staged: Path) -> Task:
    """Link the files under numbers, so that no name of theirs is ever opened, and nothing lies beside them."""
    inputs, scratch = staged / "in", staged / "scratch"
    inputs.mkdir()
    scratch.mkdir()
    links = [inputs / f"{number:06d}" for number in range(len(files))]
    for link, (_, path) in zip(links, files, strict=True):
        link.symlink_to(path)
    names = tuple(name for name, _ in files)
    return Task(name=shown, paths=tuple(links), names=names, settings=settings, directory=staged, scratch=scratch)


def _stage(task: Task, limits: Limits, progress: Progress, cancelled: Callable[[], bool]) -> Outcome:
    """Have the child build the scene, then write what is the parent's and clear the rest away."""
    outcome = run_child(task, limits, progress, cancelled)
    findings, staged = outcome.findings, task.directory
    record = QualityRecord(source=clean_name(task.name, 200), findings=findings, settings=task.settings.to_dict())
    write_atomically(staged / "quality.json", record.to_json().encode())
    if outcome.kind == "collection":
        _write_places(staged / "places.parquet", outcome)
    _keep_only_ours(staged)
    return outcome


def _keep_only_ours(staged: Path) -> None:
    for path in staged.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in _KEPT or path.is_symlink():
            path.unlink()


def _scene(scene_id: str, name: str, outcome: Outcome, staged: Path) -> Scene:
    from core.imagery.render import compute_stretch

    return Scene(
        id=scene_id,
        name=" ".join(clean_name(name, 120).split()) or "Scene",
        grid=outcome.grid,
        bands=outcome.bands,
        date=outcome.date,
        level=outcome.level,
        synthetic=outcome.synthetic,
        kind=outcome.kind,
        patch_size=outcome.patch_size,
        classes=outcome.classes,
        stretch=compute_stretch(staged / "pixels.tif", outcome.bands),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


def _write_places(path: Path, outcome: Outcome) -> None:
    """``places.parquet``: a row for every cell of the mosaic, cells beyond the last patch without name and place."""
    side = outcome.patch_size or 1
    cells = (outcome.grid.height // side) * (outcome.grid.width // side)
    nowhere = PlacedPatch(name="", label=None, corners=(float("nan"),) * 8, crs=None)
    places = [*outcome.places, *([nowhere] * (cells - len(outcome.places)))]
    corners = pa.array([value for place in places for value in place.corners], type=pa.float64())
    table = pa.table(
        {
            "patch_id": pa.array(range(cells), type=pa.int64()),
            "source_name": pa.array([place.name for place in places], type=pa.string()),
            "label": pa.array([place.label for place in places], type=pa.string()),
            "corners": pa.FixedSizeListArray.from_arrays(corners, 8),
            "crs": pa.array([place.crs for place in places], type=pa.string()),
        }
    )
    pq.write_table(table, path, compression="zstd")
