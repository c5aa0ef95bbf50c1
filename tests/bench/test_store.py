"""How soon the features of a full tile are read, from their snapshot and from the table."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.features.store import FeatureStore
from tests.core.features.test_store import SPEC, batch, recipe

pytestmark = pytest.mark.bench
COUNT, DIMENSION = 29_241, 2048
WITHIN = 2.0
"""Seconds."""


def read(root: Path) -> tuple[float, float]:
    """Seconds to read all features as a process that begins does, and the sum of their numbers."""
    began = time.perf_counter()
    vectors = FeatureStore(root).read(recipe()).vectors
    assert vectors.shape == (COUNT, DIMENSION)
    total = float(vectors.sum(dtype=np.float64))
    return time.perf_counter() - began, total


def test_reading_the_features_of_a_full_tile(tmp_path: Path) -> None:
    spec = replace(SPEC, dimension=DIMENSION)
    store = FeatureStore(tmp_path)
    store.begin(recipe(), spec, COUNT)
    store.append(recipe(), spec, batch(np.arange(COUNT), spec))
    store.finish(recipe(), spec)
    snapshot, total = read(tmp_path)
    store.snapshots.remove(recipe())
    table, again = read(tmp_path)
    print(f"\n{COUNT:,} × {DIMENSION}: {snapshot:.2f} s from the snapshot, {table:.2f} s from the table")
    assert again == pytest.approx(total)
    assert max(snapshot, table) < WITHIN
