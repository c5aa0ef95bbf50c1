"""Handing a view on: as a bundle for a colleague, as a command or a script; and opening a bundle that came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import LandlikeError, SettingsError
from core.export.bundle import bundle_bytes, parse_bundle
from core.projection.settings import ProjectionSettings
from core.search.filters import SCORE, Filters, FilterSource
from core.values.base import Asked
from core.values.registry import VALUES
from pages.ui.common.escape import plain
from pages.ui.common.format import count
from pages.ui.state.engine import engine
from pages.ui.state.question import Question, question_of
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState

if TYPE_CHECKING:
    from core.engine.bundles import OpenedBundle
    from core.engine.views import SearchView

MOST_SPELLED = 400
"""Examples that a command shows; one with more is no longer read by anybody."""
_FEWEST, _MOST = 5, 100
"""Neighbours that the page can show."""


def hand_on(visitor: Session, view: ViewState) -> None:
    """Draw the view as a bundle, as a command and as Python, and where a bundle can be opened."""
    if view.neighbours is not None:
        st.markdown("The view for a colleague:")
        search = search_view(visitor, view)
        st.download_button(
            "Bundle", lambda: _packed(visitor, view, search), f"view-{view.scene.id}.zip", "application/zip",
            key="download_bundle", on_click="ignore", icon=":material/package_2:",
            help="Examples, labels and settings as one file, without pixels. Who has the scene sees the same.",
        )  # fmt: skip
        with st.expander("The same without the pages", key="without_pages"):
            _spelled(search)
    with st.expander("Open a bundle", key="open_bundle"):
        _opener(visitor)


def search_view(visitor: Session, view: ViewState) -> SearchView:
    """Return what is looked for on the page."""
    from core.engine.views import SearchView

    return SearchView(
        recipe=view.recipe, evidence=view.known.evidence(view.question), filters=_counting(view),
        count=visitor.count if view.least is None else None, least=view.least, apart=visitor.leave_out_touching,
        words=view.question.words,
    )  # fmt: skip


def _counting(view: ViewState) -> Filters:
    """Return the conditions that count on the page: those that can be asked of these patches."""
    filters = Filters.parse(view.filters) or Filters()
    query = view.question.like[0] if view.question.plain else None
    scored = any(one.value == SCORE for one in filters.conditions)
    ranking = view.known.ranking(view.question) if scored else None
    source = FilterSource(source=view.known, asked=Asked(query=query), ranking=ranking, lonlat=view.known.places)
    for one in filters.unknown(source):
        filters = filters.without(one.value)
    return filters


def _packed(visitor: Session, view: ViewState, search: SearchView) -> bytes:
    from core.engine.bundles import bundle_of

    layout = {} if view.layout is None else asdict(view.layout)
    return bundle_bytes(bundle_of(engine(), search, layout=layout, shown={"colour": visitor.colour}))


def _spelled(search: SearchView) -> None:
    from core.engine.snippets import as_command, as_python

    if len(search.evidence) > MOST_SPELLED:
        st.caption(f"There are {count(len(search.evidence), 'example')}; take the bundle, which holds them all.")
        return
    command, script = st.tabs(["Command", "Python"])
    command.code(as_command(search), language="bash", wrap_lines=True)
    script.code(as_python(search), language="python", wrap_lines=True)


def _opener(visitor: Session) -> None:
    """Draw the place for a bundle, what it lacks here, and the ways on."""
    from core.engine.bundles import open_bundle

    came = st.file_uploader("A bundle", type=["zip"], key="bundle_file", label_visibility="collapsed")
    if came is None:
        return
    try:
        opened = open_bundle(engine(), parse_bundle(came.getvalue(), came.name), came.name)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return
    for sentence in opened.lacking:
        st.warning(plain(sentence), icon=":material/warning:")
    if opened.view is None:
        return
    with st.container(horizontal=True, key="bundle_ways"):
        st.button("Show this view", key="bundle_show", type="primary", on_click=follow_view, args=(visitor, opened))
        if opened.bundle.labels.get("classes") and st.button("Take its labels", key="bundle_labels"):
            _take(opened, came.name)


def _take(opened: OpenedBundle, name: str) -> None:
    from core.engine.bundles import take_labels

    try:
        taken = take_labels(engine(), opened, name)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return
    st.caption(f"{count(taken, 'patch', 'patches')} labelled; those that had a label keep it.")


def follow_view(visitor: Session, opened: OpenedBundle) -> None:
    """Go where a bundle leads, as far as the page can show it; does nothing where its scene is not here."""
    view = opened.view
    if view is None:
        return
    recipe = view.recipe
    visitor.open(recipe.scene_id)
    if recipe.cut != visitor.cut(recipe.scene_id):
        visitor.recut(recipe.scene_id, recipe.cut, None)
    visitor.encoder = recipe.encoder
    size = recipe.cut.size
    asked = question_of(view.evidence, recipe.scene_id, lambda one: engine().chips.keep(one, size))
    visitor.pursue(Question(recipe.scene_id, words=view.words) if view.words else asked)
    visitor.filter(view.filters.link())
    visitor.count = min(max(view.count or visitor.count, _FEWEST), _MOST)
    visitor.leave_out_touching = view.apart
    visitor.limit(view.least)
    colour = opened.bundle.view.get("colour")
    visitor.colour = colour if isinstance(colour, str) and colour in VALUES else None
    _arrange(visitor, opened.bundle.layout)


def _arrange(visitor: Session, layout: Mapping[str, Any]) -> None:
    """Take settings of the plot, if they are some; those of labels need the labels of there, and are left."""
    try:
        found = ProjectionSettings(**layout)
    except (SettingsError, TypeError):
        return
    if not found.labels:
        visitor.layout_neighbours, visitor.layout_distance = found.n_neighbors, found.min_dist
        visitor.layout_metric, visitor.layout_method = found.metric, found.method
