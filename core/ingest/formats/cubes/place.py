"""Where the pixels of a cube lie: its reference system, and its rows and columns by coordinates or a transform."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError

from core.errors import SourceError
from core.ingest.formats.cubes.axes import DEGREES_EAST, DEGREES_NORTH, Axes, coordinate_of, role_of, text_of
from core.ingest.formats.cubes.containers import CubeGroup, values_of
from core.ingest.formats.cubes.statements import number_of
from core.ingest.messages import clean_name
from core.scenes.geobox import UNPLACED, GeoBox, Transform, usable_transform

if TYPE_CHECKING:
    import xarray as xr

_Numbers = NDArray[np.float64]
_MAPPINGS = (
    "spatial_ref",
    "crs",
    "transverse_mercator",
    "grid_mapping",
    "projection",
    "UTM_projection",
    "polar_stereographic",
)
"""What variables are called that state a reference system, where no attribute names them."""
_TEXTS = (
    "crs_wkt", "spatial_ref", "proj:wkt2", "proj:code", "proj:projjson", "wkt", "esri_pe_string", "crs", "proj:epsg",
    "epsg", "epsg_code", "horizontal_CRS_code", "projection", "proj4", "proj4text", "proj4_params", "srs",
)  # fmt: skip
"""Attributes that state it: CF, GDAL, STAC, Zarr conventions, SNAP, and older programs."""
_CODE = re.compile(r"(?:.*epsg(?:/0)?[:/]+)?(\d{4,6})", re.IGNORECASE)
_EVEN = 0.01
"""Of a pixel; coordinates in 32 bits may lie further off by what they cannot hold."""
_ELSEWHERE = 0.02


@dataclass(frozen=True, kw_only=True)
class StoredPlace:
    """Where pixels lie, and how rows and columns run as they are stored.

    Attributes:
        geobox: north up wherever coordinates tell.
        south_first: True = the first row stored is the southernmost.
        east_first: True = the first column stored is the easternmost.
        notes: what had to be decided.
    """

    geobox: GeoBox
    south_first: bool = False
    east_first: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """Positions along rows or columns, as stored: the middle of the first pixel and the step to the next."""

    first: float
    step: float
    degrees: bool
    kilometres: bool = False


def ground_of(group: CubeGroup, variable: xr.Variable, axes: Axes) -> StoredPlace:
    """Return where a variable lies.

    Raises:
        SourceError: when its rows or columns are not evenly spaced, or pixels have a place each.
    """
    height, width = int(variable.sizes[axes.y]), int(variable.sizes[axes.x])
    crs = _crs_of(group, variable)
    stated = _transform_of(group, variable)
    rows = _axis(group, axes.y, "y", height, None if stated is None else stated[4])
    cols = _axis(group, axes.x, "x", width, None if stated is None else stated[0])
    if (rows is None or cols is None) and stated is None:
        rows, cols = _of_each_pixel(group, axes, height, width) or (None, None)
    notes: list[str] = []
    if rows is None or cols is None:
        if stated is None:
            box = GeoBox(crs=None, transform=UNPLACED, height=height, width=width)
            return StoredPlace(geobox=box, notes=("the file has no coordinates of rows and columns",))
        return StoredPlace(geobox=GeoBox(crs=crs, transform=stated, height=height, width=width), notes=())
    if rows.kilometres and cols.kilometres and not (rows.degrees or cols.degrees):
        rows, cols = (_Axis(first=1000 * one.first, step=1000 * one.step, degrees=False) for one in (rows, cols))
    crs, more = _fitting(crs, degrees=rows.degrees and cols.degrees)
    notes += more
    transform, more = _of_axes(rows, cols, None if stated is None else _running_as(stated, rows, cols, height, width))
    notes += more
    return _northed(transform, crs, (height, width), tuple(notes))


def _fitting(crs: str | None, *, degrees: bool) -> tuple[str | None, list[str]]:
    """Return the reference system that coordinates in degrees can be of."""
    if not degrees:
        return crs, []
    if crs is None:
        because = "its coordinates are longitudes and latitudes, and no reference system is named: taken for WGS 84"
        return "EPSG:4326", [because]
    if CRS.from_user_input(crs).is_geographic:
        return crs, []
    return "EPSG:4326", ["its coordinates are in degrees, so they are not of the reference system that it names"]


def _of_axes(rows: _Axis, cols: _Axis, stated: Transform | None) -> tuple[Transform, list[str]]:
    """Return the transform by coordinates of pixel centres; where one that is stated says so, of their corners."""
    own = (cols.step, 0.0, cols.first - cols.step / 2, 0.0, rows.step, rows.first - rows.step / 2)
    if stated is None or stated[1] or stated[3]:
        return own, []
    same = all(abs(stated[n] - own[n]) <= 1e-3 * abs(own[n]) for n in (0, 4))
    across, down = (stated[2] - own[2]) / own[0], (stated[5] - own[5]) / own[4]
    if same and max(abs(across), abs(down)) < _ELSEWHERE:
        return own, []
    if same and max(abs(across - 0.5), abs(down - 0.5)) < _ELSEWHERE:
        return stated, ["its coordinates are those of corners of pixels, as its transform says"]
    return own, ["its transform says otherwise than its coordinates, which count"]


def _running_as(stated: Transform, rows: _Axis, cols: _Axis, height: int, width: int) -> Transform:
    """Return the same transform from the corner that rows and columns are counted from as they are stored."""
    a, b, c, d, e, f = stated
    if not (b or d) and e * rows.step < 0:
        e, f = -e, f + e * height
    if not (b or d) and a * cols.step < 0:
        a, c = -a, c + a * width
    return a, b, c, d, e, f


def _northed(transform: Transform, crs: str | None, shape: tuple[int, int], notes: tuple[str, ...]) -> StoredPlace:
    """Return the ground with rows from north to south and columns from west to east, longitudes below 180."""
    height, width = shape
    a, b, c, d, e, f = transform
    south, east = e > 0, a < 0
    if south:
        e, f = -e, f + e * height
    if east:
        a, c = -a, c + a * width
    if crs is not None and c >= 180 and CRS.from_user_input(crs).is_geographic:
        c -= 360
    if not usable_transform((a, b, c, d, e, f)):
        box = GeoBox(crs=None, transform=UNPLACED, height=height, width=width)
        return StoredPlace(geobox=box, notes=("the position in the file is unusable",))
    box = GeoBox(crs=crs, transform=(a, b, c, d, e, f), height=height, width=width)
    return StoredPlace(geobox=box, south_first=south, east_first=east, notes=notes)


def _axis(group: CubeGroup, dim: str, role: str, size: int, step: float | None) -> _Axis | None:
    """Return positions along a dimension by its coordinate, or None where there is none.

    Args:
        group: that holds it.
        dim: the dimension.
        role: ``y`` or ``x``.
        size: its length.
        step: that of a transform, which counts where there is one row or column only.

    Raises:
        SourceError: when they are not evenly spaced.
    """
    found = coordinate_of(group, dim, role, size)
    if found is None or found[1].dtype.kind not in "iuf":
        return None
    name, variable = found
    values = np.asarray(values_of(variable, name))
    numbers = _measured(variable, values)
    units = text_of(variable.attrs.get("units", ""))
    stated = DEGREES_NORTH.fullmatch(units) or DEGREES_EAST.fullmatch(units)
    degrees = stated is not None or _is_lonlat(name, variable, numbers)
    kilometres = units.lower() in {"km", "kilometer", "kilometre", "kilometers", "kilometres"}
    even = _step(numbers, values, name) if size > 1 else None
    edges = _edges(group, variable, name, size)
    if edges is not None and _within(edges, float(numbers[0]), even, size):
        first, last = edges
        width = (last - first) / size
        return _Axis(first=first + width / 2, step=width, degrees=degrees, kilometres=kilometres)
    if even is None:
        return None if step is None else _Axis(first=float(numbers[0]), step=step, degrees=degrees)
    if any(np.array_equal(numbers, first + np.arange(size)) for first in (0, 0.5, 1)):
        return None  # They only count pixels.
    return _Axis(first=float(numbers[0]), step=even, degrees=degrees, kilometres=kilometres)


def _measured(variable: xr.Variable, values: NDArray[Any]) -> _Numbers:
    """Return coordinates as they are meant: packed ones are scaled."""
    numbers = values.astype(np.float64)
    scale, offset = number_of(variable.attrs, "scale_factor", 1), number_of(variable.attrs, "add_offset", 0)
    return np.asarray(numbers * scale + offset)


def _step(numbers: _Numbers, values: NDArray[Any], name: str) -> float:
    """Return the even step between coordinates.

    Raises:
        SourceError: when it is not even, or none.
    """
    step = (numbers[-1] - numbers[0]) / (len(numbers) - 1)
    even = numbers[0] + step * np.arange(len(numbers))
    held = 4 * float(np.finfo(values.dtype).eps) * float(np.abs(numbers).max()) if values.dtype.kind == "f" else 0.0
    most = float(np.abs(numbers - even).max()) if np.isfinite(numbers).all() else np.inf
    if step == 0 or not most <= max(_EVEN * abs(step), min(held, 0.4 * abs(step))):
        steps = np.abs(np.diff(numbers))
        found = (
            f"its coordinate “{clean_name(name, 40)}” is not evenly spaced: from {np.nanmin(steps):.6g} "
            f"to {np.nanmax(steps):.6g} from one to the next"
        )
        raise SourceError(found=found, remedy="lay it over an even grid first")
    return float(step)


def _edges(group: CubeGroup, variable: xr.Variable, name: str, size: int) -> tuple[float, float] | None:
    """Return the outer edges of the first and the last pixel where bounds are stated; None without."""
    bounds = text_of(variable.attrs.get("bounds", ""))
    stated = group.lookup(bounds) if bounds else group.lookup(f"{name}_bnds")
    if stated is None or stated.shape != (size, 2) or stated.dtype.kind not in "iuf":
        return None
    pairs = np.asarray(stated.values, dtype=np.float64)
    if pairs[0, 0] == pairs[0, 1] or not np.isfinite(pairs).all():
        return None
    runs_on = size == 1 or abs(pairs[1, 0] - pairs[0, 1]) < abs(pairs[1, 1] - pairs[0, 0])
    first, last = (pairs[0, 0], pairs[-1, 1]) if runs_on else (pairs[0, 1], pairs[-1, 0])
    return float(first), float(last)


def _within(edges: tuple[float, float], first: float, step: float | None, size: int) -> bool:
    """Tell whether bounds are those of the pixels that coordinates lie in, and as wide as these are apart."""
    width = (edges[1] - edges[0]) / size
    return (step is None or abs(width - step) <= _EVEN * abs(step)) and 0 <= (first - edges[0]) / width <= 1


def _is_lonlat(name: str, variable: xr.Variable, numbers: _Numbers) -> bool:
    """Tell whether a coordinate is a latitude or longitude by name, where it states no unit and may be one."""
    standard = str(variable.attrs.get("standard_name", "")).lower()
    if standard in {"latitude", "longitude"}:
        return True
    named = re.match(r"(?:lat|lon)", name, re.IGNORECASE) is not None
    return named and bool(np.abs(numbers).max() <= 360)


def _of_each_pixel(group: CubeGroup, axes: Axes, height: int, width: int) -> tuple[_Axis, _Axis] | None:
    """Return rows and columns where each pixel has a latitude and a longitude that run along them; None without.

    Raises:
        SourceError: when they do not.
    """
    if height * width > 2**24:
        return None
    found: dict[str, _Numbers] = {}
    for part in (group, *group.around):
        for name, variable in part.variables.items():
            role = role_of(name, variable)
            if variable.dims == (axes.y, axes.x) and role in ("y", "x") and variable.dtype.kind == "f":
                found.setdefault(role, np.asarray(variable.values, dtype=np.float64))
    if set(found) != {"y", "x"}:
        return None
    rows, cols = found["y"][:, 0], found["x"][0]
    size = max(np.abs(np.diff(rows)).max(initial=0), np.abs(np.diff(cols)).max(initial=0))
    straight = np.abs(found["y"] - rows[:, None]).max() < 0.1 * size and np.abs(found["x"] - cols).max() < 0.1 * size
    if not straight or min(height, width) < 2:
        because = "its pixels have a latitude and a longitude each, which run along no rows and columns"
        raise SourceError(found=because, remedy="lay it over a map, such as UTM, first")
    single = found["y"].astype(np.float32)
    return (
        _Axis(first=float(rows[0]), step=_step(rows, single, "latitude"), degrees=True),
        _Axis(first=float(cols[0]), step=_step(cols, single, "longitude"), degrees=True),
    )


def _holders(group: CubeGroup, variable: xr.Variable, *, outer: bool = True) -> Iterator[Mapping[Any, Any]]:
    """Give attributes that may state a place, the nearest to the variable first.

    Args:
        group: that it lies in.
        variable: whose place is asked for.
        outer: False = none of groups around it, whose pixels may be of another size.
    """
    named = text_of(variable.attrs.get("grid_mapping", ""))
    for name in (named.split(":")[0].split(" ")[0], *_MAPPINGS):
        mapping = group.lookup(name) if name else None
        if mapping is not None:
            yield mapping.attrs
    yield variable.attrs
    for part in (group, *(group.around if outer else ())):
        yield part.attributes
        yield from _nested(part.attributes)


def _nested(attributes: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give what documents of metadata hold that state a place: a STAC item's properties, EOPF's other metadata."""
    for name in ("stac_discovery", "other_metadata", "properties"):
        part = attributes.get(name)
        if isinstance(part, Mapping):
            yield part
            yield from _nested(part)


