"""Which head makes the map: one that the labels teach, the encoder's own, or a saved one; comparing and keeping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from core.classification.heads import Head, Taught
from core.classification.maps.choice import BY_ENCODER, SAVED, MapChoice, save_choice
from core.classification.models import HEAD_KINDS, HeadKind
from core.classification.validation import OLDER_WAY
from core.engine.class_map import (
    HEAD_WORDS,
    at_once,
    behind,
    head_or_none,
    head_problem,
    taught_by_labels,
    taught_kind,
)
from core.errors import LandlikeError
from core.evaluation.retrieval import Share
from pages.ui.classify.scores import interval_words
from pages.ui.classify.without_pages import classify_spelled
from pages.ui.common.escape import plain
from pages.ui.common.format import count
from pages.ui.common.progress import follow_line, wanted
from pages.ui.state.cache import encoders
from pages.ui.state.engine import engine
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session
from pages.ui.state.widgets import closing_popover, select, shown

KINDS_COMPARED: tuple[HeadKind, ...] = ("logistic", "knn", "forest")


def heads_offered(known: SceneView) -> dict[str, str]:
    """Return titles of the heads that can be chosen, by what ``MapChoice.head`` calls them."""
    found = {kind: f"My labels, by {HEAD_KINDS[kind]}" for kind in KINDS_COMPARED}
    if known.named() is not None:
        listing = encoders().get(known.recipe.encoder)
        found[BY_ENCODER] = f"Classes that {listing.title if listing else known.recipe.encoder} was taught"
    for name in engine().classifications.saved.names():
        found[SAVED + name] = f"Saved: {name}"
    if known.choice.head not in found:
        found[known.choice.head] = f"Not there: {known.choice.head.removeprefix(SAVED)}"
    return found


def changed(visitor: Session, known: SceneView, **fields: object) -> None:
    """Keep a change of how the map is wanted, before the next run; what went wrong is said."""
    try:
        save_choice(known.scene, replace(known.choice, **fields))  # type: ignore[arg-type]
        visitor.classified = ""
    except LandlikeError as error:
        visitor.classified = str(error)


def head_choice(visitor: Session, known: SceneView) -> None:
    """Draw which head makes the map, and in a sentence why it cannot, or how far its teaching is."""
    titles = heads_offered(known)
    select(
        "Classes by", list(titles), known.choice.head, key="map_head", title=titles.__getitem__,
        take=lambda name: changed(visitor, known, head=name),
        help_text="Your labels teach a classifier; a saved one, or one that came with the encoder, needs no labels.",
    )  # fmt: skip
    problem = head_problem(known)
    if problem:
        st.error(plain(problem), icon=":material/error:")
    elif not known.choice.by_labels:
        _says_of(known)
    elif behind(known):
        _teaching(known)
    if not known.labels.version and BY_ENCODER in titles and known.choice.by_labels:
        st.caption("No labels are needed for the classes that the encoder was taught.")
    with st.container(horizontal=True, key="map_heads"):
        _save(visitor, known)
        _delete(visitor, known)


def _teaching(known: SceneView) -> None:
    """Ask for the head to be taught on the labels as they are, and draw how far that is."""
    kind = taught_kind(known.choice)
    key = f"teach-{known.recipe.key}-{kind}"
    job = wanted(key, lambda: engine().classifications.submit_heads(known.recipe, [kind]))
    follow_line(job, key, f"Teaching {HEAD_KINDS[kind]}", stop=True)
    if known.classified() is not None:
        before = (
            "The map is still that of the labels before." if kind == "forest" else "Figures are of the labels before."
        )
        st.caption(before)


def _says_of(known: SceneView) -> None:
    """Say what a head was taught on, and in what the scene differs."""
    head = head_or_none(known)
    if head is None:
        return
    origin, said = head.origin, []
    if origin.counts:
        said.append(f"{HEAD_WORDS[head.kind]} taught on {count(sum(origin.counts.values()), 'label')}")
        said[-1] += f" of {', '.join(origin.scenes)}" if origin.scenes else ""
        accuracy = origin.measures.get("accuracy")
        if isinstance(accuracy, list) and len(accuracy) == 3:
            share = Share(value=accuracy[0], low=accuracy[1], high=accuracy[2], count=1)
            said[-1] += f": {interval_words(share)} right on held-out land"
        said[-1] += "."
        said += [OLDER_WAY] if origin.older_way else []
    st.caption(plain(" ".join([*said, *head.concerns(known.recipe.cut.key, known.scene.bands)])))


def _save(visitor: Session, known: SceneView) -> None:
    head = head_or_none(known)
    if head is None or known.choice.head.startswith(SAVED):
        return
    with st.popover("Save it", icon=":material/save:", key=closing_popover("save_head"), on_change="rerun"):
        st.text_input("Name", key="head_name", max_chars=60, placeholder="For example: Virginia, January")
        st.caption("A saved head names the land of any scene that the same encoder encoded.")
        st.button("Save", type="primary", key="head_save", on_click=_saving, args=(visitor, head))


def _saving(visitor: Session, head: Head) -> None:
    try:
        name = engine().classifications.saved.save(head, str(shown("head_name") or ""))
    except LandlikeError as error:
        visitor.classified = str(error)
        return
    visitor.classified, visitor.closing = (
        f"Saved as “{name}”. It can be chosen under “Classes by” in any scene.",
        "save_head",
    )


def _delete(visitor: Session, known: SceneView) -> None:
    if not known.choice.head.startswith(SAVED) or head_problem(known).startswith("Reading a saved head: there is no"):
        return
    name = known.choice.head.removeprefix(SAVED)
    with st.popover("Delete it", icon=":material/delete:", key=closing_popover("delete_head"), on_change="rerun"):
        st.markdown(plain(f"The saved head “{name}” will be gone for good, for every scene."))
        st.button("Delete it", type="primary", key="head_delete", on_click=_deleting, args=(visitor, known, name))


def _deleting(visitor: Session, known: SceneView, name: str) -> None:
    engine().classifications.saved.delete(name)
    changed(visitor, known, head=MapChoice().head)
    visitor.classified, visitor.closing = f"Deleted: {name}.", "delete_head"


def compare_heads(visitor: Session, known: SceneView) -> None:
    """Draw how the three ways to learn from the labels compare on held-out land, or the button that compares them."""
    if known.taught() is None and known.choice.by_labels is False:
        return
    with st.expander("Compare three ways to learn from the labels", key="classify_compare"):
        found = {kind: taught for kind in KINDS_COMPARED if (taught := _measured(known, kind)) is not None}
        if len(found) > 1:
            st.html(comparison_table(found))
            st.caption(comparison_words(found))
            if not all(one.validation.held_apart for one in found.values()):
                st.caption(OLDER_WAY)
        job = engine().jobs.get(visitor.work.get(_job_key(known), ""))
        if job is not None and job.state != "done":
            follow_line(job, _job_key(known), "Comparing on the same blocks of land", stop=True)
        elif len(found) < len(KINDS_COMPARED):
            st.button("Compare", key="map_compare", type="primary", on_click=_compare, args=(visitor, known))
        classify_spelled(known, "compare", "--compare")


def _measured(known: SceneView, kind: HeadKind) -> Taught | None:
    """Return what is known of a kind for the labels as they are; nothing is computed that takes long."""
    kept = engine().classifications.compared.has(known.recipe, known.labels.version, kind)
    quick = kind == taught_kind(known.choice) and kind != "forest" and at_once(known)
    return taught_by_labels(known, kind) if kept or quick else None


def _job_key(known: SceneView) -> str:
    return f"compare-{known.recipe.key}"


def _compare(visitor: Session, known: SceneView) -> None:
    def submit() -> str:
        return engine().classifications.submit_heads(known.recipe, KINDS_COMPARED).id

    _try(visitor, lambda: visitor.work.update({_job_key(known): submit()}))


def _try(visitor: Session, act: Callable[[], None]) -> None:
    try:
        act()
        visitor.classified = ""
    except LandlikeError as error:
        visitor.classified = str(error)


def comparison_table(found: dict[HeadKind, Taught]) -> str:
    """Return a row a kind of head, the best first, as an HTML table."""
    rows = "".join(
        f"<tr><td>{HEAD_WORDS[kind]}</td><td>{interval_words(one.validation.accuracy)}</td>"
        f"<td>{_decimals(one.validation.mean_f1)}</td><td>{_points(one)}</td></tr>"
        for kind, one in sorted(found.items(), key=lambda item: item[1].validation.log_loss)
    )
    head = "<th>Learned by</th><th>Right on held-out land</th><th>F1, mean of classes</th><th>Off in confidence</th>"
    return f'<div class="ll-table"><table><tr>{head}</tr>{rows}</table></div>'


def _decimals(value: float) -> str:
    return f"{value:.2f}" if value == value else "–"  # noqa: PLR0124  NaN differs from itself


def _points(one: Taught) -> str:
    error = one.validation.calibration_error
    return f"{100 * error:.0f} points" if error == error else "–"  # noqa: PLR0124  NaN differs from itself


def comparison_words(found: dict[HeadKind, Taught]) -> str:
    """Return in a sentence or two what the table says."""
    shares = {kind: one.validation.accuracy for kind, one in found.items() if one.validation.accuracy.count}
    spatial = all(one.validation.spatial for one in found.values())
    held = "All were tested on the same blocks of land, which none had seen" if spatial else (
        "All labels lie in one block of land, so single patches were held out, which promises too much"
    )  # fmt: skip
    if not shares:
        return f"{held}; too few labels to tell."
    best = max(shares, key=lambda kind: shares[kind].value)
    apart = all(shares[best].low > one.high for kind, one in shares.items() if kind != best)
    end = f"{HEAD_WORDS[best]} is right most often" + (
        "." if apart else ", by less than the 95 % intervals tell apart."
    )
    return f"{held}. {end}"
