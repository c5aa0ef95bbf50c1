"""Pictures that people give: what they are taken for, their features against those of a scene, and what is refused."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image

from core.bands import BAND_NAMES, FloatArray
from core.errors import BandsError, SourceError, SourceTooLargeError
from core.features.encode import encode_scene
from core.features.store import FeatureStore
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.search.chips import MOST_CHIP_BYTES, WHITE, ChipExample, Chips
from core.search.examples import VectorExample
from core.similarity.neighbours import unit_rows
from tests.fakes import PlaceEncoder, recipe_of
from tests.scenes import add_scene


@pytest.fixture
def chips(tmp_path: Path, here: None) -> Chips:
    return Chips(tmp_path / "data")


def write(path: Path, pixels: NDArray[np.generic], names: tuple[str, ...] = ()) -> Path:
    count, height, width = pixels.shape
    place = {"crs": "EPSG:32631", "transform": rasterio.Affine(10, 0, 600_000, 0, -10, 5_700_000)}
    shape = {"width": width, "height": height, "count": count, "dtype": pixels.dtype}
    with rasterio.open(path, "w", driver="GTiff", **shape, **place) as data:
        data.write(pixels)
        if names:
            data.descriptions = names
    return path


def colours(side: int, bands: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(20, 90, (side, side, bands)).astype(np.uint8)


def test_a_geotiff_has_the_features_that_a_scene_of_its_pixels_has(chips: Chips, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(300, 3000, (13, 32, 48)).astype(np.uint16)
    scene = chips.add([write(tmp_path / "chip.tif", pixels, BAND_NAMES)], IngestSettings(scale="dn"))
    encoder = PlaceEncoder()
    found = chips.encode(scene.id, encoder, 16)
    twin = add_scene(Library(tmp_path / "twin"), pixels=pixels, height=32, width=48)
    recipe, store = recipe_of(twin, encoder), FeatureStore(tmp_path / "twin")
    encode_scene(twin, encoder, recipe, store)
    wanted = unit_rows(store.read(recipe).vectors).mean(axis=0)
    np.testing.assert_allclose(found.vector, wanted, rtol=1e-5)
    assert (found.side, found.patches) == (16, 6)
    fingerprint = encoder.spec.fingerprint
    assert chips.features(scene.id, fingerprint, 16) == found, "it is kept"
    assert chips.features(scene.id, fingerprint, 64) is None, "patches of another size have other features"
    assert chips.features(scene.id, "other", 16) is None
    example = chips.example(ChipExample(chip=scene.id, good=False, title="Field"), fingerprint, 16)
    assert example == VectorExample(
        vector=found.vector, fingerprint=fingerprint, good=False, title="Field", chip=scene.id, bands=scene.bands
    )
    assert chips.encode(scene.id, encoder, 64).side == 32, "a picture smaller than a patch is taken as it is"


class Brightness(PlaceEncoder):
    """Features: one, and each band's mean, so that the length of 1 that features are brought to hides no brightness."""

    def infer(self, prepared: FloatArray) -> FloatArray:
        ones = np.ones((len(prepared), 2), np.float32)
        return np.concatenate([ones, prepared.mean(axis=(1, 2))], axis=1)


@pytest.mark.parametrize(("name", "bands"), [("p.png", 3), ("p.png", 4), ("p.jpg", 3)])
def test_a_picture_is_red_green_and_blue_and_it_is_said_how_rough_that_is(
    chips: Chips, tmp_path: Path, name: str, bands: int
) -> None:
    Image.fromarray(colours(16, bands)).save(tmp_path / name)
    scene = chips.add([tmp_path / name])
    assert scene.bands == ("B02", "B03", "B04")
    notes = " ".join(chips.notes(scene.id))
    assert "only roughly reflectance" in notes
    assert "It lacks 10 of the 13 bands." in notes
    if name.endswith("png"):
        with rasterio.open(scene.pixels_path) as data:
            red = data.read(3)
        np.testing.assert_allclose(red, colours(16, bands)[..., 0] / 255.0 * 10_000, atol=1)
        one, _, *mean = chips.encode(scene.id, Brightness(), 16).vector
        wanted = colours(16, bands)[..., :3].mean(axis=(0, 1)) / 255 * WHITE
        np.testing.assert_allclose(np.array(mean[1:4]) / one, wanted[::-1], rtol=1e-3)


