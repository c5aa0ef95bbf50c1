"""What an encoder is: its specification and its protocol. The encoders themselves live in the files beside."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Protocol

from core.bands import FloatArray


@dataclass(frozen=True, kw_only=True)
class EncoderSpec:
    """Everything that decides what features come out: weights without their preprocessing are half a model.

    Attributes:
        name: short name people type, such as ``spectral``.
        title: what pages show.
        fingerprint: SHA-256 (hex) over the files of the model, the preprocessing below, and the numeric precision when
            that changes the features; two encoders with one fingerprint give the same features.
        bands: wanted bands in the model's own order.
        input_size: pixels a side the model is fed; patches are resampled to it; None = any size as it is.
        gain: the model's input is ``clip(reflectance * gain, 0, 1)``; None = reflectance as it is.
        dimension: number of features.
        backend: ``numpy``, ``tensorflow``, ``openvino`` (bf16 where the processor has it) or ``openvino-f32``.
        origin: where it came from, in words.
        precision: numbers it computes in: ``f32``, or ``bf16`` where the backend and the processor have it.
    """

    name: str
    title: str
    fingerprint: str
    bands: tuple[str, ...]
    input_size: int | None
    gain: float | None
    dimension: int
    backend: str
    origin: str
    precision: str = "f32"

    def to_json(self) -> str:
        """The specification as JSON, as it goes into GeoParquet metadata."""
        return json.dumps(asdict(self))


class Encoder(Protocol):
    """Turns patches into features; ``encode`` is ``infer`` after ``prepare``, so that the two can overlap.

    ``prepare`` is safe to call from several threads; ``infer`` from one thread at a time. Rows are independent: the
    features of a patch do not depend on the others in its batch (up to rounding).
    """

    @property
    def spec(self) -> EncoderSpec:
        """What it is."""

    @property
    def batch_size(self) -> int:
        """How many patches a call of ``infer`` does best with."""

    def prepare(self, batch: FloatArray) -> FloatArray:
        """Resample and scale reflectance (N, H, W, bands of the spec) to what ``infer`` takes."""

    def infer(self, prepared: FloatArray) -> FloatArray:
        """Features, finite float32 of shape (N, dimension), of prepared patches."""

    def encode(self, batch: FloatArray) -> FloatArray:
        """Features, finite float32 of shape (N, dimension), of reflectance of shape (N, H, W, bands of the spec)."""
