"""A trained network and spectral statistics joined into one encoder, and written as a SavedModel directory.

Features are two parts side by side, each of length 1 and then weighted: the network's embedding, which sees texture in
the bands it was trained on, and the spectral statistics of all thirteen bands (``core.encoders.spectral``), which see
what those bands miss. So the cosine of two patches is the weighted mean of the cosines of the parts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from core.bands import BAND_NAMES, INDICES
from core.encoders.model_files import CARD, SIDECAR, write_checksums
from core.encoders.recovery import note_network
from core.encoders.spectral import CLIP, Table, shipped_table

SPECTRUM_SHARE = 0.25
"""Share of the spectral part in the cosine."""

_TINY = 1e-6


def write_model(
    network: Any,  # noqa: ANN401  tensorflow is untyped
    directory: Path,
    *,
    bands: Sequence[str],
    side: int,
    title: str,
    card: Mapping[str, Any],
    spectrum_share: float = SPECTRUM_SHARE,
) -> None:
    """Write an encoder that the hub loader reads: SavedModel, ``landlike.json``, ``card.json``, ``SHA256SUMS``.

    What training on from it needs lies beside (``core.encoders.recovery``).

    Args:
        network: of ``core.encoders.network.build``, trained.
        directory: empty or new.
        bands: of the network, in product order.
        side: pixels a side of the patches it was trained on.
        title: what pages show.
        card: the model card; names the network's classes in their order.
        spectrum_share: weight of the spectral part in the cosine, 0 to 1; 0 leaves it out.
    """
    module = _Joined(network, [BAND_NAMES.index(name) for name in bands], spectrum_share)
    shape = tf.TensorSpec((None, side, side, len(BAND_NAMES)), tf.float32, "images")
    # Frozen, because OpenVINO does not read every variable that Keras makes.
    frozen = convert_variables_to_constants_v2(module.features.get_concrete_function(shape))

    @tf.function(input_signature=[shape])  # type: ignore[untyped-decorator]
    def features(images: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"default": frozen(images)[0]}

    tf.saved_model.save(tf.Module(), str(directory), signatures={"default": features})
    note_network(
        network, directory, bands=bands, side=side, spectrum_share=spectrum_share, classes=list(card.get("classes", ()))
    )
    finish(directory, {"bands": list(BAND_NAMES), "gain": None, "input_size": side, "title": title}, card)


def finish(directory: Path, sidecar: Mapping[str, Any], card: Mapping[str, Any]) -> None:
    """Write what lies beside every SavedModel of ours: ``landlike.json``, ``card.json``, ``SHA256SUMS``."""
    (directory / SIDECAR).write_text(json.dumps(sidecar, indent=1) + "\n", encoding="utf-8")
    (directory / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_checksums(directory)


class _Joined(tf.Module):  # type: ignore[misc]
    """Reflectance of thirteen bands in, features out."""

    def __init__(self, network: Any, positions: Sequence[int], share: float) -> None:  # noqa: ANN401
        super().__init__()
        self.network, self._positions, self._share = network, list(positions), share
        self._table = shipped_table()

    @tf.function  # type: ignore[untyped-decorator]
    def features(self, images: Any) -> dict[str, Any]:  # noqa: ANN401
        """float32 of shape (N, D) of reflectance of shape (N, H, W, 13) in product order, 0 where not measured."""
        seen = tf.gather(images, self._positions, axis=-1)
        embedding = tf.math.l2_normalize(self.network(seen, training=False)["embedding"], axis=-1)
        if not self._share:
            return {"default": embedding}
        spectrum = tf.math.l2_normalize(spectral_features(images, self._table), axis=-1)
        parts = [embedding * np.sqrt(1 - self._share), spectrum * np.sqrt(self._share)]
        return {"default": tf.concat([tf.cast(part, tf.float32) for part in parts], axis=-1)}


def spectral_features(images: Any, table: Table) -> Any:  # noqa: ANN401
    """Spectral statistics as ``SpectralEncoder`` gives them, float32 of shape (N, 32), as part of a graph."""
    mean, std = _moments(images)
    first, second = (
        tf.gather(images, [BAND_NAMES.index(pair[side]) for pair in INDICES.values()], axis=-1) for side in (0, 1)
    )
    index_mean, index_std = _moments((first - second) / tf.maximum(first + second, _TINY))
    rooted = tf.concat([tf.sqrt(tf.maximum(mean, 0)), tf.sqrt(std), index_mean, tf.sqrt(index_std)], axis=-1)
    scores = tf.clip_by_value((rooted - table.mean) / table.std, -CLIP, CLIP)
    known = tf.cast(mean > 0, tf.float32)
    scores *= tf.concat([known, known, tf.ones_like(index_mean), tf.ones_like(index_std)], axis=-1)
    return scores @ tf.constant(table.axes)


def _moments(values: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Mean and standard deviation over a patch."""
    mean = tf.reduce_mean(values, axis=(1, 2), keepdims=True)
    return mean[:, 0, 0], tf.sqrt(tf.reduce_mean(tf.square(values - mean), axis=(1, 2)))
