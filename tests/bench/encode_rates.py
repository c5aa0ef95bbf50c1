"""Rates of a hub module by every way to run it, in turns, by ``python -m tests.bench.encode_rates MODEL CACHE``.

Patches of 64 × 64 pixels go in; the plain loop gets them enlarged already, our backends enlarge them themselves.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.config import Config
from core.encoders import openvino as hub_openvino
from core.encoders.preprocessing import resized, scaled
from core.encoders.registry import load_encoder
from core.encoders.saved_model.signature import read_signature

COUNT, ROUNDS = 32, 4


def plain_loop(directory: Path, images: np.ndarray) -> Callable[[], Any]:
    """What one writes by hand: ``hub.load`` and batches of 16."""
    import tensorflow as tf
    import tensorflow_hub as hub

    call = hub.load(str(directory)).signatures["default"]
    return lambda: [call(tf.constant(images[at : at + 16]))["default"].numpy() for at in range(0, len(images), 16)]


def flops(directory: Path, size: int) -> float:
    """Floating-point operations of the convolutions for one image (two for a multiplication with addition)."""
    model = hub_openvino.feature_model(directory, read_signature(directory).output_names)
    model.reshape([1, size, size, 13])
    total = 0.0
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Convolution":
            weights, out = node.input_value(1).get_shape(), node.output(0).get_shape()
            total += 2 * np.prod(list(weights), dtype=float) * out[2] * out[3]
    return total


def gemm(precision: str) -> tuple[Callable[[], Any], float]:
    """A product of two square matrices by OpenVINO, and its operations."""
    openvino = hub_openvino.runtime()
    from openvino import opset13 as ops

    side = 2048
    a = ops.parameter((side, side), np.float32)
    weights = np.random.default_rng(0).standard_normal((side, side), np.float32)
    model = openvino.Model([ops.matmul(a, ops.constant(weights), False, False)], [a])
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
    given = np.random.default_rng(1).standard_normal((side, side), np.float32)
    return (lambda: compiled(given)), 2.0 * side**3


def measure(directory: Path, cache: Path) -> dict[str, Any]:
    """Patches a second by every way in every round, and the peak that the machine's matrix product allows.

    ``rates`` are by the clock, ``processor`` by seconds of processor time, which other work on the machine spoils less.
    """
    batch = np.random.default_rng(0).uniform(0, 0.6, (COUNT, 64, 64, 13)).astype(np.float32)
    config = Config(root=cache, model_cache=cache)
    backends = ["tensorflow", "openvino-f32", *(["openvino"] if hub_openvino.has_bf16() else [])]
    encoders = {name: load_encoder(str(directory), config, name) for name in backends}
    spec = encoders["tensorflow"].spec
    size = spec.input_size or 64
    ways: dict[str, Callable[[], Any]] = {"hub.load": plain_loop(directory, resized(scaled(batch, spec.gain), size))}
    for name, encoder in encoders.items():
        ways[name] = lambda encoder=encoder: encoder.encode(batch)
    work = flops(directory, size)
    peaks = {"gemm f32": gemm("f32"), **({"gemm bf16": gemm("bf16")} if hub_openvino.has_bf16() else {})}
    counts = dict.fromkeys(ways, float(COUNT)) | {name: operations / work for name, (_, operations) in peaks.items()}
    ways |= {name: call for name, (call, _) in peaks.items()}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        call()
    for _ in range(ROUNDS):
        for name, call in ways.items():
            start, busy = time.perf_counter(), time.process_time()
            call()
            rates[name].append(counts[name] / (time.perf_counter() - start))
            processor[name].append(counts[name] / (time.process_time() - busy))
    return {"gflop": work / 1e9, "rates": rates, "processor": processor}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]))))
