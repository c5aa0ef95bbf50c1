"""The store: what goes in comes out, once; damage and full disks become one sentence."""

from __future__ import annotations

import errno
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.encoders.base import EncoderSpec
from core.errors import StoreError
from core.features.database import load
from core.features.recipe import FeatureBatch, Recipe
from core.features.store import FeatureStore
from core.scenes.cut import Cut
from tests.fakes import PlaceEncoder

SPEC = PlaceEncoder().spec


def recipe(scene_id: str = "place-1", stride: int = 16) -> Recipe:
    return Recipe(scene_id=scene_id, encoder="place", fingerprint=SPEC.fingerprint, cut=Cut.of(16, stride))


def batch(ids: list[int] | np.ndarray, spec: EncoderSpec = SPEC, seed: int = 0) -> FeatureBatch:
    ids = np.asarray(ids, np.int64)
    values = np.random.default_rng(seed).random((len(ids), spec.dimension), np.float32)
    values[:, 0] = ids
    bands = np.repeat(ids[:, None], 13, axis=1).astype(np.float32)
    lonlat = np.stack([ids / 10, np.full(len(ids), np.nan)], axis=1)
    return FeatureBatch(
        ids=ids,
        rows=ids // 10,
        cols=ids % 10,
        vectors=values,
        valid_fraction=np.full(len(ids), 0.75, np.float32),
        band_mean=bands,
        band_std=bands / 2,
        lonlat=lonlat,
    )


def filled(root: Path, ids: list[int], of: Recipe | None = None, *, finish: bool = True) -> FeatureStore:
    store, of = FeatureStore(root), of or recipe()
    store.begin(of, SPEC, len(ids))
    store.append(of, SPEC, batch(ids))
    if finish:
        store.finish(of, SPEC)
    return store


def test_the_client_of_a_service_that_nobody_asks_is_not_imported() -> None:
    load()
    client = sys.modules["lance_namespace_urllib3_client"]
    assert not hasattr(client, "__file__"), "it would take as long as all else of LanceDB"


@pytest.mark.parametrize("finish", [False, True])
def test_features_come_back_ordered_by_id(tmp_path: Path, finish: bool) -> None:
    store = filled(tmp_path, [5, 3, 9, 4], finish=finish)
    features = store.read(recipe())
    assert features.patch_ids.tolist() == [3, 4, 5, 9]
    assert features.vectors[:, 0].tolist() == [3, 4, 5, 9]
    given = batch([5, 3, 9, 4])
    np.testing.assert_array_equal(features.vectors[2], given.vectors[0])
    np.testing.assert_array_equal(features.band_std[:, 0], [1.5, 2, 2.5, 4.5])
    assert features.valid_fraction.tolist() == [0.75] * 4
    assert store.complete(recipe()) is finish
    for array in (features.vectors, features.band_mean, features.patch_ids):
        assert not array.flags.writeable


def test_appending_again_after_a_crash_duplicates_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path, [1, 2, 3], finish=False)
    store.append(recipe(), SPEC, batch([3, 4]))
    assert store.read(recipe()).patch_ids.tolist() == [1, 2, 3, 4]
    assert store.count(recipe()) == 4
    store.finish(recipe(), SPEC)
    store.finish(recipe(), SPEC)
    assert FeatureStore(tmp_path).read(recipe()).patch_ids.tolist() == [1, 2, 3, 4]


def test_a_crash_between_moving_rows_and_the_record_duplicates_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path, [1, 2, 3], finish=False)
    saved = store._database().open_table("run-" + recipe().key).to_arrow()
    store.finish(recipe(), SPEC)
    store.runs.remove(recipe())
    store.snapshots.remove(recipe())
    store._database().create_table("run-" + recipe().key, saved)
    reopened = FeatureStore(tmp_path)
    assert reopened.begin(recipe(), SPEC, 3).tolist() == [1, 2, 3]
    assert reopened.read(recipe()).patch_ids.tolist() == [1, 2, 3]
    reopened.finish(recipe(), SPEC)
    assert reopened.read(recipe()).patch_ids.tolist() == [1, 2, 3]
    table = reopened._database().open_table(f"encoder-{SPEC.fingerprint[:32]}")
    assert table.count_rows() == 3


def test_skipped_patches_need_no_work_again(tmp_path: Path) -> None:
    store = filled(tmp_path, [1, 2], finish=False)
    store.skip(recipe(), np.array([7, 8]))
    store.skip(recipe(), np.array([0]))
    assert store.begin(recipe(), SPEC, 5).tolist() == [0, 1, 2, 7, 8]


