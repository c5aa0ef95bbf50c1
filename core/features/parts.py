"""Encoding a scene in parts, by the workers of a cluster: what a part is, doing one, and storing what comes back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import rasterio

from core.bands import BAND_NAMES
from core.config import Config
from core.encoders.base import Encoder, EncoderSpec
from core.encoders.cache import SHARED
from core.encoders.registry import describe, matching_backend, matching_encoder, share_downloaded
from core.errors import EncoderError
from core.features.batches import iter_patches
from core.features.encode import CACHE_BYTES, EncodeRun, check_encoder, encode_patches, fill_store, valid_patches
from core.features.recipe import FeatureBatch, Recipe, join_batches
from core.features.store import FeatureStore
from core.files import never, present
from core.mirror.opening import at_worker, open_data
from core.prefetch import ahead
from core.progress import Progress, silent
from core.scenes.patches import IntArray, PatchGrid, patch_grid
from core.scenes.regions.of_interest import inside_area
from core.scenes.scene import Scene

PART_PATCHES = 256
"""Patches of a part, at most: what a worker loses that is killed."""

PART_PIXELS = 512
"""Rows of pixels of a part, about: two rows of blocks, so that few are unpacked for two parts."""

Waiting = Callable[[str], None]
"""Is told what keeps the work from going on; an empty text when it goes on."""


@dataclass(frozen=True, kw_only=True)
class ScenePart:
    """Some patches of a scene on their way to a worker.

    Attributes:
        scene: the scene.
        recipe: how it is encoded.
        config: says where the data are, when they are in a bucket; None = the scene lies where the worker sees it.
        load: gives the encoder, where the part is encoded.
        rows: rows of the grid that the part lies in.
        cols: columns, likewise.
        ids: ascending int64 ids of the patches to encode, all in those rows and columns.
    """

    scene: Scene
    recipe: Recipe
    load: Callable[[], Encoder]
    rows: range
    cols: range
    ids: IntArray
    config: Config | None = None

    def at_hand(self) -> Scene:
        """Return the scene where the part is encoded, its pixels there."""
        if self.config is None or not self.config.bucket:
            return self.scene
        directory = at_worker(self.config).root / "scenes" / self.scene.id
        present(directory / "pixels.tif")
        return replace(self.scene, directory=directory)


@dataclass(frozen=True, kw_only=True)
class EncodedPart:
    """What a worker made of a part.

    Attributes:
        batch: features of the patches, or None where none has enough valid data.
        skipped: ids of those with too little.
    """

    batch: FeatureBatch | None
    skipped: IntArray


def scene_parts(
    scene: Scene,
    recipe: Recipe,
    load: Callable[[], Encoder],
    done: frozenset[int],
    most: int = PART_PATCHES,
    *,
    config: Config | None = None,
) -> Iterator[ScenePart]:
    """Yield the parts of a scene, of at most ``most`` patches each, whose patches are not all done."""
    grid = patch_grid(scene, recipe.cut)
    wanted = np.ones(grid.count, np.bool_) if (inside := inside_area(scene, grid)) is None else inside.copy()
    wanted[list(done)] = False
    height = max(1, min(most, PART_PIXELS // recipe.cut.stride))
    width = max(1, most // height)
    for top in range(0, grid.n_rows, height):
        rows = range(top, min(top + height, grid.n_rows))
        for left in range(0, grid.n_cols, width):
            cols = range(left, min(left + width, grid.n_cols))
            ids = _ids_within(grid, rows, cols)
            if wanted[ids].any():
                some = ids[wanted[ids]]
                yield ScenePart(
                    scene=scene, recipe=recipe, load=load, rows=rows, cols=cols, ids=some, config=config
                )  # fmt: skip


def encode_part(part: ScenePart) -> EncodedPart:
    """Encode the patches of a part; for a worker.

    Raises:
        EncoderError: when the encoder is not at hand, or not the recipe's.
    """
    scene, encoder = part.at_hand(), part.load()
    check_encoder(encoder, part.recipe)
    grid = patch_grid(scene, part.recipe.cut)
    others = frozenset(np.setdiff1d(_ids_within(grid, part.rows, part.cols), part.ids).tolist())
    skipped: deque[IntArray] = deque()
    strips = ahead(iter_patches(scene, grid, BAND_NAMES, skip=others, within=(part.rows, part.cols)), depth=1)
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES), closing(strips):
        batches = list(encode_patches(scene, grid, encoder, valid_patches(strips, grid, skipped)))
    return EncodedPart(
        batch=join_batches(batches) if batches else None,
        skipped=np.concatenate([np.empty(0, np.int64), *skipped]),
    )


def encode_on_cluster(
    scene: Scene,
    recipe: Recipe,
    store: FeatureStore,
    config: Config,
    *,
    load: Callable[[], Encoder] | None = None,
    spec: EncoderSpec | None = None,
    part_patches: int = PART_PATCHES,
    progress: Progress = silent,
    cancelled: Callable[[], bool] = never,
    waiting: Waiting | None = None,
) -> None:
    """Encode all patches of a scene that the store does not have yet, by all workers of a cluster.

    Features are those that ``encode_scene`` gives, and are committed here as they come; what is committed is never
    done again, and a worker that dies loses the part that it was at.

    Args:
        scene: the scene of the recipe.
        recipe: how the scene is cut.
        store: where features go.
        config: names the cluster, and says where models lie.
        load: gives the encoder on a worker; importable by name. None = the recipe's of the registry.
        spec: the encoder; None = as the registry describes it.
        part_patches: patches that a worker gets at once, at most.
        progress: told patches committed or skipped, and all patches.
        cancelled: asked a few times a second.
        waiting: told what keeps the work from going on.

    Raises:
        LandlikeError: as of ``encode_scene``, and as of ``core.jobs.cluster.chunks.chunks_done``.
    """
    from core.jobs.cluster.chunks import chunks_done, untold
    from core.jobs.cluster.connection import cluster_at

    if spec is None:
        spec = describe(recipe.encoder, config, _backend(recipe, config))
        share_downloaded(recipe.encoder, config)
    load = load or partial(encoder_at_hand, recipe, config)
    cluster, asked = cluster_at(config.scheduler, config.root, config.bucket), f"Encoding “{scene.name}”"

    def encoded(run: EncodeRun, done: frozenset[int]) -> Generator[FeatureBatch]:
        parts = scene_parts(scene, recipe, load, done, part_patches, config=config)
        found = chunks_done(cluster, asked, encode_part, parts, cancelled=cancelled, waiting=waiting or untold)
        with closing(found):
            for _, part in found:
                if len(part.skipped):
                    run.skipped.append(part.skipped)
                if part.batch is not None:
                    yield part.batch

    fill_store(scene, spec, recipe, store, encoded, progress=progress, cancelled=cancelled)


def encoder_at_hand(recipe: Recipe, config: Config) -> Encoder:
    """Return the encoder of a recipe, where this runs; the last one stays loaded.

    Raises:
        EncoderError: when it is not here, or another.
    """
    config = at_worker(config)
    try:
        return matching_encoder(recipe.encoder, recipe.fingerprint, config)
    except EncoderError:
        if (shared := open_data(config)) is not None:  # It may have come since this worker looked.
            for folder in ("trained", SHARED):
                shared.refresh(f"files/{folder}")
        _backend(recipe, config)  # Says more of why not, where that is it.
        return matching_encoder(recipe.encoder, recipe.fingerprint, config)


def _backend(recipe: Recipe, config: Config) -> str:
    backend = matching_backend(recipe.encoder, recipe.fingerprint, config)
    if backend is None:
        found = "it is another model here, or this processor computes it otherwise"
        raise EncoderError(f"Loading the encoder {recipe.encoder}", found, "put the same files there")
    return backend


def _ids_within(grid: PatchGrid, rows: range, cols: range) -> IntArray:
    """Return ascending ids of the patches in some rows and columns of a grid."""
    ids: IntArray = (np.array(rows, np.int64)[:, None] * grid.n_cols + np.array(cols, np.int64)).ravel()
    return ids
