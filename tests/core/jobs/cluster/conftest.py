"""One cluster for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from core.config import Config
from core.jobs.cluster.connection import cluster_at
from core.jobs.cluster.executor import ClusterExecutor
from core.jobs.cluster.run import forget_run
from core.jobs.lanes import JobKind, Lane
from core.jobs.queue import JobQueue
from tests.buckets import Bucket, serving
from tests.clusters import LocalCluster
from tests.fakes import TASKS

Started = Callable[..., JobQueue]

LAST = (
    "test_kill_9_of_a_worker_costs_the_part_that_it_was_at",
    "test_a_worker_or_a_server_that_dies_is_followed_by_another",
    "test_when_the_scheduler_is_started_again_what_is_not_stored_goes_on_and_so_do_jobs",
    "test_work_that_does_not_listen_is_ended_with_its_process",
)
"""Tests after which workers are started anew, and import again what the others have imported already."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what costs the workers their processes after all else that this folder asks of them."""
    here = [place for place, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ours = sorted((items[place] for place in here), key=lambda item: item.name in LAST)
    for place, item in zip(here, ours, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def shared_bucket() -> Iterator[Bucket]:
    """The bucket that the workers reach, and this process does not unless it has its environment."""
    with serving() as found:
        yield found


@pytest.fixture(scope="session")
def worker_environment(shared_bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the workers have to reach the bucket, and the folder of their working copies of it."""
    return {**shared_bucket.environment(), "LANDLIKE_CACHE": str(tmp_path_factory.mktemp("far"))}


@pytest.fixture(scope="session")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, worker_environment: dict[str, str]
) -> Iterator[LocalCluster]:  # fmt: skip
    found = LocalCluster(tmp_path_factory.mktemp("cluster"), environment=worker_environment)
    yield found
    found.close()


@pytest.fixture
def queues(tmp_path: Path, cluster: LocalCluster) -> Iterator[Started]:
    """Start a queue whose jobs the cluster does; closes it in the end."""
    begun: list[tuple[JobQueue, str, Path]] = []

    def start(root: Path = tmp_path, address: str = cluster.address, slots: int = 1) -> JobQueue:
        kinds = {name: JobKind(task=task, lane="far", grace=0.3) for name, task in TASKS.items()}
        config = Config(root=root, model_cache=root, scheduler=address)
        lane = Lane(executor=lambda: ClusterExecutor(config), slots=slots, forget=partial(forget_run, config))
        queue = JobQueue(root, kinds, {"far": lane})
        queue.start()
        begun.append((queue, address, root))
        return queue

    yield start
    for queue, address, root in begun:
        queue.close()
        cluster_at(address, root).close()
