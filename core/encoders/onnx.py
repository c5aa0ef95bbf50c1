"""ONNX models as a kind of encoder: ``model.onnx`` and a ``landlike.json`` that says what it is fed; run by OpenVINO.

What goes in and comes out is read from the file without OpenVINO; field numbers are those of onnx.proto (ModelProto,
GraphProto, ValueInfoProto, TypeProto, TensorShapeProto).
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.encoders.base import Encoder, EncoderSpec, LocalModel
from core.encoders.files import SIDECAR, digest, holds
from core.encoders.openvino import GROUP_SIZE, GraphInput, OpenVinoRunner, has_bf16
from core.encoders.preprocessing import Preprocessing, read_preprocessing, shape_text, stated_bands
from core.encoders.protobuf import fields, integer, message, messages, text_field
from core.encoders.runner import RunnerEncoder, choose_backend, fingerprint
from core.errors import EncoderError

GRAPH = "model.onnx"
ONNX_FLOAT = 1
"""TensorProto.DataType.FLOAT of onnx.proto."""

EXAMPLE = '{"bands": ["B02", "B03", "B04", "B08"], "scale": 1, "input_size": 64}'
_ADVICE = "get the model again"

Shape = tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True)
class GraphTensor:
    """An input or output of a graph.

    Attributes:
        name: in the graph.
        dtype: number of its type; ``ONNX_FLOAT`` is 32-bit float.
        shape: its dimensions, None = any; None altogether = not stated.
    """

    name: str
    dtype: int
    shape: Shape | None


@dataclass(frozen=True, kw_only=True)
class OnnxCall:
    """How a model is called.

    Attributes:
        takes: how images go in.
        shape: of its input, None = any.
        side: pixels a side of its input; None = any.
        output: name of the features.
        dimension: how many there are.
    """

    takes: GraphInput
    shape: Shape
    side: int | None
    output: str
    dimension: int


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """A model whose files are whole: their digest, how it is called, what pixels it wants."""

    content: str
    call: OnnxCall
    wanted: Preprocessing


class OnnxKind:
    """Directories with a ``model.onnx``. No training starts from one: its weights cannot be changed here."""

    def recognises(self, directory: Path) -> bool:
        """Tell whether a directory has, or should have, a ``model.onnx``."""
        return holds(directory, GRAPH)

    def backends(self, model: LocalModel, memory: Path) -> tuple[str, ...]:
        """Return the ways to run an ONNX model."""
        return ("openvino", "openvino-f32")

    def describe(self, model: LocalModel, backend: str | None, memory: Path) -> EncoderSpec:
        """Return what an ONNX model is; arguments and errors as of ``EncoderKind.describe``."""
        chosen = choose_backend(model.name, backend, self.backends(model, memory))
        return _spec(model, chosen, _open(model.directory, memory), memory)

    def load(self, model: LocalModel, backend: str | None, memory: Path) -> Encoder:
        """Return an ONNX model ready to run; every file is read and checked."""
        chosen = choose_backend(model.name, backend, self.backends(model, memory))
        opened = _open(model.directory, None)
        spec, call = _spec(model, chosen, opened, memory), opened.call
        path = model.directory / GRAPH
        runner = OpenVinoRunner(path, [call.output], opened.wanted, spec.precision, takes=call.takes)
        return RunnerEncoder(spec, runner)


def read_call(directory: Path, bands: int) -> OnnxCall:
    """Return how the model of a directory is called.

    Args:
        directory: with a ``model.onnx``.
        bands: how many its sidecar lists.

    Raises:
        EncoderError: when the file is damaged, or does not map float images of so many bands to feature vectors.
    """
    asked = f"Reading the model “{directory.name}”"
    inputs, outputs = _graph(directory / GRAPH, asked)
    if len(inputs) != 1:
        found = f"its inputs are {_listed(inputs)}"
        raise EncoderError(asked, found, "use a model that takes one batch of images")
    images, features = inputs[0], _features(outputs, asked)
    if images.dtype != ONNX_FLOAT:
        raise EncoderError(asked, "its images are not 32-bit floats", "use a model that takes float images")
    if images.shape is None or len(images.shape) != 4:
        found = f"its input has the shape {shape_text(images.shape)}"
        remedy = "use a model that takes images of shape (N, bands, height, width) or (N, height, width, bands)"
        raise EncoderError(asked, found, remedy)
    channels_first = _channels_first(images.shape, bands, asked)
    return OnnxCall(
        takes=GraphInput(channels_first=channels_first, group=images.shape[0] or GROUP_SIZE),
        shape=images.shape,
        side=images.shape[2] if channels_first else images.shape[1],
        output=features.name,
        dimension=_dimension(features, asked),
    )


def _open(directory: Path, memory: Path | None) -> _Opened:
    content = digest(directory, memory)
    if not (directory / SIDECAR).is_file():
        remedy = f"put a {SIDECAR} beside {GRAPH} such as {EXAMPLE}, with the bands in the model's order"
        raise EncoderError(f"Using the model “{directory.name}”", f"it has no {SIDECAR}", remedy)
    bands = stated_bands(directory)
    if not bands:
        remedy = f"list them in the model's order, such as in {EXAMPLE}"
        raise EncoderError(f"Using the model “{directory.name}”", f"{SIDECAR} lists no bands", remedy)
    call = read_call(directory, len(bands))
    wanted = read_preprocessing(directory, channels=len(bands), side=call.side, shape=shape_text(call.shape))
    return _Opened(content=content, call=call, wanted=wanted)


def _spec(model: LocalModel, backend: str, opened: _Opened, memory: Path) -> EncoderSpec:
    wanted, call = opened.wanted, opened.call
    precision = "bf16" if backend == "openvino" and has_bf16(memory) else "f32"
    return EncoderSpec(
        name=model.name,
        title=wanted.title or model.title,
        fingerprint=fingerprint(opened.content, wanted, GRAPH, precision),
        bands=wanted.bands,
        input_size=wanted.input_size,
        gain=wanted.gain,
        dimension=call.dimension,
        backend=backend,
        origin=model.origin,
        precision=precision,
        mean=wanted.mean,
        deviation=wanted.deviation,
        level=wanted.level,
    )


def _graph(path: Path, asked: str) -> tuple[list[GraphTensor], list[GraphTensor]]:
    """Return inputs, weights not among them, and outputs of a file; the weights themselves are passed over."""
    try:
        with path.open("rb") as file:
            # Mapped, not read: the weights may be large, and only the names between them are looked at.
            graph = message(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)), 7)
        weights: set[str] = set()
        inputs: list[GraphTensor] = []
        outputs: list[GraphTensor] = []
        for number, value in fields(graph):
            if number == 5 and not isinstance(value, int):
                weights.add(text_field(value, 8))
            elif number in (11, 12) and not isinstance(value, int):
                (inputs if number == 11 else outputs).append(_tensor(value))
    except OSError as error:
        raise EncoderError(asked, f"{GRAPH} is missing or cannot be read", _ADVICE) from error
    except ValueError as error:
        raise EncoderError(asked, f"{GRAPH} is damaged ({error})", _ADVICE) from error
    if not outputs:
        raise EncoderError(asked, f"{GRAPH} is damaged (it holds no graph)", _ADVICE)
    # Before version 4 of the format, weights were listed among the inputs.
    return [one for one in inputs if one.name not in weights], outputs


def _tensor(value: memoryview) -> GraphTensor:
    kind = message(message(value, 2), 1)
    shape = next(messages(kind, 2), None)
    sizes = [integer(dim, 1) for dim in messages(shape, 1)] if shape is not None else []
    return GraphTensor(
        name=text_field(value, 1),
        dtype=integer(kind, 1),
        shape=None if shape is None else tuple(size if size > 0 else None for size in sizes),
    )


def _features(outputs: Sequence[GraphTensor], asked: str) -> GraphTensor:
    if len(outputs) != 1:
        raise EncoderError(asked, f"its outputs are {_listed(outputs)}", "export it with its features as the only one")
    if outputs[0].dtype != ONNX_FLOAT:
        raise EncoderError(asked, "its features are not 32-bit floats", "export it with float features")
    return outputs[0]


def _dimension(features: GraphTensor, asked: str) -> int:
    """Return the length of the only axis but the first that is not 1."""
    found = f"its output is {_listed([features])}"
    if features.shape is None or None in features.shape[1:]:
        raise EncoderError(asked, found, "export it with a fixed number of features")
    sizes = [size for size in features.shape[1:] if size is not None]
    if len(sizes) < 1 or len([size for size in sizes if size != 1]) > 1:
        raise EncoderError(asked, found, "export it with one feature vector an image, of shape (N, features)")
    return max(sizes)


def _channels_first(shape: Shape, bands: int, asked: str) -> bool:
    """Tell whether the bands are the second axis; where nothing says so they are, as in ONNX's convolutions."""
    first, last = (shape[1], shape[2:4]), (shape[3], shape[1:3])
    for wanted in (bands, None):
        for channels_first, (channels, sides) in ((True, first), (False, last)):
            if channels == wanted and sides[0] == sides[1]:
                return channels_first
    found = f"{SIDECAR} lists {bands} bands, the model's input has the shape {shape_text(shape)}"
    raise EncoderError(asked, found, f"correct the bands in {SIDECAR}, or use a model that takes square images")


def _listed(tensors: Sequence[GraphTensor]) -> str:
    return ", ".join(f"{one.name} {shape_text(one.shape)}" for one in tensors) or "none"
