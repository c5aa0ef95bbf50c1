"""What grows on the synthetic world's parcels, by kind of land, and how rows and tillage show; towns are elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.bands import BANDS, FloatArray
from core.synthetic.layout import LandUse
from core.synthetic.noise import gauss, hash32, uniform
from core.synthetic.parcels import Districts, IndexArray, Parcels
from core.synthetic.spectra import MATERIALS, NUMBER, surface


class Growth(NamedTuple):
    """A way a parcel can look: share among its kind, ground, plants, range of cover, and strengths of its textures."""

    share: float
    ground: str
    plant: str
    low: float
    high: float
    patchy: float
    """Spread of cover by soil and moisture over tens of metres."""
    rows: float = 0.0
    """Amplitude of plant rows in cover."""
    clump: float = 0.0
    """Strength of crowns and their shadows."""
    drill: float = 0.03
    """Strength of tillage and drill lines in brightness."""


_GROWTH: Mapping[LandUse, tuple[Growth, ...]] = {
    LandUse.CROPS: (
        Growth(0.11, "soil_brown", "wheat_ripe", 0.75, 1.00, 0.07),
        Growth(0.09, "soil_light", "wheat_ripe", 0.55, 0.95, 0.09),
        Growth(0.14, "soil_brown", "maize", 0.30, 0.90, 0.09, drill=0.05),
        Growth(0.07, "soil_dark", "maize", 0.40, 0.95, 0.08, drill=0.05),
        Growth(0.11, "soil_brown", "beet", 0.70, 0.98, 0.05, drill=0.04),
        Growth(0.06, "soil_light", "sunflower", 0.40, 0.90, 0.09),
        Growth(0.09, "soil_light", "beet", 0.02, 0.15, 0.04, drill=0.06),
        Growth(0.07, "soil_brown", "hay", 0.02, 0.20, 0.04, drill=0.06),
        Growth(0.01, "soil_dark", "hay", 0.02, 0.15, 0.03, drill=0.06),
        Growth(0.09, "soil_light", "stubble", 0.50, 0.95, 0.06, drill=0.06),
        Growth(0.09, "soil_brown", "wheat_green", 0.75, 0.97, 0.05),
        Growth(0.05, "soil_brown", "rape_ripening", 0.80, 1.00, 0.05),
        Growth(0.05, "soil_brown", "meadow", 0.75, 1.00, 0.05),
        Growth(0.03, "grass_dry", "broadleaf", 0.90, 1.00, 0.02, clump=0.9, drill=0.0),
    ),
    LandUse.FOREST: (
        Growth(0.48, "shrub", "broadleaf", 0.88, 1.00, 0.03, clump=0.7, drill=0.0),
        Growth(0.28, "broadleaf", "conifer", 0.25, 0.60, 0.12, clump=0.75, drill=0.0),
        Growth(0.16, "broadleaf", "conifer", 0.60, 0.85, 0.08, clump=0.8, drill=0.0),
        Growth(0.075, "shrub", "broadleaf", 0.60, 0.85, 0.05, clump=0.6, drill=0.0),
        Growth(0.005, "grass_dry", "shrub", 0.50, 0.80, 0.12, clump=0.4, drill=0.01),
    ),
    LandUse.SCRUB: (
        Growth(0.48, "grass_dry", "shrub", 0.15, 0.50, 0.13, clump=0.7, drill=0.0),
        Growth(0.30, "grass_dry", "heath", 0.20, 0.55, 0.12, clump=0.5, drill=0.0),
        Growth(0.07, "rock", "shrub", 0.50, 0.80, 0.12, clump=0.7, drill=0.0),
        Growth(0.15, "grass_dry", "grass", 0.10, 0.45, 0.14, clump=0.3, drill=0.0),
    ),
    LandUse.PASTURE: (
        Growth(0.58, "hay", "meadow", 0.65, 0.98, 0.11, drill=0.012),
        Growth(0.26, "hay", "grass", 0.55, 0.95, 0.13, drill=0.012),
        Growth(0.09, "soil_brown", "grass", 0.80, 0.95, 0.06, drill=0.015),
        Growth(0.07, "grass_dry", "hay", 0.45, 0.90, 0.10, drill=0.03),
    ),
    LandUse.ORCHARD: (
        Growth(0.34, "soil_light", "vine", 0.32, 0.58, 0.05, rows=0.15),
        Growth(0.20, "soil_red", "vine", 0.35, 0.60, 0.05, rows=0.15),
        Growth(0.20, "hay", "fruit_tree", 0.35, 0.60, 0.05, rows=0.22, clump=0.3),
        Growth(0.14, "soil_light", "fruit_tree", 0.30, 0.50, 0.05, rows=0.20, clump=0.4),
        Growth(0.12, "grass_dry", "vine", 0.20, 0.45, 0.06, rows=0.12),
    ),
    LandUse.ROADSIDE: (
        Growth(0.17, "hay", "grass", 0.35, 0.80, 0.12, drill=0.012),
        Growth(0.10, "hay", "meadow", 0.50, 0.90, 0.12, drill=0.012),
        Growth(0.14, "grass_dry", "shrub", 0.35, 0.75, 0.15, clump=0.6, drill=0.0),
        Growth(0.18, "grass_dry", "broadleaf", 0.75, 1.00, 0.06, clump=0.8, drill=0.0),
        Growth(0.12, "soil_brown", "maize", 0.35, 0.85, 0.08, drill=0.05),
        Growth(0.10, "soil_brown", "wheat_ripe", 0.70, 1.00, 0.07),
        Growth(0.08, "soil_light", "hay", 0.10, 0.40, 0.06),
        Growth(0.11, "soil_brown", "grass_dry", 0.20, 0.70, 0.20, drill=0.03),
    ),
}
_BUILT = (int(LandUse.TOWN), int(LandUse.INDUSTRY))


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What stands on each parcel of a set of districts, arrays of shape (K · 2^depth,), and their spectra.

    Attributes:
        cover: float32, share of the plants.
        patchy, rows, clump, drill: float32, as in ``Growth``.
        pitch: float32, pixels from row to row.
        turned: bool, rows run along v instead of u.
        spectra: float32 of shape (13, materials + 2 · parcels): the materials, then each parcel's ground, then plants.
    """

    cover: FloatArray
    patchy: FloatArray
    rows: FloatArray
    clump: FloatArray
    drill: FloatArray
    pitch: FloatArray
    turned: NDArray[np.bool_]
    spectra: FloatArray


