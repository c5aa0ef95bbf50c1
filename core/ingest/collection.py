"""Labelled patches in class folders (EuroSAT layout) written as a mosaic; one patch at a time is in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj.exceptions import ProjError
from rasterio.windows import Window as RasterWindow

from core.errors import SourceError
from core.ingest.canonical import check_complete, file_grid, to_canonical
from core.ingest.collection_plan import PICTURE_GAIN, Plan, Shape, shape_of
from core.ingest.formats.geotiff import RasterFile, open_raster
from core.ingest.gdal_errors import GDAL_ERRORS
from core.ingest.grid.georeference import safe_crs
from core.ingest.grid.resample import sample
from core.ingest.members import Member, Shelf
from core.ingest.messages import clean_name, disk_full, opening
from core.progress import Progress
from core.scenes.geobox import NO_PLACE, GeoBox, outlines_lonlat
from core.scenes.scene import canonical_writer

MAX_CLASSES = 1000
NOWHERE: list[float] = [math.nan] * 8


@dataclass(frozen=True, kw_only=True)
class Patch:
    """One patch of a collection.

    Attributes:
        name: relative file name.
        label: its folder, or None at the top.
        geobox: where it lies.
    """

    name: str
    label: str | None
    geobox: GeoBox


@dataclass(kw_only=True)
class Mosaic:
    """What writing a collection gave.

    Attributes:
        grid: of the mosaic.
        patches: in the order of their ids.
        skipped: reason for each file left out.
        valid: number of valid pixels.
    """

    grid: GeoBox
    patches: list[Patch] = field(default_factory=list)
    skipped: dict[Member, str] = field(default_factory=dict)
    valid: int = 0

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, sorted."""
        return tuple(sorted({patch.label for patch in self.patches if patch.label is not None}))


