"""How the synthetic world's land is divided: districts, parcels in them, and distances to lines; colours are elsewhere.

A district is a cell of a jittered, warped lattice with an orientation of its own; in it, parcels come from splitting
rectangles again and again across their longer side, slightly askew, as fields and streets come about.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.synthetic.layout import LandUse, Plan, Zone
from core.synthetic.noise import Box, hash32, noise, uniform

_ZERO = np.zeros(1, dtype=np.uint32)
CELL = 112
"""Mean spacing of districts in pixels."""
_EXTENT = 1.05 * CELL
"""Half the side of the rectangle that is split."""

IndexArray = NDArray[np.int32]

_TARGET = {
    LandUse.CROPS: 44.0, LandUse.FOREST: 54.0, LandUse.SCRUB: 62.0, LandUse.PASTURE: 36.0, LandUse.ORCHARD: 24.0,
    LandUse.TOWN: 30.0, LandUse.INDUSTRY: 34.0, LandUse.ROADSIDE: 30.0,
}  # fmt: skip
"""About the side of a parcel or block, in pixels."""


@dataclass(frozen=True, kw_only=True)
class Districts:
    """The districts near a block, as arrays of shape (K,).

    Attributes:
        x, y: sites in pixels.
        key: uint32, a name that is the same in every block.
        cos, sin: orientation.
        target: parcel side in pixels.
        strip: how much longer than wide parcels are.
    """

    x: FloatArray
    y: FloatArray
    key: NDArray[np.uint32]
    cos: FloatArray
    sin: FloatArray
    target: FloatArray
    strip: FloatArray


def _depth(zone: Zone, x: FloatArray, y: FloatArray, lot: FloatArray) -> FloatArray:
    """Measure how deep places lie in a zone of ragged outline: 0 in its middle, 1 at its edge, at most 1.5 outside."""
    dx, dy = x - np.float32(zone.x), y - np.float32(zone.y)
    turn = np.arctan2(dy, dx)
    lobes = np.sin(3 * turn + np.float32(zone.x)) + 0.7 * np.sin(5 * turn + np.float32(zone.y)) + 0.5 * np.sin(9 * turn)
    ripple = np.sin(x / 61 + int(zone.kind)) * np.sin(y / 53 + 2 * int(zone.kind))
    loose = zone.kind not in {LandUse.TOWN, LandUse.INDUSTRY}
    rough = np.hypot(dx, dy) / zone.radius + 0.07 * lobes + (0.10 if loose else 0.06) * ripple
    return np.asarray(rough + (0.22 if loose else 0.12) * lot, dtype=np.float32)


def land_uses(x: FloatArray, y: FloatArray, key: NDArray[np.uint32], plan: Plan) -> IndexArray:
    """Choose the use of land at places: of the zone they lie deepest in, else mostly crops; a ``key`` strays alike."""
    best = np.ones(len(x), dtype=np.float32)
    kind = np.zeros(len(x), dtype=np.int32)
    lot = uniform(key, _ZERO, 31) - 0.5
    for zone in plan.zones:
        dx, dy = x - np.float32(zone.x), y - np.float32(zone.y)
        near = np.flatnonzero((np.abs(dx) < 1.5 * zone.radius) & (np.abs(dy) < 1.5 * zone.radius))
        depth = _depth(zone, x[near], y[near], lot[near])
        win = depth < best[near]
        best[near[win]], kind[near[win]] = depth[win], int(zone.kind)
    open_land, draw = best >= 1, uniform(key, _ZERO, 32)
    for other, low, high in ((LandUse.PASTURE, 0.0, 0.07), (LandUse.FOREST, 0.07, 0.13), (LandUse.ORCHARD, 0.13, 0.16)):
        kind[open_land & (draw >= low) & (draw < high)] = int(other)
    stray = ~open_land & (draw > 0.96) & (kind != LandUse.TOWN) & (kind != LandUse.INDUSTRY)
    kind[stray] = np.where(kind[stray] == LandUse.FOREST, int(LandUse.SCRUB), int(LandUse.FOREST))
    return kind


def districts(box: Box, plan: Plan) -> Districts:
    """Return the districts that can touch a block."""
    cols = np.arange((box.x0 - 32) // CELL - 1, (box.x0 + box.width + 32) // CELL + 2)
    rows = np.arange((box.y0 - 32) // CELL - 1, (box.y0 + box.height + 32) // CELL + 2)
    i, j = (part.ravel() for part in np.meshgrid(cols, rows))
    seed = plan.seed
    x = ((i + 0.12 + 0.76 * uniform(i, j, seed + 21)) * CELL).astype(np.float32)
    y = ((j + 0.12 + 0.76 * uniform(i, j, seed + 22)) * CELL).astype(np.float32)
    key = hash32(i, j, seed + 23)
    kind = land_uses(x, y, key, plan)
    # Neighbouring districts lean alike, as land shares roads and slopes: a slow field plus a little of their own.
    trend = 1.6 * np.sin(x / 640 + seed) + 1.3 * np.sin(y / 710 + 2.1 + seed) + 0.7 * np.sin((x + y) / 300)
    angle = trend + 0.45 * (uniform(key, _ZERO, 24) - 0.5)
    target = np.array([_TARGET[LandUse(k)] for k in kind], dtype=np.float32) * (0.75 + 0.6 * uniform(key, _ZERO, 25))
    strip = np.where(
        kind == LandUse.CROPS, 1.0 + 2.8 * uniform(key, _ZERO, 26) ** 2, 1.0 + 0.7 * uniform(key, _ZERO, 26)
    )
    return Districts(
        x=x, y=y, key=key, cos=np.cos(angle).astype(np.float32), sin=np.sin(angle).astype(np.float32),
        target=target.astype(np.float32), strip=strip.astype(np.float32),
    )  # fmt: skip


def warped(box: Box, seed: int) -> tuple[FloatArray, FloatArray]:
    """Bend pixel centres by slow noise, so that boundaries curve; x and y, float32 of the box's shape."""
    xs, ys = box.centres()
    bend_x = 9 * noise(box, 190, seed + 41) + 1.6 * noise(box, 46, seed + 42)
    bend_y = 9 * noise(box, 190, seed + 43) + 1.6 * noise(box, 46, seed + 44)
    return xs + np.clip(bend_x, -30, 30), ys + np.clip(bend_y, -30, 30)


