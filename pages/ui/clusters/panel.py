"""The panel of clusters: how many and by what, the list of them, and what can be done with the one that is chosen."""

from __future__ import annotations

import streamlit as st

from core.clusters.changes import LONGEST_CLUSTER_NAME, undoable_change
from core.clusters.overview import ClusterOverview
from core.engine.snippets import clusters_command, clusters_script
from core.scenes.cut import WHOLE_AT_EDGE
from core.similarity.clusters import CHOICES, CLUSTER_METHODS, ClusterSet, ClusterSettings
from core.values.clusters import colours_of_clusters
from pages.ui.clusters import acts
from pages.ui.common.escape import plain
from pages.ui.common.format import ground_words, patches
from pages.ui.common.icon_button import icon_button
from pages.ui.common.spelled import spelled
from pages.ui.common.theme import class_title
from pages.ui.explore.labelling import class_names
from pages.ui.frontend import text
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState
from pages.ui.state.widgets import shown, trigger

LIST_KEY = "clusters_list"
_ACTIONS_HEIGHT, _TOLD_HEIGHT = 52, 34
_MOST_ASKED = 30
_component = st.components.v2.component(
    "landlike_clusters", html='<div class="clusters"><div role="listbox" aria-label="Clusters"></div><p></p></div>',
    css=text("clusters.css"), js=text("clusters.js"),
)  # fmt: skip


def clusters_panel(visitor: Session, view: ViewState, *, height: int) -> None:
    """Draw the list of clusters, and under it what can be done with the chosen one.

    Args:
        visitor: who looks.
        view: what is on show.
        height: pixels.
    """
    known = view.known.clusters()
    if known is None:
        st.caption("Clusters of alike patches come here, with their names, as soon as they are found.")
        return
    chosen = acts.chosen_cluster(visitor, view.known)
    room = height - _ACTIONS_HEIGHT - (_TOLD_HEIGHT if visitor.clusters.told else 0)
    _list(visitor, view, known, chosen, max(120, room))
    _told(visitor, view)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="cluster_acts"):
        if chosen is None:
            st.caption("Click a cluster to see its patches, rename, merge or label it.")
        else:
            _rename(visitor, view, chosen, named=_is_named(view, chosen))
            _merge(visitor, view, chosen)
            _label(visitor, view, chosen)
            icon_button("Let only patches of this cluster count", "filter_alt", key="cluster_filter",
                        on_click=acts.only_these, args=(visitor, chosen))  # fmt: skip


def clusters_tools(visitor: Session, view: ViewState) -> None:
    """Draw the buttons over the list: how clusters are found, and taking the last change back."""
    with st.popover("How many", icon=":material/tune:", key=_key(visitor, "how")):
        _how(visitor, view)
    origin = view.known.cluster_origin()
    what = "" if origin is None else undoable_change(origin)
    icon_button(
        "Undo the last rename or merge", "undo", key="cluster_undo", type="tertiary", disabled=not what,
        help_text=f"Undo: {plain(what)}" if what else "Nothing was renamed or merged", on_click=acts.undo_clusters,
        args=(visitor, view),
    )  # fmt: skip


def why_so_many(known: ClusterSet) -> str:
    """Return in a sentence what decided how many clusters there are."""
    count, without = sum(map(len, known.parts)), int((known.index < 0).sum())
    if known.settings.method == "hdbscan":
        odd = f" {patches(without)} in none of them." if without else ""
        return f"HDBSCAN found {count} dense regions.{odd}"
    if known.settings.count is not None:
        return f"k-means was asked for {known.settings.count} clusters."
    tried = f"{CHOICES[0]} to {CHOICES[-1]}"

    if known.scores:
        best, score = max(known.scores.values()), known.scores.get(count, max(known.scores.values()))
        return (
            f"k-means suggests {count}: of {tried} the largest number whose mean silhouette ({score:.2f}) comes within "
            f"5 % of the best ({best:.2f}); 1 = well apart, 0 = not at all."
        )
    return f"k-means suggests {count}: of {tried} the largest number with nearly the best mean silhouette."


def _how(visitor: Session, view: ViewState) -> None:
    """Draw how the clusters are found, and the choice of another way."""
    known, settings = view.known.clusters(), view.known.cluster_settings()
    if known is not None:
        st.markdown(plain(why_so_many(known)))
    method = st.radio(
        "Method", list(CLUSTER_METHODS), index=list(CLUSTER_METHODS).index(settings.method), horizontal=True,
        format_func=CLUSTER_METHODS.__getitem__, key="cluster_method",
        help="k-means gives every patch a cluster. HDBSCAN finds dense regions, and leaves odd patches out.",
    )  # fmt: skip
    count = None
    most = min(_MOST_ASKED, len(view.table))
    if method == "kmeans" and most > 2:
        suggested = st.toggle("Suggest the number", value=settings.count is None, key="cluster_suggest")
        if not suggested:
            before = settings.count or (len(known.names) if known is not None else CHOICES[0])
            count = st.slider("Clusters", 2, most, min(most, max(2, before)), key="cluster_count")
    wanted = ClusterSettings(method=method, count=count, seed=settings.seed)
    st.button(
        "Find clusters", key="cluster_find", type="primary", disabled=wanted == settings,
        on_click=acts.find_anew, args=(visitor, view, wanted),
    )  # fmt: skip
    if known is not None:
        _spelled(view, settings)


