"""Maps as pictures: what lies where, and how long the bar is."""

from __future__ import annotations

import base64
import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from core.export.picture import MapPicture, map_png, map_svg, painted, round_length
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.patches import PatchGrid

PLACE = GeoBox(crs="EPSG:32631", transform=(10, 0, 600_000, 0, -10, 5_700_000), height=192, width=256)
GRID = PatchGrid(height=192, width=256, cut=Cut.of(64))
SVG = "{http://www.w3.org/2000/svg}"


def picture(**change: object) -> MapPicture:
    image, metres = painted(
        Image.new("RGB", (512, 384)), PLACE, GRID, np.array([0, 11]), np.array([[200, 0, 0], [0, 0, 200]], np.uint8)
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
