"""Opening the data as configured: a folder as it is, a bucket as the working copy in a folder of this computer."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from pathlib import Path

from core.config import Config, working_copy
from core.errors import StoreError
from core.files import mirrored
from core.mirror.copy import WorkingCopy
from core.mirror.sweep import LEFT_SECONDS, sweep_bucket
from core.storage.address import open_storage
from core.storage.base import ObjectInfo, Storage
from core.storage.bucket import DEFAULT_PATIENCE, Patience
from core.storage.faults import NO_BUCKET

PAGE_PATIENCE = Patience(seconds=15.0, longest=4.0)
"""How long a bucket is waited for where a person waits: a page, or the start of a command."""

HURRY = Patience(seconds=1.0, longest=0.5, connect=2.0, request=20.0)
"""The same, once it is known not to answer."""

REFRESH_SECONDS = 3.0
"""Pause between two looks at what others wrote; longer where a look takes long."""

_MARK, _FORM = "landlike.json", b'{"landlike": "data", "version": 1}\n'
_HELD = b"conditions are kept\n"

_log = logging.getLogger(__name__)
_opening = threading.Lock()
_open: dict[Path, WorkingCopy] = {}


def open_data(config: Config, patience: Patience = DEFAULT_PATIENCE) -> WorkingCopy | None:
    """Open the data of a configuration in this process, once; None for a folder that is no working copy.

    What is in the bucket by now is in the folder then, but for large files.

    Args:
        config: names the bucket and the folder.
        patience: how long the bucket is waited for later on.

    Raises:
        StoreError: when the bucket cannot be used: one sentence without any credential.
    """
    if not config.bucket:
        return None
    with _opening:
        if config.root not in _open:
            check_bucket(open_storage(config.bucket, replace(patience, seconds=min(patience.seconds, 15.0))))
            hurried = open_storage(config.bucket, HURRY)
            copy = WorkingCopy(config.root, open_storage(config.bucket, patience), hurried=hurried)
            copy.refresh()
            mirrored(config.root, copy)
            _open[config.root] = copy
        return _open[config.root]


def at_worker(config: Config) -> Config:
    """Return a configuration as it is on a worker of a cluster, which does all of a job by itself; opened there.

    Of a bucket it has a working copy of its own.
    """
    if not config.bucket:
        return replace(config, scheduler="")
    root = working_copy(config.bucket)
    here = replace(config, root=root, model_cache=root / "models", scheduler="")
    open_data(here)
    return here


def close_data(config: Config) -> None:
    """Let the data of a configuration go; its folder stays as it is."""
    with _opening:
        if _open.pop(config.root, None) is not None:
            mirrored(config.root, None)


def check_bucket(storage: Storage) -> None:
    """Check that a bucket is there, can be listed and written, keeps conditions, and is of our form.

    Raises:
        StoreError: when it is not.
    """
    asked = f"Opening {storage.title}"
    there = storage.get(_MARK)
    if there is None:
        if storage.put_if_absent(_MARK, _FORM) is None and storage.get(_MARK) is None:
            raise StoreError(asked, *NO_BUCKET)
    elif there.data != _FORM:
        found = "it holds data of another version of Landlike"
        raise StoreError(asked, found, "use that version, or another prefix")
    held = storage.put_if_absent("conditions", _HELD)
    kept = held is not None and storage.put_if_absent("conditions", _HELD + _HELD) is None
    if held is None or not kept or storage.replace_if(_another(held), _HELD + _HELD) is not None:
        raise StoreError(asked, "the bucket ignores conditions of writes", "use one that has conditional writes")
    next(storage.list("files"), None)


def _another(info: ObjectInfo) -> ObjectInfo:
    """Return what a bucket would have said of an object before it was written."""
    return replace(info, etag=f'"{"0" * 32}"', version="1" if info.version else "")


class Refresher:
    """Looks every few seconds what others wrote, in a thread of its own, so that no page waits for it.

    Once a day, and when it begins, it removes what killed servers left (``sweep``).

    While the bucket does not answer, nobody else in this process waits for it long either.

    Args:
        copy: the working copy.
        seconds: pause between two looks, at least.
    """

    def __init__(self, copy: WorkingCopy, seconds: float = REFRESH_SECONDS) -> None:
        self._copy, self._seconds = copy, seconds
        self._stop, self._swept = threading.Event(), -LEFT_SECONDS
        self._thread = threading.Thread(target=self._run, daemon=True, name="refresh")
        self.trouble = ""
        """What keeps the working copy from being the newest, in a sentence; empty = nothing."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; harmless when it has not begun."""
        self._stop.set()

    def _run(self) -> None:
        pause = self._seconds
        while not self._stop.wait(pause):
            began = time.monotonic()
            trouble = self._look()
            if trouble and trouble != self.trouble:
                _log.warning("%s", trouble)
            self.trouble = trouble
            self._copy.hurry(hurried=bool(trouble))
            pause = max(self._seconds, 10 * (time.monotonic() - began)) if not trouble else self._seconds

    def _look(self) -> str:
        try:
            self._copy.refresh()
            if time.monotonic() - self._swept >= LEFT_SECONDS:
                self._swept = time.monotonic()
                sweep_bucket(self._copy)
        except (StoreError, OSError) as error:
            return str(error)
        return ""
