"""Ingest: what a person gives becomes a canonical scene of the library. Files are opened in the sandbox alone."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import SourceError
from core.files import disk_full, never, write_atomically
from core.ingest.files import list_files, scene_id_of, source_name, source_title
from core.ingest.messages import clean_name, errors_about, no_room
from core.ingest.sandbox.limits import Limits
from core.ingest.sandbox.process import run_sandboxed
from core.ingest.sandbox.protocol import IngestRequest, IngestResult, PlacedPatch
from core.ingest.settings import IngestSettings
from core.progress import Progress, silent
from core.scenes.library import Library
from core.scenes.quality import QualityRecord
from core.scenes.scene import Scene

DEFAULT_SETTINGS = IngestSettings()
DEFAULT_LIMITS = Limits()
_KEPT = ("pixels.tif", "truth.tif", "places.parquet", "quality.json")


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
        limits: what the sandbox may use.

    Raises:
        SourceError: one sentence on why it cannot become a scene.
        JobCancelledError: when it was cancelled.
    """
    paths = [Path(path) for path in paths]
    shown = source_name(paths)
    with errors_about(shown):
        try:
            files = list_files(paths)
            scene_id = scene_id_of(files, settings, cancelled)
            if scene_id in library:
                return library.get(scene_id)
            with library.staged() as staged:
                request = _request(files, shown, settings, staged)
                result = _stage(request, limits, progress or silent, cancelled)
                return library.add(staged, _scene(scene_id, name or source_title(paths, shown), result, staged))
        except OSError as error:
            if disk_full(error):
                raise no_room() from error
            found, remedy = "its files cannot be read", "check that they are there and yours"
            raise SourceError(found=found, remedy=remedy) from error


def _request(files: Sequence[tuple[str, Path]], shown: str, settings: IngestSettings, staged: Path) -> IngestRequest:
    """Link the files under numbers, so that no name of theirs is ever opened, and nothing lies beside them."""
    inputs, scratch = staged / "in", staged / "scratch"
    inputs.mkdir()
    scratch.mkdir()
    links = [inputs / f"{number:06d}" for number in range(len(files))]
    for link, (_, path) in zip(links, files, strict=True):
        link.symlink_to(path)
    names = tuple(name for name, _ in files)
    return IngestRequest(
        name=shown, paths=tuple(links), names=names, settings=settings, directory=staged, scratch=scratch
    )


def _stage(request: IngestRequest, limits: Limits, progress: Progress, cancelled: Callable[[], bool]) -> IngestResult:
    """Have the scene built in the sandbox, then write what is ours to write and clear the rest away."""
    result = run_sandboxed(request, limits, progress, cancelled)
    findings, staged = result.findings, request.directory
    record = QualityRecord(source=clean_name(request.name, 200), findings=findings, settings=request.settings.to_dict())
    write_atomically(staged / "quality.json", record.to_json().encode())
    if result.kind == "collection":
        _write_places(staged / "places.parquet", result)
    _keep_only_ours(staged)
    return result


def _keep_only_ours(staged: Path) -> None:
    for path in staged.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in _KEPT or path.is_symlink():
            path.unlink()


def _scene(scene_id: str, name: str, result: IngestResult, staged: Path) -> Scene:
    from core.imagery.render import compute_stretch

    return Scene(
        id=scene_id,
        name=" ".join(clean_name(name, 120).split()) or "Scene",
        grid=result.grid,
        bands=result.bands,
        date=result.date,
        level=result.level,
        synthetic=result.synthetic,
        kind=result.kind,
        patch_size=result.patch_size,
        classes=result.classes,
        stretch=compute_stretch(staged / "pixels.tif", result.bands),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


def _write_places(path: Path, result: IngestResult) -> None:
    """Write ``places.parquet``: a row for every cell of the mosaic, beyond the last patch without name and place."""
    side = result.patch_size or 1
    cells = (result.grid.height // side) * (result.grid.width // side)
    nowhere = PlacedPatch(name="", label=None, corners=(float("nan"),) * 8, crs=None)
    places = [*result.places, *([nowhere] * (cells - len(result.places)))]
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
