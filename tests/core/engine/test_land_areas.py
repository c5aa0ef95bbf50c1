"""Areas of a map's classes by the truth of its scene, held to a count of the ground under each patch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.config import Config
from core.encoders.spectral import SPECTRAL
from core.engine.land_areas import areas_of_scene, classified_patches
from core.engine.library_source import library_source
from core.engine.operations import Engine
from core.scenes.cut import Cut
from core.scenes.labels import give_label
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from tests.scenes import add_scene

CUT, SIDE, ROWS, COLS = Cut.of(32), 32, 3, 4
HECTARES = (SIDE * 10) ** 2 / 10_000
GROUND = np.array([[1, 1, 2, 2], [1, 2, 2, 3], [1, 1, 0, 2]], np.uint16)
"""Number of the class under each patch; 0 = not known."""
CLASSES = ("Forest", "River", "Lake")


def test_the_truth_tells_accuracy_and_areas_of_the_map_whatever_the_case_of_names(tmp_path: Path) -> None:
    engine = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    levels = np.random.default_rng(1).integers(300, 4000, (13, ROWS, COLS))
    pixels = levels.repeat(SIDE, axis=1).repeat(SIDE, axis=2).astype(np.uint16)
    truth = GROUND.repeat(SIDE, axis=0).repeat(SIDE, axis=1)
    scene = add_scene(
        Library(tmp_path), height=ROWS * SIDE, width=COLS * SIDE, pixels=pixels, truth=truth, classes=CLASSES
    )
    for name, patches in (("forest", [0, 1, 4]), ("River", [2, 5])):
        give_label(scene, patch_grid(scene, CUT), patches, name)
    recipe = engine.recipe(scene, SPECTRAL, cut=CUT)
    found = areas_of_scene(engine, recipe)
    mapped = classified_patches(library_source(engine, recipe))
    assert mapped is not None
    assert found.true is not None
    ours = {"Forest": "forest"}
    under = [ours.get(name, name) for name in ("", *CLASSES)]
    on_ground = np.array([under[number] for number in GROUND.ravel().tolist()])[mapped.ids]
    known = on_ground != ""
    assert found.true.not_judged == 1
    assert {"forest", "River", "Lake"} <= found.true.areas.keys()
    for name in ("forest", "River", "Lake"):
        there, said = known & (on_ground == name), known & (mapped.classes == name)
        assert found.true.areas[name].value == pytest.approx(HECTARES * there.sum(), rel=2e-3)
        users = found.true.users.get(name)
        assert (users is None) == (not said.any())
        assert users is None or users.value == pytest.approx(float(there[said].mean()), rel=2e-3)
