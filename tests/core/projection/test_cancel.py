"""Layouts by umap-learn that are stopped by the real queue in a real worker, which lives on for the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from core.config import Config
from core.engine.background import NICENESS
from core.engine.operations import Engine
from core.features.recipe import Recipe
from core.jobs.files import JobFiles
from core.jobs.lanes import Lane
from core.jobs.pool import WorkerPool
from core.jobs.queue import Job
from core.projection.settings import ProjectionSettings
from core.scenes.cut import Cut
from tests.fakes import ThreadWorker, place_scene

pytestmark = pytest.mark.slow

IMPORTING, MOVING = 250, 310
"""Thousandths at which a new worker imports and compiles umap-learn, and at which points move."""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    # A busy machine imports a package for longer than a worker is usually given; one that obeys nothing gets done.
    monkeypatch.setattr("core.engine.background.CANCEL_GRACE_SECONDS", 60)
    worker = Lane(executor=partial(WorkerPool, NICENESS))
    engine = Engine(
        Config(root=tmp_path, model_cache=tmp_path / "models"),
        {"scene": Lane(executor=ThreadWorker), "encode": Lane(executor=ThreadWorker), "project": worker}
        | {"trust": Lane(executor=ThreadWorker)},
    )
    engine.start()
    yield engine
    engine.close()


@pytest.fixture
def recipe(engine: Engine) -> Recipe:
    """Features of 2,209 patches: so many that 500 epochs last a second or more."""
    scene = place_scene(engine.config.root, height=384, width=384)
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(16, 8))
    assert engine.jobs.wait(engine.submit_encode(recipe).id, 120).state == "done"
    return recipe


def stopped_at(engine: Engine, recipe: Recipe, settings: ProjectionSettings, share: int) -> Job:
    """Ask for a layout, cancel it once it is so many thousandths far, and give the job as it ended."""
    job = engine.submit_projection(recipe, settings)
    until = time.monotonic() + 120
    while (now := engine.jobs.get(job.id)).done < share:
        assert now.active, now
        assert time.monotonic() < until, now
        time.sleep(0.02)
    engine.jobs.cancel(job.id)
    return engine.jobs.wait(job.id, 120)


def worker_of(engine: Engine, job: Job) -> int:
    """The process that did a job."""
    return JobFiles(engine.config.root / "jobs").progress(job.id).pid


def test_stopped_layouts_are_cancelled_and_the_worker_lives_on(engine: Engine, recipe: Recipe) -> None:
    # How densMAP is stopped while its points move is shown without a worker, in which it would compile once more.
    settings = ProjectionSettings(method="densmap"), ProjectionSettings(method="umap")
    importing = stopped_at(engine, recipe, settings[0], IMPORTING)
    moving = stopped_at(engine, recipe, settings[1], MOVING)
    last = engine.jobs.wait(engine.submit_projection(recipe, ProjectionSettings()).id, 120)
    assert [job.state for job in (importing, moving, last)] == ["cancelled"] * 2 + ["done"]
    assert IMPORTING <= importing.done < 300
    assert MOVING <= moving.done < 1000
    assert not any(engine.projected(recipe, one) for one in settings)
    assert engine.projected(recipe, ProjectionSettings())
    (worker,) = {worker_of(engine, job) for job in (importing, moving, last)}
    loaded = [one.path for one in psutil.Process(worker).memory_maps() if one.path.endswith(".so")]
    assert [path for path in loaded if "numba" in path]
    assert not [path for path in loaded if "tensorflow" in path], "umap-learn would import it"
