"""An encoder around one way to run a network, whatever the network's file format; choosing the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from core.bands import FloatArray
from core.encoders.atmosphere import NOMINAL
from core.encoders.base import EncoderSpec
from core.encoders.openvino import installed
from core.encoders.preprocessing import Preprocessing
from core.errors import EncoderError

BATCH_SIZE = 32


class Runner(Protocol):
    """One way to run a model."""

    def prepare(self, batch: FloatArray) -> FloatArray:
        """Return what ``run`` takes, of reflectance of shape (N, H, W, bands); safe in several threads."""

    def run(self, prepared: FloatArray) -> FloatArray:
        """Return features of shape (N, D), or with further axes of length 1."""


class RunnerEncoder:
    """A model as an ``Encoder``."""

    batch_size = BATCH_SIZE

    def __init__(self, spec: EncoderSpec, runner: Runner) -> None:
        self.spec = spec
        self._runner = runner

    def prepare(self, batch: FloatArray) -> FloatArray:
        """Make reflectance of shape (N, H, W, bands of the spec) ready; of what shape is the runner's affair.

        Raises:
            EncoderError: when the batch has another number of bands.
        """
        if batch.ndim != 4 or batch.shape[3] != len(self.spec.bands):
            found = f"the patches have shape {batch.shape}"
            remedy = f"give patches of shape (N, height, width, {len(self.spec.bands)})"
            raise EncoderError(f"Encoding with {self.spec.name}", found, remedy)
        return self._runner.prepare(batch)

    def infer(self, prepared: FloatArray) -> FloatArray:
        """Return features, float32 of shape (N, dimension).

        Raises:
            EncoderError: when the model gives something else, or numbers that are not finite.
        """
        if not len(prepared):
            return np.empty((0, self.spec.dimension), np.float32)
        given = self._runner.run(prepared)
        features = given.reshape(len(prepared), -1)
        if features.shape[1] != self.spec.dimension:
            found = f"the model gave features of shape {given.shape}"
            raise EncoderError(f"Encoding with {self.spec.name}", found, "choose another model")
        if not np.isfinite(features).all():
            found = "the model gave numbers that are not finite"
            raise EncoderError(f"Encoding with {self.spec.name}", found, "get the model again or choose another")
        return features

    def encode(self, batch: FloatArray) -> FloatArray:
        """Return features, float32 of shape (N, dimension), of reflectance of shape (N, H, W, bands of the spec)."""
        return self.infer(self.prepare(batch))


def choose_backend(name: str, asked: str | None, backends: Sequence[str]) -> str:
    """Return the way to run a model.

    Args:
        name: of the encoder.
        asked: the way people asked for; None = the first of those that are installed.
        backends: the ways there are, the one to prefer first.

    Raises:
        EncoderError: for an unknown way, or one that is not installed.
    """
    usable = [backend for backend in backends if backend == "tensorflow" or installed()]
    if asked is None and usable:
        return usable[0]
    if asked is not None and asked not in backends:
        raise EncoderError(f"Loading {name}", f"there is no backend “{asked}”", f"choose one of {', '.join(backends)}")
    if asked is None or asked not in usable:
        remedy = f"use the backend {usable[0]}" if usable else "install openvino"
        raise EncoderError(f"Loading {name}", "OpenVINO is not installed", remedy)
    return asked


def fingerprint(content: str, wanted: Preprocessing, call: str, precision: str) -> str:
    """Return the SHA-256 (hex) over all that decides the features of a model.

    Args:
        content: digest of its files.
        wanted: its preprocessing.
        call: which of its outputs is asked for, and how.
        precision: ``f32``, ``bf16``, or ``int8`` and the digest of the 8-bit form.
    """
    # Means, deviations and level stand at the end and only where there are any: features made before they existed keep
    # their fingerprint.
    named: list[object] = []
    if wanted.normalises:
        named.append({"mean": dict(wanted.mean), "deviation": dict(wanted.deviation)})
    if wanted.level is not None:
        named.append({"level": wanted.level, "air": NOMINAL})
    decisive = [1, content, wanted.bands, wanted.input_size, wanted.gain, call, precision, *named]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
