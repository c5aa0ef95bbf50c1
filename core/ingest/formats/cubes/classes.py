"""Scene classifications in cubes: their numbers by what the file says they mean (CF Conventions, chapter 3.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.ingest.formats.cubes.axes import text_of

_MEANINGS = (
    ("no_?data|fill|missing", 0), ("saturated|defective", 1), ("dark|topographic|cast_?shadow", 2),
    ("cloud_?shadow|shadow", 3), ("not_?vegetated|non_?vegetated|bare", 5), ("vegetat", 4), ("water", 6),
    ("unclassified|low", 7), ("medium", 8), ("high", 9), ("cirrus", 10), ("snow|ice", 11), ("cloud", 9),
)  # fmt: skip
"""Words of the legend of Sen2Cor's scene classification, by its numbers; of clouds of no degree, they are clouds."""
_UNCLASSIFIED = 7


def codes_by_meaning(attributes: Mapping[Any, Any]) -> dict[int, int] | None:
    """Return the class of each number where a file states meanings in another order than Sen2Cor's; None otherwise.

    A meaning that Sen2Cor does not have, such as clear land, is unclassified.
    """
    meanings = re.split(r"[\s,]+", text_of(attributes.get("flag_meanings", "")))
    values = np.atleast_1d(np.asarray(attributes.get("flag_values", ()))).tolist()
    if len(values) == 1 and isinstance(values[0], str):
        values = re.findall(r"\d+", values[0])
    if len(meanings) != len(values) or len(values) < 3:
        return None
    try:
        found = {int(value): _class_of(meaning) for value, meaning in zip(values, meanings, strict=True)}
    except (TypeError, ValueError):
        return None
    if all(number in (value, None) for value, number in found.items()):
        return None
    return {value: _UNCLASSIFIED if number is None else number for value, number in found.items()}


def _class_of(meaning: str) -> int | None:
    text = meaning.lower()
    return next((number for words, number in _MEANINGS if re.search(words, text)), None)
