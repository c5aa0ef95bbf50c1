"""Makes a scene without pixels of a Parquet file of vectors: reads it batch by batch and says what it found."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.errors import SourceError, SourceTooLargeError
from core.features.vector_table import VECTOR_CELL
from core.ingest.canonical import write_truth
from core.ingest.embeddings.choices import seems_swapped
from core.ingest.embeddings.columns import TableColumns, columns_of, list_columns
from core.ingest.embeddings.model import StatedModel, json_of, signed_square, stated_model
from core.ingest.embeddings.places import (
    PlaceCounts,
    Reals,
    Statement,
    corners_of,
    geo_words,
    on_earth,
    place_words,
    primary_geometry,
    seem_swapped,
    shapes_of,
    squares_around,
    statement_of,
    swapped_coordinates,
)
from core.ingest.embeddings.record import date_lines, model_line, same_places, value_lines, vector_lines
from core.ingest.embeddings.values import Gatherer, KeptColumn, label_column
from core.ingest.embeddings.vectors import RowsFile, VectorCounts, batch_vectors, usual_dimension
from core.ingest.files import Member, SourceFiles
from core.ingest.findings import finding
from core.ingest.formats.product_metadata import valid_date
from core.ingest.messages import clean_name, damaged
from core.ingest.sandbox.limits import MAX_ARRAY_BYTES
from core.ingest.sandbox.protocol import IngestResult
from core.ingest.settings import IngestSettings
from core.progress import Progress
from core.scenes.geobox import UNPLACED, GeoBox
from core.scenes.quality import Finding
from core.scenes.scene import GivenVectors

_MOST_ROWS = 500_000
_BATCH = 1024
_LONGEST = 20_000
_LOOKED_AT = 64
_STATISTICS = ("band_mean", "band_std")
_ANOTHER = "give a GeoParquet file with a row a patch"


@dataclass(kw_only=True)
class _Gathered:
    """What was read of a file.

    Attributes:
        dimension: numbers of a vector.
        usable: which rows have one, in the file's order.
        corners: of every row, in the file's own system.
        centres: longitude and latitude that columns state.
        ids: ``patch_id`` of every row, where this program wrote the file.
        digest: SHA-256 of all vectors.
    """

    dimension: int = 0
    usable: list[NDArray[np.bool_]] = field(default_factory=list)
    corners: list[Reals] = field(default_factory=list)
    centres: list[Reals] = field(default_factory=list)
    ids: list[NDArray[np.int64]] = field(default_factory=list)
    vectors: VectorCounts = field(default_factory=VectorCounts)
    places: PlaceCounts = field(default_factory=PlaceCounts)
    digest: str = ""


def build_embeddings(files: SourceFiles, member: Member, directory: Path, progress: Progress) -> IngestResult:
    """Make the scene in a directory: ``vectors.npy``, ``rows.npy``, ``corners.npy`` and what else there is.

    Args:
        files: the source.
        member: the Parquet file.
        directory: where it goes.
        progress: told rows.

    Raises:
        VectorsError: when several columns may be the vectors.
        SourceError: why it cannot become a scene.
    """
    _refuse_wishes_of_pixels(files.settings)
    table = _opened(files.shelf.path(member))
    schema, settings, rows = table.schema_arrow, files.settings, table.metadata.num_rows
    metadata = dict(schema.metadata or {})
    ours = bool(json_of(metadata, b"landlike"))
    columns = columns_of(
        schema, primary_geometry(schema), settings.vector, ours=ours, lengths=_first_lengths(table, schema)
    )
    if columns.geometry is None and columns.lonlat is None:
        statement = Statement(crs=None, basis="assumed", because="it has no geometry and no columns of coordinates")
    else:
        statement = statement_of(schema, columns, settings.crs)
    gatherer, squared = Gatherer(columns, schema), signed_square(metadata) if columns.vectors.whole else ""
    gathered = _read(
        table, columns, statement, gatherer, directory=directory, progress=progress, squared=bool(squared),
        stated=json_of(metadata, b"emb").get("embedding_dim"),
    )  # fmt: skip
    usable = np.concatenate(gathered.usable)
    _check(gathered, usable)
    corners, said = _placed(gathered, statement, settings)
    corners[~usable] = np.nan
    ids, shape = _cells(gathered, metadata, len(usable))
    kept = gatherer.kept()
    grid = GeoBox(crs=None, transform=UNPLACED, height=shape[0] * VECTOR_CELL, width=shape[1] * VECTOR_CELL)
    _write_by_cell(directory, ids, usable, corners, kept=kept, names=gatherer.names, cells=shape[0] * shape[1])
    classes = _write_labels(directory, label_column(kept), ids, usable, grid)
    model = stated_model(metadata, settings.model, gathered.dimension, columns.vectors.title, gathered.digest)
    days = gatherer.days()
    date = settings.date or (valid_date(days[0]) if len(days) == 1 else None)
    statistics = (directory / "statistics.npy").exists()
    given = GivenVectors(
        column=clean_name(columns.vectors.title, 120), encoder=_encoder(model, gathered.dimension, files.name),
        points=gathered.places.points > 0, statistics=statistics,
        columns=tuple(one.given for one in kept),
    )  # fmt: skip
    lines = [
        *vector_lines(columns, gathered.vectors, gathered.dimension, squared, rows), model_line(model), *said,
        *same_places(corners, days),
        *date_lines(days, columns.date, settings), *value_lines(kept, gatherer, classes, label_column(kept)),
        finding("pixels", "none", "read", "a file of vectors holds no pixels: views that need them say so"),
    ]  # fmt: skip
    return IngestResult(
        grid=grid, bands=tuple(_bands(metadata) if statistics else ()), kind="collection", patch_size=VECTOR_CELL,
        classes=classes, date=date, level=model.own.get("level"), findings=tuple(lines), given=given,
    )  # fmt: skip


def _refuse_wishes_of_pixels(settings: IngestSettings) -> None:
    """Refuse what is wished of pixels and would be passed over in silence.

    Raises:
        SourceError: saying what was wished.
    """
    part = settings.window is not None or settings.bounds is not None
    wished = {"a part": part, "names of bands": settings.bands is not None, "a tile": settings.tile is not None}
    if named := [name for name, wish in wished.items() if wish]:
        found = f"it is a file of vectors and holds no pixels, of which {' and '.join(named)} could be chosen"
        instead = ", and filter its patches on the map instead" if part else ""
        raise SourceError(found=found, remedy=f"leave that out{instead}")


def _opened(path: Path) -> pq.ParquetFile:
    try:
        table = pq.ParquetFile(
            path, memory_map=False, pre_buffer=False, buffer_size=2**20, page_checksum_verification=True
        )
    except (pa.ArrowException, OSError) as error:
        raise SourceError(found="it is no Parquet file, or it is cut short", remedy=_ANOTHER) from error
    rows = table.metadata.num_rows
    if rows < 2:
        found = "it holds no rows" if not rows else "it holds one row, and there is nothing to compare it with"
        raise SourceError(found=found, remedy=_ANOTHER)
    if rows > _MOST_ROWS:
        found = f"it holds {rows:,} rows, more than {_MOST_ROWS:,}"
        raise SourceTooLargeError(found=found, remedy="cut the area of interest out of it first")
    return table


def _first_lengths(table: pq.ParquetFile, schema: pa.Schema) -> dict[str, int]:
    """Return the longest list of each column of lists in the first rows; none where these cannot be read."""
    names = list_columns(schema, primary_geometry(schema))
    if len(names) < 2:
        return {}
    try:
        first = next(iter(table.iter_batches(batch_size=_LOOKED_AT, columns=names, use_threads=False)), None)
    except (pa.ArrowException, OSError):
        return {}  # It is told when all rows are read.
    longest = (
        {} if first is None else {name: pc.max(pc.list_value_length(first.column(name))).as_py() for name in names}
    )
    return {name: length for name, length in longest.items() if length is not None}


def _read(
    table: pq.ParquetFile,
    columns: TableColumns,
    statement: Statement,
    gatherer: Gatherer,
    *,
    directory: Path,
    progress: Progress,
    squared: bool,
    stated: object,
) -> _Gathered:
    """Read the file once, a batch at a time; vectors go to the disk as they come."""
    found, rows = _Gathered(), table.metadata.num_rows
    schema = table.schema_arrow
    measured = [name for name in _STATISTICS if columns.ours and name in schema.names]
    numbered = columns.ours and "patch_id" in schema.names
    geometry = [columns.geometry] if columns.geometry is not None else []
    wanted = [*columns.vectors.names, *geometry, *(columns.lonlat or ()), *gatherer.wanted, *measured]
    wanted += ["patch_id"] if numbered else []
    batches = _batches(table, list(dict.fromkeys(wanted)))
    first = next(batches)
    found.dimension = usual_dimension(first, columns.vectors, stated)
    if rows * found.dimension * 4 > MAX_ARRAY_BYTES:
        what = f"its {rows:,} vectors of {found.dimension:,} numbers take more than {MAX_ARRAY_BYTES >> 20:,} MB"
        raise SourceTooLargeError(found=what, remedy="cut the area of interest out of it first")
    statistics = _statistics_file(directory, first, measured, rows)
    with RowsFile(directory / "vectors.npy", found.dimension, rows) as vectors:
        done = 0
        for batch in chain([first], batches):
            made, usable = batch_vectors(batch, columns.vectors, found.dimension, found.vectors, signed_square=squared)
            vectors.write(made[usable])
            found.usable.append(usable)
            _take_places(batch, columns, statement, found)
            gatherer.take(batch)
            if statistics is not None:
                statistics.write(_measured(batch, measured)[usable])
            if numbered:
                found.ids.append(_patch_ids(batch))
            done += len(batch)
            progress(done, rows)
    found.digest = vectors.digest.hexdigest()
    if statistics is not None:
        statistics.__exit__(None, None, None)
    return found


def _batches(table: pq.ParquetFile, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of some columns; more rows than the footer counts are not believed.

    Raises:
        SourceError: when the file is damaged.
    """
    seen = 0
    try:
        for batch in table.iter_batches(batch_size=_BATCH, columns=list(wanted), use_threads=False):
            seen += len(batch)
            if seen > table.metadata.num_rows:
                raise damaged()
            if len(batch):
                yield batch
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, MemoryError):
            raise
        raise damaged() from error
    if seen != table.metadata.num_rows:
        raise damaged()


