"""The Classify page: from labels to a map of classes with areas, one patch at a time. Layout and wording only."""

from __future__ import annotations

import streamlit as st

from core.classification.schemes import LandClass
from core.errors import LandlikeError
from core.features.recipe import Recipe
from core.scenes.annotations import undo_labels, undoable
from core.scenes.labels import give_label
from core.scenes.scene import Scene
from pages.ui.classify.areas import areas_panel, judge_panel
from pages.ui.classify.classes import class_choice, counts, offered
from pages.ui.classify.details import validation_details
from pages.ui.classify.heads import compare_heads
from pages.ui.classify.labeller import labeller, suggested
from pages.ui.classify.map_panel import map_panel
from pages.ui.classify.picture import classes_of_map, draw_map
from pages.ui.classify.standing import standing
from pages.ui.common.escape import plain
from pages.ui.common.heading import heading
from pages.ui.common.progress import boundary
from pages.ui.explore import preparing
from pages.ui.explore.cutting import shown_cut, why_form
from pages.ui.explore.views import rendering_of
from pages.ui.state import cache
from pages.ui.state.engine import engine
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session, current
from pages.ui.state.widgets import bound


def page() -> None:
    """Draw the whole page."""
    visitor = current()
    scene = preparing.chosen_scene(visitor)
    if scene is None:
        return
    encoder = preparing.chosen_encoder(visitor)
    if why_form(visitor, scene, encoder):
        st.markdown("This scene has to be cut into patches first: choose how on the **Explore** page.")
        return
    recipe = engine().recipe(scene, encoder, cut=shown_cut(visitor, scene))
    if preparing.features_there(scene, recipe):
        classifying(scene, recipe)


@st.fragment
def classifying(scene: Scene, recipe: Recipe) -> None:
    """Draw everything that a label changes; a click runs no more than this."""
    if scene.id not in engine().library:
        st.rerun()  # Deleted in another window: the page says so and goes on.
    with boundary():
        visitor, known = current(), cache.scene_view(recipe, scene)
        heading(f"Classify {scene.name}", 1, look="large")
        if visitor.classified:
            st.info(plain(visitor.classified))
        rendering = rendering_of(visitor, scene)
        if visitor.judging:
            judge_panel(visitor, known, offered(visitor, known), rendering=rendering)
            return
        class_choice(visitor, known)
        label_part(visitor, known, rendering)


def label_part(visitor: Session, known: SceneView, rendering: str) -> None:
    """Draw a patch to label beside what the labels so far teach."""
    classes, given = offered(visitor, known), counts(known)
    left, right = st.columns([2.1, 1], gap="large")
    with left:
        ahead = suggested(visitor, known)
        labeller(
            known, next(iter(ahead), None), classes, rendering=rendering, counts=given, ahead=ahead[1:],
            words={
                "title": "What is most of the land in the frame?", "pass": "Another patch",
                "empty": "All patches are labelled, or were left without a class.",
            },
            on_class=lambda patch, name: take(visitor, known, patch, name, classes),
            on_pass=lambda patch: leave(visitor, patch),
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center", key="classify_bar"):
            last, _ = undoable(known.scene)
            st.button(
                "Undo", help=plain(f"Take back: {last}") if last else None, key="classify_undo",
                icon=":material/undo:", disabled=not last, on_click=undo, args=(visitor, known),
            )  # fmt: skip
            st.toggle(
                "At random", help="Else the patches come first that teach most: unsure, unlike others, far apart. At "
                "random is the control.", **bound("classify_random", "at_random"),
            )  # fmt: skip
    with right:
        standing(known, given)
        mapped = classes_of_map(known, classes)
        draw_map(known, mapped)
    map_panel(visitor, known, mapped)
    compare_heads(visitor, known)
    areas_panel(visitor, known)
    validation_details(visitor, known)


def take(visitor: Session, known: SceneView, patch: int, name: str, classes: tuple[LandClass, ...]) -> None:
    """Give a patch a class before the next run; what went wrong is said."""
    colour = next((one.colour for one in classes if one.name == name), "")
    try:
        give_label(known.scene, known.grid, [patch], name, view="classify", colour=colour)
    except LandlikeError as error:
        visitor.classified = str(error)
        return
    visitor.classified = ""


def leave(visitor: Session, patch: int) -> None:
    """Pass a patch over."""
    visitor.passed = (*visitor.passed, patch)


def undo(visitor: Session, known: SceneView) -> None:
    """Take the latest change of labels back, whichever page it was made on."""
    try:
        what = undo_labels(known.scene)
    except LandlikeError as error:
        visitor.classified = str(error)
        return
    visitor.classified = f"Taken back: {what}." if what else ""


with boundary():
    page()
