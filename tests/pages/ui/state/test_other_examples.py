"""Examples that are no patches of the open scene: their addresses, the history they make, and what cannot be drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import SettingsError
from core.scenes.patches import PatchRef
from core.search.chips import ChipExample
from core.search.examples import AreaExample, Evidence, PatchExample, VectorExample
from pages.ui.state.other_examples import drawn_area, others_digest, others_link, read_others
from pages.ui.state.question import Question, question_of
from pages.ui.state.seen import SeenPatches
from pages.ui.state.session import Session

AREA = AreaExample(area=drawn_area([[51.43, 4.44], [51.442, 4.445], [51.4, 4.5]]))
CHIP = ChipExample(chip="s-0123", good=False)
PATCH = PatchExample(ref=PatchRef("s-2", 17))
ALL = (AREA, CHIP, PATCH)


def test_an_address_gives_all_kinds_back() -> None:
    assert read_others(others_link(ALL)) == ALL
    assert others_link(()) == ""
    assert read_others("") == ()
    question = Question("s-1", (3,), (5,), others=ALL)
    assert Question.parse("s-1", "3", "5", also=question.link()["also"]) == question
    assert (question.count(good=True), question.count(good=False), len(question)) == (3, 2, 5)


@pytest.mark.parametrize(
    "text", ["x", "+", "+@1_2", "+@1_2_3_4_a_b", "+@0_0_1_1_2_2", "+~../x", "+s-2:x", ";;", "~s-1"]
)
def test_parts_of_an_address_that_make_no_sense_are_passed_over(text: str) -> None:
    assert read_others(text) == ()
    assert read_others(f"{text};+s-2:17") == (PATCH,)


def test_areas_too_long_for_an_address_are_left_out_of_it_and_still_told_apart() -> None:
    many = drawn_area([[50 + number % 7 / 10, number / 100] for number in range(2)] + [[40.0, 1.0]])
    assert others_link((AreaExample(area=many),))
    corners = [[50 + number / 1000, 4.0] for number in range(70)] + [[50.0, 5.0]]
    long = AreaExample(area=drawn_area(corners))
    other = AreaExample(area=drawn_area([*corners[:-1], [50.0, 5.1]]))
    assert others_link((long,)) == ""
    assert others_digest((long,)) != others_digest((other,))
    assert others_digest((AREA,)) != others_digest((replace(AREA, good=False),))
    assert others_digest(()) == ""


@pytest.mark.parametrize("text", ["3x0", "3x1000", "x2", "3x2.", "3x2__4x2", "3x1e5"])
def test_weights_of_an_address_that_make_no_sense_are_passed_over(text: str) -> None:
    found = Question.parse("s-1", "3.4", "", weights=text)
    assert found is not None
    assert found.weights == ()


def test_weights_go_with_their_examples() -> None:
    area = AreaExample(area=drawn_area([(0, 0), (0, 1), (1, 1)]))
    asked = Question("s-1", (3, 4), (5,), others=(area,)).weighed(4, 2).weighed(5, 0.5).weighed(9, 2).weighing(0, 0.5)
    assert asked.weights == ((4, 2), (5, 0.5)), "9 is no example"
    assert asked.others[0].weight == 0.5
    link = asked.link()
    assert link["weights"] == "4x2_5x0.5"
    again = Question.parse("s-1", link["like"], link["unlike"], also=link["also"], weights=link["weights"])
    assert again is not None
    assert (again.weights, again.others[0].weight, again.like) == (asked.weights, 0.5, (3, 4))
    assert asked.marked(4, -1).weight(4) == 2, "turned round it keeps its weight"
    assert asked.marked(4, 0).weights == ((5, 0.5),)
    assert asked.weighed(4, 1).weights == ((5, 0.5),)
    assert asked.only(frozenset({3, 4})).weights == ((4, 2),)
    digests = {others_digest(one.others, one.weights) for one in (asked, asked.weighed(4, 1), asked.weighing(0, 1))}
    assert len(digests) == 3, "values of one are not those of another"


@pytest.mark.parametrize(
    "corners",
    [
        [],
        [[1, 2], [3, 4]],
        [[0, 0], [1, 1], [1, 0], [0, 1]],
        [[0, "a"], [1, 1], [0, 1]],
        [[99, 0], [1, 1], [0, 1]],
    ],
)
def test_what_encloses_nothing_is_no_area(corners: list[object]) -> None:
    with pytest.raises(SettingsError):
        drawn_area(corners)


def test_examples_are_turned_dropped_and_replaced() -> None:
    question = Question("s-1").having(AREA).having(CHIP).having(PATCH)
    assert question.others == ALL
    assert question.turning(1).others[1] == replace(CHIP, good=True)
    assert question.dropping(0).others == (CHIP, PATCH)
    assert question.dropping(9) == question
    assert question.having(replace(AREA, good=False)).others == (CHIP, PATCH, replace(AREA, good=False))
    assert question.having(PatchExample(ref=PatchRef("s-1", 4), good=False)).unlike == (4,), "a patch of its own scene"
    assert question.answerable
    assert not Question("s-1", others=(CHIP,)).answerable, "what is not looked for alone says nothing"


def test_back_and_forward_walk_through_them_in_the_browser_too() -> None:
    visitor = Session()
    visitor.open("s-1")
    visitor.ask(PatchRef("s-1", 3))
    first = visitor.link("e")
    visitor.having("s-1", AREA)
    second = visitor.link("e")
    visitor.having("s-1", CHIP)
    asked = visitor.asking
    visitor.revisit(second)
    assert visitor.question("s-1").others == (AREA,)
    visitor.revisit(first)
    assert visitor.asking == PatchRef("s-1", 3)
    assert len(visitor.future) == 2
    visitor.revisit(second)
    visitor.forward()
    assert visitor.asking == asked
    there = Session()
    there.follow(visitor.link("e"))
    assert there.question("s-1") == visitor.question("s-1")


def test_a_fresh_example_takes_the_place_of_a_single_query_and_joins_a_list() -> None:
    visitor = Session()
    visitor.open("s-1")
    visitor.ask(PatchRef("s-1", 3))
    visitor.having("s-1", AREA, fresh=True)
    assert visitor.question("s-1") == Question("s-1", others=(AREA,))
    visitor.having("s-1", PATCH, fresh=True)
    assert visitor.question("s-1").others == (AREA, PATCH)


def test_evidence_becomes_a_question_and_its_pictures_are_kept() -> None:
    picture = VectorExample(vector=(1.0,), fingerprint="f", good=False)
    mine, other = PatchExample(ref=PatchRef("s-1", 3)), AreaExample(area=drawn_area([[51, 4], [51, 5], [52, 5]]))
    evidence = Evidence(examples=(mine, other, picture, PATCH))
    found = question_of(evidence, "s-1", lambda one: replace(CHIP, good=one.good))
    assert found == Question("s-1", (3,), others=(other, CHIP, PATCH))


def test_seen_patches_are_left_out_when_asked_and_not_before() -> None:
    seen = SeenPatches()
    seen.note("a", [1, 2])
    assert (seen.count("a"), seen.out("a")) == (2, frozenset())
    seen.leave_out("a")
    seen.note("a", [2, 3])
    assert (seen.count("a"), seen.out("a")) == (1, {1, 2})
    assert (seen.count("b"), seen.out("b")) == (0, frozenset())
    seen.reset("a")
    assert (seen.count("a"), seen.out("a")) == (0, frozenset())
