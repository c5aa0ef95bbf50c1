"""What a layout is made by: the methods there are and the settings of one. Making layouts is ``methods``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import SettingsError
from core.similarity.knn_graph import METRICS

LEAST_ROWS = 4
"""Rows below which there is nothing to arrange, and principal components are all there is."""

_LABELS = re.compile(r"[0-9a-z]{1,16}")


@dataclass(frozen=True, kw_only=True)
class MethodSpec:
    """A way to make a layout, readable without the library that does it.

    Attributes:
        title: what people call it.
        about: what it is for, in one line.
        prefix: begins the keys of its layouts. That of *fast* is ``umap``, as before there were others.
        path: the function, as ``module:name``; called with vectors, settings, labels or None, and progress.
        labelled: True = it needs classes of patches.
    """

    title: str
    about: str
    prefix: str
    path: str
    labelled: bool = False


METHODS = {
    "fast": MethodSpec(
        title="Fast",
        about="UMAP by this program itself: ready soonest, and as true to the features.",
        prefix="umap",
        path="core.projection.layout:fast_layout",
    ),
    "umap": MethodSpec(
        title="UMAP (umap-learn)",
        about="UMAP by the package of its authors: for comparison with published figures.",
        prefix="umaplearn",
        path="core.projection.umap_learn:umap_learn_layout",
    ),
    "densmap": MethodSpec(
        title="densMAP",
        about="UMAP that keeps density: kinds of land that vary much take more room than uniform ones.",
        prefix="densmap",
        path="core.projection.umap_learn:umap_learn_layout",
    ),
    "supervised": MethodSpec(
        title="Supervised",
        about="UMAP that knows the labels: classes are drawn apart, and patches without a label join the likeliest.",
        prefix="supervised",
        path="core.projection.umap_learn:umap_learn_layout",
        labelled=True,
    ),
}
"""The methods by name; another one is an entry here and the function it names."""


@dataclass(frozen=True, kw_only=True)
class ProjectionSettings:
    """The frozen settings of a layout.

    Attributes:
        n_neighbors: how many patches count as near, the patch itself included: 2 to 200. Few show fine detail, many
            the large picture.
        min_dist: how close points may lie in the plot: 0 (dense clumps) to 0.99 (spread out).
        metric: what near means, one of ``core.similarity.knn_graph.METRICS``.
        seed: 0 to 2³² − 1; equal seeds give equal layouts.
        method: one of ``METHODS``.
        labels: version of the labels that a supervised layout was made by, 1 to 16 small letters and digits; empty for
            the other methods.

    Raises:
        SettingsError: when a setting is out of range.
    """

    n_neighbors: int = 15
    min_dist: float = 0.1
    metric: str = "cosine"
    seed: int = 42
    method: str = "fast"
    labels: str = ""

    def __post_init__(self) -> None:
        _check(self.n_neighbors, "number of neighbours", 2, 200, whole=True)
        _check(self.min_dist, "minimum distance", 0, 0.99)
        _check(self.seed, "seed", 0, 2**32 - 1, whole=True)
        _check_name(self.metric, "metric", METRICS)
        _check_name(self.method, "method", METHODS)
        if METHODS[self.method].labelled and not _LABELS.fullmatch(self.labels):
            found = "a supervised layout needs labels, and there are none"
            raise SettingsError("Setting up the projection", found, "label patches, or choose another method")
        if self.labels and not METHODS[self.method].labelled:
            found = f"the method “{self.method}” knows no labels"
            raise SettingsError("Setting up the projection", found, "choose the method “supervised”")

    @property
    def key(self) -> str:
        """A name for files made with these settings: letters, digits, ``.`` and ``-``.

        That of a fast layout is what it was before there were other methods, so layouts kept then are found.
        """
        ending = f"-{self.labels}" if self.labels else ""
        numbers = f"{self.n_neighbors}-{float(self.min_dist):g}-{self.metric}-{self.seed}"
        return f"{METHODS[self.method].prefix}-{numbers}{ending}"


def _check(value: float, name: str, least: float, most: float, *, whole: bool = False) -> None:
    kind = int if whole else (int, float)
    if not isinstance(value, kind) or isinstance(value, bool) or not least <= value <= most:
        remedy = f"choose a {'whole ' if whole else ''}number from {least} to {most}"
        raise SettingsError("Setting up the projection", f"the {name} is {value}", remedy)


def _check_name(value: str, name: str, valid: Iterable[str]) -> None:
    if value not in valid:
        remedy = f"choose one of {', '.join(valid)}"
        raise SettingsError("Setting up the projection", f"the {name} is “{value}”", remedy)
