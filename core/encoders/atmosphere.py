"""The air between land and satellite: from surface reflectance (L2A) to nominal top of the atmosphere (L1C), and back.

What a satellite sees of land through air is about ρ · (1 − 2.2 p) + p, where p is what the air itself sends back: by
its molecules, which goes with the wavelength to the power of −4, and by haze. It is one air for all: good enough to
compare the land of patches of both levels, not to undo a correction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from core.bands import BY_NAME, FloatArray, fill_source

NOMINAL = 0.6
"""How much air is usual; on the true pairs of both levels at hand, 0.6 brings patches closest."""

MOLECULES, HAZE, LOSS = 0.095, 0.025, 2.2
"""What molecules send back at 443 nm, haze at 550 nm; and how much of the land's light goes missing for that."""


def air_reflectance(bands: Sequence[str], present: Sequence[str] | None = None) -> FloatArray:
    """Return what one unit of air sends back, float32 of shape (bands,).

    Args:
        bands: names.
        present: the bands at hand; what stands in for another band has the air of its own wavelength, and a band that
            nothing stands in for has none. None = all.
    """
    sources = [name if present is None else fill_source(name, present) for name in bands]
    return np.array([0.0 if name is None else _unit_of_air(BY_NAME[name].wavelength) for name in sources], np.float32)


def _unit_of_air(wavelength: float) -> float:
    return float(MOLECULES * (443 / wavelength) ** 4 + HAZE * (550 / wavelength) ** 1.2)


def top_of_atmosphere(
    reflectance: FloatArray, bands: Sequence[str], air: ArrayLike = NOMINAL, present: Sequence[str] | None = None
) -> FloatArray:
    """Return reflectance at the top of the atmosphere of that at the surface, float32 of the same shape.

    Args:
        reflectance: shape (…, bands).
        bands: their names.
        air: how much of it there is; a number, or an array that goes with ``reflectance``.
        present: as of ``air_reflectance``.
    """
    back = air_reflectance(bands, present) * np.asarray(air, np.float32)
    result: FloatArray = reflectance * (1 - np.float32(LOSS) * back) + back
    return result


def brought_to(
    level: str, reflectance: FloatArray, bands: Sequence[str], present: Sequence[str] | None = None
) -> FloatArray:
    """Return reflectance of the other level at ``L1C`` or ``L2A``, by a usual air; as of ``top_of_atmosphere``."""
    change = top_of_atmosphere if level == "L1C" else bottom_of_atmosphere
    return change(reflectance, bands, present=present)


def bottom_of_atmosphere(
    reflectance: FloatArray, bands: Sequence[str], air: ArrayLike = NOMINAL, present: Sequence[str] | None = None
) -> FloatArray:
    """Return reflectance at the surface of that at the top of the atmosphere; arguments as of ``top_of_atmosphere``."""
    back = air_reflectance(bands, present) * np.asarray(air, np.float32)
    result: FloatArray = (reflectance - back) / (1 - np.float32(LOSS) * back)
    return result
