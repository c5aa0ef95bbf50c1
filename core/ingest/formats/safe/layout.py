"""Which files of a source make up which product, and which of its tiles: by the roots of XML documents and by folders.

What they hold is ``images``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import SourceError
from core.ingest.files import RASTER_SUFFIXES, Member, Shelf
from core.ingest.formats.geotiff import read_head
from core.ingest.formats.safe.bucket import (
    NOTHING_STATED,
    PRODUCT_INFO,
    TILE_INFO,
    BucketInfo,
    joined_info,
    read_info,
)
from core.ingest.formats.safe.document import MAX_DOCUMENT, read_document, too_large
from core.ingest.formats.safe.metadata import (
    PRODUCT_ROOT,
    READ_LEVELS,
    TILE_ROOT,
    ListedFile,
    ProductMetadata,
    TileMetadata,
    band_of_image,
    product_metadata,
    read_metadata,
    tile_metadata,
    tile_of_name,
)
from core.ingest.messages import clean_name, errors_about

_METADATA = re.compile(r"(?:^|_)MTD_.*\.xml$|^metadata\.xml$", re.IGNORECASE)
"""How names of metadata begin or go on, in SAFE of any age; buckets have a name for all."""
_ROOT = re.compile(rb"<(?:[\w-]{1,40}:)?(Level-\w{1,3}_\w{1,40})[\s>]")
_HEAD = 2**16
_MOST_DOCUMENTS = 400
_PLAIN_RESOLUTION = re.compile(r"R(10|20|60)m", re.IGNORECASE)
_SENTINEL_1 = re.compile(rb"sentinel-1", re.IGNORECASE)
_MANIFEST, _MANIFEST_3 = "manifest.safe", "xfdumanifest.xml"
_WHOLE = "get the product again, whole, from where it came from"


@dataclass(frozen=True, kw_only=True)
class TileFiles:
    """The files of one tile.

    Attributes:
        folder: where they lie, empty at the top.
        document: its metadata, or None.
        metadata: what these state, or None.
        info: what a bucket states of it.
        infos: the files that do.
    """

    folder: str
    document: Member | None = None
    metadata: TileMetadata | None = None
    info: BucketInfo = NOTHING_STATED
    infos: tuple[Member, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProductFiles:
    """A product with its tiles.

    Attributes:
        folder: where it lies, empty at the top.
        document: its metadata, or None.
        metadata: what these state, or None.
        manifest: the file of that name, or None.
        named: rasters that the manifest names.
        tiles: of it.
    """

    folder: str
    document: Member | None = None
    metadata: ProductMetadata | None = None
    manifest: Member | None = None
    named: tuple[str, ...] = ()
    tiles: tuple[TileFiles, ...] = ()

    @property
    def name(self) -> str:
        """What people call the product."""
        stated = [self.metadata.name if self.metadata else "", *(tile.info.product for tile in self.tiles)]
        tiles = [tile.metadata.name for tile in self.tiles if tile.metadata]
        return next(filter(None, [*stated, *tiles, self.folder.rpartition("/")[2]]), "product")

    @property
    def read(self) -> list[Member]:
        """The files that state something of it."""
        own = [self.document, self.manifest, *(tile.document for tile in self.tiles)]
        return [*(member for member in own if member), *(member for tile in self.tiles for member in tile.infos)]


def looks_like_product(members: Sequence[Member], shelf: Shelf) -> bool:
    """Tell whether a source holds metadata of a product or of a tile, or lies as buckets keep tiles.

    Raises:
        SourceError: of a document that cannot be unpacked.
    """
    return bool(_roots(members, shelf)) or any(_holds_bands(members, folder) for folder in _bucket_folders(members))


def holds_product_metadata(names: Sequence[str]) -> bool:
    """Tell by the names of files whether a product of Sentinel-2 is among them."""
    return any(_METADATA.search(name.rpartition("/")[2]) for name in names)


def unread_metadata(members: Sequence[Member], shelf: Shelf) -> list[str]:
    """Return names of files that are called as metadata of products or tiles are, and do not begin as such."""
    named = [one for one in members if re.match(r"MTD_(?:MSI|TL).*\.xml$", one.base, re.IGNORECASE)]
    known = _roots(named, shelf)
    return [one.base for one in named if one not in known]


def find_products(members: Sequence[Member], shelf: Shelf) -> list[ProductFiles]:
    """Return the products that a source holds, by folder.

    Raises:
        SourceError: when metadata cannot be read, or are of a product that is no Level-1C or Level-2A of Sentinel-2.
    """
    roots = _roots(members, shelf)
    tiles = {}
    products = {}
    for member, root in roots.items():
        _refuse_level(root)
        with errors_about(member.name.rpartition("/")[2]):
            if member.size > MAX_DOCUMENT:
                raise too_large(member.size)
            document = read_metadata(shelf.path(member))
        if TILE_ROOT.fullmatch(document.root):
            folder = _folder(member.name)
            tiles[folder] = TileFiles(folder=folder, document=member, metadata=tile_metadata(document))
        elif PRODUCT_ROOT.fullmatch(document.root):
            folder = _folder(member.name)
            told = product_metadata(document)
            products[folder] = ProductFiles(folder=folder, document=member, metadata=told)
    for folder in _tile_folders(members):
        tiles.setdefault(folder, TileFiles(folder=folder))
    placed = [_with_info(tile, members, shelf) for tile in tiles.values()]
    together = _put_together(list(products.values()), placed)
    found = [_with_loose_tile(product, members) for product in together]
    return [_with_manifest(product, members, shelf) for product in found]


def inside(name: str, folder: str) -> bool:
    """Tell whether a file lies in a folder or deeper."""
    return not folder or name.startswith(f"{folder}/")


def side_of_folder(name: str) -> int | None:
    """Return the side of pixels in metres that the folder of a file states, as ``R10m`` does, or None."""
    parts = name.split("/")
    found = _PLAIN_RESOLUTION.fullmatch(parts[-2]) if len(parts) > 1 else None
    return int(found[1]) if found else None


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _roots(members: Sequence[Member], shelf: Shelf) -> dict[Member, str]:
    """Return the root of each document that is metadata of a product or a tile."""
    found = {}
    named = [member for member in members if _METADATA.search(member.base)]
    for member in named[:_MOST_DOCUMENTS]:
        if member.size > 2 * MAX_DOCUMENT:  # It is not unpacked for a look; that of a datastrip may be so large.
            if re.match(r"MTD_(?:MSI|TL)", member.base, re.IGNORECASE):
                found[member] = "Level-1C_Tile_ID"
            continue
        root = _ROOT.search(read_head(shelf.path(member), _HEAD))
        text = root[1].decode() if root else ""
        if PRODUCT_ROOT.fullmatch(text) or TILE_ROOT.fullmatch(text) or text.endswith("_Granule_ID"):
            found[member] = text
        else:
            shelf.release(member)
    return found


def _refuse_level(root: str) -> None:
    """Refuse products of other levels than the two that hold reflectance on a map.

    Raises:
        SourceError: saying which.
    """
    level = root.removeprefix("Level-").partition("_")[0]
    if level.rstrip("p") not in READ_LEVELS:
        found = f"it is a Level-{level} product of Sentinel-2, whose pixels are no reflectance on a map"
        raise SourceError(found=found, remedy="choose a product of Level-1C or Level-2A")


def refuse_other_missions(members: Sequence[Member], shelf: Shelf) -> None:
    """Refuse products of Sentinel-1 and Sentinel-3, which lie as SAFE too.

    Raises:
        SourceError: saying which.
    """
    for member in members:
        base = member.base.lower()
        if base == _MANIFEST_3:
            mission, light = "Sentinel-3", "its pixels are of 300 m and more, and its bands are others"
        elif base == _MANIFEST and member.size <= MAX_DOCUMENT and _is_radar(member, shelf):
            mission, light = "Sentinel-1", "its numbers are echoes of radar and no light"
        else:
            continue
        raise SourceError(found=f"it is a {mission} product: {light}", remedy="choose a Sentinel-2 product")


def _is_radar(member: Member, shelf: Shelf) -> bool:
    return _SENTINEL_1.search(read_head(shelf.path(member), _HEAD)) is not None


def _bucket_folders(members: Sequence[Member]) -> set[str]:
    return {_folder(member.name) for member in members if member.base.lower() == TILE_INFO}


def _holds_bands(members: Sequence[Member], folder: str) -> bool:
    """Tell whether bands lie in a folder as buckets keep them: in it, or in one for each size of pixels."""
    return any(
        member.suffix in RASTER_SUFFIXES
        and band_of_image(member.stem)
        and (
            _folder(member.name) == folder or (_folder(_folder(member.name)) == folder and side_of_folder(member.name))
        )
        for member in members
    )


def _tile_folders(members: Sequence[Member]) -> set[str]:
    """Return folders of tiles, by how SAFE and buckets lie."""
    found = {folder for folder in _bucket_folders(members) if _holds_bands(members, folder)}
    for member in members:
        head, middle, _ = f"/{member.name}".rpartition("/IMG_DATA/")
        if middle and member.suffix in RASTER_SUFFIXES:
            found.add(head.removeprefix("/"))
    return found


def _with_info(tile: TileFiles, members: Sequence[Member], shelf: Shelf) -> TileFiles:
    """Return a tile with what a bucket states of it, in its folder or in the only other one that does."""
    infos: dict[str, Member] = {}
    for kind in (TILE_INFO, PRODUCT_INFO):
        named = [member for member in members if member.base.lower() == kind]
        here = [member for member in named if _folder(member.name) == tile.folder]
        for member in here or (named if len(named) == 1 and kind == PRODUCT_INFO else []):
            infos[kind] = member
    told = {kind: read_info(shelf.path(member)) for kind, member in infos.items()}
    info = joined_info(told.get(TILE_INFO, NOTHING_STATED), told.get(PRODUCT_INFO, NOTHING_STATED))
    return replace(tile, info=info, infos=tuple(infos.values()))


def _put_together(products: list[ProductFiles], tiles: list[TileFiles]) -> list[ProductFiles]:
    """Give each tile to the product that it lies in, or that a bucket says it is of; others are products themselves."""
    members: dict[str, list[TileFiles]] = {product.folder: [] for product in products}
    alone = []
    for tile in sorted(tiles, key=lambda one: one.folder):
        around = [product.folder for product in products if inside(f"{tile.folder}/", product.folder)]
        called = [product.folder for product in products if tile.info.product and product.name == tile.info.product]
        if around:
            members[max(around, key=len)].append(tile)
        elif called:
            members[called[0]].append(tile)
        else:
            alone.append(ProductFiles(folder=tile.folder, tiles=(tile,)))
    whole = [replace(product, tiles=tuple(members[product.folder])) for product in products]
    return sorted([*whole, *alone], key=lambda product: product.folder)


def _with_loose_tile(product: ProductFiles, members: Sequence[Member]) -> ProductFiles:
    """Return a product of no tile with the one whose rasters lie beside its metadata, as files chosen one by one do."""
    if product.tiles or product.metadata is None:
        return product
    listed = {one.path.rpartition("/")[2].casefold() for one in product.metadata.files}
    there = [m for m in members if m.suffix in RASTER_SUFFIXES and inside(m.name, product.folder)]
    tiles = {tile_of_name(m.stem) for m in there if m.stem.casefold() in listed and band_of_image(m.stem)}
    return replace(product, tiles=(TileFiles(folder=product.folder),)) if len(tiles) == 1 else product


def _with_manifest(product: ProductFiles, members: Sequence[Member], shelf: Shelf) -> ProductFiles:
    """Return a product with what its manifest names.

    Raises:
        SourceError: when the manifest cannot be read.
    """
    here = [m for m in members if m.base.lower() == _MANIFEST and _folder(m.name) == product.folder]
    if not here:
        return product
    with errors_about(here[0].base):
        if here[0].size > MAX_DOCUMENT:
            raise too_large(here[0].size)
        document = read_document(shelf.path(here[0]), {"fileLocation"})
    hrefs = [leaf.attributes.get("href", "") for leaf in document.every("fileLocation")]
    return replace(product, manifest=here[0], named=tuple(href.removeprefix("./") for href in hrefs if href))


def refuse_unlisted(product: ProductFiles) -> None:
    """Refuse a product without any tile.

    Raises:
        SourceError: with its name.
    """
    if not product.tiles:
        found = f"it holds metadata of “{clean_name(product.name, 70)}” and none of its tiles"
        raise SourceError(found=found, remedy=_WHOLE)


def listed_of(product: ProductFiles, tile: TileFiles) -> list[ListedFile]:
    """Return the rasters that metadata and manifest list for a tile."""
    listed = list(product.metadata.files) if product.metadata else []
    stems = {one.path.rpartition("/")[2].casefold() for one in listed}
    for href in product.named:
        stem, dot, ending = href.rpartition(".")
        image = f".{ending.lower()}" in RASTER_SUFFIXES and "IMG_DATA/" in href
        if dot and image and stem.rpartition("/")[2].casefold() not in stems:
            listed.append(ListedFile(path=stem))
    if len(product.tiles) == 1:
        return listed
    called = tile.folder.rpartition("/")[2]
    name = tile.metadata.name if tile.metadata else called
    return [one for one in listed if one.granule in (called, name) or f"/{called}/" in f"/{one.path}"]
