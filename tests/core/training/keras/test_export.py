"""The spectral part of a joined encoder, by every backend, against the encoder that it is a part of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.config import Config
from core.encoders import openvino as hub_openvino
from core.encoders.registry import default_encoder, load_encoder
from core.encoders.spectral import N_STATISTICS, SpectralEncoder


@pytest.mark.parametrize("backend", ["openvino", "openvino-f32", "tensorflow"])
def test_the_spectral_part_is_as_exact_as_alone(backend: str, tmp_path: Path) -> None:
    """Also of even land, whose deviations bfloat16 would swallow, and where a band was not measured."""
    if backend == "openvino" and not hub_openvino.has_bf16():
        pytest.skip("this processor has no bfloat16")
    random = np.random.default_rng(0)
    levels = random.uniform(0.02, 0.5, (12, 1, 1, 13))
    spreads = np.geomspace(0.0005, 0.05, 12)[:, None, None, None]
    patches = (levels + spreads * random.standard_normal((12, 64, 64, 13))).astype(np.float32)
    patches[::3, :, :, 10] = 0
    features = load_encoder(default_encoder(), Config(root=tmp_path, model_cache=tmp_path), backend).encode(patches)
    part = features[:, -N_STATISTICS:]
    alone = SpectralEncoder().encode(patches)
    alone *= np.linalg.norm(part, axis=1, keepdims=True) / np.linalg.norm(alone, axis=1, keepdims=True)
    assert np.linalg.norm(part, axis=1) == pytest.approx(0.5, abs=1e-5)  # the root of its share in the cosine, 0.25
    np.testing.assert_allclose(part, alone, atol=2e-4)
