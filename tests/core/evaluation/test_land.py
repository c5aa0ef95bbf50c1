"""How much land neighbours share: known answers; the figures of a real scene are in the tests of ``core.sample``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import SettingsError
from core.evaluation import land
from core.evaluation.land import known_land, land_retrieval, mostly
from core.evaluation.report.wording import land_section
from core.scenes.cut import Cut
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.truth import truth_of
from tests.scenes import add_scene


def grid_places(side: int) -> NDArray[np.int64]:
    """First pixels of side × side patches of 64 pixels."""
    rows, cols = np.mgrid[0:side, 0:side]
    return np.stack([rows.ravel(), cols.ravel()], axis=1) * 64


def mixed(count: int, classes: int = 4, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.5), count)


def reference(
    vectors: NDArray[np.float32],
    shares: NDArray[np.float64],
    places: NDArray[np.int64],
    k: int,
    asked: NDArray[np.bool_],
) -> dict[str, float]:
    """The definition in full matrices, as the published scorer writes it."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    touch = (np.abs(places[:, None] - places) <= 64).all(axis=2)
    likeness = np.where(touch, -9, unit @ unit.T)
    order = np.argsort(-likeness, axis=1)[:, :k]
    overlap = 1 - np.abs(shares[:, None] - shares).sum(-1) / 2
    dominant = shares.argmax(axis=1)
    return {
        "own": float(np.take_along_axis(overlap, order, 1).mean(1)[asked].mean()),
        "dominant": float((dominant[order] == dominant[:, None]).mean(1)[asked].mean()),
        "best": float(np.sort(np.where(touch, -1, overlap), 1)[:, -k:].mean(1)[asked].mean()),
        "chance": float((np.where(touch, 0, overlap).sum(1) / (~touch).sum(1))[asked].mean()),
    }


@pytest.mark.parametrize("k", [1, 7])
def test_figures_are_those_of_the_definition(k: int) -> None:
    places, shares = grid_places(9), mixed(81)
    vectors = np.random.default_rng(1).normal(size=(81, 6)).astype(np.float32)
    skip = mostly(shares, [0])
    assert 0 < skip.sum() < 81
    found = land_retrieval(vectors, shares, places, reach=64, k=k, skip=skip)
    wanted = reference(vectors, shares, places, k, ~skip)
    assert found.own.overlap.value == pytest.approx(wanted["own"], abs=1e-6)
    assert found.own.dominant.value == pytest.approx(wanted["dominant"], abs=1e-9)
    assert found.best.overlap.value == pytest.approx(wanted["best"], abs=1e-6)
    assert found.chance.overlap.value == pytest.approx(wanted["chance"], abs=1e-6)
    assert (found.asked, found.skipped, found.patches) == (81 - skip.sum(), skip.sum(), 81)


def test_features_that_are_the_land_find_the_best_there_is() -> None:
    places = grid_places(10)
    shares = np.eye(4)[np.random.default_rng(0).integers(0, 4, 100)]
    vectors = shares.astype(np.float32)
    noise = np.random.default_rng(2).normal(size=(100, 8)).astype(np.float32)
    found = land_retrieval(vectors, shares, places, reach=64, plain=noise)
    assert found.own == found.best
    assert found.own.overlap.value == 1
    assert found.verdict == "better than"
    turned = land_retrieval(noise, shares, places, reach=64, plain=vectors)
    assert turned.verdict == "worse than"
    assert turned.gain is not None
    assert found.gain is not None
    assert turned.gain.overlap.low == pytest.approx(-found.gain.overlap.high)


def test_the_same_features_are_not_told_apart_from_themselves() -> None:
    vectors = np.random.default_rng(3).normal(size=(100, 5)).astype(np.float32)
    found = land_retrieval(vectors, mixed(100), grid_places(10), reach=64, plain=3 * vectors)
    assert found.verdict == "not told apart from"
    assert found.gain is not None
    assert (found.gain.overlap.low, found.gain.overlap.high) == (0, 0)


def test_patches_of_one_block_are_one_case() -> None:
    """Where all patches of a block are alike, the interval is that of as many cases as there are blocks."""
    blocks = np.repeat(np.arange(60), 9)
    values = np.random.default_rng(0).normal(size=60)[blocks][:, None].repeat(2, axis=1)
    (score,) = land._scores([values], blocks, 0)
    wanted = 2 * 1.96 * values.std() / np.sqrt(60)
    assert score.overlap.high - score.overlap.low == pytest.approx(wanted, rel=0.1)
    (score,) = land._scores([values], np.arange(540), 0)
    assert score.overlap.high - score.overlap.low == pytest.approx(wanted / 3, rel=0.1)


