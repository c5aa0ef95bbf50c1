"""Bringing the pixels of a scene to the product level that an encoder is fed."""

from __future__ import annotations

from collections.abc import Sequence

from core.bands import FloatArray
from core.encoders.atmosphere import bottom_of_atmosphere, top_of_atmosphere
from core.encoders.base import EncoderSpec


def converts(level: str | None, spec: EncoderSpec) -> bool:
    """Tell whether pixels of a scene of a level, None = unknown, are changed before an encoder is fed them."""
    return level is not None and spec.level is not None and level != spec.level


def at_level(
    pixels: FloatArray, bands: Sequence[str], *, level: str | None, present: Sequence[str], spec: EncoderSpec
) -> FloatArray:
    """Return reflectance at the product level that an encoder is fed, by a usual air; as it is where that is not known.

    Args:
        pixels: reflectance of shape (…, bands).
        bands: their names.
        level: of the scene, ``L1C`` or ``L2A``; None = unknown.
        present: bands of the scene; the others were filled by these.
        spec: of the encoder.
    """
    if not converts(level, spec):
        return pixels
    change = top_of_atmosphere if spec.level == "L1C" else bottom_of_atmosphere
    return change(pixels, bands, present=present)
