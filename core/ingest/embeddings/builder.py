"""Makes a scene without pixels of a Parquet file of vectors; reading its rows is ``table_reader``."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES
from core.errors import SourceError
from core.features.vector_table import VECTOR_CELL
from core.ingest.canonical import write_truth
from core.ingest.embeddings.choices import seems_swapped
from core.ingest.embeddings.columns import columns_of
from core.ingest.embeddings.model import StatedModel, json_of, signed_square, stated_model
from core.ingest.embeddings.places import Reals, on_earth, seem_swapped, squares_around, swapped_coordinates
from core.ingest.embeddings.record import (
    date_lines,
    light_lines,
    model_line,
    place_lines,
    same_places,
    value_lines,
    vector_lines,
)
from core.ingest.embeddings.stated_place import StatedPlace, geo_words, primary_geometry, stated_place
from core.ingest.embeddings.table_reader import (
    ANOTHER_TABLE,
    MOST_VECTORS,
    TableRows,
    first_lengths,
    open_vectors,
    read_rows,
    with_own_system,
)
from core.ingest.embeddings.values import Gatherer, KeptColumn, label_column
from core.ingest.files import Member, SourceFiles
from core.ingest.findings import finding
from core.ingest.formats.product_metadata import valid_date
from core.ingest.messages import clean_name
from core.ingest.sandbox.protocol import IngestResult
from core.ingest.settings import IngestSettings
from core.progress import Progress
from core.scenes.geobox import UNPLACED, GeoBox
from core.scenes.quality import Finding
from core.scenes.scene import GivenVectors

_LONGEST = 20_000


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
    table = open_vectors(files.shelf.path(member))
    schema, settings, rows = table.schema_arrow, files.settings, table.metadata.num_rows
    metadata = dict(schema.metadata or {})
    ours = bool(json_of(metadata, b"landlike"))
    columns = columns_of(
        schema, primary_geometry(schema), settings.vector, ours=ours, lengths=first_lengths(table, schema)
    )
    if columns.geometry is None and columns.lonlat is None:
        statement = StatedPlace(crs=None, basis="assumed", because="it has no geometry and no columns of coordinates")
    else:
        statement = with_own_system(table, columns.geometry, stated_place(schema, columns, settings.crs))
    gatherer, squared = Gatherer(columns, schema), signed_square(metadata) if columns.vectors.whole else ""
    gathered = read_rows(
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
    date = settings.date or (valid_date(days[0]) if len(days) == 1 and not gatherer.undated else None)
    statistics = (directory / "statistics.npy").exists()
    given = GivenVectors(
        column=clean_name(columns.vectors.title, 120), encoder=_encoder(model, gathered.dimension, files.name),
        points=gathered.places.points > 0, statistics=statistics,
        columns=tuple(one.given for one in kept),
    )  # fmt: skip
    lines = [
        *vector_lines(columns, gathered.vectors, gathered.dimension, squared, rows), model_line(model), *said,
        *same_places(corners, days),
        *date_lines(days, columns.date, settings, gatherer.undated),
        *value_lines(kept, gatherer, classes, label_column(kept)),
        *light_lines(gathered.unmeasured),
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


def _check(found: TableRows, usable: NDArray[np.bool_]) -> None:
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
        raise SourceError(found=f"its geometries are neither points nor polygons: {kinds}", remedy=ANOTHER_TABLE)


def _placed(found: TableRows, statement: StatedPlace, settings: IngestSettings) -> tuple[Reals, list[Finding]]:
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
    lines += place_lines(counts)
    return corners, lines


def _cells(found: TableRows, metadata: dict[bytes, bytes], rows: int) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """Return the patch of each row, and rows and columns of the mosaic: as our own file says, else row by row."""
    said = json_of(metadata, b"landlike").get("patches")
    if found.ids and isinstance(said, dict):
        ids, down, wide = np.concatenate(found.ids), _side(said.get("rows")), _side(said.get("cols"))
        unique = ids.min() >= 0 and len(np.unique(ids)) == len(ids)
        if unique and ids.max() < down * wide <= 4 * MOST_VECTORS:
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
