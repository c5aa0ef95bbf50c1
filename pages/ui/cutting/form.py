"""The form that says how a scene is cut into patches: what is there, what is wanted, and what that will take."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.errors import LandlikeError, PatchError
from core.features.forecast import Forecast
from core.features.recipe import Recipe
from core.jobs.queue import job_id
from core.scenes.cut import DEFAULT_CUT, LEAST_SIZE, MOST_SIZE, Cut, Edge
from core.scenes.overview import metres_of
from core.scenes.patches import PatchGrid, patch_grid
from core.scenes.regions.of_interest import patches_in_area
from core.scenes.scene import Scene
from pages.ui.common.cuts import cut_title, length, recipes_there, take_cut
from pages.ui.common.escape import plain
from pages.ui.common.format import count, duration, patches, size
from pages.ui.common.heading import heading
from pages.ui.common.progress import job_list
from pages.ui.cutting.area import area_field, drop_area_of
from pages.ui.cutting.preview import edge_words, preview_html
from pages.ui.state import cache
from pages.ui.state.cut_draft import METRES, PIXELS, CutDraft
from pages.ui.state.engine import engine
from pages.ui.state.session import Session
from pages.ui.state.widgets import bound

MOST_PATCHES = 250_000
"""Patches of a scene that plot and search still show at once."""

UNASKED = "These patches are not encoded yet by this encoder. That begins when you say so."
EDGES: dict[Edge, str] = {"leave": "Leave the rest out", "cover": "Cover the edge"}


def open_form(visitor: Session, scene: Scene) -> None:
    """Open the form as the scene is cut now, or could be, in metres where these are known."""
    metres, cut = metres_of(scene), shown_cut(visitor, scene)
    shorter = min(scene.grid.width, scene.grid.height) // LEAST_SIZE * LEAST_SIZE
    if LEAST_SIZE <= shorter < cut.size:
        cut = replace(cut, size=shorter, stride=shorter)
    visitor.draft = CutDraft.of(cut, metres, METRES if metres else PIXELS)
    visitor.cutting = True


def shown_cut(visitor: Session, scene: Scene) -> Cut:
    """Return how a scene is cut for a visitor; a collection as it came."""
    cut = visitor.cut(scene.id)
    return cut if scene.patch_size is None else Cut.of(scene.patch_size, area=cut.area)


def cut_button(visitor: Session, scene: Scene) -> None:
    """Draw the button that says how large patches are and opens the form."""
    cut, metres = shown_cut(visitor, scene), metres_of(scene)
    st.button(
        f"Patches {length(cut.size, metres)}", key="cut_open", icon=":material/grid_on:",
        help=f"This scene is cut into patches of {cut_title(cut, metres, scene)}. Cut it otherwise.",
        on_click=open_form, args=(visitor, scene),
    )  # fmt: skip


def cut_form(visitor: Session, scene: Scene, encoder: str, *, rendering: str, why: str = "") -> None:
    """Draw the form in place of the views.

    Args:
        visitor: who.
        scene: what is cut.
        encoder: by which patches will be encoded.
        rendering: of the picture.
        why: a sentence on why the views are not there.
    """
    metres = metres_of(scene)
    with st.container(key="cut_panel"):
        with st.container(horizontal=True, vertical_alignment="center", key="cut_bar"):
            with st.container(width="stretch"):
                heading(f"Patches of {scene.name}", 1, look="large")
            if not why:
                st.button("Back", key="cut_back", icon=":material/arrow_back:", on_click=_close, args=(visitor,))
        if why:
            st.info(plain(why), icon=":material/grid_on:")
        if scene.is_collection:
            st.markdown(
                f"These pictures are {scene.patch_size} pixels a side, as they came, and are not cut otherwise."
            )
            return
        left, right = st.columns([2, 3], gap="large")
        with left:
            _there(visitor, scene, encoder, metres)
            grid = _wanted(visitor, scene, encoder, metres)
        with right:
            st.html(preview_html(scene, grid, rendering))
            if grid is not None:
                st.caption(edge_words(grid, metres))


def why_form(visitor: Session, scene: Scene, encoder: str) -> str | None:
    """Return why a scene cannot be shown as it is to be cut until a person says something; None when it can."""
    try:
        recipe = engine().recipe(scene, encoder, cut=shown_cut(visitor, scene))
    except PatchError as error:
        return str(error)
    usual = recipe.cut == DEFAULT_CUT or scene.is_collection
    job = engine().jobs.get(job_id("encode", recipe.key))
    asked = _asked(recipe) in visitor.work or (job is not None and job.active)
    return None if usual or asked or engine().encoded(recipe) else UNASKED


def _asked(recipe: Recipe) -> str:
    """Return what the session calls that a visitor asked for these patches, also when that was stopped since."""
    return f"cut-{recipe.key}"


def _close(visitor: Session) -> None:
    visitor.cutting = False


def _there(visitor: Session, scene: Scene, encoder: str, metres: float | None) -> None:
    """List the ways of cutting by which the scene is encoded."""
    found = recipes_there(scene, encoder)
    if found:
        st.markdown("**Encoded already**")
    for recipe in found:
        _entry(visitor, scene, recipe, metres)
    job_list(("delete_features",))


def _entry(visitor: Session, scene: Scene, recipe: Recipe, metres: float | None) -> None:
    key = recipe.cut.key
    record = engine().store.runs.get(recipe)
    with st.container(horizontal=True, vertical_alignment="center", key=f"cut_entry_{key}"):
        number = f" · {patches(record.stored)}" if record is not None else ""
        on_show = recipe.cut == visitor.cut(scene.id)
        title = f"**{cut_title(recipe.cut, metres, scene)}**" if on_show else cut_title(recipe.cut, metres, scene)
        st.markdown(f"{title}{number}", width="stretch")
        st.button("Show", key=f"cut_show_{key}", on_click=take_cut, args=(visitor, scene, recipe.cut))
        with (
            st.container(key=f"icon_cut_{key}", width="content"),
            st.popover("Delete these patches", icon=":material/delete:", key=f"cut_delete_{key}"),
        ):
            st.markdown("This removes the features and layouts of these patches. The scene and all labels stay.")
            st.button(
                "Delete them", key=f"cut_sure_{key}", type="primary", on_click=_delete, args=(visitor, scene, recipe)
            )


def _delete(visitor: Session, scene: Scene, recipe: Recipe) -> None:
    """Delete patches; of those on show others take the place, where there are any."""
    engine().delete_features(recipe)
    cache.forget()
    visitor.work.pop(_asked(recipe), None)
    left = recipes_there(scene, recipe.encoder)
    if left and recipe.cut == visitor.cut(scene.id):
        take_cut(visitor, scene, left[0].cut)
        visitor.cutting = True


def _wanted(visitor: Session, scene: Scene, encoder: str, metres: float | None) -> PatchGrid | None:
    """Draw the fields, and what they come to; return the grid, or None where there can be none."""
    st.markdown("**Cut it otherwise**")
    _fields(visitor, metres)
    area_field(visitor, scene)
    try:
        cut = visitor.draft.cut(metres)
    except PatchError:
        st.error(limit_words(metres), icon=":material/error:")
        return None
    try:
        grid = patch_grid(scene, cut)
        patches_in_area(scene, grid)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return None
    st.caption(_pixels_words(visitor.draft, grid.cut, metres))
    _start(visitor, scene, encoder, grid)
    return grid


def limit_words(metres: float | None) -> str:
    """Return what sizes and steps can be, in the words of the fields."""
    here = "" if metres is None else f", here {length(LEAST_SIZE, metres)} to {length(MOST_SIZE, metres)}"
    return (
        f"Choose {LEAST_SIZE} to {MOST_SIZE} pixels a side{here}; and a patch every so many as its size, or less, but "
        "not less than an eighth of it."
    )


def _fields(visitor: Session, metres: float | None) -> None:
    draft = visitor.draft
    if metres is not None:
        st.segmented_control(
            "Unit", [METRES, PIXELS], label_visibility="collapsed",
            **bound("cut_unit", "draft.unit", lambda unit: draft.turn(unit, metres)),
        )  # fmt: skip
    unit, by = draft.unit.lower(), 8 if draft.unit == PIXELS else 10
    size_box, step_box = st.columns(2)
    size_box.number_input(
        f"Size, {unit} a side", min_value=1, max_value=100_000, step=by, **bound("cut_size", "draft.size", draft.resize)
    )
    step_box.number_input(
        f"A patch every … {unit}", min_value=1, max_value=100_000, step=by, **bound("cut_step", "draft.step"),
        help="As large as the size: patches lie side by side. Smaller: they overlap.",
    )  # fmt: skip
    st.segmented_control(
        "At the lower and right edge", list(EDGES), format_func=EDGES.__getitem__,
        help="Where no whole patch fits, the rest is left out, or the last row and column move inwards and overlap.",
        **bound("cut_edge", "draft.edge"),
    )  # fmt: skip
    st.slider(
        "Least share of valid pixels, %", 1, 100, **bound("cut_percent", "draft.percent"),
        help="Patches with a smaller share, as at the border of the picture, are left out.",
    )  # fmt: skip


def _pixels_words(draft: CutDraft, cut: Cut, metres: float | None) -> str:
    """Tell a size in the other unit, and what was rounded."""
    if metres is None:
        return "How large a pixel is on the ground is not known."
    pixel = f"{metres:.4g} m"
    if draft.unit == PIXELS:
        return f"{cut.size} pixels of {pixel} are {length(cut.size, metres)}."
    asked = [draft.size] if draft.step == draft.size else [draft.size, draft.step]
    exact = [cut.size] if draft.step == draft.size else [cut.size, cut.stride]
    words = []
    for wish, pixels in zip(asked, exact, strict=True):
        rounded = abs(pixels * metres - wish) >= 0.5
        many = count(pixels, "pixel")
        became = f" become {many} of {pixel}, {pixels * metres:,.4g} m" if rounded else f" are {many}"
        words.append(f"{wish:,} m{became}")
    return "; ".join(words) + "."


def _start(visitor: Session, scene: Scene, encoder: str, grid: PatchGrid) -> None:
    """Draw what the cut will take, and the button that begins."""
    recipe = engine().recipe(scene, encoder, cut=grid.cut)
    wanted = patches_in_area(scene, grid)
    if wanted > MOST_PATCHES:
        st.error(
            f"{patches(wanted)} are more than the {MOST_PATCHES:,} that can be explored at once; choose larger "
            "patches or a larger step.",
            icon=":material/error:",
        )
        return
    if engine().encoded(recipe):
        st.markdown(f"**{patches(wanted)}**, encoded already")
        label = "Show them"
    else:
        st.markdown(forecast_words(engine().forecast(scene, recipe), encoder))
        label = "Cut and encode"
    st.button(label, key="cut_start", type="primary", on_click=_begin, args=(visitor, scene, recipe))


def forecast_words(found: Forecast, encoder: str) -> str:
    """Return what a run will take, in one line of Markdown."""
    name = cache.encoders()[encoder].title if encoder in cache.encoders() else encoder
    if found.seconds is None:
        time = f"how long is not known yet, as {plain(name)} has encoded nothing here"
    else:
        time = f"about {duration(found.seconds)}"
    return f"**{patches(found.patches)}** · {time} · {size(found.bytes)} on disk"


def _begin(visitor: Session, scene: Scene, recipe: Recipe) -> None:
    take_cut(visitor, scene, recipe.cut)
    drop_area_of(visitor, recipe.cut.area)
    if not engine().encoded(recipe):
        visitor.work[recipe.key] = visitor.work[_asked(recipe)] = engine().submit_encode(recipe).id