def _spelled(view: ViewState, settings: ClusterSettings) -> None:
    """Draw what finds the same clusters without the pages; folded, or it would cover the views."""
    with st.expander("As a command", icon=":material/terminal:", key="clusters_spelled"):
        origin = view.known.cluster_origin()
        if origin is not None and undoable_change(origin):
            st.caption("The command finds the clusters as they were; renames and merges go along with Download.")
        spelled(clusters_command(view.recipe, settings), clusters_script(view.recipe, settings))


def _list(visitor: Session, view: ViewState, known: ClusterSet, chosen: ClusterOverview | None, height: int) -> None:
    def clicked() -> None:
        number = trigger(LIST_KEY, "cluster")
        if isinstance(number, int):
            acts.choose_cluster(visitor, view, number)

    rows = [
        {
            "name": one.name, "colour": colour, "patches": f"{len(one.patches):,}", "share": f"{100 * one.share:.1f} %",
            "ground": "" if one.hectares is None else ground_words(one.hectares),
        }
        for one, colour in zip(view.known.cluster_overviews(), colours_of_clusters(known), strict=True)
    ]  # fmt: skip
    without = int((known.index < 0).sum())
    notes = [f"{patches(without)} of no cluster."] if without else []
    rest = " ".join([*notes, WHOLE_AT_EDGE] if view.recipe.cut.area else notes)
    data = {"rows": rows, "chosen": None if chosen is None else chosen.number, "rest": rest, "height": height}
    _component(key=LIST_KEY, data=data, height=height, on_cluster_change=clicked)


def _told(visitor: Session, view: ViewState) -> None:
    """Say what became of the latest change, with a way back where it gave labels."""
    if not visitor.clusters.told:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="cluster_told"):
        st.markdown(f":small[{plain(visitor.clusters.told)}]", width="stretch")
        if visitor.clusters.labelled:
            st.button("Undo", key="cluster_unlabel", icon=":material/undo:", type="tertiary",
                      on_click=acts.unlabel, args=(visitor, view))  # fmt: skip


def _is_named(view: ViewState, chosen: ClusterOverview) -> bool:
    """Return whether people gave a cluster its name."""
    return chosen.number in view.known.named_clusters()


def _key(visitor: Session, what: str) -> str:
    """Return the key of a popover: another after each change, so that the one it was asked in is closed."""
    return f"cluster_open_{what}_{visitor.clusters.changes}"


def _rename(visitor: Session, view: ViewState, chosen: ClusterOverview, *, named: bool) -> None:
    box = f"cluster_name_{chosen.number}_{visitor.clusters.changes}"

    def take() -> None:
        acts.rename(visitor, view, chosen, str(shown(box) or ""))

    with st.popover("Rename", key=_key(visitor, "rename")):
        st.text_input(
            "Name, then Enter", value=chosen.name, key=box, max_chars=LONGEST_CLUSTER_NAME,
            on_change=take,
        )  # fmt: skip
        if named:
            st.button("Name it by its light again", key="cluster_unname",
                      on_click=acts.rename, args=(visitor, view, chosen, ""))  # fmt: skip


def _merge(visitor: Session, view: ViewState, chosen: ClusterOverview) -> None:
    box = f"cluster_others_{chosen.number}_{view.known.cluster_version()}"
    others = [one for one in view.known.cluster_overviews() if one.number != chosen.number]
    names = {one.number: plain(one.name) for one in others}

    def take() -> None:
        acts.merge(visitor, view, chosen, tuple(shown(box) or ()))

    with st.popover("Merge", key=_key(visitor, "merge"), disabled=not others):
        picked = st.pills("Merge it with", list(names), format_func=names.__getitem__, selection_mode="multi", key=box)
        st.button("Merge", key="cluster_merge_go", type="primary", disabled=not picked,
                  on_click=take)  # fmt: skip


def _label(visitor: Session, view: ViewState, chosen: ClusterOverview) -> None:
    box = f"cluster_label_new_{chosen.number}_{visitor.clusters.changes}"
    own = acts.label_for(chosen.name)

    with st.popover("Label all as …", key=_key(visitor, "label")):
        st.markdown(f"All {patches(len(chosen.patches))} of this cluster become")
        for place, name in enumerate(dict.fromkeys([own, *class_names(view)])):
            st.button(plain(class_title(name)), key=f"cluster_label_{place}", on_click=acts.label_all,
                      args=(visitor, view, chosen, name))  # fmt: skip
        st.text_input(
            "Another class, then Enter", key=box, max_chars=LONGEST_CLUSTER_NAME,
            on_change=lambda: acts.label_all(visitor, view, chosen, str(shown(box) or "")),
        )  # fmt: skip
