from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.bands import BAND_NAMES
from core.errors import PatchError, SettingsError
from core.imagery.ramps import NDVI_RAMP
from core.imagery.render import (
    CONTRASTS,
    MIN_SPAN,
    RENDERINGS,
    THUMBNAIL_SIDES,
    compute_stretch,
    palette,
    quicklook,
    renderings_of,
    thumbnail,
)
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from tests.mapped import add_mapped, pixels_of, ramps


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def noisy(seed: int = 0, level: float = 1500, spread: float = 500) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.clip(random.normal(level, spread, (13, 256, 256)), 1, 60000).astype(np.uint16)


def test_hazy_sea_is_not_painted_white(library: Library) -> None:
    """Above it blue and green vary half as much as red does above land; spread as far, they outshine it."""
    rng = np.random.default_rng(0)
    pixels = np.full((len(BAND_NAMES), 256, 320), 1000, dtype=np.uint16)
    for name, low, high, sea in (("B04", 430, 1366, 750), ("B03", 669, 1279, 1040), ("B02", 940, 1445, 1280)):
        pixels[BAND_NAMES.index(name)] = rng.integers(low, high, (256, 320))
        pixels[BAND_NAMES.index(name), :, 160:] = sea
    scene = add_mapped(library, "s-sea", pixels=pixels)
    numbers = pixels[[BAND_NAMES.index(name) for name in ("B04", "B03", "B02")], :, 200:]
    red, green, blue = palette(replace(scene, stretch=compute_stretch(scene.pixels_path, scene.bands)), "true").paint(
        numbers
    )[0, 0]
    assert 90 < red < green < 150
    assert red < blue < 150


def test_stretch_is_the_2nd_and_98th_percentile_of_valid_pixels(library: Library) -> None:
    pixels = noisy()
    pixels[:, :100] = 0
    scene = add_mapped(library, pixels=pixels)
    red = pixels[BAND_NAMES.index("B04"), 100:]
    stretch = compute_stretch(scene.pixels_path, scene.bands)
    assert set(stretch) == {"true", "false", "swir"}
    np.testing.assert_allclose(stretch["true"][0], np.percentile(red, (2, 98)) / 10_000, rtol=1e-3)
    assert stretch["false"][1] == stretch["true"][0]


def test_a_dark_even_scene_does_not_become_a_picture_of_noise(library: Library) -> None:
    scene = add_mapped(library, pixels=noisy(level=300, spread=3))
    for low, high in compute_stretch(scene.pixels_path, scene.bands)["true"]:
        assert high - low >= MIN_SPAN - 1e-9


def test_a_few_clouds_do_not_darken_the_land(library: Library) -> None:
    clear = noisy()
    cloudy = clear.copy()
    cloudy[:, :15] = 9000
    land, with_clouds = (
        compute_stretch(add_mapped(library, name, pixels=item).pixels_path, BAND_NAMES)["true"][0][1]
        for name, item in (("clear", clear), ("cloudy", cloudy))
    )
    assert np.percentile(cloudy[3], 98) == 9000
    assert land < with_clouds < 2 * land


def test_no_valid_pixel_at_all_still_gives_a_range(library: Library) -> None:
    scene = add_mapped(library, pixels=np.zeros((13, 64, 64), np.uint16))
    assert all(high > low for low, high in compute_stretch(scene.pixels_path, scene.bands)["swir"])


def test_missing_bands_are_shown_by_their_stand_ins(library: Library) -> None:
    scene = add_mapped(library)
    few = replace(scene, bands=("B02", "B03", "B04", "B08"))
    assert palette(few, "swir").indexes == (4, 4, 3)
    assert palette(few, "ndvi").indexes == (4, 3)


