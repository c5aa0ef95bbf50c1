"""The arrays that feed the plot, against the store they come from."""

from __future__ import annotations

import numpy as np
import pytest
from starlette.applications import Starlette

from core.engine.operations import Engine
from core.features.recipe import Recipe
from core.projection.settings import ProjectionSettings
from core.scenes.patches import corners_lonlat
from core.similarity.clusters import ClusterSettings
from core.similarity.explain import index_values
from pages.ui.http.points import POINT_ROUTES, layout_url, outlines_url, values_url
from pages.ui.state import cache
from tests.asgi import Answer, ask
from tests.pages.conftest import CLASSES, encode, small_scene

APP = Starlette(routes=POINT_ROUTES)


@pytest.fixture
def recipe(engine: Engine) -> Recipe:
    return encode(engine, small_scene(engine))


def get(url: str) -> Answer:
    return ask(APP, url)


def values(recipe: Recipe, what: str) -> np.ndarray:
    answer = get(values_url(recipe, what))
    assert answer.status == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    return np.frombuffer(answer.body, "<f4")


def test_a_layout_holds_count_ids_and_places(recipe: Recipe) -> None:
    content = get(layout_url(recipe, None)).body
    total = int(np.frombuffer(content, "<i4", 1)[0])
    assert total == 42
    np.testing.assert_array_equal(np.frombuffer(content, "<i4", total, 4), np.arange(42))
    places = np.frombuffer(content, "<f4", 2 * total, 4 + 4 * total).reshape(2, total).T
    np.testing.assert_allclose(places, cache.scene_view(recipe).layout(None))


def test_outlines_are_those_of_the_patches_latitude_first(engine: Engine) -> None:
    placed = encode(engine, small_scene(engine, "placed-1"))
    content = get(outlines_url(placed)).body
    np.testing.assert_array_equal(np.frombuffer(content, "<i4", 42, 4), np.arange(42))
    corners = np.frombuffer(content, "<f4", 42 * 8, 4 + 4 * 42).reshape(42, 4, 2)
    view = cache.scene_view(placed)
    expected = corners_lonlat(view.scene, view.grid, np.arange(42))
    assert expected is not None
    np.testing.assert_allclose(corners, expected[:, :, ::-1], atol=1e-5)


def test_a_projection_is_found_by_its_settings(recipe: Recipe, engine: Engine) -> None:
    settings = ProjectionSettings(n_neighbors=5, min_dist=0.05, metric="euclidean")
    url = layout_url(recipe, settings)
    assert get(url).status == 404
    points = np.arange(84, dtype=np.float32).reshape(42, 2)
    engine.layouts.put(recipe, settings.key, points)
    content = get(url).body
    np.testing.assert_array_equal(np.frombuffer(content, "<f4", 84, 4 + 4 * 42).reshape(2, 42).T, points)


def test_values_are_those_of_the_patches(recipe: Recipe, engine: Engine) -> None:
    features = engine.features(recipe)
    np.testing.assert_array_equal(values(recipe, "ndvi"), index_values(features.band_mean, "NDVI"))
    np.testing.assert_array_equal(values(recipe, "class"), np.arange(42) % 7 % len(CLASSES))
    unit = features.vectors / np.linalg.norm(features.vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(values(recipe, "similarity-16"), unit @ unit[16], atol=1e-5)


def test_clusters_are_served_once_they_are_made(recipe: Recipe, engine: Engine) -> None:
    assert get(values_url(recipe, "cluster")).status == 404
    groups = (np.arange(42) % 5).astype(np.int16)
    engine.clustered.put(recipe, ClusterSettings().key, groups)
    np.testing.assert_array_equal(values(recipe, "cluster"), groups)


def test_a_scene_without_truth_has_no_classes(engine: Engine) -> None:
    bare = encode(engine, small_scene(engine, "bare-1", truth=False))
    assert get(values_url(bare, "class")).status == 404


def test_what_is_not_there_is_one_plain_sentence(recipe: Recipe) -> None:
    for path in (
        "/layout/{key}/tsne.bin",
        "/layout/{key}/umap-500-0.1000-cosine-42.bin",
        "/layout/{key}/umap-5-9.9-cosine-42.bin",
        "/layout/{key}/umap-5-0.1000-hamming-42.bin",
        "/layout/none-1-abc-64-64/pca.bin",
        "/layout/..%2f..%2fetc/pca.bin",
        "/values/{key}/evi.bin",
        "/values/{key}/similarity-4242.bin",
        "/values/{key}/similarity-x.bin",
        "/values/none-1-abc-64-64/ndvi.bin",
        "/outlines/none-1-abc-64-64.bin",
        "/outlines/..%2fetc.bin",
    ):
        answer = get(path.format(key=recipe.key))
        assert answer.status == 404, path
        assert answer.headers["content-type"].startswith("text/plain")
        assert b"Traceback" not in answer.body
