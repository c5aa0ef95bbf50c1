"""Vectors that somebody else computed, on their way into the store: as the features of a scene without pixels.

They are kept under an ``EncoderSpec`` as any features are, so that search, layouts, clusters and exports need not know
where they come from. Its fingerprint is that of the model that the file states, and files that state the same can be
compared; else it is one of the vectors themselves, which is that of no other file.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.bands import BAND_NAMES
from core.encoders.base import EncoderSpec
from core.encoders.registry import default_encoder
from core.errors import EncoderError, JobCancelledError, PatchError
from core.features.recipe import FeatureBatch, Recipe
from core.features.store import FeatureSink
from core.features.vector_table import NO_PIXELS, vector_table
from core.files import never
from core.progress import Progress, silent
from core.scenes.patches import centres_lonlat, patch_grid
from core.scenes.regions.of_interest import inside_area
from core.scenes.scene import Scene

_CHUNK = 4096


def given_spec(scene: Scene) -> EncoderSpec | None:
    """Return what made the vectors of a scene without pixels; None for a scene that has some."""
    if scene.given is None:
        return None
    stated = scene.given.encoder
    return EncoderSpec(
        name=stated["name"], title=stated["title"], fingerprint=stated["fingerprint"], bands=tuple(stated["bands"]),
        input_size=stated["input_size"], gain=None, dimension=stated["dimension"], backend="file",
        origin=stated["origin"], level=stated["level"],
    )  # fmt: skip


def first_encoder(scene: Scene) -> str:
    """Return the name of the encoder of a scene where nobody chooses: of one without pixels the one it came with."""
    return default_encoder() if scene.given is None else str(scene.given.encoder["name"])


def needed_spec(scene: Scene, encoder: str) -> EncoderSpec:
    """Return what made the vectors of a scene without pixels.

    Raises:
        EncoderError: when another encoder is asked for, which would need pixels.
    """
    spec = given_spec(scene)
    if spec is None or encoder != spec.name:
        remedy = f"go on with {spec.name}, which its vectors are from" if spec is not None else "choose another scene"
        raise EncoderError(f"Encoding “{scene.name}” with {encoder}", NO_PIXELS, remedy)
    return spec


def given_recipe(scene: Scene) -> Recipe:
    """Return what the vectors of a scene without pixels are kept by.

    Raises:
        EncoderError: when it has pixels.
    """
    spec = needed_spec(scene, first_encoder(scene))
    cut = patch_grid(scene).cut
    return Recipe(scene_id=scene.id, encoder=spec.name, fingerprint=spec.fingerprint, cut=cut)


def store_given(
    scene: Scene,
    recipe: Recipe,
    store: FeatureSink,
    *,
    progress: Progress = silent,
    cancelled: Callable[[], bool] = never,
) -> None:
    """Put the vectors of a scene without pixels into the store.

    Args:
        scene: of the recipe.
        recipe: of the scene's own encoder.
        store: where they go.
        progress: told patches.
        cancelled: asked after each chunk.

    Raises:
        EncoderError: when the recipe is of another encoder.
        PatchError: when none of them lies in the area of the cut.
        SceneError: when the vectors are missing or damaged.
        StoreError: when they cannot be written.
        JobCancelledError: when ``cancelled`` says so; what is committed stays.
    """
    spec = needed_spec(scene, recipe.encoder)
    grid, table = patch_grid(scene, recipe.cut), vector_table(scene)
    inside = inside_area(scene, grid)
    wanted = np.arange(len(table)) if inside is None else np.flatnonzero(inside[table.ids])
    if not len(wanted):
        raise PatchError(f"Reading “{scene.name}”", "none of its vectors lies in the area", "choose a larger area")
    with store.claim(recipe, cancelled):
        if not store.complete(recipe):
            done = np.isin(table.ids[wanted], store.begin(recipe, spec, len(wanted)))
            left = wanted[~done]
            for start in range(0, len(left), _CHUNK):
                if cancelled():
                    raise JobCancelledError(f"Reading “{scene.name}”", "it was cancelled", "start it again")
                rows = left[start : start + _CHUNK]
                ids = np.array(table.ids[rows])
                down, across = grid.rows_cols(ids)
                store.append(recipe, spec, FeatureBatch(
                    ids=ids, rows=down, cols=across, vectors=np.array(table.vectors[rows]),
                    valid_fraction=np.ones(len(ids), np.float32), lonlat=centres_lonlat(scene, grid, ids),
                    **_statistics(table.statistics, rows),
                ))  # fmt: skip
                progress(len(wanted) - len(left) + start + len(rows), len(wanted))
            store.finish(recipe, spec)
    progress(len(wanted), len(wanted))


def _statistics(known: np.ndarray | None, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return means and deviations of bands; where the file has none zeros, which no band of the scene vouches for."""
    count = len(BAND_NAMES)
    both = np.zeros((len(rows), 2 * count), np.float32) if known is None else np.array(known[rows])
    return {"band_mean": both[:, :count], "band_std": both[:, count:]}
