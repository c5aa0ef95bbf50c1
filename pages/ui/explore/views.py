"""Plot, map, gallery and signatures of one scene side by side: what each shows, and what a click in it does."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.engine.exports.order import SPECTRA
from core.engine.spectra import told_spectra
from core.features.recipe import Recipe
from core.imagery.render import RENDERINGS, renderings_of
from core.scenes.location import bounds_lonlat
from core.scenes.patches import IntArray, PatchRef
from core.scenes.scene import Scene
from core.values.clusters import CLUSTER
from pages.ui.clusters.panel import clusters_panel, clusters_tools
from pages.ui.common.downloads import order_for, order_spelled
from pages.ui.common.escape import plain, safe_label
from pages.ui.common.heading import heading
from pages.ui.common.panels import seen_first
from pages.ui.explore.colouring import (
    Colouring,
    ask_for_values,
    colour_choices,
    colouring,
    of_classes,
    say_why_not,
    title_of_choice,
)
from pages.ui.explore.comparison import add_button, comparison
from pages.ui.explore.early_answer import offer_early
from pages.ui.explore.given_panel import given_panel
from pages.ui.explore.header import announcement, header
from pages.ui.explore.listing import listed_patches, neighbour_controls, show_control
from pages.ui.explore.map_marks import told_neighbours
from pages.ui.explore.novelty_banner import HEIGHT as BANNER_HEIGHT
from pages.ui.explore.novelty_banner import banner_there, mark_switch, marking, novelty_banner
from pages.ui.explore.novelty_marks import diamonds
from pages.ui.explore.plot import class_names_url, plot, plot_data
from pages.ui.explore.projection_settings import layout_there, layout_to_show
from pages.ui.explore.spectra import line, signature_chart
from pages.ui.http.early import early_url
from pages.ui.http.pictures import quicklook_url
from pages.ui.http.points import outlines_url
from pages.ui.search.drawing import take_area
from pages.ui.search.evidence import STRIP_HEIGHT, evidence_strip, strip_there
from pages.ui.search.threshold import touching_switch
from pages.ui.state.encoder_answers import EncoderAnswer, answers_of, is_comparing, outlined_view
from pages.ui.state.session import Session, current
from pages.ui.state.view_state import ViewState, rendering_of, view_state
from pages.ui.state.warm import import_map
from pages.ui.state.widgets import bound, segments, select

AROUND = 228
"""Pixels of a window's height that titles, tools and margins take."""
GREY, BLUE = "#8C8A85", "#3E7CB1"
NO_PICTURES = "The file holds no pixels: places alone are drawn."
BESIDE = {"clusters": "Clusters", "light": "Reflectance"}


def linked_views(scene: Scene, recipe: Recipe) -> None:
    """Draw everything, what answers a click first."""
    with seen_first():
        _linked_views(scene, recipe)


def _linked_views(scene: Scene, recipe: Recipe) -> None:
    visitor = current()
    with st.container(key="warned"):  # always there: what comes below a warning would be made anew, the map too
        view = view_state(visitor, scene, recipe)
    view = replace(view, layout=layout_there(visitor, recipe, len(view.table)))
    offer_early(visitor, scene, recipe)
    with st.container(key="views"):
        header(visitor, view)
        with st.container(key="banner_holder"):
            novelty_banner(visitor, view)
        evidence_strip(visitor, view, view.thumbs(rendering_of(visitor, scene)))
        answers = answers_of(visitor, view) if is_comparing(visitor) and scene.has_pixels else []
        shown = outlined_view(visitor, view, answers)
        left, map_side = st.columns(2, gap="small")
        with left:
            colours = _plot_view(visitor, shown)
        if answers:
            _comparison_view(visitor, view, answers)
            beside = None
        else:
            beside = _below_view(visitor, view, colours)
        with map_side:  # Late: the first time a server draws one, what draws it has to be imported.
            _map_view(visitor, shown, colours)
        if beside is not None:  # It explains what is found.
            with beside:
                _beside_view(visitor, view, colours)


def _below_view(visitor: Session, view: ViewState, colours: Colouring) -> DeltaGenerator:
    """Draw the gallery; gives the place beside it."""
    left, right = st.columns([4, 3], gap="medium")
    with left:
        thumbs = view.thumbs(rendering_of(visitor, view.scene))
        listed_patches(visitor, view, colours, thumbs=thumbs, height=heights(visitor, view)[1])
    return right


def heights(visitor: Session, view: ViewState) -> tuple[int, int]:
    """Return pixels of plot and map, and of the strip below, that fill the visitor's window."""
    room = visitor.screen - AROUND - (BANNER_HEIGHT if banner_there(visitor, view) else 0)
    room -= STRIP_HEIGHT if strip_there(view) else 0
    strip = min(400, max(250, round(room * 0.38)))
    if is_comparing(visitor):  # Pictures of several encoders need more room than those of one.
        strip = min(460, max(320, round(room * 0.46)))
    return max(360, room - strip), strip


