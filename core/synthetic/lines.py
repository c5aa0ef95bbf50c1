"""Lines on the synthetic world's land, and the distance of pixels to them; where lines run is decided elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.synthetic.noise import Box


@dataclass(frozen=True, kw_only=True)
class Course:
    """A line on the land.

    Attributes:
        points: float64 of shape (N, 2), x and y.
        width: float32 of shape (N,), full width in pixels.
        bend: float32 of shape (N,), radians a pixel, positive where the line turns towards its right-hand side (on
            the screen, y down).
    """

    points: NDArray[np.float64]
    width: FloatArray
    bend: FloatArray


def course(points: NDArray[np.float64], width: NDArray[np.float64] | float) -> Course:
    """Return a course through points, its bends computed."""
    ahead = np.gradient(points, axis=0)
    angle = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
    bend = np.gradient(angle) / np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-6)
    return Course(
        points=points,
        width=np.broadcast_to(np.asarray(width, dtype=np.float32), (len(points),)).copy(),
        bend=bend.astype(np.float32),
    )


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Distance of each pixel to the nearest of some courses, arrays of a block's shape.

    Attributes:
        distance: float32, pixels to the centre line, at most the reach asked for.
        width: float32, full width of the course there.
        bend: float32, its bend, positive where the pixel lies on the inner side.
    """

    distance: FloatArray
    width: FloatArray
    bend: FloatArray


def line_distances(box: Box, courses: Sequence[Course], reach: float) -> Lines:
    """Measure the distance to courses up to ``reach`` pixels; beyond, ``reach``, width 0 and bend 0."""
    xs, ys = box.centres()
    best = np.full(box.shape, reach * reach, dtype=np.float32)
    piece, side = np.zeros(box.shape, np.int32), np.ones(box.shape, np.float32)
    widths, bends, first = [np.zeros(1, np.float32)], [np.zeros(1, np.float32)], 1
    for course in courses:
        p, q = course.points[:-1], course.points[1:]
        low, high = np.minimum(p, q) - reach, np.maximum(p, q) + reach
        hit = (high[:, 0] >= box.x0) & (low[:, 0] <= box.x0 + box.width)
        hit &= (high[:, 1] >= box.y0) & (low[:, 1] <= box.y0 + box.height)
        for k in np.flatnonzero(hit):
            window = box.clip(low[k, 0], low[k, 1], high[k, 0], high[k, 1])
            if window is None:
                continue
            dx, dy = (np.float32(part) for part in q[k] - p[k])
            px, py = xs[:, window[1]] - np.float32(p[k, 0]), ys[window[0]] - np.float32(p[k, 1])
            length = np.float32(max(float(dx * dx + dy * dy), 1e-6))
            t = np.clip(px * (dx / length) + py * (dy / length), 0, 1)
            square = (px - t * dx) ** 2 + (py - t * dy) ** 2
            closer = square < best[window]
            np.copyto(best[window], square, where=closer)
            np.copyto(piece[window], np.int32(first + k), where=closer)
            np.copyto(side[window], np.sign(py * dx - px * dy), where=closer)
        widths.append(course.width)
        bends.append(course.bend)
        first += len(course.width)
    return Lines(distance=np.sqrt(best), width=np.concatenate(widths)[piece], bend=side * np.concatenate(bends)[piece])
