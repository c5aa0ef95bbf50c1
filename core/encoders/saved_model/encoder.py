"""SavedModels and TF-Hub modules as a kind of encoder: run by OpenVINO, or by TensorFlow, which is the reference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.bands import EUROSAT_ORDER
from core.encoders import eight_bits, openvino
from core.encoders.base import Encoder, EncoderSpec, LocalModel
from core.encoders.files import EIGHT_BITS, digest, holds
from core.encoders.preprocessing import Preprocessing, read_preprocessing, shape_text
from core.encoders.runner import RunnerEncoder, choose_backend, fingerprint
from core.encoders.saved_model.signature import Signature, read_signature
from core.errors import EncoderError

DEFAULT_SIZE = 224
"""Side of the images that the EuroSAT module, like most image modules of TF-Hub, was trained on (its card)."""

REFLECTANCE_GAIN = 1.0
"""Gain of 13-band modules. The card of google/remote_sensing/eurosat-ms-resnet50/1 asks for values “in the range [0,1]”
and leaves the divisor open. Its training data are digital numbers in their original range (TensorFlow Datasets,
eurosat/all); the products' own quantification value is 10 000 (Sentinel-2 Products Specification Document), which gives
reflectance, in [0, 1] for nearly every pixel. So reflectance goes in as it is, clipped; a ``landlike.json`` beside the
model overrules it."""

COLOUR_GAIN = 10_000 / 2_750
"""Gain of 3-band modules: EuroSAT's pictures are DN × 255 / 2750, clipped, and such modules take pictures ÷ 255."""

_KNOWN_BANDS = {13: (EUROSAT_ORDER, REFLECTANCE_GAIN), 3: (("B04", "B03", "B02"), COLOUR_GAIN)}
_REMEDY = "use the backend tensorflow, or get the model again"


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """A model whose files are whole.

    Attributes:
        content: digest of the files.
        signature: how it is called.
        wanted: what pixels it wants.
    """

    content: str
    signature: Signature
    wanted: Preprocessing


class SavedModelKind:
    """Directories with a ``saved_model.pb``."""

    def recognises(self, directory: Path) -> bool:
        """Tell whether a directory has, or should have, a ``saved_model.pb``."""
        return holds(directory, "saved_model.pb")

    def backends(self, model: LocalModel, memory: Path) -> tuple[str, ...]:
        """Return the ways to run a SavedModel; where it comes with an 8-bit form, that and what it is tried beside."""
        ways = ("openvino", "openvino-f32", "tensorflow")
        if not eight_bits.has_form(model.directory):
            return ways
        try:
            short = ("openvino-bf16",) if openvino.installed() and openvino.has_bf16(memory) else ()
        except ImportError:  # Who runs it is told; TensorFlow does without it.
            short = ()
        return (*ways, *short, "openvino-int8")

    def describe(self, model: LocalModel, backend: str | None, memory: Path) -> EncoderSpec:
        """Return what a SavedModel is; arguments and errors as of ``EncoderKind.describe``."""
        chosen = choose_backend(model.name, backend, self.backends(model, memory))
        return _spec(model, chosen, _open(model.directory, memory), memory)

    def load(self, model: LocalModel, backend: str | None, memory: Path) -> Encoder:
        """Return a SavedModel ready to run; every file is read and checked."""
        chosen = choose_backend(model.name, backend, self.backends(model, memory))
        opened = _open(model.directory, None)
        spec = _spec(model, chosen, opened, memory)
        signature, wanted = opened.signature, opened.wanted
        if chosen == "tensorflow":
            from core.encoders.saved_model.tensorflow import TensorFlowRunner

            return RunnerEncoder(spec, TensorFlowRunner(model.directory, signature, wanted))
        small = spec.precision == "int8"
        path, rest = (model.directory / EIGHT_BITS, "f32") if small else (model.directory, spec.precision)
        runner = openvino.OpenVinoRunner(path, signature.output_names, wanted, rest, remedy=_REMEDY)
        return RunnerEncoder(spec, runner)


def saved_model_preprocessing(directory: Path, signature: Signature) -> Preprocessing:
    """Return what pixels a SavedModel wants; errors as of ``read_preprocessing``."""
    return read_preprocessing(
        directory,
        channels=signature.channels,
        side=signature.input_size,
        shape=shape_text(signature.images.shape),
        guesses=_KNOWN_BANDS,
        default_size=DEFAULT_SIZE,
    )


def _open(directory: Path, memory: Path | None) -> _Opened:
    content = digest(directory, memory)
    signature = read_signature(directory)
    wanted = saved_model_preprocessing(directory, signature)
    return _Opened(content=content, signature=signature, wanted=wanted)


def _spec(model: LocalModel, backend: str, opened: _Opened, memory: Path) -> EncoderSpec:
    wanted, signature = opened.wanted, opened.signature
    precision = _precision(model.directory, backend, memory)
    counts = f"int8 {eight_bits.form_digest(model.directory)}" if precision == "int8" else precision
    has_variables = (model.directory / "variables" / "variables.index").is_file()
    return EncoderSpec(
        name=model.name,
        title=wanted.title or model.title,
        fingerprint=fingerprint(opened.content, wanted, signature.name, counts),
        bands=wanted.bands,
        input_size=wanted.input_size,
        gain=wanted.gain,
        dimension=signature.dimension or _propagated(model.directory, opened),
        backend=backend,
        origin=model.origin,
        precision=precision,
        # The layers that a training puts before a module's graph know a gain, no means and deviations.
        trainable=has_variables and not wanted.normalises,
        mean=wanted.mean,
        deviation=wanted.deviation,
        level=wanted.level,
    )


def _precision(directory: Path, backend: str, memory: Path) -> str:
    """Return the numbers that a backend computes in."""
    stated = backend.partition("-")[2]
    if stated or backend != "openvino":
        return stated or "f32"
    if eight_bits.pays(directory, memory):
        return "int8"
    return "bf16" if openvino.has_bf16(memory) else "f32"


def _propagated(directory: Path, opened: _Opened) -> int:
    """Return the number of features of a model that does not state it."""
    known = None
    if openvino.installed():
        known = openvino.output_dimension(directory, opened.signature.output_names, opened.wanted)
    if known is None:
        asked, found = f"Using the model “{directory.name}”", "how many features it gives is not stated"
        raise EncoderError(asked, found, "export it with a fixed number of features")
    return known
