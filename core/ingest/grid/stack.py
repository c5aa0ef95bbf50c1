"""Bands of one or several rasters on one grid, read window by window; naming the bands is ``bands.assign``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES
from core.errors import BandsError, PictureError
from core.ingest.grid.nearest import read_nearest
from core.ingest.grid.resample import Bools, NoData, PixelSource, PixelWindow, read_resampled
from core.ingest.messages import clean_name
from core.scenes.geobox import GeoBox

WINDOW_BUDGET = 40_000_000
"""Numbers (pixels times bands) of 16 bits that a window of a stack may hold; three windows are in memory at once."""


Scaling = tuple[float, float]
"""Scale and offset that a band's tags state: what it measures = number × scale + offset."""


class BandRaster(PixelSource, Protocol):
    """A raster as the stack and the naming of bands need it."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def count(self) -> int:
        """Number of bands."""

    @property
    def descriptions(self) -> tuple[str, ...]:
        """Text of each band, empty where there is none."""

    @property
    def dtypes(self) -> tuple[str, ...]:
        """NumPy type of each band."""

    @property
    def nodata(self) -> tuple[float | None, ...]:
        """Declared no-data value of each band, or None."""

    @property
    def scaling(self) -> tuple[Scaling | None, ...]:
        """What each band's tags state of its numbers, or None."""

    @property
    def block(self) -> tuple[int, int]:
        """(height, width) of what one decoding step gives."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One band of one raster.

    Attributes:
        band: ``B01`` … or, until it is known, any text or none.
        source: the raster.
        index: 1-based band of the raster.
    """

    band: str
    source: BandRaster
    index: int

    @property
    def title(self) -> str:
        """The file, and the band where it has several, in words."""
        name = clean_name(self.source.name.rsplit("/", 1)[-1], 60)
        if self.source.count == 1:
            return name
        return f"{name} band {self.index} {clean_name(self.source.descriptions[self.index - 1], 30)}".rstrip()


