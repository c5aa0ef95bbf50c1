"""Counts, shares and intervals in words, as the sentences of a report card need them."""

from __future__ import annotations

import math

from core.evaluation.land import Estimate
from core.evaluation.retrieval import Share


def count_of_patches(number: int) -> str:
    """Return ``1 patch``, ``1,600 patches``."""
    return f"{number:,} {'patch' if number == 1 else 'patches'}"


def too_few(number: int) -> str:
    """Return ``1 patch is too few``, ``5 patches are too few``."""
    return f"{count_of_patches(number)} {'is' if number == 1 else 'are'} too few"


def points(found: Estimate) -> str:
    """Return an estimate of 100 alone: ``73``."""
    return f"{100 * found.value:.0f}"


def points_between(found: Estimate, unit: str = "") -> str:
    """Return an estimate of 100 with its interval where there is one: ``73 (71–75)``."""
    words = f" {unit}" if unit else ""
    interval = "" if math.isnan(found.low) else f" ({100 * found.low:.0f}–{100 * found.high:.0f})"
    return f"{points(found)}{words}{interval}"


def signed_points(found: Estimate) -> str:
    """Return a difference of 100 with its interval where there is one: ``−2.7 (−3.6 to −1.8)``."""
    low, value, high = (f"{100 * n:+.1f}".replace("-", "−") for n in (found.low, found.value, found.high))
    return value if math.isnan(found.low) else f"{value} ({low} to {high})"


def share_between(found: Share, unit: str = "") -> str:
    """Return a share of 100 with its interval: ``94 (93–95)``, or ``94 times in 100 (93–95)``."""
    if not found.count:
        return "—"
    words = f" {unit}" if unit else ""
    return f"{round(100 * found.value)}{words} ({round(100 * found.low)}–{round(100 * found.high)})"


def of_hundred(value: float) -> str:
    """Return a share as a number of 100, with a digit more where it is small or nearly all: ``0.4``, ``99.6``."""
    percent = 100 * value
    exact = percent in {0, 100} or 10 <= percent <= 90
    return f"{percent:.0f}" if exact else f"{percent:.1f}"
