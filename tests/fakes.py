"""Scenes whose pixels say where they lie, and an encoder whose features say so too; importable by worker processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from core.bands import BAND_NAMES, FloatArray
from core.encoders.base import EncoderSpec
from core.errors import EncoderError
from core.features.encode import encode_scene
from core.features.recipe import Recipe
from core.features.store import FeatureStore
from core.jobs.executor import JobCall
from core.jobs.lanes import JobKind, Lane
from core.jobs.pool import WorkerPool
from core.jobs.queue import JobQueue
from core.jobs.worker import JobOutcome, Work, perform
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.library import Library
from core.scenes.pixels.writer import canonical_writer
from core.scenes.scene import Scene

ROW_BAND, COL_BAND = "B02", "B11"


class SentFile:
    """What a visitor sent, as Streamlit gives it where it keeps bytes in memory."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.size, self._content = name, len(content), content

    def getbuffer(self) -> memoryview:
        return memoryview(self._content)


def place_scene(
    root: Path,
    *,
    height: int = 128,
    width: int = 160,
    scene_id: str = "place-1",
    bands: tuple[str, ...] = BAND_NAMES,
    empty: tuple[slice, slice] | None = None,
    crs: str | None = "EPSG:32632",
) -> Scene:
    """A scene whose B02 is 1 + the row and whose B11 is 1 + the column, in digital numbers; other bands hold 500."""
    library = Library(root)
    grid = GeoBox(crs=crs, transform=(10, 0, 500_000, 0, -10, 5_000_000), height=height, width=width)
    rows, cols = np.mgrid[0:height, 0:width]
    pixels = np.full((len(bands), height, width), 500, np.uint16)
    for name, values in ((ROW_BAND, rows), (COL_BAND, cols)):
        if name in bands:
            pixels[bands.index(name)] = values + 1
    if empty is not None:
        pixels[:, *empty] = 0
    with library.staged() as staged:
        with canonical_writer(staged, grid, bands) as data:
            data.write(pixels)
        (staged / "quality.json").write_text("{}")
        return library.add(staged, Scene(id=scene_id, name="Places", grid=grid, bands=bands, created="2026-01-01"))


class PlaceEncoder:
    """Features: row and column of the patch's first pixel, then each band's mean; notes every patch it encodes."""

    batch_size = 4

    def __init__(
        self, *, bands: tuple[str, ...] = BAND_NAMES, delay: float = 0.0, log: Path | None = None, name: str = "place"
    ) -> None:
        self.spec = EncoderSpec(
            name=name,
            title="Places",
            fingerprint=(name.encode().hex() + "0" * 64)[:64],
            bands=bands,
            input_size=None,
            gain=None,
            dimension=2 + len(bands),
            backend="numpy",
            origin="tests",
        )
        self._delay, self._log = delay, log
        self._row, self._col = bands.index(ROW_BAND), bands.index(COL_BAND)

    def prepare(self, batch: FloatArray) -> FloatArray:
        return batch

    def infer(self, prepared: FloatArray) -> FloatArray:
        time.sleep(self._delay)
        first = np.rint(prepared[:, 0, 0][:, [self._row, self._col]] * 10_000) - 1
        if self._log is not None:
            with self._log.open("a") as file:
                file.writelines(f"{int(row)} {int(col)}\n" for row, col in first)
        return np.concatenate([first, prepared.mean(axis=(1, 2))], axis=1).astype(np.float32)

    def encode(self, batch: FloatArray) -> FloatArray:
        return self.infer(self.prepare(batch))


class ChanceEncoder:
    """Stands in for an encoder that would have to be loaded: its features are those of chance."""

    batch_size = 64

    def __init__(self, spec: EncoderSpec) -> None:
        self.spec = spec
        self._random = np.random.default_rng(1)

    def prepare(self, batch: FloatArray) -> FloatArray:
        return batch

    def infer(self, prepared: FloatArray) -> FloatArray:
        return self._random.standard_normal((len(prepared), self.spec.dimension)).astype(np.float32)

    encode = infer


