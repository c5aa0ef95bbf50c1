"""One scene, from its rasters or its array to the canonical scene and its quality record."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from core.errors import BandsError, SourceError
from core.ingest.bands.assign import Naming, check_enough, filling, name_bands
from core.ingest.bands.names import band_of_file, names_other_layer
from core.ingest.bands.order import tell_order
from core.ingest.bands.sampling import draw
from core.ingest.bands.scale import Calibration, decide_scale
from core.ingest.canonical import write_scene
from core.ingest.collection import write_truth
from core.ingest.findings import finding, ignored, no_data, when, which
from core.ingest.formats.geotiff import RASTER_REMEDY, RasterFile, open_raster
from core.ingest.formats.numpy_file import ArrayFile, open_array
from core.ingest.formats.product_metadata import Hints, read_hints
from core.ingest.grid.georeference import locate
from core.ingest.grid.stack import Layer, Stack, build_stack, finest, refuse_small_numbers
from core.ingest.members import METADATA_SUFFIXES, RASTER_SUFFIXES, TABLE_SUFFIXES, Member, Shelf
from core.ingest.messages import opening
from core.ingest.sandbox.protocol import Outcome, Task
from core.ingest.settings import SKIP
from core.ingest.tile_labels import MAX_TABLE_BYTES, read_labels
from core.progress import Progress
from core.scenes.geobox import GeoBox
from core.scenes.quality import Finding

_MAX_DOCUMENT = 4 * 2**20
_MAX_OPEN = 200


def take_scene(task: Task, shelf: Shelf, members: Sequence[Member], progress: Progress) -> Outcome:
    """Make the canonical scene of one or several rasters in ``task.directory``.

    Raises:
        SourceError: one sentence on why it cannot be.
    """
    with ExitStack() as opened:
        rasters, left_out = _open(task, shelf, members, opened)
        tags = {key: value for raster in reversed(rasters) for key, value in raster.tags.items()}
        hints = read_hints([task.name, *(raster.name for raster in rasters)], tags, _documents(shelf, members))
        naming = name_bands(rasters, task.settings.bands, task.name)
        notes = tuple(note for raster in rasters[:1] for note in raster.notes)
        outcome = _make(task, naming, hints, notes, progress)
        classes, more = _truth(task, shelf, members, outcome.grid)
    ordered = (*outcome.findings, *more, *ignored([*left_out, *naming.ignored]))
    return replace(outcome, classes=classes, findings=ordered)


def take_array(task: Task, shelf: Shelf, member: Member, members: Sequence[Member], progress: Progress) -> Outcome:
    """Make the canonical scene of one date of a NumPy array.

    Raises:
        SourceError: one sentence on why it cannot be.
    """
    array = open_array(shelf.path(member), member.name, task.settings.time)
    chosen = task.settings.bands
    if chosen is not None and len(chosen) != array.count:
        found = f"it has {array.count} bands and the settings name {len(chosen)}"
        raise BandsError(opening(task.name), found, f"name every band in order, {SKIP} for those to leave out")
    layers = [Layer(band=band, source=array, index=index) for index, band in enumerate(chosen or (), 1) if band != SKIP]
    lines = [finding("bands", ", ".join(chosen or ()), "chosen", "named in the ingest settings", "bands")]
    naming = (
        Naming(layers=check_enough(layers, task.name), findings=tuple(lines))
        if chosen
        else Naming(layers=(), nameless=array)
    )
    outcome = _make(task, naming, read_hints([task.name, member.name], {}, []), (), progress)
    axes = finding("axes", array.layout, "assumed", f"its shape is {array.shape_text}")
    which_date = f"date {task.settings.time} of {array.times}, counted from 0"
    date = finding("time", which_date, "chosen", "one date is a scene", "time")
    others = [other.name.rsplit("/", 1)[-1] for other in members if other.number != member.number]
    findings = (
        axes,
        *([date] if array.times > 1 else []),
        *outcome.findings,
        *ignored(others, "the array is the scene"),
    )
    return replace(outcome, findings=findings)


def _open(task: Task, shelf: Shelf, members: Sequence[Member], opened: ExitStack) -> tuple[list[RasterFile], list[str]]:
    """The rasters that may hold bands, and the names of the files left out."""
    if len(members) == 1:
        raster = open_raster(shelf.path(members[0]), members[0].name)
        opened.callback(raster.close)
        return [raster], []
    candidates = [member for member in members if member.suffix in RASTER_SUFFIXES]
    named = [member for member in candidates if band_of_file(member.stem) is not None]
    if task.settings.bands is None:
        chosen = named or [member for member in candidates if not names_other_layer(member.stem)]
    else:
        chosen = candidates
    if not chosen or len(chosen) > _MAX_OPEN:
        found = f"{len(chosen) or 'none'} of its {len(members):,} files may be a band"
        raise SourceError(opening(task.name), found, RASTER_REMEDY)
    rasters = []
    for member in chosen:
        raster = open_raster(shelf.path(member), member.name)
        opened.callback(raster.close)
        rasters.append(raster)
    used = {member.number for member in chosen} | {m.number for m in members if m.suffix in TABLE_SUFFIXES}
    return rasters, [member.name.rsplit("/", 1)[-1] for member in members if member.number not in used]


def _documents(shelf: Shelf, members: Sequence[Member]) -> list[str]:
    """Text of the product metadata files."""
    chosen = [
        m for m in members if m.suffix in METADATA_SUFFIXES and m.size <= _MAX_DOCUMENT and "MTD" in m.stem.upper()
    ]
    return [shelf.path(member).read_text(encoding="utf-8", errors="replace") for member in chosen[:8]]


def _make(task: Task, naming: Naming, hints: Hints, notes: tuple[str, ...], progress: Progress) -> Outcome:
    """The scene of named bands, or of one raster whose bands its pixels tell."""
    layers, bands_found = naming.layers, naming.findings
    if naming.nameless is not None:
        layers, bands_found = _tell(task, naming.nameless)
    refuse_small_numbers(layers, task.name)
    reference = finest(layers)
    grid, located = locate(reference, chosen_crs=task.settings.crs, notes=notes, name=task.name)
    stack = build_stack(layers, grid, reference, task.settings.nodata, task.name)
    scale = _scale(task, stack, hints)
    valid = write_scene(stack, scale, task.directory, progress, task.name)
    date, date_finding = when(task.settings, hints)
    level, level_finding = which(task.settings, hints, stack.bands)
    missing = filling(stack.bands)
    findings = (
        *bands_found,
        *([missing] if missing else []),
        *scale.findings,
        no_data(valid, _no_data_rule(task, layers)),
        *located,
        *_resampling(stack, layers, reference),
        date_finding,
        level_finding,
    )
    return Outcome(
        grid=grid,
        bands=stack.bands,
        date=date,
        level=level,
        synthetic=hints.synthetic,
        findings=findings,
    )


def _tell(task: Task, source: RasterFile | ArrayFile) -> tuple[tuple[Layer, ...], tuple[Finding, ...]]:
    """Bands of a raster without names, by their pixels."""
    alpha = source.alpha if isinstance(source, RasterFile) else ()
    nameless = [Layer(band=f"{i:03d}", source=source, index=i) for i in range(1, source.count + 1) if i not in alpha]
    refuse_small_numbers(nameless, task.name)
    reference = finest(nameless)
    grid, _ = locate(reference, chosen_crs=task.settings.crs, name=task.name)
    pixels = draw(build_stack(nameless, grid, reference, task.settings.nodata, task.name))
    _refuse_empty(pixels.shape[1], task)
    order = tell_order(pixels, task.name)
    layers = [replace(layer, band=band) for layer, band in zip(nameless, order.bands, strict=True)]
    lines = finding("bands", ", ".join(order.bands), "decided", f"{order.title}: {order.because}", "bands")
    return check_enough(layers, task.name), (lines,)


def _scale(task: Task, stack: Stack, hints: Hints) -> Calibration:
    pixels = draw(stack)
    _refuse_empty(pixels.shape[1], task)
    kinds = {np.dtype(name).kind for part in stack.parts for name in part.source.dtypes}
    samples = dict(zip(stack.bands, pixels, strict=True))
    return decide_scale(samples, integers=kinds <= {"i", "u"}, chosen=task.settings.scale, hints=hints, name=task.name)


def _refuse_empty(count: int, task: Task) -> None:
    if count == 0:
        found = "every pixel is no data"
        raise SourceError(
            opening(task.name), found, "choose an area with data, or set the no-data value in the settings"
        )


def _no_data_rule(task: Task, layers: Sequence[Layer]) -> str:
    if task.settings.nodata is not None:
        return f"pixels that are {task.settings.nodata:g} in any band, as chosen, or 0 in every band, or not a number"
    declared = {layer.source.nodata[layer.index - 1] for layer in layers} - {None, 0}
    stated = (
        f"pixels that are {', '.join(f'{value:g}' for value in declared if value is not None)} as the file declares, "
    )
    return f"{stated if declared else 'pixels that are '}0 in every band, or not a number"


def _resampling(stack: Stack, layers: Sequence[Layer], reference: GeoBox) -> list[Finding]:
    lines = []
    if stack.resampled:
        because = "their own pixels are larger"
        lines.append(finding("resampled", f"{', '.join(stack.resampled)} (bilinear)", "decided", because))
    coarsest = max(layer.source.geobox.pixel_size for layer in layers)
    apart = [
        layer.band
        for layer in layers
        if layer.source.geobox.placed and not layer.source.geobox.same_extent(reference, 1.5 * coarsest)
    ]
    if apart:
        because = "what lies outside of any band is no data"
        lines.append(finding("extent", f"{', '.join(apart)} cover another area", "warning", because))
    return lines


def _truth(
    task: Task, shelf: Shelf, members: Sequence[Member], grid: GeoBox
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Write the truth of a table of labels beside the rasters; its classes and what to say of it."""
    tables = [member for member in members if member.suffix in TABLE_SUFFIXES and member.size <= MAX_TABLE_BYTES]
    for member in tables[:4]:
        labels = read_labels(shelf.path(member))
        if isinstance(labels, str):
            return (), (finding("classes", "none", "warning", labels),)
        truth = labels.raster(grid.height, grid.width)
        if truth is None:
            rows, cols = labels.index.shape
            because = f"the table has {rows} × {cols} tiles, which do not fit the scene as squares"
            return (), (finding("classes", "none", "warning", because),)
        write_truth(task.directory, truth[0], grid, task.name)
        value = f"{len(labels.classes)} classes on tiles of {truth[1]} pixels"
        return labels.classes, (finding("classes", value, "read", "from the table of labels beside it"),)
    return (), ()
