"""Values of patches: each is found by its address, masked, and painted as its legend says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.bands import BAND_NAMES
from core.evaluation.classifier import Named
from core.export.formats import write_rows
from core.export.rows import scene_rows
from core.features.table import PatchTable
from core.projection.settings import ProjectionSettings
from core.scenes.cut import Cut
from core.scenes.labels import PatchLabels, SceneLabels, merged
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import GivenColumn, GivenVectors
from core.similarity.clusters import ClusterSet, ClusterSettings
from core.similarity.explain import index_values
from core.values.base import NOTHING_ASKED, Asked, ClassValue, ScaleValue
from core.values.classes import HAND, LABEL
from core.values.clusters import CLUSTER
from core.values.given.columns import PLACES
from core.values.indices import NDVI
from core.values.learned import LEARNED_NUMBER
from core.values.legend import ClassLegend, ScaleLegend
from core.values.named.predicted import CONFIDENCE, PREDICTED, caption
from core.values.named.unsure import UNSURE, WHY_UNSURE, sure_patches, why_unsure
from core.values.palette import cluster_colours
from core.values.registry import VALUES, choices, export_columns, read_address
from core.values.source import FinerClasses, LearnedValues, PatchSource, ValueCells
from tests.scenes import add_scene

LAYOUT = ProjectionSettings(n_neighbors=5, min_dist=0.25)
ASKED = Asked(query=3, layout=LAYOUT)
COUNT, KEY = 20, "0123456789ab"
NAMES = ("Open water", "Forest, wet", "Saltmarsh", "Bare land")


class Source(PatchSource):
    """A scene of which everything is known."""

    def clusters(self) -> ClusterSet:
        index = (np.arange(COUNT) % 5 - 1).astype(np.int16)
        parts = ((0, 4), (1,), (2,), (3,))
        return ClusterSet(settings=ClusterSettings(count=5), index=index, names=NAMES, parts=parts, version="0a1b")

    def classification(self) -> np.ndarray:
        return (np.arange(COUNT) % 13 - 1).astype(np.int16)

    def novelty(self) -> np.ndarray:
        return np.linspace(0, 100, COUNT, dtype=np.float32)

    def named(self, key: str = "") -> Named | None:
        index, confidence = np.arange(COUNT) % 3, np.linspace(0.3, 1, COUNT, dtype=np.float32)
        classes = ("Bog", "Quarry", "River")
        found = Named(classes=classes, index=index.astype(np.int16), confidence=confidence, calibrated=True, key=KEY)
        return found if key in {"", KEY} else None

    def classified(self) -> Named | None:
        return self.named()

    def learned(self) -> LearnedValues:
        return LearnedValues(title="yield", predicted=np.linspace(2, 9, COUNT), version="0123456789abcdef")

    def finer(self) -> FinerClasses:
        cells = ValueCells(values=np.array([[0, 1], [np.nan, 3]], np.float32), side=32, ends=(64, 64))
        patches = (np.arange(COUNT) % 4).astype(np.float32)
        return FinerClasses(classes=("Bog", "Quarry", "River"), cells=cells, patches=patches, about="", version="ab2x2")

    def stability(self) -> np.ndarray:
        return np.append(np.float32(np.nan), np.linspace(0, 1, COUNT - 1, dtype=np.float32))

    def valid_fraction(self) -> np.ndarray:
        return np.linspace(0.5, 1, COUNT, dtype=np.float32)

    def clear_fraction(self) -> np.ndarray:
        return np.append(np.float32(np.nan), np.linspace(0, 1, COUNT - 1, dtype=np.float32))

    def hectares(self) -> np.ndarray:
        return np.full(COUNT, 40.96, np.float32)

    def distortion(self, layout: ProjectionSettings) -> np.ndarray | None:
        return np.linspace(0, 0.5, COUNT, dtype=np.float32) if layout == LAYOUT else None


def labels_of(index: list[int], *classes: str) -> PatchLabels:
    numbers = np.array(index, np.int16)
    return PatchLabels(classes=classes, index=numbers, purity=(numbers >= 0).astype(np.float32))


def columns_of_a_file(folder: Path) -> GivenVectors:
    """As many columns of a file of vectors as there are places for."""
    classes = tuple(GivenColumn(name=f"kind {at}", kind="class", classes=("low", "high")) for at in range(len(PLACES)))
    numbers = tuple(GivenColumn(name=f"number {at}", kind="number") for at in range(len(PLACES)))
    cells = {one.name: pa.array(np.arange(COUNT) % 2 * 1.5, pa.float32()) for one in numbers}
    cells |= {one.name: pa.array(np.arange(COUNT) % 2, pa.float32()) for one in classes}
    pq.write_table(pa.table(cells), folder / "values.parquet")
    return GivenVectors(column="embedding", encoder={}, columns=(*classes, *numbers))


@pytest.fixture
def source(tmp_path: Path) -> Source:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(COUNT, 8)).astype(np.float32)
    bands = rng.uniform(0.01, 0.6, (COUNT, len(BAND_NAMES))).astype(np.float32)
    table = PatchTable(
        patch_ids=np.arange(COUNT), unit=vectors / np.linalg.norm(vectors, axis=1, keepdims=True), band_mean=bands,
        band_std=bands / 10,
    )  # fmt: skip
    truth = labels_of([-1, 0, 1] * 6 + [0, 1], "Forest", "River")
    given = labels_of([0, 1] + [-1] * 18, "Bog", "Fen")
    labels = SceneLabels(version="ab12", truth=truth, given=given, shown=merged(given, truth))
    scene = replace(add_scene(Library(tmp_path)), classification=True)
    scene = replace(scene, given=columns_of_a_file(scene.directory))
    return Source(scene=scene, table=table, labels=labels)


@pytest.mark.parametrize("value", VALUES.values(), ids=list(VALUES))
def test_an_address_finds_the_same_numbers_again(source: Source, value: ClassValue | ScaleValue) -> None:
    assert value.available(source, ASKED)
    wanted = value.compute(source, ASKED)
    assert wanted is not None
    assert (wanted.dtype, wanted.shape) == (np.float32, (COUNT,))
    found = read_address(value.address(source, ASKED))
    assert found is not None
    assert found[0] is value
    np.testing.assert_array_equal(found[0].compute(source, found[1]), wanted)


@pytest.mark.parametrize(
    ("address", "name"),
    [("similarity-16", "similarity"), ("labels-ab12", "hand"), ("hand-ab12", "hand"), ("label-ab12", "label"),
     ("class", "class"), ("group", "cluster"), ("group-kmeans-auto-0", "cluster"),
     ("cluster-kmeans-5-0.0a1b", "cluster"), ("ndvi", "ndvi"), ("unfamiliar", "unfamiliar"),
     ("distortion-umap-15-0.1000-cosine-42", "distortion")],
)  # fmt: skip
def test_addresses_of_earlier_versions_are_known(address: str, name: str) -> None:
    found = read_address(address)
    assert found is not None
    assert found[0].name == name


@pytest.mark.parametrize(
    "address", ["evi", "", "-", "ndvi-1", "similarity", "similarity-x", "similarity-1234567890", "distortion",
                "distortion-umap-5-0.1000-hamming-42", "group-kmeans-1-0", "cluster-kmeans-5-0.x", "date-1",
                "stability-shift9-10"],
)  # fmt: skip
def test_addresses_that_mean_nothing_are_none(address: str) -> None:
    assert read_address(address) is None


def test_labels_of_another_version_are_no_longer_known(source: Source) -> None:
    for value in (HAND, LABEL):
        assert value.compute(source, Asked(version="other")) is None
        assert not value.available(source, Asked(version="other"))


@pytest.mark.parametrize("value", VALUES.values(), ids=list(VALUES))
def test_patches_are_painted_in_the_colours_of_the_legend(source: Source, value: ClassValue | ScaleValue) -> None:
    values = value.compute(source, ASKED)
    legend = value.legend(source, values)
    assert values is not None
    colours, known = legend.paint(values)
    np.testing.assert_array_equal(known, np.isfinite(values))
    if isinstance(legend, ClassLegend):
        as_told = [tuple(bytes.fromhex(legend.colours[int(number)][1:])) for number in values[known]]
        assert [tuple(colour) for colour in colours[known].tolist()] == as_told
        assert len(legend.names) == len(legend.colours)
        return
    assert isinstance(legend, ScaleLegend)
    told = np.array([tuple(bytes.fromhex(colour[1:])) for colour in legend.script()["colours"]], float)
    share = np.clip((values - legend.low) / (legend.high - legend.low), 0, 1) * (len(told) - 1)
    between = np.stack([np.interp(share, np.arange(len(told)), told[:, channel]) for channel in range(3)], axis=1)
    assert np.abs(between - colours)[known].max() <= 12, "as the browser mixes it from the colours of the bar"


def test_no_number_is_shown_of_unfamiliar_land(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = np.arange(COUNT) > 15
    found = replace(source.learned(), unfamiliar=strange)
    monkeypatch.setattr(Source, "learned", lambda _: found)
    numbers = LEARNED_NUMBER.compute(source, NOTHING_ASKED)
    assert numbers is not None
    np.testing.assert_array_equal(np.isnan(numbers), strange)
    assert LEARNED_NUMBER.about_of(source).endswith("4 patches have none, for their land is unfamiliar to the encoder "
                                                    "or unlike all that have a number")  # fmt: skip
    legend = LEARNED_NUMBER.legend(source, numbers)
    assert legend.high < found.predicted[16], "what nobody sees stretches no scale"


def test_clusters_have_names_keep_their_colours_and_are_known_by_numbers_of_before(source: Source) -> None:
    legend = CLUSTER.legend(source, CLUSTER.compute(source, NOTHING_ASKED))
    assert legend.names == NAMES
    assert list(legend.colours) == cluster_colours(5)[:4], "the cluster that was merged took none with it"
    column = CLUSTER.column(source)
    assert column is not None
    assert column[:5].tolist() == [None, *NAMES]
    numbered = ("Group 5", "cluster 2", "Cluster 6", "Saltmarsh")
    assert [CLUSTER.alias(source, name) for name in numbered] == [0, 1, None, None]
    assert CLUSTER.compute(source, Asked(version="kmeans-auto-0")) is None, "clusters of before"
    assert CLUSTER.legend(PatchSource(scene=source.scene, table=source.table), None).names == ("No clusters yet",)


def test_masks_filter_by_range_and_by_class() -> None:
    numbers = np.array([0.1, np.nan, 0.5, 0.9], np.float32)
    assert NDVI.mask(numbers, 0.5).tolist() == [False, False, True, True]
    assert NDVI.mask(numbers, high=0.5).tolist() == [True, False, True, False]
    assert NDVI.mask(numbers).tolist() == [True, False, True, True]
    classes = np.array([0, np.nan, 2, 1], np.float32)
    assert CLUSTER.mask(classes, [0, 2]).tolist() == [True, False, True, False]
    assert CLUSTER.mask(classes, [-1]).tolist() == [False, True, False, False]
    assert CLUSTER.mask(classes, []).tolist() == [False] * 4


def test_a_source_that_knows_nothing_more_offers_what_its_bands_give(source: Source) -> None:
    bare = PatchSource(scene=source.scene, table=source.table)
    assert {"ndvi", "ndwi", "ndbi"} <= set(choices(bare, NOTHING_ASKED))
    unknown = {"class", "hand", "similarity", "distortion", "unfamiliar", "predicted", "confidence"}
    assert not unknown & set(choices(bare, NOTHING_ASKED))
    columns = export_columns(bare)
    np.testing.assert_array_equal(columns["ndvi"], index_values(source.table.band_mean, "NDVI"))
    assert "unfamiliar" not in columns
    assert "stability" not in columns
    assert {"unfamiliar", "stability"} <= export_columns(source).keys()


def test_classes_of_people_do_not_change_the_colours_of_the_truth(source: Source) -> None:
    truth, given = VALUES["class"].legend(source, None), VALUES["hand"].legend(source, None)
    both = LABEL.legend(source, None)
    assert isinstance(truth, ClassLegend)
    assert isinstance(given, ClassLegend)
    assert (*truth.colours, *given.colours) == both.colours
    assert len(set(both.colours)) == 4


def test_predicted_classes_are_named_where_they_are_sure_and_exported_with_their_confidence(source: Source) -> None:
    named = source.named()
    assert named is not None
    values = PREDICTED.compute(source, NOTHING_ASKED)
    assert values is not None
    sure = (named.confidence >= 0.5) & (np.linspace(0, 100, COUNT) < 99)
    assert 0 < sure.sum() < COUNT - 1
    np.testing.assert_array_equal(values, np.where(sure, np.arange(COUNT) % 3, 3))
    legend = PREDICTED.legend(source, values)
    assert legend.names == ("Bog", "Quarry", "River", UNSURE)
    assert len(set(legend.colours)) == 4
    assert legend.colours[0] == HAND.legend(source, None).colours[0], "a class of people has the colour it has there"
    columns = export_columns(source)
    names = np.array(("Bog", "Quarry", "River"), dtype=object)[np.arange(COUNT) % 3]
    assert columns["predicted"].tolist() == np.where(sure, names, UNSURE).tolist(), "files say what the map shows"
    np.testing.assert_array_equal(columns["confidence"], named.confidence)
    strange = [None] * 19 + ["unfamiliar land"]
    why = [reason or (None if one else "too little confidence") for reason, one in zip(strange, sure, strict=True)]
    assert columns["predicted_why_unsure"].tolist() == columns["classified_why_unsure"].tolist() == why
    assert caption(source, named, 18) == ("96\N{NO-BREAK SPACE}% Bog", legend.colours[0])
    assert caption(source, named, 0)[0] == "Unsure: too little confidence"
    assert caption(source, named, 19)[0] == "Unsure: unfamiliar land", "there a classifier is sure and wrong"


def test_a_class_that_does_not_count_says_why_however_high_its_probability(source: Source) -> None:
    named = source.named()
    assert named is not None
    heard = np.arange(COUNT) % 2 == 0
    strange = np.linspace(0, 100, COUNT) > 99
    for found, first in (
        (replace(named, heard=heard), ~heard),
        (replace(named, heard=np.zeros(COUNT, bool)), np.ones(COUNT, bool)),
        (replace(named, heard=np.zeros(COUNT, bool), foreign=True), np.ones(COUNT, bool)),
    ):
        reason = why_unsure(source, found)
        own = 0 if found.foreign else 2 if first.sum() < COUNT else 1
        expected = np.select([first, strange, named.confidence < 0.5], [own, 3, 4], -1)
        np.testing.assert_array_equal(reason, expected)
        np.testing.assert_array_equal(sure_patches(source, found), reason < 0)
    assert len(WHY_UNSURE) == 5


def test_files_say_why_a_class_of_high_confidence_does_not_count(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: pandas and geopandas read what was written of a scene that the network knows less than half of."""
    named = source.named()
    assert named is not None
    unknown = replace(named, heard=np.zeros(COUNT, bool), confidence=np.full(COUNT, 0.97, np.float32))
    monkeypatch.setattr(Source, "named", lambda _self, _key="": unknown)
    columns, ids = export_columns(source), np.arange(COUNT)
    rows = scene_rows(source.scene, patch_grid(source.scene, Cut.of(16)), ids, columns=columns)
    for form, read in (("csv", pandas.read_csv), ("parquet", geopandas.read_parquet), ("gpkg", geopandas.read_file)):
        write_rows(tmp_path / f"r.{form}", rows)
        frame = read(tmp_path / f"r.{form}")
        assert set(frame["predicted"]) == {UNSURE}, form
        assert set(frame["predicted_why_unsure"]) == {"the encoder does not know this scene"}, form
        assert np.allclose(frame["confidence"], 0.97), form
    some = replace(unknown, heard=np.arange(COUNT) > 4)
    monkeypatch.setattr(Source, "named", lambda _self, _key="": some)
    rows = replace(rows, columns={**rows.columns, **export_columns(source)})
    write_rows(tmp_path / "s.csv", rows)
    write_rows(tmp_path / "s.parquet", rows)
    text, table = (
        pandas.read_csv(tmp_path / "s.csv"),
        geopandas.read_parquet(tmp_path / "s.parquet").sort_values("patch_id"),
    )
    wanted = ["the encoder does not know this land"] * 5 + [None] * 14 + ["unfamiliar land"]
    for frame in (text, table):
        given = frame["predicted_why_unsure"]
        assert given.astype(object).where(given.notna(), None).tolist() == wanted
        assert (frame["predicted"].to_numpy() == UNSURE).tolist() == [one is not None for one in wanted]


def test_an_address_asks_for_the_classifier_whose_classes_are_on_show(source: Source) -> None:
    assert PREDICTED.address(source, NOTHING_ASKED) == f"predicted-{KEY}"
    assert read_address("confidence") == (CONFIDENCE, NOTHING_ASKED)
    assert read_address("predicted-../x") is None
    other = Asked(version="ba9876543210")
    assert (PREDICTED.compute(source, other), PREDICTED.available(source, other)) == (None, False)
    assert PREDICTED.legend_of(source, None, other).names == (UNSURE,)
