"""Reading a file of points and polygons with a class each: GeoJSON, GeoPackage or zipped Shapefile; in the sandbox."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from core.errors import SourceError
from core.ingest.files import Member, Shelf
from core.ingest.formats.archive import open_shelf
from core.ingest.messages import clean_name, damaged
from core.ingest.vectors.geojson import MOST_SHAPES, LabelShapes, label_shapes, read_geojson
from core.ingest.vectors.protocol import VectorRequest

GEOJSON_SUFFIXES = frozenset({".geojson", ".json"})
_BESIDE = frozenset({".shp", ".dbf", ".shx", ".prj", ".cpg"})
_REMEDY = "give GeoJSON, a GeoPackage, or a zip with one Shapefile"


def read_label_file(request: VectorRequest) -> LabelShapes:
    """Return the points and polygons of a file.

    Raises:
        SourceError: why it cannot be used.
    """
    shelf = open_shelf(request.paths, request.names, request.scratch)
    members = [member for member in shelf.members if not member.is_noise]
    chosen = [member for member in members if member.suffix in {*GEOJSON_SUFFIXES, ".gpkg", ".shp"}]
    if len(chosen) != 1:
        found = f"{len(chosen)} files of shapes come together" if chosen else "it is no file of points and polygons"
        raise SourceError(found=found, remedy=_REMEDY)
    [one] = chosen
    if one.suffix in GEOJSON_SUFFIXES:
        try:
            text = shelf.path(one).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceError(found="it cannot be read as text", remedy="save it again as GeoJSON") from error
        return read_geojson(text, request.column, choices=request.choices, numbers=request.numbers)
    return _by_driver(_laid_out(one, members, shelf, request.scratch), request)


def _laid_out(one: Member, members: list[Member], shelf: Shelf, scratch: Path) -> Path:
    """Return a copy with an ending that its driver knows, and beside it what belongs to it."""
    stem = one.name.rpartition(".")[0].casefold()
    folder = scratch / "vectors"
    folder.mkdir(exist_ok=True)
    wanted = [one] if one.suffix == ".gpkg" else [
        member for member in members if member.suffix in _BESIDE and member.name.rpartition(".")[0].casefold() == stem
    ]  # fmt: skip
    for member in wanted:
        shutil.copyfile(shelf.path(member), folder / f"labels{member.suffix}")
    if one.suffix == ".shp" and not (folder / "labels.dbf").exists():
        raise SourceError(found="the Shapefile has no .dbf with the classes", remedy="zip all its files")
    if one.suffix == ".shp" and not (folder / "labels.prj").exists():
        raise SourceError(found="the Shapefile has no .prj, so that its place is not known", remedy="zip all its files")
    return folder / f"labels{one.suffix}"


def _by_driver(path: Path, request: VectorRequest) -> LabelShapes:
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
        if len(layers) != 1:
            shown = ", ".join(clean_name(name, 40) for name in layers[:6]) or "none"
            raise SourceError(found=f"it has {len(layers)} layers of shapes: {shown}", remedy="save one of them alone")
        meta, _, wkb, fields = pyogrio.raw.read(path, layer=layers[0], max_features=MOST_SHAPES + 1)
        shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    except (DataSourceError, DataLayerError) as error:
        raise damaged() from error
    if meta["crs"] is None:
        raise SourceError(found="it names no reference system", remedy="save it again with one, such as EPSG:4326")
    names = [str(name) for name in meta["fields"]]
    rows = [dict(zip(names, values, strict=True)) for values in zip(*(_cells(one) for one in fields), strict=True)]
    known = np.asarray(shapes, dtype=object)
    properties = rows or [{}] * len(shapes)
    return label_shapes(
        known, properties, str(meta["crs"]), request.column, choices=request.choices, numbers=request.numbers
    )


def _cells(values: Any) -> list[Any]:  # noqa: ANN401  a column of any type
    return [None if one is None else one for one in np.asarray(values).tolist()]
