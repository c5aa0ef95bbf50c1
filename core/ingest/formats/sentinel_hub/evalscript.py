"""An evalscript as text: what its outputs hold, as far as it returns bands plainly. It is read and never run.

The form is that of evalscripts of version 3 (Sentinel Hub documentation, “Evalscript V3”).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, prod

_VERSION = re.compile(r"^\s*//\s*VERSION\s*=\s*3\b")
_REMARKS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_SETUP = re.compile(r"function\s++setup\s*+\(\s*+\w*+\s*+\)\s*+\{\s*+return\b")
_PIXEL = re.compile(
    r"function\s++evaluatePixel\s*+\(\s*+(?P<sample>[A-Za-z_$]\w*+)[\w\s,$]*+\)\s*+\{\s*+return"
    r"(?P<value>[^;{}]*+|\s*+\{[^{};]*+\})\s*+;?\s*+\}"
)
"""Nothing is tried twice, or a long row of spaces would take longer than anybody waits."""
_KEY = r"(?:^|[\s{{,])[\"']?{}[\"']?\s*:\s*"
_TEXT = re.compile(r"[\"']([^\"']*)[\"']")
_ID = re.compile(_KEY.format("id") + r"[\"']([\w.-]+)[\"']")
_TYPE = re.compile(_KEY.format("sampleType") + r"(?:SampleType\.|[\"'])(\w+)")
_MOSAICKING = re.compile(_KEY.format("mosaicking") + r"(?:Mosaicking\.|[\"'])(\w+)")
_LISTED = re.compile(r"\s*[\"']?([\w.-]+)[\"']?\s*:\s*\[([^\[\]]*)\]\s*(?:,|$)")
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+")
_LONGEST = 20_000
DEFAULT = "default"
"""What an output is called that has no name."""


@dataclass(frozen=True, kw_only=True)
class OutputBand:
    """A band of an output.

    Attributes:
        name: of the band of the collection, as ``B02`` or ``dataMask``.
        factor: by which it is multiplied.
        unit: in which it was asked for, in capitals; empty = the usual one of the collection.
    """

    name: str
    factor: float
    unit: str


@dataclass(frozen=True, kw_only=True)
class ScriptOutput:
    """An output of a script that returns bands plainly.

    Attributes:
        bands: in order.
        kind: type of its numbers in capitals, such as ``UINT16`` or ``AUTO``.
    """

    bands: tuple[OutputBand, ...]
    kind: str


def plain_outputs(script: str) -> Mapping[str, ScriptOutput]:
    """Return outputs by name that hold bands of the collection, each times a number at most; others are left out.

    Args:
        script: from outside.
    """
    if not _VERSION.search(script) or len(script) > _LONGEST:
        return {}
    text = _REMARKS.sub(" ", script)
    setup, pixel = _SETUP.search(text), _PIXEL.search(text)
    stated = "" if setup is None else _enclosed(text[setup.end() :].lstrip(), "{", "}")
    once = _MOSAICKING.search(stated)
    if pixel is None or not stated or text.count("evaluatePixel") > 1 or (once and once[1].upper() != "SIMPLE"):
        return {}
    units, kinds = _units(_value(stated, "input")), _kinds(_value(stated, "output"))
    if units is None:
        return {}
    found = {}
    for name, listed in _returned(pixel["value"].strip()).items():
        bands = [_band(one.strip(), pixel["sample"], units) for one in listed.rstrip().removesuffix(",").split(",")]
        if name in kinds and all(bands):
            found[name] = ScriptOutput(bands=tuple(band for band in bands if band), kind=kinds[name])
    return found


def _returned(value: str) -> dict[str, str]:
    """Return what is inside the list of each output."""
    if value.startswith("[") and value.endswith("]") and value.count("[") == 1:
        return {DEFAULT: value[1:-1]}
    if not value.startswith("{"):
        return {}
    inside, found, at = value[1:-1].strip(), {}, 0
    while at < len(inside):
        if (listed := _LISTED.match(inside, at)) is None:
            return {}
        found[listed[1]] = listed[2]
        at = listed.end()
    return found


def _band(text: str, sample: str, units: Mapping[str, str]) -> OutputBand | None:
    """Return what an entry of a list means, a band times or divided by numbers; None for anything else."""
    first, *divisors = (part.strip() for part in text.split("/"))
    parts = [part.strip() for part in first.split("*")]
    names = [part for part in parts if part.startswith(f"{sample}.")]
    numbers = [part for part in parts if _NUMBER.fullmatch(part)]
    if len(names) != 1 or len(numbers) != len(parts) - 1 or not all(map(_NUMBER.fullmatch, divisors)):
        return None
    name = names[0].removeprefix(f"{sample}.")
    below = prod(map(float, divisors))
    factor = prod(map(float, numbers)) / below if below else 0.0
    if name not in units or not 0 < factor < inf:
        return None
    return OutputBand(name=name, factor=factor, unit=units[name])


def _units(text: str) -> dict[str, str] | None:
    """Return the unit of each band that is asked for, in capitals; None where there are several sources of bands."""
    if text.startswith("[") and "{" not in text:
        return dict.fromkeys(_TEXT.findall(text), "")
    inside = text[1:-1].strip().removesuffix(",").strip() if text.startswith("[") else text
    if not inside.startswith("{") or _enclosed(inside, "{", "}") != inside:
        return None
    bands, units = _TEXT.findall(_value(inside, "bands")), _value(inside, "units")
    if not units and "units" in inside:  # It is what a variable holds.
        return None
    each = [unit.upper() for unit in _TEXT.findall(units)] or [""]
    if len(each) == 1:
        each *= len(bands)
    return dict(zip(bands, each, strict=True)) if len(each) == len(bands) else None


def _kinds(text: str) -> dict[str, str]:
    """Return the type of the numbers of each output, in capitals."""
    inside = text[1:-1] if text.startswith("[") else text
    found: dict[str, str] = {}
    while "{" in inside:
        one = _enclosed(inside[inside.index("{") :], "{", "}")
        if not one:
            return {}
        name, kind = _ID.search(one), _TYPE.search(one)
        found[name[1] if name else DEFAULT] = kind[1].upper() if kind else "AUTO"
        inside = inside[inside.index("{") + len(one) :]
    return found


def _value(text: str, key: str) -> str:
    """Return the list, object or text that a key of an object has; empty where it has none."""
    found = re.search(_KEY.format(key), text)
    if found is None:
        return ""
    rest = text[found.end() :]
    pairs = {"[": "]", "{": "}"}
    if rest[:1] in pairs:
        return _enclosed(rest, rest[0], pairs[rest[0]])
    quoted = _TEXT.match(rest)
    return quoted[0] if quoted else ""


def _enclosed(text: str, begin: str, end: str) -> str:
    """Return a text up to where what it begins with is closed again; empty where it is not."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == begin) - (letter == end)
        if depth == 0:
            return text[: at + 1] if at else ""
    return ""
