"""Styles for QGIS 3 (``.qml``): QGIS takes the one that lies beside a raster and has its name."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_VERSION = "3.28.0"
"""The oldest QGIS whose form this is; later ones read it."""


@dataclass(frozen=True, kw_only=True)
class MapClass:
    """A class of a map.

    Attributes:
        code: number of its cells, 0 to 65534.
        name: what it is called.
        colour: ``#rrggbb``.
    """

    code: int
    name: str
    colour: str

    @property
    def label(self) -> str:
        """The name without characters that XML cannot hold."""
        return _NOT_XML.sub("", self.name)

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green and blue, 0 to 255."""
        red, green, blue = bytes.fromhex(self.colour.removeprefix("#"))
        return red, green, blue


def class_style(classes: Sequence[MapClass]) -> str:
    """Return the style of a map of classes: each code in its colour, named in the legend."""
    root, renderer = _renderer("paletted")
    palette = ET.SubElement(renderer, "colorPalette")
    for one in classes:
        entry = {"value": str(one.code), "color": one.colour, "label": one.label, "alpha": "255"}
        ET.SubElement(palette, "paletteEntry", entry)
    ET.SubElement(renderer, "colorramp", {"type": "randomcolors", "name": "[source]"})
    return _text(root)


def value_style(low: float, high: float, colours: Sequence[str]) -> str:
    """Return the style of a map of numbers: colours from ``low`` to ``high``, between them in proportion."""
    ends = {"classificationMin": f"{low:.9g}", "classificationMax": f"{high:.9g}"}
    root, renderer = _renderer("singlebandpseudocolor", ends)
    shader = ET.SubElement(
        ET.SubElement(renderer, "rastershader"),
        "colorrampshader",
        {"colorRampType": "INTERPOLATED", "classificationMode": "1", "clip": "0", "labelPrecision": "4",
         "minimumValue": f"{low:.9g}", "maximumValue": f"{high:.9g}"},
    )  # fmt: skip
    steps = max(len(colours) - 1, 1)
    ramp = ET.SubElement(shader, "colorramp", {"type": "gradient", "name": "[source]"})
    options = ET.SubElement(ramp, "Option", {"type": "Map"})
    inner = ":".join(f"{at / steps:.6g};{_numbers(colours[at])}" for at in range(1, len(colours) - 1))
    said = {"color1": _numbers(colours[0]), "color2": _numbers(colours[-1]), "discrete": "0", "rampType": "gradient"}
    for name, text in (said | {"stops": inner}).items():
        ET.SubElement(options, "Option", {"type": "QString", "name": name, "value": text})
    for at, colour in enumerate(colours):
        value = low + (high - low) * at / steps
        words = {"value": f"{value:.9g}", "color": colour, "label": f"{value:.4g}", "alpha": "255"}
        ET.SubElement(shader, "item", words)
    return _text(root)


def _renderer(kind: str, more: dict[str, str] | None = None) -> tuple[ET.Element, ET.Element]:
    """Return the root of a style and its renderer of band 1."""
    root = ET.Element("qgis", {"version": _VERSION, "styleCategories": "Symbology"})
    pipe = ET.SubElement(root, "pipe")
    nearest = {"zoomedInResamplingMethod": "nearestNeighbour", "zoomedOutResamplingMethod": "nearestNeighbour"}
    provider = ET.SubElement(pipe, "provider")
    ET.SubElement(provider, "resampling", {"enabled": "false", "maxOversampling": "2"} | nearest)
    plain = {"type": kind, "band": "1", "opacity": "1", "alphaBand": "-1", "nodataColor": ""}
    renderer = ET.SubElement(pipe, "rasterrenderer", plain | (more or {}))
    ET.SubElement(renderer, "rasterTransparency")
    origin = ET.SubElement(renderer, "minMaxOrigin")
    said = {"limits": "None", "extent": "WholeRaster", "statAccuracy": "Estimated"}
    numbers = {"cumulativeCutLower": "0.02", "cumulativeCutUpper": "0.98", "stdDevFactor": "2"}
    for tag, text in (said | numbers).items():
        ET.SubElement(origin, tag).text = text
    ET.SubElement(pipe, "brightnesscontrast", {"brightness": "0", "contrast": "0", "gamma": "1"})
    grey = {"saturation": "0", "grayscaleMode": "0", "invertColors": "0", "colorizeOn": "0", "colorizeStrength": "100"}
    red = {"colorizeRed": "255", "colorizeGreen": "128", "colorizeBlue": "128"}
    ET.SubElement(pipe, "huesaturation", grey | red)
    ET.SubElement(pipe, "rasterresampler", {"maxOversampling": "2"})
    ET.SubElement(pipe, "resamplingStage").text = "resamplingFilter"
    return root, renderer


def _numbers(colour: str) -> str:
    return ",".join(str(part) for part in (*bytes.fromhex(colour.removeprefix("#")), 255))


def _text(root: ET.Element) -> str:
    ET.SubElement(root, "blendMode").text = "0"
    ET.indent(root)
    return f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{ET.tostring(root, encoding='unicode')}\n"
