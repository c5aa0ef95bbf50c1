"""The queue: one job for the same request, order, cancelling, failures, and life after kill -9."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.errors import JobError, StoreError
from core.features.store import FeatureStore
from core.jobs.executor import JobCall
from core.jobs.files import JobFiles, ProgressNote
from core.jobs.lanes import JobKind, Lane
from core.jobs.queue import Job, JobQueue, job_id
from core.jobs.worker import JobOutcome, Work
from core.scenes.cut import Cut
from core.scenes.patches import patch_grid
from tests.fakes import TASKS, PlaceEncoder, ThreadWorker, place_scene, process_queue, recipe_of
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[3]


def get(queue: JobQueue, job: Job) -> Job:
    found = queue.get(job.id)
    assert found is not None
    return found


def test_what_is_done_is_told_until_it_is_known_how_far(tmp_path: Path) -> None:
    files = JobFiles(tmp_path)
    work = Work(files, "a", "Opening")
    work.doing("checking file 1 of 3")
    work.doing("opening file 1 of 3")
    assert (files.progress("a").doing, files.progress("a").total) == ("opening file 1 of 3", 0)
    work.progress(1, 1)
    work.doing("opening file 2 of 3")
    assert (files.progress("a").doing, files.progress("a").total) == ("", 1)
    work.waiting("waiting for a worker")
    assert (files.progress("a").doing, files.progress("a").done) == ("waiting for a worker", 1)
    work.waiting("")
    assert files.progress("a").doing == ""


def test_what_is_told_too_soon_after_a_note_is_noted_when_it_is_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = JobFiles(tmp_path)
    work = Work(files, "a", "Arranging")
    monkeypatch.setattr("core.jobs.worker.NOTE_SECONDS", 3600)
    work.progress(1, 10)
    work.progress(2, 10)
    work.progress(2, 10)
    assert files.progress("a").done == 1
    monkeypatch.setattr("core.jobs.worker.NOTE_SECONDS", 0)
    work.progress(2, 10)
    assert files.progress("a").done == 2


class Gate:
    """Tasks in threads of this process that wait to be let through."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.ran: list[str] = []

    def task(self, work: Work, payload: Mapping[str, Any]) -> str:
        self.ran.append(payload["name"])
        while not self.open.wait(0.01):
            work.progress(len(self.ran), 100)
        return f"result of {payload['name']}"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def queue(tmp_path: Path, gate: Gate) -> Iterator[JobQueue]:
    kinds = {name: JobKind(task=task, lane="thread") for name, task in TASKS.items()}
    kinds["gate"] = JobKind(task=gate.task, lane="thread")
    kinds["side"] = JobKind(task=gate.task, lane="side")
    lane = Lane(executor=ThreadWorker)
    queue = JobQueue(tmp_path, kinds, {"thread": lane, "side": lane})
    queue.start()
    yield queue
    gate.open.set()
    queue.close()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[JobQueue]:
    queue = process_queue(tmp_path)
    queue.start()
    yield queue
    queue.close()


def test_a_job_runs_and_its_message_is_the_result(queue: JobQueue, gate: Gate) -> None:
    job = queue.submit("gate", "a", "Title", {"name": "a"})
    assert job.title == "Title"
    gate.open.set()
    done = queue.wait(job.id, 10)
    assert (done.state, done.message, done.position) == ("done", "result of a", 0)


def test_the_same_request_is_the_same_job_until_it_has_ended(queue: JobQueue, gate: Gate) -> None:
    first = queue.submit("gate", "a", "A", {"name": "a"})
    second = queue.submit("gate", "a", "A", {"name": "a"})
    other = queue.submit("gate", "b", "B", {"name": "b"})
    assert first.id == second.id != other.id
    gate.open.set()
    queue.wait(other.id, 10)
    assert gate.ran == ["a", "b"]
    again = queue.submit("gate", "a", "A", {"name": "again"})
    assert again.id == first.id
    queue.wait(again.id, 10)
    assert gate.ran == ["a", "b", "again"]


