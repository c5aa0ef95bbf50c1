"""Where the rivers and motorways of the synthetic world run; towns and country roads are ``layout``."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from core.synthetic.lines import Course, course
from core.synthetic.noise import wave, wave_at

COUNTY = 2560
"""Pixels a side of a county."""


def generator(seed: int, *key: int) -> np.random.Generator:
    """Return randomness of its own for one feature."""
    return np.random.default_rng([part & 0xFFFFFFFF for part in (seed, *key)])


def main_river(seed: int, row: int, x_from: float, x_to: float) -> Course:
    """Draw the river of a row of counties: a sine-generated curve (Langbein & Leopold 1966) about a wandering axis."""
    key = seed * 131 + row * 17
    middle, step = 0.5 * COUNTY, 12.0

    def walk(sign: int, limit: float) -> list[tuple[float, float, float]]:
        x, s = middle, 0.0
        found: list[tuple[float, float, float]] = []
        y = _river_axis(x, key, row)
        while sign * (limit - x) > 0 and len(found) < 60_000:
            swing = 0.72 + 0.5 * wave_at(s * sign, 1300, key + 3)
            lead = _river_axis(x + sign * 60, key, row) - y
            phase = 2 * math.pi * s * sign / 340 + 2.2 * wave_at(s * sign, 1500, key + 4)
            angle = math.atan2(lead, 90) + swing * math.sin(phase) * sign
            x, y, s = x + sign * step * math.cos(angle), y + step * math.sin(angle), s + step
            found.append((x, y, s * sign))
        return found

    west, east = walk(-1, x_from), walk(1, x_to)
    table = np.array(west[::-1] + east)
    width = 27 * (1 + 0.22 * wave(table[:, 2], 420, key + 5))
    return course(table[:, :2], width)


def _river_axis(x: float, key: int, row: int) -> float:
    """Return the line a main river winds about."""
    return (row + 0.605) * COUNTY + 0.045 * COUNTY * wave_at(x, 2100, key + 1)


def tributary(seed: int, county: tuple[int, int], side: int, river: Course) -> Course:
    """Draw a stream that winds down to the main river from north (side −1) or south (side 1) of a county."""
    rng = generator(seed, 5, *county, side)
    at = (county[0] + (0.70 if side < 0 else 0.60) + rng.uniform(-0.04, 0.04)) * COUNTY
    x, y = river.points[np.argmin(np.abs(river.points[:, 0] - at))]
    length, phase, lean = rng.uniform(1150, 1500), rng.uniform(0, 6), rng.uniform(-0.25, 0.25)
    loop, first, last = (105, 5.0, 1.2) if side < 0 else (230, 17.0, 11.0)
    points, s = [(x, y)], 0.0
    while s < length:
        swing = 0.8 + 0.3 * np.sin(s / 310 + phase)
        angle = side * np.pi / 2 + lean + 0.35 * np.sin(s / 420 + phase) + swing * np.sin(2 * np.pi * s / loop + phase)
        x, y, s = x + 7 * np.cos(angle), y + 7 * np.sin(angle), s + 7
        points.append((x, y))
    return course(np.array(points), np.linspace(first, last, len(points)))


def motorway(seed: int, index: int, across: bool, t_from: float, t_to: float) -> Course:
    """Draw a motorway along a row of counties (``across``) or a column: a slow curve."""
    t = np.arange(np.floor(t_from / 20), np.ceil(t_to / 20), dtype=np.float64) * 20.0
    key = seed * 97 + index * 13 + (7 if across else 8)
    offset = (index + (0.195 if across else 0.655)) * COUNTY
    bow = offset + 0.030 * COUNTY * wave(t, 2600, key)
    points = np.stack([t, bow] if across else [bow, t], axis=1)
    return course(points, 4.0)


def ramps(first: Course, second: Course) -> Iterator[Course]:
    """Draw a cloverleaf where two motorways cross: four loops and four outer curves."""
    across, along = first.points, second.points
    across = across[np.abs(across[:, 0] - along[:, 0].mean()) < 0.2 * COUNTY]
    along = along[np.abs(along[:, 1] - across[:, 1].mean()) < 0.2 * COUNTY]
    gaps = np.hypot(*(across[:, None] - along[None]).transpose(2, 0, 1))
    a, b = (int(k) for k in np.unravel_index(np.argmin(gaps), gaps.shape))
    centre = (across[a] + along[b]) / 2
    one, two = across[a + 1] - across[a - 1], along[b + 1] - along[b - 1]
    one, two = one / np.hypot(*one), two / np.hypot(*two)
    turn = np.linspace(0, 2 * np.pi, 24)
    bow = np.linspace(0, 1, 16)[:, None]
    for sx, sy in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        middle = centre + 9.5 * (sx * one + sy * two)
        loop = middle + 8.0 * (np.cos(turn)[:, None] * one + np.sin(turn)[:, None] * two)
        yield course(loop, 1.0)
        ends = centre + 46 * sx * one, centre + 13 * (sx * one + sy * two), centre + 46 * sy * two
        yield course((1 - bow) ** 2 * ends[0] + 2 * bow * (1 - bow) * ends[1] + bow**2 * ends[2], 1.0)
