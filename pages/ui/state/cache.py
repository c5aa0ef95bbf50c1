"""What visitors share in memory: arrays and answers, keyed by ids and frozen settings. The only user of st.cache_*.

Everything here is read-only. Nothing needs a visitor: the routes that feed plot and gallery call the same functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.bands import FloatArray
from core.encoders.files import LEARNED
from core.encoders.registry import EncoderListing, list_encoders
from core.errors import EncoderError, SceneError
from core.evaluation.novelty import NOVEL_ABOVE, novelty_reference
from core.features.recipe import Recipe, companion_of
from core.projection.layout import pca_layout
from core.projection.settings import ProjectionSettings
from core.scenes.labels import LabelSet, PatchLabels, hand_labels, hand_version, merged, patch_labels
from core.scenes.patches import IntArray, PatchGrid, centres_lonlat, patch_grid
from core.scenes.scene import Scene
from core.similarity.explain import index_values
from core.similarity.neighbours import Neighbours, nearest_patches, similarities, unit_rows
from pages.ui.state.engine import engine


@dataclass(frozen=True, kw_only=True)
class Table:
    """The encoded patches of a scene, as the views need them.

    Attributes:
        patch_ids: int64 of shape (N,), ascending.
        unit: float32 of shape (N, D), features scaled to length 1.
        band_mean: float32 of shape (N, 13), mean reflectance, in the order of ``BAND_NAMES``.
        band_std: float32 of shape (N, 13), standard deviation inside the patch.
    """

    patch_ids: IntArray
    unit: FloatArray
    band_mean: FloatArray
    band_std: FloatArray

    def __len__(self) -> int:
        return len(self.patch_ids)

    def positions(self, ids: IntArray) -> IntArray:
        """Rows of those of ``ids`` that are in the table, in the order given."""
        if not len(self):
            return np.empty(0, np.int64)
        found = np.minimum(np.searchsorted(self.patch_ids, ids), len(self) - 1)
        rows: IntArray = found[self.patch_ids[found] == ids]
        return rows

    def holds(self, patch_id: int | None) -> bool:
        """Whether a patch is in the table."""
        return patch_id is not None and len(self.positions(np.array([patch_id]))) == 1


@st.cache_resource(max_entries=4, show_spinner=False)
def table(recipe: Recipe) -> Table:
    """The encoded patches of a finished recipe.

    Raises:
        StoreError: when they are not there or cannot be read.
    """
    features = engine().features(recipe)
    return Table(
        patch_ids=_frozen(features.patch_ids),
        unit=_frozen(unit_rows(features.vectors)),
        band_mean=_frozen(features.band_mean),
        band_std=_frozen(features.band_std),
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def recipe_by_key(key: str) -> Recipe:
    """The recipe of a key that is in the store.

    Raises:
        SceneError: when there is none.
    """
    scene_id = key.rsplit("-", 3)[0]
    for recipe in engine().store.recipes(scene_id):
        if recipe.key == key:
            return recipe
    raise SceneError("Looking up features", "there are none of that name", "open the scene again")


def scene_grid(scene: Scene, recipe: Recipe) -> PatchGrid:
    """The patches a recipe cuts a scene into."""
    return patch_grid(scene, recipe.patch_size, recipe.stride)


@st.cache_resource(max_entries=16, show_spinner=False)
def labels(scene_id: str, patch_size: int, stride: int) -> PatchLabels | None:
    """Truth of all patches of a scene by patch id; None when it has none."""
    scene = engine().library.get(scene_id)
    return patch_labels(scene, patch_grid(scene, patch_size, stride))


def label_version(scene_id: str) -> str:
    """What tells the labels that people gave in a scene from any others; empty when there are none."""
    return hand_version(engine().library.get(scene_id))


def given_labels(recipe: Recipe) -> PatchLabels | None:
    """Labels that people gave to a scene's patches, as they are now; None when there are none."""
    return _given(recipe.scene_id, recipe.patch_size, recipe.stride, label_version(recipe.scene_id))


def shown_labels(recipe: Recipe) -> PatchLabels | None:
    """Labels by people where there are any, else by the truth; None when there are none."""
    return _shown(recipe.scene_id, recipe.patch_size, recipe.stride, label_version(recipe.scene_id))


def labels_by(wanted: LabelSet, patch_size: int) -> PatchLabels | None:
    """Labels of all patches of a set, by patch id; None when there are none any more."""
    if wanted.by == "truth":
        return labels(wanted.scene_id, patch_size, patch_size)
    return _given(wanted.scene_id, patch_size, patch_size, label_version(wanted.scene_id))


@st.cache_resource(max_entries=16, show_spinner=False)
def _given(scene_id: str, patch_size: int, stride: int, version: str) -> PatchLabels | None:
    scene = engine().library.get(scene_id)
    return hand_labels(scene, patch_grid(scene, patch_size, stride))


@st.cache_resource(max_entries=16, show_spinner=False)
def _shown(scene_id: str, patch_size: int, stride: int, version: str) -> PatchLabels | None:
    return merged(_given(scene_id, patch_size, stride, version), labels(scene_id, patch_size, stride))


@st.cache_resource(max_entries=16, show_spinner=False)
def places(recipe: Recipe) -> NDArray[np.float64] | None:
    """Longitude and latitude of a table's patches, shape (N, 2); None when the scene's place is unknown."""
    scene = engine().library.get(recipe.scene_id)
    return centres_lonlat(scene, scene_grid(scene, recipe), table(recipe).patch_ids)


