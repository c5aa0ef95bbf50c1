"""What stands in the synthetic world's towns and industrial estates: streets, houses, gardens, halls, yards."""

from __future__ import annotations

import numpy as np

from core.bands import FloatArray
from core.synthetic.fields import Look
from core.synthetic.noise import hash32, uniform
from core.synthetic.parcels import IndexArray, Parcels
from core.synthetic.spectra import NUMBER

Shares = tuple[tuple[str, float], ...]

_ROOFS: Shares = (
    ("tile_red", 0.46), ("yard", 0.13), ("tile_grey", 0.27), ("roof_bitumen", 0.08), ("roof_light", 0.05),
    ("roof_white", 0.01),
)  # fmt: skip
_GARDENS: Shares = (("meadow", 0.36), ("broadleaf", 0.34), ("shrub", 0.14), ("grass", 0.16))
_HALLS: Shares = (
    ("roof_white", 0.16), ("roof_light", 0.27), ("concrete", 0.12), ("tile_grey", 0.19), ("roof_bitumen", 0.15),
    ("roof_blue", 0.04), ("tile_red", 0.07),
)  # fmt: skip
_YARDS: Shares = (
    ("asphalt", 0.30),
    ("yard", 0.19),
    ("concrete", 0.09),
    ("meadow", 0.19),
    ("broadleaf", 0.09),
    ("hay", 0.14),
)
_ZERO = np.zeros(1, dtype=np.uint32)


def _pick(draw: FloatArray, shares: Shares) -> IndexArray:
    """Draw material numbers by share."""
    bounds = np.cumsum([share for _, share in shares])
    numbers = np.array([NUMBER[name] for name, _ in shares], dtype=np.int32)
    place = np.searchsorted(bounds / bounds[-1], draw, side="right")
    return np.asarray(numbers[np.minimum(place, len(numbers) - 1)], dtype=np.int32)


def houses(blocks: Parcels, density: FloatArray, quarter: FloatArray, fine: FloatArray) -> tuple[Look, FloatArray]:
    """Return looks of pixels in a residential quarter, and the share of street in each.

    Args:
        blocks: blocks between streets.
        density: share of ground built over, 0 to 1.
        quarter: a number of the quarter, 0 to 1, that decides its prevailing roofs.
        fine: noise of pixel size.
    """
    row, col = np.floor(blocks.v / 1.7).astype(np.int32), np.floor(blocks.u / 1.4).astype(np.int32)
    cell = hash32(col, row, 92) ^ blocks.key
    mix, block, lot = uniform(cell, _ZERO, 94), uniform(blocks.key, _ZERO, 95), uniform(blocks.key, _ZERO, 96)
    style = (0.55 * mix + 0.15 * lot + 0.34 * quarter - 0.02).clip(0, 0.999).astype(np.float32)
    roof, garden = _pick(style, _ROOFS), _pick(uniform(cell, _ZERO, 97), _GARDENS)
    # A pixel holds a house and its garden; along streets stand the houses, in the middle of blocks the gardens.
    built = density + 0.9 * (uniform(cell, _ZERO, 93) - 0.5) + np.where(blocks.edge < 2.6, 0.10, -0.16)
    park, large = block < 0.06, (block > 0.94) & (blocks.edge > 1.6)
    built = np.where(park, 0.0, np.where(large, 1.0, built))
    garden = np.where(park & (lot < 0.5), np.int32(NUMBER["meadow"]), garden)
    roof = np.where(large, _pick(0.25 + 0.75 * lot, _HALLS), roof)
    major = uniform(blocks.line_key, _ZERO, 99) < 0.22
    street = np.clip(np.where(major, 1.25, 0.95) - blocks.edge, 0, 1) * np.where(major, 0.85, 0.7)
    paint = Look(
        ground=garden,
        plant=roof,
        cover=np.clip(built, 0, 1).astype(np.float32),
        gain=np.clip(0.95 + 0.06 * fine + 0.10 * (mix - 0.5), 0.5, 1.5).astype(np.float32),
    )
    return paint, street.astype(np.float32)


def halls(blocks: Parcels, fine: FloatArray) -> tuple[Look, FloatArray]:
    """Return looks of pixels in an industrial estate, and the share of road in each.

    Halls stand in a lattice of each plot's own, with a shadow on the side away from the sun; some plots lie open.
    """
    key = blocks.key
    wide = 4 + 14 * uniform(key, _ZERO, 102) ** 1.6
    deep = 4 + 10 * uniform(key, _ZERO, 103) ** 1.6
    col, row = np.floor(blocks.u / wide), np.floor(blocks.v / deep)
    in_u, in_v = blocks.u - col * wide, blocks.v - row * deep
    cell = hash32(col.astype(np.int32), row.astype(np.int32), 104) ^ key
    gap_u, gap_v = 0.8 + 1.5 * uniform(cell, _ZERO, 106), 0.8 + 1.5 * uniform(cell, _ZERO, 107)
    use, inset = uniform(key, _ZERO, 112), blocks.edge > 1.5
    filled = (uniform(cell, _ZERO, 105) < 0.72) & (use > 0.16) & inset
    inside = (in_u > gap_u) & (in_u < wide - 0.5) & (in_v > gap_v) & (in_v < deep - 0.5)
    built, shaded = filled & inside, filled & ~inside & (in_v < gap_v)
    style = 0.55 * uniform(cell, _ZERO, 108) + 0.45 * uniform(key, _ZERO, 109)
    ground = np.where(built, _pick(style.astype(np.float32), _HALLS), _pick(uniform(cell, _ZERO, 110), _YARDS))
    ground = np.where((use < 0.10) & inset, np.int32(NUMBER["meadow"]), ground)
    ground = np.where((use >= 0.10) & (use < 0.16) & inset, np.int32(NUMBER["soil_brown"]), ground)
    gain = 1 + 0.06 * fine - 0.45 * shaded + built * (0.30 * uniform(cell, _ZERO, 111) - 0.20)
    paint = Look(
        ground=ground.astype(np.int32),
        plant=np.full(ground.shape, NUMBER["grass"], dtype=np.int32),
        cover=np.where(built, 0, 0.15 + 0.12 * fine.clip(-1, 1)).astype(np.float32),
        gain=np.clip(gain, 0.35, 1.5).astype(np.float32),
    )
    return paint, (0.9 * np.clip(1.25 - blocks.edge, 0, 1)).astype(np.float32)