def holdings(land: Districts, depth: int, kind: IndexArray) -> Holdings:
    """Choose what stands on every parcel, ``kind`` of shape (K · 2^depth,), with a tint of its own."""
    parcel = np.arange(2**depth)[None, :]
    key = hash32(land.key[:, None], parcel, 61)
    zero = np.zeros(1, dtype=np.uint32)
    draw = [uniform(key, zero, 62 + position).ravel() for position in range(5)]
    # A district grows a part of what its region grows: two thirds of the list, beginning anywhere.
    start = np.repeat(uniform(land.key, zero, 69), 2**depth)
    grown = np.where(np.isin(kind, _BUILT), np.int32(LandUse.PASTURE), kind)
    chosen = _choose(grown, np.asarray((start + 0.66 * draw[0]) % 1.0, np.float32))
    table = np.array([[g.low, g.high, g.patchy, g.rows, g.clump, g.drill] for _, g in _flat()], dtype=np.float32)
    own = table[chosen]
    return Holdings(
        cover=own[:, 0] + draw[1] * (own[:, 1] - own[:, 0]),
        patchy=own[:, 2],
        rows=own[:, 3],
        clump=own[:, 4],
        drill=own[:, 5] * (0.4 + 1.2 * draw[2]),
        pitch=2.3 + 1.6 * draw[3],
        turned=draw[4] < 0.35,
        spectra=_spectra(chosen, key.ravel()),
    )