def _plot_view(visitor: Session, view: ViewState) -> Colouring:
    """Draw the plot; gives what colours it, and so the map."""
    with st.container(horizontal=True, vertical_alignment="center", key="plot_bar"):
        heading("Plot", look="unseen")
        options, name = colour_choices(view.known, view.asked, visitor.colour)
        select(
            "Colour",
            options,
            name,
            key="colour",
            title=partial(title_of_choice, view.known),
            take=_take_colour,
            width=230,
        )
        ask_for_values(view.known, name)
        if not banner_there(visitor, view):
            mark_switch(visitor, view)
        view = replace(view, layout=layout_to_show(visitor, view.recipe, len(view.table)))
    say_why_not(view.known, name)
    colours = colouring(view.known, name, view.asked)
    data = plot_data(
        view.known,
        settings=view.layout,
        colours=colours,
        thumbs=view.thumbs(rendering_of(visitor, view.scene)),
        query=view.query_id if view.question.plain else None,
        neighbours=view.neighbours,
        selection=view.selection.patches,
        question=None if view.question.empty else view.question,
        marked=marking(visitor, view),
        mask=view.mask,
        told=announcement(view),
        early=early_url(visitor.early),
    )
    plot(
        data,
        height=heights(visitor, view)[0],
        screen=visitor.screen,
        scene=view.scene.id,
        on_query=visitor.ask,
        on_select=visitor.select,
        on_classes=lambda classes: visitor.select(of_classes(view.known, colours, classes)),
        on_room=visitor.resize,
        on_example=visitor.exemplify,
        on_region=lambda told: _say(take_area(visitor, view.scene.id, told)),
        on_pick=lambda patch: visitor.pick(PatchRef(view.scene.id, patch)),
        on_clear=visitor.clear,
    )
    return colours


def _say(sentence: str) -> None:
    """Show a sentence for a while, if there is one."""
    if sentence:
        st.toast(plain(sentence), icon=":material/warning:", duration="long")


def _take_colour(name: str) -> None:
    current().colour = name


def _map_view(visitor: Session, view: ViewState, colours: Colouring) -> None:
    import_map()
    from pages.ui.explore.map import scene_map, value_overlay

    rendering = rendering_of(visitor, view.scene)
    with st.container(horizontal=True, vertical_alignment="center", key="map_bar"):
        heading("Map", look="unseen")
        if view.scene.has_pixels:
            _picture_controls(visitor, view.scene, rendering)
        else:
            st.caption(NO_PICTURES)
        st.toggle("Colours", help="Lay the colours of the plot over the map.", **bound("overlay", "overlay"))
    overlay = value_overlay(view.known, colours) if visitor.overlay else None
    marked = marking(visitor, view)
    height = heights(visitor, view)[0]
    scene_map(
        view.scene,
        view.known.grid,
        rendering=rendering,
        contrast=visitor.contrast,
        query=view.query_id,
        neighbours=view.neighbours,
        overlay=overlay,
        selection=view.selection.patches,
        question=view.question,
        left_out=view.left_out,
        there=view.known.table.patch_ids,
        novel=len(view.known.novel_patches()) if marked else 0,
        diamonds=view.known.answers.get(
            "diamonds", lambda: diamonds(view.scene, view.known.grid, view.known.novel_patches())
        )
        if marked
        else (),
        patches=patches_told(view, colours, thumbs=view.thumbs(rendering)),
        height=height,
        on_click=visitor.ask,
    )
    if bounds_lonlat(view.scene) is None:
        _picture(view.scene, rendering, height - 80)


def _picture_controls(visitor: Session, scene: Scene, rendering: str) -> None:
    """Draw which picture the map shows, and how strong."""
    select(
        "Picture", renderings_of(scene.bands), rendering, key="rendering", width=170, take=_take_rendering,
        title=lambda name: RENDERINGS[name].title,
    )  # fmt: skip
    select(
        "Contrast", ["soft", "normal", "strong"], visitor.contrast, key="contrast", width=160, take=_take_contrast,
        title=lambda name: f"{name.capitalize()} contrast",
    )  # fmt: skip


def patches_told(view: ViewState, colours: Colouring, *, thumbs: str) -> dict[str, Any]:
    """Return where the map's script gets outlines of patches, and what it tells of each."""
    return {
        "outlines": outlines_url(view.recipe),
        "tell": {
            "thumbs": thumbs,
            "classes": class_names_url(view.known),
            "values": colours.url(view.known),
            "legend": colours.script(),
            **told_neighbours(view.query_id if view.question.plain else None, view.neighbours),
        },
    }


