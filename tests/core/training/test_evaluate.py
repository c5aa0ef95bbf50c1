"""Measuring a finished encoder for its card: held-out patches, sets kept apart, and what is new to it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.config import settings
from core.encoders.registry import ENTRIES, SHIPPED, load_encoder
from core.evaluation.retrieval import retrieval
from core.training.dataset import Split
from core.training.evaluate import features, measure, measured_sentences
from tests.finetuning import some

MODEL = Path(ENTRIES[SHIPPED].reference)


def test_card_and_novelty_of_a_finished_encoder() -> None:
    split = Split(train=some(40, side=64), random=some(34, side=64, seed=700), spatial=None)
    test_set = some(4, side=64, seed=900, bands=("B02", "B03", "B04", "B08"))
    twice = test_set.take(np.tile(np.arange(12), 2))  # A copy would be its own nearest neighbour.
    found = measure(MODEL, split, [twice], columns=range(128), config=settings())
    json.dumps(found.card)
    nearest = found.card["held_out"]["encoder"]["nearest"]
    assert nearest["patches"] == 102
    assert 0.9 < nearest["accuracy"] <= 1
    assert nearest["low"] < nearest["accuracy"] <= nearest["high"]
    assert "name 100 in 100" in found.card["measured"][0] or nearest["accuracy"] < 0.995
    (one,) = found.card["apart"]
    encoder = load_encoder(str(MODEL), settings())
    by_hand = retrieval(features(encoder, test_set), test_set.labels, test_set.classes)
    assert one["bands"] == ["B02", "B03", "B04", "B08"]
    assert one["encoder"]["10"]["accuracy"] == by_hand.precision[10].value
    assert "Of 12 patches in 4 bands that were kept apart from what it learned from" in found.card["measured"][1]
    assert found.novelty is not None
    assert found.novelty.bank.shape == (120, 128)
    noise = np.random.default_rng(0).normal(size=(5, 160)).astype(np.float32)
    assert (found.novelty.percentile(noise) == 100).all()
    assert np.median(found.novelty.percentile(features(encoder, split.random))) < 60


def test_a_model_that_is_no_better_than_its_base_says_so() -> None:
    split = Split(train=some(6, side=64), random=some(2, side=64, seed=700), spatial=None)
    card = measure(MODEL, split, [], columns=None, config=settings(), base=("Landlike 1", MODEL)).card
    before, after = (card["held_out"][name]["nearest"]["accuracy"] for name in ("base", "encoder"))
    assert before == after
    assert f"By Landlike 1, which it goes on from, it would be {100 * before:.0f}: " in card["measured"][1]
    assert "made nothing better" in card["measured"][1]
    worse = {"patches": 9, "accuracy": 0.5, "low": 0.2, "high": 0.8}
    better = {
        "base": {"nearest": worse},
        "encoder": {"nearest": {**worse, "accuracy": 0.9}},
        "spectrum": {"nearest": worse},
    }
    assert measured_sentences({"held_out": better, "apart": []}, "Old one")[1].endswith("goes on from, it would be 50.")


def test_few_patches_give_no_reference_for_novelty() -> None:
    split = Split(train=some(6, side=64), random=some(2, side=64, seed=700), spatial=None)
    found = measure(MODEL, split, [], columns=None, config=settings())
    assert found.novelty is None
    assert found.card["apart"] == []


def test_missing_bands_are_filled_as_in_scenes() -> None:
    three = some(2, side=64)
    encoder = load_encoder("spectral", settings())
    full = np.zeros((6, 64, 64, 13), np.uint16)
    for place, name in enumerate(encoder.spec.bands):
        source = {"B01": "B02", "B02": "B02", "B03": "B03", "B10": None}.get(name, "B04")
        if source is not None:
            full[..., place] = three.pixels[..., three.bands.index(source)]
    whole = replace(three, pixels=full, bands=encoder.spec.bands)
    assert np.allclose(features(encoder, three), features(encoder, whole), atol=1e-6)
