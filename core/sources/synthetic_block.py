"""Painting one block of the sample world: which material each pixel shows, its light, and its true class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import EUROSAT_CLASSES, FloatArray
from core.sources.synthetic_fields import Holdings, Look, holdings, look
from core.sources.synthetic_layout import Kind, Plan, hilliness, shore
from core.sources.synthetic_noise import Box, fractal, hash32, noise, uniform
from core.sources.synthetic_parcels import (
    Districts, IndexArray, Lines, Parcels, descend, districts, lines, nearest, splits, warped,
)  # fmt: skip
from core.sources.synthetic_spectra import NUMBER, SUN_AZIMUTH, SUN_ZENITH
from core.sources.synthetic_towns import halls, houses

CORRIDOR = 45
"""Half the width, in pixels, of the strip of truth along motorways and main rivers.

EuroSAT names a patch by the motorway or river that runs through it, whatever lies beside. So a strip of 450 m on either
side carries the class: a patch of 64 pixels with 80 % of its area in it has the line inside the patch.
"""
_FIELD_DEPTH, _TOWN_DEPTH, _ESTATE_DEPTH = 8, 10, 7
_CLASS = {
    Kind.CROPS: "AnnualCrop", Kind.FOREST: "Forest", Kind.SCRUB: "HerbaceousVegetation", Kind.PASTURE: "Pasture",
    Kind.ORCHARD: "PermanentCrop", Kind.TOWN: "Residential", Kind.INDUSTRY: "Industrial",
}  # fmt: skip
CODE = {name: np.uint16(1 + position) for position, name in enumerate(EUROSAT_CLASSES)}
"""Values of the truth raster."""


@dataclass(kw_only=True)
class Canvas:
    """A block being painted; arrays of its shape.

    Attributes:
        box: the block.
        ground, plant: int32, columns of ``spectra`` mixed as ground · (1 − cover) + plant · cover.
        cover: float32, 0 to 1.
        gain: float32, brightness.
        over: int32, column of what covers the mixture, such as a road.
        share: float32, how much of the pixel it covers, 0 to 1.
        truth: uint16, 1 + index into ``EUROSAT_CLASSES``.
        spectra: float32 of shape (13, columns), surface reflectance.
    """

    box: Box
    ground: IndexArray
    plant: IndexArray
    cover: FloatArray
    gain: FloatArray
    over: IndexArray
    share: FloatArray
    truth: NDArray[np.uint16]
    spectra: FloatArray

    def put(self, where: NDArray[np.bool_], paint: Look) -> None:
        """Paint looks of the pixels where True, in row-major order."""
        self.ground[where], self.plant[where] = paint.ground, paint.plant
        self.cover[where], self.gain[where] = paint.cover, paint.gain

    def mix(self, where: NDArray[np.bool_], one: str, other: str, cover: FloatArray, gain: FloatArray) -> None:
        """Paint a mixture of two materials; ``cover`` and ``gain`` have the block's shape."""
        self.ground[where], self.plant[where] = NUMBER[one], NUMBER[other]
        self.cover[where], self.gain[where] = np.clip(cover[where], 0, 1), gain[where]

    def lay(self, share: FloatArray, material: str) -> None:
        """Cover with a material where ``share`` (the block's shape) exceeds what already covers."""
        more = share > self.share
        np.copyto(self.over, np.int32(NUMBER[material]), where=more)
        np.copyto(self.share, share, where=more)


@dataclass(frozen=True, kw_only=True)
class Textures:
    """Noises that several things share, float32 of the block's shape, standard deviation about 1."""

    soil: FloatArray
    crowns: FloatArray
    fine: FloatArray
    slow: FloatArray


