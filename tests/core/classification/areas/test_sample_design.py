"""Designs of samples: size, allocation, draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.classification.areas.class_map import read_classified
from core.classification.areas.estimation import ABSTAINED
from core.classification.areas.sample_design import (
    allocate,
    conjectured,
    draw_sample,
    sample_columns,
    size_for_error,
)
from core.errors import ClassificationError, SettingsError
from tests.core.classification.areas.patches import squares, write_classified

WEIGHTS, EXPECTED = [0.02, 0.015, 0.32, 0.645], [0.7, 0.6, 0.9, 0.95]
"""Olofsson et al. (2014), section 5.1.1."""


def test_the_size_is_that_of_the_paper() -> None:
    assert size_for_error(WEIGHTS, EXPECTED, 0.01) == 641


def test_of_few_units_fewer_are_judged() -> None:
    spread = [share * (1 - share) for share in EXPECTED]
    variance = 0.01**2 + np.dot(WEIGHTS, spread) / 2000
    expected = np.ceil(np.dot(WEIGHTS, np.sqrt(spread)) ** 2 / variance)
    assert size_for_error(WEIGHTS, EXPECTED, 0.01, 2000) == expected < 641
    assert size_for_error(WEIGHTS, EXPECTED, 1e-9, 2000) <= 2000


@pytest.mark.parametrize("error", [0, -0.1, 0.5, float("nan")])
def test_an_error_that_cannot_be_is_refused(error: float) -> None:
    with pytest.raises(SettingsError, match="more than 0 and less than"):
        size_for_error(WEIGHTS, EXPECTED, error)


def test_each_class_gets_its_minimum_and_the_rest_goes_by_area() -> None:
    assert allocate(641, {"a": 2000, "b": 1500, "c": 32_000, "d": 64_500}) == {"a": 59, "b": 57, "c": 191, "d": 334}
    assert allocate(40, {"a": 1000, "b": 10, "c": 10, "d": 10}) == {"a": 10, "b": 10, "c": 10, "d": 10}
    assert allocate(100, {"a": 1000, "b": 3}) == {"a": 97, "b": 3}
    assert allocate(10**9, {"a": 1000, "b": 3}) == {"a": 1000, "b": 3}
    assert allocate(3, {"a": 1000, "b": 1}) == {"a": 2, "b": 1}


@given(
    st.integers(1, 3000),
    st.lists(st.integers(1, 900), min_size=1, max_size=12),
    st.integers(1, 80),
)
def test_an_allocation_is_whole_and_within_what_there_is(size: int, counts: list[int], least: int) -> None:
    units = {f"class {number}": count for number, count in enumerate(counts)}
    if size < sum(min(2, count) for count in counts):
        with pytest.raises(SettingsError, match="two of each class"):
            allocate(size, units, least)
        return
    given_to = allocate(size, units, least)
    assert sum(given_to.values()) == min(size, sum(counts))
    floor = min(least, size // len(units))
    for name, count in units.items():
        assert min(count, 2) <= given_to[name] <= count
        assert given_to[name] >= min(count, floor) or size < 2 * len(units)


def test_a_draw_is_random_and_can_be_repeated(tmp_path: Path) -> None:
    classes = ["a", "b", "b", "b"] * 25
    path = write_classified(tmp_path / "c.parquet", classes, shapes=squares(10, 10))
    patches = read_classified(path)
    wanted = {"a": 10, "b": 30}
    rows = draw_sample(patches, wanted, 7)
    names, counts = np.unique(patches.classes[rows], return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == wanted
    assert len(set(rows.tolist())) == 40
    assert rows.tolist() == draw_sample(patches, wanted, 7).tolist()
    assert rows.tolist() != draw_sample(patches, wanted, 8).tolist()
    assert rows.tolist() != sorted(rows.tolist()), "who stops early has judged a random sample"


def test_every_patch_of_a_class_is_drawn_as_often(tmp_path: Path) -> None:
    patches = read_classified(write_classified(tmp_path / "c.parquet", ["a"] * 6 + ["b"] * 4))
    often = np.zeros(10)
    for seed in range(600):
        often[draw_sample(patches, {"a": 3, "b": 2}, seed)] += 1
    np.testing.assert_allclose(often, 300, atol=4 * np.sqrt(600 / 4))


def test_the_table_says_where_patches_lie_and_leaves_the_reference_empty(tmp_path: Path) -> None:
    path = write_classified(
        tmp_path / "c.parquet", ["a", "b", "a"], shapes=squares(3, 1), abstained=[False, False, True], first=40
    )
    patches = read_classified(path)
    found = sample_columns(patches, np.array([2, 1]))
    assert list(found) == ["patch_id", "map", "lon", "lat", "stratum", "reference"]
    assert found["patch_id"] == [42, 41]
    assert found["map"] == found["stratum"] == [ABSTAINED, "b"]
    np.testing.assert_allclose(found["lon"], [3.0230, 3.0138], atol=1e-3)
    assert found["reference"] == [None, None]
    unplaced = read_classified(write_classified(tmp_path / "d.parquet", ["a"]))
    assert sample_columns(unplaced, np.array([0]))["lon"] == [None]


def test_what_to_expect_is_what_the_classifier_thinks_within_limits(tmp_path: Path) -> None:
    path = write_classified(
        tmp_path / "c.parquet", ["a", "a", "b", "c", "d"], probability=[0.8, 0.9, 1.0, 0.2, float("nan")],
        abstained=[False] * 4 + [True],
    )  # fmt: skip
    assert conjectured(read_classified(path)) == pytest.approx({"a": 0.85, "b": 0.98, "c": 0.5, ABSTAINED: 0.5})


def test_a_class_may_not_be_called_as_land_without_one(tmp_path: Path) -> None:
    with pytest.raises(ClassificationError, match="a class is called “abstained”"):
        read_classified(write_classified(tmp_path / "c.parquet", [ABSTAINED]))
