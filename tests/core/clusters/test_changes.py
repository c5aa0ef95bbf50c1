"""Renames and merges of clusters: kept with the scene, undone, and never held for other clusters."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.clusters.changes import (
    CLUSTERS_FILE,
    LONGEST_CLUSTER_NAME,
    ClusterOrigin,
    DecidedClusters,
    adopt_clusters,
    changes_of,
    choose_settings,
    chosen_settings,
    decided_clusters,
    decided_otherwise,
    merge_clusters,
    rename_cluster,
    undo_change,
    undoable_change,
)
from core.clusters.handed import read_clusters, written_clusters
from core.clusters.overview import cluster_set, overviews
from core.errors import SceneError, SettingsError
from core.features.recipe import Recipe
from core.scenes.cut import DEFAULT_CUT
from core.scenes.library import Library
from core.scenes.scene import Scene
from core.similarity.clusters import ClusterSet, ClusterSettings, FoundClusters
from tests.scenes import add_scene

SIZES = (9, 6, 4, 2)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return add_scene(Library(tmp_path), "fields-1", height=64, width=64)


@pytest.fixture
def origin(scene: Scene) -> ClusterOrigin:
    index = np.repeat(np.arange(4), SIZES).astype(np.int16)
    index[-1] = -1
    return origin_of(scene, index)


def origin_of(scene: Scene, index: np.ndarray, **settings: object) -> ClusterOrigin:
    recipe = Recipe(scene_id=scene.id, encoder="spectral", fingerprint="ab" * 16, cut=DEFAULT_CUT)
    wanted = ClusterSettings(**settings)  # type: ignore[arg-type]
    return ClusterOrigin(scene=scene, recipe=recipe, settings=wanted, found=FoundClusters(index=index))


def now(origin: ClusterOrigin) -> ClusterSet:
    return cluster_set(origin.settings, origin.found, None, changes_of(origin))


def test_a_name_is_kept_with_the_scene_and_undone(origin: ClusterOrigin) -> None:
    before = now(origin)
    assert (before.names, before.version) == (("Cluster 1", "Cluster 2", "Cluster 3", "Cluster 4"), "")
    rename_cluster(origin, before, 1, "  Salt   marsh ")
    changed = now(origin)
    assert changed.names[1] == "Salt marsh"
    assert changed.version
    assert changed.key == f"kmeans-auto-0.{changed.version}"
    assert undoable_change(origin) == "“Cluster 2” is called “Salt marsh”"
    rename_cluster(origin, changed, 1, "")
    assert now(origin).names == before.names
    assert undo_change(origin) == "“Salt marsh” lost its name"
    assert now(origin).names[1] == "Salt marsh"
    assert undo_change(origin)
    assert (now(origin).names, now(origin).version) == (before.names, "")
    assert (undo_change(origin), undoable_change(origin)) == ("", "")


def test_clusters_are_merged_take_their_place_by_size_and_part_again(origin: ClusterOrigin) -> None:
    rename_cluster(origin, now(origin), 2, "Reed")
    merge_clusters(origin, now(origin), [1, 2])
    known = now(origin)
    assert known.parts == ((1, 2), (0,), (3,))
    assert known.names == ("Reed", "Cluster 2", "Cluster 4"[:8] + "3")
    assert np.bincount(known.index[known.index >= 0]).tolist() == [10, 9, 1]
    assert known.index[-1] == -1, "of none before and after"
    merge_clusters(origin, known, [0, 2], "Wetland")
    assert now(origin).parts == ((1, 2, 3), (0,))
    assert now(origin).names[0] == "Wetland"
    undo_change(origin)
    undo_change(origin)
    assert now(origin).parts == ((0,), (1,), (2,), (3,))
    assert now(origin).names[2] == "Reed"


def test_changes_hold_for_the_very_clusters_only(origin: ClusterOrigin, scene: Scene) -> None:
    rename_cluster(origin, now(origin), 0, "Lake")
    other = origin.found.index.copy()
    other[0] = 3
    again = origin_of(scene, other)
    assert now(again).names[0] == "Cluster 1", "found anew, and otherwise"
    assert undo_change(again) == ""
    assert now(origin_of(scene, origin.found.index, count=4)).names[0] == "Cluster 1", "found by other settings"
    rename_cluster(again, now(again), 0, "Sea")
    assert now(origin).names[0] == "Cluster 1"


def test_which_clusters_are_on_show_is_kept_for_each_way_of_encoding(origin: ClusterOrigin, scene: Scene) -> None:
    assert chosen_settings(scene, origin.recipe) == ClusterSettings()
    choose_settings(scene, origin.recipe, ClusterSettings(method="hdbscan"))
    rename_cluster(origin, now(origin), 0, "Lake")
    assert chosen_settings(scene, origin.recipe) == ClusterSettings(method="hdbscan")
    elsewhere = Recipe(scene_id=scene.id, encoder="other", fingerprint="cd" * 16, cut=DEFAULT_CUT)
    assert chosen_settings(scene, elsewhere) == ClusterSettings()
    assert now(origin).names[0] == "Lake"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * (LONGEST_CLUSTER_NAME + 1), "too long or has characters that cannot be shown; give a name of 1 to 60"),
        ("a\x07b", "too long or has characters that cannot be shown"),
        ("CLUSTER 3", "there is a cluster “CLUSTER 3” already; merge the two, or choose another name"),
    ],
)
def test_names_that_cannot_be_are_refused(origin: ClusterOrigin, name: str, said: str) -> None:
    with pytest.raises(SettingsError, match=f"^Renaming “Cluster 1”: .*{said}"):
        rename_cluster(origin, now(origin), 0, name)
    assert now(origin).version == ""


def test_clusters_that_are_not_there_are_refused(origin: ClusterOrigin) -> None:
    with pytest.raises(SettingsError, match="there is no cluster 5; choose of “Cluster 1”"):
        rename_cluster(origin, now(origin), 4, "Lake")
    with pytest.raises(SettingsError, match="there is no cluster 0"):
        merge_clusters(origin, now(origin), [0, -1])
    with pytest.raises(SettingsError, match="one cluster was named; name two or more"):
        merge_clusters(origin, now(origin), [2, 2])


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"version": 2}', b'{"version": 1, "shown": 3, "changes": []}'])
def test_a_damaged_file_is_no_change_and_is_not_written_over(origin: ClusterOrigin, content: bytes) -> None:
    path = origin.scene.directory / CLUSTERS_FILE
    path.write_bytes(content)
    assert now(origin).version == ""
    assert chosen_settings(origin.scene, origin.recipe) == ClusterSettings()
    with pytest.raises(SceneError, match=r"cannot be read; move clusters\.json out of the folder"):
        rename_cluster(origin, now(origin), 0, "Lake")
    assert path.read_bytes() == content


def test_the_file_is_small_and_plain(origin: ClusterOrigin) -> None:
    rename_cluster(origin, now(origin), 0, "Lake <b>")
    whole = json.loads((origin.scene.directory / CLUSTERS_FILE).read_text(encoding="utf-8"))
    assert whole["version"] == 1
    assert whole["changes"][0]["states"] == [
        {"what": "“Cluster 1” is called “Lake <b>”", "names": {"0": "Lake <b>"}, "merged": []}
    ]


def test_typical_patches_are_next_to_the_middle_and_odd_ones_far_from_it() -> None:
    random = np.random.default_rng(0)
    vectors = np.array([1, 0, 0, 0]) + 0.1 * random.standard_normal((30, 4))
    vectors[7] = [0.2, 1, 0, 0]
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    found = FoundClusters(index=np.repeat([0, 1], [20, 10]).astype(np.int16))
    known = cluster_set(ClusterSettings(count=2), found, None)
    first, second = overviews(known, unit, np.arange(100, 130), lambda ids: 2.5 * len(ids))
    assert first.patches[-1] == 107, "the odd one"
    middle = unit[:20].mean(axis=0)
    assert first.patches[0] == 100 + int((unit[:20] @ middle).argmax())
    assert (np.diff(first.likeness) <= 0).all()
    assert (first.share, first.hectares, second.hectares) == (20 / 30, 50.0, 25.0)
    assert overviews(known, unit, np.arange(30), lambda _: None)[0].hectares is None


def elsewhere(origin: ClusterOrigin, tmp_path: Path) -> ClusterOrigin:
    """The same clusters in another library."""
    there = add_scene(Library(tmp_path / "elsewhere"), "fields-1", height=64, width=64)
    return origin_of(there, origin.found.index, count=origin.settings.count)


def test_what_is_decided_is_taken_over_where_nobody_decided_and_undone(origin: ClusterOrigin, tmp_path: Path) -> None:
    origin = origin_of(origin.scene, origin.found.index, count=4)
    choose_settings(origin.scene, origin.recipe, origin.settings)
    merge_clusters(origin, now(origin), [1, 2], "Marsh")
    rename_cluster(origin, now(origin), 1, "Lake")
    decided = decided_clusters(origin)
    assert read_clusters(json.loads(json.dumps(written_clusters(decided)))).changes.version == decided.changes.version
    there = elsewhere(origin, tmp_path)
    assert not decided_otherwise(there.scene, there.recipe, decided)
    adopt_clusters(there.scene, there.recipe, decided)
    assert (now(there).names, now(there).parts) == (now(origin).names, now(origin).parts)
    assert chosen_settings(there.scene, there.recipe) == origin.settings
    before = (there.scene.directory / CLUSTERS_FILE).read_bytes()
    adopt_clusters(there.scene, there.recipe, decided)
    assert (there.scene.directory / CLUSTERS_FILE).read_bytes() == before, "once is enough"
    assert undo_change(there) == "names and merges were taken over"
    assert now(there).version == ""


def test_what_somebody_decided_otherwise_stays(origin: ClusterOrigin, tmp_path: Path) -> None:
    rename_cluster(origin, now(origin), 0, "Marsh")
    decided = decided_clusters(origin)
    there = elsewhere(origin, tmp_path)
    rename_cluster(there, now(there), 0, "Reed")
    for case in (decided, DecidedClusters(settings=origin.settings, check="0" * 16, changes=decided.changes)):
        assert decided_otherwise(there.scene, there.recipe, case)
        with pytest.raises(SettingsError, match="somebody chose, named or merged them otherwise here"):
            adopt_clusters(there.scene, there.recipe, case)
    assert now(there).names[0] == "Reed"
    undo_change(there)
    assert not decided_otherwise(there.scene, there.recipe, decided)
    choose_settings(there.scene, there.recipe, ClusterSettings(count=9))
    assert decided_otherwise(there.scene, there.recipe, decided)
    (there.scene.directory / CLUSTERS_FILE).write_bytes(b"{")
    assert decided_otherwise(there.scene, there.recipe, decided), "what cannot be read may be anything"


@pytest.mark.parametrize(
    "change",
    [
        {"check": "../../etc"}, {"check": None}, {"count": "4"}, {"count": 10**9}, {"count": True}, {"seed": 1.5},
        {"method": "exec"}, {"names": {"0": "a", "1": "A"}}, {"names": {"0": "a\nb"}}, {"names": {"0": "a" * 61}},
        {"names": {"-1": "a"}}, {"names": {"1e9": "a"}}, {"names": ["a"]}, {"merged": [[0]]},
        {"merged": [[0, 1], [1, 2]]}, {"merged": [[0, 1000]]}, {"merged": 3}, {"merged": [["0", "1"]]},
    ],
)  # fmt: skip
def test_what_makes_no_sense_of_clusters_is_refused(origin: ClusterOrigin, change: dict[str, object]) -> None:
    good = written_clusters(decided_clusters(origin))
    assert read_clusters(good) == decided_clusters(origin)
    with pytest.raises((SettingsError, ValueError, TypeError, AttributeError)):
        read_clusters(good | change)
