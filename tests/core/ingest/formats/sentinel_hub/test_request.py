"""A request of Sentinel Hub beside its answer: what it states counts, and what is not plain is left unstated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import SourceError
from core.ingest.boundary import ingest
from core.ingest.formats.sentinel_hub.evalscript import plain_outputs
from core.ingest.formats.sentinel_hub.request import hub_requests
from core.ingest.grouping import sources_of
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import land, read_scene, write_tif
from tests.core.ingest.test_refusals import refused

BANDS = ("B08", "B04", "B03", "B02")
HEAD = "//VERSION=3\nfunction setup() { return { input: "


def script(value: str, output: str, given: str = '["B02", "B03", "B04", "B08", "dataMask"]') -> str:
    return f"{HEAD}{given}, output: {output} }}; }}\nfunction evaluatePixel(s, scenes) {{\n  return {value};\n}}\n"


def listed(times: str = "", bands: tuple[str, ...] = BANDS) -> str:
    return "[" + ", ".join(f"s.{band}{times}" for band in bands) + "]"


SIXTEEN, FLOATS = '{ bands: 4, sampleType: "UINT16" }', '[{ bands: 4, sampleType: "FLOAT32" }]'


def request_text(evalscript: str, *, wrap: str = "payload", **data: Any) -> str:
    days = {"from": "2021-06-01T00:00:00Z", "to": data.pop("to", "2021-06-01T23:59:59Z")}
    one = {"type": "sentinel-2-l2a", "dataFilter": {"timeRange": days}} | data
    crs = "http://www.opengis.net/def/crs/EPSG/0/32633"
    bounds = {"bbox": [400_000, 4_999_360, 400_800, 5_000_000], "properties": {"crs": crs}}
    return json.dumps({wrap: {"input": {"bounds": bounds, "data": [one]}, "evalscript": evalscript}, "url": "x"})


def found(scene_directory: Path) -> dict[str, str]:
    return {line.topic: line.value for line in load_quality(scene_directory).findings}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("value", "output", "given", "factor", "kind"),
    [
        (listed(" * 10000"), SIXTEEN, None, 1.0, "uint16"),
        (listed("*65535"), SIXTEEN, None, 6.5535, "uint16"),
        (listed(" * 2.5 * 1000"), SIXTEEN, None, 0.25, "uint16"),
        (listed(), FLOATS, None, 1e-4, "float32"),
        (listed(" / 2"), FLOATS, None, 5e-5, "float32"),
        (listed(), SIXTEEN, '[{ bands: ["B02", "B03", "B04", "B08"], units: "DN" }]', 1.0, "uint16"),
        (listed(), '{ bands: 4, sampleType: "UINT16" }', '{ bands: ["B02","B03","B04","B08"], units: ["dn"] }', 1.0,
         "uint16"),
    ],
)  # fmt: skip
def test_what_a_request_states_counts(
    tmp_path: Path, library: Library, value: str, output: str, given: str | None, factor: float, kind: str
) -> None:
    text = script(value, output) if given is None else script(value, output, given)
    pixels = (land(BANDS) + 900.0) * factor  # So bright that pixels tell neither unit nor offset.
    stored = np.rint(pixels).astype(kind) if kind == "uint16" else pixels.astype(kind)
    write_tif(tmp_path / "response.tiff", stored)
    (tmp_path / "request.json").write_text(request_text(text))
    scene = ingest([tmp_path / "request.json", tmp_path / "response.tiff"], library)
    assert (scene.date, scene.level, scene.bands) == ("2021-06-01", "L2A", ("B02", "B03", "B04", "B08"))
    right = (land(BANDS) + 900)[::-1]
    assert np.abs(read_scene(scene.directory).astype(int) - right).max() <= 0.6 / factor * (kind == "uint16") + 1


@pytest.mark.usefixtures("here")
def test_a_mask_is_a_mask_and_several_outputs_are_told_by_their_names(tmp_path: Path, library: Library) -> None:
    value = "{ default: [s.B04 * 10000, s.B03 * 10000], rest: [s.B02*10000, s.B08*10000, s.dataMask] }"
    output = '[{ id: "default", bands: 2, sampleType: "UINT16" }, { id: "rest", bands: 3, sampleType: "UINT16" }]'
    mask = np.ones((1, 64, 80), dtype=np.uint16)
    mask[0, :10] = 0
    write_tif(tmp_path / "default.tif", land(["B04", "B03"]))
    write_tif(tmp_path / "rest.tif", np.concatenate([land(["B02", "B08"]), mask]))
    (tmp_path / "request-1.json").write_text(request_text(script(value, output), wrap="processRequest"))
    paths = [tmp_path / name for name in ("default.tif", "rest.tif", "request-1.json")]
    assert sources_of(paths) == [paths]
    scene = ingest(paths, library)
    right = land(["B02", "B03", "B04", "B08"])
    right[:, :10] = 0
    np.testing.assert_array_equal(read_scene(scene.directory), right)


@pytest.mark.usefixtures("here")
def test_of_a_range_of_days_the_date_is_not_known(tmp_path: Path, library: Library) -> None:
    text = request_text(script(listed(" * 10000"), SIXTEEN), to="2021-06-30T23:59:59Z", type="sentinel-2-l1c")
    write_tif(tmp_path / "S2_20210601.tif", land(BANDS), BANDS)
    (tmp_path / "request.json").write_text(text)
    scene = ingest([tmp_path / "S2_20210601.tif", tmp_path / "request.json"], library)
    assert (scene.date, scene.level) == (None, "L1C")
    line = next(line for line in load_quality(scene.directory).findings if line.topic == "date")
    assert "2021-06-01 to 2021-06-30" in line.because


@pytest.mark.usefixtures("here")
def test_a_file_of_another_day_is_no_answer(tmp_path: Path, library: Library) -> None:
    write_tif(tmp_path / "S2B_MSIL1C_20190303T100000.tif", land(BANDS), BANDS)
    (tmp_path / "request.json").write_text(request_text(script(listed(" * 10000"), SIXTEEN)))
    scene = ingest([tmp_path / "S2B_MSIL1C_20190303T100000.tif", tmp_path / "request.json"], library)
    assert (scene.date, scene.level) == ("2019-03-03", "L1C")


@pytest.mark.usefixtures("here")
def test_an_answer_without_a_place_lies_where_it_was_asked_for(tmp_path: Path, library: Library) -> None:
    write_tif(tmp_path / "response.tiff", land(BANDS), crs=None, transform=None)
    (tmp_path / "request.json").write_text(request_text(script(listed(" * 10000"), SIXTEEN)))
    scene = ingest([tmp_path / "response.tiff", tmp_path / "request.json"], library)
    assert scene.grid.transform == (10, 0, 400_000, 0, -10, 5_000_000)


@pytest.mark.usefixtures("here")
def test_data_of_another_satellite_are_refused(tmp_path: Path, library: Library) -> None:
    write_tif(tmp_path / "response.tiff", land(BANDS))
    (tmp_path / "request.json").write_text(request_text(script(listed(), SIXTEEN), type="landsat-ot-l2"))
    paths = [tmp_path / "response.tiff", tmp_path / "request.json"]
    assert "asks for “landsat-ot-l2”, which is no Sentinel-2" in refused(paths, library)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("value", "data"),
    [
        ("[s.B04, s.B03, s.B02, (s.B08 - s.B04)]", {}),
        (listed(), {"processing": {"harmonizeValues": False}}),
        ("s.map(x => x)", {}),
    ],
)
def test_what_is_not_plain_is_asked(tmp_path: Path, library: Library, value: str, data: dict[str, Any]) -> None:
    asked = '[{ bands: ["B02", "B03", "B04", "B08"], units: "DN" }]'
    write_tif(tmp_path / "response.tiff", land(BANDS) + 900)
    (tmp_path / "request.json").write_text(request_text(script(value, SIXTEEN, asked), **data))
    with pytest.raises(SourceError, match=r"names of the bands|offset of 0\.1 or not"):
        ingest([tmp_path / "response.tiff", tmp_path / "request.json"], library)


def test_days_are_those_of_universal_time() -> None:
    days = {"timeRange": {"from": "2021-06-01T00:00:00+10:00", "to": "2021-06-01T23:59:59+10:00"}}
    (asked,) = hub_requests({"request.json": request_text("", dataFilter=days)}).values()
    assert (asked.first, asked.last) == ("2021-05-31", "2021-06-01")


@pytest.mark.parametrize(
    ("box", "code"),
    [
        ([10**400, 1, 10**401, 2], 32633),
        ([-1e300, -1e300, 1e300, 1e300], 32633),
        ([0, 0, 5e-324, 5e-324], 32633),
        ([1, 1, 2, 2], 999999),
        ([1, 1, 2, 2], 5773),
        ([1, 1, 2, 2], 4978),
    ],
)
def test_a_place_that_is_none(box: list[float], code: int) -> None:
    asked = json.loads(request_text(""))
    crs = f"http://www.opengis.net/def/crs/EPSG/0/{code}"
    asked["payload"]["input"]["bounds"] = {"bbox": box, "properties": {"crs": crs}}
    (found,) = hub_requests({"request.json": json.dumps(asked)}).values()
    assert found.bounds is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        script(listed(), SIXTEEN).replace("VERSION=3", "VERSION=2"),
        script("[s.B05, s.B04]", SIXTEEN),
        script("[s.B04 + s.B03, s.B02]", SIXTEEN),
        script("[-1 * s.B04]", SIXTEEN),
        script("[s.B04 / 0]", SIXTEEN),
        script("[s[0].B04]", SIXTEEN),
        script("[s.B04]", SIXTEEN).replace("output:", 'mosaicking: "ORBIT", output:'),
        script("[s.B04]", SIXTEEN).replace("return [", "if (s.B02 > 1) return [0]; return ["),
        script("[s.B04]", SIXTEEN, '[{bands: ["B04"]}, {bands: ["B03"]}]'),
        script("[s.B04]", SIXTEEN, '{bands: ["B04", "B03"], units: ["DN", "DN", "DN"]}'),
        script("[s.B04]", '{ id: "other", bands: 1 }'),
        script("[s.B04]", SIXTEEN) + "function evaluatePixel(s) { return [0]; }",
        "//VERSION=3" + "{" * 30_000,
        script("[s.B04 * 1e999]", SIXTEEN),
        script("[s.B04]", SIXTEEN, '[{bands: ["B04"], units: UNITS}]'),
        script("[s.B04]", SIXTEEN).partition("return [")[0] + "return" + " " * 19_000,
    ],
)  # fmt: skip
def test_scripts_that_are_left_unstated(text: str) -> None:
    assert plain_outputs(text) == {}


def test_remarks_and_other_ways_to_write_a_script() -> None:
    text = script(
        "{\n default: [ s.B04 * 2.5, /* red */ 1e4 * s.B03, s.dataMask, ], }", '[{"id": "default", bands: 3}]'
    )
    outputs = plain_outputs(text.replace("return {\n", "return { // outputs\n"))
    assert [(band.name, band.factor) for band in outputs["default"].bands] == [
        ("B04", 2.5), ("B03", 1e4), ("dataMask", 1),
    ]  # fmt: skip
    assert outputs["default"].kind == "AUTO"
