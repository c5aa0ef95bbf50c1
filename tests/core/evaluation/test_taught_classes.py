"""Which classifier belongs to a model: by its network, its recipe, the bands of a scene, and models of before."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES, GROUND_BANDS
from core.config import settings
from core.encoders.files import CARD, CLASSES, CLASSIFIER, NETWORK, SHARES
from core.encoders.registry import ENTRIES, SHIPPED, describe, load_encoder
from core.evaluation.classifier import FeatureClassifier, fit_classifier
from core.evaluation.taught_classes import classifier_in, classifier_of, fit_for_scenes
from core.features.recipe import Recipe
from core.scenes.cut import DEFAULT_CUT
from core.scenes.scene import Scene
from core.similarity.neighbours import unit_rows
from core.training.dataset import labelled
from core.training.evaluate import features
from tests.core.evaluation.test_classifier import NAMES, clouds


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
    abroad = found.name(np.repeat(vectors, (1, 3), axis=0))
    assert abroad.heard is not None
    assert not abroad.heard.any(), "where it knows little of a scene, it is wrong on that too"


def test_a_model_of_before_has_to_know_half_of_a_scene(tmp_path: Path) -> None:
    """Its network takes more land for known."""
    directory = Path(ENTRIES[SHIPPED].reference)
    for name in (NETWORK, CLASSES):
        shutil.copy(directory / name, tmp_path)
    with np.load(directory / SHARES) as held:
        np.savez(tmp_path / SHARES, **{name: held[name] for name in held if not name.startswith("usual_")})
    vectors = np.zeros((5, 192), np.float32)
    vectors[:, 0], vectors[:, 100] = [0.8, 0.8, 0.3, 0.3, 0.3], [0.6, 0.6, 0.954, 0.954, 0.954]
    counts = []
    for one in (directory, tmp_path):
        found = classifier_in(one)
        assert found is not None
        heard = found.name(vectors).heard
        assert heard is not None
        counts.append(int(heard.sum()))
    assert counts == [2, 0]


def test_the_shipped_encoder_names_its_classes_in_all_bands(eurosat: Callable[[Path], Scene], tmp_path: Path) -> None:
    scene = eurosat(tmp_path)
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
