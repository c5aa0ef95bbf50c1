"""The figures behind the map, folded: each class on held-out land, confidence, the truth."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.classification.models import HEAD_KINDS
from core.classification.validation import OLDER_WAY, Validation
from core.values.named.unsure import sure_patches
from pages.ui.classify.scores import class_table, confidence_table, confusion_table, reliability_diagram
from pages.ui.classify.without_pages import classify_spelled
from pages.ui.common.escape import plain
from pages.ui.common.format import patches
from pages.ui.common.theme import class_title
from pages.ui.state.scene_view import SceneView

MOST_UNTESTED = 8


def validation_details(known: SceneView) -> None:
    """Draw them, where labels teach something."""
    taught = known.taught()
    if taught is None:
        _truth(known)
        return
    found = taught.validation
    with st.expander("How right is it, class by class", key="classify_classes"):
        st.html(class_table(found))
        st.caption(_held_out_words(found))
        classify_spelled(known, "classes")
    with st.expander("What is taken for what", key="classify_confusion"):
        st.html(confusion_table(found))
        older = "" if found.held_apart else f" {OLDER_WAY}"
        st.caption(f"Rows are your labels, columns what a classifier said that saw none of their block of land.{older}")
        classify_spelled(known, "confusion")
    with st.expander("Does its confidence mean what it says", key="classify_confidence"):
        _confidence(found)
        classify_spelled(known, "confidence")
    _truth(known)


def _held_out_words(found: Validation) -> str:
    held = "its block of land" if found.spatial else "it; all labels lie in one block of land, which promises too much"
    said = f"Each label was named by a {HEAD_KINDS[found.kind]} that saw none of {held}. Intervals are of 95 %."
    if found.untested:
        names = ", ".join(class_title(name) for name in found.untested[:MOST_UNTESTED])
        said += f" Not tested, because all labels of the class lie in one place: {names}."
    return plain(said if found.held_apart else f"{said} {OLDER_WAY}")


def _confidence(found: Validation) -> None:
    if not found.tested.any():
        st.markdown("Nothing could be held out yet.")
        return
    left, right = st.columns(2, gap="large")
    left.html(reliability_diagram(found.reliability))
    right.html(confidence_table(found))
    right.caption(
        "Of labels that it was, say, 80 % sure of, 80 in 100 should be right: points on the line. Larger points stand "
        f"for more labels. On average it is off by {100 * found.calibration_error:.0f} points; "
        f"{100 * found.calibration_error_before:.0f} before it was calibrated."
        f"{'' if found.held_apart else f' {OLDER_WAY}'}"
    )


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
