"""How far umap-learn is: told while it compiles, looks distances up and moves points. What it is asked is elsewhere.

umap-learn itself tells nothing but its epochs, to a bar. Whatever ``progress`` raises here passes through umap-learn
and numba and ends their work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from core.progress import Progress

_LOOK_UPS = 4096
"""Distances between two words on how many have been looked up."""


class LastTold:
    """A progress that can be told again what it was told last: that work goes on, though nobody knows how far it is."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._last = progress, (0, 1000)

    def __call__(self, done: int, total: int) -> None:
        """Tell how far the work is."""
        self._last = (done, total)
        self._progress(done, total)

    def again(self) -> None:
        """Tell once more what was told last."""
        self._progress(*self._last)


@contextmanager
def compilation_told(heard: Callable[[], None]) -> Iterator[None]:
    """Call ``heard`` at each step of what numba compiles in this thread, by numba's own events.

    The first layout of a process compiles for many seconds. What ``heard`` raises ends the compiling, and is raised
    here. numba gives its locks back then, and compiles anew the next time. In some places it takes any error for a way
    of compiling that does not work and tries another, so the error is raised at all steps that follow, too.
    """
    from numba.core import event

    mine = threading.get_ident()
    raised: list[Exception] = []

    class Steps(event.Listener):  # type: ignore[misc]  # numba is not looked into
        def on_start(self, event: object) -> None:
            if threading.get_ident() == mine:
                try:
                    if not raised:
                        heard()
                except Exception as error:  # noqa: BLE001  whatever it is, it is raised below
                    raised.append(error)
                if raised:
                    raise raised[0]

        def on_end(self, event: object) -> None:
            """Do nothing: errors on their way out come by here."""

    try:
        with event.install_listener("numba:run_pass", Steps()):
            yield
    except Exception:
        if not raised:
            raise
    if raised:
        raise raised[0]


def watched(model: Any, progress: Progress) -> Any:  # noqa: ANN401  umap-learn is not typed
    """Return a model of umap-learn's that tells of what it does between neighbours and epochs.

    Its method ``_fit_embed_data`` is umap-learn's place for such changes. It is called when the graph is made.

    Args:
        model: a ``umap.UMAP`` that is not fitted.
        progress: told once the graph is made, and then how many distances densMAP has looked up.
    """
    move = model._fit_embed_data

    def told(*arguments: object, **options: object) -> object:
        progress(0, 1)
        if model.densmap:
            known = model._densmap_kwds["graph_dists"]
            # Each edge is looked up twice, but not those that are too weak to be kept.
            model._densmap_kwds["graph_dists"] = GraphDistances(known, 2 * model.graph_.nnz, progress)
        return move(*arguments, **options)

    model._fit_embed_data = told
    return model


class GraphDistances:
    """Distances between rows that an edge joins, as densMAP looks them up: pair by pair, in a loop in Python.

    They stand in for a sparse matrix of scipy's, which is many times slower to answer and tells nobody how far it is.
    """

    def __init__(self, known: Mapping[tuple[int, int], np.float32], look_ups: int, progress: Progress) -> None:
        self._known = dict(known.items())
        self._done, self._total, self._progress = 0, look_ups, progress

    def __getitem__(self, pair: tuple[int, int]) -> np.float32:
        """Return the distance between two rows; 0 where none is known, as a sparse matrix does."""
        self._done += 1
        if self._done % _LOOK_UPS == 0:
            self._progress(min(self._done, self._total), self._total)
        return self._known.get(pair, np.float32(0))


def epochs_told(progress: Progress, epochs: int) -> dict[str, Any]:
    """Return arguments by which umap-learn's own bar of epochs, drawn by tqdm, tells ``progress`` of each.

    The bar is not drawn but written to an object of ours. What ``progress`` raises there ends umap-learn's loop.
    """
    return {
        "file": _Told(progress, epochs),
        "bar_format": "{n}",
        "desc": "",
        "mininterval": 0,
        "miniters": 1,
        "disable": False,
        "leave": True,
    }


class _Told:
    """A text file whose lines are numbers of epochs done; deaf to tqdm's last once ``progress`` has raised."""

    def __init__(self, progress: Progress, epochs: int) -> None:
        self._progress, self._epochs = progress, epochs
        self._deaf = False

    def write(self, text: str) -> int:
        """Tell what a line says."""
        number = text.strip()
        if number.isdigit() and not self._deaf:
            self._deaf = True
            self._progress(min(int(number), self._epochs), self._epochs)
            self._deaf = False
        return len(text)

    def flush(self) -> None:
        """Do nothing; there is no buffer."""
