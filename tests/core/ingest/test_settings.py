"""Settings of the ingest: ranges, round trip, and a digest that tells them apart."""

from __future__ import annotations

import math
from typing import Any

import pytest

from core.errors import SettingsError
from core.ingest.settings import IngestSettings, settings_from_dict


@pytest.mark.parametrize(
    "fields",
    [
        {"bands": ("B02", "B13")},
        {"bands": ("B02", "B02")},
        {"scale": "percent"},
        {"date": "2020-13-01"},
        {"date": "yesterday"},
        {"date": "1850-01-01"},
        {"level": "L3"},
        {"crs": "+proj=utm +zone=33"},
        {"crs": "http://example.invalid/crs"},
        {"crs": "EPSG:32633 "},
        {"crs": "EPSG:999999"},
        {"crs": "EPSG:4978"},
        {"crs": "EPSG:5703"},
        {"nodata": math.inf},
        {"time": -1},
    ],
)
def test_out_of_range(fields: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"Setting “{next(iter(fields))}” of the ingest"):
        IngestSettings(**fields)


@pytest.mark.parametrize(
    "settings",
    [
        IngestSettings(),
        IngestSettings(
            bands=("B02", "-", "B8A"), scale="dn+1000", date="2020-02-29", level="L1C", crs="EPSG:3413", time=3
        ),
        IngestSettings(nodata=math.nan),
        IngestSettings(nodata=-9999.0),
    ],
)
def test_round_trip(settings: IngestSettings) -> None:
    again = settings_from_dict(settings.to_dict())
    assert again.digest == settings.digest
    assert again.to_dict() == settings.to_dict()


def test_digest_tells_settings_apart() -> None:
    different = [
        IngestSettings(),
        IngestSettings(scale="dn"),
        IngestSettings(nodata=0),
        IngestSettings(nodata=math.nan),
    ]
    assert len({settings.digest for settings in different}) == len(different)


@pytest.mark.parametrize("fields", [{"colour": 1}, {"bands": 3}, {"nodata": "much"}])
def test_unknown_fields(fields: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        settings_from_dict(fields)
