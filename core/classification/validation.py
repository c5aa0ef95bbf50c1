"""How well a kind of head names land it was not taught on: cross-validation by blocks of land, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.classification.calibration import ReliabilityBin, calibration_error, reliability
from core.classification.labelled import LabelledPatches
from core.classification.models import ClassModel, HeadKind, fit_model, settings_of
from core.evaluation.classifier import best_temperature
from core.evaluation.logistic import softmax
from core.evaluation.retrieval import BLOCK_DRAWS, Share, share, with_drawn
from core.evaluation.splits import block_folds, held_together, left_to_learn
from core.progress import Progress, silent
from core.scenes.patches import IntArray

FOLDS = 5
"""Parts that land is dealt out to; each is held out once."""

USUAL_SETTING = {"logistic": 1.0, "knn": 3.0, "forest": 200.0}
"""Settings where too few patches are labelled for a choice."""

MOST_FOR_CHOICE = 2000
"""Labelled patches among which a setting is chosen, at most; all of them are tested by the one that was chosen."""

LEAST_TESTED = 10
"""Labels that have to be tested before a share of them says much: of three, one more would move it by a quarter."""

OLDER_WAY = (
    "Measured by a former version, in which patches that share land with tested ones could teach: where patches "
    "overlap its figures are too favourable. What is taught anew is measured rightly."
)
"""What is said where figures of such a version are shown."""

_NEVER = np.float32(-60.0)
"""Logit of a class that no patch of the other folds is of."""


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """How well one class is named on held-out land.

    Attributes:
        name: of the class.
        count: labelled patches of it that were tested.
        f1: harmonic mean of precision and recall.
        precision: share of patches named so that are of the class.
        recall: share of its patches that are named so.
    """

    name: str
    count: int
    f1: Share
    precision: Share
    recall: Share


@dataclass(frozen=True, kw_only=True, eq=False)
class Validation:
    """What cross-validation found; each patch was named by a head that saw no patch of its block, and none of its land.

    Attributes:
        kind: of the head.
        setting: that was chosen, as of ``fit_model``.
        temperature: that suits all held-out patches.
        classes: names.
        labels: int64 of shape (N,), what people said.
        chances: float64 of shape (N, classes), calibrated by the other folds; NaN where a patch was not tested,
            because no patch of its class lies in another block, apart from its land.
        raw: likewise, as they were before calibration.
        blocks: int64 of shape (N,), which patches were held out together.
        spatial: True = blocks are of land; False = each patch by itself, because all lie in one block.
        held_apart: False = a former version measured it, which let patches teach that share land with tested ones.
    """

    kind: HeadKind
    setting: float
    temperature: float
    classes: tuple[str, ...]
    labels: IntArray
    chances: NDArray[np.float64]
    raw: NDArray[np.float64]
    blocks: IntArray
    spatial: bool
    held_apart: bool = True

    @cached_property
    def tested(self) -> NDArray[np.bool_]:
        """Which patches were tested, bool of shape (N,)."""
        found: NDArray[np.bool_] = np.isfinite(self.chances.sum(axis=1))
        return found

    @property
    def untested(self) -> tuple[str, ...]:
        """Classes of which no patch could be tested: all lie in one block or share land, or there is only one."""
        known = set(self.labels[self.tested].tolist())
        return tuple(name for number, name in enumerate(self.classes) if number not in known)

    @cached_property
    def named(self) -> IntArray:
        """The likeliest class of each tested patch, int64 of shape (tested,)."""
        found: IntArray = self.chances[self.tested].argmax(axis=1)
        return found

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Which tested patches were named rightly, bool of shape (tested,)."""
        found: NDArray[np.bool_] = self.named == self.labels[self.tested]
        return found

    @cached_property
    def confusion(self) -> IntArray:
        """Counts of true class by named class, int64 of shape (classes, classes)."""
        found: IntArray = self._confusions.sum(axis=0)
        return found

    @cached_property
    def accuracy(self) -> Share:
        """Share of tested patches that were named rightly; its interval is by blocks."""
        drawn = self._draws
        total = drawn.sum(axis=(1, 2))
        shares = np.trace(drawn, axis1=1, axis2=2) / np.where(total, total, np.nan)
        return with_drawn(share(self.right), shares)

    @cached_property
    def scores(self) -> tuple[ClassScore, ...]:
        """One row a class, with intervals by blocks."""
        return tuple(self._score(number) for number in range(len(self.classes)))

    @property
    def mean_f1(self) -> float:
        """Mean F1 of the classes that were tested; NaN for none."""
        values = [one.f1.value for one in self.scores if one.f1.count]
        return sum(values) / len(values) if values else float("nan")

    @cached_property
    def reliability(self) -> tuple[ReliabilityBin, ...]:
        """The reliability diagram of the calibrated probabilities."""
        return reliability(self.chances[self.tested].max(axis=1), self.right)

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of tested patches, each calibrated by the other folds; NaN for none."""
        return calibration_error(self.chances[self.tested].max(axis=1), self.right)

    @property
    def calibration_error_before(self) -> float:
        """The same before calibration."""
        return calibration_error(self.raw[self.tested].max(axis=1), self.right)

    @property
    def log_loss(self) -> float:
        """Mean −log of the probability that was given to the true class; NaN for no tested patch."""
        if not self.tested.any():
            return float("nan")
        given = self.chances[self.tested, self.labels[self.tested]]
        return float(-np.log(np.maximum(given, 1e-12)).mean())

    @cached_property
    def _confusions(self) -> IntArray:
        """Confusion of each block, int64 of shape (blocks, classes, classes)."""
        _, block = np.unique(self.blocks[self.tested], return_inverse=True)
        size = len(self.classes)
        table = np.zeros((int(block.max(initial=-1)) + 1, size, size), np.int64)
        np.add.at(table, (block, self.labels[self.tested], self.named), 1)
        return table

    @cached_property
    def _draws(self) -> IntArray:
        """Confusions of blocks drawn with replacement, int64 of shape (``BLOCK_DRAWS``, classes, classes)."""
        table = self._confusions
        if not len(table):
            return np.zeros((BLOCK_DRAWS, *table.shape[1:]), np.int64)
        random = np.random.default_rng(0)
        counts = random.multinomial(len(table), np.full(len(table), 1 / len(table)), size=BLOCK_DRAWS)
        found: IntArray = (counts @ table.reshape(len(table), -1)).reshape(BLOCK_DRAWS, *table.shape[1:])
        return found

    def _score(self, number: int) -> ClassScore:
        truth = self.labels[self.tested] == number
        said = self.named == number
        hits, wrong = int((truth & said).sum()), int((truth ^ said).sum())
        count = hits + round(wrong / 2)  # F1 is a share of so many: hits over hits and half of all errors.
        plain = share(np.arange(max(count, 1)) < hits) if hits or wrong else share(np.zeros(0, bool))
        drawn = self._draws
        both = drawn[:, number, :].sum(axis=1) + drawn[:, :, number].sum(axis=1)
        values = 2 * drawn[:, number, number] / np.where(both, both, np.nan)
        exact = replace(plain, value=2 * hits / (2 * hits + wrong)) if hits or wrong else plain
        return ClassScore(
            name=self.classes[number], count=int(truth.sum()), f1=with_drawn(exact, values),
            precision=share(truth[said]), recall=share(said[truth]),
        )  # fmt: skip


def validate(
    kind: HeadKind,
    known: LabelledPatches,
    *,
    settings: Sequence[float] = (),
    folds: int = FOLDS,
    seed: int = 0,
    progress: Progress = silent,
) -> Validation:
    """Cross-validate a kind of head by blocks of land, with the setting that gives held-out land the least log loss.

    Neighbouring patches look alike, so that testing on neighbours of what was taught promises too much (Roberts et al.,
    “Cross-validation strategies for data with temporal, spatial, hierarchical, or phylogenetic structure”, 2017). Where
    all patches lie in one block, each is dealt out by itself, and ``spatial`` says so. Patches that share land with one
    that is held out do not teach what is tested on it.

    Args:
        kind: of the head; a forest loads scikit-learn.
        known: labelled patches.
        settings: to choose from; empty = those of ``settings_of``.
        folds: parts, at most.
        seed: of the folds and of a forest.
        progress: told (fits done, fits).
    """
    settings = tuple(settings) or settings_of(kind)
    blocks, spatial = held_together(known.blocks)
    fold = block_folds(blocks, known.labels, folds, seed)
    some = _regular(len(known), MOST_FOR_CHOICE)
    steps = (len(settings) if len(settings) > 1 else 0) + 1
    best, least = (settings[0] if len(settings) == 1 else USUAL_SETTING[kind]), np.inf
    if len(settings) > 1:
        starts: dict[int, ClassModel] = {}
        for step, setting in enumerate(sorted(settings)):
            logits = _held_out_logits(kind, known, fold, setting, rows=some, seed=seed, starts=starts)
            loss = _loss(logits, known.labels)
            progress(step + 1, steps)
            if loss < least - 1e-9:
                best, least = setting, loss
    logits = _held_out_logits(kind, known, fold, best, rows=np.arange(len(known)), seed=seed, starts={})
    progress(steps, steps)
    tested = ~np.isnan(logits).any(axis=1)
    temperature = best_temperature(logits[tested], known.labels[tested]) if tested.any() else 1.0
    return Validation(
        kind=kind, setting=float(best), temperature=temperature, classes=known.classes, labels=known.labels,
        chances=_calibrated(logits, known.labels, fold), raw=np.asarray(softmax(logits), np.float64), blocks=blocks,
        spatial=spatial,
    )  # fmt: skip


def compare(
    known: LabelledPatches, kinds: Sequence[HeadKind] = ("logistic", "knn", "forest"), *, progress: Progress = silent
) -> tuple[Validation, ...]:
    """Cross-validate several kinds of heads on the same folds, best log loss first; a forest loads scikit-learn."""
    found = []
    for step, kind in enumerate(kinds):
        found.append(validate(kind, known))
        progress(step + 1, len(kinds))
    return tuple(sorted(found, key=lambda one: one.log_loss))


def _held_out_logits(
    kind: HeadKind,
    known: LabelledPatches,
    fold: IntArray,
    setting: float,
    *,
    rows: IntArray,
    seed: int,
    starts: dict[int, ClassModel],
) -> FloatArray:
    """Return logits of some patches by models that saw none of their fold and land, (N, classes); NaN where not tested.

    ``starts`` hands the models of one setting on to the next, by fold.
    """
    logits = np.full((len(known), len(known.classes)), np.nan, np.float32)
    for number in np.unique(fold[rows]).tolist():
        left = left_to_learn(fold == number, known.pairs)
        learned, held = rows[left[rows]], rows[fold[rows] == number]
        present, labels = np.unique(known.labels[learned], return_inverse=True)
        held = held[np.isin(known.labels[held], present)]
        if len(present) < 2 or not len(held):
            continue
        model = fit_model(
            kind, known.vectors[learned], labels, len(present), setting=setting, spread=known.spread,
            start=starts.get(number), seed=seed,
        )  # fmt: skip
        starts[number] = model
        logits[held] = _NEVER
        logits[np.ix_(held, present)] = model.logits(known.vectors[held])
    return logits


def _loss(logits: FloatArray, labels: IntArray) -> float:
    """Return the mean log loss of tested patches at the temperature that suits them; infinite for none."""
    tested = ~np.isnan(logits).any(axis=1)
    if not tested.any():
        return np.inf
    raw, truth = logits[tested].astype(np.float64), labels[tested]
    chances = softmax(raw / best_temperature(raw, truth))
    return float(-np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-12)).mean())


def _calibrated(logits: FloatArray, labels: IntArray, fold: IntArray) -> NDArray[np.float64]:
    """Return probabilities of each fold at the temperature that suits the others, so that none calibrates itself."""
    found = np.full(logits.shape, np.nan)
    tested = ~np.isnan(logits).any(axis=1)
    for number in np.unique(fold[tested]).tolist():
        here, others = tested & (fold == number), tested & (fold != number)
        temperature = best_temperature(logits[others], labels[others]) if others.any() else 1.0
        found[here] = softmax(logits[here].astype(np.float64) / temperature)
    return found


def _regular(count: int, most: int) -> IntArray:
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).round().astype(np.int64)
