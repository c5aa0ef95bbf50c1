"""Styles for QGIS, held against a small schema: elements and attributes as QGIS 3.16 to 3.34 write them itself."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from core.export.qgis import MapClass, class_style, value_style

NUMBER, COLOUR, TEXT = r"-?\d+(\.\d+)?(e[+-]\d+)?", r"#[0-9a-f]{6}", r".*"
RAMP = r"(\d+,){3}255"
NEAREST = {"zoomedInResamplingMethod": "nearestNeighbour", "zoomedOutResamplingMethod": "nearestNeighbour"}
RENDERER = {"band": "1", "opacity": "1", "alphaBand": "-1", "nodataColor": ""}

COMMON: dict[str, dict[str, str]] = {
    "": {"version": r"3\.\d+\.\d+", "styleCategories": "Symbology"},
    "pipe": {},
    "pipe/provider": {},
    "pipe/provider/resampling": {"enabled": "false", "maxOversampling": "2", **NEAREST},
    "pipe/rasterrenderer/rasterTransparency": {},
    "pipe/rasterrenderer/minMaxOrigin": {},
    **{
        f"pipe/rasterrenderer/minMaxOrigin/{name}": {}
        for name in ("limits", "extent", "statAccuracy", "cumulativeCutLower", "cumulativeCutUpper", "stdDevFactor")
    },
    "pipe/brightnesscontrast": {"brightness": "0", "contrast": "0", "gamma": "1"},
    "pipe/huesaturation": {
        "saturation": "0", "grayscaleMode": "0", "invertColors": "0", "colorizeOn": "0", "colorizeStrength": "100",
        "colorizeRed": "255", "colorizeGreen": "128", "colorizeBlue": "128",
    },
    "pipe/rasterresampler": {"maxOversampling": "2"},
    "pipe/resamplingStage": {},
    "blendMode": {},
}  # fmt: skip
CLASSES = COMMON | {
    "pipe/rasterrenderer": RENDERER | {"type": "paletted"},
    "pipe/rasterrenderer/colorPalette": {},
    "pipe/rasterrenderer/colorPalette/paletteEntry": {
        "value": r"\d+", "color": COLOUR, "label": TEXT, "alpha": r"25[0-5]|2[0-4]\d|1?\d?\d",
    },
    "pipe/rasterrenderer/colorramp": {"type": "randomcolors", "name": r"\[source\]"},
}  # fmt: skip
_SHADER = "pipe/rasterrenderer/rastershader"
VALUES = COMMON | {
    "pipe/rasterrenderer": RENDERER
    | {"type": "singlebandpseudocolor", "classificationMin": NUMBER, "classificationMax": NUMBER},
    _SHADER: {},
    f"{_SHADER}/colorrampshader": {
        "colorRampType": "INTERPOLATED", "classificationMode": "1", "clip": "0", "labelPrecision": r"\d",
        "minimumValue": NUMBER, "maximumValue": NUMBER,
    },
    f"{_SHADER}/colorrampshader/colorramp": {"type": "gradient", "name": r"\[source\]"},
    f"{_SHADER}/colorrampshader/colorramp/Option": {"type": "Map"},
    f"{_SHADER}/colorrampshader/colorramp/Option/Option": {
        "type": "QString", "name": "color1|color2|discrete|rampType|stops", "value": TEXT,
    },
    f"{_SHADER}/colorrampshader/item": {"value": NUMBER, "color": COLOUR, "label": TEXT, "alpha": "255"},
}  # fmt: skip


def check(text: str, schema: dict[str, dict[str, str]]) -> ET.Element:
    """Hold a style against a schema: every element known and there, every attribute there, and of its form."""
    assert text.startswith("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis ")
    root = ET.fromstring(text)
    seen: set[str] = set()

    def walk(element: ET.Element, path: str) -> None:
        assert path in schema, f"QGIS writes no {path}"
        seen.add(path)
        assert set(element.attrib) == set(schema[path]), path
        for name, form in schema[path].items():
            assert re.fullmatch(form, element.attrib[name], re.DOTALL), f"{path} {name}={element.attrib[name]}"
        for child in element:
            walk(child, f"{path}/{child.tag}".lstrip("/"))

    walk(root, "")
    assert seen == set(schema)
    return root


def test_a_style_of_classes_is_as_qgis_writes_it_and_has_every_class_once() -> None:
    names = ["Water", 'Wald & <Wiese> "nass"', "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "bell\a\x00 Äcker"]
    classes = [MapClass(code=3 * at, name=name, colour=f"#0000{at:02x}") for at, name in enumerate(names)]
    root = check(class_style(classes), CLASSES)
    entries = [(one.get("value"), one.get("label"), one.get("color")) for one in root.iter("paletteEntry")]
    assert entries == [(str(one.code), one.label, one.colour) for one in classes]
    assert [label for _, label, _ in entries] == [*names[:4], "bell Äcker"], "without what XML cannot hold"


@pytest.mark.parametrize(("low", "high"), [(-0.5, 0.5), (0.0, 1e-7), (1e6, 3e9)])
def test_a_style_of_numbers_is_as_qgis_writes_it_and_its_colours_go_from_end_to_end(low: float, high: float) -> None:
    colours = ["#000000", "#102030", "#808080", "#ffffff"]
    root = check(value_style(low, high, colours), VALUES)
    items = [(float(one.get("value", "")), one.get("color")) for one in root.iter("item")]
    assert [colour for _, colour in items] == colours
    assert [value for value, _ in items] == pytest.approx([low + (high - low) * at / 3 for at in range(4)])
    said = {one.get("name"): one.get("value", "") for one in root.iter("Option") if one.get("type") == "QString"}
    assert (said["color1"], said["color2"]) == ("0,0,0,255", "255,255,255,255")
    for stop, at in zip(said["stops"].split(":"), (1, 2), strict=True):
        place, colour = stop.split(";")
        assert float(place) == pytest.approx(at / 3, abs=1e-5)
        assert re.fullmatch(RAMP, colour)
