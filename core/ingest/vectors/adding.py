"""Opening files of points and polygons, with a class each or as an area; they are opened in the sandbox alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import SourceError
from core.files import never
from core.ingest.boundary import DEFAULT_LIMITS, linked
from core.ingest.files import list_files
from core.ingest.messages import clean_name, errors_about
from core.ingest.sandbox.limits import Limits
from core.ingest.sandbox.process import answer_of_sandbox
from core.ingest.vectors.geojson import LabelShapes
from core.ingest.vectors.protocol import VectorRequest, shapes_from_dict
from core.progress import silent
from core.scenes.regions.map_region import MapRegion, region_of

MOST_VECTOR_BYTES = 256 * 2**20
_AREA = "give the outline of the area as a polygon"
_MENDED = "have it repaired, or leave it out"


def read_label_shapes(
    path: Path,
    *,
    column: str = "",
    layer: str = "",
    choices: bool = False,
    numbers: bool = False,
    cancelled: Callable[[], bool] = never,
    limits: Limits = DEFAULT_LIMITS,
) -> LabelShapes:
    """Read points and polygons with a class each, in the sandbox; it takes a second or two.

    Args:
        path: GeoJSON, GeoPackage, or a zip of Shapefiles.
        column: the attribute that is the class; empty = the one that is called so.
        layer: of a GeoPackage, or the Shapefile; empty = the only one.
        choices: True = give all attributes that may be the class, and refuse no file for having none that is called so,
            nor for having several layers: these are given.
        numbers: True = the attribute is wanted that is a number, as of ``read_geojson``.
        cancelled: asked ten times a second; True stops the work.
        limits: what the sandbox may use.

    Raises:
        SourceError: one sentence on why it cannot be used.
        JobCancelledError: when it was cancelled.
    """
    with errors_about(path.name), tempfile.TemporaryDirectory(prefix="landlike-labels-") as folder:
        files = list_files([path])
        if sum(file.stat().st_size for _, file in files) > MOST_VECTOR_BYTES:
            raise SourceError(found="it has more than 256 MB", remedy="cut the area of the scene out of it first")
        links, scratch = linked(files, Path(folder))
        request = VectorRequest(
            name=clean_name(path.name), paths=links, names=tuple(name for name, _ in files), scratch=scratch,
            column=column, choices=choices, numbers=numbers, layer=layer,
        )  # fmt: skip
        found = answer_of_sandbox(request, limits, silent, cancelled, understand=shapes_from_dict)
        return replace(found, layer=layer)


def read_area(path: Path, *, layer: str = "", cancelled: Callable[[], bool] = never) -> MapRegion:
    """Read an area of interest, in the sandbox: all polygons of a file together, those that cross themselves mended.

    Args:
        path: GeoJSON, KML, GeoPackage, or a zip of one or of a Shapefile; of any reference system that it names.
        layer: of a GeoPackage, or the Shapefile; empty = the only one.
        cancelled: asked ten times a second; True stops the work.

    Raises:
        SourceError: one sentence on why it cannot be used.
        JobCancelledError: when it was cancelled.
    """
    try:
        found = read_label_shapes(path, layer=layer, choices=True, cancelled=cancelled)
    except SourceError as error:
        if "label" in error.remedy:
            error.remedy = _AREA
        raise
    with errors_about(path.name):
        if found.layers:
            listed = ", ".join(f"“{name}”" for name in found.layers[:6])
            raise SourceError(found=f"it has {len(found.layers)} layers: {listed}", remedy="keep the one that is meant")
        if found.broken:  # An area that lacks a part would be another one.
            which = "one of its shapes" if found.broken == 1 else f"{found.broken:,} of its shapes"
            raise SourceError(found=f"{which} cannot be read: a corner is missing, or is no number", remedy=_MENDED)
        polygons = found.shapes[np.isin(shapely.get_type_id(found.shapes), (3, 6))]
        if not len(polygons):
            raise SourceError(found="it has points, and no polygon", remedy=_AREA)
        area = region_of(shapely.union_all(polygons), asked=f"Reading the area “{clean_name(path.name)}”")
        return replace(area, said=_said(found, polygons))


def _said(found: LabelShapes, polygons: NDArray[np.object_]) -> tuple[str, ...]:
    """Return what was made of a file that a person should know of its area, a sentence each."""
    said = [found.assumption]
    if found.mended:
        outlines = "Its outline crosses itself" if len(polygons) == 1 else (
            f"One of its {len(polygons):,} outlines crosses itself" if found.mended == 1
            else f"{found.mended:,} of its {len(polygons):,} outlines cross themselves"
        )  # fmt: skip
        parts = "" if len(polygons) > 1 else f", in {len(shapely.get_parts(polygons[0])):,} parts"
        said.append(
            f"{outlines}: all land that it goes round was taken, on both sides of each crossing{parts}; "
            "see on the map whether that is what is meant."
        )
    if beside := found.other + len(found.shapes) - len(polygons):
        lines = "1 point, line or shape without" if beside == 1 else f"{beside:,} points, lines or shapes without"
        said.append(f"{lines} an outline in the file {'is' if beside == 1 else 'are'} not part of the area.")
    return tuple(one for one in said if one)
