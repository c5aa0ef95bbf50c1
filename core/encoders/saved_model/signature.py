"""What goes into a SavedModel and what comes out, read from ``saved_model.pb`` without TensorFlow.

Field numbers are those of tensorflow/core/protobuf/saved_model.proto, meta_graph.proto and tensor_shape.proto.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.encoders.preprocessing import shape_text
from core.encoders.protobuf import integer, message, messages, text_field
from core.errors import EncoderError

PREFERRED_SIGNATURES = ("default", "serving_default", "image_feature_vector")
PREFERRED_OUTPUT = "default"
DT_FLOAT = 1
"""DT_FLOAT of tensorflow/core/framework/types.proto."""

MAX_GRAPH_BYTES = 512 << 20

_ADVICE = "get the model again"


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """An input or output of a signature.

    Attributes:
        key: its name in the signature, such as ``images``.
        tensor: its name in the graph, such as ``hub_input/images:0``.
        dtype: number of its type; ``DT_FLOAT`` is 32-bit float.
        shape: its dimensions, None = any; None altogether = any number of them.
    """

    key: str
    tensor: str
    dtype: int
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, kw_only=True)
class Signature:
    """How a model is called.

    Attributes:
        name: name of the signature, such as ``default``.
        tags: of the graph it belongs to; empty = the inference graph of a TF1-Hub module.
        images: the input.
        features: the output.
        input_size: pixels a side when the model fixes it, else None.
        channels: channels of the input when the model fixes them, else None.
        dimension: number of features when the model states it, else None.
    """

    name: str
    tags: frozenset[str]
    images: Tensor
    features: Tensor
    input_size: int | None
    channels: int | None
    dimension: int | None

    @property
    def output_names(self) -> tuple[str, str]:
        """Names by which the features may go in a graph that was read from the model: in its signature, in itself."""
        return self.features.key, self.features.tensor


def read_signature(directory: Path) -> Signature:
    """Return the signature that gives image feature vectors.

    Of several graphs the one without tags (TF1-Hub inference) or with the tag ``serve`` counts; of several signatures
    the first of ``PREFERRED_SIGNATURES``; of several outputs the one named ``default``.

    Raises:
        EncoderError: when the file is damaged, or nothing in it maps float images to feature vectors.
    """
    path = directory / "saved_model.pb"
    asked = f"Reading the model “{directory.name}”"
    try:
        if path.stat().st_size > MAX_GRAPH_BYTES:
            raise EncoderError(asked, "saved_model.pb is larger than 512 MB", "use a smaller model")
        with path.open("rb") as file:
            graphs = _graphs(memoryview(file.read()))
    except OSError as error:
        raise EncoderError(asked, "saved_model.pb is missing or cannot be read", _ADVICE) from error
    except ValueError as error:
        raise EncoderError(asked, f"saved_model.pb is damaged ({error})", _ADVICE) from error
    if not graphs:
        raise EncoderError(asked, "saved_model.pb holds no graph", _ADVICE)
    tags, signatures = _inference(graphs, asked)
    name = _choose(signatures, asked)
    images, features = _image_input(signatures[name][0], name, asked), _feature_output(signatures[name][1], name, asked)
    shape, out = images.shape, features.shape
    return Signature(
        name=name,
        tags=tags,
        images=images,
        features=features,
        input_size=_side(shape, asked) if shape else None,
        channels=shape[3] if shape else None,
        dimension=out[-1] if out else None,
    )


_Tensors = dict[str, Tensor]
_Signatures = dict[str, tuple[_Tensors, _Tensors]]


def _graphs(data: memoryview) -> list[tuple[frozenset[str], _Signatures]]:
    """Tags and signatures of every graph of a SavedModel message."""
    found = []
    for graph in messages(data, 2):
        tags = frozenset(bytes(tag).decode("utf-8") for tag in messages(message(graph, 1), 4))
        signatures = {}
        for entry in messages(graph, 5):
            definition = message(entry, 2)
            signatures[text_field(entry, 1)] = (_tensors(definition, 1), _tensors(definition, 2))
        found.append((tags, signatures))
    return found


def _tensors(definition: memoryview, number: int) -> _Tensors:
    found = {}
    for entry in messages(definition, number):
        key, info = text_field(entry, 1), message(entry, 2)
        shape_message = message(info, 3)
        sizes = [integer(dim, 1) for dim in messages(shape_message, 2)]
        shape = None if integer(shape_message, 3) else tuple(None if size < 0 else size for size in sizes)
        found[key] = Tensor(key=key, tensor=text_field(info, 1), dtype=integer(info, 2), shape=shape)
    return found


def _inference(graphs: list[tuple[frozenset[str], _Signatures]], asked: str) -> tuple[frozenset[str], _Signatures]:
    for wanted in (frozenset[str](), frozenset({"serve"})):
        for tags, signatures in graphs:
            if tags == wanted:
                return tags, signatures
    usable = [graph for graph in graphs if "train" not in graph[0]]
    if not usable:
        raise EncoderError(asked, "it holds only a graph for training", "export it for inference")
    return usable[0]


def _choose(signatures: _Signatures, asked: str) -> str:
    for name in PREFERRED_SIGNATURES:
        if name in signatures:
            return name
    names = [name for name in signatures if not name.startswith("__")]
    if len(names) == 1:
        return names[0]
    found = f"its signatures are {', '.join(sorted(names))}" if names else "it has no signatures"
    raise EncoderError(asked, found, f"export it with a signature named {PREFERRED_SIGNATURES[0]}")


def _image_input(inputs: _Tensors, name: str, asked: str) -> Tensor:
    if len(inputs) != 1:
        found = f"its signature {name} has {len(inputs)} inputs"
        raise EncoderError(asked, found, "use a model that takes one batch of images")
    images = next(iter(inputs.values()))
    if images.dtype != DT_FLOAT:
        raise EncoderError(asked, "its images are not 32-bit floats", "use a model that takes float images")
    if images.shape is not None and len(images.shape) != 4:
        found = f"its input has the shape {shape_text(images.shape)}"
        raise EncoderError(asked, found, "use a model that takes images of shape (N, height, width, bands)")
    return images


def _feature_output(outputs: _Tensors, name: str, asked: str) -> Tensor:
    fitting = {key: out for key, out in outputs.items() if out.dtype == DT_FLOAT and _is_vector(out.shape)}
    if PREFERRED_OUTPUT in fitting:
        return fitting[PREFERRED_OUTPUT]
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    listed = ", ".join(f"{key} {shape_text(out.shape)}" for key, out in sorted(outputs.items())) or "nothing"
    found = f"its signature {name} gives {listed}"
    raise EncoderError(asked, found, "use a model that gives one feature vector an image")


def _is_vector(shape: tuple[int | None, ...] | None) -> bool:
    """Tell (N, D) and (N, 1, 1, D), and what is not stated, from other shapes."""
    return shape is None or len(shape) == 2 or (len(shape) == 4 and shape[1:3] == (1, 1))


def _side(shape: tuple[int | None, ...], asked: str) -> int | None:
    if shape[1] != shape[2]:
        found = f"its input has the shape {shape_text(shape)}"
        raise EncoderError(asked, found, "use a model that takes square images")
    return shape[1]
