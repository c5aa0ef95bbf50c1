"""What lies behind closed buttons is drawn after all that is seen, and in its place."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def drawing() -> None:
    import streamlit as st

    from pages.ui.common.panels import filled_last, seen_first

    drawn = st.session_state.setdefault("drawn", [])

    def opened(word: str) -> None:
        drawn.append(word)
        st.text(word)

    with seen_first():
        filled_last(st.container(key="first"), lambda: opened("behind the first"))
        filled_last(st.container(key="second"), lambda: opened("behind the second"))
        opened("seen")
    with st.container(key="third"):
        filled_last(st.container(), lambda: opened("at once"))
        opened("after it")


def test_it_is_drawn_last_and_in_its_place_and_at_once_where_nobody_waits() -> None:
    page = AppTest.from_function(drawing).run()
    assert not page.exception
    assert page.session_state["drawn"] == ["seen", "behind the first", "behind the second", "at once", "after it"]
    assert [text.value for text in page.text] == [
        "behind the first",
        "behind the second",
        "seen",
        "at once",
        "after it",
    ]


def failing() -> None:
    import streamlit as st

    from pages.ui.common.panels import filled_last, seen_first

    try:
        with seen_first():
            filled_last(st.container(), lambda: st.text("never"))
            raise LookupError
    except LookupError:
        filled_last(st.container(), lambda: st.text("as if nothing had been"))


def test_a_page_that_fails_takes_with_it_what_waited() -> None:
    page = AppTest.from_function(failing).run()
    assert not page.exception
    assert [text.value for text in page.text] == ["as if nothing had been"]
