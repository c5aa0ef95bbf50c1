"""The ground part of a joined encoder, by every backend: also in numbers of half the bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.config import Config
from core.encoders import openvino as hub_openvino
from core.encoders.registry import ENTRIES, default_encoder, load_encoder
from core.training.hyperparameters import NETWORK_FEATURES
from tests import modules


@pytest.mark.parametrize("backend", ["openvino", "tensorflow"])
def test_the_ground_part_is_as_exact_by_every_backend(backend: str, tmp_path: Path) -> None:
    """Also of even land, whose deviations bfloat16 would swallow, and where a band was not measured."""
    if backend == "openvino" and not hub_openvino.has_bf16():
        pytest.skip("this processor has no bfloat16")
    random = np.random.default_rng(0)
    levels = random.uniform(0.02, 0.5, (12, 1, 1, 13))
    spreads = np.geomspace(0.0005, 0.05, 12)[:, None, None, None]
    patches = (levels + spreads * random.standard_normal((12, 64, 64, 13))).astype(np.float32)
    patches[::3, :, :, 10] = 0
    config = Config(root=tmp_path, model_cache=tmp_path)
    exact = load_encoder(default_encoder(), config, "openvino-f32").encode(patches)[:, NETWORK_FEATURES:]
    if backend == "tensorflow":
        directory = Path(ENTRIES[default_encoder()].reference)
        found = modules.outputs({"ground": (directory, patches)}, tmp_path)["ground"]["ours"]
    else:
        found = load_encoder(default_encoder(), config, backend).encode(patches)
    found = found[:, NETWORK_FEATURES:]
    found, exact = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (found, exact))
    np.testing.assert_allclose(found, exact, atol=2e-3)
