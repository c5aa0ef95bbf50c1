"""Patches as pictures: a query and its neighbours by rank, or a selection; a click on one asks for its like."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.scenes.labels import PatchLabels
from core.scenes.patches import PatchRef, PatchRefs
from core.similarity.neighbours import Neighbours
from core.similarity.scores import score_digits
from core.values.legend import ScaleLegend
from core.values.palette import class_colours
from core.values.similarity import SIMILARITY
from pages.ui.common.icon_button import icon_button
from pages.ui.common.theme import class_title
from pages.ui.explore.colouring import Colouring
from pages.ui.explore.given_panel import date_of_patch, degrees_words
from pages.ui.explore.novelty_marks import mark_novel
from pages.ui.frontend import text
from pages.ui.state.question import Question
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session
from pages.ui.state.widgets import trigger

GALLERY_KEY = "gallery"
QUERY = "Query"
ROWS = 2
PAGE_OF_PICTURES = 100
"""Pictures of a page."""
SHARED_COLOURS = ("#1B6CA8", "#A84B00", "#2E7D32", "#7B3FA0", "#8A6100", "#00707A", "#A32A2A", "#4A55C4", "#5D5048")
"""Of patches that several answers hold; white letters on each have a contrast of 4.5 or more."""

Captions = Callable[[int], tuple[str, str]]
"""Gives what a picture says of the class of a patch, and its colour, ``#rrggbb``; both empty where nothing is known."""


def no_caption(_patch: int) -> tuple[str, str]:
    """Say nothing."""
    return "", ""


_component = st.components.v2.component(
    "landlike_gallery",
    html='<div class="gallery" role="group" aria-label="Pictures of patches; arrows go from one to the next"></div>',
    css=text("gallery.css"),
    js=text("tell.js", "early.js", "rove.js", "gallery.js"),
)


def neighbour_items(
    query: PatchRef | None,
    neighbours: Neighbours,
    thumbs: str,
    truth: PatchLabels | None,
    strange: Collection[int] = (),
    *,
    first: int = 0,
    named: Captions = no_caption,
) -> list[dict[str, Any]]:
    """Return the query, where one patch asks, and its neighbours as the gallery's script takes them.

    They are those of a page, from the rank after ``first``. ``strange`` are marked as unfamiliar; ``named`` says what
    classes a classifier gives patches without a label.
    """
    lead = "The place you asked about"
    items = [] if query is None or first else [_item(query, thumbs, truth, named, rank=QUERY, value="", lead=lead)]
    ranked = list(neighbours.ranked(first, PAGE_OF_PICTURES))
    digits = score_digits([one.similarity for one in ranked])
    for one in ranked:
        value = f"{one.similarity:.{digits}f}"
        lead = f"No. {one.rank}, similarity {value}"
        items.append(_item(one.ref, thumbs, truth, named, rank=str(one.rank), value=value, lead=lead))
    return mark_novel(items, strange)


def plain_items(
    patches: PatchRefs,
    thumbs: str,
    truth: PatchLabels | None,
    strange: Collection[int] = (),
    *,
    named: Captions = no_caption,
) -> list[dict[str, Any]]:
    """Return patches without rank; the rest as of ``neighbour_items``."""
    lead = "Find land like this"
    items = [_item(ref, thumbs, truth, named, rank="", value="", lead=lead) for ref in patches]
    return mark_novel(items, strange)


def caption_values(items: list[dict[str, Any]], view: SceneView, colours: Colouring) -> list[dict[str, Any]]:
    """Return items of the gallery with the number that colours their points, where it is on a scale.

    Args:
        items: from ``neighbour_items`` or ``plain_items``.
        view: the scene of the patches.
        colours: what colours the points.
    """
    legend, values = colours.legend, colours.values
    if values is None or not isinstance(legend, ScaleLegend) or colours.value.name == SIMILARITY.name:
        return items
    for item in items:
        own = values[view.table.positions(np.array([item["id"]]))]
        if np.isfinite(own).any():
            red, green, blue = legend.paint(own)[0][0].tolist()
            number = f"{own[0]:z.{legend.scale.digits}f}".replace("-", "−")
            item |= {"number": number, "shade": f"rgb({red}, {green}, {blue})"}
            if item["named"]:  # There is room for one of the two; the other is read by pointing at the picture.
                item["label"] = ""
            item["alt"] += f". {legend.scale.title} {number}"
    return items


def _item(
    ref: PatchRef, thumbs: str, truth: PatchLabels | None, named: Captions, *, rank: str, value: str, lead: str
) -> dict[str, Any]:
    """Return one picture; texts are shown as they stand by the script."""
    patch_id = ref.patch
    position = -1 if truth is None else int(truth.index[patch_id])
    label = class_title(truth.classes[position]) if truth is not None and position >= 0 else ""
    colour = class_colours(truth.classes, truth.colours)[position] if truth is not None and position >= 0 else ""
    labelled = bool(label)
    if not labelled:
        label, colour = named(patch_id)
    return {
        "id": patch_id,
        "ref": str(ref),
        "src": thumbs.replace("{id}", str(patch_id)),
        "rank": rank,
        "value": value,
        "label": label,
        "named": not labelled and bool(label),
        "colour": colour,
        "number": "",
        "shade": "",
        "alt": ": ".join(part for part in (lead, label or f"patch {patch_id}") if part),
    }


