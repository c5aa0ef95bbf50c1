"""Labels as a table: which patch has which class, who gave it, when and from what view, in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.classification.areas.tables import TextTable
from core.classification.label_import import patch_number
from core.classification.labelled import LabelledPatches
from core.scenes.given.annotations import Annotations
from core.scenes.patches import IntArray, PatchGrid

SUGGESTED, RANDOM = "label next", "label next at random"
"""From what view a label was given, as is kept with it; the learning curve tells them apart."""

_YES = frozenset({"true", "yes", "1"})


@dataclass(frozen=True, kw_only=True)
class LabelLog:
    """Labels of patches, a row each, by patch id.

    Attributes:
        patch_ids: int64 of shape (N,).
        labels: class of each, text of shape (N,).
        who: gave it, or empty, text of shape (N,).
        when: moment in UTC, ISO 8601, or empty, text of shape (N,).
        view: what it was given from, or empty, text of shape (N,).
        confirmed: True = it was doubted, looked at again and kept, shape (N,).
    """

    patch_ids: IntArray
    labels: NDArray[np.object_]
    who: NDArray[np.object_]
    when: NDArray[np.object_]
    view: NDArray[np.object_]
    confirmed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.patch_ids)

    def some(self, chosen: NDArray[np.bool_]) -> LabelLog:
        """Return some rows, where ``chosen`` of shape (N,) is True."""
        return LabelLog(**{name: column[chosen] for name, column in vars(self).items()})

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """Return what files say of each label beside its class."""
        return {"who": self.who, "when": self.when, "view": self.view, "confirmed": self.confirmed}

    def of(self, patch_ids: IntArray) -> LabelLog:
        """Return the rows of some patches, in their order; nothing is known of those that have none."""
        row = {patch_id: at for at, patch_id in enumerate(self.patch_ids.tolist())}
        at = np.array([row.get(one, -1) for one in patch_ids.tolist()], np.int64)
        there = at >= 0
        texts = {}
        for name in ("labels", "who", "when", "view"):
            texts[name] = np.full(len(at), "", dtype=object)
            texts[name][there] = getattr(self, name)[at[there]]
        confirmed = np.zeros(len(at), np.bool_)
        confirmed[there] = self.confirmed[at[there]]
        return LabelLog(patch_ids=patch_ids, confirmed=confirmed, **texts)

    def in_order(self, view: str | None = None) -> IntArray:
        """Return the patches in the order in which they were labelled, of one view or of all; unknown moments first."""
        rows = np.arange(len(self)) if view is None else np.flatnonzero(self.view == view)
        found: IntArray = self.patch_ids[rows[np.argsort(self.when[rows].astype(str), kind="stable")]]
        return found


def label_log(known: Annotations, grid: PatchGrid, there: NDArray[np.bool_] | None = None) -> LabelLog:
    """Return the labels that people gave to just the patches of a grid.

    Args:
        known: what people gave.
        grid: the patches.
        there: which of them are cut, shape (count,); None = all.
    """
    rows = []
    for window, name in known.of_window().items():
        patch_id = grid.patch_of_window(*window)
        if patch_id is not None and (there is None or there[patch_id]):
            fact = known.facts.get(window)
            told = ("", "", "") if fact is None else (fact.who, fact.when, fact.view)
            rows.append((patch_id, name, *told, window in known.confirmed))
    rows.sort()
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    texts = [np.array(column, dtype=object) for column in columns[1:5]]
    return LabelLog(
        patch_ids=np.array(columns[0], np.int64), labels=texts[0], who=texts[1], when=texts[2], view=texts[3],
        confirmed=np.array(columns[5], np.bool_),
    )  # fmt: skip


def log_of_table(table: TextTable, labels: Mapping[int, str], scene_id: str = "") -> LabelLog:
    """Return what a table says of labels beside their classes, as our own files have it.

    Patches stand by their ids where it says when they were labelled, else in the order of its lines.

    Args:
        table: that the labels came in.
        labels: class by patch id, in the order of its lines.
        scene_id: as of ``labels_of_table``.
    """
    cells: dict[str, list[str]] = {
        name: table.titled(name) for name in ("who", "when", "view", "confirmed") if name in table.columns
    }
    line: dict[int | None, int] = {}
    for at, cell in enumerate(table.column("patch_id") or ()):
        line.setdefault(patch_number(cell, scene_id), at)
    ids = sorted(labels) if "when" in cells else list(labels)

    def said(name: str) -> list[str]:
        known = cells.get(name)
        return [known[line[one]] if known is not None and one in line else "" for one in ids]

    return LabelLog(
        patch_ids=np.array(ids, np.int64), labels=_texts(labels[one] for one in ids), who=_texts(said("who")),
        when=_texts(said("when")), view=_texts(said("view")),
        confirmed=np.array([one.casefold() in _YES for one in said("confirmed")], np.bool_),
    )  # fmt: skip


def _texts(cells: Iterable[str]) -> NDArray[np.object_]:
    return np.array([*cells], dtype=object)


def rows_among(known: LabelledPatches, patch_ids: IntArray) -> IntArray:
    """Return the rows of some patches among labelled ones, in their order; those that are not there are left out."""
    row = {patch_id: at for at, patch_id in enumerate(known.patch_ids.tolist())}
    return np.array([row[one] for one in patch_ids.tolist() if one in row], np.int64)
