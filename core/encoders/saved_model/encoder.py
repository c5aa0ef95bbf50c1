"""Hub modules as encoders: what they are, and the encoder around one of the two ways to run them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.bands import FloatArray
from core.config import Config
from core.encoders import openvino as hub_openvino
from core.encoders.base import Encoder, EncoderSpec
from core.encoders.cache import is_handle, locate
from core.encoders.download import download
from core.encoders.files import digest
from core.encoders.preprocessing import Preprocessing, preprocessing
from core.encoders.saved_model.signature import Signature, read_signature
from core.errors import EncoderError, EncoderUnavailableError
from core.progress import Progress

if TYPE_CHECKING:
    from core.encoders.registry import Entry

BACKENDS = ("openvino", "openvino-f32", "tensorflow")
BATCH_SIZE = 32


class Runner(Protocol):
    """One way to run a model."""

    def prepare(self, batch: FloatArray) -> FloatArray:
        """What ``run`` takes, of reflectance of shape (N, H, W, bands); safe in several threads."""

    def run(self, prepared: FloatArray) -> FloatArray:
        """Features of shape (N, D) or (N, 1, 1, D)."""


class HubEncoder:
    """A hub module as an ``Encoder``."""

    batch_size = BATCH_SIZE

    def __init__(self, spec: EncoderSpec, runner: Runner) -> None:
        self.spec = spec
        self._runner = runner

    def prepare(self, batch: FloatArray) -> FloatArray:
        """Reflectance of shape (N, H, W, bands of the spec) made ready; of what shape is the backend's affair.

        Raises:
            EncoderError: when the batch has another number of bands.
        """
        if batch.ndim != 4 or batch.shape[3] != len(self.spec.bands):
            found = f"the patches have shape {batch.shape}"
            remedy = f"give patches of shape (N, height, width, {len(self.spec.bands)})"
            raise EncoderError(f"Encoding with {self.spec.name}", found, remedy)
        return self._runner.prepare(batch)

    def infer(self, prepared: FloatArray) -> FloatArray:
        """Features, float32 of shape (N, dimension).

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
        """Features, float32 of shape (N, dimension), of reflectance of shape (N, H, W, bands of the spec)."""
        return self.infer(self.prepare(batch))


@dataclass(frozen=True, kw_only=True)
class _Model:
    """A model whose files are whole.

    Attributes:
        directory: where they lie.
        content: digest of the files.
        signature: how it is called.
        wanted: what pixels it wants.
    """

    directory: Path
    content: str
    signature: Signature
    wanted: Preprocessing


def describe(name: str, entry: Entry, backend: str | None, config: Config) -> EncoderSpec:
    """The specification, for the registry; errors as of ``registry.describe``."""
    chosen = _backend(name, backend)
    return _spec(name, entry, chosen, _open(entry, config, memory=config.model_cache), config.model_cache)


def load(name: str, entry: Entry, backend: str | None, config: Config) -> Encoder:
    """The encoder, for the registry; every file is read and checked."""
    chosen = _backend(name, backend)
    model = _open(entry, config, memory=None)
    spec = _spec(name, entry, chosen, model, config.model_cache)
    if chosen == "tensorflow":
        from core.encoders.saved_model.tensorflow import TensorFlowRunner

        return HubEncoder(spec, TensorFlowRunner(model.directory, model.signature, model.wanted))
    runner = hub_openvino.OpenVinoRunner(model.directory, model.signature, model.wanted, spec.precision)
    return HubEncoder(spec, runner)


def fetch(name: str, entry: Entry, config: Config, progress: Progress) -> None:
    """Download, for the registry; errors as of ``registry.fetch``."""
    if is_handle(entry.reference):
        download(entry.reference, config, progress)
    describe(name, entry, None, config)


def companion(entry: Entry, config: Config, file: str) -> Path | None:
    """A file beside the model, for the registry; None when there is none or the model is not at hand."""
    try:
        path = locate(entry.reference, config) / file
    except EncoderUnavailableError:
        return None
    return path if path.is_file() else None


def _open(entry: Entry, config: Config, memory: Path | None) -> _Model:
    directory = locate(entry.reference, config)
    content = digest(directory, memory)
    signature = read_signature(directory)
    wanted = preprocessing(directory, signature)
    return _Model(directory=directory, content=content, signature=signature, wanted=wanted)


def _backend(name: str, asked: str | None) -> str:
    if asked is None:
        return "openvino" if hub_openvino.installed() else "tensorflow"
    if asked not in BACKENDS:
        raise EncoderError(f"Loading {name}", f"there is no backend “{asked}”", f"choose one of {', '.join(BACKENDS)}")
    if asked != "tensorflow" and not hub_openvino.installed():
        raise EncoderError(f"Loading {name}", "OpenVINO is not installed", "use the backend tensorflow")
    return asked


def _spec(name: str, entry: Entry, backend: str, model: _Model, memory: Path) -> EncoderSpec:
    wanted, signature = model.wanted, model.signature
    precision = "bf16" if backend == "openvino" and hub_openvino.has_bf16(memory) else "f32"
    decisive = [1, model.content, wanted.bands, wanted.input_size, wanted.gain, signature.name, precision]
    origin = entry.reference if is_handle(entry.reference) else f"model file {Path(entry.reference).name}"
    return EncoderSpec(
        name=name,
        title=wanted.title or entry.title,
        fingerprint=hashlib.sha256(json.dumps(decisive).encode()).hexdigest(),
        bands=wanted.bands,
        input_size=wanted.input_size,
        gain=wanted.gain,
        dimension=signature.dimension or _propagated(model),
        backend=backend,
        precision=precision,
        origin=origin,
    )


def _propagated(model: _Model) -> int:
    """The number of features of a model that does not state it."""
    known = None
    if hub_openvino.installed():
        known = hub_openvino.output_dimension(model.directory, model.signature, model.wanted)
    if known is None:
        asked, found = f"Using the model “{model.directory.name}”", "how many features it gives is not stated"
        raise EncoderError(asked, found, "export it with a fixed number of features")
    return known