def recipe_of(scene: Scene, encoder: PlaceEncoder, size: int = 16, stride: int | None = None) -> Recipe:
    return Recipe(
        scene_id=scene.id,
        encoder=encoder.spec.name,
        fingerprint=encoder.spec.fingerprint,
        cut=Cut.of(size, stride),
    )


def encode_task(work: Work, payload: Mapping[str, Any]) -> str:
    """Encode slowly in small chunks."""
    root, recipe = Path(payload["root"]), Recipe.from_dict(payload["recipe"])
    encoder = PlaceEncoder(delay=payload["delay"], log=Path(payload["log"]))
    scene = Library(root).get(recipe.scene_id)
    encode_scene(
        scene,
        encoder,
        recipe,
        FeatureStore(root),
        progress=work.progress,
        cancelled=work.cancelled,
        chunk_patches=8,
    )
    return recipe.key


def count_task(work: Work, payload: Mapping[str, Any]) -> str:
    """Count up to ``total``, ``delay`` seconds a step; note the start in ``log``."""
    if "log" in payload:
        with Path(payload["log"]).open("a") as file:
            file.write(f"{payload['name']}\n")
    for step in range(payload["total"]):
        time.sleep(payload["delay"])
        work.progress(step + 1, payload["total"])
    return "counted"


def refuse_task(_work: Work, _payload: Mapping[str, Any]) -> str:
    raise EncoderError("Encoding “x”", "the model is missing", "download it")


def crash_task(_work: Work, _payload: Mapping[str, Any]) -> str:
    raise ZeroDivisionError("a secret detail")


def die_task(_work: Work, payload: Mapping[str, Any]) -> str:
    """Kill this process, as the kernel does when memory runs out, the first ``times`` times."""
    log = Path(payload["log"])
    with log.open("a") as file:
        file.write("try\n")
    if len(log.read_text().splitlines()) <= payload["times"]:
        os.kill(os.getpid(), 9)
    return "survived"


def deaf_task(work: Work, payload: Mapping[str, Any]) -> str:
    """Work that never looks whether it is cancelled."""
    work.progress(0, 1)
    time.sleep(payload["seconds"])
    return "slept"


def silent_task(_work: Work, payload: Mapping[str, Any]) -> str:
    """Work that says nothing and listens to nobody."""
    time.sleep(payload["seconds"])
    return "slept"


TASKS = {
    "encode": encode_task,
    "count": count_task,
    "refuse": refuse_task,
    "crash": crash_task,
    "die": die_task,
    "deaf": deaf_task,
    "silent": silent_task,
}


class ThreadWorker:
    """An executor that does its jobs in a thread of this process; none can be killed."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)

    def submit(self, call: JobCall) -> Future[JobOutcome]:
        return self._pool.submit(perform, call.task, call.files, call.job_id, call.title, call.payload)

    def warm(self, function: Callable[[], object]) -> Future[Any]:
        return self._pool.submit(function)

    def kill(self) -> None:
        raise AssertionError("a thread cannot be killed")

    def shutdown(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def process_queue(root: Path) -> JobQueue:
    """A queue with one lane of one real worker process."""
    kinds = {name: JobKind(task=task, lane="one", grace=0.3) for name, task in TASKS.items()}
    return JobQueue(root, kinds, {"one": Lane(executor=WorkerPool)})


def encode_payload(root: Path, recipe: Recipe, delay: float) -> dict[str, Any]:
    return {"root": str(root), "recipe": recipe.to_dict(), "delay": delay, "log": str(root / "encoder.log")}


def serve_until_killed(root: Path) -> None:
    """What a server process does: ask for a slow encode, and live."""
    queue = process_queue(root)
    queue.start()
    scene = Library(root).get("place-1")
    recipe = recipe_of(scene, PlaceEncoder())
    queue.submit("encode", recipe.key, "Encoding", encode_payload(root, recipe, delay=0.03))
    time.sleep(600)
