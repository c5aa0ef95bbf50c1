"""Rates of the shipped encoder, of the one before it and of a plain network, each in turn.

``python -m tests.bench.encode_default FOLDER`` prints them as JSON.

The plain network is a pre-activation residual network of RGB: a stem of 5 × 5 in steps of two, then two blocks each of
24, 48, 96 and 192 channels, and nothing beside; 1.6 million parameters, weights drawn at random.
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
from core.encoders.registry import FORMER, companion, default_encoder, load_encoder
from tests.bench.encode_rates import flops, gemm

COUNT, ROUNDS, WIDTHS = 1024, 7, (24, 48, 96, 192)


def write_plain(directory: Path) -> Path:
    """The plain network as a model that the hub loader reads."""
    from core.training.keras import network
    from core.training.keras.export import write_model

    layers = network.layers
    images = layers.Input((None, None, 3))
    x = network.Standardise([0.1] * 3, [0.05] * 3, [0.6] * 3)(images)
    x = network._convolution(x, WIDTHS[0], 5, 2, "stem")
    for stage, width in enumerate(WIDTHS):
        for block in range(2):
            x = network._block(x, width, 2 if stage and not block else 1, f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(network._activated(x, "last"))
    embedding = layers.Dense(128, use_bias=False, name="to_embedding")(x)
    logits = network.CosineClassifier(10, name="logits")(embedding)
    made = network.tf.keras.Model(images, {"embedding": embedding, "logits": logits})
    directory.mkdir()
    write_model(made, directory, bands=["B02", "B03", "B04"], side=64, title="plain", card={}, part=None)
    return directory


def measure(folder: Path) -> dict[str, Any]:
    """Patches a second of each way in every round; of ``gemm`` those that its operations would be for ours."""
    config = Config(root=folder / "cache", model_cache=folder / "cache")
    batch = np.random.default_rng(0).uniform(0, 0.6, (COUNT, 64, 64, 13)).astype(np.float32)
    plain = write_plain(folder / "plain")
    kinds = ("f32", *(("bf16",) if hub_openvino.has_bf16() else ()))
    ways: dict[str, tuple[Callable[[], Any], float]] = {}
    found = companion(default_encoder(), "saved_model.pb", config)
    assert found is not None
    shipped = found.parent
    work = {"shipped": flops(shipped, 64), "plain": flops(plain, 64)}
    for kind in kinds:
        for name, model in (("shipped", default_encoder()), ("former", FORMER), ("plain", str(plain))):
            # A model without an 8-bit form has one way to run in bf16, which is the one that is taken unasked.
            backend = "openvino" if kind == "bf16" and name != "shipped" else f"openvino-{kind}"
            encoder = load_encoder(model, config, backend)
            assert encoder.spec.precision == kind
            ways[f"{name} {kind}"] = (lambda encoder=encoder: encoder.encode(batch)), float(COUNT)
        call, operations = gemm(kind)
        ways[f"gemm {kind}"] = (call, operations / work["shipped"])
    unasked = {}
    for name, model in (("shipped", default_encoder()), ("former", FORMER)):
        encoder = load_encoder(model, config)  # As it was found to be quickest on this processor.
        ways[f"{name} unasked"] = (lambda encoder=encoder: encoder.encode(batch)), float(COUNT)
        unasked[name] = encoder.spec.precision
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, (call, count) in ways.items():
            start = time.perf_counter()
            call()
            if number:
                rates[name].append(count / (time.perf_counter() - start))
    return {"mflop": {name: value / 1e6 for name, value in work.items()}, "rates": rates, "unasked": unasked}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]))))
