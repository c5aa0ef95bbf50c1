"""What pictures say of the class that the encoder's classifier gives a patch."""

from __future__ import annotations

import numpy as np

from core.values.named.predicted import CONFIDENCE, PREDICTED, caption
from core.values.named.unsure import UNSURE, UNSURE_COLOUR, sure_patches
from pages.ui.explore.gallery import Captions, no_caption
from pages.ui.state.scene_view import SceneView


def captions(view: SceneView, colour: str | None) -> Captions:
    """Return the captions of a scene's patches; none where the encoder was taught no classes.

    Probabilities that no held-out patches have set, and that no class counts, are shown to those only who ask, by what
    colours the patches. Where no class counts on the whole scene, why is not said on each picture anew.
    """
    found, asked = view.named(), colour in {PREDICTED.name, CONFIDENCE.name}
    if found is None or not (found.calibrated or asked):
        return no_caption
    counts = sure_patches(view, found)

    def of_patch(patch_id: int) -> tuple[str, str]:
        rows = view.table.positions(np.array([patch_id]))
        if not len(rows) or not (asked or counts[rows[0]]):
            return "", ""
        return caption(view, found, int(rows[0])) if counts.any() else (UNSURE, UNSURE_COLOUR)

    return of_patch
