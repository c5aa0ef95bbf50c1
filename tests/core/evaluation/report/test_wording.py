"""The wording of a report card, from measures made by hand; and the card as text and JSON."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.duplicates import Duplicates
from core.evaluation.hubness import hubness
from core.evaluation.report.card import CARD_VERSION, Section, Sheet, from_json, terminal_lines, to_json
from core.evaluation.report.caveats import left_out, mixed_words, unasked
from core.evaluation.report.phrases import too_few
from core.evaluation.report.wording import (
    grid_shift_section,
    hubs_section,
    labels_section,
    layout_section,
    novelty_section,
    novelty_unknown,
    unmeasured,
)
from core.evaluation.retrieval import retrieval, share
from core.evaluation.trustworthiness import Trustworthiness

CLASSES = ("SeaLake", "Forest", "never seen")


def labelled(spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.arange(200) % 2
    return (np.eye(2, 6)[labels] + spread * random.standard_normal((200, 6))).astype(np.float32), labels


def section(own: float, plain: float | None) -> Section:
    of = [None if spread is None else retrieval(*labelled(spread), CLASSES) for spread in (own, plain)]
    assert of[0] is not None
    return labels_section(of[0], of[1], touching_left_out=False, itself=False)


def test_labels_are_put_into_one_sentence_with_its_interval() -> None:
    found = section(0.01, 3.0)
    assert found.sentences[0].startswith(
        "Neighbours here share the class 100 times in 100 (98–100); the plain spectrum"
    )
    assert found.sentences[0].endswith("chance 50.")
    assert "clearly better" in found.sentences[1]
    classes, confusion = found.sheets
    assert [row[0] for row in classes.rows] == ["Sea or lake", "Forest", "All"]
    assert classes.rows[0][:3] == ("Sea or lake", "100", "100 (96–100)")
    assert confusion.head == ("", "Sea or lake", "Forest")
    assert confusion.rows == (("Sea or lake", "100", "0"), ("Forest", "0", "100"))


def test_the_plain_spectrum_may_win_tie_or_be_unknown() -> None:
    assert "The plain spectrum does better here" in section(3.0, 0.01).sentences[1]
    assert "too close to call" in section(0.01, 0.01).sentences[1]
    alone = section(0.01, None)
    assert alone.sentences[0].endswith("chance would give 50.")
    assert len(alone.sheets[0].head) == 4
    assert "most often taken for" in section(3.0, None).sentences[2]


def test_too_few_labels_to_say_are_said_with_how_many_more_do() -> None:
    vectors, labels = labelled(1.0)
    found = labels_section(retrieval(vectors[:14], labels[:14], CLASSES), None, touching_left_out=False, itself=False)
    assert "too few to say: about" in found.short
    assert found.short.startswith("14 labelled patches are")
    assert "below 68 answers are not to be relied on" in found.sentences[-1]
    assert "relied on" not in section(0.01, None).sentences[-1]


def test_what_does_not_count_is_said_in_sentences() -> None:
    random = np.random.default_rng(0)
    labels = np.array([0] * 20 + [1] * 20 + [2])
    own = retrieval(random.standard_normal((41, 6)).astype(np.float32), labels, ("Forest", "SeaLake", "River"))
    found = labels_section(
        own,
        None,
        touching_left_out=False,
        itself=False,
        duplicates=Duplicates(kept=np.ones(41, bool), duplicates=1, conflicting=2),
    )
    assert "River" not in found.sentences[2], "a class of one patch is neither best nor worst"
    assert found.sentences[3].startswith("The 10 nearest of 40 of 41 labelled patches were looked at.")
    assert found.sentences[4:] == (
        "River has one patch and is not counted.",
        "1 patch that is a copy of another does not count.",
        "2 patches do not count, because the same patch stands for several classes.",
    )
    assert found.sheets[0].rows[2][:4] == ("River", "1", "—", "—")
    many = [f"c{number}" for number in range(7)]
    assert unasked(own, many[:2]) == ["c0 and c1 have one patch each and are not counted."]
    assert unasked(own, many) == ["c0, c1, c2, c3, c4 and 2 more have one patch each and are not counted."]
    apart = np.stack([np.zeros(41, np.int64), np.arange(41)], axis=1)
    close = retrieval(np.eye(41, dtype=np.float32), np.array([0] * 38 + [1, 1, 2]), ("a", "b", "c"), places=apart)
    assert unasked(close, []) == ["2 patches are not asked, because all others of the class touch them."]
    assert (
        left_out(Duplicates(kept=np.ones(1, bool), duplicates=3))[0]
        == "3 patches that are copies of others do not count."
    )


def test_a_plain_spectrum_that_cannot_be_had_is_named() -> None:
    assert "neither is here" in section(0.01, None).sentences[1]


def test_to_what_was_not_trained_nothing_is_unfamiliar() -> None:
    found = novelty_unknown("spectral")
    assert found.sentences == ("It was not trained, so no land is unfamiliar to it.",)
    assert "is not known here" in novelty_unknown("other").sentences[0]
    assert "is not known here" in novelty_unknown(None).sentences[0]


def test_few_patches_are_counted_as_people_do() -> None:
    assert too_few(1) == "1 patch is too few"
    assert too_few(1200) == "1,200 patches are too few"


def test_novel_patches_are_counted_and_named_the_least_familiar_first() -> None:
    percent = np.array([0, 99, 99.5, 100, 50, 20, 10, 5], np.float32)
    found = novelty_section(percent, np.arange(8) + 40, marked=True)
    assert found.patches == (43, 42)
    assert found.sentences[0] == "75 of 100 patches look like what the encoder was trained on."
    assert found.sentences[1].startswith("2 patches are unfamiliar, farther from that")
    assert "they are marked with a diamond" in found.sentences[1]
    bare = " ".join(novelty_section(percent, np.arange(8), marked=False).sentences)
    assert "marked" not in bare, "on the command line there is no view"
    assert "what is found for them deserves a second look" in bare
    assert found.short == "25 of 100 patches are unfamiliar: like nothing the encoder was trained on."
    few = novelty_section(np.array([100, *[0] * 14], np.float32), np.arange(15), marked=False)
    assert few.short.endswith("trained on; cloudless land new to it has up to 15."), "why the grade is good"
    assert "No patch is farther from that" in novelty_section(percent[4:], np.arange(4), marked=True).sentences[1]


def test_stability_gives_a_number_of_neighbours() -> None:
    found = grid_shift_section(share(np.full(200, 0.74)), share(np.arange(200) < 196), 0.97, k=10, pixels=8, total=900)
    assert "a patch keeps 7.4 of its 10 nearest (6.8–8.0)" in found.sentences[0]
    assert found.sentences[1].startswith("98 times in 100 (95–99)")
    assert found.sentences[2] == "Measured on 200 patches drawn at random, encoded again."


def test_hubs_are_named_by_their_patch() -> None:
    crowd = hubness(np.array([[1], *[[0]] * 30]))
    found = hubs_section(crowd, np.arange(31) * 2)
    assert found.sentences[0] == "Yes: one patch is among the 1 nearest of 30 others."
    assert found.patches[:2] == (0, 2)
    assert found.sheets[0].rows[0] == ("Patch 0", "30")
    even = hubs_section(hubness(np.array([[1], [2], [0]])), np.arange(3))
    assert even.sentences[0].startswith("No:")
    assert even.patches == (), "where there are no hubs, none can be shown"


def test_a_layout_is_put_into_points_and_the_worst_come_first() -> None:
    one = np.array([1, 0.4, 0.7], np.float32)
    true = Trustworthiness(k=10, rows=np.arange(3), trust=one, continuity=np.ones(3, np.float32), kept=np.full(3, 0.61))
    found = layout_section(true, np.array([7, 8, 9]), 3)
    assert (
        found.sentences[0]
        == "Of the 10 points nearest to a point in the plot, 6.1 are among its 10 nearest by features."
    )
    assert "Trustworthiness 0.700 of 1:" in found.sentences[1]
    assert found.sentences[2].startswith("67 of 100 points are misplaced: their distortion is above 0.25")
    assert found.patches == (8, 9)
    assert "3 of 50 (drawn at random)" in layout_section(true, np.arange(3), 50).sentences[2]


def test_a_card_comes_back_from_json_and_damage_is_no_card() -> None:
    sheet = Sheet(title="t", head=("", "ä"), rows=(("x", "1"),))
    card = [
        Section(name="hubs", title="?", sentences=("a.", "b."), sheets=(sheet,), patches=(3, 1)),
        unmeasured("labels", "no"),
    ]
    assert from_json(to_json(card)) == card
    assert from_json(to_json(card).replace(f'"version": {CARD_VERSION}', '"version": 0')) is None
    for damaged in (
        "",
        "{",
        "[]",
        '{"version": 1}',
        f'{{"version": {CARD_VERSION}, "sections": [{{}}]}}',
        f'{{"version": {CARD_VERSION}, "sections": [3]}}',
    ):
        assert from_json(damaged) is None


def test_a_card_as_text_has_aligned_columns() -> None:
    sheet = Sheet(title="Counts", head=("", "n"), rows=(("long name", "1"), ("b", "1,000")))
    text = terminal_lines([Section(name="hubs", title="Why?", sentences=("So.",), sheets=(sheet,))])
    assert text == [
        "",
        "Why?",
        "  So.",
        "",
        "  Counts",
        "                   n",
        "    long name      1",
        "    b          1,000",
    ]


@pytest.mark.parametrize("name", ["labels", "familiar", "stability", "hubs", "layout"])
def test_what_was_not_measured_says_why(name: str) -> None:
    found = unmeasured(name, "there is no reason")
    assert not found.measured
    assert found.sentences == ("Not measured: there is no reason.",)


def test_figures_of_patches_that_were_learned_from_are_said_to_be_better_than_elsewhere() -> None:
    own = retrieval(*labelled(0.01), CLASSES)
    some, every, none = (
        labels_section(own, None, touching_left_out=False, itself=False, overlap=count).sentences
        for count in (30, 200, 0)
    )
    assert some[1].startswith("The encoder has learned from 30 of these 200 patches, so this is better than")
    assert every[1].startswith("The encoder has learned from these patches, so this is better than")
    assert not any("has learned from" in sentence for sentence in none)


def test_a_rough_spectrum_is_said_to_be_about() -> None:
    of = [retrieval(*labelled(spread), CLASSES) for spread in (0.01, 3.0)]
    first = labels_section(of[0], of[1], touching_left_out=False, itself=False, rough=True).sentences[0]
    assert "the plain spectrum would give about " in first


def test_mixed_land_is_told_of() -> None:
    assert mixed_words(0) == []
    assert mixed_words(1) == ["1 patch of mixed land is left out: no class covers 80 % of it."]
    assert mixed_words(1200) == ["1,200 patches of mixed land are left out: no class covers 80 % of such a patch."]
