"""Mean brightness against the plain mean of the bands it names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.features.table import PatchTable
from core.scenes.library import Library
from core.values.base import NOTHING_ASKED
from core.values.brightness import BRIGHTNESS
from core.values.registry import export_columns
from core.values.source import PatchSource
from tests.scenes import add_scene


@pytest.mark.parametrize(
    ("bands", "counted"),
    [(BAND_NAMES, ("B02", "B03", "B04")), (("B03", "B04", "B08"), ("B03", "B04")), (("B08", "B11"), ("B08", "B11"))],
)
def test_it_is_the_mean_of_the_bands_it_names(tmp_path: Path, bands: tuple[str, ...], counted: tuple[str, ...]) -> None:
    means = np.random.default_rng(0).uniform(0, 0.6, (9, len(BAND_NAMES))).astype(np.float32)
    table = PatchTable(patch_ids=np.arange(9), unit=np.eye(9, dtype=np.float32), band_mean=means, band_std=means)
    source = PatchSource(scene=add_scene(Library(tmp_path), bands=bands), table=table)
    wanted = sum(means[:, BAND_NAMES.index(band)] for band in counted) / len(counted)
    found = BRIGHTNESS.compute(source, NOTHING_ASKED)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert BRIGHTNESS.legend(source, found).scale.title == f"Brightness ({', '.join(counted)})"
    np.testing.assert_array_equal(export_columns(source)["brightness"], found)
