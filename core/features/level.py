"""Bringing the pixels of a scene to the product level that an encoder is fed."""

from __future__ import annotations

from collections.abc import Sequence

from core.bands import FloatArray
from core.encoders.atmosphere import brought_to
from core.encoders.base import EncoderSpec
from core.scenes.scene import Scene


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
    if spec.level is None or not converts(level, spec):
        return pixels
    return brought_to(spec.level, pixels, bands, present)


def as_fed(pixels: FloatArray, scene: Scene, spec: EncoderSpec) -> FloatArray:
    """Return reflectance of a scene, shape (…, bands of the specification), as an encoder is fed it."""
    return at_level(pixels, spec.bands, level=scene.level, present=scene.bands, spec=spec)
