"""Several servers on one bucket: the same features bit for bit, the same work once, nothing lost with who dies."""

from __future__ import annotations

import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.encoders.base import EncoderSpec
from core.encoders.cache import SHARED
from core.encoders.registry import describe, fetch, load_encoder
from core.engine.background import default_lanes
from core.engine.operations import Engine
from core.errors import BucketError, EncoderUnavailableError, StoreError
from core.features.encode import encode_scene
from core.features.recipe import FeatureBatch, Features, Recipe
from core.features.store import FeatureStore
from core.ingest.settings import IngestSettings
from core.jobs.lanes import Lane
from core.mirror.opening import close_data
from core.scenes.cut import Cut
from core.scenes.library import Library
from core.similarity.neighbours import nearest_patches, unit_rows
from core.storage.faults import tells_of_bucket
from core.training.checkpoint import Checkpoint
from core.training.hyperparameters import Epoch
from core.training.trained_models import history_of, under_way
from tests import onnx_models
from tests.buckets import SECRET, Asked, Bucket, Fault
from tests.core.encoders.test_download import Hub
from tests.core.mirror.conftest import CopyAt, config_of
from tests.core.training.test_checkpoint import EPOCH, MODEL, Variable, last_of, resumed
from tests.fakes import PlaceEncoder, ThreadWorker, place_scene
from tests.tiles import write_tile
from tests.waiting import until

ENCODER = PlaceEncoder()
RECIPE = Recipe(scene_id="place-1", encoder="place", fingerprint=ENCODER.spec.fingerprint, cut=Cut.of(32))
PATCHES = 20


def test_features_in_a_bucket_are_those_of_a_folder(copy_at: CopyAt, bucket: Bucket, tmp_path: Path) -> None:
    here, there = copy_at("here"), copy_at("there")
    alone = FeatureStore(tmp_path / "alone")
    encode_scene(place_scene(tmp_path / "alone"), ENCODER, RECIPE, alone)
    store = FeatureStore(here.root)
    encode_scene(place_scene(here.root), ENCODER, RECIPE, store)
    assert any(key.startswith("some/data/tables/features/encoder-") for key in bucket.objects)
    there.refresh()
    theirs, expected = FeatureStore(there.root), alone.read(RECIPE)
    assert theirs.complete(RECIPE)
    for found in (theirs.read(RECIPE), store.read(RECIPE)):
        assert found.vectors.tobytes() == expected.vectors.tobytes()
        assert found.patch_ids.tobytes() == expected.patch_ids.tobytes()
    (there.root / "features" / "snapshots" / RECIPE.key / "vector.npy").write_bytes(b"damaged")
    assert theirs.read(RECIPE).vectors.tobytes() == expected.vectors.tobytes(), "the tables have it too"
    theirs.delete(RECIPE)
    here.refresh()
    assert not store.complete(RECIPE)
    assert store.done_ids(RECIPE).size == 0
    assert [key for key in bucket.objects if "/snapshots/" in key or "/runs/" in key] == []


def test_a_bucket_that_fails_is_not_taken_for_damage(copy_at: CopyAt, bucket: Bucket) -> None:
    here, calls = copy_at("here"), ("begin", "read", "append", "delete")
    store = FeatureStore(here.root)
    encode_scene(place_scene(here.root), ENCODER, RECIPE, store)
    expected = store.read(RECIPE)
    store.snapshots.remove(RECIPE)
    store.runs.suspect(RECIPE)
    before = {key: data for key, data in bucket.objects.items() if "leases" not in key}
    batch = to_batch(expected)
    wishes: dict[str, Callable[[], object]] = {
        "begin": lambda: store.begin(RECIPE, ENCODER.spec, PATCHES),
        "read": lambda: store.read(RECIPE),
        "append": lambda: store.append(RECIPE, ENCODER.spec, batch),
        "delete": lambda: store.delete(RECIPE),
    }

    def refused(asked: Asked) -> Fault | None:
        told = asked.key + asked.query.get("prefix", "")
        return Fault(status=403, body="<Error><Code>AccessDenied</Code></Error>") if "tables" in told else None

    for wish in calls:
        with bucket.faulty(refused), pytest.raises(BucketError) as error:
            wishes[wish]()
        assert SECRET not in str(error.value)
        if wish != "delete":
            assert {key: data for key, data in bucket.objects.items() if "leases" not in key} == before
    assert store.done_ids(RECIPE).tolist() == list(range(PATCHES))
    assert store.read(RECIPE).vectors.tobytes() == expected.vectors.tobytes()
    for key in [key for key in bucket.objects if key.startswith("some/data/tables") and "/data/" in key]:
        bucket.objects[key] = b"damaged"
    with pytest.raises(StoreError, match="the store is damaged; encode the scene again"):
        store.read(RECIPE)
    encode_scene(Library(here.root).get("place-1"), ENCODER, RECIPE, store)
    assert store.read(RECIPE).vectors.tobytes() == expected.vectors.tobytes()


