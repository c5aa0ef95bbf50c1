"""A report card as data: sections of plain sentences and tables, to and from JSON. Its wording is ``wording``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

CARD_VERSION = 3
"""Reports of another version are measured again."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table.

    Attributes:
        title: what its numbers are, one line.
        head: names of the columns.
        rows: cells as text, as many as ``head`` in each row.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """One question about the features, answered.

    Attributes:
        name: a key of ``verdict.TOPICS``, such as ``labels``.
        title: the question.
        sentences: the answer in plain words, the shortest first.
        measured: False = the sentences say why there is no answer.
        sheets: the numbers.
        patches: patch ids that the answer names, the most notable first.
        short: the answer in one sentence for somebody in a hurry; empty = the first of ``sentences``.
        figures: what the verdict is made of. Of ``land``, ``labels`` and ``hand``: ``share`` of neighbours that are
            right and what ``chance`` gives, perhaps the ``best`` possible (else 1), whether it is better (1) or worse
            (−1) than the plain spectrum ``beside`` it, the share of patches ``learned`` from, and the ``count`` of
            patches asked where they have labels, of ``all`` there are. Of ``familiar``: ``novel``, a share. Of
            ``stability``: ``kept`` and ``itself``, shares. Of ``hubs``: ``skewness``. Of ``layout``:
            ``trustworthiness``. What was not counted over all has both ends of its interval beside it, as
            ``share_low`` and ``share_high``.
    """

    name: str
    title: str
    sentences: tuple[str, ...]
    measured: bool = True
    sheets: tuple[Sheet, ...] = ()
    patches: tuple[int, ...] = ()
    short: str = ""
    figures: dict[str, float] = field(default_factory=dict, hash=False)

    @property
    def in_short(self) -> str:
        """The answer in one sentence."""
        return self.short or self.sentences[0]


def to_json(sections: Sequence[Section]) -> str:
    """Return sections as JSON."""
    return json.dumps({"version": CARD_VERSION, "sections": [asdict(one) for one in sections]}, ensure_ascii=False)


def from_json(text: str | bytes) -> list[Section] | None:
    """Return sections that ``to_json`` wrote; None when they are of another version or damaged."""
    try:
        whole = json.loads(text)
        return [_section(one) for one in whole["sections"]] if whole["version"] == CARD_VERSION else None
    except (ValueError, TypeError, KeyError):
        return None


def _section(fields: dict[str, Any]) -> Section:
    sheets = tuple(
        Sheet(title=one["title"], head=tuple(one["head"]), rows=tuple(tuple(row) for row in one["rows"]))
        for one in fields["sheets"]
    )
    lists = {"sheets": sheets, "sentences": tuple(fields["sentences"]), "patches": tuple(fields["patches"])}
    return Section(**{**fields, **lists})


def terminal_lines(sections: Sequence[Section]) -> list[str]:
    """Return the report for a terminal: each section's title, sentences and tables."""
    shown: list[str] = []
    for section in sections:
        shown += ["", section.title, *(f"  {sentence}" for sentence in section.sentences)]
        for sheet in section.sheets:
            shown += ["", f"  {sheet.title}", *_columns(sheet)]
    return shown


def _columns(sheet: Sheet) -> list[str]:
    table = [sheet.head, *sheet.rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(sheet.head))]
    return [
        "    "
        + "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in table
    ]
