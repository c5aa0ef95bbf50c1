"""What visitors share in memory: scenes with all that is known of their patches. The only user of st.cache_*.

Everything here is read-only. Nothing needs a visitor: the routes that feed plot and map call the same functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.classification.maps.choice import load_choice
from core.encoders.files import CARD
from core.encoders.registry import EncoderListing, companion, list_encoders
from core.engine.answers import Answers
from core.errors import SceneError
from core.features.recipe import Recipe
from core.features.table import PatchTable, patch_table
from core.scenes.cut import DEFAULT_CUT, Cut
from core.scenes.labels import LabelSet, PatchLabels, SceneLabels, hand_version, patch_labels, scene_labels
from core.scenes.patches import PatchGrid, patch_grid
from core.scenes.scene import Scene
from core.scenes.truth import map_version
from core.training.trained_models import read_card
from pages.ui.http.uploads import Upload, upload_content
from pages.ui.state.engine import engine
from pages.ui.state.scene_view import SceneView

if TYPE_CHECKING:
    from core.export.bundle import Bundle


@dataclass(frozen=True, kw_only=True, eq=False)
class _Kept:
    """What does not change as long as a recipe is in the store."""

    scene: Scene
    grid: PatchGrid
    table: PatchTable
    answers: Answers


def scene_view(recipe: Recipe, scene: Scene | None = None) -> SceneView:
    """Return a scene with all that is known of its encoded patches, with the labels that it has now.

    It reads the version of the labels; the rest is kept.

    Args:
        recipe: finished.
        scene: as it was just read, with the name it has now; None = as it was when it was first viewed.

    Raises:
        StoreError: when the features are not there or cannot be read.
        SceneError: when there is no such scene.
    """
    kept = _kept(recipe)
    return SceneView(
        scene=scene or kept.scene,
        recipe=recipe,
        grid=kept.grid,
        table=kept.table,
        labels=_labels(recipe.scene_id, recipe.cut, hand_version(kept.scene), map_version(kept.scene)),
        engine=engine(),
        answers=kept.answers,
        choice=load_choice(kept.scene),
    )


def view_of_key(key: str) -> SceneView:
    """Return the view of the recipe of a key; errors as of ``scene_view``, and a SceneError when there is none."""
    return scene_view(_recipe(key))


def labels_of_set(wanted: LabelSet, cut: Cut = DEFAULT_CUT) -> PatchLabels | None:
    """Return the labels of all patches of a set, by patch id; None when there are none any more."""
    scene = engine().library.get(wanted.scene_id)
    found = _labels(scene.id, cut, hand_version(scene), map_version(scene))
    return found.truth if wanted.by == "truth" else found.given


@st.cache_resource(max_entries=6, show_spinner=False)
def _kept(recipe: Recipe) -> _Kept:
    scene = engine().library.get(recipe.scene_id)
    grid = patch_grid(scene, recipe.cut)
    return _Kept(scene=scene, grid=grid, table=patch_table(engine().features(recipe)), answers=Answers())


@st.cache_resource(max_entries=64, show_spinner=False)
def _recipe(key: str) -> Recipe:
    for recipe in engine().store.recipes(key.rsplit("-", 3)[0]):
        if recipe.key == key:
            return recipe
    raise SceneError("Looking up features", "there are none of that name", "open the scene again")


@st.cache_resource(max_entries=16, show_spinner=False)
def _labels(scene_id: str, cut: Cut, version: str, added: str) -> SceneLabels:
    scene = engine().library.get(scene_id)
    grid = patch_grid(scene, cut)
    return scene_labels(scene, grid, version, truth=_truth(scene_id, cut, added), added=added)


@st.cache_resource(max_entries=16, show_spinner=False)
def _truth(scene_id: str, cut: Cut, added: str) -> PatchLabels | None:
    """Return the labels by the truth; ``added`` is the version of the map that was added, which it is kept under."""
    scene = engine().library.get(scene_id)
    return patch_labels(scene, patch_grid(scene, cut))


@st.cache_resource(ttl=15, show_spinner=False)
def encoders() -> dict[str, EncoderListing]:
    """Return the encoders on offer by name; looked at again after a while, for their files may come."""
    return {listing.name: listing for listing in list_encoders(engine().config)}


@st.cache_resource(ttl=15, show_spinner=False)
def card_by_encoder(name: str) -> dict[str, Any]:
    """Return the card of an encoder that is here, empty when it has none; not to be changed."""
    return read_card(companion(name, CARD, engine().config))


@st.cache_resource(ttl=15, show_spinner=False)
def land_of_encoder(fingerprint: str) -> dict[str, str]:
    """Return in a sentence how an encoder does on land with a map of classes, by the name of the scene."""
    return {name: told.sentences[0] for name, told in engine().land_reports(fingerprint).items() if told.sentences}


@st.cache_resource(max_entries=4, ttl=600, show_spinner=False)
def uploaded_bundle(file_id: str, _came: Upload) -> Bundle:
    """Return what a file that came holds; the page runs again at every click, and a large one takes most of a second.

    Args:
        file_id: tells this upload from any other.

    Raises:
        StoreError: as of ``parse_bundle``, and when it did not arrive.
    """
    from core.export.bundle import MOST_BYTES, parse_bundle

    return parse_bundle(upload_content(_came, MOST_BYTES + 1), _came.name)


def forget_encoders() -> None:
    """Drop what is known of encoders; call when one came or went."""
    encoders.clear()
    land_of_encoder.clear()
    card_by_encoder.clear()


def forget() -> None:
    """Drop everything; call when a scene was deleted, so that its memory goes too."""
    st.cache_resource.clear()
