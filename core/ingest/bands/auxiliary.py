"""What GDAL's .aux.xml beside a raster states of its bands; its place is ``formats.world_file``.

It is searched as text, never parsed as XML. What the raster itself states counts before.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from core.ingest.bands.names import names_positions
from core.ingest.bands.packing import usable_scaling
from core.ingest.files import Member, Shelf
from core.ingest.findings import finding
from core.ingest.formats.geotiff import RasterFile
from core.ingest.grid.stack import Scaling
from core.ingest.messages import clean_name
from core.scenes.quality import Finding

_MOST_BYTES = 2**20
_SHOWN = 4
_BAND = re.compile(r"<PAMRasterBand\s+band=\"(\d{1,3})\"[^<>]{0,100}>(.*?)</PAMRasterBand>", re.DOTALL)
_FIELD = re.compile(r"<(Description|NoDataValue|Scale|Offset)(?:\s[^<>]{0,100})?>([^<>]{0,200})</\1>")


@dataclass(frozen=True, kw_only=True)
class _Stated:
    """What a file states of bands, by 1-based band.

    Attributes:
        name: of the file.
        texts: what bands are called.
        nodata: values that stand for no data.
        scaling: scale and offset.
    """

    name: str
    texts: Mapping[int, str]
    nodata: Mapping[int, float]
    scaling: Mapping[int, Scaling]


def stated_beside(raster: RasterFile, members: Sequence[Member], shelf: Shelf) -> RasterFile:
    """Return a raster with names, no-data values and scales of bands that files beside it state and it does not.

    Args:
        raster: the raster.
        members: files of the source.
        shelf: gives their content.
    """
    for member in _beside(raster.name, members):
        text = shelf.path(member).read_text(encoding="utf-8", errors="replace")
        raster = _with(raster, _of_pam(text, member.base))
    return raster


def stated_said(rasters: Sequence[RasterFile]) -> list[Finding]:
    """Say which files beside rasters state something of their bands; empty when none does."""
    names = sorted({name for raster in rasters for name in raster.stated_by})
    if not names:
        return []
    shown = ", ".join(clean_name(name, 100) for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    because = "beside the raster, and it states names, no data or scale of bands that the raster does not"
    return [finding("stated by", f"{shown}{more}", "read", because)]


def _beside(name: str, members: Sequence[Member]) -> list[Member]:
    wanted = {f"{name}.aux.xml", f"{PurePosixPath(name).with_suffix('')}.aux.xml"}
    return [m for m in members if m.name in wanted and m.size <= _MOST_BYTES]


def _of_pam(text: str, name: str) -> _Stated:
    """Read GDAL's persistent auxiliary metadata."""
    texts, nodata, scaling = {}, {}, {}
    for number, inside in _BAND.findall(text):
        fields = {key: html.unescape(value).strip() for key, value in _FIELD.findall(inside)}
        band = int(number)
        if fields.get("Description"):
            texts[band] = fields["Description"]
        if (value := _number(fields.get("NoDataValue", ""))) is not None:
            nodata[band] = value
        scale, offset = _number(fields.get("Scale", "1")), _number(fields.get("Offset", "0"))
        if scale is not None and offset is not None and (pair := usable_scaling(scale, offset)):
            scaling[band] = pair
    return _Stated(name=name, texts=texts, nodata=nodata, scaling=scaling)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _with(raster: RasterFile, stated: _Stated) -> RasterFile:
    """Fill in what a raster does not state itself."""
    bands, told = range(1, raster.count + 1), list(enumerate(raster.descriptions, 1))
    counted = names_positions(raster.descriptions)
    texts = tuple((stated.texts.get(n, text) if counted else text or stated.texts.get(n, "")) for n, text in told)
    nodata = tuple(stated.nodata.get(n) if raster.nodata[n - 1] is None else raster.nodata[n - 1] for n in bands)
    scaling = tuple(raster.scaling[n - 1] or stated.scaling.get(n) for n in bands)
    if (texts, nodata, scaling) == (raster.descriptions, raster.nodata, raster.scaling):
        return raster
    stated_by = (*raster.stated_by, stated.name)
    return replace(raster, descriptions=texts, nodata=nodata, scaling=scaling, stated_by=stated_by)
