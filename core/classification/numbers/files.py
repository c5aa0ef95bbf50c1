"""A learned number of all patches as files: a row a patch with its interval, or a map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.classification.numbers.regression import ValueModel
from core.errors import SettingsError
from core.export.raster import map_cells, write_value_map
from core.scenes.geobox import GeoBox
from core.scenes.patches import IntArray, PatchGrid

NUMBER_COLOURS = ("#f4ecd8", "#d9c27a", "#9bb35f", "#4f8f5b", "#1f5f5b", "#153b4e")
"""From low to high."""


def number_columns(model: ValueModel, ids: IntArray, vectors: FloatArray) -> dict[str, NDArray[Any]]:
    """Return what is said of each patch: its prediction, its interval, and, where it is known, the number itself.

    Args:
        model: of the number.
        ids: of the patches, int64 of shape (N,).
        vectors: their features, shape (N, D).
    """
    predicted, interval = model.predict(vectors), model.interval(vectors)
    place = {patch: at for at, patch in enumerate(model.patch_ids.tolist())}
    rows = np.array([place.get(patch, -1) for patch in ids.tolist()])
    known = rows >= 0
    actual, held_out = (
        np.where(known, numbers[rows], np.nan) for numbers in (model.actual, model.held_out)
    )  # fmt: skip
    columns = {
        "predicted": predicted, "low": interval[:, 0], "high": interval[:, 1], "actual": actual,
        "predicted_held_out": held_out,
    }  # fmt: skip
    return {name: column.astype(np.float64) for name, column in columns.items()}


def number_facts(model: ValueModel, column: str) -> dict[str, Any]:
    """Return what is known of how right predictions are, as JSON values."""
    covered = model.covered
    return {
        "column": column,
        "values": len(model.actual),
        "tested": int(model.tested.sum()),
        "held_out": "blocks of land" if model.spatial else "single patches, for they lie in one block of land",
        "r_squared": _rounded(model.r_squared),
        "rmse": _rounded(model.error),
        "interval": {
            "coverage": model.coverage, "half_width": _rounded(model.half_width),
            "covered": {name: _rounded(getattr(covered, name)) for name in ("value", "low", "high")},
        },
        "penalty": _rounded(model.penalty),
    }  # fmt: skip


def _rounded(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


def write_number_map(
    path: Path, place: tuple[GeoBox, PatchGrid] | None, ids: IntArray, columns: Mapping[str, NDArray[Any]], title: str
) -> list[Path]:
    """Write predictions and both ends of their intervals as a map of three bands with its style; return the files.

    Args:
        path: of the GeoTIFF.
        place: where the pixels of the scene lie, and its patches; None = not known.
        ids: of the patches, int64 of shape (N,).
        columns: as of ``number_columns``.
        title: what the number is.

    Raises:
        SettingsError: when it is not known where the patches lie.
        StoreError: when a file cannot be written.
    """
    if place is None:
        found = "it is not known where the patches lie on a grid on Earth"
        raise SettingsError(f"Writing “{path.name}”", found, "write CSV or Parquet instead")
    cells = map_cells(*place)
    low, high = np.quantile(columns["predicted"], [0.02, 0.98]).tolist()
    bands = {name: cells.spread(ids, columns[name].astype(np.float32), np.nan) for name in ("predicted", "low", "high")}
    values = bands.pop("predicted")
    return write_value_map(
        path, values, cells.place, title=title, low=low, high=high, colours=NUMBER_COLOURS, more=bands
    )
