"""What cloud buckets keep beside the bands of a tile: ``tileInfo.json`` and ``productInfo.json`` (Sinergise on AWS)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.ingest.formats.product_metadata import percent_of
from core.ingest.formats.safe.metadata import time_of
from core.ingest.json_text import json_object

TILE_INFO, PRODUCT_INFO = "tileinfo.json", "productinfo.json"
MAX_INFO = 2**20


@dataclass(frozen=True, kw_only=True)
class BucketInfo:
    """What a bucket states of a tile or a product; empty where it does not.

    Attributes:
        product: its name.
        tile: of the grid, such as ``32TPS``.
        sensed: ``YYYY-MM-DD hh:mm:ss``.
        cloud: percent under cloud, as text.
    """

    product: str = ""
    tile: str = ""
    sensed: str = ""
    cloud: str = ""


NOTHING_STATED = BucketInfo()


def read_info(path: Path) -> BucketInfo:
    """Read one of the two files; what is none of them states nothing."""
    small = path.stat().st_size <= MAX_INFO
    told = json_object(path.read_text(encoding="utf-8", errors="replace")) if small else None
    if told is None:
        return NOTHING_STATED
    return BucketInfo(
        product=_text(told, "productName") or _text(told, "name"),
        tile=_tile(told),
        sensed=time_of(_text(told, "timestamp")),
        cloud=percent_of(str(told.get("cloudyPixelPercentage", ""))[:20]),
    )


def joined_info(tile: BucketInfo, product: BucketInfo) -> BucketInfo:
    """Return what is stated of a tile, and of its product where that of the tile says nothing."""
    return BucketInfo(
        product=tile.product or product.product,
        tile=tile.tile,
        sensed=tile.sensed or product.sensed,
        cloud=tile.cloud,
    )


def _text(told: Mapping[str, Any], key: str) -> str:
    value = told.get(key)
    return value[:200] if isinstance(value, str) else ""


def _tile(told: Mapping[str, Any]) -> str:
    zone, band, square = (told.get(key) for key in ("utmZone", "latitudeBand", "gridSquare"))
    known = isinstance(zone, int) and 1 <= zone <= 60 and isinstance(band, str) and isinstance(square, str)
    name = f"{zone:02d}{band}{square}" if known else ""
    return name if len(name) == 5 and name.isalnum() else ""
