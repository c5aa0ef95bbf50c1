"""Opening files of points and polygons with a class each; they are opened in the sandbox alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

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

MOST_VECTOR_BYTES = 256 * 2**20


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
