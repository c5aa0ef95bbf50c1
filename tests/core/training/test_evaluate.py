"""Measuring a finished encoder for its card: held-out patches, sets kept apart, and what is new to it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.config import settings
from core.encoders.registry import ENTRIES, SHIPPED, load_encoder
from core.evaluation.classifier import fit_classifier
from core.evaluation.retrieval import retrieval
from core.training.evaluate import _Judged, _verdict, familiar_land, features, measure, measured_sentences
from core.training.split import Split
from tests.finetuning import some

MODEL = Path(ENTRIES[SHIPPED].reference)


def test_card_and_novelty_of_a_finished_encoder() -> None:
    split = Split(train=some(40, side=64), random=some(34, side=64, seed=700), spatial=None)
    test_set = some(4, side=64, seed=900, bands=("B02", "B03", "B04", "B08"))
    twice = test_set.take(np.tile(np.arange(12), 2))  # A copy would be its own nearest neighbour.
    found = measure(MODEL, split, [twice], config=settings())
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
    assert found.novelty.bands == ("B02", "B03", "B04")
    assert found.novelty.statistics.shape == (222, 6)


def test_the_richest_set_and_the_land_of_the_base_are_known() -> None:
    few = ("B02", "B03", "B04")
    split = Split(train=some(20, side=16), random=some(20, side=16, seed=700), spatial=None)
    richer = some(40, side=16, seed=900, bands=(*few, "B08"))
    own = familiar_land(split, [], None)
    assert own is not None
    assert (own.bands, len(own.statistics)) == (few, 120)
    apart = familiar_land(split, [richer], None)
    assert apart is not None
    assert (apart.bands, len(apart.statistics)) == ((*few, "B08"), 120)
    beside = familiar_land(split, [], MODEL)
    assert beside is not None
    assert (beside.bands, len(beside.statistics)) == (few, 120 + 296)
    assert familiar_land(split, [], MODEL / "none") is not None


def test_a_model_that_is_no_better_than_its_base_says_so() -> None:
    split = Split(train=some(6, side=64), random=some(2, side=64, seed=700), spatial=None)
    card = measure(MODEL, split, [], config=settings(), rival=("Landlike 1", MODEL)).card
    before, after = (card["held_out"][name]["nearest"]["accuracy"] for name in ("base", "encoder"))
    assert before == after
    assert card["verdict"] == {"against": "Landlike 1", "worth": False, "worse": False, "patches": 6}
    assert f"By Landlike 1, which it goes on from, it would be {100 * before:.0f}. A head" in card["measured"][1]
    assert card["measured"][1].endswith("6 patches cannot tell them apart. A head would do.")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (40, 60, "the training was worth it."),
        (60, 40, "the training made it worse. Make a head instead."),
        (58, 60, "100 patches cannot tell them apart. A head would do."),
    ],
)
def test_a_verdict_counts_what_one_names_rightly_and_the_other_does_not(before: int, after: int, says: str) -> None:
    def named(count: int) -> _Judged:
        right = np.arange(100) < count
        blank = np.zeros((100, 2), np.float32)
        labels = np.arange(100) % 2
        fitted = fit_classifier(np.eye(2, dtype=np.float32)[labels], labels, ["Forest", "River"])
        return _Judged(known=blank, asked=blank, named=right, nearest=np.ones(100, bool), classifier=fitted)

    held_out = {"base": named(before).to_json(), "encoder": named(after).to_json(), "spectrum": named(9).to_json()}
    card = {"held_out": held_out, "apart": [], "verdict": _verdict(named(after), named(before))}
    assert measured_sentences(card, "Old one")[1].endswith(says)


def test_few_patches_give_no_reference_for_novelty() -> None:
    split = Split(train=some(6, side=64), random=some(2, side=64, seed=700), spatial=None)
    found = measure(MODEL, split, [], config=settings())
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
