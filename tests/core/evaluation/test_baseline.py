"""The plain spectrum is the encoder of spectra and nothing like it: the same features, and so the same figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.config import Config
from core.encoders.spectral import SPECTRAL
from core.engine.operations import Engine
from core.evaluation.baseline import plain_spectrum, rough_spectrum
from core.evaluation.benchmark import assess
from core.evaluation.report.measure import case_of, labels_part
from core.evaluation.retrieval import retrieval
from core.scenes.cut import Cut
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from tests.pages.conftest import encode, small_scene
from tests.scenes import add_scene, place_pixels


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    yield made
    made.close()


@pytest.fixture(scope="module")
def real(eurosat: Callable[[Path], Scene], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Scene]]:
    """Patches of real land with their classes."""
    root = tmp_path_factory.mktemp("eurosat")
    made = Engine(Config(root=root, model_cache=root / "models"), lanes={})
    yield made, eurosat(root)
    made.close()


@pytest.mark.parametrize("bands", [BAND_NAMES, ("B02", "B03", "B04")])
def test_it_is_what_encoding_the_scene_gives_bit_for_bit(engine: Engine, bands: Sequence[str]) -> None:
    """Stand-ins for missing bands, pixels without data and overlapping patches included."""
    pixels = place_pixels(200, 300, len(bands))
    pixels[:, :50, 100:190] = 0
    scene = add_scene(engine.library, "holes", height=200, width=300, bands=bands, pixels=pixels)
    features = engine.encode_now(scene, engine.recipe(scene, SPECTRAL, cut=Cut.of(64, 32)))
    grid, told = patch_grid(scene, Cut.of(64, 32)), list[tuple[int, int]]()
    assert 0 < len(features.patch_ids) < grid.count, "one patch at least has too little data"
    asked = np.random.default_rng(0).permutation(features.patch_ids)[: len(features) // 2]
    found = plain_spectrum(scene, grid, asked, progress=lambda *pair: told.append(pair))
    np.testing.assert_array_equal(found, features.vectors[np.searchsorted(features.patch_ids, asked)])
    assert told[-1] == (len(asked), len(asked))


def test_a_report_gives_the_figure_of_evaluate(real: tuple[Engine, Scene]) -> None:
    engine, scene = real
    spectrum = assess(engine, scene, SPECTRAL)[0].retrieval
    assert [round(share.value, 3) for share in spectrum.precision.values()] == [0.780, 0.682, 0.636]
    recipe = encode(engine, scene, SPECTRAL)
    features, grid = engine.features(recipe), patch_grid(scene)
    case = case_of(scene, features)
    assert case.spectrum is not None
    plain = retrieval(case.spectrum(case.ids, lambda *_: None), case.labels, case.classes)
    assert plain.precision == spectrum.precision
    np.testing.assert_array_equal(plain_spectrum(scene, grid, case.ids), features.vectors)


def test_of_the_plain_spectrum_itself_there_is_one_number(engine: Engine) -> None:
    scene = small_scene(engine)
    section = labels_part(case_of(scene, engine.features(encode(engine, scene, SPECTRAL))))
    assert section.measured
    assert "plain spectrum would give" not in section.sentences[0]
    assert section.sentences[1] == "This encoder is the plain spectrum itself, beside which every other one is shown."
    assert "Plain spectrum, same class" not in section.sheets[0].head


def test_means_alone_give_it_within_two_points(real: tuple[Engine, Scene]) -> None:
    engine, scene = real
    features = engine.features(encode(engine, scene, SPECTRAL))
    case = case_of(scene, features)
    rough = rough_spectrum(features.band_mean, features.band_std)
    both = [retrieval(vectors, case.labels, case.classes).precision[10].value for vectors in (rough, features.vectors)]
    assert abs(both[0] - both[1]) <= 0.02
    assert not np.array_equal(rough, features.vectors)
