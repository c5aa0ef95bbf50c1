"""Classes of patches from a table: a column of file names and one of classes, both known by what they hold."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from core.ingest.files import Member
from core.ingest.formats.class_folders import is_part
from core.ingest.messages import clean_name
from core.ingest.sandbox.limits import MAX_CLASSES
from core.ingest.tile_labels import MAX_TABLE_BYTES
from core.text import decode_text

if TYPE_CHECKING:
    import pandas as pd

_CLASS_WORDS = ("classname", "class", "label", "labels", "category", "landcover", "landuse", "target", "cover", "lulc")
"""What people call a column of classes, in small letters without gaps, the best first."""
_LEAST = 0.5
"""A column of file names finds at least this share of the patches, or of its own rows."""


@dataclass(frozen=True, kw_only=True)
class ClassTable:
    """What tables say of patches.

    Attributes:
        labels: class by the number of a patch.
        column: title of the column of classes.
        unknown: names in the table that no file here has.
        conflicting: names of files to which the table gives several classes; they have none here.
    """

    labels: Mapping[int, str]
    column: str
    unknown: tuple[str, ...]
    conflicting: tuple[str, ...]


def read_class_table(path: Path, patches: Sequence[Member]) -> ClassTable | str:
    """Read the classes of patches from a table; on failure the reason, a clause.

    Args:
        path: of the table.
        patches: the files that may be in it.
    """
    if path.stat().st_size > MAX_TABLE_BYTES:
        return "the table is too large"
    table = _read(path)
    if table is None:
        return "the table cannot be read"
    known = _Names(patches)
    if any(known.number(str(cell)) is not None for cell in table.columns):  # It has no line of titles.
        table.loc[-1] = list(table.columns)
        table = table.sort_index().set_axis([f"column {n}" for n in range(1, table.shape[1] + 1)], axis=1)
    numbers = {name: [known.number(value) for value in table[name]] for name in table.columns}
    files = max(numbers, key=lambda name: sum(n is not None for n in numbers[name]), default=None)
    hits = 0 if files is None else len({n for n in numbers[files] if n is not None})
    if files is None or not hits or hits < _LEAST * min(len(patches), len(table)):
        return "no column of it names the files"
    column = _class_column(table.drop(columns=files), len(table))
    if column is None:
        return "no column of it can be told to be the classes"
    rows = list(zip(numbers[files], table[files], table[column], strict=True))
    labels = {number: clean_name(label.strip(), 120) for number, _, label in rows if number is not None}
    if len(set(labels.values())) > MAX_CLASSES:
        return f"its column “{clean_name(column, 40)}” holds more than {MAX_CLASSES:,} classes"
    conflicting = {n for n, _, label in rows if n is not None and labels[n] != clean_name(label.strip(), 120)}
    return ClassTable(
        labels={number: label for number, label in labels.items() if label and number not in conflicting},
        column=clean_name(column, 60),
        unknown=tuple(clean_name(name, 100) for number, name, _ in rows if number is None and name.strip()),
        conflicting=tuple(patch.name for patch in patches if patch.number in conflicting),
    )


def _read(path: Path) -> pd.DataFrame | None:
    """Read a table as text, whatever parts its columns; None when it is none."""
    import pandas as pd

    try:
        text = decode_text(path.read_bytes())
        first = "".join(text.splitlines(keepends=True)[:2])
        dialect = csv.Sniffer().sniff(first, delimiters=",;\t|")
        table = pd.read_csv(StringIO(text), sep=dialect.delimiter, dtype=str, keep_default_na=False, index_col=False)
    except (csv.Error, ValueError, pd.errors.ParserError):
        return None
    return table.fillna("") if table.shape[1] > 1 else None


class _Names:
    """Finds patches by what a table calls them: with folders or without, with the ending or without."""

    def __init__(self, patches: Sequence[Member]) -> None:
        self._by_name: dict[str, int | None] = {}
        for patch in patches:
            parts = PurePosixPath(patch.name.lower()).parts
            for start in range(len(parts)):
                tail = "/".join(parts[start:])
                for key in {tail, tail.removesuffix(patch.suffix)}:
                    self._by_name[key] = None if key in self._by_name else patch.number

    def number(self, value: str) -> int | None:
        """Return the number of the patch of a name, or None; names that several patches have are nobody's."""
        parts = PurePosixPath(value.strip().replace("\\", "/").lower()).parts
        tails = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((number for tail in tails if (number := self._by_name.get(tail)) is not None), None)


def _class_column(table: pd.DataFrame, rows: int) -> str | None:
    """Return the column of classes: the best called of those that can be, else the only one; names before numbers."""
    found = []
    for name in table.columns:
        values = {value.strip() for value in table[name]} - {""}
        numeric = all(value.replace(".", "", 1).lstrip("-").isdigit() for value in values)
        fractions = numeric and any("." in value for value in values)
        repeated = len(values) <= max(2, 0.5 * rows) or _rank(name) < len(_CLASS_WORDS)
        if values and repeated and not fractions and not all(map(is_part, values)):
            found.append((numeric, _rank(name), name))
    words = [(rank, name) for numeric, rank, name in found if not numeric]
    choices = words if words else [(rank, name) for _, rank, name in found]
    if not choices:
        return None
    best = min(rank for rank, _ in choices)
    names = [name for rank, name in choices if rank == best]
    return names[0] if len(names) == 1 else None


def _rank(title: str) -> int:
    key = "".join(letter for letter in title.lower() if letter.isalpha())
    return _CLASS_WORDS.index(key) if key in _CLASS_WORDS else len(_CLASS_WORDS)
