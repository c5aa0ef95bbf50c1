"""What work there is in the background, and which workers do it; what each does is ``core.engine.tasks``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from core.config import Config
from core.engine import class_tasks, tasks
from core.jobs.executor import JobExecutor
from core.jobs.lanes import CANCEL_GRACE_SECONDS, JobKind, Lane
from core.jobs.pool import WorkerPool

NICENESS = 5
"""Workers give way to the web process, which somebody is looking at."""

TRAINING_NICENESS = 15
"""Training takes long and nobody waits for it, so it gives way to all other work."""

TRAINING_GRACE_SECONDS = 600.0
"""A training that is stopped writes the model of its last whole epoch, which takes a while."""

_WORK: dict[str, tuple[str, tasks.Task]] = {
    "ingest": ("scene", tasks.ingest_task),
    "preview": ("scene", partial(tasks.task_of, "core.engine.previews:preview_task")),
    "sample": ("scene", tasks.sample_task),
    "synthetic": ("scene", tasks.synthetic_task),
    "truth": ("scene", tasks.truth_task),
    "fetch": ("scene", tasks.fetch_task),
    "encode": ("encode", tasks.encode_task),
    "trial": ("encode", tasks.trial_task),
    "chip": ("encode", tasks.chip_task),
    "delete": ("encode", tasks.delete_task),
    "delete_features": ("encode", tasks.delete_features_task),
    "project": ("project", tasks.project_task),
    "groups": ("project", tasks.clusters_task),  # as they were called at first
    "trust": ("trust", tasks.trust_task),
    "stability": ("stability", tasks.stability_task),
    "export": ("export", partial(tasks.task_of, "core.engine.exports.files:export_task")),
    "heads": ("classify", class_tasks.heads_task),
    "finer": ("classify", class_tasks.finer_task),
    "regress": ("classify", class_tasks.regress_task),
    "train": ("train", tasks.train_task),
}
"""The lane of each kind of job on one computer, and what does it."""

CLUSTER_SLOTS = 4
"""Scenes that a cluster takes in, or encodes, at once. Each is encoded by all workers, the first before the others."""


def job_lanes(config: Config) -> dict[str, Lane]:
    """Return where jobs are done: on the cluster that is configured, else on this computer."""
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
    cluster = partial(Lane, executor=partial(_on_cluster, config), forget=partial(_forget, config))
    warm, beside = partial(tasks.warm_encoding, config), frozenset({"ingest"})
    return {
        "scene": cluster(slots=CLUSTER_SLOTS),
        "encode": Lane(executor=partial(WorkerPool, NICENESS), slots=CLUSTER_SLOTS, warm=warm, warm_beside=beside),
        **{name: cluster() for name in ("patches", "project", "trust", "stability", "classify", "export", "train")},
    }


def _on_cluster(config: Config) -> JobExecutor:
    """Return an executor of the cluster; its library is imported only here, for it takes a second."""
    from core.jobs.cluster.executor import ClusterExecutor

    return ClusterExecutor(config)


def _forget(config: Config, run: str) -> None:
    """Remove what a job left on its way to workers and back."""
    from core.jobs.cluster.run import forget_run

    forget_run(config, run)


def sweep_jobs(config: Config, runs: Mapping[str, bool]) -> None:
    """Remove what jobs left on their way to workers and back whose server was killed.

    Args:
        config: where the data are.
        runs: those of this server; True = its end is not on record, so it is left alone.
    """
    if config.scheduler:
        from core.jobs.cluster.run import sweep_runs

        sweep_runs(config, runs)


def job_kinds(config: Config) -> dict[str, JobKind]:
    """Return the kinds of jobs there are."""
    return {name: _kind(config, name, lane, task) for name, (lane, task) in _WORK.items()}


def _kind(config: Config, name: str, lane: str, task: tasks.Task) -> JobKind:
    grace = TRAINING_GRACE_SECONDS if name == "train" else CANCEL_GRACE_SECONDS
    if config.scheduler:
        lane = {"chip": "patches", "delete": "patches", "delete_features": "patches"}.get(name, lane)
        if name == "fetch" and config.bucket:  # By hand it is put here; workers get it by the bucket.
            lane = "encode"
    far = config.scheduler and lane != "encode"
    done = tasks.at_cluster if far else tasks.on_data
    return JobKind(task=partial(done, config, name, task), lane=lane, grace=grace)