def mark_places(items: list[dict[str, Any]], view: SceneView) -> list[dict[str, Any]]:
    """Return items with the place and date of each patch under its picture, where pictures show no land."""
    if view.scene.has_pixels:
        return items
    for item in items:
        [row] = view.table.positions(np.array([item["id"]]))
        lon, lat = (np.nan, np.nan) if view.places is None else view.places[row].tolist()
        known = bool(np.isfinite([lon, lat]).all())
        item["where"] = f"{lat:.2f}, {lon:.2f}".replace("-", "−") if known else "no place"
        date = date_of_patch(view, int(row))
        item["when"] = "" if view.scene.date is not None else date
        place = degrees_words(lon, lat) if known else "its place is not known"
        item["alt"] += f". {', '.join(part for part in (place, date) if part)}"
    return items


def mark_examples(items: list[dict[str, Any]], question: Question) -> list[dict[str, Any]]:
    """Return items with the buttons that make them examples, and the sign of those that are.

    A query that is the only example has none: it can be nothing else.
    """
    for item in items:
        if not (question.plain and item["rank"] == QUERY):
            item["sign"] = question.sign(item["id"])
    return items


def mark_shared(items: list[dict[str, Any]], numbers: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return items, those of patches that other answers hold too with a letter and a colour of their own.

    Args:
        items: from ``neighbour_items``.
        numbers: of the shared patches, from 0, by patch id.
    """
    for item in items:
        number = numbers.get(item["id"])
        item["shared"] = "" if number is None or item["rank"] == QUERY else letters(number)
        item["sharedColour"] = "" if number is None else SHARED_COLOURS[number % len(SHARED_COLOURS)]
        item["alt"] += f". In other columns too: {item['shared']}" if item["shared"] else ""
    return items


def letters(number: int) -> str:
    """Return a number from 0 as letters: A to Z, then AA, AB and so on."""
    return (letters(number // 26 - 1) if number >= 26 else "") + chr(ord("A") + number % 26)


def line_height(items: list[dict[str, Any]]) -> int:
    """Return pixels that the words below a picture take."""
    return 27 + 16 * any("where" in item for item in items) + 16 * any(item.get("when") for item in items)


def tile_side(height: int, rows: int = ROWS, words: int = 27) -> int:
    """Return pixels a side of the pictures at most, so that some rows of them with their words fit the height."""
    return max(88 if rows == ROWS else 56, (height - words * rows) // rows)


def pager(visitor: Session, total: int) -> None:
    """Draw which of so many pictures are shown, and buttons to the page before and after; nothing where all are."""
    last = max(0, (total - 1) // PAGE_OF_PICTURES)
    visitor.page = min(visitor.page, last)
    if not last:
        return
    first = visitor.page * PAGE_OF_PICTURES
    ways = (
        ("before", "chevron_left", "Pictures before", -1, not visitor.page),
        ("after", "chevron_right", "More pictures", 1, visitor.page == last),
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content", key="pager"):
        for name, icon, help_text, step, disabled in ways:
            icon_button(help_text, icon, key=f"page_{name}", type="tertiary", disabled=disabled,
                        on_click=visitor.turn_page, args=(step,))  # fmt: skip
            if step < 0:
                st.caption(f"{first + 1:,}–{min(total, first + PAGE_OF_PICTURES):,} of {total:,}")


def listed_data(items: list[dict[str, Any]], top: str) -> dict[str, Any]:
    """Return what the gallery's script draws of items; when ``top`` changes, the gallery scrolls back to its top."""
    return {"items": items, "top": top, "turn": f"{top}/{len(items)}"}


def gallery(
    items: list[dict[str, Any]],
    *,
    top: str,
    empty: str,
    height: int,
    key: str = GALLERY_KEY,
    rows: int = ROWS,
    on_query: Callable[[PatchRef], None] | None = None,
) -> None:
    """Draw the pictures.

    Args:
        items: from ``neighbour_items`` or ``plain_items``.
        top: names what is shown.
        empty: what it says without pictures.
        height: pixels.
        key: names the gallery on its page.
        rows: rows of pictures that fit the height.
        on_query: called with a patch when its picture is clicked, before the next run; None = the patches are those of
            the plot, which is told.
    """

    def asked() -> None:
        value = trigger(key, "query")
        asked_for = PatchRef.parse(value) if isinstance(value, str) else None
        if asked_for is not None and on_query is not None:
            on_query(asked_for)

    data = listed_data(items, top) | {
        "empty": empty,
        "height": height,
        "tile": tile_side(height, rows, line_height(items)),
        "linked": on_query is None,
    }
    _component(key=key, data=data, height=height, on_query_change=asked)
