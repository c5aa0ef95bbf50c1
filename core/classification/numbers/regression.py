"""A number a patch, such as a yield, learned from some of them: ridge regression with intervals that hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import ClassificationError
from core.evaluation.logistic import spread_of
from core.evaluation.retrieval import Share, share, share_by_blocks
from core.evaluation.splits import block_folds, held_together, left_to_learn, sharing_land
from core.export.geometry import Shapes
from core.progress import Progress, silent
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows

PENALTIES = tuple(np.geomspace(0.01, 10_000, 13).tolist())
"""Penalties on the weights of which cross-validation chooses."""

COVERAGE = 0.9
"""Share of patches whose number is to lie in its interval."""

FEWEST_VALUES = 10
"""Patches with a number without which there is no interval of that share."""

_ASKED = "Learning a number"
_FOLDS = 5
_MOST_LEFT_OUT = 200
"""Blocks that are left out in turn, at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueModel:
    """A number of each patch, predicted from its features.

    Attributes:
        weights: float64 of shape (D,), on unit features.
        bias: added to it.
        half_width: of the interval around a prediction; NaN where there are too few blocks of land for one.
        coverage: share of patches whose number the interval is to hold, 0 to 1.
        penalty: that was chosen.
        patch_ids: of the patches it was learned from, int64 of shape (N,).
        actual: their numbers, float64 of shape (N,).
        held_out: what a model said of each that saw no patch of its block or land, likewise; NaN where all others share
            land with what was held out with it.
        spatial: True = held out by blocks of land; False = each patch by itself.
        blocks: of each patch, int64 of shape (N,), those of a block held out together; None = not kept, as before.
        held_apart: False = a former version measured it, which let patches teach that share land with tested ones.
    """

    weights: NDArray[np.float64]
    bias: float
    half_width: float
    coverage: float
    penalty: float
    patch_ids: IntArray
    actual: NDArray[np.float64]
    held_out: NDArray[np.float64]
    spatial: bool
    blocks: IntArray | None = None
    held_apart: bool = True

    def predict(self, vectors: FloatArray) -> NDArray[np.float64]:
        """Return the number of each patch, float64 of shape (N,), of features (N, D) of any length.

        Raises:
            ClassificationError: when the features have another number of columns.
        """
        if vectors.shape[1] != len(self.weights):
            found = f"the features have {vectors.shape[1]} numbers a patch, and it was taught on {len(self.weights)}"
            raise ClassificationError("Predicting a number", found, "use features of the encoder it was taught on")
        return unit_rows(vectors).astype(np.float64) @ self.weights + self.bias

    def interval(self, vectors: FloatArray) -> NDArray[np.float64]:
        """Return the lower and upper end of each patch's interval, float64 of shape (N, 2); errors as ``predict``.

        They are NaN where there are too few blocks of land for an interval, as ``no_interval`` says.
        """
        middle = self.predict(vectors)
        return np.stack([middle - self.half_width, middle + self.half_width], axis=1)

    @cached_property
    def tested(self) -> NDArray[np.bool_]:
        """Which patches were tested, bool of shape (N,)."""
        return np.isfinite(self.held_out)

    @cached_property
    def r_squared(self) -> float:
        """Share of the variance of held-out numbers that is explained; below 0 = worse than their mean."""
        actual, said = self.actual[self.tested], self.held_out[self.tested]
        spread = float(np.square(actual - actual.mean()).sum())
        return 1.0 - float(np.square(actual - said).sum()) / spread if spread > 0 else float("nan")

    @cached_property
    def error(self) -> float:
        """Root of the mean squared error on held-out patches, in the unit of the numbers."""
        return float(np.sqrt(np.square(self.actual - self.held_out)[self.tested].mean()))

    @cached_property
    def covered(self) -> Share:
        """Share of held-out numbers in the interval that the other blocks make; of none where these are too few.

        The width is a quantile of all these errors, so that in intervals of that width they lie by its making. Errors
        of a block are alike: the share's own interval is also that of blocks drawn with replacement.
        """
        if self.blocks is None or not math.isfinite(self.half_width):
            return share(np.zeros(0, np.bool_))
        errors, blocks = np.abs(self.actual - self.held_out)[self.tested], self.blocks[self.tested]
        numbers = np.unique(blocks)
        if len(numbers) - 1 < fewest_blocks(self.coverage):
            return share(np.zeros(0, np.bool_))
        inside = np.zeros(len(errors), np.bool_)
        chosen = numbers[np.linspace(0, len(numbers) - 1, min(len(numbers), _MOST_LEFT_OUT)).round().astype(np.int64)]
        for number in chosen.tolist():
            held = blocks == number
            inside[held] = errors[held] <= block_width(errors[~held], blocks[~held], self.coverage)
        counted = np.isin(blocks, chosen)
        return share_by_blocks(inside[counted], blocks[counted])

    @property
    def no_interval(self) -> str:
        """Why there is no interval, a sentence; empty where there is one."""
        if math.isfinite(self.half_width):
            return ""
        blocks = 1 if not self.spatial or self.blocks is None else len(np.unique(self.blocks[self.tested]))
        some = "one block" if blocks == 1 else f"{blocks} blocks"
        return (
            f"No interval: the numbers lie in {some} of land, and errors on other land can only be told from "
            f"{fewest_blocks(self.coverage)} or more"
        )


