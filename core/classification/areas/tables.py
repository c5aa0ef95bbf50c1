"""The tables of a judged sample and of areas, as people keep them: CSV by whatever spreadsheet, read and written.

What a spreadsheet does to a table is undone: a byte-order mark, UTF-16, semicolons or tabs, decimal commas, thousands
separators, apostrophes before what looks like a formula.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.classification.areas.estimation import ABSTAINED, AreaStratum, JudgedUnit
from core.errors import ClassificationError
from core.export.tables import harmless
from core.files import disk_errors, replacing
from core.ingest.vectors.geojson import NO_VALUE_CELLS
from core.text import code_page, decode_text, is_unicode

MOST_TABLE_BYTES = 64 * 2**20
"""Of a table, at most: half a million judged patches."""

NOT_JUDGED = NO_VALUE_CELLS
"""Cells, in small letters, by which programs and people say that nothing is known; unless a class is called so."""

_NAMES = {
    "map": ("map", "map_class", "mapped", "class"),
    "reference": ("reference", "ref", "reference_class"),
    "stratum": ("stratum", "strata"),
    "patch_id": ("patch_id", "patchid", "patch"),
    "class": ("class", "stratum", "map"),
    "hectares": ("hectares", "ha", "area_ha"),
    "patches": ("patches", "units"),
    "label": ("label", "class", "class_name", "reference"),
    "lon": ("lon", "longitude", "long", "lng", "decimallongitude", "point_x", "xcoord", "x_coord", "x"),
    "lat": ("lat", "latitude", "decimallatitude", "point_y", "ycoord", "y_coord", "y"),
    "scene": ("scene", "scene_id"),
    "source_name": ("source_name",),
    "value": ("value", "target", "yield", "biomass"),
}
"""Columns and what they may be called, in small letters, ``_`` between words; the first is ours."""

_POINT = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+|(?=\.\d))(\.\d*)?(e[+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+|(?=,\d))(,\d*)?(e[+-]?\d+)?")
_WRITTEN = {
    "cp1252": "Windows writes them in western Europe", "cp1251": "Windows writes them in Cyrillic",
    "cp866": "DOS wrote them in Cyrillic", "gb18030": "Windows writes them in China",
}  # fmt: skip
_BLANKS = re.compile(r"(?<=\d)[\s'’_](?=\d{3}(?:\D|$))")


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A table of text.

    Attributes:
        name: of the file, for sentences.
        separator: between its cells.
        columns: names as they stand, stripped.
        rows: number of the line in the file, and the cells by the columns' places, stripped.
        said: what had to be assumed of it, a sentence each.
    """

    name: str
    separator: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    said: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        """What was asked for, for sentences."""
        return f"Reading “{self.name}”"

    def column(self, name: str) -> list[str] | None:
        """Return the cells of a column by our name of it; None where there is none.

        Raises:
            ClassificationError: when there are two.
        """
        for wanted in _NAMES[name]:
            places = [at for at, one in enumerate(self.columns) if _plain_name(one) == wanted]
            if len(places) > 1:
                raise ClassificationError(self.asked, f"it has two columns “{wanted}”", "leave one of them")
            if places:
                return [cells[places[0]] for _, cells in self.rows]
        return None

    def needed(self, name: str) -> list[str]:
        """Return the cells of a column that has to be there.

        Raises:
            ClassificationError: when there is none, or two.
        """
        found = self.column(name)
        if found is None:
            some = ", ".join(f"“{one}”" for one in self.columns[:8]) or "none"
            raise ClassificationError(self.asked, f"it has no column “{name}”; its columns are {some}", "name it so")
        return found

    def check_places(self) -> None:
        """Do nothing where it says which patches its lines are of.

        Raises:
            ClassificationError: where it has no ids of patches, and no longitude and latitude.
        """
        if self.column("patch_id") is None and (self.column("lon") is None or self.column("lat") is None):
            some = ", ".join(f"“{one[:40]}”" for one in self.columns[:8]) or "none"
            found = f"its columns are {some}, and none says which patches they are of"
            raise ClassificationError(self.asked, found, "give it a column patch_id, or the columns lon and lat")

    def titled(self, title: str) -> list[str]:
        """Return the cells of the first column of this very name.

        Raises:
            ClassificationError: when there is none.
        """
        if title not in self.columns:
            some = ", ".join(f"“{one}”" for one in self.columns[:8]) or "none"
            found = f"it has no column “{title[:60]}”; its columns are {some}"
            raise ClassificationError(self.asked, found, "choose one of these")
        at = self.columns.index(title)
        return [cells[at] for _, cells in self.rows]

    def line(self, row: int) -> int:
        """Return the number of a row's line in the file, counted from 1."""
        return self.rows[row][0]


