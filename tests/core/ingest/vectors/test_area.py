"""Areas of interest from files: each kind, in whatever reference system, and what is refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely

from core.errors import LandlikeError
from core.ingest.vectors.adding import read_area
from core.scenes.regions.map_region import read_region

UTM_BOXES = [shapely.box(400_000, 5_000_000, 400_640, 5_000_640), shapely.box(402_000, 5_000_000, 402_640, 5_000_640)]
LONLAT = geopandas.GeoSeries(UTM_BOXES, crs=32633).to_crs(4326).union_all()

KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>"""
FOLDER = (
    "<Folder><name>{name}</name><Placemark><name>Reserve</name><Polygon><outerBoundaryIs><LinearRing>"
    "<coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Folder>"
)


ENTITIES = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "aaaaaaaaaa"}">' for n in range(12))
BOMB = f"<!DOCTYPE k [{ENTITIES}]><kml>&a11;</kml>"


def folder(name: str, box: shapely.Geometry) -> str:
    ring = " ".join(f"{x:.9f},{y:.9f},120" for x, y in shapely.get_coordinates(box))
    return FOLDER.format(name=name, ring=ring)


def close_to(found: shapely.Geometry, wanted: shapely.Geometry) -> bool:
    return shapely.symmetric_difference(found, wanted).area < 1e-4 * wanted.area


@pytest.mark.usefixtures("shapes_here")
def test_a_geopackage_a_shapefile_and_geojson_give_the_same_area(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"who": ["a", "b"]}, geometry=UTM_BOXES, crs=32633)
    frame.to_file(tmp_path / "A.gpkg")
    frame.to_crs(4326).to_file(tmp_path / "A.geojson")
    frame.to_file(tmp_path / "a.shp")
    with zipfile.ZipFile(tmp_path / "A.zip", "w") as packed:
        for path in sorted(tmp_path.glob("a.*")):
            packed.write(path, path.name)
    (tmp_path / "bare.json").write_text(shapely.to_geojson(LONLAT))
    for name in ("A.gpkg", "A.geojson", "A.zip", "bare.json"):
        assert close_to(read_area(tmp_path / name).shape, LONLAT), name


@pytest.mark.usefixtures("shapes_here")
def test_folders_of_a_kml_are_one_area_and_a_kmz_is_a_zip_of_it(tmp_path: Path) -> None:
    parts = [folder(name, box) for name, box in zip("ab", shapely.get_parts(LONLAT), strict=True)]
    (tmp_path / "A.kml").write_text(KML.format("".join(parts)))
    with zipfile.ZipFile(tmp_path / "A.kmz", "w") as packed:
        packed.write(tmp_path / "A.kml", "doc.kml")
    for name in ("A.kml", "A.kmz"):
        found = read_area(tmp_path / name).shape
        assert close_to(found, LONLAT), name
        assert not shapely.has_z(found)


