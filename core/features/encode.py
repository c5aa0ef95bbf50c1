"""The encode run: patches of a scene through an encoder into the store, reading and preparing ahead of the encoder.

Three threads work in a row, joined by short queues, so that memory does not depend on the size of the scene:

    read strips → statistics, resampling, scaling (``prepare``) → ``infer`` → commits
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import rasterio

from core.bands import BAND_NAMES, FloatArray
from core.encoders.base import Encoder, EncoderSpec
from core.errors import EncoderError, JobCancelledError, PatchError
from core.features.batches import PatchBatch, iter_patches
from core.features.level import as_fed
from core.features.recipe import FeatureBatch, Recipe, join_batches
from core.features.store import FeatureSink
from core.files import never
from core.prefetch import ahead
from core.progress import Progress, silent
from core.scenes.patches import IntArray, PatchGrid, centres_lonlat, patch_grid
from core.scenes.regions.of_interest import inside_area, patches_in_area
from core.scenes.scene import Scene

CHUNK_SECONDS = 2.0
CHUNK_PATCHES = 1000
"""A chunk is committed when it is this old or this large; a killed run loses at most one chunk, or two."""

BATCH_BYTES = 2**27
"""Pixels of one batch on their way to the encoder, at most; keeps large patches from filling the memory."""

CACHE_BYTES = 2**28
"""GDAL's cache of decoded blocks: 3 rows of blocks of a full tile's 13 bands; by default it is 5 % of the memory."""

LEAST_MEASURED = 32
"""Of fewer patches after the first batch, the rate says more of how a run ends than of how it goes on."""

_QUEUE = 3


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A batch ready for ``infer``; ``batch`` has everything but the vectors."""

    batch: FeatureBatch
    prepared: FloatArray


def encode_scene(
    scene: Scene,
    encoder: Encoder,
    recipe: Recipe,
    store: FeatureSink,
    *,
    progress: Progress = silent,
    cancelled: Callable[[], bool] = never,
    chunk_patches: int = CHUNK_PATCHES,
) -> None:
    """Encode all patches of a scene that the store does not have yet.

    Committed chunks are never redone: a run that was stopped or killed goes on where it was. Patches with less
    valid pixels than the recipe's cut wants are skipped. What another process is doing is waited for, not repeated.

    Args:
        scene: the scene of the recipe.
        encoder: the encoder of the recipe.
        recipe: how the scene is cut.
        store: where features go.
        progress: told patches committed or skipped, and all patches.
        cancelled: asked after each batch.
        chunk_patches: patches committed together, at most about so many.

    Raises:
        EncoderError: when the encoder is not the recipe's, or gives something that is not finite.
        PatchError: when the grid does not fit the scene, or no patch has enough valid pixels.
        StoreError: when features cannot be written.
        JobCancelledError: when ``cancelled`` says so; what is committed stays.
    """
    check_encoder(encoder, recipe)

    def encoded(run: EncodeRun, done: frozenset[int]) -> Generator[FeatureBatch]:
        inside = inside_area(scene, run.grid)
        outside = frozenset() if inside is None else frozenset(np.flatnonzero(~inside).tolist())
        strips = ahead(iter_patches(scene, run.grid, BAND_NAMES, skip=done | outside), depth=1)
        with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES), closing(strips):
            yield from encode_patches(scene, run.grid, encoder, valid_patches(strips, run.grid, run.skipped))

    fill_store(
        scene,
        encoder.spec,
        recipe,
        store,
        encoded,
        progress=progress,
        cancelled=cancelled,
        chunk_patches=chunk_patches,
    )


def fill_store(
    scene: Scene,
    spec: EncoderSpec,
    recipe: Recipe,
    store: FeatureSink,
    encode: Callable[[EncodeRun, frozenset[int]], Generator[FeatureBatch]],
    *,
    progress: Progress,
    cancelled: Callable[[], bool],
    chunk_patches: int = CHUNK_PATCHES,
) -> None:
    """Put into the store what it does not have of a recipe; arguments and errors as of ``encode_scene``.

    Args:
        scene: the scene of the recipe.
        spec: the encoder of the recipe.
        recipe: how the scene is cut.
        store: where features go.
        encode: yields features of all patches but those of some ids, in any order; notes in ``skipped`` of the run
            which have too little valid data.
        progress: told patches committed or skipped, and all patches.
        cancelled: asked after each batch.
        chunk_patches: patches committed together, at most about so many.
    """
    grid = patch_grid(scene, recipe.cut)
    wanted = patches_in_area(scene, grid)
    with store.claim(recipe, cancelled):
        if not store.complete(recipe):
            done = store.begin(recipe, spec, wanted)
            run = EncodeRun(
                scene=scene, grid=grid, spec=spec, recipe=recipe, store=store, wanted=wanted, report=progress
            )
            with closing(encode(run, frozenset(done.tolist()))) as encoded:
                run.go(encoded, len(done), cancelled, chunk_patches)
            _check_any(scene, store.count(recipe), wanted)
            store.finish(recipe, spec, run.rate)
    progress(wanted, wanted)


