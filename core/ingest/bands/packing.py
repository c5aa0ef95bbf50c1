"""Scale and offset of packed numbers as items of metadata state them; what GDAL keeps of its own counts before."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.ingest.grid.stack import Scaling

PACKING_ITEMS = ("scale_factor", "add_offset")
"""Names of the items (CF Conventions 1.11, section 8.1), which netCDF, xarray and HLS write."""


def usable_scaling(scale: float, offset: float) -> Scaling | None:
    """Return what tags state; None for 1 and 0, which GDAL gives where they state nothing, and for what is no scale."""
    if (scale, offset) == (1, 0) or not (math.isfinite(scale) and math.isfinite(offset)) or scale <= 0:
        return None
    return float(scale), float(offset)


def packing_of(items: Mapping[str, str]) -> Scaling | None:
    """Return what items of metadata state, number × scale + offset, or None.

    Args:
        items: text by name, in any letters.
    """
    small = {key.lower().rpartition("#")[2]: value for key, value in items.items()}
    if not any(key in small for key in PACKING_ITEMS):
        return None
    try:
        return usable_scaling(float(small.get("scale_factor", "1")), float(small.get("add_offset", "0")))
    except ValueError:
        return None
