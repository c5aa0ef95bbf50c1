"""Outlines of patches as RFC 7946 and GeoParquet want them: counterclockwise, cut at the antimeridian; and as WKB."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Point = tuple[float, float]
Ring = list[Point]
"""A closed ring: the last point is the first; counterclockwise; longitude before latitude, in degrees."""

Corners = NDArray[np.float64]

_SQUARE_BYTES = 93  # byte order, type, one ring, five points, ten doubles


def rings(corners: Corners) -> list[Ring]:
    """The outline of one patch: one ring, or several where it crosses the antimeridian; none where unknown.

    A patch round a pole becomes the band of all longitudes from its outline to the pole (RFC 7946, section 3.1.9,
    asks for the cut; how to draw a pole it leaves open).

    Args:
        corners: shape (4, 2), longitude and latitude in order round the patch; longitudes may exceed ±180.
    """
    if not np.isfinite(corners).all():
        return []
    outline = _unrolled(corners)
    west, east = min(x for x, _ in outline), max(x for x, _ in outline)
    first, last = np.floor((west + 180) / 360), np.ceil((east + 180) / 360)
    cut = []
    for turn in range(int(first), max(int(last), int(first) + 1)):
        part = _clipped(_clipped(outline, 360.0 * turn - 180, 1), 360.0 * turn + 180, -1)
        part = [(x - 360.0 * turn, y) for x, y in part]
        if abs(signed_area(part)) > 0:
            cut.append(_closed(part))
    return cut


def _unrolled(corners: Corners) -> Ring:
    """Corners with each longitude near the one before; round a pole, the band up to the pole."""
    outline: Ring = [(float(corners[0, 0]), float(corners[0, 1]))]
    for lon, lat in [*corners[1:].tolist(), corners[0].tolist()]:
        before = outline[-1][0]
        outline.append((lon - 360 * round((lon - before) / 360), lat))
    turned = outline[-1][0] - outline[0][0]
    if abs(turned) < 180:
        return outline[:-1]
    return _band(outline if turned > 0 else outline[::-1])


def _band(line: Ring) -> Ring:
    """All between a line once round the Earth, eastwards, and the pole near it, beginning at the antimeridian."""
    pole = 90.0 if line[0][1] > 0 else -90.0
    seam = 360 * np.ceil((line[0][0] - 180) / 360) + 180
    crossing = float(np.interp(seam, [x for x, _ in line], [y for _, y in line]))
    west = [(x, y) for x, y in line[:-1] if x < seam]
    east = [(x - 360, y) for x, y in line[:-1] if x >= seam]
    return [(seam - 360, crossing), *east, *west, (seam, crossing), (seam, pole), (seam - 360, pole)]


def _clipped(ring: Ring, meridian: float, side: int) -> Ring:
    """The part of an open ring east (side 1) or west (side −1) of a meridian (Sutherland and Hodgman, 1974)."""
    kept: Ring = []
    for (x0, y0), (x1, y1) in pairwise([*ring, *ring[:1]]):
        inside = side * (x0 - meridian) >= 0
        if inside:
            kept.append((x0, y0))
        if inside != (side * (x1 - meridian) >= 0):
            kept.append((meridian, y0 + (y1 - y0) * (meridian - x0) / (x1 - x0)))
    return kept


def signed_area(ring: Sequence[Point]) -> float:
    """Area of a ring in square degrees, positive when counterclockwise."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise([*ring, *ring[:1]])) / 2


def _closed(ring: Ring) -> Ring:
    """The ring counterclockwise, its first point repeated at its end, none doubled on the way."""
    single = [point for before, point in pairwise([ring[-1], *ring]) if point != before]
    single = single if signed_area(single) > 0 else single[::-1]
    return [*single, single[0]]


def geojson_geometry(corners: Corners) -> dict[str, object] | None:
    """The outline of one patch as a GeoJSON geometry with seven decimals (a centimetre); None where unknown."""
    parts = [[[[round(x, 7), round(y, 7)] for x, y in ring]] for ring in rings(corners)]
    if not parts:
        return None
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}


def wkb_array(corners: Corners) -> tuple[pa.Array, set[str]]:
    """Outlines of all patches as little-endian WKB, null where unknown, and the geometry types among them.

    Args:
        corners: shape (N, 4, 2), as in ``rings``.
    """
    known = _known(corners)
    lon = np.where(known[:, None], corners[:, :, 0], 0)
    plain = known & (np.abs(lon).max(axis=1) <= 180) & (np.ptp(lon, axis=1) < 90)
    squares = iter(_squares(corners[plain]))
    values: list[bytes | None] = []
    kinds = {"Polygon"} if plain.any() else set()
    for position in range(len(corners)):
        if plain[position]:
            values.append(next(squares))
        else:
            parts = rings(corners[position])
            values.append(_wkb(parts) if parts else None)
            kinds |= {"Polygon" if len(parts) == 1 else "MultiPolygon"} if parts else set()
    return pa.array(values, type=pa.binary()), kinds


