"""What people said of a scene's patches beside their classes: who, when, from what view, by which scheme."""

from __future__ import annotations

from dataclasses import replace

from core.classification.label_log import LabelLog, label_log
from core.classification.scene_scheme import parsed_scheme
from core.classification.schemes import Scheme
from core.files import FileState, file_state
from core.scenes.given.annotations import LABELS_FILE, Annotations, read_annotations
from core.scenes.labels import SceneLabels, patches_there
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session


def labels_state(known: SceneView) -> FileState | None:
    """Return what tells the file of labels from any other state of it; None where there is none."""
    try:
        return file_state(known.scene.directory / LABELS_FILE)
    except OSError:
        return None


def annotations_of(known: SceneView) -> Annotations:
    """Return what people said of the scene's patches, as it is in the file now."""
    state = labels_state(known)
    if state is None:
        return Annotations()
    found: Annotations = known.answers.get(("annotations", state), lambda: read_annotations(known.scene))
    return found


def chosen_scheme(known: SceneView) -> Scheme | None:
    """Return the scheme that somebody chose to label the scene by; None where nobody did."""
    kept = annotations_of(known).scheme
    found: tuple[Scheme | None] = known.answers.get(("scheme", kept), lambda: (parsed_scheme(kept),))
    return found[0]


def log_of(known: SceneView) -> LabelLog:
    """Return the labels of the patches with who gave them, when and from what view."""
    found: LabelLog = known.answers.get(
        ("label_log", labels_state(known)),
        lambda: label_log(annotations_of(known), known.grid, patches_there(known.scene, known.grid)),
    )
    return found


_SETTLED = "settled"


def settled_view(visitor: Session, known: SceneView) -> SceneView:
    """Return the view that what takes longer than a key press is drawn of.

    While labels are given one after the other it is that of the labels before, of which all is known already.
    """
    before: SceneLabels | None = known.answers.peek(_SETTLED) if visitor.desk.hurried else None
    if before is not None:
        return replace(known, labels=before)
    known.answers.put(_SETTLED, known.labels)
    return known
