"""Samples of a raster that are no light: transparency, and masks of 0 and 1 beside bands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.ingest.bands.names import band_of_file, parse_band
from core.ingest.findings import finding
from core.ingest.formats.geotiff import RasterFile
from core.ingest.grid.resample import PixelWindow
from core.ingest.messages import clean_name
from core.ingest.settings import SKIP
from core.scenes.quality import Finding

_SIDE = 256
_ON = (1, 255, 65_535)
"""What masks hold where there is something; 0 where there is nothing."""
_MASK = re.compile(
    r"(?<![A-Za-z0-9])(data[ _-]?mask|mask|alpha|valid(?:ity)?|transparency)(?![A-Za-z0-9])", re.IGNORECASE
)
_HOLES = re.compile(r"no[ _-]?data|invalid|missing|fill|hole", re.IGNORECASE)
"""Masks that are on where there is nothing."""
_OTHER_MASKS = re.compile(
    r"cloud|clear|free[ _-]?sky|shadow|snow|water|cirrus|ice|land|crop|forest|urban|CLM|CLD", re.IGNORECASE
)
"""Masks of things, by which no pixel is left out."""
_SHOWN = 4


def without_masks(raster: RasterFile) -> RasterFile:
    """Return a raster whose samples that only say where there is something are masks, and no bands.

    These are transparency, what is described as a mask, the second sample of a file named as a band, every second one
    where they alternate with bands, and the last one without a description where all others have one, or none has; each
    only if it holds nothing but 0 and one of 1, 255 and 65535. Transparency that holds other numbers is a band. A mask
    of a band that is not there, or of clouds and the like, masks nothing.
    """
    suspects = _suspects(raster)
    masks = tuple(index for index in suspects if _is_mask(raster, index))
    if len(masks) == raster.count:
        return raster
    bands = {parse_band(text) for n, text in enumerate(raster.descriptions, 1) if n not in masks}
    partners = {index: parse_band(raster.descriptions[index - 1]) for index in masks}
    masks = tuple(index for index in masks if partners[index] is None or partners[index] in bands)
    holes = tuple(index for index in masks if _HOLES.search(raster.descriptions[index - 1]))
    return replace(raster, alpha=masks, holes=holes)


def mask_file(raster: RasterFile) -> bool:
    """Tell whether a file is a mask of where there is data, by its name and its numbers."""
    stem = raster.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    named = raster.name.lower().endswith(".msk") or is_mask_name(stem)
    return named and raster.count == 1 and _is_mask(raster, 1)


def is_mask_name(text: str) -> bool:
    """Tell whether a file or a band is named as a mask of where there is data."""
    return bool(_MASK.search(text)) and not _OTHER_MASKS.search(text)


def names_holes(text: str) -> bool:
    """Tell whether a mask is named as one that is on where there is nothing."""
    return _HOLES.search(text) is not None


def single(raster: RasterFile) -> RasterFile:
    """Return a raster of one band and masks after it as one of a single band, as its file name means it."""
    if not raster.alpha or raster.count - len(raster.alpha) != 1 or 1 in raster.alpha:
        return raster
    return replace(
        raster,
        count=1,
        dtypes=raster.dtypes[:1],
        descriptions=raster.descriptions[:1],
        nodata=raster.nodata[:1],
        scaling=raster.scaling[:1],
    )


def named_by_hand(
    rasters: Sequence[RasterFile], names: Sequence[str]
) -> tuple[list[RasterFile], tuple[str, ...]] | None:
    """Fit names given by hand to the bands of rasters, with masks counted or not, or return None.

    A person who counts masks too may leave them out or make bands of them.

    Returns:
        The rasters, and a name for every band of theirs that is no mask.
    """
    every = [(position, index) for position, raster in enumerate(rasters) for index in range(1, raster.count + 1)]
    bands = [(position, index) for position, index in every if index not in rasters[position].alpha]
    if len(names) == len(bands):
        return list(rasters), tuple(names)
    if len(names) != len(every):
        return None
    chosen = dict(zip(every, names, strict=True))
    kept = []
    for position, raster in enumerate(rasters):
        masks = tuple(index for index in raster.alpha if chosen[position, index] == SKIP)
        kept.append(replace(raster, alpha=masks))
    return kept, tuple(name for (position, index), name in chosen.items() if index not in kept[position].alpha)


def masks_said(rasters: Sequence[RasterFile]) -> list[Finding]:
    """Say which samples are masks; empty when none is."""
    titles = []
    for raster in rasters:
        base = clean_name(raster.name.rsplit("/", 1)[-1], 100)
        titles += [f"{base} band {index}" for index in raster.alpha]
    if not titles:
        return []
    more = f" and {len(titles) - _SHOWN} more" if len(titles) > _SHOWN else ""
    because = "it holds 0 and one other number only, so it says where there is data and is no band"
    return [finding("mask", f"{', '.join(titles[:_SHOWN])}{more}", "read", because)]


def senseless_said(rasters: Sequence[RasterFile]) -> list[Finding]:
    """Say which no-data tags are no numbers; empty when all are."""
    texts = sorted({clean_name(raster.senseless, 40) for raster in rasters if raster.senseless})
    if not texts:
        return []
    because = "the tag that should hold the no-data value is no number, so it is passed over"
    return [finding("no-data tag", ", ".join(f"“{text}”" for text in texts[:_SHOWN]), "warning", because, "nodata")]


def _suspects(raster: RasterFile) -> list[int]:
    described = raster.descriptions
    found = set(raster.alpha)
    found |= {index for index, text in enumerate(described, 1) if is_mask_name(text)}
    stem = raster.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    if raster.count == 2 and (band_of_file(stem) or parse_band(described[0])) and parse_band(described[1]) is None:
        found.add(2)
    evens = range(2, raster.count + 1, 2)
    if raster.count % 2 == 0 and all(parse_band(described[index - 1]) is None for index in evens):
        found |= set(evens) if all(_is_mask(raster, index) for index in evens) else set()
    if raster.count > 3 and not described[-1] and (all(described[:-1]) or not any(described)) and _is_on(raster):
        found.add(raster.count)
    return sorted(found)


def _is_on(raster: RasterFile) -> bool:
    """Tell whether the last sample holds anything but 0: a band that is missing may be all 0."""
    return any(bool(raster.read([raster.count], window).any()) for window in corners_and_middle(raster))


def _is_mask(raster: RasterFile, index: int) -> bool:
    """Tell whether a sample holds 0 and one other number only, by three windows across the raster."""
    seen: set[float] = set()
    for window in corners_and_middle(raster):
        seen |= {float(value) for value in np.unique(raster.read([index], window))[:4]}
        if len(seen) > 2 or not seen <= {0.0, *map(float, _ON)}:
            return False
    return len(seen - {0.0}) <= 1


def corners_and_middle(raster: RasterFile) -> list[PixelWindow]:
    """Return three windows across a raster: the first corner, the middle, and the last corner."""
    height, width = raster.geobox.height, raster.geobox.width
    rows, cols = min(_SIDE, height), min(_SIDE, width)
    places = {(0, 0), ((height - rows) // 2, (width - cols) // 2), (height - rows, width - cols)}
    return [(top, left, rows, cols) for top, left in sorted(places)]
