"""The sample world's plan: where sea, hills, towns, rivers and roads lie; what the land there looks like is elsewhere.

The world has no edge. It is made of counties of 2560 × 2560 pixels (25.6 km); all is a function of the seed and the
county, so a scene of any size is a window of one world, centred on county (0, 0).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.sources.synthetic_noise import Box, fractal, wave

COUNTY = 2560
"""Pixels a side of a county."""


class Kind(IntEnum):
    """What a stretch of land is used for."""

    CROPS = 0
    FOREST = 1
    SCRUB = 2
    PASTURE = 3
    ORCHARD = 4
    TOWN = 5
    INDUSTRY = 6
    ROADSIDE = 7


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A blob in which one kind of land prevails: centre and radius in pixels."""

    kind: Kind
    x: float
    y: float
    radius: float


@dataclass(frozen=True, kw_only=True)
class Water:
    """A gulf or lake: an ellipse whose shore is roughened later; centre and half-axes in pixels."""

    x: float
    y: float
    rx: float
    ry: float


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


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All features near a window, in pixels of the world."""

    seed: int
    zones: tuple[Zone, ...]
    waters: tuple[Water, ...]
    towns: tuple[Zone, ...]
    rivers: tuple[Course, ...] = field(default=())
    motorways: tuple[Course, ...] = field(default=())
    ramps: tuple[Course, ...] = field(default=())
    roads: tuple[Course, ...] = field(default=())


_ZONES: tuple[tuple[Kind, float, float, float], ...] = (
    (Kind.TOWN, 0.415, 0.395, 0.142),
    (Kind.INDUSTRY, 0.585, 0.505, 0.092),
    (Kind.INDUSTRY, 0.285, 0.525, 0.085),
    (Kind.INDUSTRY, 0.585, 0.285, 0.088),
    (Kind.FOREST, 0.860, 0.090, 0.240),
    (Kind.FOREST, 0.940, 0.660, 0.120),
    (Kind.FOREST, 0.300, 0.930, 0.100),
    (Kind.SCRUB, 0.930, 0.370, 0.150),
    (Kind.SCRUB, 0.560, 0.060, 0.100),
    (Kind.ORCHARD, 0.735, 0.400, 0.115),
    (Kind.ORCHARD, 0.140, 0.120, 0.120),
    (Kind.PASTURE, 0.470, 0.745, 0.120),
    (Kind.PASTURE, 0.085, 0.345, 0.110),
    (Kind.PASTURE, 0.790, 0.750, 0.090),
)
"""Kind, centre and radius in counties."""
_WATERS = ((-0.03, 0.790, 0.290, 0.255), (0.785, 0.905, 0.075, 0.055))
_HILLY = {Kind.FOREST: 1.0, Kind.SCRUB: 0.9, Kind.ORCHARD: 0.35}


def _generator(seed: int, *key: int) -> np.random.Generator:
    """Randomness of its own for one feature."""
    return np.random.default_rng([part & 0xFFFFFFFF for part in (seed, *key)])


def _county(seed: int, i: int, j: int) -> tuple[list[Zone], list[Water]]:
    """Zones and waters of a county: one pattern, mirrored and shifted by chance outside county (0, 0)."""
    rng = _generator(seed, 1, i, j)
    flips = rng.integers(0, 2, 2) if (i, j) != (0, 0) else (0, 0)
    spread = 0.05 if (i, j) != (0, 0) else 0.012

    def place(x: float, y: float) -> tuple[float, float]:
        dx, dy = rng.normal(0, spread, 2).clip(-2 * spread, 2 * spread)
        x, y = (1 - x if flips[0] else x) + dx, (1 - y if flips[1] else y) + dy
        return (i + x) * COUNTY, (j + y) * COUNTY

    zones = []
    for kind, x, y, radius in _ZONES:
        px, py = place(x, y)
        zones.append(Zone(kind=kind, x=px, y=py, radius=radius * COUNTY * rng.uniform(0.95, 1.08)))
    waters = []
    for x, y, rx, ry in _WATERS:
        px, py = place(x, y)
        waters.append(Water(x=px, y=py, rx=rx * COUNTY, ry=ry * COUNTY))
    return zones, waters


def shore(box: Box, waters: tuple[Water, ...], seed: int) -> FloatArray:
    """Distance to the shore in pixels, about, positive on water; float32 of the box's shape, at least −400."""
    xs, ys = box.centres()
    level = np.full(box.shape, -400, dtype=np.float32)
    for water in waters:
        window = box.clip(
            water.x - water.rx - 400, water.y - water.ry - 400, water.x + water.rx + 400, water.y + water.ry + 400
        )
        if window is not None:
            u, v = (xs[:, window[1]] - water.x) / water.rx, (ys[window[0]] - water.y) / water.ry
            np.maximum(level[window], (1 - np.sqrt(u * u + v * v)) * min(water.rx, water.ry), out=level[window])
    if level.max() > -200:
        level += 26 * fractal(box, 170, seed + 11, 6, 0.52)
    return level


