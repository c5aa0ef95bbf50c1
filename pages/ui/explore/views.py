"""Plot, map, gallery and signatures of one scene side by side: what each shows, and what a click in it does."""

from __future__ import annotations

import html
from dataclasses import replace

import streamlit as st

from core.features.recipe import Recipe
from core.imagery.render import RENDERINGS, renderings_of
from core.scenes.location import bounds_lonlat
from core.scenes.scene import Scene
from core.similarity.explain import NO_INDICES, compare_indices, signature
from pages.ui.common.escape import safe_label
from pages.ui.explore.colouring import TITLES, ask_for_groups, choices, colouring
from pages.ui.explore.gallery import MOST, gallery, neighbour_items, plain_items
from pages.ui.explore.header import header
from pages.ui.explore.map import given_on_map, scene_map, similarity_overlay
from pages.ui.explore.plot import plot, plot_data
from pages.ui.explore.projection_settings import layout_there, layout_to_show
from pages.ui.explore.spectra import line, signature_chart
from pages.ui.http.pictures import quicklook_url
from pages.ui.state import cache as cached
from pages.ui.state.session import Session, bound, current, select
from pages.ui.state.view_state import Sight, sight_of

AROUND = 214
"""Pixels of a window's height that titles, tools and margins take."""
GREY, BLUE = "#8C8A85", "#3E7CB1"
SHOWN = {"similar": "Most alike", "selection": "Selection"}


def linked_views(scene: Scene, recipe: Recipe) -> None:
    """Draw everything."""
    visitor = current()
    sight = sight_of(visitor, scene, recipe)
    with st.container(key="views"):
        header(visitor, sight)
        left, right = st.columns(2, gap="small")
        with left:
            _plot_view(visitor, sight)
        with right:
            _map_view(visitor, sight)
        left, right = st.columns([4, 3], gap="medium")
        with left:
            _gallery_view(visitor, sight)
        with right:
            _why_view(visitor, sight)


def heights(visitor: Session) -> tuple[int, int]:
    """Pixels of plot and map, and of the strip below, that fill the visitor's window."""
    room = visitor.screen - AROUND
    strip = min(400, max(250, round(room * 0.38)))
    return max(360, room - strip), strip


def _plot_view(visitor: Session, sight: Sight) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="plot_bar"):
        layout = layout_there(visitor, sight.recipe, len(sight.table))
        options = choices(sight.scene, sight.recipe, layout, sight.query)
        name = visitor.colour if visitor.colour in options else options[0]
        select("Colour", options, name, key="colour", title=TITLES.__getitem__, take=_take_colour, width=230)
        if name == "group":
            ask_for_groups(sight.recipe)
        sight = replace(sight, layout=layout_to_show(visitor, sight.recipe, len(sight.table)))
    data = plot_data(
        sight.scene,
        sight.recipe,
        settings=sight.layout,
        colours=colouring(sight.scene, sight.recipe, name, sight.query, sight.layout),
        thumbs=sight.thumbs(_rendering(visitor, sight.scene)),
        query=sight.query,
        neighbours=sight.neighbours,
        selection=sight.selection,
    )
    plot(
        data,
        height=heights(visitor)[0],
        screen=visitor.screen,
        on_query=visitor.ask,
        on_select=visitor.select,
        on_room=visitor.resize,
    )


def _take_colour(name: str) -> None:
    current().colour = name


def _map_view(visitor: Session, sight: Sight) -> None:
    rendering = _rendering(visitor, sight.scene)
    with st.container(horizontal=True, vertical_alignment="center", key="map_bar"):
        select(
            "Picture", renderings_of(sight.scene.bands), rendering, key="rendering", width=170, take=_take_rendering,
            title=lambda name: RENDERINGS[name].title,
        )  # fmt: skip
        select(
            "Contrast", ["soft", "normal", "strong"], visitor.contrast, key="contrast", width=160, take=_take_contrast,
            title=lambda name: f"{name.capitalize()} contrast",
        )  # fmt: skip
        if sight.query is not None:
            st.toggle("Similarity", **bound("overlay", "overlay"))
        if sight.given is not None:
            st.toggle("Labels", **bound("labels_on_map", "labels_on_map"))
    overlay = None
    if sight.query is not None and visitor.overlay:
        overlay = similarity_overlay(sight.recipe, sight.query)
    height = heights(visitor)[0]
    scene_map(
        sight.scene,
        cached.scene_grid(sight.scene, sight.recipe),
        rendering=rendering,
        contrast=visitor.contrast,
        query=sight.query,
        neighbours=sight.neighbours,
        overlay=overlay,
        labels=given_on_map(sight.recipe) if visitor.labels_on_map else None,
        selection=sight.selection,
        strangers=cached.strangers(sight.recipe),
        height=height,
        on_click=visitor.ask,
    )
    if bounds_lonlat(sight.scene) is None:
        _picture(sight.scene, rendering, height - 80)


