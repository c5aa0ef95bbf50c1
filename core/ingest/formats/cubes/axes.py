"""Which dimension of a variable is rows, columns, dates or bands: by coordinates' attributes (CF), then by names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from core.ingest.formats.cubes.containers import CubeGroup
from core.ingest.formats.cubes.limits import LONGEST_LIST
from core.ingest.messages import clean_name
from core.ingest.sandbox.limits import MAX_BANDS

if TYPE_CHECKING:
    import xarray as xr

_NAMES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        role: re.compile(rf"(?:{names})(?:[_-]?\d+m?)?", re.IGNORECASE)
        for role, names in (
            ("y", "y|yc|ny|lat|latitudes?|northings?|rows?|lines?|height|dim_y|y_?dim|ydim"),
            ("x", "x|xc|nx|lon|long|longitudes?|eastings?|col(?:umn)?s?|samples?|pixels?|width|dim_x|x_?dim|xdim"),
            ("time", "t|times?|dates?|date_?time|timestamps?|acquisitions?(?:_(?:date|time))?|sensing_?time|"
                     "valid_time|temporal|solar_day|days?|months?|time_?steps?"),
            ("band", "b|bands?|channels?|wavelengths?|wl|spectral|variables?|measurements?|band_?names?"),
        )
    }
)  # fmt: skip
_AXES: Mapping[str, str] = MappingProxyType({"X": "x", "Y": "y", "T": "time"})
_STANDARD: Mapping[str, str] = MappingProxyType(
    {
        "projection_x_coordinate": "x", "longitude": "x", "projection_y_coordinate": "y", "latitude": "y",
        "time": "time", "sensor_band_identifier": "band", "radiation_wavelength": "band",
        "sensor_band_central_radiation_wavelength": "band",
    }
)  # fmt: skip
DEGREES_NORTH = re.compile(r"degrees?[_ ]?n(?:orth)?", re.IGNORECASE)
DEGREES_EAST = re.compile(r"degrees?[_ ]?e(?:ast)?", re.IGNORECASE)
SINCE = re.compile(r"\w+ since ", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Axes:
    """Dimensions of a variable of pixels.

    Attributes:
        y: of its rows.
        x: of its columns.
        time: of its dates, or None.
        band: of its bands, or None.
        single: other dimensions, each of length 1.
        told: False = nothing tells rows from columns but their order.
    """

    y: str
    x: str
    time: str | None
    band: str | None
    single: tuple[str, ...] = ()
    told: bool = True


def axes_of(group: CubeGroup, variable: xr.Variable) -> Axes | str:
    """Return the axes of a variable of two or more, or why it holds no pixels, a clause."""
    sizes = {str(dim): int(size) for dim, size in variable.sizes.items()}
    roles: dict[str, str] = {}
    unknown = []
    for dim in sizes:
        role = role_of(dim, group.lookup(dim) if coordinate_name(group, dim) else None)
        if role is None or role in roles:
            unknown.append(dim)
        else:
            roles[role] = dim
    told = "y" in roles and "x" in roles
    if not told and not {"y", "x"} & roles.keys():
        _by_order(unknown, roles, sizes)
    rest = [dim for dim in unknown if sizes[dim] > 1]
    if len(rest) == 1 and "band" not in roles and 3 <= sizes[rest[0]] <= MAX_BANDS:
        roles["band"] = rest.pop()
    because = _no_pixels(roles, rest, sizes)
    if because is not None:
        return because
    single = tuple(dim for dim in sizes if dim not in roles.values())
    return Axes(y=roles["y"], x=roles["x"], time=roles.get("time"), band=roles.get("band"), single=single, told=told)


def _no_pixels(roles: Mapping[str, str], rest: list[str], sizes: Mapping[str, int]) -> str | None:
    """Return why axes are not those of pixels, a clause, or None."""
    if not {"y", "x"} <= roles.keys():
        return "nothing tells which of its axes are rows and columns"
    if rest:
        return f"it has an axis “{clean_name(rest[0], 40)}” of {sizes[rest[0]]:,}, and nothing says what that is"
    if any(sizes[roles[role]] > LONGEST_LIST for role in ("time", "band") if role in roles):
        return "it has more dates or bands than may be"
    return "it is empty" if min(sizes.values()) < 1 else None


def _by_order(unknown: list[str], roles: dict[str, str], sizes: Mapping[str, int]) -> None:
    """Take the last two axes for rows and columns, as pictures have them; the shortest of three may be of bands."""
    axes = list(unknown)
    if len(axes) == 3 and "band" not in roles:
        shortest = min(axes, key=lambda dim: sizes[dim])
        if sizes[shortest] <= MAX_BANDS and sum(sizes[dim] == sizes[shortest] for dim in axes) == 1:
            roles["band"] = shortest
            axes.remove(shortest)
            unknown.remove(shortest)
    if len(axes) == 2:
        roles["y"], roles["x"] = axes
        unknown.clear()


def role_of(name: str, coordinate: xr.Variable | None) -> str | None:
    """Return ``y``, ``x``, ``time`` or ``band`` for a dimension or a coordinate, or None.

    Args:
        name: of it.
        coordinate: with its attributes, or None.
    """
    attributes: Mapping[Any, Any] = {} if coordinate is None else coordinate.attrs
    axis = _AXES.get(str(attributes.get("axis", "")).upper())
    standard = _STANDARD.get(str(attributes.get("standard_name", "")).lower())
    if standard or axis:
        return standard or axis
    units = str(attributes.get("units", ""))
    if SINCE.match(units) or (coordinate is not None and coordinate.dtype.kind == "M"):
        return "time"
    if DEGREES_NORTH.fullmatch(units) or DEGREES_EAST.fullmatch(units):
        return "y" if DEGREES_NORTH.fullmatch(units) else "x"
    plain = name.rpartition("/")[2]
    return next((role for role, pattern in _NAMES.items() if pattern.fullmatch(plain)), None)


def coordinate_name(group: CubeGroup, dim: str) -> str | None:
    """Return the name of the coordinate of a dimension: its own, or None."""
    variable = group.lookup(dim)
    return dim if variable is not None and variable.dims == (dim,) else None


def coordinate_of(group: CubeGroup, dim: str, role: str, size: int) -> tuple[str, xr.Variable] | None:
    """Return the coordinate along a dimension that plays a role, with its name: the dimension's own, else another's."""
    own = group.lookup(dim)
    if own is not None and own.dims == (dim,) and own.size == size:
        return dim, own
    for part in (group, *group.around):
        for name, variable in part.variables.items():
            if variable.dims == (dim,) and variable.size == size and role_of(name, variable) == role:
                return name, variable
    return None


def texts_along(group: CubeGroup, dim: str) -> list[tuple[str, list[str]]]:
    """Return coordinates of texts along a dimension with their names, its own first."""
    found = []
    for part in (group, *group.around):
        for name, variable in part.variables.items():
            if variable.dims == (dim,) and variable.size <= LONGEST_LIST and is_text(variable):
                found.append((name, [text_of(value) for value in variable.values.tolist()]))
    return sorted(found, key=lambda pair: pair[0] != dim)


def is_text(variable: xr.Variable) -> bool:
    """Tell whether a variable holds texts."""
    return variable.dtype.kind in "USOT"


def text_of(value: object) -> str:
    """Return a value of a coordinate or an attribute as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip("\0 ")
    if isinstance(value, np.generic):
        return text_of(value.item())
    return str(value).strip()
