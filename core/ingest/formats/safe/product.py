"""Products of Sentinel-2 as downloaded, as a kind of input: their metadata say which files are bands."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from core.errors import BandsError, SourceError
from core.ingest.files import RASTER_SUFFIXES, Member, SourceFiles
from core.ingest.findings import finding, ignored, series_said
from core.ingest.formats.beside import sort_out
from core.ingest.formats.geotiff import RasterFile, open_raster
from core.ingest.formats.kind import SceneLayers
from core.ingest.formats.one_scene import one_of_dates
from core.ingest.formats.safe.ahead import read_ahead
from core.ingest.formats.safe.images import TileImages, images_of, lists_what_is_there
from core.ingest.formats.safe.layout import (
    ProductFiles,
    TileFiles,
    find_products,
    inside,
    looks_like_product,
    refuse_other_missions,
    refuse_unlisted,
    unread_metadata,
)
from core.ingest.formats.safe.place import PlacedImage, place_said, placed_image
from core.ingest.formats.safe.said import (
    date_of,
    hints_of,
    images_said,
    product_level,
    product_said,
    quantity_of,
    special_numbers,
    tile_name,
)
from core.ingest.formats.tiles import join_tiles
from core.ingest.grid.stack import BandRaster, Layer
from core.ingest.messages import clean_name, errors_about
from core.ingest.sandbox.limits import MAX_PIXELS
from core.scenes.quality import Finding

_DESCRIBE = "they describe the product and hold no bands"
_UNREAD = "it is named as metadata of the product and is none, so that what it states is not known"
_ALONE = "open one product at a time"


class SafeProducts:
    """Level-1C and Level-2A, in SAFE of any age or as buckets keep tiles, whole or what is left of them."""

    own_files: frozenset[str] = frozenset()

    def recognises(self, files: SourceFiles) -> bool:
        """Tell whether metadata of a product are there, and files that lie as its do.

        Names that a person gave count by the order of files, which is another kind's business.

        Raises:
            SourceError: when the metadata cannot be read, or are of another satellite or level.
        """
        if files.settings.bands is not None:
            return False
        refuse_other_missions(files.members, files.shelf)
        if not looks_like_product(files.members, files.shelf):
            return False
        products = find_products(files.members, files.shelf)
        if not any(member.suffix in RASTER_SUFFIXES for member in files.members):
            return True  # Reading it says what is missing.
        return any(lists_what_is_there(product, files.members) for product in products)

    def layers(self, files: SourceFiles, opened: ExitStack) -> SceneLayers:
        """Return the bands of one product, or of several of one date that lie side by side."""
        products = find_products(files.members, files.shelf)
        scene = _of_one_date(products, files)
        tiles = [_opened(product, tile, files, opened) for product in scene.products for tile in product.tiles]
        bands = [one for tile in tiles for one in tile.placed]
        _refuse_too_many_pixels(scene.products, bands)
        whole, joined = _joined(scene.products, [one.raster for one in bands])
        hints = hints_of(scene.products[0])
        others = _others(files, scene, bands)
        rasters = [member for member in others if member.suffix in RASTER_SUFFIXES and _in_tile(member, scene.products)]
        around = sort_out(rasters, [one.raster for one in bands], lambda member: _beside(files, member, opened))
        unread = unread_metadata(others, files.shelf)
        described = [member.base for member in others if member not in rasters and member.base not in unread]
        return SceneLayers(
            layers=tuple(Layer(band=raster.descriptions[0], source=raster, index=1) for raster in whole),
            hints=hints,
            notes=bands[0].raster.notes,
            findings=(
                *product_said(scene.products, hints),
                *images_said([tile.images for tile in tiles]),
                *(line for tile in tiles for line in tile.findings),
                *joined,
                *scene.findings,
                *around.findings,
                *(finding("left out", name, "warning", _UNREAD) for name in unread),
                *ignored(described, _DESCRIBE),
            ),
            masks=around.masks,
            classification=around.classification,
            position=scene.position,
            special=special_numbers(scene.products[0]),
        )


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """Products that are one scene.

    Attributes:
        products: of one date.
        others: of other dates.
        position: of the date among several, or None.
        findings: what to say of it.
    """

    products: tuple[ProductFiles, ...]
    others: tuple[ProductFiles, ...] = ()
    position: tuple[int, int] | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _OpenTile:
    """A tile whose bands are open, and what to say of where they lie."""

    images: TileImages
    placed: tuple[PlacedImage, ...]
    findings: tuple[Finding, ...]


def _of_one_date(products: Sequence[ProductFiles], files: SourceFiles) -> _Scene:
    """Keep the products of one date, and the tile that a person wants.

    Raises:
        SeveralDatesError: when they are of one place at several dates, and none of these is wanted.
        BandsError: when they do not go together.
    """
    whole = [product for product in products if product.tiles]
    if not whole:
        refuse_unlisted(products[0])
    whole = _of_tile(whole, files.settings.tile)
    by_date: dict[str, list[ProductFiles]] = {}
    for product in whole:
        hint = date_of(product)
        by_date.setdefault(hint.value if hint else "", []).append(product)
    if len(by_date) < 2:
        _refuse_mixed(whole)
        return _Scene(products=tuple(whole))
    dates = sorted(by_date)
    _refuse_other_places(by_date)
    if "" in dates and files.wanted_date not in dates:
        found = f"its products are of several dates, and nothing states that of {_named(by_date[''][0])}"
        raise BandsError(found=found, remedy=_ALONE)
    date = one_of_dates(dates, files.wanted_date, "its products are")
    _refuse_mixed(by_date[date])
    others = tuple(product for other in dates if other != date for product in by_date[other])
    said = series_said(dates, date, "its products are of")
    position = dates.index(date), len(dates)
    return _Scene(products=tuple(by_date[date]), others=others, position=position, findings=(said,))


def _of_tile(products: Sequence[ProductFiles], wanted: str | None) -> list[ProductFiles]:
    """Return products with the one tile that a person wants.

    Raises:
        BandsError: when it is not there.
    """
    if wanted is None:
        return list(products)
    found = [
        replace(product, tiles=tuple(tile for tile in product.tiles if tile_name(tile) == wanted))
        for product in products
    ]
    kept = [product for product in found if product.tiles]
    if not kept:
        names = sorted({tile_name(tile) or "an unnamed one" for product in products for tile in product.tiles})
        raise BandsError(
            found=f"tile {wanted} was chosen, and it holds {', '.join(names[:8])}", remedy="choose of these"
        )
    return kept


def _refuse_other_places(by_date: dict[str, list[ProductFiles]]) -> None:
    """Refuse products of several dates that are not all of the same tiles.

    Raises:
        BandsError: naming two of them.
    """
    tiles = {date: {tile_name(tile) for one in products for tile in one.tiles} for date, products in by_date.items()}
    first, *rest = tiles
    for date in rest:
        if tiles[date] != tiles[first]:
            shown = f"{_named(by_date[first][0])} and {_named(by_date[date][0])}"
            raise BandsError(found=f"it holds products of several dates and places, {shown}", remedy=_ALONE)


def _refuse_mixed(products: Sequence[ProductFiles]) -> None:
    """Refuse products of one date that are of the same tile, or do not mean the same by their numbers.

    Raises:
        BandsError: naming two of them.
    """
    seen: dict[str, ProductFiles] = {}
    for product in products:
        for tile in product.tiles:
            twin = seen.setdefault(tile_name(tile) or tile.folder, product)
            if twin is not product:
                found = f"it holds two products of one date and place, {_named(twin)} and {_named(product)}"
                raise BandsError(found=found, remedy=_ALONE)
        first = products[0]
        for what, differ in (
            ("levels", product_level(product) != product_level(first)),
            ("scales", _numbers(product) != _numbers(first)),
        ):
            if differ:
                found = f"it holds products of different {what}, {_named(first)} and {_named(product)}"
                raise BandsError(found=found, remedy=_ALONE)


def _numbers(product: ProductFiles) -> object:
    """Return what products of one scene have to mean alike by their numbers."""
    quantity, hints = quantity_of(product), hints_of(product)
    lifted = bool(hints.baseline and hints.baseline.value >= "04")
    return (quantity.value, dict(quantity.offsets)) if quantity else lifted


def _named(product: ProductFiles) -> str:
    return f"“{clean_name(product.name, 70)}”"


def _opened(product: ProductFiles, tile: TileFiles, files: SourceFiles, opened: ExitStack) -> _OpenTile:
    """Open the bands of a tile.

    Raises:
        SourceError: when metadata and files are of different tiles, or a file cannot be read.
    """
    images = images_of(product, tile, files.members)
    told = tile.metadata
    others = {name for name in (images.tile, tile.info.tile) if told and told.tile and name and name != told.tile}
    if told and others:
        found = f"its metadata are of tile {told.tile}, and its bands of tile {others.pop()}"
        raise SourceError(found=found, remedy="put the tile's own metadata in their place, or get the product again")
    if not images.bands:
        found = f"no band of {_named(product)} is there"
        raise BandsError(found=found, remedy="get the product again, whole, from where it came from")
    rasters = []
    for image in images.bands:
        raster = open_raster(files.shelf.path(image.member), image.member.name)
        opened.callback(raster.close)
        _refuse_no_band(raster)
        rasters.append(replace(raster, descriptions=(image.band,), scaling=(None,), tags={}))
    pairs = zip(images.bands, read_ahead(rasters, opened), strict=True)
    placed = [placed_image(image, raster, told) for image, raster in pairs]
    said = place_said(placed, tile.document.base) if tile.document else []
    return _OpenTile(images=images, placed=tuple(placed), findings=tuple(said))


def _refuse_no_band(raster: RasterFile) -> None:
    """Refuse a raster that is not one band of whole numbers.

    Raises:
        SourceError: saying what it is.
    """
    if raster.count == 1 and np.dtype(raster.dtypes[0]).kind in "iu":
        return
    with errors_about(raster.name.rpartition("/")[2]):
        what = f"{raster.count} bands" if raster.count > 1 else f"numbers of type {raster.dtypes[0]}"
        found = f"it holds {what}, and a band of a product is one of whole numbers"
        raise SourceError(found=found, remedy="get the product again from where it came from")


def _refuse_too_many_pixels(products: Sequence[ProductFiles], bands: Sequence[PlacedImage]) -> None:
    """Ask for one tile where all are too many pixels.

    Raises:
        BandsError: naming the tiles.
    """
    first = bands[0].image.band
    pixels = sum(b.raster.geobox.height * b.raster.geobox.width for b in bands if b.image.band == first)
    if pixels > MAX_PIXELS:
        found = f"it holds {len(_tiles(products))} tiles, {', '.join(_tiles(products)[:12])}, too large for one scene"
        raise BandsError(found=found, remedy="choose one of them as the tile in the settings, each a scene of its own")


def _tiles(products: Sequence[ProductFiles]) -> list[str]:
    return [tile_name(tile) or tile.folder for product in products for tile in product.tiles]


def _joined(products: Sequence[ProductFiles], rasters: Sequence[RasterFile]) -> tuple[list[BandRaster], list[Finding]]:
    """Join the tiles of a scene.

    Raises:
        BandsError: when they lie apart.
    """
    if len(_tiles(products)) == 1:
        return list(rasters), []
    try:
        whole, lines = join_tiles(rasters)
    except BandsError as error:
        error.remedy = f"choose one of its tiles in the settings: {', '.join(_tiles(products)[:12])}"
        raise
    if len(whole) > len({raster.descriptions for raster in rasters}):
        found = f"its tiles {', '.join(_tiles(products)[:12])} do not lie side by side on one grid"
        raise BandsError(found=found, remedy="choose one of them as the tile in the settings")
    return whole, lines


def _others(files: SourceFiles, scene: _Scene, bands: Sequence[PlacedImage]) -> list[Member]:
    """Return the files that are not read, but for those of other dates and of tiles that are not wanted."""
    used = {one.image.member.number for one in bands}
    used |= {member.number for product in (*scene.products, *scene.others) for member in product.read}
    images = [images_of(product, tile, files.members) for product in scene.products for tile in product.tiles]
    said = {name for one in images for names in one.left_out.values() for name in names}
    apart = [product.folder for product in scene.others if product.folder]
    return [
        member
        for member in files.members
        if member.number not in used and member.base not in said and not any(inside(member.name, f) for f in apart)
    ]


def _in_tile(member: Member, products: Sequence[ProductFiles]) -> bool:
    return any(inside(member.name, tile.folder) for product in products for tile in product.tiles)


def _beside(files: SourceFiles, member: Member, opened: ExitStack) -> RasterFile:
    raster = open_raster(files.shelf.path(member), member.name)
    opened.callback(raster.close)
    return raster
