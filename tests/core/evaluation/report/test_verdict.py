"""The verdict on a scene by the figures of its report."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.report.card import Section
from core.evaluation.report.verdict import (
    GRADE_WORDS,
    TOPICS,
    grade_of,
    in_order,
    more_labels,
    open_words,
    summary_lines,
    verdict_on,
)
from core.evaluation.report.wording import QUESTIONS, grid_shift_section, unmeasured
from core.evaluation.retrieval import share

GOOD = {
    "labels": {"share": 0.9, "chance": 0.1},
    "land": {"share": 0.8, "chance": 0.27, "best": 0.9},
    "familiar": {"novel": 0.15},
    "stability": {"kept": 0.5, "itself": 0.9},
    "hubs": {"skewness": 1.4},
    "layout": {"trustworthiness": 0.9},
}
POOR = {
    "labels": {"share": 0.3, "chance": 0.1},
    "land": {"share": 0.4, "chance": 0.27, "best": 0.9},
    "familiar": {"novel": 0.51},
    "stability": {"kept": 0.19, "itself": 0.2},
}


def sections(**figures: dict[str, float]) -> list[Section]:
    return [
        Section(name=name, title="?", sentences=(f"{name} in full.",), short=f"{name}.", figures=one)
        for name, one in figures.items()
    ]


@pytest.mark.parametrize(
    ("name", "figures", "grade"),
    [
        *((name, figures, "good") for name, figures in GOOD.items()),
        *((name, figures, "poor") for name, figures in POOR.items()),
        ("labels", {"share": 0.77, "chance": 0.1}, "fair"),
        ("labels", {"share": 0.9, "chance": 0.1, "beside": -1}, "fair"),
        ("labels", {"share": 0.9, "chance": 0.1, "learned": 1.0}, "fair"),
        ("land", {"share": 0.73, "chance": 0.27, "best": 0.9}, "fair"),
        ("familiar", {"novel": 0.16}, "fair"),
        ("stability", {"kept": 0.1, "itself": 0.9}, "fair"),
        ("stability", {"kept": 0.49, "itself": 0.1}, "fair"),
        ("hubs", {"skewness": 5.0}, "fair"),
        ("layout", {"trustworthiness": 0.6}, "fair"),
    ],
)
def test_a_section_is_graded_by_its_figures(name: str, figures: dict[str, float], grade: str) -> None:
    assert grade_of(sections(**{name: figures})[0]) == grade


def between(name: str, low: float, value: float, high: float, **more: float) -> dict[str, float]:
    return {name: value, f"{name}_low": low, f"{name}_high": high, **more}


@pytest.mark.parametrize(
    ("name", "figures", "grade"),
    [  # Of classes, 0.46 is two fifths of the way from chance, and 0.775 three quarters.
        ("hand", between("share", 0.2, 0.4, 0.45, chance=0.1, count=40), "poor"),
        ("hand", between("share", 0.2, 0.4, 0.47, chance=0.1, count=14), None),
        ("hand", between("share", 0.45, 0.9, 0.99, chance=0.1, count=14), None),
        ("hand", between("share", 0.47, 0.9, 0.99, chance=0.1, count=14), "fair"),
        ("hand", between("share", 0.77, 0.9, 0.99, chance=0.1, count=40), "fair"),
        ("hand", between("share", 0.78, 0.9, 0.99, chance=0.1, count=80), "good"),
        ("land", between("share", 0.0, 0.9, 1.0, chance=0.1), None),
        ("stability", between("kept", 0.1, 0.15, 0.19, itself=0.4, itself_low=0.3, itself_high=0.49), "poor"),
        ("stability", between("kept", 0.1, 0.15, 0.21, itself=0.4, itself_low=0.3, itself_high=0.49), None),
        ("stability", between("kept", 0.1, 0.15, 0.19, itself=0.4, itself_low=0.3, itself_high=0.51), None),
        ("stability", between("kept", 0.49, 0.6, 0.7, itself=1.0, itself_low=0.9, itself_high=1.0), "fair"),
        ("layout", between("trustworthiness", 0.89, 0.91, 0.93), "fair"),
    ],
)
def test_a_grade_is_one_that_holds_over_the_whole_interval(
    name: str, figures: dict[str, float], grade: str | None
) -> None:
    found = sections(**{name: figures})[0]
    assert grade_of(found) == grade
    assert bool(open_words(found)) == (grade is None)


def test_few_labels_colour_nothing_whatever_they_show() -> None:
    others = {name: one for name, one in GOOD.items() if name not in {"land", "labels"}}
    for value, words in ((0.3, "Too few to say"), (0.6, "Too few to say"), (1.0, "Holds partly")):
        found = share(np.full(14, value))
        hand = between("share", found.low, found.value, found.high, chance=0.2, count=14)
        whole = verdict_on(sections(**others, hand=hand))
        assert whole.words == words
        assert ("14 labelled patches are too few" in whole.because) == (whole.grade is None)
        assert verdict_on(sections(**GOOD, hand=hand)).words == ("Holds partly" if value == 1 else "Holds well")
    assert "It may be better than that: labels by hand" in whole.because
    few = share(np.full(5, 0.1))
    shifted = grid_shift_section(few, few, 0.9, k=10, pixels=8, total=5)
    assert shifted.short.startswith("Too few patches to say whether the answers depend on the grid. ")
    assert verdict_on([*sections(familiar=GOOD["familiar"]), shifted]).grade is None


def test_few_labels_among_many_patches_do_not_condemn() -> None:
    low = between("share", 0.2, 0.3, 0.4, chance=0.2)
    for count, there, grade in ((60, 900, None), (300, 900, "poor"), (60, 120, "poor"), (59, 120, None)):
        found = sections(hand=low | {"count": count, "all": there})[0]
        assert grade_of(found) == grade
    assert open_words(sections(hand=low | {"count": 60, "all": 900})[0]).endswith("about 240 more would do.")


@pytest.mark.parametrize("found", [0.1, 0.3, 0.4, 0.65, 0.9])
def test_so_many_more_labels_do_as_are_asked_for(found: float) -> None:
    """At the share found so far, as many as are asked for decide; a tenth fewer do not."""
    figures = {"share": found, "chance": 0.2, "count": 3.0}
    more = more_labels(figures)
    assert more is not None

    def decided(count: float) -> bool:
        now = share(np.full(round(count), found))
        return (
            grade_of(sections(hand=between("share", now.low, found, now.high, chance=0.2, count=count))[0]) is not None
        )

    assert decided(3 + more)
    assert not decided(3 + 0.8 * more - 1)
    assert more_labels(figures | {"share": 0.5201}) is None


def test_what_classes_show_decides_and_suspicion_lowers_it_one_step() -> None:
    assert verdict_on(sections(**GOOD)).words == "Holds well"
    assert verdict_on(sections(**GOOD | {"labels": POOR["labels"]})).words == "Do not rely"
    for name in ("familiar", "stability"):
        proven = verdict_on(sections(**GOOD | {name: POOR[name]}))
        assert (proven.words, TOPICS[name].lower() in proven.because) == ("Holds partly", True)
        without = {key: one for key, one in GOOD.items() if key not in {"land", "labels"}}
        assert verdict_on(sections(**without)).words == "Holds so far"
        assert verdict_on(sections(**without | {name: POOR[name]})).words == "Do not rely"
    assert verdict_on(sections(**GOOD | {"layout": {"trustworthiness": 0.5}})).because == "Held back by plot."


def test_without_proof_of_anything_nothing_is_said_to_hold_well() -> None:
    assert verdict_on([]).words == "Not known"
    assert verdict_on(sections(hubs=GOOD["hubs"], layout=GOOD["layout"])).words == "Not known"
    untrained = verdict_on(sections(stability=GOOD["stability"], hubs=GOOD["hubs"]))
    assert untrained.words == "Holds partly"
    assert untrained.because.startswith("Classes did not check")
    assert verdict_on([unmeasured("labels", "no"), unmeasured("stability", "no")]).words == "Not known"


def test_all_that_speaks_against_answers_is_named_once_something_does() -> None:
    poor = {name: POOR[name] for name in ("labels", "familiar")}
    assert verdict_on(sections(**GOOD | poor)).because == "What speaks against it: classes and unfamiliar land."


def test_the_summary_is_a_line_a_section_in_its_order_and_told_without_colour() -> None:
    card = [unmeasured("layout", "too few"), *sections(stability=GOOD["stability"], labels=POOR["labels"])]
    assert summary_lines(card) == [
        "",
        "Do not rely. What speaks against it: classes.",
        "  ✕ Classes: labels.",
        "  ✓ Stability: stability.",
        "  – Plot: Not measured: too few.",
    ]
    assert all(len(words.split()) <= 3 for words in GRADE_WORDS.values())
    assert {one.name for one in in_order([unmeasured(name, "no") for name in QUESTIONS])} == set(QUESTIONS)