def _squares(corners: Corners) -> Iterator[bytes]:
    """WKB of many four-cornered outlines that stay clear of the antimeridian."""
    x, y = corners[:, :, 0], corners[:, :, 1]
    twice = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1)
    turned = np.where((twice > 0)[:, None, None], corners, corners[:, ::-1])
    table = np.zeros(
        len(corners), dtype=[("order", "u1"), ("type", "<u4"), ("rings", "<u4"), ("points", "<u4"), ("xy", "<f8", 10)]
    )
    table["order"], table["type"], table["rings"], table["points"] = 1, 3, 1, 5
    table["xy"] = np.concatenate([turned, turned[:, :1]], axis=1).reshape(-1, 10)
    data = table.tobytes()
    return (data[start : start + _SQUARE_BYTES] for start in range(0, len(data), _SQUARE_BYTES))


def _wkb(parts: Sequence[Ring]) -> bytes:
    """One Polygon, or a MultiPolygon of several (OGC 06-103r4, section 8)."""
    polygons = [
        struct.pack("<BIII", 1, 3, 1, len(ring)) + struct.pack(f"<{2 * len(ring)}d", *(v for xy in ring for v in xy))
        for ring in parts
    ]
    return polygons[0] if len(polygons) == 1 else struct.pack("<BII", 1, 6, len(polygons)) + b"".join(polygons)


def _known(corners: Corners) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = np.asarray(np.isfinite(corners).all(axis=(1, 2)))
    return known


def bounds(corners: Corners) -> list[float] | None:
    """West, south, east, north of all outlines; west exceeds east across the antimeridian; None where none is known.

    RFC 7946, section 5.2, as GeoParquet 1.1 prescribes.
    """
    boxes = np.array([_box(ring) for outline in corners[_known(corners)] for ring in rings(outline)])
    if not len(boxes):
        return None
    west, south, east, north = boxes[:, 0], boxes[:, 1].min(), boxes[:, 2], boxes[:, 3].max()
    order = np.argsort(west)
    # The widest stretch of longitude that no outline covers lies outside; often it holds the antimeridian.
    reach = np.maximum.accumulate(east[order])
    gaps = np.append(west[order][1:] - reach[:-1], west.min() + 360 - reach[-1])
    widest = int(gaps.argmax())
    if widest == len(gaps) - 1 or gaps[widest] <= 0:
        return [float(west.min()), float(south), float(east.max()), float(north)]
    return [float(west[order][widest + 1]), float(south), float(reach[widest]), float(north)]


def _box(ring: Ring) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return min(xs), min(ys), max(xs), max(ys)


def centres(geometry: pa.ChunkedArray) -> NDArray[np.float64]:
    """Middle of each WKB outline, longitude in [−180, 180) and latitude, shape (N, 2); NaN where null or not areal.

    Raises:
        ValueError: for bytes that are no well-formed WKB.
    """
    found = np.full((len(geometry), 2), np.nan)
    for position, value in enumerate(geometry.to_pylist()):
        if value is not None:
            found[position] = _centre(value)
    found[:, 0] = (found[:, 0] + 180) % 360 - 180
    return found


def _centre(value: bytes) -> Point:
    """Mean of the corners of one ring; of several, the mean weighted by area, joined across the antimeridian."""
    try:
        parts = list(_read(value))
    except struct.error as error:
        raise ValueError("a geometry is cut off") from error
    if not parts:
        return float("nan"), float("nan")
    means = np.array([np.mean(ring[:-1], axis=0) for ring in parts])
    means[:, 0] -= 360 * np.round((means[:, 0] - means[0, 0]) / 360)
    areas = np.array([abs(signed_area(ring[:-1])) for ring in parts])
    weights = areas if areas.sum() > 0 else np.ones(len(parts))
    lon, lat = np.average(means, axis=0, weights=weights)
    return float(lon), float(lat)


def _read(value: bytes) -> Iterator[Ring]:
    """Outer rings of a WKB Polygon or MultiPolygon in two dimensions; nothing for other kinds."""
    kind, count = struct.unpack_from(_order(value, 0) + "II", value, 1)
    at = 9 if kind == 6 else 0
    for _ in range(count if kind == 6 else int(kind == 3)):
        order = _order(value, at)
        n_rings = struct.unpack_from(order + "I", value, at + 5)[0]
        at += 9
        for number in range(n_rings):
            n_points = struct.unpack_from(order + "I", value, at)[0]
            if 16 * n_points > len(value):
                raise ValueError("a geometry is cut off")
            flat = struct.unpack_from(f"{order}{2 * n_points}d", value, at + 4)
            at += 4 + 16 * n_points
            if number == 0 and n_points >= 4:
                yield list(zip(flat[::2], flat[1::2], strict=True))


def _order(value: bytes, at: int) -> str:
    if len(value) <= at or value[at] not in {0, 1}:
        raise ValueError("a geometry is not WKB")
    return "<" if value[at] == 1 else ">"
