"""Scenes cut into parts: each patch in one, and each part gives what the whole gives."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from core.errors import EncoderError
from core.features.encode import encode_scene
from core.features.parts import EncodedPart, encode_part, scene_parts
from core.features.recipe import join_batches
from core.features.store import FeatureStore
from core.scenes.patches import patch_grid
from tests.fakes import PlaceEncoder, place_scene, recipe_of

EMPTY = (slice(0, 40), slice(64, 128))
"""Pixels without data: some patches have none at all."""


@pytest.mark.parametrize("most", [1, 7, 30, 1000])
def test_every_patch_is_in_one_part_less_what_is_done(tmp_path: Path, most: int) -> None:
    scene = place_scene(tmp_path)
    recipe, done = recipe_of(scene, PlaceEncoder(), stride=8), frozenset({0, 5, 200})
    parts = list(scene_parts(scene, recipe, PlaceEncoder, done, most))
    ids = np.concatenate([part.ids for part in parts])
    assert sorted([*ids.tolist(), *done]) == list(range(patch_grid(scene, recipe.cut).count))
    assert max(len(part.ids) for part in parts) <= most
    assert all(len(part.ids) for part in parts)


def test_parts_in_any_order_give_what_the_scene_gives_at_once(tmp_path: Path) -> None:
    scene = place_scene(tmp_path, empty=EMPTY)
    recipe, store = recipe_of(scene, PlaceEncoder(), stride=16), FeatureStore(tmp_path)
    encode_scene(scene, PlaceEncoder(), recipe, store)
    whole = store.read(recipe)
    parts: list[EncodedPart] = [encode_part(part) for part in scene_parts(scene, recipe, PlaceEncoder, frozenset(), 9)]
    batch = join_batches([part.batch for part in parts[::-1] if part.batch is not None])
    order = np.argsort(batch.ids)
    assert np.array_equal(batch.ids[order], whole.patch_ids)
    for name in ("vectors", "valid_fraction", "band_mean", "band_std"):
        assert getattr(batch, name)[order].tobytes() == getattr(whole, name).tobytes(), name
    skipped = np.concatenate([part.skipped for part in parts])
    assert sorted(skipped.tolist()) == store.runs.skipped(recipe).tolist() != []


def test_a_part_is_not_encoded_by_another_encoder(tmp_path: Path) -> None:
    scene = place_scene(tmp_path)
    other = partial(PlaceEncoder, name="other")
    (part,) = scene_parts(scene, recipe_of(scene, PlaceEncoder()), other, frozenset(), 1000)
    with pytest.raises(EncoderError, match="have changed since it was chosen"):
        encode_part(part)
