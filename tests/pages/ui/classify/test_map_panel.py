"""What is said of the map under its settings: how much land has a class, of patches and of finer cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.classification.cells import ChanceCells, cells_place
from core.classification.maps.choice import MapChoice
from core.encoders.registry import SPECTRAL
from core.engine.operations import Engine
from core.scenes.areas import patch_areas
from core.scenes.cut import Cut
from core.scenes.outline_areas import HECTARE
from core.scenes.patches import patch_grid
from pages.ui.classify.map_panel import cells_unsure
from pages.ui.common.format import ground_words
from pages.ui.state import cache
from tests.pages.conftest import banded, encode, small_scene


def test_finer_cells_are_as_much_land_as_they_cover(engine: Engine) -> None:
    pixels, _ = banded()
    wider = np.concatenate([pixels, pixels[:, :, :40]], axis=2)
    scene = small_scene(engine, truth=False, pixels=wider, width=wider.shape[2])
    recipe = encode(engine, scene, SPECTRAL, Cut.of(64, edge="cover"))
    known = replace(cache.scene_view(recipe, scene), choice=MapChoice(parts=2, below=0.6))
    grid = patch_grid(scene, Cut.of(64, 32, edge="cover"))
    place = cells_place(scene.grid, grid)
    chances = np.tile(np.float32([0.9, 0.1]), (place.height, place.width, 1))
    chances[:, -1] = 0.5  # The last column of cells, of which patches reach 8 of 32 pixels.
    said = cells_unsure(known, ChanceCells(chances=chances, novel=np.zeros(chances.shape[:2], np.float32), place=place))
    areas = patch_areas(scene, grid)
    assert areas is not None
    whole = areas.together(np.arange(grid.count)) / HECTARE
    left = 8 / wider.shape[2]
    unsure = f"{100 * left:.0f} % of the land ({ground_words(whole * left)})"
    assert said.endswith(f"{unsure} is left unsure.")


def test_finer_cells_beyond_the_last_patches_have_the_land_of_their_data(engine: Engine) -> None:
    pixels, _ = banded()
    wider = np.concatenate([pixels, pixels[:, :, :40]], axis=2)
    last = pixels.shape[2]
    wider[:, :, last + 2 :] = 0
    scene = small_scene(engine, truth=False, pixels=wider, width=wider.shape[2])
    recipe = encode(engine, scene, SPECTRAL, Cut.of(64))
    known = replace(cache.scene_view(recipe, scene), choice=MapChoice(parts=2, below=0.6))
    assert (known.valid_fraction() == 1).all(), "patches that do not overlap end before the hole"
    place = cells_place(scene.grid, patch_grid(scene, Cut.of(64, 32)))
    assert place.width * 32 == last + 32
    chances = np.tile(np.float32([0.9, 0.1]), (place.height, place.width, 1))
    chances[:, -1] = 0.5
    said = cells_unsure(known, ChanceCells(chances=chances, novel=np.zeros(chances.shape[:2], np.float32), place=place))
    areas = patch_areas(scene, patch_grid(scene, Cut.of(64)))
    assert areas is not None
    ground = areas.together(np.arange(known.grid.count)) / HECTARE * 2 / last
    assert f"({ground_words(ground)}) is left unsure." in said