def _textures(box: Box, seed: int) -> Textures:
    """Make the shared noises; ``crowns`` is light and shadow of bumps lit by the sun."""
    bumps = noise(box.grown(1), 2.3, seed + 201) + 0.7 * noise(box.grown(1), 5.0, seed + 202)
    toward = np.radians(SUN_AZIMUTH)
    east, south = (bumps[1:-1, 2:] - bumps[1:-1, :-2]), (bumps[2:, 1:-1] - bumps[:-2, 1:-1])
    lit = -(np.sin(toward) * east - np.cos(toward) * south)
    return Textures(
        soil=fractal(box, 38, seed + 203, 3, 0.55) / np.float32(1.2),
        crowns=(lit * np.float32(0.9)).astype(np.float32),
        fine=noise(box, 1.5, seed + 204),
        slow=fractal(box, 70, seed + 205, 2),
    )


def _relief(box: Box, plan: Plan) -> FloatArray:
    """Light on the terrain relative to flat ground: Lambert's cosine, a fifth of the light diffuse."""
    around = box.grown(1)
    hills = hilliness(around, plan.zones)
    if hills.max() < 0.02:
        return np.ones(box.shape, dtype=np.float32)
    ridges = 1 - 1.2 * np.abs(noise(around, 95, plan.seed + 211))
    height = hills * (13 * fractal(around, 120, plan.seed + 212, 5, 0.48) + 10 * ridges)
    east = (height[1:-1, 2:] - height[1:-1, :-2]) / 2
    south = (height[2:, 1:-1] - height[:-2, 1:-1]) / 2
    zenith, azimuth = np.radians(SUN_ZENITH), np.radians(SUN_AZIMUTH)
    lit = np.cos(zenith) - np.sin(zenith) * (np.sin(azimuth) * east - np.cos(azimuth) * south)
    lit /= np.sqrt(1 + east**2 + south**2)
    return np.clip(0.2 + 0.8 * lit / np.cos(zenith), 0.3, 1.5).astype(np.float32)


def _villages(box: Box, plan: Plan) -> FloatArray:
    """How deep in a town or village pixels lie: 1 at the centre, 0 at the edge, below outside."""
    xs, ys = box.centres()
    depth = np.full(box.shape, -1, dtype=np.float32)
    for town in plan.towns:
        reach = 1.7 * town.radius
        window = box.clip(town.x - reach, town.y - reach, town.x + reach, town.y + reach)
        if window is not None:
            gap = np.sqrt((xs[:, window[1]] - np.float32(town.x)) ** 2 + (ys[window[0]] - np.float32(town.y)) ** 2)
            np.maximum(depth[window], 1 - gap / np.float32(town.radius), out=depth[window])
    return depth


def paint(box: Box, plan: Plan) -> Canvas:
    """Paint a block; the same pixels come out whatever block they are painted in."""
    seed = plan.seed
    land = districts(box, plan)
    x, y = warped(box, seed)
    owner, border, beyond = nearest(box, land, x, y)
    own = holdings(land, _FIELD_DEPTH)
    textures = _textures(box, seed)
    canvas = _blank(box, own)
    town_depth = _villages(box, plan)
    level = shore(box, plan.waters, seed)
    rivers = lines(box, plan.rivers, 60)
    motorways = lines(box, plan.motorways, CORRIDOR + 3)
    kind = land.kind[owner]
    ragged = town_depth + np.float32(0.22) * textures.slow
    kind = np.where((kind < Kind.TOWN) & (ragged > 0.12) & (town_depth > -0.6), int(Kind.TOWN), kind)
    _fields(canvas, land, own, textures, kind < Kind.TOWN, owner, x, y)
    _built(canvas, land, textures, kind, owner, x, y, town_depth)
    _borders(canvas, land, owner, beyond, border, kind)
    _farms(canvas, seed, kind)
    canvas.gain *= _relief(box, plan)
    codes = np.array([CODE[_CLASS[Kind(k)]] for k in range(len(Kind))], dtype=np.uint16)
    canvas.truth[...] = codes[kind]
    _roads(canvas, plan, motorways, textures)
    _river(canvas, rivers, textures, level)
    _sea(canvas, level, rivers, textures)
    _bridges(canvas, plan, motorways, level)
    return canvas


