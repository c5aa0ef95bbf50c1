"""Pictures of scenes and patches: renderings, contrast, thumbnails, quick looks. Map tiles are ``core.tiles``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import rasterio
from numpy.typing import NDArray

from core.bands import fill_source
from core.scene import REFLECTANCE_SCALE


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """A way to show bands as colours.

    Attributes:
        title: what pages call it.
        bands: what goes in, in the order red, green, blue; two bands (a, b) show (a − b) / (a + b) by a ramp.
        shows: what stands out in it, one clause.
    """

    title: str
    bands: tuple[str, ...]
    shows: str


RENDERINGS: Mapping[str, Rendering] = MappingProxyType(
    {
        "true": Rendering(title="True colour", bands=("B04", "B03", "B02"), shows="as the eye would see it"),
        "false": Rendering(
            title="False colour", bands=("B08", "B04", "B03"), shows="plants in red, water in black or blue"
        ),
        "swir": Rendering(
            title="Short-wave infrared",
            bands=("B12", "B8A", "B04"),
            shows="plants in green, bare soil in brown or pink",
        ),
        "ndvi": Rendering(title="NDVI", bands=("B08", "B04"), shows="how dense and green plants are"),
    }
)
"""All renderings by the name used in addresses."""

SAMPLE_SIDE = 512
MIN_SPAN = 0.04
"""The least range of reflectance spread over black to white: dark, even scenes must not become pictures of noise."""
MIN_SHARE = 0.5
"""The least range of a channel as a share of the widest channel's, so that an even channel brings no false colour."""
DEFAULT_RANGE = (0.0, 0.3)


def compute_stretch(pixels_path: Path, bands: Sequence[str]) -> dict[str, list[list[float]]]:
    """The contrast of a scene's pictures: per rendering, per channel, (low, high) reflectance.

    Low and high are the 2nd and 98th percentile of the valid pixels of an overview; the range is widened upward where
    it is narrower than ``MIN_SPAN`` or than ``MIN_SHARE`` of the widest channel's.

    Args:
        pixels_path: a canonical GeoTIFF, overviews built.
        bands: its bands in file order.
    """
    renderings = {name: item for name, item in RENDERINGS.items() if len(item.bands) == 3}
    wanted = sorted({band for item in renderings.values() for band in item.bands})
    ranges = dict(zip(wanted, _percentiles(pixels_path, bands, wanted), strict=True))
    return {name: _balance([ranges[band] for band in item.bands]) for name, item in renderings.items()}


def _percentiles(path: Path, bands: Sequence[str], wanted: Sequence[str]) -> list[tuple[float, float]]:
    """(2 %, 98 %) reflectance of each wanted band."""
    with rasterio.open(path, driver="GTiff") as data:
        scale = max(1.0, max(data.shape) / SAMPLE_SIDE)
        shape = tuple(max(1, round(side / scale)) for side in data.shape)
        valid = data.read(1, out_shape=shape) != 0
        if not valid.any():
            return [DEFAULT_RANGE] * len(wanted)
        return [_percentile(data, bands, name, valid) for name in wanted]


def _percentile(
    data: rasterio.DatasetReader, bands: Sequence[str], name: str, valid: NDArray[np.bool_]
) -> tuple[float, float]:
    source = fill_source(name, bands)
    if source is None:
        return DEFAULT_RANGE
    numbers = data.read(bands.index(source) + 1, out_shape=valid.shape)[valid]
    low, high = np.percentile(numbers, (2, 98)) / REFLECTANCE_SCALE
    return float(low), float(high)


def _balance(ranges: Sequence[tuple[float, float]]) -> list[list[float]]:
    """Ranges widened upward to the least span."""
    least = max(MIN_SPAN, MIN_SHARE * max(high - low for low, high in ranges))
    return [[round(low, 5), round(max(high, low + least), 5)] for low, high in ranges]
