"""Scene classifications are kept beside the pixels, on their grid, whatever form they come in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.ingest.boundary import ingest
from core.scenes.classification import SCL_COLOURS, SCL_NAMES, patch_classes
from core.scenes.library import Library
from core.scenes.patches import Cut, patch_grid
from core.scenes.quality import load_quality
from core.scenes.scene import Scene, load_scene
from tests.core.ingest.rasters import NORTH_UP, land, write_tif

pytestmark = pytest.mark.usefixtures("here")

FOUR = ("B02", "B03", "B04", "B08")
CLASSES = np.random.default_rng(0).integers(0, 12, (32, 40)).astype(np.uint8)
FINE = np.kron(CLASSES, np.ones((2, 2), dtype=np.uint8))
PALETTE = np.array([[int(text[at : at + 2], 16) for at in (1, 3, 5)] for text in SCL_COLOURS])
SCL, MAP = "site_SCL_20m.tif", "site_Scene_classification_map.tiff"
PAINTED = PALETTE[FINE].transpose(2, 0, 1)


def kept(scene: Scene) -> np.ndarray:
    assert scene.classification_path is not None
    with rasterio.open(scene.classification_path) as data:
        assert (data.height, data.width) == (scene.grid.height, scene.grid.width)
        numbers: np.ndarray = data.read(1)
    return numbers


def said(scene: Scene, topic: str) -> list[str]:
    return [line.value for line in load_quality(scene.directory).findings if line.topic == topic]


def bands_in(folder: Path) -> list[Path]:
    return [write_tif(folder / f"site_{band}.tif", land([band])) for band in FOUR]


@pytest.mark.parametrize(
    ("name", "pixels", "size"),
    [
        (SCL, CLASSES[None], 2),
        (SCL, FINE[None].astype(np.uint16), 1),
        (MAP, FINE[None].astype(np.float32), 1),
        (SCL, np.stack([FINE, np.ones_like(FINE)]), 1),
        (MAP, PAINTED.astype(np.uint8), 1),
        (SCL, (PAINTED * 257).astype(np.uint16), 1),
        (MAP, (PAINTED / 255).astype(np.float32), 1),
    ],
)
def test_kept_on_the_grid_of_the_scene(
    tmp_path: Path, library: Library, name: str, pixels: np.ndarray, size: int
) -> None:
    files = [*bands_in(tmp_path), write_tif(tmp_path / name, pixels, transform=NORTH_UP @ NORTH_UP.scale(size))]
    scene = ingest(files, library)
    np.testing.assert_array_equal(kept(scene), FINE)
    assert scene.level == "L2A"
    cloud = np.isin(FINE, (8, 9, 10)).sum() / (FINE > 0).sum()
    assert said(scene, "cloud")[0].startswith(f"{cloud:.1%} under cloud")
    assert load_scene(scene.directory).classification
    assert not said(scene, "left out")


def test_a_band_of_the_stack_that_holds_classes(tmp_path: Path, library: Library) -> None:
    pixels = np.concatenate([land(FOUR), FINE[None].astype(np.uint16)])
    scene = ingest([write_tif(tmp_path / "stack.tif", pixels, [*FOUR, "SCL"])], library)
    np.testing.assert_array_equal(kept(scene), FINE)
    assert scene.bands == FOUR
    assert not said(scene, "left out")


@pytest.mark.parametrize(
    "pixels", [np.full((1, 64, 80), 77, dtype=np.uint8), np.full((3, 64, 80), 900, dtype=np.uint16)]
)
def test_what_holds_other_numbers_is_listed(tmp_path: Path, library: Library, pixels: np.ndarray) -> None:
    scene = ingest([*bands_in(tmp_path), write_tif(tmp_path / "SCL.tif", pixels)], library)
    assert scene.classification_path is None
    assert not (scene.directory / "classification.tif").exists()
    assert "SCL.tif" in [*said(scene, "left out"), *said(scene, "classification")]


def test_classes_of_patches(tmp_path: Path, library: Library) -> None:
    classes = np.zeros((64, 80), dtype=np.uint8)
    classes[:20, :32], classes[:5, :32], classes[40:, 32:64] = SCL_NAMES.index("Water"), 9, 4
    scene = ingest([*bands_in(tmp_path), write_tif(tmp_path / "SCL.tif", classes[None])], library)
    found = patch_classes(scene, patch_grid(scene, Cut.of(32)))
    assert found is not None
    assert found.tolist() == [6, -1, -1, 4]