def _plain_name(name: str) -> str:
    """Return the name of a column in small letters, ``_`` between its words: “Patch ID” is patch_id."""
    return re.sub(r"[\s.\-]+", "_", name.casefold())


def read_text_table(path: Path) -> TextTable:
    """Read a CSV file.

    Raises:
        ClassificationError: when it cannot be read, is none, has no rows, lines of other lengths, or a quote that is
            never closed.
    """
    asked = f"Reading “{path.name}”"
    text, said = _decoded(asked, _content(asked, path))
    text, separator = _separated(_without_remarks(text))
    lines = _lines(asked, text, separator)
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines:
        raise ClassificationError(asked, "it is empty", "give a CSV file with a line of names and a line for each row")
    columns = lines[0][1]
    rows = tuple((number, _cells(asked, number, cells, len(columns))) for number, cells in lines[1:])
    return TextTable(name=path.name, separator=separator, columns=tuple(columns), rows=rows, said=said)


def _lines(asked: str, text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Return the cells of each line, stripped, with the number of the line that they end in.

    A quote that is never closed would make one cell of all lines behind it, so that it is refused. Blanks or letters
    behind a closing quote are no error to a person: they are read, unless lines were swallowed.
    """
    try:
        return _parsed(asked, text, separator, strict=True)
    except csv.Error:
        pass
    try:
        lines = _parsed(asked, text, separator, strict=False)
    except csv.Error as error:
        raise ClassificationError(asked, f"it is no table of text ({error})", "give a CSV file") from error
    swallowed = next((number for number, cells in lines if any(map(spans_lines, cells))), None)
    if swallowed is not None:
        found = f"a quote in or before line {swallowed} is closed in the wrong place"
        raise ClassificationError(asked, found, "close it, or leave it out")
    return lines


def _parsed(asked: str, text: str, separator: str, *, strict: bool) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict, skipinitialspace=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        lines.extend((reader.line_num, [cell.strip() for cell in cells]) for cells in reader)
    except csv.Error as error:
        if "unexpected end" not in str(error):
            raise
        found = f"a quote that opens in line {1 + (lines[-1][0] if lines else 0)} is never closed"
        raise ClassificationError(asked, found, "close it, or leave it out") from error
    return lines


def spans_lines(cell: str) -> bool:
    """Return whether a cell has a line break in it."""
    return "\n" in cell or "\r" in cell


def _without_remarks(text: str) -> str:
    """Return a text with empty lines in place of the remarks, ``# …``, before its line of names.

    A line ``# patch_id,class``, as numerical programs write it, is the line of names.
    """
    known, lines = {name for names in _NAMES.values() for name in names}, text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        names = line.lstrip("# ") if line.startswith("#") else line
        cells = {_plain_name(cell.strip('" \r\n')) for cell in re.split(r"[,;\t|]", names)}
        if line.strip() and (not line.startswith("#") or len(cells & known) > 1):
            return "\n" * at + names + "".join(lines[at + 1 :])
    return text


def _separated(text: str) -> tuple[str, str]:
    """Return a text and what parts its cells: as a line ``sep=;`` of Excel's says, else by the line of names."""
    stated = re.match(r"\s*\"?sep=([;,\t|])\"?[^\S\n]*\r?\n", text, re.IGNORECASE)
    if stated is not None:
        return text[stated.end() :], stated[1]
    head = next((line for line in text.splitlines() if line.strip()), "")
    return text, max(",;\t|", key=head.count)


def _content(asked: str, path: Path) -> bytes:
    if not path.is_file():
        raise ClassificationError(asked, "there is no such file", "check the path")
    try:
        size = path.stat().st_size
        if size > MOST_TABLE_BYTES:
            found = f"it has {size / 2**20:,.0f} MB, and a table of at most {MOST_TABLE_BYTES / 2**20:.0f} MB is read"
            raise ClassificationError(asked, found, "leave only the columns and rows that are needed")
        return path.read_bytes()
    except OSError as error:
        raise ClassificationError(asked, f"it cannot be read ({error.strerror})", "check its permissions") from error


def _decoded(asked: str, content: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file, and by what its letters were taken where it is neither UTF-8 nor UTF-16."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ClassificationError(asked, "it is a workbook of a spreadsheet", "save it as CSV")
    try:
        text, page = decode_text(content), None if is_unicode(content) else code_page(content)
    except UnicodeDecodeError as error:
        raise ClassificationError(asked, "it is no text", "give a CSV file") from error
    if "\0" in text:
        raise ClassificationError(asked, "it is no text", "give a CSV file")
    return text, () if page is None else (f"The file is not in UTF-8; its letters were taken as {_WRITTEN[page]}.",)


def _cells(asked: str, number: int, cells: Sequence[str], count: int) -> tuple[str, ...]:
    """Return the cells of a line, empty ones added where it is shorter than the line of names."""
    if any(cells[count:]):
        found = f"line {number} has {len(cells)} cells and the first line {count}"
        raise ClassificationError(asked, found, "put a cell that holds the separator into quotes")
    return tuple(_unguarded(cell) for cell in [*cells[:count], *[""] * (count - len(cells))])


def _unguarded(cell: str) -> str:
    """Return a cell without the apostrophe that ``harmless`` put in front."""
    return cell[1:] if cell.startswith("'") and harmless(cell[1:]) == cell else cell


def read_areas(path: Path) -> list[AreaStratum]:
    """Read the areas of classes or other strata: columns ``class`` and ``hectares``, perhaps ``patches``.

    Raises:
        ClassificationError: when a column is missing, a class stands twice, or an area is none.
    """
    table = read_text_table(path)
    names, areas = table.needed("class"), _numbers(table, "hectares")
    units = None if table.column("patches") is None else _numbers(table, "patches")
    for row, (name, area) in enumerate(zip(names, areas, strict=True)):
        if not name:
            raise ClassificationError(table.asked, f"line {table.line(row)} names no class", "name it")
        if area < 0:
            raise ClassificationError(table.asked, f"“{name}” has {area:g} ha", "give at least 0")
        if units is not None and (units[row] < 0 or units[row] != int(units[row])):
            raise ClassificationError(table.asked, f"“{name}” has {units[row]:g} patches", "give a whole number")
    _alike(table.asked, names)
    for name, count in Counter(names).items():
        if count > 1:
            raise ClassificationError(table.asked, f"“{name}” stands there {count} times", "leave one line for it")
    if not sum(areas):
        raise ClassificationError(table.asked, "no class has any land", "give the hectares of each class")
    return [
        AreaStratum(name=name, hectares=area, units=None if units is None else int(units[row]))
        for row, (name, area) in enumerate(zip(names, areas, strict=True))
    ]


def _numbers(table: TextTable, name: str) -> list[float]:
    """Return a column of numbers by our name of it; errors as of ``table_numbers``."""
    return _read_numbers(table, name, table.needed(name), "line")


def table_numbers(table: TextTable, title: str, *, line: str = "line") -> list[float]:
    """Return a column of numbers by its title, however they are written; ``line`` is what a row is called.

    Raises:
        ClassificationError: for a cell that is no finite number, or where a point or comma may mean either.
    """
    return _read_numbers(table, title, table.titled(title), line)


def _read_numbers(table: TextTable, name: str, raw: Sequence[str], line: str) -> list[float]:
    cells = [_BLANKS.sub("", cell.casefold()) for cell in raw]
    point, comma = ([pattern.fullmatch(cell) is not None for cell in cells] for pattern in (_POINT, _COMMA))
    for row, cell in enumerate(cells):
        if not point[row] and not comma[row]:
            said = f"“{cell[:40]}” as {name}" if cell else f"no {name}"
            found = f"{line} {table.line(row)} has {said}"
            raise ClassificationError(table.asked, found, "give a number")
    by_point = [float(cell.replace(",", "")) if ok else math.nan for cell, ok in zip(cells, point, strict=True)]
    by_comma = [
        float(cell.replace(".", "").replace(",", ".")) if ok else math.nan
        for cell, ok in zip(cells, comma, strict=True)
    ]
    if not all(point) and not all(comma):
        row = max(point.index(False), comma.index(False))
        found = f"{line} {table.line(row)} has “{cells[row]}” as {name}, and other lines write numbers otherwise"
        raise ClassificationError(table.asked, found, "write them all with a decimal point")
    if all(point) and all(comma) and by_point != by_comma:
        return _either(table, name, cells, by_point, by_comma)
    numbers = by_point if all(point) else by_comma
    if not all(math.isfinite(one) for one in numbers):
        raise ClassificationError(table.asked, f"a number of {name} is too large", "correct it")
    return numbers


def looks_like_a_number(cell: str) -> bool:
    """Return whether a cell is a number, whichever way it is written."""
    plain = _BLANKS.sub("", cell.casefold())
    return _POINT.fullmatch(plain) is not None or _COMMA.fullmatch(plain) is not None


def _either(
    table: TextTable, name: str, cells: Sequence[str], by_point: list[float], by_comma: list[float]
) -> list[float]:
    """Return numbers such as 1,234 or 1.234, all of which mean two things, where the table's separator tells which."""
    if table.separator == ",":
        return by_point  # Who parts cells by commas has decimal points.
    unclear = next(cell for cell, one, other in zip(cells, by_point, by_comma, strict=True) if one != other)
    found = f"“{unclear}” as {name} may be a thousand times as much"
    raise ClassificationError(table.asked, found, "write numbers without thousands separators")


def read_sample(path: Path, strata: Sequence[AreaStratum]) -> list[JudgedUnit]:
    """Read a judged sample: columns ``map`` and ``reference``, perhaps ``stratum`` and ``patch_id``.

    Without strata the classes of the map are the strata.

    Args:
        path: the file.
        strata: whose areas are known, to say which names do not fit.

    Raises:
        ClassificationError: when a column is missing, a line names no class of the map, a patch stands twice, or a
            stratum has no area.
    """
    table = read_text_table(path)
    mapped, reference = table.needed("map"), table.needed("reference")
    own = table.column("stratum")
    parts = own if own is not None and any(own) else mapped
    if not mapped:
        raise ClassificationError(table.asked, "it has names of columns and no rows", "draw a sample first")
    _each_once(table)
    known = {one.name for one in strata}
    for row, (name, part) in enumerate(zip(mapped, parts, strict=True)):
        if not name or not part:
            what = "no class of the map" if not name else "no stratum"
            raise ClassificationError(table.asked, f"line {table.line(row)} has {what}", "fill it in")
        if part not in known:
            _alike(table.asked, [*known, part])
            found = f"“{part}” of line {table.line(row)} has no area among {_some(known)}"
            raise ClassificationError(table.asked, found, "name strata alike in both files, or give its hectares too")
    classes = known | set(mapped)
    ground = [None if name.casefold() in NOT_JUDGED and name not in classes else name for name in reference]
    _alike(table.asked, [*classes, *(name for name in ground if name is not None)])
    if ABSTAINED in ground:
        raise ClassificationError(table.asked, f"a reference is “{ABSTAINED}”", "name the class of the land, or none")
    return [
        JudgedUnit(stratum=part, mapped=name, reference=truth)
        for part, name, truth in zip(parts, mapped, ground, strict=True)
    ]


def _each_once(table: TextTable) -> None:
    ids = [one for one in table.column("patch_id") or [] if one]
    twice = [one for one, count in Counter(ids).items() if count > 1]
    if twice:
        found = f"patch {twice[0]} stands there {ids.count(twice[0])} times"
        raise ClassificationError(table.asked, found, "leave one line for it; twice it would count as two")


def _alike(asked: str, names: Iterable[str]) -> None:
    """Refuse names that differ only in capitals or blanks: nobody means two classes by them."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(" ".join(name.casefold().split()), name)
        if other != name:
            found = f"“{other}” and “{name}” differ only in capitals or blanks"
            raise ClassificationError(asked, found, "write a class alike everywhere")


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(f"“{name}”" for name in listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")


def write_csv(path: Path, columns: Mapping[str, Sequence[object]]) -> None:
    """Write columns as CSV (RFC 4180), whole or not at all; None is an empty cell, text no formula.

    Raises:
        StoreError: when it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_written(cell) for cell in cells] for cells in zip(*columns.values(), strict=True))
    advice = "free some space or choose another place"
    with disk_errors(f"Writing “{path.name}”", full=advice, other="choose another place"), replacing(path) as fresh:
        fresh.write_bytes(text.getvalue().encode())


def write_areas(path: Path, strata: Sequence[AreaStratum]) -> None:
    """Write areas as ``read_areas`` reads them, hectares to a square metre.

    Raises:
        StoreError: when it cannot be written.
    """
    columns: dict[str, Sequence[object]] = {
        "class": [one.name for one in strata],
        "hectares": [f"{one.hectares:.4f}" for one in strata],
        "patches": [one.units for one in strata],
    }
    write_csv(path, columns)


def _written(cell: object) -> object:
    return harmless(cell) if isinstance(cell, str) else "" if cell is None else cell