def _crs_of(group: CubeGroup, variable: xr.Variable) -> str | None:
    """Return the reference system that a file states, or None."""
    for attributes in _holders(group, variable):
        for key in _TEXTS:
            crs = _known(attributes[key]) if key in attributes else None
            if crs is not None:
                return crs
        if "grid_mapping_name" in attributes and (crs := _by_parameters(attributes)) is not None:
            return crs
    for name in ("epsg", "proj:epsg", "proj:code", "spatial_ref", "crs"):
        scalar = group.lookup(name)
        if scalar is not None and scalar.size == 1 and scalar.dtype.kind in "iuUOST":
            crs = _known(np.atleast_1d(scalar.values)[0])
            if crs is not None:
                return crs
    return None


def _known(value: object) -> str | None:
    """Return a stated reference system as ``EPSG:n`` or WKT; None where it is none."""
    if isinstance(value, Mapping):
        try:
            return _text(CRS.from_json_dict(dict(value)))
        except (CRSError, TypeError, ValueError):
            return None
    text = text_of(value)
    code = _CODE.fullmatch(text.removeprefix("+init=").strip())
    if not text or len(text) > 8000 or text in {"0", "1"}:
        return None
    try:
        return _text(CRS.from_user_input(f"EPSG:{code[1]}" if code else text))
    except CRSError:
        return None


