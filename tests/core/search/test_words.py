"""Words for land: what they are taken to mean with classes and without, and what is said of those not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.bands import BAND_NAMES, EUROSAT_CLASSES, FloatArray
from core.errors import SettingsError
from core.evaluation.classifier import Named
from core.features.table import PatchTable
from core.scenes.geobox import GeoBox
from core.scenes.labels import SceneLabels
from core.scenes.scene import Scene
from core.search.ranking import MATCH
from core.search.vocabulary import ADJECTIVES, NOUNS
from core.search.words import search_words
from core.similarity.clusters import ClusterSet, ClusterSettings
from core.values.source import PatchSource
from tests.core.values.test_registry import labels_of

LAND = {
    # B02, B03, B04, B05, B08, B11: reflectance as Sentinel-2 sees it
    "lake": (0.05, 0.04, 0.03, 0.03, 0.02, 0.01),
    "dark forest": (0.03, 0.04, 0.03, 0.06, 0.30, 0.12),
    "lush grass": (0.04, 0.08, 0.05, 0.11, 0.40, 0.20),
    "dry grass": (0.07, 0.10, 0.13, 0.15, 0.28, 0.30),
    "bare soil": (0.10, 0.14, 0.20, 0.22, 0.26, 0.38),
    "bright roofs": (0.22, 0.24, 0.26, 0.27, 0.30, 0.30),
    "dark roofs": (0.10, 0.10, 0.11, 0.12, 0.14, 0.15),
    "snow": (0.80, 0.80, 0.78, 0.78, 0.75, 0.10),
    "cloud": (0.50, 0.50, 0.50, 0.50, 0.55, 0.40),
}
LIT = ("B02", "B03", "B04", "B05", "B08", "B11")
KINDS = list(LAND)
SCENE = Scene(
    id="s", name="s", bands=BAND_NAMES, grid=GeoBox(crs=None, transform=(1, 0, 0, 0, 1, 0), height=64, width=64)
)
CLASSES = ("SeaLake", "Forest", "Pasture", "Industrial", "River", "AnnualCrop", "Residential", "Highway", "Forest")


class Classified(PatchSource):
    """A source whose encoder calls patches by ``CLASSES``, and is sure of all but the first."""

    def named(self, key: str = "") -> Named | None:
        index = np.array([EUROSAT_CLASSES.index(name) for name in CLASSES], np.int16)
        confidence = np.array([0.3] + [0.9] * (len(CLASSES) - 1), np.float32)
        return Named(classes=EUROSAT_CLASSES, index=index, confidence=confidence, calibrated=True, key="a" * 12)


def spectra(lights: Sequence[tuple[float, ...]]) -> FloatArray:
    found = [np.full(13, 0.1, np.float32) for _ in lights]
    for row, light in zip(found, lights, strict=True):
        row[[BAND_NAMES.index(name) for name in LIT]] = light
    return np.array(found)


def lit(lights: Sequence[tuple[float, ...]], inside: float = 0.03) -> PatchSource:
    """A source of patches of some light, which differs inside them by a share of it."""
    means = spectra(lights)
    table = PatchTable(
        patch_ids=np.arange(len(means)), unit=np.eye(len(means), dtype=np.float32), band_mean=means,
        band_std=means * np.float32(inside),
    )  # fmt: skip
    return PatchSource(scene=SCENE, table=table)


def source(kind: type[PatchSource] = PatchSource, **more: object) -> PatchSource:
    unit, means = np.eye(len(LAND), dtype=np.float32), spectra(list(LAND.values()))
    inside = np.array([0.2 if "roofs" in name else 0.05 for name in LAND], np.float32)[:, None]
    table = PatchTable(patch_ids=np.arange(len(LAND)), unit=unit, band_mean=means, band_std=means * inside)
    return kind(**{"scene": SCENE, "table": table, **more})  # type: ignore[arg-type]


def matching(text: str, asked: PatchSource | None = None) -> set[str]:
    found = search_words(text, source() if asked is None else asked)
    assert found.measure == MATCH
    assert found.score.min() >= 0
    assert found.score.max() <= 1
    return {KINDS[row] for row in np.flatnonzero(found.score >= 0.5)}


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("lake", {"lake"}),
        ("forest", {"dark forest"}),
        ("dense forest", {"dark forest"}),
        ("dry grass", {"dry grass"}),
        ("grass", {"lush grass", "dry grass"}),
        ("crops", {"lush grass", "dry grass"}),
        ("bare soil", {"bare soil"}),
        ("bright roofs", {"bright roofs"}),
        ("dark roofs", {"dark roofs"}),
        ("snow", {"snow"}),
        ("clouds", {"cloud"}),
        ("green", {"dark forest", "lush grass"}),
        ("lake or snow", {"lake", "snow"}),
    ],
)
def test_words_find_land_by_its_light(text: str, kinds: set[str]) -> None:
    found = matching(text)
    assert found >= kinds
    if text != "forest":
        assert len(found - kinds) <= 1, "land as like as that in these bands"


FOREST, FIELD = (0.106, 0.072, 0.045, 0.068, 0.17, 0.10), (0.11, 0.11, 0.06, 0.14, 0.37, 0.20)
"""A winter's conifers and a green field, both as seen from the top of the atmosphere."""


