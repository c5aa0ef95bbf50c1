"""What SNAP states of its product: the bands with their light, scale and no data, the day, the product.

It is BEAM-DIMAP's XML (format 2.12) in the private tag 65000 of a GeoTIFF, or in a ``.dim`` beside a folder ``.data``
of rasters in ENVI's own format, a file a band; it is searched as text, never parsed as XML.
"""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.ingest.bands.packing import usable_scaling
from core.ingest.grid.stack import Scaling

DIMAP_TAG = 65000
DIMAP_SUFFIX = ".dim"
MAX_DIMAP = 32 * 2**20
"""SNAP writes the metadata of a whole product before what it says of bands."""
_BAND = re.compile(r"<Spectral_Band_Info>(.*?)</Spectral_Band_Info>", re.DOTALL)
_FIELD = re.compile(r"<([A-Z0-9_]{3,40})(?:\s[^<>]{0,100})?>([^<>]{0,300})</\1>")
_START = re.compile(r"<PRODUCT_SCENE_RASTER_START_TIME>\s*(\d{1,2}-[A-Z]{3}-\d{4})", re.IGNORECASE)
_TYPE = re.compile(r"<PRODUCT_TYPE>\s*([^<>]{1,60}?)\s*</PRODUCT_TYPE>")


@dataclass(frozen=True, kw_only=True)
class DimapBands:
    """What SNAP states of a product.

    Attributes:
        names: of the bands.
        texts: the same with their wavelengths where they have any.
        nodata: value that stands for no data of each band, or None.
        scaling: scale and offset of each band, or None.
        tags: day and product, as tags of a raster.
    """

    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    nodata: tuple[float | None, ...] = ()
    scaling: tuple[Scaling | None, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def read_dimap(text: str) -> DimapBands:
    """Read the text of the tag; what it says of bands that are computed and not written is left out."""
    fields = [
        {key: html.unescape(value).strip() for key, value in _FIELD.findall(band)} for band in _BAND.findall(text)
    ]
    written = [band for band in fields if band.get("VIRTUAL_BAND", "false").lower() != "true"]
    written.sort(key=lambda band: _number(band, "BAND_INDEX", 0.0))
    return DimapBands(
        names=tuple(band.get("BAND_NAME", "") for band in written),
        texts=tuple(map(_text, written)),
        nodata=tuple(map(_nodata, written)),
        scaling=tuple(map(_scaling, written)),
        tags=_tags(text),
    )


def _text(band: Mapping[str, str]) -> str:
    light = _number(band, "BAND_WAVELEN", 0.0)
    return f"{band.get('BAND_NAME', '')} ({light:g} nm)" if light > 0 else band.get("BAND_NAME", "")


def _nodata(band: Mapping[str, str]) -> float | None:
    used = band.get("NO_DATA_VALUE_USED", "false").lower() == "true"
    number = _number(band, "NO_DATA_VALUE", float("nan"))
    return number if used and number == number else None  # noqa: PLR0124 (NaN)


def _scaling(band: Mapping[str, str]) -> Scaling | None:
    if band.get("LOG10_SCALED", "false").lower() == "true":
        return None
    return usable_scaling(_number(band, "SCALING_FACTOR", 1.0), _number(band, "SCALING_OFFSET", 0.0))


def _number(band: Mapping[str, str], name: str, otherwise: float) -> float:
    try:
        return float(band.get(name, otherwise))
    except ValueError:
        return otherwise


def _tags(text: str) -> dict[str, str]:
    tags = {}
    if start := _START.search(text):
        try:
            day = datetime.datetime.strptime(start[1].title(), "%d-%b-%Y").replace(tzinfo=datetime.UTC)
            tags["PRODUCT_SCENE_RASTER_START_TIME"] = day.date().isoformat()
        except ValueError:
            pass
    if kind := _TYPE.search(text):
        tags["SENSOR_PRODUCT_TYPE"] = kind[1]
    return tags
