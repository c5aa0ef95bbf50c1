"""Encoding by all workers of a real cluster: the same features bit for bit, whoever dies meanwhile."""

from __future__ import annotations

import logging
import resource
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.__main__ import main
from core.config import Config
from core.encoders.base import Encoder
from core.encoders.registry import matching_encoder
from core.engine.operations import Engine
from core.errors import EncoderError, JobCancelledError, JobError
from core.export.geoparquet import read_geoparquet
from core.features.encode import encode_scene
from core.features.parts import encode_on_cluster
from core.features.recipe import Features, Recipe
from core.features.store import FeatureStore
from core.files import never
from core.jobs.cluster.chunks import chunks_done
from core.jobs.cluster.connection import Cluster, cluster_at
from core.jobs.cluster.fitness import facts_here, unfit
from core.scenes.library import Library
from core.scenes.scene import Scene
from tests.clusters import LocalCluster, workers_ready
from tests.core.jobs.cluster.conftest import Started
from tests.fakes import PlaceEncoder, place_scene, recipe_of
from tests.waiting import until

PART = 10
EMPTY = (slice(0, 40), slice(64, 128))


@pytest.fixture
def ready(cluster: LocalCluster, tmp_path: Path) -> Iterator[Cluster]:
    """A connection to two workers that are fit."""
    workers_ready(cluster.address, tmp_path, 2)
    yield cluster_at(cluster.address, tmp_path)
    cluster_at(cluster.address, tmp_path).close()


@dataclass
class Encoding:
    """An encoding that goes on in a thread."""

    scene: Scene
    recipe: Recipe
    log: Path
    thread: threading.Thread
    done: list[int]
    said: list[str]
    failures: list[Exception]

    def end(self) -> Features:
        self.thread.join(90)
        assert not self.thread.is_alive()
        for failure in self.failures:
            raise failure
        return FeatureStore(self.log.parent).read(self.recipe)


@pytest.fixture
def encode(tmp_path: Path, cluster: LocalCluster, ready: Cluster) -> Callable[..., Encoding]:
    """Begin to encode a scene of places, slowly and in small parts, noting each patch that is encoded."""

    def begin(load: Callable[..., Encoder] = PlaceEncoder, delay: float = 0.05) -> Encoding:
        scene, log = place_scene(tmp_path, empty=EMPTY), tmp_path / "encoder.log"
        recipe, config = recipe_of(scene, PlaceEncoder(), stride=8), Config(root=tmp_path, model_cache=tmp_path)
        found = Encoding(scene, recipe, log, threading.Thread(), [], [], [])

        def run() -> None:
            try:
                encode_on_cluster(
                    scene,
                    recipe,
                    FeatureStore(tmp_path),
                    replace(config, scheduler=cluster.address),
                    load=partial(load, delay=delay, log=log),
                    spec=PlaceEncoder().spec,
                    part_patches=PART,
                    progress=lambda done, _: found.done.append(done),
                    waiting=found.said.append,
                )
            except Exception as error:  # noqa: BLE001  raised again by who waits for it
                found.failures.append(error)

        found.thread = threading.Thread(target=run)
        found.thread.start()
        return found

    return begin


def local(encoding: Encoding, root: Path) -> Features:
    """The same scene encoded in this process, in a store of its own."""
    store = FeatureStore(root)
    encode_scene(encoding.scene, PlaceEncoder(), encoding.recipe, store)
    return store.read(encoding.recipe)


