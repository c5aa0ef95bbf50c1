"""What a job leaves where its server and the workers reach it, until its end is on record.

In the folder of all data that is shared, or in the bucket, for a run of some name:

    runs/<run>/lock       held by the worker that does it; in a bucket a lease of this name
    runs/<run>/result     what it gave, for its server may be gone by then
    runs/<run>/given/0 …  files that the server alone has, on their way to the worker
    runs/<run>/made/0 …   files that the server alone is to have, on their way back

Names of runs are ours, and files have numbers: nothing that people sent is part of a key or of a path here. Where the
folder is shared nothing has to travel.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from uuid import uuid4

from core.config import Config
from core.errors import JobError, StoreError
from core.files import FileLock, disk_errors, mirror_of, never
from core.jobs.uploads import UPLOAD_PREFIX, UPLOADS
from core.mirror.copy import LEASES, LOCAL
from core.mirror.opening import HURRY
from core.storage.address import open_storage
from core.storage.base import Storage
from core.storage.bucket import DEFAULT_PATIENCE, Patience
from core.storage.folder import FolderStorage

RUNS = "runs"
SPARE_BYTES = 2**26
"""Room that is left on a worker's disk for everything else."""

FOREIGN_SECONDS = 7 * 24 * 3600.0
"""What a server left that never came back is kept so long, for it may only be stopped."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class GivenFile:
    """A file that a job reads.

    Attributes:
        path: where the server has it.
        within: where it lies in the folder of all data, for workers that share it; empty = it lies elsewhere.
        carried: True = it travels, for workers do not see it.
        size: its bytes, of one that travels.
    """

    path: Path
    within: str = ""
    carried: bool = False
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class RunEnd:
    """How a job ended on a worker.

    Attributes:
        state: ``done``, ``failed`` or ``cancelled``.
        message: the result, or a sentence.
        gone: which of the files that were given the job has removed, by their numbers.
        made: where, in the folder of all data, files that it made belong at the server.
        faulty: True = it failed by this worker's fault, and another one may do it.
    """

    state: str
    message: str
    gone: tuple[int, ...] = ()
    made: tuple[str, ...] = ()
    faulty: bool = False


class Run:
    """The files of one run, as its server sees them or as a worker does, each by its own configuration.

    Args:
        config: where the data are, here.
        name: of the run.
    """

    def __init__(self, config: Config, name: str, patience: Patience = DEFAULT_PATIENCE) -> None:
        self._config, self._name = config, name
        self._storage = _storage_of(config, patience)
        self.lock = config.root / RUNS / name / "lock"

    def give(self, paths: Sequence[str], cancelled: Callable[[], bool] = never) -> tuple[GivenFile, ...]:
        """Have files on their way; those that are there already are not written again.

        Raises:
            JobCancelledError: when ``cancelled`` says so meanwhile.
            StoreError: when the bucket cannot be written.
        """
        return tuple(self._given(number, Path(path), cancelled) for number, path in enumerate(paths))

    def _given(self, number: int, path: Path, cancelled: Callable[[], bool]) -> GivenFile:
        within = path.relative_to(self._config.root).as_posix() if path.is_relative_to(self._config.root) else ""
        if not self._config.bucket or mirror_of(path) is not None or not path.is_file():
            return GivenFile(path=path, within=within)
        key, size = self._key("given", number), path.stat().st_size
        there = self._storage.head(key)
        if there is None or there.size != size:
            self._storage.put_file(key, path, cancelled)
        return GivenFile(path=path, carried=True, size=size)

    def take(self, given: Sequence[GivenFile], asked: str) -> list[Path]:
        """Return where the given files are on this worker, those that travelled in a folder of uploads.

        Raises:
            StoreError: when they do not fit on its disk, or cannot be fetched.
        """
        total = sum(one.size for one in given)
        self._config.root.mkdir(parents=True, exist_ok=True)
        free = max(0, shutil.disk_usage(self._config.root).free - SPARE_BYTES)
        if total > free:
            found = f"the files take {_told(total)}, and {_told(free)} of its disk can be had"
            raise StoreError(asked, found, "free some of it, or send less")
        folders = list(dict.fromkeys(one.path.parent for one in given))
        return [self._taken(number, one, folders.index(one.path.parent), asked) for number, one in enumerate(given)]

    def _taken(self, number: int, one: GivenFile, folder: int, asked: str) -> Path:
        if not one.carried:
            return self._config.root / one.within if one.within else one.path
        path = self._config.root / UPLOADS / f"{UPLOAD_PREFIX}{self._name}-{folder}" / one.path.name
        with disk_errors(asked, full="free some of it", other="check its disk and its rights"):
            path.parent.mkdir(parents=True, exist_ok=True)
        if self._storage.fetch(self._key("given", number), path) is None:
            raise StoreError(asked, f"“{path.name}” is not on its way any more", "send it again")
        return path

    def gone(self, given: Sequence[GivenFile], paths: Sequence[Path]) -> tuple[int, ...]:
        """Return the numbers of files that travelled, and are not where they were on this worker."""
        return tuple(number for number, one in enumerate(given) if one.carried and not paths[number].exists())

    def send_back(self, made: Sequence[Path], cancelled: Callable[[], bool] = never) -> tuple[str, ...]:
        """Have files that were made on their way to the server, where they are not shared; they are gone here then.

        Returns:
            Where they belong in the folder of all data.

        Raises:
            JobCancelledError: when ``cancelled`` says so meanwhile.
            StoreError: when the bucket cannot be written.
        """
        if not self._config.bucket:
            return ()
        for number, path in enumerate(made):
            self._storage.put_file(self._key("made", number), path, cancelled)
            path.unlink()
            if path.parent.parent != self._config.root:
                path.parent.rmdir()
        return tuple(path.relative_to(self._config.root).as_posix() for path in made)

    def fetch_back(self, made: Sequence[str]) -> None:
        """Have the files that a worker made where they belong at this server.

        Raises:
            JobError: for a place that is not of a file that belongs to one computer.
            StoreError: when they cannot be had or written.
        """
        for number, place in enumerate(made):
            parts = PurePosixPath(place).parts
            if len(parts) < 2 or parts[0] not in LOCAL or ".." in parts:
                raise JobError("Fetching what a worker made", f"“{place}” is no place for it", "look at that worker")
            path = self._config.root.joinpath(*parts)
            asked = f"Fetching “{path.name}”"
            fresh = path.with_name(f".{uuid4().hex[:12]}")
            with disk_errors(asked, full="free some space, then start again", other="check the disk and its rights"):
                path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    if self._storage.fetch(self._key("made", number), fresh) is None:
                        raise StoreError(asked, "it is not there any more", "ask for it again")
                    fresh.chmod(0o600)
                    fresh.replace(path)
                finally:
                    fresh.unlink(missing_ok=True)

    def keep(self, end: RunEnd) -> None:
        """Keep how it ended; when that fails, it is done again where its server is gone."""
        try:
            self._storage.put(self._key("result"), json.dumps(asdict(end)).encode())
        except StoreError as error:
            _log.warning("What a job gave could not be kept: %s", error)

    def kept(self) -> RunEnd | None:
        """Return how it ended; None when nobody kept it."""
        there = self._storage.get(self._key("result"))
        try:
            said = None if there is None else json.loads(there.data)
            return (
                None if said is None else RunEnd(**{**said, "gone": tuple(said["gone"]), "made": tuple(said["made"])})
            )
        except (ValueError, TypeError, KeyError):
            return None

    def leave(self) -> None:
        """Remove what it left on this worker, where that shares no folder."""
        if self._config.bucket:
            for folder in (self._config.root / UPLOADS).glob(f"{UPLOAD_PREFIX}{self._name}-*"):
                shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(self.lock.parent, ignore_errors=True)

    def forget(self) -> None:
        """Remove all that is of it; harmless when repeated.

        Raises:
            StoreError: when the bucket cannot be written.
        """
        if self._config.bucket:
            for info in list(self._storage.list(f"{RUNS}/{self._name}")):
                self._storage.delete(info.key)
            self._storage.delete(f"{LEASES}/{RUNS}/{self._name}/lock")
        shutil.rmtree(self.lock.parent, ignore_errors=True)

    def _key(self, *parts: object) -> str:
        return "/".join(map(str, (RUNS, self._name, *parts)))


def forget_run(config: Config, name: str) -> None:
    """Remove all that is of a run whose end is on record; what cannot be removed now goes when a server starts."""
    try:
        Run(config, name, HURRY).forget()
    except StoreError as error:
        _log.warning("What a job left is removed at the next start: %s", error)


def sweep_runs(config: Config, known: Mapping[str, bool]) -> None:
    """Remove what runs left whose server was killed; when a server starts.

    Args:
        config: where the data are.
        known: runs of this server; True = its end is not on record, so all of it is kept. Of other servers' runs what
            is older than a week is removed.
    """
    try:
        for name, changed in _found(config).items():
            foreign = name not in known and time.time() - changed > FOREIGN_SECONDS
            if foreign or known.get(name) is False:
                forget_run(config, name)
    except StoreError as error:
        _log.warning("What jobs left is removed at the next start: %s", error)


def _found(config: Config) -> dict[str, float]:
    """Return the names of the runs that left something, and when any of it was written last, seconds since 1970."""
    found: dict[str, float] = {}
    if not config.bucket:
        for folder in (config.root / RUNS).glob("*"):
            found[folder.name] = folder.stat().st_mtime
        return found
    storage = open_storage(config.bucket, HURRY)
    for info in (*storage.list(RUNS), *storage.list(f"{LEASES}/{RUNS}")):
        name = info.key.removeprefix(f"{LEASES}/").split("/")[1]
        found[name] = max(found.get(name, 0.0), info.modified)
    return found


def sweep_worker(config: Config) -> None:
    """Remove what workers left on this computer that were killed: of runs that nobody here is at."""
    for name in _names_here(config):
        lock = FileLock(config.root / RUNS / name / "lock")
        if lock.take():
            Run(config, name).leave()
            lock.release()


def _names_here(config: Config) -> Iterator[str]:
    yield from [folder.name for folder in (config.root / RUNS).glob("*")] if config.bucket else []


def _storage_of(config: Config, patience: Patience) -> Storage:
    return open_storage(config.bucket, patience) if config.bucket else FolderStorage(config.root)


def _told(size: int) -> str:
    """Return bytes as people read them."""
    return f"{size / 10**9:,.1f} GB" if size >= 10**8 else f"{size / 10**6:,.1f} MB"
