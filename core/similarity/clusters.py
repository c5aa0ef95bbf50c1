"""Clusters of patches that are alike, by k-means or HDBSCAN; no labels, no names, no files.

Finding them loads scikit-learn, and is for workers only. What they are called is ``core.clusters``, above this.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import SettingsError
from core.progress import Progress, silent
from core.similarity.neighbours import unit_rows
from core.similarity.pca import along_axes, principal_axes, regular_sample

CLUSTER_METHODS: Mapping[str, str] = MappingProxyType({"kmeans": "k-means", "hdbscan": "HDBSCAN"})
"""Methods by name, as people know them."""

CHOICES = range(4, 11)
"""Numbers of clusters tried when none is given; there are as many colours that people can tell apart."""

MOST_CLUSTERS = 100

COMPONENTS, DENSITY_COMPONENTS = 20, 8
"""Principal components that patches are compared along by k-means, and by HDBSCAN: density thins out in more."""

CHOOSING_ROWS = 2500
"""Rows among which the number of clusters is chosen, spread evenly; silhouettes take the square of it."""

BATCHES_ABOVE = 50_000
"""Rows above which centres are moved by batches of rows (Sculley 2010) and not by all of them."""

DENSITY_ROWS = 30_000
"""Rows among which dense regions are looked for, spread evenly; others go to the cluster of the nearest of them."""

LEAST_SHARE, LEAST_PATCHES = 0.02, 5
"""Of all patches that a cluster of HDBSCAN has at least, and patches."""

CORE_NEIGHBOURS = 5
"""Neighbours that a patch of a dense region has at least: ``min_samples``."""

NEARLY_BEST = 0.95
ASKED_CLUSTERS = "Finding clusters"
_RESTARTS = 2
_SEVERAL_ABOVE = 1
_KEY = re.compile(r"(kmeans|hdbscan)-(auto|\d{1,3})-(\d{1,10})")


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """How clusters are found.

    Attributes:
        method: a key of ``CLUSTER_METHODS``.
        count: of clusters, 2 to 100, by k-means; None = the number that suits the patches. HDBSCAN finds it itself.
        seed: 0 to 2³² − 1; equal seeds give equal clusters.

    Raises:
        SettingsError: when a setting is out of range.
    """

    method: str = "kmeans"
    count: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in CLUSTER_METHODS:
            found = f"there is no method “{self.method[:40]}”"
            raise SettingsError(ASKED_CLUSTERS, found, f"choose {' or '.join(CLUSTER_METHODS)}")
        if self.count is not None and not 2 <= self.count <= MOST_CLUSTERS:
            found = "1 cluster was asked for" if self.count == 1 else f"{self.count} clusters were asked for"
            raise SettingsError(ASKED_CLUSTERS, found, f"ask for 2 to {MOST_CLUSTERS}")
        if self.count is not None and self.method == "hdbscan":
            found = f"{self.count} clusters were asked for, and HDBSCAN finds the number itself"
            raise SettingsError(ASKED_CLUSTERS, found, "leave the number out, or take kmeans")
        if not 0 <= self.seed < 2**32:
            raise SettingsError(ASKED_CLUSTERS, f"the seed is {self.seed}", "choose 0 to 4294967295")

    @property
    def key(self) -> str:
        """Return a name for files made with these settings: letters, digits and ``-``."""
        return f"{self.method}-{'auto' if self.count is None else self.count}-{self.seed}"

    @classmethod
    def parse(cls, key: str) -> ClusterSettings | None:
        """Return the settings of a key; None when it makes no sense."""
        parts = _KEY.fullmatch(key)
        if parts is None:
            return None
        try:
            count = None if parts[2] == "auto" else int(parts[2])
            return cls(method=parts[1], count=count, seed=int(parts[3]))
        except SettingsError:
            return None

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> ClusterSettings:
        """Return the settings that JSON values say, also those of jobs that earlier versions of the app left.

        Raises:
            SettingsError: when a setting is out of range.
        """
        return cls(
            method=str(values.get("method", "kmeans")), count=values.get("count", values.get("n_groups")),
            seed=int(values.get("seed", 0)),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundClusters:
    """Clusters as a method found them.

    Attributes:
        index: int16 of shape (N,): 0 is the largest cluster, 1 the next; −1 = of none, as HDBSCAN leaves odd patches.
        scores: mean silhouettes of the numbers that were tried, where the number was chosen by them, −1 to 1.
    """

    index: NDArray[np.int16]
    scores: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterSet:
    """The clusters of a scene's patches as people see them: named, and some of them merged.

    Attributes:
        settings: how they were found.
        index: int16 of shape (N,), the largest cluster first; −1 = of none.
        names: of the clusters, no two alike.
        parts: of each cluster the numbers it was found as; more than one were merged.
        kinds: of land that each had most of when they were found, by number; empty = not known.
        scores: as of ``FoundClusters``.
        version: what tells it from others of the same settings: empty where nothing was renamed or merged.
    """

    settings: ClusterSettings
    index: NDArray[np.int16]
    names: tuple[str, ...]
    parts: tuple[tuple[int, ...], ...]
    kinds: tuple[str, ...] = ()
    scores: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    version: str = ""

    @property
    def key(self) -> str:
        """Return what tells these clusters from any others of the same patches: letters, digits, ``-`` and ``.``."""
        return f"{self.settings.key}.{self.version}" if self.version else self.settings.key


def find_clusters(
    vectors: FloatArray,
    settings: ClusterSettings | None = None,
    *,
    large: int = BATCHES_ABOVE,
    dense_rows: int = DENSITY_ROWS,
    progress: Progress = silent,
) -> FoundClusters:
    """Return clusters of unit vectors along their leading principal components; equal input, equal clusters.

    By k-means without a number, the largest of ``CHOICES`` is taken whose mean silhouette (Rousseeuw 1987) on a sample
    comes within 5 % of the best: more clusters tell more where they are as distinct. HDBSCAN (Campello, Moulavi and
    Sander 2013) finds dense regions of at least ``LEAST_SHARE`` of the patches, and leaves others out.

    Args:
        vectors: float32 of shape (N, D), finite.
        settings: None = the defaults; fewer clusters come back where fewer vectors differ.
        large: rows above which centres are moved by batches.
        dense_rows: rows among which dense regions are looked for.
        progress: told (steps done, steps).

    Raises:
        SettingsError: for one patch or none, patches that are all alike, more clusters than patches, features that are
            not finite, and where HDBSCAN finds no dense region.
    """
    from threadpoolctl import threadpool_limits

    settings = settings or ClusterSettings()
    _check_enough(len(vectors), settings)
    rows = unit_rows(vectors)
    wide = COMPONENTS if settings.method == "kmeans" else DENSITY_COMPONENTS
    points = along_axes(rows, *principal_axes(rows, wide))
    if _differing(points, 2) < 2:
        found = f"all {len(points):,} patches are alike"
        raise SettingsError(ASKED_CLUSTERS, found, "choose another scene or encoder")
    progress(1, len(CHOICES) + 2)
    # One thread: sums of several come together in the order in which the threads end.
    with threadpool_limits(1):
        if settings.method == "hdbscan":
            found_clusters = FoundClusters(index=_by_size(_dense_regions(points, dense_rows)))
        else:
            scores = {} if settings.count else _silhouettes(points, settings.seed, progress)
            wanted = settings.count or _largest_good(scores)
            owner = _k_means(points, _differing(points, wanted), settings.seed, large)
            found_clusters = FoundClusters(index=_by_size(owner), scores=MappingProxyType(scores))
    progress(len(CHOICES) + 2, len(CHOICES) + 2)
    return found_clusters


def _check_enough(patches: int, settings: ClusterSettings) -> None:
    if patches <= _SEVERAL_ABOVE:
        found = "there is one patch" if patches else "there are no patches"
        raise SettingsError(ASKED_CLUSTERS, found, "open a larger scene, or cut it into smaller patches")
    if settings.count is not None and settings.count > patches:
        found = f"{settings.count} clusters were asked for, and there are {patches} patches"
        raise SettingsError(ASKED_CLUSTERS, found, f"ask for at most {patches}")


def _silhouettes(points: FloatArray, seed: int, progress: Progress) -> dict[int, float]:
    """Return the mean silhouette of a sample by the number of clusters; none where it is too small."""
    from sklearn.metrics import silhouette_score

    sample = points[regular_sample(len(points), CHOOSING_ROWS)]
    most = min(_differing(sample, CHOICES[-1]), len(sample) // 2)
    scores: dict[int, float] = {}
    for step, count in enumerate(CHOICES, 2):
        if count <= most:
            scores[count] = float(silhouette_score(sample, _k_means(sample, count, seed, BATCHES_ABOVE)))
        progress(step, len(CHOICES) + 2)
    return scores


def _largest_good(scores: Mapping[int, float]) -> int:
    """Return the largest number whose score comes near the best; the best itself where none is above 0."""
    if not scores:
        return 2
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
    """Return the cluster of each point, int64 of shape (N,); ``count`` is at most the number of points that differ."""
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    if len(points) > large:
        model = MiniBatchKMeans(count, batch_size=4096, n_init=_RESTARTS, random_state=seed)
    else:
        model = KMeans(count, n_init=_RESTARTS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal points in plenty may leave a cluster empty
        owner: NDArray[np.int64] = model.fit_predict(points).astype(np.int64)
    return owner


def _dense_regions(points: FloatArray, most: int) -> NDArray[np.int64]:
    """Return the dense region of each point, int64 of shape (N,), −1 = none.

    Raises:
        SettingsError: when there is no dense region, or too few points for one.
    """
    from sklearn.cluster import HDBSCAN
    from sklearn.neighbors import NearestNeighbors

    chosen = np.arange(len(points))[regular_sample(len(points), most)]
    sample = points[chosen].astype(np.float64)
    least = max(LEAST_PATCHES, round(LEAST_SHARE * len(sample)))
    owner = np.full(len(sample), -1, np.int64)
    if len(sample) >= 2 * LEAST_PATCHES:
        model = HDBSCAN(min_cluster_size=least, min_samples=min(CORE_NEIGHBOURS, len(sample)), copy=True)
        owner = model.fit_predict(sample).astype(np.int64)
    if (owner < 0).all():
        found = f"HDBSCAN finds no dense region: all {len(points):,} patches are odd ones"
        raise SettingsError(ASKED_CLUSTERS, found, "take kmeans")
    if len(chosen) == len(points):
        return owner
    nearest = NearestNeighbors(n_neighbors=1).fit(sample).kneighbors(points, return_distance=False)[:, 0]
    whole: NDArray[np.int64] = owner[nearest]
    whole[chosen] = owner
    return whole


def _by_size(owner: NDArray[np.int64]) -> NDArray[np.int16]:
    """Return the clusters renamed so that 0 is the largest; equal sizes by their first member; −1 stays."""
    names, first, inverse, counts = np.unique(owner, return_index=True, return_inverse=True, return_counts=True)
    counts[names < 0] = 0
    order = np.lexsort((first, -counts))
    order = order[names[order] >= 0]
    rank = np.full(len(names), -1, dtype=np.int16)
    rank[order] = np.arange(len(order))
    return rank[inverse]
