"""The truth of a scene: the class of each pixel, as it came with the scene or from a map that somebody added.

A map that was added is kept beside the scene as ``truth-map-….tif``, and what is known of it in ``truth-map.json``; it
takes the place of a truth that came with the scene until it is taken away. How a map is read is ``core.ingest.truth``.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from core.errors import SceneError, SettingsError
from core.files import discard, editing, replacing, write_atomically
from core.scenes.patches import PatchGrid
from core.scenes.quality import Finding
from core.scenes.scene import Scene

RECORD = "truth-map.json"
OWN = "own"
"""The version of a truth that came with the scene; it never changes."""

LEAST_COVERED = 0.5
"""A patch of which a smaller share has a class counts as land of which nothing is known."""

_RASTER = re.compile(r"truth-map-[0-9a-f]{16}\.tif")


@dataclass(frozen=True, kw_only=True)
class TruthMap:
    """What is known of a map of classes that somebody added.

    Attributes:
        file: name of its raster beside the scene: uint16, 0 = none, else 1 + index into ``classes``.
        source: name of the file it came from; escape it before HTML.
        classes: names, in the order of their codes.
        colours: of the classes, ``#rrggbb`` or empty; empty when it has none.
        covered: share of the scene's pixels that have a class.
        not_asked: classes whose patches are not asked when neighbours are measured.
        findings: what was read, decided and assumed.
    """

    file: str
    source: str
    classes: tuple[str, ...]
    colours: tuple[str, ...] = ()
    covered: float = 1.0
    not_asked: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The class of each pixel of a scene.

    Attributes:
        path: raster of the scene's shape, uint16, 0 = none, else 1 + index into ``classes``.
        classes: names.
        version: ``OWN``, or what tells an added map from any other, in hexadecimal.
        added: what is known of the map that was added; None for a truth that came with the scene.
    """

    path: Path
    classes: tuple[str, ...]
    version: str = OWN
    added: TruthMap | None = None

    @property
    def colours(self) -> tuple[str, ...]:
        """Colours that a map gives its classes; empty when it gives none."""
        return () if self.added is None else self.added.colours

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was read, decided and assumed of a map."""
        return () if self.added is None else self.added.findings

    @property
    def not_asked(self) -> tuple[str, ...]:
        """Classes whose patches are not asked."""
        return () if self.added is None else self.added.not_asked


def truth_of(scene: Scene) -> Truth | None:
    """Return the truth of a scene as it is now, an added map before what came with the scene; None without either."""
    found = _known(scene)
    if found is not None:
        added, version = found
        return Truth(path=scene.directory / added.file, classes=added.classes, version=version, added=added)
    return own_truth(scene)


def own_truth(scene: Scene) -> Truth | None:
    """Return the truth that came with a scene; None when none did."""
    return None if scene.truth_path is None else Truth(path=scene.truth_path, classes=scene.classes)


def map_version(scene: Scene) -> str:
    """Return what tells the map that was added to a scene from any other, in hexadecimal; empty when none was."""
    found = _known(scene)
    return "" if found is None else found[1]


def add_truth_map(scene: Scene, raster: Path, known: TruthMap) -> Truth:
    """Keep a map beside a scene, in place of one that was added before.

    Args:
        scene: the scene.
        raster: of the scene's shape, on the same file system; it is moved.
        known: what is known of it; ``file`` is decided here.

    Raises:
        SceneError: when the disk refuses it.
    """
    digest = hashlib.blake2b(raster.read_bytes(), digest_size=8).hexdigest()
    named = replace(known, file=f"truth-map-{digest}.tif")
    with editing(scene.directory / RECORD, asked=_asked(scene)):
        try:
            with replacing(scene.directory / named.file) as fresh:
                raster.replace(fresh)
            _write(scene, named)
        except OSError as error:
            raise _refused(scene, error) from error
        _sweep(scene, named.file)
    return _needed(scene)


def drop_truth_map(scene: Scene) -> None:
    """Take the map away that was added to a scene; what came with the scene counts again."""
    with editing(scene.directory / RECORD, asked=_asked(scene)):
        discard(scene.directory / RECORD)
        _sweep(scene, "")


def leave_unasked(scene: Scene, classes: Sequence[str]) -> None:
    """Say which classes of an added map are not asked about when neighbours are measured.

    Raises:
        SceneError: when the scene has no such map, or the disk refuses it.
        SettingsError: when the map has no such class.
    """
    with editing(scene.directory / RECORD, asked=_asked(scene)):
        added = _needed(scene).added
        if added is None:
            raise SceneError(f"Setting up the truth of “{scene.name}”", "no map was added to it", "add one first")
        names = tuple(added.classes[number] for number in class_numbers(added.classes, classes))
        try:
            _write(scene, replace(added, not_asked=names))
        except OSError as error:
            raise _refused(scene, error) from error


def carry_truth_map(old: Scene, new: Scene) -> bool | None:
    """Keep the map that was added to a scene beside another reading of it too, where its pixels lie alike.

    Returns:
        False when they do not, so that it has to be added again; None when there is nothing to carry.

    Raises:
        SceneError: when the disk refuses it.
    """
    truth = truth_of(old)
    if truth is None or truth.added is None or map_version(new):
        return None
    if old.grid != new.grid:
        return False
    with editing(new.directory / RECORD, asked=_asked(new)):
        try:
            with replacing(new.directory / truth.path.name) as fresh:
                shutil.copyfile(truth.path, fresh)
            _write(new, truth.added)
        except OSError as error:
            raise _refused(new, error) from error
    return True


def class_numbers(classes: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return the places of some classes among all, each once; capitals do not count.

    Raises:
        SettingsError: when there is no class of a name.
    """
    known = {name.casefold(): number for number, name in enumerate(classes)}
    for name in wanted:
        if name.strip().casefold() not in known:
            some = ", ".join(classes[:12]) + (f" and {len(classes) - 12} more" if len(classes) > 12 else "")
            raise SettingsError(f"Leaving out “{name.strip()}”", "the map has no such class", f"choose of {some}")
    return sorted({known[name.strip().casefold()] for name in wanted})


