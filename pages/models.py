"""The Models page: the encoders on this computer, and teaching a new one the classes of one's own patches."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import streamlit as st

from core.encoders.registry import EncoderListing, default_encoder
from core.scenes.labels import LabelSet, hand_version
from core.scenes.truth import truth_of
from pages.ui.common.escape import plain, safe_label
from pages.ui.common.heading import heading
from pages.ui.common.progress import boundary
from pages.ui.models.card import show_card
from pages.ui.models.getting import get_encoder, without_connection
from pages.ui.models.training_form import teach_panel
from pages.ui.models.training_jobs import going_on_from, trainings
from pages.ui.state import cache
from pages.ui.state.engine import engine
from pages.ui.state.session import current


def encoder_card(listing: EncoderListing) -> None:
    """Draw one encoder: what it is, and using or deleting it."""
    visitor = current()
    chosen = (visitor.encoder or default_encoder()) == listing.name
    trained = trained_name(listing)
    with st.container(border=True, key=f"model_{listing.name}", height="stretch"):
        tag = " (in use)" if chosen and listing.available else state(listing)
        st.html(f'<div style="font-size:1.125rem;font-weight:600">{safe_label(listing.title)}{tag}</div>')
        if listing.fetchable:
            get_encoder(listing)
            without_connection(listing)
        else:
            show_card(listing)
        slots = iter(st.columns(2))
        if listing.available and next(slots).button(
            "Use it", key=f"use_{listing.name}", disabled=chosen, width="stretch"
        ):
            visitor.encoder = listing.name
            st.switch_page("explore.py")
        if trained is not None:
            with next(slots).popover("Delete", width="stretch", key=f"drop_{listing.name}"):
                confirm_removal(listing, trained)


def state(listing: EncoderListing) -> str:
    """Say what keeps an encoder from being used, as the end of its title; empty when nothing does."""
    if listing.available:
        return ""
    if not listing.unfit:
        return " (not on this computer)"
    return " (damaged)" if trained_name(listing) is not None else " (cannot be used)"


def confirm_removal(listing: EncoderListing, trained: str) -> None:
    """Say what deleting a model does, and draw the button that does it."""
    st.markdown("This removes the model. Features it gave stay with their scenes until these are deleted.")
    waiting = going_on_from(listing.name)
    if waiting:
        names = plain(", ".join(f"“{title}”" for title in waiting))
        st.markdown(f"A training that goes on from it is waiting or running, and may fail without it: {names}.")
    if st.button("Delete for good", key=f"gone_{listing.name}", type="primary"):
        remove(listing, trained)


def trained_name(listing: EncoderListing) -> str | None:
    """Return the name of a model that was trained here; None for any other encoder."""
    home = Path(listing.reference)
    return home.name if home.parent == engine().trained.root else None


def remove(listing: EncoderListing, trained: str) -> None:
    """Delete a model and forget that it was chosen."""
    engine().trained.delete(trained)
    if current().encoder == listing.name:
        current().encoder = None
    cache.forget()  # Also what it named: another model of this name may come, on the same features.
    st.rerun()


def label_sets() -> dict[LabelSet, str]:
    """Return all labelled patches there are with what people call them, those of the newest scene first."""
    found = {}
    for scene in engine().library.scenes():
        if not scene.has_pixels:
            continue
        if hand_version(scene):
            found[LabelSet(scene_id=scene.id, by="hand")] = f"{scene.name}: your labels"
        if truth_of(scene) is not None:
            found[LabelSet(scene_id=scene.id, by="truth")] = scene.name
    return found


def page() -> None:
    """Draw the whole page."""
    st.title("Models", anchor=False)
    trainings()
    teach_panel(label_sets())
    heading("Encoders on this computer", look="large")
    listings = sorted(cache.encoders().values(), key=lambda one: not one.available)
    for pair in zip_longest(listings[::2], listings[1::2]):
        for column, listing in zip(st.columns(2, gap="medium"), pair, strict=True):
            if listing is not None:
                with column, boundary():
                    encoder_card(listing)


with boundary():
    page()