def _statistics_file(directory: Path, first: pa.RecordBatch, measured: Sequence[str], rows: int) -> RowsFile | None:
    """Return where means and deviations of bands go; None where the file has none that are whole."""
    if len(measured) != len(_STATISTICS) or _measured(first, measured).shape[1] != 2 * len(BAND_NAMES):
        return None
    return RowsFile(directory / "statistics.npy", 2 * len(BAND_NAMES), rows)


def _measured(batch: pa.RecordBatch, measured: Sequence[str]) -> FloatArray:
    parts = []
    for name in measured:
        column = batch.column(name)
        if not pa.types.is_fixed_size_list(column.type) or column.null_count:
            return np.empty((len(batch), 0), np.float32)
        parts.append(column.flatten().to_numpy(zero_copy_only=False).reshape(len(batch), -1).astype(np.float32))
    return np.concatenate(parts, axis=1)


def _patch_ids(batch: pa.RecordBatch) -> NDArray[np.int64]:
    column = batch.column("patch_id").cast(pa.int64(), safe=False).fill_null(-1)
    found: NDArray[np.int64] = column.to_numpy(zero_copy_only=False)
    return found


def _take_places(batch: pa.RecordBatch, columns: TableColumns, statement: Statement, found: _Gathered) -> None:
    if columns.lonlat is not None:
        pair = [
            batch.column(name).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False) for name in columns.lonlat
        ]
        found.centres.append(np.stack(pair, axis=1))
    if columns.geometry is not None:
        shapes = shapes_of(batch.column(columns.geometry), statement.encoding)
        found.corners.append(corners_of(shapes, found.places))
    elif columns.lonlat is not None:
        points = found.centres[-1]
        known: NDArray[np.bool_] = np.asarray(np.isfinite(points).all(axis=1))
        found.places.points += int(known.sum())
        found.places.missing += int((~known).sum())
        found.corners.append(np.repeat(np.where(known[:, None], points, np.nan)[:, None, :], 4, axis=1))
    else:
        found.corners.append(np.full((len(batch), 4, 2), np.nan))


