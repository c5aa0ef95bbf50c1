"""Numbers as people read them: counts, durations, sizes, moments. Names from outside are ``pages.ui.common.escape``."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 patch``, ``1,600 patches``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def patches(number: int) -> str:
    """Return how many patches, in words."""
    return count(number, "patch", "patches")


def ground_words(hectares: float) -> str:
    """Return an area on the ground: ``0.6 ha``, ``41 ha``, ``49,316 ha``."""
    return f"{hectares:.1f} ha" if hectares < 10 else f"{hectares:,.0f} ha"


def duration(seconds: float) -> str:
    """Return about how long, rounded so that it does not flicker: ``5 s``, ``40 s``, ``3 min``, ``1 h 20 min``."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(number: int) -> str:
    """Return bytes with a unit: ``640 kB``, ``23 MB``, ``1.4 GB``."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}" if number < 10 * factor else f"{number / factor:.0f} {unit}"
    return f"{number} bytes"


def distinct(titles: Mapping[str, str]) -> dict[str, str]:
    """Return titles by key; one that was there before gets a number, for lists tell entries apart by titles."""
    found: dict[str, str] = {}
    for key, title in titles.items():
        number, shown = 1, title
        while shown in found.values():
            number += 1
            shown = f"{title} ({number})"
        found[key] = shown
    return found


def moment(seconds: float, now: float, zone: str | None) -> str:
    """Return a point in time near now: ``today 14:02``, ``tomorrow 09:30``, else ``2024-06-21 14:02``.

    Args:
        seconds: since 1970.
        now: likewise.
        zone: name of the reader's time zone; that of this computer where it is unknown.
    """
    try:
        there = ZoneInfo(zone) if zone else None
    except (ZoneInfoNotFoundError, ValueError):
        there = None
    at = datetime.datetime.fromtimestamp(seconds, datetime.UTC).astimezone(there)
    today = datetime.datetime.fromtimestamp(now, datetime.UTC).astimezone(there).date()
    days = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    return f"{days.get((at.date() - today).days, at.date().isoformat())} {at:%H:%M}"