def _picture(scene: Scene, rendering: str, height: int) -> None:
    """Draw what stands in for the map of a scene that has none."""
    st.html(
        f'<img alt="{safe_label(scene.name)}" src="{quicklook_url(scene.id, rendering)}" '
        f'style="display:block;max-height:{height}px;max-width:100%;margin:0 auto;border-radius:8px">'
    )


def _take_rendering(name: str) -> None:
    current().rendering = name


def _take_contrast(name: str) -> None:
    current().contrast = name


def _comparison_view(visitor: Session, view: ViewState, answers: Sequence[EncoderAnswer]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="gallery_bar"):
        show_control(bool(len(view.selection)))
        heading("Encoders side by side")
        neighbour_controls(titled=True)
        touching_switch()
        add_button(visitor, view, answers)
    thumbs = view.thumbs(rendering_of(visitor, view.scene))
    comparison(visitor, view, answers, thumbs=thumbs, height=heights(visitor, view)[1])


def _beside_view(visitor: Session, view: ViewState, colours: Colouring) -> None:
    """Draw what stands beside the gallery: clusters where they colour the points, else what the land reflects."""
    if colours.value.name != CLUSTER.name or visitor.clusters.beside != "clusters":
        _why_view(visitor, view, clustered=colours.value.name == CLUSTER.name)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="why_bar"):
        heading("Clusters")
        clusters_tools(visitor, view)
        _beside_control(view)
    clusters_panel(visitor, view, height=heights(visitor, view)[1])


def _beside_control(view: ViewState) -> None:
    titles = BESIDE if view.scene.bands else BESIDE | {"light": "What is known"}
    segments("Beside the gallery", titles, current().clusters.beside, key="beside", take=_take_beside, unseen=True)


def _take_beside(beside: str) -> None:
    current().clusters.beside = beside


def _show_clusters() -> None:
    current().colour, current().clusters.beside = CLUSTER.name, "clusters"


def _why_view(visitor: Session, view: ViewState, *, clustered: bool) -> None:
    height = heights(visitor, view)[1]
    if not view.scene.bands:
        _why_title(view, "What is known of them", clustered)
        with st.container(key="why_view"):
            given_panel(view, asked_rows(view), _answering_rows(view))
        return
    asked, answered = asked_rows(view), view.neighbours is not None
    told = told_spectra(
        view.known, asked=asked, found=_answering_rows(view) if answered else None,
        selected=view.rows(view.selection.patches), plain=view.question.plain,
    )  # fmt: skip
    _why_title(view, _why_words(view), clustered, visitor)
    colours = {"Neighbours": BLUE, "Whole scene": GREY, "Whole area": GREY}
    lines = [line(name, one, accent=name not in colours, colour=colours.get(name, "")) for name, one in told.lines]
    with st.container(key="why_view"):
        signature_chart(lines, view.scene.bands, height=height - 104 if asked.size else height)
        if told.sentences:
            items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in told.sentences)
            st.html(f'<ul class="ll-notes">{items}</ul>')


def _why_words(view: ViewState) -> str:
    if asked_rows(view).size:
        return "Why they are alike"
    return "What the land reflects" if view.neighbours is None else "What they reflect"


def _why_spelled(visitor: Session, view: ViewState) -> None:
    """Offer what prints the same without the pages."""
    with st.container(key="icon_why_spelled", width="content"):  # its words are hidden, as of ``icon_button``
        box = st.popover(
            "As a command", icon=":material/terminal:", help="As a command", key="why_spelled", on_change="rerun"
        )
    if box.open:
        with box:
            order_spelled(order_for(visitor, view, SPECTRA, "json"))


def _answering_rows(view: ViewState) -> IntArray:
    """Return the rows of what was found, or of the selection where nothing was asked."""
    if view.neighbours is not None:
        return view.rows(view.neighbours.ids)
    return view.rows(view.selection.patches)


def asked_rows(view: ViewState) -> IntArray:
    """Return the rows of the query, or of good examples, those in areas too; none where nothing good is asked for."""
    if view.question.plain or view.neighbours is None:
        return view.rows(view.question.like)
    ranking = view.known.ranking(view.question)
    return np.setdiff1d(ranking.examples, ranking.bad)


def _why_title(view: ViewState, words: str, clustered: bool, visitor: Session | None = None) -> None:
    """Draw the title and what stands beside it; with a visitor also what prints the same without the pages."""
    with st.container(horizontal=True, vertical_alignment="center", key="why_bar"):
        heading(words)
        if clustered:
            _beside_control(view)
        else:
            st.button("Clusters", icon=":material/workspaces:", key="show_clusters", type="tertiary",
                      on_click=_show_clusters, help="Find clusters of alike patches, named in words")  # fmt: skip
        if visitor is not None:
            _why_spelled(visitor, view)
