"""The file of the ground: it covers the world, and says of known places what atlases say."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from core.imagery.ground.shapes import (
    BORDERS,
    DETAILS,
    LAKES,
    LAND,
    NEAR_DETAIL,
    SHAPES_FILE,
    cells_in,
    level_of,
    rings_in,
)

WORLD = (-180.0, -90.0, 180.0, 90.0)
MOST_BYTES = 3_000_000


def test_the_files_are_small() -> None:
    files = [SHAPES_FILE, SHAPES_FILE.with_name("places.csv.gz")]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES


@pytest.mark.parametrize("level", range(len(DETAILS) - 1))
def test_land_has_the_area_of_the_earths(level: int) -> None:
    globe, square_km = Geod(ellps="WGS84"), 0.0
    for ring in rings_in(LAND, level, WORLD):
        area, _ = globe.polygon_area_perimeter(*ring.places.T)
        square_km += (-1 if ring.hole else 1) * abs(area) / 1e6
    assert square_km == pytest.approx(147.5e6, rel=0.015), "149 million in atlases, the Caspian Sea left out"


@pytest.mark.parametrize("layer", [LAND, LAKES, BORDERS])
def test_each_ring_stays_in_a_cell(layer: str) -> None:
    for level, grid in enumerate(DETAILS):
        for west, south in ((-180, 45), (0, 45), (90, 0)):
            for ring in rings_in(layer, level, (west + 1e-6, south + 1e-6, west + 1.0, south + 1.0)):
                low = np.array([west // grid.cell * grid.cell, south // grid.cell * grid.cell])
                assert (ring.places >= low - 1e-9).all()
                assert (ring.places <= low + grid.cell + 1e-9).all()
                assert len(ring.real) == len(ring.places) - 1


def test_rings_close_and_edges_of_cells_are_no_coast() -> None:
    inland = list(rings_in(LAND, NEAR_DETAIL, (21.0, 21.0, 24.0, 24.0)))  # the Sahara: one full cell
    assert len(inland) == 1
    assert not inland[0].real.any()
    for ring in rings_in(LAND, NEAR_DETAIL, (10.0, 40.0, 15.0, 45.0)):
        assert (ring.places[0] == ring.places[-1]).all()


def test_cells_of_a_box() -> None:
    assert len(cells_in(0, WORLD)) == 8
    assert len(cells_in(NEAR_DETAIL, (0.1, 0.1, 4.9, 4.9))) == 1
    assert cells_in(NEAR_DETAIL, (200.0, 0.0, 210.0, 5.0)) == []
    assert [level_of(zoom) for zoom in (0, 3, 4, 6, 7, 12)] == [0, 0, 1, 1, 2, 2]
