"""What is said of bands that a scene lacks, and that an encoder of which it has none is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.bands import BAND_NAMES
from core.config import Config
from core.encoders.spectral import spectral_spec
from core.engine.operations import Engine
from core.errors import EncoderError
from core.features.stand_ins import check_has_bands, lacking_words
from core.scenes.library import Library
from core.scenes.scene import Scene
from tests import onnx_models
from tests.scenes import add_scene

SPEC = spectral_spec()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return add_scene(Library(tmp_path), height=128, width=128, bands=("B02", "B03", "B04"))


def without(scene: Scene, *bands: str) -> Scene:
    return replace(scene, bands=tuple(name for name in BAND_NAMES if name not in bands))


def test_bands_that_the_scene_lacks_are_named_in_one_sentence(scene: Scene) -> None:
    assert lacking_words(SPEC.bands, without(scene)) == ""
    assert lacking_words(SPEC.bands, without(scene, "B10")) == "", "as every L2A product"
    start = f"2 of the {len(SPEC.bands)} bands that the encoder reads are missing"
    assert lacking_words(SPEC.bands, without(scene, "B01", "B12")) == f"{start} (B01, B12); others stand in for them."
    assert lacking_words(SPEC.bands, without(scene, "B10", "B12")) == (
        f"{start} (B10, B12); B10 counts as 0, others stand in."
    )


def test_an_encoder_of_which_the_scene_has_no_band_is_refused_before_anything_is_encoded(
    scene: Scene, tmp_path: Path
) -> None:
    check_has_bands(SPEC, scene)
    check_has_bands(replace(SPEC, bands=()), scene)  # Of vectors that others made nothing is known.
    with pytest.raises(EncoderError, match="none of the 1 band that it reads, B12; choose another encoder"):
        check_has_bands(replace(SPEC, bands=("B12",)), scene)
    model = onnx_models.write(tmp_path, stated=onnx_models.STATED | {"bands": ["B01", "B09", "B10"]})
    engine = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    with pytest.raises(EncoderError, match=r"Encoding “Test scene” by .*none of the 3 bands that it reads"):
        engine.recipe(scene, str(model))