def _flat() -> list[tuple[LandUse, Growth]]:
    """Return all growths with their kinds, in order."""
    return [(kind, growth) for kind, growths in _GROWTH.items() for growth in growths]


def _choose(kind: IndexArray, draw: FloatArray) -> IndexArray:
    """Return the number in ``_flat`` of the growth of each parcel, by its shares."""
    chosen = np.zeros(len(kind), dtype=np.int32)
    first = 0
    for this, growths in _GROWTH.items():
        bounds = np.cumsum([growth.share for growth in growths])
        mine = kind == this
        pick = np.searchsorted(bounds / bounds[-1], draw[mine], side="right")
        chosen[mine] = first + np.minimum(pick, len(growths) - 1)
        first += len(growths)
    return chosen


def _spectra(chosen: IndexArray, key: NDArray[np.uint32]) -> FloatArray:
    """Return spectra of materials, grounds and plants; a parcel's own are tinted in brightness, slope and infrared."""
    base = surface()
    flat = _flat()
    wavelength = np.array([band.wavelength for band in BANDS], dtype=np.float32)
    slope = np.clip((wavelength - 850) / 700, -0.6, 1.2)
    infrared = ((wavelength > 730) & (wavelength < 1300)).astype(np.float32)
    zero = np.zeros(1, dtype=np.uint32)

    def tinted(numbers: list[int], tag: int, light: float) -> FloatArray:
        a, b, c = (gauss(key, zero, tag + position)[:, None] for position in range(3))
        return np.asarray(
            base[np.array(numbers)[chosen]] * np.exp(light * a + 0.045 * b * slope + 0.05 * c * infrared), np.float32
        )

    ground = tinted([NUMBER[growth.ground] for _, growth in flat], 71, 0.12)
    plant = tinted([NUMBER[growth.plant] for _, growth in flat], 75, 0.07)
    return np.ascontiguousarray(np.concatenate([base, ground, plant]).T)


@dataclass(frozen=True, kw_only=True)
class Look:
    """How pixels look before light: rows of the spectra mixed as ground · (1 − cover) + plant · cover, times gain."""

    ground: IndexArray
    plant: IndexArray
    cover: FloatArray
    gain: FloatArray


def look(own: Holdings, parcels: Parcels, soil: FloatArray, crowns: FloatArray, fine: FloatArray) -> Look:
    """Return looks of parcel pixels.

    Args:
        own: what stands where.
        parcels: parcels of the pixels.
        soil: slow noise of soil and moisture at the pixels.
        crowns: light and shadow of tree crowns at the pixels, about ±1.
        fine: noise of pixel size.
    """
    leaf = parcels.leaf
    count = np.int32(len(own.cover))
    turned = own.turned[leaf]
    across = np.where(turned, parcels.u, parcels.v)
    rows = np.sin(np.float32(2 * np.pi) * across / own.pitch[leaf])
    clump = own.clump[leaf]
    cover = own.cover[leaf] + own.patchy[leaf] * soil + own.rows[leaf] * rows
    cover -= np.float32(0.05) * clump * fine
    stripes = gauss(np.floor(across * np.float32(1.1)).astype(np.int32), parcels.key, 81)
    gain = 1 + own.drill[leaf] * stripes + np.float32(0.23) * clump * crowns + np.float32(0.022) * fine
    gain -= np.float32(0.035) * soil
    gain *= 1 - np.float32(0.07) * ((parcels.edge < 1.4) & (clump == 0))
    first = np.int32(len(MATERIALS))
    return Look(
        ground=first + leaf,
        plant=first + count + leaf,
        cover=np.clip(cover, 0, 1),
        gain=np.clip(gain, 0.35, 1.6).astype(np.float32),
    )
