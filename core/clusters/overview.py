"""Clusters as people see them: named, merged, the largest first; and which of their patches are typical or odd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.clusters.changes import UNCHANGED, ClusterChanges
from core.clusters.naming import kinds_of_clusters, name_clusters
from core.scenes.patches import IntArray
from core.search.light import PatchLight
from core.similarity.clusters import ClusterSet, ClusterSettings, FoundClusters


def cluster_set(
    settings: ClusterSettings, found: FoundClusters, light: PatchLight | None, changes: ClusterChanges = UNCHANGED
) -> ClusterSet:
    """Return clusters with their names, merged as people decided.

    Args:
        settings: how they were found.
        found: the clusters.
        light: of the patches; None = not known, so that they have numbers for names.
        changes: what people decided.
    """
    count = int(found.index.max(initial=-1)) + 1
    parts = _by_size(_parts(count, changes), np.bincount(found.index[found.index >= 0], minlength=count))
    table = np.full(count + 1, -1, np.int16)  # The last entry is that of −1.
    for number, together in enumerate(parts):
        table[list(together)] = number
    index = table[found.index]
    index.flags.writeable = False
    given = {number: changes.names[min(one)] for number, one in enumerate(parts) if min(one) in changes.names}
    if light is None:
        names = tuple(given.get(number, f"Cluster {number + 1}") for number in range(len(parts)))
    else:
        names = name_clusters(index, light, given)
    kinds = () if light is None else kinds_of_clusters(found.index, light)
    return ClusterSet(
        settings=settings, index=index, names=names, parts=tuple(parts), kinds=kinds, scores=found.scores,
        version=changes.version,
    )  # fmt: skip


def _parts(count: int, changes: ClusterChanges) -> list[tuple[int, ...]]:
    merged = [tuple(one for one in parts if one < count) for parts in changes.merged]
    merged = [parts for parts in merged if parts]
    taken = {one for parts in merged for one in parts}
    return [*merged, *((one,) for one in range(count) if one not in taken)]


def _by_size(parts: list[tuple[int, ...]], sizes: NDArray[np.int64]) -> list[tuple[int, ...]]:
    return sorted(parts, key=lambda one: (-int(sizes[list(one)].sum()), min(one)))


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterOverview:
    """What is told of one cluster.

    Attributes:
        number: from 0.
        name: in words.
        patches: int64 of shape (M,), ids, the most typical first and the oddest last.
        likeness: float32 of shape (M,), cosine similarity of each to the middle of the cluster.
        share: of all patches, 0 to 1.
        hectares: of ground that its patches show together, shared ground once; None = not known.
    """

    number: int
    name: str
    patches: IntArray
    likeness: FloatArray
    share: float
    hectares: float | None


def overviews(
    known: ClusterSet, unit: FloatArray, patch_ids: IntArray, ground: Callable[[IntArray], float | None]
) -> tuple[ClusterOverview, ...]:
    """Return what is told of each cluster, the largest first.

    Typical patches are those most like the middle of their cluster, which is the mean of its features; odd ones lie
    farthest from it.

    Args:
        known: the clusters.
        unit: float32 of shape (N, D), features scaled to length 1.
        patch_ids: int64 of shape (N,).
        ground: gives the hectares that patches, by their ids, show together, shared ground once; None = not known.
    """
    found = []
    for number, name in enumerate(known.names):
        rows = np.flatnonzero(known.index == number)
        likeness = likeness_to_middle(unit[rows])
        order = np.argsort(-likeness, kind="stable")
        found.append(
            ClusterOverview(
                number=number, name=name, patches=patch_ids[rows[order]], likeness=likeness[order],
                share=len(rows) / len(unit), hectares=ground(patch_ids[rows]),
            )
        )  # fmt: skip
    return tuple(found)


def likeness_to_middle(unit: FloatArray) -> FloatArray:
    """Return the cosine similarity of vectors of length 1, shape (M, D), to their mean: float32 of shape (M,)."""
    middle = unit.mean(axis=0, dtype=np.float64).astype(np.float32)
    return np.asarray(unit @ (middle / max(float(np.linalg.norm(middle)), 1e-12)), np.float32)
