"""Conditions that patches have to meet: on a value of ``core.values.registry``, the score of a search, or a place."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.scenes.given.classes import NOBODYS
from core.scenes.regions.map_region import MapRegion
from core.search.ranking import BINS, Histogram, Ranking, histogram_of
from core.values.base import NOTHING_ASKED, Asked, ClassValue, PatchValue, ScaleValue
from core.values.legend import ClassLegend
from core.values.registry import OLDER_NAMES, VALUES
from core.values.source import PatchSource

SCORE = "score"
"""The address of the score of a search, which is no value of the registry: it depends on all examples or words."""

PLACE = "place"
"""The address of where patches lie, which is no number either."""

MOST_CHOSEN, LONGEST_ADDRESS = 500, 200
FILTERING = "Filtering patches"
"""What is asked for, for sentences."""

_NO_VALUES = (SCORE, PLACE)


@dataclass(frozen=True, kw_only=True, eq=False)
class FilterSource:
    """What conditions are asked of.

    Attributes:
        source: the patches, N of them, and what is known of them.
        asked: what values depend on where their address does not say it, such as the query.
        ranking: of the same patches in the same order, where conditions may be on its score; None = there is none.
        numbers: values that are computed already, by address, float32 of shape (N,); others are computed.
        lonlat: centres of the same patches in degrees, shape (N, 2), NaN = unknown; None when no place is known.
    """

    source: PatchSource
    asked: Asked = NOTHING_ASKED
    ranking: Ranking | None = None
    numbers: Mapping[str, FloatArray] = field(default_factory=lambda: MappingProxyType({}))
    lonlat: NDArray[np.float64] | None = None

    def scored(self) -> Ranking:
        """Return the ranking.

        Raises:
            SettingsError: when there is none.
        """
        if self.ranking is None:
            raise SettingsError(FILTERING, "there is no search whose score counts", "mark an example, or drop it")
        return self.ranking

    def values(self, address: str) -> FloatArray:
        """Return the numbers of an address, float32 of shape (N,), NaN = unknown.

        Raises:
            SettingsError: when there is no such value, or it is not known of these patches.
        """
        if address in self.numbers:
            return self.numbers[address]
        if address == SCORE:
            return self.scored().score
        value, asked = self._read(address)
        found = value.compute(self.source, asked) if value.available(self.source, asked) else None
        if found is None:
            raise SettingsError(
                FILTERING, f"the {value.title_of(self.source)} of these patches is not known", "drop that condition"
            )
        return found

    def names(self, address: str) -> tuple[str, ...]:
        """Return the classes of an address, in the order of their numbers; none of a value that is a number.

        Raises:
            SettingsError: as of ``values``.
        """
        if address == SCORE:
            return ()
        value, asked = self._read(address)
        legend = value.legend_of(self.source, self.values(address), asked)
        return legend.names if isinstance(legend, ClassLegend) else ()

    def alias(self, address: str, name: str) -> int | None:
        """Return the number of the class that an older name of it means; None when it means none."""
        return None if address == SCORE else self._read(address)[0].alias(self.source, name)

    def histogram(self, address: str, bins: int = BINS, *, mask: NDArray[np.bool_] | None = None) -> Histogram:
        """Return how the numbers of an address are spread, to be brushed; ``mask`` says which patches count.

        Raises:
            SettingsError: as of ``values``.
        """
        return histogram_of(self.values(address), bins, mask=mask)

    def _read(self, address: str) -> tuple[PatchValue, Asked]:
        value, version = value_of(address)
        asked = value.read(version) if version else self.asked
        if asked is None:
            raise SettingsError(FILTERING, f"“{address[:60]}” says nothing", "drop that condition")
        return value, asked


def value_of(address: str) -> tuple[PatchValue, str]:
    """Return the value of an address and its version.

    Raises:
        SettingsError: when there is no such value.
    """
    name, _, version = address.partition("-")
    value = VALUES.get(OLDER_NAMES.get(name, name))
    if value is None:
        raise SettingsError(FILTERING, f"there is no value “{name[:60]}”", f"choose of {', '.join([SCORE, *VALUES])}")
    return value, version


@dataclass(frozen=True, kw_only=True)
class Condition(ABC):
    """One condition.

    Attributes:
        value: address of the value it is about, as ``PatchValue.address``, or ``SCORE``.
    """

    value: str

    def __post_init__(self) -> None:
        """Refuse values that there are not."""
        if self.value not in _NO_VALUES:
            value_of(self.value)

    def check(self, source: FilterSource) -> None:
        """Do nothing where it can be asked of the patches of a source.

        Raises:
            SettingsError: when what it is about is not known of them.
        """
        source.values(self.value)

    def is_on(self, value: PatchValue) -> bool:
        """Return whether it is about a value, whichever version of it."""
        return self.value not in _NO_VALUES and value_of(self.value)[0] is value

    @property
    def title(self) -> str:
        """What the condition is about, in words."""
        if self.value in _NO_VALUES:
            return self.value
        value, _ = value_of(self.value)
        return value.scale.title if isinstance(value, ScaleValue) else value.title

    def told(self, source: PatchSource) -> str:
        """Return the condition in words, what it is about as it is called among the patches of a source."""
        if self.value in _NO_VALUES:
            return self.sentence
        value, _ = value_of(self.value)
        own = value.title_of(source)
        return self.sentence if own == value.title else self.sentence.replace(self.title, own, 1)

    @property
    @abstractmethod
    def sentence(self) -> str:
        """The condition in words."""

    @abstractmethod
    def mask(self, source: FilterSource) -> NDArray[np.bool_]:
        """Return which patches meet it, bool of shape (N,); one of which the value is unknown does not.

        Raises:
            SettingsError: when the value is not known of these patches.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""


