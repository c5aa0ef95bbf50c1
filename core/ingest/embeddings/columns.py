"""Which column of a Parquet file is what: the vectors, the places, what names a patch, and what else is said of it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa

from core.bands import BAND_NAMES
from core.errors import SourceError
from core.ingest.embeddings.choices import several_columns
from core.ingest.messages import clean_name

MOST_DIMENSIONS = 8192
FEWEST_DIMENSIONS = 8
"""Shorter lists are boxes, transforms and the like."""

LATITUDES = ("centre_lat", "center_lat", "lat", "latitude")
LONGITUDES = ("centre_lon", "center_lon", "lon", "lng", "long", "longitude")
NAMES = ("unique_id", "tile_id", "source_name", "source_url", "id", "grid_cell", "name", "patch_id", "index")
"""What names a patch, the best first."""
DATES = ("date", "datetime", "timestamp", "time", "acquisition_date", "start_datetime")
_WRITTEN_DATES = ("date", "acquisition_date")
"""Whole numbers called so are days as 20230601; called otherwise they count seconds."""
CLASS_COLUMNS = (
    "label", "class", "class_name", "classname", "landcover", "land_cover", "category", "ground_truth",
)  # fmt: skip
"""What may be the class of a patch, the likeliest first."""
NO_VALUES = frozenset({*LATITUDES, *LONGITUDES, *NAMES, "row", "col", "x", "y", "fid", "__index_level_0__", "bbox"})
_OWN_MATRICES = ("band_mean", "band_std")
_OURS = frozenset({"scene", "encoder", "area_ha", "valid_fraction", "rank", "similarity", "measure"})

_NUMBERED = re.compile(r"(.*?)(\d{1,4})$")
_SHAPES = frozenset({"geometry", "geom", "wkb"})
_VECTOR_REMEDY = "give a Parquet file with a column of vectors, such as “embedding”"


@dataclass(frozen=True, kw_only=True)
class VectorColumns:
    """Where the vectors are.

    Attributes:
        names: one column of lists, or a column a dimension in their order.
        title: how people call them.
        dimension: numbers of a vector, where the file's types say so; None = lists of any length.
        whole: True = they are whole numbers.
    """

    names: tuple[str, ...]
    title: str
    dimension: int | None
    whole: bool


@dataclass(frozen=True, kw_only=True)
class TableColumns:
    """Which column is what.

    Attributes:
        vectors: where the vectors are.
        geometry: the column of outlines or points, or None.
        lonlat: columns of longitude and latitude, or None.
        row_name: the column that names a patch, or None.
        date: the column of dates, or None.
        others: columns that may be values, in the file's order.
        ours: True = this program wrote the file.
    """

    vectors: VectorColumns
    geometry: str | None
    lonlat: tuple[str, str] | None
    row_name: str | None
    date: str | None
    others: tuple[str, ...]
    ours: bool


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type that stores a type: extension types and dictionaries are seen through."""
    while isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def is_number(kind: pa.DataType) -> bool:
    """Tell whether a type is of numbers."""
    kind = plain_type(kind)
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_words(kind: pa.DataType) -> bool:
    """Tell whether a type is of text."""
    kind = plain_type(kind)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_list(kind: pa.DataType) -> bool:
    """Tell whether a type is of lists."""
    kind = plain_type(kind)
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def columns_of(
    schema: pa.Schema,
    geometry: str | None,
    chosen: str | None,
    *,
    ours: bool,
    lengths: Mapping[str, int] = MappingProxyType({}),
) -> TableColumns:
    """Return which column is what.

    Args:
        schema: of the file.
        geometry: the column that the file states to be its geometry, or None.
        chosen: the column of vectors that a person names, or None.
        ours: True = this program wrote the file.
        lengths: of the lists in the first rows, the longest by column; short ones are no vectors.

    Raises:
        VectorsError: when several columns may be the vectors.
        SourceError: when none can be.
    """
    vectors = _vector_columns(schema, chosen, geometry, ours=ours, lengths=lengths)
    by_small = {name.casefold(): name for name in reversed(schema.names)}
    place = geometry or _guessed_geometry(schema)
    pair = tuple(_first(by_small, schema, names, is_number) for names in (LONGITUDES, LATITUDES))
    lonlat = (pair[0], pair[1]) if pair[0] and pair[1] else None
    date = next((name for one in DATES if (name := by_small.get(one)) and _is_day(one, schema.field(name).type)), None)
    row_name = _first(by_small, schema, NAMES, lambda kind: is_words(kind) or pa.types.is_integer(plain_type(kind)))
    taken = {*vectors.names, place, date, row_name, *(lonlat or ())}
    others = [
        name for name in schema.names
        if name not in taken and name.casefold() not in NO_VALUES and not (ours and name in _OURS)
        and _is_value(schema.field(name).type)
    ]  # fmt: skip
    return TableColumns(
        vectors=vectors, geometry=place, lonlat=lonlat, row_name=row_name, date=date, others=tuple(others), ours=ours
    )


def _first(by_small: dict[str, str], schema: pa.Schema, names: Sequence[str], fits: object) -> str | None:
    found = (by_small[one] for one in names if one in by_small)
    return next((name for name in found if callable(fits) and fits(schema.field(name).type)), None)


