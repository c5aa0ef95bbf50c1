"""Which Sentinel-2 band a file name or a band description names; what the pixels say is ``bands.order``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_CODE = re.compile(r"(?<![A-Za-z0-9])(?:B|BAND[ _-]?)(0?[1-9]|1[0-2]|0?8A)(?![A-Za-z0-9])", re.IGNORECASE)
_RESOLUTION = re.compile(r"(?<![A-Za-z0-9])R?(10|20|60)m(?![A-Za-z0-9])", re.IGNORECASE)
_NEVER = re.compile(
    r"(?<![A-Za-z0-9])(TCI|SCL|AOT|WVP|PVI|MSK|DETFOO|QUALIT|CLASSI|CLDPRB|SNWPRB|CLD|CLP|CLM|SNW|QA\d*|DATAMASK|QL|"
    r"PREVIEW|QUICKLOOK|THUMBNAIL|OVERVIEW|TRUE[ _-]?COLOU?R|FALSE[ _-]?COLOU?R|NDVI|NDWI|EVI)(?![A-Za-z0-9])",
    re.IGNORECASE,
)

COMMON_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "coastal": "B01", "coastal aerosol": "B01", "blue": "B02", "green": "B03", "red": "B04",
        "rededge1": "B05", "red edge 1": "B05", "rededge2": "B06", "red edge 2": "B06",
        "rededge3": "B07", "red edge 3": "B07", "nir": "B08", "nir08": "B8A", "rededge4": "B8A", "narrow nir": "B8A",
        "nir09": "B09", "water vapour": "B09", "water vapor": "B09", "cirrus": "B10",
        "swir16": "B11", "swir1": "B11", "swir 1": "B11", "swir22": "B12", "swir2": "B12", "swir 2": "B12",
    }
)  # fmt: skip
"""Common names of bands in catalogues (STAC extension ``eo``, v1.1) and as people write them."""


def parse_band(text: str) -> str | None:
    """Return the band named by a description or the stem of a file name, or None.

    ``B4``, ``b04``, ``Band 8A``, ``…_B04_(Raw)``, ``T32TQM_…_B02_10m`` and the common names of catalogues are read;
    where a text names two different bands, none is.
    """
    common = COMMON_NAMES.get(text.strip().lower())
    if common is not None:
        return common
    found = {_canonical(code) for code in _CODE.findall(text)}
    return found.pop() if len(found) == 1 else None


def band_of_file(stem: str) -> str | None:
    """Return the band that the stem of a file name names; None for pictures, masks, classifications and indices."""
    return None if names_other_layer(stem) else parse_band(stem)


def names_other_layer(text: str) -> bool:
    """Return True for names of layers that are no spectral band, even where they name one (``MSK_DETFOO_B02``)."""
    return _NEVER.search(text) is not None


def stated_resolution(text: str) -> int | None:
    """Return the metres a pixel that a name states last: 10, 20 or 60 (``R20m`` folders, ``_60m`` endings), or None."""
    found = _RESOLUTION.findall(text)
    return int(found[-1]) if found else None


def _canonical(code: str) -> str:
    return "B8A" if code.upper().endswith("A") else f"B{int(code):02d}"
