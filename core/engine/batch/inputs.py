"""What a batch is made of: the scenes of a folder, or the lines of a list, as files or addresses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import SourceError
from core.files import never
from core.ingest.digests import KeptDigests
from core.ingest.files import RASTER_SUFFIXES, content_of, is_noise, list_files, natural_key
from core.ingest.formats.registry import is_own_source
from core.ingest.grouping import scenes_of_files
from core.ingest.messages import clean_name, errors_about
from core.ingest.sandbox.limits import MAX_SOURCE_BYTES
from core.storage.address import BUCKET_SCHEMES, open_storage, scheme_of, shown_address
from core.storage.base import ObjectInfo
from core.storage.web import fetch_web, web_state

LIST_ENDINGS = (".txt", ".lst")
"""How the name of a file ends that lists paths and addresses, one a line."""

_WEB_SCHEMES = ("https", "http")
_WHOLE_FOLDERS = (".safe", ".zarr")
"""Folders that are a scene by their name, whatever lies in them."""


@dataclass(frozen=True, kw_only=True)
class BatchInput:
    """One source of a batch; can be sent to another process.

    Attributes:
        name: what people and the manifest call it; without anything that is secret.
        identity: SHA-256 (hex) of where it lies, which stays the same as long as it does.
        paths: its files, or its one folder; none where it has an address.
        address: of a file in a bucket or on the web, or of a folder in a bucket; may be secret.
    """

    name: str
    identity: str
    paths: tuple[Path, ...] = ()
    address: str = ""

    def state(self) -> str:
        """Return what tells it as it is now from itself at another time, cheap: names, sizes, times or marks.

        Raises:
            SourceError: when it is not there.
            StoreError: when a bucket cannot be read.
        """
        with errors_about(self.name):
            if not self.address:
                files = [(name, path.stat()) for name, path in list_files(self.paths)]
                told = [(name, state.st_size, str(state.st_mtime_ns)) for name, state in files]
            elif scheme_of(self.address) in BUCKET_SCHEMES:
                told = [(one.key, one.size, one.etag) for one in _objects(self.address)]
            else:
                told = [(web_state(self.address), 0, "")]
        return hashlib.sha256(json.dumps(sorted(told)).encode()).hexdigest()

    def content(self, cancelled: Callable[[], bool] = never, kept: KeptDigests | None = None) -> str:
        """Return the SHA-256 (hex) of names and bytes of files on this computer; empty for an address.

        Raises:
            SourceError: when they are not there.
        """
        if self.address:
            return ""
        with errors_about(self.name):
            return hashlib.sha256(content_of(list_files(self.paths), cancelled, kept=kept)).hexdigest()

    def fetched(self, folder: Path) -> tuple[Path, ...]:
        """Return its files on this computer; what has an address is written into a folder.

        Raises:
            SourceError: when it cannot be had.
            StoreError: when a bucket cannot be read, or the disk not be written.
        """
        if not self.address:
            return self.paths
        folder.mkdir(parents=True, exist_ok=True)
        name = clean_name(PurePosixPath(shown_address(self.address)).name, 120) or "scene"
        with errors_about(self.name):
            if scheme_of(self.address) in _WEB_SCHEMES:
                fetch_web(self.address, folder / name, MAX_SOURCE_BYTES)
                return (folder / name,)
            return (_fetch_objects(self.address, folder / name),)


def _bucket(address: str) -> tuple[str, str]:
    """Return the address of the folder that something lies in, and its name there."""
    inside, _, name = address.rstrip("/").rpartition("/")
    return inside, name


def _objects(address: str) -> list[ObjectInfo]:
    """Return the object at an address, or the objects of the folder that it is.

    Raises:
        SourceError: when there is nothing, or too much.
    """
    inside, name = _bucket(address)
    storage = open_storage(inside)
    one = None if address.endswith("/") else storage.head(name)
    found = [one] if one is not None else list(storage.list(name))
    if not found:
        raise SourceError(found="there is no such file", remedy="check the address")
    if sum(info.size for info in found) > MAX_SOURCE_BYTES:
        remedy = "cut the area of interest out of it first"
        raise SourceError(found=f"it takes more than {MAX_SOURCE_BYTES >> 30} GB", remedy=remedy)
    return found


def _fetch_objects(address: str, path: Path) -> Path:
    inside, name = _bucket(address)
    storage = open_storage(inside)
    for info in _objects(address):
        target = path if info.key == name else path / info.key.removeprefix(f"{name}/")
        if not target.resolve().is_relative_to(path.resolve()):
            raise SourceError(found="a name in it leads elsewhere", remedy="copy it to this computer")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not storage.fetch(info.key, target):
            raise SourceError(found="a file of it went away", remedy="start again")
    return path


def batch_inputs(source: str, out: str) -> list[BatchInput]:
    """Return the inputs of a batch, in the order that people count in; none is opened.

    Args:
        source: a folder, each child of which may be a scene; a list, ``.txt``; an address; or one file or SAFE.
        out: where the results go, which is none of the inputs.

    Raises:
        SourceError: when there is nothing of that name, or nothing in it.
    """
    asked = f"Embedding “{clean_name(shown_address(source), 200)}”"
    path = Path(source)
    if scheme_of(source) in BUCKET_SCHEMES and source.endswith("/") and not _is_whole(source.rstrip("/")):
        found = list(_of_bucket(source, asked))
    elif scheme_of(source):
        found = [_of_address(source, asked)]
    elif not source or not path.exists():
        remedy = "give a folder of scenes or a list of paths, or let --out end in .parquet for one source"
        raise SourceError(asked, "there is no such file or folder", remedy)
    elif path.is_file() and path.suffix.lower() in LIST_ENDINGS:
        found = list(_of_list(path, asked))
    elif path.is_file() or _is_whole(path.name):
        found = [_of_paths(path.name, [path])]
    elif not scheme_of(out) and path.resolve() == Path(out).resolve():
        raise SourceError(asked, "results would go into the folder that is read", "choose another one for --out")
    else:
        found = list(_of_folder(path, Path(out).resolve() if not scheme_of(out) else None))
    if not found:
        raise SourceError(asked, "it holds no scenes", "give a folder of scenes, or a list of paths")
    return list({one.identity: one for one in found}.values())


def _of_paths(name: str, paths: list[Path]) -> BatchInput:
    where = "\n".join(str(path.resolve()) for path in paths)
    whole = tuple(path.resolve() for path in paths)
    return BatchInput(name=clean_name(name, 200), identity=hashlib.sha256(where.encode()).hexdigest(), paths=whole)


def _of_address(text: str, asked: str) -> BatchInput:
    if scheme_of(text) not in (*BUCKET_SCHEMES, *_WEB_SCHEMES):
        remedy = "give a path, or an address that begins with https://, s3://, az:// or gs://"
        raise SourceError(asked, f"{scheme_of(text)}:// is no address of a file", remedy)
    shown = shown_address(text)
    identity = hashlib.sha256(shown.encode()).hexdigest()
    return BatchInput(name=clean_name(shown, 200), identity=identity, address=text)


def _of_list(path: Path, asked: str) -> Iterator[BatchInput]:
    """Yield what the lines of a list name, paths seen from where the list lies."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(asked, "it is no text of UTF-8", "give a path or an address a line") from error
    for line in (line.strip() for line in lines):
        if line and not line.startswith("#"):
            if scheme_of(line):
                yield _of_address(line, asked)
            else:
                yield _of_paths(line, [path.parent / line])


