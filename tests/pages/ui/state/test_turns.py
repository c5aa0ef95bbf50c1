"""Turns are taken in order, given back whatever happens, and never keep anybody for good."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from pages.ui.state.turns import Turns


def until(count: Callable[[], int], reached: int) -> None:
    end = time.monotonic() + 10
    while count() != reached:
        assert time.monotonic() < end
        time.sleep(0.001)


class Visitors:
    """Threads that take a turn each, hold it until they are let go, and note the order."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.began: list[int] = []
        self.ended = threading.Semaphore(0)
        self.threads: list[threading.Thread] = []

    def come(self) -> None:
        number = len(self.threads)
        self.threads.append(threading.Thread(target=self._run, args=(number,), daemon=True))
        self.threads[-1].start()

    def _run(self, number: int) -> None:
        with self.turns.turn():
            self.began.append(number)
            self.ended.acquire()


def test_only_some_run_at_once_and_the_others_in_the_order_in_which_they_came() -> None:
    turns = Turns(2, patience=60)
    visitors = Visitors(turns)
    for number in range(6):
        visitors.come()
        until(lambda: len(visitors.began) + turns.waiting, number + 1)
    assert visitors.began == [0, 1]
    for count in range(3, 7):
        visitors.ended.release()
        until(lambda: len(visitors.began), count)
    assert visitors.began == [0, 1, 2, 3, 4, 5]
    visitors.ended.release(2)
    for thread in visitors.threads:
        thread.join(10)
    assert (turns.held, turns.waiting) == (0, 0)


def test_who_takes_long_loses_the_turn_to_those_who_wait() -> None:
    turns = Turns(1, patience=0.05)
    visitors = Visitors(turns)
    visitors.come()
    until(lambda: len(visitors.began), 1)
    for _ in range(2):
        with turns.turn():
            assert turns.held == 1
    assert turns.held == 0, "the slow one runs on without a turn"
    visitors.ended.release()
    visitors.threads[0].join(10)
    with turns.turn():
        assert (turns.held, turns.waiting) == (1, 0)


def test_a_run_that_fails_gives_its_turn_back() -> None:
    turns = Turns(1)
    with pytest.raises(ZeroDivisionError), turns.turn():
        raise ZeroDivisionError
    assert turns.held == 0


def test_who_waits_for_the_first_page_is_told_of_it() -> None:
    turns = Turns()
    with turns.turn():
        assert not turns.made_a_page.is_set()
    assert turns.made_a_page.is_set()
