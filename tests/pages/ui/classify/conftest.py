"""What tests of the Classify page share: the page on a scene, its words, and the labels that were given."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.encoders.registry import SPECTRAL
from core.scenes.labels import hand_labels
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from pages.ui.state.session import Session

PAGE = str(Path(__file__).resolve().parents[4] / "pages" / "classify.py")


def opened(scene: Scene, *unfolded: str) -> AppTest:
    """The page of a scene, with some of its folds open."""
    app = AppTest.from_file(PAGE, default_timeout=30)
    app.session_state["landlike"] = Session(scene_id=scene.id, encoder=SPECTRAL)
    for key in unfolded:
        app.session_state[key] = True
    return app.run()


def words(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption, app.info, app.error) for element in kind)


def given(scene: Scene) -> dict[int, str]:
    """The labels of the scene, by patch."""
    found = hand_labels(scene, patch_grid(scene))
    if found is None:
        return {}
    return {at: found.classes[number] for at, number in enumerate(found.index.tolist()) if number >= 0}
