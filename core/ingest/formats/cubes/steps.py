"""Which date of which file is wanted: several dates of a source become a scene each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import BandsError, SeveralDatesError
from core.ingest.files import SourceFiles
from core.ingest.formats.cubes.survey import Survey
from core.ingest.formats.one_scene import one_of_dates
from core.ingest.formats.product_metadata import date_in, unsure_days_in
from core.ingest.messages import clean_name
from core.ingest.sandbox.limits import MAX_DATES


@dataclass(frozen=True, kw_only=True)
class Step:
    """The date that is read.

    Attributes:
        date: ``YYYY-MM-DD``, or None where nothing states it.
        where: what states it, a clause.
        at: position along the time of each file that holds it, by position of the file.
        dates: all dates where there are several that are known and differ, else empty.
        position: which of several it is, counted from 0, and how many there are; None = the only one.
    """

    date: str | None
    where: str
    at: dict[int, int]
    dates: tuple[str, ...] = ()
    position: tuple[int, int] | None = None


def wanted_step(files: SourceFiles, surveys: Sequence[Survey]) -> Step:
    """Return the date that is wanted.

    Raises:
        SeveralDatesError: with all dates, when there are several and none of them is wanted.
        BandsError: when they are too many, or the wanted one is not there, or files contradict each other.
    """
    dates = [_of_file(survey, alone=len(surveys) == 1) for survey in surveys]
    known = [date for own in dates for date in own if date is not None]
    doubled = any(len(set(own)) < len(own) or (len(own) > 1 and None in own) for own in dates)
    if doubled:
        if len(surveys) > 1:
            found = f"“{clean_name(surveys[0].container.name, 60)}” and others hold dates that are not told apart"
            raise BandsError(found=found, remedy="open one cube at a time")
        return _by_position(files, dates[0], surveys[0].times.where)
    several = tuple(sorted(set(known)))
    if len(several) < 2:
        where = next((s.times.where for s in surveys if s.times.where and any(s.times.dates)), "the file name says so")
        return Step(date=several[0] if several else None, where=where, at=dict.fromkeys(range(len(dates)), 0))
    time = files.settings.time
    if time is not None and time >= len(several):
        raise _beyond(len(several), time)
    wanted = several[time] if time is not None else files.wanted_date
    date = one_of_dates(several, wanted, "it holds cubes" if len(surveys) > 1 else "its variables are")
    at = {n: own.index(date) for n, own in enumerate(dates) if date in own}
    at |= {n: 0 for n, own in enumerate(dates) if own == (None,)}
    where = next((surveys[n].times.where for n in at if surveys[n].times.where), "the name of its file says so")
    return Step(date=date, where=where, at=at, dates=several, position=(several.index(date), len(several)))


def _of_file(survey: Survey, *, alone: bool) -> tuple[str | None, ...]:
    """Return the dates of a file; where its only one is unknown, that of its name among several files."""
    dates = survey.times.dates
    if dates == (None,) and not alone:
        name = survey.container.name
        return (None if unsure_days_in(name) else date_in(name),)
    return dates


def _by_position(files: SourceFiles, dates: Sequence[str | None], where: str) -> Step:
    """Return one of dates that are counted, because they are not known or not told apart by the day."""
    time = files.wanted_time
    same = [number for number, date in enumerate(dates) if date is not None and date == files.settings.date]
    if time is None and len(same) == 1:
        time = same[0]
    if time is None:
        if len(dates) > MAX_DATES:
            found = f"it holds {len(dates)} dates, and no more than {MAX_DATES} are opened at once"
            raise BandsError(found=found, remedy="split it, or choose one of its dates in the settings")
        text = f"it holds {len(dates)} dates"
        raise SeveralDatesError(found=text, remedy="choose one of them in the settings", parts=tuple(range(len(dates))))
    if time >= len(dates):
        raise _beyond(len(dates), time)
    return Step(date=dates[time], where=where, at={0: time}, position=(time, len(dates)))


def _beyond(count: int, time: int) -> BandsError:
    return BandsError(found=f"it holds {count} dates and date {time} was asked for", remedy=f"choose 0 to {count - 1}")
