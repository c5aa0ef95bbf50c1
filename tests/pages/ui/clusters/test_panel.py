"""Clusters on the Explore page: listed, shown, renamed, merged, labelled, filtered by, and undone; nothing is lost."""

from __future__ import annotations

import html
import json
from typing import Any

import numpy as np
import pytest
import shapely
from streamlit.testing.v1 import AppTest

from core.clusters.changes import CLUSTERS_FILE, ClusterOrigin, changes_of
from core.clusters.overview import ClusterOverview
from core.engine.library_source import library_source
from core.engine.operations import Engine
from core.features.recipe import Recipe
from core.scenes.cut import WHOLE_AT_EDGE, Cut
from core.scenes.labels import given_windows
from core.scenes.patches import corners_lonlat, patch_grid
from core.scenes.regions.map_region import region_of
from core.scenes.regions.of_interest import keep_area
from core.scenes.scene import Scene
from core.search.filters import Filters
from core.similarity.clusters import ClusterSet, ClusterSettings, FoundClusters
from core.values.clusters import CLUSTER
from core.values.registry import export_columns
from pages.ui.clusters import acts
from pages.ui.clusters.panel import why_so_many
from pages.ui.state import cache
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState, view_state
from tests.pages.conftest import encode, small_scene, visit
from tests.pages.test_explore import data_of, sees_nothing_wrong, texts

SIZES = (20, 12, 10)


@pytest.fixture
def scene(engine: Engine) -> Scene:
    return small_scene(engine)


@pytest.fixture
def recipe(engine: Engine, scene: Scene) -> Recipe:
    recipe = encode(engine, scene)
    engine.clustered.keep(recipe, ClusterSettings(), FoundClusters(index=np.repeat([0, 1, 2], SIZES).astype(np.int16)))
    return recipe


def look(recipe: Recipe, visitor: Session) -> ViewState:
    visitor.scene_id = recipe.scene_id
    return view_state(visitor, cache.scene_view(recipe).scene, recipe)


def choose(recipe: Recipe, visitor: Session, number: int) -> tuple[ViewState, ClusterOverview]:
    """Choose a cluster, with the view in which that was done."""
    view = look(recipe, visitor)
    acts.choose_cluster(visitor, view, number)
    chosen = acts.chosen_cluster(visitor, view.known)
    assert chosen is not None
    return view, chosen


def names(recipe: Recipe) -> tuple[str, ...]:
    known = cache.scene_view(recipe).clusters()
    assert known is not None
    return known.names


def listed(app: AppTest) -> dict[str, Any]:
    return data_of(app, "landlike_clusters")


def test_the_list_has_name_colour_count_ground_and_share(recipe: Recipe) -> None:
    app = visit(colour="cluster")
    sees_nothing_wrong(app)
    rows = listed(app)["rows"]
    assert [row["name"] for row in rows] == list(names(recipe))
    assert [(row["patches"], row["share"]) for row in rows] == [("20", "47.6 %"), ("12", "28.6 %"), ("10", "23.8 %")]
    assert all(row["ground"].endswith(" ha") for row in rows)
    assert len({row["colour"] for row in rows}) == 3
    assert "Click a cluster to see its patches" in texts(app)
    assert "k-means suggests 3: of 4 to 10 the largest number" in html.unescape(texts(app))


def test_land_that_several_patches_show_counts_once(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine, "mapped-1", crs="EPSG:32632"), cut=Cut.of(64, stride=32))
    count = 11 * 13
    engine.clustered.keep(recipe, ClusterSettings(), FoundClusters(index=np.zeros(count, np.int16)))
    (whole,) = cache.scene_view(recipe).cluster_overviews()
    assert len(whole.patches) == count
    assert whole.hectares == pytest.approx(3.84 * 4.48 * 100, rel=2e-3), "384 × 448 pixels of 10 m"


def test_clusters_of_an_area_say_that_patches_at_its_edge_count_whole(engine: Engine) -> None:
    scene = small_scene(engine, crs="EPSG:32632")
    corners = corners_lonlat(scene, patch_grid(scene), np.array([0, 16]))
    assert corners is not None
    key = keep_area(scene, region_of(shapely.box(*corners[0].min(axis=0), *corners[1].max(axis=0))))
    recipe = encode(engine, scene, cut=Cut.of(64, area=key))
    count = len(cache.scene_view(recipe).table)
    engine.clustered.keep(recipe, ClusterSettings(), FoundClusters(index=np.zeros(count, np.int16)))
    app = visit(scene=scene.id, colour="cluster", cut=recipe.cut.key)
    sees_nothing_wrong(app)
    assert listed(app)["rest"] == WHOLE_AT_EDGE
    assert WHOLE_AT_EDGE in texts(app), "and so does what can be taken away"


