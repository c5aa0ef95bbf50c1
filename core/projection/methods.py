"""Making a layout by the method of its settings, each by the function that ``settings.METHODS`` names."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from core.bands import FloatArray
from core.progress import Progress, silent
from core.projection.settings import METHODS, ProjectionSettings
from core.scenes.patches import IntArray

Arranger = Callable[[FloatArray, ProjectionSettings, IntArray | None, Progress], FloatArray]
"""Makes a layout of shape (N, 2) from vectors, settings and, for some, classes of shape (N,) with −1 = none."""


def arrange(
    vectors: FloatArray,
    settings: ProjectionSettings,
    *,
    labels: IntArray | None = None,
    progress: Progress = silent,
) -> FloatArray:
    """Lay vectors out by the method of the settings.

    Args:
        vectors: float32 of shape (N, D), finite; any N, 0 included.
        settings: of the layout.
        labels: classes of shape (N,), counted from 0, −1 = none; for methods that need them.
        progress: told (done, total); what it raises ends the work.

    Returns:
        float32 of shape (N, 2).

    Raises:
        SettingsError: when a number is not finite, or there are too few classes for a method that needs them.
    """
    module, _, name = METHODS[settings.method].path.partition(":")
    arranger: Arranger = getattr(importlib.import_module(module), name)
    return arranger(vectors, settings, labels, progress)
