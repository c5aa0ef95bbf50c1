"""Models built once for the whole session, and patches to feed them."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.config import Config


@pytest.fixture
def tiny(model: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of the tiny TF1-Hub module that a test may spoil."""
    return Path(shutil.copytree(model("tiny"), tmp_path / "tiny"))


@pytest.fixture
def archive(tiny: Path, tmp_path: Path) -> Path:
    """The tiny module as hubs serve it."""
    path = tmp_path / "packed" / "tiny.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tiny, arcname=".")
    return path


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(root=tmp_path / "cache", model_cache=tmp_path / "cache")


def patches(count: int = 6, size: int = 64, bands: int = 13, seed: int = 0) -> np.ndarray:
    """Reflectance with structure at several scales, some of it above 1."""
    random = np.random.default_rng(seed)
    level = random.uniform(0.02, 0.5, (count, 1, 1, bands))
    coarse = random.uniform(0.5, 1.5, (count, size // 8, size // 8, bands)).repeat(8, axis=1).repeat(8, axis=2)
    batch = level * coarse + random.normal(0, 0.01, (count, size, size, bands))
    batch[0, :4, :4] = 1.7
    return np.maximum(batch, 0).astype(np.float32)
