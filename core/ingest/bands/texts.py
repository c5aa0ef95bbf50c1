"""What a raster calls its bands: in their descriptions, in items of metadata of each band, or in a list for all."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

BAND_ITEMS = (
    "long_name", "netcdf_varname", "band_name", "bandname", "name", "eo:common_name", "common_name", "band",
    "description", "standard_name",
)  # fmt: skip
"""Items of metadata that name a band, the surest first, in small letters (openEO, GDAL, xarray, STAC)."""
_LISTS = ("long_name", "band_names", "bandnames", "bands", "descriptions")
_QUOTES = " '\"[](){}"


def band_texts(descriptions: Sequence[str], items: Mapping[int, str], tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return the text of each band, empty where there is none.

    Args:
        descriptions: texts of the bands as such.
        items: the naming item of metadata of each 1-based band that has one.
        tags: metadata of the whole raster, with a list of all bands (``long_name``) or an item a band (``Band_1``).
    """
    whole = _list_of(tags, len(descriptions))
    return tuple(text or items.get(n, "") or whole[n - 1] for n, text in enumerate(descriptions, 1))


def _list_of(tags: Mapping[str, str], count: int) -> list[str]:
    small = {key.lower(): value for key, value in tags.items()}
    for key in _LISTS:
        texts = _split(small.get(key, ""))
        if len(texts) == count and all(texts):
            return texts
    return [small.get(f"band_{n}", small.get(f"band{n}", "")) for n in range(1, count + 1)]


def _split(text: str) -> list[str]:
    """Return the entries of a list written as Python, as JSON, or with commas."""
    try:
        read = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        read = None
    if isinstance(read, (list, tuple)):
        return [str(entry).strip() for entry in read]
    return [part.strip(_QUOTES) for part in re.split(r"[,;|]", text)]
