"""A model card as people read it: what an encoder learned from, how well it does, and what it never saw."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import streamlit as st

from core.bands import class_title
from core.encoders.base import EncoderSpec
from core.encoders.eight_bits import Trial
from core.encoders.registry import EncoderListing, eight_bit_trial
from core.training.base_model import SCRATCH
from pages.ui.common.escape import plain
from pages.ui.common.format import count, patches
from pages.ui.models.figures import figure_table, land_remarks
from pages.ui.models.getting import without_connection
from pages.ui.state import cache
from pages.ui.state.engine import engine

SHOWN_CLASSES = 12
NO_TITLES: Mapping[str, str] = MappingProxyType({})
PRECISIONS: Mapping[str, str] = MappingProxyType(
    {"f32": "32-bit numbers", "bf16": "16-bit numbers", "int8": "8-bit numbers"}
)
"""What the numbers that an encoder computes in are called, by ``EncoderSpec.precision``."""
WHY_THEY_DIFFER = (
    "Land that lies near land it learned from is easier: it shares light, season and farming. The second figure is "
    "what to expect elsewhere."
)


def load_card(listing: EncoderListing) -> dict[str, Any]:
    """Load the card of an encoder; empty when it has none."""
    return cache.card_by_encoder(listing.name) if listing.available else {}


def show_card(listing: EncoderListing, place: str = "page") -> None:
    """Draw all that is known of an encoder; ``place`` tells apart where a card is drawn twice."""
    if listing.spec is None:
        _absent(listing)
        return
    card = load_card(listing)
    first, *more = card_lines(card, listing.spec, {name: other.title for name, other in cache.encoders().items()})
    st.markdown(first)
    table = figure_table(card)
    if table:
        st.html(table)
    for remark in land_remarks(card):
        st.caption(remark)
    land = cache.land_of_encoder(listing.spec.fingerprint)
    if land:
        st.markdown("**On land with a map of classes, measured here**")
        st.markdown("\n".join(f"- {plain(name)}: {plain(told)}" for name, told in land.items()))
    if card.get("limits"):
        st.markdown("**What it has not learned**")
        st.markdown("\n".join(f"- {plain(str(limit))}" for limit in card["limits"]))
    if more:
        with st.expander(
            "How it was taught and measured", expanded="verdict" in card, key=f"taught_{listing.name}_{place}"
        ):
            for line in more:
                st.markdown(line)
    st.caption(technical(listing.spec, card))
    numbers = numbers_words(listing.spec, eight_bit_trial(listing.name, engine().config))
    if numbers:
        st.caption(numbers)


def _absent(listing: EncoderListing) -> None:
    """Say why there is no card, and how files that are not here can be had without this computer's network."""
    if not listing.fetchable:
        st.markdown(plain(listing.why_not or ""))
        return
    st.markdown("Its files are not on this computer.")
    without_connection(listing)


def card_lines(card: Mapping[str, Any], spec: EncoderSpec, titles: Mapping[str, str] = NO_TITLES) -> list[str]:
    """Say what an encoder is in sentences of Markdown; ``titles`` are those of encoders by name."""
    if not card:
        return [_without_card(spec)]
    lines = [learned(card, titles), kept(card), *accuracy(card)]
    measured = card.get("measured")
    if isinstance(measured, list):
        lines += [plain(str(line)) for line in measured]
    return [line for line in lines if line]


def learned(card: Mapping[str, Any], titles: Mapping[str, str] = NO_TITLES) -> str:
    """Say what a model learned from."""
    classes = card.get("classes")
    if not isinstance(classes, dict):
        return ""
    total = sum(int(number) for number in classes.values())
    names = [plain(class_title(str(name))) for name in classes]
    shown = ", ".join(names[:SHOWN_CLASSES]) + (" and others" if len(names) > SHOWN_CLASSES else "")
    start = str(card.get("base") or SCRATCH)
    before = (
        f", going on from {plain(str(titles.get(start) or card.get('base_title') or start))}"
        if start != SCRATCH
        else ""
    )
    data, date = plain(str(card.get("data", ""))), plain(str(card.get("date", "")))
    return f"Learned from {patches(total)} of {data}{before}, {date}. {count(len(names), 'class', 'classes')}: {shown}."