@dataclass(frozen=True, kw_only=True)
class RangeCondition(Condition):
    """A number has to lie in a range.

    Attributes:
        low: the least that counts; None = any.
        high: the most that counts; None = any.

    Raises:
        SettingsError: for an empty range, a number that is not finite, or a value that has classes.
    """

    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no patch can meet."""
        super().__post_init__()
        ends = [end for end in (self.low, self.high) if end is not None]
        if not all(math.isfinite(end) for end in ends) or (len(ends) == 2 and ends[0] > ends[1]):
            found = f"{self.title} from {self.low} to {self.high} is no range"
            raise SettingsError(FILTERING, found, "give low to high")
        if self.value == PLACE or (self.value != SCORE and not isinstance(value_of(self.value)[0], ScaleValue)):
            raise SettingsError(FILTERING, f"{self.title} has classes and no range", "choose of its classes")

    @property
    def sentence(self) -> str:
        """The condition in words."""
        low, high = (None if end is None else f"{end:.4g}".replace("-", "−") for end in (self.low, self.high))
        if low is None and high is None:
            return f"{self.title} known"
        if low is None or high is None:
            return f"{self.title} at least {low}" if high is None else f"{self.title} at most {high}"
        return f"{self.title} {low} to {high}"

    def mask(self, source: FilterSource) -> NDArray[np.bool_]:
        """Return which patches lie in the range, both ends included; of scores as ``Ranking.among`` counts them."""
        if self.value == SCORE:
            return source.scored().among(self.low, most=self.high)
        ends = {"low": self.low, "high": self.high}
        return ScaleValue.mask(source.values(self.value), **{key: end for key, end in ends.items() if end is not None})

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, kw_only=True)
class ClassCondition(Condition):
    """A class has to be one of some.

    Attributes:
        classes: names, as legends write them; ``no class`` stands for patches without one. None of them = no patch.

    Raises:
        SettingsError: for too many names, or a value that is a number.
    """

    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what has no classes."""
        super().__post_init__()
        if self.value in _NO_VALUES or not isinstance(value_of(self.value)[0], ClassValue):
            raise SettingsError(FILTERING, f"{self.title} has no classes", "give a range")
        if len(self.classes) > MOST_CHOSEN:
            raise SettingsError(FILTERING, f"{len(self.classes)} classes are chosen", f"choose at most {MOST_CHOSEN}")

    @property
    def sentence(self) -> str:
        """The condition in words."""
        return f"{self.title} {' or '.join(self.classes)}" if self.classes else f"no {self.title}"

    def mask(self, source: FilterSource) -> NDArray[np.bool_]:
        """Return which patches are of one of the classes; a name that there is not among them is of none."""
        values = source.values(self.value)
        wanted = {name.casefold() for name in self.classes}
        numbers = {number for number, name in enumerate(source.names(self.value)) if name.casefold() in wanted}
        numbers |= {number for name in self.classes if (number := source.alias(self.value, name)) is not None}
        return ClassValue.mask(values, numbers | ({-1} if NOBODYS in wanted else set()))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"value": self.value, "classes": list(self.classes)}


@dataclass(frozen=True, kw_only=True)
class AreaCondition(Condition):
    """The centre of a patch has to lie in an area drawn on the map.

    Attributes:
        area: the area.

    Raises:
        SettingsError: for another value than ``PLACE``.
    """

    value: str = PLACE
    area: MapRegion

    def __post_init__(self) -> None:
        """Refuse what has no place."""
        super().__post_init__()
        if self.value != PLACE:
            raise SettingsError(FILTERING, f"{self.title} has no place", "give a range or classes")

    @property
    def sentence(self) -> str:
        """The condition in words."""
        return "in the drawn area"

    def check(self, source: FilterSource) -> None:
        """Do nothing where it is known where patches lie; else raise a ``SettingsError``."""
        self._places(source)

    def mask(self, source: FilterSource) -> NDArray[np.bool_]:
        """Return which patches have their centre in the area."""
        return self.area.holds(self._places(source))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"value": self.value, "area": self.area.to_geojson()}

    @staticmethod
    def _places(source: FilterSource) -> NDArray[np.float64]:
        if source.lonlat is None:
            raise SettingsError(FILTERING, "it is not known where the patches lie", "drop the condition on an area")
        return source.lonlat
