"""The line above the views: what is on show, what to do next, going back and forward, links and downloads."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import numpy as np
import streamlit as st

from core.scenes.outline_areas import HECTARE
from core.scenes.overview import metres_of
from core.similarity.scores import score_digits
from pages.ui.common.cuts import length
from pages.ui.common.downloads import downloads
from pages.ui.common.escape import plain
from pages.ui.common.format import count, ground_words, patches
from pages.ui.common.heading import heading
from pages.ui.common.icon_button import icon_button
from pages.ui.common.panels import filled_last
from pages.ui.common.theme import class_title
from pages.ui.cutting.form import cut_button
from pages.ui.explore.labelling import label_panel
from pages.ui.explore.preparing import link_encoder
from pages.ui.explore.trust import trust_panel
from pages.ui.state.address import show_address
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState


def status(view: ViewState, label: str) -> str:
    """Return one line of Markdown: what is shown, how many, what to do next.

    Args:
        view: what is on show.
        label: the query's class as people write it, or empty.
    """
    total, selected = len(view.table), len(view.selection)
    if total == 1:
        finer = "cut it into smaller ones, or " if view.scene.has_pixels else ""
        return f"**1 patch** of {plain(view.scene.name)} · too few to compare; {finer}open a larger scene"
    if not view.question.plain and not view.question.empty:
        return _by_words(view) if view.question.words else _by_examples(view)
    if view.query is not None and view.neighbours is not None:
        kind = f" ({plain(label)})" if label else ""
        if view.least is not None:
            of = f"of {len(view.table):,}"
            return f"{found_words(view)} {of} at least {_least(view.least)} like patch {view.query.patch}{kind}"
        return (
            f"The **{patches(len(view.neighbours))}** most like patch {view.query.patch}{kind} of {total:,} · "
            "click another to go on"
        )
    if selected:
        return f"**{patches(selected)}** selected of {total:,} · click one to find land like it"
    return f"**{patches(total)}** of {plain(view.scene.name)} · click one to find land like it"


def found_words(view: ViewState) -> str:
    """Return how many patches answer from a score on, and how much ground they are, as Markdown."""
    if view.neighbours is None:
        return ""
    hectares = view.known.answers.get(
        ("hectares", view.question, view.least, view.filters, view.known.cluster_version()),
        lambda: view.hectares(view.neighbours.ids if view.neighbours is not None else np.empty(0, np.int64)),
    )
    ground = "" if hectares is None else f" · {ground_words(hectares)}"
    return f"**{patches(len(view.neighbours))}{ground}**"


def _least(score: float) -> str:
    return f"{score:.{score_digits([score], 3)}f}".replace("-", "−")


def _by_words(view: ViewState) -> str:
    words, of = plain(view.question.words), f"of {len(view.table):,}"
    if view.neighbours is None:
        return f"**Nothing** can be found by “{words}”"
    if view.least is not None:
        return f"{found_words(view)} {of} match “{words}” by at least {_least(view.least)}"
    return f"The **{patches(len(view.neighbours))}** {of} that match “{words}” best"


def announcement(view: ViewState) -> str:
    """Return what screen readers say of what was found: ``20 patches like patch 14, similarity 0.93 to 0.88``."""
    found, selected = view.neighbours, len(view.selection)
    more = f"; {patches(selected)} selected" if selected else ""
    if found is None:
        return f"{patches(selected)} selected" if selected else f"{patches(len(view.table))}, nothing asked"
    question = view.question
    if question.words:
        asked = f"for {question.words}"
    elif question.plain:
        asked = f"like patch {question.like[0]}"
    else:
        good, bad = question.count(good=True), question.count(good=False)
        asked = f"like {count(good, 'example')}{f', unlike {bad}' if bad else ''}"
    digits = score_digits(found.similarity.tolist())
    measure = "similarity" if question.plain else view.known.ranking(question).measure.title.removeprefix("cosine ")
    scores = f", {measure} {found.similarity[0]:.{digits}f} to {found.similarity[-1]:.{digits}f}" if len(found) else ""
    how = f"; {note}" if (note := compared_how(view)) else ""
    return f"{patches(len(found))} {asked}{scores}{more}{how}".replace("-", "−")


def what_a_patch_is(view: ViewState) -> str:
    """Return how large a patch is, and how many meet the filter: ``A patch is 640 m a side, 41 ha; 90 meet …``."""
    scene, grid, areas = view.scene, view.known.grid, view.known.areas()
    side = length(grid.size, metres_of(scene))
    each = [] if areas is None else areas.whole(view.table.patch_ids)
    ground = f", {ground_words(float(np.nanmedian(each)) / HECTARE)}" if np.isfinite(each).any() else ""
    filtered = f"; {int(view.mask.sum()):,} meet the filter" if view.mask is not None else ""
    how = compared_how(view)
    what = f"{side} a side" if scene.has_pixels else "a row of the file"
    return f"A patch is {what}{ground}{filtered}{f'; {how}' if how else ''}"


def compared_how(view: ViewState) -> str:
    """Return what a person has to know of how examples of other bands are compared; empty where there is nothing."""
    if view.neighbours is None or not view.question.others:
        return ""
    return view.known.ranking(view.question).note


def _by_examples(view: ViewState) -> str:
    good, bad = view.question.count(good=True), view.question.count(good=False)
    if view.neighbours is None:
        return f"**{count(bad, 'bad example')}** · press + on a picture that is what you look for"
    unlike = f", unlike {bad}" if bad else ""
    if view.least is not None:
        of = f"of {len(view.table):,}"
        return f"{found_words(view)} {of} at least {_least(view.least)} like {count(good, 'example')}{unlike}"
    return f"The **{patches(len(view.neighbours))}** of {len(view.table):,} most like {count(good, 'example')}{unlike}"


def header(visitor: Session, view: ViewState) -> None:
    """Draw the line; the address of the page follows it."""
    position = int(view.labels.index[view.query.patch]) if view.labels is not None and view.query is not None else -1
    label = class_title(view.labels.classes[position]) if view.labels is not None and position >= 0 else ""
    parameters = visitor.link(link_encoder(visitor, view.scene, view.recipe))
    show_address(parameters)
    with st.container(horizontal=True, vertical_alignment="center", key="status"):
        st.markdown(f"{status(view, label)}  \n:small[{what_a_patch_is(view)}]", width="stretch")
        heading(f"Explore {view.scene.name}", 1, look="unseen")
        if view.scene.has_pixels:
            cut_button(visitor, view.scene)
        _history(visitor, bool(len(view.selection)))
        label_panel(visitor, view)
        trust_panel(visitor, view)
        _share(visitor, view, parameters)


def _history(visitor: Session, selected: bool) -> None:
    back, forward = not visitor.past, not visitor.future
    icon_button("The query before", "arrow_back", key="back", disabled=back, on_click=visitor.back)
    icon_button("The query after", "arrow_forward", key="forward", disabled=forward, on_click=visitor.forward)
    nothing = visitor.asking is None and not selected
    icon_button("Clear query and selection", "close", key="clear", disabled=nothing, on_click=visitor.clear)


def _share(visitor: Session, view: ViewState, parameters: dict[str, str]) -> None:
    filled_last(st.popover("Share", icon=":material/share:", key="share"), lambda: _link(visitor, parameters))
    downloads(visitor, view)


def _link(visitor: Session, parameters: dict[str, str]) -> None:
    st.markdown("This address opens the same view for everybody who can open this page:")
    st.code(_address(parameters), language=None, wrap_lines=True)
    if left := not_in(parameters, visitor):
        st.caption(f"{left} would make it too long and stay out of it; a bundle under Download holds them.")


def not_in(parameters: Mapping[str, str], visitor: Session) -> str:
    """Return what the parameters of an address leave out because it is too long, in words; empty = nothing."""
    examples, selected = visitor.examples, len(visitor.selection)
    parts = []
    own = 0 if examples is None or {"like", "unlike"} & parameters.keys() else len(examples) - len(examples.others)
    others = 0 if examples is None or "also" in parameters else len(examples.others)
    if own + others:
        parts.append(count(own + others, "example"))
    if visitor.filters and "where" not in parameters:
        parts.append("the filter")
    if selected and "sel" not in parameters:
        parts.append(f"{patches(selected)} selected")
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _address(parameters: dict[str, str]) -> str:
    """Return the whole address of this place."""
    parts = urlsplit(st.context.url or "")
    start = f"{parts.scheme}://{parts.netloc}/" if parts.netloc else "/"
    return f"{start}?{urlencode(parameters)}"
