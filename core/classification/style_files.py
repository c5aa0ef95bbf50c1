"""Classes in the styles of GIS programs: QGIS's ``.qml`` of rasters and vectors, colour maps (``.clr``, ``.txt``).

A style is a file from outside: only what is looked for is taken of it, as text.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping

Row = Mapping[str, str]
"""A class as text by ``code``, ``name`` and ``colour``; what a style does not say is not there."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_NUMBER = re.compile(r"\d{1,9}(\.0+)?")


def style_rows(text: str) -> list[Row]:
    """Return the classes of a style of QGIS, in their order.

    A paletted raster has codes with labels; what is transparent is no class. Categories of a vector have values: whole
    ones are codes, texts are names.

    Raises:
        ValueError: when it is no style, or one that tells no classes apart.
    """
    if "<!ENTITY" in text:
        raise ValueError("entities")
    try:
        root = ET.fromstring(text)  # noqa: S314  without entities nothing grows, and nothing outside is read
    except ET.ParseError as error:
        raise ValueError("no XML") from error
    palette = [_palette_row(one) for one in root.iter("paletteEntry") if one.get("alpha") != "0"]
    # A symbol stands elsewhere too, as the one that the others were made of, and is called “0” there as well.
    symbols = {one.get("name", ""): _symbol_colour(one) for one in root.findall(".//renderer-v2/symbols/symbol")}
    categories = [
        _row(one, symbols.get(one.get("symbol", ""), "")) for one in root.findall(".//renderer-v2/categories/category")
    ]
    found = [row for row in palette or categories if row.get("name") or row.get("code")]
    if not found:
        raise ValueError("no classes")
    return [{"name": f"Class {row.get('code', '')}", **row} for row in found]


def _palette_row(entry: ET.Element) -> Row:
    """Return an entry of a raster; its value is a code whatever it is, and one that no class has is refused later."""
    value, label, colour = (entry.get(name, "").strip() for name in ("value", "label", "color"))
    code = value.partition(".")[0] if _NUMBER.fullmatch(value) else value
    return {name: text for name, text in (("code", code), ("name", label), ("colour", colour[:7])) if text}


def _row(entry: ET.Element, colour: str) -> Row:
    value, label = entry.get("value", "").strip(), entry.get("label", "").strip()
    row = {"colour": colour[:7]} if colour else {}
    if _NUMBER.fullmatch(value):
        row["code"] = value.partition(".")[0]
        return {**row, "name": label} if label else row
    name = value or label
    return {**row, "name": name} if value else {}  # QGIS's entry for all other values has a label and no value.


def _symbol_colour(symbol: ET.Element) -> str:
    """Return the colour of a symbol's first layer; empty where it has none."""
    for wanted in ("color", "line_color"):
        for one in symbol.iter():
            if (one.get("name") or one.get("k")) == wanted:
                text = one.get("value") or one.get("v") or ""
                if _HEX.fullmatch(text):
                    return text.lower()
                parts = text.split(",")
                if len(parts) >= 3 and all(part.strip().isdigit() and int(part) < 256 for part in parts[:3]):
                    return "#{:02x}{:02x}{:02x}".format(*map(int, parts[:3]))
    return ""


def colour_map_rows(text: str) -> list[Row]:
    """Return the classes of a colour map: lines of code, red, green and blue, perhaps opacity and a label.

    Raises:
        ValueError: when a line is none.
    """
    found: list[Row] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#") or line.upper().startswith("INTERPOLATION"):
            continue
        cells = [cell.strip() for cell in (line.split(",", 5) if "," in line else line.split(maxsplit=5))]
        code, *rgb = cells[:4]
        if len(rgb) != 3 or not _NUMBER.fullmatch(code) or not all(one.isdigit() and int(one) < 256 for one in rgb):
            raise ValueError("no colour map")
        code = code.partition(".")[0]
        rest = cells[4:]
        if rest and rest[0].isdigit():
            rest = rest[1:]  # Opacity.
        label = " ".join(rest).strip()
        found.append(
            {"code": code, "name": label or f"Class {code}", "colour": "#{:02x}{:02x}{:02x}".format(*map(int, rgb))}
        )
    if not found:
        raise ValueError("no classes")
    return found