def teach_values(
    vectors: FloatArray,
    patch_ids: IntArray,
    values: dict[int, float],
    *,
    blocks: IntArray | None = None,
    outlines: Shapes | None = None,
    coverage: float = COVERAGE,
    progress: Progress = silent,
) -> ValueModel:
    """Return a ridge regression on standardised features, its penalty chosen by cross-validation over blocks of land.

    The half width of intervals is that of ``block_width``, of errors on held-out patches (by folds: Barber et al.,
    “Predictive inference with the jackknife+”, 2021). Numbers of too few blocks of land give no interval. Where no
    place is known each patch counts as a block.

    Args:
        vectors: features of all patches of the scene, shape (M, D), of any length.
        patch_ids: of these, int64 of shape (M,).
        values: number by patch id; patches without features are left out.
        blocks: block of land of each patch, as ``labelled.blocks_of`` gives it; None = each by itself.
        outlines: of all patches, of shape (M,), as ``labelled.land_outlines`` gives them; None = no two share land.
        coverage: above 0 and below 1.
        progress: told (penalties tried, penalties).

    Raises:
        ClassificationError: for fewer than ``FEWEST_VALUES`` patches, fewer that can be tested, numbers that are all
            alike or not finite, or a share out of range.
    """
    rows = np.flatnonzero(np.isin(patch_ids, np.fromiter(values, np.int64, len(values))))
    actual = np.array([values[patch_id] for patch_id in patch_ids[rows].tolist()], np.float64)
    fewest = _fewest_values(actual, coverage)
    unit = unit_rows(vectors)
    spread = spread_of(unit)
    points = ((unit[rows] - spread.mean) / spread.std).astype(np.float64)
    own = np.full(len(rows), -1, np.int64) if blocks is None else blocks[rows]
    together, spatial = held_together(own)
    parts = _parts(together, None if outlines is None else outlines[rows])
    table = _tried(points, actual, parts, progress)
    tested = np.isfinite(table[0])
    if tested.sum() < fewest:
        found = f"{tested.sum()} of {len(rows)} patches can be tested by others that show none of their land"
        raise ClassificationError(_ASKED, found, f"give numbers farther apart, so that {fewest} can be")
    errors = np.abs(table - actual)[:, tested]
    one_block = not spatial and bool((own >= 0).any())
    best = int(np.square(errors).mean(axis=1).argmin())
    weights, bias = _ridge(points, actual, PENALTIES[best])
    scaled = weights / spread.std
    return ValueModel(
        weights=scaled, bias=float(bias - spread.mean @ scaled), coverage=coverage, penalty=PENALTIES[best],
        half_width=math.nan if one_block else block_width(errors[best], together[tested], coverage),
        patch_ids=patch_ids[rows], actual=actual,
        held_out=table[best], spatial=spatial, blocks=together,
    )  # fmt: skip


def _fewest_values(actual: NDArray[np.float64], coverage: float) -> int:
    """Return how many patches an interval of some coverage needs; errors as ``teach_values``, of what is given."""
    if not 0 < coverage < 1:
        raise ClassificationError(_ASKED, f"the coverage is {coverage:g}", "choose a share such as 0.9")
    fewest = max(FEWEST_VALUES, fewest_blocks(coverage))
    if len(actual) < fewest:
        found = f"{len(actual)} patches of the scene have a number"
        raise ClassificationError(_ASKED, found, f"give at least {fewest}")
    if not np.isfinite(actual).all() or np.ptp(actual) == 0:
        found = "a number is not finite" if not np.isfinite(actual).all() else f"all numbers are {actual[0]:g}"
        raise ClassificationError(_ASKED, found, "give numbers that differ")
    return fewest


