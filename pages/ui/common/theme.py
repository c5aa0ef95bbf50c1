"""The one accent and the names that all views share. Colours of values are ``core.values``; no drawing."""

from __future__ import annotations

from core.bands import class_title

__all__ = ["ACCENT", "class_title"]

ACCENT = "#D1196F"
"""The one accent: the query, its neighbours, the selection, the primary button. No class and no index has it."""
