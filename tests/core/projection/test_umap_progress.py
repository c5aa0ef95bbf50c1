"""How far umap-learn is: told where it would be silent, and stopped there without harm to what comes after."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from numba.core import event
from scipy.sparse import random_array

from core.errors import JobCancelledError
from core.progress import silent
from core.projection.methods import arrange
from core.projection.settings import ProjectionSettings
from core.projection.umap_learn import quiet_umap
from core.projection.umap_progress import GraphDistances, LastTold, compilation_told
from tests.core.projection.features import clustered


def test_distances_are_those_of_the_sparse_matrix_they_stand_in_for() -> None:
    known = random_array((40, 40), density=0.2, dtype=np.float32, rng=np.random.default_rng(0)).todok()
    distances = GraphDistances(known, 1600, silent)
    # umap-learn asks with numbers of numpy's.
    rows = np.arange(40, dtype=np.int32)
    found = [[distances[row, column] for column in rows] for row in rows]
    np.testing.assert_array_equal(found, known.toarray())
    assert {type(one) for row in found for one in row} == {np.float32}


def test_every_so_many_distances_are_told_and_never_more_than_there_are() -> None:
    told: list[tuple[int, int]] = []
    distances = GraphDistances({(0, 1): np.float32(2)}, 10_000, lambda done, total: told.append((done, total)))
    for _ in range(13_000):
        assert distances[0, 1] == 2
    assert told == [(4096, 10_000), (8192, 10_000), (10_000, 10_000)]


def test_densmap_tells_of_the_distances_it_looks_up() -> None:
    told: list[int] = []
    arrange(clustered(400)[0], ProjectionSettings(method="densmap"), progress=lambda done, _total: told.append(done))
    assert len({done for done in told if 270 < done < 300}) >= 3


def test_what_was_told_last_is_told_again() -> None:
    told: list[tuple[int, int]] = []
    progress = LastTold(lambda done, total: told.append((done, total)))
    progress.again()
    progress(3, 8)
    progress.again()
    assert told == [(0, 1000), (3, 8), (3, 8)]


def test_compiling_is_heard_and_stopped_and_done_anew() -> None:
    import numba

    @numba.njit
    def doubled(values: np.ndarray) -> np.ndarray:
        return values + values

    heard: list[int] = []

    def stop() -> None:
        heard.append(1)
        if len(heard) == 5:
            raise JobCancelledError("Arranging", "it was stopped", "start it again")

    with pytest.raises(JobCancelledError), compilation_told(stop):
        doubled(np.arange(3))
    assert len(heard) == 5
    np.testing.assert_array_equal(doubled(np.arange(3)), [0, 2, 4])
    assert len(heard) == 5, "nobody listens any more"


def test_compiling_in_other_threads_is_not_heard() -> None:
    import numba

    @numba.njit
    def tripled(value: int) -> int:
        return 3 * value

    found: list[int] = []
    with compilation_told(lambda: pytest.fail("heard")):
        other = threading.Thread(target=lambda: found.append(tripled(2)))
        other.start()
        other.join()
    assert found == [6]


def compiling_goes_on() -> None:
    """Two steps; the error of the first is lost."""
    with suppress(JobCancelledError):
        event.start_event("numba:run_pass")
    event.start_event("numba:run_pass")


def compiling_fails() -> None:
    """A step whose error becomes another one."""
    try:
        event.start_event("numba:run_pass")
    except JobCancelledError as error:
        raise TypeError("no way to compile this") from error


def compiling_ends() -> None:
    """The last step; its error is lost."""
    with suppress(JobCancelledError):
        event.start_event("numba:run_pass")


@pytest.mark.parametrize("compiling", [compiling_goes_on, compiling_fails, compiling_ends])
def test_an_error_that_is_lost_on_its_way_through_numba_is_raised_all_the_same(compiling: Callable[[], None]) -> None:
    asked: list[int] = []

    def stop() -> None:
        asked.append(1)
        raise JobCancelledError("Arranging", "it was stopped", "start it again")

    with pytest.raises(JobCancelledError), compilation_told(stop):
        compiling()
    assert len(asked) == 1


def test_errors_of_others_pass_through() -> None:
    with pytest.raises(ZeroDivisionError), compilation_told(lambda: None):
        raise ZeroDivisionError


def test_a_layout_stopped_while_umap_learn_compiles_can_be_made_after_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One of its functions is not compiled yet, and is not read from disk: stopped at two of its steps, then let run.

    Where numba loses the error on its way is shown above.
    """
    vectors, settings = clustered(100)[0], ProjectionSettings(method="umap")
    expected = arrange(vectors, settings)
    with quiet_umap() as umap:
        known = umap.umap_.compute_membership_strengths
    monkeypatch.setattr("core.projection.umap_learn.keep_compiled", lambda _names: None)

    def compiled_anew(stop_at: int = 0) -> tuple[int, bool]:
        """Steps that were heard of while it was compiled, and whether it was; stopped at one of them unless at 0."""
        fresh = type(known)(known.py_func, locals=known.locals, targetoptions=known.targetoptions)
        monkeypatch.setattr(umap.umap_, "compute_membership_strengths", fresh)
        heard: list[int] = []

        def tell(done: int, _total: int) -> None:
            if done == 250:
                heard.append(done)
                if len(heard) == stop_at:
                    raise JobCancelledError("Arranging", "it was stopped", "start it again")

        if stop_at:
            with pytest.raises(JobCancelledError):
                arrange(vectors, settings, progress=tell)
        else:
            np.testing.assert_array_equal(arrange(vectors, settings, progress=tell), expected)
        return len(heard), bool(fresh.signatures)

    compiled_anew()  # And so what it calls, once and for all.
    steps, done = compiled_anew()
    assert done
    assert steps > 10
    for step in (2, steps - 2):
        assert compiled_anew(step) == (step, False)
    assert compiled_anew() == (steps, True)
    assert capfd.readouterr() == ("", "")
