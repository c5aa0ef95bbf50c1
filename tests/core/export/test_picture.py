"""Maps as pictures: what lies where, and how long the bar is."""

from __future__ import annotations

import base64
import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from core.export.picture import MapPicture, map_png, map_svg, painted, pale, round_length
from core.export.raster import map_cells
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.patches import PatchGrid

PLACE = GeoBox(crs="EPSG:32631", transform=(10, 0, 600_000, 0, -10, 5_700_000), height=192, width=256)
GRID = PatchGrid(height=192, width=256, cut=Cut.of(64))
SVG = "{http://www.w3.org/2000/svg}"


def picture(**change: object) -> MapPicture:
    shown = map_cells(PLACE, GRID).spread(np.array([0, 11]), np.arange(2), -1)
    image, metres = painted(
        Image.new("RGB", (512, 384)), PLACE, shown, 64, np.array([[200, 0, 0], [0, 0, 200]], np.uint8)
    )
    said = {"title": "Wald & <Wiese>\0", "legend": [("#ff0000", "Wald <b>"), ("#0000ff", "See")], "source": "© ESA"}
    return MapPicture(**{"image": image, "metres": metres, **said, **change})  # type: ignore[arg-type]


def test_patches_have_their_colours_at_their_places() -> None:
    found = picture()
    pixels = np.asarray(found.image)
    assert pixels[0, 0].tolist() == pixels[127, 127].tolist() == [130, 0, 0]
    assert pixels[128, 128].tolist() == [0, 0, 0]
    assert pixels[383, 511].tolist() == [0, 0, 130]
    assert found.metres == pytest.approx(5, rel=2e-3)


def test_pale_ground_is_lighter_than_any_dark_colour_and_grey() -> None:
    ground = np.asarray(pale(Image.fromarray(np.array([[[0, 0, 0], [10, 60, 20], [255, 255, 255]]], np.uint8))))
    assert (ground == ground[..., :1]).all()
    assert ground[0, :, 0].min() == 150
    assert ground[0, :, 0].tolist() == sorted(ground[0, :, 0].tolist())
    shown = map_cells(PLACE, GRID).spread(np.array([0]), np.arange(1), -1)
    colour = np.array([[200, 0, 0]], np.uint8)
    image, _ = painted(Image.new("RGB", (256, 192)), PLACE, shown, 64, colour, strength=1.0)
    assert image.getpixel((0, 0)) == (200, 0, 0)


def test_the_bar_is_as_long_as_it_says() -> None:
    root = ET.fromstring(map_svg(picture()))
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert texts[:3] == ["Wald & <Wiese> ", "Wald <b>", "See"]
    assert {"500 m", "N", "© ESA"} <= set(texts)
    bar = [box for box in root.iter(f"{SVG}rect") if box.get("height") == "6"]
    assert [int(box.get("width", "")) for box in bar] == [100]


def test_png_and_svg_hold_the_same_image() -> None:
    found = picture()
    sheet = Image.open(io.BytesIO(map_png(found)))
    root = ET.fromstring(map_svg(found))
    assert (str(sheet.width), str(sheet.height)) == (root.get("width"), root.get("height"))
    image = root.find(f"{SVG}image")
    assert image is not None
    data = image.get("{http://www.w3.org/1999/xlink}href", "").removeprefix("data:image/png;base64,")
    inside = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    left, top = int(image.get("x", "")), int(image.get("y", ""))
    np.testing.assert_array_equal(np.asarray(sheet)[top : top + 384, left : left + 512], inside)
    np.testing.assert_array_equal(inside, np.asarray(found.image))


def test_without_a_place_there_is_no_bar_and_no_north() -> None:
    root = ET.fromstring(map_svg(picture(metres=None, legend=(), source="")))
    assert [text.text for text in root.iter(f"{SVG}text")] == ["Wald & <Wiese> "]
    assert root.find(f"{SVG}polygon") is None


@pytest.mark.parametrize(("most", "length"), [(640, 500), (500, 500), (1999, 1000), (2000, 2000), (0.3, 0.2)])
def test_lengths_are_round(most: float, length: float) -> None:
    assert round_length(most) == pytest.approx(length)


def test_letters_with_accents_are_drawn_and_not_boxes() -> None:
    """What the typeface lacks is drawn as one box; letters differ from it and from each other."""
    sheets = [map_png(picture(title=letter * 3)) for letter in ("ā", "Ł", "ж", "−", "ø")]
    heads = {Image.open(io.BytesIO(sheet)).convert("L").crop((0, 0, 200, 58)).tobytes() for sheet in sheets}
    assert len(heads) == 5


def test_a_small_map_stands_beside_the_legend_where_there_is_room() -> None:
    small = Image.new("RGB", (120, 90), (1, 2, 3))
    sheet = Image.open(io.BytesIO(map_png(picture(locator=small)))).convert("RGB")
    right, below = 24 + 512, 24 + 22 + 12 + 384 + 16
    assert sheet.getpixel((right - 1, below)) == sheet.getpixel((right - 120, below + 89)) == (1, 2, 3)
    assert sheet.getpixel((right - 121, below)) == (255, 255, 255)
    assert sheet.height > below + 90
    images = list(ET.fromstring(map_svg(picture(locator=small))).iter(f"{SVG}image"))
    assert [image.get("width") for image in images] == ["512", "120"]
    wide = picture(locator=Image.new("RGB", (400, 90)))
    assert len(list(ET.fromstring(map_svg(wide)).iter(f"{SVG}image"))) == 1


def test_a_long_source_is_broken_into_lines_that_fit() -> None:
    source = "Contains modified Copernicus Sentinel data 2016. " * 4
    texts = [text.text or "" for text in ET.fromstring(map_svg(picture(source=source))).iter(f"{SVG}text")]
    lines = [text for text in texts if "Sentinel" in text]
    assert len(lines) > 1
    assert max(map(len, lines)) * 6.3 <= 512
