"""What a click among clusters does, before the next run; what went wrong is told in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.clusters.changes import choose_settings, merge_clusters, rename_cluster, undo_change
from core.clusters.overview import ClusterOverview
from core.errors import LandlikeError
from core.scenes.given.classes import LONGEST_NAME
from core.scenes.given.history import undo_labels
from core.scenes.labels import give_label
from core.scenes.patches import PatchRefs, patch_refs
from core.search.conditions import ClassCondition
from core.search.filters import Filters
from core.similarity.clusters import ClusterSet, ClusterSettings
from core.values.clusters import CLUSTER
from pages.ui.common.format import patches
from pages.ui.common.theme import class_title
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import NOTHING_SELECTED, Session
from pages.ui.state.view_state import ViewState


def chosen_cluster(visitor: Session, known: SceneView) -> ClusterOverview | None:
    """Return the cluster that the visitor looks at; None where it is none of those on show."""
    clusters = known.clusters()
    if clusters is None or visitor.clusters.chosen is None:
        return None
    every = known.cluster_overviews()
    return next((every[at] for at, parts in enumerate(clusters.parts) if visitor.clusters.chosen in parts), None)


def selected_cluster(visitor: Session, view: ViewState) -> ClusterOverview | None:
    """Return the cluster that the visitor looks at where its patches are what is selected; else None."""
    found = chosen_cluster(visitor, view.known)
    whole = found is not None and view.selection == _all_of(view, found)
    return found if whole else None


def selection_in_order(visitor: Session, view: ViewState) -> PatchRefs:
    """Return the selection: of a cluster the typical patches or the odd ones first, else as it is."""
    found = selected_cluster(visitor, view)
    if found is None:
        return view.selection
    ids = found.patches if visitor.clusters.order == "typical" else found.patches[::-1]
    return PatchRefs(view.scene.id, tuple(ids.tolist()))


def choose_cluster(visitor: Session, view: ViewState, number: int) -> None:
    """Look at a cluster: its patches are selected. Once more, and it is none."""
    clusters, every = view.known.clusters(), view.known.cluster_overviews()
    if clusters is None or not 0 <= number < len(every):
        return
    again = visitor.clusters.chosen in clusters.parts[number]
    visitor.colour = CLUSTER.name  # Else the first labels would become what colours, and the list would go.
    visitor.clusters.tell("")
    visitor.clusters.chosen = None if again else min(clusters.parts[number])
    visitor.select(NOTHING_SELECTED if again else _all_of(view, every[number]))


def find_anew(visitor: Session, view: ViewState, settings: ClusterSettings) -> None:
    """Put clusters on show that are found by other settings."""

    def change() -> str:
        choose_settings(view.scene, view.recipe, settings)
        return ""

    if _changed(visitor, change):
        visitor.clusters.chosen = None
        visitor.select(NOTHING_SELECTED)
        filters = Filters.parse(visitor.filters)
        visitor.filter(filters.without(CLUSTER.name).link() if filters else "")  # It names clusters of before.


def rename(visitor: Session, view: ViewState, cluster: ClusterOverview, name: str) -> None:
    """Give a cluster a name; an empty one gives it back the one by its light."""
    clusters, origin = view.known.clusters(), view.known.cluster_origin()
    if clusters is None or origin is None or name == cluster.name:
        return

    def change() -> str:
        rename_cluster(origin, clusters, cluster.number, name)
        return f"“{cluster.name}” is called “{_now(view, visitor, cluster)}” now."

    _renamed(visitor, view, change)


def merge(visitor: Session, view: ViewState, cluster: ClusterOverview, others: tuple[int, ...]) -> None:
    """Make one of a cluster and others."""
    clusters, origin = view.known.clusters(), view.known.cluster_origin()
    if clusters is None or origin is None or not others:
        return

    def change() -> str:
        merge_clusters(origin, clusters, (cluster.number, *others))
        return f"{1 + len(others)} clusters are one: “{_now(view, visitor, cluster)}”."

    if _renamed(visitor, view, change):
        _look(visitor, view)


def undo_clusters(visitor: Session, view: ViewState) -> None:
    """Take the last rename or merge back."""
    origin = view.known.cluster_origin()
    if origin is None:
        return

    def change() -> str:
        what = undo_change(origin)
        return f"Taken back: {what}." if what else ""

    if _renamed(visitor, view, change):
        _look(visitor, view)


def label_all(visitor: Session, view: ViewState, cluster: ClusterOverview, name: str) -> None:
    """Give all patches of a cluster a label."""
    if not name.strip():
        return

    def change() -> str:
        who = visitor.desk.who
        give_label(view.scene, view.known.grid, cluster.patches.tolist(), name, who=who, view=f"cluster {cluster.name}")
        return f"{patches(len(cluster.patches))} labelled {class_title(name)}."

    _changed(visitor, change, labelled=True)


def unlabel(visitor: Session, view: ViewState) -> None:
    """Take the last labels back."""

    def change() -> str:
        what = undo_labels(view.scene)
        return f"Taken back: {what}." if what else ""

    _changed(visitor, change)


def only_these(visitor: Session, cluster: ClusterOverview) -> None:
    """Let only patches of a cluster count."""
    filters = Filters.parse(visitor.filters) or Filters()
    visitor.filter(filters.having(ClassCondition(value=CLUSTER.name, classes=(cluster.name,))).link())


def label_for(name: str) -> str:
    """Return the name of a cluster as the name of a class, without what would make it too long."""
    parts = name.split(", ")
    while len(parts) > 1 and len(", ".join(parts)) > LONGEST_NAME:
        parts.pop()
    return ", ".join(parts)[:LONGEST_NAME]


def _all_of(view: ViewState, cluster: ClusterOverview) -> PatchRefs:
    return patch_refs(view.scene.id, cluster.patches.tolist())


def _look(visitor: Session, view: ViewState) -> None:
    """Select what the cluster that is looked at has become."""
    found = chosen_cluster(visitor, view.known)
    if found is not None:
        visitor.select(_all_of(view, found))


def _now(view: ViewState, visitor: Session, cluster: ClusterOverview) -> str:
    """Return what the cluster that is looked at is called after a change."""
    found = chosen_cluster(visitor, view.known)
    return cluster.name if found is None else found.name


def _changed(visitor: Session, change: Callable[[], str], *, labelled: bool = False) -> bool:
    """Do something and tell what came of it; False where it was refused."""
    try:
        visitor.clusters.tell(change(), labelled=labelled)
    except LandlikeError as error:
        visitor.clusters.tell(str(error))
        return False
    return True


def _renamed(visitor: Session, view: ViewState, change: Callable[[], str]) -> bool:
    """Do something that gives clusters other names, and let filters mean the same clusters; False where refused.

    A name by light may change with that of another cluster, of which it has to tell its own.
    """
    before = view.known.clusters()
    if not _changed(visitor, change):
        return False
    after, filters = view.known.clusters(), Filters.parse(visitor.filters)
    if before is None or after is None or not filters:
        return True
    for one in filters.conditions:
        if isinstance(one, ClassCondition) and one.is_on(CLUSTER):
            names = [new for name in one.classes for new in _names_now(name, before, after)]
            filters = filters.having(replace(one, classes=tuple(dict.fromkeys(names))))
    visitor.filter(filters.link())
    return True


def _names_now(name: str, before: ClusterSet, after: ClusterSet) -> list[str]:
    """Return what the cluster of a name is called after a change; the name itself where there was none of it."""
    parts = next((parts for old, parts in zip(before.names, before.parts, strict=True) if old == name), ())
    found = [new for new, now in zip(after.names, after.parts, strict=True) if set(now) & set(parts)]
    return found or [name]
