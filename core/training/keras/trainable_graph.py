"""The graph of a hub module or SavedModel as a Keras layer whose weights can be trained and written again.

How a module becomes trainable: its inference graph is frozen, the constants that were variables are cut out, and the
graph is joined to variables of our own in their place. That was chosen over a TF1-Hub module's {"train"} graph, whose
updates of batch statistics need a session and old-style variables and which many modules lack, and over carrying the
weights into a network of our own, which would serve one architecture only. It works alike for TF1-Hub modules and TF2
SavedModels of any architecture; what is learned is written with the very graph that the module brought.

Batch normalisation (``FusedBatchNorm``, all versions) learns its statistics too: in training the operation is switched
to the statistics of the batch, and gives the moving ones with ``exponential_avg_factor`` itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from core.bands import FloatArray
from core.encoders.saved_model.signature import Signature
from core.errors import EncoderError
from core.training.hyperparameters import BATCH_NORM_MOMENTUM

STATISTICS = ("moving_mean", "moving_variance")
"""Ends of the names of variables that are no weights, in modules whose batch normalisation is several operations."""

_NORM = "FusedBatchNorm"


@dataclass(frozen=True, kw_only=True)
class TrainableGraph:
    """A graph with the places of its weights left open.

    Attributes:
        graph: serialised GraphDef; each weight is a placeholder of the weight's name.
        images: name of the input tensor.
        features: name of the output tensor.
        dimension: number of features.
        weights: values by name, float32.
        fixed: names of the weights that no gradient changes: statistics of batch normalisation.
        norms: operations of batch normalisation with the names of their moving mean and variance.
    """

    graph: bytes
    images: str
    features: str
    dimension: int
    weights: Mapping[str, FloatArray]
    fixed: frozenset[str]
    norms: Mapping[str, tuple[str, str]]

    def run(self, images: Any, weights: Mapping[str, Any], *, learning: bool) -> tuple[Any, dict[str, Any]]:  # noqa: ANN401
        """Return features (N, dimension) of prepared images, and new moving statistics by name when ``learning``."""
        graph = tf.compat.v1.GraphDef.FromString(self.graph)
        norms = self.norms if learning else {}
        for node in graph.node:
            if node.name in norms:
                node.attr["is_training"].b = True
                node.attr["exponential_avg_factor"].f = 1 - BATCH_NORM_MOMENTUM
        places = [f"{name}:0" for name in weights]
        wanted = [self.features, *(f"{name}:{place}" for name in norms for place in (1, 2))]

        # A function of its own: a tape that runs does not see what is imported, but it does see calls.
        @tf.function(autograph=False)  # type: ignore[untyped-decorator]
        def call(images: Any, values: list[Any]) -> list[Any]:  # noqa: ANN401
            given = {self.images: images, **dict(zip(places, values, strict=True))}
            found: list[Any] = tf.graph_util.import_graph_def(graph, given, wanted, name="")
            return found

        found = call(images, [tf.convert_to_tensor(value) for value in weights.values()])
        names = [name for pair in norms.values() for name in pair]
        return tf.reshape(found[0], (-1, self.dimension)), dict(zip(names, found[1:], strict=True))


def load_trainable_graph(directory: Path, signature: Signature, dimension: int) -> TrainableGraph:
    """Load the graph of a model whose files are whole.

    Raises:
        EncoderError: when TensorFlow refuses it, or it has no weights that can be trained.
    """
    asked = f"Training on from the model “{directory.name}”"
    try:
        tags = None if "serve" in signature.tags else sorted(signature.tags)
        module = tf.saved_model.load(str(directory), tags=tags)
        function = module.signatures[signature.name]
        frozen = convert_variables_to_constants_v2(function)
    except (ValueError, KeyError, OSError, RuntimeError, tf.errors.OpError) as error:
        first = str(error).partition("\n")[0][:200]
        raise EncoderError(asked, f"it was refused ({first})", "choose another model to start from") from error
    variables = {node.name for node in function.graph.as_graph_def().node if node.op != "Const"}
    features = frozen.outputs[sorted(function.structured_outputs).index(signature.features.key)].name
    graph = tf.compat.v1.graph_util.extract_sub_graph(frozen.graph.as_graph_def(), [features.partition(":")[0]])
    weights = _cut(graph, variables)
    norms = {node.name: _statistics(node, graph) for node in graph.node if node.op.startswith(_NORM)}
    norms = {name: pair for name, pair in norms.items() if set(pair) <= weights.keys()}
    fixed = {name for pair in norms.values() for name in pair} | {name for name in weights if name.endswith(STATISTICS)}
    if not weights.keys() - fixed:
        raise EncoderError(asked, "it has no variables that can be trained", "choose another model to start from")
    return TrainableGraph(
        graph=graph.SerializeToString(),
        images=frozen.inputs[0].name,
        features=features,
        dimension=dimension,
        weights=weights,
        fixed=frozenset(fixed),
        norms=norms,
    )


def _cut(graph: Any, variables: set[str]) -> dict[str, FloatArray]:  # noqa: ANN401
    """Make placeholders of the constants that were variables, in place; their values by name."""
    weights = {}
    for node in graph.node:
        if node.op == "Const" and node.name in variables and node.attr["dtype"].type == tf.float32.as_datatype_enum:
            value = tf.make_ndarray(node.attr["value"].tensor)
            weights[node.name] = value
            del node.attr["value"]
            node.op = "Placeholder"
            node.attr["shape"].shape.CopyFrom(tf.TensorShape(value.shape).as_proto())
        elif node.op.startswith(_NORM):
            node.op = f"{_NORM}V3"  # one version whose gradient and averages are known
            node.attr["U"].type = tf.float32.as_datatype_enum
    return weights


def _statistics(norm: Any, graph: Any) -> tuple[str, str]:  # noqa: ANN401
    """Name the constants behind the mean and the variance of a normalisation, however they are read."""
    nodes = {node.name: node for node in graph.node}
    names = []
    for given in norm.input[3:5]:
        name = given.partition(":")[0]
        while nodes[name].op == "Identity":
            name = nodes[name].input[0].partition(":")[0]
        names.append(name)
    return names[0], names[1]


class GraphLayer(tf.keras.layers.Layer):  # type: ignore[misc]
    """A trainable graph with its weights: features of shape (N, dimension) of prepared images.

    Attributes:
        frozen_batch_norm: True = the statistics of batch normalisation stay as they are in training too.
    """

    frozen_batch_norm = False

    def __init__(self, given: TrainableGraph, **rest: object) -> None:
        super().__init__(**rest)
        self._given = given
        self._named = {
            name: self.add_weight(
                name=name.replace("/", "."),
                shape=value.shape,
                initializer=tf.keras.initializers.Constant(value),
                trainable=name not in given.fixed,
            )
            for name, value in given.weights.items()
        }
        self.built = True

    def call(self, images: Any, training: bool | None = None) -> Any:  # noqa: ANN401
        """Return features; in training the moving statistics move."""
        weights = {name: variable.value for name, variable in self._named.items()}
        features, moved = self._given.run(images, weights, learning=bool(training) and not self.frozen_batch_norm)
        for name, value in moved.items():
            self._named[name].assign(value)
        return features

    def compute_output_spec(self, images: Any, training: bool | None = None) -> Any:  # noqa: ANN401
        """Return shape and type of the features, known without running the graph."""
        return tf.keras.KerasTensor((images.shape[0], self._given.dimension), "float32")


@tf.keras.utils.register_keras_serializable("landlike")
class Prepare(tf.keras.layers.Layer):  # type: ignore[misc]
    """Reflectance (N, H, W, bands) as a module wants it: its order of bands, its scale, its size.

    The same as ``preprocessing`` does when the module is used. ``side`` is that of whole patches, in
    pixels: where they are shrunk no pixel is skipped, and parts of them that are enlarged are not touched by that.
    """

    def __init__(self, order: list[int], gain: float | None, size: int, side: int, **rest: object) -> None:
        super().__init__(**rest)
        self._order, self._gain, self._size, self._shrinks = order, gain, size, side > size

    def call(self, images: Any) -> Any:  # noqa: ANN401
        """Return images of shape (N, size, size, channels)."""
        images = tf.gather(images, self._order, axis=-1)
        if self._gain is not None:
            images = tf.clip_by_value(images * self._gain, 0.0, 1.0)
        return tf.image.resize(images, (self._size, self._size), antialias=self._shrinks)

    def compute_output_spec(self, images: Any) -> Any:  # noqa: ANN401
        """Return shape and type of what comes out."""
        return tf.keras.KerasTensor((images.shape[0], self._size, self._size, len(self._order)), "float32")


class Exported(tf.Module):  # type: ignore[misc]
    """What is written of a body: its graph, its weights as variables, and a linear layer after it where there is one.

    Weights stay variables, so that the result can be trained on like any other SavedModel.
    """

    def __init__(self, body: GraphLayer, linear: tuple[FloatArray, FloatArray] | None) -> None:
        super().__init__()
        self._given = body._given
        self.weights = {
            name: tf.Variable(variable.value, trainable=variable.trainable, name=name)
            for name, variable in body._named.items()
        }
        self.linear = None if linear is None else [tf.Variable(part) for part in linear]

    def features(self, images: Any) -> Any:  # noqa: ANN401
        """Return features of prepared images."""
        found, _ = self._given.run(images, self.weights, learning=False)
        return found if self.linear is None else found @ self.linear[0] + self.linear[1]


def write_body(
    body: GraphLayer, directory: Path, *, size: int, channels: int, linear: tuple[FloatArray, FloatArray] | None
) -> None:
    """Write a body as a SavedModel with the signature ``default``.

    Args:
        body: trained.
        directory: empty or new.
        size: pixels a side of the prepared images.
        channels: of the prepared images.
        linear: matrix of shape (dimension, D) and offsets of shape (D,) of a layer after it; None = none.
    """
    module = Exported(body, linear)
    shape = tf.TensorSpec((None, size, size, channels), tf.float32, "images")

    @tf.function(input_signature=[shape], autograph=False)  # type: ignore[untyped-decorator]
    def features(images: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"default": module.features(images)}

    module.call = features
    tf.saved_model.save(module, str(directory), signatures={"default": features})
