"""Corners and sides of a scene that hold one number: ground beyond the edge of a swath, or land, water and cloud.

No data is what straight edges cut off sharply and what is one number in all bands, as programs write it. Flat water has
other numbers in other bands, cloud is not straight, and what was cut off at the end of a scale lies elsewhere too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.ingest.findings import finding
from core.ingest.grid.stack import Layer
from core.scenes.quality import Finding

_Numbers = NDArray[np.float64]

_LINES, _FEWEST_LINES = 48, 8
"""Lines across flat ground on which its edge is looked for, and how many a part of it tell whether it is straight."""
_MOST_PARTS, _PART = 3, 3
"""Straight parts of an edge, at most, and places of one, at least."""
_OFF, _FARTHEST = 0.8, 1.6
"""Pixels that nine of ten places of a straight edge lie off it, at most, and that any does."""
_BENT = 0.02
"""How far an edge bends, as a share of its length: one that is straight on a map is not quite so on another."""
_STEP = 512
_BESIDE = slice(2, 7)
"""Pixels beyond an edge that tell how sharp it is; the first may be mixed."""
_SHARP = 0.5
"""Difference of what lies beside from the flat number, as a share of that of all land."""
_FEWEST = 8
_NEAR = 0.02
"""Part of the range of a band within which numbers are near its end."""


@dataclass(frozen=True, kw_only=True)
class FlatGround:
    """Ground of one number a band in a corner or along a side.

    Attributes:
        numbers: by band.
        doubt: why it may be land, a clause; empty = it is no data.
    """

    numbers: Mapping[str, float]
    doubt: str

    @property
    def said(self) -> Finding:
        """What the record says of it."""
        value = f"{next(iter(self.numbers.values())):g} in {', '.join(self.numbers)}" if _one(self.numbers) else (
            ", ".join(f"{number:g} in {band}" for band, number in self.numbers.items())
        )  # fmt: skip
        where = "a whole side or corner of the scene holds it in every band"
        if not self.doubt:
            return finding("edge", value, "decided", f"{where}, so pixels that do are no data", "nodata")
        remedy = "; if it is none, choose that number as no data" if _one(self.numbers) else ""
        return finding("edge", value, "warning", f"{where}, but {self.doubt}, so it counts as land{remedy}", "nodata")


def judge_flat(
    numbers: Mapping[str, float],
    layers: Mapping[str, Layer],
    valid: Mapping[str, _Numbers],
    every: Mapping[str, _Numbers],
    corner: tuple[int, int],
) -> FlatGround:
    """Return whether a flat corner, or side from that corner on, is no data.

    Args:
        numbers: of the corner, by band.
        layers: the bands.
        valid: numbers of pixels looked at by band, those that are missing by statement left out.
        every: numbers of the same pixels of bands of the same raster, NaN = missing by statement.
        corner: 0 or −1 for the first or last row and column.
    """
    if not (_one(numbers) or _one(_as_light(numbers, layers))):
        return FlatGround(numbers=numbers, doubt="the numbers differ from band to band, as those of flat water do")
    finest = max(numbers, key=lambda band: layers[band].source.geobox.height)
    doubt = _cut_off(numbers, valid, every)
    if not doubt:
        edges = [_Edge.along(layers[finest], numbers[finest], corner, axis) for axis in (0, 1)]
        told = [edge for edge in edges if len(edge.ends) >= _FEWEST_LINES]
        land = valid[finest][valid[finest] != numbers[finest]]
        if not told or not all(edge.straight for edge in told):
            doubt = "its edge is not straight, as that of a swath is"
        elif not all(edge.sharp(numbers[finest], land) for edge in told):
            doubt = "what lies beside it comes near to it"
    return FlatGround(numbers=numbers, doubt=doubt)


def _one(numbers: Mapping[str, float]) -> bool:
    first, *others = numbers.values()
    return all(abs(number - first) <= 1e-6 * abs(first) for number in others)


def _as_light(numbers: Mapping[str, float], layers: Mapping[str, Layer]) -> dict[str, float]:
    """Return numbers as their tags have it that they mean."""
    scaled = {band: layers[band].source.scaling[layers[band].index - 1] or (1.0, 0.0) for band in numbers}
    return {band: scaled[band][0] * number + scaled[band][1] for band, number in numbers.items()}


def _cut_off(numbers: Mapping[str, float], valid: Mapping[str, _Numbers], every: Mapping[str, _Numbers]) -> str:
    """Return that a number is the end of a scale, where single bands reach it elsewhere too; empty = it is not."""
    sizes = {every[band].size for band in numbers}
    held = {band: every[band] == number for band, number in numbers.items()}
    alone = len(sizes) == 1
    flat = np.logical_and.reduce(list(held.values())) if alone else np.zeros(0, np.bool_)
    for band, number in numbers.items() if alone else ():
        land = valid[band][valid[band] != number]
        if not land.size:
            continue
        low, high = np.percentile(land, [1, 99])
        count, near = int((held[band] & ~flat).sum()), int((np.abs(land - number) <= _NEAR * (high - low)).sum())
        if (number <= low or number >= high) and count >= _FEWEST and count > near:
            return f"{band} holds it elsewhere too, where the others do not, as of light cut off there"
    return ""


@dataclass(frozen=True, kw_only=True)
class _Edge:
    """The edge of flat ground as seen from a side.

    Attributes:
        lines: places of lines along that side.
        ends: pixels of each until the edge.
        beside: numbers of pixels a little beyond it.
    """

    lines: _Numbers
    ends: _Numbers
    beside: _Numbers

    @classmethod
    def along(cls, layer: Layer, number: float, corner: tuple[int, int], axis: int) -> _Edge:
        """Return the edge of the ground of a number on lines that begin at the side along an axis, 0 or 1."""
        view = _View(layer, corner, axis)
        reach = view.run(0, number, across=True)
        lines = np.unique(np.linspace(0, reach - 1, min(reach, _LINES)).astype(int)) if reach else np.zeros(0, int)
        ends = np.array([view.run(line, number) for line in lines.tolist()], dtype=np.float64)
        open_ = ends < view.width
        beside = [view.read(line, end, end + _BESIDE.stop)[_BESIDE] for line, end in
                  zip(lines[open_].tolist(), ends[open_].astype(int).tolist(), strict=True)]  # fmt: skip
        return cls(
            lines=lines[open_].astype(np.float64), ends=ends[open_],
            beside=np.concatenate(beside) if beside else np.zeros(0),
        )  # fmt: skip

    @property
    def straight(self) -> bool:
        """Whether ``_FEWEST_LINES`` places and more are on a line, perhaps a little bent, or on a few that meet.

        Lines meet so beside a scene that was turned.
        """
        count, start, parts = len(self.ends), 0, 0
        if _fits(self.lines, self.ends, bent=True):
            return True
        while start < count:
            stop = min(start + _PART, count)
            while stop < count and _fits(self.lines[start : stop + 1], self.ends[start : stop + 1]):
                stop += 1
            start, parts = stop, parts + 1
        return parts <= min(_MOST_PARTS, max(1, count // _FEWEST_LINES))

    def sharp(self, number: float, land: _Numbers) -> bool:
        """Tell whether what lies beside it is land as it is elsewhere."""
        if not self.beside.size or not land.size:
            return False
        beside = float(np.median(np.abs(self.beside - number)))
        return beside >= _SHARP * float(np.median(np.abs(land - number)))


def _fits(lines: _Numbers, ends: _Numbers, *, bent: bool = False) -> bool:
    middle = lines - lines.mean()
    fit = np.polyfit(middle, ends, 2 if bent else 1)
    off = np.abs(np.polyval(fit, middle) - ends)
    length = float(np.hypot(np.ptp(middle), np.ptp(ends)))
    bend = abs(fit[0]) * np.ptp(middle) ** 2 / 4 if bent else 0.0
    return bool(bend <= _BENT * length + 1 and np.percentile(off, 90) <= _OFF and off.max() <= _FARTHEST)


class _View:
    """_Numbers of a layer as seen from a corner: lines begin at the side along an axis, the first is in the corner."""

    def __init__(self, layer: Layer, corner: tuple[int, int], axis: int) -> None:
        self._layer, self._corner, self._axis = layer, corner, axis
        box = layer.source.geobox
        sides = (box.height, box.width)
        self._sides, self.height, self.width = sides, sides[axis], sides[1 - axis]

    def read(self, line: int, start: int, stop: int, *, across: bool = False) -> _Numbers:
        """Return numbers of a line, or across all lines at its place, from a place on; fewer at the end."""
        length = self.height if across else self.width
        stop = min(stop, length)
        if start >= stop:
            return np.zeros(0)
        at, along = line, self._axis if across else 1 - self._axis
        window = [0, 0, 1, 1]
        flipped = self._corner[along] != 0
        window[along] = length - stop if flipped else start
        window[2 + along] = stop - start
        window[1 - along] = self._sides[1 - along] - 1 - at if self._corner[1 - along] else at
        top, left, height, width = window
        numbers = self._layer.source.read([self._layer.index], (top, left, height, width))[0].ravel()
        return np.asarray(numbers[::-1] if flipped else numbers, dtype=np.float64)

    def run(self, line: int, number: float, *, across: bool = False) -> int:
        """Return how many pixels from the beginning hold a number without a gap."""
        length, start = self.height if across else self.width, 0
        while start < length:
            other = np.flatnonzero(self.read(line, start, start + _STEP, across=across) != number)
            if other.size:
                return start + int(other[0])
            start += _STEP
        return length


def doubtful_bright(numbers: Mapping[str, Sequence[float]]) -> list[Finding]:
    """Say which numbers far above all others count as light; empty when none does."""
    told = {band: values for band, values in numbers.items() if values}
    if not told:
        return []
    value = "; ".join(f"{', '.join(f'{number:g}' for number in values)} in {band}" for band, values in told.items())
    because = (
        "it is repeated and far above all other numbers, as cloud and snow are that were cut off there, so it counts "
        "as light; if it is none, choose that number as no data"
    )
    return [finding("bright", value, "warning", because, "nodata")]
