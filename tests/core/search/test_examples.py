"""Ranking by good and bad examples: which way of two, what its scores mean, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from core.errors import PatchError, SettingsError
from core.features.table import PatchTable
from core.scenes.patches import PatchRef
from core.scenes.regions.map_region import MapRegion
from core.search.by_examples import BAD_SHARE, ENOUGH, rank
from core.search.examples import MOST_EXAMPLES, AreaExample, Evidence, PatchExample, VectorExample
from core.search.ranking import COSINE, PROBABILITY
from core.search.space import SearchSpace
from core.similarity.neighbours import unit_rows

COUNT, WIDTH = 120, 6


def space(**more: object) -> SearchSpace:
    """Three kinds of patches by turns, in a row along the equator; ids are not the rows."""
    rng = np.random.default_rng(0)
    vectors = np.eye(3, WIDTH)[np.arange(COUNT) % 3] + rng.normal(0, 0.15, (COUNT, WIDTH))
    lonlat = np.stack([np.arange(COUNT) / 100, np.zeros(COUNT)], axis=1)
    fields = {"scene": "s", "patch_ids": 5 * np.arange(COUNT), "unit": unit_rows(vectors), "lonlat": lonlat, **more}
    return SearchSpace(**fields)  # type: ignore[arg-type]


def refs(*rows: int, scene: str = "s") -> list[PatchRef]:
    return [PatchRef(scene, 5 * row) for row in rows]


def box(west: float, east: float) -> MapRegion:
    return MapRegion(shape=shapely.box(west - 0.001, -1, east + 0.001, 1))


def test_one_example_gives_the_cosine_similarity_of_all_patches() -> None:
    whole = space()
    found = rank(Evidence.of(refs(4)), whole)
    np.testing.assert_allclose(found.score, whole.unit @ whole.unit[4], atol=1e-6)
    assert found.measure == COSINE
    assert found.order[0] == 4
    assert sorted(found.order.tolist()) == list(range(COUNT)), "no patch is left out"
    assert found.sentence == "Cosine similarity to the good example"


def test_bad_examples_take_their_share_off_the_mean_of_good_ones() -> None:
    whole = space()
    found = rank(Evidence.of(refs(0, 3), refs(1)), whole)
    query = whole.unit[[0, 3]].mean(axis=0) - BAD_SHARE * whole.unit[1]
    np.testing.assert_allclose(found.score, whole.unit @ query / np.linalg.norm(query), atol=1e-6)
    assert found.examples.tolist() == [0, 1, 3]
    assert found.sentence == "Cosine similarity to the mean of 2 good examples, less 30 % of the bad example"
    only = rank(Evidence.of([], refs(1)), whole)
    np.testing.assert_allclose(only.score, -whole.unit @ whole.unit[1], atol=1e-6)


def test_examples_count_as_often_as_their_weight_says() -> None:
    whole = space()
    heavy = {refs(0)[0]: 2.0, refs(1)[0]: 0.5}
    found = rank(Evidence.of(refs(0, 3), refs(1, 4), weights=heavy), whole)
    unit = whole.unit.astype(np.float64)
    query = (2 * unit[0] + unit[3]) / 3 - BAD_SHARE * (0.5 * unit[1] + unit[4]) / 1.5
    np.testing.assert_allclose(found.score, unit @ query / np.linalg.norm(query), atol=1e-6)
    assert found.sentence.startswith(
        "Cosine similarity to the weighted mean of 2 good examples, less 30 % of the weighted"
    )
    alike = rank(Evidence.of(refs(0, 3), weights=dict.fromkeys(refs(0, 3), 2.0)), whole)
    np.testing.assert_allclose(alike.score, rank(Evidence.of(refs(0, 3)), whole).score, atol=1e-6)
    assert "weighted" not in alike.sentence
    area = AreaExample(area=box(0.0, 0.02), weight=2.0)
    marked = rank(Evidence(examples=(area, PatchExample(ref=refs(1)[0], weight=0.5))), whole)
    query = 2 * unit[0] + 0.5 * unit[1] + 2 * unit[2]
    np.testing.assert_allclose(marked.score, unit @ query / np.linalg.norm(query), atol=1e-6)
    picture = VectorExample(vector=tuple(unit[8].tolist()), fingerprint="", weight=3.0)
    both = rank(Evidence(examples=(picture, *Evidence.of(refs(0)).examples)), whole)
    query = 3 * unit[8] + unit[0]
    np.testing.assert_allclose(both.score, unit @ query / np.linalg.norm(query), atol=1e-6)


def test_a_heavy_example_pulls_the_classifier_too() -> None:
    whole = space()
    good = [3 * number for number in range(ENOUGH)] + [4]
    even = rank(Evidence.of(refs(*good)), whole).score
    heavy = rank(Evidence.of(refs(*good), weights={refs(4)[0]: 20.0}), whole).score
    assert heavy[4] > even[4]
    assert heavy[1::3].mean() > even[1::3].mean()


@pytest.mark.parametrize("weight", [0.0, -1.0, 101.0, float("nan"), float("inf")])
def test_a_weight_out_of_range_is_refused(weight: float) -> None:
    with pytest.raises(SettingsError, match=r"let an example count 0\.01 to 100 times"):
        Evidence.of(refs(4), weights={refs(4)[0]: weight})


@pytest.mark.parametrize("bad", [0, 1, 12])
def test_enough_good_examples_give_probabilities(bad: int) -> None:
    whole = space()
    good = [3 * number for number in range(ENOUGH)]
    found = rank(Evidence.of(refs(*good), refs(*(3 * number + 1 for number in range(bad)))), whole)
    assert found.measure == PROBABILITY
    assert found.score.min() >= 0
    assert found.score.max() <= 1
    assert set(found.order[:40].tolist()) == set(range(0, COUNT, 3)), "those of the kind come first"
    assert found.score[::3].min() > found.score[1::3].max()
    assert "rather than" in found.sentence


def test_where_all_is_marked_as_good_their_mean_counts() -> None:
    whole = space()
    assert rank(Evidence.of(refs(*range(COUNT))), whole).measure == COSINE


def test_areas_hold_the_patches_whose_centres_lie_in_them_and_own_marks_go_before() -> None:
    whole = space()
    area = AreaExample(area=box(0, 0.02))
    found = rank(Evidence(examples=(area,)), whole)
    assert found.examples.tolist() == [0, 1, 2]
    less = rank(Evidence(examples=(area, PatchExample(ref=refs(1)[0], good=False))), whole)
    query = whole.unit[[0, 2]].mean(axis=0) - BAD_SHARE * whole.unit[1]
    np.testing.assert_allclose(less.score, whole.unit @ query / np.linalg.norm(query), atol=1e-6)
    both = Evidence(examples=(area, AreaExample(area=box(0.02, 0.03), good=False)))
    assert rank(both, whole).examples.tolist() == [0, 1, 3], "one in both says nothing"
    with pytest.raises(SettingsError, match="lies in a bad one too"):
        rank(Evidence(examples=(area, AreaExample(area=box(-1, 0.02), good=False))), whole)


def test_pictures_and_patches_of_other_scenes_are_examples_too() -> None:
    whole = space()
    other = PatchTable(
        patch_ids=np.array([7, 9]), unit=whole.unit[[2, 4]], band_mean=np.zeros((2, 13), np.float32),
        band_std=np.zeros((2, 13), np.float32),
    )  # fmt: skip
    there = space(elsewhere={"t": other}, fingerprint="f")
    wanted = rank(Evidence.of(refs(4)), whole).score
    found = rank(Evidence.of([PatchRef("t", 9)]), there)
    np.testing.assert_allclose(found.score, wanted, atol=1e-6)
    assert found.examples.tolist() == [], "it is no patch of this scene"
    chip = VectorExample(vector=tuple((3 * whole.unit[4]).tolist()), fingerprint="f")
    np.testing.assert_allclose(rank(Evidence(examples=(chip,)), there).score, wanted, atol=1e-6)
    with pytest.raises(SettingsError, match="by another encoder"):
        rank(Evidence(examples=(chip,)), space(fingerprint="g"))
    with pytest.raises(SettingsError, match="by another encoder"):
        rank(Evidence(examples=(VectorExample(vector=(1.0,), fingerprint="f"),)), there)
    with pytest.raises(PatchError, match="not encoded by this encoder"):
        rank(Evidence.of([PatchRef("t", 8)]), there)


def test_equal_scores_come_in_the_order_of_their_ids() -> None:
    unit = unit_rows(np.ones((9, 4), np.float32))
    found = rank(Evidence.of([PatchRef("s", 3)]), space(patch_ids=np.arange(9)[::-1], unit=unit, lonlat=None))
    assert found.patch_ids[found.order].tolist() == list(range(9))


def test_marks_can_be_changed_and_taken_back() -> None:
    one, two = refs(0, 1)
    first = Evidence.of([one, two, one], name="Lakes")
    assert len(first) == 2, "what is said twice counts once"
    turned = first.mark(PatchExample(ref=one, good=False))
    assert [example.good for example in turned.examples] == [False, True], "it keeps its place"
    assert turned.drop(PatchExample(ref=one)).examples == (PatchExample(ref=two),)
    assert turned.name == "Lakes"
    assert turned.scenes == {"s"}


def test_what_cannot_be_searched_by_is_refused_in_a_sentence() -> None:
    whole = space()
    with pytest.raises(SettingsError, match="patch 5 is both a good and a bad example"):
        Evidence.of(refs(1), refs(1))
    with pytest.raises(SettingsError, match="“Drawn area” is an example twice"):
        Evidence(examples=(AreaExample(area=box(0, 1)), AreaExample(area=box(0, 1))))
    with pytest.raises(SettingsError, match="at most 10,000"):
        Evidence.of([PatchRef("s", patch) for patch in range(MOST_EXAMPLES + 1)])
    with pytest.raises(SettingsError, match="there are no examples"):
        rank(Evidence(), whole)
    with pytest.raises(PatchError, match="patch 7 is not among the 120 encoded patches"):
        rank(Evidence.of([PatchRef("s", 7)]), whole)
    with pytest.raises(SettingsError, match="centre of none"):
        rank(Evidence(examples=(AreaExample(area=box(50, 51)),)), whole)
    with pytest.raises(SettingsError, match="not known where the patches lie"):
        rank(Evidence(examples=(AreaExample(area=box(0, 1)),)), space(lonlat=None))
    with pytest.raises(SettingsError, match="cancel each other out"):
        rank(Evidence.of([PatchRef("s", 0)]), space(patch_ids=np.arange(2), unit=np.zeros((2, 4), np.float32)))