def _check(found: _Gathered, usable: NDArray[np.bool_]) -> None:
    """Refuse what nothing can be compared in."""
    counts, total = found.vectors, int(usable.sum())
    if total < 2 or total < len(usable) / 2:
        which = [
            (counts.missing, "are missing"), (counts.broken, "hold something that is not a finite number"),
            (counts.zero, "are zeros alone"), (counts.lengths.total(), "are of another length"),
        ]  # fmt: skip
        told = ", ".join(f"{count:,} {what}" for count, what in which if count)
        raise SourceError(found=f"of its {len(usable):,} vectors {told}", remedy="give a file with whole vectors")
    if len(counts.seen) == 1:
        raise SourceError(found="all its vectors are the same", remedy="give a file whose vectors differ")
    places = found.places
    if places.other and not (places.points or places.outlines):
        kinds = ", ".join(clean_name(kind, 20) for kind in places.other)
        raise SourceError(found=f"its geometries are neither points nor polygons: {kinds}", remedy=_ANOTHER)


def _placed(found: _Gathered, statement: Statement, settings: IngestSettings) -> tuple[Reals, list[Finding]]:
    """Return corners on Earth of every row, and what was read and decided of them.

    Raises:
        SourceError: when they can lie nowhere, or seem exchanged and nobody says so.
    """
    corners, counts = np.concatenate(found.corners), found.places
    centres = np.concatenate(found.centres) if found.centres else None
    lines = []
    if not np.isfinite(corners).any():
        because = statement.because if not counts.missing else "all its geometries are null or empty"
        return corners, [finding("place", "unknown", "warning", because)]
    if settings.lat_first:
        corners = swapped_coordinates(corners)
        lines.append(finding("axes", "latitude first", "chosen", "chosen in the settings", "lat_first"))
    elif why := seem_swapped(corners, statement, centres):
        raise seems_swapped(why)
    corners = on_earth(corners, statement, counts)
    if not np.isfinite(corners).any():
        raise SourceError(
            found=f"none of its places is on Earth by its reference system, {geo_words(statement)}",
            remedy="name another one: --crs EPSG:N",
        )
    basis: Any = statement.basis
    lines.insert(0, finding("place", geo_words(statement), basis, statement.because, "crs"))
    if counts.points:
        corners, side = squares_around(corners.mean(axis=1))
        said = f"drawn as squares of {side:,.0f} m, which say nothing of what a vector covers; areas are not told"
        lines.append(finding("outlines", "points", "read", said))
        if counts.outlines:
            because = f"{counts.points:,} rows are points, and all are taken for such, by their middle"
            lines.append(finding("outlines", f"{counts.outlines:,} not used", "warning", because))
    lines += [finding("place", value, "warning", because) for value, because in place_words(counts)]
    return corners, lines


