"""Classes that an encoder was taught, named on any scene by its classifier, and how sure it is of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.evaluation.classifier import SURE_FROM, Named
from core.imagery.ramps import Ramp
from core.scenes.labels import SceneLabels
from core.values.base import NOTHING_ASKED, Asked, ClassValue, ScaleValue
from core.values.classes import titles
from core.values.legend import ClassLegend, Scale
from core.values.named.unsure import (
    UNSURE,
    UNSURE_COLOUR,
    sure_patches,
    unsure_reasons,
    unsure_words,
    why_unsure,
)
from core.values.palette import class_colours
from core.values.source import PatchSource

CONFIDENCE_RAMP = Ramp(((0.0, "#8f2d12"), (0.5, "#d99a3d"), (0.8, "#a9b48c"), (1.0, "#1f5a44")))
"""Brown where the classifier guesses, green where it is sure."""

LEADING_SHARE = 0.75
"""Share of patches that are to have a class that counts, for a scene to be coloured by it unasked."""

_KEY = re.compile(r"[0-9a-f]{12}")


def predicted_colours(labels: SceneLabels, classes: Sequence[str]) -> tuple[str, ...]:
    """Return the colours of predicted classes: of one that the scene's labels know too, the same as theirs."""
    known = () if labels.shown is None else labels.shown.classes
    every = [*known, *(name for name in classes if name not in known)]
    stated = () if labels.shown is None else labels.shown.colours
    beside = [*stated, *[""] * (len(every) - len(known))] if stated else []
    by_name = dict(zip(every, class_colours(every, beside), strict=True))
    return tuple(by_name[name] for name in classes)


class NamedByEncoder:
    """Speaks of the classes that the encoder was taught; the version is the key of its classifier."""

    def found(self, source: PatchSource, asked: Asked) -> Named | None:
        """Return the classes it speaks of; None when there are none, or no longer those that are asked for."""
        return source.named(asked.version or "")

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether the encoder was taught classes."""
        return self.found(source, asked) is not None

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return the key of the classifier: several may lie on the same features."""
        found = None if asked.version else source.named()
        return asked.version or ("" if found is None else found.key)

    def read(self, version: str) -> Asked | None:
        """Return which classifier an address asks for."""
        if not version:
            return NOTHING_ASKED
        return Asked(version=version) if _KEY.fullmatch(version) else None


@dataclass(frozen=True, kw_only=True)
class PredictedValue(NamedByEncoder, ClassValue):
    """The class that the encoder's classifier gives each patch; the last class is ``UNSURE``."""

    exported: bool = True

    def leads(self, source: PatchSource) -> bool:
        """Return whether most patches have a class that counts."""
        found = source.named()
        return found is not None and bool(sure_patches(source, found).mean() >= LEADING_SHARE)

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return numbers of classes, one more than the last where ``sure_patches`` has none."""
        found = self.found(source, asked)
        if found is None:
            return None
        return np.where(sure_patches(source, found), found.index, len(found.classes)).astype(np.float32)

    def column(self, source: PatchSource) -> NDArray[Any] | None:
        """Return the class of each patch by name as plot and map show it, ``UNSURE`` where none counts."""
        found = self.found(source, NOTHING_ASKED)
        if found is None:
            return None
        return np.where(sure_patches(source, found), np.array(found.classes, dtype=object)[found.index], UNSURE)

    def exported_columns(self, source: PatchSource) -> dict[str, NDArray[Any]]:
        """Return the class of each patch, and why where none counts: its confidence may be high all the same."""
        found, known = self.found(source, NOTHING_ASKED), super().exported_columns(source)
        if found is not None:
            known[f"{self.column_name(source)}_why_unsure"] = unsure_reasons(why_unsure(source, found))
        return known

    def legend(self, source: PatchSource, values: FloatArray | None) -> ClassLegend:
        """Return the classes, and that of patches it is unsure of."""
        return self.legend_of(source, values, NOTHING_ASKED)

    def legend_of(self, source: PatchSource, values: FloatArray | None, asked: Asked) -> ClassLegend:
        """Return the classes of the classifier that was asked for."""
        found = self.found(source, asked)
        classes = () if found is None else found.classes
        colours = (*predicted_colours(source.labels, classes), UNSURE_COLOUR)
        return ClassLegend(names=(*titles(classes), UNSURE), colours=colours)


@dataclass(frozen=True, kw_only=True)
class ConfidenceValue(NamedByEncoder, ScaleValue):
    """The probability of the predicted class."""

    exported: bool = True

    def leads(self, source: PatchSource) -> bool:
        """Return False: it says nothing of land."""
        return False

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return probabilities, 0 to 1."""
        found = self.found(source, asked)
        return None if found is None else found.confidence


def caption(source: PatchSource, found: Named, row: int) -> tuple[str, str]:
    """Return what a picture says of the class of a patch, such as ``82 % Forest``, and the colour of its class.

    Where none counts it says why: a high probability beside “Unsure” alone would look like a mistake.
    """
    reason = int(why_unsure(source, found)[row])
    if reason >= 0:
        return unsure_words(reason), UNSURE_COLOUR
    number = int(found.index[row])
    said = f"{100 * float(found.confidence[row]):.0f}\N{NO-BREAK SPACE}% {titles(found.classes)[number]}"
    return said, predicted_colours(source.labels, found.classes)[number]


PREDICTED = PredictedValue(
    name="predicted",
    title="predicted class",
    about="The class that the encoder's classifier finds likeliest; unsure on land that its network does not know, and "
    f"below {100 * SURE_FROM:.0f} %",
)
CONFIDENCE = ConfidenceValue(
    name="confidence",
    title="confidence of the predicted class",
    about="Probability by the encoder's classifier; of land unlike what it learned it says too much",
    scale=Scale(title="Confidence", ramp=CONFIDENCE_RAMP, low_word="a guess", high_word="sure"),
)
