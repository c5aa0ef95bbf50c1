"""Which of many band files are one scene: those of one date, and of one way of processing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import BandsError
from core.ingest.files import Member
from core.ingest.formats.product_metadata import date_in
from core.ingest.grid.stack import Layer

_SLOPE = re.compile(r"(?<![A-Za-z0-9])SRE(?![A-Za-z0-9])")
_SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class OneScene:
    """Files that belong together.

    Attributes:
        members: those to open.
        left_out: names of others with the reason, a clause.
        date: their date where there were several, else None.
    """

    members: list[Member]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    date: str | None = None


def one_scene(members: Sequence[Member], chosen_date: str | None) -> OneScene:
    """Keep the files of one date, and of Theia's two reflectances the one corrected for slopes (FRE).

    Raises:
        BandsError: naming the dates, when there are several and none of them was chosen.
    """
    names = {member.name for member in members}
    flat = [m for m in members if _SLOPE.search(m.base) and _in_place(m.name, "FRE") in names]
    kept = [member for member in members if member not in flat]
    left_out = {"the same bands corrected for slopes (FRE) are there": [m.base for m in flat]} if flat else {}
    dates = {member.number: date_in(member.name) for member in kept}
    several = sorted({date for date in dates.values() if date})
    if len(several) < 2:
        return OneScene(members=kept, left_out=left_out)
    date = _one_date(several, chosen_date, "its files are")
    for other in several:
        if other != date:
            left_out[f"they are of another date, {other}"] = [m.base for m in kept if dates[m.number] == other]
    if undated := [member.base for member in kept if dates[member.number] is None]:
        left_out["their names state no date where others do"] = undated
    return OneScene(members=[m for m in kept if dates[m.number] == date], left_out=left_out, date=date)


def _in_place(name: str, kind: str) -> str:
    head, slash, base = name.rpartition("/")
    return f"{head}{slash}{_SLOPE.sub(kind, base)}"


def layers_of_one_date(
    layers: Sequence[Layer], chosen_date: str | None
) -> tuple[list[Layer], dict[str, list[str]], str | None]:
    """Keep the bands of one date where descriptions name several (``2019-06-20_B02``).

    Returns:
        The bands kept; others by reason; and the date, or None where descriptions name none or one for all.

    Raises:
        BandsError: as of ``one_scene``.
    """
    texts = [layer.source.descriptions[layer.index - 1] for layer in layers]
    dates = [date_in(text) for text in texts]
    several = sorted({date for date in dates if date})
    if len(several) < 2:
        return list(layers), {}, several[0] if several and all(dates) else None
    chosen = _one_date(several, chosen_date, "its bands are")
    left_out: dict[str, list[str]] = {}
    for date, text in zip(dates, texts, strict=True):
        if date != chosen:
            left_out.setdefault(f"they are of another date, {date}", []).append(text)
    return [layer for layer, date in zip(layers, dates, strict=True) if date == chosen], left_out, chosen


def _one_date(several: Sequence[str], chosen: str | None, what: str) -> str:
    if chosen in several and chosen is not None:
        return chosen
    shown = ", ".join(several[:_SHOWN]) + (f" and {len(several) - _SHOWN} more" if len(several) > _SHOWN else "")
    found = f"{what} of {len(several)} dates, {shown}"
    raise BandsError(found=found, remedy="open one scene at a time, or choose one of these dates in the settings")
