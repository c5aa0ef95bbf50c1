"""The synthetic world's plan: where sea, hills, towns, rivers and roads lie; what land looks like is elsewhere.

The world has no edge. It is made of counties of 2560 × 2560 pixels (25.6 km); all is a function of the seed and the
county, so a scene of any size is a window of one world, centred on county (0, 0).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from core.bands import FloatArray
from core.synthetic.courses import COUNTY, generator, main_river, motorway, ramps, tributary
from core.synthetic.lines import Course
from core.synthetic.noise import Box, fractal


class LandUse(IntEnum):
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

    kind: LandUse
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


_ZONES: tuple[tuple[LandUse, float, float, float], ...] = (
    (LandUse.TOWN, 0.415, 0.395, 0.142),
    (LandUse.INDUSTRY, 0.585, 0.505, 0.092),
    (LandUse.INDUSTRY, 0.285, 0.525, 0.085),
    (LandUse.INDUSTRY, 0.585, 0.285, 0.088),
    (LandUse.FOREST, 0.860, 0.090, 0.240),
    (LandUse.FOREST, 0.940, 0.660, 0.120),
    (LandUse.FOREST, 0.300, 0.930, 0.100),
    (LandUse.SCRUB, 0.930, 0.370, 0.150),
    (LandUse.SCRUB, 0.560, 0.060, 0.100),
    (LandUse.ORCHARD, 0.735, 0.400, 0.115),
    (LandUse.ORCHARD, 0.140, 0.120, 0.120),
    (LandUse.PASTURE, 0.470, 0.745, 0.120),
    (LandUse.PASTURE, 0.085, 0.345, 0.110),
    (LandUse.PASTURE, 0.790, 0.750, 0.090),
)
"""LandUse, centre and radius in counties."""
_WATERS = ((-0.03, 0.790, 0.290, 0.255), (0.785, 0.905, 0.075, 0.055))
_LAKES = ((0.190, 0.780, 0.150, 0.110), (0.785, 0.905, 0.060, 0.045))
"""Centre and half-axes in counties: a gulf and a lake in county (0, 0), two lakes that stay inside elsewhere."""
_HILLY = {LandUse.FOREST: 1.0, LandUse.SCRUB: 0.9, LandUse.ORCHARD: 0.35}


def _county(seed: int, i: int, j: int) -> tuple[list[Zone], list[Water]]:
    """Lay out zones and waters of a county: one pattern, mirrored and shifted by chance outside county (0, 0)."""
    rng = generator(seed, 1, i, j)
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
    for x, y, rx, ry in _WATERS if (i, j) == (0, 0) else _LAKES:
        px, py = place(x, y)
        waters.append(Water(x=px, y=py, rx=rx * COUNTY, ry=ry * COUNTY))
    return zones, waters


def shore(box: Box, waters: tuple[Water, ...], seed: int) -> FloatArray:
    """Measure the distance to the shore in pixels, about, positive on water; float32 of the box's shape, from −400."""
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
    """Return roughly ``shore`` at a point, without the roughness."""
    return max((1 - float(np.hypot((x - w.x) / w.rx, (y - w.y) / w.ry))) * min(w.rx, w.ry) for w in waters)


def hilliness(box: Box, zones: tuple[Zone, ...]) -> FloatArray:
    """Return 0 in the plains to about 1 in the hills, float32 of the box's shape."""
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
    return np.asarray(np.clip(total - np.float32(0.02), 0, 1.2), dtype=np.float32)