def blend(share: float) -> tuple[float, ...]:
    return tuple(share * one + (1 - share) * other for one, other in zip(FOREST, FIELD, strict=True))


def test_dense_forest_is_dark_and_green_fields_are_none() -> None:
    shares = [0.0, 0.25, 0.5, 0.75, 0.9, 1.0, 1.0, 1.0]
    asked = lit([blend(share) for share in shares])
    for text in ("forest", "woodland"):
        score = search_words(text, asked).score
        assert score[0] == 0, "a field is greener than the forest, and still none"
        assert score[:3].max() < 0.5 < 0.9 < score[4:].min(), "up to a half it is none"
        assert (np.diff(score) >= -1e-6).all(), "the more forest, the better"
    dense = search_words("dense forest", asked).score
    assert dense[0] <= 0.1
    assert dense.argmax() >= 3, "at least three quarters of the first one are forest"
    field = search_words("green fields", asked).score
    assert field.argmax() == 0
    assert field[-1] < 0.1, "forest is no field"


def test_forests_are_dense_and_sparse_beside_other_forests() -> None:
    thin = tuple(np.array(FOREST) * np.array([1, 1, 1.25, 1, 1, 1]))
    asked = lit([FOREST, FOREST, FOREST, thin, thin, thin, FIELD])
    assert search_words("dense forest", asked).score[:3].min() > search_words("dense forest", asked).score[3:].max()
    assert search_words("sparse forest", asked).score[3:6].min() > search_words("sparse forest", asked).score[:3].max()
    alone = search_words("dense", asked)
    assert "dense: NDVI above 0.62" in alone.sentence, "by itself it compares with nothing"


def test_towns_are_uneven_and_bare_fields_are_not() -> None:
    light = (0.13, 0.12, 0.12, 0.13, 0.18, 0.185)
    assert search_words("town", lit([light], inside=0.2)).score[0] == 1
    assert search_words("town", lit([light], inside=0.05)).score[0] == 0


def test_marshes_are_dark_and_between_water_and_land() -> None:
    marsh, water = (0.11, 0.08, 0.07, 0.065, 0.075, 0.08), (0.12, 0.1, 0.08, 0.07, 0.035, 0.01)
    score = search_words("marsh", lit([marsh, water, FOREST, FIELD])).score
    assert score.argmax() == 0
    assert score[0] > 0.9
    assert score[[1, 3]].max() == 0


@pytest.mark.parametrize(
    ("text", "same"),
    [("Lakes", "lake"), ("  FOREST!", "forest"), ("woods", "forest"), ("dry grasses", "dry grass"),
     ("the bare soils", "bare soil"), ("cities", "town"), ("built-up land", "town"), ("marshes", "wetland"),
     ("ice", "snow"), ("open water", "water"), ("built up", "town")],
)  # fmt: skip
def test_case_plurals_and_other_words_mean_the_same(text: str, same: str) -> None:
    one, other = search_words(text, source()), search_words(same, source())
    np.testing.assert_array_equal(one.score, other.score)
    assert one.sentence == other.sentence


def test_slips_are_taken_for_what_is_meant_and_told() -> None:
    found = search_words("dense forrest", source())
    np.testing.assert_array_equal(found.score, search_words("dense forest", source()).score)
    assert found.sentence.startswith("“forrest” taken for “forest”; forest: NDVI above")


def test_every_word_of_the_table_is_understood() -> None:
    for term in (*NOUNS, *ADJECTIVES):
        for word in (term.word, *term.synonyms):
            assert search_words(word, source()).sentence.startswith(f"{term.word}: "), word


def test_sure_classes_decide_and_light_counts_where_they_are_unsure() -> None:
    asked = source(Classified)
    assert "lake" in matching("lake", asked), "unsure of it, but its light is that of water"
    assert matching("forest", asked) >= {"dark forest", "cloud"}, "cloud: the class says so, and light is weighed less"
    assert "bright roofs" not in matching("roofs", source(Classified, scene=SCENE)), "a river, says a sure class"
    said = search_words("lake", asked).sentence
    assert said == "lake: class Sea or lake, with NDWI above 0.1"


def test_labels_of_people_go_before_classes_and_their_own_names_are_words() -> None:
    given = labels_of([0, 1, -1, -1, -1, -1, -1, -1, -1], "Lake", "Machair")
    asked = source(Classified, labels=SceneLabels(given=given, shown=given))
    found = search_words("lake", asked)
    assert found.score[0] > 0.9
    assert found.score[1] < 0.5
    own = search_words("machair", asked)
    assert own.score[1] == 1
    assert own.score[0] == 0, "labelled otherwise"
    assert own.sentence.startswith("label Machair")
    assert search_words("machair", asked).order.size, "it is a word that is known"


