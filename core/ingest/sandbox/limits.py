"""The limits of the sandbox: its environment, what it may use, and what ingest refuses by size."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

ALLOWED_DRIVERS = frozenset({"GTiff", "COG", "JP2OpenJPEG", "PNG", "JPEG", "MEM", "ENVI", "HFA"})
"""The only GDAL drivers the sandbox has."""

VECTOR_DRIVERS = frozenset({"GPKG", "ESRI Shapefile", "KML"})
"""The only ones it has where it reads points and polygons; this one of KML follows no links."""

MAX_BANDS = 64
MAX_PIXELS = 400_000_000
MAX_BLOCK_BYTES = 64 * 2**20
MAX_ARRAY_BYTES = 1536 * 2**20
"""A NumPy array is mapped into memory as a whole."""
MAX_SOURCE_FILES = 20_000
MAX_COLLECTION_FILES = 50_000
MAX_SOURCE_BYTES = 16 * 2**30
MAX_ZIP_RATIO = 100
MAX_MEMBER_BYTES = 6 * 2**30
MAX_CLASSES = 1000
PATCH_SIDES = range(8, 513)
"""Pixels a side that patches of a collection may have."""
MAX_DATES = 100
"""Dates of one source that are opened at once, a scene each."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one sandbox may use.

    Attributes:
        memory: bytes of address space.
        cpu_seconds: processor time, all threads together.
        wall_seconds: time on the clock, kept by the parent.
        file_bytes: size of the largest file it may write.
        open_files: file descriptors.
    """

    memory: int = 3 * 2**30
    cpu_seconds: int = 3600
    wall_seconds: float = 3600.0
    file_bytes: int = 32 * 2**30
    open_files: int = 512

    def to_dict(self) -> dict[str, float]:
        """Return the fields as plain JSON values."""
        return asdict(self)


def apply_limits(limits: Mapping[str, float]) -> None:
    """Put limits on this process; they cannot be raised again. Systems without one of them go without it."""
    wanted = {
        "RLIMIT_AS": limits["memory"],
        "RLIMIT_CPU": limits["cpu_seconds"],
        "RLIMIT_FSIZE": limits["file_bytes"],
        "RLIMIT_NOFILE": limits["open_files"],
        "RLIMIT_CORE": 0,
    }
    for name, value in wanted.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        _, hard = resource.getrlimit(number)
        ceiling = int(value) if hard == resource.RLIM_INFINITY else min(int(value), hard)
        resource.setrlimit(number, (ceiling, ceiling))


def sandbox_environment(
    drivers: Iterable[str], package_root: Path, scratch: Path, *, allowed: frozenset[str] = ALLOWED_DRIVERS
) -> dict[str, str]:
    """Return the whole environment of the sandbox; nothing of the parent's is passed on.

    Args:
        drivers: names of all drivers of the GDAL in use.
        package_root: directory that holds the package ``core``.
        scratch: directory for temporary files.
        allowed: the only drivers it is to have.
    """
    skip = ",".join(sorted(set(drivers) - allowed))
    return {
        "GDAL_SKIP": skip,
        "OGR_SKIP": skip,
        "GDAL_DRIVER_PATH": "disable",
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_PAM_ENABLED": "NO",
        "GDAL_GEOREF_SOURCES": "INTERNAL",
        "GDAL_VRT_ENABLE_PYTHON": "NO",
        "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "GTIFF_IGNORE_READ_ERRORS": "NO",
        "GDAL_CACHEMAX": "256",
        "GDAL_NUM_THREADS": str(min(4, os.cpu_count() or 1)),
        "PROJ_NETWORK": "OFF",
        # HDF5 would load whatever library lies there, to unpack what itself cannot.
        "HDF5_PLUGIN_PATH": str(scratch / "none"),
        "HDF5_PLUGIN_PRELOAD": "::",
        "HDF5_USE_FILE_LOCKING": "FALSE",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "PYTHONPATH": str(package_root),
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "LANG": "C.UTF-8",
        "TMPDIR": str(scratch),
    }
