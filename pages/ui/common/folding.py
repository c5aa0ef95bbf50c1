"""Lines of news: the newest is on show, the others are folded under it, so that they leave the page its room."""

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
    """

    about: str
    at: float = 0.0
    draw: Callable[[], None]
    dismiss: Callable[[], None] | None = None


def draw_news(lines: Sequence[NewsLine], key: str) -> None:
    """Draw what is under way and what came last, a line each; the rest folded, and counted.

    Args:
        lines: in any order; those without a time keep theirs.
        key: names the fold.
    """
    going = [line for line in lines if not line.at]
    ended = sorted((line for line in lines if line.at), key=lambda line: line.at, reverse=True)
    for line in (*going[:1], *ended[:1]):
        line.draw()
    rest = [*going[1:], *ended[1:]]
    if len(rest) == 1:
        rest[0].draw()
    elif rest:
        with st.expander(more_words(rest), key=key):
            for line in rest:
                line.draw()
            if any(line.dismiss for line in rest):
                st.button("Dismiss all", key=f"dismiss_all_{key}", on_click=_dismiss, args=(rest,))


def more_words(rest: Sequence[NewsLine]) -> str:
    """Return the title of a fold: ``5 more: 3 under way, 1 failed, 1 in``."""
    abouts = [line.about for line in rest]
    each = [f"{abouts.count(about)} {about}" for about in dict.fromkeys(abouts)]
    return f"{len(rest)} more: {', '.join(each)}"


def _dismiss(lines: Sequence[NewsLine]) -> None:
    for line in lines:
        if line.dismiss is not None:
            line.dismiss()
