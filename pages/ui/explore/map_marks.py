"""What the map of a scene outlines: the query, its neighbours by rank, and the selection."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core.imagery.overlay import mask_overlay
from core.scenes.location import Bounds, bounds_lonlat, left_over_outlines, outlines
from core.scenes.patches import PatchGrid
from core.scenes.regions.of_interest import outside_shape
from core.scenes.scene import Scene
from core.search.examples import AreaExample
from core.similarity.neighbours import Neighbours
from core.similarity.scores import score_texts
from pages.ui.common.theme import ACCENT
from pages.ui.state.question import Question

VEIL = (20, 25, 27)
"""Covers patches that do not meet the conditions that were set."""
MOST_RANKED = 100
"""Neighbours that are outlined with their ranks; of more, the ground is painted."""
MOST_OUTLINED = 2000
"""Selected patches of a collection that are outlined; of scenes all are shown."""


def lat_lon(bounds: Bounds) -> list[list[float]]:
    """Return bounds as the browser takes them: south-west and north-east, each (lat, lon)."""
    west, south, east, north = bounds
    return [[south, west], [north, east]]


def outlined(
    scene: Scene,
    grid: PatchGrid,
    query: int | None,
    neighbours: Neighbours | None,
    *,
    selection: NDArray[np.int64],
    question: Question | None = None,
    left_out: NDArray[np.int64] | None = None,
    there: NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """Return everything outlined, as the browser draws it: ``query``, ``neighbours``, ``selection`` and ``mask``.

    ``veil`` lies over patches that are left out. ``found`` is what answers where that is too much for outlines.
    ``good`` and ``bad`` are the examples of a question beside the query, ``areas`` those that are areas. ``there`` are
    the patches that are encoded; None = all.
    """
    marks: dict[str, Any] = dict.fromkeys(("query", "mask", "found", "veil"))
    marks |= {name: [] for name in ("neighbours", "selection", "good", "bad", "areas")}
    if left_out is not None and left_out.size:
        marks["veil"] = _mask(scene, grid, left_out, there, VEIL)
    if question is not None and not question.plain:
        marks |= _examples(scene, grid, question)
        query = None
    if query is not None:
        words = f"Query: patch {query}"
        marks["query"] = next(iter(_rings(scene, grid, np.array([query]), [words], first_rank=0)), None)
    if neighbours is not None and len(neighbours) > MOST_RANKED:
        marks["found"] = _mask(scene, grid, neighbours.ids, there)
    elif neighbours is not None:
        words_each = [f"{one.rank}. patch {one.ref.patch}, similarity {one.similarity:.3f}" for one in neighbours]
        marks["neighbours"] = _rings(scene, grid, neighbours.ids, words_each, first_rank=1)
    if selection.size and scene.is_collection:
        rings = outlines(scene, grid, selection[:MOST_OUTLINED])
        marks["selection"] = [_ring(ring) for ring in rings if np.isfinite(ring).all()]
    elif selection.size:
        marks["mask"] = _mask(scene, grid, selection, there)
    return marks


def told_neighbours(query: int | None, neighbours: Neighbours | None) -> dict[str, Any]:
    """Return what the map's script tells of the patch that was asked about and of its neighbours: ranks and scores."""
    shown = [] if neighbours is None else list(neighbours.ranked(most=MOST_RANKED))
    return {
        "query": query,
        "neighbours": [one.ref.patch for one in shown],
        "similarity": score_texts([one.similarity for one in shown]),
    }


def _examples(scene: Scene, grid: PatchGrid, question: Question) -> dict[str, Any]:
    """Return outlines of good and bad examples; of many, as of an area, the first ones."""
    found: dict[str, Any] = {}
    for name, ids in (("good", question.like), ("bad", question.unlike)):
        shown = np.array(ids[:MOST_RANKED], np.int64)
        words_of = [f"{name.capitalize()} example: patch {patch_id}" for patch_id in shown.tolist()]
        found[name] = _rings(scene, grid, shown, words_of, first_rank=0)
    areas = [one for one in question.others if isinstance(one, AreaExample)]
    found["areas"] = [
        {"good": one.good, "rings": _area_rings(one.area.shape, bounds_lonlat(scene)), "words": one.title}
        for one in areas
    ]  # fmt: skip
    return found


def _area_rings(shape: shapely.Geometry, bounds: Bounds | None) -> list[list[list[float]]]:
    """Return the outlines of an area, holes too, as (lat, lon), turned to where a scene is drawn."""
    west, _, east, _ = shapely.bounds(shape)
    turn = 0.0 if bounds is None else 360 * round(((bounds[0] + bounds[2]) - (west + east)) / 720)
    lines = [ring for part in shapely.get_parts(shape) for ring in (part.exterior, *part.interiors)]
    return [[[round(lat, 6), round(lon + turn, 6)] for lon, lat in line.coords] for line in lines]


def _mask(
    scene: Scene,
    grid: PatchGrid,
    ids: NDArray[np.int64],
    there: NDArray[np.int64] | None,
    colour: tuple[int, int, int] | None = None,
) -> dict[str, Any]:
    """Return many patches as the browser paints them: one picture of a scene, outlines of a collection."""
    if scene.is_collection:
        rings = outlines(scene, grid, ids[:MOST_OUTLINED])
        return {"rings": [_ring(ring) for ring in rings if np.isfinite(ring).all()]}
    accent = int(ACCENT[1:3], 16), int(ACCENT[3:5], 16), int(ACCENT[5:7], 16)
    picture, edges = mask_overlay(scene, grid, ids, colour or accent, there)
    return {"url": "data:image/png;base64," + base64.b64encode(picture).decode(), "bounds": lat_lon(edges)}


def left_over(scene: Scene, grid: PatchGrid) -> list[list[Any]]:
    """Return what no patch covers, as the browser draws it: rings of (lat, lon), or lists of a ring and its holes."""
    if grid.cut.area:
        parts = shapely.get_parts(outside_shape(scene, grid)).tolist()
        return [[_ring(np.array(ring.coords)) for ring in (part.exterior, *part.interiors)] for part in parts]
    return [_ring(ring) for ring in left_over_outlines(scene, grid) if np.isfinite(ring).all()]


def _rings(
    scene: Scene, grid: PatchGrid, ids: NDArray[np.int64], words: Sequence[str], first_rank: int
) -> list[dict[str, Any]]:
    rings = outlines(scene, grid, ids)
    return [
        {"rank": first_rank + position, "words": words[position], "ring": _ring(ring)}
        for position, ring in enumerate(rings)
        if np.isfinite(ring).all()
    ]


def _ring(corners: NDArray[np.float64]) -> list[list[float]]:
    """Return corners as (lat, lon), to the decimetre."""
    return [[round(float(lat), 6), round(float(lon), 6)] for lon, lat in corners]
