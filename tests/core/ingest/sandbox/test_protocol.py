"""What the child says is taken field by field: anything out of form is turned down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import SourceError, UnsafeSourceError
from core.ingest.sandbox.protocol import IngestResult, PlacedPatch, error_from_dict, error_to_dict, result_from_dict
from core.scenes.geobox import GeoBox
from core.scenes.quality import Finding

GRID = GeoBox(crs="EPSG:32633", transform=(10.0, 0.0, 4e5, 0.0, -10.0, 5e6), height=64, width=80)
GOOD = IngestResult(
    grid=GRID,
    bands=("B02", "B03", "B8A"),
    kind="collection",
    patch_size=16,
    classes=("a",),
    date="2020-02-02",
    level="L1C",
    findings=(Finding(topic="bands", value="x", basis="read", because="y", override="bands"),),
    places=(
        PlacedPatch(name="a.tif", label="a", corners=(1.0,) * 8, crs="EPSG:32633"),
        PlacedPatch(name="b.tif", label=None, corners=(float("nan"),) * 8, crs=None),
    ),
)


def spoken() -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(json.dumps(GOOD.to_dict(), allow_nan=False))
    return fields


def test_round_trip() -> None:
    assert repr(result_from_dict(spoken())) == repr(GOOD)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("grid.crs", "http://example.invalid/crs"),
        ("grid.crs", "+proj=utm +zone=33 +nadgrids=secret"),
        ("grid.crs", 'PROJCS["x",EXTENSION["PROJ4","+nadgrids=secret"]]'),
        ("grid.crs", "file.prj"),
        ("grid.height", -1),
        ("grid.height", 1.5),
        ("grid.width", True),
        ("grid.transform", [1, 2, 3]),
        ("grid.transform", [1, 2, 3, 4, 5, "six"]),
        ("bands", ["B03", "B02"]),
        ("bands", ["B99"]),
        ("kind", "film"),
        ("level", "L9"),
        ("date", "soon"),
        ("patch_size", 4),
        ("classes", [3]),
        ("findings.0.basis", "sure"),
        ("findings.0.override", "rm"),
        ("findings.0.topic", 5),
        ("places.0.corners", [1, 2]),
        ("places.0.name", None),
        ("places.0.crs", "/etc"),
    ],
)
def test_fields_out_of_form(path: str, value: object) -> None:
    fields = spoken()
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = fields
    for step in way:
        place = place[step]
    place[last] = value
    with pytest.raises((ValueError, KeyError, TypeError)):
        result_from_dict(fields)


def test_errors() -> None:
    error = UnsafeSourceError("Opening “a”", "it is bad", "choose another")
    assert str(error_from_dict(error_to_dict(error))) == str(error)
    assert isinstance(error_from_dict(error_to_dict(error)), UnsafeSourceError)
    loud = error_from_dict({"kind": "SystemExit", "asked": "a\nb", "found": "c" * 9000, "remedy": "d"})
    assert type(loud) is SourceError
    assert "\n" not in str(loud)
    assert len(str(loud)) < 500
