"""The map to take away: what is in the zip, and what a printed legend says."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import rasterio

from core.engine.exports.maps import legend_lines, map_zip
from core.scenes.patches import patch_grid
from core.values.indices import NDVI
from core.values.legend import ClassLegend, Legend
from tests.core.export.test_geoparquet import scene

CLASSES = ClassLegend(names=("Wald", "See", "Sand"), colours=("#00ff00", "#0000ff", "#ffff00"))
VALUES = np.array([0, 1, np.nan, 1], np.float32)


def unpacked(tmp_path: Path, legend: Legend) -> list[str]:
    one = scene()
    table = SimpleNamespace(patch_ids=np.array([0, 1, 2, 5]))
    source: Any = SimpleNamespace(scene=one, grid=patch_grid(one), table=table)
    with zipfile.ZipFile(io.BytesIO(map_zip(source, VALUES, legend, "map-t-1-x"))) as packed:
        packed.extractall(tmp_path)
        return packed.namelist()


def test_a_map_of_classes_is_codes_from_one_with_style_and_names(tmp_path: Path) -> None:
    assert unpacked(tmp_path, CLASSES) == ["map-t-1-x.qml", "map-t-1-x.tif", "map-t-1-x.tif.aux.xml"]
    with rasterio.open(tmp_path / "map-t-1-x.tif") as data:
        assert data.read(1).tolist() == [[1, 2, 255, 255], [255, 2, 255, 255], [255] * 4]
        assert data.colormap(1)[2][:3] == (0, 0, 255)
        assert data.res == (640, 640)


def test_a_map_of_numbers_is_floats_with_a_style(tmp_path: Path) -> None:
    assert unpacked(tmp_path, NDVI.scale.legend()) == ["map-t-1-x.qml", "map-t-1-x.tif"]
    with rasterio.open(tmp_path / "map-t-1-x.tif") as data:
        np.testing.assert_array_equal(data.read(1)[0], np.array([0, 1, np.nan, np.nan], np.float32))
        assert data.descriptions == ("NDVI",)


def test_a_printed_legend_has_the_classes_that_occur_or_steps_of_a_scale() -> None:
    assert legend_lines(CLASSES, VALUES) == [("#00ff00", "Wald"), ("#0000ff", "See")]
    lines = legend_lines(NDVI.scale.legend(-1.0, 1.0), VALUES)
    assert [words for _, words in lines] == ["−1.00 bare or water", "−0.50", "0.00", "0.50", "1.00 dense green"]
    assert lines[0][0] == NDVI.scale.colours()[0]
