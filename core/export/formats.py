"""The formats that patches are written in, by suffix: one registry for pages and command line.

To add one: a function from ``ExportRows`` to bytes, and an entry in ``FORMATS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from core.errors import StoreError
from core.export.rows import ExportRows
from core.files import disk_errors, replacing


@dataclass(frozen=True, kw_only=True)
class ExportFormat:
    """A kind of file.

    Attributes:
        title: what people call it.
        about: what it is good for, in a few words.
        suffixes: of its files, the usual one first.
        media_type: for downloads.
        writer: module and function that makes the file, imported when one is written.
    """

    title: str
    about: str
    suffixes: tuple[str, ...]
    media_type: str
    writer: str

    def encode(self, rows: ExportRows) -> bytes:
        """Return the file."""
        module, _, name = self.writer.partition(":")
        write: Callable[[ExportRows], bytes | str] = getattr(import_module(module), name)
        made = write(rows)
        return made.encode() if isinstance(made, str) else made


FORMATS: Mapping[str, ExportFormat] = MappingProxyType(
    {
        "geojson": ExportFormat(
            title="GeoJSON", about="maps on the web, any GIS", suffixes=(".geojson", ".json"),
            media_type="application/geo+json", writer="core.export.tables:geojson_text",
        ),
        "gpkg": ExportFormat(
            title="GeoPackage", about="QGIS and ArcGIS, in the scene's reference system", suffixes=(".gpkg",),
            media_type="application/geopackage+sqlite3", writer="core.export.ogr:geopackage",
        ),
        "csv": ExportFormat(
            title="CSV", about="spreadsheets", suffixes=(".csv",),
            media_type="text/csv", writer="core.export.tables:csv_text",
        ),
        "parquet": ExportFormat(
            title="GeoParquet", about="GeoPandas, DuckDB", suffixes=(".parquet", ".geoparquet", ".gpq"),
            media_type="application/vnd.apache.parquet", writer="core.export.geoparquet:parquet_bytes",
        ),
        "kml": ExportFormat(
            title="KML", about="Google Earth", suffixes=(".kml",),
            media_type="application/vnd.google-earth.kml+xml", writer="core.export.ogr:kml",
        ),
    }
)  # fmt: skip
"""Formats by name, which is the usual suffix without its dot; the first to be offered first."""

EXPORT_ENDINGS = tuple(suffix for kind in FORMATS.values() for suffix in kind.suffixes)
"""Endings of names of files that patches can be written to."""


def format_of(path: Path) -> ExportFormat:
    """Return the format of a file by its suffix.

    Raises:
        StoreError: when no format has it.
    """
    for kind in FORMATS.values():
        if path.suffix.lower() in kind.suffixes:
            return kind
    usual = ", ".join(kind.suffixes[0] for kind in FORMATS.values())
    found = f"no format has the ending “{path.suffix}”" if path.suffix else "its name has no ending that says a format"
    raise StoreError(f"Writing “{path.name}”", found, f"let its name end in one of {usual}")


def format_name(path: Path) -> str:
    """Return the name of the format that a file has by its suffix; empty when no format has it."""
    return next((name for name, kind in FORMATS.items() if path.suffix.lower() in kind.suffixes), "")


def write_rows(path: Path, rows: ExportRows) -> None:
    """Write patches in the format that the name of the file says; readers see the whole file or none.

    Raises:
        StoreError: for another suffix, and when the file cannot be written.
    """
    kind, full = format_of(path), "free some space or choose another place"
    with disk_errors(f"Writing “{path.name}”", full=full, other="choose another place"), replacing(path) as fresh:
        fresh.write_bytes(kind.encode(rows))
