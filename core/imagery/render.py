"""Pictures of scenes and patches: renderings, contrast, thumbnails, quick looks. Map tiles are ``imagery.tiles``."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import Resampling
from rasterio.windows import Window

from core.bands import fill_source, normalised_difference
from core.errors import SettingsError
from core.imagery.locator import patch_locator, scene_locator
from core.imagery.ramps import LEVELS, NDVI_RAMP, ByteArray, Ramp
from core.scenes.patches import PatchGrid
from core.scenes.raster_pool import POOL
from core.scenes.scene import REFLECTANCE_SCALE, Scene

DigitalNumbers = NDArray[np.uint16]
Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """A way to show bands as colours.

    Attributes:
        title: what pages call it.
        bands: what goes in: red, green, blue; or (a, b), shown as (a − b) / (a + b) by ``ramp``.
        ramp: colours of an index, or None; its stops are the legend.
        least_share: the least range of a channel as a share of the widest channel's. Where colours are to be as the eye
            sees them the ranges are nearly one; else hazy water, of which blue and green vary least, comes out white.
    """

    title: str
    bands: tuple[str, ...]
    ramp: Ramp | None = None
    least_share: float = 0.5


RENDERINGS: Mapping[str, Rendering] = MappingProxyType(
    {
        "true": Rendering(title="True colour", bands=("B04", "B03", "B02"), least_share=0.8),
        "false": Rendering(title="False colour", bands=("B08", "B04", "B03")),
        "swir": Rendering(
            title="Short-wave infrared",
            bands=("B12", "B8A", "B04"),
        ),
        "ndvi": Rendering(title="NDVI", bands=("B08", "B04"), ramp=NDVI_RAMP),
    }
)
"""All renderings by the name used in addresses."""


def renderings_of(present: Collection[str]) -> list[str]:
    """Return names of the renderings that suit a scene with these bands: an index needs both of its bands."""
    return [name for name, item in RENDERINGS.items() if item.ramp is None or set(item.bands) <= set(present)]


CONTRASTS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"soft": (-0.1, 0.5), "normal": (0.0, 0.0), "strong": (0.08, -0.3)}
)
"""By name: how far the low and the high end of the stretch move, in shares of its width."""

SAMPLE_SIDE = 512
MIN_SPAN = 0.04
"""The least range of reflectance spread over black to white: dark, even scenes must not become pictures of noise."""
BRIGHT_SHARE = 2.0
"""Range from the 2nd percentile as a multiple of that to the 90th, at most: a few clouds must not darken the land."""
GAMMA = 1.25
"""Lifts the dark end a little, where forests and water lie."""
DEFAULT_RANGE: Range = (0.0, 0.3)
THUMBNAIL_SIDES = (64, 96, 128, 192, 256)
WEBP_QUALITY = 85


def compute_stretch(pixels_path: Path, bands: Sequence[str]) -> dict[str, list[list[float]]]:
    """Return the contrast of a scene's pictures: per rendering, per channel, (low, high) reflectance.

    Low and high are the 2nd and 98th percentile of the valid pixels of an overview. High is lowered where few pixels
    are far brighter than the rest (``BRIGHT_SHARE``), and raised where the range is narrower than ``MIN_SPAN`` or than
    ``Rendering.least_share`` of the widest channel's, so that an even channel brings no false colour.

    Args:
        pixels_path: a canonical GeoTIFF, overviews built.
        bands: its bands in file order.
    """
    renderings = {name: item for name, item in RENDERINGS.items() if item.ramp is None}
    wanted = sorted({band for item in renderings.values() for band in item.bands})
    ranges = dict(zip(wanted, _percentiles(pixels_path, bands, wanted), strict=True))
    return {
        name: _balance([ranges[band] for band in item.bands], item.least_share) for name, item in renderings.items()
    }


def _percentiles(path: Path, bands: Sequence[str], wanted: Sequence[str]) -> list[Range]:
    """(2 %, 98 %) reflectance of each wanted band."""
    with rasterio.open(path, driver="GTiff") as data:
        shape = _shrunk(data.shape, SAMPLE_SIDE)
        valid = data.read(1, out_shape=shape) != 0
        if not valid.any():
            return [DEFAULT_RANGE] * len(wanted)
        return [_percentile(data, bands, name, valid) for name in wanted]


def _percentile(data: rasterio.DatasetReader, bands: Sequence[str], name: str, valid: NDArray[np.bool_]) -> Range:
    source = fill_source(name, bands)
    if source is None:
        return DEFAULT_RANGE
    numbers = data.read(bands.index(source) + 1, out_shape=valid.shape)[valid]
    low, most, high = np.percentile(numbers, (2, 90, 98)) / REFLECTANCE_SCALE
    return float(low), float(min(high, low + BRIGHT_SHARE * (most - low)))


def _balance(ranges: Sequence[Range], least_share: float) -> list[list[float]]:
    """Return ranges widened upward to the least span."""
    least = max(MIN_SPAN, least_share * max(high - low for low, high in ranges))
    return [[round(low, 5), round(max(high, low + least), 5)] for low, high in ranges]


def _shrunk(shape: tuple[int, int], side: int) -> tuple[int, int]:
    scale = max(1.0, max(shape) / side)
    return max(1, round(shape[0] / scale)), max(1, round(shape[1] / scale))


def rendering(name: str) -> Rendering:
    """Return a rendering by name.

    Raises:
        SettingsError: for an unknown name.
    """
    if name not in RENDERINGS:
        raise SettingsError("Drawing a picture", "that rendering is unknown", f"choose {', '.join(RENDERINGS)}")
    return RENDERINGS[name]


@dataclass(frozen=True, kw_only=True)
class Palette:
    """How numbers of one scene become colours in one rendering and contrast; from ``palette``.

    Attributes:
        indexes: 1-based bands of the canonical file, one a band of the rendering (stand-ins for missing ones).
        ranges: (low, high) reflectance of each channel; empty for an index.
        ramp: of an index, or None.
    """

    indexes: tuple[int, ...]
    ranges: tuple[Range, ...]
    ramp: Ramp | None

    def paint(self, numbers: DigitalNumbers) -> ByteArray:
        """Colours, uint8 of shape (height, width, 3), of canonical numbers of shape (len(indexes), height, width)."""
        if self.ramp is not None:
            scaled = numbers.astype(np.float32)
            return _painted_index(normalised_difference(scaled[0], scaled[1]), self.ramp)
        channels = [_tone_curve(*limits)[number] for limits, number in zip(self.ranges, numbers, strict=True)]
        return np.stack(channels, axis=-1)


def palette(scene: Scene, name: str, contrast: str = "normal") -> Palette:
    """Return the palette of a scene.

    Raises:
        SettingsError: for an unknown rendering or contrast.
    """
    item = rendering(name)
    if contrast not in CONTRASTS:
        raise SettingsError("Drawing a picture", "that contrast is unknown", f"choose {', '.join(CONTRASTS)}")
    stand_ins = [fill_source(band, scene.bands) or scene.bands[0] for band in item.bands]
    indexes = tuple(scene.bands.index(band) + 1 for band in stand_ins)
    if item.ramp is not None:
        return Palette(indexes=indexes, ranges=(), ramp=item.ramp)
    stored = scene.stretch.get(name) or [list(DEFAULT_RANGE)] * len(item.bands)
    ranges = tuple(_shifted((low, high), *CONTRASTS[contrast]) for low, high in stored)
    return Palette(indexes=indexes, ranges=ranges, ramp=None)


def _shifted(limits: Range, low_share: float, high_share: float) -> Range:
    low, high = limits
    width = max(high - low, 1e-4)
    return low + low_share * width, high + high_share * width


@lru_cache(maxsize=256)
def _tone_curve(low: float, high: float) -> ByteArray:
    """Return the byte of every canonical number; 1 KiB × 64 a curve."""
    reflectance = np.arange(65536, dtype=np.float32) / np.float32(REFLECTANCE_SCALE)
    share = np.clip((reflectance - low) / (high - low), 0, 1)
    curve: ByteArray = (255 * share ** (1 / GAMMA) + 0.5).astype(np.uint8)
    curve.flags.writeable = False
    return curve


@lru_cache(maxsize=16)
def _colours(ramp: Ramp) -> ByteArray:
    return ramp.table()


def _painted_index(values: NDArray[np.float32], ramp: Ramp) -> ByteArray:
    level = (values - ramp.low) * ((LEVELS - 1) / (ramp.high - ramp.low)) + 0.5
    colours: ByteArray = _colours(ramp)[np.clip(level, 0, LEVELS - 1).astype(np.uint8)]
    return colours


def thumbnail(scene: Scene, grid: PatchGrid, patch_id: int, name: str, size: int | None = None) -> bytes:
    """Return a patch's picture as WebP, in the scene's own stretch, so that thumbnails of a scene compare.

    Of a scene without pixels it shows where the patch lies.

    Args:
        scene: the scene.
        grid: its patches.
        patch_id: which one.
        name: the rendering.
        size: pixels a side, of ``THUMBNAIL_SIDES``; None = as many as the patch has.

    Raises:
        PatchError: when there is no such patch.
        SettingsError: for an unknown rendering or size.
    """
    if size is not None and size not in THUMBNAIL_SIDES:
        choice = ", ".join(str(side) for side in THUMBNAIL_SIDES)
        raise SettingsError("Drawing a thumbnail", f"{size} pixels a side", f"choose {choice}")
    if not scene.has_pixels:
        return patch_locator(scene, grid, patch_id, size or THUMBNAIL_SIDES[-1])
    row, col, height, width = grid.window(patch_id)
    paints = palette(scene, name)
    with POOL.borrow(scene.pixels_path) as data:
        numbers = data.read(paints.indexes, window=Window(col, row, width, height))
    image = picture(paints.paint(numbers), numbers[0] != 0)
    if size is not None and size != image.width:
        image = image.resize((size, size), Image.Resampling.BICUBIC if size < image.width else Image.Resampling.NEAREST)
    return file_bytes(image, "WEBP", quality=WEBP_QUALITY, method=2)


def quicklook(scene: Scene, name: str, max_side: int = 512) -> bytes:
    """Return the whole scene as WebP, its longer side at most ``max_side`` pixels (16 to 2048).

    Raises:
        SettingsError: for an unknown rendering or a size out of range.
    """
    if not 16 <= max_side <= 2048:
        raise SettingsError("Drawing a quick look", f"{max_side} pixels", "choose 16 to 2048")
    if not scene.has_pixels:
        return scene_locator(scene, max_side)
    paints = palette(scene, name)
    with POOL.borrow(scene.pixels_path) as data:
        shape = (len(paints.indexes), *_shrunk(data.shape, max_side))
        numbers = data.read(paints.indexes, out_shape=shape, resampling=Resampling.average)
    return file_bytes(picture(paints.paint(numbers), numbers[0] != 0), "WEBP", quality=WEBP_QUALITY, method=2)


def picture(colours: ByteArray, valid: NDArray[np.bool_]) -> Image.Image:
    """Return an image of colours (height, width, 3); transparent where ``valid`` is False."""
    if valid.all():
        return Image.fromarray(colours)
    alpha = np.where(valid, np.uint8(255), np.uint8(0))
    return Image.fromarray(np.dstack([np.where(valid[..., None], colours, np.uint8(0)), alpha]))


def file_bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an image file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


TILE_SIDE = 256
EMPTY_TILE = file_bytes(Image.new("LA", (TILE_SIDE, TILE_SIDE)), "PNG")
"""The map tile where a scene has nothing."""


def veil_png(colours: ByteArray, valid: NDArray[np.bool_], alpha: int) -> bytes:
    """Return a map tile's file that what lies below shows through; ``alpha`` is 0 to 255."""
    if not valid.any():
        return EMPTY_TILE
    return file_bytes(Image.fromarray(np.dstack([colours, valid * np.uint8(alpha)])), "PNG", compress_level=1)


def tile_png(colours: ByteArray, valid: NDArray[np.bool_]) -> bytes:
    """Return a map tile's file; the constant when nothing is valid."""
    return file_bytes(picture(colours, valid), "PNG", compress_level=1) if valid.any() else EMPTY_TILE
