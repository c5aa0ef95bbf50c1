"""What is asked of classes: ten labels a class name the rest of the quilt, surely enough; teaching again is quick."""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.classification.calibration import calibration_error
from core.classification.heads import reteach, teach
from core.classification.labelled import labelled_patches
from core.config import settings
from core.encoders.registry import default_encoder
from core.engine.operations import Engine
from core.features.recipe import Features
from core.ingest.boundary import ingest
from tests.data import shared

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def quilt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Features, dict[int, str]]:
    """Features of the quilt by the default encoder, and the class of each patch."""
    path, table = shared("scenes/quilt_l1c_13band.tif"), shared("scenes/quilt_labels.csv")
    engine = Engine(replace(settings(), root=tmp_path_factory.mktemp("quilt")), lanes={})
    scene = ingest([Path(path)], engine.library)
    features = engine.encode_now(scene, engine.recipe(scene, default_encoder()))
    with table.open(newline="") as file:
        return features, {int(row["row"]) * 20 + int(row["col"]): row["label"] for row in csv.DictReader(file)}


@pytest.mark.parametrize("seed", range(3))
def test_ten_labels_a_class_name_the_rest_and_say_how_surely(quilt: tuple[Features, dict[int, str]], seed: int) -> None:
    features, truth = quilt
    by_class: dict[str, list[int]] = defaultdict(list)
    for patch_id in np.random.default_rng(seed).permutation(len(truth)).tolist():
        by_class[truth[patch_id]].append(patch_id)
    labels = {patch_id: name for name, ids in by_class.items() for patch_id in ids[:10]}
    places = np.stack(np.divmod(features.patch_ids, 20), axis=1)
    known = labelled_patches(features.vectors, features.patch_ids, labels, places=places)
    head = teach(known).head
    rest = ~np.isin(features.patch_ids, list(labels))
    found = head.predict(features.vectors[rest])
    wanted = [truth[patch_id] for patch_id in features.patch_ids[rest].tolist()]
    right = np.array([name == named for name, named in zip(wanted, found.named, strict=True)])
    before = teach(known.some(np.arange(len(known) - 1))).head
    error, start = calibration_error(found.confidence, right), time.perf_counter()
    reteach(before, known)
    took = time.perf_counter() - start
    print(f"seed {seed}: {right.mean():.3f} right, calibration error {error:.3f}, taught again in {1000 * took:.0f} ms")
    assert right.mean() >= 0.90
    assert error <= 0.05
    assert took <= 0.2