def layers_of(source: BandRaster, without: Sequence[int] = ()) -> tuple[Layer, ...]:
    """Return all bands of a raster, nameless yet.

    Args:
        source: the raster.
        without: 1-based bands to leave out.
    """
    return tuple(
        Layer(band="", source=source, index=index) for index in range(1, source.count + 1) if index not in without
    )


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A raster of the stack with the bands taken from it, laid on the common ground.

    Attributes:
        source: the raster; its geobox is the one that counts here.
        indexes: 1-based bands.
        positions: where they stand in the stack.
        nodata: what marks missing pixels of each of them.
    """

    source: BandRaster
    indexes: list[int]
    positions: list[int]
    nodata: list[NoData]


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """A window of the stack.

    Attributes:
        values: one array of shape (height, width) a band, in the file's own numbers.
        valid: shape (height, width), True = every band holds something.
    """

    values: list[NDArray[Any]]
    valid: Bools


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Bands on one grid.

    Attributes:
        bands: their names, in the order of ``Pixels.values``.
        grid: the grid of the scene.
        parts: the rasters.
        resampled: names of bands that are interpolated from a coarser raster.
        zero_is_data: True = 0 in every band is a number like others (packed numbers).
        edge: numbers of a constant edge by position in the stack; a pixel that holds all of them is missing.
        masks: files that say where there is data, each with True = it is on where there is none.
    """

    bands: tuple[str, ...]
    grid: GeoBox
    parts: tuple[Placed, ...]
    resampled: tuple[str, ...]
    zero_is_data: bool = False
    edge: Mapping[int, float] = field(default_factory=dict)
    masks: tuple[tuple[PixelSource, bool], ...] = ()

    def read(self, window: PixelWindow) -> Pixels:
        """Read numbers of all bands in a window (row, col, height, width) of the grid."""
        values: list[NDArray[Any]] = [np.empty(0)] * len(self.bands)
        missing = np.zeros(window[2:], dtype=bool)
        zero = np.ones(window[2:], dtype=bool)
        for part in self.parts:
            got = read_resampled(part.source, part.indexes, part.nodata, self.grid.transform, window)
            for position, numbers in zip(part.positions, got.values, strict=True):
                values[position] = numbers
            missing |= got.missing
            zero &= got.zero
        if not self.zero_is_data:
            missing |= zero
        if self.edge:
            missing |= np.logical_and.reduce([values[position] == number for position, number in self.edge.items()])
        for mask, holes in self.masks:
            numbers, inside = read_nearest(mask, 1, self.grid.transform, window)
            missing |= inside & ((numbers != 0) == holes)
        return Pixels(values=values, valid=~missing)

    def windows(self, budget: int = WINDOW_BUDGET) -> Iterator[PixelWindow]:
        """Give windows that cover the grid and suit the blocks of the rasters.

        Args:
            budget: numbers (pixels times bands) of 16 bits that a window may hold; fewer of wider ones.
        """
        height, width = self._window_shape(budget)
        for row in range(0, self.grid.height, height):
            for col in range(0, self.grid.width, width):
                yield row, col, min(height, self.grid.height - row), min(width, self.grid.width - col)

    def _window_shape(self, budget: int) -> tuple[int, int]:
        striped = any(part.source.block[1] >= part.source.geobox.width for part in self.parts)
        widest = max(np.dtype(part.source.dtypes[index - 1]).itemsize for part in self.parts for index in part.indexes)
        budget = 2 * budget // max(2, widest)
        width = self.grid.width if striped else min(self.grid.width, 1024)
        height, least = (512, 64) if striped else (1024, 256)
        while height * width * len(self.bands) > budget and height > least:
            height //= 2
        while height * width * len(self.bands) > budget and width > 256:
            width = -(-width // 2 // 256) * 256
        return min(height, self.grid.height), width


def finest(layers: Sequence[Layer]) -> GeoBox:
    """Return the geobox of the finest raster, which the scene takes over."""
    boxes = [layer.source.geobox for layer in layers]
    if any(box.placed for box in boxes):
        return min((box for box in boxes if box.placed), key=lambda box: box.pixel_size)
    return max(boxes, key=lambda box: box.height * box.width)


def build_stack(
    layers: Sequence[Layer],
    grid: GeoBox,
    reference: GeoBox,
    nodata: float | None,
    marks: Mapping[str, NoData] | None = None,
) -> Stack:
    """Lay bands over each other.

    Args:
        layers: bands with distinct names.
        grid: the scene's grid.
        reference: the finest geobox, from which the grid was made.
        nodata: a person's own no-data value, or None.
        marks: what else marks missing pixels, by band.

    Raises:
        BandsError: when rasters lie in different reference systems or places, or hold 8-bit numbers.
    """
    ordered = sorted(layers, key=lambda layer: _rank(layer.band))
    parts: dict[int, Placed] = {}
    resampled = []
    for position, layer in enumerate(ordered):
        key = id(layer.source)
        if key not in parts:
            parts[key] = Placed(source=_laid(layer.source, reference), indexes=[], positions=[], nodata=[])
        part = parts[key]
        part.indexes.append(layer.index)
        part.positions.append(position)
        part.nodata.append(marked(layer, nodata, (marks or {}).get(layer.band)))
        if part.source.geobox.pixel_size > 1.01 * reference.pixel_size:
            resampled.append(layer.band)
    return Stack(
        bands=tuple(layer.band for layer in ordered),
        grid=grid,
        parts=tuple(parts.values()),
        resampled=tuple(resampled),
    )


def _rank(band: str) -> tuple[int, str]:
    return (BAND_NAMES.index(band), band) if band in BAND_NAMES else (len(BAND_NAMES), band)


def marked(layer: Layer, chosen: float | None, mark: NoData | None = None) -> NoData:
    """Return what marks missing pixels: a person's value, which counts in any band, or the declared one, and a mark.

    A declared 0 counts where all bands are 0, so not here.
    """
    mark = mark or NoData()
    value = chosen if chosen is not None else layer.source.nodata[layer.index - 1] or None
    return mark if value is None else replace(mark, values=(value, *mark.values))


def _laid(source: BandRaster, reference: GeoBox) -> BandRaster:
    geobox = source.geobox
    if geobox == reference:
        return source
    if not (geobox.placed and reference.placed):
        if not _on_one_ground(geobox, reference):
            sizes = f"{geobox.height:,} × {geobox.width:,} pixels and another band {reference.height:,}"
            found = f"“{clean_name(source.name)}” has {sizes} × {reference.width:,}, and nothing says where they lie"
            raise BandsError(found=found, remedy="give bands of the same ground, or files that state their place")
        return Moved(source, geobox.stretched_to(reference))
    if geobox.crs != reference.crs:
        found = f"“{clean_name(source.name)}” lies in another reference system than the other bands"
        raise BandsError(found=found, remedy="export all bands in one reference system")
    if not geobox.overlaps(reference):
        found = f"“{clean_name(source.name)}” lies in another place than the other bands"
        raise BandsError(found=found, remedy="choose the bands of one scene")
    return source


def _on_one_ground(coarse: GeoBox, fine: GeoBox) -> bool:
    """Tell whether pixels of one raster can be so many whole pixels of another, those at the end cut or not."""
    times = max(1, round(fine.width / coarse.width), round(fine.height / coarse.height))
    return all(
        abs(one - times * other) < max(times, 1.5)
        for one, other in ((fine.width, coarse.width), (fine.height, coarse.height))
    )


class Moved:
    """A raster under another geobox."""

    def __init__(self, source: BandRaster, geobox: GeoBox) -> None:
        self._source = source
        self.geobox = geobox
        self.name, self.count, self.descriptions = source.name, source.count, source.descriptions
        self.dtypes, self.nodata, self.block = source.dtypes, source.nodata, source.block
        self.scaling = source.scaling

    def read(self, indexes: list[int], window: PixelWindow) -> NDArray[Any]:
        """Read as the raster itself."""
        return self._source.read(indexes, window)

    def read_missing(self, window: PixelWindow) -> Bools | None:
        """Read as the raster itself."""
        return self._source.read_missing(window)


def refuse_small_numbers(layers: Sequence[Layer], scale: str) -> None:
    """Refuse 8-bit bands: they are pictures, whose reflectance is lost, unless tags or a person say what they mean.

    Args:
        layers: bands.
        scale: a person's choice, or ``auto``.

    Raises:
        PictureError: when it is so.
    """
    for layer in layers:
        kind = np.dtype(layer.source.dtypes[layer.index - 1])
        if scale == "auto" and kind.itemsize == 1 and layer.source.scaling[layer.index - 1] is None:
            found = (
                "its pixels are 8-bit: reflectance × 255, or a picture whose reflectance is lost, which do not differ"
            )
            remedy = (
                "export the bands as 16-bit or float reflectance, or choose the scale 255 where 255 is reflectance 1"
            )
            raise PictureError(found=found, remedy=remedy)
