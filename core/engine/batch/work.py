"""One input of a batch, from its files to objects in the storage; done here, or by a worker elsewhere.

``prepared`` reads it, ``finished`` encodes it and writes it; while one input is encoded the next can be read.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.config import Config
from core.encoders.registry import matching_encoder
from core.engine.batch.inputs import BatchInput
from core.engine.batch.ledger import digest_of
from core.engine.batch.record import EmbeddedScene, InputRecord, WrittenObject
from core.engine.batch.wish import BatchWish
from core.engine.written import write_embeddings
from core.errors import LandlikeError, StoreError
from core.export.embedding import scene_span
from core.export.geoparquet import Embeddings, read_geoparquet
from core.export.stac import stac_item
from core.features.encode import encode_scene
from core.features.given import store_given
from core.features.passing import PassingStore
from core.files import FileLock, never
from core.ingest.boundary import ingest_all
from core.ingest.digests import KeptDigests
from core.ingest.files import list_files
from core.jobs.worker import unexpected
from core.progress import Progress, silent
from core.scenes.library import Library
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from core.storage.address import open_storage
from core.storage.base import Storage

COLLECTION_KEY = "collection.json"
COLLECTION_ID = "landlike-embeddings"

SCRATCH_FOLDER = "scratch"
"""Where inputs are read into, beside the library; each folder is gone once its input is done."""

_LONGEST_NAME = 60
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True)
class EmbedTask:
    """One input to be done; can be sent to another process.

    Attributes:
        input: what is embedded.
        wish: how.
        out: address of the storage.
        config: where models lie, and room for what is read.
    """

    input: BatchInput
    wish: BatchWish
    out: str
    config: Config


@dataclass(frozen=True, kw_only=True)
class PreparedInput:
    """An input that was read, or why it could not be.

    Attributes:
        task: of it.
        folder: where its scenes lie until it is done.
        state: of its files, from before they were read.
        content: of its files; empty = not known.
        created: when its youngest file was written, which stands for the time of scenes without a date.
        scenes: read; none where it failed.
        failure: what was asked, found, and to do; empty = none.
        seconds: it took so far.
    """

    task: EmbedTask
    folder: Path
    state: str = ""
    content: str = ""
    created: str = ""
    scenes: tuple[Scene, ...] = ()
    failure: tuple[str, str, str] | tuple[()] = ()
    seconds: float = 0.0


def embed_input(task: EmbedTask) -> InputRecord:
    """Read, encode and write one input; return what became of it. Errors as of ``finished``."""
    return finished(prepared(task))


def prepared(task: EmbedTask, cancelled: Callable[[], bool] = never) -> PreparedInput:
    """Take an input in as any source is, into a library of its own.

    Raises:
        StoreError: when the disk has no room, or a bucket cannot be read.
    """
    began, folder = time.monotonic(), _scratch(task.config)
    found = PreparedInput(task=task, folder=folder)
    try:
        state = task.input.state()
        paths = task.input.fetched(folder / "in")
        content = task.input.content(cancelled, KeptDigests(folder / "digests.json"))
        latest = max(path.stat().st_mtime for _name, path in list_files(paths))
        created = datetime.datetime.fromtimestamp(latest, datetime.UTC).isoformat(timespec="seconds")
        found = replace(found, state=state, content=content, created=created)
        scenes = ingest_all(paths, Library(folder), task.wish.settings, cancelled=cancelled)
        found = replace(found, scenes=tuple(scenes))
    except StoreError:
        drop_scratch(folder)
        raise
    except LandlikeError as error:
        found = replace(found, failure=(error.asked, error.found, error.remedy))
    except Exception as error:  # noqa: BLE001  one input must not end a batch of thousands; the log has it all
        found = replace(found, failure=_unexpected(task, error))
    return replace(found, seconds=time.monotonic() - began)


def finished(one: PreparedInput, progress: Progress = silent) -> InputRecord:
    """Encode the scenes of an input that was read and write their files; what lay on this disk is gone then.

    Raises:
        StoreError: when the storage or the disk cannot be written; what one input is about is in the record.
    """
    began, task = time.monotonic(), one.task
    scenes: list[EmbeddedScene] = []
    failure = one.failure
    try:
        storage = open_storage(task.out)
        for scene in one.scenes:
            try:
                scenes.append(_embedded(one, scene, storage, progress))
            except StoreError:
                raise
            except LandlikeError as error:
                failure = failure or (error.asked, error.found, error.remedy)
            except Exception as error:  # noqa: BLE001  as above
                failure = failure or _unexpected(task, error)
    finally:
        drop_scratch(one.folder)
    return InputRecord(
        input=task.input.name, identity=task.input.identity, place=task.wish.place,
        wish=task.wish.digest, state=one.state, content=one.content, scenes=tuple(scenes), failure=failure,
        seconds=round(one.seconds + time.monotonic() - began, 2),
    )  # fmt: skip


def _embedded(one: PreparedInput, scene: Scene, storage: Storage, progress: Progress) -> EmbeddedScene:
    """Encode one scene and write its two files."""
    task, store = one.task, PassingStore()
    recipe, spec = task.wish.recipe(scene, task.config)
    if scene.has_pixels:
        encode_scene(
            scene, matching_encoder(recipe.encoder, recipe.fingerprint, task.config), recipe, store, progress=progress
        )
    else:
        store_given(scene, recipe, store, progress=progress)
    path = one.folder / "embeddings.parquet"
    # Equal inputs give equal bytes, whenever they are read.
    features = store.read(recipe)
    write_embeddings(path, replace(scene, created=one.created), features, spec, task.config)
    table, digest = read_geoparquet(path), digest_of(path)
    name = f"{_slug(spec.name)}-{spec.fingerprint[:8]}/{_slug(scene.name)}-{digest[:12]}"
    item = _item(table, f"{name.rpartition('/')[2]}.parquet")
    size, text = path.stat().st_size, f"{json.dumps(item, indent=1, ensure_ascii=False, allow_nan=False)}\n".encode()
    data = storage.put_file(f"{name}.parquet", path)
    beside = storage.put(f"{name}.stac.json", text)
    lines = load_quality(scene.directory).findings
    return EmbeddedScene(
        scene=scene.id, name=scene.name, date=scene.date, encoder=spec.name, fingerprint=spec.fingerprint,
        recipe=recipe.key, patches=len(table), dimension=table.vectors.shape[1], bbox=tuple(item.get("bbox", ())),
        span=scene_span(table.scene),
        warnings=tuple(f"{line.topic}: {line.value} ({line.because})" for line in lines if line.basis == "warning"),
        data=WrittenObject(key=data.key, size=size, etag=data.etag, sha256=digest),
        item=WrittenObject(key=beside.key, size=len(text), etag=beside.etag, sha256=hashlib.sha256(text).hexdigest()),
    )  # fmt: skip


def _item(table: Embeddings, href: str) -> dict[str, Any]:
    """Return the STAC item of a file, as a part of the collection above it."""
    item = stac_item(table, href)
    above = f"../{COLLECTION_KEY}"
    links = [{"rel": rel, "href": above, "type": "application/json"} for rel in ("root", "parent", "collection")]
    return item | {"collection": COLLECTION_ID, "links": [*item["links"], *links]}


def _slug(name: str) -> str:
    """Return a name as a part of keys and addresses: letters without marks, digits, full stops and dashes."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return _UNSAFE.sub("-", plain).strip("-._")[:_LONGEST_NAME] or "scene"