@pytest.mark.usefixtures("shapes_here")
def test_what_crosses_itself_is_parted_at_the_crossing(tmp_path: Path) -> None:
    bow = {"type": "Polygon", "coordinates": [[[10, 50], [10.2, 50.2], [10.2, 50], [10, 50.2], [10, 50]]]}
    (tmp_path / "A.geojson").write_text(json.dumps(bow))
    found = read_area(tmp_path / "A.geojson")
    assert found.shape.area == pytest.approx(0.02)
    (said,) = found.said
    assert "outline crosses itself" in said
    assert "on both sides of each crossing, in 2 parts" in said
    assert read_region(found.to_feature()).said == (said,)
    other = {"type": "Polygon", "coordinates": [[[11, 50], [11.1, 50], [11.1, 50.1], [11, 50]]]}
    shapes = [bow, other, {"type": "Point", "coordinates": [1, 2]}]
    features = [{"type": "Feature", "properties": {}, "geometry": shape} for shape in shapes]
    (tmp_path / "B.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    crossed, beside = read_area(tmp_path / "B.geojson").said
    assert crossed.startswith("One of its 2 outlines crosses itself")
    assert beside.startswith("1 point, line or shape without an outline")
    (tmp_path / "C.geojson").write_text(json.dumps(other))
    assert read_area(tmp_path / "C.geojson").said == ()


@pytest.mark.usefixtures("shapes_here")
def test_rings_that_are_not_closed_are_closed_and_an_area_that_lacks_a_part_is_none(tmp_path: Path) -> None:
    def collection(*rings: list[Any]) -> str:
        shapes = [{"type": "Polygon", "coordinates": [ring]} for ring in rings]
        features = [{"type": "Feature", "properties": {}, "geometry": shape} for shape in shapes]
        return json.dumps({"type": "FeatureCollection", "features": features})

    whole, unclosed = [[10, 50], [11, 50], [11, 51], [10, 50]], [[20, 50], [21, 50], [21, 51], [20, 51]]
    (tmp_path / "A.geojson").write_text(collection(whole, unclosed))
    assert read_area(tmp_path / "A.geojson").shape.area == pytest.approx(1.5)
    (tmp_path / "B.geojson").write_text(collection(whole, [[20, 50], [21, None], [21, 51]], [[1, 2]]))
    with pytest.raises(LandlikeError, match=r"2 of its shapes cannot be read: a corner is missing, or is no number"):
        read_area(tmp_path / "B.geojson")


def test_areas_come_through_the_sandbox_and_links_to_elsewhere_do_not(tmp_path: Path) -> None:
    (tmp_path / "A.geojson").write_text(shapely.to_geojson(LONLAT))
    assert close_to(read_area(tmp_path / "A.geojson").shape, LONLAT)
    link = "<NetworkLink><Link><href>http://127.0.0.1:1/x.kml</href></Link></NetworkLink>"
    (tmp_path / "C.kml").write_text(KML.format(link))
    with pytest.raises(LandlikeError, match="by network links, which are not followed; save the places themselves as"):
        read_area(tmp_path / "C.kml")


@pytest.mark.usefixtures("shapes_here")
def test_bombs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "B.kml").write_text(BOMB)
    with pytest.raises(LandlikeError, match=r"B\.kml"):
        read_area(tmp_path / "B.kml")


@pytest.mark.usefixtures("shapes_here")
@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("A.kml", "<kml", "the file is damaged"),
        ("A.geojson", '{"type": "Point", "coordinates": [1, 2]}', "give the outline of the area as a polygon"),
        ("A.geojson", '{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}',
         "it has points, and no polygon; give the outline of the area as a polygon"),
        ("A.geojson", '{"type": "FeatureCollection", "features": []}', "no features; give the outline of the area"),
        ("A.geojson", '{"type": "Polygon", "coordinates": [[[500, 9000], [500, 9100], [600, 9100], [500, 9000]]]}',
         "its coordinates are no longitudes and latitudes"),
        ("A.geojson", '{"type": "Polygon", "coordinates": [[[10, 50], [11, 50], [12, 50], [10, 50]]]}',
         "its outlines enclose no ground"),
        ("A.txt", "POLYGON ((0 0, 1 0, 1 1, 0 0))", "give GeoJSON, KML, a GeoPackage, or a zip of a Shapefile"),
    ],
)  # fmt: skip
def test_what_is_no_area_is_refused_in_a_sentence(tmp_path: Path, name: str, content: str, sentence: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(LandlikeError) as told:
        read_area(tmp_path / name)
    assert sentence in str(told.value)
    assert "label" not in str(told.value)


@pytest.mark.usefixtures("shapes_here")
def test_several_layers_are_named(tmp_path: Path) -> None:
    for layer, box in zip(("park", "reserve"), UTM_BOXES, strict=True):
        geopandas.GeoDataFrame(geometry=[box], crs=32633).to_file(tmp_path / "A.gpkg", layer=layer)
    with pytest.raises(LandlikeError, match="it has 2 layers: “park”, “reserve”"):
        read_area(tmp_path / "A.gpkg")
    assert close_to(read_area(tmp_path / "A.gpkg", layer="reserve").shape, shapely.get_parts(LONLAT)[1])
