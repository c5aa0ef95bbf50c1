"""Opening a bundle on the page: what it needs is found first, and its ways come when all is known."""

from __future__ import annotations

import html

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.clusters.changes import CLUSTERS_FILE, choose_settings, rename_cluster
from core.engine.bundles import bundle_of
from core.engine.library_source import library_source
from core.engine.operations import Engine
from core.engine.views import SearchView
from core.export.bundle import bundle_bytes
from core.features.recipe import Recipe
from core.scenes.patches import PatchRef
from core.scenes.scene import Scene
from core.search.conditions import ClassCondition
from core.search.examples import Evidence
from core.search.filters import Filters
from core.similarity.clusters import ClusterSettings, FoundClusters
from tests.pages.test_open import run

SETTINGS = ClusterSettings(count=3)
FOUND = FoundClusters(index=np.repeat([0, 1, 2], (20, 12, 10)).astype(np.int16))


@pytest.fixture
def content(engine: Engine, scene: Scene, recipe: Recipe) -> bytes:
    """A bundle with a filter by a named cluster; what was decided and found for it is gone again."""
    engine.clustered.keep(recipe, SETTINGS, FOUND)
    choose_settings(scene, recipe, SETTINGS)
    source = library_source(engine, recipe)
    origin, known = source.cluster_origin(), source.clusters()
    assert origin is not None
    assert known is not None
    rename_cluster(origin, known, 1, "Reed")
    filters = Filters(conditions=(ClassCondition(value="cluster", classes=("Reed",)),))
    view = SearchView(recipe=recipe, evidence=Evidence.of([PatchRef(scene.id, 0)], []), filters=filters)
    made = bundle_bytes(bundle_of(engine, view))
    (scene.directory / CLUSTERS_FILE).unlink()
    engine.clustered.drop(recipe, SETTINGS.key)
    return made


def given(content: bytes) -> AppTest:
    page = run()
    return page.file_uploader(key="bundle_file").upload("b.zip", content, "application/zip").run()


def keys(page: AppTest) -> set[str]:
    return {button.key for button in page.button if button.key}


def test_clusters_that_a_bundle_filters_by_are_found_before_it_is_shown(
    engine: Engine, recipe: Recipe, content: bytes
) -> None:
    page = given(content)
    assert not page.exception
    (job,) = engine.jobs.jobs()
    assert (job.kind, engine.jobs.payload(job.id)["settings"]["count"]) == ("groups", 3)
    assert "Finding the clusters of the bundle" in " ".join(one.value for one in page.caption)
    assert "bundle_show" not in keys(page)
    engine.clustered.keep(recipe, SETTINGS, FOUND)
    page.run()
    assert "bundle_show" in keys(page)
    assert "A view of “" in " ".join(one.value for one in page.caption)
    assert not page.warning
    page.button(key="bundle_show").click().run()
    known = library_source(engine, recipe).clusters()
    assert known is not None
    assert (known.settings, known.names[1]) == (SETTINGS, "Reed")


def test_where_clusters_are_not_found_a_bundle_is_shown_without_them(engine: Engine, content: bytes) -> None:
    page = given(content)
    (job,) = engine.jobs.jobs()
    engine.jobs.cancel(job.id)
    page.run()
    (said,) = [html.unescape(one.value) for one in page.warning]
    assert said == "The clusters of the bundle were not found here. Its filter “cluster Reed” is left out."
    assert "bundle_show" in keys(page)
    assert any(key.startswith("again_clusters-") for key in keys(page)), "there is a way on"
