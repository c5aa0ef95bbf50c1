"""A learned number of all patches as files: a row a patch with its interval, or a map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.classification.numbers.known_land import unfamiliar_land
from core.classification.numbers.regression import ValueModel
from core.errors import SettingsError
from core.export.raster import map_cells, write_value_map
from core.scenes.geobox import GeoBox
from core.scenes.patches import IntArray, PatchGrid

UNFAMILIAR_COLUMN = "unfamiliar_land"

NUMBER_COLOURS = ("#f4ecd8", "#d9c27a", "#9bb35f", "#4f8f5b", "#1f5f5b", "#153b4e")
"""From low to high."""


def number_columns(
    model: ValueModel, ids: IntArray, vectors: FloatArray, novelty: FloatArray | None
) -> dict[str, NDArray[Any]]:
    """Return what is said of each patch: its prediction, its interval, and, where it is known, the number itself.

    ``unfamiliar_land`` says whom its land is unfamiliar to: the encoder, the examples, or both.

    Args:
        model: of the number.
        ids: of the patches, int64 of shape (N,).
        vectors: their features, shape (N, D).
        novelty: how strange each is to the encoder, percentiles of shape (N,); None = not known.
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
    found: dict[str, NDArray[Any]] = {name: column.astype(np.float64) for name, column in columns.items()}
    return found | {UNFAMILIAR_COLUMN: unfamiliar_land(model, ids, vectors, novelty)}


def number_facts(
    model: ValueModel,
    column: str,
    columns: Mapping[str, NDArray[Any]],
    *,
    novelty_known: bool,
    hectares: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Return what is known of how right predictions are, and their mean over land, as JSON values.

    Args:
        model: of the number.
        column: what it is called.
        columns: as of ``number_columns``.
        novelty_known: False = it is not known which land is strange to the encoder.
        hectares: that each patch stands for, shape (N,), by which means weigh; None = not known, and all weigh alike.
    """
    covered = model.covered
    strange = columns[UNFAMILIAR_COLUMN] != None  # noqa: E711  element by element
    every = np.ones(len(strange), np.bool_)
    return {
        "column": column,
        "values": len(model.actual),
        "tested": int(model.tested.sum()),
        "held_out": "blocks of land" if model.spatial else "single patches, for no two blocks of land are known",
        "r_squared": _rounded(model.r_squared),
        "rmse": _rounded(model.error),
        "interval": {
            "coverage": model.coverage, "half_width": _rounded(model.half_width),
            "none_because": model.no_interval or None,
            "covered": {name: _rounded(getattr(covered, name)) for name in ("value", "low", "high")},
        },
        "penalty": _rounded(model.penalty),
        "predicted": {
            "patches": len(strange), "on_unfamiliar_land": int(strange.sum()),
            "mean_over": "patches" if hectares is None else "hectares",
            "mean_on_familiar_land": _mean(columns["predicted"], ~strange, hectares),
            "mean_of_all": _mean(columns["predicted"], every, hectares),
            "unfamiliar_to_encoder": "told" if novelty_known else "not known of this file",
        },
    }  # fmt: skip


def _mean(numbers: NDArray[np.float64], rows: NDArray[np.bool_], weights: NDArray[np.float64] | None) -> float | None:
    """Return the mean of some numbers; None where nothing weighs."""
    weighed = rows.astype(np.float64) if weights is None else np.where(rows, weights, 0.0)
    return _rounded(float(np.average(numbers, weights=weighed))) if weighed.sum() > 0 else None


def _rounded(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


def write_number_map(
    path: Path, place: tuple[GeoBox, PatchGrid] | None, ids: IntArray, columns: Mapping[str, NDArray[Any]], title: str
) -> list[Path]:
    """Write predictions, both ends of their intervals, and where land is unfamiliar (1), as a map; return the files.

    Ends have no data where there is no interval.

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
    marked = dict(columns) | {"unfamiliar": columns[UNFAMILIAR_COLUMN] != None}  # noqa: E711  element by element
    names = ("predicted", "low", "high", "unfamiliar")
    bands = {name: cells.spread(ids, marked[name].astype(np.float32), np.nan) for name in names}
    values = bands.pop("predicted")
    return write_value_map(
        path, values, cells.place, title=title, low=low, high=high, colours=NUMBER_COLOURS, more=bands
    )
