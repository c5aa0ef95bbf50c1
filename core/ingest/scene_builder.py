"""One scene, from the bands that a kind of input found to the canonical scene and its quality record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import BandsError, SourceError
from core.ingest.bands.assign import MIN_BANDS, Naming, filling, name_bands
from core.ingest.bands.calibration import Calibration
from core.ingest.bands.fill import Gaps, find_gaps, with_limits, with_special, zero_means_light
from core.ingest.bands.order import refuse_falling_edge
from core.ingest.bands.sampling import draw_pixels
from core.ingest.bands.scale import BandNumbers, calibrate
from core.ingest.canonical import LARGEST, all_no_data, write_classes, write_scene, write_truth
from core.ingest.files import Member, SourceFiles
from core.ingest.findings import acquisition_date, finding, ignored, no_data, processing_level
from core.ingest.formats.classification import ClassRaster
from core.ingest.formats.extra_samples import names_holes
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.kind import SceneLayers
from core.ingest.grid.georeference import at_ten_metres, canonical_grid
from core.ingest.grid.nearest import over_ground
from core.ingest.grid.part import grid_of_part, part_said, wished_window
from core.ingest.grid.resample import PixelWindow
from core.ingest.grid.stack import Layer, Stack, build_stack, finest, refuse_small_numbers
from core.ingest.messages import clean_name
from core.ingest.sandbox.protocol import IngestResult
from core.ingest.settings import IngestSettings
from core.ingest.tile_labels import MAX_TABLE_BYTES, read_labels
from core.progress import Progress
from core.scenes.classification import CLOUD_CLASSES, SHADOW_CLASSES, class_shares
from core.scenes.geobox import UNPLACED, GeoBox
from core.scenes.overview import CLOUD_TOPIC
from core.scenes.quality import Finding

LOWEST = -3000.0
"""Reflectance below −0.3, × 10,000: no correction of the atmosphere goes so far, so it is no light."""
BRIGHTEST = 100_000.0
"""Reflectance above 10, × 10,000, is none either: no glint goes so far, and 16-bit products end at 6.5."""


def build_scene(files: SourceFiles, found: SceneLayers, directory: Path, progress: Progress) -> IngestResult:
    """Make the canonical scene of bands on one ground.

    Args:
        files: the source.
        found: its bands and what it says of itself.
        directory: where the scene is written.
        progress: told rows of pixels.

    Raises:
        SourceError: when bands cannot be told or laid over each other, or hold no reflectance.
    """
    settings = files.settings
    naming = named_bands(found, settings)
    refuse_small_numbers(naming.layers, settings.scale)
    gaps = find_gaps(naming.layers, settings.nodata, few=bool(found.special))
    gaps = with_special(gaps, found.special, settings.nodata)
    layers = _enough(gaps)
    reference = finest(layers)
    grid, located = canonical_grid(reference, chosen_crs=settings.crs, notes=found.notes)
    stack, scale = _calibrated(gaps, grid, reference, files, found)
    whole = grid
    if (window := wished_window(grid, settings)) is not None:  # What numbers mean was told by those of the whole.
        grid, located = _part(grid, window, located, found, settings)
    if settings.ten_metres:
        grid, located = at_ten_metres(grid, located)
        whole = at_ten_metres(whole, ())[0] if window is None else whole
    stack = replace(stack, grid=grid)
    valid = write_scene(stack, scale, directory, progress)
    classified, cloud = _classification(found.classification, grid, reference, directory)
    classes, labelled = _truth(files, found.tables, grid, directory, whole)
    date, date_finding = acquisition_date(settings, found.hints)
    level, level_finding = processing_level(settings, found.hints, stack.bands)
    missing = filling(stack.bands)
    findings = (
        *cloud,
        *found.findings,
        naming.finding,
        *([missing] if missing else []),
        *scale.findings,
        *gaps.findings,
        no_data(valid, _no_data_rule(settings.nodata, stack, layers, reference)),
        *located,
        *_resampling(stack, layers, reference),
        date_finding,
        level_finding,
        *labelled,
        *_left_out(found, naming.ignored, gaps.empty),
    )
    return IngestResult(
        grid=grid if reference.placed else replace(grid, transform=UNPLACED),
        bands=stack.bands,
        classes=classes,
        date=date,
        level=level,
        synthetic=found.hints.synthetic,
        findings=findings,
        position=found.position,
        classification=classified,
    )


def named_bands(found: SceneLayers, settings: IngestSettings) -> Naming:
    """Return which layers of a source are bands of the scene; pixels are looked at where nothing names them.

    Raises:
        SourceError: when bands cannot be told.
    """
    chosen = settings.bands if found.chosen is None else found.chosen
    return name_bands(found.layers, chosen, lambda nameless: _some_pixels(nameless, settings), found.other)


def _part(
    grid: GeoBox, window: PixelWindow, located: Sequence[Finding], found: SceneLayers, settings: IngestSettings
) -> tuple[GeoBox, tuple[Finding, ...]]:
    """Return the grid of a part of a scene, and what is then to be said of where it lies."""
    part = grid_of_part(grid, window)
    turned = (line for line in located if line.topic == "orientation")
    known = part if grid.placed else replace(part, transform=UNPLACED)
    _, lines = canonical_grid(known, chosen_crs=settings.crs, notes=found.notes)
    kept = (line for line in lines if line.topic != "size")
    return part, (*turned, *kept, part_said(grid, window, settings))


def _left_out(found: SceneLayers, bands: Mapping[str, list[str]], empty: Mapping[str, list[str]]) -> list[Finding]:
    """Say which files and bands were not used, a line a reason."""
    reasons = {found.left_out_because: [*found.left_out], **bands, **empty}
    return [line for because, names in reasons.items() for line in ignored(names, because)]


def _some_pixels(nameless: Sequence[Layer], settings: IngestSettings) -> NDArray[np.float32]:
    """Draw valid pixels of one raster's bands, by which they are told."""
    refuse_small_numbers(nameless, settings.scale)
    reference = finest(nameless)
    grid, _ = canonical_grid(reference, chosen_crs=settings.crs)
    return _drawn(build_stack(nameless, grid, reference, settings.nodata))


