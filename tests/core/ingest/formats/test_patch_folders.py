"""Folders of band files that are a patch each, as BigEarthNet comes, are one collection."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.ingest.boundary import ingest, ingest_all
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import NORTH_UP, land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")

NAMES = ("S2A_MSIL2A_20170617T113321_4_55", "S2A_MSIL2A_20170617T113321_36_85", "S2B_MSIL2A_20171221T112501_56_35")
PIXELS = {band: metres for metres, bands in ((10, ("B02", "B04", "B08")), (20, ("B8A",))) for band in bands}


def write_patches(folder: Path, labels: list[list[str]] | None = None) -> None:
    """Write patches of 120 m, shifted from each other; a band of 20 m holds means of four pixels."""
    for n, name in enumerate(NAMES):
        (folder / name).mkdir(parents=True)
        for band, metres in PIXELS.items():
            pixels = land([band], 12, 12) + 10 * n
            if metres == 20:
                pixels = pixels.reshape(1, 6, 2, 6, 2).mean(axis=(2, 4)).astype(np.uint16)
            place = rasterio.Affine.translation(1200 * n, 0) @ NORTH_UP @ rasterio.Affine.scale(metres / 10)
            write_tif(folder / name / f"{name}_{band}.tif", pixels, transform=place)
        if labels is not None:
            (folder / name / f"{name}_labels_metadata.json").write_text(json.dumps({"labels": labels[n]}))


def test_one_collection_with_the_bands_of_each_folder(tmp_path: Path, library: Library) -> None:
    write_patches(tmp_path / "set", [["Pastures"], ["Pastures", "Peatbogs"], ["Peatbogs"]])
    (scene,) = ingest_all([tmp_path / "set"], library)
    assert (scene.kind, scene.patch_size, scene.bands) == ("collection", 12, ("B02", "B04", "B08", "B8A"))
    assert (scene.level, scene.date, scene.classes) == ("L2A", None, ("Pastures", "Peatbogs"))
    got = read_scene(scene.directory)
    for n, (row, col) in enumerate(((0, 0), (0, 12), (12, 0))):
        patch = got[:, row : row + 12, col : col + 12]
        np.testing.assert_array_equal(patch[:3], land(("B02", "B04", "B08"), 12, 12) + 10 * n)
        assert np.abs(patch[3, 1:-1, 1:-1].astype(int) - land(("B8A",), 12, 12)[0, 1:-1, 1:-1] - 10 * n).max() <= 2
    with rasterio.open(scene.truth_path) as truth:
        assert truth.read(1)[[0, 0, 12], [0, 12, 0]].tolist() == [1, 0, 2]
    said = {line.topic: f"{line.value} {line.because}" for line in load_quality(scene.directory).findings}
    assert said["several classes"].startswith("Pastures 1, Peatbogs 1 one patch has several classes, which is none")
    assert "2017-06-17 to 2017-12-21" in said["date"]
    assert "left out" not in said


def test_a_single_folder_is_a_scene(tmp_path: Path, library: Library) -> None:
    write_patches(tmp_path / "set")
    scene = ingest([tmp_path / "set" / NAMES[2]], library)
    assert (scene.kind, scene.date, scene.classes) == ("scene", "2017-12-21", ())