@st.cache_resource(max_entries=16, show_spinner=False)
def layout(recipe: Recipe, settings: ProjectionSettings | None) -> FloatArray:
    """Places of a table's patches in the plot, float32 of shape (N, 2): UMAP, or PCA when ``settings`` is None.

    Raises:
        SceneError: when that UMAP has not been computed.
    """
    if settings is None:
        return _frozen(pca_layout(table(recipe).unit).astype(np.float32))
    found = engine().projection(recipe, settings)
    if found is None:
        raise SceneError("Drawing the plot", "that layout is not ready", "wait for it")
    return _frozen(np.asarray(found, dtype=np.float32))


def groups(recipe: Recipe) -> NDArray[np.int16] | None:
    """Groups of alike patches, int16 of shape (N,), counted from 0; None while they are not made."""
    return engine().groups(recipe)


@st.cache_resource(max_entries=32, show_spinner=False)
def index(recipe: Recipe, name: str) -> FloatArray:
    """NDVI, NDWI or NDBI of a table's patches, float32 of shape (N,)."""
    return _frozen(index_values(table(recipe).band_mean, name))


@st.cache_resource(max_entries=32, show_spinner=False)
def similarity(recipe: Recipe, patch_id: int) -> FloatArray:
    """Cosine similarity of a table's patches to one of them, float32 of shape (N,)."""
    found = table(recipe)
    return _frozen(similarities(found.unit, int(found.positions(np.array([patch_id]))[0])))


@st.cache_resource(max_entries=256, show_spinner=False)
def similarity_range(recipe: Recipe, patch_id: int) -> tuple[float, float]:
    """Similarities that a colour bar runs between: the lower quarter looks alike, the query itself does not count."""
    values = similarity(recipe, patch_id)
    if len(values) < 3:
        return 0.0, 1.0
    low = float(np.quantile(values, 0.25))
    high = float(np.partition(values, -2)[-2])
    return (low, high) if high > low else (high - 0.01, high)


@st.cache_resource(max_entries=16, show_spinner=False)
def novelty(recipe: Recipe) -> FloatArray | None:
    """How strange a table's patches are to the encoder, percentiles of shape (N,); None when that cannot be known."""
    try:
        known = novelty_reference(recipe, engine().config)
        found = table(recipe)
        return None if known is None else _frozen(known.percentile(found.unit, found.band_mean, found.band_std))
    except EncoderError:
        return None


@st.cache_resource(max_entries=16, show_spinner=False)
def trained_on_known_patches(recipe: Recipe) -> bool:
    """Whether it is known which patches the encoder of a recipe has learned from."""
    return companion_of(recipe, LEARNED, engine().config) is not None


@st.cache_resource(max_entries=16, show_spinner=False)
def novel_patches(recipe: Recipe) -> IntArray:
    """Ids of the patches that are unfamiliar to the encoder, the strangest first; none when that cannot be known."""
    found = novelty(recipe)
    if found is None:
        return _frozen(np.empty(0, np.int64))
    rows = np.flatnonzero(found > NOVEL_ABOVE)
    return _frozen(table(recipe).patch_ids[rows[np.argsort(-found[rows], kind="stable")]])


def distortion(recipe: Recipe, settings: ProjectionSettings) -> FloatArray | None:
    """How badly a layout places a table's patches, shape (N,), 0 to 1; None while it is not measured."""
    found = engine().reports.values(recipe, settings.key, "distortion")
    whole = found is not None and len(found) == len(table(recipe))
    return np.asarray(found, dtype=np.float32) if whole else None


@st.cache_resource(max_entries=256, show_spinner=False)
def neighbours(recipe: Recipe, patch_id: int, count: int, leave_out_touching: bool) -> Neighbours:
    """The patches of a scene most like one of them, best first.

    In a collection, neighbours in the mosaic do not touch on Earth, so nothing is left out there.
    """
    found = table(recipe)
    scene = engine().library.get(recipe.scene_id)
    touching = None
    if leave_out_touching and scene.kind == "scene":
        touching = scene_grid(scene, recipe).touching(patch_id)
    position = int(found.positions(np.array([patch_id]))[0])
    return nearest_patches(found.unit, found.patch_ids, position, min(count, len(found)), exclude=touching)


@st.cache_resource(max_entries=32, show_spinner=False)
def examples(recipe: Recipe, count: int = 12) -> IntArray:
    """Patches as different from one another as can be, to start from: farthest first, from the middle outwards.

    Source: T. Gonzalez, "Clustering to minimize the maximum intercluster distance" (1985), on the PCA layout.
    """
    found, points = table(recipe), layout(recipe, None)
    if len(found) <= count:
        return found.patch_ids
    off_middle = np.abs(points - np.median(points, axis=0))
    allowed = (off_middle <= np.quantile(off_middle, 0.98, axis=0)).all(axis=1)
    chosen = [int(np.argmin(np.where(allowed, np.square(off_middle).sum(axis=1), np.inf)))]
    distance = np.where(allowed, np.inf, -1.0)
    for _ in range(count - 1):
        distance = np.minimum(distance, np.square(points - points[chosen[-1]]).sum(axis=1))
        chosen.append(int(distance.argmax()))
    return _frozen(found.patch_ids[chosen])


@st.cache_resource(ttl=15, show_spinner=False)
def encoders() -> dict[str, EncoderListing]:
    """Encoders on offer by name; looked at again after a while, for their files may come."""
    return {listing.name: listing for listing in list_encoders(engine().config)}


def forget() -> None:
    """Drop everything; call when a scene was deleted, so that its memory goes too."""
    st.cache_resource.clear()


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
