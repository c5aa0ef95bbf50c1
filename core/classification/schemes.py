"""Schemes of classes, each with code, name, colour and key: those the field uses, and people's own, also as files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from core.bands import class_title
from core.classification.style_files import colour_map_rows, style_rows
from core.errors import SettingsError
from core.export.tables import harmless
from core.scenes.given.annotations import MOST_CLASSES
from core.scenes.given.classes import clean_class
from core.text import decode_text
from core.values.palette import CLASS_COLOURS, class_colours

CODES = range(254)
"""Codes that a class may have; the two above stand in maps for “unsure” and “no data”."""

KEYS = "1234567890qwertyuiop"
"""Keys that classes get in turn where a scheme names none."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_REMEDY = "give a CSV with the columns code, name, colour and key, or the JSON that was exported"
_LARGEST = 1_000_000
_COLUMNS = {
    "code": "code", "value": "code", "name": "name", "class": "name", "label": "name", "colour": "colour",
    "color": "colour", "key": "key",
}  # fmt: skip
"""What columns may be called, in small letters, and what we call them."""


@dataclass(frozen=True, kw_only=True)
class LandClass:
    """One class of a scheme.

    Attributes:
        code: number in maps, one of ``CODES``.
        name: what labels say.
        colour: ``#rrggbb``.
        key: one character that gives it to a patch, or empty.
    """

    code: int
    name: str
    colour: str
    key: str = ""

    @property
    def title(self) -> str:
        """The name as people write it: ``Annual crop``."""
        return class_title(self.name)


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """Classes that belong together.

    Attributes:
        name: in files and addresses.
        title: what people read.
        source: where classes and colours come from, a sentence, or empty.
        classes: in the order they are shown.
    """

    name: str
    title: str
    source: str = ""
    classes: tuple[LandClass, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(one.name for one in self.classes)

    def by_key(self, key: str) -> LandClass | None:
        """Return the class of a key, or None."""
        return next((one for one in self.classes if key and one.key == key), None)


def _scheme(name: str, title: str, source: str, rows: Sequence[tuple[int, str, str]]) -> Scheme:
    classes = [
        LandClass(code=code, name=label, colour=colour, key=KEYS[number] if number < len(KEYS) else "")
        for number, (code, label, colour) in enumerate(rows)
    ]
    return Scheme(name=name, title=title, source=source, classes=tuple(classes))


_CORINE = (
    (11, "Urban fabric", "#E6004D"),
    (12, "Industrial, commercial and transport units", "#CC4DF2"),
    (13, "Mine, dump and construction sites", "#A600CC"),
    (14, "Artificial, non-agricultural vegetated areas", "#FFA6FF"),
    (21, "Arable land", "#FFFFA8"),
    (22, "Permanent crops", "#E68000"),
    (23, "Pastures", "#E6E64D"),
    (24, "Heterogeneous agricultural areas", "#FFE6A6"),
    (31, "Forests", "#80FF00"),
    (32, "Scrub and herbaceous vegetation associations", "#CCF24D"),
    (33, "Open spaces with little or no vegetation", "#E6E6E6"),
    (41, "Inland wetlands", "#A6A6FF"),
    (42, "Maritime wetlands", "#CCCCFF"),
    (51, "Inland waters", "#00CCF2"),
    (52, "Marine waters", "#00FFA6"),
)
_CORINE_SOURCE = "CORINE Land Cover nomenclature; a class has the official colour of its first class of level 3."

SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        one.name: one
        for one in (
            _scheme(
                "eurosat", "EuroSAT, 10 classes", "Helber et al. 2019; colours of this app.",
                [(number, name, colour) for number, (name, colour) in enumerate(CLASS_COLOURS.items(), 1)],
            ),
            _scheme(
                "corine1", "CORINE, level 1", _CORINE_SOURCE,
                [
                    (1, "Artificial surfaces", "#E6004D"),
                    (2, "Agricultural areas", "#FFFFA8"),
                    (3, "Forest and semi-natural areas", "#80FF00"),
                    (4, "Wetlands", "#A6A6FF"),
                    (5, "Water bodies", "#00CCF2"),
                ],
            ),
            _scheme("corine2", "CORINE, level 2", _CORINE_SOURCE, _CORINE),
            _scheme(
                "lccs", "FAO LCCS, dichotomous phase",
                "Di Gregorio 2005, Land Cover Classification System; FAO gives no colours, these are of this app.",
                [
                    (11, "A11 Cultivated terrestrial areas", "#EFCD70"),
                    (12, "A12 Natural terrestrial vegetation", "#2C5F45"),
                    (23, "A23 Cultivated aquatic areas", "#2EAF8A"),
                    (24, "A24 Natural aquatic vegetation", "#99B80F"),
                    (15, "B15 Artificial surfaces", "#B20000"),
                    (16, "B16 Bare areas", "#7B7374"),
                    (27, "B27 Artificial water bodies, snow and ice", "#81BEF1"),
                    (28, "B28 Natural water bodies, snow and ice", "#165DC4"),
                ],
            ),
            _scheme(
                "dynamicworld", "Dynamic World, 9 classes", "Brown et al. 2022, with its official colours.",
                [
                    (0, "Water", "#419BDF"),
                    (1, "Trees", "#397D49"),
                    (2, "Grass", "#88B053"),
                    (3, "Flooded vegetation", "#7A87C6"),
                    (4, "Crops", "#E49635"),
                    (5, "Shrub and scrub", "#DFC35A"),
                    (6, "Built", "#C4281B"),
                    (7, "Bare", "#A59B8F"),
                    (8, "Snow and ice", "#B39FE1"),
                ],
            ),
        )
    }
)  # fmt: skip
"""Schemes that the field uses, by name."""


