"""What stands in the sample world's towns and industrial estates: streets, houses, gardens, halls, yards."""

from __future__ import annotations

import numpy as np

from core.bands import FloatArray
from core.sources.synthetic_fields import Look
from core.sources.synthetic_noise import hash32, uniform
from core.sources.synthetic_parcels import IndexArray, Parcels
from core.sources.synthetic_spectra import NUMBER


def _pick(draw: FloatArray, shares: tuple[tuple[str, float], ...]) -> IndexArray:
    """Material numbers drawn by share."""
    bounds = np.cumsum([share for _, share in shares])
    numbers = np.array([NUMBER[name] for name, _ in shares], dtype=np.int32)
    place = np.searchsorted(bounds / bounds[-1], draw, side="right")
    return numbers[np.minimum(place, len(numbers) - 1)]


_ROOFS = (("tile_red", 0.50), ("tile_grey", 0.30), ("roof_bitumen", 0.08), ("roof_light", 0.09), ("roof_white", 0.03))
_GARDENS = (("grass", 0.38), ("broadleaf", 0.30), ("shrub", 0.17), ("yard", 0.15))
_HALLS = (
    ("roof_white", 0.24), ("roof_light", 0.28), ("tile_grey", 0.20), ("roof_bitumen", 0.16), ("roof_blue", 0.05),
    ("tile_red", 0.07),
)  # fmt: skip
_YARDS = (("asphalt", 0.34), ("yard", 0.26), ("concrete", 0.14), ("grass", 0.14), ("grass_dry", 0.12))


def houses(parcels: Parcels, density: FloatArray, fine: FloatArray) -> Look:
    """Looks of pixels in a residential quarter.

    Args:
        parcels: blocks between streets.
        density: share of ground built over, 0 to 1.
        fine: noise of pixel size.
    """
    key = parcels.key
    zero = np.zeros(1, dtype=np.uint32)
    row, col = np.floor(parcels.v / 1.9).astype(np.int32), np.floor(parcels.u / 1.5).astype(np.int32)
    cell = hash32(col, row, 92) ^ key
    draw, mix, block = uniform(cell, zero, 93), uniform(cell, zero, 94), uniform(key, zero, 95)
    style = np.clip(mix * 0.6 + 0.55 * uniform(key, zero, 96) - 0.05, 0, 0.999)
    roof, garden = _pick(style, _ROOFS), _pick(uniform(cell, zero, 97), _GARDENS)
    built = draw < density
    ground = np.where(built, roof, garden)
    # Some blocks are parks or hold one large building.
    park, large = block < 0.05, (block > 0.95) & (parcels.edge > 1.6)
    ground = np.where(park, np.where(mix < 0.45, NUMBER["broadleaf"], NUMBER["grass"]), ground)
    ground = np.where(large, _pick(uniform(key, zero, 98), _HALLS), ground)
    major = uniform(parcels.line_key, zero, 99) < 0.25
    street = np.clip(np.where(major, 1.15, 0.85) - parcels.edge, 0, 1)
    return Look(
        ground=ground.astype(np.int32),
        plant=np.full(ground.shape, NUMBER["asphalt"], dtype=np.int32),
        cover=(0.9 * street).astype(np.float32),
        gain=np.clip(0.92 + 0.10 * fine + 0.12 * (mix - 0.5), 0.5, 1.5).astype(np.float32),
    )


def halls(parcels: Parcels, fine: FloatArray) -> Look:
    """Looks of pixels in an industrial estate: large roofs with a shadow on the far side of the sun, yards, roads."""
    zero = np.zeros(1, dtype=np.uint32)
    key = parcels.key
    wide, deep = 4 + 12 * uniform(key, zero, 102) ** 1.5, 4 + 9 * uniform(key, zero, 103) ** 1.5
    col, row = np.floor(parcels.u / wide), np.floor(parcels.v / deep)
    in_u, in_v = parcels.u - col * wide, parcels.v - row * deep
    cell = hash32(col.astype(np.int32), row.astype(np.int32), 104) ^ key
    draw = uniform(cell, zero, 105)
    gap_u, gap_v = 0.8 + 1.2 * uniform(cell, zero, 106), 0.8 + 1.2 * uniform(cell, zero, 107)
    inside = (in_u > gap_u) & (in_u < wide - 0.4) & (in_v > gap_v) & (in_v < deep - 0.4) & (parcels.edge > 1.4)
    built = inside & (draw < 0.66)
    shaded = ~inside & (draw < 0.66) & (in_v < gap_v) & (parcels.edge > 1.2)
    style = 0.45 * uniform(cell, zero, 108) + 0.55 * uniform(key, zero, 109)
    ground = np.where(built, _pick(style, _HALLS), _pick(uniform(cell, zero, 110), _YARDS))
    street = np.clip(1.25 - parcels.edge, 0, 1)
    gain = 1 + 0.07 * fine - 0.45 * shaded + 0.24 * built * (uniform(cell, zero, 111) - 0.5)
    return Look(
        ground=ground.astype(np.int32),
        plant=np.full(ground.shape, NUMBER["asphalt"], dtype=np.int32),
        cover=(0.9 * street).astype(np.float32),
        gain=np.clip(gain, 0.35, 1.5).astype(np.float32),
    )
