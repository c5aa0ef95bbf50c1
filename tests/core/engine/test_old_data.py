"""A data folder of the version before opens as before; ``tests/fixtures/make_old_data.py`` made it."""

from __future__ import annotations

import hashlib
import json
import tarfile
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from core.config import Config
from core.encoders.registry import list_encoders, matching_encoder
from core.engine.background import default_lanes
from core.engine.operations import Engine
from core.evaluation.report.scene import report_on_scene
from core.features.encode import encode_scene
from core.features.recipe import Recipe
from core.features.store import FeatureStore
from core.jobs.lanes import Lane
from core.projection.settings import ProjectionSettings
from core.scenes.cut import Cut
from core.scenes.labels import hand_labels, hand_version, patch_labels
from core.scenes.patches import patch_grid
from core.scenes.quality import load_quality
from core.training.trained_models import read_card
from tests.fakes import ThreadWorker

ARCHIVE = Path(__file__).resolve().parents[2] / "fixtures" / "old_data.tar.xz"
SIZE, STRIDE = 32, 16


class Old:
    """The folder, an engine of today on it that cannot work in the background, and what the version before read."""

    def __init__(self, folder: Path) -> None:
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(folder, filter="data")
        self.folder, self.root = folder, folder / "data"
        self.facts: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        self.arrays: dict[str, np.ndarray] = dict(np.load(folder / "expected.npz"))
        self.config = Config(root=self.root, model_cache=self.root / "models")
        self.engine = Engine(self.config, {})

    def recipe(self, name: str) -> Recipe:
        """The recipe that the version before wrote down."""
        fields = dict(self.facts["recipes"][name])
        fields.pop("key")
        return Recipe.from_dict(fields)

    def digests(self) -> dict[str, str]:
        """Digests of all files that hold results."""
        rooms = ("scenes", "features", "projections", "trained")
        files = [path for room in rooms for path in (self.root / room).rglob("*") if path.is_file()]
        found = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
        # Locks hold the number of a process.
        return {path: digest for path, digest in found.items() if not path.endswith(".lock")}


@pytest.fixture
def old(tmp_path: Path) -> Old:
    return Old(tmp_path)


RECIPES = ("spectral", "shipped", "collection", "trained")


def test_scenes_are_listed_with_their_records(old: Old) -> None:
    wanted = {fields["id"]: fields for fields in old.facts["scenes"]}
    scenes = {scene.id: scene for scene in old.engine.library.scenes()}
    assert scenes.keys() == wanted.keys()
    for scene_id, scene in scenes.items():
        facts = wanted[scene_id]
        for name in ("name", "date", "synthetic", "patch_size", "created"):
            assert getattr(scene, name) == facts[name]
        assert (list(scene.bands), list(scene.classes)) == (facts["bands"], facts["classes"])
        assert (scene.grid.crs, list(scene.grid.transform)) == (facts["crs"], facts["transform"])
        record = load_quality(scene.directory)
        assert record.source == facts["source"]
        assert [[one.topic, one.value, one.basis, one.because] for one in record.findings] == facts["findings"]
        assert json.loads(json.dumps(record.settings)) == facts["settings"]
        assert [path.name for path in old.engine.library.origin(scene_id)] == facts["origin"]


def test_pixels_are_the_same(old: Old) -> None:
    for facts in old.facts["scenes"]:
        with rasterio.open(old.engine.library.get(facts["id"]).pixels_path) as data:
            assert hashlib.sha256(data.read().tobytes()).hexdigest() == facts["pixels_sha256"]


def test_labels_are_the_same(old: Old) -> None:
    seen = set()
    for facts in old.facts["scenes"]:
        scene = old.engine.library.get(facts["id"])
        grid = patch_grid(scene, Cut.of(SIZE, STRIDE))
        for by, found in (("truth", patch_labels(scene, grid)), ("hand", hand_labels(scene, grid))):
            expected = old.arrays.get(f"{by}.{scene.id}")
            assert (found is None) == (expected is None)
            if found is not None:
                seen.add(by)
                np.testing.assert_array_equal(found.index, expected)
        assert hand_version(scene) == facts["hand_version"]
    assert seen == {"truth", "hand"}


@pytest.mark.parametrize("name", RECIPES)
def test_features_are_found_by_a_recipe_of_today(old: Old, name: str) -> None:
    recipe = old.recipe(name)
    scene = old.engine.library.get(recipe.scene_id)
    backend = None if name == "spectral" else "openvino-f32"
    today = old.engine.recipe(scene, recipe.encoder, backend=backend, cut=recipe.cut)
    assert today == recipe
    assert today.key == old.facts["recipes"][name]["key"]
    features = old.engine.features(today)
    for part in ("patch_ids", "vectors", "valid_fraction", "band_mean", "band_std"):
        np.testing.assert_array_equal(getattr(features, part), old.arrays[f"features.{name}.{part}"])