def _picture(scene: Scene, rendering: str, height: int) -> None:
    """What stands in for the map of a scene that has none."""
    st.html(
        f'<img alt="{safe_label(scene.name)}" src="{quicklook_url(scene.id, rendering)}" '
        f'style="display:block;max-height:{height}px;max-width:100%;margin:0 auto;border-radius:8px">'
    )


def _rendering(visitor: Session, scene: Scene) -> str:
    """What the visitor wants to see of a scene, or its true colours where it lacks the bands for that."""
    possible = renderings_of(scene.bands)
    return visitor.rendering if visitor.rendering in possible else possible[0]


def _take_rendering(name: str) -> None:
    current().rendering = name


def _take_contrast(name: str) -> None:
    current().contrast = name


def _gallery_view(visitor: Session, sight: Sight) -> None:
    thumbs = sight.thumbs(_rendering(visitor, sight.scene))
    both = sight.neighbours is not None and bool(sight.selection)
    show = visitor.show if both else ("similar" if sight.neighbours is not None else "selection")
    strange = frozenset(cached.strangers(sight.recipe).tolist())
    with st.container(horizontal=True, vertical_alignment="center", key="gallery_bar"):
        if both:
            st.segmented_control(
                "Show", list(SHOWN), format_func=SHOWN.__getitem__, label_visibility="collapsed",
                **bound("show", "show"),
            )  # fmt: skip
        if show == "similar" and sight.neighbours is not None:
            _neighbour_controls(both)
        elif sight.selection:
            more = f", the first {MOST} shown" if len(sight.selection) > MOST else ""
            st.markdown(f"**Selection** · {len(sight.selection):,} pictures{more}")
        else:
            st.markdown("**Places to start from** · as different as this scene has them")
    if show == "similar" and sight.neighbours is not None and sight.query is not None:
        items = neighbour_items(sight.query, sight.neighbours, thumbs, sight.labels, strange)
        top = f"q{sight.query}"
    elif sight.selection:
        items, top = plain_items(sight.selection, thumbs, sight.labels, strange), f"s{hash(sight.selection)}"
    else:
        items, top = plain_items(cached.examples(sight.recipe).tolist(), thumbs, sight.labels, strange), "start"
    gallery(items, top=top, empty="There is nothing to show.", height=heights(visitor)[1], on_query=visitor.ask)


def _neighbour_controls(titled: bool) -> None:
    if not titled:
        st.markdown("**Most alike**", width="content")
    st.slider("How many", 5, 100, step=5, label_visibility="collapsed", width=150, **bound("count", "count"))
    st.toggle(
        "Leave out touching patches",
        help="Patches beside the query are nearly always alike; leaving them out shows the places farther away.",
        **bound("leave_out_touching", "leave_out_touching"),
    )


def _why_view(visitor: Session, sight: Sight) -> None:
    height = heights(visitor)[1]
    table = sight.table
    everything = line("Whole scene", signature(table.band_mean, table.band_std), colour=GREY)
    if sight.query is None:
        _why_title("What the land reflects")
        lines = [everything]
        if sight.selection:
            rows = sight.rows(sight.selection)
            lines.append(line("Selection", signature(table.band_mean[rows], table.band_std[rows]), accent=True))
        signature_chart(lines, sight.scene.bands, height=height)
        return
    _why_title("Why they are alike")
    row, rows = sight.rows((sight.query,)), sight.rows(sight.neighbours.ids if sight.neighbours is not None else ())
    lines = [line("Query", signature(table.band_mean[row], table.band_std[row]), accent=True)]
    if rows.size:
        lines.insert(0, line("Neighbours", signature(table.band_mean[rows], table.band_std[rows]), colour=BLUE))
    signature_chart(lines, sight.scene.bands, height=height - 104)
    notes = compare_indices(table.band_mean[row[0]], table.band_mean[rows], table.band_mean, sight.scene.bands)
    sentences = [note.sentence for note in notes] or [NO_INDICES]
    items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    st.html(f'<ul class="ll-notes">{items}</ul>')


def _why_title(words: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="why_bar"):
        st.markdown(f"**{words}**")
