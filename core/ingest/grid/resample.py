"""Reading windows of a raster on the grid of another: as they are, shifted, or bilinear."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from core.scenes.geobox import GeoBox, Transform

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
PixelWindow = tuple[int, int, int, int]
"""Row and column of the first pixel, height and width."""
NOT_LIGHT = 1e20
"""Numbers of this size and beyond are no light: fills such as ±3.4e38, whatever a file declares."""
_EDGE = 0.501
"""How far outside the outermost pixel centres a position still counts as inside, in pixels."""


@dataclass(frozen=True, kw_only=True)
class NoData:
    """What marks missing pixels of a band, in the file's own numbers.

    Attributes:
        values: numbers that stand for no data; text in a file may hold them a little off.
        lowest: whatever lies below is no light.
        highest: whatever lies above is none either.
    """

    values: tuple[float, ...] = ()
    lowest: float = -math.inf
    highest: float = math.inf

    def found_in(self, numbers: NDArray[Any]) -> Bools:
        """Return where numbers of a band are missing."""
        missing = self.stated_in(numbers)
        whole = _whole(numbers)
        if numbers.dtype.kind == "f":
            missing |= ~(np.abs(numbers) < NOT_LIGHT)
        if math.isfinite(self.lowest) and not (whole and self.lowest <= np.iinfo(numbers.dtype).min):
            missing |= numbers < (math.ceil(self.lowest) if whole else self.lowest)
        if math.isfinite(self.highest) and numbers.dtype != np.uint16:
            missing |= numbers > (math.floor(self.highest) if whole else self.highest)
        return missing

    def stated_in(self, numbers: NDArray[Any]) -> Bools:
        """Return where numbers of a band are one of ``values``."""
        missing = np.zeros(numbers.shape, dtype=bool)
        for value in filter(math.isfinite, self.values):
            if not _whole(numbers):
                missing |= numbers == value
            elif value == int(value):
                missing |= numbers == int(value)
            if numbers.dtype.kind == "f" and value != 0:
                missing |= np.abs(numbers - value) <= 1e-6 * abs(value)
        return missing


def _whole(numbers: NDArray[Any]) -> bool:
    """Tell whether numbers are integers; by an integer they are compared as they are, by another number as doubles."""
    return numbers.dtype.kind in "iu"


def no_data_of(value: float | None) -> NoData:
    """Return the mark of a single value, or of none."""
    return NoData(values=() if value is None else (value,))


class PixelSource(Protocol):
    """A raster to read numbers from; one thread at a time."""

    @property
    def geobox(self) -> GeoBox:
        """Where its pixels lie."""

    def read(self, indexes: list[int], window: PixelWindow) -> NDArray[Any]:
        """Read numbers of shape (bands, height, width) of 1-based bands in a window (row, col, height, width)."""

    def read_missing(self, window: PixelWindow) -> Bools | None:
        """Read where the source's own mask says that there is nothing, or None."""


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """Numbers of some bands in a window of the target.

    Attributes:
        values: shape (bands, height, width), in the source's own numbers; meaningless where missing.
        missing: shape (height, width), True = a band says no data, is not finite, or lies outside the source.
        zero: shape (height, width), True = every band is exactly 0.
    """

    values: NDArray[Any]
    missing: Bools
    zero: Bools


def read_resampled(
    source: PixelSource,
    indexes: list[int],
    nodata: Sequence[NoData | float | None],
    target: Transform,
    window: PixelWindow,
) -> Sampled:
    """Read a window of the target from a source, bilinear unless pixels coincide.

    Args:
        source: where to read.
        indexes: 1-based bands of the source.
        nodata: what marks missing pixels of each of them.
        target: affine of the target.
        window: (row, col, height, width) in the target.
    """
    row, col, height, width = window
    marks = [mark if isinstance(mark, NoData) else no_data_of(mark) for mark in nodata]
    to_source = ~source.geobox.affine @ Affine(*target) @ Affine.translation(col, row)
    shift = _integral_shift(to_source, height, width)
    if shift is not None:
        return _shifted(source, indexes, marks, shift, (height, width))
    cols, rows = to_source.a, to_source.e
    if abs(to_source.b) * height < 0.01 and abs(to_source.d) * width < 0.01:
        row_positions = (np.arange(height) + 0.5) * rows + to_source.f - 0.5
        col_positions = (np.arange(width) + 0.5) * cols + to_source.c - 0.5
        return _separable(source, indexes, marks, row_positions, col_positions)
    return _scattered(source, indexes, marks, to_source, (height, width))


