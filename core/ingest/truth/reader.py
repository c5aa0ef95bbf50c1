"""Reading a map of classes on the grid of a scene; only in the sandbox.

Each pixel of the scene has the class of the nearest pixel of the map, for between two classes lies none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj.exceptions import ProjError

from core.errors import SourceError
from core.ingest.bands.auxiliary import stated_beside
from core.ingest.canonical import write_truth
from core.ingest.files import RASTER_SUFFIXES, TABLE_SUFFIXES, Member, Shelf
from core.ingest.findings import finding, ignored
from core.ingest.formats.archives.opening import open_shelf
from core.ingest.formats.extra_samples import without_masks
from core.ingest.formats.geotiff import RasterFile, open_raster
from core.ingest.formats.world_file import beside, placed_beside
from core.ingest.grid.georeference import safe_crs
from core.ingest.grid.warp import nearest_pixels
from core.ingest.messages import WHAT_IS_READ, clean_name, errors_about
from core.ingest.sandbox.protocol import TruthRequest, TruthResult
from core.ingest.truth.names import CodeNames, hex_colour, kept_by_gdal, listed, spoken, unnamed
from core.ingest.truth.products import MapProduct, stated_product
from core.progress import Progress
from core.scenes.geobox import GeoBox
from core.scenes.patches import IntArray
from core.scenes.quality import Basis, Finding

MOST_CODES = 256
"""Classes of a map; what holds more different numbers is a measurement or a picture."""

MOST_COLOURS = 255
_TILE = 256
"""Pixels of the scene, down and across, that are read at a time."""

_CLASS_BAND = re.compile(r"(?:(?:land[ _-]?(?:cover|use))?[ _-]?(?:label|class|classes|classification|map)|lulc)", re.I)
_REMEDY = "give a GeoTIFF with one band of whole numbers, a code for each class"
_SHOWN = 8


def read_truth(request: TruthRequest, progress: Progress) -> TruthResult:
    """Write ``truth.tif`` in ``request.directory``: the classes of a map on the grid of a scene.

    Raises:
        SourceError: why the map cannot be used.
    """
    shelf = open_shelf(request.paths, request.names, request.scratch)
    members = tuple(member for member in shelf.members if not member.is_noise)
    rasters = [member for member in members if member.suffix in RASTER_SUFFIXES]
    tables = [member for member in members if member.suffix in TABLE_SUFFIXES]
    if len(rasters) != 1:
        found = f"{len(rasters)} rasters come together" if rasters else "it is no raster"
        raise SourceError(found=found, remedy=_REMEDY if not rasters else "add one map at a time")
    if len(tables) > 1:
        raise SourceError(found=f"{len(tables)} tables come with it", remedy="give one CSV of codes and names")
    with closing(_opened(shelf.path(rasters[0]), rasters[0].name)) as opened, errors_about(rasters[0].name):
        raster, bands, said = _class_bands(placed_beside(stated_beside(opened, members, shelf), members, shelf))
        box, place = _placed(raster, request.grid, turned=request.turned)
        used = [*rasters, *tables, *beside([raster], members)]
        left_out = ignored([member.base for member in members if member not in used], "it is no part of the map")
        codes = _on_grid(raster, bands, box, request.grid, progress)
        names = _Naming(request=request, shelf=shelf, members=members, tables=tables, raster=raster, band=bands[0])
        return _written(request, codes, names.of(codes), [place, *said, *left_out])


@dataclass(frozen=True, kw_only=True)
class _Codes:
    """A map on the grid of a scene.

    Attributes:
        codes: that occur, ascending; of a painted map numbers of colours.
        index: shape of the scene, 0 = none, else 1 + index into ``codes``.
        painted: True = its classes are colours.
    """

    codes: tuple[int, ...]
    index: NDArray[np.uint16]
    painted: bool


def _opened(path: Path, name: str) -> RasterFile:
    """Open the raster of a map; of a file of no kind that is read it says what a map is, not what a scene is.

    Raises:
        SourceError: as ``open_raster``.
    """
    try:
        return open_raster(path, name)
    except SourceError as error:
        if error.remedy != WHAT_IS_READ:
            raise
        raise type(error)(error.asked, error.found, _REMEDY) from error


def _class_bands(raster: RasterFile) -> tuple[RasterFile, list[int], list[Finding]]:
    """Return a map without masks, and which of its bands hold the classes: one of codes or three of colours."""
    if raster.data.driver == "JPEG" or "jpeg" in str(raster.data.profile.get("compress", "")).lower():
        raise SourceError(found="it is a JPEG, whose compression blurs one class into another", remedy=_REMEDY)
    if raster.count in {2, 4}:
        raster = without_masks(raster)
    bands = [number for number in range(1, raster.count + 1) if number not in raster.alpha]
    if len(bands) == 1:
        return raster, bands, []
    named = [number for number in bands if _CLASS_BAND.fullmatch(raster.descriptions[number - 1].strip())]
    if len(named) == 1:
        text = clean_name(raster.descriptions[named[0] - 1], 40)
        return raster, named, [finding("band", f"“{text}”", "decided", f"one of its {len(bands)} bands is named so")]
    if len(bands) == 3 and {raster.dtypes[number - 1] for number in bands} == {"uint8"}:
        return raster, bands, [finding("classes", "by colour", "decided", "its three bands are a picture in colours")]
    raise SourceError(found=f"it has {len(bands)} bands, and none is named as that of the classes", remedy=_REMEDY)


def _placed(raster: RasterFile, grid: GeoBox, *, turned: bool) -> tuple[GeoBox, Finding]:
    """Return where the pixels of a map lie, in a reference system that stands for itself, and how that is known."""
    box = raster.geobox
    same = (box.height, box.width) == (grid.height, grid.width)
    if not box.placed or grid.crs is None:
        return _by_size(box, grid, turned=turned)
    if box.crs is None:
        if same and np.allclose(box.transform, grid.transform):
            return grid, finding("place", "that of the scene", "read", "its position is that of the scene")
        assumed = replace(box, crs=grid.crs)
        because = "it names no reference system, so it was taken for that of the scene"
        return assumed, finding("place", str(grid.crs)[:60], "assumed", because)
    if not safe_crs(box.crs):
        found = "its reference system is not one that stands for itself"
        raise SourceError(found=found, remedy="save it again in the reference system of the scene")
    shown = box.crs if len(box.crs) < 20 else "its own reference system"
    size = f"{shown}, {box.width:,} × {box.height:,} pixels"
    return box, finding("place", size, "read", "; ".join(raster.notes) or "the file says so")


def _by_size(box: GeoBox, grid: GeoBox, *, turned: bool) -> tuple[GeoBox, Finding]:
    """Lay a map over a scene pixel by pixel, where one of them has no place on Earth and both are of one size."""
    which = "the scene has no place on Earth" if grid.crs is None else "it has no place on Earth"
    sizes = f"{box.width:,} × {box.height:,} pixels, the scene {grid.width:,} × {grid.height:,}"
    if (box.height, box.width) != (grid.height, grid.width):
        remedy = "give a map with a place" if grid.crs is not None else "give a map of just these pixels"
        raise SourceError(found=f"{which}, and it is of another size: {sizes}", remedy=remedy)
    if turned:
        found = f"{which}, and the scene was turned north up when it was read, so it is not known how they lie"
        raise SourceError(found=found, remedy="give a map with a place")
    because = f"{which}, but both have {grid.width:,} × {grid.height:,} pixels"
    return grid, finding("place", "taken to lie on the scene pixel by pixel", "assumed", because)


def _on_grid(raster: RasterFile, bands: list[int], box: GeoBox, grid: GeoBox, progress: Progress) -> _Codes:
    """Read the codes under the centres of the scene's pixels, tile by tile."""
    painted = len(bands) == 3
    numbers: dict[int, int] = {}
    index = np.zeros((grid.height, grid.width), np.uint16)
    reached = False
    for top in range(0, grid.height, _TILE):
        for left in range(0, grid.width, _TILE):
            window = (top, left, min(_TILE, grid.height - top), min(_TILE, grid.width - left))
            codes, known, touched = _tile(raster, bands, box, grid, window)
            reached |= touched
            if known.any():
                here = index[top : top + window[2], left : left + window[3]]
                here[known] = _numbered(codes[known], numbers, painted=painted)
        progress(min(top + _TILE, grid.height), grid.height)
    if not reached:
        raise SourceError(found="it lies nowhere on the ground of the scene", remedy="give a map of the same land")
    if not numbers:
        remedy = "give a map that knows this land, or check its no-data value"
        raise SourceError(found="it has no data on the ground of the scene", remedy=remedy)
    order = sorted(numbers)
    places = np.zeros(len(numbers) + 1, np.uint16)
    for place, code in enumerate(order, 1):
        places[numbers[code]] = place
    return _Codes(codes=tuple(order), index=places[index], painted=painted)


