"""What pictures say of the class that the encoder's classifier gives a patch."""

from __future__ import annotations

import numpy as np

from core.values.predicted import caption
from pages.ui.explore.gallery import Captions, no_caption
from pages.ui.state.scene_view import SceneView


def captions(view: SceneView) -> Captions:
    """Return the captions of a scene's patches; none where the encoder was taught no classes."""
    found = view.named()
    if found is None:
        return no_caption

    def of_patch(patch_id: int) -> tuple[str, str]:
        rows = view.table.positions(np.array([patch_id]))
        return caption(found, int(rows[0]), view.labels) if len(rows) else ("", "")

    return of_patch
