"""What a variable states of its numbers: fills, valid ranges, scale and offset (CF Conventions 2.5 and 8.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.ingest.bands.packing import usable_scaling
from core.ingest.formats.cubes.axes import text_of
from core.ingest.grid.stack import Scaling

_FILLS = ("_FillValue", "missing_value", "fill_value", "nodata", "nodatavals", "no_data_value")
_PERCENT = frozenset({"%", "percent", "per cent", "pct", "percentage"})


@dataclass(frozen=True, kw_only=True)
class NumberRules:
    """How numbers of a variable are to be taken.

    Attributes:
        dtype: NumPy type that they are meant as.
        nodata: the number that stands for no data once read, or None.
        fills: other numbers that do, as stored.
        low: numbers below stand for no data.
        high: numbers above do.
        scaling: scale and offset, or None.
        declared: what is declared to be no data, in words, but for 0 and NaN.
        codes: what numbers stand for that are codes of classes, 0 for any other; None = they are no such codes.
    """

    dtype: np.dtype[Any]
    nodata: float | None = None
    fills: tuple[float, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    scaling: Scaling | None = None
    declared: tuple[str, ...] = ()
    codes: Mapping[int, int] | None = None

    def applied(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Return numbers as they are meant, every one that stands for no data the same."""
        numbers = raw.astype(np.uint8) if raw.dtype.kind == "b" else raw
        numbers = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
        if numbers.dtype != self.dtype and numbers.dtype.itemsize == self.dtype.itemsize:
            numbers = numbers.view(self.dtype)
        if self.codes is not None:
            meant = np.zeros(numbers.shape, dtype=self.dtype)
            for code, number in self.codes.items():
                meant[numbers == code] = number
            return meant
        if self.nodata is None or not (self.fills or math.isfinite(self.low) or math.isfinite(self.high)):
            return numbers
        missing = np.isin(numbers, np.array(self.fills, dtype=np.float64)) if self.fills else np.zeros(1, dtype=bool)
        if math.isfinite(self.low):
            missing = missing | (numbers < self.low)
        if math.isfinite(self.high):
            missing = missing | (numbers > self.high)
        return np.where(missing, numbers.dtype.type(self.nodata), numbers)


def rules_of(attributes: Mapping[Any, Any], dtype: np.dtype[Any], *, unpacked: bool = False) -> NumberRules:
    """Return what attributes of a variable state of its numbers.

    Args:
        attributes: of the variable; EOPF repeats some of them in a document of its own.
        dtype: as stored.
        unpacked: True = the file's own codecs apply scale and offset, so that the attributes tell of packed numbers.
    """
    nested = attributes.get("_eopf_attrs")
    stated = {**nested, **attributes} if isinstance(nested, Mapping) else attributes
    unsigned = text_of(stated.get("_Unsigned", "")).lower() == "true" and dtype.kind == "i"
    signed = text_of(stated.get("_Unsigned", "")).lower() == "false" and dtype.kind == "u"
    plain = np.dtype("uint8") if dtype.kind == "b" else dtype.newbyteorder("=")
    meant = np.dtype(f"{'u' if unsigned else 'i'}{dtype.itemsize}") if unsigned or signed else plain
    scaling = None if unpacked else _scaling(stated)
    low, high = (-math.inf, math.inf) if unpacked else _range(stated, meant, scaling)
    found = [value for key in _FILLS if not (unpacked and key != "_FillValue") for value in _values(stated.get(key))]
    fills = list(dict.fromkeys(_as_meant(value, dtype, meant) for value in found))
    fills = [value for value in fills if _holds(meant, value)]
    ordered = [value for value in fills if value != 0] + [value for value in fills if value == 0]
    nodata = ordered[0] if ordered else None
    if (math.isfinite(low) or math.isfinite(high)) and not nodata:
        nodata = _outside(meant, low, high)
    others = tuple(value for value in ordered if value not in (nodata, 0) and not math.isnan(value))
    told = [f"{value:g}" for value in ordered if value != 0 and math.isfinite(value)]
    told += ["outside of the valid range"] if math.isfinite(low) or math.isfinite(high) else []
    return NumberRules(
        dtype=meant, nodata=nodata, fills=others, low=low, high=high, scaling=scaling, declared=tuple(told)
    )


