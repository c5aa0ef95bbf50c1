"""Conditions that all have to be met, as they travel in links and bundles.

They are JSON: values by their addresses, classes by their names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError
from core.scenes.regions.map_region import read_region
from core.search.conditions import (
    FILTERING,
    LONGEST_ADDRESS,
    AreaCondition,
    ClassCondition,
    Condition,
    FilterSource,
    RangeCondition,
)
from core.values.source import PatchSource

MOST_CONDITIONS = 40
_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Conditions that all have to be met.

    Attributes:
        conditions: in the order in which they were set; one a value.

    Raises:
        SettingsError: for too many.
    """

    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        """Refuse more than a person sets."""
        if len(self.conditions) > MOST_CONDITIONS:
            found = f"there are {len(self.conditions)} conditions"
            raise SettingsError(FILTERING, found, f"give at most {MOST_CONDITIONS}")

    def __len__(self) -> int:
        return len(self.conditions)

    def having(self, condition: Condition) -> Filters:
        """Return it with a condition, in place of one on the same value."""
        kept = self.conditions
        if any(one.value == condition.value for one in kept):
            return Filters(conditions=tuple(condition if one.value == condition.value else one for one in kept))
        return Filters(conditions=(*kept, condition))

    def without(self, value: str) -> Filters:
        """Return it without the condition on a value; as it is where there is none."""
        return Filters(conditions=tuple(one for one in self.conditions if one.value != value))

    def mask(self, source: FilterSource) -> NDArray[np.bool_]:
        """Return which patches meet all conditions, bool of shape (N,); all of them where there is no condition.

        Raises:
            SettingsError: when a value is not known of these patches; ``unknown`` tells which before.
        """
        found = np.ones(len(source.source.table), bool)
        for one in self.conditions:
            found &= one.mask(source)
        return found

    def unknown(self, source: FilterSource) -> tuple[Condition, ...]:
        """Return the conditions that cannot be asked of these patches, such as those of a link of another scene."""
        lacking = []
        for one in self.conditions:
            try:
                one.check(source)
            except SettingsError:
                lacking.append(one)
        return tuple(lacking)

    def askable(self, source: FilterSource) -> Filters:
        """Return it without the conditions that cannot be asked of these patches, which ``unknown`` tells."""
        lacking = self.unknown(source)
        return Filters(conditions=tuple(one for one in self.conditions if one not in lacking))

    @property
    def sentence(self) -> str:
        """All conditions in words, without a stop; ``all patches`` where there are none."""
        return "; ".join(one.sentence for one in self.conditions) or "all patches"

    def told(self, source: PatchSource) -> str:
        """Return the conditions in words, as they are called among the patches of a source."""
        return "; ".join(one.told(source) for one in self.conditions) or "all patches"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, for bundles."""
        return {"version": _VERSION, "conditions": [one.to_dict() for one in self.conditions]}

    def link(self) -> str:
        """Return it as the text of a parameter of an address; empty where there are no conditions."""
        listed = [one.to_dict() for one in self.conditions]
        return json.dumps(listed, ensure_ascii=False, separators=(",", ":")) if listed else ""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Filters:
        """Return what ``to_dict`` gave.

        Raises:
            SettingsError: for another version, or what makes no sense.
        """
        version = values.get("version")
        if version != _VERSION:
            found = f"they are of version {version!r}, and this app reads {_VERSION}"
            raise SettingsError("Reading filters", found, "save them again, or use a newer app")
        return cls(conditions=tuple(_conditions(values.get("conditions"))))

    @classmethod
    def parse(cls, link: str) -> Filters | None:
        """Return the filters of an address; None when it makes no sense."""
        if not link:
            return cls()
        try:
            return cls(conditions=tuple(_conditions(json.loads(link))))
        except (SettingsError, ValueError, RecursionError):
            return None


def _conditions(listed: object) -> Iterable[Condition]:
    if not isinstance(listed, list):
        raise _senseless()
    return [_condition(one) for one in listed]


def _condition(values: object) -> Condition:
    """Return one condition of JSON values."""
    if not isinstance(values, Mapping) or not isinstance(values.get("value"), str):
        raise _senseless()
    address = values["value"]
    if len(address) > LONGEST_ADDRESS:
        raise _senseless()
    if "area" in values:
        return AreaCondition(value=address, area=read_region(values["area"], asked="Reading filters"))
    if "classes" in values:
        names = values["classes"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise _senseless()
        return ClassCondition(value=address, classes=tuple(names))
    ends = [values.get(key) for key in ("low", "high")]
    if any(isinstance(end, bool) or not isinstance(end, int | float | None) for end in ends):
        raise _senseless()
    low, high = (None if end is None else float(end) for end in ends)
    return RangeCondition(value=address, low=low, high=high)


def _senseless() -> SettingsError:
    return SettingsError("Reading filters", "a condition makes no sense", "set the filters again")
