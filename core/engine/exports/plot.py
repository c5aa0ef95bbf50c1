"""The plot as a picture: a point a patch, near where patches are alike, in the colours of a value."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
from PIL import Image

from core.bands import FloatArray
from core.engine.exports.maps import coloured_by, legend_lines, source_line
from core.engine.exports.order import ExportOrder
from core.engine.library_source import LibrarySource
from core.engine.views import results
from core.errors import SettingsError
from core.export.picture import MapPicture, map_png, map_svg
from core.export.scatter import plotted
from core.projection.settings import METHODS
from core.scenes.patches import IntArray
from core.values.palette import UNKNOWN_COLOUR

_SIDE, _ROOM = 1400, 40
"""Pixels of a side, and of the margin."""
MOST_RINGED = 100
"""Patches found that are ringed; of more, the best."""


def plot_file(source: LibrarySource, order: ExportOrder) -> bytes:
    """Return the plot as PNG or SVG.

    Raises:
        SettingsError: when its layout is not made yet, or the value that colours it is not known.
    """
    points = source.layout(order.layout)
    if points is None:
        raise SettingsError("Taking the plot away", "its layout is not made yet", "wait until the plot is there")
    value, values, legend = coloured_by(source, order)
    colours, known = legend.paint(values)
    colours = np.where(known[:, None], colours, np.array(bytearray.fromhex(UNKNOWN_COLOUR[1:]), np.uint8))
    places, radius, ringed = _placed(points), max(2.0, min(9.0, 260 / np.sqrt(len(points)))), _ringed(source, order)
    blank = Image.new("RGB", (_SIDE, _SIDE), "#ffffff")
    image = plotted(points, colours, ringed=ringed) if order.form == "png" else blank
    method = "principal components" if order.layout is None else METHODS[order.layout.method].title
    sheet = MapPicture(
        image=image, metres=None, title=f"{source.scene.name} · {value.title}", legend=legend_lines(legend, values),
        source=f"Each point is a patch; near points look alike to {source.recipe.encoder}, by {method}. "
        f"{source_line(source.scene)}",
    )  # fmt: skip
    if order.form == "png":
        return map_png(sheet)
    return _with_circles(map_svg(sheet), places, colours, radius, frozenset(ringed.tolist()))


def _ringed(source: LibrarySource, order: ExportOrder) -> IntArray:
    """Return the rows of what was asked about and found, which stand out."""
    view = order.view
    if not (view.words or view.evidence.examples):
        return np.empty(0, np.int64)
    found, _ = results(source, view)
    return source.table.positions(np.array([*view.patches(good=True), *found.ids[:MOST_RINGED].tolist()], np.int64))


def _placed(points: FloatArray) -> FloatArray:
    """Return places in pixels, y downwards, both axes alike."""
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    reach = max(float((points.max(axis=0) - points.min(axis=0)).max()), 1e-9)
    moved = (points - middle) / reach * np.array([1, -1])
    return np.asarray(_SIDE / 2 + moved * (_SIDE - 2 * _ROOM), dtype=np.float32)


def _with_circles(
    svg: bytes,
    places: FloatArray,
    colours: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    radius: float,
    ringed: frozenset[int],
) -> bytes:
    """Return the sheet with points in place of its picture."""
    ET.register_namespace("", "http://www.w3.org/2000/svg")
    root = ET.parse(io.BytesIO(svg)).getroot()  # noqa: S314  our own
    image = next(one for one in root if one.tag.endswith("}image"))
    left, top = int(image.attrib["x"]), int(image.attrib["y"])
    group = ET.Element("g")
    for row, ((x, y), colour) in enumerate(zip(places.tolist(), colours.tolist(), strict=True)):
        at = {
            "cx": f"{left + x:.1f}",
            "cy": f"{top + y:.1f}",
            "r": f"{radius:.1f}",
            "fill": "#{:02x}{:02x}{:02x}".format(*colour),
        }
        ring = {"stroke": "#1b1b1b", "stroke-width": "2"} if row in ringed else {}
        ET.SubElement(group, "circle", at | ring)
    place = list(root).index(image)
    root.remove(image)
    root.insert(place, group)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