def test_others_see_their_place_in_the_queue(queue: JobQueue, gate: Gate) -> None:
    jobs = [queue.submit("gate", name, name, {"name": name}) for name in "abc"]
    aside = queue.submit("side", "d", "d", {"name": "d"})
    until(lambda: len(gate.ran) == 2)
    assert [get(queue, job).position for job in jobs] == [0, 1, 2]
    assert [get(queue, job).state for job in jobs] == ["running", "queued", "queued"]
    assert get(queue, aside).state == "running"
    assert [job.title for job in queue.jobs()] == ["d", "c", "b", "a"]
    gate.open.set()
    queue.wait(jobs[2].id, 10)
    assert [name for name in gate.ran if name != "d"] == ["a", "b", "c"]


def test_progress_has_a_rate_and_the_time_left(queue: JobQueue) -> None:
    job = queue.submit("count", "a", "Counting", {"total": 60, "delay": 0.02})
    until(lambda: get(queue, job).done >= 25)
    seen = get(queue, job)
    assert seen.total == 60
    assert 10 < seen.rate <= 50
    assert seen.seconds_left is not None
    assert 0 <= seen.seconds_left <= 4
    assert queue.wait(job.id, 10).done == 60


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_step(queue: JobQueue, gate: Gate) -> None:
    running = queue.submit("gate", "a", "Encoding", {"name": "a"})
    waiting = queue.submit("gate", "b", "Encoding", {"name": "b"})
    until(lambda: gate.ran == ["a"])
    queue.cancel(waiting.id)
    assert get(queue, waiting).state == "cancelled"
    queue.cancel(running.id)
    ended = queue.wait(running.id, 10)
    assert ended.state == "cancelled"
    assert ended.message.startswith("Encoding: it was cancelled; ")
    assert gate.ran == ["a"]
    gate.open.set()
    assert queue.wait(queue.submit("gate", "a", "Encoding", {"name": "a"}).id, 10).state == "done"


def test_a_job_that_does_not_listen_says_that_it_stops_until_its_worker_is_killed(processes: JobQueue) -> None:
    job = processes.submit("deaf", "a", "Arranging", {"seconds": 120})
    until(lambda: get(processes, job).total == 1)
    assert not get(processes, job).stopping
    processes.cancel(job.id)
    seen = get(processes, job)
    assert (seen.state, seen.stopping) == ("running", True)
    ended = processes.wait(job.id, 10)
    assert (ended.state, ended.stopping) == ("cancelled", False)


def test_an_ended_job_is_dismissed_for_all_and_for_good(queue: JobQueue, gate: Gate, tmp_path: Path) -> None:
    failed = queue.wait(queue.submit("refuse", "a", "Encoding").id, 10)
    running = queue.submit("gate", "a", "A", {"name": "a"})
    for name in (failed.id, running.id, "nothing"):
        queue.dismiss(name)
    assert [job.id for job in queue.jobs()] == [running.id]
    assert queue.get(failed.id) == failed, "who asked for it still sees why it is not done"
    assert [record.id for record in JobFiles(tmp_path / "jobs").records() if record.dismissed] == [failed.id]
    again = queue.submit("refuse", "a", "Encoding")
    assert again.id in [job.id for job in queue.jobs()]


def test_a_job_waits_for_another_and_shares_its_failure(queue: JobQueue, gate: Gate) -> None:
    before = queue.submit("gate", "a", "a", {"name": "a"})
    after = queue.submit("side", "b", "b", {"name": "b"}, after=before.id)
    until(lambda: gate.ran == ["a"])
    assert get(queue, after).state == "queued"
    gate.open.set()
    assert queue.wait(after.id, 10).state == "done"
    assert gate.ran == ["a", "b"]
    refused = queue.submit("refuse", "r", "r")
    follower = queue.submit("side", "c", "c", {"name": "c"}, after=refused.id)
    assert queue.wait(follower.id, 10).message == queue.wait(refused.id, 10).message
    assert gate.ran == ["a", "b"]