def _shore_at(x: float, y: float, waters: tuple[Water, ...]) -> float:
    """Roughly ``shore`` at a point, without the roughness."""
    return max((1 - float(np.hypot((x - w.x) / w.rx, (y - w.y) / w.ry))) * min(w.rx, w.ry) for w in waters)


def hilliness(box: Box, zones: tuple[Zone, ...]) -> FloatArray:
    """0 in the plains to about 1 in the hills, float32 of the box's shape."""
    xs, ys = box.centres()
    total = np.zeros(box.shape, dtype=np.float32)
    for zone in zones:
        strength = _HILLY.get(zone.kind, 0.0)
        reach = 2.6 * zone.radius
        window = box.clip(zone.x - reach, zone.y - reach, zone.x + reach, zone.y + reach)
        if strength and window is not None:
            scale = np.float32(1 / zone.radius**2)
            squares = ((xs[:, window[1]] - zone.x) ** 2 + (ys[window[0]] - zone.y) ** 2) * scale
            total[window] += np.float32(strength) * np.exp(-1.1 * squares) * np.clip(6.7 - squares, 0, 1)
    return np.minimum(total, 1.2)


def _main_river(seed: int, row: int, x_from: float, x_to: float) -> Course:
    """The river of a row of counties: a sine-generated curve (Langbein & Leopold 1966) about a wandering axis."""
    key = seed * 131 + row * 17
    middle, step = 0.5 * COUNTY, 9.0

    def walk(sign: int, limit: float) -> list[tuple[float, float, float]]:
        x, s = middle, 0.0
        found: list[tuple[float, float, float]] = []
        y = float(_river_axis(x, key, row))
        while sign * (limit - x) > 0 and len(found) < 60_000:
            swing = 0.72 + 0.5 * float(wave(s * sign, 1300, key + 3))
            lead = float(_river_axis(x + sign * 60, key, row)) - y
            phase = 2 * np.pi * s * sign / 340 + 2.2 * float(wave(s * sign, 1500, key + 4))
            angle = np.arctan2(lead, 90) + swing * np.sin(phase) * sign
            x, y, s = x + sign * step * np.cos(angle), y + step * np.sin(angle), s + step
            found.append((x, y, s * sign))
        return found

    west, east = walk(-1, x_from), walk(1, x_to)
    table = np.array(west[::-1] + east)
    width = 27 * (1 + 0.22 * wave(table[:, 2], 420, key + 5))
    return _course(table[:, :2], width)


def _river_axis(x: float, key: int, row: int) -> float:
    """The line a main river winds about."""
    return (row + 0.605) * COUNTY + 0.045 * COUNTY * float(wave(x, 2100, key + 1))


def _course(points: NDArray[np.float64], width: NDArray[np.float64] | float) -> Course:
    """A course of points, with its bends."""
    ahead = np.gradient(points, axis=0)
    angle = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
    bend = np.gradient(angle) / np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-6)
    return Course(
        points=points,
        width=np.broadcast_to(np.asarray(width, dtype=np.float32), (len(points),)).copy(),
        bend=bend.astype(np.float32),
    )


def _tributary(seed: int, county: tuple[int, int], side: int, river: Course) -> Course:
    """A stream that winds down to the main river from the north (side −1) or south (side 1) of a county."""
    rng = _generator(seed, 5, *county, side)
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
    return _course(np.array(points), np.linspace(first, last, len(points)))


def _motorway(seed: int, index: int, across: bool, t_from: float, t_to: float) -> Course:
    """A motorway along a row of counties (``across``) or a column: a slow curve."""
    t = np.arange(np.floor(t_from / 20), np.ceil(t_to / 20), dtype=np.float64) * 20.0
    key = seed * 97 + index * 13 + (7 if across else 8)
    offset = (index + (0.195 if across else 0.655)) * COUNTY
    bow = offset + 0.030 * COUNTY * wave(t, 2600, key)
    points = np.stack([t, bow] if across else [bow, t], axis=1)
    return _course(points, 4.0)


