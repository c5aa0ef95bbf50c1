"""Ingest: what a person gives becomes a canonical scene of the library. Files are opened by the child alone."""

from __future__ import annotations

import datetime
import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import SourceError, SourceTooLargeError
from core.library import Library, write_atomically
from core.progress import Progress, silent
from core.quality import QualityRecord
from core.scene import Scene
from core.sources.members import natural_key
from core.sources.process import run_child
from core.sources.profile import MAX_COLLECTION_FILES, MAX_SOURCE_BYTES, Limits
from core.sources.report import clean_name, disk_full, is_disk_full, opening
from core.sources.settings import IngestSettings
from core.sources.task import Outcome, PlacedPatch, Task

INGEST_VERSION = "1"
"""Part of every scene's id; raised when ingest would give other pixels for the same files."""

_CHUNK = 2**20
_KEPT = ("pixels.tif", "truth.tif", "places.parquet", "quality.json")


def never() -> bool:
    """Nobody cancels."""
    return False


def ingest(
    paths: Sequence[Path],
    library: Library,
    settings: IngestSettings = IngestSettings(),
    *,
    name: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = never,
    limits: Limits = Limits(),
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
    shown = source_name(paths)
    try:
        files = list_files(paths, shown)
        scene_id = _scene_id(files, settings, cancelled)
        if scene_id in library:
            return library.get(scene_id)
        staged = library.staging()
        try:
            outcome = _stage(files, shown, settings, staged, limits, progress or silent, cancelled)
            return library.add(staged, _scene(scene_id, name or _title(paths, shown), outcome, staged))
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(shown) from error
        raise SourceError(opening(shown), "its files cannot be read", "check that they are there and yours") from error


def source_name(paths: Sequence[Path]) -> str:
    """What to call a source in sentences: the name of its file or folder, or of the first file and how many more."""
    if not paths:
        raise SourceError("Opening a scene", "no file was given", "choose at least one")
    first = Path(paths[0]).name or str(paths[0])
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"


def _title(paths: Sequence[Path], shown: str) -> str:
    if len(paths) > 1:
        stems = [Path(path).stem for path in paths]
        return clean_name(os.path.commonprefix(stems).rstrip("_- .B") or shown, 120)
    path = Path(paths[0])
    return clean_name(path.name if path.is_dir() else path.stem, 120) or "Scene"


def list_files(paths: Sequence[Path], shown: str) -> list[tuple[str, Path]]:
    """(relative name, absolute path) of each file of a source, sorted by name; links inside a folder are left out.

    Raises:
        SourceError: when a file is missing or no file, or the source is too large.
    """
    files: list[tuple[str, Path]] = []
    for path in paths:
        if path.is_dir():
            if len(paths) > 1:
                raise SourceError(
                    opening(shown), "a folder comes together with other files", "open one folder at a time"
                )
            files = _walk(path, shown)
        elif path.is_file():
            files.append((path.name, path.resolve()))
        else:
            raise SourceError(opening(clean_name(path.name)), "there is no such file", "check the name")
    if not files:
        raise SourceError(opening(shown), "the folder holds no files", "choose a folder of band files or patches")
    if sum(path.stat().st_size for _, path in files) > MAX_SOURCE_BYTES:
        found = f"it takes more than {MAX_SOURCE_BYTES >> 30} GB"
        raise SourceTooLargeError(opening(shown), found, "cut the area of interest out of it first")
    return sorted(files, key=lambda file: natural_key(file[0]))


def _walk(folder: Path, shown: str) -> list[tuple[str, Path]]:
    files = []
    for directory, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        for name in names:
            path = Path(directory) / name
            if path.is_file() and not path.is_symlink():
                files.append((path.relative_to(folder).as_posix(), path.resolve()))
        if len(files) > MAX_COLLECTION_FILES:
            found = f"the folder holds more than {MAX_COLLECTION_FILES:,} files"
            raise SourceTooLargeError(opening(shown), found, "split it into several")
    return files


def _scene_id(files: Sequence[tuple[str, Path]], settings: IngestSettings, cancelled: Callable[[], bool]) -> str:
    """An id made of everything that decides the scene: names, bytes, settings and the version of ingest."""
    digest = hashlib.sha256(f"{INGEST_VERSION}\n{settings.digest}\n".encode())
    for name, path in files:
        content = hashlib.sha256()
        with path.open("rb") as file:
            while (chunk := file.read(_CHUNK)) and not cancelled():
                content.update(chunk)
        digest.update(f"{len(name)} {name} {content.hexdigest()}\n".encode("utf-8", "surrogateescape"))
    return f"s-{digest.hexdigest()[:20]}"


def _stage(
    files: Sequence[tuple[str, Path]],
    shown: str,
    settings: IngestSettings,
    staged: Path,
    limits: Limits,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> Outcome:
    """Have the child build the scene in ``staged``, then write what is the parent's and clear the rest away."""
    inputs, scratch = staged / "in", staged / "scratch"
    inputs.mkdir()
    scratch.mkdir()
    links = []
    for number, (_, path) in enumerate(files):
        link = inputs / f"{number:06d}"
        link.symlink_to(path)
        links.append(link)
    task = Task(
        name=shown,
        paths=tuple(links),
        names=tuple(name for name, _ in files),
        settings=settings,
        directory=staged,
        scratch=scratch,
    )
    outcome = run_child(task, limits, progress, cancelled)
    record = QualityRecord(source=clean_name(shown, 200), findings=outcome.findings, settings=settings.to_dict())
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
    from core.render import compute_stretch

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
