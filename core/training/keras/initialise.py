"""The network a training begins with, for each kind of base, and how it is written when it has learned.

- From scratch, and from a model of ours: the network of ``training.keras.network``; features are its embedding joined
  with what the ground is made of (``training.keras.joint``). From ours, the classifier is kept when the classes are
  the same.
- From a module: the module's own graph (``trainable_graph``) with a cosine classifier on its features, which is
  not written: features stay what they were, as many numbers, only better ones.
- From a module with a frozen body: its features would stay as they are, so a linear layer of
  ``EMBEDDING_DIMENSION`` numbers is trained on them, and what it gives is the features of the model that is written.

New class directions begin at the mean of each class's unit embeddings (Qi, Brown and Lowe, “Low-Shot Learning with
Imprinted Weights”, 2018), so that a body that is good already is not disturbed by a classifier that knows nothing.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from core.bands import BAND_NAMES, FloatArray
from core.encoders.saved_model.signature import read_signature
from core.files import disk_full
from core.training.base_model import Base
from core.training.dataset import Labelled
from core.training.hyperparameters import (
    BATCH_NORM_MOMENTUM,
    EMBEDDING_DIMENSION,
    Array,
    Examples,
    Hyperparameters,
)
from core.training.keras import network as networks
from core.training.keras.export import finish, write_model
from core.training.keras.ground import shipped_ground
from core.training.keras.inference import predict
from core.training.keras.joint import REFERENCES, NetworkPart, accustomed, fit_network_part
from core.training.keras.restore import restore
from core.training.keras.trainable_graph import GraphLayer, Prepare, load_trainable_graph, write_body

SATURATED = 99.5
"""Percentile of each band's reflectance above which pixels count as equally bright."""

MOST_USUAL = 400
"""Patches by which it is told what is usual, at most."""

IMPRINTED = 64
"""Patches a class whose mean a new class direction begins at."""

Write = Callable[[Path, str, Mapping[str, Any]], None]
"""Writes the encoder into an empty directory, given title and model card; raises OSError when the disk is full."""


@dataclass(frozen=True, kw_only=True)
class Initialised:
    """A network ready to be trained.

    Attributes:
        network: images (N, H, W, bands in product order) to ``embedding`` and ``logits``.
        write: writes it as an encoder.
        compiles: False = it has operations that cannot be compiled.
    """

    network: Any
    write: Write
    compiles: bool = True


def initialise(
    base: Base,
    learned: Labelled,
    hyperparameters: Hyperparameters,
    *,
    freeze: bool,
    known: Labelled | None = None,
    usual: Labelled | None = None,
) -> Initialised:
    """Make the network of a training.

    Args:
        base: what it starts from.
        learned: what is learned from, with the bands of the base and its size.
        hyperparameters: the size of a network from scratch, and the seed of the first weights of what is new.
        freeze: True = the body is not going to be trained.
        known: patches like these, better not learned from, that say how features vary; None = ``learned``.
        usual: patches of known land with all bands of the ground; None = what was usual for the base stays.

    Raises:
        EncoderError: when the base cannot be trained on.
    """
    tf.keras.utils.set_random_seed(hyperparameters.seed)
    reference = _reference(learned if known is None else known)
    if base.directory is None:
        return _from_scratch(learned, hyperparameters, reference, usual)
    examples = Examples(pixels=learned.pixels, labels=learned.labels)
    if base.ours:
        return _from_ours(base.directory, examples, learned.classes, reference, usual)
    return _from_module(base, base.directory, examples, learned.classes, freeze)


