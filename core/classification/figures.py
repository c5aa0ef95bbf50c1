"""What is told of heads that labels teach, as values for JSON: the figures that the Classify page draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from core.classification.doubtful import DoubtfulLabel
from core.classification.suggestions import CurvePoint
from core.classification.validation import Validation
from core.evaluation.retrieval import Share


def interval_values(one: Share) -> dict[str, float | None]:
    """Return a share and its 95 % interval, None where nothing was tested."""
    if not one.count:
        return {"value": None, "low": None, "high": None}
    return {name: round(getattr(one, name), 4) for name in ("value", "low", "high")}


def rounded(value: float) -> float | None:
    """Return a number with four decimals; None for NaN."""
    return round(value, 4) if value == value else None  # noqa: PLR0124  NaN differs from itself


def validation_figures(measured: Validation) -> dict[str, Any]:
    """Return what cross-validation found: accuracy, each class, confusion and reliability, with 95 % intervals."""
    return {
        "held_out": "blocks of land" if measured.spatial else "single patches, for all lie in one block of land",
        "tested": int(measured.tested.sum()), "untested_classes": list(measured.untested),
        "accuracy": interval_values(measured.accuracy),
        "f1": {one.name: interval_values(one.f1) for one in measured.scores},
        "precision": {one.name: interval_values(one.precision) for one in measured.scores},
        "recall": {one.name: interval_values(one.recall) for one in measured.scores},
        "confusion": {"classes": list(measured.classes), "counts": measured.confusion.tolist()},
        "reliability": [
            {"low": one.low, "high": one.high, "confidence": rounded(one.confidence), "labels": one.count,
             "right": interval_values(one.right)}
            for one in measured.reliability if one.count
        ],
        "calibration_error": rounded(measured.calibration_error),
        "calibration_error_before": rounded(measured.calibration_error_before),
    }  # fmt: skip


def compared_figures(found: Sequence[Validation]) -> list[dict[str, Any]]:
    """Return a row a kind of head, in the order given."""
    return [
        {
            "head": one.kind, "accuracy": interval_values(one.accuracy), "mean_f1": rounded(one.mean_f1),
            "calibration_error": rounded(one.calibration_error), "log_loss": rounded(one.log_loss),
        }
        for one in found
    ]  # fmt: skip


def curve_figures(found: Mapping[str, Sequence[CurvePoint]]) -> dict[str, list[dict[str, Any]]]:
    """Return the points of learning curves, by the view that labels were given from; ``all labels`` for any."""
    return {
        view or "all labels": [
            {"labels": point.labels, "accuracy": interval_values(point.accuracy)} for point in points
        ]
        for view, points in found.items()
    }  # fmt: skip


def doubt_figures(found: Sequence[DoubtfulLabel]) -> list[dict[str, Any]]:
    """Return a row a doubtful label, in the order given."""
    return [
        {name: rounded(one) if isinstance(one, float) else one for name, one in asdict(row).items()} for row in found
    ]
