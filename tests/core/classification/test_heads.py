"""Heads on features: scikit-learn's own answers, calibrated, abstaining, in files, refused where they do not fit."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from core.bands import FloatArray
from core.classification.compared import ComparedHeads
from core.classification.heads import Head, HeadOrigin, reteach, teach
from core.classification.labelled import LabelledPatches, labelled_patches
from core.classification.models import HeadKind, LinearModel, fit_model
from core.classification.saved import Heads, load_head, save_head
from core.errors import ClassificationError, EncoderError, SettingsError
from core.evaluation.logistic import logistic_weights, softmax
from core.features.recipe import Recipe
from core.scenes.cut import Cut
from core.scenes.patches import IntArray
from core.similarity.neighbours import unit_rows

NAMES = ("Forest", "Quarry", "River")


def land(per_class: int, spread: float = 0.6, seed: int = 0, columns: int = 12) -> tuple[FloatArray, IntArray]:
    """Features of three classes that overlap, mixed, and their labels."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat(np.arange(3), per_class))
    found = np.eye(3, columns)[labels] + spread * random.standard_normal((len(labels), columns))
    return found.astype(np.float32), labels


def labelled(vectors: FloatArray, labels: IntArray) -> LabelledPatches:
    """All of them labelled, on a square of ground with one patch beside the other."""
    side = int(np.ceil(np.sqrt(len(labels))))
    places = np.stack(np.divmod(np.arange(len(labels)), side), axis=1)
    names = {number: NAMES[label] for number, label in enumerate(labels.tolist())}
    return labelled_patches(vectors, np.arange(len(labels)), names, places=places)


def test_weights_are_those_of_scikit_learn() -> None:
    vectors, labels = land(40)
    for count, rows in ((3, labels >= 0), (2, labels < 2)):
        points, truth = unit_rows(vectors)[rows], labels[rows]
        weights, bias = logistic_weights(points, truth, count, 3.0)
        oracle = LogisticRegression(C=3.0, tol=1e-9, max_iter=5000).fit(points, truth).predict_proba(points)
        assert np.abs(softmax(points @ weights + bias) - oracle).max() < 2e-3


def test_few_patches_of_many_features_give_the_same_weights_as_all_numbers_would() -> None:
    vectors, labels = land(4, columns=60)
    weights, bias = logistic_weights(vectors, labels, 3, 1.0)
    oracle = LogisticRegression(C=1.0, tol=1e-9, max_iter=5000).fit(vectors, labels)
    assert np.abs(softmax(vectors @ weights + bias) - oracle.predict_proba(vectors)).max() < 2e-3


@pytest.mark.parametrize("kind", ["knn", "forest"])
def test_votes_and_trees_are_those_of_scikit_learn(kind: HeadKind) -> None:
    vectors, labels = land(30)
    asked, _ = land(20, seed=1)
    unit, other = unit_rows(vectors), unit_rows(asked)
    known = labelled(vectors, labels)
    if kind == "knn":
        model = fit_model(kind, unit, labels, 3, setting=5, spread=known.spread)
        shares = (np.exp(model.logits(asked)) * 6 - 1 / 3) / 5
        oracle = KNeighborsClassifier(5, metric="cosine").fit(unit, labels).predict_proba(other)
    else:
        model = fit_model(kind, unit, labels, 3, setting=6, spread=known.spread)
        shares = np.exp(model.logits(asked)) - 1 / 60
        oracle = RandomForestClassifier(6, random_state=0).fit(unit, labels).predict_proba(other)
    assert shares == pytest.approx(oracle, abs=1e-5)


@pytest.mark.parametrize("kind", ["logistic", "knn"])
def test_a_head_names_land_it_was_not_taught_and_says_how_often_it_is_right(kind: HeadKind) -> None:
    vectors, labels = land(60)
    asked, truth = land(400, seed=5)
    taught = teach(labelled(vectors, labels), kind)
    found = taught.head.predict(asked)
    right = (found.index == truth).mean()
    assert taught.validation.spatial
    assert taught.validation.accuracy.low < right < taught.validation.accuracy.high
    assert abs(found.confidence.mean() - right) < 0.08, "it is as sure as it is right"
    assert taught.head.origin.counts == {"Forest": 60, "Quarry": 60, "River": 60}
    assert taught.head.origin.measures["accuracy"][0] == round(taught.validation.accuracy.value, 4)


