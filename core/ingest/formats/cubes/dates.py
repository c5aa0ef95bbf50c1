"""The dates of a cube: decoded as its time axis states them (CF Conventions, chapter 4.4), or read off texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import SourceError
from core.ingest.formats.cubes.axes import SINCE, Axes, coordinate_of, is_text, role_of, text_of
from core.ingest.formats.cubes.containers import CubeGroup, values_of
from core.ingest.formats.product_metadata import date_in, valid_date
from core.ingest.messages import clean_name, damaged

if TYPE_CHECKING:
    import xarray as xr

_STANDARD = frozenset({"", "standard", "gregorian", "proleptic_gregorian"})
_COMPACT = re.compile(r"20\d{6}")


@dataclass(frozen=True, kw_only=True)
class Times:
    """Dates along an axis.

    Attributes:
        dates: ``YYYY-MM-DD`` each, None where it is unknown.
        where: what states them, a clause.
        notes: what else is to be said of them.
    """

    dates: tuple[str | None, ...]
    where: str
    notes: tuple[str, ...] = ()


def times_of(group: CubeGroup, axes: Axes, count: int) -> Times:
    """Return the dates of a variable, one where it has no axis of time.

    Args:
        group: that it lies in.
        axes: of the variable.
        count: dates that it has.

    Raises:
        SourceError: when its dates are all before Sentinel-2, or cannot be decoded.
    """
    found = coordinate_of(group, axes.time, "time", count) if axes.time is not None else _alone(group)
    if found is None:
        return Times(dates=(None,) * count, where="")
    name, variable = found
    texts, notes = _texts(variable, name)
    dates = tuple(valid_date(text) if text else None for text in texts)
    known = [text for text in texts if text]
    if known and not any(dates):
        shown = known[0] if len(known) == 1 else f"{min(known)} to {max(known)}"
        found_text = f"its dates are {clean_name(shown, 60)}, before Sentinel-2 took pictures"
        raise SourceError(found=found_text, remedy="choose a cube of Sentinel-2")
    if len(dates) != count:
        dates = (None,) * count
    periods = _periods(group, variable, name, dates)
    return Times(dates=dates, where=f"its coordinate “{clean_name(name, 40)}” says so{periods}", notes=notes)


def _alone(group: CubeGroup) -> tuple[str, xr.Variable] | None:
    """Return a single date of a group of variables without an axis of time."""
    for part in (group, *group.around):
        for name, variable in part.variables.items():
            if variable.size == 1 and len(variable.dims) < 2 and role_of(name, variable) == "time":
                return name, variable
    return None


def _texts(variable: xr.Variable, name: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the days of a coordinate as texts, empty where they are none, and what is to be said of them."""
    values = np.atleast_1d(values_of(variable, name))
    if is_text(variable):
        return [date_in(text_of(value)) or "" for value in values.tolist()], ()
    if values.dtype.kind == "M":
        return [_day(value) for value in values], ()
    if SINCE.match(str(variable.attrs.get("units", ""))):
        return _decoded(variable, values)
    whole = [str(int(value)) if np.isfinite(value) and value == int(value) else "" for value in values.tolist()]
    if all(map(_COMPACT.fullmatch, whole)):
        return [f"{text[:4]}-{text[4:6]}-{text[6:]}" for text in whole], ()
    return [""] * len(values), ()


def _decoded(variable: xr.Variable, values: np.ndarray) -> tuple[list[str], tuple[str, ...]]:
    """Decode numbers since a day."""
    import xarray as xr

    kept = {key: text_of(variable.attrs[key]) for key in ("units", "calendar") if key in variable.attrs}
    fill = variable.attrs.get("_FillValue")
    # Zarr gives 0 as the fill of whatever states none.
    numbers = values if fill is None or fill == 0 else np.where(values == fill, np.nan, values.astype(np.float64))
    try:
        dates = xr.conventions.decode_cf_variable("t", xr.Variable(("t",), numbers, kept)).values
    except (ValueError, OverflowError, KeyError) as error:
        if "calendar" in kept or "month" in kept["units"] or "year" in kept["units"]:
            found = f"its dates are written as “{clean_name(kept['units'], 60)}” in a calendar that tells no days"
            raise SourceError(found=found, remedy="save it again with dates as days since 1970-01-01") from error
        raise damaged() from error
    texts = [_day(value) for value in dates]
    calendar = kept.get("calendar", "").lower()
    if calendar in _STANDARD:
        return texts, ()
    return texts, (f"its dates are of the calendar “{clean_name(calendar, 30)}”, and are taken as they are written",)


def _day(value: object) -> str:
    """Return a date of NumPy or of cftime as ``YYYY-MM-DD``; empty for none."""
    if isinstance(value, np.datetime64):
        return "" if np.isnat(value) else str(value.astype("datetime64[D]"))
    if all(hasattr(value, part) for part in ("year", "month", "day")):
        return f"{value.year:04d}-{value.month:02d}-{value.day:02d}"  # type: ignore[attr-defined]
    return ""


def _periods(group: CubeGroup, variable: xr.Variable, name: str, dates: Sequence[str | None]) -> str:
    """Say that dates are the beginnings of periods where bounds beside them state ends on other days."""
    bounds = group.lookup(text_of(variable.attrs.get("bounds", "")) or f"{name}_bnds")
    if bounds is None or bounds.shape != (len(dates), 2):
        return ""
    import xarray as xr

    attributes = {key: bounds.attrs.get(key, variable.attrs.get(key)) for key in ("units", "calendar")}
    ends = xr.Variable(("t",), bounds.values[:, 1], {key: value for key, value in attributes.items() if value})
    try:
        last, _ = _texts(ends, "bounds")
    except SourceError:
        return ""
    longer = [end for date, end in zip(dates, last, strict=True) if date and end and end > date]
    return ", and its bounds say that each stands for a time of several days" if longer else ""