def test_classes_of_the_scene_and_clusters_are_words() -> None:
    class Clustered(Classified):
        def clusters(self) -> ClusterSet:
            index = (np.arange(len(LAND)) % 2).astype(np.int16)
            names = ("Clear water", "Silty shallows, even")
            return ClusterSet(settings=ClusterSettings(), index=index, names=names, parts=((0,), (1,)))

    asked = source(Clustered)
    found = search_words("silty shallows even", asked)
    np.testing.assert_array_equal(found.score, np.arange(len(LAND)) % 2)
    assert found.sentence == "cluster Silty shallows, even"
    assert search_words("silty shallows, even", asked).order.size, "it is a phrase that is known"
    unsure = KINDS.index("lake")
    better, before = search_words("water", asked), search_words("water", source(Classified))
    assert better.score[unsure] > before.score[unsure], "its cluster is called so, and no class is sure of it"
    np.testing.assert_array_equal(np.delete(better.score, unsure), np.delete(before.score, unsure))
    assert "or cluster Clear water" in better.sentence
    crop = search_words("annual crop", asked)
    np.testing.assert_allclose(crop.score, 0.9 * (np.array(CLASSES) == "AnnualCrop"), atol=1e-6)
    truth = labels_of([0] * 4 + [-1] * 5, "Peatland mosaic")
    known = source(labels=SceneLabels(truth=truth, shown=truth))
    assert search_words("peatland mosaic", known).score.tolist() == [1] * 4 + [0] * 5


@pytest.mark.parametrize(
    ("name", "word"), [("Mixed water and land", "water"), ("Mixed land, moderate vegetation, dark", "vegetation")]
)
def test_a_cluster_of_several_kinds_of_land_makes_no_patch_one_of_them(name: str, word: str) -> None:
    class Clustered(PatchSource):
        def clusters(self) -> ClusterSet:
            index = np.zeros(len(LAND), np.int16)
            return ClusterSet(settings=ClusterSettings(), index=index, names=(name,), parts=((0,),))

    by_light, found = search_words(word, source()), search_words(word, source(Clustered))
    assert found.score.tolist() == by_light.score.tolist()
    assert "cluster" not in found.sentence
    assert set(search_words(name, source(Clustered)).score) == {1.0}, "its whole name means it"


def test_the_map_of_the_product_is_believed() -> None:
    class Mapped(PatchSource):
        def classification(self) -> np.ndarray:
            return np.array([6, 4, 4, 4, 5, 4, 4, 9, 11], np.int16)

    found = search_words("clouds", source(Mapped))
    assert found.score[KINDS.index("snow")] > found.score[KINDS.index("cloud")], "the map calls them the other way"
    assert "scene classification Cloud, medium probability or Cloud, high probability" in found.sentence


def test_bands_that_are_not_there_are_not_asked() -> None:
    few = replace(SCENE, bands=("B02", "B03", "B04"))
    with pytest.raises(SettingsError, match="“lake” is told by the bands B03, B08, which this scene lacks"):
        search_words("lake", source(scene=few))
    with pytest.raises(SettingsError, match="lacks the bands that tell “dense”"):
        search_words("dense", source(scene=few))
    with pytest.raises(SettingsError) as error:
        search_words("lake", source(scene=few))
    told = str(error.value).rpartition("search by examples, or write some of these: ")[2].split(" · ")
    assert "snow" in told, "brightness tells it"
    assert not {"lake", "dense"} & set(told), "no word is offered that this scene cannot tell"
    assert "brightness" in search_words("snow", source(scene=few)).sentence
    assert matching("forest", source(Classified, scene=few))


def test_without_bands_and_classes_words_are_not_offered() -> None:
    """As of vectors that others computed: names of clusters are words, kinds of land are none."""
    none = replace(SCENE, bands=())
    with pytest.raises(SettingsError, match=r"which this scene lacks; search by examples\.$"):
        search_words("lake", source(scene=none))
    with pytest.raises(SettingsError, match="known here; search by examples; no words tell land of this scene"):
        search_words("quux", source(scene=none))


@pytest.mark.parametrize("text", ["", "  ", "the land", "!?"])
def test_nothing_written_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="no kind of land is written; write some of these: water · lake"):
        search_words(text, source())


@pytest.mark.parametrize("text", ["quux", "forest quux", "<script>alert(1)</script>", "Wald"])
def test_unknown_words_say_what_words_there_are(text: str) -> None:
    with pytest.raises(SettingsError, match="is no word that is known here; write some of these: water") as error:
        search_words(text, source(Classified))
    assert "Annual crop" in str(error.value)
    with pytest.raises(SettingsError, match="at most 200"):
        search_words("lake " * 100, source())
