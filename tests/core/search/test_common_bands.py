"""Examples of other bands than the scene: what they are compared by, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.encoders.parts import FeatureParts
from core.features.table import PatchTable
from core.scenes.patches import PatchRef
from core.search.by_examples import ENOUGH, rank
from core.search.examples import Evidence, Example, PatchExample, VectorExample
from core.search.space import SearchSpace
from core.similarity.neighbours import unit_rows

COUNT, SEEN, WIDTH = 60, 4, 10
RGB, FOUR = ("B02", "B03", "B04"), ("B02", "B03", "B04", "B08")
PARTS = FeatureParts(bands=(RGB,) * SEEN + (("B08", "B11"),) * (WIDTH - SEEN))


def space(**more: object) -> SearchSpace:
    vectors = np.random.default_rng(0).normal(size=(COUNT, WIDTH)).astype(np.float32)
    whole = SearchSpace(
        scene="s", patch_ids=np.arange(COUNT), unit=unit_rows(vectors), bands={"s": BAND_NAMES}, parts=PARTS
    )  # fmt: skip
    return replace(whole, **more)  # type: ignore[arg-type]


def picture(row: int, bands: tuple[str, ...] = RGB, good: bool = True) -> VectorExample:
    """What a patch looks like where only three bands are seen: the rest of its features is anything."""
    vector = [*space().unit[row][:SEEN].tolist(), *([9.0 + row] * (WIDTH - SEEN))]
    return VectorExample(vector=tuple(vector), fingerprint="", bands=bands, good=good)


def part(rows: np.ndarray) -> np.ndarray:
    return unit_rows(np.atleast_2d(rows)[:, :SEEN])


def test_only_what_both_have_is_compared() -> None:
    whole = space()
    found = rank(Evidence(examples=(picture(7),)), whole)
    np.testing.assert_allclose(found.score, part(whole.unit) @ part(whole.unit[7])[0], atol=1e-6)
    assert found.order[0] == 7
    assert found.note == "compared only by B02, B03 and B04, which both sides have"
    assert found.sentence == f"Cosine similarity to the good example; {found.note}"


def test_examples_of_the_scene_are_compared_by_no_more_than_the_others() -> None:
    whole = space()
    both = Evidence(examples=(picture(7), PatchExample(ref=PatchRef("s", 3)), picture(9, good=False)))
    same = Evidence.of([PatchRef("s", 7), PatchRef("s", 3)], [PatchRef("s", 9)])
    np.testing.assert_allclose(
        rank(both, whole).score, rank(same, replace(whole, unit=part(whole.unit))).score, atol=1e-6
    )
    alike = np.argsort(-part(whole.unit)[:, 0])[:ENOUGH]
    found = rank(Evidence(examples=tuple(picture(int(row)) for row in alike)), whole)
    assert found.measure.name == "probability"
    assert found.score[alike].min() > np.median(found.score)


def test_a_patch_of_a_scene_of_fewer_bands_is_compared_alike() -> None:
    unit = unit_rows(np.array([picture(7).vector], np.float32))
    table = PatchTable(patch_ids=np.array([2]), unit=unit, band_mean=unit, band_std=unit)
    there = space(elsewhere={"o": table}, bands={"s": BAND_NAMES, "o": RGB})
    evidence = Evidence.of([PatchRef("o", 2)])
    assert rank(evidence, there).order[0] == 7
    alike = space(elsewhere={"o": table}, bands={"s": RGB, "o": RGB})
    np.testing.assert_allclose(rank(evidence, alike).score, alike.unit @ unit[0], atol=1e-6)
    assert rank(evidence, alike).note == "", "both sides have the same stand-ins"


@pytest.mark.parametrize("bands", [(), BAND_NAMES])
def test_examples_of_the_same_bands_and_of_before_are_compared_by_all(bands: tuple[str, ...]) -> None:
    whole, example = space(), picture(7, bands)
    found = rank(Evidence(examples=(example,)), whole)
    np.testing.assert_allclose(
        found.score, whole.unit @ unit_rows(np.array([example.vector], np.float32))[0], atol=1e-6
    )
    assert found.note == ""


@pytest.mark.parametrize(
    ("parts", "bands"), [(None, RGB), (FeatureParts(bands=(BAND_NAMES,) * WIDTH), FOUR), (PARTS, ("B05",))]
)
def test_where_nothing_can_be_told_apart_all_counts_and_it_is_said(
    parts: FeatureParts | None, bands: tuple[str, ...]
) -> None:
    example: Example = picture(7, bands)
    whole = space(parts=parts)
    found = rank(Evidence(examples=(example,)), whole)
    vector = unit_rows(np.array([picture(7).vector], np.float32))[0]
    np.testing.assert_allclose(found.score, whole.unit @ vector, atol=1e-6)
    assert "stand-ins for bands that one side lacks count too" in found.note


def test_many_bands_are_counted() -> None:
    most = tuple(name for name in BAND_NAMES if name != "B10")
    parts = FeatureParts(bands=(most,) * SEEN + (("B10",),) * (WIDTH - SEEN))
    found = rank(Evidence(examples=(picture(7, most),)), space(parts=parts))
    assert found.note == "compared only by the 12 bands that both sides have"
