"""Coordinates as people write them, against pyproj, and the patch that lies there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyproj import Transformer

from core.errors import PatchError, SettingsError
from core.features.table import PatchTable
from core.scenes.cut import Cut
from core.scenes.library import Library
from core.scenes.patches import centres_lonlat, patch_grid
from core.scenes.scene import Scene
from core.search.coordinates import are_coordinates, find_spot, read_spots
from tests.scenes import add_scene


@pytest.mark.parametrize(
    ("text", "lonlat"),
    [
        ("53.55, 9.99", (9.99, 53.55)),
        ("-33.9 18.4", (18.4, -33.9)),
        ("9.99° E, 53.55° N", (9.99, 53.55)),
        ("33.9S;18.4W", (-18.4, -33.9)),
        ("N 53.55 E 9.99", (9.99, 53.55)),
        ("W18.4, S33.9", (-18.4, -33.9)),
        ("53°33′0″N 9°59′24″E", (9.99, 53.55)),
        ("9° 59.4' E, 53° 33' N", (9.99, 53.55)),
        ("53 33 0 N 9 59 24 E", (9.99, 53.55)),
        ("37° 12' 30\", -75° 54'", (-75.9, 37 + 12.5 / 60)),
        ("−33,9; 18,4", (18.4, -33.9)),
        ("53,55 9,99", (9.99, 53.55)),
        ("95, 10", (95, 10)),
    ],
)
def test_degrees_are_read_as_people_write_them(text: str, lonlat: tuple[float, float]) -> None:
    found = read_spots(text)[0]
    assert (found.lon, found.lat) == pytest.approx(lonlat, abs=1e-9)
    assert found.note == ""
    assert are_coordinates(text)


def test_two_numbers_may_be_meant_the_other_way_round_and_it_is_said() -> None:
    first, second = read_spots("9.99, 53.55")
    assert (first.lon, second.lon) == (53.55, 9.99)
    assert "longitude before latitude" in second.note


@pytest.mark.parametrize("text", ["32N 565000 5934000", "UTM 32 U, 565000mE 5934000mN", "zone 32u 565000, 5934000"])
def test_utm_is_read_with_its_zone(text: str) -> None:
    (found,) = read_spots(text)
    wanted = Transformer.from_crs("EPSG:32632", "EPSG:4326", always_xy=True).transform(565_000, 5_934_000)
    assert (found.lon, found.lat) == pytest.approx(wanted, abs=1e-9)
    assert are_coordinates(text)


def test_two_small_numbers_are_no_metres() -> None:
    with pytest.raises(SettingsError, match="there is no latitude 99 with longitude 200"):
        read_spots("99, 200", "EPSG:32618")


def test_the_letter_s_of_utm_is_a_band_of_the_north_or_says_south() -> None:
    north, south = read_spots("18S 431250 4118750")
    assert north.lat == pytest.approx(37.2, abs=0.05)
    assert south.lat < 0
    assert "band S" in north.note
    assert "south" in south.note
    (other,) = read_spots("35K 500000 7600000")
    assert other.lat < 0


def test_numbers_may_be_of_the_scenes_own_reference_system() -> None:
    wanted = Transformer.from_crs("EPSG:32631", "EPSG:4326", always_xy=True).transform(600_500, 5_699_500)
    for text in ("600500 5699500", "600500.0, 5699500.0"):
        assert (read_spots(text, "EPSG:32631")[0].lon, read_spots(text, "EPSG:32631")[0].lat) == pytest.approx(wanted)
    with pytest.raises(SettingsError, match="there is no latitude"):
        read_spots("600500 5699500")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hamburg",
        "53.5",
        "1 N, 2 S",
        "1 E, 2 W",
        "10, 190",
        "53° 77' N 9° E",
        "53.5° 20' N 9° E",
        "9" * 90,
        "95N 9E",
    ],
)
def test_what_are_no_coordinates_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"write latitude, longitude"):
        read_spots(text)


def test_a_minus_beside_a_letter_is_refused_for_it_may_mean_either_half_of_the_earth() -> None:
    with pytest.raises(SettingsError, match=r"“-33.9 S” has a minus and a letter; leave one of the two out"):
        read_spots("-33.9 S, 18.4 E")


@pytest.mark.parametrize(
    ("text", "why"), [("75N 565000 5934000", "no UTM zone 75N"), ("32N 5934000 565000", "lies in no UTM zone")]
)
def test_utm_that_cannot_be_is_refused(text: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        read_spots(text)


@pytest.mark.parametrize("text", ["lake", "group 3", "dry grass", "class 1 or 2", "NDVI", "", "2024 floods 3"])
def test_words_are_no_coordinates(text: str) -> None:
    assert not are_coordinates(text)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return add_scene(Library(tmp_path))


def table(count: int, *, without: int = -1) -> PatchTable:
    ids = np.array([patch for patch in range(count) if patch != without])
    unit = np.ones((len(ids), 1), np.float32)
    return PatchTable(patch_ids=ids, unit=unit, band_mean=np.zeros((len(ids), 13)), band_std=np.zeros((len(ids), 13)))


def test_the_patch_at_a_place_is_found_however_the_place_is_written(scene: Scene) -> None:
    grid = patch_grid(scene, Cut.of(64))
    centres = centres_lonlat(scene, grid, np.arange(grid.count))
    assert centres is not None
    lon, lat = centres[7]
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:32631", always_xy=True).transform(lon, lat)
    for text in (f"{lat}, {lon}", f"{lon} {lat}", f"{x:.0f} {y:.0f}", f"31U {x:.0f} {y:.0f}", f"{lon}E {lat}N"):
        assert find_spot(text, scene, grid, table(grid.count)).patch == 7, text
    with pytest.raises(PatchError, match="too little data"):
        find_spot(f"{lat}, {lon}", scene, grid, table(grid.count, without=7))


def test_a_place_outside_is_told_with_where_the_scene_lies(scene: Scene, tmp_path: Path) -> None:
    grid = patch_grid(scene, Cut.of(64))
    with pytest.raises(SettingsError, match=r"km north of the scene; the scene reaches from 51\.\d+° N, 4\.\d+° E to"):
        find_spot("52.5, 4.45", scene, grid, table(grid.count))
    nowhere = add_scene(Library(tmp_path), "t-2", crs=None)
    with pytest.raises(SettingsError, match="not known where this scene lies"):
        find_spot("52.5, 4.45", nowhere, grid, table(grid.count))
