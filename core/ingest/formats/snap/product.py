"""Products of SNAP as it keeps them: a ``.dim`` that states what the rasters in the folder of its name are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from core.ingest.files import Member, Shelf
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.snap.dimap import DIMAP_SUFFIX, MAX_DIMAP, read_dimap


def stated_in_product(raster: RasterFile, members: Sequence[Member], shelf: Shelf) -> RasterFile:
    """Return a raster of one band with what the product that it is of states of it.

    Args:
        raster: the raster.
        members: files of the source.
        shelf: gives their content.
    """
    product = _product_of(raster.name, members)
    if product is None or raster.count != 1:
        return raster
    told = read_dimap(shelf.path(product).read_text(encoding="utf-8", errors="replace"))
    stem = PurePosixPath(raster.name).stem
    if stem not in told.names:
        return replace(raster, tags={**told.tags, **raster.tags})
    place = told.names.index(stem)
    return replace(
        raster,
        descriptions=(told.texts[place],),
        nodata=tuple(told.nodata[place] if own is None else own for own in raster.nodata),
        scaling=tuple(own or told.scaling[place] for own in raster.scaling),
        tags={**told.tags, **raster.tags},
        stated_by=(*raster.stated_by, product.base),
    )


def files_of_products(members: Sequence[Member]) -> list[Member]:
    """Return the files of products that are no rasters: what states them, and their vectors, which are no classes."""
    products = [member for member in members if member.suffix == DIMAP_SUFFIX]
    vectors = [f"{PurePosixPath(member.name).with_suffix('.data')}/vector_data/" for member in products]
    return [*products, *(m for m in members if any(m.name.startswith(folder) for folder in vectors))]


def _product_of(name: str, members: Sequence[Member]) -> Member | None:
    """Return what states a raster: the file called as its folder, or the only one where files lost their folders."""
    folder = PurePosixPath(name).parent
    stating = [member for member in members if member.suffix == DIMAP_SUFFIX and member.size <= MAX_DIMAP]
    if folder.suffix == ".data":
        wanted = str(folder.with_suffix(DIMAP_SUFFIX))
        return next((member for member in stating if member.name == wanted), None)
    beside = [member for member in stating if PurePosixPath(member.name).parent == folder]
    return beside[0] if len(stating) == len(beside) == 1 else None
