"""What scenes state of themselves that may make them unfamiliar, each put into one sentence with a remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.bands import BAND_NAMES
from core.config import settings
from core.encoders.registry import SHIPPED, describe
from core.evaluation.novelty_causes import REMEDIES, NoveltyCause, novelty_causes
from core.scenes.geobox import GeoBox
from core.scenes.quality import Finding, QualityRecord
from core.scenes.scene import Scene

WITHOUT_CIRRUS = tuple(name for name in BAND_NAMES if name != "B10")


def place(side: float, crs: str = "EPSG:32631", north: float = 5_600_000) -> GeoBox:
    return GeoBox(crs=crs, transform=(side, 0, 500_000, 0, -side, north), height=640, width=640)


def scene(**fields: Any) -> Scene:
    """A plain scene of an encoder's own kind in Belgium in July, but for some fields."""
    plain: dict[str, Any] = {"id": "one", "name": "one", "grid": place(10), "bands": BAND_NAMES, "level": "L1C"}
    return Scene(**plain | {"date": "2019-07-11"} | fields)


def record(*findings: Finding) -> QualityRecord:
    return QualityRecord(source="some.tif", findings=findings, settings={})


def line(topic: str, value: str, basis: Any) -> Finding:
    return Finding(topic=topic, value=value, basis=basis, because="so it is")


def causes(one: Scene, *findings: Finding, share: float = 0.5) -> dict[str, NoveltyCause]:
    spec = describe(SHIPPED, settings())
    found = novelty_causes(one, spec, record(*findings), share)
    assert all(cause.sentence.endswith((".", ")")) and cause.remedy in {"", *REMEDIES} for cause in found)
    assert len({cause.name for cause in found}) == len(found)
    return {cause.name: cause for cause in found}


def test_of_a_plain_scene_nothing_is_named() -> None:
    said = (line("scale", "reflectance × 10,000", "read"), line("cloud", "1.5 % of the whole product", "read"))
    assert causes(scene(), *said, share=0.15) == {}
    assert novelty_causes(scene(), describe(SHIPPED, settings()), None, 0.1) == ()


def test_where_much_is_unfamiliar_and_nothing_says_why_that_is_said_with_a_way_on() -> None:
    (cause,) = novelty_causes(scene(), describe(SHIPPED, settings()), None, 0.16)
    assert (cause.name, cause.remedy) == ("unknown", "read")
    assert "unknown" not in causes(scene(level="L2A", bands=WITHOUT_CIRRUS))


def test_the_level_is_named_and_whether_it_is_converted() -> None:
    ground = scene(level="L2A", bands=WITHOUT_CIRRUS)
    spec = describe(SHIPPED, settings())
    (cause,) = novelty_causes(ground, spec, record(), 0.1)
    assert cause.name == "level"
    assert cause.sentence.startswith("L2A: ")
    assert causes(scene(level=None), share=0.0)["level"].remedy == "read"


@pytest.mark.parametrize(
    ("side", "words"), [(14.2, "14 m pixels: coarser"), (20, "20 m pixels: coarser"), (5, "5.0 m pixels: finer")]
)
def test_the_size_of_pixels_is_named_with_resampling(side: float, words: str) -> None:
    cause = causes(scene(grid=place(side)), share=0.0)["pixels"]
    assert cause.sentence.startswith(words)
    assert cause.sentence.endswith("resample to 10 m.")
    assert cause.remedy == "resample"
    assert "pixels" not in causes(scene(grid=place(10.4)))
    assert "pixels" not in causes(scene(grid=replace(place(side), crs=None)))


def test_missing_bands_are_named_with_what_stands_in() -> None:
    few = ("B02", "B03", "B04", "B08", "B8A", "B09", "B11")
    cause = causes(scene(bands=few), share=0.0)["bands"]
    assert cause.sentence.startswith("4 bands are missing, and others stand in: B04 for B05, ")
    assert "B11 for B12" in cause.sentence
    assert "B10" not in cause.sentence
    assert "zero for B10" in causes(scene(bands=few), share=0.5)["bands"].sentence


def test_what_the_record_doubts_is_named() -> None:
    doubted = causes(
        scene(),
        line("scale", "reflectance × 1,000", "assumed"),
        line("bands", "B02, B03, B04", "assumed"),
        line("sensor", "Landsat 8 or 9", "warning"),
        line("cloud", "34.0 % of the whole product", "read"),
    )
    assert list(doubted) == ["sensor", "scale", "order", "cloud"]
    assert "reflectance × 1,000 (so it is)" in doubted["scale"].sentence
    assert doubted["scale"].remedy == doubted["order"].remedy == "read"
    assert doubted["cloud"].sentence.startswith("Cloud: 34% of the whole product")
    measured = causes(scene(classification=True), line("cloud", "12.0% under cloud, 1.0% in its shadow", "read"))
    assert measured["cloud"].remedy == "cloud"
    assert measured["cloud"].sentence.startswith("Cloud: 12% of it is")


def test_what_most_patches_look_misread_by_is_named_where_much_is_unfamiliar() -> None:
    spec = describe(SHIPPED, settings())

    def named(share: float, **flaws: float) -> list[str]:
        return [cause.name for cause in novelty_causes(scene(), spec, record(), share, flaws)]

    assert named(0.5, offset=0.9, exchanged=0.1, shifted=1.0) == ["offset"]
    assert named(0.5, offset=0.9, exchanged=0.9) == ["exchanged"]
    assert named(0.5, offset=0.7, exchanged=0.6) == ["exchanged"], "water shows it less"
    assert named(0.5, offset=0.7, exchanged=0.4, shifted=1.0) == ["unknown"]
    assert named(0.1, offset=0.9) == []


@pytest.mark.parametrize(
    ("date", "grid", "words"),
    [
        ("2019-01-11", place(10), "Winter: January 2019 at 51° north"),
        ("2019-07-11", place(10), None),
        ("2019-07-11", place(10, "EPSG:32731", 6_000_000), "Winter: July 2019 at 36° south"),
        ("2019-01-11", place(10, "EPSG:32731", 6_000_000), None),
        ("2019-01-11", place(10, north=1_000_000), None),
        ("2019-03-11", place(10, north=6_700_000), "Winter: March 2019 at 60° north"),
        (None, place(10), None),
        ("2019-01-11", replace(place(10), crs=None), None),
    ],
)
def test_winter_is_named_by_date_and_hemisphere(date: str | None, grid: GeoBox, words: str | None) -> None:
    found = causes(scene(date=date, grid=grid))
    assert found["season"].sentence.startswith(words) if words else "season" not in found
    assert "season" not in causes(scene(date=date, grid=grid), share=0.05)


def test_a_collection_cannot_be_resampled_and_a_synthetic_scene_is_called_so(tmp_path: Path) -> None:
    assert causes(scene(synthetic=True))["synthetic"].remedy == ""
