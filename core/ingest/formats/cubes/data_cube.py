"""NetCDF, HDF5 and Zarr as a source: bands named by variables or labels, dates on an axis or in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import numpy as np

from core.errors import SourceError
from core.ingest.bands.names import names_other_layer
from core.ingest.files import RASTER_SUFFIXES, SourceFiles
from core.ingest.findings import cloud_cover, finding, ignored, series_said
from core.ingest.formats.classification import ClassRaster, class_raster, names_classes
from core.ingest.formats.cubes.attributes import tags_of
from core.ingest.formats.cubes.classes import codes_by_meaning
from core.ingest.formats.cubes.containers import CUBE_SUFFIXES, CubeGroup, cube_files, open_containers
from core.ingest.formats.cubes.limits import reading
from core.ingest.formats.cubes.place import StoredPlace, ground_of
from core.ingest.formats.cubes.raster import Blocks, CubeRaster, Plane, band_of, raster_of
from core.ingest.formats.cubes.statements import NumberRules, rules_of
from core.ingest.formats.cubes.steps import Step, wanted_step
from core.ingest.formats.cubes.survey import PixelVariable, Survey, surveyed, times_of_variable
from core.ingest.formats.cubes.zarr_names import without_documents, zarrs_of
from core.ingest.formats.extra_samples import mask_file, masks_said, without_masks
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.kind import SceneLayers
from core.ingest.formats.one_scene import layers_of_one_date
from core.ingest.formats.other_sensors import bands_of_other, other_product, refuse_product
from core.ingest.formats.product_metadata import Hint, Hints, read_hints
from core.ingest.formats.tiles import join_tiles
from core.ingest.grid.stack import BandRaster, Layer, layers_of
from core.ingest.messages import clean_name
from core.scenes.overview import SENSOR_TOPIC
from core.scenes.quality import Finding

_MOST_MASKS = 20
_PICTURES = frozenset({".png", ".jpg", ".jpeg"})
"""Rasters beside a cube that are looked at and hold no bands of it."""
_NOWHERE = "where their pixels lie cannot be read"
_OTHER_DATES = "they are of other dates than the bands"
_NO_DATES = "which of their times is that of the bands is not told"
_TWICE = "they have the date of the bands more than once"
_SHOWN = 6


class DataCubes:
    """Cubes of variables on named axes, one or several that belong together."""

    own_files = CUBE_SUFFIXES

    def recognises(self, files: SourceFiles) -> bool:
        """Tell whether files are NetCDF, HDF5 or Zarr by first bytes and names, and no rasters of bands lie beside."""
        if any(not names_other_layer(member.stem) for member in files.ending(RASTER_SUFFIXES - _PICTURES)):
            return False
        return bool(zarrs_of(files.shelf.members) or cube_files(files)) or without_documents(files.members)

    def layers(self, files: SourceFiles, opened: ExitStack) -> SceneLayers:
        """Return the bands of the wanted date."""
        containers = open_containers(files, opened)
        if not containers:
            found = "it looks like a Zarr whose documents are missing, files such as “.zarray” that systems hide"
            raise SourceError(found=found, remedy="copy or zip the whole folder again, hidden files included")
        surveys = []
        for container in containers:
            with reading(container.name):
                surveys.append(surveyed(container, files.settings.bands))
        _refuse_no_bands(surveys)
        step = wanted_step(files, surveys)
        with reading(files.name):
            return _layers(files, surveys, step, _Drawn.of(surveys, step))


def _refuse_no_bands(surveys: Sequence[Survey]) -> None:
    """Refuse files of nothing but classes and masks.

    Raises:
        SourceError: when none holds bands.
    """
    if not any(survey.bands for survey in surveys):
        text = "it is a scene classification" if any(one.classes for one in surveys) else "it is a mask"
        remedy = "open it together with the bands that it belongs to"
        raise SourceError(found=f"{text}, and holds no bands", remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """Rasters of one date.

    Attributes:
        bands: one a grid of each file.
        classes: maps of classes.
        masks: of where there is data.
        absent: names of bands of which chunks are absent.
        ranged: what is said of valid ranges.
        left_out: names of classes and masks that are not read, by the reason, a clause.
    """

    bands: list[RasterFile]
    classes: list[ClassRaster]
    masks: list[RasterFile]
    absent: list[str]
    ranged: list[str]
    left_out: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, surveys: Sequence[Survey], step: Step) -> _Drawn:
        """Make rasters of what files hold at a date."""
        found, blocks, number = cls(bands=[], classes=[], masks=[], absent=[], ranged=[]), Blocks(), 0
        for position, survey in enumerate(surveys):
            if position not in step.at:
                continue
            time = step.at[position]
            grids: dict[object, list[tuple[Plane, str, StoredPlace, str]]] = {}
            places = _places(survey)
            for one in survey.bands:
                ground = places[one]
                for plane, text in _planes(one, time, number):
                    number += 1
                    grids.setdefault(ground, []).append((plane, text, ground, one.group.title))
                    if plane.absent is not None:
                        found.absent.append(text or one.title)
                found.ranged.extend(_range_said(one))
            found.bands.extend(_raster(parts, blocks) for parts in grids.values())
            number = found.beside(survey, places, step, time=time, number=number, blocks=blocks)
        return found

    def beside(
        self,
        survey: Survey,
        places: Mapping[PixelVariable, StoredPlace],
        step: Step,
        *,
        time: int,
        number: int,
        blocks: Blocks,
    ) -> int:
        """Add classes and masks of a file; the number of the next plane."""
        for one in _beside(survey):
            at = _time_beside(one, survey, step, time)
            if one not in places or isinstance(at, str):
                because = at if one in places and isinstance(at, str) else _NOWHERE
                self.left_out.setdefault(because, []).append(one.title)
                continue
            (plane, _), *_ = _planes(one, at, number, classes=one in survey.classes)
            number += 1
            raster = raster_of(one.name, (plane,), (one.name,), places[one], blocks)
            if one in survey.classes:
                classes = class_raster(raster)
                self.classes.extend([classes] if classes is not None else [])
            elif mask_file(raster):
                self.masks.append(raster)
        return number


def _time_beside(one: PixelVariable, survey: Survey, step: Step, time: int) -> int | str:
    """Return the position of a date of the bands along the time of a map of classes or a mask, or why it has none.

    Args:
        one: the map or mask.
        survey: of its file.
        step: the date.
        time: its position along the time of the bands of the file.
    """
    if one.axes.time is None:
        return 0
    try:
        dates = times_of_variable(one).dates
    except SourceError:
        return _OTHER_DATES
    if dates == survey.times.dates:
        return time
    if dates == (None,):
        return 0
    if step.date is None or not any(dates):
        return _NO_DATES
    count = dates.count(step.date)
    return dates.index(step.date) if count == 1 else _TWICE if count else _OTHER_DATES


def _places(survey: Survey) -> dict[PixelVariable, StoredPlace]:
    """Return where variables lie; what states no reference system is of the only one that others of its file state."""
    places = {}
    for one in (*survey.bands, *_beside(survey)):
        try:
            with reading(survey.container.name):
                places[one] = ground_of(one.group, one.variable, one.axes)
        except SourceError:
            if one in survey.bands:  # A scene does not need what lies beside it.
                raise
    known = {place.geobox.crs for place in places.values()} - {None}
    if len(known) != 1:
        return places
    crs = known.pop()
    return {
        one: place
        if place.geobox.crs or not place.geobox.placed
        else replace(place, geobox=replace(place.geobox, crs=crs))
        for one, place in places.items()
    }


def _beside(survey: Survey) -> list[PixelVariable]:
    """Return maps of classes and masks."""
    return [*survey.classes, *survey.masks][:_MOST_MASKS]


def _raster(parts: Sequence[tuple[Plane, str, StoredPlace, str]], blocks: Blocks) -> RasterFile:
    planes, texts, grounds, names = zip(*parts, strict=True)
    return without_masks(raster_of(names[0], planes, texts, grounds[0], blocks))


def _planes(one: PixelVariable, time: int, number: int, *, classes: bool = False) -> list[tuple[Plane, str]]:
    """Return the bands of a variable at a date, with what they are called."""
    variable, axes = one.variable, one.axes
    node = None if one.group.store is None else one.group.store.nodes.get(_path(one.group, one.name))
    rules = rules_of(variable.attrs, variable.dtype, unpacked=node is not None and node.unpacked)
    if classes:
        rules = _class_rules(one, rules)
    at = dict.fromkeys(axes.single, 0)
    if axes.time is not None:
        at[axes.time] = min(time, int(variable.sizes[axes.time]) - 1)
    stored = [int(size) for size in variable.shape]
    chunks = variable.encoding.get("chunks") or variable.encoding.get("chunksizes") or _whole_rows(stored)
    lengths = dict(zip(variable.dims, chunks, strict=True))
    chunk = max(1, int(lengths[axes.y])), max(1, int(lengths[axes.x]))
    found = []
    for band, text in enumerate(one.texts):
        place = {**at, axes.band: band} if axes.band is not None else at
        absent, piece = _absent(one, place)
        plane = Plane(
            number=number + band, variable=variable, at=place, y=axes.y, x=axes.x, rules=rules, chunk=chunk,
            absent=absent, piece=piece or chunk,
        )  # fmt: skip
        found.append((plane, text))
    return found


def _whole_rows(stored: Sequence[int]) -> list[int]:
    """Return the chunks of an array that is stored row after row."""
    return [*([1] * (len(stored) - 2)), min(64, stored[-2]), stored[-1]]


def _path(group: CubeGroup, name: str) -> str:
    return f"{group.path}/{name}" if group.path else name


def _class_rules(one: PixelVariable, rules: NumberRules) -> NumberRules:
    """Return how numbers of a map of classes are taken: what stands for no data is class 0."""
    fills = tuple(value for value in (rules.nodata, *rules.fills) if value not in (None, 0))
    codes = codes_by_meaning(one.variable.attrs)
    return replace(rules, nodata=0.0, fills=fills, low=-np.inf, high=np.inf, scaling=None, codes=codes)


def _absent(one: PixelVariable, at: Mapping[str, int]) -> tuple[np.ndarray | None, tuple[int, int] | None]:
    """Return which chunks of a plane of a Zarr are not there, and their rows and columns; None where all are."""
    store, path = one.group.store, _path(one.group, one.name)
    if store is None or path not in store.nodes:
        return None, None
    node, dims = store.nodes[path], [str(dim) for dim in one.variable.dims]
    piece = dict(zip(dims, node.pieces, strict=True))
    rows = -(-int(one.variable.sizes[one.axes.y]) // piece[one.axes.y])
    cols = -(-int(one.variable.sizes[one.axes.x]) // piece[one.axes.x])
    absent = np.zeros((rows, cols), dtype=bool)
    for row in range(rows):
        for col in range(cols):
            where = {one.axes.y: row, one.axes.x: col}
            chunk = [where[dim] if dim in where else at[dim] // piece[dim] for dim in dims]
            absent[row, col] = not store.holds(path, chunk)
    return (absent, (piece[one.axes.y], piece[one.axes.x])) if absent.any() else (None, None)


def _range_said(one: PixelVariable) -> list[str]:
    rules = rules_of(one.variable.attrs, one.variable.dtype)
    if not (np.isfinite(rules.low) or np.isfinite(rules.high)):
        return []
    low = f"{rules.low:g}" if np.isfinite(rules.low) else "the least"
    return [f"{low} to {rules.high:g}" if np.isfinite(rules.high) else f"from {low} on"]


def _layers(files: SourceFiles, surveys: Sequence[Survey], step: Step, drawn: _Drawn) -> SceneLayers:
    """Return what becomes of rasters of one date."""
    groups = [group for survey in surveys for group in survey.container.groups]
    tags = tags_of(groups)
    texts = [text for raster in drawn.bands for text in raster.descriptions]
    bases = [PurePosixPath(survey.container.name).name for survey in surveys]
    product = other_product(bases, tags, texts)
    refuse_product(product, files.settings)
    other = bands_of_other(bases, tags, texts) if product is not None and files.settings.by_wavelength else None
    hints = _hints(files, surveys, step, tags, texts)
    classes = [*drawn.classes, *_among(drawn.bands)]
    classification = max(classes, key=lambda one: one.geobox.height * one.geobox.width, default=None)
    if hints.level is None and classes:
        hints = replace(hints, level=Hint(value="L2A", where="it comes with a scene classification, as L2A does"))
    whole, tiles = join_tiles(drawn.bands)
    layers, stated = layers_of_one_date(_without_classes(whole, files.settings.bands), files.wanted_date)
    if stated.date is not None and step.position is None:
        hints = replace(hints, date=Hint(value=stated.date, where="the names of its variables say so"))
        if stated.dates:
            step = replace(step, date=stated.date, dates=stated.dates)
            step = replace(step, position=(stated.dates.index(stated.date), len(stated.dates)))
    return SceneLayers(
        layers=tuple(layers),
        hints=hints,
        notes=drawn.bands[0].notes,
        findings=(
            *([finding(SENSOR_TOPIC, product, "warning", "its names or attributes say so")] if product else []),
            *cloud_cover(hints),
            *masks_said(drawn.bands),
            *tiles,
            *([series_said(step.dates, str(step.date), "its variables are of")] if step.dates else []),
            *_counted_said(files, step),
            *_said(surveys, drawn),
            *(line for because, apart in stated.left_out.items() for line in ignored(apart, because)),
        ),
        left_out=_others(files),
        masks=tuple(drawn.masks),
        classification=classification,
        other=other,
        position=step.position,
    )


def _others(files: SourceFiles) -> tuple[str, ...]:
    """Return names of files that are no cubes."""
    used = {member.number for member in cube_files(files)}
    used |= {member.number for keys in zarrs_of(files.shelf.members).values() for member in keys.values()}
    return tuple(member.base for member in files.members if member.number not in used)


def _hints(
    files: SourceFiles, surveys: Sequence[Survey], step: Step, tags: Mapping[str, str], texts: Sequence[str]
) -> Hints:
    """Return what a cube says of itself; the date is that of its axis of time."""
    names = [files.name, *(survey.container.name for survey in surveys)]
    variables = [one.name for survey in surveys for one in (*survey.bands, *survey.classes)]
    hints = replace(read_hints(names, tags, (), [*texts, *variables]), synthetic=False)
    if step.date is not None:
        return replace(hints, date=Hint(value=step.date, where=step.where))
    return replace(hints, date=None, period=None) if step.position is not None else hints


def _among(rasters: Sequence[RasterFile]) -> list[ClassRaster]:
    """Return maps of classes among the labels of an axis of bands."""
    found = []
    for raster in rasters:
        for index, text in enumerate(raster.descriptions, 1):
            if isinstance(raster, CubeRaster) and names_classes(text):
                one = class_raster(band_of(raster, index, text))
                found.extend([one] if one is not None else [])
    return found


def _without_classes(rasters: Sequence[BandRaster], chosen: tuple[str, ...] | None) -> tuple[Layer, ...]:
    """Return all bands but masks, and maps of classes unless a person's names count these too."""
    every = [
        layer
        for raster in rasters
        for layer in layers_of(raster, without=raster.alpha if isinstance(raster, RasterFile) else ())
    ]
    plain = [layer for layer in every if not names_classes(layer.source.descriptions[layer.index - 1])]
    return tuple(every if chosen is not None and len(chosen) == len(every) else plain)