def test_a_refusal_is_the_sentence_of_its_error(queue: JobQueue) -> None:
    ended = queue.wait(queue.submit("refuse", "a", "Encoding").id, 10)
    assert (ended.state, ended.message) == ("failed", "Encoding “x”: the model is missing; download it.")


def test_an_unexpected_failure_is_logged_and_told_neutrally(queue: JobQueue, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "core.jobs.worker"):
        ended = queue.wait(queue.submit("crash", "a", "Encoding").id, 10)
    expected = "Encoding: something unexpected went wrong (ZeroDivisionError); details are in the server's log."
    assert (ended.state, ended.message) == ("failed", expected)
    assert "a secret detail" in caplog.text
    assert "Traceback" in caplog.text


def test_what_is_there_already_is_a_done_job(queue: JobQueue) -> None:
    job = queue.settled("gate", "a", "A", "scene-1")
    assert (job.state, job.message, job.id) == ("done", "scene-1", job_id("gate", "a"))
    assert queue.wait(job.id, 1) == job
    assert queue.submit("gate", "a", "A", {"name": "a"}).active


def test_unknown_jobs(queue: JobQueue) -> None:
    assert queue.get("nothing") is None
    queue.cancel("nothing")
    assert queue.payload("nothing") == {}
    with pytest.raises(JobError, match="there is no such job"):
        queue.wait("nothing", 1)


def counting(root: Path, **keep: float) -> JobQueue:
    """A started queue that counts in a thread."""
    kinds = {"count": JobKind(task=TASKS["count"], lane="thread")}
    queue = JobQueue(root, kinds, {"thread": Lane(executor=ThreadWorker)}, **keep)  # type: ignore[arg-type]
    queue.start()
    return queue


def test_old_jobs_are_forgotten_and_their_files_removed(tmp_path: Path) -> None:
    queue = counting(tmp_path, keep_count=3)
    for number in range(6):
        queue.wait(queue.submit("count", str(number), "x", {"total": 1, "delay": 0}).id, 10)
    until(lambda: len(queue.jobs()) == 3)
    assert len(list((tmp_path / "jobs").glob("*.json"))) == 3
    assert len(list((tmp_path / "jobs").glob("*.progress"))) == 3
    queue.close()
    queue = counting(tmp_path, keep_seconds=0)
    queue.submit("count", "last", "x", {"total": 1, "delay": 0})
    until(lambda: not list((tmp_path / "jobs").glob("*.json")))
    queue.close()


def test_a_second_server_on_the_same_data_is_refused(queue: JobQueue, tmp_path: Path) -> None:
    second = process_queue(tmp_path)
    with pytest.raises(StoreError, match=rf"another server works on them \(process {os.getpid()}\)"):
        second.start()


