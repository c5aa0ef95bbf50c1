"""Band files of several scenes that were chosen together, told apart by what their names say besides the band."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from core.ingest.bands.names import band_of_file, names_other_layer, parse_band
from core.ingest.files import RASTER_SUFFIXES
from core.ingest.formats.product_metadata import date_in
from core.ingest.formats.series import series_name

_PATCH = re.compile(r"S2[ABCD]_MSIL(?:1C|2A)_[^/]*?_\d{1,3}_\d{1,3}(?=_)", re.IGNORECASE)
"""How BigEarthNet begins the names of a patch's files: a product, column and row."""
_ONE_SCENE = re.compile(r"T\d{2}[A-Z]{3}|[FS]RE|R?\d+m|[^A-Za-z]+", re.IGNORECASE)
"""Words that differ between files of one scene: tile, processing, size of a pixel; and numbers."""
_WORDS = re.compile(r"[^A-Za-z0-9]+")
_SHARED = 2
"""Scenes that hold so many bands both are two: within one, tiles and sizes of pixels aside, a band comes once."""


def scenes_apart(paths: Sequence[Path]) -> list[list[Path]]:
    """Part files into those of one scene each; tiles and dates of one place stay together.

    Files whose names differ in words are of several scenes where both hold the same bands. What names no band goes
    with those whose names begin most like its own.

    Args:
        paths: of band files, and what was chosen with them; none is opened.
    """
    bands = {path: band_of_file(path.stem) for path in paths if path.suffix.lower() in RASTER_SUFFIXES}
    groups: dict[str, list[Path]] = {}
    for path, band in bands.items():
        if band is not None:
            groups.setdefault(_words(path.stem), []).append(path)
    found: list[list[Path]] = []
    for group in sorted(groups.values(), key=len, reverse=True):
        held = {bands[path] for path in group}
        shared = [len(held & {bands[path] for path in other}) for other in found]
        if not found or all(count >= _SHARED for count in shared):
            found.append(group)
        else:  # Other bands than those there, under names of another kind, are the rest of a scene.
            _nearest(group[0], [other for other, count in zip(found, shared, strict=True) if count < _SHARED]).extend(
                group
            )
    if len(found) < 2:
        return [list(paths)] if paths else []
    for path in paths:
        if bands.get(path) is None:
            _nearest(path, found).append(path)
    return [
        [path for path in paths if path in group] for group in sorted(found, key=lambda group: paths.index(group[0]))
    ]


def with_what_lies_beside(groups: Sequence[list[Path]], others: Sequence[Path]) -> tuple[list[list[Path]], list[Path]]:
    """Give whole rasters what was chosen with them: files of their name, and layers such as a classification.

    Args:
        groups: whole rasters, by source.
        others: what was chosen besides; rasters named as bands stay what they are.

    Returns:
        The groups with what belongs to them, and the rest.
    """
    found: list[list[Path]] = [list(group) for group in groups]
    rest: list[Path] = []
    for path in others:
        raster = path.suffix.lower() in RASTER_SUFFIXES
        goes = _is_layer_of if raster else _is_named_after
        group = next((one for one, whole in zip(found, groups, strict=True) if any(goes(path, w) for w in whole)), None)
        (rest if group is None else group).append(path)
    return found, rest


def _is_named_after(path: Path, raster: Path) -> bool:
    """Tell whether a file is a raster's world file, table or metadata, by its name."""
    return path.name.startswith(f"{raster.stem}.")


def _is_layer_of(path: Path, raster: Path) -> bool:
    """Tell whether a raster is another layer of a scene: its name says the same but for what layer it is."""
    own, whole = set(_WORDS.split(path.stem)), set(_WORDS.split(raster.stem))
    layers = own - whole
    return (
        bool(own & whole) and bool(layers) and all(names_other_layer(word) for word in layers) and len(whole - own) <= 1
    )


def _words(stem: str) -> str:
    """Return what a name says besides band, date, tile, processing and size of a pixel."""
    if patch := _PATCH.match(stem):
        return patch[0]
    place = series_name(stem)
    words = [word for word in _WORDS.split(stem if place is None else place) if parse_band(word) is None]
    dated = "dated" if date_in(stem) is not None else ""
    return " ".join([dated, *(word.lower() for word in words if not _ONE_SCENE.fullmatch(word))])


def _nearest(path: Path, groups: Sequence[list[Path]]) -> list[Path]:
    """Return the files whose names begin most like that of another."""
    return max(groups, key=lambda group: max(_same(path.name, one.name) for one in group))


def _same(one: str, other: str) -> int:
    """Return with how many same letters two names begin."""
    return next(
        (n for n, pair in enumerate(zip(one, other, strict=False)) if len(set(pair)) > 1), min(len(one), len(other))
    )
