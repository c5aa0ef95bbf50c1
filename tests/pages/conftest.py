"""What the tests of pages share: an engine of their own in an empty directory, and small scenes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.bands import BAND_NAMES
from core.config import Config
from core.encoders.registry import default_encoder
from core.engine.operations import Engine
from core.features.recipe import Recipe
from core.scenes.scene import Scene
from pages.ui.state import cache
from pages.ui.state.engine import replace_engine
from tests.scenes import add_scene

MAIN = str(Path(__file__).resolve().parents[2] / "pages" / "main.py")
CLASSES = ("Forest", "River", "<b>my</b> `class` ${x}")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The engine that pages use; not started, so jobs wait and nothing runs beside the test."""
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path))
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    monkeypatch.delenv("LANDLIKE_MODELS", raising=False)
    made = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"))
    replace_engine(made)
    cache.forget()
    yield made
    replace_engine(None)
    cache.forget()


@lru_cache
def banded(rows: int = 6, cols: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and truth of rows × cols patches of 64: columns of patches go from dark water to bright plants."""
    rng = np.random.default_rng(0)
    shade = np.repeat(np.linspace(0.05, 0.5, cols), 64)[None, None, :]
    tilt = np.linspace(0.4, 1.6, len(BAND_NAMES))[:, None, None] ** (shade * 4)
    noise = rng.normal(1, 0.05, (len(BAND_NAMES), rows * 64, cols * 64))
    pixels = np.clip(shade * tilt * noise * 10_000, 1, 20_000).astype(np.uint16)
    truth = np.broadcast_to(1 + np.repeat(np.arange(cols) % len(CLASSES), 64), (rows * 64, cols * 64)).astype(np.uint16)
    return pixels, truth


def small_scene(engine: Engine, scene_id: str = "small-1", *, truth: bool = True, **changes: object) -> Scene:
    """A scene of 6 × 7 patches in the library."""
    pixels, classes = banded()
    given = {"truth": classes, "classes": CLASSES} if truth else {}
    options = {"height": pixels.shape[1], "width": pixels.shape[2], "pixels": pixels, "name": "Small scene"}
    return add_scene(engine.library, scene_id, **{**options, **given, **changes})


def encode(engine: Engine, scene: Scene, encoder: str | None = None) -> Recipe:
    """The scene's features, in the store."""
    recipe = engine.recipe(scene, encoder or default_encoder())
    engine.encode_now(scene, recipe)
    return recipe


def visit(**parameters: str) -> AppTest:
    """The app as a visitor sees it who follows a link with these parameters."""
    app = AppTest.from_file(MAIN, default_timeout=30)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()
