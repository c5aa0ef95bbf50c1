"""Reads a Parquet file of vectors once, batch by batch: vectors to the disk, the rest of its rows into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.errors import SourceError, SourceTooLargeError
from core.ingest.embeddings.columns import TableColumns, list_columns
from core.ingest.embeddings.places import PlaceCounts, Reals, corners_of, shapes_of
from core.ingest.embeddings.stated_place import StatedPlace, place_of_system, primary_geometry
from core.ingest.embeddings.values import Gatherer
from core.ingest.embeddings.vectors import RowsFile, VectorCounts, batch_vectors, usual_dimension
from core.ingest.messages import damaged
from core.ingest.sandbox.limits import MAX_ARRAY_BYTES
from core.progress import Progress

MOST_VECTORS = 500_000
ANOTHER_TABLE = "give a GeoParquet file with a row a patch"
_BATCH = 1024
_LOOKED_AT = 64
_STATISTICS = ("band_mean", "band_std")


@dataclass(kw_only=True)
class TableRows:
    """What was read of the rows of a file.

    Attributes:
        dimension: numbers of a vector.
        usable: which rows have one, in the file's order.
        corners: of every row, in the file's own system.
        centres: longitude and latitude that columns state.
        ids: ``patch_id`` of every row, where this program wrote the file.
        vectors: what is amiss with vectors.
        places: what kind of place rows have.
        unmeasured: rows without means and deviations of bands, where others have some, which then do not count.
        digest: SHA-256 of all vectors.
    """

    dimension: int = 0
    usable: list[NDArray[np.bool_]] = field(default_factory=list)
    corners: list[Reals] = field(default_factory=list)
    centres: list[Reals] = field(default_factory=list)
    ids: list[NDArray[np.int64]] = field(default_factory=list)
    vectors: VectorCounts = field(default_factory=VectorCounts)
    places: PlaceCounts = field(default_factory=PlaceCounts)
    unmeasured: int = 0
    digest: str = ""


def open_vectors(path: Path) -> pq.ParquetFile:
    """Open a file of at least two rows.

    Raises:
        SourceError: when it is no Parquet file, or of too few or too many rows.
    """
    try:
        table = pq.ParquetFile(
            path, memory_map=False, pre_buffer=False, buffer_size=2**20, page_checksum_verification=True
        )
    except (pa.ArrowException, OSError) as error:
        raise SourceError(found="it is no Parquet file, or it is cut short", remedy=ANOTHER_TABLE) from error
    rows = table.metadata.num_rows
    if rows < 2:
        found = "it holds no rows" if not rows else "it holds one row, and there is nothing to compare it with"
        raise SourceError(found=found, remedy=ANOTHER_TABLE)
    if rows > MOST_VECTORS:
        found = f"it holds {rows:,} rows, more than {MOST_VECTORS:,}"
        raise SourceTooLargeError(found=found, remedy="cut the area of interest out of it first")
    return table


def first_lengths(table: pq.ParquetFile, schema: pa.Schema) -> dict[str, int]:
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


def with_own_system(table: pq.ParquetFile, column: str | None, statement: StatedPlace) -> StatedPlace:
    """Return what a file says of its places, by the first geometry that states a reference system if nothing else does.

    Raises:
        SourceError: when they cannot be read, or name several systems or one that there is not.
    """
    if column is None or statement.crs is not None or statement.encoding != "WKB":
        return statement
    try:
        for batch in table.iter_batches(batch_size=_BATCH, columns=[column], use_threads=False):
            shapes = shapes_of(batch.column(0), "WKB")
            if srids := _srids(shapes):
                _refuse_other_systems(shapes, srids[0])
                return place_of_system(statement, srids[0])
    except (pa.ArrowException, OSError):
        return statement  # It is told when all rows are read.
    return statement


def read_rows(
    table: pq.ParquetFile,
    columns: TableColumns,
    statement: StatedPlace,
    gatherer: Gatherer,
    *,
    directory: Path,
    progress: Progress,
    squared: bool,
    stated: object,
) -> TableRows:
    """Read a file once, a batch at a time; vectors go to the disk as they come, ``vectors.npy`` and ``statistics.npy``.

    Args:
        table: the file.
        columns: which of its columns is what.
        statement: what it says of its places.
        gatherer: takes what it says of rows besides.
        directory: where arrays go.
        progress: told rows.
        squared: True = bytes stand for signed squares.
        stated: how many numbers the footer says that a vector has, if it does.

    Raises:
        SourceError: when it is damaged, or holds no vectors of a length that can be.
        SourceTooLargeError: when they are too large together.
    """
    found, rows = TableRows(), table.metadata.num_rows
    schema = table.schema_arrow
    measured = [name for name in _STATISTICS if columns.ours and name in schema.names]
    numbered = columns.ours and "patch_id" in schema.names
    geometry = [columns.geometry] if columns.geometry is not None else []
    wanted = [*columns.vectors.names, *geometry, *(columns.lonlat or ()), *gatherer.wanted, *measured]
    wanted += ["patch_id"] if numbered else []
    batches = _batches(table, list(dict.fromkeys(wanted)))
    first = next(batches)
    found.dimension = usual_dimension(first, columns.vectors, stated)
    _check_size(rows, found.dimension)
    with ExitStack() as opened:
        vectors = opened.enter_context(RowsFile(directory / "vectors.npy", found.dimension, rows))
        statistics = None
        if _are_whole(first, measured):
            statistics = opened.enter_context(RowsFile(directory / "statistics.npy", 2 * len(BAND_NAMES), rows))
        done = 0
        for batch in chain([first], batches):
            made, usable = batch_vectors(batch, columns.vectors, found.dimension, found.vectors, signed_square=squared)
            vectors.write(made[usable])
            found.usable.append(usable)
            _take_places(batch, columns, statement, found)
            gatherer.take(batch)
            if statistics is not None:
                found.unmeasured += _write_measured(_measured(batch, measured)[usable], statistics)
            if numbered:
                found.ids.append(_patch_ids(batch))
            done += len(batch)
            progress(done, rows)
    found.digest = vectors.digest.hexdigest()
    if found.unmeasured:
        (directory / "statistics.npy").unlink()
    return found


def _check_size(rows: int, dimension: int) -> None:
    if rows * dimension * 4 > MAX_ARRAY_BYTES:
        what = f"its {rows:,} vectors of {dimension:,} numbers take more than {MAX_ARRAY_BYTES >> 20:,} MB"
        raise SourceTooLargeError(found=what, remedy="cut the area of interest out of it first")


def _write_measured(numbers: FloatArray, file: RowsFile) -> int:
    """Write statistics of patches, means and then deviations of bands; gives how many patches lack all of either."""
    lacking = np.isnan(numbers.reshape(-1, len(_STATISTICS), len(BAND_NAMES)))
    file.write(numbers)
    return int(np.any(np.all(lacking, axis=2), axis=1).sum())


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


def _are_whole(first: pa.RecordBatch, measured: Sequence[str]) -> bool:
    """Tell whether a file has means and deviations of all bands."""
    kinds = [first.schema.field(name).type for name in measured]
    fixed = [pa.types.is_fixed_size_list(kind) and kind.list_size == len(BAND_NAMES) for kind in kinds]
    return len(fixed) == len(_STATISTICS) and all(fixed)


def _measured(batch: pa.RecordBatch, measured: Sequence[str]) -> FloatArray:
    """Return means, then deviations of the bands of each row, NaN where a row has none."""
    parts = []
    for name in measured:
        column = batch.column(name)
        part = np.full((len(batch), len(BAND_NAMES)), np.nan, np.float32)
        there = column.is_valid().to_numpy(zero_copy_only=False)
        part[there] = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, len(BAND_NAMES))
        parts.append(part)
    return np.concatenate(parts, axis=1)


def _patch_ids(batch: pa.RecordBatch) -> NDArray[np.int64]:
    column = batch.column("patch_id").cast(pa.int64(), safe=False).fill_null(-1)
    found: NDArray[np.int64] = column.to_numpy(zero_copy_only=False)
    return found


def _srids(shapes: NDArray[np.object_]) -> list[int]:
    """Return the numbers of the reference systems that geometries state themselves, each once, in their order."""
    stated: list[int] = shapely.get_srid(shapes[~shapely.is_missing(shapes)]).tolist()
    return [srid for srid in dict.fromkeys(stated) if srid]


def _refuse_other_systems(shapes: NDArray[np.object_], srid: int) -> None:
    """Refuse geometries that state another reference system than the first one, where that states any.

    Raises:
        SourceError: naming it.
    """
    others = [one for one in _srids(shapes) if one != srid]
    if srid and others:
        found = f"its geometries are of several reference systems, EPSG:{srid} and EPSG:{others[0]}"
        raise SourceError(found=found, remedy="save it again with one of them")


def _take_places(batch: pa.RecordBatch, columns: TableColumns, statement: StatedPlace, found: TableRows) -> None:
    if columns.lonlat is not None:
        pair = [
            batch.column(name).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False) for name in columns.lonlat
        ]
        found.centres.append(np.stack(pair, axis=1))
    if columns.geometry is not None:
        shapes = shapes_of(batch.column(columns.geometry), statement.encoding)
        _refuse_other_systems(shapes, statement.srid)
        found.corners.append(corners_of(shapes, found.places))
    elif columns.lonlat is not None:
        points = found.centres[-1]
        known: NDArray[np.bool_] = np.asarray(np.isfinite(points).all(axis=1))
        found.places.points += int(known.sum())
        found.places.missing += int((~known).sum())
        found.corners.append(np.repeat(np.where(known[:, None], points, np.nan)[:, None, :], 4, axis=1))
    else:
        found.corners.append(np.full((len(batch), 4, 2), np.nan))
