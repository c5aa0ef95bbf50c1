"""A request to Sentinel Hub's Process or Batch API beside what it was answered with.

Members are those of the API's reference. Reflectance and harmonised digital numbers hold no offset, as its
documentation of Sentinel-2 says.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from pyproj import CRS
from pyproj.exceptions import CRSError

from core.errors import SourceError
from core.ingest.bands.names import names_positions, parse_band
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.product_metadata import Hint, Hints, date_in, valid_date
from core.ingest.formats.sentinel_hub.evalscript import DEFAULT, OutputBand, ScriptOutput, plain_outputs
from core.ingest.grid.stack import Scaling
from core.ingest.json_text import json_object
from core.ingest.messages import clean_name
from core.ingest.settings import IngestSettings
from core.scenes.geobox import GeoBox

_WRAPPERS = ("payload", "request", "processRequest", "args", "params")
_DEEPEST = 4
_WHERE = "the request beside it says so"
_LEVELS: Mapping[str, str] = {"sentinel-2-l1c": "L1C", "sentinel-2-l2a": "L2A", "s2l1c": "L1C", "s2l2a": "L2A"}
_OWN_DATA = ("byoc", "batch", "custom", "zarr")
"""How collections begin that people bring, of which nothing is known."""
_EPSG = re.compile(r"https?://www\.opengis\.net/def/crs/EPSG/0/(\d{4,6})")
_DEGREES = re.compile(r"https?://www\.opengis\.net/def/crs/OGC/1\.3/CRS84")
_DTYPES: Mapping[str, frozenset[str]] = {
    "AUTO": frozenset({"uint8"}), "UINT8": frozenset({"uint8"}), "UINT16": frozenset({"uint16"}),
    "INT16": frozenset({"int16"}), "FLOAT32": frozenset({"float32"}),
}  # fmt: skip
_PER_UNIT: Mapping[str, float] = {"": 1.0, "REFLECTANCE": 1.0, "DN": 10_000.0}
"""What reflectance 1 is in the units of Sentinel-2's bands."""
_STEPS = 100.0
"""Whole numbers of reflectance 1 below this are none that a script means."""
_FARTHEST, _NARROWEST = 1e8, 1e-9
"""What coordinates of a rectangle, and its sides, do not reach in any reference system."""
_UNNAMED = frozenset({DEFAULT, "response"})
"""What files are called of an output without a name."""


@dataclass(frozen=True, kw_only=True)
class HubRequest:
    """What a request states.

    Attributes:
        folder: of the file that holds it; what it was answered with lies there or below.
        file: name of the file.
        collection: of the data, in small letters; empty = several, or not stated.
        first: first day, ``YYYY-MM-DD``; empty = not stated.
        last: last day.
        harmonised: False = digital numbers are asked for as they were made.
        crs: reference system of its bounds; None = not known.
        bounds: west, south, east, north in it; None = not stated.
        outputs: by name.
    """

    folder: str
    file: str
    collection: str = ""
    first: str = ""
    last: str = ""
    harmonised: bool = True
    crs: str | None = None
    bounds: tuple[float, float, float, float] | None = None
    outputs: Mapping[str, ScriptOutput] = field(default_factory=dict)

    @property
    def is_sentinel_2(self) -> bool:
        """True = its bands are those of Sentinel-2, at a level that is known."""
        return self.collection in _LEVELS

    def covers(self, name: str) -> bool:
        """Tell whether a file may be what it was answered with: it lies there, and its name states no other day."""
        if self.folder and not name.startswith(f"{self.folder}/"):
            return False
        day = date_in(name[len(self.folder) :]) if self.first else None
        return day is None or self.first <= day <= self.last

    def hints(self) -> Hints:
        """Return what it states of date and level; a day only where it asked for a single one."""
        level = _LEVELS.get(self.collection)
        one_day = self.first and self.first == self.last
        return Hints(
            date=Hint(value=self.first, where=_WHERE) if one_day else None,
            period=f"{self.first} to {self.last}" if self.first and not one_day else None,
            level=Hint(value=level, where=_WHERE) if level else None,
        )


def hub_requests(texts: Mapping[str, str]) -> dict[str, HubRequest]:
    """Return the requests among texts of JSON files, both by their names with folders."""
    found = {}
    for name, text in texts.items():
        asked = _request(json_object(text), _DEEPEST)
        if asked is not None:
            found[name] = _read(name, asked)
    return found


def _request(stated: object, deepest: int) -> dict[str, Any] | None:
    """Return the part of a document that is a request, whatever program put it into what."""
    if not isinstance(stated, dict) or deepest == 0:
        return None
    given = stated.get("input")
    if isinstance(given, dict) and isinstance(given.get("data"), list) and isinstance(given.get("bounds"), dict):
        return stated
    inner = (_request(stated.get(key), deepest - 1) for key in _WRAPPERS)
    return next((one for one in inner if one is not None), None)


def _read(name: str, asked: Mapping[str, Any]) -> HubRequest:
    path = PurePosixPath(name)
    folder = "" if str(path.parent) == "." else str(path.parent)
    bounds, data = asked["input"]["bounds"], [one for one in asked["input"]["data"] if isinstance(one, dict)]
    crs, box = _place(bounds)
    if len(data) != 1:
        return HubRequest(folder=folder, file=path.name, crs=crs, bounds=box)
    processing, script = _object(data[0], "processing"), asked.get("evalscript")
    first, last = _days(_object(_object(data[0], "dataFilter"), "timeRange"))
    return HubRequest(
        folder=folder,
        file=path.name,
        collection=str(data[0].get("type", "")).lower(),
        first=first,
        last=last,
        harmonised=processing.get("harmonizeValues") is not False,
        crs=crs,
        bounds=box,
        outputs=plain_outputs(script) if isinstance(script, str) else {},
    )


