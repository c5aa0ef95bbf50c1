"""The figures behind the map, folded: each class on held-out land, confidence, doubtful labels, the truth."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.classification.doubtful import doubtful_labels
from core.classification.validation import Validation
from core.evaluation.retrieval import Share
from core.scenes.patches import PatchRef
from core.values.predicted import sure_patches
from pages.ui.common.escape import plain, safe_label
from pages.ui.common.format import count, patches
from pages.ui.common.theme import class_title
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session

MOST_DOUBTS = 8


def validation_details(visitor: Session, known: SceneView) -> None:
    """Draw them, where labels teach something."""
    taught = known.taught()
    if taught is None:
        return
    found = taught.validation
    with st.expander("How right is it, class by class", key="classify_classes"):
        st.html(class_table(found))
        st.caption(
            "Each label was named by a classifier that saw none of its block of land. Rows are your labels, columns "
            "what it said; F1 is high where a class is found and little else is taken for it. Intervals are of 95 %."
        )
    with st.expander("Does its confidence mean what it says", key="classify_confidence"):
        st.html(confidence_table(found))
        st.caption("Of labels that it was, say, 80 % sure of, 80 in 100 should be right.")
    doubts = known.answers.get(("doubts", known.labels.version), lambda: doubtful_labels(found, _labelled_ids(known)))
    if doubts:
        with st.expander(f"{count(len(doubts), 'label')} may be wrong", key="classify_doubts"):
            for one in doubts[:MOST_DOUBTS]:
                st.button(
                    plain(
                        f"Patch {one.patch_id}: {class_title(one.given)}, or {class_title(one.likelier)} "
                        f"({100 * one.likelier_probability:.0f} %)?"
                    ),
                    key=f"doubt_{one.patch_id}", type="tertiary", on_click=_look, args=(visitor, known, one.patch_id),
                )  # fmt: skip
    _truth(known)


def _labelled_ids(known: SceneView) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    given = known.labels.given
    ids = known.table.patch_ids
    return ids if given is None else ids[given.index[ids] >= 0]


def _look(visitor: Session, known: SceneView, patch: int) -> None:
    """Ask for a patch on the Explore page at the next visit, and say so."""
    visitor.ask(PatchRef(known.scene.id, patch))
    visitor.classified = f"Patch {patch} is the query on the Explore page now, where it can be labelled anew."


def class_table(found: Validation) -> str:
    """Return F1 with its interval and what is taken for what, as an HTML table."""
    names = [safe_label(class_title(name)) for name in found.classes]
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = "".join(
        f"<tr><td>{name}</td><td>{_interval(score.f1)}</td>{''.join(_cell(number) for number in line)}</tr>"
        for name, score, line in zip(names, found.scores, found.confusion.tolist(), strict=True)
    )
    return f'<div class="ll-table"><table><tr><th></th><th>F1</th>{head}</tr>{rows}</table></div>'


def _cell(number: int) -> str:
    return f"<td>{number:,}</td>" if number else '<td class="none">·</td>'


def _interval(found: Share) -> str:
    return f"{found.value:.2f} ({found.low:.2f}–{found.high:.2f})" if found.count else "not tested"


def confidence_table(found: Validation) -> str:
    """Return how often it was right, by how sure it was, as an HTML table."""
    if not found.tested.any():
        return "<p>Nothing could be held out yet.</p>"
    rows = "".join(
        f"<tr><td>{100 * one.low:.0f}–{100 * one.high:.0f} %</td><td>{100 * one.right.value:.0f} %</td>"
        f"<td>{one.count:,}</td></tr>"
        for one in found.reliability
        if one.count
    )
    return f'<div class="ll-table"><table><tr><th>It said</th><th>Right</th><th>Labels</th></tr>{rows}</table></div>'


def _truth(known: SceneView) -> None:
    """Say how right the map is where the truth of the scene is known and has these classes."""
    truth, named, given = known.labels.truth, known.classified(), known.labels.given
    if truth is None or named is None or given is None:
        return
    ids = known.table.patch_ids
    pure, hand = truth.pure[ids], given.index[ids]
    known_names = {name.casefold(): at for at, name in enumerate(truth.classes)}
    as_truth = np.array([known_names.get(name.casefold(), -2) for name in named.classes])[named.index]
    if (as_truth < 0).all():
        return
    judged = (pure >= 0) & (hand < 0) & sure_patches(known, named)
    if judged.any():
        right = float((as_truth[judged] == pure[judged]).mean())
        st.caption(
            plain(
                f"By the scene's own truth {100 * right:.1f} % of {patches(int(judged.sum()))} that one class fills, "
                "and that nobody labelled, have their right class."
            )
        )
