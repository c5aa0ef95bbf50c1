"""The ranking of all patches by good and bad examples.

Few examples: Rocchio's query, the mean of the good ones less a share of the mean of the bad ones (Manning, Raghavan and
Schütze, “Introduction to Information Retrieval”, 2008, chapter 9). Enough good ones: a logistic regression that tells
them from the bad ones and from the scene at large. Bad ones alone are near misses as a rule, and a classifier of good
ones and near misses says nothing of all other land.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import PatchError, SettingsError
from core.scenes.patches import PatchRef
from core.search.common_bands import CommonBands, common_bands
from core.search.examples import AreaExample, Evidence, PatchExample, VectorExample
from core.search.linear import MOST_FITTED, ExampleWeights, fit_linear
from core.search.ranking import COSINE, PROBABILITY, Ranking
from core.search.space import SearchSpace, rows_inside
from core.similarity.neighbours import unit_rows
from core.similarity.pca import regular_sample

BAD_SHARE = 0.3
"""Share of the mean of the bad examples that is taken off the mean of the good ones.

For EuroSAT's classes, with one to ten good examples and near misses as bad ones, 0.2 to 0.3 found most of a class among
0 to 0.9, by the features of the default encoder and by plain spectra alike (``tests/bench/compare_rankings.py``).
"""

ENOUGH = 10
"""Good examples from which the classifier finds as much as the query of means does, measured likewise."""

STRENGTH = 1.0
"""Strength of examples in the classifier, on features of length 1: of 0.3, 1 and 3 the best, measured likewise."""

AT_LARGE = 200
"""Patches, spread evenly over the scene, that stand for the scene at large; with 50, many examples find less."""

_MOST_BAD = MOST_FITTED - AT_LARGE

_ASKED = "Searching by examples"


def rank(evidence: Evidence, space: SearchSpace) -> Ranking:
    """Return the score of all patches by examples.

    With fewer than ``ENOUGH`` good ones it is the cosine similarity, −1 to 1, to the mean of the good examples less
    ``BAD_SHARE`` of the mean of the bad ones, each scaled to length 1; only bad ones give the opposite of their mean.
    With more it is a probability, 0 to 1, by logistic regression: of being like the good examples rather than like the
    bad ones and the scene at large, both sides taken as equally common. The scene at large holds good patches that
    nobody marked, so that it is rather too low than too high.

    A patch that is marked itself counts by its mark, whatever areas it lies in. One in both a good and a bad area says
    nothing. Weights are those of a mean, and of the examples of one kind among themselves in the regression. Where an
    example has other bands than the scene, only the numbers of features count that rest on bands which both have, as
    far as the encoder tells them apart; the ranking's note says so.

    Raises:
        SettingsError: when there are no examples, they cancel out, an area holds no patch, or a vector is of another
            encoder.
        PatchError: when an example is not among the encoded patches.
    """
    if not evidence.examples:
        raise SettingsError(_ASKED, "there are no examples", "mark a patch as a good one")
    marks = _marks(evidence, space)
    rows = {good: np.flatnonzero(marks == sign) for good, sign in ((True, 1), (False, -1))}
    shared = _shared(evidence, space)
    unit = space.unit if shared is None else shared.of(space.unit)
    foreign = {kind: _foreign(evidence, space, kind) for kind in (True, False)}
    good, bad = (
        np.concatenate([unit[rows[kind]], foreign[kind] if shared is None else shared.of(foreign[kind])])
        for kind in (True, False)
    )
    if not len(good) + len(bad):
        found = "every patch of the good areas lies in a bad one too"
        raise SettingsError(_ASKED, found, "take one of the areas away")
    examples = np.flatnonzero(marks)
    own = _own_weights(evidence, space)
    weights = {
        kind: np.concatenate([own[rows[kind]], [one.weight for one in _abroad(evidence, space, kind)]])
        for kind in (True, False)
    }
    if len(good) >= ENOUGH and (marks == 0).any():
        score, measure = _likely(good, bad, unit, marks, weights), PROBABILITY
        said = _likely_said(good, bad)
    else:
        query = rocchio_query(good, bad, weights=(weights[True], weights[False]))
        score, measure, said = np.clip(unit @ query, -1, 1), COSINE, _rocchio_said(good, bad, weights)
    return Ranking(
        scene=space.scene,
        patch_ids=space.patch_ids,
        score=score,
        measure=measure,
        sentence=said if shared is None else f"{said}; {shared.note}",
        examples=examples,
        bad=rows[False],
        note="" if shared is None else shared.note,
    )


def rocchio_query(
    good: FloatArray,
    bad: FloatArray,
    share: float = BAD_SHARE,
    *,
    weights: tuple[ExampleWeights, ExampleWeights] | None = None,
) -> FloatArray:
    """Return the direction that good examples point to and bad ones do not, float32 of shape (D,), of length 1.

    Args:
        good: rows of length 1, shape (P, D); may be none where there are bad ones.
        bad: likewise, shape (Q, D).
        share: of the mean of the bad ones that is taken off.
        weights: of the good and the bad ones in their means, shapes (P,) and (Q,); None = all alike.

    Raises:
        SettingsError: when nothing is left.
    """
    query = np.zeros(good.shape[1])
    if len(good):
        query += _mean(good, None if weights is None else weights[0])
    if len(bad):
        query -= (share if len(good) else 1.0) * _mean(bad, None if weights is None else weights[1])
    length = np.linalg.norm(query)
    if length < 1e-6:
        raise SettingsError(_ASKED, "the examples cancel each other out", "take some of them away")
    return np.asarray(query / length, np.float32)


def _mean(rows: FloatArray, weights: ExampleWeights | None) -> ExampleWeights:
    if weights is None or not np.ptp(weights):
        return np.asarray(rows.mean(axis=0, dtype=np.float64))
    return np.asarray(np.average(rows, axis=0, weights=weights))


def _likely(
    good: FloatArray, bad: FloatArray, unit: FloatArray, marks: NDArray[np.int8], weights: Mapping[bool, ExampleWeights]
) -> FloatArray:
    """Return the probability of being like good examples rather than bad ones and the scene at large."""
    unmarked = np.flatnonzero(marks == 0)
    at_large = unit[unmarked[regular_sample(len(unmarked), AT_LARGE)]]
    some = regular_sample(len(bad), _MOST_BAD)
    others = np.concatenate([bad[some], at_large])
    heavy = weights[True], np.concatenate([weights[False][some], np.ones(len(at_large))])
    return fit_linear(good, others, strength=STRENGTH, weights=heavy).probability(unit)


def _likely_said(good: FloatArray, bad: FloatArray) -> str:
    others = f"{_count(bad, 'bad')} and the scene at large" if len(bad) else "the scene at large"
    return f"Probability of being like {_count(good, 'good')} rather than {others}"


def _count(rows: FloatArray, kind: str) -> str:
    return f"the {kind} example" if len(rows) == 1 else f"{len(rows):,} {kind} examples"


def _rocchio_said(good: FloatArray, bad: FloatArray, weights: Mapping[bool, ExampleWeights]) -> str:
    """Return what a cosine is compared with, in a sentence without its stop."""
    uneven = {kind: len(some) > 1 and bool(np.ptp(some)) for kind, some in weights.items()}
    means = {kind: f"the {'weighted ' if uneven[kind] else ''}mean of " for kind in uneven}
    liked, other = (
        f"{means[kind == 'good'] if len(rows) > 1 else ''}{_count(rows, kind)}"
        for rows, kind in ((good, "good"), (bad, "bad"))
    )
    if not len(good):
        return f"Cosine similarity to the opposite of {other}"
    less = f", less {100 * BAD_SHARE:.0f} % of {other}" if len(bad) else ""
    return f"Cosine similarity to {liked}{less}"


def _marks(evidence: Evidence, space: SearchSpace) -> NDArray[np.int8]:
    """Return of each patch of the space whether it is a good (1), a bad (−1) or no example (0), int8 of shape (N,)."""
    areas = [one for one in evidence.examples if isinstance(one, AreaExample)]
    inside = {good: _inside([one for one in areas if one.good is good], space) for good in (True, False)}
    marks = inside[True].astype(np.int8) - inside[False].astype(np.int8)
    own = [one for one in evidence.examples if isinstance(one, PatchExample) and one.ref.scene == space.scene]
    if own:
        rows = space.rows(np.array([one.ref.patch for one in own], np.int64))
        marks[rows] = [1 if one.good else -1 for one in own]
    return marks


def _own_weights(evidence: Evidence, space: SearchSpace) -> ExampleWeights:
    """Return how often each patch of the space counts if it is an example, shape (N,): of several areas the most."""
    found = np.ones(len(space))
    areas = sorted((one for one in evidence.examples if isinstance(one, AreaExample)), key=lambda one: one.weight)
    for one in areas if any(one.weight != 1 for one in areas) else ():
        found[_inside([one], space)] = one.weight
    own = [one for one in evidence.examples if isinstance(one, PatchExample) and one.ref.scene == space.scene]
    if own:
        found[space.rows(np.array([one.ref.patch for one in own], np.int64))] = [one.weight for one in own]
    return found


def _abroad(evidence: Evidence, space: SearchSpace, good: bool) -> list[PatchExample | VectorExample]:
    """Return the good or bad examples that are not of the space."""
    return [
        one
        for one in evidence.examples
        if one.good is good
        and (isinstance(one, VectorExample) or (isinstance(one, PatchExample) and one.ref.scene != space.scene))
    ]  # fmt: skip


def _inside(areas: Sequence[AreaExample], space: SearchSpace) -> NDArray[np.bool_]:
    found = np.zeros(len(space), bool)
    for one in areas:
        found |= rows_inside(one.area, space, asked=f"Searching by “{one.title}”")
    return found


def _foreign(evidence: Evidence, space: SearchSpace, good: bool) -> FloatArray:
    """Return features of good or bad examples that are not of the space, float32 of shape (M, D), of length 1."""
    rows = [
        _vector(one, space) if isinstance(one, VectorExample) else _elsewhere(one.ref, space)
        for one in _abroad(evidence, space, good)
    ]  # fmt: skip
    return np.stack(rows) if rows else np.zeros((0, space.unit.shape[1]), np.float32)


def _shared(evidence: Evidence, space: SearchSpace) -> CommonBands | None:
    """Return by what examples of other bands than the space are compared; None where there are none."""
    others = [
        one.bands if isinstance(one, VectorExample) else space.bands.get(one.ref.scene, ())
        for good in (True, False)
        for one in _abroad(evidence, space, good)
    ]  # fmt: skip
    return common_bands(space.bands.get(space.scene, ()), others, space.parts)


def _elsewhere(ref: PatchRef, space: SearchSpace) -> FloatArray:
    table = space.elsewhere.get(ref.scene)
    if table is None or not table.holds(ref.patch):
        found = f"patch {ref.patch} of the scene {ref.scene} is not encoded by this encoder"
        raise PatchError(_ASKED, found, "open that scene with this encoder first")
    row: FloatArray = table.unit[int(table.positions(np.array([ref.patch]))[0])]
    return row


def _vector(one: VectorExample, space: SearchSpace) -> FloatArray:
    if len(one.vector) != space.unit.shape[1] or (space.fingerprint and one.fingerprint != space.fingerprint):
        found = f"the features of “{one.title}” were made by another encoder"
        raise SettingsError(_ASKED, found, "give the picture again with this encoder")
    row: FloatArray = unit_rows(np.array([one.vector], np.float32))[0]
    return row
