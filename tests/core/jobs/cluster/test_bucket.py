"""A cluster whose workers share no folder with the server, but a bucket: who reaches it has a copy of his own."""

from __future__ import annotations

import re
import resource
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import rasterio

from core.config import Config, working_copy
from core.engine.background import default_lanes, job_lanes
from core.engine.exports.files import export_path, read_export, submit_export
from core.engine.exports.order import EVERY, ExportOrder
from core.engine.library_source import library_source
from core.engine.operations import Engine
from core.engine.views import SearchView
from core.errors import JobError, StoreError
from core.files import never, present
from core.ingest.settings import IngestSettings
from core.jobs.cluster.connection import Cluster, cluster_at
from core.jobs.cluster.fitness import facts_here, unfit
from core.jobs.cluster.run import SPARE_BYTES, Run, sweep_runs
from core.jobs.files import JobFiles
from core.jobs.lanes import Lane
from core.jobs.queue import Job
from core.jobs.worker import tells_of_worker
from core.mirror.opening import close_data
from core.projection.settings import ProjectionSettings
from core.scenes.cut import Cut
from core.scenes.labels import give_label
from core.scenes.patches import patch_grid
from core.search.examples import Evidence
from tests.buckets import KEY_ID, SECRET, Bucket, Fault
from tests.clusters import LocalCluster
from tests.conftest import ingest_here
from tests.fakes import ThreadWorker
from tests.tiles import write_tile
from tests.waiting import until

BUCKET = "s3://land/some/data"


@dataclass(frozen=True)
class Far:
    """Two workers that share a bucket with the server, and no folder."""

    bucket: Bucket
    cluster: LocalCluster
    root: Path

    def left(self) -> list[str]:
        """What is left of jobs, in the bucket and on the workers."""
        told = [key for key in self.bucket.objects if "/runs/" in key and "/features/" not in key]
        return told + [
            path.as_posix() for name in ("runs", "uploads", "exports") for path in (self.root / name).rglob("*")
        ]


@pytest.fixture(scope="module")
def far(cluster: LocalCluster, shared_bucket: Bucket, worker_environment: dict[str, str]) -> Iterator[Far]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in worker_environment.items():
            patch.setenv(name, value)
        yield Far(shared_bucket, cluster, working_copy(BUCKET))


def _fit(there: Cluster) -> int:
    try:
        return len(there.workers("Testing", lambda _: None, never))
    except JobError:
        return 0


