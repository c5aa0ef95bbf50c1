"""Scores of all patches: order, thresholds, histograms, counts and hectares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import SettingsError
from core.scenes.areas import patch_areas
from core.scenes.cut import Cut
from core.scenes.patches import patch_grid
from core.search.ranking import COSINE, MATCH, Ranking
from tests.fakes import place_scene

SCORES = np.array([0.5, np.nan, 0.9, 0.5, -0.2, 0.90000001], np.float32)


def ranking(score: np.ndarray = SCORES) -> Ranking:
    return Ranking(scene="s", patch_ids=np.arange(len(score))[::-1], score=score, measure=COSINE, sentence="A test")


def test_the_best_come_first_and_unknown_ones_not_at_all() -> None:
    found = ranking()
    assert found.order.tolist() == [5, 2, 3, 0, 4, 1], "equal to six decimals: by id"
    best = found.best()
    assert best.ids.tolist() == [0, 3, 2, 5, 1]
    np.testing.assert_array_equal(best.similarity, SCORES[[5, 2, 3, 0, 4]])
    assert found.best(2).ids.tolist() == [0, 3]
    assert found.best(least=0.5).ids.tolist() == [0, 3, 2, 5], "the threshold itself counts"
    assert found.best(seen=[0, 2]).ids.tolist() == [3, 5, 1]
    assert found.best(mask=np.arange(6) < 3).ids.tolist() == [3, 5]
    with pytest.raises(SettingsError, match="ask for at least 1"):
        found.best(0)


def test_a_histogram_counts_every_known_score_once() -> None:
    found = ranking()
    bars = found.histogram(10)
    assert bars.counts.sum() == 5
    assert (bars.edges[0], bars.edges[-1]) == (pytest.approx(-0.2), pytest.approx(0.9))
    assert bars.counts[-1] == 2
    some = found.histogram(10, mask=SCORES > 0.8)
    np.testing.assert_array_equal(some.edges, bars.edges)
    assert some.counts.sum() == 2
    assert ranking(np.full(3, 0.5, np.float32)).histogram(4).counts.sum() == 3, "all alike"
    assert ranking(np.full(3, np.nan, np.float32)).histogram(4).counts.sum() == 0


def test_what_lies_above_counts_shared_ground_once(tmp_path: Path) -> None:
    scene = place_scene(tmp_path)
    grid = patch_grid(scene, Cut.of(64, 32))
    areas = patch_areas(scene, grid)
    score = np.zeros(grid.count, np.float32)
    score[[0, 1]] = 0.8
    found = Ranking(scene="s", patch_ids=np.arange(grid.count), score=score, measure=COSINE, sentence="A test")
    above = found.above(0.8, areas)
    assert above.count == 2
    assert above.hectares == pytest.approx(64 * 96 / 100, rel=2e-3), "two patches, half of one lies in the other"
    assert found.above(0.8, areas, mask=np.arange(grid.count) == 1).hectares == pytest.approx(40.96, rel=2e-3)
    assert found.above(0.9, areas).hectares == 0
    assert found.above(0.8).hectares is None


def test_equal_scores_are_ordered_by_what_breaks_the_tie() -> None:
    ranking = Ranking(
        scene="s-1", patch_ids=np.arange(4), score=np.array([0.7, 0.7, 0.9, 0.7], np.float32), measure=MATCH,
        sentence="lake", tie=np.array([0.1, 0.3, 0.0, 0.1], np.float32),
    )  # fmt: skip
    assert ranking.order.tolist() == [2, 1, 0, 3]