def test_a_full_disk_does_not_stop_the_queue(queue: JobQueue, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(JobFiles, "write", full)
    gate.open.set()
    assert queue.wait(queue.submit("gate", "a", "A", {"name": "a"}).id, 10).state == "done"


def test_a_worker_that_cannot_be_started_fails_one_job_and_not_the_queue(tmp_path: Path, gate: Gate) -> None:
    starts = iter([ModuleNotFoundError("no module"), ModuleNotFoundError("no module")])

    def start() -> ThreadWorker:
        for error in starts:
            raise error
        return ThreadWorker()

    lane = Lane(executor=start)
    queue = JobQueue(tmp_path, {"gate": JobKind(task=gate.task, lane="thread")}, {"thread": lane})
    queue.start()
    try:
        gate.open.set()
        ended = [queue.wait(queue.submit("gate", name, "Encoding", {"name": name}).id, 10) for name in "abc"]
    finally:
        queue.close()
    expected = "Encoding: something unexpected went wrong (ModuleNotFoundError); details are in the server's log."
    assert [(job.state, job.message) for job in ended] == [
        ("failed", expected),
        ("failed", expected),
        ("done", "result of c"),
    ]


def test_a_worker_that_dies_is_replaced_but_a_job_that_kills_three_has_failed(
    processes: JobQueue, tmp_path: Path
) -> None:
    log, other = tmp_path / "log", tmp_path / "other"
    ended = processes.wait(processes.submit("die", "a", "Encoding", {"log": str(log), "times": 99}).id, 60)
    assert ended.state == "failed"
    assert ended.message.startswith("Encoding: the process that did it was killed 3 times, ")
    assert len(log.read_text().splitlines()) == 3
    ended = processes.wait(processes.submit("die", "b", "B", {"log": str(other), "times": 1}).id, 60)
    assert (ended.state, ended.message) == ("done", "survived")
    assert len(other.read_text().splitlines()) == 2


def test_a_worker_that_never_told_how_far_it_is_is_killed_too(processes: JobQueue) -> None:
    job = processes.submit("silent", "a", "Arranging", {"seconds": 120})
    until(lambda: get(processes, job).state == "running")
    processes.cancel(job.id)
    assert processes.wait(job.id, 30).state == "cancelled"


@pytest.fixture
def followed(tmp_path: Path, gate: Gate) -> Iterator[tuple[JobQueue, list[str]]]:
    """A queue in which jobs of the kind “next” usually follow those of “gate”, and what became of its warming up."""
    warmed: list[str] = []
    kinds = {"gate": JobKind(task=gate.task, lane="first"), "other": JobKind(task=gate.task, lane="first")}
    kinds["next"] = JobKind(task=lambda *_: "; ".join(warmed), lane="second")
    second = Lane(executor=ThreadWorker, warm=lambda: warmed.append("warm"), warm_beside=frozenset({"gate"}))
    queue = JobQueue(tmp_path, kinds, {"first": Lane(executor=ThreadWorker), "second": second})
    queue.start()
    yield queue, warmed
    gate.open.set()
    queue.close()


def test_a_lane_is_warmed_while_the_job_before_its_own_runs(followed: tuple[JobQueue, list[str]], gate: Gate) -> None:
    queue, warmed = followed
    first = queue.submit("gate", "a", "A", {"name": "a"})
    until(lambda: warmed)
    assert get(queue, first).state == "running"
    queue.submit("gate", "b", "B", {"name": "b"})
    gate.open.set()
    assert queue.wait(queue.submit("next", "c", "C").id, 10).message == "warm", "once, whatever else runs"
    assert warmed == ["warm"]


def test_a_lane_that_had_work_or_expects_none_is_not_warmed(followed: tuple[JobQueue, list[str]], gate: Gate) -> None:
    queue, warmed = followed
    other = queue.submit("other", "a", "A", {"name": "a"})
    until(lambda: get(queue, other).state == "running")
    assert queue.wait(queue.submit("next", "b", "B").id, 10).message == "", "its first job did not wait for it"
    gate.open.set()
    queue.wait(other.id, 10)
    queue.wait(queue.submit("gate", "c", "C", {"name": "c"}).id, 10)
    assert warmed == [], "by its first job it is warm"


class Relay:
    """An executor elsewhere: progress and wishes to cancel go through its hands, and it is told to kill."""

    def __init__(self) -> None:
        self.killed = 0
        self.running: Future[JobOutcome] = Future()

    def submit(self, call: JobCall) -> Future[JobOutcome]:
        self.running = Future()
        call.files.note(call.job_id, ProgressNote(done=3, total=9))
        if call.payload.get("obedient"):
            threading.Thread(target=self._obey, args=(call, self.running), daemon=True).start()
        return self.running

    def _obey(self, call: JobCall, running: Future[JobOutcome]) -> None:
        until(lambda: call.files.cancel_asked(call.job_id))
        running.set_result(JobOutcome(state="cancelled", message="far away"))

    def warm(self, function: Callable[[], object]) -> Future[Any]:
        raise AssertionError("nothing is warmed here")

    def kill(self) -> None:
        self.killed += 1
        self.running.set_exception(BrokenExecutor("killed"))

    def shutdown(self) -> None:
        pass


def test_progress_cancelling_and_killing_belong_to_the_executor(tmp_path: Path) -> None:
    """Another place to work is one class: no process of this computer is in it."""
    relay = Relay()
    kinds = {"far": JobKind(task=TASKS["count"], lane="far", grace=0.1)}
    queue = JobQueue(tmp_path, kinds, {"far": Lane(executor=lambda: relay)})
    queue.start()
    job = queue.submit("far", "a", "Far", {"obedient": True})
    until(lambda: get(queue, job).done == 3)
    assert get(queue, job).total == 9
    queue.cancel(job.id)
    assert queue.wait(job.id, 10).message == "far away"
    assert relay.killed == 0
    job = queue.submit("far", "b", "Far", {})
    until(lambda: get(queue, job).done == 3)
    queue.cancel(job.id)
    assert queue.wait(job.id, 10).state == "cancelled"
    assert relay.killed == 1
    queue.close()


def test_closing_ends_the_worker_and_the_next_queue_goes_on(tmp_path: Path) -> None:
    first = process_queue(tmp_path)
    first.start()
    job = first.submit("count", "a", "A", {"total": 30, "delay": 0.05})
    behind = first.submit("count", "b", "B", {"total": 1, "delay": 0})
    until(lambda: get(first, job).done > 0)
    worker = psutil.Process(JobFiles(tmp_path / "jobs").progress(job.id).pid)
    started = time.monotonic()
    first.close()
    assert time.monotonic() - started < 3
    gone, _ = psutil.wait_procs([worker], timeout=5)
    assert gone
    second = process_queue(tmp_path)
    second.start()
    assert second.wait(behind.id, 60).state == "done"
    assert get(second, job).state == "done"
    second.close()


def logged(path: Path) -> list[str]:
    return path.read_text().splitlines()


def committed(root: Path, store: FeatureStore, places: dict[str, int]) -> set[str]:
    """Places of the patches in the store, as the encoder logs them."""
    recipe = recipe_of(place_library(root), PlaceEncoder())
    done = set(store.done_ids(recipe).tolist())
    return {place for place, patch_id in places.items() if patch_id in done}


def place_library(root: Path) -> Any:
    from core.scenes.library import Library

    return Library(root).get("place-1")


def all_places(root: Path) -> dict[str, int]:
    grid = patch_grid(place_library(root), Cut.of(16))
    return {"{} {}".format(*grid.window(patch_id)[:2]): patch_id for patch_id in range(grid.count)}


def test_kill_9_of_the_server_ends_its_worker_and_the_next_server_goes_on(tmp_path: Path) -> None:
    scene, store = place_scene(tmp_path), FeatureStore(tmp_path)
    recipe, places, log = recipe_of(scene, PlaceEncoder()), all_places(tmp_path), tmp_path / "encoder.log"
    code = f"from pathlib import Path; from tests.fakes import serve_until_killed as s; s(Path({str(tmp_path)!r}))"
    server = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    files, name = JobFiles(tmp_path / "jobs"), job_id("encode", recipe.key)
    try:
        until(lambda: files.progress(name).done >= 24, 60)
        worker = psutil.Process(files.progress(name).pid)
    finally:
        server.kill()
        server.wait()
    gone, _ = psutil.wait_procs([worker], timeout=5)
    assert gone or worker.status() == psutil.STATUS_ZOMBIE
    kept, before = committed(tmp_path, store, places), logged(log)
    assert 24 <= len(kept) < len(places)
    queue = process_queue(tmp_path)
    queue.start()
    ended = queue.wait(name, 60)
    queue.close()
    assert ended.state == "done"
    after = logged(log)[len(before) :]
    assert not kept & set(after)
    assert set(after) == places.keys() - kept
    assert store.read(recipe).patch_ids.tolist() == sorted(places.values())
