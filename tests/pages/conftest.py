"""What the tests of pages share: an engine of their own in an empty directory, and small scenes."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import pytest
from streamlit import delta_generator
from streamlit.components.v2 import manifest_scanner
from streamlit.components.v2.bidi_component import serialization
from streamlit.testing.v1 import AppTest, local_script_runner
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from core.bands import BAND_NAMES
from core.config import Config, settings
from core.encoders.base import Encoder
from core.encoders.registry import ENTRIES, SPECTRAL, default_encoder, matching_encoder
from core.engine.operations import Engine
from core.features.encode import encode_scene
from core.features.recipe import Recipe
from core.scenes.cut import DEFAULT_CUT, Cut
from core.scenes.scene import Scene
from pages.ui.state import cache as page_cache
from pages.ui.state import warm
from pages.ui.state.engine import replace_engine
from tests.scenes import add_scene
from tests.trials import leave_word

MAIN = str(Path(__file__).resolve().parents[2] / "pages" / "main.py")
CLASSES = ("Forest", "River", "<b>my</b> `class` ${x}")


@pytest.fixture
def engine(tmp_path: Path, word_left: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The engine that pages use; not started, so jobs wait and nothing runs beside the test."""
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path))
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    monkeypatch.delenv("LANDLIKE_MODELS", raising=False)
    made = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"))
    shutil.copytree(word_left, tmp_path, dirs_exist_ok=True)
    replace_engine(made)
    page_cache.forget()
    yield made
    replace_engine(None)
    page_cache.forget()


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


def encode(engine: Engine, scene: Scene, encoder: str | None = None, cut: Cut = DEFAULT_CUT) -> Recipe:
    """The scene's features, in the store."""
    recipe = engine.recipe(scene, encoder or default_encoder(), cut=cut)
    if recipe.encoder in ENTRIES:
        _encode_once(engine, scene, recipe)
    else:
        engine.encode_now(scene, recipe)
    return recipe


@pytest.fixture
def scene(engine: Engine) -> Scene:
    """A small scene that nobody said anything of."""
    return small_scene(engine, truth=False)


@pytest.fixture
def recipe(engine: Engine, scene: Scene) -> Recipe:
    """Its spectral features."""
    return encode(engine, scene, SPECTRAL)


def _encode_once(engine: Engine, scene: Scene, recipe: Recipe) -> None:
    """Put features into a store; they are copies, where the same were put before into a store of the same files.

    Names of files in a store are random, so equal ones have one origin. What a scene is called does not matter.
    """
    root = engine.store.root
    what = replace(scene, name="", created="", classes=()).to_json() + recipe.key
    there = sorted(str(file.relative_to(root)) for file in root.rglob("*") if file.is_file())
    given = (scene.directory / "pixels.tif").read_bytes() + "\n".join([what, *there]).encode()
    kept = _kept_features() / hashlib.sha256(given).hexdigest()
    if kept.exists():
        shutil.copytree(kept, root, dirs_exist_ok=True)
        return
    encode_scene(scene, loaded(recipe.encoder, recipe.fingerprint), recipe, engine.store)
    shutil.copytree(root, kept)


@cache
def _kept_features() -> Path:
    """Where features are kept until the process ends."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@lru_cache
def loaded(name: str, fingerprint: str) -> Encoder:
    """An encoder that every installation has, loaded once: it is the same wherever the data lie."""
    return matching_encoder(name, fingerprint, settings())


@pytest.fixture(scope="session", autouse=True)
def _components_found_once() -> Iterator[None]:
    """Let Streamlit look once, not at each visit, which installed packages bring components along."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session", autouse=True)
def _spared() -> Iterator[None]:
    """Keep Streamlit from what the app keeps it from, and wait for a page without looking each millisecond."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delta_generator, "_use_warning_has_been_displayed", True)
        patch.setattr(serialization, "is_dataframe_like", serialization.is_dataframe_like)
        warm.spare()
        patch.setattr(local_script_runner, "require_widgets_deltas", _ended)
        yield


def _ended(runner: LocalScriptRunner, timeout: float) -> None:
    thread = runner._script_thread
    assert thread is not None
    thread.join(timeout)
    if thread.is_alive():
        runner.request_stop()
        runner.join()
        raise RuntimeError(f"The page took more than {timeout} s.")


@pytest.fixture(scope="session")
def word_left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a data folder holds once the encoder was tried, of which ``tests.trials`` tells.

    So no visit takes the seconds of a trial: each has to end in thirty.
    """
    folder = tmp_path_factory.mktemp("tried")
    leave_word(folder)
    return folder


def visit(**parameters: str) -> AppTest:
    """The app as a visitor sees it who follows a link with these parameters."""
    app = AppTest.from_file(MAIN, default_timeout=30)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()
