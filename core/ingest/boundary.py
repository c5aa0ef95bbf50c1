"""Ingest: what a person gives becomes a canonical scene of the library. Files are opened in the sandbox alone."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import OPENING, ScaleError, SeveralDatesError, SourceError
from core.files import disk_full, never, write_atomically
from core.ingest.bands.calibration import scale_of
from core.ingest.digests import KeptDigests
from core.ingest.embeddings.take_over import GIVEN_FILES, take_over
from core.ingest.files import content_of, file_words, list_files, scene_id_of, source_name, source_title
from core.ingest.findings import finding
from core.ingest.messages import clean_name, errors_about, no_room, opening
from core.ingest.same_content import same_content
from core.ingest.sandbox.limits import Limits
from core.ingest.sandbox.process import run_sandboxed
from core.ingest.sandbox.protocol import IngestRequest, IngestResult, PlacedPatch
from core.ingest.settings import IngestSettings
from core.progress import Doing, Progress, silent, unsaid
from core.scenes.library import Library
from core.scenes.quality import Finding, QualityRecord, add_findings, load_quality
from core.scenes.scene import Scene, Series

DEFAULT_SETTINGS = IngestSettings()
DEFAULT_LIMITS = Limits()
_KEPT = (
    "pixels.tif", "truth.tif", "classification.tif", "places.parquet", "quality.json", *GIVEN_FILES,
)  # fmt: skip


def ingest(
    paths: Sequence[Path],
    library: Library,
    settings: IngestSettings = DEFAULT_SETTINGS,
    *,
    name: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = never,
    doing: Doing = unsaid,
    limits: Limits = DEFAULT_LIMITS,
    known: Sequence[Finding] = (),
) -> Scene:
    """Take a source of one scene into the library; at once when it is there already, or was deleted and can come back.

    Args:
        paths: files, one folder, or one zip. Names matter: bands, date and level are read from them.
        library: where the scene goes.
        settings: a person's decisions.
        name: what people will call the scene; None = the name of the file or folder.
        progress: told rows of pixels, or patches of a collection.
        cancelled: asked ten times a second; True stops the work.
        doing: told what is done before there is progress.
        limits: what the sandbox may use.
        known: what is known of the source beforehand: lines of the record, in place of others on the same topic.

    Raises:
        SeveralDatesError: when it holds several dates and none is chosen. Of an array, whose dates are only counted,
            the first is taken.
        SourceError: one sentence on why it cannot become a scene.
        JobCancelledError: when it was cancelled.
    """
    told = tuple(known)
    with _opening(
        paths, library, name, progress=progress, cancelled=cancelled, doing=doing, limits=limits, known=told
    ) as source:
        try:
            return source.scene(settings)
        except SeveralDatesError as several:
            if several.parts[0] != 0:
                raise
            return source.scene(settings, 0)


def ingest_all(
    paths: Sequence[Path],
    library: Library,
    settings: IngestSettings = DEFAULT_SETTINGS,
    *,
    name: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = never,
    doing: Doing = unsaid,
    limits: Limits = DEFAULT_LIMITS,
    known: Sequence[Finding] = (),
) -> list[Scene]:
    """Take a source into the library: one scene, or a series of as many as it has dates, in their order.

    A date that cannot be opened is left out, and the records of the others say so. Arguments and other errors are those
    of ``ingest``.
    """
    told = tuple(known)
    with _opening(
        paths, library, name, progress=progress, cancelled=cancelled, doing=doing, limits=limits, known=told
    ) as source:
        whole = [] if settings.date or settings.time is not None else library.series(source.series_id(settings))
        if whole and whole[0].series is not None and len(whole) == whole[0].series.count:
            return whole
        try:
            return [source.scene(settings)]
        except SeveralDatesError as several:
            return source.series(settings, several.parts)


@contextmanager
def _opening(
    paths: Sequence[Path],
    library: Library,
    name: str | None,
    *,
    progress: Progress | None,
    cancelled: Callable[[], bool],
    doing: Doing,
    limits: Limits,
    known: tuple[Finding, ...] = (),
) -> Iterator[_Source]:
    """List and hash a source; errors inside say its name."""
    paths = [Path(path) for path in paths]
    shown = source_name(paths)
    with errors_about(shown):
        try:
            files = list_files(paths)
            yield _Source(
                files=files,
                content=content_of(files, cancelled, doing, KeptDigests(library.root.parent / "digests.json")),
                shown=shown,
                title=name or source_title(paths, shown),
                library=library,
                progress=progress or silent,
                cancelled=cancelled,
                doing=doing,
                limits=limits,
                known=known,
            )
        except OSError as error:
            if disk_full(error):
                raise no_room() from error
            found, remedy = "its files cannot be read", "check that they are there and yours"
            raise SourceError(found=found, remedy=remedy) from error


@dataclass(frozen=True, kw_only=True)
class _Source:
    """A source that was listed and hashed, and where its scenes go.

    Attributes:
        files: relative name and path of each file.
        content: what identifies them.
        shown: its name in sentences.
        title: what to call its scene or series.
        known: lines of the record beforehand.
    """

    files: Sequence[tuple[str, Path]]
    content: bytes
    shown: str
    title: str
    library: Library
    progress: Progress
    cancelled: Callable[[], bool]
    doing: Doing
    limits: Limits
    known: tuple[Finding, ...]

    def series_id(self, settings: IngestSettings) -> str:
        """Return the id of the series that its dates are, whichever of them is chosen."""
        return scene_id_of(self.content, replace(settings, date=None, time=None)).replace("s-", "series-", 1)

    def scene(
        self,
        settings: IngestSettings,
        part: str | int | None = None,
        progress: Progress | None = None,
        alike: str | None = None,
    ) -> Scene:
        """Take one scene in: the source, or one of its dates.

        Args:
            settings: a person's decisions.
            part: which of several dates.
            progress: of this scene, in place of that of the source.
            alike: scale of all other dates, which counts where its own pixels do not tell.
        """
        chosen = settings if part is None else settings.of_part(part)
        scene_id = scene_id_of(self.content, chosen)
        there = scene_id in self.library or self.library.bring_back(scene_id)
        if there and (part is not None or not self._only_first(scene_id, settings)):
            return self.library.get(scene_id)
        content = same_content(self.files, self.content, chosen)
        twin = self.library.of_content(content)
        if twin is not None and (part is not None or not self._only_first(twin.id, settings)):
            return twin
        with self.library.staged() as staged:
            request = replace(_request(self.files, self.shown, settings, staged, part), alike=alike)
            progress = progress or self.progress
            result = _stage(request, chosen, self.limits, progress, self.cancelled, doing=self.doing, known=self.known)
            scene = _scene(scene_id, *self._called(settings, result), result, staged)
            return self.library.add(staged, replace(scene, content=content))

    def _only_first(self, scene_id: str, settings: IngestSettings) -> bool:
        """Tell whether a scene is the first of an array of several dates, where none was chosen."""
        return settings.time is None and self.library.get(scene_id).series is not None

    def _called(self, settings: IngestSettings, result: IngestResult) -> tuple[str, Series | None]:
        """Return the name of a scene, and the series it belongs to."""
        if result.position is None:
            return self.title, None
        index, count = result.position
        series = Series(id=self.series_id(settings), name=_one_line(self.title), index=index, count=count)
        return f"{series.name[:90]}, {result.date or f'date {index + 1} of {count}'}", series

    def series(self, settings: IngestSettings, parts: Sequence[str | int]) -> list[Scene]:
        """Take in a scene a date."""
        scenes: list[Scene] = []
        failed: dict[str | int, SourceError] = {}
        for number, part in enumerate(parts):
            try:
                scenes.append(self.scene(settings, part, _share(self.progress, number, len(parts))))
            except SourceError as error:
                failed[part] = error
        alike = _scale_of_all(scenes)
        for number, part in enumerate(parts):
            if alike is None or not isinstance(failed.get(part), ScaleError):
                continue
            try:
                scenes.append(self.scene(settings, part, _share(self.progress, number, len(parts)), alike))
                del failed[part]
            except SourceError as error:
                failed[part] = error
        scenes.sort(key=lambda scene: scene.series.index if scene.series else 0)
        if not scenes:
            first = failed[parts[0]]
            first.found = f"none of its {len(parts)} dates can be opened, the first because {first.found}"
            raise first
        lines = [_failed(part, error, self.shown) for part, error in failed.items()]
        for scene in scenes:
            add_findings(scene.directory, lines)
        return scenes


def _scale_of_all(scenes: Sequence[Scene]) -> str | None:
    """Return the scale that was read or decided for all dates of a series alike, or None."""
    lines = [line for scene in scenes for line in load_quality(scene.directory).findings if line.topic == "scale"]
    scales = {scale_of(line.value) if line.basis in {"read", "decided"} else None for line in lines}
    return scales.pop() if len(scales) == 1 else None


def _share(progress: Progress, number: int, count: int) -> Progress:
    """Return the progress of one of several parts of the work, told in thousandths of a part."""

    def told(done: int, total: int) -> None:
        progress(1000 * number + 1000 * done // max(1, total), 1000 * count)

    return told


def _failed(part: str | int, error: SourceError, shown: str) -> Finding:
    """Say of a date of a series why it is not there."""
    date = part if isinstance(part, str) else f"date {part + 1}"
    asked = "" if error.asked in (OPENING, opening(shown)) else f"{error.asked.removeprefix('Opening ')}: "
    return finding("left out", date, "warning", f"this date of the series could not be opened: {asked}{error.found}")


def _request(
    files: Sequence[tuple[str, Path]], shown: str, settings: IngestSettings, staged: Path, part: str | int | None
) -> IngestRequest:
    links, scratch = linked(files, staged)
    names = tuple(name for name, _ in files)
    return IngestRequest(
        name=shown, paths=links, names=names, settings=settings, directory=staged, scratch=scratch, part=part
    )


def linked(files: Sequence[tuple[str, Path]], staged: Path) -> tuple[tuple[Path, ...], Path]:
    """Link files under numbers, so that no name of theirs is ever opened, and nothing lies beside them.

    Args:
        files: relative name and path of each.
        staged: a fresh folder.

    Returns:
        The links, and an empty folder for temporary files.
    """
    inputs, scratch = staged / "in", staged / "scratch"
    inputs.mkdir()
    scratch.mkdir()
    links = tuple(inputs / f"{number:06d}" for number in range(len(files)))
    for link, (_, path) in zip(links, files, strict=True):
        link.symlink_to(path)
    return links, scratch


def _stage(
    request: IngestRequest,
    chosen: IngestSettings,
    limits: Limits,
    progress: Progress,
    cancelled: Callable[[], bool],
    *,
    doing: Doing,
    known: tuple[Finding, ...],
) -> IngestResult:
    """Have the scene built in the sandbox, then write what is ours to write and clear the rest away.

    Args:
        request: what to build.
        chosen: settings that give this scene again, for the record.
        limits: what the sandbox may use.
        progress: told rows or patches.
        cancelled: True stops the work.
        doing: told which file is opened.
        known: lines of the record, in place of others on the same topic.
    """
    doing(file_words("opening", 1, len(request.paths)))
    result = run_sandboxed(request, limits, progress, cancelled, doing)
    topics, staged = {one.topic for one in known}, request.directory
    findings = (*known, *(one for one in result.findings if one.topic not in topics))
    record = QualityRecord(source=clean_name(request.name, 200), findings=findings, settings=chosen.to_dict())
    write_atomically(staged / "quality.json", record.to_json().encode())
    if result.given is not None:
        take_over(staged, result)
    elif result.kind == "collection":
        _write_places(staged / "places.parquet", result)
    _keep_only_ours(staged)
    return result


def _keep_only_ours(staged: Path) -> None:
    for path in staged.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in _KEPT or path.is_symlink():
            path.unlink()


def _one_line(name: str) -> str:
    return " ".join(clean_name(name, 120).split()) or "Scene"


def _scene(scene_id: str, name: str, series: Series | None, result: IngestResult, staged: Path) -> Scene:
    from core.imagery.render import compute_stretch

    return Scene(
        id=scene_id,
        name=_one_line(name),
        grid=result.grid,
        bands=result.bands,
        date=result.date,
        level=result.level,
        synthetic=result.synthetic,
        kind=result.kind,
        patch_size=result.patch_size,
        classes=result.classes,
        stretch={} if result.given is not None else compute_stretch(staged / "pixels.tif", result.bands),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        series=series,
        classification=result.classification and (staged / "classification.tif").is_file(),
        given=result.given,
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
