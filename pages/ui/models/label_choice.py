"""What names the labels that an encoder is to be taught, in the session; pages that lead to the form set it."""

from __future__ import annotations

from core.scenes.labels import LabelSet

ADDED = "added patches"
"""What the job that takes a zip in is for, in the session."""


def set_key(one: LabelSet) -> str:
    """Return a set of labelled patches as one word."""
    return f"{one.by}-{one.scene_id}"