def _unexpected(task: EmbedTask, error: Exception) -> tuple[str, str, str]:
    asked = f"Embedding “{task.input.name}”"
    unexpected(asked, error)
    found = f"something unexpected went wrong ({type(error).__name__})"
    return asked, found, "its details are in the log; try it alone"


def _scratch(config: Config) -> Path:
    """Return a fresh folder that counts as used while this process lives."""
    above = config.root / SCRATCH_FOLDER
    above.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=above, prefix="embed-"))
    _own[folder] = FileLock(folder / ".lock")
    _own[folder].take()
    return folder


_own: dict[Path, FileLock] = {}
"""Locks of folders in use: they are given back when this process ends, in whatever way."""


def drop_scratch(folder: Path) -> None:
    """Remove a folder of this process, or all that lie in one."""
    for one in [one for one in list(_own) if one.is_relative_to(folder)]:
        lock = _own.pop(one, None)
        shutil.rmtree(one, ignore_errors=True)
        if lock is not None:
            lock.release()


def sweep_scratch(config: Config, seconds: float = 60.0) -> None:
    """Remove what killed runs left behind; what was made just now may not be locked yet."""
    for folder in (config.root / SCRATCH_FOLDER).glob("embed-*"):
        old = time.time() - folder.stat().st_mtime > seconds
        if old and FileLock(folder / ".lock").take():
            shutil.rmtree(folder, ignore_errors=True)
