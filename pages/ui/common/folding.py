"""Lines of news: what asks something and what is new is on show; the rest is folded, and leaves the page its room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True, kw_only=True)
class NewsLine:
    """One line.

    Attributes:
        about: what it counts as where it is folded: ``under way``, ``failed``, ``in``.
        at: seconds since 1970 that it is of; 0 = of now.
        draw: draws it.
        dismiss: makes it go for good; None = it goes by itself.
        asks: True = it waits for an answer of the person, and stays on show until it has one.
    """

    about: str
    at: float = 0.0
    draw: Callable[[], None]
    dismiss: Callable[[], None] | None = None
    asks: bool = False


MOST_ASKING = 3
"""Questions on show; a whole folder that needs the same answer would fill the page."""


def draw_news(lines: Sequence[NewsLine], key: str) -> None:
    """Draw what waits for an answer, what is under way and what came last; the rest folded, and counted.

    Args:
        lines: in any order; those without a time keep theirs.
        key: names the fold.
    """
    shown, rest = parted(lines)
    for line in shown:
        line.draw()
    if len(rest) == 1:
        rest[0].draw()
    elif rest:
        with st.expander(more_words(rest), key=key):
            for line in rest:
                line.draw()
            told = [line for line in rest if not line.asks]  # What is asked is not waved away with the rest.
            if any(line.dismiss for line in told):
                st.button("Dismiss all", key=f"dismiss_all_{key}", on_click=_dismiss, args=(told,))


def parted(lines: Sequence[NewsLine]) -> tuple[list[NewsLine], list[NewsLine]]:
    """Return the lines on show, questions first, and those that are folded; in each the newest first."""
    ended = sorted((line for line in lines if line.at and not line.asks), key=lambda line: line.at, reverse=True)
    asking = sorted((line for line in lines if line.asks), key=lambda line: line.at, reverse=True)
    going = [line for line in lines if not line.at and not line.asks]
    return (
        [*asking[:MOST_ASKING], *going[:1], *ended[:1]],
        [*asking[MOST_ASKING:], *going[1:], *ended[1:]],
    )


def more_words(rest: Sequence[NewsLine]) -> str:
    """Return the title of a fold: ``5 more: 3 under way, 1 failed, 1 in``."""
    abouts = [line.about for line in rest]
    each = [f"{abouts.count(about)} {about}" for about in dict.fromkeys(abouts)]
    return f"{len(rest)} more: {', '.join(each)}"


def _dismiss(lines: Sequence[NewsLine]) -> None:
    for line in lines:
        if line.dismiss is not None:
            line.dismiss()
