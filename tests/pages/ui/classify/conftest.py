"""What tests of the Classify page share: a small scene that is encoded, and the page on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.encoders.registry import SPECTRAL
from core.engine.operations import Engine
from core.features.recipe import Recipe
from core.scenes.labels import hand_labels
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from pages.ui.state.session import Session
from tests.pages.conftest import encode, small_scene

PAGE = str(Path(__file__).resolve().parents[4] / "pages" / "classify.py")


@pytest.fixture
def scene(engine: Engine) -> Scene:
    return small_scene(engine, truth=False)


@pytest.fixture
def recipe(engine: Engine, scene: Scene) -> Recipe:
    return encode(engine, scene, SPECTRAL)


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
