"""What an encoder is, and what a kind of encoder has to offer. The kinds themselves live in the files beside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
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
        backend: ``numpy``, ``tensorflow``, ``openvino`` (the fastest precision there is), ``openvino-f32``,
            ``openvino-bf16`` or ``openvino-int8``.
        origin: where it came from, in words.
        precision: numbers it computes in: ``f32``, ``bf16`` where the backend and the processor have it, or ``int8``
            where the model has an 8-bit form and the processor gains by it.
        trainable: True = a training may start from it.
        mean: of each band by name, taken from what ``gain`` gives, which is then not clipped; empty = nothing is.
        deviation: of each band by name, by which the difference is divided; empty = it is not.
        level: product level of the reflectance it is fed; scenes of the other one are brought to it; None = as it is.
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
    trainable: bool = False
    mean: Mapping[str, float] = field(default_factory=dict, hash=False)
    deviation: Mapping[str, float] = field(default_factory=dict, hash=False)
    level: str | None = None

    def to_json(self) -> str:
        """Return the specification as JSON, as it goes into GeoParquet metadata."""
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
        """Return features, finite float32 of shape (N, dimension), of prepared patches."""

    def encode(self, batch: FloatArray) -> FloatArray:
        """Return features, finite float32 of shape (N, dimension), of reflectance (N, H, W, bands of the spec)."""


@dataclass(frozen=True, kw_only=True)
class LocalModel:
    """A model whose files are on this computer.

    Attributes:
        name: what people type.
        title: what pages show unless the model states a title of its own.
        origin: where it came from, in words.
        directory: where its files lie.
    """

    name: str
    title: str
    origin: str
    directory: Path


class EncoderKind(Protocol):
    """A kind of encoder: knows its directories, says what one holds and loads it.

    A kind is imported by the web process, so heavy libraries are imported inside ``load`` and what it calls.
    """

    def backends(self, model: LocalModel, memory: Path) -> tuple[str, ...]:
        """Return the ways to run an encoder, the one to prefer first; ``memory`` as of ``describe``."""

    def recognises(self, directory: Path) -> bool:
        """Tell whether a directory holds an encoder of this kind, whole or damaged."""

    def describe(self, model: LocalModel, backend: str | None, memory: Path) -> EncoderSpec:
        """Return what an encoder is.

        Args:
            model: its files.
            backend: one of ``backends``; None = the fastest that is installed.
            memory: a directory in which to remember what takes long to find out.

        Raises:
            EncoderError: for another backend, or for files that are damaged or do not fit.
        """

    def load(self, model: LocalModel, backend: str | None, memory: Path) -> Encoder:
        """Return the encoder, every file read and checked; arguments and errors as of ``describe``."""
