"""What work there is in the background, and which workers do it; what each does is ``core.engine.tasks``."""

from __future__ import annotations

from functools import partial

from core.config import Config
from core.engine import class_tasks, tasks
from core.jobs.lanes import JobKind, Lane
from core.jobs.pool import WorkerPool

NICENESS = 5
"""Workers give way to the web process, which somebody is looking at."""

TRAINING_NICENESS = 15
"""Training takes long and nobody waits for it, so it gives way to all other work."""

TRAINING_GRACE_SECONDS = 600.0
"""A training that is stopped writes the model of its last whole epoch, which takes a while."""


def default_lanes(config: Config) -> dict[str, Lane]:
    """Make worker processes: two for scenes, one each for the other lanes; projections and encoding are warmed up."""
    pool = partial(WorkerPool, NICENESS)
    return {
        "scene": Lane(executor=pool, slots=2),
        "encode": Lane(executor=pool, warm=partial(tasks.warm_encoder, config), warm_beside=frozenset({"ingest"})),
        "project": Lane(executor=pool, warm=tasks.warm_projection),
        "trust": Lane(executor=pool),
        "stability": Lane(executor=pool),
        "classify": Lane(executor=pool),
        "export": Lane(executor=pool),
        "train": Lane(executor=partial(WorkerPool, TRAINING_NICENESS)),
    }


def job_kinds(config: Config) -> dict[str, JobKind]:
    """Return the kinds of jobs there are."""
    return {
        "ingest": JobKind(task=partial(tasks.ingest_task, config), lane="scene"),
        "preview": JobKind(task=partial(tasks.task_of, "core.engine.previews:preview_task", config), lane="scene"),
        "sample": JobKind(task=partial(tasks.sample_task, config), lane="scene"),
        "synthetic": JobKind(task=partial(tasks.synthetic_task, config), lane="scene"),
        "truth": JobKind(task=partial(tasks.truth_task, config), lane="scene"),
        "fetch": JobKind(task=partial(tasks.fetch_task, config), lane="scene"),
        "encode": JobKind(task=partial(tasks.encode_task, config), lane="encode"),
        "chip": JobKind(task=partial(tasks.chip_task, config), lane="encode"),
        "delete": JobKind(task=partial(tasks.delete_task, config), lane="encode"),
        "delete_features": JobKind(task=partial(tasks.delete_features_task, config), lane="encode"),
        "project": JobKind(task=partial(tasks.project_task, config), lane="project"),
        "groups": JobKind(task=partial(tasks.clusters_task, config), lane="project"),  # as they were called at first
        "trust": JobKind(task=partial(tasks.trust_task, config), lane="trust"),
        "stability": JobKind(task=partial(tasks.stability_task, config), lane="stability"),
        "export": JobKind(task=partial(tasks.task_of, "core.engine.exports.files:export_task", config), lane="export"),
        "heads": JobKind(task=partial(class_tasks.heads_task, config), lane="classify"),
        "finer": JobKind(task=partial(class_tasks.finer_task, config), lane="classify"),
        "regress": JobKind(task=partial(class_tasks.regress_task, config), lane="classify"),
        "train": JobKind(task=partial(tasks.train_task, config), lane="train", grace=TRAINING_GRACE_SECONDS),
    }