@pytest.fixture
def servers(far: Far, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Start a server of one working copy, again and again; it loads nothing before it is wanted."""
    config = Config(root=tmp_path / "server", model_cache=tmp_path, scheduler=far.cluster.address, bucket=BUCKET)
    lanes = {name: replace(lane, warm=None) for name, lane in job_lanes(config).items()}
    begun: list[Engine] = []

    def start() -> Engine:
        begun.append(Engine(config, lanes))
        begun[-1].start()
        return begun[-1]

    yield start
    for engine in begun:
        engine.close()
    cluster_at(far.cluster.address, config.root, BUCKET).close()
    close_data(config)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Engine]:
    """A server that does all by itself, in a folder."""
    config = Config(root=tmp_path / "alone", model_cache=tmp_path)
    engine = Engine(config, {name: Lane(executor=ThreadWorker) for name in default_lanes(config)})
    engine.start()
    yield engine
    engine.close()


def done(engine: Engine, job: Job) -> str:
    ended = engine.jobs.wait(job.id, 90)
    assert ended.state == "done", ended.message
    return ended.message


def sent(engine: Engine, name: str = "T31UFS_20240601.tif", side: int = 256) -> Path:
    """A file as a visitor sent it."""
    return write_tile(engine.config.root / "uploads" / f"upload-{name[:3]}" / name, 1, side=side)


def everything(engine: Engine) -> dict[str, bytes]:
    """What a server gives of a file that is sent, from the first job to the last."""
    found: dict[str, bytes] = {}
    path = sent(engine)
    preview = engine.preview(engine.jobs.wait(engine.submit_preview([path]).id, 90))
    assert preview is not None
    found["preview"] = preview.png
    scene = engine.library.get(done(engine, engine.submit_ingest([path])))
    assert not path.exists()
    assert [kept.name for kept in engine.library.origin(scene.id)] == [path.name]
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(32))
    engine.encode_now(scene, recipe)
    done(engine, engine.submit_projection(recipe, ProjectionSettings()))
    layout = engine.projection(recipe, ProjectionSettings())
    assert layout is not None
    found["layout"] = layout.tobytes()
    done(engine, engine.submit_clusters(recipe))
    done(engine, engine.submit_stability(recipe))
    done(engine, engine.submit_trust(recipe, None))
    grid = patch_grid(scene, recipe.cut)
    for number, name in enumerate(("water", "trees")):
        give_label(scene, grid, list(range(32 * number, 32 * number + 24)), name)
    version = done(engine, engine.classifications.submit_heads(recipe, ["logistic"]))
    chip = done(engine, engine.submit_chip([sent(engine, "chip.tif", 128)], recipe))
    order = ExportOrder(what=EVERY, form="csv", view=SearchView(recipe=recipe, evidence=Evidence()), patches=(1, 2))
    job = submit_export(engine, order, library_source(engine, recipe))
    done(engine, job)
    exported = export_path(engine.config, engine.jobs.get(job.id) or job)
    assert exported is not None
    found["export"] = read_export(exported)
    features = engine.features(recipe)
    clusters, stable = engine.clusters(recipe), engine.stability(recipe)
    head = engine.classifications.compared.get(recipe, version, "logistic")
    example = engine.chips.features(chip, recipe.fingerprint, 32)
    assert clusters is not None
    assert stable is not None
    assert head is not None
    assert example is not None
    found |= {"vectors": features.vectors.tobytes(), "stable": stable.tobytes()}
    found |= {"clusters": clusters.index.tobytes(), "chip": repr(example.vector).encode()}
    found["report"] = repr(engine.reports.newest(recipe, "")).encode()
    found["head"] = repr(head.validation).encode()
    with rasterio.open(present(scene.directory / "pixels.tif")) as file:
        found["pixels"] = file.read().tobytes()
    return found


def test_every_job_of_a_server_is_done_by_workers_as_it_does_them_itself_bit_for_bit(
    far: Far, servers: Callable[[], Engine], alone: Engine
) -> None:
    engine = servers()
    theirs = everything(engine)
    with ingest_here():
        ours = everything(alone)
    assert {name for name in ours if ours[name] != theirs[name]} == set()
    until(lambda: far.left() == [], 10, "something is left behind")
    kept = [path.read_bytes() for path in far.root.rglob("*") if path.is_file()]
    for word in (KEY_ID, SECRET):
        assert not any(word.encode() in content for content in (*kept, *far.bucket.objects.values()))


def test_workers_that_reach_another_bucket_of_that_name_get_no_work(
    cluster: LocalCluster, bucket: Bucket, tmp_path: Path
) -> None:
    there = cluster_at(cluster.address, tmp_path, BUCKET)
    try:
        with pytest.raises(JobError, match=rf"the worker \S+ does not reach {BUCKET}; give it the same credentials"):
            there.workers("Encoding", lambda _: None, never)
    finally:
        there.close()
    assert bucket.calls("PUT"), "this process left its mark there"


def at_it(engine: Engine, job: Job, before: int = 0) -> psutil.Process:
    """The worker process that does a job, once it has begun; another one than before.

    How far it is is noted about each second, in which one that has all at hand may have written everything.
    """
    notes = JobFiles(engine.config.root / "jobs")
    until(lambda: notes.progress(job.id).pid not in {0, before}, 60, "no worker has begun")
    return psutil.Process(notes.progress(job.id).pid)


def test_a_worker_or_a_server_that_dies_is_followed_by_another(far: Far, servers: Callable[[], Engine]) -> None:
    engine = servers()
    path = sent(engine, "T31UFS_20240602.tif", 1024)
    with rasterio.open(path) as file:
        pixels = file.read()
    with far.bucket.faulty(lambda asked: Fault(delay=2) if asked.method == "PUT" else None):
        job = engine.submit_ingest([path])  # a quick worker would be done before it is noted
        worker = at_it(engine, job)
        worker.kill()
        at_it(engine, job, worker.pid)
    engine.close()
    assert [key for key in far.left() if key.endswith("/given/0")], "the work goes on where it was begun"
    assert path.exists()
    engine = servers()
    scene = engine.library.get(done(engine, job))
    with rasterio.open(present(scene.directory / "pixels.tif")) as file:
        assert (file.read() == pixels).all()
    assert not path.exists()
    until(lambda: far.left() == [], 10, "something is left behind")


def test_what_workers_lack_is_one_sentence_and_costs_nothing(far: Far, servers: Callable[[], Engine]) -> None:
    engine = servers()
    path = sent(engine, "T31UFS_20240603.tif")
    there = cluster_at(far.cluster.address, engine.config.root, BUCKET)
    until(lambda: _fit(there) == 2, 60, "the worker that was killed never came again")
    fit = far.cluster.working()
    before = fit[0].rlimit(resource.RLIMIT_FSIZE)
    assert len(fit) == 2
    try:
        for one in fit:
            one.rlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        ended = engine.jobs.wait(engine.submit_ingest([path]).id, 90)
        assert ended.state == "failed"
        found = r"Opening “T31UFS_20240603.tif”: on the worker tcp://127.0.0.1:\d+: (.+: )?the disk is full; free [^;]+"
        assert re.fullmatch(found, ended.message), ended.message
        assert path.exists()
        assert tells_of_worker(ended.message), "it can be tried again"
        fit[0].rlimit(resource.RLIMIT_FSIZE, before)
        done(engine, engine.submit_again(ended.id, IngestSettings()))
    finally:
        for one in fit:
            one.rlimit(resource.RLIMIT_FSIZE, before)
    assert not path.exists()
    until(lambda: far.left() == [], 10, "something is left behind")


def test_files_that_do_not_fit_on_a_worker_are_refused_before_they_travel(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(root=tmp_path, model_cache=tmp_path, bucket=BUCKET)
    path = write_tile(tmp_path / "uploads" / "upload-1" / "a.tif", 1)
    run = Run(config, "some")
    given = run.give([str(path)])
    assert [one.carried for one in given] == [True]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=SPARE_BYTES + 10**5))
    told = "Opening “a.tif”: the files take 0.4 MB, and 0.1 MB of its disk can be had; free some of it, or send less."
    with pytest.raises(StoreError) as error:
        run.take(given, "Opening “a.tif”")
    assert str(error.value) == told
    sweep_runs(config, {"some": True, "another": False})
    assert [key for key in far.bucket.objects if "/runs/some/" in key] == ["some/data/runs/some/given/0"]
    sweep_runs(config, {"some": False})
    assert far.left() == []


def test_a_worker_that_may_only_read_gets_no_work(far: Far, tmp_path: Path) -> None:
    ours = facts_here(tmp_path, BUCKET)
    refused = Fault(status=403, body="<Error><Code>AccessDenied</Code></Error>")
    with far.bucket.faulty(lambda asked: refused if asked.method == "PUT" else None):
        theirs = facts_here(tmp_path, BUCKET)
    assert unfit("tcp://w", theirs, ours, BUCKET) == (
        f"the worker tcp://w may read {BUCKET} and not write it",
        "give its credentials the right to list, read, write and delete there, and start it again",
    )
