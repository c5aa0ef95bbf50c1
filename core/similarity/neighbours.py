"""Who is most like one patch: exact search by cosine similarity. The graph of all is ``core.similarity.knn_graph``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.scenes.patches import IntArray, PatchRef

TIE_WIDTH = np.float32(4e-6)
"""Differences of similarity that rounding of a matrix product may make."""


BLOCK_BYTES = 2**21
"""Rows are scaled so many bytes at a time, which stay in the processor's cache from one step to the next."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A patch like a query.

    Attributes:
        rank: 1 = the most like it.
        ref: the patch.
        similarity: cosine similarity to the query, −1 to 1.
    """

    rank: int
    ref: PatchRef
    similarity: float


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Patches of one scene like a query, best first: numbers while they are computed with, a ``Neighbour`` each after.

    Attributes:
        scene: id of the scene that they are of; empty where a file of features does not say it.
        ids: their patch ids, int64 of shape (k,).
        similarity: cosine similarity to the query, float32 of shape (k,), −1 to 1.
    """

    scene: str
    ids: IntArray
    similarity: FloatArray

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Neighbour]:
        """Yield each, best first."""
        return self.ranked()

    def ranked(self, first: int = 0, most: int | None = None) -> Iterator[Neighbour]:
        """Yield those after the ``first`` best, ``most`` of them at most; None = all."""
        shown = slice(first, None if most is None else first + most)
        pairs = zip(self.ids[shown].tolist(), self.similarity[shown].tolist(), strict=True)
        for rank, (patch, similarity) in enumerate(pairs, start=first + 1):
            yield Neighbour(rank, PatchRef(self.scene, patch), similarity)


def unit_rows(vectors: FloatArray) -> FloatArray:
    """Return the rows scaled to length 1, float32 of shape (N, D); zero rows stay zero.

    Raises:
        SettingsError: when a number is not finite.
    """
    rows = np.array(vectors, dtype=np.float32, order="C", ndmin=2)
    if rows.shape[1]:
        step = max(1, BLOCK_BYTES // (4 * rows.shape[1]))
        for start in range(0, len(rows), step):
            _to_unit(finite(rows[start : start + step]))
    return rows


def _to_unit(rows: FloatArray) -> None:
    """Scale rows to length 1 in place."""
    # Largest entry first, so that squares neither overflow nor vanish.
    largest = np.maximum(rows.max(axis=1), -rows.min(axis=1))
    rows /= np.where(largest == 0, np.float32(1), largest)[:, None]
    rows /= np.sqrt(np.maximum(np.einsum("ij,ij->i", rows, rows), np.float32(1e-12)))[:, None]


def finite(vectors: FloatArray) -> FloatArray:
    """Return the vectors themselves, once they are known to hold numbers only."""
    for start in range(0, len(vectors), 4096):
        if not np.isfinite(vectors[start : start + 4096]).all():
            raise SettingsError("Comparing patches", "some features are not finite numbers", "encode the scene again")
    return vectors


def similarities(unit: FloatArray, position: int) -> FloatArray:
    """Return the cosine similarity of all rows of ``unit_rows`` to one of them: float32 of shape (N,), −1 to 1.

    A zero row is similar to nothing: 0 throughout, itself included.
    """
    result: FloatArray = unit @ unit[position]
    return np.clip(result, -1, 1, out=result)


def nearest_patches(
    unit: FloatArray, patch_ids: IntArray, position: int, k: int, *, scene: str, exclude: IntArray | None = None
) -> Neighbours:
    """Return the k patches most similar to one, exactly; equal similarities come in the order of their ids.

    Args:
        unit: rows from ``unit_rows``, shape (N, D).
        patch_ids: ids of the rows, int64 of shape (N,).
        position: row of the query; it is never among its neighbours.
        k: how many, at least 1; fewer come back where there are fewer.
        scene: id of the scene of the rows; empty where it is not known.
        exclude: ids to leave out, such as patches that touch the query.

    Raises:
        SettingsError: when k is below 1.
    """
    if k < 1:
        raise SettingsError("Finding similar patches", f"{k} neighbours were asked for", "ask for at least 1")
    scores = similarities(unit, position)
    scores[position] = -np.inf
    if exclude is not None and len(exclude):
        scores[np.isin(patch_ids, exclude)] = -np.inf
    k = min(k, int(np.count_nonzero(scores > -np.inf)))
    if k == 0:
        return Neighbours(scene=scene, ids=patch_ids[:0], similarity=scores[:0])
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    candidates = np.flatnonzero(scores >= max(least - TIE_WIDTH, np.float32(-2)))
    exact = _exact_similarities(unit, candidates, position)
    order = np.lexsort((patch_ids[candidates], -exact))[:k]
    return Neighbours(scene=scene, ids=patch_ids[candidates[order]], similarity=exact[order].astype(np.float32))


def _exact_similarities(unit: FloatArray, rows: IntArray, position: int) -> NDArray[np.float64]:
    """Return similarities summed alike for every row, so that equal rows tie whatever their place in a product."""
    query = unit[position].astype(np.float64)
    parts = [
        np.einsum("ij,j->i", unit[rows[start : start + 512]].astype(np.float64), query)
        for start in range(0, len(rows), 512)
    ]
    joined: NDArray[np.float64] = np.concatenate(parts)
    return np.clip(joined, -1, 1, out=joined)
