"""A model card as people read it: what an encoder learned from, how well it does, and what it never saw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.bands import class_title
from core.encoders.base import EncoderSpec
from core.encoders.model_files import CARD
from core.encoders.registry import EncoderListing, companion
from core.store_trained import read_card
from pages.ui.labels import plain
from pages.ui.words import count, patches

MOST_CLASSES = 12
WHY_THEY_DIFFER = (
    "Land that lies near land it learned from is easier: it shares light, season and farming. The second figure is "
    "what to expect elsewhere."
)


def card_of(listing: EncoderListing) -> dict[str, Any]:
    """The card of an encoder; empty when it has none."""
    return read_card(companion(listing.name, CARD)) if listing.available else {}


def show_card(listing: EncoderListing) -> None:
    """Draw all that is known of an encoder."""
    if listing.spec is None:
        st.markdown(plain(listing.why_not or ""))
        return
    card = card_of(listing)
    for line in sentences(card, listing.spec):
        st.markdown(line)
    if card.get("limits"):
        st.markdown("**What it has not learned**")
        st.markdown("\n".join(f"- {plain(str(limit))}" for limit in card["limits"]))
    st.caption(technical(listing.spec, card))


def sentences(card: Mapping[str, Any], spec: EncoderSpec) -> list[str]:
    """What an encoder is in sentences of Markdown."""
    if not card:
        return [_without_card(spec)]
    lines = [learned(card), *accuracy(card)]
    measured = card.get("measured")
    if isinstance(measured, list):
        lines += [plain(str(line)) for line in measured]
    return [line for line in lines if line]


def learned(card: Mapping[str, Any]) -> str:
    """What a model learned from."""
    classes = card.get("classes")
    if not isinstance(classes, dict):
        return ""
    total = sum(int(number) for number in classes.values())
    names = [plain(class_title(str(name))) for name in classes]
    shown = ", ".join(names[:MOST_CLASSES]) + (" and others" if len(names) > MOST_CLASSES else "")
    start = card.get("base")
    before = f", going on from {plain(str(start))}" if start and start != "scratch" else ""
    data, date = plain(str(card.get("data", ""))), plain(str(card.get("date", "")))
    return f"Learned from {patches(total)} of {data}{before}, {date}. {count(len(names), 'class', 'classes')}: {shown}."


def accuracy(card: Mapping[str, Any]) -> list[str]:
    """Both accuracies, and why they differ."""
    found = card.get("accuracy")
    if not isinstance(found, dict):
        return []
    lines = []
    kinds = {"random": "patches held out at random", "spatial": "patches in blocks of land that were held out whole"}
    for kind, what in kinds.items():
        figures = found.get(kind)
        if isinstance(figures, dict):
            lines.append(f"Names **{times(figures)}** of {int(figures['patches']):,} {what} rightly.")
    if len(lines) == len(kinds):
        lines.append(WHY_THEY_DIFFER)
    elif "random" in found:
        lines.append("Where its patches lie on Earth is not known, so no land could be held out whole.")
    return lines


def times(figures: Mapping[str, Any]) -> str:
    """A share with its interval: ``97 in 100 (96 to 98)``."""
    share, low, high = (100 * float(figures[key]) for key in ("accuracy", "low", "high"))
    return f"{share:.0f} in 100 ({low:.0f} to {high:.0f})"


def technical(spec: EncoderSpec, card: Mapping[str, Any]) -> str:
    """Bands, size, features and backend in one line."""
    side = f"{spec.input_size} × {spec.input_size} pixels" if spec.input_size else "patches of any size"
    epochs = f" · {count(int(card['epochs']), 'epoch')}" if isinstance(card.get("epochs"), int) else ""
    bands = count(len(spec.bands), "band")
    return f"{bands} · {side} · {spec.dimension} features · {spec.backend}, {spec.precision}{epochs}"


def _without_card(spec: EncoderSpec) -> str:
    if spec.backend == "numpy":
        return (
            "Mean and spread of each band and of NDVI, NDWI and NDBI in a patch. It has learned nothing and sees no "
            "texture; every other encoder has to do better than this to be worth its time."
        )
    return "No model card came with this model: what it learned from, and how well it does, is not known here."
