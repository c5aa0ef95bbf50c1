"""Rasters of the same bands that hold them in another order, type or packing, brought to those of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.ingest.bands.names import names_positions, parse_band
from core.ingest.formats.geotiff import RasterFile
from core.ingest.grid.resample import Bools, PixelWindow
from core.ingest.grid.stack import Scaling
from core.scenes.geobox import GeoBox


@dataclass(frozen=True, kw_only=True)
class AlignedRaster:
    """A raster whose bands come in the order of another one, and whose numbers mean what the other's do.

    Attributes:
        source: the raster.
        order: its 1-based bands, in the order of the other.
        descriptions: text of each band.
        scaling: what each band's tags state in the other, or None.
        gains: factor of each band to the numbers of the other, and what is added then.
        dtype: of what is read.
    """

    source: RasterFile
    order: tuple[int, ...]
    descriptions: tuple[str, ...]
    scaling: tuple[Scaling | None, ...]
    gains: tuple[tuple[float, float], ...]
    dtype: str
    alpha: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        return self.source.name

    @property
    def geobox(self) -> GeoBox:
        """Where its pixels lie."""
        return self.source.geobox

    @property
    def block(self) -> tuple[int, int]:
        """(height, width) of what one decoding step gives."""
        return self.source.block

    @property
    def count(self) -> int:
        """Number of bands."""
        return len(self.order)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """NumPy type of each band."""
        return (self.dtype,) * self.count

    @property
    def nodata(self) -> tuple[float | None, ...]:
        """No band declares a number: ``read_missing`` knows its own."""
        return (None,) * self.count

    def read(self, indexes: list[int], window: PixelWindow) -> NDArray[Any]:
        """Read numbers of shape (bands, height, width) of 1-based bands in a window (row, col, height, width)."""
        numbers = self.source.read([self.order[index - 1] for index in indexes], window)
        gains = np.array([self.gains[index - 1] for index in indexes])[:, :, None, None]
        if (gains == np.array([1.0, 0.0])[:, None, None]).all():
            return numbers.astype(self.dtype)
        brought: NDArray[Any] = (numbers * gains[:, 0] + gains[:, 1]).astype(self.dtype)
        return brought

    def read_missing(self, window: PixelWindow) -> Bools:
        """Read where it holds nothing: by its own mask, by what it declares, and where every band is 0."""
        numbers = self.source.read(list(self.order), window)
        declared = [self.source.nodata[index - 1] for index in self.order]
        missing = np.zeros(window[2:], dtype=bool)
        if not any(pair is not None and pair[1] > 0 for pair in self.source.scaling):
            missing |= (numbers == 0).all(axis=0)
        for number, band in zip(declared, numbers, strict=True):
            if number is not None:
                missing |= np.isnan(band) if np.isnan(number) else band == number
        own = self.source.read_missing(window)
        return missing if own is None else missing | own


def aligned(rasters: Sequence[RasterFile]) -> list[AlignedRaster] | None:
    """Bring rasters to the order and the numbers of the first; None where nothing says how.

    Bands are matched by name, or by position where none has one. Numbers of different packing are only those that tags
    state in all of them. Whole and fractional numbers without such a statement are taken as they are, and may be of
    different units.
    """
    orders = [_order(raster, rasters[0]) for raster in rasters]
    if any(raster.bad for raster in rasters) or None in orders:
        return None
    found = [(raster, order) for raster, order in zip(rasters, orders, strict=True) if order is not None]
    stated = [[raster.scaling[index - 1] for index in order] for raster, order in found]
    if any((pair is None) != (other is None) for pairs in stated for pair, other in zip(pairs, stated[0], strict=True)):
        return None
    gains = [tuple(map(_gain, pairs, stated[0])) for pairs in stated]
    plain = all(gain == (1.0, 0.0) for pairs in gains for gain in pairs)
    dtype = str(np.result_type(*(kind for raster in rasters for kind in raster.dtypes))) if plain else "float32"
    texts = tuple(rasters[0].descriptions[index - 1] for index in found[0][1])
    return [
        AlignedRaster(
            source=raster, order=order, descriptions=texts, scaling=tuple(stated[0]), gains=gain, dtype=dtype
        )
        for (raster, order), gain in zip(found, gains, strict=True)
    ]  # fmt: skip


def unlike(one: RasterFile, other: RasterFile) -> str:
    """Return in what two rasters differ that keeps them from being parts of one, in words."""
    if one.count - len(one.alpha) != other.count - len(other.alpha):
        return f"the number of bands, {one.count} and {other.count}"
    if _order(other, one) is None:
        return "the names of their bands"
    if any((pair is None) != (two is None) for pair, two in zip(_stated(one), _stated(other), strict=True)):
        return "the scale and offset, which the tags of one state and those of the other do not"
    return f"the type of their numbers, {one.dtypes[0]} and {other.dtypes[0]}"


def _stated(raster: RasterFile) -> list[Scaling | None]:
    """Return what tags state of each band that is no mask."""
    return [pair for index, pair in enumerate(raster.scaling, 1) if index not in raster.alpha]


def _gain(pair: Scaling | None, other: Scaling | None) -> tuple[float, float]:
    """Return factor and addend that turn numbers of one packing into those of another."""
    if pair is None or other is None or pair == other:
        return 1.0, 0.0
    return pair[0] / other[0], (pair[1] - other[1]) / other[0]


def _order(raster: RasterFile, other: RasterFile) -> tuple[int, ...] | None:
    """Return the 1-based bands of a raster in the order of another; None where they are not the same."""
    own, wanted = _bands(raster), _bands(other)
    nameless = not any(own.values()) and not any(wanted.values())
    if nameless and len(own) == len(wanted):
        return tuple(own)
    by_name = {name: index for index, name in own.items()}
    if len(own) != len(wanted) or len(by_name) < len(own) or set(by_name) != set(wanted.values()) or "" in by_name:
        return None
    return tuple(by_name[name] for name in wanted.values())


def _bands(raster: RasterFile) -> dict[int, str]:
    """Return the name of each 1-based band that is no mask, as all call it; empty where they are only counted."""
    counted = names_positions(raster.descriptions)
    return {
        index: "" if counted else parse_band(text) or text.strip().lower()
        for index, text in enumerate(raster.descriptions, 1)
        if index not in raster.alpha
    }
