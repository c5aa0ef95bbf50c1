"""What a STAC item beside band files states counts: date, level, baseline, offset and cloud."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.ingest.boundary import ingest
from core.ingest.formats.product_metadata import read_hints
from core.ingest.formats.stac_item import item_hints, with_item
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import read_scene, write_tif
from tests.core.ingest.test_numbers import FOUR, fields

pytestmark = pytest.mark.usefixtures("here")

MODERN: dict[str, Any] = {
    "datetime": "2023-05-20T10:56:25Z",
    "s2:product_type": "S2MSI2A",
    "s2:processing_baseline": "05.09",
    "eo:cloud_cover": 12.345,
}


def item(properties: dict[str, Any], **more: Any) -> str:
    return json.dumps({"type": "Feature", "stac_version": "1.0.0", "id": "x", "properties": properties, **more})


def band_files(folder: Path, added: int, text: str) -> list[Path]:
    """Bright land, of which no pixel tells whether 0.1 is in; and an item."""
    folder.mkdir()
    pixels = (fields(brighter=900) + added).astype(np.uint16)
    paths = [write_tif(folder / f"{band}.tif", pixels[n : n + 1]) for n, band in enumerate(FOUR)]
    (folder / "item.json").write_text(text)
    return [*paths, folder / "item.json"]


@pytest.mark.parametrize(
    ("added", "properties", "as_folder"),
    [
        (0, MODERN | {"earthsearch:boa_offset_applied": True}, False),
        (1000, MODERN | {"earthsearch:boa_offset_applied": False}, True),
        (1000, MODERN, False),
        (1000, MODERN, True),
        (0, MODERN | {"s2:processing_baseline": "02.14", "datetime": "2020-02-19T11:34:25.405000Z"}, False),
    ],
)
def test_its_statements_count(
    tmp_path: Path, library: Library, added: int, properties: dict[str, Any], *, as_folder: bool
) -> None:
    paths = band_files(tmp_path / "scene", added, item(properties))
    scene = ingest([tmp_path / "scene"] if as_folder else paths, library)
    assert np.abs(read_scene(scene.directory).astype(int) - fields(brighter=900)).max() <= 1
    assert (scene.date, scene.level) == (properties["datetime"][:10], "L2A")
    record = {line.topic: f"{line.value} {line.because}" for line in load_quality(scene.directory).findings}
    assert "STAC item" in record["scale"]
    assert "STAC item" in record["date"]
    assert "12.3" in record["cloud"]
    assert "item.json" not in " ".join(record.values())


@pytest.mark.parametrize(
    ("properties", "collection", "level"),
    [
        ({"product:type": "S2MSI1C"}, "sentinel-2-l2a", "L1C"),
        ({"processing:level": "L2"}, "sentinel-2-l2a", "L2A"),
        ({}, "sentinel-2-l1c", "L1C"),
        ({}, "sentinel-2-c1-l2a", "L2A"),
        ({}, "sentinel-1-grd", None),
        ({}, ["sentinel-2-l2a"], None),
    ],
)
def test_its_collection_states_the_level_where_nothing_else_does(
    properties: dict[str, Any], collection: object, level: str | None
) -> None:
    told = item_hints(item(properties, collection=collection))
    assert told is not None
    assert (told.level.value if told.level else None) == level


def test_offsets_of_its_bands_count_where_they_agree() -> None:
    assets = {name: {"raster:bands": [{"scale": 0.0001, "offset": -0.1}]} for name in ("blue", "red")}
    classes = {"scl": {"raster:bands": [{"data_type": "uint8"}]}}
    stated = item_hints(item(MODERN, assets=assets | classes))
    assert stated is not None
    assert stated.offset is not None
    assert stated.offset.value == "-1000"
    other = {"nir": {"raster:bands": [{"scale": 0.0001, "offset": 0}]}}
    differs = item_hints(item(MODERN, assets=assets | other))
    assert differs is not None
    assert differs.offset is None


@pytest.mark.parametrize("day", [None, "2023-05-01T00:00:00Z", "2023-05-16T00:00:00Z"])
def test_an_item_of_a_composite_states_a_period_and_no_day(day: str | None) -> None:
    ends = {"start_datetime": "2023-05-01T00:00:00Z", "end_datetime": "2023-05-31T23:59:59Z"}
    stated = item_hints(item(MODERN | ends | {"datetime": day}))
    assert stated is not None
    assert (stated.date, stated.period) == (None, "2023-05-01 to 2023-05-31")
    joined = with_item(read_hints(["S2_20230501.tif"], {}, ()), [stated])
    assert (joined.date, joined.period) == (None, "2023-05-01 to 2023-05-31")
    one = item_hints(item(MODERN | ends | {"end_datetime": "2023-05-02T00:10:00Z"}))
    assert one is not None
    assert one.period is None
    assert one.date is not None


def test_items_that_differ_state_only_what_they_agree_in() -> None:
    other = MODERN | {"s2:product_type": "S2MSI1C", "datetime": "2023-05-25T10:56:25Z"}
    both = [item_hints(item(MODERN)), item_hints(item(other))]
    joined = with_item(read_hints(["S2_L1C_20230520.tif"], {}, ()), [one for one in both if one is not None])
    said = [one.value if one else None for one in (joined.date, joined.level, joined.baseline, joined.cloud)]
    assert said == ["2023-05-20", "L1C", "05.09", "12.3"], "date and level are those of the name"
    assert with_item(joined, []) == joined


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"type": "FeatureCollection"}', '{"type": "Feature", "properties": {}}', "[" * 10_000, "null"],
)
def test_other_texts_are_no_items(text: str) -> None:
    assert item_hints(text) is None


def test_nonsense_in_an_item_states_nothing() -> None:
    odd = {"datetime": 5, "s2:processing_baseline": "x", "eo:cloud_cover": "much", "s2:product_type": []}
    stated = item_hints(item(odd, assets=[1]))
    assert stated is not None
    assert (stated.date, stated.baseline, stated.cloud, stated.level, stated.offset) == (None,) * 5
    endless = item_hints(item(MODERN, assets={"red": {"raster:bands": [{"scale": 0.0001, "offset": float("nan")}]}}))
    assert endless is not None
    assert endless.offset is None
    unknown = item_hints(json.dumps({"type": "Feature", "stac_version": "1.0.0", "properties": None}))
    assert unknown is not None


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_bands_of_one_asset_are_named_and_scaled_by_it(tmp_path: Path, library: Library, version: str) -> None:
    """An export of several bands whose file says nothing of them; a name, a common name or a wavelength each."""
    raster = write_tif(tmp_path / "export 1.tif", (fields() + 1000).astype(np.uint16))
    prefix = "" if version == "1.0" else "eo:"
    names: list[dict[str, Any]] = [
        {"name": "first", f"{prefix}common_name": "blue"},
        {"name": "B03"},
        {"name": "third", f"{prefix}center_wavelength": 0.665},
        {"description": "B8A", "name": "fourth"},
    ]
    if version == "1.0":
        numbers = [{"scale": 1e-4, "offset": -0.1, "nodata": 0}] * 4
        asset: dict[str, Any] = {"eo:bands": names, "raster:bands": numbers}
    else:
        asset = {"bands": [name | {"raster:scale": 1e-4, "raster:offset": -0.1} for name in names]}
    assets = {"other": {"href": "x.tif", "bands": names}, "data": {"href": "https://x.org/a/export%201.tif"} | asset}
    (tmp_path / "item.json").write_text(item(MODERN, assets=assets))
    scene = ingest([raster, tmp_path / "item.json"], library)
    assert scene.bands == ("B02", "B03", "B04", "B8A")
    np.testing.assert_array_equal(read_scene(scene.directory), fields())
    assert [line.value for line in load_quality(scene.directory).findings if line.topic == "stated by"] == ["item.json"]
