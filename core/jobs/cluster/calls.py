"""A call on its way to a worker of the cluster, and what comes back.

Dask's scheduler unpickles what it is given, and has no Landlike. So a call travels as bytes, and what the worker is
asked to do is to unpickle them, for which it needs nothing of ours before it begins.
"""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.errors import JobError, LandlikeError
from core.jobs.cluster.fitness import code_digest

_log = logging.getLogger(__name__)

_ONE_AT_A_TIME = threading.Lock()
"""Work of ours uses all processors by itself, and libraries of its allow one such thing a process."""


@dataclass(frozen=True, kw_only=True)
class CallAnswer:
    """What became of a call.

    Attributes:
        worker: the address of who did it.
        value: what it gave.
        error: what it raised, or None.
        unfit: True = it was not begun, because this worker has another Landlike.
    """

    worker: str
    value: Any = None
    error: LandlikeError | OSError | None = None
    unfit: bool = False


class _Sealed:
    """Pickles as the outcome of a call: who unpickles it, does it."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._function, self._arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._function, self._arguments


def hush_dask() -> None:
    """Keep Dask, once it is imported, from telling of broken connections, of which we tell in one sentence."""
    for name in [name for name in logging.Logger.manager.loggerDict if name.split(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def sealed(function: Callable[..., Any], *arguments: Any) -> bytes:  # noqa: ANN401  whatever it takes
    """Return a call as bytes; to unpickle them is to do it, and gives what it gives."""
    return pickle.dumps(_Sealed(function, arguments))


def sealed_task(asked: str, function: Callable[..., Any], *arguments: Any) -> bytes:  # noqa: ANN401
    """Return a call as bytes that gives a ``CallAnswer``, whatever happens.

    Args:
        asked: what is being done, for the sentence of what nobody expected.
        function: importable by name.
        arguments: its own.
    """
    return sealed(_carry_out, code_digest(), asked, sealed(function, *arguments))


def _carry_out(code: str, asked: str, call: bytes) -> CallAnswer:
    """Do a call in the worker; the boundary at which every failure of it becomes a sentence."""
    from distributed import get_worker

    here = str(get_worker().address)
    if code != code_digest():
        return CallAnswer(worker=here, unfit=True)
    try:
        with _ONE_AT_A_TIME:
            return CallAnswer(worker=here, value=pickle.loads(call))  # noqa: S301  from our own server
    except (LandlikeError, OSError) as error:
        return CallAnswer(worker=here, error=error)
    except Exception as error:  # noqa: BLE001  whatever it is, it has to come back; the worker's log has it all
        _log.exception("%s", asked)
        found = f"something unexpected went wrong ({type(error).__name__})"
        return CallAnswer(worker=here, error=JobError(asked, found, "details are in the worker's log"))