def _object(stated: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = stated.get(key)
    return value if isinstance(value, dict) else {}


def _days(stated: Mapping[str, Any]) -> tuple[str, str]:
    """Return first and last day in universal time of a range, which ends before it does."""
    try:
        first, last = (datetime.datetime.fromisoformat(str(stated[key])) for key in ("from", "to"))
        if last > first:
            last -= datetime.timedelta(seconds=1)
        first, last = (one if one.tzinfo is None else one.astimezone(datetime.UTC) for one in (first, last))
    except (KeyError, ValueError, TypeError, OverflowError):
        return "", ""
    days = [valid_date(moment.date().isoformat()) for moment in (first, last)]
    return (days[0], days[1]) if days[0] and days[1] else ("", "")


def _place(bounds: Mapping[str, Any]) -> tuple[str | None, tuple[float, float, float, float] | None]:
    """Return reference system and rectangle; nothing of the rectangle where a shape is asked for."""
    named = str(_object(bounds, "properties").get("crs", ""))
    epsg = _EPSG.fullmatch(named)
    crs = f"EPSG:{epsg[1]}" if epsg else "EPSG:4326" if not named or _DEGREES.fullmatch(named) else None
    if crs is not None and not _lies_on_a_map(crs):
        return None, None
    box = bounds.get("bbox")
    usable = (
        isinstance(box, list)
        and len(box) == 4
        and all(isinstance(one, (int, float)) and abs(one) < _FARTHEST for one in box)
        and box[2] - box[0] > _NARROWEST
        and box[3] - box[1] > _NARROWEST
    )
    return crs, (float(box[0]), float(box[1]), float(box[2]), float(box[3])) if usable and box else None


def _lies_on_a_map(crs: str) -> bool:
    """Tell whether a code is that of a reference system of two axes."""
    try:
        known = CRS.from_user_input(crs)
    except CRSError:
        return False
    return known.is_projected or (known.is_geographic and len(known.axis_info) == 2)


def refuse_other_collections(requests: Mapping[str, HubRequest], settings: IngestSettings) -> None:
    """Refuse what a request states to be data of another satellite, unless a person says what its bands are.

    Raises:
        SourceError: naming the collection.
    """
    for one in requests.values():
        other = one.collection and not one.is_sentinel_2 and not one.collection.startswith(_OWN_DATA)
        if other and settings.bands is None:
            found = f"the request beside it, “{clean_name(one.file, 60)}”, asks for “{clean_name(one.collection, 40)}”"
            remedy = "choose a Sentinel-2 product, or name the bands and the scale under “How to read files”"
            raise SourceError(found=f"{found}, which is no Sentinel-2", remedy=remedy)


def answered(raster: RasterFile, requests: Sequence[HubRequest]) -> RasterFile:
    """Return a raster with what the request for it states of its bands, numbers and place, and the raster does not."""
    asked = [one for one in requests if one.covers(raster.name)]
    if len(asked) != 1:
        return raster
    raster = _placed(raster, asked[0])
    output = _output_of(raster, asked[0])
    if output is None or not asked[0].is_sentinel_2:
        return raster
    nameless = not any(raster.descriptions) or names_positions(raster.descriptions)
    names = tuple(band.name for band in output.bands)
    if not nameless and tuple(map(parse_band, raster.descriptions)) != tuple(map(parse_band, names)):
        return raster
    pairs = [_scaling(band, output.kind, harmonised=asked[0].harmonised) for band in output.bands]
    return replace(
        raster,
        descriptions=names if nameless else raster.descriptions,
        scaling=tuple(own or pair for own, pair in zip(raster.scaling, pairs, strict=True)),
        stated_by=(*raster.stated_by, asked[0].file),
    )


def _output_of(raster: RasterFile, asked: HubRequest) -> ScriptOutput | None:
    """Return the output that a file is, by its name, or as the only one; None where it differs from it."""
    stem = PurePosixPath(raster.name).stem
    only = next(iter(asked.outputs.values())) if len(asked.outputs) == 1 and stem in _UNNAMED else None
    output = asked.outputs.get(stem) or only
    if output is None or len(output.bands) != raster.count:
        return None
    return output if set(raster.dtypes) <= _DTYPES.get(output.kind, frozenset()) else None


def _scaling(band: OutputBand, kind: str, *, harmonised: bool) -> Scaling | None:
    """Return what is reflectance in the numbers of a band; None where the request leaves it open.

    In 8 bits brighter light than that of reflectance 1 may be cut off, but never darker.
    """
    per_unit = _PER_UNIT.get(band.unit)
    if parse_band(band.name) is None or per_unit is None or band.factor <= 0:
        return None
    one = per_unit * band.factor * (255 if kind == "AUTO" else 1)
    cut = kind in {"AUTO", "UINT8"} and one > 255
    raw = band.unit == "DN" and not harmonised
    return None if raw or cut or (kind != "FLOAT32" and one < _STEPS) else (1 / one, 0.0)


def _placed(raster: RasterFile, asked: HubRequest) -> RasterFile:
    """Return a raster without a place of its own in the rectangle that was asked for."""
    box = raster.geobox
    if box.placed or asked.crs is None or asked.bounds is None:
        return raster
    west, south, east, north = asked.bounds
    transform = ((east - west) / box.width, 0.0, west, 0.0, (south - north) / box.height, north)
    return replace(
        raster, geobox=GeoBox(crs=asked.crs, transform=transform, height=box.height, width=box.width), notes=()
    )
