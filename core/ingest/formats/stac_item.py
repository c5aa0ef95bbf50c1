"""A STAC item beside rasters: what it states of date, level, baseline, offset and cloud, and of bands without names.

Fields are those of the STAC specification 1.0 and its extensions eo, processing, raster and sentinel-2, and of Earth
Search, which takes the offset off and says so.
"""

from __future__ import annotations

import datetime
import re
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from core.ingest.bands.assign import MIN_BANDS
from core.ingest.bands.names import names_positions, parse_band
from core.ingest.bands.packing import usable_scaling
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.product_metadata import Hint, Hints, dates_in, percent_of
from core.ingest.grid.stack import Scaling
from core.ingest.json_text import json_object

ITEM_SUFFIXES = frozenset({".json", ".geojson"})
MOST_BYTES = 4 << 20
"""Items are some ten kilobytes; a larger file is something else."""

_WHERE = "the STAC item says so"
_A_PASS = datetime.timedelta(days=1)
"""A pass may begin on one day and end on the next."""
_BASELINE = re.compile(r"0?(\d{1,2})\.(\d{2})")
_LEVEL = re.compile(r"(?:S2MSI|Level-?|L)(1C|2A)p?", re.IGNORECASE)
_COLLECTION = re.compile(r"sentinel[-_]?2(?:[-_]c1)?[-_](?:l|level[-_]?)(1c|2a)(?![a-z0-9]).*", re.IGNORECASE)
"""What catalogues call their collections of Sentinel-2, such as “sentinel-2-l2a”."""
_BAND_NAMES = ("name", "eo:common_name", "common_name", "description")
_OFFSET_APPLIED = "earthsearch:boa_offset_applied"


def item_hints(text: str) -> Hints | None:
    """Return what a STAC item states; None when the text is no item.

    Args:
        text: of a file from outside.
    """
    item = _read(text)
    if item is None:
        return None
    properties = _properties(item)
    period = _period(properties)
    return Hints(
        date=None if period else _date(properties),
        period=period,
        level=_level(properties, item.get("collection")),
        baseline=_baseline(properties),
        offset=_offset(properties, item.get("assets")),
        cloud=_cloud(properties),
    )


def _read(text: str) -> dict[str, Any] | None:
    item = json_object(text) or {}
    return item if item.get("type") == "Feature" and "stac_version" in item else None


def _properties(item: Mapping[str, Any]) -> Mapping[str, Any]:
    stated = item.get("properties")
    return stated if isinstance(stated, dict) else {}


def described_by_item(raster: RasterFile, texts: Mapping[str, str]) -> RasterFile:
    """Return a raster of several bands with what items beside it state of these and the raster does not.

    Args:
        raster: the raster, to whose name the address of an asset leads.
        texts: of files beside it, by name.
    """
    for name, text in texts.items():
        item = _read(text)
        if item is None:
            continue
        bands = _bands_of_asset(item, PurePosixPath(raster.name).name, raster.count)
        if bands is None or raster.count < MIN_BANDS:
            continue
        applied = _properties(item).get(_OFFSET_APPLIED) is True
        nameless = not any(raster.descriptions) or names_positions(raster.descriptions)
        scaling = (None,) * raster.count if applied else tuple(map(_scaling, bands))
        return replace(
            raster,
            descriptions=tuple(map(_text, bands)) if nameless else raster.descriptions,
            nodata=tuple(
                _number(band, "nodata") if own is None else own for own, band in zip(raster.nodata, bands, strict=True)
            ),
            scaling=tuple(own or other for own, other in zip(raster.scaling, scaling, strict=True)),
            stated_by=(*raster.stated_by, name),
        )
    return raster