def check_encoder(encoder: Encoder, recipe: Recipe) -> None:
    """Check that an encoder is the one of a recipe.

    Raises:
        EncoderError: when it is not.
    """
    if encoder.spec.fingerprint != recipe.fingerprint:
        found = "the files of the encoder have changed since it was chosen"
        raise EncoderError(f"Encoding with {recipe.encoder}", found, "choose the encoder again")


def _check_any(scene: Scene, stored: int, wanted: int) -> None:
    if not stored:
        found = f"none of its {wanted} patches has enough valid pixels"
        raise PatchError(f"Encoding {scene.name}", found, "choose another scene or a smaller patch size")


class EncodeRun:
    """One go at a recipe: counts, chunks and commits.

    Attributes:
        grid: the patches of the scene.
        skipped: ids of patches with too little valid data, until they are committed.
        rate: patches encoded a second; 0 = not measured.
    """

    def __init__(
        self,
        *,
        scene: Scene,
        grid: PatchGrid,
        spec: EncoderSpec,
        recipe: Recipe,
        store: FeatureSink,
        wanted: int,
        report: Progress,
    ) -> None:
        self._scene, self.grid, self._spec, self._recipe, self._store = scene, grid, spec, recipe, store
        self._wanted, self._report, self._done, self._encoded = wanted, report, 0, 0
        self._chunk: list[FeatureBatch] = []
        self.skipped: deque[IntArray] = deque()
        self._since = time.monotonic()
        self.rate = 0.0

    def go(self, encoded: Iterator[FeatureBatch], done: int, cancelled: Callable[[], bool], chunk_patches: int) -> None:
        """Commit what comes, and measure the rate of that where it is worth it; ``done`` patches are there already."""
        began, first, self._done = time.monotonic(), 0, done
        self._report(self._done, self._wanted)
        with ThreadPoolExecutor(1, "commit") as committer:
            pending: Future[None] | None = None
            for batch in encoded:
                if cancelled():
                    raise JobCancelledError(f"Encoding {self._scene.name}", "it was cancelled", "start it again")
                self._chunk.append(batch)
                if not first:  # With it the encoder has warmed up.
                    began, first = time.monotonic(), len(batch)
                if self._due(chunk_patches):
                    pending = self._commit(committer, pending)
            _wait(self._commit(committer, pending))
        if self._encoded - first >= LEAST_MEASURED:
            self.rate = (self._encoded - first) / max(time.monotonic() - began, 1e-3)

    def _due(self, chunk_patches: int) -> bool:
        waiting = sum(len(batch) for batch in self._chunk)
        return waiting >= chunk_patches or time.monotonic() - self._since >= CHUNK_SECONDS

    def _commit(self, committer: ThreadPoolExecutor, pending: Future[None] | None) -> Future[None]:
        """Hand the chunk to the committing thread, once the chunk before is committed."""
        _wait(pending)
        chunk, self._chunk = self._chunk, []
        skipped = [self.skipped.popleft() for _ in range(len(self.skipped))]
        self._since = time.monotonic()
        return committer.submit(self._write, chunk, skipped)

    def _write(self, chunk: list[FeatureBatch], skipped: list[IntArray]) -> None:
        if chunk:
            batch = join_batches(chunk)
            self._store.append(self._recipe, self._spec, batch)
            self._done += len(batch)
            self._encoded += len(batch)
        if skipped:
            ids = np.concatenate(skipped)
            self._store.skip(self._recipe, ids)
            self._done += len(ids)
        self._report(self._done, self._wanted)


def valid_patches(strips: Iterator[PatchBatch], grid: PatchGrid, skipped: deque[IntArray]) -> Iterator[PatchBatch]:
    """Yield strips less the patches with too little valid data, whose ids are noted in ``skipped``."""
    for strip in strips:
        enough = strip.valid_fraction >= grid.cut.least_valid
        if not enough.all():
            skipped.append(strip.ids[~enough])
        if enough.any():
            yield strip if enough.all() else _take(strip, enough)