def _parts(blocks: IntArray, outlines: Shapes | None) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return which patches are tested in turn, the same for the same blocks, and which may teach what is said of them.

    Args:
        blocks: of each, shape (N,).
        outlines: likewise, as of ``teach_values``.
    """
    fold = block_folds(blocks, np.zeros(len(blocks), np.int64), _FOLDS)
    pairs = np.zeros((2, 0), np.int64) if outlines is None else sharing_land(outlines)
    return [(held, left_to_learn(held, pairs)) for held in (fold == one for one in np.unique(fold))]


def _tried(
    points: NDArray[np.float64],
    actual: NDArray[np.float64],
    parts: Sequence[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
    progress: Progress,
) -> NDArray[np.float64]:
    """Return what ``_held_out`` says with each of ``PENALTIES``, shape (penalties, N)."""
    tried = []
    for step, penalty in enumerate(PENALTIES):
        tried.append(_held_out(points, actual, parts, penalty))
        progress(step + 1, len(PENALTIES))
    return np.stack(tried)


def widened(model: ValueModel) -> ValueModel:
    """Return a model of a former version with intervals that hold on new blocks of land, where its blocks are known."""
    if model.blocks is None or not model.spatial:
        return model
    errors = np.abs(model.actual - model.held_out)[model.tested]
    return replace(model, half_width=block_width(errors, model.blocks[model.tested], model.coverage))


def _ridge(
    points: NDArray[np.float64], actual: NDArray[np.float64], penalty: float
) -> tuple[NDArray[np.float64], float]:
    """Return weights and bias that minimise ``Σ (y − w·x − b)² + penalty · ‖w‖²``; by the smaller of both systems."""
    middle, level = points.mean(axis=0), float(actual.mean())
    centred, wanted = points - middle, actual - level
    if len(points) < points.shape[1]:
        inner = centred @ centred.T + penalty * np.eye(len(points))
        weights = centred.T @ np.linalg.solve(inner, wanted)
    else:
        outer = centred.T @ centred + penalty * np.eye(points.shape[1])
        weights = np.linalg.solve(outer, centred.T @ wanted)
    return weights, level - float(middle @ weights)


def _held_out(
    points: NDArray[np.float64],
    actual: NDArray[np.float64],
    parts: Sequence[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
    penalty: float,
) -> NDArray[np.float64]:
    """Return what is said of each patch by others; NaN where fewer than two may teach. ``parts``: tested, teaching."""
    found = np.full(len(actual), np.nan)
    for held, learned in parts:
        if learned.sum() > 1:
            weights, bias = _ridge(points[learned], actual[learned], penalty)
            found[held] = points[held] @ weights + bias
    return found


def fewest_blocks(coverage: float) -> int:
    """Return how many blocks of land an interval of some coverage needs: 9 for 90 %."""
    return math.ceil(coverage / (1 - coverage) - 1e-9)


def block_width(errors: NDArray[np.float64], blocks: IntArray, coverage: float) -> float:
    """Return the half width of intervals that hold on a block of land of which nothing was seen; NaN for too few.

    It is the quantile of errors in which each of K blocks weighs 1 / (K + 1), whatever patches it has, and an endless
    error as much: conformal prediction for data in groups (Lee, Barber and Willett, “Distribution-free inference with
    hierarchical data”, 2023). Errors within a block are alike, so that a quantile of patches is too narrow.

    Args:
        errors: absolute, on held-out patches, shape (N,).
        blocks: of these, int64 of shape (N,).
        coverage: above 0 and below 1.
    """
    _, block, count = np.unique(blocks, return_inverse=True, return_counts=True)
    if len(count) < fewest_blocks(coverage):
        return math.nan
    order = np.argsort(errors, kind="stable")
    weights = np.cumsum((1 / ((len(count) + 1) * count[block]))[order])
    return float(errors[order][min(len(errors) - 1, int(np.searchsorted(weights, coverage - 1e-9)))])
