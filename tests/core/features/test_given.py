"""Vectors of others in the store: bit for bit, under the identity that their file states, and no other encoder's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.config import Config
from core.engine.library_source import library_source
from core.engine.operations import Engine
from core.errors import EncoderError
from core.evaluation.report.measure import case_of
from core.features.given import first_encoder, given_spec
from core.ingest.boundary import ingest
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.similarity.neighbours import nearest_patches, unit_rows
from core.values.base import NOTHING_ASKED
from core.values.registry import VALUES, choices, export_columns
from tests.embeddings import ROWS, plain, vectors
from tests.scenes import add_scene

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(Config(root=tmp_path / "data", model_cache=tmp_path / "models"), lanes={})


def test_features_are_the_vectors_of_the_file(tmp_path: Path, engine: Engine) -> None:
    values = vectors()
    values[3] = 0
    scene = ingest([plain(tmp_path / "f.parquet", values)], engine.library)
    features = engine.encode_now(scene, engine.recipe(scene, first_encoder(scene)))
    np.testing.assert_array_equal(features.patch_ids, np.delete(np.arange(ROWS), 3))
    np.testing.assert_array_equal(features.vectors, np.delete(values, 3, axis=0))
    near = nearest_patches(unit_rows(features.vectors), features.patch_ids, features.position(10), 2, scene=scene.id)
    assert set(near.ids.tolist()) == {9, 11}


def test_another_encoder_is_refused(tmp_path: Path, engine: Engine) -> None:
    scene = ingest([plain(tmp_path / "f.parquet")], engine.library)
    with pytest.raises(EncoderError, match="holds no pixels"):
        engine.recipe(scene, "spectral")


def test_what_needs_pixels_is_not_offered_and_columns_are(tmp_path: Path, engine: Engine) -> None:
    path = plain(tmp_path / "f.parquet", height=np.arange(ROWS) % 9 * 1.5, label=["a", "b", "c"] * (ROWS // 3),
                 biome=["dry", "wet"] * (ROWS // 2))  # fmt: skip
    scene = ingest([path], engine.library)
    recipe = engine.recipe(scene, first_encoder(scene))
    engine.encode_now(scene, recipe)
    source = library_source(engine, recipe)
    offered = choices(source, NOTHING_ASKED)
    assert {"class", "filedclassa", "filednumbera", "cluster"} <= set(offered)
    assert not {"ndvi", "brightness", "valid", "unfamiliar", "filedclassb", "filednumberb"} & set(offered)
    number = VALUES["filednumbera"]
    assert number.title_of(source) == "height"
    np.testing.assert_array_equal(source.values(number, NOTHING_ASKED), (np.arange(ROWS) % 9 * 1.5).astype(np.float32))
    columns = export_columns(source)
    assert columns["biome"].tolist() == ["dry", "wet"] * (ROWS // 2)
    assert source.legend(VALUES["filedclassa"], NOTHING_ASKED).script()


def test_trust_takes_nothing_from_light_that_is_not_there(tmp_path: Path, engine: Engine) -> None:
    scene = ingest([plain(tmp_path / "f.parquet", label=["a", "b"] * (ROWS // 2))], engine.library)
    features = engine.encode_now(scene, engine.recipe(scene, first_encoder(scene)))
    case = case_of(scene, features)
    assert (case.band_mean, case.spectrum) == (None, None)
    assert case.classes == ("a", "b")
    np.testing.assert_array_equal(case.content, features.vectors)


def test_one_name_joins_files(tmp_path: Path, engine: Engine) -> None:
    settings = IngestSettings(model="Clay v1")
    scenes = [
        ingest([plain(tmp_path / f"{name}.parquet", vectors() * scale)], engine.library, settings)
        for name, scale in (("a", 1.0), ("b", 2.0))
    ]
    first, second = map(given_spec, scenes)
    assert first is not None
    assert second is not None
    assert first.fingerprint == second.fingerprint
    recipe = engine.recipe(scenes[0], first.name)
    assert engine.twin(recipe, scenes[1].id) == engine.recipe(scenes[1], second.name)


def test_a_scene_with_pixels_says_nothing_of_vectors(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path))
    assert scene.has_pixels
    assert given_spec(scene) is None
    assert "given" not in scene.to_json()
