"""Groups of alike patches, which a worker makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.bands import FloatArray
from core.similarity.clusters import GroupSettings
from core.values.base import NOTHING_ASKED, Asked, ClassValue, PatchSource
from core.values.legend import ClassLegend
from core.values.palette import UNKNOWN_COLOUR, group_colours


@dataclass(frozen=True, kw_only=True)
class GroupValue(ClassValue):
    """The group of each patch; none until it is made."""

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return True: they can be made of any patches."""
        return True

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return numbers of groups; None while they are not made."""
        found = source.groups()
        return None if found is None else found.astype(np.float32)

    def legend(self, source: PatchSource, values: FloatArray | None) -> ClassLegend:
        """Return the groups, the largest first."""
        if values is None:
            return ClassLegend(names=("Not grouped yet",), colours=(UNKNOWN_COLOUR,))
        count = int(values.max(initial=-1)) + 1
        names = tuple(f"Group {number + 1}" for number in range(count))
        return ClassLegend(names=names, colours=tuple(group_colours(count)))

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return how they are made: earlier versions of the app made others."""
        return GroupSettings().key

    def read(self, version: str) -> Asked | None:
        """Return nothing to ask for, for groups as they are made now and for addresses without a version."""
        return NOTHING_ASKED if version in {"", GroupSettings().key} else None


GROUP = GroupValue(name="group", title="group", about="Patches whose features are alike, by k-means")