def _integral_shift(to_source: Affine, height: int, width: int) -> tuple[int, int] | None:
    """Return (row, col) of the window in the source when pixels coincide within a hundredth, else None."""
    drift = max(abs(to_source.a - 1), abs(to_source.d)) * width + max(abs(to_source.e - 1), abs(to_source.b)) * height
    row, col = round(to_source.f), round(to_source.c)
    if drift > 0.01 or abs(to_source.f - row) > 0.01 or abs(to_source.c - col) > 0.01:
        return None
    return row, col


def _shifted(
    source: PixelSource,
    indexes: list[int],
    nodata: list[NoData],
    start: tuple[int, int],
    shape: tuple[int, int],
) -> Sampled:
    geobox = source.geobox
    top, left = max(start[0], 0), max(start[1], 0)
    bottom, right = min(start[0] + shape[0], geobox.height), min(start[1] + shape[1], geobox.width)
    if bottom <= top or right <= left:
        return _nothing(len(indexes), shape)
    raw, missing = _read(source, indexes, nodata, (top, left, bottom - top, right - left))
    gone: Bools = np.asarray(missing.any(axis=0))
    zero: Bools = np.asarray((raw == 0).all(axis=0))
    if raw.shape[1:] == shape:
        return Sampled(values=raw, missing=gone, zero=zero)
    inside = np.s_[top - start[0] : bottom - start[0], left - start[1] : right - start[1]]
    values = np.zeros((len(indexes), *shape), dtype=raw.dtype)
    values[(slice(None), *inside)] = raw
    all_gone, all_zero = np.ones(shape, dtype=bool), np.ones(shape, dtype=bool)
    all_gone[inside], all_zero[inside] = gone, zero
    return Sampled(values=values, missing=all_gone, zero=all_zero)


def _nothing(count: int, shape: tuple[int, int]) -> Sampled:
    return Sampled(
        values=np.zeros((count, *shape), dtype=np.float32),
        missing=np.ones(shape, dtype=bool),
        zero=np.ones(shape, dtype=bool),
    )


def _read(
    source: PixelSource, indexes: list[int], nodata: list[NoData], window: PixelWindow
) -> tuple[NDArray[Any], Bools]:
    """Read numbers and where they are missing, both of shape (bands, height, width); missing numbers are set to 0."""
    raw = source.read(indexes, window)
    missing = np.stack([mark.found_in(numbers) for mark, numbers in zip(nodata, raw, strict=True)])
    own = source.read_missing(window)
    if own is not None:
        missing |= own
    if raw.dtype.kind == "f" and missing.any():
        raw = np.where(missing, raw.dtype.type(0), raw)
    return raw, missing


def _separable(
    source: PixelSource,
    indexes: list[int],
    nodata: list[NoData],
    rows: NDArray[np.float64],
    cols: NDArray[np.float64],
) -> Sampled:
    """Interpolate where rows and columns of the target are rows and columns of the source."""
    shape = (len(rows), len(cols))
    area = _area(source.geobox, rows, cols)
    if area is None:
        return _nothing(len(indexes), shape)
    raw, missing = _read(source, indexes, nodata, area)
    rows, cols = rows - area[0], cols - area[1]
    outside = _outside(rows, area[2])[:, None] | _outside(cols, area[3])[None, :]
    near = np.ix_(_nearest(rows, area[2]), _nearest(cols, area[3]))
    values = np.empty((len(indexes), *shape), dtype=np.float32)
    gone, zero = np.asarray(outside, dtype=bool), np.ones(shape, dtype=bool)
    for position in range(len(indexes)):
        values[position] = _bilinear(raw[position], missing[position], rows, cols)
        gone |= missing[position][near]
        zero &= raw[position][near] == 0
    return Sampled(values=values, missing=gone, zero=zero)


