"""Land, sea, lakes and borders as pictures: map tiles, and any other square of the web-mercator world.

Coasts are known to some hundred metres. Nearer than that is worth, they are drawn as soft as they are known, so that
nobody takes them for a line.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from core.imagery.ground.shapes import BORDERS, LAKES, LAND, NEAR_DETAIL, Trace, level_of, rings_in
from core.scenes.location import Bounds
from core.scenes.webmercator import RADIUS, SIDE, WORLD, TileSquare, inverse_mercator, mercator_y, tile_square

GROUND_ZOOM = 12
"""The nearest zoom that is drawn; browsers enlarge it, since nothing in it is sharper than some pixels."""
UNSURE = 300.0
"""Metres in web mercator that a coast of 1 : 10 million may be off, one standard deviation."""
_SOFT_FROM = 1.6
"""Pixels that a coast may be off before it is drawn soft instead of as a line."""
GROUND_FINE, _DENSE = 2, 2
"""Pixels of a tile's picture along one of a tile, for sharp screens; and drawn along one of those, to smooth edges."""
_WIDEST_BLUR = 24.0
_MARK = (209, 25, 111)


@dataclass(frozen=True, kw_only=True)
class Shade:
    """Colours of a ground: red, green, blue, 0 to 255."""

    land: tuple[int, int, int]
    sea: tuple[int, int, int]
    coast: tuple[int, int, int]
    border: tuple[int, int, int]


SHADES = MappingProxyType({
    "light": Shade(land=(236, 233, 225), sea=(207, 221, 228), coast=(140, 163, 175), border=(163, 146, 138)),
    "dark": Shade(land=(47, 54, 57), sea=(25, 33, 38), coast=(92, 110, 119), border=(124, 111, 104)),
})  # fmt: skip


def ground_tile(z: int, x: int, y: int, shade: str) -> bytes:
    """Return a map tile of the ground as PNG of 512 × 512 pixels, twice as dense as a tile's usual ones.

    Args:
        z: zoom, 0 to ``GROUND_ZOOM``.
        x: column, 0 to 2^z − 1 from the antimeridian eastward.
        y: row, 0 to 2^z − 1 from the north.
        shade: of ``SHADES``.
    """
    buffer = io.BytesIO()
    picture = ground_picture(tile_square(z, x, y), SIDE, SIDE, shade, zoom=z)
    picture.quantize(64, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=False, compress_level=6)
    return buffer.getvalue()


def ground_picture(square: TileSquare, width: int, height: int, shade: str, *, zoom: int) -> Image.Image:
    """Return a part of the world, RGB of twice the width and height.

    Args:
        square: where its upper left corner lies and how long a pixel is.
        width: pixels of ``square`` from west to east; more than the world has repeat it.
        height: pixels of ``square`` from north to south.
        shade: of ``SHADES``.
        zoom: of map tiles, whose generalisation is taken.
    """
    sheet = _Sheet(square, width, height, level_of(zoom))
    colours = SHADES[shade]
    picture = _mixed(sheet.land(), colours.sea, colours.land)
    for mask, colour in ((sheet.coasts(), colours.coast), (sheet.borders(), colours.border)):
        if mask is not None:
            picture.paste(colour, (0, 0, *picture.size), mask)
    return picture


def locator(bounds: Bounds, width: int, height: int, shade: str = "light") -> Image.Image:
    """Return a small map of the land around a scene with the scene marked, RGB of twice the width and height.

    It shows 24 times as much as the scene, and at least some 500 kilometres.

    Args:
        bounds: west, south, east, north of the scene in degrees; east may exceed 180.
        width: of the map.
        height: of the map.
        shade: of ``SHADES``.
    """
    west, south, east, north = bounds
    left, right = (math.radians(lon) * RADIUS for lon in (west, east))
    bottom, top = mercator_y(np.array([south, north])).tolist()
    pixel = max(24 * max((right - left) / width, (top - bottom) / height), 500_000 / width)
    pixel = min(pixel, WORLD / width)
    corner = (left + right - width * pixel) / 2, (bottom + top + height * pixel) / 2
    square = TileSquare(left=corner[0], top=corner[1], pixel=pixel)
    zoom = max(0, min(GROUND_ZOOM, round(math.log2(WORLD / SIDE / pixel))))
    picture = ground_picture(square, width, height, shade, zoom=zoom)
    half = [max(8.0, side / pixel * GROUND_FINE / 2) for side in (right - left, top - bottom)]
    middle = width * GROUND_FINE / 2, height * GROUND_FINE / 2
    box = (middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1])
    draw = ImageDraw.Draw(picture)
    for colour, wide in (((255, 255, 255), 5), (_MARK, 3)):
        draw.rectangle(box, outline=colour, width=wide)
    return picture


