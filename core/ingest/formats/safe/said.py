"""What the metadata of a product say, as hints that decide and as lines of the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.ingest.findings import cloud_cover, finding, ignored
from core.ingest.formats.product_metadata import Hint, Hints, Quantity, date_in
from core.ingest.formats.safe.images import TileImages
from core.ingest.formats.safe.layout import ProductFiles, TileFiles
from core.ingest.formats.safe.metadata import NO_DATA, SATURATED, baseline_of_name
from core.ingest.messages import clean_name
from core.scenes.overview import SENSOR_TOPIC
from core.scenes.quality import Finding

_USUAL = 10_000.0
_SPECIAL = {NO_DATA: 0.0, SATURATED: 65_535.0}
"""What all products of ESA hold (product specification), where their metadata are not there to say so."""
_SAYS = "the product metadata says so"
_BUCKET = "tileInfo.json or productInfo.json says so"
_NAME = "the file name says so"


def date_of(product: ProductFiles) -> Hint | None:
    """Return the day on which a product was sensed, whenever it was made."""
    if (sensed := _sensed(product)) is not None:
        return replace(sensed, value=sensed.value[:10])
    named = date_in(product.name)
    return Hint(value=named, where=_NAME) if named else None


def _sensed(product: ProductFiles) -> Hint | None:
    """Return when a product was sensed, ``YYYY-MM-DD hh:mm:ss``, by its tiles before the whole."""
    tiles = [(tile.metadata.sensed if tile.metadata else "", _SAYS) for tile in product.tiles]
    whole = (product.metadata.sensed if product.metadata else "", _SAYS)
    bucket = [(tile.info.sensed, _BUCKET) for tile in product.tiles]
    return next((Hint(value=text, where=where) for text, where in [*tiles, whole, *bucket] if text), None)


def product_level(product: ProductFiles) -> str:
    """Return the level of a product, ``L1C`` or ``L2A``, or nothing."""
    stated = [product.metadata.level if product.metadata else ""]
    stated += [tile.metadata.level for tile in product.tiles if tile.metadata]
    level = next((text.rstrip("p") for text in stated if text), "")
    name = product.name.upper()
    return level or next((level for level in ("L1C", "L2A") if f"MSI{level}" in name or f"MSI_{level}" in name), "")


def quantity_of(product: ProductFiles) -> Quantity | None:
    """Return what the metadata of a product say of its numbers, or what ESA's products of its baseline mean by them."""
    if product.metadata and product.metadata.quantity:
        return product.metadata.quantity
    level, baseline = product_level(product), _baseline(product)
    if not level or baseline is None:
        return None
    return Quantity(value=_USUAL, where=f"ESA defines Level-{level[1:]} of baseline {baseline.value} so")


def hints_of(product: ProductFiles) -> Hints:
    """Return what decides how a product is read."""
    level, cloud = product_level(product), _cloud(product)
    stated = bool(product.metadata or any(tile.metadata for tile in product.tiles))
    return Hints(
        date=date_of(product),
        level=Hint(value=level, where=_SAYS if stated else _NAME) if level else None,
        baseline=_baseline(product),
        offset=_offset(quantity_of(product)),
        quantity=quantity_of(product),
        cloud=cloud,
    )


def product_said(products: Sequence[ProductFiles], hints: Hints) -> list[Finding]:
    """Say what a product is, who took it and when, and where the sun stood."""
    product = products[0]
    lines = [*_spacecraft(product), *_name(products)]
    if (sensed := _sensed(product)) is not None:
        lines.append(finding("sensed", f"{sensed.value} UTC", "read", sensed.where))
    tiles = [tile for one in products for tile in one.tiles]
    names = [name for tile in tiles if (name := tile_name(tile))]
    if names:
        stated = any(tile.metadata and tile.metadata.tile for tile in tiles)
        lines.append(finding("tile", ", ".join(names), "read", _SAYS if stated else _BUCKET))
    suns = [tile.metadata.sun for tile in tiles if tile.metadata and tile.metadata.sun]
    if suns:
        zenith, azimuth = suns[0]
        value = f"{zenith:.1f}° from the zenith, azimuth {azimuth:.1f}°"
        lines.append(finding("sun", value, "read", f"mean of tile {names[0]}" if len(suns) > 1 else _SAYS))
    return [*lines, *_special_said(product), *cloud_cover(hints)]