def test_features_are_read_from_the_database_too(old: Old) -> None:
    for snapshot in (old.root / "features" / "snapshots").rglob("*.npy"):
        snapshot.unlink()
    for name in RECIPES:
        vectors = old.engine.features(old.recipe(name)).vectors
        np.testing.assert_array_equal(vectors, old.arrays[f"features.{name}.vectors"])


def test_layouts_are_found_under_their_key(old: Old) -> None:
    assert len(old.facts["layouts"]) == 3
    for number, facts in enumerate(old.facts["layouts"]):
        settings = ProjectionSettings(n_neighbors=facts["n_neighbors"], seed=facts["seed"])
        assert settings.key == facts["key"]
        found = old.engine.projection(old.recipe(facts["recipe"]), settings)
        np.testing.assert_array_equal(found, old.arrays[f"layout.{number}"])


def test_reports_without_intervals_are_measured_again(old: Old) -> None:
    """A verdict follows from the interval of a figure, which these did not keep yet."""
    asked = [(old.recipe(facts["name"]), facts["settings"]) for facts in old.facts["reports"]]
    assert {settings for _, settings in asked} > {"features", ProjectionSettings().key}
    assert [old.engine.reports.get(*one) for one in asked] == [None] * len(asked)
    for recipe, settings in asked:
        load = partial(matching_encoder, recipe.encoder, recipe.fingerprint, old.config)
        layout = ProjectionSettings() if settings == ProjectionSettings().key else None
        report_on_scene(old.root, recipe, layout, load)
    for facts, one in zip(old.facts["reports"], asked, strict=True):
        sections = old.engine.reports.get(*one)
        assert sections is not None, f"the report {facts['settings']} is not measured again"
        assert len(sections) == len(facts["titles"])


@pytest.mark.parametrize("name", RECIPES)
def test_encoders_make_the_same_features(old: Old, name: str) -> None:
    recipe = old.recipe(name)
    encoder = matching_encoder(recipe.encoder, recipe.fingerprint, old.config)
    store = FeatureStore(old.folder / "again")
    encode_scene(old.engine.library.get(recipe.scene_id), encoder, recipe, store)
    again, before = store.read(recipe).vectors, old.arrays[f"features.{name}.vectors"]
    # Processors differ in the order of their sums.
    np.testing.assert_allclose(again, before, rtol=1e-3, atol=1e-3 * float(np.abs(before).max()))


def test_the_trained_model_is_listed_with_its_card(old: Old) -> None:
    name = old.facts["trained"]
    assert old.engine.trained.names() == [name]
    listing = next(one for one in list_encoders(old.config) if one.name == name)
    assert listing.spec is not None
    assert listing.spec.title == "Old model"
    assert read_card(old.engine.trained.directory(name) / "card.json")["title"] == "Old model"


def test_nothing_is_computed_again(old: Old) -> None:
    before = old.digests()
    assert old.engine.submit_synthetic(size=128, seed=3).state == "done"
    for name in RECIPES:
        assert old.engine.submit_encode(old.recipe(name)).state == "done"
    for facts in old.facts["layouts"]:
        settings = ProjectionSettings(n_neighbors=facts["n_neighbors"], seed=facts["seed"])
        assert old.engine.submit_projection(old.recipe(facts["recipe"]), settings).state == "done"
    assert old.digests() == before


def test_jobs_are_remembered_and_the_one_that_waited_goes_on(old: Old) -> None:
    for path in (old.root / "jobs").glob("*.json"):  # Jobs that ended more than a day ago are forgotten.
        fields = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(fields | {"finished": fields["finished"] and time.time()}), encoding="utf-8")
    engine = Engine(old.config, {name: Lane(executor=ThreadWorker) for name in default_lanes(old.config)})
    engine.start()
    try:
        known = {job.id: asdict(job) for job in engine.jobs.jobs()}
        for facts in old.facts["jobs"]:
            assert {name: known[facts["id"]][name] for name in facts} == facts
        assert {facts["kind"] for facts in old.facts["jobs"]} == {
            "sample",
            "ingest",
            "encode",
            "project",
            "trust",
            "train",
        }
        assert engine.jobs.wait(old.facts["waiting"], 60).state == "done"
        recipe = Recipe.from_dict(engine.jobs.payload(old.facts["waiting"])["recipe"])
        assert len(engine.features(recipe)) == 12
    finally:
        engine.close()
