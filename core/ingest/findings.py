"""Lines of the quality record that scenes and collections share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.ingest.files import Member
from core.ingest.formats.product_metadata import Hint, Hints
from core.ingest.messages import clean_name
from core.ingest.settings import IngestSettings
from core.scenes.overview import CLOUD_TOPIC
from core.scenes.quality import Basis, Finding

_SHOWN = 8
_NAMES, _REASONS = 3, 4
"""What is said of files that were left out: so many names a reason, and so many reasons."""


def finding(topic: str, value: str, basis: Basis, because: str, override: str | None = None) -> Finding:
    """Make a finding by position."""
    return Finding(topic=topic, value=value, basis=basis, because=because, override=override)


def ignored(names: Sequence[str], because: str) -> list[Finding]:
    """Say what was left out, the first few by name; empty when nothing was."""
    if not names:
        return []
    shown = ", ".join(clean_name(name, 100) for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return [finding("left out", f"{shown}{more}", "read", because)]


def series_said(dates: Sequence[str], date: str, what: str) -> Finding:
    """Say which of several dates a scene is, and which others there are.

    Args:
        dates: all of them, in order.
        date: its own.
        what: whose dates they are.
    """
    others = [other for other in dates if other != date]
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    which = "the other is" if len(others) == 1 else "the others are"
    value = f"{date}, date {dates.index(date) + 1} of {len(dates)}; {which} {', '.join(others[:_SHOWN])}{more}"
    return finding("series", value, "read", f"{what} several dates, and each date is a scene of its own")


def acquisition_date(settings: IngestSettings, hints: Hints) -> tuple[str | None, Finding]:
    """Return the date and how it is known."""
    if settings.date is None and hints.date is None:
        because = None
        if hints.period is not None:
            because = f"what is stated is a period, {hints.period}, and no day"
        elif hints.unsure_days is not None:
            because = f"the file name states {hints.unsure_days}, and not which of them is the day of the pixels"
        if because is not None:
            return None, finding("date", "unknown", "assumed", because, "date")
    return _stated("date", settings.date, hints.date)


def processing_level(settings: IngestSettings, hints: Hints, bands: Sequence[str]) -> tuple[str | None, Finding]:
    """Return the processing level and how it is known."""
    if settings.level is None and hints.level is None:
        if "B10" in bands:
            because = "it holds B10, which L2A of ESA lacks, and neither names nor tags state a level"
            return "L1C", finding("level", "L1C", "assumed", because, "level")
        if len(bands) == 12:
            return "L2A", finding("level", "L2A", "assumed", "it holds every band but B10", "level")
    return _stated("level", settings.level, hints.level)


def cloud_cover(hints: Hints) -> list[Finding]:
    """Say how much of the product is under cloud; nothing where it does not state it."""
    if hints.cloud is None:
        return []
    return [finding(CLOUD_TOPIC, f"{hints.cloud.value} % of the whole product", "read", hints.cloud.where)]


def _stated(topic: str, chosen: str | None, hint: Hint | None) -> tuple[str | None, Finding]:
    if chosen is not None:
        return chosen, finding(topic, chosen, "chosen", "chosen under “How to read files”", topic)
    if hint is not None:
        return hint.value, finding(topic, hint.value, "read", hint.where, topic)
    return None, finding(topic, "unknown", "assumed", "neither names nor tags state it", topic)


def no_data(valid: float, because: str) -> Finding:
    """Say the share of pixels without data; a warning when it is most of the scene."""
    basis: Basis = "warning" if valid < 0.5 else "read"
    return finding("no data", f"{1 - valid:.1%} of the pixels", basis, because, "nodata")


def skipped_text(skipped: Mapping[Member, str]) -> str:
    """Say which files were left out and why, a reason at a time: for each the first few by name."""
    by_reason: dict[str, list[Member]] = {}
    for member, reason in skipped.items():
        by_reason.setdefault(reason, []).append(member)
    shown = [f"{some_names(members)} ({reason})" for reason, members in list(by_reason.items())[:_REASONS]]
    rest = sum(map(len, list(by_reason.values())[_REASONS:]))
    return f"{', '.join(shown)}{f', and {rest:,} more' if rest else ''}"


def some_names(members: Sequence[Member]) -> str:
    """Name the first few of files, without folders, and how many more there are."""
    names = [clean_name(member.base, 40) for member in members[:_NAMES]]
    rest = len(members) - len(names)
    return f"{', '.join(names)}{f' and {rest:,} more' if rest else ''}"