def kept(card: Mapping[str, Any]) -> str:
    """Say which pass a model is of, where one was chosen."""
    number, history = card.get("kept_epoch"), card.get("history")
    if card.get("head"):
        base = plain(str(card.get("base_title") or card.get("base")))
        return f"A head: its features are those of {base}, and a classifier on them names the classes."
    if not isinstance(number, int) or not isinstance(history, list):
        return ""
    if not number:
        base = plain(str(card.get("base_title") or card.get("base")))
        return f"No pass named more of the patches it was chosen by than {base} did, so its network is kept as it was."
    of = f"pass {number} of {len(history)}"
    return f"It is as after {of}, the best by patches that were held out to choose by and are not in the figures below."


def accuracy(card: Mapping[str, Any]) -> list[str]:
    """Say both accuracies, and why they differ."""
    found = card.get("accuracy")
    if not isinstance(found, dict):
        return []
    lines = []
    kinds = {"random": "held out at random", "spatial": "in blocks of land that were held out whole"}
    for kind, what in kinds.items():
        figures = found.get(kind)
        if isinstance(figures, dict):
            lines.append(f"Of {patches(int(figures['patches']))} {what} it names **{times(figures)}** rightly.")
    if len(lines) == len(kinds):
        lines.append(WHY_THEY_DIFFER)
    elif "random" in found:
        lines.append(
            "The patches it learned from do not say where they lie, so no block of land could be held out whole."
        )
    return lines


def times(figures: Mapping[str, Any]) -> str:
    """Put a share and its interval in words: ``97 in 100 (96 to 98)``."""
    share, low, high = (100 * float(figures[key]) for key in ("accuracy", "low", "high"))
    return f"{share:.0f} in 100 ({low:.0f} to {high:.0f})"


def technical(spec: EncoderSpec, card: Mapping[str, Any]) -> str:
    """Put bands, size, features and backend in one line."""
    side = f"{spec.input_size} × {spec.input_size} pixels" if spec.input_size else "patches of any size"
    epochs = f" · {count(int(card['epochs']), 'pass', 'passes')}" if isinstance(card.get("epochs"), int) else ""
    bands = count(len(spec.bands), "band")
    numbers = PRECISIONS.get(spec.precision, spec.precision)
    return f"{bands} · {side} · {spec.dimension} features · {spec.backend}, {numbers}{epochs}"


def numbers_words(spec: EncoderSpec, trial: Trial | None) -> str:
    """Say why an encoder computes in shorter numbers here, or does not, and what that changes; empty = it is as usual.

    Args:
        spec: of the encoder.
        trial: of its 8-bit form on this processor; None = it has none, or was not tried.
    """
    short = "This processor is quicker with 16-bit numbers than with 32-bit ones; neighbours are nearly the same."
    before = f"{short} " if spec.precision == "bf16" else ""
    if trial is None:
        return before.strip()
    if not trial.faster:
        return f"{before}It has a quicker form in 8-bit numbers, which could not be tried on this computer."
    found = f"{trial.faster:.1f} times as fast as with {PRECISIONS.get(trial.beside, trial.beside)}"
    same = f"{100 * trial.agreeing:.0f} of 100 neighbours are the same as with 32-bit ones"
    if trial.pays:
        return f"With 8-bit numbers it is {found} on this computer, and {same}; that was measured before its first use."
    return f"{before}8-bit numbers were tried on this computer and are not used: it is {found}, and {same}."


def _without_card(spec: EncoderSpec) -> str:
    if spec.backend == "numpy":
        return (
            "Mean and spread of each band and of NDVI, NDWI and NDBI in a patch. It has learned nothing and sees no "
            "texture; every other encoder has to do better than this to be worth its time."
        )
    return "No model card came with this model: what it learned from, and how well it does, is not known here."
