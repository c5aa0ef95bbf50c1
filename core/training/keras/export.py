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
from core.encoders.files import CARD, SIDECAR, write_checksums
from core.encoders.spectral import CLIP, SpectralTable, shipped_table
from core.training.keras.restore import record_network

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

    What training on from it needs lies beside (``core.training.keras.restore``).

    Args:
        network: of ``core.training.keras.network.build``, trained.
        directory: empty or new.
        bands: of the network, in product order.
        side: pixels a side of the patches it was trained on.
        title: what pages show.
        card: the model card; names the network's classes in their order.
        spectrum_share: weight of the spectral part in the cosine, 0 to 1; 0 leaves it out.
    """
    module = _JointEncoder(network, [BAND_NAMES.index(name) for name in bands], spectrum_share)
    shape = tf.TensorSpec((None, side, side, len(BAND_NAMES)), tf.float32, "images")
    # Frozen, because OpenVINO does not read every variable that Keras makes.
    frozen = convert_variables_to_constants_v2(module.features.get_concrete_function(shape))

    @tf.function(input_signature=[shape])  # type: ignore[untyped-decorator]
    def features(images: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"default": frozen(images)[0]}

    tf.saved_model.save(tf.Module(), str(directory), signatures={"default": features})
    record_network(
        network, directory, bands=bands, side=side, spectrum_share=spectrum_share, classes=list(card.get("classes", ()))
    )
    finish(directory, {"bands": list(BAND_NAMES), "gain": None, "input_size": side, "title": title}, card)


def finish(directory: Path, sidecar: Mapping[str, Any], card: Mapping[str, Any]) -> None:
    """Write what lies beside every SavedModel of ours: ``landlike.json``, ``card.json``, ``SHA256SUMS``."""
    (directory / SIDECAR).write_text(json.dumps(sidecar, indent=1) + "\n", encoding="utf-8")
    (directory / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_checksums(directory)


class _JointEncoder(tf.Module):  # type: ignore[misc]
    """Reflectance of thirteen bands in, features out."""

    def __init__(self, network: Any, positions: Sequence[int], share: float) -> None:  # noqa: ANN401
        super().__init__()
        self.network, self._positions, self._share = network, list(positions), share
        self._table = shipped_table()

    @tf.function  # type: ignore[untyped-decorator]
    def features(self, images: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return float32 (N, D) of reflectance (N, H, W, 13) in product order, 0 where not measured."""
        planes, side = _planes(images), tf.shape(images)[1:3]
        seen = tf.gather(planes, self._positions, axis=1)
        seen = tf.transpose(tf.reshape(seen, (-1, len(self._positions), side[0], side[1])), (0, 2, 3, 1))
        embedding = tf.math.l2_normalize(self.network(seen, training=False)["embedding"], axis=-1)
        if not self._share:
            return {"default": embedding}
        spectrum = tf.math.l2_normalize(spectral_features(planes, self._table), axis=-1)
        parts = [embedding * np.sqrt(1 - self._share), spectrum * np.sqrt(self._share)]
        return {"default": tf.concat([tf.cast(part, tf.float32) for part in parts], axis=-1)}


def _planes(images: Any) -> Any:  # noqa: ANN401
    """Return pixels (N, bands, H · W), each band in one piece of memory, which OpenVINO goes through much faster.

    Not reshaped, it would turn them back to bands side by side.
    """
    bands = images.shape[-1]
    return tf.reshape(tf.transpose(images, (0, 3, 1, 2)), (-1, bands, tf.reduce_prod(tf.shape(images)[1:3])))


def spectral_features(planes: Any, table: SpectralTable) -> Any:  # noqa: ANN401
    """Return spectral statistics as ``SpectralEncoder`` gives them, float32 of shape (N, 32), of pixels of ``_planes``.

    The last product is written as a sum: where the processor has bfloat16, OpenVINO rounds to it whatever leads to a
    matrix product, and the small deviations of even land would be lost.
    """
    mean, std = _moments(planes)
    first, second = (
        tf.gather(planes, [BAND_NAMES.index(pair[side]) for pair in INDICES.values()], axis=1) for side in (0, 1)
    )
    index_mean, index_std = _moments((first - second) / tf.maximum(first + second, _TINY))
    rooted = tf.concat([tf.sqrt(tf.maximum(mean, 0)), tf.sqrt(std), index_mean, tf.sqrt(index_std)], axis=-1)
    scores = tf.clip_by_value((rooted - table.mean) / table.std, -CLIP, CLIP)
    known = tf.cast(mean > 0, tf.float32)
    scores *= tf.concat([known, known, tf.ones_like(index_mean), tf.ones_like(index_std)], axis=-1)
    return tf.reduce_sum(scores[:, :, None] * table.axes, axis=1)


def _moments(values: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Return mean and standard deviation along the last axis."""
    mean = tf.reduce_mean(values, axis=-1, keepdims=True)
    return mean[..., 0], tf.sqrt(tf.reduce_mean(tf.square(values - mean), axis=-1))