def _reference(known: Labelled) -> Array:
    """Return the pixels of up to ``REFERENCES`` patches, evenly spaced."""
    return known.pixels[:: -(-len(known) // REFERENCES)]


def _from_scratch(
    learned: Labelled, hyperparameters: Hyperparameters, reference: Array, usual: Labelled | None
) -> Initialised:
    widths, blocks = hyperparameters.widths, hyperparameters.blocks
    network = networks.build(*_scaling(learned.pixels), len(learned.classes), widths=widths, blocks=blocks)
    write = _writer(network, learned.bands, learned.pixels.shape[1], reference, usual=usual)
    return Initialised(network=network, write=write)


def _scaling(pixels: Array) -> tuple[list[float], list[float], list[float]]:
    """Return mean, deviation and ceiling of each band, reflectance, over a sample of the patches."""
    sample = pixels[:: max(1, len(pixels) // 4000)].astype(np.float32) / 10_000
    ceiling = np.percentile(sample, SATURATED, axis=(0, 1, 2))
    sample = np.minimum(sample, ceiling.astype(np.float32))
    mean, std = sample.mean(axis=(0, 1, 2)), sample.std(axis=(0, 1, 2)) + 1e-4
    return mean.tolist(), std.tolist(), ceiling.tolist()


def _from_ours(
    directory: Path, examples: Examples, classes: Sequence[str], reference: Array, usual: Labelled | None
) -> Initialised:
    found = restore(directory)
    network = found.network
    if found.classes != tuple(classes):
        kept = network
        logits = networks.CosineClassifier(len(classes), name="logits")(kept.output["embedding"])
        network = tf.keras.Model(kept.input, {"embedding": kept.output["embedding"], "logits": logits})
        _imprint(network, examples)
    write = _writer(network, found.bands, found.side, reference, usual=usual, kept=found.part)
    return Initialised(network=network, write=write)


def _writer(
    network: Any,  # noqa: ANN401
    bands: Sequence[str],
    side: int,
    reference: Array,
    *,
    usual: Labelled | None,
    kept: NetworkPart | None = None,
) -> Write:
    """Return what writes a network of ours, by the constants of its base, or such as are fitted to a reference."""

    def write(directory: Path, title: str, card: Mapping[str, Any]) -> None:
        part = kept or fit_network_part(predict(network, reference)[0])
        if usual is not None:
            rows = slice(None, None, -(-len(usual) // MOST_USUAL))
            part = accustomed(part, usual.images(BAND_NAMES, rows), shipped_ground())
        with _on_disk():
            write_model(network, directory, bands=bands, side=side, title=title, card=card, part=part)

    return write


def _from_module(base: Base, directory: Path, examples: Examples, classes: Sequence[str], freeze: bool) -> Initialised:
    size = base.input_size or examples.pixels.shape[1]
    graph = load_trainable_graph(directory, read_signature(directory), base.dimension)
    body = GraphLayer(graph, name="pool" if freeze else "embedding")
    images = tf.keras.Input((None, None, len(base.bands)), name="images")
    order = [base.product_bands.index(name) for name in base.bands]
    embedding = body(Prepare(order, base.gain, size, examples.pixels.shape[1], name="prepare")(images))
    if freeze:
        embedding = tf.keras.layers.Dense(EMBEDDING_DIMENSION, use_bias=False, name="to_embedding")(embedding)
        norm = tf.keras.layers.BatchNormalization(
            momentum=BATCH_NORM_MOMENTUM, scale=False, center=False, name="embedding"
        )
        embedding = norm(embedding)
    logits = networks.CosineClassifier(len(classes), name="logits")(embedding)
    network = tf.keras.Model(images, {"embedding": embedding, "logits": logits})
    if freeze:
        _standardise(network, examples)
    _imprint(network, examples)

    def write(target: Path, title: str, card: Mapping[str, Any]) -> None:
        linear = _linear(network) if freeze else None
        sidecar = {"bands": list(base.bands), "gain": base.gain, "input_size": size, "title": title}
        with _on_disk():
            write_body(body, target, size=size, channels=len(base.bands), linear=linear)
            finish(target, sidecar, card)

    return Initialised(network=network, write=write, compiles=False)


@contextmanager
def _on_disk() -> Iterator[None]:
    """Tell what TensorFlow raises when it cannot write as the error of the system that it is."""
    try:
        yield
    except tf.errors.OpError as error:
        number = errno.ENOSPC if disk_full(error) else errno.EIO
        raise OSError(number, str(error).partition("\n")[0].rpartition("; ")[2][:200]) from error


def _some(examples: Examples) -> Array:
    """Return indices of up to ``IMPRINTED`` patches of each class, evenly spaced."""
    found = [np.flatnonzero(examples.labels == label) for label in np.unique(examples.labels)]
    return np.concatenate([rows[:: -(-len(rows) // IMPRINTED)] for rows in found])


def _imprint(network: Any, examples: Examples) -> None:  # noqa: ANN401
    """Point the class directions at the classes."""
    chosen = _some(examples)
    embeddings, labels = predict(network, examples.pixels[chosen])[0], examples.labels[chosen]
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-6)
    directions = network.get_layer("logits").directions
    values = directions.numpy()
    for label in np.unique(labels):
        values[:, label] = unit[labels == label].mean(axis=0)
    directions.assign(values)


def _standardise(network: Any, examples: Examples) -> None:  # noqa: ANN401
    """Set the statistics of a new layer ``embedding`` by patches, so that its numbers have mean 0 and deviation 1."""
    norm = network.get_layer("embedding")
    given = predict(network, examples.pixels[_some(examples)])[0]
    raw = given * np.sqrt(norm.moving_variance.numpy() + norm.epsilon) + norm.moving_mean.numpy()
    norm.moving_mean.assign(raw.mean(axis=0))
    norm.moving_variance.assign(raw.var(axis=0))


def _linear(network: Any) -> tuple[FloatArray, FloatArray]:  # noqa: ANN401
    """Return the layers ``to_embedding`` and ``embedding`` as one matrix and offsets."""
    norm, matrix = network.get_layer("embedding"), network.get_layer("to_embedding").kernel.numpy()
    factor = 1 / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    return matrix * factor, -norm.moving_mean.numpy() * factor
