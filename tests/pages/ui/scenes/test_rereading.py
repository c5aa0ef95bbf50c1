"""What the form of a rereading shows first, and what it asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.ingest.bands.calibration import UNITS, calibration
from core.ingest.settings import SCALE_NAMES, IngestSettings
from core.scenes.library import Library
from core.scenes.quality import Basis, Finding, QualityRecord
from core.scenes.scene import Scene
from pages.ui.scenes.rereading import decided_settings, merged_settings
from tests.scenes import add_scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return add_scene(Library(tmp_path))


def record(*findings: Finding, **settings: object) -> QualityRecord:
    return QualityRecord(source="test", findings=findings, settings=settings)


def bands(value: str, basis: Basis) -> Finding:
    return Finding(topic="bands", value=value, basis=basis, because="for a test")


@pytest.mark.parametrize("scale", [name for name in SCALE_NAMES if name != "auto"])
def test_every_scale_that_is_decided_is_shown(scene: Scene, scale: str) -> None:
    found = calibration(scale, "decided", "for a test").findings
    assert decided_settings(scene, record(*found)).scale == scale
    assert scale in {name for unit, of in UNITS.items() for name in (unit, of.lifted)}


def test_a_scale_that_no_setting_says_is_left_open(scene: Scene) -> None:
    line = Finding(topic="scale", value="number × scale + offset", basis="read", because="for a test")
    assert decided_settings(scene, record(line)).scale == "auto"


def test_bands_are_shown_where_their_order_in_the_file_is_known(scene: Scene) -> None:
    assert decided_settings(scene, record(bands("B04, B03, B02", "decided"))).bands == ("B04", "B03", "B02")
    assert decided_settings(scene, record(bands("B02, B03, B04", "read"))).bands is None
    chosen = record(bands("B02, B03, B04", "chosen"), bands=["B04", "-", "B02", "B03"])
    assert decided_settings(scene, chosen).bands == ("B04", "-", "B02", "B03")


def test_what_cannot_be_set_is_not_shown(scene: Scene) -> None:
    early = replace(scene, date="1999-01-01", level="L2A", grid=replace(scene.grid, crs='LOCAL_CS["x"]'))
    found = decided_settings(early, record())
    assert (found.date, found.crs, found.level) == (None, None, "L2A")


def test_only_what_was_changed_is_asked_for() -> None:
    before = IngestSettings(date="2020-01-01", nodata=-5.0)
    decided = IngestSettings(scale="dn", level="L1C", date="2020-01-01", crs="EPSG:32631")
    assert merged_settings(decided, decided, before) == before
    form = replace(decided, level="L2A")
    assert merged_settings(form, decided, before) == replace(before, level="L2A")
    assert merged_settings(replace(decided, date=None), decided, before) == replace(before, date=None)
