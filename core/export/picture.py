"""A map as a picture for reports and slides: the scene, colours over it, legend, scale bar, north and source.

PNG and SVG have one layout. In SVG the words and the bar stay lines and letters; pixels are embedded.
"""

from __future__ import annotations

import base64
import io
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.export.typeface import typeface
from core.imagery.ramps import ByteArray
from core.scenes.geobox import GeoBox, pixel_metres
from core.scenes.patches import IntArray

_MARGIN, _LINE, _LETTERS, _TITLE = 24, 26, 16, 22
"""Pixels round the picture, of a line of the legend, and of letters."""
_LETTER, _SMALL_LINE = 6.3, 18
"""Pixels of a small letter, rather wide, and of a line of them."""
_WIDE_LETTER = 8
"""Pixels of a letter of the legend, rather wide."""
_INK, _PAPER = "#222222", "#ffffff"
_STRENGTH = 0.65
"""How much of a patch's colour covers the scene."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MapPicture:
    """What a picture shows.

    Attributes:
        image: of the scene with colours over it, north up.
        metres: of ground along a pixel of the image, None where the place is unknown.
        title: over the image.
        legend: colour ``#rrggbb`` and words of each line; a scale is a line a step.
        source: who made the data, under the image.
        locator: a small map of where the scene lies, beside the legend where there is room; None without a place.
    """

    image: Image.Image
    metres: float | None
    title: str
    legend: Sequence[tuple[str, str]] = ()
    source: str = ""
    locator: Image.Image | None = None


def painted(
    scene: Image.Image,
    place: GeoBox,
    shown: IntArray,
    side: int,
    colours: ByteArray,
    *,
    strength: float = _STRENGTH,
) -> tuple[Image.Image, float | None]:
    """Return a picture of a whole scene with the colours of cells over it, and metres of ground along its pixels.

    Args:
        scene: the picture, of any size.
        place: where the pixels of the scene lie.
        shown: which colour each cell has, shape (rows, columns), −1 = none.
        side: pixels of the scene along a cell.
        colours: uint8 of shape (N, 3).
        strength: of the colours over the picture, 0 to 1.
    """
    base = np.asarray(scene.convert("RGB"), dtype=np.float32)
    height, width = base.shape[:2]
    rows = ((np.arange(height) + 0.5) * place.height / height / side).astype(np.int64)
    cols = ((np.arange(width) + 0.5) * place.width / width / side).astype(np.int64)
    inside = (rows < shown.shape[0])[:, None] & (cols < shown.shape[1])[None, :]
    found = shown[np.minimum(rows, shown.shape[0] - 1)[:, None], np.minimum(cols, shown.shape[1] - 1)[None, :]]
    covered = inside & (found >= 0)
    base[covered] = (1 - strength) * base[covered] + strength * colours[found[covered]]
    metres = pixel_metres(place)
    return Image.fromarray(np.rint(base).astype(np.uint8)), None if metres is None else metres[0] * place.width / width


def pale(scene: Image.Image) -> Image.Image:
    """Return a picture in light greys, on which dark colours and light ones are seen alike."""
    return scene.convert("L").point(lambda value: 150 + value * 0.4).convert("RGB")


def map_png(picture: MapPicture) -> bytes:
    """Return the picture as PNG."""
    layout = _Layout(picture)
    sheet = Image.new("RGB", (layout.width, layout.height), _PAPER)
    for image, x, y in layout.images():
        sheet.paste(image, (x, y))
    draw = ImageDraw.Draw(sheet)
    for x, y, size, words in layout.texts():
        draw.text((x, y), words, fill=_INK, font=ImageFont.truetype(typeface()[""], size), anchor="ls")
    for x, y, wide, high, colour in layout.boxes():
        draw.rectangle((x, y, x + wide - 1, y + high - 1), fill=colour)
    if picture.metres is not None:
        draw.polygon(layout.arrow(), fill=_INK)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def map_svg(picture: MapPicture) -> bytes:
    """Return the picture as SVG 1.1, self-contained."""
    layout = _Layout(picture)
    size = {"width": str(layout.width), "height": str(layout.height), "viewBox": f"0 0 {layout.width} {layout.height}"}
    spaces = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink"}
    root = ET.Element("svg", spaces | size)
    ET.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": _PAPER})
    for image, x, y in layout.images():
        buffer = io.BytesIO()
        image.save(buffer, "PNG", optimize=True)
        data = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
        place = {"x": str(x), "y": str(y), "width": str(image.width), "height": str(image.height)}
        ET.SubElement(root, "image", place | {"xlink:href": data})
    for x, y, wide, high, colour in layout.boxes():
        box = {"x": str(x), "y": str(y), "width": str(wide), "height": str(high), "fill": colour}
        ET.SubElement(root, "rect", box)
    for x, y, letters, words in layout.texts():
        how = {"x": str(x), "y": str(y), "font-size": str(letters), "font-family": "sans-serif", "fill": _INK}
        ET.SubElement(root, "text", how).text = words
    if picture.metres is not None:
        points = " ".join(f"{x},{y}" for x, y in layout.arrow())
        ET.SubElement(root, "polygon", {"points": points, "fill": _INK})
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


class _Layout:
    """Where things lie: title, image, then bar and north beside the legend, then the source; pixels from the corner."""

    def __init__(self, picture: MapPicture) -> None:
        self.picture = picture
        self.top = _MARGIN + _TITLE + 12
        self.below = self.top + picture.image.height + 16
        self.width = max(picture.image.width, 320) + 2 * _MARGIN
        self.bar = None if picture.metres is None else round_length(picture.metres * picture.image.width / 4)
        longest = max((len(words) for _, words in picture.legend), default=0)
        room = picture.image.width - (self._legend_left() + 26 + longest * _WIDE_LETTER)
        self.locator = picture.locator if picture.locator is not None and picture.locator.width <= room else None
        lines = max(2, len(picture.legend)) * _LINE
        high = lines if self.locator is None else max(lines, self.locator.height + 12)
        self.source = textwrap.wrap(_plain(picture.source), max(40, round((self.width - 2 * _MARGIN) / _LETTER)))
        self.height = self.below + high + len(self.source) * _SMALL_LINE + _MARGIN

    def images(self) -> list[tuple[Image.Image, int, int]]:
        """Return each picture with x and y of its corner: the map, and where it lies."""
        found = [(self.picture.image.convert("RGB"), _MARGIN, self.top)]
        if self.locator is not None:
            left = _MARGIN + self.picture.image.width - self.locator.width
            found.append((self.locator.convert("RGB"), left, self.below))
        return found

    def texts(self) -> list[tuple[int, int, int, str]]:
        """Return x, baseline, size and words of each text."""
        found = [(_MARGIN, _MARGIN + _TITLE - 4, _TITLE, _plain(self.picture.title))]
        for line, (_, words) in enumerate(self.picture.legend):
            found.append((self._legend_left() + 26, self.below + line * _LINE + 14, _LETTERS, _plain(words)))
        if self.bar is not None:
            words = f"{self.bar / 1000:g} km" if self.bar >= 1000 else f"{self.bar:g} m"
            found.append((_MARGIN, self.below + 40, _LETTERS, words))
            found.append((_MARGIN + self._bar_pixels() + 24, self.below + 40, _LETTERS, "N"))
        for line, words in enumerate(reversed(self.source)):
            found.append((_MARGIN, self.height - _MARGIN - line * _SMALL_LINE, _LETTERS - 3, words))
        return found

    def boxes(self) -> list[tuple[int, int, int, int, str]]:
        """Return x, y, width, height and colour of each swatch, and of the bar."""
        left = self._legend_left()
        found = [
            (left, self.below + line * _LINE, 18, 18, colour) for line, (colour, _) in enumerate(self.picture.legend)
        ]
        if self.bar is not None:
            found.append((_MARGIN, self.below + 12, self._bar_pixels(), 6, _INK))
        return found

    def arrow(self) -> list[tuple[float, float]]:
        """Return the corners of the arrow to the north, over its letter."""
        x, y = _MARGIN + self._bar_pixels() + 29, self.below
        return [(x, y), (x + 7, y + 22), (x, y + 17), (x - 7, y + 22)]

    def _bar_pixels(self) -> int:
        return 0 if self.bar is None or self.picture.metres is None else max(1, round(self.bar / self.picture.metres))

    def _legend_left(self) -> int:
        return _MARGIN + (0 if self.bar is None else self._bar_pixels() + 70)


def round_length(most: float) -> float:
    """Return the longest length of 1, 2 or 5 times a power of ten that is at most so long."""
    power = 10.0 ** np.floor(np.log10(most))
    return float(max(step * power for step in (1, 2, 5) if step * power <= most * (1 + 1e-9)))


def _plain(words: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in words)
