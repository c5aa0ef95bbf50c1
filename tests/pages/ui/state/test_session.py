"""Walking through queries, links and selections, without a page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.state.session import Session


def test_asking_remembers_where_one_was() -> None:
    visitor = Session(scene_id="s")
    for query in (1, 2, 3):
        visitor.ask(query)
    visitor.back()
    assert (visitor.query, visitor.past, visitor.future) == (2, [1], [3])
    visitor.back()
    visitor.back()
    assert (visitor.query, visitor.future) == (1, [3, 2])
    visitor.forward()
    visitor.forward()
    visitor.forward()
    assert (visitor.query, visitor.past, visitor.future) == (3, [1, 2], [])


def test_a_new_query_ends_what_was_forward() -> None:
    visitor = Session(scene_id="s")
    visitor.ask(1)
    visitor.ask(2)
    visitor.back()
    visitor.ask(9)
    assert (visitor.query, visitor.past, visitor.future) == (9, [1], [])


def test_asking_for_the_same_again_changes_nothing() -> None:
    visitor = Session(scene_id="s")
    visitor.ask(1)
    visitor.ask(1)
    assert visitor.past == []


@given(st.lists(st.one_of(st.integers(0, 5), st.sampled_from(["back", "forward", "clear"])), max_size=40))
def test_back_undoes_and_forward_redoes(steps: list[int | str]) -> None:
    visitor = Session(scene_id="s")
    for step in steps:
        if isinstance(step, int):
            visitor.ask(step)
        else:
            getattr(visitor, step)()
    before = visitor.query
    if visitor.past and before is not None:
        visitor.back()
        visitor.forward()
        assert visitor.query == before


def test_another_scene_forgets_patches_and_the_same_does_not() -> None:
    visitor = Session(scene_id="one", query=3, selection=(1, 2), past=[5])
    visitor.open("one")
    assert visitor.query == 3
    visitor.open("two")
    assert (visitor.query, visitor.selection, visitor.past) == (None, (), [])


def test_clearing_can_be_undone() -> None:
    visitor = Session(scene_id="s", query=3, selection=(1, 2))
    visitor.clear()
    assert (visitor.query, visitor.selection) == (None, ())
    visitor.back()
    assert visitor.query == 3


def test_selections_are_sorted_sets_and_show_themselves() -> None:
    visitor = Session(scene_id="s", query=1)
    visitor.select([5, 2, 5])
    assert (visitor.selection, visitor.show) == ((2, 5), "selection")
    visitor.ask(2)
    assert visitor.show == "similar"
    visitor.select([])
    assert (visitor.selection, visitor.show) == ((), "similar")


def test_a_link_leads_back_to_where_it_was_made() -> None:
    visitor = Session()
    visitor.follow(Session(scene_id="quilt-1", query=12).link("spectral"))
    assert (visitor.scene_id, visitor.query, visitor.encoder) == ("quilt-1", 12, "spectral")


def test_a_link_holds_only_what_is_known() -> None:
    assert Session(scene_id="s").link(None) == {"scene": "s"}
    assert Session(scene_id="s", query=0).link("spectral")["q"] == "0"


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
        visitor.ask(query)
    assert len(visitor.past) == 200
