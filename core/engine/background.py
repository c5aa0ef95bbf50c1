"""What work there is in the background, and which workers do it; what each does is ``core.engine.tasks``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from core.config import Config
from core.engine import class_tasks, tasks
from core.jobs.executor import JobExecutor
from core.jobs.lanes import JobKind, Lane
from core.jobs.pool import WorkerPool

NICENESS = 5
"""Workers give way to the web process, which somebody is looking at."""

TRAINING_NICENESS = 15
"""Training takes long and nobody waits for it, so it gives way to all other work."""

TRAINING_GRACE_SECONDS = 600.0
"""A training that is stopped writes the model of its last whole epoch, which takes a while."""

CLUSTER_SLOTS = 4
"""Scenes that a cluster takes in, or encodes, at once. Each is encoded by all workers, the first before the others."""


def job_lanes(config: Config) -> dict[str, Lane]:
    """Return where jobs are done: on the cluster that is configured, else on this computer.

    The files of jobs, and what people upload, lie on this computer where the data are in a bucket. So a cluster encodes
    then, which takes the longest, and all else is done here.
    """
    if config.scheduler and config.bucket:
        return {**default_lanes(config), "encode": cluster_lanes(config)["encode"]}
    return cluster_lanes(config) if config.scheduler else default_lanes(config)


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


def cluster_lanes(config: Config) -> dict[str, Lane]:
    """Have the workers of a cluster do everything.

    Of encoding, a process here hands out parts and writes what comes back, so that one writes a table at a time.
    """
    cluster = partial(_on_cluster, config)
    warm, beside = partial(tasks.warm_encoding, config), frozenset({"ingest"})
    return {
        "scene": Lane(executor=cluster, slots=CLUSTER_SLOTS),
        "encode": Lane(executor=partial(WorkerPool, NICENESS), slots=CLUSTER_SLOTS, warm=warm, warm_beside=beside),
        **{name: Lane(executor=cluster) for name in ("patches", "project", "trust", "stability")},
        **{name: Lane(executor=cluster) for name in ("classify", "export", "train")},
    }


def _on_cluster(config: Config) -> JobExecutor:
    """Return an executor of the cluster; its library is imported only here, for it takes a second."""
    from core.jobs.cluster.executor import ClusterExecutor

    return ClusterExecutor(config.scheduler, config.root)


def job_kinds(config: Config) -> dict[str, JobKind]:
    """Return the kinds of jobs there are."""
    kinds = _local_kinds(replace(config, scheduler=""))  # A worker does all of a job by itself.
    if config.scheduler:
        kinds["encode"] = JobKind(task=partial(tasks.encode_task, config), lane="encode")
        for name in () if config.bucket else ("chip", "delete", "delete_features"):
            kinds[name] = replace(kinds[name], lane="patches")
    if config.bucket:
        return {name: replace(one, task=partial(tasks.shared, config, name, one.task)) for name, one in kinds.items()}
    return kinds


def _local_kinds(config: Config) -> dict[str, JobKind]:
    return {
        "ingest": JobKind(task=partial(tasks.ingest_task, config), lane="scene"),
        "preview": JobKind(task=partial(tasks.task_of, "core.engine.previews:preview_task", config), lane="scene"),
        "sample": JobKind(task=partial(tasks.sample_task, config), lane="scene"),
        "synthetic": JobKind(task=partial(tasks.synthetic_task, config), lane="scene"),
        "truth": JobKind(task=partial(tasks.truth_task, config), lane="scene"),
        "fetch": JobKind(task=partial(tasks.fetch_task, config), lane="scene"),
        "encode": JobKind(task=partial(tasks.encode_task, config), lane="encode"),
        "trial": JobKind(task=partial(tasks.trial_task, config), lane="encode"),
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
