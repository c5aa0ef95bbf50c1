"""The sidebar of every page: which scene, which encoder."""

from __future__ import annotations

import streamlit as st

from core.encoders.registry import default_encoder
from pages.ui import cached
from pages.ui.engine import engine
from pages.ui.session import current, select


def sidebar() -> None:
    """Draw the pickers; they change the visitor's session."""
    with st.sidebar:
        _scene_picker()
        _encoder_picker()


def _scene_picker() -> None:
    scenes = {scene.id: scene for scene in engine().library.scenes()}
    visitor = current()
    if not scenes:
        return
    chosen = visitor.scene_id if visitor.scene_id in scenes else next(iter(scenes))

    def name(scene_id: str) -> str:
        scene = scenes[scene_id]
        return f"{scene.name} · {scene.date}" if scene.date else scene.name

    select("Scene", list(scenes), chosen, key="scene", title=name, take=visitor.open)


def _encoder_picker() -> None:
    listings = cached.encoders()
    visitor = current()
    wish = visitor.encoder or default_encoder()

    def name(encoder: str) -> str:
        listing = listings[encoder]
        return listing.title if listing.available else f"{listing.title} (not here yet)"

    def take(encoder: str) -> None:
        visitor.encoder = encoder

    chosen = wish if wish in listings else default_encoder()
    help_text = "What turns a patch into numbers. Encoders that learned from many scenes see more than statistics do."
    select("Encoder", list(listings), chosen, key="encoder", title=name, take=take, help_text=help_text)
