"""Which of many band files are one scene: those of one date, and of one way of processing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from numpy.typing import NDArray

from core.errors import BandsError, SeveralDatesError
from core.ingest.bands.names import (
    TOP_BESIDE_SURFACE,
    band_of_file,
    names_other_layer,
    parse_band,
    top_beside_surface,
)
from core.ingest.files import Member, SourceFiles
from core.ingest.formats.product_metadata import date_in, without_dates
from core.ingest.formats.safe.metadata import tile_of_name
from core.ingest.grid.resample import Bools, PixelWindow
from core.ingest.grid.stack import BandRaster, Layer
from core.ingest.messages import clean_name
from core.ingest.sandbox.limits import MAX_DATES

_SLOPE = re.compile(r"(?<![A-Za-z0-9])SRE(?![A-Za-z0-9])")
_PRODUCT = re.compile(
    r"(?<![^/])S2[ABCD]_MSI(?P<level>L1C|L2A)_(?:[^/_]+_)?(?:N(?P<baseline>\d{2})\d{2})?[^/]*(?=/)", re.IGNORECASE
)
"""The folder of a product, as ESA names it."""
_IMAGE_FIRST = re.compile(r"(?P<image>\d{1,4})_(?P<band>[A-Za-z]\w*)")
_IMAGE_LAST = re.compile(r"(?P<band>[A-Za-z][A-Za-z0-9]*?)(?:_(?P<image>\d{1,4}))?")
_UNDATED = "their names state no date where others do"
_ALONE = "open one product at a time"
_SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class OneScene:
    """Files that belong together.

    Attributes:
        members: those to open.
        left_out: names of others with the reason, a clause.
        date: their date where there were several, else None.
        dates: all dates where there were several, else empty.
        position: of several images that are only counted, which it is, counted from 0, and how many there are.
    """

    members: list[Member]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    date: str | None = None
    dates: tuple[str, ...] = ()
    position: tuple[int, int] | None = None


def one_scene(members: Sequence[Member], wanted_date: str | None) -> OneScene:
    """Keep the files of one date and one product, and of Theia's reflectances the one corrected for slopes (FRE).

    Raises:
        SeveralDatesError: naming the dates, when there are several and none of them is wanted.
        BandsError: the same, when they are too many to be a scene each; or naming two products of one date.
    """
    dates = {member.number: date_in(member.name) for member in members}
    several = sorted({date for date in dates.values() if date})
    if len(several) < 2:
        kept, left_out = _by_slope(members)
        refuse_several_products(kept)
        return OneScene(members=kept, left_out=left_out)
    date = one_of_dates(several, wanted_date, "its files are")
    kept, left_out = _by_slope([member for member in members if dates[member.number] == date])
    refuse_several_products(kept)
    for member in members:
        other = dates[member.number]
        if other != date:
            left_out.setdefault(_of_another_date(other, several) if other else _UNDATED, []).append(member.base)
    return OneScene(members=kept, left_out=left_out, date=date, dates=tuple(several))


def without_other_dates(files: SourceFiles, scene: OneScene) -> tuple[SourceFiles, dict[str, list[str]]]:
    """Leave out of a source what belongs to its other dates: masks, classifications and metadata besides bands.

    Returns:
        The source without them, and these by reason, together with what the scene leaves out.
    """
    left_out = {because: list(names) for because, names in scene.left_out.items()}
    others = {}
    for member in files.members:
        date = date_in(member.name)
        if date in scene.dates and date != scene.date:
            others[member.number] = member
            names = left_out.setdefault(_of_another_date(str(date), scene.dates), [])
            if member.base not in names:
                names.append(member.base)
    kept = tuple(member for member in files.members if member.number not in others)
    return replace(files, members=kept), left_out


def _by_slope(members: Sequence[Member]) -> tuple[list[Member], dict[str, list[str]]]:
    """Part files into those to keep, and those which are there corrected for slopes or the air too, by reason."""
    names, top = {member.name for member in members}, top_beside_surface([member.stem for member in members])
    parts = {
        TOP_BESIDE_SURFACE: [m for m in members if m.stem in top],
        "the same bands corrected for slopes (FRE) are there": [
            m for m in members if _SLOPE.search(m.base) and _in_place(m.name, "FRE") in names
        ],
    }
    gone = [m for part in parts.values() for m in part]
    left_out = {because: [m.base for m in part] for because, part in parts.items() if part}
    return [member for member in members if member not in gone], left_out


def refuse_several_products(members: Sequence[Member]) -> None:
    """Refuse folders of several products that are not tiles side by side, processed alike.

    Raises:
        BandsError: naming two of them.
    """
    found = {match[0]: match for member in members if (match := _PRODUCT.search(member.name))}
    by_tile: dict[str, str] = {}
    for name in found:
        twin = by_tile.setdefault(tile_of_name(name), name)
        if twin != name:
            shown = f"“{clean_name(twin)}” and “{clean_name(name)}”"
            raise BandsError(found=f"it holds two products of one date and place, {shown}", remedy=_ALONE)
    for what, kinds in (
        ("levels", {match["level"].upper() for match in found.values()}),
        ("baselines", {(match["baseline"] or "") >= "04" for match in found.values()}),
    ):
        if len(kinds) > 1:
            shown = " and ".join(f"“{clean_name(name)}”" for name in list(found)[:2])
            raise BandsError(found=f"it holds tiles of different {what}, {shown}", remedy=_ALONE)


def _in_place(name: str, kind: str) -> str:
    head, slash, base = name.rpartition("/")
    return f"{head}{slash}{_SLOPE.sub(kind, base)}"


def layers_of_one_date(layers: Sequence[Layer], wanted_date: str | None) -> tuple[list[Layer], OneScene]:
    """Keep the bands of one date where descriptions name several (``2019-06-20_B02``).

    Returns:
        The bands kept; and others by reason with the date, None where descriptions name none or one for all.

    Raises:
        SeveralDatesError, BandsError: as of ``one_scene``.
    """
    texts = [layer.source.descriptions[layer.index - 1] for layer in layers]
    dates = [date_in(text) for text in texts]
    several = sorted({date for date in dates if date})
    if len(several) < 2:
        return list(layers), OneScene(members=[], date=several[0] if several and all(dates) else None)
    wanted = one_of_dates(several, wanted_date, "its bands are")
    left_out: dict[str, list[str]] = {}
    for date, text in zip(dates, texts, strict=True):
        if date != wanted:
            reason = _of_another_date(date, several) if date else _UNDATED
            left_out.setdefault(reason, []).append(text)
    kept = [layer for layer, date in zip(layers, dates, strict=True) if date == wanted]
    return [_of_band_file(layer) for layer in kept], OneScene(
        members=[], left_out=left_out, date=wanted, dates=tuple(several)
    )


def _images(texts: Sequence[str]) -> list[tuple[int, str]]:
    """Return of each band which image it is of and its own name, where all names count images of the same bands.

    Earth Engine counts them so in front of bands, as of a collection, or behind, as of bands that were added.
    """
    for pattern in (_IMAGE_FIRST, _IMAGE_LAST):
        found = [pattern.fullmatch(text) for text in texts]
        pairs = [(int(match["image"] or 0), match["band"]) for match in found if match]
        images: dict[int, list[str]] = {}
        for image, band in pairs:
            images.setdefault(image, []).append(band)
        alike = len({tuple(sorted(bands)) for bands in images.values()}) == 1
        whole = alike and all(len(set(bands)) == len(bands) > 1 for bands in images.values())
        named = {band for _, band in pairs if parse_band(band)}
        known = len(named) > 1 and all(band in named or names_other_layer(band) for _, band in pairs)
        if len(pairs) == len(texts) and len(images) > 1 and whole and known:
            return pairs
    return []


def layers_of_one_image(layers: Sequence[Layer], wanted: int | None) -> tuple[list[Layer], OneScene]:
    """Keep the bands of one image where descriptions count images and state no dates (``0_B2``, ``1_B2``).

    Args:
        layers: bands of a source.
        wanted: which image, counted from 0; None = not said.

    Returns:
        As of ``layers_of_one_date``, with the position among the images where there are several.

    Raises:
        SeveralDatesError: when there are several and none of them is wanted.
        BandsError: when they are too many, or the wanted one is not among them.
    """
    counted = _images([layer.source.descriptions[layer.index - 1] for layer in layers])
    if not counted:
        return list(layers), OneScene(members=[])
    images = sorted({image for image, _ in counted})
    found = f"its bands are of {len(images)} images, which their names only count"
    if len(images) > MAX_DATES:
        raise BandsError(found=f"{found}, and no more than {MAX_DATES} are opened at once", remedy="split it")
    if wanted is None:
        raise SeveralDatesError(
            found=found, remedy="choose one of them in the settings", parts=tuple(range(len(images)))
        )
    if wanted >= len(images):
        raise BandsError(found=f"{found}, and number {wanted} was asked for", remedy=f"choose 0 to {len(images) - 1}")
    because = f"they are of {len(images) - 1} other images, each a scene of its own"
    pairs = list(zip(layers, counted, strict=True))
    others = [layer.source.descriptions[layer.index - 1] for layer, (image, _) in pairs if image != images[wanted]]
    kept = [replace(layer, source=BandOfDate(layer.source, layer.index, band), index=1)
            for layer, (image, band) in pairs if image == images[wanted]]  # fmt: skip
    return kept, OneScene(members=[], left_out={because: others}, position=(wanted, len(images)))


def _of_band_file(layer: Layer) -> Layer:
    """Return a layer as a raster of its own where the file is named as a band and its bands are that band's dates."""
    text = layer.source.descriptions[layer.index - 1]
    if parse_band(text) is not None or band_of_file(PurePosixPath(layer.source.name).stem) is None:
        return layer
    return replace(layer, source=BandOfDate(layer.source, layer.index), index=1)