def _drawn(stack: Stack, masks: Sequence[RasterFile] = (), *, few: bool = False) -> NDArray[np.float32]:
    """Draw valid pixels of the bands of a scene, beside which masks lie.

    Raises:
        SourceError: when there are none, by its masks where these leave none.
    """
    pixels = draw_pixels(stack, few=few)
    if pixels.shape[1]:
        return pixels
    if not stack.masks or not draw_pixels(replace(stack, masks=()), few=few).shape[1]:
        raise all_no_data()
    names = ", ".join(f"“{clean_name(mask.name.rsplit('/', 1)[-1], 60)}”" for mask in masks[:3])
    found = f"by {names}, taken for a mask of where there is data, none of its pixels holds any"
    raise SourceError(found=found, remedy="leave the mask out, if it is one of clouds or of other things")


def _enough(gaps: Gaps) -> tuple[Layer, ...]:
    """Return the bands that hold something.

    Raises:
        SourceError: when they are too few.
    """
    optical = [layer for layer in gaps.layers if layer.band != "B10"]
    if not optical:
        raise all_no_data()
    if len(optical) < MIN_BANDS:
        names = ", ".join(layer.band for layer in gaps.layers)
        reasons = "; ".join(f"{', '.join(titles)}: {because}" for because, titles in gaps.empty.items())
        found = f"only {names} holds data, and at least {MIN_BANDS} bands are needed ({reasons[:300]})"
        raise BandsError(found=found, remedy="choose an area or files in which the other bands hold data too")
    return gaps.layers


def _calibrated(
    gaps: Gaps, grid: GeoBox, reference: GeoBox, files: SourceFiles, found: SceneLayers
) -> tuple[Stack, Calibration]:
    """Lay bands over each other, decide what their numbers mean, and take out what is no light by that."""
    layers, settings = gaps.layers, files.settings
    stack = build_stack(layers, grid, reference, settings.nodata, gaps.marks)
    bands = {layer.band: layer for layer in layers}
    packed = any(zero_means_light(layer) for layer in layers)
    stack = replace(stack, edge={stack.bands.index(band): number for band, number in gaps.edge.items()})
    over = [(over_ground(mask, reference), names_holes(mask.name)) for mask in found.masks]
    masks = tuple((mask, holes) for mask, holes in over if mask is not None)
    stack = replace(stack, zero_is_data=packed, masks=masks)
    samples = _drawn(stack, found.masks, few=found.hints.quantity is not None)
    numbers = {
        band: BandNumbers(
            values=values,
            integers=_dtype(bands[band]).kind in "iu",
            scaling=bands[band].source.scaling[bands[band].index - 1],
            source=id(bands[band].source),
        )
        for band, values in zip(stack.bands, samples, strict=True)
    }
    if settings.bands is None:
        refuse_falling_edge({band: one.values for band, one in numbers.items()})
    scale = calibrate(numbers, chosen=settings.scale, hints=found.hints, alike=files.alike)
    marks = with_limits(
        gaps.marks,
        {band: (scale.original(band, LOWEST), scale.original(band, BRIGHTEST)) for band in bands},
        {band: scale.canonical(band, 0) < LOWEST / 6 for band in bands},
        {
            band: _dtype(layer) == np.uint16 and scale.canonical(band, 65_535) > LARGEST - 1000
            for band, layer in bands.items()
        },
    )
    final = build_stack(layers, grid, reference, settings.nodata, marks)
    return replace(stack, parts=final.parts), scale


def _dtype(layer: Layer) -> np.dtype[Any]:
    return np.dtype(layer.source.dtypes[layer.index - 1])