def own_scheme(names: Sequence[str], colours: Sequence[str] = (), *, title: str = "Your classes") -> Scheme:
    """Return a scheme of people's own classes; classes that a scheme of the field has keep its code and colour.

    Args:
        names: of the classes, each once.
        colours: ``#rrggbb`` or empty for each; or nothing.
        title: what people call it.
    """
    for known in SCHEMES.values():
        if names and set(names) <= set(known.names):
            chosen = {name: colour for name, colour in zip(names, colours, strict=False) if colour}
            kept = [one for one in known.classes if one.name in names]
            painted = [LandClass(**{**asdict(one), "colour": chosen.get(one.name, one.colour)}) for one in kept]
            return Scheme(name=known.name, title=known.title, source=known.source, classes=tuple(painted))
    painted_as = class_colours(names, colours)
    rows = [(number, name, colour) for number, (name, colour) in enumerate(zip(names, painted_as, strict=True), 1)]
    return _scheme("own", title, "", rows)


def scheme_csv(scheme: Scheme) -> str:
    """Return a scheme as CSV (RFC 4180) with the columns code, name, colour, key; no cell runs in a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["code", "name", "colour", "key"])
    writer.writerows([one.code, harmless(one.name), one.colour, one.key] for one in scheme.classes)
    return text.getvalue()


def scheme_json(scheme: Scheme) -> str:
    """Return a scheme as JSON that ``read_scheme`` reads."""
    return json.dumps({"version": 1, **asdict(scheme)}, ensure_ascii=False, indent=1)


def read_scheme(content: bytes, file_name: str) -> Scheme:
    """Read a scheme from a file, CSV, JSON or a style of QGIS; a missing code or colour is filled in.

    Raises:
        SettingsError: when it is no scheme, or a code, a name or a key occurs twice.
    """
    asked = f"Reading the classes of “{file_name}”"
    if len(content) > _LARGEST:
        raise SettingsError(asked, f"it has {len(content):,} bytes, too many for a list of classes", _REMEDY)
    try:
        whole = _parsed(decode_text(content), file_name)
        rows = [dict(row) for row in whole["classes"]]
        title = str(whole.get("title") or file_name.rpartition(".")[0] or "Your classes")[:60]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        raise SettingsError(asked, "it is no list of classes", _REMEDY) from error
    return Scheme(
        name=str(whole.get("name") or "own")[:40], title=title, source=str(whole.get("source") or "")[:200],
        classes=_classes(asked, rows),
    )  # fmt: skip


def _parsed(text: str, file_name: str) -> Mapping[str, Any]:
    """Return what a file says, whatever its form; its classes are rows of text."""
    start = text.lstrip()[:1]
    if start in {"{", "["}:
        whole = json.loads(text)
        return {"classes": whole} if isinstance(whole, list) else whole
    if start == "<":
        return {"classes": style_rows(text)}
    if file_name.casefold().endswith((".clr", ".txt")):
        return {"classes": colour_map_rows(text)}
    head = next((line for line in text.splitlines() if line.strip()), "")
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=head.count),
                           strict=True, skipinitialspace=True)  # fmt: skip
    return {"classes": [_csv_row(row) for row in table]}


def _csv_row(row: Mapping[str | None, Any]) -> dict[str, str]:
    """Return a line of a table by our names of its columns, without the apostrophes that ``harmless`` put there."""
    found: dict[str, str] = {}
    for name, cell in row.items():
        text = str(cell or "").strip()
        ours = _COLUMNS.get(str(name).strip().casefold())
        if ours and text:
            found.setdefault(ours, text[1:] if text.startswith("'") and harmless(text[1:]) == text else text)
    return found


def _classes(asked: str, rows: Sequence[Mapping[str, Any]]) -> tuple[LandClass, ...]:
    if not 1 <= len(rows) <= MOST_CLASSES:
        raise SettingsError(asked, f"it has {len(rows)} classes", f"give 1 to {MOST_CLASSES}")
    names = [clean_class(asked, _text(row, "name")) for row in rows]
    given = [_text(row, "colour") or _text(row, "color") for row in rows]
    for colour in given:
        if colour and not _COLOUR.fullmatch(colour):
            raise SettingsError(asked, f"“{colour[:20]}” is no colour", "write colours as #rrggbb")
    keys = [_text(row, "key") for row in rows]
    if any(len(key) > 1 for key in keys):
        raise SettingsError(asked, "a key is longer than one character", "give each class one key, or none")
    given_codes = [_code(asked, _text(row, "code")) for row in rows]
    stated = [code for code in given_codes if code is not None]
    codes: list[int] = []
    for code in given_codes:
        codes.append(free_code(asked, [*codes, *stated]) if code is None else code)
    folded: dict[str, str] = {}
    for name in names:
        other = folded.setdefault(" ".join(name.casefold().split()), name)
        if other != name:
            raise SettingsError(
                asked, f"“{other}” and “{name}” differ only in capitals", "give each class its own name"
            )
    for what, values in (("code", list(map(str, codes))), ("name", names), ("key", [key for key in keys if key])):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise SettingsError(asked, f"the {what} “{twice}” occurs twice", f"give each class a {what} of its own")
    colours = class_colours(names, given)
    return tuple(
        LandClass(code=code, name=name, colour=colour, key=key)
        for code, name, colour, key in zip(codes, names, colours, keys, strict=True)
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _code(asked: str, text: str) -> int | None:
    text = re.sub(r"(?<=\d)\.0+$", "", text)
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) not in CODES:
        found = f"“{text[:20]}” is no code of a class"
        raise SettingsError(asked, found, f"give whole numbers from 0 to {CODES[-1]}")
    return int(text)


def free_code(asked: str, taken: Collection[int]) -> int:
    """Return the lowest code from 1 on that is free; 0, which many maps give to nothing, comes last.

    Raises:
        SettingsError: when none is.
    """
    found: int | None = next((code for code in (*CODES[1:], 0) if code not in taken), None)
    if found is None:
        raise SettingsError(asked, "all codes are taken", "join some classes")
    return found