def _towns(seed: int, i: int, j: int, zones: list[Zone], waters: tuple[Water, ...]) -> list[Zone]:
    """Return centres of a county's city and villages; few in hills, none in water."""
    rng = generator(seed, 2, i, j)
    found = [zone for zone in zones if zone.kind == LandUse.TOWN]
    for cell in range(36):
        x = (i + (cell % 6 + rng.uniform(0.2, 0.8)) / 6) * COUNTY
        y = (j + (cell // 6 + rng.uniform(0.2, 0.8)) / 6) * COUNTY
        radius, chance = 14 + 46 * rng.random() ** 1.8, rng.random()
        inside = [zone.kind for zone in zones if np.hypot(x - zone.x, y - zone.y) < 1.15 * zone.radius]
        wild = any(kind in {LandUse.FOREST, LandUse.SCRUB} for kind in inside) and chance < 0.6
        if not wild and LandUse.TOWN not in inside and _shore_at(x, y, waters) < -30:
            found.append(Zone(kind=LandUse.TOWN, x=x, y=y, radius=radius))
    return found


def _road(seed: int, a: Zone, b: Zone) -> Course:
    """Draw a country road from town to town, bowed and winding a little."""
    rng = generator(seed, 3, int(a.x * 8), int(a.y * 8), int(b.x * 8), int(b.y * 8))
    start, stop = np.array([a.x, a.y]), np.array([b.x, b.y])
    length = float(np.hypot(*(stop - start)))
    t = np.linspace(0, 1, max(int(length / 12), 3))
    normal = np.array([start[1] - stop[1], stop[0] - start[0]]) / length
    envelope = np.sin(np.pi * t)
    sway = rng.normal(0, 0.055) * length * envelope
    sway = sway + envelope * length * 0.022 * np.sin(2 * np.pi * t * max(length / 190, 1) + rng.uniform(0, 6))
    points = start + t[:, None] * (stop - start) + sway[:, None] * normal
    big = min(a.radius, b.radius) > 22 or max(a.radius, b.radius) > 200
    width = np.full(len(points), 1.6 if big else 1.1, dtype=np.float32)
    return Course(points=points, width=width, bend=np.zeros_like(width))


def _roads(seed: int, towns: list[Zone], box: Box) -> Iterator[Course]:
    """Tie each town to its nearest ones: three, the city to eight; give the roads that can touch the window."""
    places = np.array([[town.x, town.y] for town in towns])
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    pairs = set()
    for k, town in enumerate(towns):
        for other in np.argsort(gaps[k])[1 : 9 if town.radius > 200 else 4]:
            pairs.add((min(k, int(other)), max(k, int(other))))
    for a, b in sorted(pairs):
        low, high = np.minimum(places[a], places[b]), np.maximum(places[a], places[b])
        slack = 0.25 * float(np.hypot(*(high - low))) + 60
        if box.clip(low[0] - slack, low[1] - slack, high[0] + slack, high[1] + slack) is not None:
            yield _road(seed, towns[a], towns[b])


def make_plan(box: Box, seed: int) -> Plan:
    """Plan a window and its surroundings; equal for equal features whatever the window."""
    i0, i1 = box.x0 // COUNTY - 1, (box.x0 + box.width) // COUNTY + 1
    j0, j1 = box.y0 // COUNTY - 1, (box.y0 + box.height) // COUNTY + 1
    counties = [(i, j) for j in range(j0, j1 + 1) for i in range(i0, i1 + 1)]
    content = {county: _county(seed, *county) for county in counties}
    waters = tuple(water for _, found in content.values() for water in found)
    towns = [town for county in counties for town in _towns(seed, *county, content[county][0], waters)]
    left, right, top, bottom = i0 * COUNTY, (i1 + 1) * COUNTY, j0 * COUNTY, (j1 + 1) * COUNTY
    mains = {j: main_river(seed, j, left, right) for j in range(j0, j1 + 1)}
    streams = [tributary(seed, county, side, mains[county[1]]) for county in counties for side in (-1, 1)]
    across = [motorway(seed, j, True, left, right) for j in range(j0, j1 + 1)]
    along = [motorway(seed, i, False, top, bottom) for i in range(i0, i1 + 1)]
    return Plan(
        seed=seed,
        zones=tuple(zone for zones, _ in content.values() for zone in zones),
        waters=waters,
        towns=tuple(towns),
        rivers=(*mains.values(), *streams),
        motorways=(*across, *along),
        ramps=tuple(ramp for first in across for second in along for ramp in ramps(first, second)),
        roads=tuple(_roads(seed, towns, box)),
    )