def _tile(
    raster: RasterFile, bands: list[int], box: GeoBox, grid: GeoBox, window: tuple[int, int, int, int]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], bool]:
    """Return codes of a window of the scene, where there are any, and whether the map reaches into it."""
    _, _, height, width = window
    codes, known = np.zeros((height, width), np.int64), np.zeros((height, width), bool)
    if box == grid:
        area: tuple[int, int, int, int] | None = window
        rows, cols = (one.ravel() for one in np.mgrid[0:height, 0:width])
        inside = np.ones((height, width), bool)
    else:
        try:
            rows, cols, inside, area = nearest_pixels(box, grid, window)
        except ProjError as error:
            found = "its reference system and that of the scene cannot be brought together"
            raise SourceError(found=found, remedy="save it again in the reference system of the scene") from error
    if area is None:
        return codes, known, False
    read = raster.read(bands, area)[:, rows, cols]
    there = np.isfinite(read).all(axis=0) if read.dtype.kind == "f" else np.ones(read.shape[1], bool)
    nodata = [raster.nodata[band - 1] for band in bands]
    if all(value is not None for value in nodata):
        there &= ~np.all([part == value for part, value in zip(read, nodata, strict=True)], axis=0)
    missing = raster.read_missing(area)
    if missing is not None:
        there &= ~missing[rows, cols]
    known[inside] = there
    codes[known] = _whole(read[:, there])
    return codes, known, True