def _bilinear(raw: NDArray[Any], missing: Bools, rows: NDArray[np.float64], cols: NDArray[np.float64]) -> Floats:
    """Interpolate one band; missing pixels and zeros, which mostly stand for no data, carry no weight."""
    empty = missing | (raw == 0)
    numbers = raw.astype(np.float32)
    if not empty.any():
        return _along(_along(numbers, rows, 0), cols, 1)
    weights = (~empty).astype(np.float32)
    total = _along(_along(weights, rows, 0), cols, 1)
    values = _along(_along(numbers * weights, rows, 0), cols, 1)
    result: Floats = np.divide(values, total, out=np.zeros_like(values), where=total > 1e-6)
    return result


def _along(numbers: Floats, positions: NDArray[np.float64], axis: int) -> Floats:
    """Interpolate linearly along one axis, the edge pixel repeated."""
    last = numbers.shape[axis] - 1
    low = np.clip(np.floor(positions).astype(np.int64), 0, last)
    high = np.minimum(low + 1, last)
    part = np.clip(positions - low, 0, 1).astype(np.float32)
    part = part[:, None] if axis == 0 else part[None, :]
    first = np.take(numbers, low, axis=axis)
    second = np.take(numbers, high, axis=axis)
    second -= first
    second *= part
    second += first
    return np.asarray(second, dtype=np.float32)


def _scattered(
    source: PixelSource, indexes: list[int], nodata: list[NoData], to_source: Affine, shape: tuple[int, int]
) -> Sampled:
    """Interpolate where the target is rotated against the source."""
    centre_rows, centre_cols = np.arange(shape[0])[:, None] + 0.5, np.arange(shape[1])[None, :] + 0.5
    cols = to_source.a * centre_cols + to_source.b * centre_rows + to_source.c - 0.5
    rows = to_source.d * centre_cols + to_source.e * centre_rows + to_source.f - 0.5
    area = _area(source.geobox, rows, cols)
    if area is None:
        return _nothing(len(indexes), shape)
    raw, missing = _read(source, indexes, nodata, area)
    rows, cols = rows - area[0], cols - area[1]
    gone = _outside(rows, area[2]) | _outside(cols, area[3])
    near = (_nearest(rows, area[2]), _nearest(cols, area[3]))
    values = np.empty((len(indexes), *shape), dtype=np.float32)
    zero = np.ones(shape, dtype=bool)
    for position in range(len(indexes)):
        values[position] = _gather(raw[position], missing[position], rows, cols)
        gone |= missing[position][near]
        zero &= raw[position][near] == 0
    return Sampled(values=values, missing=gone, zero=zero)


def _gather(raw: NDArray[Any], missing: Bools, rows: NDArray[np.float64], cols: NDArray[np.float64]) -> Floats:
    weights = (~(missing | (raw == 0))).astype(np.float32)
    numbers = raw.astype(np.float32) * weights
    total = np.zeros(rows.shape, dtype=np.float32)
    values = np.zeros(rows.shape, dtype=np.float32)
    top, left = np.floor(rows), np.floor(cols)
    for down in (0, 1):
        for right in (0, 1):
            share = (1 - np.abs(rows - top - down)) * (1 - np.abs(cols - left - right))
            place = (
                np.clip(top + down, 0, raw.shape[0] - 1).astype(np.int64),
                np.clip(left + right, 0, raw.shape[1] - 1).astype(np.int64),
            )
            total += (share * weights[place]).astype(np.float32)
            values += (share * numbers[place]).astype(np.float32)
    result: Floats = np.divide(values, total, out=np.zeros_like(values), where=total > 1e-6)
    return result


def _area(geobox: GeoBox, rows: NDArray[np.float64], cols: NDArray[np.float64]) -> PixelWindow | None:
    """Return the window of the source that positions need, or None when all lie outside."""
    top, bottom = math.floor(rows.min()), math.floor(rows.max()) + 2
    left, right = math.floor(cols.min()), math.floor(cols.max()) + 2
    top, left = max(top, 0), max(left, 0)
    bottom, right = min(bottom, geobox.height), min(right, geobox.width)
    return (top, left, bottom - top, right - left) if bottom > top and right > left else None


def _outside(positions: NDArray[np.float64], length: int) -> Bools:
    result: Bools = (positions < -_EDGE) | (positions > length - 1 + _EDGE)
    return result


def _nearest(positions: NDArray[np.float64], length: int) -> NDArray[np.int64]:
    return np.clip(np.rint(positions).astype(np.int64), 0, length - 1)
