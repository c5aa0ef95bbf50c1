"""A STAC item beside band files: what it states of date, level, baseline, offset and cloud.

Fields are those of the STAC specification 1.0 and its extensions eo, processing, raster and sentinel-2, and of Earth
Search, which takes the offset off and says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from core.ingest.formats.product_metadata import Hint, Hints, dates_in

ITEM_SUFFIXES = frozenset({".json", ".geojson"})
MOST_BYTES = 4 << 20
"""Items are some ten kilobytes; a larger file is something else."""

_WHERE = "the STAC item says so"
_BASELINE = re.compile(r"0?(\d{1,2})\.(\d{2})")
_LEVEL = re.compile(r"(?:S2MSI|Level-?|L)(1C|2A)p?", re.IGNORECASE)
_OFFSET_APPLIED = "earthsearch:boa_offset_applied"


def item_hints(text: str) -> Hints | None:
    """Return what a STAC item states; None when the text is no item.

    Args:
        text: of a file from outside.
    """
    try:
        item = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(item, dict) or item.get("type") != "Feature" or "stac_version" not in item:
        return None
    stated = item.get("properties")
    properties: Mapping[str, Any] = stated if isinstance(stated, dict) else {}
    return Hints(
        date=_date(properties),
        level=_level(properties),
        baseline=_baseline(properties),
        offset=_offset(properties, item.get("assets")),
        cloud=_cloud(properties),
    )


def with_item(hints: Hints, items: Iterable[Hints]) -> Hints:
    """Return hints in which what the first item states stands before what names and tags say."""
    item = next(iter(items), None)
    if item is None:
        return hints
    return replace(
        hints,
        date=item.date or hints.date,
        period=None if item.date else hints.period,
        level=item.level or hints.level,
        baseline=item.baseline or hints.baseline,
        offset=item.offset or hints.offset,
        cloud=item.cloud or hints.cloud,
    )


def _date(properties: Mapping[str, Any]) -> Hint | None:
    for name in ("datetime", "start_datetime"):
        dates = dates_in(str(properties.get(name) or "")[:10])
        if dates:
            return Hint(value=dates[0], where=_WHERE)
    return None


def _level(properties: Mapping[str, Any]) -> Hint | None:
    for name in ("s2:product_type", "processing:level"):
        found = _LEVEL.fullmatch(str(properties.get(name) or ""))
        if found:
            return Hint(value=f"L{found[1].upper()}", where=_WHERE)
    return None


def _baseline(properties: Mapping[str, Any]) -> Hint | None:
    for name in ("s2:processing_baseline", "processing:version"):
        found = _BASELINE.fullmatch(str(properties.get(name) or ""))
        if found:
            return Hint(value=f"{int(found[1]):02d}.{found[2]}", where="the STAC item")
    return None


def _offset(properties: Mapping[str, Any], assets: object) -> Hint | None:
    """Return what is to be added to digital numbers: nothing where it was applied, else what all bands state."""
    if properties.get(_OFFSET_APPLIED) is True:
        return Hint(value="0", where=_WHERE)
    listed = [asset for asset in assets.values() if isinstance(asset, dict)] if isinstance(assets, dict) else []
    lists = [asset["raster:bands"] for asset in listed if isinstance(asset.get("raster:bands"), list)]
    bands = [band for bands in lists for band in bands if isinstance(band, dict)]
    steps = {round(band["offset"] / band["scale"]) for band in bands if _is_reflectance(band)}
    return Hint(value=str(steps.pop()), where=_WHERE) if len(steps) == 1 else None


def _is_reflectance(band: Mapping[str, Any]) -> bool:
    """Tell whether a band states numbers × 10,000, and an offset."""
    scale, offset = band.get("scale"), band.get("offset")
    known = isinstance(scale, float) and abs(scale * 10_000 - 1) < 1e-6
    return known and isinstance(offset, (int, float)) and abs(offset) <= 1


def _cloud(properties: Mapping[str, Any]) -> Hint | None:
    share = properties.get("eo:cloud_cover")
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 100:
        return None
    return Hint(value=f"{float(share):.3g}", where=_WHERE)
