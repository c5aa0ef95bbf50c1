"""Estimates of accuracy and area, held to the figures of the papers and to their closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.classification.areas.estimation import (
    ABSTAINED,
    NOTHING_JUDGED,
    AccuracyAssessment,
    AreaStratum,
    JudgedUnit,
    StratifiedEstimate,
    estimate_accuracy,
)
from core.errors import ClassificationError

CLASSES = ("deforestation", "gain", "stable forest", "stable non-forest")
COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])
"""Olofsson et al. (2014), table 8: rows are the map, columns the ground; pixels of 0.09 ha."""


def units(counts: NDArray[np.int64], classes: tuple[str, ...]) -> list[JudgedUnit]:
    return [
        JudgedUnit(stratum=mapped, mapped=mapped, reference=reference)
        for mapped, row in zip(classes, counts.tolist(), strict=True)
        for reference, count in zip(classes, row, strict=True)
        for _ in range(count)
    ]


def strata(hectares: NDArray[np.float64], classes: tuple[str, ...]) -> list[AreaStratum]:
    return [AreaStratum(name=name, hectares=float(area)) for name, area in zip(classes, hectares, strict=True)]


def paper() -> AccuracyAssessment:
    return estimate_accuracy(units(COUNTS, CLASSES), strata(PIXELS * 0.09, CLASSES))


def some(one: StratifiedEstimate | None) -> StratifiedEstimate:
    assert one is not None
    return one


def margin(one: StratifiedEstimate | None) -> float:
    error = some(one).standard_error
    assert error is not None
    return 1.96 * error


def test_the_example_of_olofsson_comes_out_as_printed() -> None:
    found = paper()
    assert some(found.overall).value == pytest.approx(0.9465, abs=5e-5)
    assert margin(found.overall) == pytest.approx(0.0185, abs=5e-5)
    assert [round(some(found.users[name]).value, 3) for name in CLASSES] == [0.880, 0.733, 0.927, 0.963]
    assert [round(some(found.producers[name]).value, 3) for name in CLASSES] == [0.749, 0.847, 0.935, 0.962]
    areas = [some(found.areas[name]) for name in CLASSES]
    assert [round(one.value) for one in areas] == [21_158, 11_686, 285_770, 581_386]
    assert [round(margin(one)) for one in areas] == [6_158, 3_756, 15_510, 16_282]
    assert areas[0].low == pytest.approx(21_158 - 6_158, abs=1)
    assert areas[0].high == pytest.approx(21_158 + 6_158, abs=1)
    assert found.mapped["gain"] == pytest.approx(13_500)
    assert found.notes == ()


def test_the_example_of_stehman_comes_out_as_printed() -> None:
    """Strata that are not the classes: table 2 of the paper, figures of its pages 4932 to 4936."""
    drawn = {
        "A": ("AAAAAAABBB", "AAAAACBABC"),
        "B": ("ABBBBBBBBB", "ABBBBBAABB"),
        "C": ("BBCCCCCCBB", "CCCCCDDBBA"),
        "D": ("DDDDDDDDDD", "DDDDDDDCCB"),
    }
    sample = [
        JudgedUnit(stratum=name, mapped=mapped, reference=reference)
        for name, (on_map, on_ground) in drawn.items()
        for mapped, reference in zip(on_map, on_ground, strict=True)
    ]
    sizes = np.array([40_000, 30_000, 20_000, 10_000])
    parts = [
        AreaStratum(name=name, hectares=float(size), units=int(size)) for name, size in zip("ABCD", sizes, strict=True)
    ]
    found = estimate_accuracy(sample, parts)
    figures = {
        "area A": (found.areas["A"], 35_000, 8_220), "area C": (found.areas["C"], 20_000, 6_390),
        "overall": (found.overall, 0.63, 0.085), "users B": (found.users["B"], 0.574, 0.125),
        "producers B": (found.producers["B"], 0.794, 0.116),
    }  # fmt: skip
    for name, (one, value, error) in figures.items():
        assert some(one).value == pytest.approx(value, rel=1e-3), name
        assert some(one).standard_error == pytest.approx(error, rel=6e-3), name
    assert [round(some(found.users[name]).value, 4) for name in "ABCD"] == [0.7419, 0.5745, 0.5, 0.7]
    assert [round(some(found.producers[name]).value, 4) for name in "ABCD"] == [0.6571, 0.7941, 0.3, 0.6364]
    assert set(found.mapped.values()) == {None}, "hectares of strata are not those of classes"


@st.composite
def judged_maps(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    size = draw(st.integers(2, 5))
    row = st.lists(st.integers(0, 30), min_size=size, max_size=size)
    counts = np.array(draw(st.lists(row, min_size=size, max_size=size)))
    counts[np.arange(size), np.arange(size)] += 2
    areas = draw(st.lists(st.floats(0.5, 1e5), min_size=size, max_size=size))
    return counts, np.array(areas)


@given(judged_maps())
def test_where_strata_are_the_classes_the_estimates_are_olofssons(
    judged: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    counts, hectares = judged
    names = tuple("abcde"[: len(counts)])
    found = estimate_accuracy(units(counts, names), strata(hectares, names))
    rows, weights = counts.sum(axis=1), hectares / hectares.sum()
    shares = weights[:, None] * counts / rows[:, None]
    user, ground = np.diag(counts) / rows, shares.sum(axis=0)
    producer = np.diag(shares) / ground
    of_row = counts / rows[:, None]
    spread = of_row * (1 - of_row) / (rows - 1)[:, None]
    assert some(found.overall).value == pytest.approx(np.trace(shares))
    overall = (weights**2 * user * (1 - user) / (rows - 1)).sum()  # equation 5
    assert margin(found.overall) == pytest.approx(1.96 * math.sqrt(overall), abs=1e-9)
    for at, name in enumerate(names):
        assert some(found.users[name]).value == pytest.approx(user[at])
        assert margin(found.users[name]) == pytest.approx(1.96 * math.sqrt(spread[at, at]), abs=1e-9)  # equation 6
        assert some(found.producers[name]).value == pytest.approx(producer[at])
        others = np.arange(len(names)) != at
        variance = (  # equation 7
            hectares[at] ** 2 * (1 - producer[at]) ** 2 * spread[at, at]
            + producer[at] ** 2 * (hectares[others] ** 2 * spread[others, at]).sum()
        ) / (ground[at] * hectares.sum()) ** 2
        assert margin(found.producers[name]) == pytest.approx(1.96 * math.sqrt(variance), rel=1e-6, abs=1e-9)
        error = math.sqrt((weights**2 * spread[:, at]).sum()) * hectares.sum()  # equation 10
        area = some(found.areas[name])
        assert area.value == pytest.approx(ground[at] * hectares.sum())
        assert margin(area) == pytest.approx(1.96 * error, rel=1e-6, abs=1e-9 * hectares.sum())
        assert area.low is not None
        assert area.high is not None
        assert 0 <= area.low <= area.value + 1e-9
        assert area.value <= area.high * (1 + 1e-9) <= hectares.sum() * (1 + 1e-8)
    assert sum(some(one).value for one in found.areas.values()) == pytest.approx(hectares.sum())


def sample_of(*texts: str) -> list[JudgedUnit]:
    """Units written ``map>ground``, or ``map>`` where nobody judged."""
    pairs = [text.partition(">")[::2] for text in texts]
    return [JudgedUnit(stratum=mapped, mapped=mapped, reference=ground or None) for mapped, ground in pairs]


def two(first: float = 60, second: float = 40, units: int | None = None) -> list[AreaStratum]:
    return [AreaStratum(name="a", hectares=first), AreaStratum(name="b", hectares=second, units=units)]


def test_what_nobody_judged_is_counted_and_left_out() -> None:
    sample = sample_of("a>a", "a>b", "a>", "b>b", "b>b", "b>a")
    found = estimate_accuracy(sample, two())
    assert found.not_judged == 1
    assert found.notes[0] == "1 of the sample is not judged yet and left out."
    assert some(found.overall).value == pytest.approx(0.6 * 0.5 + 0.4 * 2 / 3)
    assert found.areas == estimate_accuracy([one for one in sample if one.reference], two()).areas


def test_nothing_judged_is_no_estimate() -> None:
    found = estimate_accuracy(sample_of("a>", "b>"), two())
    assert found.overall is None
    assert set(found.areas.values()) == {None}
    assert found.mapped == {"a": 60, "b": 40}
    assert found.notes == (NOTHING_JUDGED,)


def test_one_judged_unit_leaves_what_hangs_on_it_without_an_interval() -> None:
    found = estimate_accuracy(sample_of("a>a", "a>b", "a>a", "b>b"), two())
    assert some(found.overall).value == pytest.approx(0.6 * 2 / 3 + 0.4)
    assert some(found.overall).standard_error is None
    assert some(found.users["b"]).low is None
    assert some(found.users["a"]).standard_error == pytest.approx(math.sqrt(2 / 9 / 2)), "b says nothing of it"
    assert some(found.areas["a"]).high is None
    assert any("“b”: what depends on it has no interval" in note for note in found.notes)


def test_a_stratum_judged_as_a_whole_adds_no_doubt() -> None:
    found = estimate_accuracy(sample_of("a>a", "a>b", "a>a", "b>b"), two(units=1))
    assert some(found.users["b"]).standard_error == 0
    assert some(found.overall).standard_error == pytest.approx(0.6 * math.sqrt(2 / 9 / 2))


def test_a_class_that_was_never_mapped_has_land() -> None:
    found = estimate_accuracy(sample_of("a>a", "a>water", "a>a", "a>a", "b>b", "b>b"), two())
    assert some(found.areas["water"]).value == pytest.approx(15)
    assert found.users["water"] is None
    assert some(found.producers["water"]).value == 0
    assert found.mapped["water"] == 0
    assert any("never on the map of the sample: “water”" in note for note in found.notes)


def test_an_interval_without_width_is_said_to_be_no_certainty() -> None:
    found = estimate_accuracy(sample_of("a>a", "a>b", "b>b", "b>b"), two())
    assert some(found.users["b"]).standard_error == 0
    assert any("the user's accuracy of “b”" in note and "no certainty" in note for note in found.notes)


def test_intervals_end_where_land_does() -> None:
    found = estimate_accuracy(sample_of("a>a", "a>b", "a>a", "b>b", "b>a"), two())
    assert some(found.users["a"]).high == 1
    assert some(found.areas["a"]).high == 100
    assert some(found.areas["b"]).low == 0


def test_land_without_a_class_counts_for_areas_not_for_the_overall_accuracy() -> None:
    parts = [*two(), AreaStratum(name=ABSTAINED, hectares=100)]
    sample = sample_of("a>a", "a>a", "a>b", "b>b", "b>b", "abstained>a", "abstained>b", "abstained>b")
    found = estimate_accuracy(sample, parts)
    assert some(found.overall).value == pytest.approx((60 * 2 / 3 + 40) / 100)
    assert some(found.areas["a"]).value == pytest.approx(60 * 2 / 3 + 100 / 3)
    assert some(found.producers["a"]).value == pytest.approx(40 / (40 + 100 / 3))
    assert ABSTAINED not in found.areas
    assert any("Land without a class" in note for note in found.notes)


def test_a_class_mapped_nowhere_needs_no_sample() -> None:
    found = estimate_accuracy(sample_of("a>a", "a>b"), two(second=0))
    assert found.users["b"] is None
    assert some(found.areas["b"]).value == pytest.approx(30)


@pytest.mark.parametrize(
    ("sample", "parts", "words"),
    [
        (sample_of("a>a", "a>a"), two(), "nothing was judged of “b”, which has 40.0 ha"),
        (sample_of("a>a", "b>b", "c>c"), two(), "the areas have no “c”"),
        (sample_of("a>a", "b>b"), two(second=0), "“b” has 0 ha and 1 judged"),
        (sample_of("a>a", "b>b", "b>b"), two(units=1), "2 were judged of “b”, which has 1"),
    ],
)
def test_what_cannot_be_estimated_is_refused(sample: list[JudgedUnit], parts: list[AreaStratum], words: str) -> None:
    with pytest.raises(ClassificationError, match=words):
        estimate_accuracy(sample, parts)