def test_colours_rise_with_reflectance_and_stay_in_their_channel(library: Library) -> None:
    scene = add_mapped(library)
    numbers = np.array([[[0, 2500, 5000, 10_000, 65_535]], [[5000] * 5], [[0] * 5]], np.uint16)
    colours = palette(scene, "true").paint(numbers)[0]
    assert (np.diff(colours[:, 0].astype(int)) >= 0).all()
    assert colours[0, 0] == 0
    assert colours[3, 0] == colours[4, 0] == 255
    assert (colours[:, 1] == colours[0, 1]).all()
    assert (colours[:, 2] == 0).all()


def test_contrast_spreads_the_middle(library: Library) -> None:
    scene = add_mapped(library)
    numbers = np.full((3, 1, 2), [[3000, 7000]], np.uint16)
    spread = {name: np.ptp(palette(scene, "true", name).paint(numbers)[0, :, 0].astype(int)) for name in CONTRASTS}
    assert spread["soft"] < spread["normal"] < spread["strong"]


def test_an_index_of_stand_ins_is_no_picture() -> None:
    assert renderings_of(BAND_NAMES) == list(RENDERINGS)
    assert renderings_of(("B02", "B03", "B04")) == ["true", "false", "swir"]


def test_ndvi_shows_the_ramp(library: Library) -> None:
    scene = add_mapped(library)
    # B08 and B04 of NDVI 0.9, 0, −1 and of nothing at all.
    numbers = np.array([[[9500, 4000, 0, 0]], [[500, 4000, 3000, 0]]], np.uint16)
    colours = palette(scene, "ndvi").paint(numbers)[0]
    table = NDVI_RAMP.table()
    np.testing.assert_array_equal(colours[0], table[-1])
    np.testing.assert_array_equal(colours[2], table[0])
    np.testing.assert_array_equal(colours[1], colours[3])


@pytest.mark.parametrize("name", RENDERINGS)
def test_thumbnails_show_their_own_patch(library: Library, name: str) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene)
    content = thumbnail(scene, grid, 13, name)
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.size, image.mode) == ("WEBP", (64, 64), "RGB")
    row, col, size, _ = grid.window(13)
    bands = [BAND_NAMES.index(band) for band in RENDERINGS[name].bands]
    expected = palette(scene, name).paint(ramps(512, 640)[bands, row : row + size, col : col + size])
    assert np.abs(pixels_of(content)[..., :3].astype(int) - expected).mean() < 4


def test_thumbnails_come_in_sizes_and_leave_no_data_open(library: Library) -> None:
    pixels = ramps(128, 128)
    pixels[:, :32] = 0
    scene = add_mapped(library, pixels=pixels)
    grid = patch_grid(scene)
    for side in THUMBNAIL_SIDES:
        shown = pixels_of(thumbnail(scene, grid, 0, "true", side))
        assert shown.shape == (side, side, 4)
        assert shown[: side // 2 - 1, :, 3].max() == 0
        assert shown[side // 2 + 1 :, :, 3].min() == 255


def test_what_does_not_exist_is_refused(library: Library) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene)
    with pytest.raises(PatchError):
        thumbnail(scene, grid, grid.count, "true")
    with pytest.raises(SettingsError, match="rendering is unknown"):
        thumbnail(scene, grid, 0, "thermal")
    with pytest.raises(SettingsError, match="contrast is unknown"):
        palette(scene, "true", "extreme")
    with pytest.raises(SettingsError, match="choose 64"):
        thumbnail(scene, grid, 0, "true", 65)
    with pytest.raises(SettingsError, match="16 to 2048"):
        quicklook(scene, "true", 4)


def test_quicklook_keeps_the_shape(library: Library) -> None:
    scene: Scene = add_mapped(library, shape=(512, 640))
    shown = pixels_of(quicklook(scene, "true", 320))
    assert shown.shape == (256, 320, 4)
    assert shown[250, 160, 0] > shown[5, 160, 0] + 100
    assert shown[128, 310, 1] > shown[128, 5, 1] + 100
    assert pixels_of(quicklook(scene, "true", 2048)).shape == (512, 640, 4)
