"""Jobs on a real cluster: progress, cancelling, workers that die, servers that come back; and none on one not there."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from core.__main__ import main
from core.jobs.cluster.connection import cluster_at
from core.jobs.queue import JobQueue
from core.jobs.scheduler import absence
from tests.clusters import DEATHS, LocalCluster, workers_ready
from tests.core.jobs.cluster.conftest import Started
from tests.waiting import free_port, until


def doing(queue: JobQueue, name: str) -> str:
    found = queue.get(name)
    return "" if found is None else found.doing


def test_a_job_runs_on_a_worker_tells_how_far_it_is_and_obeys(queues: Started, tmp_path: Path) -> None:
    queue = queues()
    job = queue.submit("count", "a", "Counting", {"total": 20, "delay": 0.02})
    until(lambda: 0 < queue.jobs()[0].done < 20)
    assert queue.jobs()[0].total == 20
    assert queue.wait(job.id, 30).message == "counted"
    endless = queue.submit("count", "b", "Counting", {"total": 10**6, "delay": 0.02})
    until(lambda: queue.jobs()[0].done > 1)
    queue.cancel(endless.id)
    assert queue.wait(endless.id, 30).message.startswith("Counting: it was cancelled; ")
    refused = queue.wait(queue.submit("refuse", "a", "Encoding").id, 30)
    assert (refused.state, refused.message) == ("failed", "Encoding “x”: the model is missing; download it.")


def looks_of(dask_worker: Any) -> list[float]:
    return [one.callback_time for one in dask_worker.periodic_callbacks.values()]


def test_a_worker_that_has_nothing_to_do_does_next_to_nothing(cluster: LocalCluster, tmp_path: Path) -> None:
    workers_ready(cluster.address, tmp_path, 2)
    with Client(cluster.address, set_as_default=False) as client:
        often = client.run(looks_of)
    cluster_at(cluster.address, tmp_path).close()
    assert len(often) == 2
    assert min(min(one) for one in often.values()) >= 500, "in ms; Dask itself looks every 10"


def test_two_servers_with_data_of_their_own_share_the_workers(
    queues: Started, tmp_path: Path, cluster: LocalCluster
) -> None:
    roots = [tmp_path / name for name in ("one", "two")]
    both = [queues(root) for root in roots]
    workers_ready(cluster.address, roots[0], 2)
    jobs = [queue.submit("count", "a", "Counting", {"total": 60, "delay": 0.02}) for queue in both]
    until(lambda: all(queue.jobs()[0].done for queue in both), failure="both at once")
    assert [queue.wait(job.id, 30).state for queue, job in zip(both, jobs, strict=True)] == ["done", "done"]


def test_what_a_server_left_on_a_worker_is_not_done_twice(queues: Started, tmp_path: Path) -> None:
    first, log = queues(), tmp_path / "log"
    payload = {"total": 60, "delay": 0.02, "log": str(log), "name": "begun"}
    job = first.submit("count", "a", "Counting", payload)
    until(lambda: first.jobs()[0].done > 1)
    first.close()
    second = queues()
    assert second.wait(job.id, 30).message == "counted"
    assert log.read_text().splitlines() == ["begun"]
    again = second.submit("count", "a", "Counting", payload)
    assert second.wait(again.id, 30).state == "done"
    assert log.read_text().splitlines() == ["begun", "begun"], "who asks anew gets it done anew"


def test_a_job_that_kills_its_workers_is_tried_by_another_and_has_failed_then(queues: Started, tmp_path: Path) -> None:
    queue, log = queues(), tmp_path / "log"
    ended = queue.wait(queue.submit("die", "a", "Encoding", {"log": str(log), "times": 99}).id, 90)
    assert ended.state == "failed"
    assert ended.message.startswith(f"Encoding: {DEATHS} workers died over it, the last one tcp://127.0.0.1:")
    assert len(log.read_text().splitlines()) == DEATHS


def test_work_that_does_not_listen_is_ended_with_its_process(
    queues: Started, tmp_path: Path, cluster: LocalCluster
) -> None:
    queue = queues()
    workers_ready(cluster.address, tmp_path, 2)
    before = {one.pid for one in cluster.working()}
    job = queue.submit("deaf", "a", "Arranging", {"seconds": 300})
    until(lambda: queue.jobs()[0].total == 1)
    queue.cancel(job.id)
    assert queue.wait(job.id, 60).state == "cancelled"
    assert len(before - {one.pid for one in cluster.working()}) == 1


def test_without_a_scheduler_jobs_wait_say_so_and_can_be_stopped(queues: Started) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    queue = queues(address=address)
    job = queue.submit("count", "a", "Counting", {"total": 1, "delay": 0})
    words = f"waiting for the Dask scheduler at {address}, which does not answer"
    until(lambda: doing(queue, job.id) == words)
    queue.cancel(job.id)
    began = time.monotonic()
    assert queue.wait(job.id, 30).state == "cancelled"
    assert time.monotonic() - began < 5


def test_a_server_says_at_its_start_that_no_scheduler_answers() -> None:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    assert absence(address).startswith(
        f"Using the Dask cluster at {address}: nobody answers there; start its scheduler"
    )
    with socket.create_server(("127.0.0.1", port)):
        assert absence(address) == ""


def test_a_worker_is_told_what_it_lacks(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLIKE_SCHEDULER", "local")
    for arguments, words in (
        ((), "no scheduler is named; give it as tcp://HOST:8786."),
        (("10.0.0.1",), "the address of the Dask scheduler is “10.0.0.1”; give it in the form tcp://host:8786"),
        (("tcp://127.0.0.1:1", "--niceness", "99"), "--niceness is 99; give 0 to 19."),
    ):
        assert main(["worker", *arguments]) == 1
        assert words in capsys.readouterr().err