def pixel_counts(truth: Truth, grid: PatchGrid) -> NDArray[np.int64]:
    """Return how many pixels of each class the patches of a grid hold: shape (count, classes + 1), first those of none.

    Raises:
        SceneError: when the raster cannot be read.
    """
    try:
        with rasterio.open(truth.path, driver="GTiff") as data:
            numbers = data.read(1)
    except rasterio.errors.RasterioError as error:
        found, remedy = "its map of classes is missing or damaged", "add the map again"
        raise SceneError("Reading the classes of a scene", found, remedy) from error
    return np.concatenate([truth_counts(numbers, grid, row, len(truth.classes)) for row in range(grid.n_rows)])


def truth_counts(truth: NDArray[np.uint16], grid: PatchGrid, row: int, classes: int) -> NDArray[np.int64]:
    """Return pixels of each class, 0 = none, in the patches of one row of the grid: shape (columns, classes + 1)."""
    strip = truth[grid.tops[row] : grid.tops[row] + grid.size].astype(np.int64)
    if grid.cut.stride == grid.size and grid.lefts[-1] == (grid.n_cols - 1) * grid.size:
        strip = strip[:, : grid.n_cols * grid.size] + np.repeat(np.arange(grid.n_cols), grid.size) * (classes + 1)
        return np.bincount(strip.ravel(), minlength=grid.n_cols * (classes + 1)).reshape(grid.n_cols, -1)
    parts = [np.bincount(strip[:, at : at + grid.size].ravel(), minlength=classes + 1) for at in grid.lefts]
    return np.stack(parts)


def _needed(scene: Scene) -> Truth:
    truth = truth_of(scene)
    if truth is None:
        found, remedy = "the record of its map cannot be read", "add the map again"
        raise SceneError(f"Reading the truth of “{scene.name}”", found, remedy)
    return truth


def _refused(scene: Scene, error: OSError) -> SceneError:
    found = f"the disk refused it ({error.strerror})"
    return SceneError(_asked(scene), found, "free some space and add it again")


def _asked(scene: Scene) -> str:
    return f"Keeping a map of classes with “{scene.name}”"


def _write(scene: Scene, known: TruthMap) -> None:
    text = json.dumps({"version": 1, **asdict(known)}, ensure_ascii=False)
    write_atomically(scene.directory / RECORD, text.encode())


def _sweep(scene: Scene, kept: str) -> None:
    """Remove rasters of maps that were added before."""
    for path in scene.directory.glob("truth-map-*.tif"):
        if path.name != kept:
            discard(path)


def _known(scene: Scene) -> tuple[TruthMap, str] | None:
    """Return what is known of the map that was added, and its version; None when there is none, or it is damaged."""
    try:
        return _parsed((scene.directory / RECORD).read_bytes())
    except OSError:
        return None


@lru_cache(maxsize=32)
def _parsed(content: bytes) -> tuple[TruthMap, str] | None:
    try:
        fields: dict[str, Any] = json.loads(content)
        del fields["version"]
        lists = {name: tuple(map(str, fields[name])) for name in ("classes", "colours", "not_asked")}
        findings = tuple(Finding(**one) for one in fields["findings"])
        known = TruthMap(**{**fields, **lists, "findings": findings})
        if not _RASTER.fullmatch(known.file) or not known.classes:
            return None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return known, hashlib.blake2b(content, digest_size=8).hexdigest()
