"""What the codes of a map of classes mean: as a person says, as files say, or as the map it is states."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import SourceError
from core.ingest.messages import clean_name, errors_about
from core.ingest.tile_labels import MAX_TABLE_BYTES
from core.text import decode_text

NO_CLASS = frozenset(
    {"", "no data", "nodata", "no_data", "none", "null", "n/a", "no class", "unclassified", "undefined"}
)
"""Names, in small letters, of codes that stand for no class."""

MAX_CLASS_NAME = 120
_TITLES = {
    "code": {"code", "value", "id", "classid", "classcode", "gridcode", "number", "dn", "pixelvalue", "rastervalue"},
    "name": {"name", "classname", "class", "classes", "label", "labels", "landcover", "landuse", "category", "lulc",
             "description", "legend", "title"},
    "colour": {"colour", "color", "hex", "rgb", "classcolour", "classcolor"},
    "red": {"red", "r"}, "green": {"green", "g"}, "blue": {"blue", "b"},
}  # fmt: skip
"""What people call the columns of a table of classes, in small letters without gaps, the best known first."""

_COLOUR = re.compile(r"#?([0-9a-fA-F]{6})")
_TRIPLE = re.compile(r"\D*(\d{1,3})\D+(\d{1,3})\D+(\d{1,3})\D*")
_INLINE = "write code=name, such as 1=forest,2=water, or give a CSV with a column of codes and one of names"
_BAND = r"<PAMRasterBand\s+band=\"{}\"[^<>]{{0,100}}>(.*?)</PAMRasterBand>"
_CATEGORY = re.compile(r"<Category(?:\s*/>|>([^<>]{0,300})</Category>)")
_FIELD = re.compile(
    r"<FieldDefn[^<>]{0,40}>\s*<Name>([^<>]{0,100})</Name>\s*<Type[^<>]{0,60}>\d</Type>\s*<Usage[^<>]{0,60}>(\d{1,2})</Usage>"
)
_ROW = re.compile(r"<Row[^<>]{0,40}>(.*?)</Row>", re.DOTALL)
_CELL = re.compile(r"<F(?:\s*/>|>([^<>]{0,300})</F>)")
_USAGES = {"2": "name", "3": "code", "5": "code", "6": "red", "7": "green", "8": "blue"}
"""GDALRATFieldUsage: name, minimum, minimum and maximum, red, green, blue."""


@dataclass(frozen=True, kw_only=True)
class CodeNames:
    """What codes mean.

    Attributes:
        names: by code; empty = no class. In maps painted in colours a code is the number of the colour.
        colours: by code, ``#rrggbb``.
        where: who says so, in words.
    """

    names: Mapping[int, str]
    colours: Mapping[int, str] = field(default_factory=dict)
    where: str = ""


def spoken(text: str, *, painted: bool) -> CodeNames:
    """Read ``0=water,1=trees`` or, of a painted map, ``#419bdf=water``.

    Raises:
        SourceError: when it is not of that form.
    """
    names: dict[int, str] = {}
    for part in re.split(r"[,;\n](?=\s*(?:$|[^,;=\n]+=))", text):  # A comma may be part of a name.
        code, sign, name = part.partition("=")
        number = code_of(code, painted=painted)
        if not part.strip():
            continue
        if not sign or number is None:
            raise SourceError(found=f"“{clean_name(part.strip(), 40)}” does not name a class", remedy=_INLINE)
        _take(names, number, name)
    return CodeNames(names=names, where="as you say")


def code_of(text: str, *, painted: bool) -> int | None:
    """Return a code as a number: of a painted map that of its colour; None when it is none."""
    colour = _hex(text)
    if painted:
        return None if not colour else int(colour[1:], 16)
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else None


def listed(path: Path, title: str, *, painted: bool) -> CodeNames:
    """Read a table of classes: a column of codes, one of names, perhaps one of colours.

    Raises:
        SourceError: when it cannot be told which column is which, or a code has two names.
    """
    shown = clean_name(title, 60)
    with errors_about(title):
        rows = [row for row in _rows(path) if any(cell.strip() for cell in row)]
        columns, body = _columns(rows, painted=painted)
        names: dict[int, str] = {}
        colours: dict[int, str] = {}
        for row in body:
            cells = {what: row[place] if place < len(row) else "" for what, place in columns.items()}
            colour = _hex(cells.get("colour", "")) or _rgb([cells.get(part, "") for part in ("red", "green", "blue")])
            number = int(colour[1:], 16) if painted and colour else code_of(cells.get("code", ""), painted=painted)
            if number is None:
                continue
            if painted and number in names and names[number] != _clean(cells["name"]):
                raise _one_colour(names[number], _clean(cells["name"]), colour)
            _take(names, number, cells["name"])
            if colour:
                colours.setdefault(number, colour)
        if not names:
            raise SourceError(found="it lists no class", remedy=_INLINE)
    return CodeNames(names=names, colours=colours, where=f"by “{shown}”")


def kept_by_gdal(text: str, title: str, band: int = 1) -> CodeNames | None:
    """Read what GDAL keeps beside a raster, its table of attributes or its names of categories; None without them.

    Args:
        text: of the ``.aux.xml``; it is searched, never parsed as XML.
        title: its name.
        band: 1-based band of the raster.
    """
    inside = re.search(_BAND.format(band), text, re.DOTALL)
    if inside is None:
        return None
    where = f"by “{clean_name(title, 60)}”"
    fields = [(html.unescape(name), _USAGES.get(usage)) for name, usage in _FIELD.findall(inside[1])]
    places = {what: n for n, (_, what) in reversed(list(enumerate(fields))) if what}
    for n, (name, _) in enumerate(fields):
        what = _what(name)
        if what is not None:
            places.setdefault(what, n)
    names: dict[int, str] = {}
    colours: dict[int, str] = {}
    if {"code", "name"} <= places.keys():
        for row in _ROW.findall(inside[1]):
            cells = [html.unescape(cell) for cell in _CELL.findall(row)]
            number = code_of(cells[places["code"]], painted=False) if len(cells) == len(fields) else None
            if number is not None:
                _take(names, number, cells[places["name"]])
                parts = [cells[places[part]] if part in places else "" for part in ("red", "green", "blue")]
                if colour := _rgb(parts):
                    colours[number] = colour
        return CodeNames(names=names, colours=colours, where=where) if names else None
    category = [html.unescape(name) for name in _CATEGORY.findall(inside[1])]
    names = {number: _clean(name) for number, name in enumerate(category) if name.strip()}
    return CodeNames(names=names, where=where) if names else None


def hex_colour(red: int, green: int, blue: int) -> str:
    """Return ``#rrggbb``."""
    return f"#{red:02x}{green:02x}{blue:02x}"


