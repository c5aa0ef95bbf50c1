"""Counts and hectares of the slider, held to those of the ranking and of the patches themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.scenes.areas import patch_areas
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.search.ranking import COSINE, Ranking
from pages.ui.search.threshold import STEPS, spread
from tests.mapped import add_mapped


def test_each_position_of_the_slider_counts_what_is_shown_from_there_on(tmp_path: Path) -> None:
    scene = add_mapped(Library(tmp_path), shape=(256, 320))
    grid = patch_grid(scene)
    score = np.round(np.random.default_rng(1).uniform(-0.2, 0.9, grid.count), 2).astype(np.float32)
    score[3] = np.nan
    ranking = Ranking(scene=scene.id, patch_ids=np.arange(grid.count), score=score, measure=COSINE, sentence="")
    areas = patch_areas(scene, grid)
    drawn = spread(ranking, areas)
    assert areas is not None
    for step in range(0, STEPS + 1, 7):
        least = drawn["low"] + (drawn["high"] - drawn["low"]) * step / STEPS
        there = ranking.best(least=round(least, 6)).ids
        assert drawn["above"][step] == len(there)
        assert abs(drawn["hectares"][step] - areas.together(there) / 1e4) < 0.02
    assert (drawn["above"][0], drawn["above"][STEPS]) == (grid.count - 1, int((score == np.nanmax(score)).sum()))
    assert sum(drawn["counts"]) == grid.count - 1


def test_where_the_place_is_unknown_hectares_are_left_out() -> None:
    ranking = Ranking(
        scene="s", patch_ids=np.arange(3), score=np.array([0.1, 0.2, 0.3], np.float32), measure=COSINE, sentence=""
    )
    assert spread(ranking, None)["hectares"] is None


def test_what_filters_leave_out_and_bad_examples_do_not_count() -> None:
    score = np.linspace(0, 1, 40).astype(np.float32)
    ranking = Ranking(
        scene="s", patch_ids=np.arange(100, 140), score=score, measure=COSINE, sentence="", examples=np.array([3, 39]),
        bad=np.array([39]),
    )  # fmt: skip
    mask = np.arange(40) % 3 == 0
    drawn = spread(ranking, None, mask)
    for step in range(0, STEPS + 1, 9):
        least = drawn["low"] + (drawn["high"] - drawn["low"]) * step / STEPS
        assert drawn["above"][step] == len(ranking.best(least=round(least, 6), mask=mask, seen=[139]).ids)
    assert sum(drawn["counts"]) == drawn["above"][0] == 13
    assert (drawn["low"], drawn["high"]) == (0.0, 1.0), "the slider stays where it is"
