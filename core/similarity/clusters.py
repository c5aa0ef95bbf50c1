"""Groups of patches that are alike, for colouring; no labels, no files. It loads scikit-learn: for workers only."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.progress import Progress, silent
from core.similarity.neighbours import unit_rows
from core.similarity.pca import along_axes, principal_axes, regular_sample

CHOICES = range(4, 11)
"""Numbers of groups tried when none is given; there are as many colours that people can tell apart."""

COMPONENTS = 20
"""Principal components that patches are compared along."""

CHOOSING_ROWS = 2500
"""Rows among which the number of groups is chosen, spread evenly; silhouettes take the square of it."""

BATCHES_ABOVE = 50_000
"""Rows above which centres are moved by batches of rows (Sculley 2010) and not by all of them."""

NEARLY_BEST = 0.95
_RESTARTS = 2


@dataclass(frozen=True, kw_only=True)
class GroupSettings:
    """The frozen settings of groups.

    Attributes:
        n_groups: 1 to 100; None = the number that suits the patches.
        seed: 0 to 2³² − 1; equal seeds give equal groups.

    Raises:
        SettingsError: when a setting is out of range.
    """

    n_groups: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_groups is not None and not 1 <= self.n_groups <= 100:
            raise SettingsError("Grouping patches", f"{self.n_groups} groups were asked for", "ask for 1 to 100")
        if not 0 <= self.seed < 2**32:
            raise SettingsError("Grouping patches", f"the seed is {self.seed}", "choose 0 to 4294967295")

    @property
    def key(self) -> str:
        """Return a name for files made with these settings: letters, digits and ``-``."""
        return f"kmeans-{'auto' if self.n_groups is None else self.n_groups}-{self.seed}"


def cluster(
    vectors: FloatArray,
    settings: GroupSettings | None = None,
    *,
    large: int = BATCHES_ABOVE,
    progress: Progress = silent,
) -> NDArray[np.int16]:
    """Return k-means groups of unit vectors along their leading principal components; equal input, equal groups.

    Without a number, the largest of ``CHOICES`` is taken whose mean silhouette (Rousseeuw 1987) on a sample comes
    within 5 % of the best: more groups tell more where they are as distinct.

    Args:
        vectors: float32 of shape (N, D), finite; any N, 0 included.
        settings: None = the defaults; fewer groups come back where fewer vectors differ.
        large: rows above which centres are moved by batches.
        progress: told (steps done, steps).

    Returns:
        int16 of shape (N,): 0 is the largest group, 1 the next.

    Raises:
        SettingsError: when features are not finite.
    """
    from threadpoolctl import threadpool_limits

    settings = settings or GroupSettings()
    if not len(vectors):
        return np.zeros(0, dtype=np.int16)
    rows = unit_rows(vectors)
    points = along_axes(rows, *principal_axes(rows, COMPONENTS))
    progress(1, len(CHOICES) + 2)
    # One thread: sums of several come together in the order in which the threads end.
    with threadpool_limits(1):
        sample = points[regular_sample(len(points), CHOOSING_ROWS)]
        wanted = settings.n_groups or _number(sample, settings.seed, progress)
        owner = _k_means(points, _differing(points, wanted), settings.seed, large)
    progress(len(CHOICES) + 2, len(CHOICES) + 2)
    return _by_size(owner)


def _number(sample: FloatArray, seed: int, progress: Progress) -> int:
    """Return the number of groups that suits a sample; 1 where it is too small, or does not differ enough."""
    from sklearn.metrics import silhouette_score

    most = min(_differing(sample, CHOICES[-1]), len(sample) // 2)
    scores: dict[int, float] = {}
    for step, count in enumerate(CHOICES, 2):
        if count <= most:
            scores[count] = float(silhouette_score(sample, _k_means(sample, count, seed, BATCHES_ABOVE)))
        progress(step, len(CHOICES) + 2)
    return _largest_good(scores)


def _largest_good(scores: dict[int, float]) -> int:
    """Return the largest number whose score comes near the best; the best itself where none is above 0."""
    if not scores:
        return 1
    best = max(scores.values())
    good = [count for count, score in scores.items() if score >= NEARLY_BEST * best]
    return max(good) if good else max(scores, key=scores.__getitem__)


def _differing(points: FloatArray, most: int) -> int:
    """Return how many points, up to ``most``, differ by more than rounding: farthest first (Gonzalez 1985)."""
    tiny = 1e-10 * max(1.0, float(np.square(points).sum(axis=1).max()))
    nearest, count = np.square(points - points[0]).sum(axis=1), 1
    while count < most and nearest.max() > tiny:
        nearest = np.minimum(nearest, np.square(points - points[nearest.argmax()]).sum(axis=1))
        count += 1
    return count


def _k_means(points: FloatArray, count: int, seed: int, large: int) -> NDArray[np.int64]:
    """Return the group of each point, int64 of shape (N,); ``count`` is at most the number of points that differ."""
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    if len(points) > large:
        model = MiniBatchKMeans(count, batch_size=4096, n_init=_RESTARTS, random_state=seed)
    else:
        model = KMeans(count, n_init=_RESTARTS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal points in plenty may leave a group empty
        owner: NDArray[np.int64] = model.fit_predict(points).astype(np.int64)
    return owner


def _by_size(owner: NDArray[np.int64]) -> NDArray[np.int16]:
    """Return the groups renamed so that 0 is the largest; equal sizes by their first member."""
    names, first, inverse, counts = np.unique(owner, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(names), dtype=np.int16)
    rank[np.lexsort((first, -counts))] = np.arange(len(names))
    return rank[inverse]