@pytest.mark.parametrize(("side", "blocks", "block"), [(60, 64, 8), (30, 25, 7), (3, 9, 1)])
def test_blocks_are_large_where_there_is_land_enough(side: int, blocks: int, block: int) -> None:
    found, size = land._blocks(grid_places(side), 64)
    assert (found.max() + 1, size) == (blocks, block)


def test_little_land_has_no_interval_and_little_choice_is_no_error() -> None:
    places, shares = grid_places(3), mixed(9)
    vectors = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    found = land_retrieval(vectors, shares, places, reach=64)
    assert np.isnan(found.own.overlap.low)
    assert found.asked == 8  # All others touch the one in the middle.
    assert found.own.overlap.value == pytest.approx(found.chance.overlap.value)
    assert json.loads(json.dumps(found.to_dict()))["own"]["overlap"]["low"] is None
    section = land_section(found, "abcd", itself=True)
    assert any("too little land" in sentence for sentence in section.sentences)


def test_more_neighbours_than_there_are_is_told_as_what_was_found() -> None:
    places, shares = grid_places(4), mixed(16)
    vectors = np.random.default_rng(1).normal(size=(16, 6)).astype(np.float32)
    found = land_retrieval(vectors, shares, places, reach=64, k=500)
    assert found.k == 12, "a corner touches three of the fifteen others"
    assert found.own.overlap.value == pytest.approx(found.chance.overlap.value)


def test_what_cannot_be_measured_is_said() -> None:
    vectors, places = np.ones((9, 2), np.float32), grid_places(3)
    water = np.tile([1.0, 0.0], (9, 1))
    with pytest.raises(SettingsError, match="all land is of one class"):
        land_retrieval(vectors, water, places, reach=64)
    half = np.tile([0.5, 0.5], (9, 1))
    with pytest.raises(SettingsError, match="every patch is one that is not asked about"):
        land_retrieval(vectors, half, places, reach=64, skip=mostly(half, [1]))
    with pytest.raises(SettingsError, match="all patches touch"):
        land_retrieval(vectors[:4], half[:4], grid_places(2), reach=64)
    with pytest.raises(SettingsError, match="0 neighbours; choose 1 to 1000"):
        land_retrieval(vectors, half, places, reach=64, k=0)


def test_shares_are_of_what_is_known_and_too_little_is_nothing(tmp_path: Path) -> None:
    truth = np.zeros((128, 192), np.uint16)
    truth[:32, :64], truth[32:48, :64], truth[:31, 64:128], truth[64:, 64:128] = 1, 2, 1, 2
    scene = add_scene(Library(tmp_path), height=128, width=192, truth=truth, classes=("a", "b"))
    own = truth_of(scene)
    assert own is not None
    known = known_land(own, patch_grid(scene, Cut.of(64)), np.arange(6))
    assert known.rows.tolist() == [0, 4]
    assert known.shares.tolist() == [[2 / 3, 1 / 3], [0, 1]]
    assert known.unknown == 4


def test_the_sentence_says_what_the_figures_say() -> None:
    vectors = np.random.default_rng(3).normal(size=(100, 5)).astype(np.float32)
    shares = np.eye(3)[np.random.default_rng(0).integers(0, 3, 100)]
    found = land_retrieval(vectors, shares, grid_places(10), reach=64, plain=shares.astype(np.float32))
    section = land_section(found, ("Sea", "Salt marsh", "Dune"), itself=False, unknown=2, source="map.tif", covered=0.5)
    own = found.own.overlap
    assert section.sentences[0].startswith(
        f"Of 100 parts of its land a patch shares {100 * own.value:.0f} ({100 * own.low:.0f}–{100 * own.high:.0f}) "
        "with its neighbours: worse than the plain spectrum (100); the best possible is 100, chance "
    )
    assert "2 patches are left out: the map knows less than half of the patch." in section.sentences
    assert "The classes are those of “map.tif”, for 50 % of the scene." in section.sentences
    assert [row[0] for row in section.sheets[0].rows] == ["Sea", "Salt marsh", "Dune"]