def _counted_said(files: SourceFiles, step: Step) -> list[Finding]:
    """Say which of several dates was read that only their number tells apart."""
    if step.position is None or step.dates:
        return []
    number, count = step.position
    because = "each date is a scene of its own"
    chosen = files.settings.time is not None
    value = f"date {number} of {count}, counted from 0"
    return [finding("time", value, "chosen" if chosen else "read", because, "time")]


def _said(surveys: Sequence[Survey], drawn: _Drawn) -> list[Finding]:
    """Say what else was read or left out."""
    lines = [finding("calendar", note, "warning", "the axis of time says so") for note in _notes(surveys)]
    if any(not one.axes.told for survey in surveys for one in survey.bands):
        because = "nothing names its axes, and the last two of a picture are rows and columns"
        lines.append(finding("axes", "rows, columns", "assumed", because))
    if drawn.ranged:
        because = "attributes of its variables state it; what lies outside is no data"
        lines.append(finding("valid range", "; ".join(sorted(set(drawn.ranged))), "read", because))
    if drawn.absent:
        names = ", ".join(clean_name(name, 40) for name in drawn.absent[:_SHOWN])
        more = f" and {len(drawn.absent) - _SHOWN} more" if len(drawn.absent) > _SHOWN else ""
        because = "parts of them were never written or got lost, and their pixels are no data"
        lines.append(finding("absent chunks", f"{names}{more}", "warning", because))
    left_out = {because: [*names] for because, names in drawn.left_out.items()}
    for survey in surveys:
        for because, names_apart in survey.left_out.items():
            left_out.setdefault(because, []).extend(names_apart)
    return [*lines, *(line for because, names_apart in left_out.items() for line in ignored(names_apart, because))]


def _notes(surveys: Sequence[Survey]) -> list[str]:
    return sorted({note for survey in surveys for note in survey.times.notes})
