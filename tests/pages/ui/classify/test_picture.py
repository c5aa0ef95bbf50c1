"""The map of classes as a picture: cells as they lie, dots where a file says that they lie, shares in the legend."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.classification.schemes import LandClass
from core.values.named.unsure import UNSURE_COLOUR
from pages.ui.classify.picture import DOTS_SIDE, map_html

RED, BLUE = LandClass(code=1, name="Red", colour="#FF0000"), LandClass(code=2, name="Blue", colour="#0000FF")
CLASSES = (RED, BLUE)
UNSURE_RGB = tuple(bytes.fromhex(UNSURE_COLOUR[1:]))


def pixels(html: str) -> NDArray[np.uint8]:
    """The picture in a figure, RGBA."""
    found = re.search(r'src="data:image/png;base64,([^"]+)"', html)
    assert found is not None
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("RGBA"))


def test_cells_have_the_colours_of_their_classes_as_they_lie() -> None:
    drawn = pixels(map_html(np.array([[0, 1, -1], [2, 0, 1]]), CLASSES))
    assert drawn[0].tolist() == [[255, 0, 0, 255], [0, 0, 255, 255], [0, 0, 0, 0]]
    assert tuple(drawn[1, 0, :3]) == UNSURE_RGB


def test_dots_lie_where_they_are_told_in_the_colours_of_their_classes() -> None:
    places = np.array([[200.0, 100.0], [600.0, 100.0], [200.0, 700.0], [np.nan, np.nan]])
    drawn = pixels(map_html(np.array([0, 1, 2, 1]), CLASSES, places))
    height, width = drawn.shape[:2]
    radius = (width - 401) // 2
    assert (height, width) == (601 + 2 * radius, 401 + 2 * radius), "cut to what is drawn, in proportion"
    at = {(int(x - 200), int(y - 100)): drawn[y - 100 + radius, x - 200 + radius] for x, y in
          ((200, 100), (600, 100), (200, 700), (600, 700))}  # fmt: skip
    assert at[0, 0].tolist() == [255, 0, 0, 255]
    assert at[400, 0].tolist() == [0, 0, 255, 255]
    assert tuple(at[0, 600][:3]) == UNSURE_RGB
    assert at[400, 600].tolist() == [0, 0, 0, 0], "nothing lies there"


def test_a_quarter_of_a_million_dots_leave_room_for_each() -> None:
    side = 500
    across, down = np.meshgrid(np.linspace(110, DOTS_SIDE - 110, side), np.linspace(110, DOTS_SIDE - 110, side))
    index = (across > DOTS_SIDE / 2).astype(np.int64).ravel()
    drawn = pixels(map_html(index, CLASSES, np.stack([across.ravel(), down.ravel()], axis=1)))
    half = drawn.shape[1] // 2
    assert (drawn[:, : half - 3, 0] == 255).all()
    assert (drawn[:, half + 3 :, 2] == 255).all()


def test_without_places_only_the_legend_is_there_and_small_shares_are_no_zero() -> None:
    index = np.repeat([0, 1], [999, 1])
    html = map_html(index, CLASSES)
    assert "<img" not in html
    assert "Red <b>100 %</b>" in html
    assert "Blue <b>under 1 %</b>" in html
    assert "<img" not in map_html(index, CLASSES, np.full((1000, 2), np.nan))