class _Sheet:
    """A part of the world being drawn, with room around it for what softens into it."""

    def __init__(self, square: TileSquare, width: int, height: int, level: int) -> None:
        self.level, self.wanted = level, (width * GROUND_FINE, height * GROUND_FINE)
        self.unsure = UNSURE / square.pixel * GROUND_FINE if level == NEAR_DETAIL else 0.0
        self.soft = self.unsure > _SOFT_FROM * GROUND_FINE
        self.dense = 1 if self.soft else _DENSE
        self.room = round(2.5 * min(self.unsure, _WIDEST_BLUR)) if self.soft else 2 * GROUND_FINE
        self.pixel = square.pixel / GROUND_FINE / self.dense
        self.left = square.left - self.room * self.dense * self.pixel
        self.top = square.top + self.room * self.dense * self.pixel
        across, down = ((side + 2 * self.room) * self.dense for side in self.wanted)
        self.size = across, down

    def land(self) -> Image.Image:
        """Return where land is, 0 to 255."""
        mask = Image.new("L", self.size)
        for layer, inside, outside in ((LAND, 255, 0), (LAKES, 0, 255)):
            draw = ImageDraw.Draw(mask)
            for ring, places in self._each(layer):
                if len(places) > 2:
                    draw.polygon(places, fill=outside if ring.hole else inside)
        return self._finished(mask)

    def coasts(self) -> Image.Image | None:
        """Return lines along coasts; None where they are drawn soft."""
        return None if self.soft else self._lines((LAND, LAKES), 0.8)

    def borders(self) -> Image.Image | None:
        """Return lines along borders."""
        return self._lines((BORDERS,), 1.2)

    def _lines(self, layers: tuple[str, ...], width: float) -> Image.Image | None:
        mask = Image.new("L", self.size)
        draw = ImageDraw.Draw(mask)
        wide = max(1, round(width * GROUND_FINE * self.dense)) + (round(self.unsure) if self.soft else 0)
        for layer in layers:
            for ring, places in self._each(layer):
                for begin, end in _runs(ring.real):
                    draw.line(places[begin : end + 2], fill=255, width=wide)
        return self._finished(mask) if mask.getbbox() else None

    def _each(self, layer: str) -> Iterator[tuple[Trace, list[tuple[float, float]]]]:
        """Yield what lies here, with its pixels, on each turn of the world that shows."""
        first, last = (int(np.floor((x + WORLD / 2) / WORLD)) for x in (self.left, self._right()))
        for turn in range(first, last + 1):
            shift = turn * WORLD
            for ring in rings_in(layer, self.level, self._bounds(shift)):
                pixels = (ring.metres - [self.left - shift, self.top]) * [1 / self.pixel, -1 / self.pixel]
                yield ring, list(map(tuple, pixels.tolist()))

    def _right(self) -> float:
        return self.left + self.size[0] * self.pixel * (1 - 1e-9)

    def _bounds(self, shift: float) -> Bounds:
        xs = np.array([self.left, self._right()]) - shift
        ys = np.array([self.top - self.size[1] * self.pixel, self.top])
        lon, lat = inverse_mercator(xs, ys)
        return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])

    def _finished(self, mask: Image.Image) -> Image.Image:
        """Soften or smooth, and cut the room off."""
        if self.soft:
            mask = mask.filter(ImageFilter.GaussianBlur(min(self.unsure, _WIDEST_BLUR)))
        else:
            mask = mask.reduce(self.dense)
        return mask.crop((self.room, self.room, self.room + self.wanted[0], self.room + self.wanted[1]))


def _runs(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield first and last index of each stretch of True."""
    if flags.all():
        yield 0, len(flags) - 1
        return
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    yield from ((int(begin), int(end) - 1) for begin, end in zip(edges[::2], edges[1::2], strict=True))


def _mixed(mask: Image.Image, low: tuple[int, int, int], high: tuple[int, int, int]) -> Image.Image:
    """Return a picture of two colours, mixed as a mask says."""
    if mask.getextrema()[0] == mask.getextrema()[1]:
        return Image.new("RGB", mask.size, high if mask.getextrema()[0] else low)
    return Image.composite(Image.new("RGB", mask.size, high), Image.new("RGB", mask.size, low), mask)
