"""How long it takes from a label to the next patch that is asked for, on a full scene with two hundred labels."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.classification.suggestions import fresh_head, label_next
from core.evaluation.logistic import spread_of
from core.scenes.geobox import GeoBox
from core.scenes.labels import give_label, give_labels, hand_labels
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from core.similarity.neighbours import unit_rows

pytestmark = pytest.mark.bench
SIDE, WIDTH, CLASSES = 171, 192, 10
TAUGHT_WITHIN = 0.2
"""Seconds after which a person who labels waits."""


@pytest.mark.parametrize("labels", [200, 10_000])
def test_after_a_label_the_next_patch_is_there(tmp_path: Path, labels: int) -> None:
    rng = np.random.default_rng(0)
    kinds = rng.standard_normal((CLASSES, WIDTH), dtype=np.float32)
    truth = rng.integers(0, CLASSES, SIDE**2)
    unit = unit_rows(0.6 * kinds[truth] + rng.standard_normal((SIDE**2, WIDTH), dtype=np.float32))
    box = GeoBox(crs="EPSG:32632", transform=(10.0, 0, 5e5, 0, -10.0, 5e6), height=64 * SIDE, width=64 * SIDE)
    scene = Scene(id="s", name="s", bands=BAND_NAMES, grid=box, date="2024-06-21", directory=tmp_path)
    grid, spread = patch_grid(scene), spread_of(unit)
    places = np.stack(grid.rows_cols(np.arange(SIDE**2)), axis=1).astype(np.float64)
    order = rng.permutation(SIDE**2).tolist()
    give_labels(scene, grid, {patch: f"class {truth[patch]}" for patch in order[:labels]})
    taken = []
    for patch in order[labels : labels + 11]:
        began = time.perf_counter()
        give_label(scene, grid, [patch], f"class {truth[patch]}", view="label next")
        given = hand_labels(scene, grid)
        assert given is not None
        rows = np.flatnonzero(given.index >= 0)
        head = fresh_head(unit[rows], [given.classes[number] for number in given.index[rows].tolist()], spread)
        assert len(label_next(unit, rows, 4, head=head, places=places)) == 4
        taken.append(time.perf_counter() - began)
    median, most = np.median(taken[1:]), max(taken[1:])
    print(f"{labels} labels: next patch after {1000 * median:.0f} ms at the median, {1000 * most:.0f} ms at most")
    if labels == 200:
        assert median <= TAUGHT_WITHIN
