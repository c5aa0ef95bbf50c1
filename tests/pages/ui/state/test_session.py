"""Walking through queries, links and selections, without a page."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.scenes.cut import DEFAULT_CUT, Cut
from core.scenes.patches import PatchRef, PatchRefs, patch_refs
from core.scenes.regions.map_region import polygon_region
from core.search.chips import ChipExample
from core.search.conditions import AreaCondition
from core.search.examples import AreaExample
from core.search.filters import Filters
from pages.ui.explore.header import not_in
from pages.ui.state.question import Question
from pages.ui.state.session import NOTHING_SELECTED, SETTINGS, Session


def at(*patches: int) -> list[PatchRef]:
    """Patches of the scene ``s``."""
    return [PatchRef("s", patch) for patch in patches]


def test_asking_remembers_where_one_was() -> None:
    visitor = Session(scene_id="s")
    one, two, three = at(1, 2, 3)
    for query in (one, two, three):
        visitor.ask(query)
    visitor.back()
    assert (visitor.query, visitor.past, visitor.future) == (two, [one], [three])
    visitor.back()
    visitor.back()
    assert (visitor.query, visitor.future) == (one, [three, two])
    visitor.forward()
    visitor.forward()
    visitor.forward()
    assert (visitor.query, visitor.past, visitor.future) == (three, [one, two], [])


def test_a_new_query_ends_what_was_forward() -> None:
    visitor = Session(scene_id="s")
    one, two, nine = at(1, 2, 9)
    visitor.ask(one)
    visitor.ask(two)
    visitor.back()
    visitor.ask(nine)
    assert (visitor.query, visitor.past, visitor.future) == (nine, [one], [])


def test_asking_for_the_same_again_changes_nothing() -> None:
    visitor = Session(scene_id="s")
    visitor.ask(PatchRef("s", 1))
    visitor.ask(PatchRef("s", 1))
    assert visitor.past == []


def test_the_browsers_back_and_forward_walk_through_the_same_queries() -> None:
    visitor = Session(scene_id="s-1")
    one, two = (PatchRef("s-1", patch) for patch in (1, 2))
    addresses = [visitor.link("e")]
    for query in (one, two):
        visitor.ask(query)
        addresses.append(visitor.link("e"))
    visitor.revisit(addresses[1])
    assert (visitor.query, visitor.past, visitor.future) == (one, [], [two])
    visitor.revisit(addresses[2])
    assert (visitor.query, visitor.past, visitor.future) == (two, [one], [])
    for address in (addresses[0], addresses[2]):
        visitor.revisit(address)
        assert visitor.link("e") == address


def test_the_browsers_back_leads_to_another_scene_cut_otherwise_and_nowhere_without_one() -> None:
    visitor = Session(scene_id="s-1")
    visitor.cuts["s-1"] = "32-32"
    visitor.ask(PatchRef("s-1", 7))
    before = visitor.link("e")
    visitor.recut("s-1", DEFAULT_CUT, None)
    visitor.cutting = True
    visitor.open("s-2")
    visitor.ask(PatchRef("s-2", 7))
    visitor.revisit(before)
    assert (visitor.link("e"), visitor.cutting) == (before, False)
    visitor.revisit({})
    assert visitor.link("e") == before


def test_links_and_the_history_hold_whether_unfamiliar_patches_are_marked() -> None:
    visitor = Session(scene_id="quilt-1")
    before = visitor.link("spectral")
    visitor.marks = True
    marked = visitor.link("spectral")
    other = Session()
    other.follow(marked)
    assert other.marks is True
    visitor.revisit(before)
    assert visitor.link("spectral") == before, "else the address would be written again, and Back lead nowhere"
    visitor.revisit(marked)
    assert visitor.link("spectral") == marked
    visitor.open("other-1")
    assert visitor.marks is None


@given(st.lists(st.one_of(st.integers(0, 5), st.sampled_from(["back", "forward", "clear"])), max_size=40))
def test_back_undoes_and_forward_redoes(steps: list[int | str]) -> None:
    visitor = Session(scene_id="s")
    for step in steps:
        if isinstance(step, int):
            visitor.ask(PatchRef("s", step))
        else:
            getattr(visitor, step)()
    before = visitor.query
    if visitor.past and before is not None:
        visitor.back()
        visitor.forward()
        assert visitor.query == before


def test_examples_are_a_step_of_the_history_and_one_alone_is_a_query() -> None:
    visitor = Session(scene_id="s")
    visitor.ask(PatchRef("s", 3))
    visitor.exemplify(PatchRef("s", 17), 1)
    visitor.exemplify(PatchRef("s", 5), -1)
    assert visitor.examples == Question("s", (3, 17), (5,))
    assert visitor.query == PatchRef("s", 3)
    visitor.exemplify(PatchRef("s", 17), -1)
    assert visitor.examples == Question("s", (3,), (5, 17)), "a patch is one or the other"
    visitor.back()
    visitor.back()
    visitor.back()
    assert (visitor.asking, visitor.examples) == (PatchRef("s", 3), None)
    visitor.forward()
    assert visitor.asking == Question("s", (3, 17))
    visitor.exemplify(PatchRef("s", 3), 0)
    assert visitor.asking == PatchRef("s", 17), "what one example says, a query says"
    visitor.exemplify(PatchRef("s", 17), -1)
    assert (visitor.query, visitor.question("s")) == (None, Question("s", (), (17,)))
    visitor.ask(PatchRef("s", 9))
    assert (visitor.asking, visitor.examples) == (PatchRef("s", 9), None), "a plain click asks for the like of one"


def test_links_hold_examples_and_the_browsers_back_walks_through_them() -> None:
    visitor = Session(scene_id="s-1")
    visitor.ask(PatchRef("s-1", 3))
    addresses = [visitor.link("e")]
    for patch, sign in ((17, 1), (5, -1)):
        visitor.exemplify(PatchRef("s-1", patch), sign)
        addresses.append(visitor.link("e"))
    assert (addresses[2]["like"], addresses[2]["unlike"]) == ("3.17", "5")
    other = Session()
    other.follow(addresses[2])
    assert other.asking == visitor.asking
    visitor.revisit(addresses[1])
    assert (visitor.asking, len(visitor.past), len(visitor.future)) == (Question("s-1", (3, 17)), 1, 1)
    visitor.revisit(addresses[0])
    assert visitor.link("e") == addresses[0]
    only_bad = Session()
    only_bad.follow({"scene": "s-1", "unlike": "5.6"})
    assert (only_bad.query, only_bad.examples) == (None, Question("s-1", (), (5, 6)))


def test_an_area_of_patches_is_a_few_ranges_in_a_link() -> None:
    box = tuple(row * 30 + col for row in range(5, 15) for col in range(4, 24))
    visitor = Session(scene_id="s-1")
    visitor.pursue(Question("s-1", box))
    address = visitor.link("e")
    assert address["like"].startswith("154-173.184-203.")
    assert len(address["like"]) < 100
    other = Session()
    other.follow(address)
    assert other.asking == visitor.asking
    visitor.pick(PatchRef("s-1", 7))
    visitor.pick(PatchRef("s-1", 5))
    visitor.pick(PatchRef("s-1", 7))
    assert visitor.selection == PatchRefs("s-1", (5,))


@pytest.mark.parametrize("like", ["0-999999999", "9-3", "3..4", "-1", "a", "3,4", "9999999999", "3.", "<b>"])
def test_examples_that_cannot_be_meant_are_passed_over(like: str) -> None:
    visitor = Session()
    visitor.follow({"scene": "s-1", "q": "7", "like": like})
    assert visitor.asking == PatchRef("s-1", 7)


def test_another_scene_forgets_patches_and_the_same_does_not() -> None:
    query = PatchRef("one", 3)
    visitor = Session(scene_id="one", query=query, selection=PatchRefs("one", (1, 2)), past=[PatchRef("one", 5)])
    visitor.open("one")
    assert visitor.query == query
    visitor.open("two")
    assert (visitor.query, visitor.selection, visitor.past) == (None, NOTHING_SELECTED, [])


def test_clearing_can_be_undone() -> None:
    visitor = Session(scene_id="s", query=PatchRef("s", 3), selection=PatchRefs("s", (1, 2)))
    visitor.clear()
    assert (visitor.query, visitor.selection) == (None, NOTHING_SELECTED)
    visitor.back()
    assert visitor.query == PatchRef("s", 3)


def test_selections_are_sorted_sets_and_show_themselves() -> None:
    visitor = Session(scene_id="s", query=PatchRef("s", 1))
    visitor.select(patch_refs("s", [5, 2, 5]))
    assert (list(visitor.selection), visitor.show) == (at(2, 5), "selection")
    visitor.ask(PatchRef("s", 2))
    assert visitor.show == "similar"
    visitor.select(patch_refs("s", []))
    assert (len(visitor.selection), visitor.show) == (0, "similar")


def test_a_link_leads_back_to_where_it_was_made() -> None:
    visitor = Session()
    visitor.follow(Session(scene_id="quilt-1", query=PatchRef("quilt-1", 12)).link("spectral"))
    assert (visitor.scene_id, visitor.query, visitor.encoder) == ("quilt-1", PatchRef("quilt-1", 12), "spectral")


def test_a_link_holds_the_cut_unless_it_is_the_usual_one() -> None:
    visitor = Session(scene_id="quilt-1", cuts={"quilt-1": "32-16c", "other-1": "64-64"})
    assert visitor.link(None) == {"scene": "quilt-1", "cut": "32-16c"}
    other = Session()
    other.follow(visitor.link(None))
    assert other.cut("quilt-1") == Cut.of(32, 16, edge="cover")
    visitor.open("other-1")
    assert visitor.link(None) == {"scene": "other-1"}
    visitor.open("quilt-1")
    assert visitor.cut("quilt-1").key == "32-16c", "each scene keeps its own"


def test_another_cut_has_other_patches() -> None:
    visitor = Session(scene_id="s", query=PatchRef("s", 3), selection=PatchRefs("s", (1,)), cutting=True)
    visitor.recut("s", Cut.of(32), PatchRef("s", 12))
    assert (visitor.query, visitor.selection, visitor.past) == (PatchRef("s", 12), NOTHING_SELECTED, [])
    assert (visitor.cut("s"), visitor.cutting) == (Cut.of(32), False)


def test_a_link_to_a_patch_of_another_scene_names_it() -> None:
    elsewhere = PatchRef("tundra-1", 12)
    link = Session(scene_id="quilt-1", query=elsewhere).link(None)
    assert link == {"scene": "quilt-1", "q": "tundra-1:12"}
    visitor = Session()
    visitor.follow({"q": link["q"]})
    assert (visitor.scene_id, visitor.query) == ("tundra-1", elsewhere)


def test_a_number_alone_is_of_the_scene_that_is_opened_then() -> None:
    visitor = Session()
    visitor.follow({"q": "7"})
    assert visitor.query is None
    visitor.open("newest-1")
    assert visitor.query == PatchRef("newest-1", 7)
    visitor.open("other-1")
    assert visitor.query is None


def test_a_link_holds_only_what_is_known() -> None:
    assert Session(scene_id="s").link(None) == {"scene": "s"}
    assert Session(scene_id="s", query=PatchRef("s", 0)).link("spectral")["q"] == "0"


@pytest.mark.parametrize("query", ["", "-1", "1.5", "x", "٣", "9" * 30, " 4"])
def test_a_query_that_is_no_number_is_passed_over(query: str) -> None:
    visitor = Session()
    visitor.follow({"scene": "s", "q": query})
    assert visitor.query is None


@pytest.mark.parametrize("scene", ["", "../x", "A", "a" * 65, "a/b", "-a"])
def test_a_scene_that_is_no_id_is_passed_over(scene: str) -> None:
    visitor = Session()
    visitor.follow({"scene": scene})
    assert visitor.scene_id is None


def test_a_session_holds_small_things_only() -> None:
    visitor = Session(scene_id="s")
    for query in range(1000):
        visitor.ask(PatchRef("s", query))
    assert len(visitor.past) == 200


def test_the_address_holds_the_settings_of_this_moment_and_going_back_brings_those_of_before() -> None:
    visitor = Session(scene_id="s-1")
    visitor.ask(PatchRef("s-1", 3))
    asked = visitor.link("e")
    visitor.count, visitor.colour = 50, "ndvi"
    visitor.limit(0.25)
    visitor.filter('[{"value":"ndvi","low":0.2,"high":null}]')
    visitor.select(PatchRefs("s-1", (4, 5, 6, 9)))
    shared = visitor.link("e")
    assert {name for name in shared if shared[name] != asked.get(name)} <= set(SETTINGS), "no step of the history"
    assert (shared["k"], shared["above"], shared["colour"], shared["sel"]) == ("50", "0.25", "ndvi", "4-6.9")
    other = Session()
    other.follow(shared)
    assert other.link("e") == shared
    assert other.settings() == visitor.settings()
    assert (other.count, other.least, other.selection) == (50, 0.25, visitor.selection)
    other.exemplify(PatchRef("s-1", 8), 1)
    after = other.link("e")
    other.revisit(shared)
    assert other.link("e") == shared
    other.revisit(after)
    assert other.link("e") == after
    other.revisit(asked)
    assert other.link("e") == asked
    assert (other.count, other.least, other.filters, other.colour, other.selection.patches) == (20, None, "", None, ())
    other.select(PatchRefs("s-1", tuple(range(0, 2000, 2))))
    other.revisit(shared | {"sel": "x"})
    assert len(other.selection) == 1000, "no address can hold it, so none takes it away"


@pytest.mark.parametrize("least", [0.00005, -0.00005, 1.0, 0.0, 0.1234567890123456, -0.25])
def test_a_link_holds_any_threshold(least: float) -> None:
    visitor, other = Session(scene_id="s-1", query=PatchRef("s-1", 3), least=least), Session()
    other.follow(visitor.link("e"))
    assert other.least == pytest.approx(least, abs=1e-12)


def test_what_a_link_cannot_hold_is_left_out_whole_and_said() -> None:
    corners = [(10 + 5 * math.cos(at / 50), 50 + 5 * math.sin(at / 50)) for at in range(300)]
    area = AreaExample(area=polygon_region(corners))
    visitor = Session(scene_id="s-1", examples=Question("s-1", (3,), others=(area,)), query=PatchRef("s-1", 3))
    visitor.filter(Filters(conditions=(AreaCondition(area=area.area),)).link())
    visitor.select(PatchRefs("s-1", tuple(range(0, 2000, 2))))
    shared, other = visitor.link("e"), Session()
    assert not_in(shared, visitor) == "1 example, the filter and 1,000 patches selected"
    other.follow(shared | {"where": visitor.filters})
    assert (other.filters, other.query) == ("", PatchRef("s-1", 3)), "half of the conditions would be others"
    chip = Session(scene_id="s-1", examples=Question("s-1", others=(ChipExample(chip="c-1"),)))
    assert not_in(chip.link("e"), chip) == "", "a picture alone is in the link"


@pytest.mark.parametrize("setting", [{"k": "x"}, {"k": "9999"}, {"above": "nan"}, {"above": "1e9"}, {"sel": "<b>"}])
def test_settings_that_cannot_be_meant_are_passed_over(setting: dict[str, str]) -> None:
    visitor = Session()
    visitor.follow({"scene": "s-1", "q": "3"} | setting)
    assert (visitor.count, visitor.least, visitor.selection.patches) == (20, None, ())


def test_words_are_a_question_and_an_example_takes_their_place() -> None:
    visitor = Session(scene_id="s-1")
    visitor.pursue(Question("s-1", words="bare soil"))
    assert (visitor.link("e")["words"], visitor.query) == ("bare soil", None)
    other = Session()
    other.follow(visitor.link("e"))
    assert other.asking == visitor.asking
    visitor.exemplify(PatchRef("s-1", 8), 1)
    assert visitor.asking == PatchRef("s-1", 8)
    visitor.back()
    assert visitor.asking == Question("s-1", words="bare soil")