def _take(names: dict[int, str], number: int, name: str) -> None:
    clean = _clean(name)
    if names.get(number, clean) != clean:
        found = f"the code {number} is called “{names[number]}” and “{clean}”"
        raise SourceError(found=found, remedy="give each code one name")
    names[number] = clean


def _clean(name: str) -> str:
    clean = clean_name(" ".join(name.split()), MAX_CLASS_NAME)
    return "" if clean.casefold() in NO_CLASS else clean


def _one_colour(first: str, second: str, colour: str) -> SourceError:
    found = f"“{first}” and “{second}” have one colour, {colour}, so the map does not tell them apart"
    return SourceError(found=found, remedy="give a map of codes, or give both one name")


def _rows(path: Path) -> list[list[str]]:
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise SourceError(found="the table is too large", remedy="list each class once")
    try:
        text = decode_text(path.read_bytes())
    except UnicodeDecodeError as error:
        raise SourceError(found="it is no text", remedy=_INLINE) from error
    try:
        dialect = csv.Sniffer().sniff("\n".join(text.splitlines()[:2]), delimiters=",;\t|:=")
        return list(csv.reader(text.splitlines(), delimiter=dialect.delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise SourceError(found="its columns cannot be told apart", remedy=_INLINE) from error


def _columns(rows: Sequence[Sequence[str]], *, painted: bool) -> tuple[dict[str, int], Sequence[Sequence[str]]]:
    """Return the place of each column, and the rows of classes: by titles, or of a table without them by position."""
    if not rows:
        raise SourceError(found="it is empty", remedy=_INLINE)
    titles = {what: n for n, title in reversed(list(enumerate(rows[0]))) if (what := _what(title)) is not None}
    coded = "code" in titles or (painted and ("colour" in titles or {"red", "green", "blue"} <= titles.keys()))
    if coded and "name" in titles:
        return titles, rows[1:]
    first = "colour" if painted else "code"
    if len(rows[0]) > 1 and code_of(rows[0][0], painted=painted) is not None:
        further = {"colour": 2} if not painted and len(rows[0]) > 2 else {}
        return {first: 0, "name": 1, **further}, rows
    shown = ", ".join(clean_name(title, 30) for title in rows[0][:8])
    raise SourceError(found=f"its columns, {shown}, do not tell codes from names", remedy=_INLINE)


def _what(title: str) -> str | None:
    key = "".join(letter for letter in title.lower() if letter.isalpha())
    return next((what for what, words in _TITLES.items() if key in words), None)


def _hex(text: str) -> str:
    """Return a colour written as ``#rrggbb`` or as three numbers, as ``#rrggbb``; empty when it is none."""
    if found := _COLOUR.fullmatch(text.strip()):
        return f"#{found[1].lower()}"
    triple = _TRIPLE.fullmatch(text)
    return _rgb(triple.groups()) if triple else ""


def _rgb(parts: Iterable[str]) -> str:
    """Return the colour of three numbers of 0 to 255; empty where they are none."""
    try:
        numbers = [int(float(part)) for part in parts]
    except (ValueError, TypeError):
        return ""
    return hex_colour(*numbers) if len(numbers) == 3 and all(0 <= n <= 255 for n in numbers) else ""


def unnamed(codes: Collection[int], names: Mapping[int, str]) -> list[int]:
    """Return the codes that have no name, ascending."""
    return sorted(code for code in codes if code not in names)