def test_an_older_link_by_groups_shows_clusters(recipe: Recipe) -> None:
    app = visit(colour="group", where='[{"value":"group","classes":["Group 2"]}]')
    sees_nothing_wrong(app)
    assert listed(app)["rows"]
    assert "12 meet the filter" in texts(app)


def test_a_button_shows_clusters_and_they_are_asked_for(engine: Engine, scene: Scene) -> None:
    encode(engine, scene)
    app = visit()
    app.button(key="show_clusters").click().run()
    sees_nothing_wrong(app)
    assert "Clusters of alike patches come here" in texts(app)
    assert "groups" in {job.kind for job in engine.jobs.jobs() if job.active}


def test_a_cluster_is_shown_typical_patches_first_or_odd_ones(recipe: Recipe) -> None:
    visitor = Session(scene_id=recipe.scene_id)
    acts.choose_cluster(visitor, look(recipe, visitor), 1)
    view = look(recipe, visitor)
    assert view.selection.patches == tuple(range(20, 32))
    typical = acts.selection_in_order(visitor, view).patches
    visitor.clusters.order = "odd"
    assert acts.selection_in_order(visitor, view).patches == typical[::-1]
    unit = view.table.unit[20:32]
    assert typical[0] == 20 + int((unit @ unit.mean(axis=0)).argmax())
    acts.choose_cluster(visitor, view, 1)
    assert not len(visitor.selection), "once more is no longer"
    acts.choose_cluster(visitor, view, 9)
    assert visitor.clusters.chosen is None


def test_a_new_name_is_told_kept_filtered_by_and_taken_back(recipe: Recipe, scene: Scene) -> None:
    visitor = Session(scene_id=recipe.scene_id)
    before = names(recipe)
    _, chosen = choose(recipe, visitor, 0)
    acts.only_these(visitor, chosen)
    acts.rename(visitor, look(recipe, visitor), chosen, "Salt <b> marsh")
    assert names(recipe)[0] == "Salt <b> marsh"
    assert visitor.clusters.told == f"“{before[0]}” is called “Salt <b> marsh” now."
    mask = look(recipe, visitor).mask
    assert mask is not None
    assert mask.sum() == 20, "the filter means it by its new name"
    assert "Salt <b> marsh" in visitor.filters
    renamed = acts.chosen_cluster(visitor, look(recipe, visitor).known)
    assert renamed is not None
    acts.rename(visitor, look(recipe, visitor), renamed, before[1].upper())
    assert "already; merge the two" in visitor.clusters.told
    acts.undo_clusters(visitor, look(recipe, visitor))
    assert names(recipe) == before
    assert visitor.clusters.told.startswith("Taken back: “")
    assert (scene.directory / CLUSTERS_FILE).is_file()


def test_merged_clusters_are_one_everywhere_until_that_is_undone(recipe: Recipe, engine: Engine) -> None:
    visitor = Session(scene_id=recipe.scene_id)
    view, chosen = choose(recipe, visitor, 2)
    before = view.known.cluster_version()
    acts.merge(visitor, view, chosen, (1,))
    view = look(recipe, visitor)
    assert [len(one.patches) for one in view.known.cluster_overviews()] == [22, 20]
    assert view.selection.patches == tuple(range(20, 42))
    assert view.known.cluster_version() != before
    column = export_columns(library_source(engine, recipe))["cluster"]
    assert column[20:].tolist() == [names(recipe)[0]] * 22, "files and commands say so too"
    acts.undo_clusters(visitor, view)
    assert len(names(recipe)) == 3
    assert look(recipe, visitor).known.cluster_version() == before


