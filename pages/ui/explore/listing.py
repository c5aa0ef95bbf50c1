"""The patches listed below plot and map, as pictures or a table: the most alike, the selection, or where to start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.scenes.patches import PatchRefs
from core.similarity.neighbours import Neighbours
from pages.ui.clusters.acts import selected_cluster, selection_in_order
from pages.ui.common.format import count
from pages.ui.common.heading import heading
from pages.ui.explore.captions import captions
from pages.ui.explore.colouring import Colouring
from pages.ui.explore.comparison import compare_button
from pages.ui.explore.gallery import (
    PAGE_OF_PICTURES,
    caption_values,
    gallery,
    mark_examples,
    mark_places,
    neighbour_items,
    pager,
    plain_items,
)
from pages.ui.explore.header import found_words
from pages.ui.explore.novelty_banner import marking
from pages.ui.search.drawing import like_these
from pages.ui.search.filtering import filter_button
from pages.ui.search.keeping import kept_searches
from pages.ui.search.results_table import results_table
from pages.ui.search.threshold import threshold_button
from pages.ui.state.session import Session, current
from pages.ui.state.view_state import ViewState, seen_key
from pages.ui.state.widgets import bound, segments

LISTED = {"pictures": ":material/grid_view: Pictures", "table": ":material/table_rows: Table"}
CLUSTER_ORDERS = {"typical": "Typical", "odd": "Odd"}
SHOWN = {"similar": "Most alike", "selection": "Selection"}

Pictures = list[dict[str, Any]]


def listed_patches(visitor: Session, view: ViewState, colours: Colouring, *, thumbs: str, height: int) -> None:
    """Draw what answers the question, the selection or places to start from, with what changes it above.

    Args:
        visitor: who looks.
        view: what is shown.
        colours: of the plot; captions tell their values.
        thumbs: address of pictures of patches.
        height: in pixels, without what stands above.
    """
    both = view.neighbours is not None and bool(len(view.selection))
    show = visitor.show if both else ("similar" if view.neighbours is not None else "selection")
    table = visitor.listed_as == "table"
    if not table and show == "similar" and view.neighbours is not None:  # Where to start was never looked for.
        asked = {*view.question.like, *view.question.unlike}
        found = [one for one in pictured(view, show, visitor.page) if one not in asked]
        visitor.seen.note(seen_key(view.recipe), found)
    _gallery_bar(visitor, view, show=show, both=both)
    if table:
        _table_view(visitor, view, show, height)
        return
    if show == "similar" and view.neighbours is not None:
        items, top = found_pictures(visitor, view, view.neighbours, colours, thumbs=thumbs, page=visitor.page)
    elif len(view.selection):
        shown = PatchRefs(view.scene.id, tuple(pictured(view, show, visitor.page)))
        items, top = _pictures(visitor, view, colours, shown, thumbs=thumbs), f"s{hash(shown)}"
    else:
        examples = PatchRefs(view.scene.id, places_to_start(view))
        items, top = _pictures(visitor, view, colours, examples, thumbs=thumbs), "start"
    gallery(items, top=top, empty="There is nothing to show.", height=height)


def found_pictures(
    visitor: Session, view: ViewState, found: Neighbours, colours: Colouring, *, thumbs: str, page: int = 0
) -> tuple[Pictures, str]:
    """Return the pictures of what answers a question, as the gallery takes them, and what names them."""
    asked = view.query if view.question.plain and view.least is None else None
    items = neighbour_items(
        asked, found, thumbs, view.labels, _strange(visitor, view),
        first=page * PAGE_OF_PICTURES, named=captions(view.known, visitor.colour),
    )  # fmt: skip
    asking = view.query if view.question.plain else view.question
    return _captioned(items, view, colours), f"q{hash(asking)}/{view.least}/{page}"


def _pictures(visitor: Session, view: ViewState, colours: Colouring, shown: PatchRefs, *, thumbs: str) -> Pictures:
    named = captions(view.known, visitor.colour)
    items = plain_items(shown, thumbs, view.labels, _strange(visitor, view), named=named)
    return _captioned(items, view, colours)


def _captioned(items: Pictures, view: ViewState, colours: Colouring) -> Pictures:
    return mark_places(mark_examples(caption_values(items, view.known, colours), view.question), view.known)


def _strange(visitor: Session, view: ViewState) -> frozenset[int]:
    """Return the patches that pictures mark as unfamiliar."""
    strange: frozenset[int] = view.known.answers.get(
        "novel_ids", lambda: frozenset(view.known.novel_patches().tolist())
    )
    return strange if marking(visitor, view) else frozenset()


def _gallery_bar(visitor: Session, view: ViewState, *, show: str, both: bool) -> None:
    """Draw what is listed, and what changes it."""
    table = visitor.listed_as == "table"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="gallery_bar"):
        show_control(both)
        if show == "similar" and view.neighbours is not None:
            if view.least is None:
                neighbour_controls(both)
            else:
                st.markdown(found_words(view), width="content")
            threshold_button(visitor, view, short=both)
            filter_button(visitor, view)
            if not table:
                pager(visitor, len(view.neighbours))
            if view.least is None:
                compare_button(visitor, view)
        elif len(view.selection):
            _selection_bar(visitor, view)
            filter_button(visitor, view)
            if not table:
                pager(visitor, len(view.selection))
        else:
            _start_bar(visitor, view)
        _list_control()


def pictured(view: ViewState, show: str, page: int) -> list[int]:
    """Return the patches whose pictures are on a page of the gallery."""
    ids: Sequence[int] = places_to_start(view)
    if show == "similar" and view.neighbours is not None:
        ids = view.neighbours.ids.tolist()
    elif len(view.selection):
        ids = selection_in_order(current(), view).patches
    return list(ids[page * PAGE_OF_PICTURES :][:PAGE_OF_PICTURES])


def _selection_bar(visitor: Session, view: ViewState) -> None:
    """Draw what is selected; of a cluster, which of its patches come first."""
    cluster = selected_cluster(visitor, view)
    if cluster is None:
        heading(f"Selection · {count(len(view.selection), 'picture')}")
        like_these(visitor, view)
    else:
        heading(f"Cluster · {len(view.selection):,}")
        segments("First", CLUSTER_ORDERS, visitor.clusters.order, key="cluster_order", take=_take_order, unseen=True)


def _take_order(order: str) -> None:
    current().clusters.order, current().page = order, 0


def _start_bar(visitor: Session, view: ViewState) -> None:
    several = f" · a click asks {len(visitor.compared) + 1} encoders" if visitor.compared else ""
    heading(f"Places to start from{several}")
    filter_button(visitor, view)
    if view.question.empty:
        kept_searches(visitor, view)


def places_to_start(view: ViewState) -> tuple[int, ...]:
    """Return patches to start from: as different as can be or, where conditions are set, the first that meet them."""
    if view.mask is None:
        return tuple(view.known.examples().tolist())
    return tuple(view.table.patch_ids[view.mask][:PAGE_OF_PICTURES].tolist())


def _table_view(visitor: Session, view: ViewState, show: str, height: int) -> None:
    """Draw what is listed as rows: what answers, the selection, or all patches that meet the conditions."""
    ids, scores = view.table.patch_ids if view.mask is None else view.table.patch_ids[view.mask], None
    if show == "similar" and view.neighbours is not None:
        ids, scores = view.neighbours.ids, view.neighbours.similarity
    elif len(view.selection):
        ids = np.array(selection_in_order(current(), view).patches, np.int64)
    results_table(visitor, view, ids, scores, height=height)


def _list_control() -> None:
    """Draw the choice between pictures and a table."""
    with st.container(key="icon_listed_as", width="content"):
        st.segmented_control(
            "List as", list(LISTED), format_func=LISTED.__getitem__, label_visibility="collapsed",
            **bound("listed_as", "listed_as", _list_as),
        )  # fmt: skip


def _list_as(listed_as: str) -> None:
    current().listed_as, current().page, current().reached = listed_as, 0, None


def show_control(both: bool) -> None:
    """Draw the choice between what is alike and the selection, where there is both."""
    if both:
        st.segmented_control(
            "Show", list(SHOWN), format_func=SHOWN.__getitem__, label_visibility="collapsed", **bound("show", "show")
        )


def neighbour_controls(titled: bool) -> None:
    """Draw how many patches are listed; ``titled`` = what they are is said already."""
    if not titled:
        heading("Most alike")
    st.slider("How many", 5, 100, step=5, label_visibility="collapsed", width=120, **bound("count", "count"))