def _bands_of_asset(item: Mapping[str, Any], name: str, count: int) -> list[Mapping[str, Any]] | None:
    """Return what an item states of each band of a file, or None."""
    assets = item.get("assets")
    for asset in assets.values() if isinstance(assets, dict) else ():
        href = asset.get("href") if isinstance(asset, dict) else None
        if not isinstance(href, str) or PurePosixPath(unquote(urlsplit(href).path)).name != name:
            continue
        lists = [asset[key] for key in ("bands", "eo:bands", "raster:bands") if isinstance(asset.get(key), list)]
        lists = [bands for bands in lists if len(bands) == count and all(isinstance(band, dict) for band in bands)]
        if lists:  # Extensions of STAC 1.0 state names in one list and numbers in another.
            return [dict(ChainMap(*told)) for told in zip(*lists, strict=True)]
    return None


def _text(band: Mapping[str, Any]) -> str:
    """Return the name of a band, with its wavelength where the name alone names none."""
    names = [str(band[key])[:100] for key in _BAND_NAMES if band.get(key)]
    named = next((name for name in names if parse_band(name) is not None), None)
    light = _number(band, "eo:center_wavelength") or _number(band, "center_wavelength")
    name = named or (names[0] if names else "")
    return f"{name} ({1000 * light:.5g} nm)" if light and named is None else name


def _scaling(band: Mapping[str, Any]) -> Scaling | None:
    """Return scale and offset of a band as extension ``raster`` 1 or 2 states them, or None."""
    scale = _number(band, "scale") or _number(band, "raster:scale")
    offset = _number(band, "offset") or _number(band, "raster:offset") or 0.0
    return None if scale is None else usable_scaling(scale, offset)


def _number(band: Mapping[str, Any], key: str) -> float | None:
    value = band.get(key)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def with_item(hints: Hints, items: Iterable[Hints]) -> Hints:
    """Return hints in which what items state stands before what names and tags say, as far as they do not differ."""
    found = list(items)
    date, level, baseline, offset, cloud = (
        _agreed([getattr(item, name) for item in found]) for name in ("date", "level", "baseline", "offset", "cloud")
    )
    periods = {item.period for item in found if item.period}
    period = periods.pop() if len(periods) == 1 and date is None else None
    return replace(
        hints,
        date=date or (None if period else hints.date),
        period=None if date else period or hints.period,
        level=level or hints.level,
        baseline=baseline or hints.baseline,
        offset=offset or hints.offset,
        cloud=cloud or hints.cloud,
    )


def _agreed(stated: Iterable[Hint | None]) -> Hint | None:
    """Return what all say that say something; None where they say different things, or nothing."""
    by_value = {one.value: one for one in stated if one is not None}
    return next(iter(by_value.values())) if len(by_value) == 1 else None


def _period(properties: Mapping[str, Any]) -> str | None:
    """Return first and last day of what was made of several days, as a composite is; None of an acquisition."""
    ends = [dates_in(str(properties.get(name) or "")[:10]) for name in ("start_datetime", "end_datetime")]
    if not all(ends):
        return None
    first, last = (datetime.date.fromisoformat(dates[0]) for dates in ends)
    return f"{first} to {last}" if last - first > _A_PASS else None


def _date(properties: Mapping[str, Any]) -> Hint | None:
    for name in ("datetime", "start_datetime"):
        dates = dates_in(str(properties.get(name) or "")[:10])
        if dates:
            return Hint(value=dates[0], where=_WHERE)
    return None


def _level(properties: Mapping[str, Any], collection: object) -> Hint | None:
    stated = [_LEVEL.fullmatch(str(properties.get(name) or "")) for name in ("s2:product_type", "product:type")]
    stated.append(_LEVEL.fullmatch(str(properties.get("processing:level") or "")))
    stated.append(_COLLECTION.fullmatch(collection) if isinstance(collection, str) else None)
    found = next(filter(None, stated), None)
    return None if found is None else Hint(value=f"L{found[1].upper()}", where=_WHERE)


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
    share = percent_of(str(properties.get("eo:cloud_cover", "")))
    return Hint(value=share, where=_WHERE) if share else None
