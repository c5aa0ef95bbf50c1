"""Which of many band files are one scene: those of one date, and of one way of processing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import BandsError, SeveralDatesError
from core.ingest.files import Member
from core.ingest.formats.product_metadata import date_in
from core.ingest.grid.stack import Layer
from core.ingest.sandbox.limits import MAX_DATES

_SLOPE = re.compile(r"(?<![A-Za-z0-9])SRE(?![A-Za-z0-9])")
_SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class OneScene:
    """Files that belong together.

    Attributes:
        members: those to open.
        left_out: names of others with the reason, a clause.
        date: their date where there were several, else None.
        dates: all dates where there were several, else empty.
    """

    members: list[Member]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    date: str | None = None
    dates: tuple[str, ...] = ()


def one_scene(members: Sequence[Member], wanted_date: str | None) -> OneScene:
    """Keep the files of one date, and of Theia's two reflectances the one corrected for slopes (FRE).

    Raises:
        SeveralDatesError: naming the dates, when there are several and none of them is wanted.
        BandsError: the same, when they are too many to be a scene each.
    """
    names = {member.name for member in members}
    flat = [m for m in members if _SLOPE.search(m.base) and _in_place(m.name, "FRE") in names]
    kept = [member for member in members if member not in flat]
    left_out = {"the same bands corrected for slopes (FRE) are there": [m.base for m in flat]} if flat else {}
    dates = {member.number: date_in(member.name) for member in kept}
    several = sorted({date for date in dates.values() if date})
    if len(several) < 2:
        return OneScene(members=kept, left_out=left_out)
    date = _one_date(several, wanted_date, "its files are")
    for other in several:
        if other != date:
            reason = _of_another_date(other, several)
            left_out.setdefault(reason, []).extend(m.base for m in kept if dates[m.number] == other)
    if undated := [member.base for member in kept if dates[member.number] is None]:
        left_out["their names state no date where others do"] = undated
    return OneScene(
        members=[m for m in kept if dates[m.number] == date], left_out=left_out, date=date, dates=tuple(several)
    )


def _in_place(name: str, kind: str) -> str:
    head, slash, base = name.rpartition("/")
    return f"{head}{slash}{_SLOPE.sub(kind, base)}"


def layers_of_one_date(layers: Sequence[Layer], wanted_date: str | None) -> tuple[list[Layer], OneScene]:
    """Keep the bands of one date where descriptions name several (``2019-06-20_B02``).

    Returns:
        The bands kept; and others by reason with the date, None where descriptions name none or one for all.

    Raises:
        SeveralDatesError, BandsError: as of ``one_scene``.
    """
    texts = [layer.source.descriptions[layer.index - 1] for layer in layers]
    dates = [date_in(text) for text in texts]
    several = sorted({date for date in dates if date})
    if len(several) < 2:
        return list(layers), OneScene(members=[], date=several[0] if several and all(dates) else None)
    wanted = _one_date(several, wanted_date, "its bands are")
    left_out: dict[str, list[str]] = {}
    for date, text in zip(dates, texts, strict=True):
        if date != wanted:
            reason = _of_another_date(date, several) if date else "their names state no date where others do"
            left_out.setdefault(reason, []).append(text)
    kept = [layer for layer, date in zip(layers, dates, strict=True) if date == wanted]
    return kept, OneScene(members=[], left_out=left_out, date=wanted, dates=tuple(several))


def _of_another_date(date: str, several: Sequence[str]) -> str:
    if len(several) <= _SHOWN:
        return f"they are of another date, {date}"
    return f"they are of {len(several) - 1} other dates, each a scene of its own"


def _one_date(several: Sequence[str], wanted: str | None, what: str) -> str:
    if wanted in several and wanted is not None:
        return wanted
    shown = ", ".join(several[:_SHOWN]) + (f" and {len(several) - _SHOWN} more" if len(several) > _SHOWN else "")
    found = f"{what} of {len(several)} dates, {shown}"
    remedy = "open one scene at a time, or choose one of these dates in the settings"
    if len(several) > MAX_DATES:
        found = f"{found}, and no more than {MAX_DATES} are opened at once"
        raise BandsError(found=found, remedy=f"split it into parts of up to {MAX_DATES} dates, or {remedy}")
    if wanted is not None:
        found = f"{found}, and {wanted} was chosen"
        raise BandsError(found=found, remedy="choose one of these dates in the settings, or none")
    raise SeveralDatesError(found=found, remedy=remedy, parts=tuple(several))