class BandOfDate:
    """One band of a raster of several dates, as a raster of its own."""

    def __init__(self, source: BandRaster, index: int, text: str | None = None) -> None:
        self._source, self._index = source, index
        self.geobox, self.block, self.count = source.geobox, source.block, 1
        text = without_dates(source.descriptions[index - 1]) if text is None else text
        self.name = source.name
        self.descriptions = (text,)
        self.dtypes, self.nodata = source.dtypes[index - 1 : index], source.nodata[index - 1 : index]
        self.scaling = source.scaling[index - 1 : index]

    def read(self, indexes: list[int], window: PixelWindow) -> NDArray[Any]:
        """Read as the raster itself."""
        return self._source.read([self._index] * len(indexes), window)

    def read_missing(self, window: PixelWindow) -> Bools | None:
        """Read as the raster itself."""
        return self._source.read_missing(window)


def _of_another_date(date: str, several: Sequence[str]) -> str:
    if len(several) <= _SHOWN:
        return f"they are of another date, {date}"
    return f"they are of {len(several) - 1} other dates, each a scene of its own"


def one_of_dates(several: Sequence[str], wanted: str | None, what: str) -> str:
    """Return the wanted one of several dates.

    Args:
        several: all of them, ``YYYY-MM-DD`` each, in order.
        wanted: one of them, or None.
        what: whose dates they are.

    Raises:
        SeveralDatesError: naming the dates, when none is wanted.
        BandsError: when they are too many for that, or the wanted one is not among them.
    """
    if wanted in several and wanted is not None:
        return wanted
    shown = ", ".join(several[:_SHOWN]) + (f" and {len(several) - _SHOWN} more" if len(several) > _SHOWN else "")
    found = f"{what} of {len(several)} dates, {shown}"
    remedy = "open one scene at a time, or choose one of these dates in the settings"
    if len(several) > MAX_DATES:
        found = f"{found}, and no more than {MAX_DATES} are opened at once"
        raise BandsError(found=found, remedy=f"split it into parts of up to {MAX_DATES} dates, or {remedy}")
    if wanted is not None:
        found = f"{found}, and {wanted} was chosen"
        raise BandsError(found=found, remedy="choose one of these dates in the settings, or none")
    raise SeveralDatesError(found=found, remedy=remedy, parts=tuple(several))