def encode_patches(
    scene: Scene, grid: PatchGrid, encoder: Encoder, patches: Iterator[PatchBatch]
) -> Generator[FeatureBatch]:
    """Yield features of patches in batches of the encoder's size; the one way from pixels to features.

    Reading and preparing go on in a thread while the encoder works. Places are those of the ids in the grid, wherever
    the pixels are from.

    Args:
        scene: where they are from.
        grid: its patches.
        encoder: what encodes them.
        patches: pixels of all thirteen bands, each patch with some that are valid.

    Raises:
        EncoderError: when the encoder gives another shape than it says, or something that is not finite.
    """
    prepared = ahead(_prepare(scene, grid, encoder, patches), depth=_QUEUE)
    with closing(prepared):
        for item in prepared:
            yield _with_vectors(item, encoder.infer(item.prepared), encoder)


def _prepare(scene: Scene, grid: PatchGrid, encoder: Encoder, patches: Iterator[PatchBatch]) -> Iterator[_Prepared]:
    """Yield batches of the encoder's size, across strips, with statistics and prepared pixels."""
    positions = [BAND_NAMES.index(name) for name in encoder.spec.bands]
    as_read = positions == list(range(len(BAND_NAMES)))
    for some in _regroup(patches, _batch_size(grid, encoder)):
        mean, std = band_statistics(some)
        pixels = some.pixels if as_read else some.pixels[..., positions]
        rows, cols = grid.rows_cols(some.ids)
        batch = FeatureBatch(
            ids=some.ids,
            rows=rows,
            cols=cols,
            vectors=np.empty((0, 0), np.float32),
            valid_fraction=some.valid_fraction,
            band_mean=mean,
            band_std=std,
            lonlat=centres_lonlat(scene, grid, some.ids),
        )
        yield _Prepared(batch=batch, prepared=encoder.prepare(as_fed(pixels, scene, encoder.spec)))


def _batch_size(grid: PatchGrid, encoder: Encoder) -> int:
    """Return the encoder's batch size, halved until the prepared patches of a batch fit ``BATCH_BYTES``.

    Halved, because encoders go through a batch in groups, and a group that is not full costs as much as a full one.
    """
    side = max(grid.size, encoder.spec.input_size or 0)
    size = encoder.batch_size
    while size > 1 and size * side * side * len(BAND_NAMES) * 4 > BATCH_BYTES:
        size //= 2
    return size


def _wait(pending: Future[None] | None) -> None:
    """Let a commit end, and its failure come to light."""
    if pending is not None:
        pending.result()


def _with_vectors(item: _Prepared, vectors: FloatArray, encoder: Encoder) -> FeatureBatch:
    """Return the batch with its features, checked."""
    expected = (len(item.batch), encoder.spec.dimension)
    if vectors.shape != expected or not np.isfinite(vectors).all():
        found = f"it gives shape {vectors.shape} instead of {expected}"
        if vectors.shape == expected:
            found = "it gives numbers that are not finite"
        raise EncoderError(f"Encoding with {encoder.spec.title}", found, "choose another encoder")
    return replace(item.batch, vectors=vectors)


def band_statistics(patches: PatchBatch) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of each band over a patch's valid pixels.

    Returns:
        Two float32 arrays of shape (N, bands), in reflectance. No-data pixels, which hold the mean, do not count.
    """
    count, height, width, bands = patches.pixels.shape
    flat = patches.pixels.reshape(count, height * width, bands)
    ones = np.full((1, height * width), 1 / (height * width), np.float32)
    mean = np.matmul(ones, flat)
    spread = flat - mean
    np.square(spread, out=spread)
    variance = np.matmul(ones, spread)[:, 0] / np.maximum(patches.valid_fraction, 1e-6)[:, None]
    return mean[:, 0], np.sqrt(variance)


def _take(patches: PatchBatch, rows: np.ndarray[tuple[int], np.dtype[np.bool_]] | slice) -> PatchBatch:
    """Return some of a batch."""
    return PatchBatch(ids=patches.ids[rows], pixels=patches.pixels[rows], valid_fraction=patches.valid_fraction[rows])


def _regroup(strips: Iterator[PatchBatch], size: int) -> Iterator[PatchBatch]:
    """Yield the same patches in batches of exactly ``size``, the last one excepted."""
    waiting: list[PatchBatch] = []
    for strip in strips:
        start = 0
        while start < len(strip.ids):
            room = size - sum(len(part.ids) for part in waiting)
            waiting.append(_take(strip, slice(start, start + room)))
            start += room
            if sum(len(part.ids) for part in waiting) == size:
                yield _join(waiting)
                waiting = []
    if waiting:
        yield _join(waiting)


def _join(parts: Sequence[PatchBatch]) -> PatchBatch:
    if len(parts) == 1:
        return parts[0]
    return PatchBatch(
        ids=np.concatenate([part.ids for part in parts]),
        pixels=np.concatenate([part.pixels for part in parts]),
        valid_fraction=np.concatenate([part.valid_fraction for part in parts]),
    )
