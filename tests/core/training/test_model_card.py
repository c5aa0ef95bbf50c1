"""The card of a model that goes on from another: what it inherits, and what its figures are worth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.encoders.files import CARD, LEARNED
from core.evaluation.band_statistics import statistics_of_pixels
from core.evaluation.training_overlap import TrainingBlock, TrainingPatches
from core.training.base_model import FROM_SCRATCH, Base
from core.training.dataset import resize
from core.training.model_card import all_learned, every_limit, learned_before, seen_before
from core.training.split import Split
from tests.finetuning import some


def base_of(folder: Path, **card: object) -> Base:
    """A base that has learned from 9 patches."""
    (folder / CARD).write_text(json.dumps({"title": "Old one", **card}))
    learned = TrainingPatches(
        blocks=(TrainingBlock(bands=some(3).bands, statistics=statistics_of_pixels(some(3).pixels)),)
    )
    (folder / LEARNED).write_bytes(learned.to_bytes())
    return replace(FROM_SCRATCH, name="old", directory=folder)


def test_figures_of_patches_that_the_base_had_learned_from_are_said_to_be_too_good(tmp_path: Path) -> None:
    base, known, fresh = base_of(tmp_path), some(3), some(3, seed=500)
    parts = Split(train=fresh, random=known, spatial=fresh)
    before = learned_before(base)
    assert before is not None
    said = list(seen_before(before, parts, [known.take(np.arange(2)), fresh], "Old one"))
    assert said == [
        f"Old one, which it goes on from, had learned from {part}: figures of these are too good."
        for part in ("9 of the 9 patches held out at random", "2 of the 2 patches kept apart")
    ]
    assert list(seen_before(None, parts, [known], "Old one")) == []
    assert list(seen_before(before, replace(parts, random=fresh), [], "Old one")) == []


def test_what_the_base_learned_from_is_learned_from(tmp_path: Path) -> None:
    known, fresh, other = some(3), some(3, seed=500), some(3, seed=900)
    both = all_learned(learned_before(base_of(tmp_path)), fresh)
    for part, expected in ((known, True), (fresh, True), (other, False)):
        assert (both.holds_statistics(part.bands, part.band_statistics()) == expected).all()
    assert learned_before(FROM_SCRATCH) is None
    assert len(all_learned(None, fresh).blocks) == 1


def test_patches_brought_to_another_size_keep_the_light_of_their_scene() -> None:
    whole = some(2)
    larger = resize(whole, 48)
    assert larger.pixels.shape[1] == 48
    np.testing.assert_array_equal(larger.band_statistics(), whole.band_statistics())
    np.testing.assert_array_equal(larger.take(np.array([4, 1])).band_statistics(), whole.band_statistics()[[4, 1]])
    assert np.abs(statistics_of_pixels(larger.pixels) - whole.band_statistics()).max() > 1e-5


def test_limits_of_the_base_stay_limits(tmp_path: Path) -> None:
    base = base_of(tmp_path, limits=["Land outside Europe.", "Snow.", 3])
    found = every_limit(["Snow."], some(3), base)
    assert found[:3] == ["Snow.", "As of Old one: Land outside Europe.", "As of Old one: 3"]
    (tmp_path / "next").mkdir()
    third = base_of(tmp_path / "next", limits=found)
    assert "As of Old one: Land outside Europe." in every_limit([], some(3), third), "said once of whom it is"
    assert any(limit.startswith("Texture in bands other than B02") for limit in found)
    assert not any("Europe" in limit for limit in every_limit([], some(3), FROM_SCRATCH))
    assert every_limit([], some(3), base_of(tmp_path, limits="odd")) == every_limit([], some(3), FROM_SCRATCH)
