"""Good and bad examples of what is looked for, and the ranking of all patches by them. Keeping them is beside this.

Few examples: Rocchio's query, the mean of the good ones less a share of the mean of the bad ones (Manning, Raghavan and
Schütze, “Introduction to Information Retrieval”, 2008, chapter 9). Enough good ones: a logistic regression that tells
them from the bad ones and from the scene at large. Bad ones alone are near misses as a rule, and a classifier of good
ones and near misses says nothing of all other land.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.encoders.parts import FeatureParts
from core.errors import PatchError, SettingsError
from core.features.table import PatchTable
from core.scenes.patches import IntArray, PatchGrid, PatchRef, centres_lonlat
from core.scenes.regions.map_region import MapRegion
from core.scenes.scene import Scene
from core.search.common_bands import CommonBands, common_bands
from core.search.linear import MOST_FITTED, ExampleWeights, fit_linear
from core.search.ranking import COSINE, PROBABILITY, Ranking
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

LEAST_WEIGHT, MOST_WEIGHT = 0.01, 100.0
"""How often an example counts, at least and at most; as a rule once."""

_MOST_BAD = MOST_FITTED - AT_LARGE

MOST_EXAMPLES = 10_000
"""Examples that are listed one by one; areas hold as many patches as they like."""

_ASKED = "Searching by examples"


@dataclass(frozen=True, kw_only=True)
class PatchExample:
    """A patch that is, or is not, what is looked for.

    Attributes:
        ref: the patch, of the searched scene or another.
        good: True = like this; False = unlike this.
        weight: how often it counts, ``LEAST_WEIGHT`` to ``MOST_WEIGHT``.
    """

    ref: PatchRef
    good: bool = True
    weight: float = 1.0

    @property
    def what(self) -> object:
        """What tells the example from others, whether good or bad."""
        return self.ref


@dataclass(frozen=True, kw_only=True)
class AreaExample:
    """All patches whose centre lies in an area drawn on the map.

    Attributes:
        area: the area.
        good: True = like these; False = unlike these.
        title: what people call it; escape it before HTML.
        weight: how often each of its patches counts, as of ``PatchExample``.
    """

    area: MapRegion
    good: bool = True
    title: str = "Drawn area"
    weight: float = 1.0

    @property
    def what(self) -> object:
        """What tells the example from others, whether good or bad."""
        return self.area


@dataclass(frozen=True, kw_only=True)
class VectorExample:
    """Features of a picture that is in no scene, such as an uploaded chip.

    Attributes:
        vector: its features, finite, of any length but 0.
        fingerprint: of the encoder that made them.
        good: True = like this; False = unlike this.
        title: what people call it; escape it before HTML.
        bands: that the picture has; empty = not known, and taken for those of the scene.
        weight: how often it counts, as of ``PatchExample``.
        chip: id of the picture among those of ``core.search.chips``; empty = it is not kept.
    """

    vector: tuple[float, ...]
    fingerprint: str
    good: bool = True
    title: str = "Picture"
    chip: str = ""
    bands: tuple[str, ...] = ()
    weight: float = 1.0

    @property
    def what(self) -> object:
        """What tells the example from others, whether good or bad."""
        return self.fingerprint, self.vector


Example = PatchExample | AreaExample | VectorExample


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Examples, in the order in which they were given; each once.

    Attributes:
        examples: good and bad ones.
        name: what people call the search; empty = nothing.

    Raises:
        SettingsError: when one is there twice, be it good and bad, there are too many, or a weight is out of range.
    """

    examples: tuple[Example, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse contradictions."""
        if len(self.examples) > MOST_EXAMPLES:
            found = f"there are {len(self.examples):,} examples"
            raise SettingsError(_ASKED, found, f"give at most {MOST_EXAMPLES:,}, or draw an area")
        marks: dict[object, bool] = {}
        for one in self.examples:
            named = f"patch {one.ref.patch}" if isinstance(one, PatchExample) else f"“{one.title}”"
            if not LEAST_WEIGHT <= one.weight <= MOST_WEIGHT:
                remedy = f"let an example count {LEAST_WEIGHT:g} to {MOST_WEIGHT:g} times"
                raise SettingsError(_ASKED, f"{named} counts {one.weight:g} times", remedy)
            if one.what in marks:
                twice = "an example twice" if marks[one.what] == one.good else "both a good and a bad example"
                raise SettingsError(_ASKED, f"{named} is {twice}", "decide for one of them")
            marks[one.what] = one.good

    def __len__(self) -> int:
        return len(self.examples)

    @classmethod
    def of(
        cls, good: Iterable[PatchRef], bad: Iterable[PatchRef] = (), *, name: str = "",
        weights: Mapping[PatchRef, float] = MappingProxyType({}),
    ) -> Evidence:  # fmt: skip
        """Return the evidence of some patches; one that is given twice counts once. Errors as of ``Evidence``."""
        marked = [
            PatchExample(ref=ref, good=kind, weight=weights.get(ref, 1.0))
            for kind, refs in ((True, good), (False, bad))
            for ref in refs
        ]  # fmt: skip
        return cls(examples=tuple(dict.fromkeys(marked)), name=name)

    def mark(self, example: Example) -> Evidence:
        """Return it with one more example; one that was marked before takes the new mark, at its place."""
        if any(one.what == example.what for one in self.examples):
            return replace(self, examples=tuple(example if one.what == example.what else one for one in self.examples))
        return replace(self, examples=(*self.examples, example))

    def drop(self, example: Example) -> Evidence:
        """Return it without an example, good or bad; as it is where there is no such."""
        return replace(self, examples=tuple(one for one in self.examples if one.what != example.what))

    @property
    def scenes(self) -> frozenset[str]:
        """Ids of the scenes that patches among the examples are of."""
        return frozenset(one.ref.scene for one in self.examples if isinstance(one, PatchExample))


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchSpace:
    """The patches that are ranked.

    Attributes:
        scene: id of their scene.
        patch_ids: int64 of shape (N,), each once.
        unit: float32 of shape (N, D), features scaled to length 1, in the order of the ids.
        fingerprint: of the encoder that made the features; empty = not known.
        lonlat: centres in degrees, shape (N, 2), NaN = unknown; None when no place is known.
        elsewhere: encoded patches of other scenes by the scene's id, made by the same encoder.
        bands: of scenes by id, this one and others; of one that is not there they are not known.
        parts: on which bands the features rest; None = not known.
    """

    scene: str
    patch_ids: IntArray
    unit: FloatArray
    fingerprint: str = ""
    lonlat: NDArray[np.float64] | None = None
    elsewhere: Mapping[str, PatchTable] = field(default_factory=lambda: MappingProxyType({}))
    bands: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    parts: FeatureParts | None = None

    def __len__(self) -> int:
        return len(self.patch_ids)

    def rows(self, ids: IntArray) -> IntArray:
        """Return the rows of patches, int64, in the order given.

        Raises:
            PatchError: when one is not among the encoded patches.
        """
        order = np.argsort(self.patch_ids)
        found = np.searchsorted(self.patch_ids, ids, sorter=order)
        rows: IntArray = order[np.minimum(found, len(self) - 1)]
        lacking = ids[self.patch_ids[rows] != ids]
        if len(lacking):
            what = f"patch {int(lacking[0])} is not among the {len(self):,} encoded patches"
            raise PatchError(_ASKED, what, "choose one of them")
        return rows


def search_space(
    scene: Scene,
    grid: PatchGrid,
    table: PatchTable,
    *,
    fingerprint: str = "",
    elsewhere: Mapping[str, PatchTable] = MappingProxyType({}),
) -> SearchSpace:
    """Return the encoded patches of a scene as what is searched.

    Args:
        scene: the scene.
        grid: its patches.
        table: those that are encoded.
        fingerprint: of the encoder.
        elsewhere: encoded patches of other scenes, by the same encoder.
    """
    return SearchSpace(
        scene=scene.id, patch_ids=table.patch_ids, unit=table.unit, fingerprint=fingerprint,
        lonlat=centres_lonlat(scene, grid, table.patch_ids), elsewhere=elsewhere, bands={scene.id: tuple(scene.bands)},
    )  # fmt: skip


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


def rows_inside(area: MapRegion, space: SearchSpace, *, asked: str = "Searching in an area") -> NDArray[np.bool_]:
    """Return which patches have their centre in an area, bool of shape (N,).

    Raises:
        SettingsError: when none has, or no place is known.
    """
    if space.lonlat is None:
        raise SettingsError(asked, "it is not known where the patches lie", "search by patches and not by places")
    found = area.holds(space.lonlat)
    if not found.any():
        what = "it holds the centre of none of the patches"
        raise SettingsError(asked, what, "draw it over the scene, and larger than a patch")
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
