"""The verdict on a scene by the figures of its report."""

from __future__ import annotations

import pytest

from core.evaluation.report.card import Section
from core.evaluation.report.verdict import GRADE_WORDS, TOPICS, grade_of, in_order, summary_lines, verdict_on
from core.evaluation.report.wording import QUESTIONS, unmeasured

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


def test_the_summary_is_a_line_a_section_in_its_order_and_told_without_colour() -> None:
    card = [unmeasured("layout", "too few"), *sections(stability=GOOD["stability"], labels=POOR["labels"])]
    assert summary_lines(card) == [
        "",
        "Do not rely. Because of classes.",
        "  ✕ Classes: labels.",
        "  ✓ Stability: stability.",
        "  – Plot: Not measured: too few.",
    ]
    assert all(len(words.split()) <= 3 for words in GRADE_WORDS.values())
    assert {one.name for one in in_order([unmeasured(name, "no") for name in QUESTIONS])} == set(QUESTIONS)
