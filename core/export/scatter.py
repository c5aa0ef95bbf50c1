"""Patches as coloured dots on a picture: the plot on paper, and a collection on the ground of its map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.imagery.ground.drawing import GROUND_FINE, ground_picture
from core.imagery.ramps import ByteArray
from core.scenes.geobox import METRES_PER_DEGREE
from core.scenes.location import Bounds
from core.scenes.webmercator import RADIUS, SIDE, WORLD, TileSquare, mercator_y

_SMOOTH = 2
"""Pixels that are drawn along one that is kept."""
_EDGE = 48
_LEAST_DOT, _MEASURED = 4.5, 3000
"""Pixels of a dot's radius on a map at least, and of how many dots the distance to the next is measured, about."""
_RIM, _RING = (40, 44, 48), (209, 25, 111)
_ACROSS, _LEAST_KM, _WIDEST = 700, 100.0, 10.0
"""Half the pixels of a collection's map from west to east, kilometres that it shows at least, and degrees of latitude
over which a scale bar still means something."""


def plotted(
    points: NDArray[np.float32], colours: ByteArray, *, ringed: NDArray[np.int64], side: int = 1200
) -> Image.Image:
    """Return the plot as a picture: RGB.

    Args:
        points: x and y of each patch, shape (N, 2), of any scale; the same for both axes.
        colours: uint8 of shape (N, 3).
        ringed: rows of what was asked about and found, the first with a stronger ring.
        side: pixels of the longer side; the other is at least a third of it.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (side - 2 * _EDGE) / max(float((high - low).max()), 1e-9)
    width, height = (max(side // 3, round(float(span) * scale) + 2 * _EDGE) for span in high - low)
    spots = (points - (low + high) / 2) * [scale, -scale] + [width / 2, height / 2]
    radius = float(np.clip(6 * np.sqrt(900 / max(len(points), 1)), 1.5, 7))
    return dotted(Image.new("RGB", (width, height), "#ffffff"), spots, colours, radius, ringed=ringed)


def dotted(
    picture: Image.Image,
    spots: NDArray[np.float64],
    colours: ByteArray,
    radius: float,
    *,
    ringed: NDArray[np.int64] | None = None,
    rim: bool = False,
) -> Image.Image:
    """Return a picture with a dot at each spot, later ones over earlier.

    Args:
        picture: what they are drawn on.
        spots: columns and rows in pixels, shape (N, 2).
        colours: uint8 of shape (N, 3).
        radius: pixels.
        ringed: which are ringed, the first most; drawn last.
        rim: True = dots have a dark rim, as on the map.
    """
    large = picture.resize((picture.width * _SMOOTH, picture.height * _SMOOTH))
    draw = ImageDraw.Draw(large)
    at, size = spots * _SMOOTH, radius * _SMOOTH
    for (x, y), colour in zip(at.tolist(), colours.tolist(), strict=True):
        box = (x - size, y - size, x + size, y + size)
        draw.ellipse(box, fill=tuple(colour), outline=_RIM if rim else None, width=_SMOOTH)
    for order, row in enumerate(() if ringed is None else ringed.tolist()):
        (x, y), far = at[row], size + (5 if order == 0 else 2) * _SMOOTH
        draw.ellipse((x - far, y - far, x + far, y + far), outline=_RING, width=(4 if order == 0 else 2) * _SMOOTH)
    return large.reduce(_SMOOTH)


def mapped(bounds: Bounds, centres: NDArray[np.float64], colours: ByteArray) -> tuple[Image.Image, float | None]:
    """Return a collection's patches on the ground, and metres of a pixel; None where the map is too tall for a bar.

    Args:
        bounds: west, south, east, north in degrees; east may exceed 180.
        centres: longitudes and latitudes in degrees, shape (N, 2).
        colours: uint8 of shape (N, 3).
    """
    west, south, east, north = bounds
    left, right = np.radians([west, east]) * RADIUS
    bottom, top = mercator_y(np.array([south, north]))
    narrow = float(np.cos(np.radians((south + north) / 2)))
    least = _LEAST_KM * 1000 / max(narrow, 0.1)
    wide, high = max(1.12 * (right - left), least), max(1.12 * (top - bottom), least)
    across = _ACROSS if wide >= high else max(_ACROSS // 2, round(_ACROSS * wide / high))
    pixel = max(wide / across, high / _ACROSS)
    down = min(_ACROSS, max(_ACROSS // 2, round(high / pixel)))
    corner = (left + right - across * pixel) / 2, (bottom + top + down * pixel) / 2
    zoom = max(0, min(12, round(np.log2(WORLD / SIDE / pixel))))
    ground = ground_picture(TileSquare(left=corner[0], top=corner[1], pixel=pixel), across, down, "light", zoom=zoom)
    x = np.radians(centres[:, 0]) * RADIUS
    x = x + WORLD * np.round(((left + right) / 2 - x) / WORLD)
    spots = np.column_stack([x - corner[0], corner[1] - mercator_y(centres[:, 1])]) * GROUND_FINE / pixel
    seen = np.isfinite(spots).all(axis=1)
    tall = down * pixel * narrow > _WIDEST * METRES_PER_DEGREE
    metres = None if tall else pixel * narrow / GROUND_FINE
    return dotted(ground, spots[seen], colours[seen], dot_radius(spots[seen], _LEAST_DOT), rim=True), metres


def dot_radius(spots: NDArray[np.float64], least: float, largest: float = 14.0) -> float:
    """Return pixels of the radius of dots: as large as there is room for between neighbours, at the median.

    Args:
        spots: columns and rows in pixels, shape (N, 2), finite.
        least: pixels at least.
        largest: pixels at most.
    """
    from scipy.spatial import cKDTree

    if len(spots) < 2:
        return largest
    apart, _ = cKDTree(spots).query(spots[:: max(1, len(spots) // _MEASURED)], k=2)
    return float(np.clip(0.42 * np.median(apart[:, 1]), least, largest))
