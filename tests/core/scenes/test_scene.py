"""Canonical scenes are read as they were written, and damaged ones say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SceneError
from core.scenes.geobox import GeoBox
from core.scenes.library import Library
from core.scenes.pixels.writer import canonical_writer
from core.scenes.quality import Finding, add_findings, load_quality
from core.scenes.scene import SceneReader, load_scene
from tests.scenes import UTM31, add_scene, place_pixels


def test_a_window_holds_the_pixels_of_its_place(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path))
    with SceneReader(scene) as reader:
        pixels, mask = reader.read(("B8A", "B02"), (100, 50, 40, 70))
    expected = place_pixels(256, 320, 13)[[8, 1], 100:140, 50:120]
    np.testing.assert_allclose(pixels * 10_000, expected, rtol=1e-5)
    assert mask.shape == (40, 70)
    assert mask.all()


def test_what_is_written_is_tiled_with_overviews(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path), height=600, width=700)
    with rasterio.open(scene.pixels_path) as data:
        assert data.block_shapes[0] == (256, 256)
        assert data.overviews(1) == [2, 4]
        assert data.descriptions[8] == "B8A"
        assert data.nodata == 0


def test_loading_gives_back_what_was_stored(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path))
    assert load_scene(scene.directory) == scene


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"grid": {}}', "\x00"])
def test_a_damaged_record_is_one_sentence(tmp_path: Path, text: str) -> None:
    scene = add_scene(Library(tmp_path))
    (scene.directory / "scene.json").write_text(text)
    with pytest.raises(SceneError, match="missing or damaged; add the scene again"):
        load_scene(scene.directory)


def test_bands_out_of_order_are_refused(tmp_path: Path) -> None:
    grid = GeoBox(crs=None, transform=UTM31, height=8, width=8)
    with pytest.raises(SceneError, match="product order"), canonical_writer(tmp_path, grid, ("B03", "B02")):
        pass


@given(st.tuples(*[st.floats(-50, 50)] * 6), st.floats(-500, 500), st.floats(-500, 500))
def test_rowcol_is_the_inverse_of_xy(transform: tuple[float, ...], row: float, col: float) -> None:
    a, b, _, d, e, _ = transform
    if abs(a * e - b * d) < 1:
        return
    grid = GeoBox(crs=None, transform=transform, height=1, width=1)  # type: ignore[arg-type]
    x, y = grid.xy(np.array([row]), np.array([col]))
    found = grid.rowcol(float(x[0]), float(y[0]))
    np.testing.assert_allclose(found, (row, col), atol=1e-4)


def test_records_are_read_again_only_when_they_have_changed(tmp_path: Path) -> None:
    library = Library(tmp_path)
    directory = add_scene(library, "t-1", name="Before").directory
    assert load_scene(directory) is load_scene(directory)
    assert load_quality(directory) is load_quality(directory)
    library.rename("t-1", "After!")
    assert load_scene(directory).name == "After!", "a name of the same length"
    before = load_quality(directory)
    add_findings(directory, [Finding(topic="date", value="2020-02-02", basis="known", because="it says so")])
    assert len(load_quality(directory).findings) == len(before.findings) + 1
    (directory / "scene.json").unlink()
    with pytest.raises(SceneError, match="missing or damaged"):
        load_scene(directory)