def test_eight_bits_whose_bands_have_names_are_those_bands(chips: Chips, tmp_path: Path) -> None:
    path = write(tmp_path / "four.tif", np.moveaxis(colours(16, 4), 2, 0), ("B02", "B03", "B04", "B08"))
    scene = chips.add([path])
    assert scene.bands == ("B02", "B03", "B04", "B08")
    assert "taken for reflectance × 255" in chips.notes(scene.id)[0]


def test_what_cannot_be_searched_by_is_told_in_a_sentence_and_not_kept(chips: Chips, tmp_path: Path) -> None:
    Image.fromarray(colours(3)).save(tmp_path / "tiny.png")
    with pytest.raises(SourceError, match=r"3 × 3 pixels, and at least 8 × 8 are needed"):
        chips.add([tmp_path / "tiny.png"])
    assert chips.library.scenes() == []
    Image.fromarray(colours(16)[..., 0]).save(tmp_path / "grey.png")
    Image.fromarray(colours(16)).quantize(16).save(tmp_path / "palette.png")
    for name in ("grey.png", "palette.png"):
        with pytest.raises(SourceError, match=r"is grey or has a table of colours.*save it again in full colours"):
            chips.add([tmp_path / name])
    pixels = np.random.default_rng(1).integers(300, 3000, (4, 16, 16)).astype(np.uint16)
    nameless = write(tmp_path / "four.tif", pixels)
    with pytest.raises(BandsError, match="give the names of the bands"):
        chips.add([nameless])
    assert chips.add([nameless], IngestSettings(bands=("B02", "B03", "B04", "B08"))).bands[-1] == "B08"
    (tmp_path / "text.tif").write_text("no picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder").mkdir()
    for name in ("text.tif", "empty.png", "folder"):
        with pytest.raises(
            SourceError, match=f"^Searching by “{name}”: .*; give a picture of land: a GeoTIFF, JPEG 2000"
        ):
            chips.add([tmp_path / name])
    with (tmp_path / "huge.tif").open("wb") as huge:
        huge.truncate(MOST_CHIP_BYTES + 2**20)
    with pytest.raises(SourceTooLargeError, match="65 MB, and a picture to search by at most 64"):
        chips.add([tmp_path / "huge.tif"])


def test_features_that_came_with_a_search_are_kept_without_their_picture(chips: Chips) -> None:
    came = VectorExample(vector=(0.5, -1.0), fingerprint="f" * 64, good=False, title="Marsh", chip="s-elsewhere")
    kept = chips.keep(came, 64)
    assert (kept.good, kept.title) == (False, "Marsh")
    again = chips.example(kept, "f" * 64, 64)
    assert again is not None
    assert again.vector == came.vector
    assert chips.scene(kept.chip) is None
    assert chips.notes(kept.chip) == ()


def test_old_pictures_go(chips: Chips) -> None:
    kept = chips.keep(VectorExample(vector=(1.0,), fingerprint="f"), 64)
    chips.sweep(60)
    assert chips.example(kept, "f", 64) is not None
    (path,) = (chips.root / "features").iterdir()
    os.utime(path, (time.time() - 120,) * 2)
    chips.sweep(60)
    assert chips.example(kept, "f", 64) is None


@pytest.mark.parametrize("chip", ["../x", "", "S-UPPER"])
def test_only_ids_are_looked_for(chips: Chips, chip: str) -> None:
    assert chips.scene(chip) is None
    assert chips.features(chip, "f", 64) is None