def nearest_districts(
    box: Box, land: Districts, x: FloatArray, y: FloatArray
) -> tuple[IndexArray, FloatArray, IndexArray]:
    """Find the nearest district of each pixel, its distance in pixels to the border, and the district beyond it."""
    first = np.full(box.shape, 1e9, dtype=np.float32)
    second = first.copy()
    owner, other = np.zeros(box.shape, dtype=np.int32), np.zeros(box.shape, dtype=np.int32)
    for k in range(len(land.x)):
        left, top = (land.x[k] // CELL - 1) * CELL - 32, (land.y[k] // CELL - 1) * CELL - 32
        window = box.clip(left, top, left + 3 * CELL + 64, top + 3 * CELL + 64)
        if window is None:
            continue
        square = (x[window] - land.x[k]) ** 2 + (y[window] - land.y[k]) ** 2
        closest, runner = square < first[window], square < second[window]
        runner &= ~closest
        np.copyto(second[window], first[window], where=closest)
        np.copyto(other[window], owner[window], where=closest)
        np.copyto(second[window], square, where=runner)
        np.copyto(other[window], np.int32(k), where=runner)
        np.copyto(first[window], square, where=closest)
        np.copyto(owner[window], np.int32(k), where=closest)
    apart = np.hypot(land.x[owner] - land.x[other], land.y[owner] - land.y[other])
    return owner, (second - first) / np.maximum(2 * apart, 1e-3), other


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Split lines of a set of districts as a heap: node n has children 2n and 2n + 1.

    Flat index = district · 2^depth + n.

    Attributes:
        depth: levels of splitting; parcels of a district are numbered 0 … 2^depth − 1.
        nx, ny, offset: float32, the line nx·u + ny·v = offset in district coordinates; offset 1e9 = not split.
        u, v: float32 of shape (K · 2^depth,), the middle of each parcel in district coordinates.
    """

    depth: int
    nx: FloatArray
    ny: FloatArray
    offset: FloatArray
    u: FloatArray
    v: FloatArray


def splits(land: Districts, depth: int, target: FloatArray) -> Splits:
    """Split every district's rectangle until its parcels are about ``target`` (shape (K,)) pixels a side."""
    count, nodes = len(land.x), 2**depth
    nx, ny = np.zeros((count, nodes), np.float32), np.zeros((count, nodes), np.float32)
    offset = np.full((count, nodes), 1e9, np.float32)
    boxes = np.broadcast_to(np.array([-_EXTENT, _EXTENT, -_EXTENT, _EXTENT], np.float32), (count, 1, 4))
    key, area, strip = land.key[:, None], target[:, None] ** 2, land.strip[:, None]
    for level in range(depth):
        ids = np.arange(2**level, 2 ** (level + 1))[None, :]
        draws = [uniform(key, ids, 51 + position) for position in range(4)]
        across, tall = boxes[..., 1] - boxes[..., 0], boxes[..., 3] - boxes[..., 2]
        cut_u = across * strip * (0.75 + 0.5 * draws[0]) > tall
        share = 0.30 + 0.40 * draws[1]
        place = np.where(cut_u, boxes[..., 0] + share * across, boxes[..., 2] + share * tall)
        tilt = 0.16 * (draws[2] - 0.5)
        along, side = np.cos(tilt), np.sin(tilt)
        middle = np.where(cut_u, boxes[..., 2:].mean(-1), boxes[..., :2].mean(-1))
        split = across * tall > area * (0.8 + 0.9 * draws[3] ** 2)
        section = slice(2**level, 2 ** (level + 1))
        nx[:, section], ny[:, section] = np.where(cut_u, along, side), np.where(cut_u, side, along)
        offset[:, section] = np.where(split, place * along + middle * side, 1e9)
        low, high = boxes.copy(), boxes.copy()
        low[..., 1] = np.where(split & cut_u, place, low[..., 1])
        low[..., 3] = np.where(split & ~cut_u, place, low[..., 3])
        high[..., 0] = np.where(cut_u, place, high[..., 0])
        high[..., 2] = np.where(cut_u, high[..., 2], place)
        boxes = np.stack([low, high], axis=2).reshape(count, -1, 4)
    middle_u, middle_v = boxes[..., :2].mean(-1).ravel(), boxes[..., 2:].mean(-1).ravel()
    return Splits(depth=depth, nx=nx.ravel(), ny=ny.ravel(), offset=offset.ravel(), u=middle_u, v=middle_v)


def parcel_kinds(land: Districts, tree: Splits, plan: Plan) -> IndexArray:
    """Choose the use of each parcel, shape (K · 2^depth,): zones end where parcels do; motorways have a strip."""
    from scipy.spatial import cKDTree

    count = 2**tree.depth
    x, y, cos, sin = (np.repeat(part, count) for part in (land.x, land.y, land.cos, land.sin))
    x, y = x + tree.u * cos - tree.v * sin, y + tree.u * sin + tree.v * cos
    kind = land_uses(x, y, np.repeat(land.key, count), plan)
    points = np.concatenate([course.points for course in plan.motorways])
    gap, _ = cKDTree(points).query(np.stack([x, y], axis=1), distance_upper_bound=60.0)
    lot = uniform(hash32(np.repeat(land.key, count), np.tile(np.arange(count), len(land.key)), 34), _ZERO, 35)
    in_town = kind == LandUse.TOWN
    kind[in_town & (lot < 0.105)] = int(LandUse.INDUSTRY)
    kind[in_town & (lot < 0.075)] = int(LandUse.PASTURE)
    kind[in_town & (lot < 0.035)] = int(LandUse.FOREST)
    roadside = (gap < 36) & (kind != LandUse.TOWN) & (kind != LandUse.INDUSTRY)
    kind[roadside] = np.where(lot[roadside] < 0.12, int(LandUse.INDUSTRY), int(LandUse.ROADSIDE))
    return kind


@dataclass(frozen=True, kw_only=True)
class Parcels:
    """Parcels of some pixels, arrays of one shape.

    Attributes:
        leaf: int32, district · 2^depth + parcel.
        edge: float32, pixels to the parcel's boundary (borders of districts not counted).
        key: uint32, the parcel's name, the same in every block.
        line_key: uint32, the name of the split that makes that boundary, the same on both sides of it.
        u, v: float32, district coordinates in pixels.
    """

    leaf: IndexArray
    edge: FloatArray
    key: NDArray[np.uint32]
    line_key: NDArray[np.uint32]
    u: FloatArray
    v: FloatArray


def find_parcels(land: Districts, tree: Splits, owner: IndexArray, x: FloatArray, y: FloatArray) -> Parcels:
    """Find the parcel of each pixel: walk down the splits of its district."""
    dx, dy = x - land.x[owner], y - land.y[owner]
    cos, sin = land.cos[owner], land.sin[owner]
    u, v = dx * cos + dy * sin, dy * cos - dx * sin
    base = owner * np.int32(2**tree.depth)
    node = np.ones(owner.shape, dtype=np.int32)
    edge, line = np.full(owner.shape, 1e6, np.float32), base.copy()
    for _ in range(tree.depth):
        index = base + node
        value = tree.nx.take(index, mode="clip") * u
        value += tree.ny.take(index, mode="clip") * v
        value -= tree.offset.take(index, mode="clip")
        gap = np.abs(value)
        closer = gap < edge
        np.copyto(edge, gap, where=closer)
        np.copyto(line, index, where=closer)
        node = 2 * node + (value > 0)
    own = land.key[owner]
    return Parcels(
        leaf=base + node - np.int32(2**tree.depth),
        edge=edge,
        key=hash32(own, node, 57),
        line_key=hash32(own, line - base, 58),
        u=u,
        v=v,
    )