def _whole(read: NDArray[Any]) -> IntArray:
    """Return codes as whole numbers, of three bands the number of the colour."""
    if read.dtype.kind == "f":
        odd = read[read != np.rint(read)]
        if odd.size or np.abs(read).max(initial=0) >= 2**53:
            found = f"its numbers are not whole, such as {odd[0]:.4g}" if odd.size else "its numbers are too large"
            raise SourceError(found=f"{found}, so they are no codes of classes", remedy=_REMEDY)
    whole = read.astype(np.int64)
    codes: IntArray = whole[0] if len(whole) == 1 else (whole[0] << 16) + (whole[1] << 8) + whole[2]
    return codes


def _numbered(codes: IntArray, numbers: dict[int, int], *, painted: bool) -> NDArray[np.uint16]:
    """Return the number of each code, from 1 in the order in which they were met; new ones are added."""
    unique, where = np.unique(codes, return_inverse=True)
    for code in unique.tolist():
        numbers.setdefault(code, len(numbers) + 1)
    if len(numbers) > (MOST_COLOURS if painted else MOST_CODES):
        what = f"more than {MOST_COLOURS} colours" if painted else f"more than {MOST_CODES} different numbers"
        remedy = "give the map as codes, without blending, shading or lossy compression"
        raise SourceError(found=f"it holds {what}, so it is no map of classes", remedy=remedy)
    found: NDArray[np.uint16] = np.array([numbers[code] for code in unique.tolist()], np.uint16)[where.ravel()]
    return found


