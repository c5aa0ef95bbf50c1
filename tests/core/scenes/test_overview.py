"""What the list of scenes says of each is right: pixel sizes on the ground, clouds as stated, whole patches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyproj import Transformer

from core.scenes.geobox import GeoBox, Transform
from core.scenes.library import Library
from core.scenes.overview import overview
from core.scenes.quality import Finding, QualityRecord
from core.scenes.scene import Scene
from tests.scenes import add_scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return add_scene(Library(tmp_path))


def record(source: str = "test", **findings: str) -> QualityRecord:
    lines = [Finding(topic=topic, value=value, basis="read", because="it says so") for topic, value in findings.items()]
    return QualityRecord(source=source, findings=tuple(lines), settings={})


@pytest.mark.parametrize(
    ("crs", "transform", "metres"),
    [
        ("EPSG:32631", (10, 0, 600_000, 0, -10, 5_700_000), 10.0),
        ("EPSG:3857", (10, 0, 1_000_000, 0, -10, 8_399_738), 5.0),
        ("EPSG:4326", (0.0001, 0, 10, 0, -0.0001, 0.0128), 11.1),
        (None, (1, 0, 0, 0, 1, 0), None),
    ],
)
def test_pixels_are_measured_on_the_ground(
    scene: Scene, crs: str | None, transform: Transform, metres: float | None
) -> None:
    found = overview(replace(scene, grid=GeoBox(crs=crs, transform=transform, height=256, width=256)), record())
    assert found.pixel_metres == (None if metres is None else pytest.approx(metres, rel=0.005))


@pytest.mark.parametrize(
    ("value", "cloud"), [("12.5 % of the pixels", 0.125), ("0%", 0.0), ("100 %", 1.0), ("some", None), ("", None)]
)
def test_cloud_is_what_the_source_states(scene: Scene, value: str, cloud: float | None) -> None:
    assert overview(scene, record(cloud=value)).cloud == cloud
    assert overview(scene, record()).cloud is None
    both = record(cloud="50 % of the whole product").findings + record(cloud=value).findings
    assert overview(scene, replace(record(), findings=both)).cloud == cloud, "what is said of the scene counts"
    assert overview(scene, None).cloud is None


@pytest.mark.parametrize(
    ("source", "sensor"),
    [
        ("S2A_MSIL2A_20190604T100031_N0212_R122.zip", "Sentinel-2A"),
        ("T32TQM_S2B_B02.jp2", "Sentinel-2B"),
        ("2019-04-16_Sentinel-2_L2A_B04_(Raw).tiff and 11 more", "Sentinel-2"),
        ("fields.tif", "Sentinel-2"),
    ],
)
def test_the_spacecraft_is_told_where_the_name_states_it(scene: Scene, source: str, sensor: str) -> None:
    assert overview(scene, record(source)).sensor == sensor
    assert overview(scene, record(source, sensor="Landsat 8")).sensor == "Landsat 8"
    assert overview(replace(scene, synthetic=True), record(source)).sensor == "Synthetic"


def test_whole_patches_are_counted(scene: Scene) -> None:
    assert overview(scene, record()).patches == 4 * 5
    assert overview(replace(scene, grid=replace(scene.grid, height=60)), record()).patches == 0


def test_a_collection_counts_its_files_and_measures_its_patches(scene: Scene) -> None:
    """Three patches of 640 m in a mosaic of four cells."""
    to_degrees = Transformer.from_crs("EPSG:32631", "EPSG:4326", always_xy=True)
    square = np.array([(0, 0), (640, 0), (640, -640), (0, -640)]) + (600_000, 5_700_000)
    corners = np.stack(to_degrees.transform(*square.T), axis=1).ravel()
    cells = [*corners, *corners, *[np.nan] * 16]
    table = pa.table(
        {
            "source_name": pa.array(["a.tif", "b.tif", "c.tif", ""]),
            "corners": pa.FixedSizeListArray.from_arrays(pa.array(cells, pa.float64()), 8),
        }
    )
    pq.write_table(table, scene.places_path)
    found = overview(replace(scene, kind="collection", patch_size=64, grid=replace(scene.grid, crs=None)), record())
    assert found.patches == 3
    assert found.pixel_metres == pytest.approx(10.0, rel=0.002)