def images_said(images: Sequence[TileImages]) -> list[Finding]:
    """Say which files that metadata name are not there, and which bands are left out."""
    absent = [name for one in images for name in one.absent]
    lines = []
    if absent:
        because = "the metadata of the product name them, and they are not there, so the bands are missing"
        lines.append(finding("absent", _shown(absent), "warning", because))
    for one in images:
        if one.no_classes:
            because = "the metadata of the product name it, and it is not there, so there is no scene classification"
            lines.append(finding("absent", clean_name(one.no_classes, 100), "warning", because))
        for name, other in one.stand_ins.items():
            because = f"the metadata name it, and it is not there; “{clean_name(other)}” stands in"
            lines.append(finding("absent", clean_name(name, 100), "warning", because))
    reasons: dict[str, list[str]] = {}
    for one in images:
        for because, names in one.left_out.items():
            reasons.setdefault(because, []).extend(names)
    return [*lines, *(line for because, names in reasons.items() for line in ignored(names, because))]


def special_numbers(product: ProductFiles) -> tuple[float, ...]:
    """Return the numbers that stand for no data and for saturation, of which neither is light."""
    return tuple(_special(product).values())


def tile_name(tile: TileFiles) -> str:
    """Return the name of a tile in the grid, such as ``32TPS``, or nothing."""
    return (tile.metadata.tile if tile.metadata else "") or tile.info.tile


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(clean_name(name, 100) for name in names[:8]) + more


def _cloud(product: ProductFiles) -> Hint | None:
    tiles = [tile.metadata.cloud if tile.metadata else "" for tile in product.tiles]
    whole = product.metadata.cloud if product.metadata else ""
    bucket = [(tile.info.cloud, _BUCKET) for tile in product.tiles]
    stated = [(whole, _SAYS), *((text, _SAYS) for text in tiles), *bucket]
    return next((Hint(value=text, where=where) for text, where in stated if text), None)


def _baseline(product: ProductFiles) -> Hint | None:
    whole = product.metadata.baseline if product.metadata else ""
    tiles = [tile.metadata.baseline for tile in product.tiles if tile.metadata]
    stated = [(text, "the product metadata") for text in (whole, *tiles)]
    stated.append((baseline_of_name(product.name), "the name of the product"))
    found = next(((text, where) for text, where in stated if text and not text.startswith("99")), None)
    return Hint(value=found[0], where=found[1]) if found else None


def _offset(quantity: Quantity | None) -> Hint | None:
    """Return the offset of all bands where it is one; that none is listed says nothing, for the baseline does."""
    offsets = set(quantity.offsets.values()) if quantity else set()
    return Hint(value=f"{offsets.pop():g}", where=_SAYS) if len(offsets) == 1 else None


def _spacecraft(product: ProductFiles) -> list[Finding]:
    told = product.metadata
    return [finding(SENSOR_TOPIC, clean_name(told.spacecraft), "read", _SAYS)] if told and told.spacecraft else []


def _name(products: Sequence[ProductFiles]) -> list[Finding]:
    product = products[0]
    told, level, baseline = product.metadata, product_level(product), _baseline(product)
    parts = [f"Level-{level[1:]}" if level else "", f"baseline {baseline.value}" if baseline else ""]
    if told:
        parts += [f"made {told.made} UTC" if told.made else "", f"relative orbit {told.orbit}" if told.orbit else ""]
    names = ", ".join(clean_name(one.name, 120) for one in products)
    return [finding("product", names, "read", ", ".join(filter(None, parts)) or "by how its files lie")]


def _special(product: ProductFiles) -> Mapping[str, float]:
    return product.metadata.special if product.metadata and product.metadata.special else _SPECIAL


def _special_said(product: ProductFiles) -> list[Finding]:
    special = _special(product)
    where = "ESA defines its products so" if special is _SPECIAL else _SAYS
    words = {NO_DATA: "no data", SATURATED: "saturated"}
    value = ", ".join(f"{number:g} = {words[name]}" for name, number in special.items())
    because = f"{where}; pixels that hold one in any band are no data"
    return [finding("special values", value, "read", because)]
