"""What encoding a scene will take: how many patches, how long, how much disk. Told before it is begun."""

from __future__ import annotations

from dataclasses import dataclass

from core.encoders.base import EncoderSpec
from core.features.runs import RunRecord, Runs
from core.features.store import stored_bytes
from core.scenes.patches import PatchGrid

LAYOUT_BYTES = 8
"""Bytes of a patch in a layout."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a run will take.

    Attributes:
        patches: how many there are; those with too little valid data will be fewer.
        seconds: how long it takes on this computer; None when this encoder has never encoded here.
        bytes: of features and a layout on disk.
    """

    patches: int
    seconds: float | None
    bytes: int


def forecast(runs: Runs, spec: EncoderSpec, grid: PatchGrid, count: int) -> Forecast:
    """Return what encoding so many patches of a grid will take, by what earlier runs of the encoder took here."""
    measured = [record for record in runs.of_encoder(spec.fingerprint) if record.rate > 0]
    # Sizes that are near take alike; of runs of one size the latest counts.
    nearest = min(measured, key=lambda record: abs(record.recipe.cut.size - grid.size), default=None)
    return Forecast(
        patches=count,
        seconds=None if nearest is None else count * _seconds_a_patch(nearest, spec, grid.size),
        bytes=stored_bytes(count, spec) + LAYOUT_BYTES * count,
    )


def _seconds_a_patch(record: RunRecord, spec: EncoderSpec, size: int) -> float:
    """Return the time of a patch of some size; an encoder of one input size takes as long for any, others by pixels."""
    pixels = 1.0 if spec.input_size is not None else (size / record.recipe.cut.size) ** 2
    return pixels / record.rate
