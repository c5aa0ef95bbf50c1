"""Layouts in addresses of the web: their settings as text, and back."""

from __future__ import annotations

import re

from core.errors import SettingsError
from core.projection.settings import METHODS, ProjectionSettings

_NAME = re.compile(r"([a-z]{3,12})-(\d{1,3})-([01]\.\d{1,4})-([a-z]{3,12})-(\d{1,9})(?:-([0-9a-z]{1,16}))?")
_METHOD_OF = {spec.prefix: name for name, spec in METHODS.items()}


def layout_name(settings: ProjectionSettings) -> str:
    """Return a layout in an address: letters, digits, ``.`` and ``-``."""
    prefix, ending = METHODS[settings.method].prefix, f"-{settings.labels}" if settings.labels else ""
    return f"{prefix}-{settings.n_neighbors}-{settings.min_dist:.4f}-{settings.metric}-{settings.seed}{ending}"


def named_layout(name: str) -> ProjectionSettings | None:
    """Return the settings that a name means; None when there can be no such layout."""
    match = _NAME.fullmatch(name)
    if match is None or match[1] not in _METHOD_OF:
        return None
    try:
        return ProjectionSettings(
            n_neighbors=int(match[2]), min_dist=float(match[3]), metric=match[4], seed=int(match[5]),
            method=_METHOD_OF[match[1]], labels=match[6] or "",
        )  # fmt: skip
    except SettingsError:
        return None
