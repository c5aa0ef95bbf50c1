"""What a cube says of itself as a whole: attributes of its groups as texts by name, and its STAC metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from core.ingest.formats.cubes.axes import is_text, text_of
from core.ingest.formats.cubes.containers import CubeGroup

_MOST, _LONGEST, _DEEPEST = 400, 300, 5
_NOT_OF_PIXELS = re.compile(
    r"history|issued|valid|reference|publi|revis|_end|end_|version|coverage_(?:duration|resolution)|licen[cs]e|"
    r"summary|comment|keyword|source_?file|synthetic|wkt|projjson|schema",
    re.IGNORECASE,
)
"""Attributes that say nothing of pixels, though they may hold dates."""
_PLATFORM = re.compile(r"platform|constellation|mission|satellite|spacecraft|instrument|sensor", re.IGNORECASE)
_FIRST = re.compile(r"(?:.*\.)?(?:datetime|start_datetime|sensing_time|time_coverage_start)", re.IGNORECASE)


def tags_of(groups: Sequence[CubeGroup]) -> dict[str, str]:
    """Return attributes of groups as texts, names of what lies inside others after these, ``a.b``.

    The time when the pixels were taken comes first, whatever stands before it in the file.
    """
    tags: dict[str, str] = {}
    for group in groups:
        for key, text in _leaves(group.attributes, "", 0):
            if len(tags) < _MOST and not _NOT_OF_PIXELS.search(key):
                tags.setdefault(key, text)
        for name, variable in group.variables.items():
            if _PLATFORM.search(name) and is_text(variable) and variable.size <= 1000:
                texts = sorted({text_of(value) for value in np.atleast_1d(variable.values).tolist()})
                tags.setdefault(name, " ".join(texts)[:_LONGEST])
    return dict(sorted(tags.items(), key=lambda pair: _FIRST.fullmatch(pair[0]) is None))


def _leaves(value: object, name: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in list(value.items())[:_MOST] if depth < _DEEPEST else ():
            yield from _leaves(part, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(value, (str, bytes, int, float, np.generic)):
        yield name, text_of(value)[:_LONGEST]
