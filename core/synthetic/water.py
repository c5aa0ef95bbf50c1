"""Rivers, lakes and the sea of the synthetic world, with their banks and shores."""

from __future__ import annotations

import numpy as np

from core.bands import FloatArray
from core.synthetic.canvas import CODE, Canvas, Textures
from core.synthetic.lines import Lines

RIVER_REACH = 64.0
"""Pixels from its middle line up to which a river shapes the land."""
_BROAD = 7.0
"""Width in pixels from which a river is a river of its own to EuroSAT, not a ditch in a field."""


def paint_river(canvas: Canvas, rivers: Lines, noises: Textures, level: FloatArray, corridor: float) -> None:
    """Paint rivers with sandbars inside their bends, a wooded belt and flood meadows.

    Args:
        canvas: painted on.
        rivers: distances up to ``RIVER_REACH``.
        noises: of the block.
        level: distance from the sea's shore in pixels, positive on water; rivers widen towards it.
        corridor: pixels on either side of broad rivers whose truth is ``River``.
    """
    if not rivers.width.any():
        return
    gap, known, broad = rivers.distance, rivers.width > 0, rivers.width > _BROAD
    swell = 1 + broad * np.exp(np.minimum(level, 0) / 45)
    half = rivers.width / 2 * swell + np.where(broad, 0.9, 0.25) * noises.slow
    ones = np.ones_like(gap)
    meadow = known & broad & (gap < half + 12 + 10 * noises.slow)
    canvas.mix(meadow, "hay", "meadow", 0.72 + 0.16 * noises.soil, ones + 0.02 * noises.fine)
    belt = known & (
        gap < half + np.where(broad, 2.5, 1.2) + np.where(broad, 5.5, 0.9) * noises.slow + 0.8 * noises.fine
    )
    canvas.mix(belt, "shrub", "willow", 0.8 + 0.2 * noises.fine, 1 + 0.09 * noises.crowns)
    turn = np.clip(rivers.bend * 60 + 0.8 * noises.slow - 1.35, 0, 0.7) * broad
    bar = (turn > 0) & (gap > half * (1.05 - turn)) & (gap < half + 4 * turn)
    water = known & (gap < half)
    canvas.mix(water, "water_river", "water_turbid", 0.35 + 0.25 * noises.slow, ones)
    canvas.mix(bar, "soil_brown", "gravel", 0.45 + 0.3 * noises.soil, 0.95 + 0.05 * noises.fine)
    canvas.share[belt | meadow | water | bar] = 0
    canvas.truth[water | (known & broad & (gap < corridor))] = CODE["River"]


def paint_sea(canvas: Canvas, level: FloatArray, rivers: Lines, noises: Textures) -> None:
    """Paint gulfs and lakes: beach, reeds or trees along the shore, shallows, the deep, and the river's plume."""
    if level.max() < -50:
        return
    ones = np.ones_like(level)
    beach = (level > -0.3 - 1.3 * noises.slow) & (noises.slow > -0.1)
    marsh = (level > -9 - 5 * noises.slow) & (noises.slow <= -0.4)
    canvas.mix(marsh, "reed", "mud", 0.3 + 0.3 * noises.soil, ones)
    canvas.mix(beach, "sand", "gravel", 0.3 + 0.2 * noises.fine, ones)
    water, depth = level > 0, np.maximum(level, 0)
    streak = 1 + 0.05 * noises.slow
    near = water & (level < 90)
    bottom = np.exp(-depth / (16 + 4 * noises.slow.clip(-2, 2))) + 0.06 * noises.soil
    canvas.mix(near, "water_coastal", "water_shallow", bottom, streak)
    far = np.exp(-np.maximum(level - 90, 0) / 260) + 0.03 * noises.slow
    canvas.mix(water & ~near, "water_deep", "water_coastal", far, streak)
    canvas.share[water | beach | marsh] = 0
    plume = np.clip(1 - rivers.distance / (18 + 0.45 * depth), 0, 1) * np.exp(-depth / 75)
    canvas.lay((0.85 * plume * (water & (rivers.width > _BROAD))).astype(np.float32), "water_turbid")
    canvas.truth[water] = CODE["SeaLake"]