def test_it_abstains_where_it_is_unsure_and_on_land_the_encoder_does_not_know() -> None:
    vectors, labels = land(40)
    head = teach(labelled(vectors, labels)).head
    sure = head.predict(vectors)
    assert not sure.abstained.any()
    novelty = np.zeros(len(vectors), np.float32)
    novelty[7] = 99.5
    some = head.predict(vectors, abstain_below=0.8, novelty=novelty)
    assert (some.abstained == ((sure.confidence < 0.8) | (novelty > 99))).all()
    assert some.novel.tolist() == (novelty > 99).tolist()
    assert (some.index == sure.index).all(), "the likeliest class is still told"
    with pytest.raises(SettingsError, match="choose one from 0 to 1"):
        head.predict(vectors, abstain_below=1.5)


def test_teaching_again_after_a_label_is_quick_and_gives_what_teaching_from_nothing_does() -> None:
    vectors, labels = land(100, columns=192)
    head = teach(labelled(vectors[:-1], labels[:-1])).head
    known = labelled(vectors, labels)
    start = time.perf_counter()
    again = reteach(head, known)
    assert time.perf_counter() - start < 2.0, "a fifth of a second where nothing else runs"
    fresh = reteach(replace(head, classes=head.classes[::-1]), known)
    assert again.chances(vectors) == pytest.approx(fresh.chances(vectors), abs=2e-3)
    assert (again.temperature, again.setting) == (head.temperature, head.setting)


@pytest.mark.parametrize("kind", ["logistic", "knn", "forest"])
def test_a_head_is_kept_in_a_file_and_names_the_same(kind: HeadKind, tmp_path: Path) -> None:
    vectors, labels = land(15)
    origin = HeadOrigin(
        encoder="spectral", fingerprint="ab12", cut="64-64", level="L1C", bands=("B02", "B08"), date="2026-11-27"
    )
    head = teach(labelled(vectors, labels), kind, origin=origin, settings=[3]).head
    kept = Heads(tmp_path)
    name = kept.save(head, "Dry Lands: north!")
    again = kept.load(name)
    assert (kept.names(), name) == (["dry-lands-north"], "dry-lands-north")
    assert again.chances(vectors) == pytest.approx(head.chances(vectors), abs=1e-6)
    assert (again.classes, again.origin, again.kind) == (head.classes, head.origin, kind)
    kept.delete(name)
    assert kept.names() == []
    with pytest.raises(EncoderError, match="there is no dry-lands-north"):
        kept.load(name)
    with pytest.raises(EncoderError, match="there is no head"):
        kept.load("../../etc/passwd")


def test_a_head_of_a_former_version_says_that_its_figures_are_too_favourable(tmp_path: Path) -> None:
    taught = teach(labelled(*land(20)), origin=HeadOrigin(encoder="e", fingerprint="f"))
    assert not taught.head.origin.older_way
    former = {name: value for name, value in taught.head.origin.measures.items() if name != "held_apart"}
    save_head(replace(taught.head, origin=replace(taught.head.origin, measures=former)), tmp_path / "a.head.npz")
    assert load_head(tmp_path / "a.head.npz").origin.older_way
    assert not reteach(taught.head, labelled(*land(20))).origin.older_way, "it has no figures"
    recipe, kept = Recipe(scene_id="s", cut=Cut.of(16), encoder="e", fingerprint="f"), ComparedHeads(tmp_path)
    kept.put(recipe, "v", taught)
    found = kept.get(recipe, "v", "logistic")
    assert found is not None
    assert found.validation.held_apart
    [path] = tmp_path.glob("compared/**/*.held-out.npz")
    with np.load(path) as data:
        parts = {name: data[name] for name in data.files if name != "held_apart"}
    with path.open("wb") as file:
        np.savez_compressed(file, **parts)
    before = kept.get(recipe, "v", "logistic")
    assert before is not None
    assert not before.validation.held_apart


