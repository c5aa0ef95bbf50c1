"""Files of points and polygons, opened in the sandbox: each kind, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas
import pytest
import shapely

from core.errors import SourceError
from core.ingest.vectors.adding import read_label_shapes


def frame() -> geopandas.GeoDataFrame:
    shapes = [shapely.box(400_000, 5_000_000, 400_640, 5_000_640), shapely.Point(400_700, 5_000_100)]
    return geopandas.GeoDataFrame({"class": ["Fen", "Bog"], "number": [1, 2]}, geometry=shapes, crs=32633)


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


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("L.geojson", b"nothing", "Opening “L.geojson”: it is no GeoJSON"),
        ("L.kml", b"<kml/>", "it is no file of points and polygons"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError) as told:
        read_label_shapes(tmp_path / name)
    assert sentence in str(told.value)
