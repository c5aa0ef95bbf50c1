"""What the shipped encoder calls unfamiliar: no land at all, clouds and sheets, and few real patches it never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.config import settings
from core.encoders.base import Encoder
from core.encoders.files import FAMILIAR, LEARNED
from core.encoders.registry import SHIPPED, companion, load_encoder
from core.evaluation.novelty import NOVEL_ABOVE, NoveltyReference
from core.evaluation.training_overlap import TrainingPatches
from core.ingest.boundary import ingest
from core.scenes.library import Library
from core.training.dataset import labelled
from tests.data import shared


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder(SHIPPED, settings(), "openvino-f32")


def companions() -> tuple[NoveltyReference, TrainingPatches]:
    paths = [companion(SHIPPED, name, settings()) for name in (FAMILIAR, LEARNED)]
    assert paths[0] is not None
    assert paths[1] is not None
    return NoveltyReference.load(paths[0]), TrainingPatches.load(paths[1])


def unfamiliar(encoder: Encoder, patches: np.ndarray) -> float:
    """Share of patches, reflectance of shape (N, 64, 64, 13), that are unfamiliar."""
    mean, std = patches.mean(axis=(1, 2)), patches.std(axis=(1, 2))
    percent = companions()[0].percentile(encoder.encode(patches), mean, std)
    return float((percent > NOVEL_ABOVE).mean())


@pytest.mark.parametrize("level", [0.004, 0.02, 0.5, 0.8])
def test_dark_sheets_and_clouds_are_no_land_it_knows(encoder: Encoder, level: float) -> None:
    random = np.random.default_rng(0)
    slow = random.normal(1, 0.06, (8, 8, 8, 1)).repeat(8, axis=1).repeat(8, axis=2)
    sheets = (level * slow * random.normal(1, 0.02, (8, 64, 64, 13))).astype(np.float32)
    assert unfamiliar(encoder, np.maximum(sheets, 1e-4)) == 1


def test_most_real_land_is_known_and_none_of_it_was_learned_from(encoder: Encoder, tmp_path: Path) -> None:
    scene = ingest([shared("eurosat_ms.zip")], Library(tmp_path))
    real = labelled(scene)
    assert real.bands == BAND_NAMES
    share = unfamiliar(encoder, real.pixels.astype(np.float32) / 10_000)
    print(f"unfamiliar: {share:.3f} of {len(real)} real patches of other places")
    assert share < 0.06
    assert not companions()[1].holds_statistics(real.bands, real.band_statistics()).any()
