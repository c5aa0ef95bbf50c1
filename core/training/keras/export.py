"""Writing a trained network as an encoder: a SavedModel directory with what lies beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from core.bands import BAND_NAMES
from core.encoders.files import CARD, SHARES, SIDECAR, write_checksums
from core.training.base_model import NOMINAL_LEVEL
from core.training.keras.ground import shipped_ground
from core.training.keras.joint import JointEncoder, NetworkPart
from core.training.keras.restore import record_network


def write_model(
    network: Any,  # noqa: ANN401  tensorflow is untyped
    directory: Path,
    *,
    bands: Sequence[str],
    side: int,
    title: str,
    card: Mapping[str, Any],
    part: NetworkPart | None,
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
        part: constants of the network's part of the features; None = features are its embedding alone.
    """
    module = JointEncoder(network, bands, part, shipped_ground())
    shape = tf.TensorSpec((None, side, side, len(BAND_NAMES)), tf.float32, "images")
    # Frozen, because OpenVINO does not read every variable that Keras makes.
    frozen = convert_variables_to_constants_v2(module.features.get_concrete_function(shape))

    @tf.function(input_signature=[shape], autograph=False)  # type: ignore[untyped-decorator]
    def features(images: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"default": frozen(images)[0]}

    tf.saved_model.save(tf.Module(), str(directory), signatures={"default": features})
    record_network(network, directory, bands=bands, side=side, classes=list(card.get("classes", ())))
    sidecar = {"bands": list(BAND_NAMES), "gain": None, "input_size": side, "level": NOMINAL_LEVEL, "title": title}
    if part is not None:
        part.save(directory / SHARES)
    finish(directory, sidecar, card)


def finish(directory: Path, sidecar: Mapping[str, Any], card: Mapping[str, Any]) -> None:
    """Write what lies beside every SavedModel of ours: ``landlike.json``, ``card.json``, ``SHA256SUMS``."""
    (directory / SIDECAR).write_text(json.dumps(sidecar, indent=1) + "\n", encoding="utf-8")
    (directory / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_checksums(directory)
