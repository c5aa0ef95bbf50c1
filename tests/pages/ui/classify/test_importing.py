"""Labels from a file on the page: what it would label, what it leaves out, and that only a click takes them."""

from __future__ import annotations

import html
import json
from pathlib import Path

import geopandas
import pytest
import shapely

from core.features.recipe import Recipe
from core.scenes.given.annotations import read_annotations
from core.scenes.given.history import undo_labels
from core.scenes.labels import give_label
from core.scenes.patches import corners_lonlat, patch_grid
from core.scenes.scene import Scene
from pages.ui.classify.importing import ImportSettings, fresh_labels, labels_from, read_source
from pages.ui.state import cache
from tests.fakes import SentFile
from tests.pages.ui.classify.conftest import given, opened, words

FOLD = "classify_import"


def outlines(scene: Scene, ids: list[int]) -> list[shapely.Geometry]:
    corners = corners_lonlat(scene, patch_grid(scene), ids)
    assert corners is not None
    return [shapely.Polygon(one) for one in corners]


def geojson(*features: tuple[dict[str, object], shapely.Geometry]) -> bytes:
    rows = [
        {"type": "Feature", "properties": fields, "geometry": json.loads(shapely.to_geojson(shape))}
        for fields, shape in features
    ]
    return json.dumps({"type": "FeatureCollection", "features": rows}).encode()


def test_a_table_is_looked_at_and_taken_by_a_click(recipe: Recipe, scene: Scene) -> None:
    give_label(scene, patch_grid(scene), [3, 4], "Crops", who="Ada")
    app = opened(scene, FOLD)
    table = "patch_id,label\n1,water\n2,Fen\n3,Trees\n4,crops\n900,Bog\n5,\n6,Fen\n6,Bog\n"
    app.file_uploader[0].upload("L.csv", table.encode(), "text/csv").run()
    assert not app.exception
    assert "Patches that are not in the file were left out" in words(app)
    assert [value for frame in app.dataframe for value in frame.value["Why"].tolist()] == [
        "no such patch here",
        "has no label",
        "has two different labels",
    ]
    assert given(scene) == {3: "Crops", 4: "Crops"}, "nothing is taken before the click"
    assert app.button(key="import_take").label == "Label 2 patches"
    app.radio(key="import_how").set_value("replace").run()
    app.button(key="import_take").click().run()
    assert given(scene) == {1: "Water", 2: "Fen", 3: "Trees", 4: "Crops"}
    fact = read_annotations(scene).facts[patch_grid(scene).window(2)[:3]]
    assert fact.view == "L.csv"
    undo_labels(scene)
    assert given(scene) == {3: "Crops", 4: "Crops"}


@pytest.mark.usefixtures("shapes_here")
def test_where_several_attributes_could_be_the_class_it_asks(recipe: Recipe, scene: Scene) -> None:
    one, two = outlines(scene, [8, 9])
    content = geojson(({"soil": "Peat", "use": 1}, one), ({"soil": "Clay", "use": 8}, two))
    app = opened(scene, FOLD)
    app.file_uploader[0].upload("L.geojson", content, "application/json").run()
    assert not app.exception
    [column] = [box for box in app.selectbox if box.label == "Column with the classes"]
    assert column.value is None
    column.set_value("soil").run()
    assert app.button(key="import_take").label == "Label 2 patches"
    column = next(box for box in app.selectbox if box.label == "Column with the classes")
    column.set_value("use").run()
    codes = next(one for one in app.toggle if "codes" in one.label)
    codes.set_value(True).run()
    app.button(key="import_take").click().run()
    assert given(scene) == {8: "Trees", 9: "Snow and ice"}


@pytest.mark.usefixtures("shapes_here")
def test_what_cannot_be_read_is_one_sentence_and_loses_nothing(recipe: Recipe, scene: Scene) -> None:
    give_label(scene, patch_grid(scene), [3], "Crops")
    far = geojson(({"label": "Fen"}, shapely.box(100, 10, 101, 11)))
    for name, content, sentence in (
        ("b.geojson", far, "shapes outside of all patches were left out: 1"),
        ("c.csv", b"patch_id,share\n1,0.5\n", "No column of the file has classes"),
        ("d.zip", b"no zip", "it is no file of points and polygons"),
        ("../../e.csv", b"", "it is empty"),
    ):
        app = opened(scene, FOLD)
        app.file_uploader[0].upload(name, content, "text/plain").run()
        assert not app.exception
        assert len(app.error) == 1
        assert sentence in html.unescape(app.error[0].value), name
        assert given(scene) == {3: "Crops"}


def test_ten_thousand_polygons_of_html_and_formulas_label_and_come_back_whole(recipe: Recipe, scene: Scene) -> None:
    known = cache.scene_view(recipe, scene)
    bad = ["<img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0"]
    shapes = outlines(scene, [0, 1])
    content = geojson(*(({"label": bad[at % 2]}, shapes[at % 2].centroid) for at in range(10_000)))
    source = read_source(SentFile("L.geojson", content))
    found = labels_from(known, source, ImportSettings(column="label"), (), asked="Reading")
    assert dict(found.labels) == {0: bad[0], 1: bad[1]}
    assert found.left_out == {"duplicate": 9_998}
    assert fresh_labels(known, found.labels, replace=False) == {0: bad[0], 1: bad[1]}


@pytest.mark.usefixtures("shapes_here")
def test_of_several_layers_a_person_chooses_one(recipe: Recipe, scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "L.gpkg"
    for at, layer in enumerate(("old", "new")):
        shape = outlines(scene, [at])
        geopandas.GeoDataFrame({"class": [layer]}, geometry=shape, crs=4326).to_file(path, layer=layer)
    app = opened(scene, FOLD)
    app.file_uploader[0].upload("L.gpkg", path.read_bytes(), "application/geopackage+sqlite3").run()
    assert not app.exception
    [layers] = [box for box in app.selectbox if box.label == "Layer"]
    assert (layers.options, layers.value) == (["old", "new"], None)
    assert "import_take" not in [button.key for button in app.button]
    layers.set_value("new").run()
    app.button(key="import_take").click().run()
    assert given(scene) == {1: "new"}