def mosaic_grid(count: int, side: int) -> GeoBox:
    """A mosaic of patches, row-major, ceil(√count) wide."""
    cols = math.isqrt(count - 1) + 1
    return GeoBox(crs=None, transform=NO_PLACE, height=-(-count // cols) * side, width=cols * side)


def write_collection(
    shelf: Shelf, members: Sequence[Member], plan: Plan, *, directory: Path, progress: Progress, name: str
) -> Mosaic:
    """Write ``pixels.tif`` and, where there are labels, ``truth.tif``.

    Files that cannot be read are left out; they are known only when all were read, so the mosaic is then written again
    without them.

    Raises:
        SourceError: when no patch is left, classes are too many, or the disk is full.
    """
    skipped: dict[Member, str] = {}
    while True:
        good = [member for member in members if member not in skipped]
        if not good:
            raise SourceError(opening(name), "none of its patches can be read", "choose GeoTIFF or JPEG patches")
        mosaic = _write(shelf, good, plan, directory=directory, progress=progress, name=name)
        if not mosaic.skipped:
            break
        skipped.update(mosaic.skipped)
    mosaic.skipped = skipped
    if mosaic.valid == 0:
        raise SourceError(opening(name), "every pixel is no data", "choose patches with data")
    check_complete(directory / "pixels.tif", mosaic.grid, len(plan.bands), name)
    if len(mosaic.classes) > MAX_CLASSES:
        found = f"its patches lie in {len(mosaic.classes):,} folders, more than {MAX_CLASSES:,} classes"
        raise SourceError(opening(name), found, "put the patches of a class into one folder")
    if mosaic.classes:
        _write_truth(mosaic, plan.side, directory, name)
    return mosaic


def _write(
    shelf: Shelf, members: Sequence[Member], plan: Plan, *, directory: Path, progress: Progress, name: str
) -> Mosaic:
    mosaic = Mosaic(grid=mosaic_grid(len(members), plan.side))
    side, cols = plan.side, mosaic.grid.width // plan.side
    strip = np.zeros((len(plan.bands), side, mosaic.grid.width), dtype=np.uint16)
    try:
        with canonical_writer(directory, file_grid(mosaic.grid), plan.bands) as data:
            for done, member in enumerate(members, 1):
                block = _take(shelf, member, plan, mosaic)
                if block is not None:
                    place = (len(mosaic.patches) - 1) % cols
                    strip[:, :, place * side : (place + 1) * side] = block
                    mosaic.valid += int((block[0] > 0).sum())
                if done == len(members) or (block is not None and len(mosaic.patches) % cols == 0):
                    row = (max(len(mosaic.patches), 1) - 1) // cols
                    data.write(strip, window=RasterWindow(0, row * side, mosaic.grid.width, side))
                    strip[:] = 0
                progress(done, len(members))
    except GDAL_ERRORS as error:
        raise disk_full(name) from error
    return mosaic


def _take(shelf: Shelf, member: Member, plan: Plan, mosaic: Mosaic) -> NDArray[np.uint16] | None:
    """Canonical numbers of one patch, noted in the mosaic; None when it is left out."""
    try:
        raster = open_raster(shelf.path(member), member.name)
        try:
            if shape_of(raster) != plan.shape:
                mosaic.skipped[member] = _unlike(shape_of(raster), plan.shape)
                return None
            block = _canonical(raster, plan)
        finally:
            raster.close()
    except SourceError as error:
        mosaic.skipped[member] = error.found
        return None
    finally:
        shelf.release(member)
    mosaic.patches.append(Patch(name=member.name, label=clean_name(member.folder, 120) or None, geobox=raster.geobox))
    return block


def _unlike(shape: Shape, most: Shape) -> str:
    """How a patch differs from most, in words; shapes as of ``shape_of``."""
    if shape[0] != most[0]:
        return f"{shape[0]} {'band' if shape[0] == 1 else 'bands'} where most have {most[0]}"
    if shape[1:3] != most[1:3]:
        return f"{shape[2]} × {shape[1]} pixels where most have {most[2]} × {most[1]}"
    return f"numbers of type {shape[3]} where most have {most[3]}"


def _canonical(raster: RasterFile, plan: Plan) -> NDArray[np.uint16]:
    """Numbers of shape (bands, side, side) as the file's rows run."""
    window = (0, 0, plan.side, plan.side)
    if plan.picture:
        return to_canonical(raster.read(list(plan.indexes), window), PICTURE_GAIN, 0)
    nodata: list[float | None] = [raster.nodata[index - 1] or None for index in plan.indexes]
    got = sample(raster, list(plan.indexes), nodata, raster.geobox.transform, window)
    block = to_canonical(got.values, plan.scale.gain, plan.scale.offset)
    block *= ~(got.missing | got.zero)
    return block


def _write_truth(mosaic: Mosaic, side: int, directory: Path, name: str) -> None:
    grid, classes = mosaic.grid, mosaic.classes
    cols = grid.width // side
    index = np.zeros((grid.height // side) * cols, dtype=np.uint16)
    for position, patch in enumerate(mosaic.patches):
        index[position] = 0 if patch.label is None else classes.index(patch.label) + 1
    truth = np.kron(index.reshape(-1, cols), np.ones((side, side), dtype=np.uint16))
    write_truth(directory, truth, grid, name)


def write_truth(directory: Path, truth: NDArray[np.uint16], grid: GeoBox, name: str) -> None:
    """Write ``truth.tif``: class of each pixel, 0 = none, else 1 + index of the class.

    Raises:
        SourceError: when the disk is full.
    """
    target = file_grid(grid)
    options: dict[str, Any] = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "zstd", "zstd_level": 1}
    try:
        with rasterio.open(
            directory / "truth.tif",
            "w",
            driver="GTiff",
            height=grid.height,
            width=grid.width,
            count=1,
            dtype="uint16",
            crs=target.crs,
            transform=rasterio.Affine(*target.transform),
            **options,
        ) as data:
            data.write(truth, 1)
    except GDAL_ERRORS as error:
        raise disk_full(name) from error
    check_complete(directory / "truth.tif", grid, 1, name)


def place_corners(patches: Sequence[Patch]) -> list[list[float]]:
    """Return corners of each patch as ``core.scenes.patches.corners_lonlat``, 8 numbers; NaN = unknown place."""
    corners = [NOWHERE] * len(patches)
    by_crs: dict[str, list[int]] = {}
    for position, patch in enumerate(patches):
        if patch.geobox.placed and patch.geobox.crs and safe_crs(patch.geobox.crs):
            by_crs.setdefault(patch.geobox.crs, []).append(position)
    for crs, positions in by_crs.items():
        points = np.array([patches[position].geobox.corners() for position in positions])
        try:
            outlines = outlines_lonlat(crs, points[:, :, 0], points[:, :, 1]).reshape(-1, 8)
        except ProjError:
            continue
        for position, outline in zip(positions, outlines, strict=True):
            if np.isfinite(outline).all():
                corners[position] = outline.tolist()
    return corners
