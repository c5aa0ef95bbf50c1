"""Painting one block of the synthetic world: which material each pixel shows, its light, and its true class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.synthetic.canvas import CODE, Canvas, Textures, canvas, textures
from core.synthetic.fields import holdings, look
from core.synthetic.layout import LandUse, Plan, hilliness, shore
from core.synthetic.lines import Lines, line_distances
from core.synthetic.noise import Box, fractal, noise, uniform
from core.synthetic.parcels import (
    Districts,
    IndexArray,
    Parcels,
    districts,
    find_parcels,
    nearest_districts,
    parcel_kinds,
    splits,
    warped,
)
from core.synthetic.spectra import NUMBER, SUN_AZIMUTH, SUN_ZENITH
from core.synthetic.towns import halls, houses
from core.synthetic.water import RIVER_REACH, paint_river, paint_sea

CORRIDOR = 45
"""Half the width, in pixels, of the strip of truth along motorways and broad rivers.

EuroSAT names a patch by the motorway or river that runs through it, whatever lies beside. So a strip of 450 m on either
side carries the class: a patch of 64 pixels with 80 % of its area in it has the line inside the patch.
"""
_FIELD_DEPTH, _TOWN_DEPTH, _ESTATE_DEPTH = 8, 10, 7
_CLASS = {
    LandUse.CROPS: "AnnualCrop",
    LandUse.FOREST: "Forest",
    LandUse.SCRUB: "HerbaceousVegetation",
    LandUse.PASTURE: "Pasture",
    LandUse.ORCHARD: "PermanentCrop",
    LandUse.TOWN: "Residential",
    LandUse.INDUSTRY: "Industrial",
    LandUse.ROADSIDE: "Highway",
}
_HEDGES = np.array([0.08, 0.0, 0.05, 0.55, 0.12, 0.0, 0.0, 0.25], dtype=np.float32)
_TRACKS = np.array([0.20, 0.05, 0.16, 0.07, 0.42, 0.0, 0.0, 0.20], dtype=np.float32)
"""Share of parcel boundaries with a hedge or a track, by kind."""
_ZERO = np.zeros(1, dtype=np.uint32)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """How a block is divided; arrays of its shape but for ``land``.

    Attributes:
        land: the districts near.
        owner, beyond: int32, district of the pixel and the one across the nearest border.
        border: float32, pixels to that border.
        x, y: float32, bent coordinates.
        parcels: fields and the like.
        kind: int32, a ``LandUse``.
        depth: float32, how deep in a town: 1 at its centre, 0 at its edge.
    """

    land: Districts
    owner: IndexArray
    beyond: IndexArray
    border: FloatArray
    x: FloatArray
    y: FloatArray
    parcels: Parcels
    kind: IndexArray
    depth: FloatArray


def paint(box: Box, plan: Plan) -> Canvas:
    """Paint a block; a pixel comes out the same whatever block it is painted in."""
    noises = textures(box, plan.seed)
    land = districts(box, plan)
    tree = splits(land, _FIELD_DEPTH, land.target)
    kinds = parcel_kinds(land, tree, plan)
    own = holdings(land, _FIELD_DEPTH, kinds)
    x, y = warped(box, plan.seed)
    owner, border, beyond = nearest_districts(box, land, x, y)
    parcels = find_parcels(land, tree, owner, x, y)
    depth = _town_depth(box, plan)
    kind = kinds[parcels.leaf]
    village = (depth + np.float32(0.25) * noises.slow > 0.15) & (depth > -0.6) & (kind != LandUse.INDUSTRY)
    kind = np.where(village, np.int32(LandUse.TOWN), kind)
    ground = Ground(
        land=land, owner=owner, beyond=beyond, border=border, x=x, y=y, parcels=parcels, kind=kind, depth=depth
    )
    picture = canvas(box, look(own, parcels, noises.soil, noises.crowns, noises.fine), own.spectra)
    _boundaries(picture, ground, noises)
    _wilds(picture, ground, plan, noises)
    _built(picture, ground, noises)
    _lanes(picture, ground)
    _farms(picture, ground, plan.seed)
    picture.truth[...] = np.array([CODE[_CLASS[LandUse(k)]] for k in range(len(LandUse))], dtype=np.uint16)[ground.kind]
    _lines(picture, plan, noises)
    return picture


def _town_depth(box: Box, plan: Plan) -> FloatArray:
    """Measure how deep in a town or village pixels lie: 1 at the centre, 0 at the edge, −1 far away."""
    xs, ys = box.centres()
    depth = np.full(box.shape, -1, dtype=np.float32)
    for town in plan.towns:
        reach = 1.9 * town.radius
        window = box.clip(town.x - reach, town.y - reach, town.x + reach, town.y + reach)
        if window is not None:
            gap = np.sqrt((xs[:, window[1]] - np.float32(town.x)) ** 2 + (ys[window[0]] - np.float32(town.y)) ** 2)
            np.maximum(depth[window], 1 - gap / np.float32(town.radius), out=depth[window])
    return depth


def _boundaries(picture: Canvas, ground: Ground, noises: Textures) -> None:
    """Paint hedges and tracks between parcels; both sides of a boundary draw the same lot."""
    parcels, kind = ground.parcels, ground.kind
    draw, hedge, track = uniform(parcels.line_key, _ZERO, 221), _HEDGES[kind], _TRACKS[kind]
    hedged = (draw < hedge) & (parcels.edge < 0.75 + 0.35 * noises.slow + 0.2 * noises.fine)
    picture.mix(hedged, "shrub", "broadleaf", 0.6 + 0.3 * noises.fine, 0.95 + 0.1 * noises.crowns)
    tracked = (draw >= hedge) & (draw < hedge + track)
    narrow = np.where(kind == LandUse.FOREST, np.float32(0.25), np.float32(0.75))
    picture.lay(tracked * np.clip(0.85 - parcels.edge, 0, narrow), "track")


def _wilds(picture: Canvas, ground: Ground, plan: Plan, noises: Textures) -> None:
    """Let nature draw the edges in the hills: clearings in the forest, woods in gullies of the scrub; then relief."""
    around = picture.box.grown(1)
    hills = hilliness(around, plan.zones)
    if not hills.any():
        return
    ragged = fractal(picture.box, 60, plan.seed + 214, 4, 0.6) / np.float32(1.2)
    steep, kind = hills[1:-1, 1:-1] > 0.25, ground.kind
    clearing = steep & (kind == LandUse.FOREST) & (ragged > 2.15)
    wood = steep & (kind == LandUse.SCRUB) & (ragged < -1.35)
    picture.mix(clearing, "shrub", "grass", 0.45 + 0.2 * noises.soil, 1 + 0.03 * noises.fine)
    picture.mix(wood, "shrub", "broadleaf", 0.8 + 0.1 * noises.soil, 1 + 0.09 * noises.crowns)
    kind[clearing], kind[wood] = int(LandUse.SCRUB), int(LandUse.FOREST)
    ridges = 1 - 1.2 * np.abs(noise(around, 95, plan.seed + 211))
    height = hills * (8 * fractal(around, 130, plan.seed + 212, 5, 0.42) + 5 * ridges)
    picture.gain *= _light(np.asarray(height, dtype=np.float32))


def _light(height: FloatArray) -> FloatArray:
    """Light terrain relative to flat ground: Lambert's cosine, a quarter of the light diffuse.

    ``height`` is in pixels, one row and column larger on each side than the result.
    """
    east = (height[1:-1, 2:] - height[1:-1, :-2]) / 2
    south = (height[2:, 1:-1] - height[:-2, 1:-1]) / 2
    zenith, azimuth = np.radians(SUN_ZENITH), np.radians(SUN_AZIMUTH)
    lit = np.cos(zenith) - np.sin(zenith) * (np.sin(azimuth) * east - np.cos(azimuth) * south)
    lit /= np.sqrt(1 + east**2 + south**2)
    return np.asarray(np.clip(0.25 + 0.75 * lit / np.cos(zenith), 0.35, 1.45), dtype=np.float32)


def _built(picture: Canvas, ground: Ground, noises: Textures) -> None:
    """Paint towns, villages and industrial estates."""
    land, town, estate = ground.land, ground.kind == LandUse.TOWN, ground.kind == LandUse.INDUSTRY
    size = np.float32(0.8) + np.float32(0.5) * uniform(land.key, _ZERO, 231)
    street = np.zeros(picture.box.shape, np.float32)
    if town.any():
        blocks = find_parcels(
            land, splits(land, _TOWN_DEPTH, 11 * size), ground.owner[town], ground.x[town], ground.y[town]
        )
        quarter = uniform(land.key, _ZERO, 232)[ground.owner[town]]
        density = 0.30 + 0.24 * ground.depth[town].clip(0, 1) + 0.16 * (quarter - 0.5) + 0.04 * noises.slow[town]
        looks, street[town] = houses(blocks, density, 1 - quarter, noises.fine[town])
        picture.put(town, looks)
    if estate.any():
        plots = splits(land, _ESTATE_DEPTH, 30 * size)
        blocks = find_parcels(land, plots, ground.owner[estate], ground.x[estate], ground.y[estate])
        looks, street[estate] = halls(blocks, noises.fine[estate])
        picture.put(estate, looks)
    picture.share[town | estate] = 0
    picture.lay(street, "asphalt")


def _lanes(picture: Canvas, ground: Ground) -> None:
    """Paint lanes where districts meet; both sides draw the same lot."""
    near = ground.border < 2.5
    a, b = ground.land.key[ground.owner[near]], ground.land.key[ground.beyond[near]]
    lot, gap, kind = uniform(np.minimum(a, b), np.maximum(a, b), 241), ground.border[near], ground.kind[near]
    wild = (kind == LandUse.FOREST) | (kind == LandUse.SCRUB)
    share = np.zeros(picture.box.shape, np.float32)
    share[near] = np.where((lot < 0.5) & ~wild, np.clip(0.95 - gap, 0, 0.85), 0)
    picture.lay(share, "asphalt")
    share[near] = np.where((lot >= 0.5) & (lot < 0.72), np.clip(0.8 - gap, 0, np.where(wild, 0.3, 0.6)), 0)
    picture.lay(share, "track")


def _farms(picture: Canvas, ground: Ground, seed: int) -> None:
    """Paint lone farms: a few roofs, a yard and trees."""
    box, cell = picture.box, 52
    cols = np.arange((box.x0 - 8) // cell, (box.x0 + box.width + 8) // cell + 1)
    rows = np.arange((box.y0 - 8) // cell, (box.y0 + box.height + 8) // cell + 1)
    i, j = (part.ravel() for part in np.meshgrid(cols, rows))
    chance, across, down, style = (uniform(i, j, seed + 251 + position) for position in range(4))
    farmland = np.isin(ground.kind, (LandUse.CROPS, LandUse.PASTURE, LandUse.ORCHARD))
    xs, ys = box.centres()
    for k in np.flatnonzero(chance < 0.24):
        cx, cy = (i[k] + across[k]) * cell, (j[k] + down[k]) * cell
        window = box.clip(cx - 7, cy - 7, cx + 7, cy + 7)
        if window is None:
            continue
        gx, gy = xs[:, window[1]], ys[window[0]]
        lot = uniform(np.floor(gx).astype(np.int32), np.floor(gy).astype(np.int32), seed + 255)
        inside = (np.hypot(gx - cx, gy - cy) < 1.6 + 2.2 * style[k] + lot) & farmland[window]
        roof = NUMBER["tile_grey"] if style[k] < 0.4 else NUMBER["tile_red"]
        steps = [lot < 0.34, lot < 0.55, lot < 0.85]
        choice = np.select(steps, [roof, NUMBER["yard"], NUMBER["broadleaf"]], NUMBER["grass"])
        picture.ground[window][inside] = choice[inside]
        picture.cover[window][inside], picture.gain[window][inside] = 0, 1


def _lines(picture: Canvas, plan: Plan, noises: Textures) -> None:
    """Paint roads, motorways, rivers and the sea, the later over the earlier, then bridges."""
    level = shore(picture.box, plan.waters, plan.seed)
    roads = line_distances(picture.box, plan.roads, 3)
    motorways = line_distances(picture.box, plan.motorways, CORRIDOR + 3)
    rivers = line_distances(picture.box, plan.rivers, RIVER_REACH)
    paved = np.clip((roads.width + 1) / 2 - roads.distance, 0, np.minimum(roads.width, np.float32(0.95)))
    picture.lay(paved, "asphalt")
    _motorway(picture, plan, motorways, noises)
    picture.truth[motorways.distance < CORRIDOR] = CODE["Highway"]
    paint_river(picture, rivers, noises, level, CORRIDOR)
    paint_sea(picture, level, rivers, noises)
    dry = level < 0
    picture.lay(_carriageways(motorways) * dry, "asphalt")
    picture.lay(paved * dry, "asphalt")


def _motorway(picture: Canvas, plan: Plan, motorways: Lines, noises: Textures) -> None:
    """Paint verges, plantings, slip roads, and a service road that follows for parts of the way."""
    if not motorways.width.any():
        return
    ramps, gap = line_distances(picture.box, plan.ramps, 3), motorways.distance
    verge = (gap < 4.6 + 0.5 * noises.slow) | (ramps.distance < 2.5)
    picture.mix(verge, "grass_dry", "grass", 0.45 + 0.2 * noises.soil, np.ones_like(gap))
    wood = (gap > 3.2) & (gap < 7.5 + 1.5 * noises.slow) & (noises.slow + 0.4 * noises.fine > 0.35)
    picture.mix(wood, "shrub", "broadleaf", 0.5 + 0.3 * noises.fine, 0.95 + 0.08 * noises.crowns)
    picture.share[verge | wood] = 0
    picture.lay(np.clip(1.0 - ramps.distance, 0, 0.95), "asphalt")
    picture.lay(np.where(noises.slow < 0.3, np.clip(1.0 - np.abs(gap - 10), 0, 0.8), 0), "asphalt")


def _carriageways(motorways: Lines) -> NDArray[np.float32]:
    """Return the share of two strips of asphalt, each a good pixel wide, with a green median."""
    return np.asarray(np.clip(1.2 - np.abs(motorways.distance - 1.2), 0, 1), dtype=np.float32)