def _cells(found: _Gathered, metadata: dict[bytes, bytes], rows: int) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """Return the patch of each row, and rows and columns of the mosaic: as our own file says, else row by row."""
    said = json_of(metadata, b"landlike").get("patches")
    if found.ids and isinstance(said, dict):
        ids, down, wide = np.concatenate(found.ids), _side(said.get("rows")), _side(said.get("cols"))
        unique = ids.min() >= 0 and len(np.unique(ids)) == len(ids)
        if unique and ids.max() < down * wide <= 4 * _MOST_ROWS:
            return ids, (down, wide)
    across = math.isqrt(rows - 1) + 1
    return np.arange(rows, dtype=np.int64), (-(-rows // across), across)


def _side(said: object) -> int:
    return said if isinstance(said, int) and 0 < said <= _LONGEST else 0


def _write_by_cell(
    directory: Path,
    ids: NDArray[np.int64],
    usable: NDArray[np.bool_],
    corners: Reals,
    *,
    kept: Sequence[KeptColumn],
    names: Sequence[str],
    cells: int,
) -> None:
    """Write which patches the vectors are of, and what is known of every cell of the mosaic."""
    np.save(directory / "rows.npy", ids[usable], allow_pickle=False)
    placed = np.full((cells, 8), np.nan)
    placed[ids] = corners.reshape(-1, 8)
    np.save(directory / "corners.npy", placed, allow_pickle=False)
    table = np.full((len(kept), cells), np.nan, np.float32)
    for row, one in zip(table, kept, strict=True):
        row[ids] = one.cells
    np.save(directory / "columns.npy", table, allow_pickle=False)
    listed = [""] * cells
    for cell, name in zip(ids.tolist(), names, strict=True):
        listed[cell] = name or f"row {cell}"
    (directory / "names.json").write_text(json.dumps(listed), encoding="utf-8")


def _write_labels(
    directory: Path, label: KeptColumn | None, ids: NDArray[np.int64], usable: NDArray[np.bool_], grid: GeoBox
) -> tuple[str, ...]:
    """Write the classes of rows as the truth of the mosaic; gives their names."""
    if label is None:
        return ()
    numbers = np.zeros((grid.height // VECTOR_CELL) * (grid.width // VECTOR_CELL), np.uint16)
    there = usable & np.isfinite(label.cells)
    numbers[ids[there]] = label.cells[there].astype(np.uint16) + 1
    cells = numbers.reshape(grid.height // VECTOR_CELL, grid.width // VECTOR_CELL)
    write_truth(directory, np.kron(cells, np.ones((VECTOR_CELL, VECTOR_CELL), np.uint16)), grid)
    return label.given.classes


def _encoder(model: StatedModel, dimension: int, file: str) -> dict[str, Any]:
    title = model.title if model.stated else f"Vectors of “{clean_name(Path(file).stem, 50)}”"
    return {
        "name": model.name, "title": title, "fingerprint": model.fingerprint, "origin": model.origin,
        "dimension": dimension, "bands": list(model.own.get("bands", ())), "input_size": model.own.get("input_size"),
        "level": model.own.get("level"),
    }  # fmt: skip


def _bands(metadata: dict[bytes, bytes]) -> list[str]:
    """Return the bands that our own file says its scene had."""
    scene = json_of(metadata, b"landlike").get("scene")
    said = scene.get("bands") if isinstance(scene, dict) else None
    return [name for name in BAND_NAMES if name in said] if isinstance(said, list) else []
