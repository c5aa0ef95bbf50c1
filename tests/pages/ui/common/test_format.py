"""Numbers as people read them, and how far work is."""

from __future__ import annotations

import datetime

import pytest

from core.jobs.queue import Job
from pages.ui.common.format import count, distinct, duration, moment, patches, size
from pages.ui.common.progress import progress_words


def job(**changes: object) -> Job:
    return Job(**{"id": "a", "kind": "encode", "title": "Encoding", "state": "running", **changes})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (4.4, "4 s"), (12, "10 s"), (88, "90 s"), (91, "2 min"), (3599, "1 h 0 min"), (4800, "1 h 20 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (23_400_000, "23 MB"), (1.4e9, "1.4 GB")],
)
def test_sizes(number: int, words: str) -> None:
    assert size(int(number)) == words


def test_counts() -> None:
    assert patches(1) == "1 patch"
    assert patches(1600) == "1,600 patches"
    assert count(2, "assumption") == "2 assumptions"


def test_encoding_says_how_many_how_fast_and_how_long() -> None:
    shown = progress_words(job(done=640, total=1600, rate=52.3, seconds_left=18.4))
    assert shown == "640 of 1,600 patches · 52 a second · about 20 s left"


def test_downloads_count_bytes_and_other_work_a_share() -> None:
    assert progress_words(job(kind="fetch", done=5_000_000, total=94_000_000, rate=1e6)) == (
        "5.0 MB of 94 MB · 1.0 MB a second"
    )
    assert progress_words(job(kind="sample", done=3, total=8)) == "37 %"
    assert progress_words(job(kind="sample", done=8, total=8, seconds_left=1)) == "finishing…"


def test_the_queue_says_how_many_are_before() -> None:
    assert progress_words(job(state="queued", position=3)) == "waiting for 3 others…"
    assert progress_words(job(state="queued", position=1)) == "next in line…"
    assert progress_words(job(total=0)) == "starting…"
    assert progress_words(job(total=0, doing="opening file 3 of 13")) == "opening file 3 of 13…"
    assert progress_words(job(done=3, total=8, doing="waiting for a worker")) == "waiting for a worker…"


def test_titles_that_repeat_get_a_number() -> None:
    titles = {"a": "Fields", "b": "Fields (2)", "c": "Fields", "d": "Woods", "e": "Fields"}
    assert distinct(titles) == {"a": "Fields", "b": "Fields (2)", "c": "Fields (3)", "d": "Woods", "e": "Fields (4)"}


def test_moments_are_told_by_the_reader_s_clock() -> None:
    now = datetime.datetime(2026, 3, 1, 23, 30, tzinfo=datetime.UTC).timestamp()
    assert moment(now, now, "Europe/Rome") == "today 00:30"
    assert moment(now - 3600, now, "Europe/Rome") == "yesterday 23:30"
    assert moment(now + 24 * 3600, now, "UTC") == "tomorrow 23:30"
    assert moment(now - 7 * 24 * 3600, now, "UTC") == "2026-02-22 23:30"
    assert moment(now, now, "no/zone").startswith("today")
    assert moment(now, now, None).startswith("today")