def _ramps(first: Course, second: Course) -> Iterator[Course]:
    """A cloverleaf where two motorways cross: four loops and four outer curves."""
    gaps = np.hypot(*(first.points[:, None] - second.points[None]).transpose(2, 0, 1))
    a, b = np.unravel_index(np.argmin(gaps), gaps.shape)
    if gaps[a, b] > 30:
        return
    centre = (first.points[a] + second.points[b]) / 2
    one, two = (line.points[k + 1] - line.points[k - 1] for line, k in ((first, a), (second, b)))
    one, two = one / np.hypot(*one), two / np.hypot(*two)
    turn = np.linspace(0, 2 * np.pi, 24)
    bow = np.linspace(0, 1, 16)[:, None]
    for sx, sy in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        middle = centre + 9.5 * (sx * one + sy * two)
        loop = middle + 8.0 * (np.cos(turn)[:, None] * one + np.sin(turn)[:, None] * two)
        yield _course(loop, 1.0)
        ends = centre + 46 * sx * one, centre + 13 * (sx * one + sy * two), centre + 46 * sy * two
        yield _course((1 - bow) ** 2 * ends[0] + 2 * bow * (1 - bow) * ends[1] + bow**2 * ends[2], 1.0)


def _towns(seed: int, i: int, j: int, zones: list[Zone], waters: tuple[Water, ...]) -> list[Zone]:
    """Centres of a county's city and villages; few in hills, none in water."""
    rng = _generator(seed, 2, i, j)
    found = [zone for zone in zones if zone.kind == Kind.TOWN]
    for cell in range(36):
        x = (i + (cell % 6 + rng.uniform(0.2, 0.8)) / 6) * COUNTY
        y = (j + (cell // 6 + rng.uniform(0.2, 0.8)) / 6) * COUNTY
        radius, chance = 14 + 46 * rng.random() ** 1.8, rng.random()
        inside = [zone.kind for zone in zones if np.hypot(x - zone.x, y - zone.y) < 1.15 * zone.radius]
        wild = any(kind in {Kind.FOREST, Kind.SCRUB} for kind in inside) and chance < 0.6
        if not wild and Kind.TOWN not in inside and _shore_at(x, y, waters) < -30:
            found.append(Zone(kind=Kind.TOWN, x=x, y=y, radius=radius))
    return found


def _road(seed: int, a: Zone, b: Zone) -> Course:
    """A country road from town to town, bowed and winding a little."""
    rng = _generator(seed, 3, int(a.x * 8), int(a.y * 8), int(b.x * 8), int(b.y * 8))
    start, stop = np.array([a.x, a.y]), np.array([b.x, b.y])
    length = float(np.hypot(*(stop - start)))
    t = np.linspace(0, 1, max(int(length / 12), 3))
    normal = np.array([start[1] - stop[1], stop[0] - start[0]]) / length
    envelope = np.sin(np.pi * t)
    sway = rng.normal(0, 0.055) * length * envelope
    sway = sway + envelope * length * 0.022 * np.sin(2 * np.pi * t * max(length / 190, 1) + rng.uniform(0, 6))
    points = start + t[:, None] * (stop - start) + sway[:, None] * normal
    big = min(a.radius, b.radius) > 22 or max(a.radius, b.radius) > 200
    return _course(points, 1.6 if big else 1.1)


def _roads(seed: int, towns: list[Zone]) -> Iterator[Course]:
    """Each town tied to its nearest ones: three, the city to eight."""
    places = np.array([[town.x, town.y] for town in towns])
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    pairs = set()
    for k, town in enumerate(towns):
        for other in np.argsort(gaps[k])[1 : 9 if town.radius > 200 else 4]:
            pairs.add((min(k, int(other)), max(k, int(other))))
    for a, b in sorted(pairs):
        yield _road(seed, towns[a], towns[b])


def make_plan(box: Box, seed: int) -> Plan:
    """The plan of a window and its surroundings; equal for equal features whatever the window."""
    i0, i1 = box.x0 // COUNTY - 1, (box.x0 + box.width) // COUNTY + 1
    j0, j1 = box.y0 // COUNTY - 1, (box.y0 + box.height) // COUNTY + 1
    counties = [(i, j) for j in range(j0, j1 + 1) for i in range(i0, i1 + 1)]
    content = {county: _county(seed, *county) for county in counties}
    waters = tuple(water for _, found in content.values() for water in found)
    towns = [town for county in counties for town in _towns(seed, *county, content[county][0], waters)]
    left, right, top, bottom = i0 * COUNTY, (i1 + 1) * COUNTY, j0 * COUNTY, (j1 + 1) * COUNTY
    mains = {j: _main_river(seed, j, left, right) for j in range(j0, j1 + 1)}
    streams = [_tributary(seed, county, side, mains[county[1]]) for county in counties for side in (-1, 1)]
    across = [_motorway(seed, j, True, left, right) for j in range(j0, j1 + 1)]
    along = [_motorway(seed, i, False, top, bottom) for i in range(i0, i1 + 1)]
    return Plan(
        seed=seed,
        zones=tuple(zone for zones, _ in content.values() for zone in zones),
        waters=waters,
        towns=tuple(towns),
        rivers=(*mains.values(), *streams),
        motorways=(*across, *along),
        ramps=tuple(ramp for first in across for second in along for ramp in _ramps(first, second)),
        roads=tuple(_roads(seed, towns)),
    )
