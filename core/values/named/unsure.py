"""Why a class that a classifier names does not count, in the words of pages and files, and where one counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.evaluation.classifier import Named
from core.evaluation.novelty import NOVEL_ABOVE
from core.scenes.patches import IntArray
from core.values.source import PatchSource

UNSURE, UNSURE_COLOUR = "Unsure", "#D8D3C8"
"""What patches are called and painted whose class does not count."""

UNFAMILIAR_LAND, GUESSED = "unfamiliar land", "too little confidence"

WHY_UNSURE = (
    "the encoder learned these classes from other bands",
    "the encoder does not know this scene",
    "the encoder does not know this land",
    UNFAMILIAR_LAND,
    GUESSED,
)
"""Why a class does not count, however high its probability; the first that holds is said."""


def sure_patches(source: PatchSource, found: Named) -> NDArray[np.bool_]:
    """Return which patches have a class that counts, bool of shape (N,).

    It is likely enough, the network that was taught it knows the land, and its light is not unfamiliar:
    there a classifier is often sure of what it never learned (Hein, Andriushchenko and Bitterwolf, “Why ReLU Networks
    Yield High-Confidence Predictions Far Away From the Training Data”, 2019).
    """
    return why_unsure(source, found) < 0


def why_unsure(source: PatchSource, found: Named) -> IntArray:
    """Return why the class of each patch does not count, places in ``WHY_UNSURE`` of shape (N,); −1 = it does."""
    # With the classes themselves: as long as they are kept, no others have their identity.
    reasons: tuple[Named, IntArray] = source.kept(
        ("why unsure", id(found)), lambda: (found, _why_unsure(source, found))
    )
    return reasons[1]


def _why_unsure(source: PatchSource, found: Named) -> IntArray:
    nobody = np.zeros(len(found.index), np.bool_)
    unheard = nobody if found.heard is None else ~found.heard
    novelty = None if found.strange else source.novelty()
    reasons = (
        unheard & found.foreign,
        unheard & bool(unheard.all()),
        unheard,
        nobody if novelty is None else novelty > NOVEL_ABOVE,
        ~(found.confidence >= found.sure_from),
    )
    first = np.select(reasons, range(len(reasons)), -1).astype(np.int64)
    first.flags.writeable = False
    return first


def unsure_reasons(reasons: IntArray) -> NDArray[np.object_]:
    """Return the places of ``why_unsure`` as files say them, texts of shape (N,), None where a class counts."""
    found: NDArray[np.object_] = np.array([*WHY_UNSURE, None], dtype=object)[reasons]
    return found


def unsure_words(reason: int) -> str:
    """Return what a patch without a class that counts is called, and why: ``Unsure: unfamiliar land``."""
    return f"{UNSURE}: {WHY_UNSURE[reason]}"
