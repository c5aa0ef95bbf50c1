"""Writing the 8-bit form of an encoder: what is in 8 bits then, what is not, and how near its features stay."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from core.config import Config
from core.encoders.files import CHECKSUMS, EIGHT_BITS, EIGHT_BITS_WEIGHTS
from core.encoders.registry import ENTRIES, FORMER, describe, load_encoder
from core.errors import EncoderError
from core.training.quantise import quantise
from tests.modules import run

RANDOM = np.random.default_rng(0)
PATCHES = (
    RANDOM.uniform(0.02, 0.4, (24, 1, 1, 13)) * RANDOM.uniform(0.7, 1.3, (24, 8, 8, 13)).repeat(8, 1).repeat(8, 2)
).astype(np.float32)


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(ENTRIES[FORMER].reference, folder / "model"))


@pytest.mark.slow
def test_only_what_the_network_multiplies_is_in_8_bits(tmp_path: Path) -> None:
    """NNCF changes how Python imports, so it runs in a process of its own."""
    directory, config = copied(tmp_path), Config(root=tmp_path, model_cache=tmp_path / "cache")
    before = describe(str(directory), config, "openvino-f32").fingerprint
    np.save(tmp_path / "patches.npy", PATCHES)
    program = "import sys, numpy, pathlib, core.training.quantise as it"
    program += "; it.quantise(pathlib.Path(sys.argv[1]), numpy.load(sys.argv[2]))"
    run("-c", program, str(directory), str(tmp_path / "patches.npy"))
    assert describe(str(directory), config, "openvino-f32").fingerprint == before
    assert EIGHT_BITS in (directory / CHECKSUMS).read_text(encoding="utf-8")
    assert (directory / EIGHT_BITS_WEIGHTS).stat().st_size < 0.4 * (directory / "saved_model.pb").stat().st_size
    exact, form = (
        load_encoder(str(directory), config, backend).encode(PATCHES) for backend in ("openvino-f32", "openvino-int8")
    )
    assert (exact != form).any(), "it is another form"
    assert (exact * form).sum(axis=1).min() > 0.98
    # The last features of landlike-1 are statistics of bands, of which nothing may be lost.
    np.testing.assert_allclose(form[:, -32:], exact[:, -32:], atol=1e-5)


def test_too_few_patches_are_said(tmp_path: Path) -> None:
    directory = copied(tmp_path)
    with pytest.raises(EncoderError, match="Quantising the model “model”: there are 3 patches; give 16 or more"):
        quantise(directory, PATCHES[:3])
    assert not (directory / EIGHT_BITS).exists()
