"""What a file of vectors says of each row beside them: numbers, classes and dates, gathered batch by batch."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.ingest.bands.fill import KNOWN_FILLS
from core.ingest.embeddings.columns import CLASS_COLUMNS, TableColumns, is_number, plain_type
from core.ingest.messages import clean_name
from core.scenes.scene import GivenColumn

_MOST_COLUMNS = 8
"""Columns of numbers that are kept, and columns of classes."""
_MOST_CLASSES = 200
_LARGEST = float(np.finfo(np.float32).max)
"""Larger numbers are none that 32 bits hold, as fills of programs are."""
_MOST_DATES = 60
_MOST_DAYS = 400_000
"""More than calendars have, so that the first, the last and the number of days are those of all rows."""
_MOST_GATHERED = 40
_DAY = re.compile(r"([12]\d{3})-?([01]\d)-?([0-3]\d)")
_MONTHS, _YEARS = 7, 4  # characters of a date that are compared


@dataclass(frozen=True, kw_only=True, eq=False)
class KeptColumn:
    """A column that becomes a value of patches.

    Attributes:
        given: what it is.
        cells: float32 of shape (N,), NaN = nothing; positions among the classes.
    """

    given: GivenColumn
    cells: NDArray[np.float32]


class Gatherer:
    """Gathers columns of a file.

    Args:
        columns: which column is what.
        schema: of the file.

    Attributes:
        undated: rows without a day, where others may have one.
        fills: by column of numbers, the one that stood for none and in how many rows.
    """

    def __init__(self, columns: TableColumns, schema: pa.Schema) -> None:
        wanted = list(columns.others)[:_MOST_GATHERED]
        self.unread = list(columns.others)[_MOST_GATHERED:]
        self._numbers: dict[str, list[NDArray[np.float64]]] = {
            name: [] for name in wanted if is_number(schema.field(name).type) and name.casefold() not in CLASS_COLUMNS
        }
        self._whole = {name for name in self._numbers if pa.types.is_integer(plain_type(schema.field(name).type))}
        self._texts: dict[str, _Texts] = {name: _Texts() for name in wanted if name not in self._numbers}
        self.date, self.row_name = columns.date, columns.row_name
        self._dates, self.names = _Texts(_MOST_DAYS), list[str]()
        self.undated = 0
        self.fills: dict[str, tuple[float, int]] = {}
        self.left_out: dict[str, str] = dict.fromkeys(self.unread, "there are too many columns")

    @property
    def wanted(self) -> list[str]:
        """The columns to read."""
        more = [name for name in (self.date, self.row_name) if name is not None]
        return [*self._numbers, *self._texts, *more]

    def take(self, batch: pa.RecordBatch) -> None:
        """Take the next rows."""
        for name, parts in self._numbers.items():
            column = batch.column(name).cast(pa.float64(), safe=False)
            parts.append(column.to_numpy(zero_copy_only=False))
        for name, texts in self._texts.items():
            texts.take(_words(batch.column(name)))
        if self.date is not None:
            column = batch.column(self.date)
            counted = pa.types.is_integer(plain_type(column.type))
            days = [None if counted and len(word or "") != 8 else _day(word) for word in _words(column)]
            self._dates.take(days)
            self.undated += sum(day is None for day in days)
        words = [None] * len(batch) if self.row_name is None else _words(batch.column(self.row_name))
        self.names += [clean_name(word, 200) if word else "" for word in words]

    def days(self) -> list[str]:
        """Return the days that rows have, in order; many where there are too many to tell apart."""
        return sorted(self._dates.counts)

    def kept(self) -> list[KeptColumn]:
        """Return the columns that become values, and note why others do not."""
        dated = self._dated()
        classed = [one for name, texts in self._texts.items() if (one := self._classed(name, texts)) is not None]
        numbered = [one for name in self._numbers if (one := self._numbered(name)) is not None]
        for some in (classed, numbered):
            for one in some[_MOST_COLUMNS:]:
                self.left_out[one.given.name] = f"{_MOST_COLUMNS} of its kind are kept"
        return self._told_apart([*dated, *classed[:_MOST_COLUMNS], *numbered[:_MOST_COLUMNS]])

    def _told_apart(self, kept: Sequence[KeptColumn]) -> list[KeptColumn]:
        """Return the first column of each name, which pages show without its middle where it is long."""
        first: dict[str, KeptColumn] = {}
        for one in kept:
            if first.setdefault(one.given.name, one) is not one:
                self.left_out[one.given.name] = "another column is called so, as far as names are shown"
        return list(first.values())

    def _numbered(self, name: str) -> KeptColumn | None:
        cells = np.concatenate(self._numbers[name])
        cells = np.where(np.abs(cells) <= _LARGEST, cells, np.nan)
        fill = _fill_of(cells)
        if fill is not None:
            self.fills[name] = (fill, int((cells == fill).sum()))
            cells = np.where(cells == fill, np.nan, cells)
        known = cells[np.isfinite(cells)]
        if not len(known) or known.min() == known.max():
            what = "it holds no numbers" if not len(known) else f"it is {known[0]:g} in all rows"
            self.left_out[name] = what
            return None
        in_turn = known.max() - known.min() == len(known) - 1
        if name in self._whole and len(known) > 20 and in_turn and len(np.unique(known)) == len(known):
            self.left_out[name] = "it numbers the rows"
            return None
        return KeptColumn(given=GivenColumn(name=clean_name(name, 60), kind="number"), cells=cells.astype(np.float32))

    def _classed(self, name: str, texts: _Texts) -> KeptColumn | None:
        if texts.many or len(texts.counts) > _MOST_CLASSES:
            self.left_out[name] = f"it holds more than {_MOST_CLASSES} different texts"
            return None
        if len(texts.counts) < 2:
            self.left_out[name] = "it says the same of all rows" if texts.counts else "it is empty"
            return None
        classes = sorted(texts.counts, key=_natural)
        given = GivenColumn(
            name=clean_name(name, 60), kind="class", classes=tuple(clean_name(one, 120) for one in classes)
        )
        return KeptColumn(given=given, cells=texts.positions(classes))

    def _dated(self) -> list[KeptColumn]:
        if self.date is None or self._dates.many or len(self._dates.counts) < 2:
            return []
        found = self.days()
        for cut in (10, _MONTHS, _YEARS):
            short = sorted({day[:cut] for day in found})
            if len(short) <= _MOST_DATES:
                break
        places = {day: short.index(day[:cut]) for day in found}
        if len(short) < 2:
            return []
        given = GivenColumn(name=clean_name(self.date, 60), kind="date", classes=tuple(short))
        return [KeptColumn(given=given, cells=self._dates.mapped(places))]


def _fill_of(cells: NDArray[np.float64]) -> float | None:
    """Return the number that programs write where they have none and that lies farther below all others than these."""
    for fill in (number for number in KNOWN_FILLS if number < 0):
        others = cells[np.isfinite(cells) & (cells != fill)]
        if np.any(cells == fill) and len(others) and others.min() - fill > max(np.ptp(others), abs(fill) / 2):
            return float(fill)
    return None


class _Texts:
    """Texts of rows, as places in a list of different ones; given up where these are too many."""

    def __init__(self, most: int = 5000) -> None:
        self._most = most
        self.counts: Counter[str] = Counter()
        self._place: dict[str, int] = {}
        self._rows: list[NDArray[np.int32]] = []
        self.many = False

    def take(self, words: Sequence[str | None]) -> None:
        """Take the next rows."""
        if self.many:
            return
        self._rows.append(np.array([-1 if word is None else self._at(word) for word in words], np.int32))
        self.many = len(self._place) > self._most

    def _at(self, word: str) -> int:
        self.counts[word] += 1
        return self._place.setdefault(word, len(self._place))

    def positions(self, classes: Sequence[str]) -> NDArray[np.float32]:
        """Return the place of each row's text among classes, NaN where there is none."""
        return self.mapped({name: at for at, name in enumerate(classes)})

    def mapped(self, places: dict[str, int]) -> NDArray[np.float32]:
        """Return a number for each row's text, NaN where there is none."""
        by_place = np.full(len(self._place) + 1, np.nan, np.float32)  # an index of −1 is the last: none
        for word, at in self._place.items():
            by_place[at] = places.get(word, np.nan)
        rows = np.concatenate(self._rows) if self._rows else np.empty(0, np.int32)
        return by_place[rows]


