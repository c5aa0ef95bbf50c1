"""What the metadata of a product and of its tiles state, as ESA's product specification names it (PSD 13 to 15).

Level-2A products of sen2cor before 2.8 write ``_2A`` behind some names and ``L2A_`` before others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.bands import BAND_NAMES
from core.ingest.formats.product_metadata import Quantity, percent_of, valid_date
from core.ingest.formats.safe.document import Document, Leaf, read_document
from core.scenes.geobox import GeoBox, Transform

PRODUCT_ROOT = re.compile(r"Level-(\w{2,3})_User_Product")
TILE_ROOT = re.compile(r"Level-(\w{2,3})_Tile_ID")
READ_LEVELS = ("1C", "2A")

_FILES = ("IMAGE_FILE", "IMAGE_ID", "IMAGE_FILE_2A", "IMAGE_ID_2A")
_URIS = ("PRODUCT_URI", "PRODUCT_URI_2A", "PRODUCT_URI_1C")
_QUANTIFICATIONS = ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE", "QUANTIFICATION_VALUE")
_OFFSETS = ("BOA_ADD_OFFSET", "RADIO_ADD_OFFSET")
_WANTED = frozenset(
    {
        *_FILES, *_URIS, *_QUANTIFICATIONS, *_OFFSETS, "PROCESSING_LEVEL", "PROCESSING_BASELINE", "GENERATION_TIME",
        "PRODUCT_START_TIME", "SPACECRAFT_NAME", "DATATAKE_SENSING_START", "SENSING_ORBIT_NUMBER",
        "SENSING_ORBIT_DIRECTION", "SPECIAL_VALUE_TEXT", "SPECIAL_VALUE_INDEX", "Cloud_Coverage_Assessment",
        "RESOLUTION", "TILE_ID", "TILE_ID_2A", "SENSING_TIME", "HORIZONTAL_CS_CODE", "NROWS", "NCOLS", "ULX", "ULY",
        "XDIM", "YDIM", "ZENITH_ANGLE", "AZIMUTH_ANGLE", "CLOUDY_PIXEL_PERCENTAGE",
    }
)  # fmt: skip
_BASELINE = re.compile(r"\d{2}\.\d{2}")
_TILE = re.compile(r"(?<![A-Za-z0-9])T(\d{2}[A-Z]{3})(?![A-Za-z0-9])", re.IGNORECASE)
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})")
_NAME_BASELINE = re.compile(r"_N(\d{2})\.?(\d{2})(?![0-9])")
_CRS = re.compile(r"EPSG:\d{4,5}")
_BAND = re.compile(r"(?:^|_)(B(?:0[1-9]|1[0-2]|8A))(?:_(10|20|60)m)?$", re.IGNORECASE)
NO_DATA, SATURATED = "NODATA", "SATURATED"


@dataclass(frozen=True, kw_only=True)
class ListedFile:
    """A raster that metadata list.

    Attributes:
        path: as listed, without ending; from the folder of the product, or its name alone in old products.
        granule: the tile it is of, as the product names tiles, or empty.
    """

    path: str
    granule: str = ""


@dataclass(frozen=True, kw_only=True)
class ProductMetadata:
    """What the metadata of a product state; empty or None where they do not.

    Attributes:
        name: of the product, without ending.
        level: ``L1C`` or ``L2A``.
        baseline: such as ``04.00``.
        sensed: when the satellite began to look, ``YYYY-MM-DD hh:mm:ss``.
        made: when the product was made, likewise.
        spacecraft: such as ``Sentinel-2A``.
        orbit: number of the relative orbit, and its direction in small letters.
        quantity: what its numbers mean.
        special: numbers that stand for no data or saturation, by name.
        cloud: percent of the product under cloud, as text.
        files: its rasters.
    """

    name: str
    level: str
    baseline: str = ""
    sensed: str = ""
    made: str = ""
    spacecraft: str = ""
    orbit: str = ""
    quantity: Quantity | None = None
    special: Mapping[str, float] = field(default_factory=dict)
    cloud: str = ""
    files: tuple[ListedFile, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TileMetadata:
    """What the metadata of a tile state; empty or None where they do not.

    Attributes:
        name: its identifier.
        level: ``L1C`` or ``L2A``.
        tile: of the grid, such as ``32TPS``.
        baseline: such as ``04.00``.
        sensed: when it was looked at, ``YYYY-MM-DD hh:mm:ss``.
        sun: zenith and azimuth of the sun in degrees.
        cloud: percent of the tile under cloud, as text.
        grids: where pixels lie, by their side in metres.
    """

    name: str
    level: str
    tile: str = ""
    baseline: str = ""
    sensed: str = ""
    sun: tuple[float, float] | None = None
    cloud: str = ""
    grids: Mapping[int, GeoBox] = field(default_factory=dict)


def read_metadata(path: Path) -> Document:
    """Read the metadata of a product or a tile; errors are those of ``read_document``."""
    return read_document(path, _WANTED)


def product_metadata(document: Document) -> ProductMetadata:
    """Return what the metadata of a product state."""
    level = PRODUCT_ROOT.match(document.root)
    orbit = (document.first("SENSING_ORBIT_NUMBER"), document.first("SENSING_ORBIT_DIRECTION").lower())
    name = document.first("PRODUCT_URI_2A" if level and level[1] == "2A" else "PRODUCT_URI", *_URIS)
    return ProductMetadata(
        name=re.sub(r"\.SAFE$", "", name, flags=re.IGNORECASE),
        level=f"L{level[1]}" if level else "",
        baseline=_baseline(document.first("PROCESSING_BASELINE")),
        sensed=time_of(document.first("DATATAKE_SENSING_START", "PRODUCT_START_TIME")),
        made=time_of(document.first("GENERATION_TIME")),
        spacecraft=document.first("SPACECRAFT_NAME")[:40],
        orbit=" ".join(part for part in orbit if part)[:40],
        quantity=_quantity(document),
        special=_special(document),
        cloud=percent_of(document.first("Cloud_Coverage_Assessment")),
        files=tuple(map(_listed, (leaf for name in _FILES for leaf in document.every(name) if leaf.text))),
    )


def tile_metadata(document: Document) -> TileMetadata:
    """Return what the metadata of a tile state."""
    level = TILE_ROOT.match(document.root)
    name = document.first("TILE_ID_2A", "TILE_ID")
    sun = tuple(_number(document.first(angle, inside="Mean_Sun_Angle")) for angle in ("ZENITH_ANGLE", "AZIMUTH_ANGLE"))
    known = (sun[0], sun[1]) if sun[0] is not None and sun[1] is not None else None
    return TileMetadata(
        name=name,
        level=f"L{level[1]}" if level else "",
        tile=tile_of_name(name),
        baseline=baseline_of_name(name),
        sensed=time_of(document.first("SENSING_TIME")),
        sun=known,
        cloud=percent_of(document.first("CLOUDY_PIXEL_PERCENTAGE")),
        grids=_grids(document),
    )


def band_of_image(stem: str) -> tuple[str, int | None] | None:
    """Return the band that a file of a product holds, and the side of its pixels where its name states it; or None."""
    found = _BAND.search(stem)
    return (found[1].upper(), int(found[2]) if found[2] else None) if found else None


def tile_of_name(name: str) -> str:
    """Return the tile that a name states, such as ``32TPS``, or nothing."""
    found = _TILE.search(name)
    return found[1].upper() if found else ""


def baseline_of_name(name: str) -> str:
    """Return the baseline that the name of a product states, or nothing."""
    found = _NAME_BASELINE.search(name)
    return f"{found[1]}.{found[2]}" if found else ""


def time_of(text: str) -> str:
    """Return a time as ``YYYY-MM-DD hh:mm:ss``; nothing where the text states none that Sentinel-2 can have."""
    found = _TIME.match(text)
    return f"{found[1]} {found[2]}" if found and valid_date(found[1]) else ""


def _baseline(text: str) -> str:
    return text if _BASELINE.fullmatch(text) else ""


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e12 else None


def _listed(leaf: Leaf) -> ListedFile:
    return ListedFile(path=leaf.text, granule=leaf.attributes.get("granuleIdentifier", ""))


def _quantity(document: Document) -> Quantity | None:
    value = _number(document.first(*_QUANTIFICATIONS))
    if value is None or not 1 <= value <= 1e6:
        return None
    numbers = _band_numbers(document)
    offsets = {}
    for leaf in (leaf for name in _OFFSETS for leaf in document.every(name)):
        band, offset = numbers.get(leaf.attributes.get("band_id", "")), _number(leaf.text)
        if band is not None and offset is not None:
            offsets[band] = offset
    return Quantity(value=value, offsets=offsets)


def _band_numbers(document: Document) -> dict[str, str]:
    """Return the name of each band by its number: as the product lists them, else in the order of products."""
    listed = {}
    for leaf in document.every("RESOLUTION"):
        number, physical = leaf.attributes.get("bandId"), leaf.attributes.get("physicalBand", "")
        name = re.sub(r"^B(\d)(?=A?$)", r"B0\1", physical).replace("B08A", "B8A")
        if number is not None and name in BAND_NAMES:
            listed[number] = name
    return listed or {str(number): name for number, name in enumerate(BAND_NAMES)}


def _special(document: Document) -> dict[str, float]:
    names = [leaf.text.upper() for leaf in document.every("SPECIAL_VALUE_TEXT")]
    numbers = [_number(leaf.text) for leaf in document.every("SPECIAL_VALUE_INDEX")]
    pairs = zip(names, numbers, strict=False)
    return {name: number for name, number in pairs if name in (NO_DATA, SATURATED) and number is not None}


def _grids(document: Document) -> dict[int, GeoBox]:
    crs = document.first("HORIZONTAL_CS_CODE").upper()
    found: dict[str, dict[str, float]] = {}
    for name in ("NROWS", "NCOLS", "ULX", "ULY", "XDIM", "YDIM"):
        for leaf in document.every(name):
            number = _number(leaf.text)
            if number is not None:
                found.setdefault(leaf.attributes.get("resolution", ""), {})[name] = number
    grids = {}
    for side, told in found.items():
        whole = len(told) == 6 and side.isascii() and side.isdigit() and _CRS.fullmatch(crs)
        if whole and 1 <= told["NROWS"] <= 1e6 and 1 <= told["NCOLS"] <= 1e6 and told["XDIM"] and told["YDIM"]:
            place: Transform = (told["XDIM"], 0.0, told["ULX"], 0.0, told["YDIM"], told["ULY"])
            grids[int(side)] = GeoBox(crs=crs, transform=place, height=int(told["NROWS"]), width=int(told["NCOLS"]))
    return grids