def test_filters_mean_the_same_clusters_whatever_becomes_of_their_names(recipe: Recipe) -> None:
    visitor = Session(scene_id=recipe.scene_id)
    for number, chosen in enumerate(look(recipe, visitor).known.cluster_overviews()):
        acts.only_these(visitor, chosen)
        meant = set(np.flatnonzero(np.repeat([0, 1, 2], SIZES) == number).tolist())
        for other in (0, 1, 2):
            view = look(recipe, visitor)
            acts.rename(visitor, view, view.known.cluster_overviews()[other], f"Name {number} {other}")
            assert counted(recipe, visitor) == meant
        for _ in range(3):
            acts.undo_clusters(visitor, look(recipe, visitor))
            assert counted(recipe, visitor) == meant, "also when it is taken back"
    view = look(recipe, visitor)
    acts.merge(visitor, view, view.known.cluster_overviews()[0], (2,))
    assert counted(recipe, visitor) == {*range(20), *range(32, 42)}
    acts.undo_clusters(visitor, look(recipe, visitor))
    assert counted(recipe, visitor) == {*range(20), *range(32, 42)}, "what counted goes on to"


def counted(recipe: Recipe, visitor: Session) -> set[int]:
    mask = look(recipe, visitor).mask
    assert mask is not None
    return set(np.flatnonzero(mask).tolist())


def test_all_patches_of_a_cluster_are_labelled_at_once_and_that_is_undone(recipe: Recipe, scene: Scene) -> None:
    visitor = Session(scene_id=recipe.scene_id)
    view, chosen = choose(recipe, visitor, 1)
    acts.label_all(visitor, view, chosen, "Reed")
    assert visitor.colour == CLUSTER.name, "the list stays where the first labels would take the place of clusters"
    assert {name: len(windows) for name, windows in given_windows(scene).items()} == {"Reed": 12}
    assert (visitor.clusters.told, visitor.clusters.labelled) == ("12 patches labelled Reed.", True)
    acts.unlabel(visitor, view)
    assert not any(given_windows(scene).values())
    acts.label_all(visitor, view, chosen, "no class")
    assert "means patches without a class" in visitor.clusters.told


def test_names_too_long_for_a_class_lose_what_comes_last() -> None:
    long = "Mixed land, moderate vegetation, dark near infrared, dry, dark red edge"
    assert acts.label_for(long) == "Mixed land, moderate vegetation, dark near infrared, dry"
    assert acts.label_for("Open water") == "Open water"


def test_other_clusters_are_asked_for_and_old_filters_on_them_go(recipe: Recipe, engine: Engine) -> None:
    app = visit(colour="cluster", where=json.dumps([{"value": "cluster", "classes": [names(recipe)[0]]}]))
    app.radio(key="cluster_method").set_value("hdbscan").run()
    app.button(key="cluster_find").click().run()
    sees_nothing_wrong(app)
    (job,) = [job for job in engine.jobs.jobs() if job.kind == "groups"]
    assert engine.jobs.payload(job.id)["settings"]["method"] == "hdbscan"
    assert "Clusters: " in texts(app)
    assert "meet the filter" not in texts(app)
    assert cache.scene_view(recipe).cluster_settings() == ClusterSettings(method="hdbscan")


def test_what_decided_the_number_is_said() -> None:
    def said(method: str = "kmeans", count: int | None = None, **more: Any) -> str:
        settings = ClusterSettings(method=method, count=count)
        known = ClusterSet(
            settings=settings, index=np.array([0, 0, 1, -1], np.int16), names=("a", "b"), parts=((0, 2), (1,)), **more
        )
        return why_so_many(known)

    scores = {3: 0.41, 4: 0.42}
    assert said(scores=scores).startswith(
        "k-means suggests 3: of 4 to 10 the largest number whose mean silhouette (0.41)"
    )
    assert said(count=3) == "k-means was asked for 3 clusters."
    assert said("hdbscan") == "HDBSCAN found 3 dense regions. 1 patch in none of them."


def test_a_damaged_file_of_names_is_told_and_not_lost(recipe: Recipe, scene: Scene) -> None:
    (scene.directory / CLUSTERS_FILE).write_bytes(b"{")
    visitor = Session(scene_id=recipe.scene_id)
    view, chosen = choose(recipe, visitor, 0)
    acts.rename(visitor, view, chosen, "Lake")
    assert "cannot be read; move clusters.json" in visitor.clusters.told
    origin = view.known.cluster_origin()
    assert isinstance(origin, ClusterOrigin)
    assert changes_of(origin).version == ""
    assert Filters.parse(visitor.filters) is not None