def assert_same(one: Features, other: Features) -> None:
    for name in ("patch_ids", "vectors", "valid_fraction", "band_mean", "band_std"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name


def encoded_twice(encoding: Encoding) -> int:
    """How many patches were encoded more than once."""
    counts = Counter(encoding.log.read_text().splitlines())
    return sum(count - 1 for count in counts.values())


def test_kill_9_of_a_worker_costs_the_part_that_it_was_at(
    encode: Callable[..., Encoding], cluster: LocalCluster, tmp_path: Path
) -> None:
    encoding = encode()
    until(lambda: encoding.done and encoding.done[-1] > 2 * PART, 90)
    cluster.working()[0].kill()
    assert_same(encoding.end(), local(encoding, tmp_path / "local"))
    assert encoded_twice(encoding) <= PART


def test_when_the_scheduler_is_started_again_what_is_not_stored_goes_on_and_so_do_jobs(
    encode: Callable[..., Encoding], queues: Started, cluster: LocalCluster, tmp_path: Path
) -> None:
    queue, log = queues(), tmp_path / "log"
    counting = {"total": 400, "delay": 0.02, "log": str(log), "name": "begun"}
    job = queue.submit("count", "a", "Counting", counting)
    until(lambda: queue.jobs()[0].done > 1)
    encoding = encode()
    until(lambda: encoding.done and encoding.done[-1] > 2 * PART, 90)
    stored = FeatureStore(tmp_path).done_ids(encoding.recipe)
    cluster.kill_scheduler()
    until(lambda: any("which does not answer" in words for words in encoding.said), 60)
    until(lambda: queue.jobs()[0].doing.startswith("waiting for the Dask scheduler at tcp:"), 60)
    cluster.start_scheduler()
    assert queue.wait(job.id, 90).message == "counted"
    assert len(log.read_text().splitlines()) <= 2
    assert_same(encoding.end(), local(encoding, tmp_path / "local"))
    assert encoding.said[-1] == ""
    assert len(stored) > PART
    assert encoded_twice(encoding) <= 4 * PART, "what both workers had at hand"


def test_a_full_disk_of_one_worker_is_told_and_others_do_its_part(
    encode: Callable[..., Encoding], cluster: LocalCluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    full: psutil.Process = cluster.working()[0]
    before = full.rlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "encoder.log").write_text("")
    full.rlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with caplog.at_level(logging.WARNING, "core.jobs.cluster.chunks"):
            encoding = encode(delay=0.01)
            found = encoding.end()
    finally:
        full.rlimit(resource.RLIMIT_FSIZE, before)
    assert_same(found, local(encoding, tmp_path / "local"))
    told = [record.message for record in caplog.records]
    assert told
    assert all(one.startswith("Encoding “Places”: the disk of the worker tcp://127.0.0.1:") for one in told)


def lacking(delay: float, log: Path) -> Encoder:
    raise EncoderError("Loading the encoder place", "there is none", "put it there")


def test_workers_without_the_encoder_are_named(encode: Callable[..., Encoding]) -> None:
    with pytest.raises(JobError, match=r"on the worker tcp://127\.0\.0\.1:\d+: Loading the"):
        encode(load=lacking).end()


def double(number: int) -> int:
    return 2 * number


def test_any_number_of_chunks_is_taken_as_they_can_be_done_and_stops_when_asked(ready: Cluster) -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            taken.append(len(taken))
            yield taken[-1]

    stop = threading.Event()
    with closing(chunks_done(ready, "Doubling", double, endless(), cancelled=stop.is_set)) as found:
        some = [next(found) for _ in range(20)]
        assert all(value == 2 * chunk for chunk, value in some)
        assert len({chunk for chunk, _ in some}) == 20
        assert len(taken) <= 20 + 4 + 2
        stop.set()
        with pytest.raises(JobCancelledError, match="Doubling: it was cancelled"):
            list(found)


def test_a_server_encodes_as_this_computer_does_bit_for_bit(
    cluster: LocalCluster, ready: Cluster, tmp_path: Path
) -> None:
    """By the queue, as people ask for it: a process of the server hands out the parts."""
    encoder = "landlike-1"
    config = Config(root=tmp_path, model_cache=tmp_path / "models")
    scene = random_scene(tmp_path)
    engine = Engine(replace(config, scheduler=cluster.address))
    engine.start()
    try:
        recipe = engine.recipe(scene, encoder)
        ended = engine.jobs.wait(engine.submit_encode(recipe).id, 90)
        assert (ended.state, ended.done) == ("done", 20), ended.message
        found = engine.features(recipe)
    finally:
        engine.close()
    store = FeatureStore(tmp_path / "local")
    encode_scene(scene, matching_encoder(encoder, recipe.fingerprint, config), recipe, store)
    assert_same(found, store.read(recipe))


def random_scene(root: Path) -> Scene:
    """Twenty patches of pixels of all kinds, so high that they make two parts."""
    scene = place_scene(root, height=640, width=128)
    import rasterio

    with rasterio.open(scene.directory / "pixels.tif", "r+") as data:
        data.write(np.random.default_rng(1).integers(1, 9000, (13, 640, 128), np.uint16))
    return Library(root).get(scene.id)


def test_commands_have_the_cluster_encode(
    cluster: LocalCluster, ready: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, outs = place_scene(tmp_path, empty=EMPTY), [tmp_path / "far.parquet", tmp_path / "near.parquet"]
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path))
    for address, out in zip((cluster.address, "local"), outs, strict=True):
        monkeypatch.setenv("LANDLIKE_SCHEDULER", address)
        assert main(["embed", scene.id, "--encoder", "spectral", "--patch-size", "32", "--out", str(out)]) == 0
        FeatureStore(tmp_path).delete_scene(scene.id)
    far, near = (read_geoparquet(out) for out in outs)
    assert len(near.patch_ids) == 18
    assert np.array_equal(far.patch_ids, near.patch_ids)
    assert far.vectors.tobytes() == near.vectors.tobytes()


def test_a_worker_without_landlike_gets_no_work(
    cluster: LocalCluster, ready: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(ready.workers("Testing", lambda _: None, never))
    with caplog.at_level(logging.WARNING, "core.jobs.cluster.connection"):
        dask = ("-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", "--no-nanny")
        other = cluster.add_worker(dask, cwd=tmp_path)
        until(lambda: ready.workers("Testing", lambda _: None, never) and caplog.messages, 60)
    assert (
        "has no Landlike, or another version; start it in Landlike's folder by “python -m core worker”" in caplog.text
    )
    assert len(ready.workers("Testing", lambda _: None, never)) == before
    assert sorted(value for _, value in chunks_done(ready, "Doubling", double, range(30))) == list(range(0, 60, 2))
    (address,) = {message.split()[5] for message in caplog.messages}
    call = ready.call("Doubling", double, 1, only=address)
    until(call.answer)
    answer = call.answer()
    assert answer is not None
    assert answer.unfit, "where it came first, before that was known of it"
    other.kill()
    other.wait()


def test_without_a_worker_that_sees_the_data_it_fails_and_names_one(
    cluster: LocalCluster, ready: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    blind = Cluster(cluster.address, Path("data"))
    try:
        words = r"^Encoding: the worker tcp://127\.0\.0\.1:\d+ does not see the folder data; mount it there at the same"
        with pytest.raises(JobError, match=words):
            until(lambda: blind.workers("Encoding", lambda _: None, never))
    finally:
        blind.close()


def test_workers_of_another_version_are_told_what_they_need() -> None:
    ours = facts_here(Path("x"))
    assert unfit("tcp://w:1", ours, ours, Path("x")) == ("", "")
    for name, other in (("Python", "3.10"), ("Landlike", "0123456789ab"), ("openvino", "")):
        found, remedy = unfit("tcp://w:1", {**ours, name: other}, ours, Path("x"))
        assert found.startswith(f"the worker tcp://w:1 has {name} {other or 'in no version'} and not {ours[name]}")
        assert "the same Landlike, Python and packages" in remedy
