"""How long a search of a full scene takes after one more example, and how long filters and thresholds take on it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.features.table import PatchTable
from core.scenes.areas import patch_areas
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.patches import PatchRef, centres_lonlat, patch_grid
from core.scenes.regions.map_region import polygon_region
from core.scenes.scene import Scene
from core.search.by_examples import rank
from core.search.conditions import SCORE, AreaCondition, ClassCondition, FilterSource, RangeCondition
from core.search.examples import Evidence
from core.search.filters import Filters
from core.search.ranking import COSINE, Ranking
from core.search.space import SearchSpace
from core.search.words import search_words
from core.similarity.clusters import ClusterSet, ClusterSettings
from core.similarity.neighbours import unit_rows
from core.values.base import Asked
from core.values.source import PatchSource

pytestmark = pytest.mark.bench
SIDE = 171
COUNT = SIDE**2
RANKED_WITHIN, FILTERED_WITHIN = 0.4, 0.1
"""Seconds after which a person waits."""


def scene(side: int) -> Scene:
    grid = GeoBox(crs="EPSG:32632", transform=(10.0, 0, 500_000, 0, -10.0, 5_000_000), height=side, width=side)
    return Scene(id="s", name="s", bands=BAND_NAMES, grid=grid, date="2024-06-21")


class Known(PatchSource):
    """A full scene of which clusters, novelty and valid shares are known."""

    def clusters(self) -> ClusterSet:
        names = tuple(f"Land {number}" for number in range(8))
        index = (np.arange(len(self.table)) % 8).astype(np.int16)
        parts = tuple((number,) for number in range(8))
        return ClusterSet(settings=ClusterSettings(), index=index, names=names, parts=parts)

    def novelty(self) -> np.ndarray:
        return np.linspace(0, 100, len(self.table), dtype=np.float32)

    def valid_fraction(self) -> np.ndarray:
        return np.ones(len(self.table), np.float32)


def vectors(width: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    kinds = rng.standard_normal((12, width), dtype=np.float32)
    return unit_rows(kinds[np.arange(COUNT) % 12] + rng.standard_normal((COUNT, width), dtype=np.float32))


def slowest(act: Callable[[int], object], turns: int = 15) -> tuple[float, float]:
    """Return the median and the largest of the seconds that some turns take, after one that does not count."""
    taken = []
    for turn in range(turns + 1):
        began = time.perf_counter()
        act(turn)
        taken.append(time.perf_counter() - began)
    return float(np.median(taken[1:])), max(taken[1:])


def evidence(good: int, bad: int, turn: int) -> Evidence:
    marked = (range(kind + turn, 12 * count + kind + turn, 12) for kind, count in ((0, good), (1, bad)))
    return Evidence.of(*([PatchRef("s", patch) for patch in ids] for ids in marked))


@pytest.mark.parametrize("width", [192, 2048])
@pytest.mark.parametrize(("good", "bad"), [(3, 2), (10, 10), (1000, 1000)])
def test_one_more_example(width: int, good: int, bad: int) -> None:
    space = SearchSpace(scene="s", patch_ids=np.arange(COUNT), unit=vectors(width))
    middle, most = slowest(lambda turn: rank(evidence(good, bad, turn), space).best(100))
    print(f"\n{COUNT:,} × {width}, {good} good and {bad} bad: {1000 * middle:.1f} ms, at most {1000 * most:.1f}")
    assert middle < RANKED_WITHIN


@pytest.mark.parametrize("stride", [64, 32])
def test_a_threshold_as_it_moves(stride: int) -> None:
    one = scene(SIDE * 64)
    grid = patch_grid(one, Cut.of(64, stride))
    score = np.random.default_rng(0).uniform(-1, 1, grid.count).astype(np.float32)
    found = Ranking(scene="s", patch_ids=np.arange(grid.count), score=score, measure=COSINE, sentence="A bench")
    areas = patch_areas(one, grid)
    middle, most = slowest(lambda turn: (found.histogram(), found.above(turn / 20 - 0.4, areas)))
    print(f"\n{grid.count:,} patches {stride} apart: {1000 * middle:.1f} ms, at most {1000 * most:.1f}")
    assert middle < FILTERED_WITHIN


def test_filters_and_words() -> None:
    rng = np.random.default_rng(0)
    bands = rng.uniform(0.01, 0.6, (COUNT, 13)).astype(np.float32)
    table = PatchTable(patch_ids=np.arange(COUNT), unit=vectors(192), band_mean=bands, band_std=bands / 10)
    source = Known(scene=scene(SIDE * 64), table=table)
    ranking = rank(evidence(3, 0, 0), SearchSpace(scene="s", patch_ids=table.patch_ids, unit=table.unit))
    filters = Filters(
        conditions=(
            RangeCondition(value="ndvi", low=0.1),
            RangeCondition(value="ndwi", high=0.6),
            RangeCondition(value="brightness", low=0.1),
            ClassCondition(value="cluster", classes=("Land 1", "Land 2", "Group 1")),
            RangeCondition(value="unfamiliar", high=99),
            RangeCondition(value="valid", low=0.9),
            RangeCondition(value="similarity", low=-0.5),
            RangeCondition(value=SCORE, low=-0.5),
            ClassCondition(value="date", classes=("2024-06-21",)),
            AreaCondition(area=polygon_region([(9, 40), (12, 40), (12, 46), (9, 45)])),
        )
    )
    places = centres_lonlat(source.scene, patch_grid(source.scene, Cut.of(64)), table.patch_ids)
    asked = FilterSource(source=source, asked=Asked(query=3), ranking=ranking, lonlat=places)
    middle, most = slowest(lambda _turn: filters.mask(asked))
    print(f"\n{COUNT:,} patches, {len(filters)} conditions: {1000 * middle:.1f} ms, at most {1000 * most:.1f}")
    spoken, longest = slowest(lambda _turn: search_words("dense forest", source).order)
    print(f"words: {1000 * spoken:.1f} ms, at most {1000 * longest:.1f}")
    assert middle < FILTERED_WITHIN
    assert spoken < RANKED_WITHIN