@dataclass(frozen=True, kw_only=True)
class _Naming:
    """What may say what codes mean: a person, a table, files beside the map, the map itself.

    Attributes:
        request: with what a person says.
        shelf: gives the files.
        members: all of them.
        tables: those that are tables of names, at most one.
        raster: the map.
        band: 1-based band of the codes.
    """

    request: TruthRequest
    shelf: Shelf
    members: Sequence[Member]
    tables: Sequence[Member]
    raster: RasterFile
    band: int

    def of(self, found: _Codes) -> tuple[CodeNames, list[Finding]]:
        """Return what the codes mean, and what to say of it; who is named first counts."""
        stated = self._stated(found)
        colours = dict(self._colour_table(found))
        if stated is None:
            return CodeNames(names={}, colours=colours), []
        extra = unnamed(found.codes, stated.names)
        some = ", ".join(_code_text(code, painted=found.painted) for code in extra[:_SHOWN])
        more = f" and {len(extra) - _SHOWN} more" if len(extra) > _SHOWN else ""
        because = f"named {stated.where}"
        said = [finding("names", f"{len(found.codes) - len(extra)} of {len(found.codes)} codes", "read", because)]
        if extra:
            said.append(finding("names", f"{some}{more}", "warning", "codes without a name are called by their number"))
        return replace(stated, colours=colours | dict(stated.colours)), said

    def _stated(self, found: _Codes) -> CodeNames | None:
        if self.request.classes.strip():
            return spoken(self.request.classes, painted=found.painted)
        if self.tables:
            table = self.tables[0]
            return listed(self.shelf.path(table), table.base, painted=found.painted)
        product = stated_product([self.raster.name, self.request.name, *self.raster.tags.values(), *self.raster.tags])
        kept = None if found.painted else self._beside()
        return kept or (None if product is None else _of_product(product, found))

    def _beside(self) -> CodeNames | None:
        name = f"{self.raster.name}.aux.xml"
        member = next((one for one in self.members if one.name == name and one.size < 2**22), None)
        if member is None:
            return None
        text = self.shelf.path(member).read_text(encoding="utf-8", errors="replace")
        return kept_by_gdal(text, member.base, self.band)

    def _colour_table(self, found: _Codes) -> Mapping[int, str]:
        """Return the colours that the file itself gives its codes."""
        if found.painted:
            return {code: _code_text(code, painted=True) for code in found.codes}
        try:
            table = self.raster.data.colormap(self.band)
        except ValueError:
            return {}
        return {code: hex_colour(*table[code][:3]) for code in found.codes if code in table}


def _of_product(product: MapProduct, found: _Codes) -> CodeNames | None:
    """Return what the codes of a published map mean; None where hardly one of them is its."""
    legend = product.legend(found.codes)
    where = f"as in {product.title}, which the file is said to be"
    if found.painted:
        by_colour = {int(colour[1:], 16): name for name, colour in legend.values() if colour}
        known = by_colour.keys() & set(found.codes)
        return CodeNames(names=by_colour, where=where) if 2 * len(known) >= len(found.codes) else None
    if 2 * len(legend.keys() & set(found.codes)) < len(found.codes):
        return None
    colours = {code: colour for code, (_, colour) in legend.items() if colour}
    return CodeNames(names={code: name for code, (name, _) in legend.items()}, colours=colours, where=where)


def _code_text(code: int, *, painted: bool) -> str:
    return f"#{code:06x}" if painted else str(code)


def _written(
    request: TruthRequest, found: _Codes, naming: tuple[CodeNames, list[Finding]], said: list[Finding]
) -> TruthResult:
    """Write the classes, codes of one name as one class, codes that stand for none as none."""
    names, more = naming
    classes: list[str] = []
    colours: list[str] = []
    places = np.zeros(len(found.codes) + 1, np.uint16)
    none: list[str] = []
    for number, code in enumerate(found.codes, 1):
        text = _code_text(code, painted=found.painted)
        name = names.names.get(code, text if found.painted else f"Class {text}")
        if not name:
            none.append(text)
            continue
        if name not in classes:
            colour = names.colours.get(code, "")
            classes.append(name)
            colours.append("" if colour in colours else colour)
        places[number] = 1 + classes.index(name)
    if not classes:
        raise SourceError(found="all its codes stand for no class", remedy="give names to its codes")
    truth = places[found.index]
    write_truth(request.directory, truth, request.grid)
    covered = float(np.count_nonzero(truth) / truth.size)
    if none:
        more = [*more, finding("no class", ", ".join(none[:_SHOWN]), "read", "these codes stand for no class")]
    basis: Basis = "read" if covered >= 0.995 else "warning"
    area = finding("covered", f"{covered:.1%} of the scene", basis, "pixels of the scene that have a class")
    lines = (finding("classes", f"{len(classes)}", "read", ", ".join(classes)[:1500]), area, *said, *more)
    return TruthResult(classes=tuple(classes), colours=tuple(colours), covered=covered, findings=lines)
