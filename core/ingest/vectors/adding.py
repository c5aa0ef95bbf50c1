"""Opening files of points and polygons with a class each; all but GeoJSON of one's own are opened in the sandbox."""

from __future__ import annotations

from pathlib import Path

from core.errors import SourceError
from core.ingest.messages import errors_about
from core.ingest.vectors.geojson import LabelShapes, read_geojson

GEOJSON_SUFFIXES = frozenset({".geojson", ".json"})
MOST_TEXT_BYTES = 256 * 2**20


def read_label_shapes(path: Path, *, column: str = "") -> LabelShapes:
    """Read points and polygons with a class each.

    Args:
        path: GeoJSON.
        column: the attribute that is the class; empty = the one that is called so.

    Raises:
        SourceError: one sentence on why it cannot be used.
    """
    with errors_about(path.name):
        if not path.is_file():
            raise SourceError(found="there is no such file", remedy="check the path")
        if path.suffix.lower() not in GEOJSON_SUFFIXES:
            raise SourceError(found="it is no file of points and polygons", remedy="give a CSV or GeoJSON")
        if path.stat().st_size > MOST_TEXT_BYTES:
            raise SourceError(found="it has more than 256 MB", remedy="cut the area of the scene out of it first")
        try:
            return read_geojson(path.read_text(encoding="utf-8-sig"), column)
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(found="it cannot be read as text", remedy="save it again as GeoJSON") from error