def _blank(box: Box, own: Holdings) -> Canvas:
    """A canvas of nothing."""
    return Canvas(
        box=box,
        ground=np.zeros(box.shape, np.int32),
        plant=np.zeros(box.shape, np.int32),
        cover=np.zeros(box.shape, np.float32),
        gain=np.ones(box.shape, np.float32),
        over=np.zeros(box.shape, np.int32),
        share=np.zeros(box.shape, np.float32),
        truth=np.zeros(box.shape, np.uint16),
        spectra=own.spectra,
    )


_HEDGES = np.array([0.10, 0.0, 0.05, 0.55, 0.14, 0.0, 0.0], dtype=np.float32)
_TRACKS = np.array([0.22, 0.10, 0.20, 0.08, 0.42, 0.0, 0.0], dtype=np.float32)
"""Share of parcel boundaries with a hedge or a track, by kind."""


def _fields(
    canvas: Canvas, land: Districts, own: Holdings, textures: Textures, where: NDArray[np.bool_],
    owner: IndexArray, x: FloatArray, y: FloatArray,
) -> None:  # fmt: skip
    """Farmland, forest and scrub with their hedges and tracks."""
    tree = splits(land, _FIELD_DEPTH, land.target)
    parcels = descend(land, tree, owner[where], x[where], y[where])
    canvas.put(where, look(own, parcels, textures.soil[where], textures.crowns[where], textures.fine[where]))
    kind = land.kind[owner[where]] % len(_HEDGES)
    draw = uniform(parcels.line_key, np.zeros(1, np.uint32), 221)
    hedge, track = _HEDGES[kind], _TRACKS[kind]
    ragged = 0.75 + 0.35 * textures.slow[where] + 0.2 * textures.fine[where]
    hedged = (draw < hedge) & (parcels.edge < ragged)
    tracked = (draw >= hedge) & (draw < hedge + track)
    full = np.zeros(canvas.box.shape, bool)
    full[where] = hedged
    canvas.mix(full, "shrub", "broadleaf", np.float32(0.6) + 0.3 * textures.fine, 0.92 + 0.1 * textures.crowns)
    share = np.zeros(canvas.box.shape, np.float32)
    share[where] = np.where(tracked, np.clip(0.85 - parcels.edge, 0, 0.75), 0)
    canvas.lay(share, "track")


def _built(
    canvas: Canvas, land: Districts, textures: Textures, kind: IndexArray, owner: IndexArray,
    x: FloatArray, y: FloatArray, town_depth: FloatArray,
) -> None:  # fmt: skip
    """Towns, villages and industrial estates."""
    town, estate = kind == Kind.TOWN, kind == Kind.INDUSTRY
    size = np.float32(0.75) + np.float32(0.5) * uniform(land.key, np.zeros(1, np.uint32), 231)
    if town.any():
        blocks = descend(land, splits(land, _TOWN_DEPTH, 10.5 * size), owner[town], x[town], y[town])
        density = np.clip(0.40 + 0.30 * town_depth[town], 0.34, 0.66)
        canvas.put(town, houses(blocks, density.astype(np.float32), textures.fine[town]))
    if estate.any():
        blocks = descend(land, splits(land, _ESTATE_DEPTH, 28 * size), owner[estate], x[estate], y[estate])
        canvas.put(estate, halls(blocks, textures.fine[estate]))


