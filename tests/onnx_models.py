"""Builds ONNX models for tests: one small graph in several shapes, and what it gives, by plain NumPy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BANDS = ("B08", "B04", "B02")
FEATURES = 5
STATED = {"bands": list(BANDS), "scale": 1, "input_size": 16}
RANDOM = np.random.default_rng(7)
# Whole numbers, and reflectance in 64ths: every sum is exact in 32-bit floats, in whatever order it is made.
KERNEL = RANDOM.integers(-4, 5, (FEATURES, len(BANDS), 3, 3)).astype(np.float32)
OFFSETS = RANDOM.integers(-3, 4, FEATURES).astype(np.float32)


def patches(count: int = 6, size: int = 16, bands: int = len(BANDS)) -> np.ndarray:
    values = np.random.default_rng(count + size).integers(0, 80, (count, size, size, bands))
    return (values / 64).astype(np.float32)


def by_hand(images: np.ndarray) -> np.ndarray:
    """What the graph gives for images of shape (N, H, W, bands), by plain NumPy."""
    height, width = images.shape[1:3]
    padded = np.pad(images.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    out = np.zeros((*images.shape[:3], FEATURES)) + OFFSETS
    for row in range(3):
        for col in range(3):
            out += padded[:, row : row + height, col : col + width] @ KERNEL[:, :, row, col].T
    return np.maximum(out, 0).mean(axis=(1, 2))


def graph(
    *,
    channels_first: bool = True,
    shape: tuple[int | str, ...] | None = None,
    flat: bool = True,
    old: bool = False,
    dimension: int | str = FEATURES,
    outputs: tuple[str, ...] = ("features",),
    dtype: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A convolution of 3 × 3, cut off at zero and averaged over the image."""
    bands = len(BANDS)
    shape = shape or (("N", bands, 16, 16) if channels_first else ("N", 16, 16, bands))
    weights = [numpy_helper.from_array(KERNEL, "kernel"), numpy_helper.from_array(OFFSETS, "offsets")]
    nodes = [] if channels_first else [helper.make_node("Transpose", ["images"], ["planes"], perm=[0, 3, 1, 2])]
    nodes += [
        helper.make_node(
            "Conv", ["images" if channels_first else "planes", "kernel", "offsets"], ["maps"], pads=[1] * 4
        ),
        helper.make_node("Relu", ["maps"], ["cut"]),
        helper.make_node("GlobalAveragePool", ["cut"], ["pooled" if flat else "features"]),
    ]
    nodes += [helper.make_node("Flatten", ["pooled"], ["features"], axis=1)] if flat else []
    given: list[int | str] = [shape[0], dimension, *([] if flat else [1, 1])]
    infos = {"features": given, "maps": [shape[0], FEATURES, 16, 16], "more": given}
    nodes += [helper.make_node("Neg", ["features"], ["more"])] if "more" in outputs else []
    inputs = [helper.make_tensor_value_info("images", dtype, shape)]
    if old:  # Version 3 of the format lists weights among the inputs.
        inputs += [helper.make_tensor_value_info(one.name, TensorProto.FLOAT, one.dims) for one in weights]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, infos[name]) for name in outputs]
    made = helper.make_graph(nodes, "tiny", inputs, ends, initializer=weights)
    opset = helper.make_opsetid("", 13)
    return helper.make_model(made, opset_imports=[opset], ir_version=3 if old else 8)


def write(folder: Path, model: onnx.ModelProto | None = None, stated: Any = STATED, name: str = "tiny") -> Path:
    """The directory of a model."""
    directory = folder / name
    directory.mkdir(parents=True)
    (directory / "model.onnx").write_bytes((model or graph()).SerializeToString())
    if stated is not None:
        (directory / "landlike.json").write_text(json.dumps(stated))
    return directory