def test_a_head_is_refused_in_a_sentence_where_it_does_not_fit(tmp_path: Path) -> None:
    vectors, labels = land(15)
    origin = HeadOrigin(encoder="spectral", fingerprint="ab", cut="64-64", bands=("B02", "B03", "B10"))
    head = teach(labelled(vectors, labels), origin=origin).head
    head.check_fits("ab", 12)
    with pytest.raises(EncoderError, match="taught on features of spectral"):
        head.check_fits("cd", 12)
    with pytest.raises(EncoderError, match="12 numbers a patch, and these features have 7"):
        head.check_fits("ab", 7)
    head.check_fits("ab", 12, "L2A")
    there = replace(head, origin=replace(head.origin, level="L1C"))
    there.check_fits("ab", 12, "")
    with pytest.raises(EncoderError, match="taught on L1C scenes, and this one is L2A"):
        there.check_fits("ab", 12, "L2A")
    assert head.concerns("64-64") == []
    assert head.concerns("64-64a0123456789ab") == [], "the patches of an area are those of the scene"
    assert head.concerns("", ("B02", "B03")) == [], "no land is seen in B10"
    (told,) = head.concerns("", ("B02", "B08"))
    assert told.startswith("The head was taught on other bands than these (B03 missing; B08 added)")
    assert head.concerns("32-32") == ["The head was taught on patches cut as 64-64, and these are cut as 32-32."]


def test_a_damaged_file_or_one_that_walks_in_circles_is_no_head(tmp_path: Path) -> None:
    vectors, labels = land(10)
    head = teach(labelled(vectors, labels), "forest", settings=[4]).head
    path = tmp_path / "one.head.npz"
    save_head(head, path)
    with np.load(path) as data:
        arrays = {name: data[name] for name in data.files}
    for name, value in (("left", np.zeros_like(arrays["left"])), ("feature", arrays["feature"] + 12), ("roots", [-1])):
        np.savez(path, **{**arrays, name: value})
        with pytest.raises(EncoderError, match="is no head, or it is damaged"):
            load_head(path)
    about = json.loads(arrays["about"].item()) | {"version": 2}
    np.savez(path, **{**arrays, "about": np.bytes_(json.dumps(about))})
    with pytest.raises(EncoderError, match="later version"):
        load_head(path)
    path.write_bytes(b"not a head")
    with pytest.raises(EncoderError, match="is no head"):
        load_head(path)


def test_one_class_teaches_nothing() -> None:
    vectors, _ = land(5)
    with pytest.raises(ClassificationError, match="all labelled patches are of one class, “Bog”"):
        labelled_patches(vectors, np.arange(15), {3: "Bog", 4: "Bog"})
    with pytest.raises(ClassificationError, match="no patch has a label"):
        labelled_patches(vectors, np.arange(15), {99: "Bog"})


def test_a_class_of_one_patch_is_taught_but_cannot_be_tested() -> None:
    vectors, labels = land(20)
    names = {number: NAMES[label] for number, label in enumerate(labels.tolist())} | {0: "Islet"}
    taught = teach(labelled_patches(vectors, np.arange(60), names))
    assert not taught.validation.spatial
    assert taught.validation.untested == ("Islet",)
    assert taught.head.names == ("Forest", "Islet", "Quarry", "River")
    assert taught.head.predict(vectors[:1]).classes[int(taught.head.predict(vectors[:1]).index[0])] in taught.head.names


def test_a_linear_head_needs_no_more_than_its_columns() -> None:
    vectors, labels = land(10)
    head: Head = teach(labelled(vectors, labels)).head
    assert isinstance(head.model, LinearModel)
    assert head.model.width == 12
