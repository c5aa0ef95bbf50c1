"""Labels as a table: which patch has which class, who gave it, when and from what view, in their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.classification.labelled import LabelledPatches
from core.scenes.given.annotations import Annotations
from core.scenes.patches import IntArray, PatchGrid


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


def rows_among(known: LabelledPatches, patch_ids: IntArray) -> IntArray:
    """Return the rows of some patches among labelled ones, in their order; those that are not there are left out."""
    row = {patch_id: at for at, patch_id in enumerate(known.patch_ids.tolist())}
    return np.array([row[one] for one in patch_ids.tolist() if one in row], np.int64)