def _of_folder(folder: Path, out: Path | None) -> Iterator[BatchInput]:
    children = sorted((child for child in folder.iterdir() if not is_noise(child.name)), key=_by_name)
    for child in children:
        if child.is_dir() and child.resolve() != out and not _is_collection(child) and any(child.iterdir()):
            yield _of_paths(child.name, [child])
    groups = scenes_of_files([child for child in children if child.is_file()])
    for group in sorted(groups, key=lambda group: _by_name(group[0])):
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        first = next((path for path in group if path.suffix.lower() in RASTER_SUFFIXES), group[0])
        yield _of_paths(f"{first.name}{more}", group)


def _of_bucket(address: str, asked: str) -> Iterator[BatchInput]:
    """Yield what lies in a folder of a bucket directly: each file that may be a scene, and each folder."""
    keys = [info.key for info in open_storage(address).list()]
    children = {key.partition("/")[0] + ("/" if "/" in key else "") for key in keys}
    for child in sorted(children, key=natural_key):
        if child.endswith("/") or PurePosixPath(child).suffix.lower() in RASTER_SUFFIXES or is_own_source(child):
            yield _of_address(f"{address}{child}", asked)


def _is_whole(name: str) -> bool:
    return name.lower().endswith(_WHOLE_FOLDERS)


def _by_name(path: Path) -> tuple[tuple[int, int | str], ...]:
    return natural_key(path.name)


def _is_collection(folder: Path) -> bool:
    """Tell whether a folder is what a batch wrote."""
    return (folder / "collection.json").is_file() and (folder / "records").is_dir()
