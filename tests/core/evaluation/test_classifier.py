"""A classifier on features: scikit-learn's own answers, calibrated probabilities, files, and models of before."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from core.bands import BAND_NAMES, GROUND_BANDS, FloatArray
from core.config import settings
from core.encoders.files import CARD, CLASSES, CLASSIFIER, NETWORK, SHARES
from core.encoders.registry import ENTRIES, SHIPPED, describe, load_encoder
from core.errors import EncoderError
from core.evaluation.classifier import (
    FeatureClassifier,
    classifier_in,
    classifier_of,
    fit_classifier,
    fit_for_scenes,
)
from core.evaluation.retrieval import held_out
from core.features.recipe import Recipe
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.cut import DEFAULT_CUT
from core.scenes.library import Library
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows
from core.training.dataset import labelled
from core.training.evaluate import features
from tests.data import shared

NAMES = ("Forest", "Quarry", "River")


def clouds(per_class: int, classes: int = 3, spread: float = 0.7, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Features of classes that overlap, of any length, and their labels."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), per_class)
    middle = np.eye(classes, 8)[labels]
    found = (middle + spread * random.standard_normal((len(labels), 8))) * random.uniform(1, 9, (len(labels), 1))
    return found.astype(np.float32), labels


@pytest.mark.parametrize("classes", [2, 3])
def test_it_names_what_logistic_regression_names_as_surely(classes: int) -> None:
    vectors, labels = clouds(60, classes)
    asked, _ = clouds(40, classes, seed=1)
    unit = unit_rows(vectors)
    mean, std = unit.mean(axis=0), unit.std(axis=0) + 1e-6
    oracle = LogisticRegression(C=1.0, max_iter=3000, tol=1e-9).fit((unit - mean) / std, labels)
    chances = oracle.predict_proba((unit_rows(asked) - mean) / std)
    named = fit_classifier(vectors, labels, NAMES[:classes]).name(asked)
    assert named.classes == NAMES[:classes]
    assert (named.index == chances.argmax(axis=1)).all()
    assert named.confidence == pytest.approx(chances.max(axis=1), abs=2e-4)
    assert (named.sure == (chances.max(axis=1) >= 0.5)).all()


def test_it_is_the_one_that_is_measured_on_held_out_patches() -> None:
    vectors, labels = clouds(60)
    held = np.random.default_rng(3).random(len(labels)) < 0.3
    right = fit_classifier(vectors[~held], labels[~held], NAMES).name(vectors[held]).index == labels[held]
    assert right.mean() == held_out(vectors, labels, held).linear.value


def test_calibration_brings_confidence_to_how_often_it_is_right() -> None:
    vectors, labels = clouds(12, spread=1.2)
    apart, truth = clouds(400, spread=1.2, seed=1)
    asked, wanted = clouds(400, spread=1.2, seed=2)
    raw = replace(fit_classifier(vectors, labels, NAMES), weights=fit_classifier(vectors, labels, NAMES).weights * 6)
    found = raw.calibrate(apart, truth)
    assert (found.calibrated, raw.calibrated) == (True, False)
    gaps = [abs(one.name(asked).confidence.mean() - (one.name(asked).index == wanted).mean()) for one in (raw, found)]
    assert gaps[1] < 0.04 < 0.15 < gaps[0]
    assert (found.name(asked).index == raw.name(asked).index).all(), "calibration changes no class"


def test_a_few_patches_that_are_all_named_rightly_make_nothing_certain() -> None:
    vectors, labels = clouds(30, spread=0.01)
    few = np.array([0, 30, 60])
    found = fit_classifier(vectors, labels, NAMES).calibrate(vectors[few], labels[few])
    assert 0.5 < found.name(vectors).confidence.mean() < 0.9
    none = fit_classifier(vectors, labels, NAMES).calibrate(vectors[:0], labels[:0])
    assert not none.calibrated


def test_a_file_of_it_is_read_back_and_damage_is_said(tmp_path: Path) -> None:
    vectors, labels = clouds(20)
    found = fit_classifier(vectors, labels, NAMES).calibrate(vectors, labels)
    found.save(tmp_path / CLASSES)
    again = classifier_in(tmp_path)
    assert again is not None
    assert (again.classes, again.temperature, again.calibrated) == (NAMES, found.temperature, True)
    np.testing.assert_array_equal(again.logits(vectors), found.logits(vectors))
    with pytest.raises(EncoderError, match=r"the features have shape \(60, 5\) and column 7 is asked for"):
        again.name(vectors[:, :5])
    whole = (tmp_path / CLASSES).read_bytes()
    for at in (0, 30, len(whole) - 40):
        (tmp_path / CLASSES).write_bytes(whole[:at])
        with pytest.raises(EncoderError, match=r"classes\.npz cannot be read or is damaged; get the model again"):
            FeatureClassifier.load(tmp_path / CLASSES)
    replace(found, bias=found.bias[:2]).save(tmp_path / CLASSES)
    with pytest.raises(EncoderError, match="damaged"):
        FeatureClassifier.load(tmp_path / CLASSES)


def test_a_network_of_before_names_by_its_class_directions(tmp_path: Path) -> None:
    directory = Path(ENTRIES["landlike-1"].reference)
    found = classifier_in(directory)
    assert found is not None
    directions = np.load(directory / CLASSIFIER)
    vectors = np.zeros((10, 160), np.float32)
    vectors[:, :128] = 7 * directions.T
    vectors[:, 128:] = 3  # Spectral statistics, which the network's classifier does not know.
    named = found.name(vectors)
    assert named.index.tolist() == list(range(10))
    assert not named.calibrated
    cosines = unit_rows(directions.T) @ unit_rows(directions.T).T
    chances = np.exp(16 * cosines) / np.exp(16 * cosines).sum(axis=1, keepdims=True)
    assert named.confidence == pytest.approx(np.diag(chances), abs=1e-4)
    fields = json.loads((directory / NETWORK).read_text())
    np.save(tmp_path / CLASSIFIER, directions)
    (tmp_path / NETWORK).write_text(json.dumps(fields | {"whitened": True}))
    assert classifier_in(tmp_path) is None, "features of another make are not named by it"


def test_an_encoder_is_asked_by_its_recipe() -> None:
    config = settings()

    def recipe(name: str, fingerprint: str) -> Recipe:
        return Recipe(scene_id="s", encoder=name, fingerprint=fingerprint, cut=DEFAULT_CUT)

    known = classifier_of(recipe("landlike-1", describe("landlike-1", config).fingerprint), config, BAND_NAMES)
    assert known is not None
    assert len(known.classes) == 10
    assert classifier_of(recipe("landlike-1", "another"), config, BAND_NAMES) is None
    assert classifier_of(recipe("spectral", describe("spectral", config).fingerprint), config, BAND_NAMES) is None


def test_a_head_is_found_by_its_key_among_encoders_with_the_same_features(tmp_path: Path) -> None:
    config = replace(settings(), root=tmp_path)
    shutil.copytree(ENTRIES["landlike-1"].reference, config.trained / "mires")
    (config.trained / "mires" / "SHA256SUMS").unlink()
    fingerprint = describe("landlike-1", config).fingerprint
    vectors, labels = clouds(20)
    head = fit_classifier(np.pad(vectors, ((0, 0), (0, 152))), labels, NAMES)
    head.save(config.trained / "mires" / CLASSES)
    recipe = Recipe(scene_id="s", encoder="landlike-1", fingerprint=fingerprint, cut=DEFAULT_CUT)
    own, other = (classifier_of(recipe, config, BAND_NAMES, key) for key in ("", head.key))
    assert own is not None
    assert other is not None
    assert (len(own.classes), other.classes) == (10, NAMES)
    assert classifier_of(recipe, config, BAND_NAMES, own.key) is not None
    assert classifier_of(recipe, config, BAND_NAMES, "0" * 12) is None
    mine = classifier_of(replace(recipe, encoder="mires"), config, BAND_NAMES)
    assert mine is not None
    assert mine.key == head.key


def test_a_class_counts_only_where_the_network_that_was_taught_it_knows_the_land() -> None:
    directory = Path(ENTRIES[SHIPPED].reference)
    found = classifier_in(directory)
    assert found is not None
    assert found.network == 64
    vectors = np.zeros((2, 192), np.float32)
    vectors[:, [0, 100]] = [[0.8, 0.6], [0.3, 0.954]]
    named = found.name(vectors)
    assert named.heard is not None
    assert named.heard.tolist() == [True, False]
    assert not named.sure[1]
    abroad = found.name(np.repeat(vectors, (1, 2), axis=0))
    assert abroad.heard is not None
    assert not abroad.heard.any(), "where it knows less than half of a scene, it is wrong on the rest too"


def test_the_shipped_encoder_names_its_classes_in_all_bands(tmp_path: Path) -> None:
    scene = ingest([shared("eurosat_ms.zip")], Library(tmp_path), IngestSettings())
    every = labelled(scene)
    some = every.take(np.arange(0, len(every), 4))
    found = classifier_in(Path(ENTRIES[SHIPPED].reference))
    assert found is not None
    vectors = features(load_encoder(SHIPPED, settings()), some)
    named = found.on(scene.bands).name(vectors)
    assert some.classes == named.classes
    assert (named.index == some.labels).mean() >= 0.94, "0.976 of all 296, 0.405 by all columns"
    assert named.sure.mean() >= 0.7


RGB = ("B02", "B03", "B04")


@pytest.mark.parametrize(
    ("classes", "bands", "columns"),
    [("taught", RGB, 64), ("taught", BAND_NAMES, 64), ("own", RGB, 64), ("own", BAND_NAMES, 192)],
)
def test_features_that_see_stand_ins_do_not_count_for_scenes_of_other_bands(
    classes: str, bands: tuple[str, ...], columns: int
) -> None:
    directory, spec = Path(ENTRIES[SHIPPED].reference), describe(SHIPPED, settings())
    names = json.loads((directory / NETWORK).read_text())["classes"] if classes == "taught" else NAMES
    vectors, labels = clouds(12, len(names))
    wide = np.pad(vectors, ((0, 0), (60, 124)))
    found = fit_for_scenes(wide, labels, names, bands=bands, spec=spec, directory=directory)
    assert len(found.columns) == columns
    assert found.bands == (GROUND_BANDS if columns == 192 else RGB)
    assert (found.narrow is None) == (columns == 64)


def test_a_classifier_of_all_bands_names_a_scene_of_few_by_its_network() -> None:
    directory, spec = Path(ENTRIES[SHIPPED].reference), describe(SHIPPED, settings())
    vectors, labels = clouds(12)
    wide = np.pad(vectors, ((0, 0), (60, 124)))
    found = fit_for_scenes(wide, labels, NAMES, bands=BAND_NAMES, spec=spec, directory=directory)
    assert found.on(BAND_NAMES) is found
    assert found.on(GROUND_BANDS) is found, "B01, B09 and B10 do not see the ground"
    assert found.on(("B02", "B03", "B04", "B08")) is found.narrow
    assert found.calibrate(wide, labels).on(RGB).calibrated
    foreign = found.on(("B03", "B08"))
    assert not foreign.name(wide).sure.any()
    assert (foreign.name(wide).index == found.name(wide).index).all()


def test_a_classifier_of_few_bands_by_an_encoder_without_a_network_is_sure_of_nothing_in_more() -> None:
    vectors, labels = clouds(12)
    spec = describe("spectral", settings())
    found = fit_for_scenes(vectors, labels, NAMES, bands=RGB, spec=spec, directory=None)
    assert (found.bands, found.lacking) == (RGB, tuple(name for name in GROUND_BANDS if name not in RGB))
    assert found.on((*RGB, "B10")) is found
    assert found.on(BAND_NAMES).foreign


def test_bands_and_the_narrow_form_are_kept_in_the_file(tmp_path: Path) -> None:
    directory, spec = Path(ENTRIES[SHIPPED].reference), describe(SHIPPED, settings())
    vectors, labels = clouds(12)
    wide = np.pad(vectors, ((0, 0), (60, 124)))
    found = fit_for_scenes(wide, labels, NAMES, bands=BAND_NAMES, spec=spec, directory=directory)
    found.save(tmp_path / CLASSES)
    again = FeatureClassifier.load(tmp_path / CLASSES)
    assert (again.bands, again.lacking) == (found.bands, found.lacking)
    assert again.narrow is not None
    np.testing.assert_array_equal(again.on(RGB).logits(wide), found.on(RGB).logits(wide))


def test_a_file_of_before_is_held_to_the_bands_of_its_card(tmp_path: Path) -> None:
    directory = Path(ENTRIES[SHIPPED].reference)
    for name in (NETWORK, SHARES):
        shutil.copy(directory / name, tmp_path / name)
    vectors, labels = clouds(12)
    fit_classifier(np.pad(vectors, ((0, 0), (60, 124))), labels, NAMES).save(tmp_path / CLASSES)
    (tmp_path / CARD).write_text(json.dumps({"bands": list(RGB)}))
    found = classifier_in(tmp_path)
    assert found is not None
    assert found.on(BAND_NAMES).foreign
    assert not found.on(RGB).foreign