def _scaling(stated: Mapping[Any, Any]) -> Scaling | None:
    """Return scale and offset; units may be a scale, too."""
    given = [
        _values(stated.get(key, stated.get(other)))
        for key, other in (("scale_factor", "raster:scale"), ("add_offset", "raster:offset"))
    ]
    scale, offset = (values[0] if values else usual for values, usual in zip(given, (1.0, 0.0), strict=True))
    unit = _unit(text_of(stated.get("units", "")).lower())
    return usable_scaling(scale * unit, offset * unit)


def _unit(text: str) -> float:
    """Return what a unit is of reflectance: a hundredth for percent, and numbers as UDUNITS writes them, “1e-4”."""
    if text in _PERCENT:
        return 0.01
    try:
        number = float(text)
    except ValueError:
        return 1.0
    return number if 0 < number < 1 else 1.0


def _range(stated: Mapping[Any, Any], dtype: np.dtype[Any], scaling: Scaling | None) -> tuple[float, float]:
    """Return the valid range of numbers as stored; one of another type than these is that of what they mean."""
    low, high = (_values(stated.get(key)) for key in ("valid_min", "valid_max"))
    both = _values(stated.get("valid_range"))
    ends = [both[0], both[1]] if len(both) == 2 else [low[0] if low else -math.inf, high[0] if high else math.inf]
    given = [stated.get(key) for key in ("valid_range", "valid_min", "valid_max") if key in stated]
    floats = any(_of_floats(value) for value in given)
    if scaling is not None and floats and dtype.kind in "iu":
        scale, offset = scaling
        ends = [(end - offset) / scale for end in ends]
        # What lies on an end is valid, whatever rounding does.
        ends = [ends[0] - 1e-6 * max(1, abs(ends[0])), ends[1] + 1e-6 * max(1, abs(ends[1]))]
    low_end, high_end = ends
    if not low_end < high_end:
        return -math.inf, math.inf
    bounds = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    return (
        low_end if low_end > float(bounds.min) else -math.inf,
        high_end if high_end < float(bounds.max) else math.inf,
    )


def _of_floats(value: object) -> bool:
    """Tell whether an attribute is written in floats."""
    parts = value if isinstance(value, (list, tuple)) else np.atleast_1d(np.asarray(value)).tolist()
    return any(isinstance(part, float) for part in parts)


def number_of(attributes: Mapping[Any, Any], key: str, usual: float) -> float:
    """Return the number that an attribute states; the usual one where it states none."""
    values = _values(attributes.get(key))
    return values[0] if values and math.isfinite(values[0]) else usual


def _values(value: object) -> list[float]:
    """Return the numbers of an attribute."""
    if value is None:
        return []
    parts = value if isinstance(value, (list, tuple)) else np.atleast_1d(np.asarray(value)).tolist()
    found = []
    for part in list(parts)[:64]:
        try:
            found.append(float(text_of(part)))
        except ValueError:
            continue
    return found


def _as_meant(value: float, stored: np.dtype[Any], meant: np.dtype[Any]) -> float:
    """Return a fill of the stored type as the type that is meant: −1 of int16 is 65535."""
    if stored.kind in "iu" and stored != meant and math.isfinite(value) and not _holds(meant, value):
        return float(np.array([int(value)]).astype(stored).view(meant)[0])
    if meant.kind == "f" and math.isfinite(value):
        return float(meant.type(value))
    return value


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    """Tell whether a type can hold a number."""
    if dtype.kind == "f":
        return True
    bounds = np.iinfo(dtype)
    return math.isfinite(value) and value == int(value) and bounds.min <= value <= bounds.max


def _outside(dtype: np.dtype[Any], low: float, high: float) -> float:
    """Return a number that a type holds and that lies out of a range, for numbers out of it to be."""
    if dtype.kind == "f":
        return math.nan
    bounds = np.iinfo(dtype)
    if bounds.max > high:
        return float(bounds.max)
    if bounds.min < min(low, 0):
        return float(bounds.min)
    # Of unsigned numbers that begin at 1 none is left over; the largest is no light but a sensor out of its range.
    return float(bounds.max) if bounds.max > 255 else 0.0