def to_batch(features: Features) -> FeatureBatch:
    """All rows again, as a run would append them."""
    return FeatureBatch(
        ids=features.patch_ids, vectors=features.vectors, rows=features.patch_ids, cols=features.patch_ids,
        lonlat=None, valid_fraction=features.valid_fraction, band_mean=features.band_mean, band_std=features.band_std,
    )  # fmt: skip


def test_who_dies_while_encoding_is_followed_by_another(
    copy_at: CopyAt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = copy_at("here"), copy_at("there")
    scene, store = place_scene(here.root), FeatureStore(here.root)
    append, stored = FeatureStore.append, list[int]()

    def killed(store: FeatureStore, recipe: Recipe, spec: EncoderSpec, batch: FeatureBatch) -> None:
        if stored:
            raise SystemExit  # Nothing catches it, and nothing that would come after it is done.
        append(store, recipe, spec, batch)
        stored.extend(batch.ids.tolist())

    with monkeypatch.context() as patch:
        patch.setattr(FeatureStore, "append", killed)
        with pytest.raises(SystemExit):
            encode_scene(scene, ENCODER, RECIPE, store, chunk_patches=4)
    there.refresh()
    other = FeatureStore(there.root)
    assert 0 < len(stored) < PATCHES
    assert other.count(RECIPE) == len(stored)
    encode_scene(Library(there.root).get(scene.id), PlaceEncoder(log=tmp_path / "rest"), RECIPE, other)
    assert len((tmp_path / "rest").read_text().splitlines()) == PATCHES - len(stored), (
        "what is stored is not done again"
    )
    assert other.complete(RECIPE)
    assert other.read(RECIPE).patch_ids.tolist() == list(range(PATCHES))


def test_the_last_epoch_of_a_training_is_gone_on_with_elsewhere(copy_at: CopyAt, bucket: Bucket) -> None:
    here, there = copy_at("here"), copy_at("there")
    checkpoint = Checkpoint(here.root / "trained" / MODEL, [Variable([4, 5, 6])], "this one")
    checkpoint.resume()
    checkpoint.keep(Epoch(**EPOCH))  # type: ignore[arg-type]
    there.refresh()
    assert history_of(there.root / "trained" / MODEL) == [EPOCH]
    assert not last_of(there.root / "trained").exists(), "it comes when it is wanted"
    assert resumed(there.root / "trained") == ([EPOCH], [4, 5, 6])
    checkpoint.remove()
    there.refresh()
    assert not under_way(there.root / "trained" / MODEL).exists()
    assert [key for key in bucket.objects if "/trained/" in key] == []


def test_an_encoder_that_one_computer_downloaded_is_on_all(copy_at: CopyAt, bucket: Bucket, tmp_path: Path) -> None:
    here, there = copy_at("here"), copy_at("there")
    server, worker = config_of(here.root), config_of(there.root)
    with tarfile.open(tmp_path / "tiny.tar.gz", "w:gz") as archive:
        archive.add(onnx_models.write(tmp_path), arcname=".")
    hub = Hub((tmp_path / "tiny.tar.gz").read_bytes())
    serving = threading.Thread(target=hub.serve_forever, args=(0.01,))
    serving.start()
    try:
        refused = Fault(status=403, body="<Error><Code>AccessDenied</Code></Error>")
        with bucket.faulty(lambda asked: refused if asked.method == "PUT" else None), pytest.raises(BucketError):
            fetch(hub.handle, server)
        with pytest.raises(EncoderUnavailableError, match="its files are not on this computer"):
            describe(hub.handle, worker)
        fetch(hub.handle, server)
    finally:
        hub.shutdown()
        serving.join()
        hub.server_close()
    assert len(hub.asked) == 1, "what is here is not downloaded again"
    there.refresh()
    assert not [path for path in (there.root / SHARED).glob("*") if path.is_file()], "it comes when it is wanted"
    with (
        bucket.faulty(lambda asked: refused if "/fetched/" in asked.key else None),
        pytest.raises(EncoderUnavailableError, match="the bucket refuses it; give these credentials"),
    ):
        describe(hub.handle, worker)
    assert describe(hub.handle, worker) == describe(hub.handle, server)
    given = onnx_models.patches()
    theirs = load_encoder(hub.handle, worker)
    assert theirs.encode(given).tobytes() == load_encoder(hub.handle, server).encode(given).tobytes()


@pytest.fixture
def servers(bucket: Bucket, tmp_path: Path) -> Iterator[list[Engine]]:
    configs = [config_of(tmp_path / name) for name in ("one", "two")]
    lanes = {name: Lane(executor=ThreadWorker) for name in default_lanes(configs[0])}
    found = [Engine(config, lanes) for config in configs]
    for engine in found:
        engine.start()
    yield found
    for engine in found:
        engine.close()
        close_data(engine.config)


def test_two_servers_that_start_the_same_job_do_it_once(servers: list[Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = servers
    stored: list[int] = []
    append = FeatureStore.append

    def counted(store: FeatureStore, recipe: Recipe, spec: object, batch: FeatureBatch) -> None:
        stored.extend(batch.ids.tolist())
        append(store, recipe, spec, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(FeatureStore, "append", counted)
    scene = place_scene(one.config.root)
    until(lambda: scene.id in two.library, 20, "the other server never saw it")
    recipe = one.recipe(scene, "spectral", cut=Cut.of(32))
    jobs = [engine.submit_encode(recipe).id for engine in servers]
    assert [engine.jobs.wait(job, 60).state for engine, job in zip(servers, jobs, strict=True)] == ["done"] * 2
    assert sorted(stored) == list(range(PATCHES))
    ours, theirs = one.features(recipe), two.features(recipe)
    assert np.array_equal(ours.vectors, theirs.vectors)
    answers = [nearest_patches(unit_rows(found.vectors), found.patch_ids, 3, 5, scene="") for found in (ours, theirs)]
    assert answers[0].ids.tolist() == answers[1].ids.tolist()
    assert not any(engine.trouble for engine in servers)


@pytest.mark.usefixtures("here")
def test_an_upload_waits_for_a_bucket_that_failed(servers: list[Engine], bucket: Bucket) -> None:
    one, _ = servers
    path = write_tile(one.config.root / "uploads" / "upload-1" / "T31UFS_20240601.tif", 1)
    refused = Fault(status=403, body="<Error><Code>AccessDenied</Code></Error>")
    with bucket.faulty(lambda asked: refused if asked.method == "PUT" else None):
        job = one.jobs.wait(one.submit_ingest([path]).id, 60)
    assert (job.state, tells_of_bucket(job.message)) == ("failed", True), job.message
    assert one.library.scenes() == []
    again = one.jobs.wait(one.submit_again(job.id, IngestSettings()).id, 60)
    assert again.state == "done", again.message
    assert [scene.id for scene in one.library.scenes()] == [again.message]
    assert not path.exists()
    assert [kept.name for kept in one.library.origin(again.message)] == [path.name]


def test_no_credential_is_kept_or_told(servers: list[Engine], bucket: Bucket) -> None:
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    one, _ = servers
    scene = place_scene(one.config.root)
    job = one.submit_encode(one.recipe(scene, "spectral", cut=Cut.of(64)))
    one.jobs.wait(job.id, 60)
    kept = [path.read_bytes() for path in one.config.root.rglob("*") if path.is_file()]
    assert len(kept) > 10
    told = [repr(one.config), repr(Library(one.config.root)), *map(repr, one.jobs.jobs())]
    for word in (secret, os.environ["AWS_ACCESS_KEY_ID"]):
        assert not any(word.encode() in content for content in (*kept, *bucket.objects.values()))
        assert not any(word in text for text in told)
