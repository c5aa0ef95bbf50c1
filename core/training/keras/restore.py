"""Going on from a model that ``finetune`` wrote: its network with all weights, out of the frozen graph.

The graph holds the weights as constants, so they are not stored twice: ``network.json`` says how the network is built
and which constant holds which weight. The classifier, which is no part of the features, lies beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.saved_model.loader_impl import parse_saved_model

from core.bands import FloatArray
from core.encoders.files import CLASSIFIER, NETWORK, SHARES
from core.errors import EncoderError
from core.training.keras import network as networks
from core.training.keras.joint import NetworkPart

DIRECTIONS = "logits/directions"
"""Path of the one variable that is no part of the features."""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A network as it was when its model was written.

    Attributes:
        network: of ``core.training.keras.network.build``, with its weights.
        bands: that it takes, in product order.
        side: pixels a side of the patches it was trained on.
        classes: that its classifier tells apart, in its order.
        part: constants of the network's part of its features; None for a model from before there were any.
    """

    network: Any
    bands: tuple[str, ...]
    side: int
    classes: tuple[str, ...]
    part: NetworkPart | None


def record_network(
    network: Any,  # noqa: ANN401  tensorflow is untyped
    directory: Path,
    *,
    bands: Sequence[str],
    side: int,
    classes: Sequence[str],
) -> None:
    """Write ``network.json`` and ``classifier.npy`` beside a frozen SavedModel of a network.

    Raises:
        EncoderError: when a weight is not found in the graph, which would be a fault of ours.
    """
    places: dict[tuple[tuple[int, ...], bytes], str] = {}
    for name, value in _constants(directory):
        places.setdefault((value.shape, value.tobytes()), name)
    held = {}
    for variable in network.weights:
        if variable.path == DIRECTIONS:
            np.save(directory / CLASSIFIER, variable.numpy(), allow_pickle=False)
            continue
        value = variable.numpy()
        place = places.get((value.shape, value.tobytes()))
        if place is None:
            found = f"the weight {variable.path} is not in the graph"
            raise EncoderError(f"Writing the model “{directory.name}”", found, "report this as a fault")
        held[variable.path] = place
    scaling = network.get_layer("standardise")
    stages = sum(layer.name.endswith("_block0_first") for layer in network.layers)
    fields = {
        "mean": scaling.mean,
        "std": scaling.std,
        "ceiling": scaling.ceiling,
        "widths": [network.get_layer(f"stage{stage}_block0_first").filters for stage in range(stages)],
        "bands": list(bands),
        "side": side,
        "classes": list(classes),
        "weights": held,
    }
    (directory / NETWORK).write_text(json.dumps(fields, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def restore(directory: Path) -> Restored:
    """Return the network of a model that was written with ``record_network``.

    Raises:
        EncoderError: when its files are damaged or do not fit together.
    """
    try:
        fields = json.loads((directory / NETWORK).read_text(encoding="utf-8"))
        classes = tuple(fields["classes"])
        mean, std, ceiling = (fields[name] for name in ("mean", "std", "ceiling"))
        network = networks.build(
            mean, std, ceiling, len(classes), widths=fields["widths"], blocks=_blocks(fields["weights"])
        )
        held = dict(_constants(directory))
        for variable in network.weights:
            kept = variable.path == DIRECTIONS
            value = np.load(directory / CLASSIFIER) if kept else held[fields["weights"][variable.path]]
            variable.assign(value)
        return Restored(
            network=network,
            bands=tuple(fields["bands"]),
            side=int(fields["side"]),
            classes=classes,
            part=NetworkPart.load(shares) if (shares := directory / SHARES).is_file() else None,
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        found = "its weights cannot be read back, because its files are damaged or do not fit together"
        raise EncoderError(f"Training on from the model “{directory.name}”", found, "get the model again") from error


def _blocks(weights: Iterable[str]) -> int:
    """Return how many blocks each stage has, by the names of its weights; which no file says."""
    numbers = [re.match(r"stage0_block(\d+)_", path) for path in weights]
    return 1 + max(int(found[1]) for found in numbers if found)


def _constants(directory: Path) -> Iterator[tuple[str, FloatArray]]:
    """Give all float32 constants of a SavedModel with their names, ``function/node`` or ``node``."""
    for graph in parse_saved_model(str(directory)).meta_graphs:
        parts = [("", graph.graph_def.node)]
        parts += [(f"{one.signature.name}/", one.node_def) for one in graph.graph_def.library.function]
        for prefix, nodes in parts:
            for node in nodes:
                if node.op == "Const" and node.attr["dtype"].type == tf.float32.as_datatype_enum:
                    yield prefix + node.name, tf.make_ndarray(node.attr["value"].tensor)
