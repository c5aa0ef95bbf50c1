"""Patches to take away, with all that is known of them: found, selected, labelled, classified or all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.classification.label_log import label_log
from core.engine.exports.classified import map_about
from core.engine.exports.order import CLASSES, EVERY, FOUND, LABELLED, SELECTED, ExportOrder
from core.engine.library_source import LibrarySource
from core.engine.views import found_rows
from core.errors import SettingsError
from core.export.rows import NO_COLUMNS, ExportRows, scene_rows
from core.scenes.given.annotations import read_annotations
from core.scenes.labels import patches_there
from core.scenes.patches import IntArray
from core.values.named.unsure import unsure_reasons, why_unsure
from core.values.registry import export_columns


def patch_rows(source: LibrarySource, order: ExportOrder) -> ExportRows:
    """Return the patches that are wanted.

    Raises:
        SettingsError: when there are none, or the examples or filters make no sense.
    """
    if order.what == FOUND:
        return found_rows(source, order.view)
    ids = _ids(source, order)
    if not len(ids):
        words = {SELECTED: "no patch is selected", LABELLED: "no patch has a label"}
        raise SettingsError("Taking patches away", words.get(order.what, "there are no patches"), "mark some first")
    if order.what == LABELLED:
        return known_rows(source, ids, _label_facts(source, ids))
    if order.what != CLASSES:
        return known_rows(source, ids)
    rows = known_rows(source, ids, class_columns(source, ids))
    return replace(rows, about={**rows.about, "map": dict(map_about(source, finer=False))})


def _label_facts(source: LibrarySource, ids: IntArray) -> dict[str, NDArray[Any]]:
    """Return who labelled patches, when and from what view, and whether somebody doubted it and kept it."""
    there = patches_there(source.scene, source.grid)
    return label_log(read_annotations(source.scene), source.grid, there).of(ids).columns


def _ids(source: LibrarySource, order: ExportOrder) -> IntArray:
    if order.what == SELECTED:
        wanted = np.array(order.patches, dtype=np.int64)
        return source.table.patch_ids[source.table.positions(wanted)]
    given = source.labels.given
    if order.what == LABELLED:
        ids: IntArray = np.empty(0, np.int64) if given is None else np.flatnonzero(given.index >= 0)
        return source.table.patch_ids[source.table.positions(ids)]
    if order.what in {CLASSES, EVERY}:
        return source.table.patch_ids
    raise SettingsError("Taking patches away", f"“{order.what}” are no patches", "choose patches")


def known_rows(source: LibrarySource, ids: IntArray, columns: dict[str, NDArray[Any]] | None = None) -> ExportRows:
    """Return some patches, in the order given, with further columns, each of shape (N,)."""
    rows = source.table.positions(ids)
    known = {name: values[rows] for name, values in export_columns(source).items()}
    return scene_rows(
        source.scene, source.grid, ids, encoder=source.recipe.encoder, labels=source.labels.shown,
        valid=source.valid_of(ids), columns=known | (columns or dict(NO_COLUMNS)),
    )  # fmt: skip


def class_columns(source: LibrarySource, ids: IntArray) -> dict[str, NDArray[Any]]:
    """Return ``class``, ``probability``, ``abstained`` and why, of some patches, as ``classify`` writes them.

    Raises:
        SettingsError: when there is no map of classes.
    """
    found = source.classified()
    if found is None:
        raise SettingsError("Taking classes away", "there is no map of classes", "label patches of two classes first")
    rows = source.table.positions(ids)
    why = why_unsure(source, found)[rows]
    return {
        "class": np.array(found.classes, dtype=object)[found.index[rows]],
        "probability": found.confidence[rows],
        "abstained": why >= 0,
        "why_abstained": unsure_reasons(why),
    }
