"""The question which of several scales is right: put as a sentence, and read back where a page offers the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.errors import ScaleError
from core.ingest.settings import SCALE_NAMES

_DARK = 0.1
"""Reflectance below this is said with a digit more."""
_SCALES = "|".join(re.escape(name) for name in SCALE_NAMES if name != "auto")
_CHOICE = re.compile(rf"(?<![\w+])({_SCALES}) where (?:the middle of (B\w\w)|it) reflects (-?\d+(?:\.\d+)?)")


def scale_asked(found: str, band: str, middles: Mapping[str, float]) -> ScaleError:
    """Return the question as an error.

    Args:
        found: why nothing tells.
        band: of which it is said what it would be.
        middles: by scale, the reflectance 0 to 1 of the middle of that band.
    """
    texts = {scale: f"{middle:.2f}" if abs(middle) >= _DARK else f"{middle:.3f}" for scale, middle in middles.items()}
    first, *others = (f"{scale} where {{}} reflects {text}" for scale, text in texts.items())
    choices = ", or ".join([first.format(f"the middle of {band}"), *(other.format("it") for other in others)])
    return ScaleError(found=found, remedy=f"choose the scale under “How to read files”: {choices}")


def scales_asked(sentence: str) -> dict[str, str]:
    """Return the scales among which a sentence asks to choose, each with what it makes of a band; empty for others."""
    band, found = "", {}
    for scale, named, middle in _CHOICE.findall(sentence):
        band = named or band
        found[scale] = f"{band} reflects {middle}"
    return found if len(found) > 1 else {}
