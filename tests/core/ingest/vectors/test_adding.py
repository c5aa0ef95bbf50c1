"""Files of points and polygons: each kind, and what is refused; some in the sandbox, the others here."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import geopandas
import pytest
import shapely

from core.errors import SourceError
from core.ingest.vectors.adding import read_label_shapes


def frame() -> geopandas.GeoDataFrame:
    shapes = [shapely.box(400_000, 5_000_000, 400_640, 5_000_640), shapely.Point(400_700, 5_000_100)]
    return geopandas.GeoDataFrame({"class": ["Fen", "Bog"], "number": [1, 2]}, geometry=shapes, crs=32633)


@pytest.mark.usefixtures("shapes_here")
def test_a_geopackage_and_a_zipped_shapefile_come_in_longitude_and_latitude(tmp_path: Path) -> None:
    frame().to_file(tmp_path / "L.gpkg")
    frame().iloc[:1].to_file(tmp_path / "fields.shp")
    with zipfile.ZipFile(tmp_path / "L.zip", "w") as packed:
        for path in sorted(tmp_path.glob("fields.*")):
            packed.write(path, f"inner/{path.name}")
    lonlat = frame().to_crs(4326)
    for name, labels in (("L.gpkg", ("Fen", "Bog")), ("L.zip", ("Fen",))):
        found = read_label_shapes(tmp_path / name)
        assert (found.labels, found.column) == (labels, "class")
        wanted = lonlat.geometry.to_numpy()[: len(labels)]
        assert all(shapely.equals_exact(shapely.normalize(found.shapes), shapely.normalize(wanted), 1e-7))


@pytest.mark.usefixtures("shapes_here")
@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("L.geojson", b"nothing", "Opening “L.geojson”: it is no GeoJSON"),
        ("L.txt", b"1,2", "it is no file of points and polygons"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError) as told:
        read_label_shapes(tmp_path / name)
    assert sentence in str(told.value)


@pytest.mark.usefixtures("shapes_here")
def test_geojson_in_utf_16_is_read_and_a_shapefile_without_its_index_told(tmp_path: Path) -> None:
    feature = {"type": "Feature", "properties": {"label": "Müll"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    (tmp_path / "L.geojson").write_bytes(json.dumps(feature, ensure_ascii=False).encode("utf-16"))
    assert read_label_shapes(tmp_path / "L.geojson").labels == ("Müll",)
    frame().iloc[:1].to_file(tmp_path / "fields.shp")
    with zipfile.ZipFile(tmp_path / "L.zip", "w") as packed:
        for path in sorted(tmp_path.glob("fields.*")):
            if path.suffix != ".shx":
                packed.write(path, path.name)
    with pytest.raises(SourceError, match=r"the Shapefile has no \.shx; zip all its files"):
        read_label_shapes(tmp_path / "L.zip")


def stated(path: Path, srs_id: int, shape: shapely.Geometry) -> Path:
    """A GeoPackage that states one of the two systems that are none."""
    geopandas.GeoDataFrame({"label": ["Fen"]}, geometry=[shape], crs=4326).to_file(path)
    with closing(sqlite3.connect(path)) as data:
        data.execute("update gpkg_geometry_columns set srs_id = ?", (srs_id,))
        data.execute("update gpkg_contents set srs_id = ?", (srs_id,))
        data.commit()
    return path


@pytest.mark.usefixtures("shapes_here")
def test_an_undefined_reference_system_is_said_and_refused_where_numbers_are_no_degrees(tmp_path: Path) -> None:
    found = read_label_shapes(stated(tmp_path / "a.gpkg", 0, shapely.box(10, 20, 11, 21)))
    assert found.assumed == "lonlat"
    for name, srs_id, shape in (("b", 0, shapely.box(190, 0, 191, 1)), ("c", -1, shapely.box(10, 20, 11, 21))):
        with pytest.raises(SourceError, match="it says that its reference system is undefined"):
            read_label_shapes(stated(tmp_path / f"{name}.gpkg", srs_id, shape))
    plain = geopandas.GeoDataFrame({"label": ["Fen"]}, geometry=[shapely.Point(1, 2)], crs="+proj=longlat +ellps=intl")
    plain.to_file(tmp_path / "d.gpkg")
    assert read_label_shapes(tmp_path / "d.gpkg").assumed == "datum"


def test_attributes_that_may_be_the_class_and_refusals_come_through_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "L.kml").write_bytes(b"<kml/>")
    with pytest.raises(SourceError, match="it has no layer of points or polygons"):
        read_label_shapes(tmp_path / "L.kml")
    frame().rename(columns={"class": "lu"}).to_file(tmp_path / "L.gpkg")
    found = read_label_shapes(tmp_path / "L.gpkg", choices=True)
    assert dict(found.choices) == {"lu": ("Fen", "Bog"), "number": ("1", "2")}
    assert (found.column, found.numbers, found.assumed) == ("", (1, 2), "")


@pytest.mark.usefixtures("shapes_here")
def test_of_several_layers_one_has_to_be_named(tmp_path: Path) -> None:
    path = tmp_path / "L.gpkg"
    frame().to_file(path, layer="fields 2019")
    frame().iloc[:1].to_file(path, layer="plots")
    roads = geopandas.GeoDataFrame({"label": ["a"]}, geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=4326)
    roads.to_file(path, layer="roads")
    with pytest.raises(SourceError, match=r"it has 2 layers of shapes: “fields 2019”, “plots”; name the layer"):
        read_label_shapes(path)
    with pytest.raises(SourceError, match="it has no layer “roads”; it has “fields 2019”, “plots”"):
        read_label_shapes(path, layer="roads")
    asked = read_label_shapes(path, choices=True)
    assert (asked.layers, asked.labels) == (("fields 2019", "plots"), ())
    assert read_label_shapes(path, layer="plots").labels == ("Fen",)
    assert read_label_shapes(path, layer="fields 2019", choices=True).labels == ("Fen", "Bog")


@pytest.mark.usefixtures("shapes_here")
def test_shapefiles_of_one_zip_are_layers(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "L.zip", "w") as packed:
        for at, name in enumerate(("a", "b.2")):
            frame().iloc[at : at + 1].to_file(tmp_path / f"{name}.shp")
            for path in sorted(tmp_path.glob(f"{name}.*")):
                packed.write(path, path.name)
    assert read_label_shapes(tmp_path / "L.zip", choices=True).layers == ("a", "b.2")
    assert read_label_shapes(tmp_path / "L.zip", layer="b.2").labels == ("Bog",)


@pytest.mark.usefixtures("shapes_here")
def test_attributes_that_may_be_a_number_are_numbers(tmp_path: Path) -> None:
    tall = frame().assign(height=["1,5", "2"], share=[0.5, None])
    tall.to_file(tmp_path / "L.gpkg")
    found = read_label_shapes(tmp_path / "L.gpkg", choices=True, numbers=True)
    assert dict(found.choices) == {"number": ("1", "2"), "height": ("1,5", "2"), "share": ("0.5", "")}
    frame()[["class", "geometry"]].to_file(tmp_path / "T.gpkg")
    with pytest.raises(SourceError, match="none of its attributes holds numbers: “class” has “Fen”"):
        read_label_shapes(tmp_path / "T.gpkg", choices=True, numbers=True)
