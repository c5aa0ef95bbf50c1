"""Styles of GIS programs read as classes: our own export, QGIS's categories, colour maps, and what is none."""

from __future__ import annotations

import pytest

from core.classification.schemes import SCHEMES, read_scheme
from core.errors import SettingsError
from core.export.qgis import MapClass, class_style

REAL = """<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.34.5-Prizren" styleCategories="AllStyleCategories" labelsEnabled="0">
<renderer-v2 type="categorizedSymbol" attr="lu" forceraster="0" symbollevels="0" enableorderby="0" referencescale="-1">
<categories><category type="string" render="true" symbol="0" value="Fen" label="Fen" uuid="{0}"/>
<category type="string" render="true" symbol="1" value="Road" label="Road" uuid="{1}"/></categories>
<symbols><symbol type="fill" name="0" alpha="1" clip_to_extent="1" force_rhr="0"><data_defined_properties>
<Option type="Map"><Option type="QString" name="name" value=""/><Option name="properties"/></Option>
</data_defined_properties><layer class="SimpleFill" enabled="1" locked="0" pass="0"><Option type="Map">
<Option type="QString" name="border_width_map_unit_scale" value="3x:0,0,0,0,0,0"/>
<Option type="QString" name="color" value="1,2,3,255"/>
<Option type="QString" name="outline_color" value="35,35,35,255"/></Option></layer></symbol>
<symbol type="line" name="1" alpha="1"><layer class="SimpleLine"><Option type="Map">
<Option type="QString" name="line_color" value="4,5,6,255"/></Option></layer></symbol></symbols>
<source-symbol><symbol type="fill" name="0" alpha="1"><layer class="SimpleFill"><Option type="Map">
<Option type="QString" name="color" value="190,207,80,255"/></Option></layer></symbol></source-symbol>
</renderer-v2></qgis>
"""
"""As QGIS writes it, with the symbol that the others were made of behind them."""

CATEGORIES = """<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.34"><renderer-v2 type="categorizedSymbol" attr="lu"><categories>
<category value="311" symbol="0" label="Broad-leaved forest" render="true"/>
<category value="Fen" symbol="1" label="A fen" render="true"/>
<category value="" symbol="2" label="all other values" render="true"/></categories>
<symbols><symbol name="0"><layer><Option type="Map"><Option name="color" value="128,255,0,255,rgb:0.5,1,0,1"/></Option>
</layer></symbol><symbol name="1"><layer><prop k="color" v="1,2,3,255"/></layer></symbol></symbols></renderer-v2></qgis>
"""


def test_the_style_that_a_map_is_exported_with_is_read_back() -> None:
    scheme = SCHEMES["dynamicworld"]
    text = class_style([MapClass(code=one.code, name=one.name, colour=one.colour) for one in scheme.classes])
    found = read_scheme(text.encode(), "map.qml")
    assert [(one.code, one.name, one.colour) for one in found.classes] == [
        (one.code, one.name, one.colour) for one in scheme.classes
    ]
    assert found.title == "map"


def test_categories_of_a_vector_are_classes_and_the_entry_for_all_others_is_none() -> None:
    found = read_scheme(CATEGORIES.replace("311", "31").encode(), "land.qml")
    assert [(one.code, one.name, one.colour) for one in found.classes] == [
        (31, "Broad-leaved forest", "#80ff00"),
        (1, "Fen", "#010203"),
    ]


def test_the_symbol_that_others_were_made_of_is_none_of_theirs() -> None:
    found = read_scheme(REAL.encode(), "land.qml")
    assert [(one.name, one.colour) for one in found.classes] == [("Fen", "#010203"), ("Road", "#040506")]


def test_what_a_raster_shows_nothing_of_is_no_class_and_other_codes_are_refused() -> None:
    entries = '<paletteEntry value="0" label="none" color="#000000" alpha="0"/>{}<paletteEntry value="1" label="Fen"/>'
    text = f"<qgis><pipe><rasterrenderer><colorPalette>{entries}</colorPalette></rasterrenderer></pipe></qgis>"
    assert [one.name for one in read_scheme(text.format("").encode("utf-16"), "map.qml").classes] == ["Fen"]
    with pytest.raises(SettingsError, match="“-9999” is no code of a class"):
        read_scheme(text.format('<paletteEntry value="-9999" label="x"/>').encode(), "map.qml")


@pytest.mark.parametrize(
    "text", ["1 255 0 0\n2 0 0 255\n",
        "# QGIS Generated Color Map Export File\nINTERPOLATION:EXACT\n"
        "1,255,0,0,255,Class 1\n2,0,0,255,255,Class 2"]
)  # fmt: skip
def test_colour_maps_are_classes(text: str) -> None:
    found = read_scheme(text.encode(), "map.clr")
    assert [(one.code, one.name, one.colour) for one in found.classes] == [
        (1, "Class 1", "#ff0000"),
        (2, "Class 2", "#0000ff"),
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<qgis", "a.qml"),
        ("<qgis><pipe/></qgis>", "a.qml"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><qgis><paletteEntry value="1" label="&b;"/></qgis>', "a.qml"),
        ("1 255 0\n", "a.clr"),
        ("1 256 0 0\n", "a.clr"),
        ("", "a.clr"),
    ],
)
def test_what_is_no_style_is_refused_in_a_sentence(text: str, name: str) -> None:
    with pytest.raises(SettingsError, match=f"Reading the classes of “{name}”: it is no list of classes"):
        read_scheme(text.encode(), name)


def test_codes_that_no_map_holds_are_refused() -> None:
    with pytest.raises(SettingsError, match="“311” is no code of a class"):
        read_scheme(CATEGORIES.encode(), "land.qml")