def _words(column: pa.Array) -> list[str | None]:
    """Return the cells of a column as texts, None where there is nothing."""
    found: list[str | None] = []
    for cell in map(_in_utc, column.to_pylist()):
        word = "" if cell is None else f"{cell:g}" if isinstance(cell, float) else str(cell).strip()
        found.append(word or None)
    return found


def _in_utc(cell: Any) -> Any:  # noqa: ANN401  of any type
    """Return a time of a zone as it is in UTC, in which products state their days; anything else as it is."""
    return cell.astimezone(datetime.UTC) if isinstance(cell, datetime.datetime) and cell.tzinfo is not None else cell


def _day(word: str | None) -> str | None:
    """Return the day that a text begins with, as ``YYYY-MM-DD``; None where it begins with none of the calendar."""
    match = None if word is None else _DAY.match(word)
    try:
        return None if match is None else datetime.date.fromisoformat("-".join(match.groups())).isoformat()
    except ValueError:
        return None


def _natural(name: str) -> tuple[int, float, str]:
    return (0, float(name), "") if re.fullmatch(r"-?\d{1,9}(\.\d+)?", name) else (1, 0.0, name.casefold())


def label_column(kept: Sequence[KeptColumn], *, columns: Sequence[str] = CLASS_COLUMNS) -> KeptColumn | None:
    """Return the column that is the class of each row, by what it is called; None where none is."""
    by_small = {one.given.name.casefold(): one for one in kept if one.given.kind == "class"}
    return next((by_small[name] for name in columns if name in by_small), None)
