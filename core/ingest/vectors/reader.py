"""Reading a file of points and polygons, in the sandbox: GeoJSON, GeoPackage, KML or zipped Shapefile."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import SourceError
from core.ingest.files import Member, Shelf
from core.ingest.formats.archives.opening import open_shelf
from core.ingest.messages import clean_name, damaged
from core.ingest.vectors.geojson import (
    MOST_LAYERS,
    MOST_LETTERS_OF_LAYER,
    MOST_SHAPES,
    LabelShapes,
    label_shapes,
    no_layer,
    read_geojson,
)
from core.ingest.vectors.protocol import VectorRequest

GEOJSON_SUFFIXES = frozenset({".geojson", ".json"})
_BESIDE = frozenset({".shp", ".dbf", ".shx", ".prj", ".cpg"})
_REMEDY = "give GeoJSON, KML, a GeoPackage, or a zip of a Shapefile"
_LINK = re.compile(rb"<(\w+:)?NetworkLink[\s>]")


def read_label_file(request: VectorRequest) -> LabelShapes:
    """Return the points and polygons of a file.

    Raises:
        SourceError: why it cannot be used.
    """
    shelf = open_shelf(request.paths, request.names, request.scratch)
    members = [member for member in shelf.members if not member.is_noise]
    chosen = [member for member in members if member.suffix in {*GEOJSON_SUFFIXES, ".gpkg", ".shp", ".kml"}]
    if not chosen:
        raise SourceError(found="it is no file of points and polygons", remedy=_REMEDY)
    if len(chosen) > 1:  # Of Shapefiles each is a layer.
        if any(member.suffix != ".shp" for member in chosen):
            raise SourceError(found=f"{len(chosen)} files of shapes come together", remedy=_REMEDY)
        wanted = _wanted([_stem(member) for member in chosen], request)
        if not wanted:
            return no_layer([_stem(member) for member in chosen])
        chosen = [member for member in chosen if _stem(member) == wanted]
    one = chosen[0]
    if one.suffix in GEOJSON_SUFFIXES:
        try:
            content = shelf.path(one).read_bytes()
            text = content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceError(found="it cannot be read as text", remedy="save it again as GeoJSON, in UTF-8") from error
        return read_geojson(text, request.column, choices=request.choices, numbers=request.numbers)
    return _by_driver(_laid_out(one, members, shelf, request.scratch), request)


def _stem(member: Member) -> str:
    return member.base.rpartition(".")[0]


def _wanted(layers: list[str], request: VectorRequest) -> str:
    """Return the layer to be read; empty = a person has to choose.

    Raises:
        SourceError: where none is named and nobody can choose, or one that there is not.
    """
    if len(layers) == 1 and not request.layer:
        return layers[0]
    by_name = {clean_name(name, MOST_LETTERS_OF_LAYER): name for name in layers}
    if request.layer in by_name:
        return by_name[request.layer]
    if request.choices and not request.layer:
        return ""
    shown = ", ".join(f"“{name}”" for name in [*by_name][:6]) + (" …" if len(by_name) > 6 else "")
    if request.layer:
        raise SourceError(found=f"it has no layer “{request.layer[:60]}”; it has {shown}", remedy="name one of these")
    raise SourceError(found=f"it has {len(layers)} layers of shapes: {shown}", remedy="name the layer that is meant")


def _laid_out(one: Member, members: list[Member], shelf: Shelf, scratch: Path) -> Path:
    """Return a copy with an ending that its driver knows, and beside it what belongs to it."""
    stem = one.name.rpartition(".")[0].casefold()
    folder = scratch / "vectors"
    folder.mkdir(exist_ok=True)
    wanted = [one] if one.suffix in {".gpkg", ".kml"} else [
        member for member in members if member.suffix in _BESIDE and member.name.rpartition(".")[0].casefold() == stem
    ]  # fmt: skip
    for member in wanted:
        shutil.copyfile(shelf.path(member), folder / f"labels{member.suffix}")
    for suffix in (".dbf", ".shx"):
        if one.suffix == ".shp" and not (folder / f"labels{suffix}").exists():
            raise SourceError(found=f"the Shapefile has no {suffix}", remedy="zip all its files")
    if one.suffix == ".shp" and not (folder / "labels.prj").exists():
        raise SourceError(found="the Shapefile has no .prj, so that its place is not known", remedy="zip all its files")
    return folder / f"labels{one.suffix}"


def _by_driver(path: Path, request: VectorRequest) -> LabelShapes:
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None and "Line" not in kind]
        if not layers:
            raise _no_layers(path)
        if path.suffix == ".kml" and not request.layer:  # Its layers are folders of one map.
            parts = [_layer(path, name) for name in layers[:MOST_LAYERS]]
        else:
            wanted = layers[0] if path.suffix == ".shp" else _wanted(layers, request)
            if not wanted:
                return no_layer(layers)
            parts = [_layer(path, wanted)]
    except (DataSourceError, DataLayerError) as error:
        raise damaged() from error
    if parts[0][2] is None:
        raise SourceError(found="it names no reference system", remedy="save it again with one, such as EPSG:4326")
    shapes = np.concatenate([part[0] for part in parts])
    properties = [one for part in parts for one in part[1]]
    found = label_shapes(
        shapes, properties, parts[0][2], request.column, choices=request.choices, numbers=request.numbers
    )
    return replace(found, broken=sum(part[3] for part in parts))


def _layer(path: Path, name: str) -> tuple[NDArray[np.object_], list[dict[str, Any]], str | None, int]:
    """Return the shapes of a layer, attributes, reference system, and how many cannot be read; heights are left out."""
    import pyogrio

    meta, _, wkb, fields = pyogrio.raw.read(path, layer=name, max_features=MOST_SHAPES + 1)
    shapes = shapely.force_2d(np.asarray(shapely.from_wkb(wkb, on_invalid="fix"), dtype=object))
    names = [str(name) for name in meta["fields"]]
    rows = [dict(zip(names, values, strict=True)) for values in zip(*(_cells(one) for one in fields), strict=True)]
    broken = sum(content is not None and shape is None for content, shape in zip(wkb, shapes, strict=True))
    return shapes, rows or [{} for _ in shapes], None if meta["crs"] is None else str(meta["crs"]), broken


def _no_layers(path: Path) -> SourceError:
    if path.suffix == ".kml" and _LINK.search(path.read_bytes()):
        found = "it only says where other files are, by network links, which are not followed"
        return SourceError(found=found, remedy="save the places themselves as KML")
    return SourceError(found="it has no layer of points or polygons", remedy=_REMEDY)


def _cells(values: Any) -> list[Any]:  # noqa: ANN401  a column of any type
    return [None if one is None else one for one in np.asarray(values).tolist()]
