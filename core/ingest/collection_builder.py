"""A collection of labelled patches, from its files to the canonical mosaic and its quality record.

One patch at a time is in memory. What the patches are like is decided before, in ``collection_plan``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyproj.exceptions import ProjError
from rasterio.windows import Window as RasterWindow

from core.errors import SourceError
from core.ingest.bands.assign import filling
from core.ingest.canonical import check_complete, file_grid, to_canonical, write_truth
from core.ingest.collection_plan import PICTURE_GAIN, CollectionPlan, PatchShape, patch_shape, plan_collection
from core.ingest.files import RASTER_SUFFIXES, Member, Shelf, SourceFiles
from core.ingest.findings import acquisition_date, finding, ignored, no_data, processing_level, skipped_text, some_names
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.kind import PatchFiles
from core.ingest.formats.patch_folders import open_patch, release_patch
from core.ingest.gdal_errors import GDAL_ERRORS
from core.ingest.grid.georeference import safe_crs
from core.ingest.grid.resample import read_resampled
from core.ingest.labelling import CollectionLabels, label_patches
from core.ingest.messages import clean_name, no_room
from core.ingest.sandbox.limits import MAX_CLASSES
from core.ingest.sandbox.protocol import IngestResult, PlacedPatch
from core.progress import Progress
from core.scenes.geobox import UNPLACED, GeoBox, outlines_lonlat
from core.scenes.pixels.writer import canonical_writer
from core.scenes.quality import Basis, Finding

NOWHERE: list[float] = [math.nan] * 8


def build_collection(files: SourceFiles, found: PatchFiles, directory: Path, progress: Progress) -> IngestResult:
    """Make the mosaic of a collection.

    Args:
        files: the source.
        found: those of its files that are patches, and what is known of them.
        directory: where the mosaic is written.
        progress: told patches.

    Raises:
        SourceError: when no patch can be used, or the bands cannot be told.
    """
    if files.settings.ten_metres:
        why = "it is a collection of patches, whose pixels stay as they are"
        raise SourceError(found=why, remedy="do not wish for pixels of 10 m")
    plan, patches = plan_collection(files, found), found.patches
    hints = plan.hints
    if found.labels is None:
        labelling = label_patches(files, patches)
    else:
        labelling = CollectionLabels(labels=found.labels, source=found.named_by)
    mosaic = write_collection(files.shelf, found, plan, labelling.labels, directory=directory, progress=progress)
    corners = place_corners(mosaic.patches)
    date, date_finding = acquisition_date(files.settings, hints)
    level, level_finding = processing_level(files.settings, hints, plan.bands)
    others = files.others([*patches, *found.used, *labelling.tables])
    rasters = [member for member in others if member.suffix in RASTER_SUFFIXES]
    rest = [member.base for member in others if member not in rasters]
    findings = [
        *_mosaic_findings(mosaic, plan, labelling.source),
        *labelling.findings,
        *found.findings,
        _places(sum(1 for place in corners if not math.isnan(place[0])), len(corners), files.settings.crs),
        date_finding,
        level_finding,
        *_other_kind(rasters, plan),
        *ignored(rest, "they are no patches like the others"),
    ]
    return IngestResult(
        grid=mosaic.grid,
        bands=plan.bands,
        kind="collection",
        patch_size=plan.side,
        classes=mosaic.classes,
        date=date,
        level=level,
        synthetic=hints.synthetic,
        findings=tuple(findings),
        places=_placed(mosaic.patches, corners),
    )


def _placed(patches: Sequence[Patch], corners: Sequence[Sequence[float]]) -> tuple[PlacedPatch, ...]:
    names = _short_names([patch.name for patch in patches])
    return tuple(
        PlacedPatch(
            name=name,
            label=patch.label,
            corners=tuple(place),
            crs=None if math.isnan(place[0]) else patch.geobox.crs,
        )
        for name, patch, place in zip(names, patches, corners, strict=True)
    )


def _short_names(names: Sequence[str]) -> list[str]:
    """Return file names without folders where that keeps them apart."""
    short = [name.rsplit("/", 1)[-1] for name in names]
    return short if len(set(short)) == len(short) else list(names)


def _mosaic_findings(mosaic: Mosaic, plan: CollectionPlan, named_by: str) -> list[Finding]:
    missing = filling(plan.bands)
    share = mosaic.valid / (len(mosaic.patches) * plan.side**2)
    lines = [
        finding(
            "kind",
            f"collection of {len(mosaic.patches):,} patches of {plan.side} × {plan.side} pixels",
            "read",
            "its rasters are patches of one size, laid out as a mosaic that is no map",
        ),
        *plan.findings,
        *([missing] if missing else []),
        *(() if plan.scales is None else plan.scales.findings),
        no_data(share, "pictures mark none" if plan.picture else "pixels that are 0 in every band or hold no number"),
        _classes(mosaic, named_by),
    ]
    if mosaic.skipped:
        value = f"{_files(len(mosaic.skipped))}: {skipped_text(mosaic.skipped)}"
        lines.append(finding("left out", value, "warning", "a collection holds patches of one kind that can be read"))
    return lines


def _other_kind(members: Sequence[Member], plan: CollectionPlan) -> list[Finding]:
    """Say what there is to say of rasters that were not even tried; empty when there are none."""
    if not members:
        return []
    value = f"{_files(len(members))}: {some_names(members)}"
    taken = "pictures" if plan.picture else f"those with {len(plan.bands)} bands"
    return [finding("left out", value, "warning", f"a collection holds patches of one kind, here {taken}")]


def _files(number: int) -> str:
    return f"{number:,} {'file' if number == 1 else 'files'}"


def _places(placed: int, count: int, chosen: str | None) -> Finding:
    """Say of how many patches the place is known; a reference system chosen for all of them is passed over, and why."""
    unused = f"; {chosen}, which was chosen, does not count for a collection" if chosen else ""
    if placed == 0:
        because = f"the patches hold no position{unused}"
        return finding("place", "unknown, so there is no map", "warning", because)
    basis: Basis = "read" if placed == count and not chosen else "warning"
    because = f"each patch holds its own position{unused}"
    return finding("place", f"known of {placed:,} of {count:,} patches", basis, because)


def _classes(mosaic: Mosaic, named_by: str) -> Finding:
    if not mosaic.classes:
        return finding("classes", "none", "read", "the patches lie in no folders")
    without = sum(patch.label is None for patch in mosaic.patches)
    counts = Counter(patch.label for patch in mosaic.patches)
    shown = [f"{clean_name(name, 40)} {counts[name]:,}" for name in mosaic.classes[:30]]
    more = f" and {len(mosaic.classes) - 30} more" if len(mosaic.classes) > 30 else ""
    unlabelled = f"; {without:,} of the patches have none" if without else ""
    return finding("classes", f"{', '.join(shown)}{more}{unlabelled}", "read", f"named by {named_by}")


@dataclass(frozen=True, kw_only=True)
class Patch:
    """One patch of a collection.

    Attributes:
        name: relative file name.
        label: its class, as of ``labelling.label_patches``, or None.
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
    """Return the grid of a mosaic of patches, row-major, ceil(√count) wide."""
    cols = math.isqrt(count - 1) + 1
    return GeoBox(crs=None, transform=UNPLACED, height=-(-count // cols) * side, width=cols * side)


def write_collection(
    shelf: Shelf,
    found: PatchFiles,
    plan: CollectionPlan,
    labels: Mapping[int, str | None],
    *,
    directory: Path,
    progress: Progress,
) -> Mosaic:
    """Write ``pixels.tif`` and, where there are labels, ``truth.tif``.

    Files that cannot be read are left out; they are known only when all were read, so the mosaic is then written again
    without them.

    Raises:
        SourceError: when no patch is left, classes are too many, or the disk is full.
    """
    skipped: dict[Member, str] = {}
    while True:
        good = tuple(member for member in found.patches if member not in skipped)
        if not good:
            raise SourceError(found="none of its patches can be read", remedy="choose GeoTIFF or JPEG patches")
        mosaic = _write(shelf, replace(found, patches=good), plan, labels, directory=directory, progress=progress)
        if not mosaic.skipped:
            break
        skipped.update(mosaic.skipped)
    mosaic.skipped = skipped
    if mosaic.valid == 0:
        raise SourceError(found="every pixel is no data", remedy="choose patches with data")
    check_complete(directory / "pixels.tif", mosaic.grid, len(plan.bands))
    if len(mosaic.classes) > MAX_CLASSES:
        many = f"its patches are of {len(mosaic.classes):,} classes, more than {MAX_CLASSES:,}"
        raise SourceError(found=many, remedy="put the patches of a class into one folder")
    if mosaic.classes:
        _write_truth(mosaic, plan.side, directory)
    return mosaic


def _write(
    shelf: Shelf,
    found: PatchFiles,
    plan: CollectionPlan,
    labels: Mapping[int, str | None],
    *,
    directory: Path,
    progress: Progress,
) -> Mosaic:
    members = found.patches
    mosaic = Mosaic(grid=mosaic_grid(len(members), plan.side))
    side, cols = plan.side, mosaic.grid.width // plan.side
    strip = np.zeros((len(plan.bands), side, mosaic.grid.width), dtype=np.uint16)
    try:
        with canonical_writer(directory, file_grid(mosaic.grid), plan.bands) as data:
            for done, member in enumerate(members, 1):
                block = _take(shelf, member, found, plan, mosaic=mosaic, label=labels[member.number])
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
        raise no_room() from error
    return mosaic


def _take(
    shelf: Shelf, member: Member, found: PatchFiles, plan: CollectionPlan, *, mosaic: Mosaic, label: str | None
) -> NDArray[np.uint16] | None:
    """Read canonical numbers of one patch, noted in the mosaic; None when it is left out."""
    try:
        raster = open_patch(shelf, member, found)
        try:
            if patch_shape(raster) != plan.shape:
                mosaic.skipped[member] = _unlike(patch_shape(raster), plan.shape)
                return None
            block = _canonical(raster, plan, found.names.get(member.number, member.name))
        finally:
            raster.close()
    except SourceError as error:
        mosaic.skipped[member] = error.found
        return None
    finally:
        release_patch(shelf, member, found)
    name = found.names.get(member.number, member.name)
    mosaic.patches.append(Patch(name=name, label=clean_name(label or "", 120) or None, geobox=raster.geobox))
    return block


def _unlike(shape: PatchShape, most: PatchShape) -> str:
    """Say how a patch differs from most, in words; shapes as of ``patch_shape``."""
    if shape[0] != most[0]:
        return f"{shape[0]} {'band' if shape[0] == 1 else 'bands'} where most have {most[0]}"
    if shape[1:3] != most[1:3]:
        return f"{shape[2]} × {shape[1]} pixels where most have {most[2]} × {most[1]}"
    return f"numbers of type {shape[3]} where most have {most[3]}"


def _canonical(raster: RasterFile, plan: CollectionPlan, name: str) -> NDArray[np.uint16]:
    """Read numbers of shape (bands, side, side) as the file's rows run.

    Raises:
        SourceError: when it states of its bands or numbers what no patch that was looked at does.
    """
    window = (0, 0, plan.side, plan.side)
    if plan.scales is None:
        return to_canonical(raster.read(list(plan.indexes), window), PICTURE_GAIN, 0)
    scale, indexes = plan.scales.of(raster, name), plan.indexes_in(raster)
    nodata = [
        mark if plan.nodata is not None else replace(mark, values=(*mark.values, raster.nodata[index - 1] or math.nan))
        for index, mark in zip(indexes, plan.marks, strict=True)
    ]
    got = read_resampled(raster, list(indexes), nodata, raster.geobox.transform, window)
    pairs = zip(plan.bands, got.values, strict=True)
    block = np.stack([to_canonical(numbers, *scale.of(band)) for band, numbers in pairs])
    block *= ~(got.missing | (got.zero & (not plan.zero_is_data)))
    return block


def _write_truth(mosaic: Mosaic, side: int, directory: Path) -> None:
    grid, classes = mosaic.grid, mosaic.classes
    cols = grid.width // side
    index = np.zeros((grid.height // side) * cols, dtype=np.uint16)
    for position, patch in enumerate(mosaic.patches):
        index[position] = 0 if patch.label is None else classes.index(patch.label) + 1
    truth = np.kron(index.reshape(-1, cols), np.ones((side, side), dtype=np.uint16))
    write_truth(directory, truth, grid)


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