def _no_data_rule(chosen: float | None, stack: Stack, layers: Sequence[Layer], reference: GeoBox) -> str:
    rule = _declared_rule(chosen, layers)
    zero = [
        stack.bands[position]
        for part in stack.parts
        for position, mark in zip(part.positions, part.nodata, strict=True)
        if 0.0 in mark.values
    ]
    if zero and chosen is None:
        rule = f"{rule}, or 0 in any of {', '.join(zero) if len(zero) < len(stack.bands) else 'the bands'}"
    short = [layer.band for layer in layers if _ends_before(layer, reference)]
    return (
        f"{rule}, or where {', '.join(short)} end{'s' if len(short) == 1 else ''} before the others" if short else rule
    )


def _ends_before(layer: Layer, reference: GeoBox) -> bool:
    geobox = layer.source.geobox
    return geobox.placed and geobox.crs == reference.crs and not geobox.covers(reference)


def _declared_rule(chosen: float | None, layers: Sequence[Layer]) -> str:
    if chosen is not None:
        return f"pixels that are {chosen:g} in any band, as chosen, or 0 in every band, or not a number"
    numbers = [layer.source.nodata[layer.index - 1] for layer in layers if not _declares(layer)]
    declared = dict.fromkeys([f"{number:g}" for number in numbers if number], None)
    declared |= dict.fromkeys(words for layer in layers for words in _declares(layer))
    stated = f"pixels that are {', '.join(declared)} as the file declares, "
    return f"{stated if declared else 'pixels that are '}0 in every band, or not a number"


def _declares(layer: Layer) -> tuple[str, ...]:
    """Return what a source declares to be no data in words, where its no-data numbers do not tell it."""
    return layer.source.declares if isinstance(layer.source, RasterFile) else ()


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


def _classification(
    found: ClassRaster | None, grid: GeoBox, reference: GeoBox, directory: Path
) -> tuple[bool, list[Finding]]:
    """Write the map of classes on the scene's grid; whether there is one, and what it says of clouds."""
    if found is None:
        return False, []
    name = clean_name(found.name.rsplit("/", 1)[-1], 120)
    laid = over_ground(found, reference)
    if laid is None:
        because = "it lies in another place or reference system than the bands, so it was left out"
        return False, [finding("classification", name, "warning", because)]
    shares = class_shares(write_classes(laid, grid, directory))
    if not shares:
        (directory / "classification.tif").unlink()
        return False, [finding("classification", name, "warning", "it holds no class anywhere, so it was left out")]
    because = "kept on the grid of the scene, the nearest pixel each; no pixel is left out by it"
    lines = [finding("classification", name, "read", because)]
    cloud = sum(shares.get(number, 0.0) for number in CLOUD_CLASSES)
    shadow = sum(shares.get(number, 0.0) for number in SHADOW_CLASSES)
    value = f"{cloud:.1%} under cloud, {shadow:.1%} in its shadow"
    return True, [*lines, finding(CLOUD_TOPIC, value, "read", f"“{name}” says so")]


def _on_part(classes: NDArray[np.uint16], whole: GeoBox, grid: GeoBox) -> NDArray[np.uint16]:
    """Return the classes of the pixels of a part, the nearest each."""
    if (whole.height, whole.width) == (grid.height, grid.width):
        return classes
    rows, cols = (np.arange(length, dtype=np.float64) + 0.5 for length in (grid.height, grid.width))
    ys, xs = grid.xy(rows, np.zeros_like(rows))[1], grid.xy(np.zeros_like(cols), cols)[0]
    in_rows, in_cols = whole.rowcol(np.full_like(ys, xs[0]), ys)[0], whole.rowcol(xs, np.full_like(xs, ys[0]))[1]
    near = np.ix_(
        np.clip(np.floor(in_rows).astype(int), 0, whole.height - 1),
        np.clip(np.floor(in_cols).astype(int), 0, whole.width - 1),
    )
    return classes[near]


def _truth(
    files: SourceFiles, tables: Sequence[Member], grid: GeoBox, directory: Path, whole: GeoBox
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Write the truth of a table of labels beside the rasters; its classes and what to say of it.

    Tiles of the table lie on the whole scene, of which the grid may be a part.
    """
    for member in [member for member in tables if member.size <= MAX_TABLE_BYTES][:1]:
        labels = read_labels(files.shelf.path(member))
        if isinstance(labels, str):
            return (), (finding("classes", "none", "warning", labels),)
        truth = labels.raster(whole.height, whole.width)
        if truth is None:
            rows, cols = labels.index.shape
            because = f"the table has {rows} × {cols} tiles, which do not fit the scene as squares"
            return (), (finding("classes", "none", "warning", because),)
        write_truth(directory, _on_part(truth[0], whole, grid), grid)
        value = f"{len(labels.classes)} classes on tiles of {truth[1]} pixels"
        return labels.classes, (finding("classes", value, "read", "from the table of labels beside it"),)
    return (), ()
