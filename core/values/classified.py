"""Classes by the labels that people gave patches of the scene, named everywhere on it, and how sure that is.

What teaches them is ``core.classification``, above this; a source that can hands its answer in.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.evaluation.classifier import SURE_FROM, Named
from core.values.base import NOTHING_ASKED, Asked, PatchSource
from core.values.legend import Scale
from core.values.predicted import CONFIDENCE_RAMP, ConfidenceValue, NamedByEncoder, PredictedValue


class NamedByLabels(NamedByEncoder):
    """Speaks of the classes that labels teach; the version is that of the labels."""

    def found(self, source: PatchSource, asked: Asked) -> Named | None:
        """Return the classes by the labels there are; None for labels of another version, or of fewer than two."""
        return source.classified() if self.available(source, asked) else None

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether people labelled patches of two classes, and in the version that is asked for; quick."""
        given = source.labels.given
        current = asked.version is None or asked.version == source.labels.version
        return current and given is not None and len(given.classes) > 1

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return the version of the labels."""
        return asked.version or source.labels.version

    def read(self, version: str) -> Asked | None:
        """Return which labels an address asks for."""
        return Asked(version=version) if version else NOTHING_ASKED


@dataclass(frozen=True, kw_only=True)
class ClassifiedValue(NamedByLabels, PredictedValue):
    """The class that a classifier of the scene's labels gives each patch; the last class is ``UNSURE``."""

    def leads(self, source: PatchSource) -> bool:
        """Return False: it is shown when somebody asks for it."""
        return False


@dataclass(frozen=True, kw_only=True)
class ClassifiedConfidence(NamedByLabels, ConfidenceValue):
    """The probability of that class."""


CLASSIFIED = ClassifiedValue(
    name="classified",
    title="class by your labels",
    about="The class that a classifier taught by your labels finds likeliest; unsure on unfamiliar land, and below "
    f"{100 * SURE_FROM:.0f} %",
)
CERTAINTY = ClassifiedConfidence(
    name="certainty",
    title="confidence by your labels",
    about="Probability of that class, set by labelled land that was held out",
    scale=Scale(title="Confidence", ramp=CONFIDENCE_RAMP, low_word="a guess", high_word="sure"),
)
