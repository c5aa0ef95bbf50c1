"""The Classify page: from labels to a map of classes with areas, one patch at a time. Layout and wording only."""

from __future__ import annotations

import streamlit as st

from core.features.recipe import Recipe
from core.scenes.scene import Scene
from pages.ui.classify.acts import leave, redo, step_buttons, take, undo
from pages.ui.classify.areas import areas_panel, judge_panel
from pages.ui.classify.classes import class_choice, counts
from pages.ui.classify.details import validation_details
from pages.ui.classify.doubts import doubts_panel, mixed_panel
from pages.ui.classify.heads import compare_heads
from pages.ui.classify.importing import import_panel
from pages.ui.classify.label_table import labels_panel, who_field
from pages.ui.classify.labeller import labeller, suggested
from pages.ui.classify.learning import learning_panel
from pages.ui.classify.map_panel import map_panel
from pages.ui.classify.numbers import numbers_panel
from pages.ui.classify.offered import offered
from pages.ui.classify.picture import classes_of_map, draw_map
from pages.ui.classify.standing import standing
from pages.ui.common.escape import plain
from pages.ui.common.heading import heading
from pages.ui.common.progress import boundary
from pages.ui.cutting.form import shown_cut, why_form
from pages.ui.explore import preparing
from pages.ui.state import cache
from pages.ui.state.address import show_address
from pages.ui.state.engine import engine
from pages.ui.state.label_state import settled_view
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session, current
from pages.ui.state.view_state import rendering_of
from pages.ui.state.widgets import bound

LABELLED_UNSEEN = (
    "The file holds no pixels, so pictures show where a patch lies and not what is there. Label what you know of the "
    "place, or take labels from a file."
)


def page() -> None:
    """Draw the whole page."""
    visitor = current()
    scene = preparing.chosen_scene(visitor)
    if scene is None:
        return
    encoder = preparing.chosen_encoder(visitor, scene)
    if not preparing.encoder_tried(scene, encoder):
        return
    if why_form(visitor, scene, encoder):
        st.markdown("This scene has to be cut into patches first: choose how on the **Explore** page.")
        return
    recipe = engine().recipe(scene, encoder, cut=shown_cut(visitor, scene))
    show_address(visitor.link(preparing.link_encoder(visitor, scene, recipe)))
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
        if not scene.has_pixels:
            st.caption(LABELLED_UNSEEN)
        rendering = rendering_of(visitor, scene)
        if visitor.judging:
            judge_panel(visitor, known, offered(known), rendering=rendering)
            return
        class_choice(visitor, known)
        label_part(visitor, known, rendering)
        visitor.desk.hurried = False


def label_part(visitor: Session, known: SceneView, rendering: str) -> None:
    """Draw a patch to label beside what the labels so far teach."""
    classes, given, settled = offered(known), counts(known), settled_view(visitor, known)
    left, right = st.columns([2.1, 1], gap="large")
    with left:
        ahead = suggested(visitor, known)
        labeller(
            known, next(iter(ahead), None), classes, rendering=rendering, counts=given, ahead=ahead[1:],
            words={
                "pass": "Another patch",
                "empty": "All patches are labelled, or were left without a class.",
            },
            on_class=lambda patch, name: take(visitor, known, patch, name, classes),
            on_pass=lambda patch: leave(visitor, patch), settling=visitor.desk.hurried, who=visitor.desk.who,
            on_step=lambda step: (undo if step == "undo" else redo)(known, visitor.tell),
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center", key="classify_bar"):
            step_buttons(known, visitor.tell, key="classify")
            st.toggle(
                "At random", help="Else the patches come first that teach most: unsure, unlike others, far apart. At "
                "random is the control.", **bound("classify_random", "desk.at_random"),
            )  # fmt: skip
            who_field(visitor)
    with right:
        standing(settled, given)
        mapped = classes_of_map(settled, classes)
        draw_map(settled, mapped)
    mixed_panel(visitor, settled, classes, rendering=rendering)
    labels_panel(visitor, known, classes)
    import_panel(visitor, known, classes)
    learning_panel(settled)
    doubts_panel(visitor, settled, classes, rendering=rendering)
    map_panel(visitor, settled, mapped)
    compare_heads(visitor, settled)
    areas_panel(visitor, settled)
    validation_details(settled)
    numbers_panel(visitor, known)


with boundary():
    page()