def _borders(
    canvas: Canvas, land: Districts, owner: IndexArray, beyond: IndexArray, border: FloatArray, kind: IndexArray
) -> None:
    """Lanes and hedges where districts meet; both sides draw the same lot."""
    near = border < 2.5
    a, b = land.key[owner[near]], land.key[beyond[near]]
    lot = uniform(np.minimum(a, b), np.maximum(a, b), 241)
    gap = border[near]
    wild = (kind[near] == Kind.FOREST) | (kind[near] == Kind.SCRUB)
    lane = np.zeros(canvas.box.shape, np.float32)
    lane[near] = np.where((lot < 0.5) & ~wild, np.clip(0.95 - gap, 0, 0.85), 0)
    canvas.lay(lane, "asphalt")
    lane[near] = np.where((lot >= 0.5) & (lot < 0.75), np.clip(0.8 - gap, 0, 0.7), 0)
    canvas.lay(lane, "track")


def _farms(canvas: Canvas, seed: int, kind: IndexArray) -> None:
    """Lone farms: a few roofs, a yard and trees."""
    box, cell = canvas.box, 52
    cols = np.arange((box.x0 - 8) // cell, (box.x0 + box.width + 8) // cell + 1)
    rows = np.arange((box.y0 - 8) // cell, (box.y0 + box.height + 8) // cell + 1)
    i, j = (part.ravel() for part in np.meshgrid(cols, rows))
    draws = [uniform(i, j, seed + 251 + position) for position in range(4)]
    farmland = (kind == Kind.CROPS) | (kind == Kind.PASTURE) | (kind == Kind.ORCHARD)
    xs, ys = box.centres()
    for k in np.flatnonzero(draws[0] < 0.24):
        cx, cy = (i[k] + draws[1][k]) * cell, (j[k] + draws[2][k]) * cell
        radius = 1.6 + 2.2 * draws[3][k]
        window = box.clip(cx - 7, cy - 7, cx + 7, cy + 7)
        if window is None:
            continue
        gx, gy = xs[:, window[1]], ys[window[0]]
        lot = uniform(np.floor(gx).astype(np.int32), np.floor(gy).astype(np.int32), seed + 255)
        inside = (np.hypot(gx - cx, gy - cy) < radius + lot) & farmland[window]
        roof = np.where(draws[3][k] < 0.4, NUMBER["roof_light"], NUMBER["tile_red"])
        choice = np.select(
            [lot < 0.38, lot < 0.6, lot < 0.85], [roof, NUMBER["yard"], NUMBER["broadleaf"]], NUMBER["grass"]
        )
        canvas.ground[window][inside] = choice[inside]
        canvas.cover[window][inside], canvas.gain[window][inside] = 0, 1


def _roads(canvas: Canvas, plan: Plan, motorways: Lines, textures: Textures) -> None:
    """Country roads, then motorways with verges, two carriageways and their truth corridor."""
    roads = lines(canvas.box, plan.roads, 3)
    canvas.lay(np.clip((roads.width + 1) / 2 - roads.distance, 0, np.minimum(roads.width, 0.95)), "asphalt")
    ramps = lines(canvas.box, plan.ramps, 3)
    gap = motorways.distance
    verge = (gap < 4.6 + 0.5 * textures.slow) | (ramps.distance < 2.5)
    canvas.mix(verge, "grass_dry", "grass", 0.45 + 0.2 * textures.soil, np.ones_like(gap))
    wood = (gap > 3.2) & (gap < 7.5 + 1.5 * textures.slow) & (textures.slow + 0.4 * textures.fine > 0.35)
    canvas.mix(wood, "shrub", "broadleaf", 0.5 + 0.3 * textures.fine, 0.95 + 0.08 * textures.crowns)
    canvas.share[verge | wood] = 0
    canvas.lay(np.clip(1.0 - ramps.distance, 0, 0.95), "asphalt")
    _carriageways(canvas, gap)
    canvas.truth[gap < CORRIDOR] = CODE["Highway"]


def _carriageways(canvas: Canvas, gap: FloatArray) -> None:
    """Two strips of asphalt 11 m wide with a green median."""
    canvas.lay(np.clip(1.1 - np.abs(gap - 1.15), 0, 1), "asphalt")


def _river(canvas: Canvas, rivers: Lines, textures: Textures, level: FloatArray) -> None:
    """Rivers with sandbars inside their bends, a wooded belt and flood meadows, and the corridor of main rivers."""
    main = rivers.width > 10
    swell = 1 + 2.2 * np.exp(np.minimum(level, 0) / 45) * main
    half = rivers.width / 2 * swell + np.where(main, 0.9, 0.25) * textures.slow
    gap = rivers.distance
    known = rivers.width > 0
    ones = np.ones_like(gap)
    meadow = known & main & (gap < half + 16 + 7 * textures.slow)
    canvas.mix(meadow, "hay", "meadow", 0.75 + 0.15 * textures.soil, ones + 0.02 * textures.fine)
    belt = known & (gap < half + np.where(main, 4.5, 1.2) + np.where(main, 4.5, 0.9) * textures.slow)
    canvas.mix(belt, "shrub", "willow", 0.8 + 0.2 * textures.fine, 1 + 0.09 * textures.crowns)
    canvas.share[belt | meadow] = 0
    bar = known & main & (rivers.bend > 0.006) & (gap > 0.35 * half) & (gap < half + 1.5 + 1.5 * textures.slow)
    bar &= rivers.bend * 90 + 0.35 * textures.slow > 0.75
    water = known & (gap < half)
    silt = 0.35 + 0.25 * textures.slow
    canvas.mix(water, "water_river", "water_turbid", silt.astype(np.float32), ones)
    canvas.mix(bar, "gravel", "sand", 0.4 + 0.3 * textures.soil, ones + 0.05 * textures.fine)
    canvas.share[water | bar] = 0
    canvas.truth[water | (known & main & (gap < CORRIDOR))] = CODE["River"]


def _sea(canvas: Canvas, level: FloatArray, rivers: Lines, textures: Textures) -> None:
    """Gulfs and lakes: beach or reeds along the shore, shallows, the deep, and the river's plume."""
    if level.max() < -30:
        return
    ones = np.ones_like(level)
    beach = (level > -2.2 - 1.2 * textures.slow) & (textures.slow > -0.7)
    marsh = (level > -9 - 5 * textures.slow) & (textures.slow <= -0.35)
    canvas.mix(marsh, "reed", "mud", 0.3 + 0.3 * textures.soil, ones)
    canvas.mix(beach, "sand", "gravel", 0.2 + 0.2 * textures.fine, ones)
    water = level > 0
    streak = 1 + 0.05 * textures.slow
    near = water & (level < 90)
    bottom = np.exp(-np.maximum(level, 0) / (16 + 5 * textures.slow.clip(-2, 2))) + 0.06 * textures.soil
    canvas.mix(near, "water_coastal", "water_shallow", bottom.astype(np.float32), streak)
    far = np.exp(-np.maximum(level - 90, 0) / 190) + 0.03 * textures.slow
    canvas.mix(water & ~near, "water_deep", "water_coastal", far.astype(np.float32), streak)
    canvas.share[water | beach | marsh] = 0
    plume = (
        0.8
        * np.clip(1 - rivers.distance / (14 + 0.45 * np.maximum(level, 0)), 0, 1)
        * np.exp(-np.maximum(level, 0) / 70)
    )
    plume *= water & (rivers.width > 10)
    canvas.lay(plume.astype(np.float32), "water_turbid")
    canvas.truth[water] = CODE["SeaLake"]


def _bridges(canvas: Canvas, plan: Plan, motorways: Lines, level: FloatArray) -> None:
    """Roads go over rivers and streams, not over the sea."""
    dry = level < 0
    _carriageways_on = np.where(dry, motorways.distance, np.float32(99))
    _carriageways(canvas, _carriageways_on)
    roads = lines(canvas.box, plan.roads, 3)
    span = np.clip((roads.width + 1) / 2 - roads.distance, 0, np.minimum(roads.width, 0.9))
    canvas.lay((span * dry).astype(np.float32), "asphalt")