def _by_parameters(attributes: Mapping[Any, Any]) -> str | None:
    plain = {str(key): value.item() if isinstance(value, np.generic) else value for key, value in attributes.items()}
    if plain.get("grid_mapping_name") == "latitude_longitude" and "semi_major_axis" not in plain:
        return "EPSG:4326"
    try:
        return _text(CRS.from_cf(plain))
    except (CRSError, KeyError, ValueError, TypeError):
        return None


def _text(crs: CRS) -> str | None:
    if not (crs.is_projected or crs.is_geographic):
        return None
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt())


def _transform_of(group: CubeGroup, variable: xr.Variable) -> Transform | None:
    """Return the affine that a file states, or None."""
    for attributes in _holders(group, variable, outer=False):
        for key in ("GeoTransform", "spatial:transform", "proj:transform", "transform", "affine", "i2m"):
            numbers = _numbers(attributes.get(key))
            if len(numbers) not in (6, 9):
                continue
            if key == "GeoTransform":
                c, a, b, f, d, e = numbers[:6]
            elif key == "i2m":
                a, d, b, e, c, f = numbers[:6]
            else:
                a, b, c, d, e, f = numbers[:6]
            if key == "spatial:transform" and attributes.get("spatial:registration") == "node":
                c, f = c - a / 2, f - e / 2
            if usable_transform((a, b, c, d, e, f)):
                return a, b, c, d, e, f
    return None


def _numbers(value: object) -> Sequence[float]:
    """Return the numbers of an attribute: a list, an array, or a text of them."""
    if isinstance(value, (str, bytes)):
        # Programs write Python's affine transforms as they are shown: “Affine(10.0, …)”, or rows between bars.
        value = re.split(r"[\s,|]+", text_of(value).strip().removeprefix("Affine").strip("()[]| "))
    if not isinstance(value, (list, tuple, np.ndarray)) or len(value) > 9:
        return ()
    try:
        return [float(part) for part in value]
    except (TypeError, ValueError):
        return ()
