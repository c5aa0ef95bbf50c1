"""The class of every patch on the map that people make of a scene on the Classify page, and how sure that is.

What makes it is ``core.classification``, above this; a source that can hands its answer in.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.evaluation.classifier import Named
from core.values.base import NOTHING_ASKED, Asked
from core.values.legend import Scale
from core.values.named.predicted import CONFIDENCE_RAMP, ConfidenceValue, NamedByEncoder, PredictedValue
from core.values.source import PatchSource


class NamedByMap(NamedByEncoder):
    """Speaks of the classes of the map that is made on the Classify page."""

    def found(self, source: PatchSource, asked: Asked) -> Named | None:
        """Return the classes of the map as it is; None for another version of it, or where there is none."""
        return source.classified() if self.available(source, asked) else None

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return whether there is a map, and of the version that is asked for; quick."""
        version = source.classified_version()
        return bool(version) and asked.version in (None, version)

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return the version of the map."""
        return asked.version or source.classified_version()

    def read(self, version: str) -> Asked | None:
        """Return which map an address asks for."""
        return Asked(version=version) if version else NOTHING_ASKED


@dataclass(frozen=True, kw_only=True)
class ClassifiedValue(NamedByMap, PredictedValue):
    """The class of each patch on the map that is made on the Classify page; the last class is ``UNSURE``."""

    def leads(self, source: PatchSource) -> bool:
        """Return False: it is shown when somebody asks for it."""
        return False


@dataclass(frozen=True, kw_only=True)
class ClassifiedConfidence(NamedByMap, ConfidenceValue):
    """The probability of that class."""


CLASSIFIED = ClassifiedValue(
    name="classified",
    title="class on your map",
    about="The class that the map made on the Classify page gives each patch; unsure where the map says so",
)
CERTAINTY = ClassifiedConfidence(
    name="certainty",
    title="confidence of your map",
    about="Probability of that class, set by labelled land that was held out where there was enough of it",
    scale=Scale(title="Confidence", ramp=CONFIDENCE_RAMP, low_word="a guess", high_word="sure"),
)
