"""What the patches of a collection are like, decided on a sample of them; writing them is ``collection``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES
from core.errors import BandsError, SourceError
from core.ingest.bands.assign import check_enough
from core.ingest.bands.names import parse_band
from core.ingest.bands.order import tell_order
from core.ingest.bands.scale import Calibration, calibration, decide_scale
from core.ingest.formats.geotiff import RasterFile, open_raster
from core.ingest.formats.product_metadata import Hints
from core.ingest.grid.stack import Layer
from core.ingest.members import Member, Shelf
from core.ingest.messages import opening
from core.ingest.settings import SKIP, IngestSettings
from core.scenes.quality import Finding

PICTURE_BANDS = ("B04", "B03", "B02")
PICTURE_GAIN = 2750 / 255
"""EuroSAT pictures are digital number · 255 / 2750, clipped (measured on pairs of both kinds)."""
SIDES = range(8, 513)
_PROBES = 128

Shape = tuple[int, int, int, str]
"""Bands, height, width, type."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What every patch of a collection has to be like.

    Attributes:
        shape: bands, height, width and type of the files.
        bands: present bands in product order.
        indexes: 1-based band of the file for each of them.
        picture: True = 8-bit pictures.
        scale: what the numbers mean.
        tags: metadata of the sampled files, merged.
        findings: how it was decided.
    """

    shape: Shape
    bands: tuple[str, ...]
    indexes: tuple[int, ...]
    picture: bool
    scale: Calibration
    tags: dict[str, str]
    findings: tuple[Finding, ...]

    @property
    def side(self) -> int:
        """Pixels a side."""
        return self.shape[1]


def shape_of(raster: RasterFile) -> Shape:
    """What has to be equal in all patches."""
    count = raster.count - len(raster.alpha)
    return count, raster.geobox.height, raster.geobox.width, raster.dtypes[0]


def make_plan(shelf: Shelf, patches: Sequence[Member], settings: IngestSettings, hints: Hints, name: str) -> Plan:
    """Look at up to 128 patches spread over the collection and decide what all of them are like.

    Raises:
        SourceError: when none can be read, or they are not square patches of 8 to 512 pixels.
        BandsError: when their bands cannot be told.
    """
    step = max(1, len(patches) // _PROBES)
    opened = _probe(shelf, patches[::step]) or _probe(shelf, patches)
    if not opened:
        found = f"none of its {len(patches)} patches can be read"
        raise SourceError(opening(name), found, "choose a zip of GeoTIFF or JPEG patches in class folders")
    shape = Counter(shape for shape, _, _, _ in opened).most_common(1)[0][0]
    alike = [entry for entry in opened if entry[0] == shape]
    count, height, width, kind = shape
    if height != width or height not in SIDES:
        found = f"its rasters are not named as bands, and with {width} × {height} pixels they are no patches"
        remedy = f"name them like B04.tif, or choose square patches of {SIDES[0]} to {SIDES[-1]} pixels"
        raise SourceError(opening(name), found, remedy)
    tags = {key: value for _, _, _, entry in reversed(alike) for key, value in entry.items()}
    if np.dtype(kind).itemsize == 1:
        return _picture_plan(shape, tags, name)
    pixels = np.concatenate([numbers for _, numbers, _, _ in alike], axis=1)
    names, finding = _names(pixels, alike[0][2], settings, name)
    if len(names) != count:
        found = f"its patches have {count} bands and the settings name {len(names)}"
        raise BandsError(opening(name), found, f"name every band in order, {SKIP} for those to leave out")
    order = sorted((band for band in names if band != SKIP), key=BAND_NAMES.index)
    samples = {band: pixels[names.index(band)] for band in order}
    integers = np.dtype(kind).kind in "iu"
    scale = decide_scale(samples, integers=integers, chosen=settings.scale, hints=hints, name=name)
    indexes = tuple(names.index(band) + 1 for band in order)
    return Plan(
        shape=shape,
        bands=tuple(order),
        indexes=indexes,
        picture=False,
        scale=scale,
        tags=tags,
        findings=(finding,),
    )


def _picture_plan(shape: Shape, tags: dict[str, str], name: str) -> Plan:
    if shape[0] != len(PICTURE_BANDS):
        found = "its patches are 8-bit, pictures without reflectance values"
        raise SourceError(opening(name), found, "export the bands as 16-bit or float reflectance")
    order = tuple(sorted(PICTURE_BANDS))
    scale = calibration("dn", "assumed", "8-bit pictures are taken for EuroSAT's, 255 = reflectance 0.275")
    finding = Finding(
        topic="bands",
        value=", ".join(order),
        basis="assumed",
        because="the patches are pictures, taken for B04, B03, B02 as red, green, blue",
    )
    return Plan(
        shape=shape,
        bands=order,
        indexes=tuple(PICTURE_BANDS.index(band) + 1 for band in order),
        picture=True,
        scale=scale,
        tags=tags,
        findings=(finding,),
    )


def _probe(shelf: Shelf, patches: Sequence[Member]) -> list[tuple[Shape, NDArray[np.float32], tuple[str, ...], Any]]:
    """Shape, valid pixels (bands, pixels), descriptions and tags of the patches that can be read."""
    opened = []
    for member in patches[: 4 * _PROBES]:
        try:
            raster = open_raster(shelf.path(member), member.name)
            try:
                indexes = [index for index in range(1, raster.count + 1) if index not in raster.alpha]
                numbers = raster.read(indexes, (0, 0, min(512, raster.geobox.height), min(512, raster.geobox.width)))
                flat = numbers.reshape(len(indexes), -1).astype(np.float32)
                valid = np.isfinite(flat).all(axis=0) & (flat != 0).any(axis=0)
                thin = flat[:, valid][:, :: max(1, int(valid.sum()) // 1024)]
                opened.append((shape_of(raster), thin, raster.descriptions, raster.tags))
            finally:
                raster.close()
        except SourceError:
            continue
        finally:
            shelf.release(member)
    return opened


def _names(
    pixels: NDArray[np.float32], descriptions: tuple[str, ...], settings: IngestSettings, name: str
) -> tuple[tuple[str, ...], Finding]:
    """Names of the bands in the order of the files."""
    if settings.bands is not None:
        names, basis, because = settings.bands, "chosen", "named in the ingest settings"
    else:
        told = tuple(parse_band(text) or SKIP for text in descriptions[: len(pixels)])
        known = [band for band in told if band != SKIP]
        if known and len(set(known)) == len(known):
            names, basis, because = told, "read", "named by band description"
        else:
            order = tell_order(pixels, name)
            names, basis, because = order.bands, "decided", f"{order.title}: {order.because}"
    _require(names, name)
    value = ", ".join(band for band in names if band != SKIP)
    return names, Finding(topic="bands", value=value, basis=basis, because=because, override="bands")  # type: ignore[arg-type]


def _require(names: tuple[str, ...], name: str) -> None:
    check_enough([Layer(band=band, source=None, index=1) for band in names if band != SKIP], name)  # type: ignore[arg-type]
