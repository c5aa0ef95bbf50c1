"""A number a patch: what its intervals hold on land that taught nothing, and what is said of that."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.classification.numbers.known_land import unfamiliar_land, unlike_examples
from core.classification.numbers.regression import ValueModel, block_width, teach_values
from core.classification.numbers.store import LearnedNumber, LearnedNumbers
from core.errors import ClassificationError
from core.features.recipe import Recipe
from core.scenes.cut import Cut


def land(seed: int, blocks: int, patches: int = 60, alike: float = 0.0) -> tuple[ValueModel, float]:
    """Return a model of patches in some blocks, alike in them so far, and the share of others in their intervals."""
    random = np.random.default_rng(seed)
    block = np.concatenate([np.arange(patches) % blocks, blocks + np.arange(200) % 20])
    middles = random.normal(size=(blocks + 20, 32))
    vectors = (1 + (1 - alike) * random.normal(size=(len(block), 32)) + alike * middles[block]).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    errors = alike * random.normal(size=blocks + 20)[block] + 0.5 * random.normal(size=len(block))
    wanted = 3 * unit @ random.normal(size=32) + errors
    model = teach_values(vectors, np.arange(len(block)), dict(enumerate(wanted[:patches].tolist())), blocks=block)
    low, high = model.interval(vectors[patches:]).T
    return model, float(np.mean((wanted[patches:] >= low) & (wanted[patches:] <= high)))


def test_the_share_that_intervals_are_said_to_hold_is_that_on_other_land() -> None:
    found = [land(seed, 15) for seed in range(12)]
    said, held = np.mean([[model.covered.value, inside] for model, inside in found], axis=0)
    assert said == pytest.approx(held, abs=0.05)
    own = [np.mean(np.abs(one.actual - one.held_out) <= one.half_width) for one, _ in found]
    assert min(own) >= 0.9, "of the errors that make the width nine in ten lie inside, whatever the land is like"
    assert min(one.covered.value for one, _ in found) < 1


@pytest.mark.parametrize(("blocks", "alike"), [(9, 0.0), (9, 0.9), (12, 0.5), (25, 0.9)])
def test_intervals_hold_on_blocks_of_land_of_which_nothing_was_seen(blocks: int, alike: float) -> None:
    """The truth is known: errors have a part that all patches of a block share, as large as ``alike``."""
    found = [land(seed, blocks, alike=alike) for seed in range(12)]
    assert np.mean([inside for _, inside in found]) >= 0.85
    assert np.isfinite([model.half_width for model, _ in found]).all()


def test_each_block_weighs_alike_in_the_width_whatever_patches_it_has() -> None:
    errors = np.concatenate([np.full(1000, 0.1), np.arange(1, 20)])
    blocks = np.concatenate([np.zeros(1000, np.int64), np.arange(1, 20)])
    assert block_width(errors, blocks, 0.9) == 18, "of 20 blocks the 19th, as ⌈0.9 · 21⌉ has it"
    assert block_width(np.arange(1.0, 10), np.arange(9), 0.9) == 9
    assert np.isnan(block_width(np.arange(1.0, 9), np.arange(8), 0.9)), "no error of eight blocks is large enough"


@pytest.mark.parametrize(("blocks", "words"), [(8, "8 blocks"), (1, "one block")])
def test_numbers_of_few_blocks_give_no_interval_and_say_why(blocks: int, words: str) -> None:
    model, _ = land(0, blocks)
    assert np.isnan(model.interval(np.ones((2, 32), np.float32))).all()
    assert model.no_interval.startswith(f"No interval: the numbers lie in {words} of land")
    assert model.no_interval.endswith("9 or more")
    assert model.covered.count == 0
    assert np.isfinite(model.r_squared)
    assert land(0, 9)[0].no_interval == ""


def test_land_unlike_all_examples_is_told_from_land_like_them() -> None:
    random = np.random.default_rng(5)
    middles = np.array([[6.0, 0, 0, 0, 2, 0], [0, 6, 0, 0, 2, 0], [0, 0, 0, 6, -2, 1]])
    kind = np.repeat([0, 1, 2], [150, 150, 60])
    vectors = (middles[kind] + 0.4 * random.normal(size=(360, 6))).astype(np.float32)
    ids = np.arange(360)
    taught = {int(one): float(vectors[one, 0] + vectors[one, 4]) for one in ids[kind < 2][::2]}
    model = teach_values(vectors, ids, taught, blocks=ids % 12)
    found = unlike_examples(model, ids, vectors)
    assert found[kind == 2].mean() > 0.95
    assert found[kind < 2].mean() < 0.1
    assert not found[np.isin(ids, list(taught))].any()
    novelty = np.where(ids % 90 == 1, 99.5, 50).astype(np.float32)
    said = unfamiliar_land(model, ids, vectors, novelty)
    assert set(said[novelty > 99].tolist()) == {"encoder"}
    assert set(said[kind == 2].tolist()) <= {"examples", "both", None}
    assert (unfamiliar_land(model, ids, vectors, None) == "encoder").sum() == 0


def test_two_blocks_of_land_are_enough_to_hold_one_out() -> None:
    (model, _), (apart, _) = land(0, 3, alike=0.9), land(0, 1, alike=0.9)
    assert model.spatial
    assert not apart.spatial
    assert len(np.unique(model.blocks)) == 3
    assert model.covered.high - model.covered.low > 0.2, "three blocks say little, however many patches they have"


def test_fewer_numbers_than_a_share_needs_are_refused() -> None:
    vectors = np.random.default_rng(0).normal(size=(98, 4)).astype(np.float32)
    with pytest.raises(ClassificationError, match="98 patches of the scene have a number; give at least 99"):
        teach_values(vectors, np.arange(98), dict(enumerate(vectors[:, 0].tolist())), coverage=0.99)


def test_a_number_of_a_former_version_says_so_and_gets_wider_intervals(tmp_path: Path) -> None:
    model, _ = land(2, 12, alike=0.9)
    recipe, kept = Recipe(scene_id="s", cut=Cut.of(16), encoder="e", fingerprint="f"), LearnedNumbers(tmp_path)
    kept.put(recipe, LearnedNumber(title="yield", source="V.csv", model=replace(model, half_width=1.0)))
    found = kept.get(recipe)
    assert found is not None
    assert (found.model.held_apart, found.model.half_width) == (True, 1.0)
    [path] = (tmp_path / "numbers" / "s").iterdir()
    with np.load(path) as data:
        parts = dict(data)
    about = json.loads(parts["about"].item())
    del about["held_apart"]
    with path.open("wb") as file:
        np.savez_compressed(file, **parts | {"about": np.bytes_(json.dumps(about))})
    before = kept.get(recipe)
    assert before is not None
    assert not before.model.held_apart
    assert before.model.half_width == model.half_width, "as its blocks have it"


def test_a_number_kept_before_blocks_were_opens_and_claims_no_share(tmp_path: Path) -> None:
    model, _ = land(1, 12)
    recipe = Recipe(scene_id="s", cut=Cut.of(16), encoder="e", fingerprint="f")
    kept = LearnedNumbers(tmp_path)
    for one, blocks in ((model, model.blocks), (replace(model, blocks=None), None)):
        kept.put(recipe, LearnedNumber(title="yield", source="V.csv", model=one))
        found = kept.get(recipe)
        assert found is not None
        assert (found.model.blocks is None) == (blocks is None)
        assert found.model.covered.count == (0 if blocks is None else 60)
        assert found.model.half_width == model.half_width
