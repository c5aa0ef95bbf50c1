"""A file of features says where its patches begin, moved ones too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.encoders.base import EncoderSpec
from core.evaluation.report.file import _case
from core.export.geoparquet import read_geoparquet, write_geoparquet
from core.features.recipe import Features, Recipe
from core.scenes.cut import Cut
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from tests.fakes import PlaceEncoder
from tests.scenes import add_scene

SPEC: EncoderSpec = PlaceEncoder().spec


@pytest.mark.parametrize(
    "cut", [Cut.of(64), Cut.of(64, 40), Cut.of(60, 44, edge="cover"), Cut.of(50, edge="cover", least_valid=0.2)]
)
def test_patches_of_a_file_begin_where_they_were_cut(tmp_path: Path, cut: Cut) -> None:
    scene = add_scene(Library(tmp_path))
    grid = patch_grid(scene, cut)
    ids = np.arange(grid.count)
    features = Features(
        recipe=Recipe(scene_id=scene.id, encoder="place", fingerprint=SPEC.fingerprint, cut=cut),
        patch_ids=ids,
        vectors=np.random.default_rng(0).random((grid.count, 5), np.float32),
        valid_fraction=np.ones(grid.count, np.float32),
        band_mean=np.zeros((grid.count, 13), np.float32),
        band_std=np.zeros((grid.count, 13), np.float32),
    )
    path = tmp_path / "f.parquet"
    write_geoparquet(path, scene, grid, features, SPEC)
    case = _case(path, read_geoparquet(path), None)
    assert case.places is not None
    np.testing.assert_array_equal(case.places, grid.first_pixels(ids))
    assert case.reach == cut.size
    touching = np.abs(case.places - case.places[0]).max(axis=1) <= case.reach
    assert np.flatnonzero(touching).tolist() == grid.touching(0).tolist()
