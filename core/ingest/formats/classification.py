"""Scene classifications beside or among bands: numbers 0 to 11, or a portal's picture in the colours of the classes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.ingest.formats.extra_samples import corners_and_middle
from core.ingest.formats.geotiff import RasterFile
from core.ingest.grid.resample import Bools, PixelWindow
from core.scenes.classification import SCL_COLOURS
from core.scenes.geobox import GeoBox

_NAMED = re.compile(r"(?<![A-Za-z0-9])(?:SCL|scene[ _-]?classification(?:[ _-]?map)?)(?![A-Za-z0-9])", re.IGNORECASE)
_PALETTE = np.array([[int(text[at : at + 2], 16) for at in (1, 3, 5)] for text in SCL_COLOURS], dtype=np.float32)
_NEAR = 8.0
"""Steps of 255 between a colour and that of its class, in any channel."""
_ENOUGH = 0.95
"""Share of pixels that have to be colours of classes; edges of pictures are blurred."""


def names_classes(name: str) -> bool:
    """Tell whether a file or a band is named as a scene classification."""
    return _NAMED.search(PurePosixPath(name).stem) is not None


@dataclass(frozen=True, kw_only=True)
class ClassRaster:
    """A scene classification as one band of numbers 0 to 11.

    Attributes:
        raster: the file.
        index: 1-based band that holds the numbers; 0 = the first three are colours.
    """

    raster: RasterFile
    index: int

    @property
    def name(self) -> str:
        """What people call the file."""
        return self.raster.name

    @property
    def geobox(self) -> GeoBox:
        """Where its pixels lie."""
        return self.raster.geobox

    def read(self, _indexes: list[int], window: PixelWindow) -> NDArray[Any]:
        """Read classes of shape (1, height, width), uint8; what is none is 0."""
        if self.index:
            numbers = np.nan_to_num(self.raster.read([self.index], window).astype(np.float32), nan=0)
            known = (numbers >= 0) & (numbers < len(SCL_COLOURS)) & (numbers == np.rint(numbers))
            return np.where(known, numbers, 0).astype(np.uint8)
        classes, near = _classes_of(self.raster.read([1, 2, 3], window))
        return np.where(near, classes, 0).astype(np.uint8)[None]

    def read_missing(self, _window: PixelWindow) -> Bools | None:
        """Return None: what is missing is class 0."""
        return None


def class_raster(raster: RasterFile, index: int = 1) -> ClassRaster | None:
    """Return a raster as a scene classification; None where its numbers are no classes.

    Args:
        raster: a file that is named as one, or whose band ``index`` is.
        index: 1-based band.
    """
    windows = corners_and_middle(raster)
    if raster.count - len(raster.alpha) >= 3 and index == 1 and not any(map(names_classes, raster.descriptions)):
        near = [_classes_of(raster.read([1, 2, 3], window))[1] for window in windows]
        coloured = float(np.mean(np.concatenate([one.ravel() for one in near]))) >= _ENOUGH
        return ClassRaster(raster=raster, index=0) if coloured else None
    seen = np.concatenate([np.unique(raster.read([index], window)) for window in windows])
    seen = seen[np.isfinite(seen.astype(np.float64))]
    known = bool(seen.size) and bool(np.isin(seen, (*range(len(SCL_COLOURS)), 255)).all())
    return ClassRaster(raster=raster, index=index) if known else None


def _classes_of(colours: NDArray[Any]) -> tuple[NDArray[np.intp], Bools]:
    """Return the class of each colour, shape (height, width), and whether it is near enough."""
    whole = np.iinfo(colours.dtype).max if colours.dtype.kind in "iu" else 1.0
    levels = colours.astype(np.float32) * np.float32(255 / whole)
    classes = np.zeros(levels.shape[1:], dtype=np.intp)
    best = np.full(levels.shape[1:], np.inf, dtype=np.float32)
    for number, colour in enumerate(_PALETTE):
        apart = np.abs(levels - colour[:, None, None]).max(axis=0)
        classes[apart < best] = number
        np.minimum(best, apart, out=best)
    return classes, best <= _NEAR
