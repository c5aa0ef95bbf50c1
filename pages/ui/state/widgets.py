"""Widgets tied to what the session holds: they show it, and it becomes what a person sets them to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.ui.common.format import distinct
from pages.ui.state.session import current


def bound(key: str, attribute: str, take_value: Callable[[Any], None] | None = None) -> dict[str, Any]:
    """Return arguments that tie a widget to an attribute of the session, for ``st.some_widget(label, **bound(…))``.

    The widget shows what the session holds, and the session holds what the widget was set to, on every page.

    Args:
        key: of the widget.
        attribute: of the session; ``draft.size`` is one of its draft.
        take_value: called with what the widget was set to, where more follows from it than the attribute.
    """
    holder, _, name = attribute.rpartition(".")

    def held() -> object:
        return getattr(current(), holder) if holder else current()

    st.session_state[key] = getattr(held(), name)

    def take() -> None:
        value = st.session_state[key]
        if value is None:
            return
        if take_value is None:
            setattr(held(), name, value)
        else:
            take_value(value)

    return {"key": key, "on_change": take}


def select(
    label: str,
    options: Sequence[str],
    chosen: str,
    *,
    key: str,
    title: Callable[[str], str],
    take: Callable[[str], None],
    help_text: str | None = None,
    width: int | None = None,
) -> None:
    """Draw a select box that shows ``chosen`` and calls ``take`` with what a person picks, before the next run.

    One with a ``width`` in pixels stands in a row of tools, where its label is for screen readers only.
    """
    st.session_state[key] = chosen
    st.selectbox(
        label,
        options,
        format_func=distinct({option: title(option) for option in options}).__getitem__,
        key=key,
        help=help_text,
        on_change=lambda: take(st.session_state[key]),
        label_visibility="visible" if width is None else "collapsed",
        width=width or "stretch",
    )


def switch(label: str, on: bool, *, key: str, take: Callable[[bool], None], help_text: str | None = None) -> None:
    """Draw a switch that shows ``on`` and calls ``take`` with what a person sets it to, before the next run."""
    st.session_state[key] = on
    st.toggle(label, key=key, help=help_text, on_change=lambda: take(st.session_state[key]))


def shown(key: str) -> Any:  # noqa: ANN401  as many types as there are widgets
    """Return what a widget shows at this moment, read inside a callback; None when it is not there."""
    return st.session_state.get(key)


def show_text(key: str, text: str) -> None:
    """Have a box show a text with the next drawing."""
    st.session_state[key] = text


def select_row(key: str, position: int) -> None:
    """Mark a row of a table, and no cell, before the next run; inside a callback."""
    st.session_state[key] = {"selection": {"rows": [position], "columns": [], "cells": []}}


def closing_popover(key: str) -> str:
    """Return the key of a popover that was open for something that is done; it closes with the run after ``closing``.

    The popover has to track its state: ``on_change="rerun"``.
    """
    visitor = current()
    if visitor.closing == key:
        st.session_state[key] = False
        visitor.closing = ""
    return key


def choose(label: str, titles: Mapping[str, str], chosen: str, *, key: str, take: Callable[[str], None]) -> None:
    """Draw a few choices, by key, one click each; ``take`` is called with what a person picks, before the next run."""
    st.session_state[key] = chosen
    st.radio(
        label,
        list(titles),
        format_func=lambda name: titles[name],
        key=key,
        on_change=lambda: take(st.session_state[key]),
    )


def trigger(key: str, event: str) -> object:
    """Return what a component of ours just sent, read inside its callback."""
    state = st.session_state.get(key)
    return state.get(event) if isinstance(state, Mapping) else None


def number_box(label: str, low: int, high: int, at: int, *, key: str, take: Callable[[int], None]) -> None:
    """Draw a box that shows a whole number and calls ``take`` with what a person types, before the next run.

    Args:
        label: over it.
        low: the least that can be typed.
        high: the most.
        at: what it shows.
        key: names it.
        take: called with the new number.
    """
    st.session_state[key] = min(max(at, low), high)
    st.number_input(
        label, min_value=low, max_value=high, step=1, key=key, on_change=lambda: take(int(st.session_state[key]))
    )


def slide(
    label: str, low: int, high: int, at: int, *, key: str, step: int, unit: str, take: Callable[[int], None],
    help_text: str | None = None,
) -> None:  # fmt: skip
    """Draw a slider that shows ``at`` and calls ``take`` with where a person leaves it, before the next run.

    Args:
        label: over it.
        low: its lower end.
        high: its upper end.
        at: where it stands.
        key: names it.
        step: between two places.
        unit: behind the numbers, such as ``%``.
        take: called with the new place.
        help_text: behind the question mark.
    """
    st.session_state[key] = at
    st.slider(
        label, low, high, step=step, format=f"%d {unit}".replace("%", "%%").replace("%%d", "%d"), key=key,
        help=help_text, on_change=lambda: take(st.session_state[key]),
    )  # fmt: skip


def segments(
    label: str, titles: Mapping[str, str], chosen: str, *, key: str, take: Callable[[str], None],
    help_text: str | None = None, unseen: bool = False,
) -> None:  # fmt: skip
    """Draw a few choices in a row, by key; ``take`` is called with what a person picks, before the next run.

    The label of one that is ``unseen`` is for screen readers only.
    """
    st.session_state[key] = chosen
    st.segmented_control(
        label, list(titles), format_func=titles.__getitem__, key=key, help=help_text,
        on_change=lambda: take(st.session_state[key] or chosen),
        label_visibility="collapsed" if unseen else "visible",
    )  # fmt: skip