def test_recipes_of_one_encoder_share_a_table_and_stay_apart(tmp_path: Path) -> None:
    filled(tmp_path, [1, 2])
    store = filled(tmp_path, [2, 3], recipe(stride=8))
    filled(tmp_path, [4], recipe("other-1"))
    assert store.read(recipe()).patch_ids.tolist() == [1, 2]
    assert store.read(recipe(stride=8)).patch_ids.tolist() == [2, 3]
    assert {found.cut.stride for found in store.recipes("place-1")} == {8, 16}
    assert store.recipes("other-1") == [recipe("other-1")]
    assert store.recipes("place") == []
    assert len(list(store.root.glob("*.lance"))) == 1


def test_deleting_a_scene_leaves_the_others_and_frees_the_disk(tmp_path: Path) -> None:
    store = filled(tmp_path, list(range(2000)))
    filled(tmp_path, [4], recipe("other-1"))

    def used() -> int:
        return sum(path.stat().st_size for path in store.root.rglob("*") if path.is_file())

    before = used()
    assert 0.5 * before < store.disk_bytes("place-1") < 2 * before
    store.delete_scene("place-1")
    assert used() < before / 20
    assert store.disk_bytes("place-1") == 0
    assert store.recipes("place-1") == []
    assert store.read(recipe("other-1")).patch_ids.tolist() == [4]
    with pytest.raises(StoreError, match="there are none"):
        store.read(recipe())


def test_one_way_of_cutting_can_be_deleted_and_the_others_stay(tmp_path: Path) -> None:
    store = filled(tmp_path, [1, 2, 3])
    filled(tmp_path, [4, 5], recipe(stride=8))
    covered = replace(recipe(), cut=Cut.of(16, edge="cover"))
    filled(tmp_path, [6], covered)
    store.delete(recipe())
    assert set(store.recipes("place-1")) == {recipe(stride=8), covered}
    assert store.count(recipe()) == 0
    assert store.read(recipe(stride=8)).patch_ids.tolist() == [4, 5]
    assert store.read(covered).patch_ids.tolist() == [6]


def test_a_run_in_progress_can_be_deleted_too(tmp_path: Path) -> None:
    store = filled(tmp_path, [1, 2], finish=False)
    store.delete_scene("place-1")
    assert store.count(recipe()) == 0


def damage(root: Path, pattern: str) -> int:
    hit = [path for path in root.rglob(pattern) if path.is_file()]
    for path in hit:
        path.write_bytes(path.read_bytes()[:20])
    return len(hit)


def test_a_damaged_snapshot_is_read_from_the_table(tmp_path: Path) -> None:
    store = filled(tmp_path, [1, 2, 3])
    path = store.root / "snapshots" / recipe().key / "vector.npy"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    assert store.snapshots.read(recipe()) is None
    np.testing.assert_array_equal(store.read(recipe()).vectors, batch([1, 2, 3]).vectors)


@pytest.mark.parametrize("pattern", ["encoder-*/data/*.lance", "encoder-*/_versions/*.manifest"])
def test_a_damaged_table_is_told_in_a_sentence_and_the_next_run_mends_it(tmp_path: Path, pattern: str) -> None:
    store = filled(tmp_path, [1, 2, 3])
    store.snapshots.remove(recipe())
    assert damage(store.root, pattern) > 0
    with pytest.raises(StoreError, match=r"^Reading the features of place-1: .*; encode the scene again\.$"):
        store.read(recipe())
    assert not store.complete(recipe())
    assert store.begin(recipe(), SPEC, 3).tolist() == []
    store.append(recipe(), SPEC, batch([1, 2, 3]))
    store.finish(recipe(), SPEC)
    assert store.read(recipe()).patch_ids.tolist() == [1, 2, 3]


def test_a_scene_in_a_damaged_table_can_be_deleted(tmp_path: Path) -> None:
    store = filled(tmp_path, [1, 2, 3])
    damage(store.root, "encoder-*/data/*.lance")
    store.delete_scene("place-1")
    assert store.recipes("place-1") == []


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(tmp_path, [1, 2], finish=False)

    class Full:
        def add(self, _rows: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "_table", lambda *_: Full())
    with pytest.raises(StoreError, match=r"^Storing the features of place-1: the disk is full; .*kept\.$"):
        store.append(recipe(), SPEC, batch([3]))
    assert FeatureStore(tmp_path).count(recipe()) == 2


def test_a_refusing_disk_is_told_in_a_sentence(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    (store.root / f"run-{recipe().key}.lance").write_text("a file in the way")
    with pytest.raises(StoreError, match="could not be written"):
        store.append(recipe(), SPEC, batch([3]))


def test_the_table_gives_what_its_snapshot_gave(tmp_path: Path) -> None:
    store = filled(tmp_path, [7, 2, 11])
    snapshot = FeatureStore(tmp_path).read(recipe())
    store.snapshots.remove(recipe())
    table = FeatureStore(tmp_path).read(recipe())
    for name in ("patch_ids", "vectors", "valid_fraction", "band_mean", "band_std"):
        np.testing.assert_array_equal(getattr(table, name), getattr(snapshot, name), err_msg=name)
    assert table.patch_ids.tolist() == [2, 7, 11]
