"""Clusters of alike patches, which a worker finds; what they are called is ``core.clusters``, above this."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.similarity.clusters import ClusterSet, ClusterSettings
from core.values.base import NOTHING_ASKED, Asked, ClassValue
from core.values.legend import ClassLegend
from core.values.palette import UNKNOWN_COLOUR, cluster_colours, colours_by_kind
from core.values.source import PatchSource

_NUMBERED = re.compile(r"(?:group|cluster) (\d{1,3})")
_VERSION = re.compile(r"[0-9a-f]{1,32}")


def colours_of_clusters(known: ClusterSet) -> tuple[str, ...]:
    """Return a colour for each cluster; that of the first of its parts, so that others keep theirs when some merge."""
    every = colours_by_kind(known.kinds) or cluster_colours(1 + max((max(one) for one in known.parts), default=0))
    return tuple(every[min(parts)] for parts in known.parts)


@dataclass(frozen=True, kw_only=True)
class ClusterValue(ClassValue):
    """The cluster of each patch; none until they are found."""

    exported: bool = True

    def available(self, source: PatchSource, asked: Asked) -> bool:
        """Return True: they can be found among any patches."""
        return True

    def compute(self, source: PatchSource, asked: Asked) -> FloatArray | None:
        """Return numbers of clusters, NaN = of none; None while they are not found, and for those of before."""
        known = source.clusters()
        if known is None or (asked.version is not None and asked.version != known.key):
            return None
        return np.where(known.index < 0, np.float32(np.nan), known.index.astype(np.float32))

    def column(self, source: PatchSource) -> NDArray[Any] | None:
        """Return the names of the clusters of all patches, None = of none; None while they are not found."""
        known = source.clusters()
        return None if known is None else np.array([*known.names, None], dtype=object)[known.index]

    def legend(self, source: PatchSource, values: FloatArray | None) -> ClassLegend:
        """Return the clusters, the largest first."""
        known = source.clusters()
        if known is None or values is None:
            return ClassLegend(names=("No clusters yet",), colours=(UNKNOWN_COLOUR,))
        return ClassLegend(names=known.names, colours=colours_of_clusters(known))

    def alias(self, source: PatchSource, name: str) -> int | None:
        """Return the cluster that a number means, as “Group 3” of earlier versions; None when it means none."""
        known, number = source.clusters(), _NUMBERED.fullmatch(name.casefold())
        if known is None or number is None:
            return None
        return next((one for one, parts in enumerate(known.parts) if int(number[1]) - 1 in parts), None)

    def version(self, source: PatchSource, asked: Asked) -> str:
        """Return how they were found, and what became of them since."""
        known = source.clusters()
        return asked.version or (ClusterSettings().key if known is None else known.key)

    def read(self, version: str) -> Asked | None:
        """Return which clusters an address asks for; without a version those there are."""
        if not version:
            return NOTHING_ASKED
        key, _, changed = version.partition(".")
        sensible = ClusterSettings.parse(key) is not None and (not changed or _VERSION.fullmatch(changed))
        return Asked(version=version) if sensible else None


CLUSTER = ClusterValue(name="cluster", title="cluster", about="Patches whose features are alike, named by their light")
