"""Filters: what they leave by plain comparisons, how they read, and how they travel."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import SettingsError
from core.scenes.labels import SceneLabels
from core.scenes.regions.map_region import polygon_region
from core.search.conditions import SCORE, AreaCondition, ClassCondition, Condition, FilterSource, RangeCondition
from core.search.filters import Filters
from core.search.ranking import COSINE, Ranking
from core.values.base import Asked
from core.values.registry import VALUES
from core.values.source import PatchSource
from tests.core.values.test_registry import COUNT, Source, labels_of, source

__all__ = ["source"]


def test_ranges_and_classes_hold_together(source: Source) -> None:
    asked = FilterSource(source=source)
    ndvi = VALUES["ndvi"].compute(source, Asked())
    assert ndvi is not None
    filters = Filters(
        conditions=(
            RangeCondition(value="ndvi", low=-0.5, high=0.5),
            ClassCondition(value="class", classes=("forest", "no class")),
            RangeCondition(value="unfamiliar", high=80),
        )
    )
    truth = np.array([-1, 0, 1] * 6 + [0, 1])
    wanted = (np.abs(ndvi) <= 0.5) & (truth != 1) & (np.linspace(0, 100, COUNT) <= 80)
    assert 0 < wanted.sum() < COUNT
    np.testing.assert_array_equal(filters.mask(asked), wanted)
    assert filters.sentence == "NDVI −0.5 to 0.5; class forest or no class; Unfamiliar at most 80"
    assert Filters().mask(asked).all()
    assert Filters().sentence == "all patches"


@pytest.mark.parametrize("name", [name for name in VALUES if name != "date"])
def test_every_value_of_the_registry_can_be_filtered_by(source: Source, name: str) -> None:
    from core.values.base import ClassValue
    from tests.core.values.test_registry import ASKED

    asked = FilterSource(source=source, asked=ASKED)
    values = asked.values(name)
    if isinstance(VALUES[name], ClassValue):
        names = asked.names(name)
        chosen = int(values[np.isfinite(values)][-1])
        found = Filters(conditions=(ClassCondition(value=name, classes=(names[chosen],)),)).mask(asked)
        np.testing.assert_array_equal(found, values == chosen)
    else:
        middle = float(np.nanmedian(values))
        found = Filters(conditions=(RangeCondition(value=name, low=middle),)).mask(asked)
        np.testing.assert_array_equal(found, values >= np.float32(middle))
    assert found.any()
    assert asked.histogram(name).counts.sum() == np.isfinite(values).sum()


def test_scores_and_dates_and_the_query_of_an_address_count(source: Source) -> None:
    score = np.linspace(-1, 1, COUNT, dtype=np.float32)
    ranking = Ranking(scene="s", patch_ids=np.arange(COUNT), score=score, measure=COSINE, sentence="A test")
    asked = FilterSource(source=source, ranking=ranking)
    assert RangeCondition(value=SCORE, low=0).mask(asked).sum() == COUNT // 2
    assert ClassCondition(value="date", classes=("2024-06-21",)).mask(asked).all()
    assert not ClassCondition(value="date", classes=("2023-06-21",)).mask(asked).any()
    assert RangeCondition(value="similarity-3", low=0.999).mask(asked).nonzero()[0].tolist() == [3]
    given = FilterSource(source=source, numbers={"ndvi": score})
    np.testing.assert_array_equal(RangeCondition(value="ndvi", low=0.5).mask(given), score >= 0.5)


def test_a_condition_on_the_score_and_a_threshold_leave_the_same_patches(source: Source) -> None:
    """Both count a score as it was shown, rounded: one that is below by chance only is not left out."""
    score = np.full(COUNT, 0.3, np.float32) + np.float32(2e-7) * np.arange(-COUNT // 2, COUNT - COUNT // 2)
    ranking = Ranking(scene="s", patch_ids=np.arange(COUNT), score=score, measure=COSINE, sentence="A test")
    asked = FilterSource(source=source, ranking=ranking)
    for end in (0.3, 0.299999, 0.300001):
        np.testing.assert_array_equal(RangeCondition(value=SCORE, low=end).mask(asked), ranking.among(end))
        above, below = (RangeCondition(value=SCORE, **{side: end}).mask(asked) for side in ("low", "high"))
        assert (above | below).all()
        np.testing.assert_array_equal(above & below, ranking.rounded == end)
    assert 0 < (score < np.float32(0.3)).sum() < COUNT
    assert RangeCondition(value=SCORE, low=0.3).mask(asked).sum() > (score >= np.float32(0.3)).sum()


def test_patches_have_to_lie_in_a_drawn_area(source: Source) -> None:
    lonlat = np.stack([np.arange(COUNT) / 100, np.zeros(COUNT)], axis=1)
    lonlat[1] = np.nan
    asked = FilterSource(source=source, lonlat=lonlat)
    inside = AreaCondition(area=polygon_region([(-0.005, -1), (0.045, -1), (0.045, 1), (-0.005, 1)]))
    filters = Filters().having(inside)
    assert filters.mask(asked).nonzero()[0].tolist() == [0, 2, 3, 4]
    assert filters.sentence == "in the drawn area"
    assert filters.unknown(FilterSource(source=source)) == (inside,)
    with pytest.raises(SettingsError, match="not known where the patches lie"):
        filters.mask(FilterSource(source=source))
    assert Filters.parse(filters.link()) == filters
    assert Filters.from_dict(json.loads(json.dumps(filters.to_dict()))) == filters
    for wrong in (RangeCondition, ClassCondition):
        with pytest.raises(SettingsError):
            wrong(value="place")
    with pytest.raises(SettingsError, match="has no place"):
        AreaCondition(value="ndvi", area=inside.area)


def test_conditions_take_each_others_place_by_value() -> None:
    first = Filters().having(RangeCondition(value="ndvi", low=0.1)).having(RangeCondition(value=SCORE, low=0.2))
    second = first.having(RangeCondition(value="ndvi", high=0.4))
    assert [one.value for one in second.conditions] == ["ndvi", SCORE]
    assert second.sentence == "NDVI at most 0.4; score at least 0.2"
    assert second.without("ndvi") == Filters(conditions=(RangeCondition(value=SCORE, low=0.2),))


def test_links_and_bundles_give_the_same_back() -> None:
    filters = Filters(
        conditions=(
            RangeCondition(value="similarity-17", low=0.25),
            ClassCondition(value="predicted-0123456789ab", classes=("Sea or lake", "<b>&=1")),
        )
    )
    assert Filters.parse(filters.link()) == filters
    assert Filters.from_dict(json.loads(json.dumps(filters.to_dict()))) == filters
    assert Filters.parse("") == Filters()


@pytest.mark.parametrize(
    "link", ["{", "7", "[7]", '[{"value":7}]', '[{"value":"evi"}]', '[{"value":"ndvi","low":"a"}]',
             '[{"value":"ndvi","low":NaN}]', '[{"value":"ndvi","low":true}]', '[{"value":"group","classes":[1]}]',
             '[{"value":"ndvi","classes":["a"]}]', '[{"value":"group","low":1}]', "[" * 100_000,
             json.dumps([{"value": "ndvi"}] * 41), '[{"value":"ndvi","low":2,"high":1}]'],
)  # fmt: skip
def test_links_that_make_no_sense_are_none(link: str) -> None:
    assert Filters.parse(link) is None


def test_what_cannot_be_asked_is_told(source: Source) -> None:
    bare = FilterSource(source=PatchSource(scene=replace(source.scene, bands=("B02",)), table=source.table))
    filters = Filters(conditions=(RangeCondition(value="ndvi", low=0), RangeCondition(value="brightness", low=0)))
    assert [one.value for one in filters.unknown(bare)] == ["ndvi"]
    with pytest.raises(SettingsError, match=r"NDVI .* is not known"):
        filters.mask(bare)
    with pytest.raises(SettingsError, match="no search whose score counts"):
        RangeCondition(value=SCORE).mask(bare)
    with pytest.raises(SettingsError, match="says nothing"):
        RangeCondition(value="similarity-x").mask(bare)
    with pytest.raises(SettingsError, match="version 2"):
        Filters.from_dict({"version": 2, "conditions": []})
    with pytest.raises(SettingsError, match="choose of score, class"):
        RangeCondition(value="evi")


def test_labels_of_people_are_found_by_name(source: Source, tmp_path: Path) -> None:
    given = labels_of([1, 0, -1] + [-1] * 17, "Bog", "Quarry")
    labelled = replace(source, labels=SceneLabels(version="cd34", given=given, shown=given))
    condition: Condition = ClassCondition(value="hand", classes=("Quarry",))
    assert condition.mask(FilterSource(source=labelled)).nonzero()[0].tolist() == [0]