def _is_day(name: str, kind: pa.DataType) -> bool:
    written = name in _WRITTEN_DATES and pa.types.is_integer(plain_type(kind))
    return bool(is_words(kind) or pa.types.is_temporal(plain_type(kind)) or written)


def _is_value(kind: pa.DataType) -> bool:
    return is_number(kind) or is_words(kind) or pa.types.is_boolean(plain_type(kind))


def _guessed_geometry(schema: pa.Schema) -> str | None:
    """Return the column that can only be the geometry, where the file does not state one."""
    for name in ("geometry", "geom", "wkb_geometry", "geometry_wkt", "wkt"):
        if name in schema.names:
            return name
    fields = [field for field in schema if (field.metadata or {}).get(b"ARROW:extension:name", b"").startswith(b"geo")]
    return str(fields[0].name) if fields else None


def _vector_columns(
    schema: pa.Schema, chosen: str | None, geometry: str | None, *, ours: bool, lengths: Mapping[str, int]
) -> VectorColumns:
    found = [
        one for one in (*_lists(schema, geometry), *_numbered(schema))
        if not (ours and one.title in _OWN_MATRICES)
        and lengths.get(one.names[0], FEWEST_DIMENSIONS) >= FEWEST_DIMENSIONS
    ]  # fmt: skip
    if chosen is not None:
        named = next((one for one in found if chosen in {one.title, one.names[0]}), None)
        if named is not None:
            return named
        if chosen in schema.names:
            what = f"its column “{clean_name(chosen, 60)}” holds no vectors"
            raise SourceError(found=what, remedy=_choose(found) if found else _VECTOR_REMEDY)
        raise SourceError(found=f"it has no column “{clean_name(chosen, 60)}”", remedy=_choose(found))
    if not found:
        raise SourceError(found=_none(schema), remedy=_VECTOR_REMEDY)
    if len(found) > 1:
        raise several_columns([one.title for one in found], _choose(found))
    return found[0]


def _choose(found: Sequence[VectorColumns]) -> str:
    if not found:
        return _VECTOR_REMEDY
    return f"choose one, such as --vector {clean_name(found[0].title, 60)}"


def _none(schema: pa.Schema) -> str:
    named = next((name for name in schema.names if name.casefold() in {"embedding", "embeddings", "vector"}), None)
    if named is not None:
        return f"its column “{named}” holds no lists of numbers, but {str(schema.field(named).type)[:60]}"
    if images := [field.name for field in schema if field.name not in _SHAPES and _holds_files(field.type)]:
        shown = ", ".join(f"“{clean_name(name, 40)}”" for name in images[:4])
        more = f" and {len(images) - 4} more" if len(images) > 4 else ""
        return f"none of its columns holds vectors; {shown}{more} hold{'' if images[1:] else 's'} files such as images"
    listed = ", ".join(f"“{clean_name(name, 40)}”" for name in schema.names[:8]) or "none"
    return f"none of its columns holds vectors; it has {listed}"


def _holds_files(kind: pa.DataType) -> bool:
    """Tell whether a column holds bytes of files, by itself or as Hugging Face keeps images: bytes beside a path."""
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _holds_files(field.type) for field in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _lists(schema: pa.Schema, geometry: str | None) -> list[VectorColumns]:
    found = []
    for field in schema:
        kind = plain_type(field.type)
        if field.name == geometry or not is_list(kind) or not is_number(kind.value_type):
            continue
        size = kind.list_size if pa.types.is_fixed_size_list(kind) else None
        boxes = field.name.casefold().endswith(("bbox", "transform", "shape", "centroid", "bounds"))
        if (size is not None and size < FEWEST_DIMENSIONS) or boxes:
            continue
        whole = pa.types.is_integer(plain_type(kind.value_type))
        found.append(VectorColumns(names=(field.name,), title=field.name, dimension=size, whole=whole))
    return found


def _are_bands(names: Iterable[str]) -> bool:
    """Tell whether columns are called as bands of Sentinel-2 are: reflectance, and no vector."""
    return all(name.upper() in BAND_NAMES for name in names)


def list_columns(schema: pa.Schema, geometry: str | None) -> list[str]:
    """Return the columns of lists of numbers that may be vectors, as far as their types say."""
    return [one.names[0] for one in _lists(schema, geometry) if one.dimension is None]


def _numbered(schema: pa.Schema) -> list[VectorColumns]:
    """Return columns that are called alike but for a number which counts up without a gap, as one vector each."""
    families: dict[str, dict[int, str]] = defaultdict(dict)
    for name in schema.names:
        match = _NUMBERED.match(name)
        if match is not None and is_number(schema.field(name).type):
            families[match[1]][int(match[2])] = name
    found = []
    for members in families.values():
        numbers = sorted(members)
        if _are_bands(members.values()):
            continue
        if len(numbers) >= FEWEST_DIMENSIONS and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            names = tuple(members[number] for number in numbers)
            whole = all(pa.types.is_integer(plain_type(schema.field(name).type)) for name in names)
            title = f"{names[0]} … {names[-1]}"
            found.append(VectorColumns(names=names, title=title, dimension=len(names), whole=whole))
    return found
