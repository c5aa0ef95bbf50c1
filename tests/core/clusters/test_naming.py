"""Names of clusters: what the light of their patches says, no more, and no two alike."""

from __future__ import annotations

import numpy as np
import pytest

from core.bands import BAND_NAMES, FloatArray
from core.clusters.naming import name_clusters
from core.features.table import PatchTable
from core.search.light import PatchLight
from core.search.vocabulary import NOUNS
from core.search.words import search_words
from core.values.source import PatchSource
from tests.core.search.test_words import SCENE

LIT = ("B02", "B03", "B04", "B05", "B06", "B08", "B11")
LAND = {
    "water": (0.10, 0.07, 0.04, 0.03, 0.03, 0.02, 0.01),
    "forest": (0.09, 0.07, 0.04, 0.07, 0.20, 0.26, 0.13),
    "pasture": (0.10, 0.09, 0.05, 0.12, 0.29, 0.36, 0.20),
    "crops": (0.11, 0.11, 0.10, 0.14, 0.24, 0.27, 0.24),
    "herbs": (0.11, 0.10, 0.10, 0.12, 0.18, 0.21, 0.24),
    "soil": (0.12, 0.13, 0.15, 0.19, 0.22, 0.23, 0.30),
    "town": (0.14, 0.13, 0.13, 0.14, 0.19, 0.21, 0.21),
    "snow": (0.80, 0.80, 0.78, 0.78, 0.77, 0.75, 0.10),
    "cloud": (0.50, 0.50, 0.50, 0.50, 0.52, 0.55, 0.40),
}
INSIDE = {"town": 0.3, "forest": 0.12, "water": 0.03}


def light_of(kinds: list[str], bands: tuple[str, ...] = BAND_NAMES, scale: FloatArray | None = None) -> PatchLight:
    """The light of patches of some kinds, each a little different."""
    means = np.full((len(kinds), 13), 0.1, np.float32)
    means[:, [BAND_NAMES.index(name) for name in LIT]] = [LAND[kind] for kind in kinds]
    if scale is not None:
        means *= scale[:, None]
    means *= np.random.default_rng(0).normal(1, 0.01, means.shape).astype(np.float32)
    inside = np.array([INSIDE.get(kind, 0.08) for kind in kinds], np.float32)
    return PatchLight(bands=bands, mean=means, deviation=means * inside[:, None])


def named(clusters: list[list[str]], **more: object) -> tuple[str, ...]:
    kinds = [kind for patches in clusters for kind in patches]
    index = np.repeat(np.arange(len(clusters)), [len(patches) for patches in clusters]).astype(np.int16)
    return name_clusters(index, light_of(kinds, **more), {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("water", "Open water"), ("forest", "Forest"), ("pasture", "Dense vegetation"), ("herbs", "Sparse vegetation"),
        ("crops", "Moderate vegetation"), ("soil", "Bare soil"), ("town", "Uneven or built-up land"), ("snow", "Snow"),
        ("cloud", "Clouds"),
    ],
)  # fmt: skip
def test_pure_land_is_called_what_it_is(kind: str, name: str) -> None:
    assert named([[kind] * 20]) == (name,)


@pytest.mark.parametrize(
    ("kind", "noun"), [("water", "water"), ("forest", "forest"), ("town", "town"), ("soil", "bare soil")]
)
def test_a_search_for_the_name_finds_the_land(kind: str, noun: str) -> None:
    light = light_of([kind, *LAND])
    assert light.deviation is not None
    unit = np.eye(len(light.mean), dtype=np.float32)
    table = PatchTable(patch_ids=np.arange(len(unit)), unit=unit, band_mean=light.mean, band_std=light.deviation)
    (name,) = named([[kind] * 20])
    score = search_words(noun, PatchSource(scene=SCENE, table=table)).score
    assert score[0] >= 0.5
    assert score.argmax() in {0, 1 + list(LAND).index(kind)}
    meant = next(one for one in NOUNS if one.word == noun)
    assert set(name.casefold().replace("-", " ").split()) & {*noun.split(), *meant.classes}, "and by its words"


def test_what_sets_a_cluster_apart_is_said() -> None:
    names = named([["pasture"] * 30, ["forest"] * 30, ["herbs"] * 30, ["water"] * 30])
    assert names[0].startswith("Dense vegetation, bright ")
    assert names[2] in {"Sparse vegetation, dry", "Sparse vegetation, bright"}, "beside the two of the dark green"
    assert names[3] == "Open water", "there is no other water"


def test_land_of_several_kinds_is_mixed_and_no_more() -> None:
    assert named([["pasture"] * 9 + ["herbs"] * 8 + ["town"] * 13]) == ("Mixed land, moderate vegetation",)
    assert named([["water"] * 10 + ["forest"] * 10]) == ("Mixed water and land",)
    kinds = ["crops"] * 20
    light = light_of(kinds)
    assert light.deviation is not None
    light.deviation *= 5
    assert name_clusters(np.zeros(20, np.int16), light, {}) == ("Mixed land, moderate vegetation",)


def test_green_of_several_degrees_that_is_even_is_called_by_its_mean() -> None:
    assert named([["crops"] * 10 + ["pasture"] * 10]) == ("Moderate vegetation",)


def test_no_two_names_are_alike() -> None:
    scale = np.repeat([0.8, 1.2, 1.0, 1.0], 20).astype(np.float32)
    names = named([["water"] * 20, ["water"] * 20, ["forest"] * 20, ["forest"] * 20], scale=scale)
    assert names[:2] == ("Open water, dark", "Open water, bright")
    assert len({name.casefold() for name in names}) == 4
    same = named([["soil"] * 3] * 40)
    assert len({name.casefold() for name in same}) == 40


def test_names_that_people_gave_stay_and_are_not_taken_again() -> None:
    index = np.repeat(np.arange(3), 10).astype(np.int16)
    names = name_clusters(index, light_of(["water"] * 10 + ["forest"] * 10 + ["soil"] * 10), {1: "OPEN WATER"})
    assert names[1] == "OPEN WATER"
    assert names[0].casefold() != "open water"
    assert names[0].startswith("Open water")


def test_bands_that_are_not_there_are_not_spoken_of() -> None:
    clusters = [["water"] * 10, ["forest"] * 10, ["snow"] * 10]
    few = named(clusters, bands=("B02", "B03", "B04"))
    assert len(set(few)) == 3
    assert not any(word in name for name in few for word in ("water", "egetation", "red edge", "infrared"))
    assert named([["forest"] * 10], bands=("B02", "B03", "B04", "B08")) == ("Dense vegetation",), "no red edge"


def test_patches_of_no_cluster_do_not_count() -> None:
    index = np.repeat([-1, 0], 10).astype(np.int16)
    assert name_clusters(index, light_of(["snow"] * 10 + ["forest"] * 10), {}) == ("Forest",)
    assert name_clusters(np.full(3, -1, np.int16), light_of(["snow"] * 3), {}) == ()
