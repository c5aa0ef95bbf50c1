"""Which files of a tile hold its bands: those that its metadata list, each band in its own size of pixels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.bands import BAND_NAMES, BY_NAME
from core.errors import SourceError
from core.ingest.files import RASTER_SUFFIXES, Member
from core.ingest.formats.safe.layout import ProductFiles, TileFiles, inside, listed_of, side_of_folder
from core.ingest.formats.safe.metadata import ListedFile, band_of_image, tile_of_name
from core.ingest.messages import clean_name

_COPY = "the same band is there in its own size of pixels"
_FINER = "the same band is there with smaller pixels"
_UNNAMED = "the metadata of the product do not name them"
_SHOWN = 4
_CLASSES = re.compile(r"(?:^|_)SCL(?:_\d{2}m)?$", re.IGNORECASE)
_AGAIN = "get the product again, whole, from where it came from"


@dataclass(frozen=True, kw_only=True)
class BandImage:
    """A file that holds a band.

    Attributes:
        band: ``B01`` … ``B12``.
        member: the file.
        side: of its pixels in metres as its name, its folder or the band says.
    """

    band: str
    member: Member
    side: int


@dataclass(frozen=True, kw_only=True)
class TileImages:
    """The files of a tile.

    Attributes:
        bands: one a band, in product order.
        left_out: names of other band files, by reason.
        absent: names of listed band files that are not there, of bands that are not there at all.
        stand_ins: bands whose own file is listed and not there, with the file that stands in.
        tile: of the grid, as names of its files state it, or empty.
        no_classes: the scene classification where it is listed and not there, or empty.
    """

    bands: tuple[BandImage, ...]
    left_out: Mapping[str, list[str]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    tile: str = ""
    no_classes: str = ""


def images_of(product: ProductFiles, tile: TileFiles, members: Sequence[Member]) -> TileImages:
    """Return the files that hold the bands of a tile.

    Args:
        product: that the tile is of.
        tile: the tile.
        members: files of the source.

    Raises:
        SourceError: when none of the files that are listed is there.
    """
    here = [m for m in members if inside(m.name, tile.folder) and m.suffix in RASTER_SUFFIXES]
    found = {m.number: image for m in here if (image := _image_of(m)) is not None}
    all_listed = listed_of(product, tile)
    listed = [one for one in all_listed if band_of_image(_stem(one))]
    if not listed:
        return _chosen(list(found.values()), [], {})
    by_stem: dict[str, list[BandImage]] = {}
    for image in found.values():
        by_stem.setdefault(image.member.stem.casefold(), []).append(image)
    named = [image for one in listed for image in by_stem.get(_stem(one).casefold(), [])]
    if not named:
        raise _none_there(product, listed, list(found.values()))
    absent = [one for one in listed if _stem(one).casefold() not in by_stem]
    taken = {image.member.number for image in named}
    rest = [image.member.base for number, image in found.items() if number not in taken]
    images = _chosen(named, absent, {_UNNAMED: rest} if rest else {})
    return replace(images, no_classes=_absent_classes(all_listed, here))


def _absent_classes(listed: Sequence[ListedFile], here: Sequence[Member]) -> str:
    """Return the name of a listed scene classification of which no file is there; empty = one is, or none is listed."""
    named = [_stem(one) for one in listed if _CLASSES.search(_stem(one))]
    return named[0] if named and not any(_CLASSES.search(member.stem) for member in here) else ""


def lists_what_is_there(product: ProductFiles, members: Sequence[Member]) -> bool:
    """Tell whether any raster that the metadata of a product list is there, or it lies as products do."""
    stems = {member.stem.casefold() for member in members if member.suffix in RASTER_SUFFIXES}
    listed = [one for tile in product.tiles for one in listed_of(product, tile)]
    listed = listed or list(product.metadata.files if product.metadata else ())
    there = any(_stem(one).casefold() in stems for one in listed)
    lies_so = any("IMG_DATA/" in f"{m.name}" for m in members if m.suffix in RASTER_SUFFIXES)
    return there or lies_so or any(tile.infos or (tile.metadata and not product.metadata) for tile in product.tiles)


def _stem(one: ListedFile) -> str:
    stem = one.path.replace("\\", "/").rpartition("/")[2]
    head, dot, ending = stem.rpartition(".")
    return head if dot and f".{ending.lower()}" in RASTER_SUFFIXES else stem


def _image_of(member: Member) -> BandImage | None:
    told = band_of_image(member.stem)
    if told is None:
        return None
    band, side = told
    return BandImage(band=band, member=member, side=side or side_of_folder(member.name) or BY_NAME[band].resolution)


def _chosen(images: Sequence[BandImage], absent: Sequence[ListedFile], left_out: dict[str, list[str]]) -> TileImages:
    """Take of each band the file with pixels of its own size, or the finest that is there."""
    copies: dict[str, list[BandImage]] = {}
    for image in images:
        copies.setdefault(image.band, []).append(image)
    chosen = {band: min(found, key=_fitness) for band, found in copies.items()}
    for band, found in copies.items():
        for image in found:
            if image is not chosen[band]:
                own = chosen[band].side == BY_NAME[band].resolution
                left_out.setdefault(_COPY if own else _FINER, []).append(image.member.base)
    gone, stand_ins = [], {}
    for one in absent:
        band, side = band_of_image(_stem(one)) or ("", None)
        if band not in chosen:
            gone.append(_stem(one))
        elif side == BY_NAME[band].resolution and chosen[band].side != side:
            stand_ins[_stem(one)] = chosen[band].member.base
    tiles = {tile for image in chosen.values() if (tile := tile_of_name(image.member.stem))}
    return TileImages(
        bands=tuple(chosen[band] for band in BAND_NAMES if band in chosen),
        left_out=left_out,
        absent=tuple(gone),
        stand_ins=stand_ins,
        tile=tiles.pop() if len(tiles) == 1 else "",
    )


def _fitness(image: BandImage) -> tuple[bool, int]:
    """Return what is least for the file to take of a band."""
    return image.side != BY_NAME[image.band].resolution, image.side


def _none_there(product: ProductFiles, listed: Sequence[ListedFile], there: Sequence[BandImage]) -> SourceError:
    """Return the error for metadata of which no band file is there: half a download, or those of another product."""
    name = f"“{clean_name(product.name, 70)}”"
    count = f"{len(listed)} band files" if len(listed) != 1 else "one band file"
    if not there:
        first = clean_name(_stem(listed[0]), 60)
        return SourceError(
            found=f"the metadata of {name} name {count}, {first} first, and none is there", remedy=_AGAIN
        )
    others = ", ".join(clean_name(image.member.base, 60) for image in there[:2])
    found = f"its metadata are of another product, {name}: none of the {count} that they name is there, but {others}"
    return SourceError(found=found, remedy="put the product's own metadata in their place, or get it again")
