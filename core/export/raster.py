"""Maps of patches as cloud-optimised GeoTIFF, with what QGIS and others need beside it: a style and a table of classes.

A map of classes has two bands: codes with a colour table, and how sure each is, in percent. A map of numbers has one.
"""

from __future__ import annotations

import math
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from core.bands import FloatArray
from core.errors import StoreError
from core.export.qgis import MapClass, class_style, value_style
from core.files import disk_errors, replacing, write_atomically
from core.scenes.geobox import GeoBox
from core.scenes.patches import IntArray, PatchGrid

UNSURE_CODE, NO_DATA_CODE = 254, 255
"""Codes of cells that nothing was decided of, and of cells without a patch; in maps of 16 bits as well, but for
``NO_DATA_CODE``, which is 65535 there."""

_UNSURE_COLOUR = "#d0d0d0"
NOTHING_SAID: Mapping[str, str] = MappingProxyType({})
NO_FURTHER_BANDS: Mapping[str, FloatArray] = MappingProxyType({})
_CELLS_AT_ONCE = 4_000_000
MOST_CELLS = 50_000_000
"""Cells of a map, at most; where patches overlap unevenly, cells are then a little coarser than their edges."""

_COG = {"driver": "COG", "compress": "DEFLATE", "blocksize": 512, "bigtiff": "IF_SAFER", "num_threads": "2"}


@dataclass(frozen=True, kw_only=True, eq=False)
class MapCells:
    """The cells of a map: squares of pixels so small that every edge of a patch, or between two, lies on theirs.

    Attributes:
        place: where the cells lie.
        side: pixels along a cell.
        grid: the patches.
    """

    place: GeoBox
    side: int
    grid: PatchGrid

    def spread(self, ids: IntArray, values: NDArray[Any], fill: float) -> NDArray[Any]:
        """Return a value for each cell, of shape (rows, columns): that of the patch whose centre is nearest.

        Args:
            ids: of the patches that are there, shape (N,).
            values: of these, shape (N,).
            fill: where none of these is.
        """
        table = np.full(self.grid.count + 1, fill, dtype=values.dtype)
        table[ids] = values
        rows, cols = (
            (np.arange(count, dtype=np.float64) + 0.5) * self.side for count in (self.place.height, self.place.width)
        )
        found = np.empty((len(rows), len(cols)), values.dtype)
        band = max(1, _CELLS_AT_ONCE // len(cols))
        for first in range(0, len(rows), band):
            some = rows[first : first + band, None]
            found[first : first + band] = table[self.grid.patches_at(some, cols[None, :], ids)]  # −1 is the last: none.
        return found


def map_cells(place: GeoBox, grid: PatchGrid, most: int = MOST_CELLS) -> MapCells:
    """Return the cells of a scene's patches; where patches overlap, a cell shows the one whose centre is nearest.

    Args:
        place: where the pixels of the scene lie.
        grid: its patches.
        most: cells, at most.
    """
    edges = [_edges(starts, grid.size) for starts in (grid.tops, grid.lefts)]
    side = math.gcd(*(int(edge) for along in edges for edge in along), 0) or 1
    reach = [int(along[-1]) for along in edges]
    while math.ceil(reach[0] / side) * math.ceil(reach[1] / side) > most:
        side *= 2
    a, b, c, d, e, f = place.transform
    height, width = (math.ceil(length / side) for length in reach)
    return MapCells(
        place=GeoBox(
            crs=place.crs, transform=(a * side, b * side, c, d * side, e * side, f), height=height, width=width
        ),
        side=side,
        grid=grid,
    )


def _edges(starts: IntArray, size: int) -> IntArray:
    """Return where along a side patches begin and end, and where another begins to be the nearest, in pixels.

    What lies between two pixels is told by cells of one pixel.
    """
    edges = np.concatenate([starts, (starts[1:] + starts[:-1] + size) / 2, starts + size])
    whole = edges == np.floor(edges)
    return (edges if whole.all() else np.append(edges[whole], [1, edges[-1]])).astype(np.int64)


def write_class_map(
    path: Path,
    codes: NDArray[Any],
    place: GeoBox,
    classes: Sequence[MapClass],
    confidence: FloatArray | None = None,
    *,
    about: Mapping[str, str] = NOTHING_SAID,
) -> list[Path]:
    """Write classes as a cloud-optimised GeoTIFF, its style ``.qml`` and its names ``.aux.xml``; overviews by mode.

    Args:
        path: of the GeoTIFF.
        codes: of each cell, shape (H, W), ``NO_DATA_CODE`` = no data; ``UNSURE_CODE`` where nothing was decided.
        place: where the cells lie.
        classes: every code that occurs, with name and colour; that of ``UNSURE_CODE`` is added.
        confidence: 0 to 1 for each cell, NaN = unknown; None = the map has no second band.
        about: how the map was made, kept as metadata of the file under upper-case names.

    Returns:
        The files that were written.

    Raises:
        StoreError: when a file cannot be written, or codes do not fit 16 bits or occur twice.
    """
    shown = _complete(path, codes, classes)
    wide = max(one.code for one in shown) > NO_DATA_CODE
    dtype, none = (np.uint16, 65535) if wide else (np.uint8, NO_DATA_CODE)
    bands = [np.where(codes == NO_DATA_CODE, none, codes).astype(dtype)]
    if confidence is not None:
        bands.append(np.where(np.isfinite(confidence), np.rint(np.nan_to_num(confidence) * 100), none).astype(dtype))
    colours = {one.code: (*one.rgb, 255) for one in shown}
    names = ("class", "confidence in percent")[: len(bands)]
    _write_cog(path, np.stack(bands), place, nodata=none, names=names, colours=colours, resampling="MODE",
               about=about)  # fmt: skip
    beside = {path.with_suffix(".qml"): class_style(shown), _aux(path): _table_of(shown)}
    return [path, *_write_texts(beside)]


def write_value_map(
    path: Path,
    values: FloatArray,
    place: GeoBox,
    *,
    title: str,
    low: float,
    high: float,
    colours: Sequence[str],
    more: Mapping[str, FloatArray] = NO_FURTHER_BANDS,
) -> list[Path]:
    """Write numbers as a cloud-optimised GeoTIFF of floats and its style ``.qml``; overviews by average.

    Args:
        path: of the GeoTIFF.
        values: of each cell, shape (H, W), NaN = none.
        place: where the cells lie.
        title: what the numbers are.
        low: value of the first colour.
        high: value of the last.
        colours: ``#rrggbb``, evenly spaced from the first to the last.
        more: further bands by their names, of the same shape.

    Raises:
        StoreError: when a file cannot be written.
    """
    bands = np.stack([values, *more.values()]).astype(np.float32)
    _write_cog(path, bands, place, nodata=math.nan, names=(title, *more), colours={}, resampling="AVERAGE")
    return [path, *_write_texts({path.with_suffix(".qml"): value_style(low, high, colours)})]


def _complete(path: Path, codes: NDArray[Any], classes: Sequence[MapClass]) -> list[MapClass]:
    """Return the classes by code, with that of cells nothing was decided of.

    Raises:
        StoreError: when two have one code, when one does not fit, or when a cell has a code without a class.
    """
    asked = f"Writing “{path.name}”"
    by_code = {one.code: one for one in classes}
    if len(by_code) < len(classes):
        raise StoreError(asked, "two classes have one code", "give each class a code of its own")
    if not all(0 <= code < 65535 and code != NO_DATA_CODE for code in by_code):
        raise StoreError(asked, f"a code is below 0, above 65534 or {NO_DATA_CODE}", "choose other codes")
    found = set(np.unique(codes).tolist())
    if UNSURE_CODE in found and UNSURE_CODE not in by_code:
        by_code[UNSURE_CODE] = MapClass(code=UNSURE_CODE, name="unsure", colour=_UNSURE_COLOUR)
    if lacking := sorted(found - by_code.keys() - {NO_DATA_CODE}):
        raise StoreError(asked, f"no class has code {lacking[0]}", "name every code of the map")
    return [by_code[code] for code in sorted(by_code)]


def _write_cog(
    path: Path,
    bands: NDArray[Any],
    place: GeoBox,
    *,
    nodata: float,
    names: Sequence[str],
    colours: dict[int, tuple[int, int, int, int]],
    resampling: str,
    about: Mapping[str, str] = NOTHING_SAID,
) -> None:
    """Write bands, of shape (B, H, W), whole or not at all."""
    full = "free some space or choose another place"
    profile = {"driver": "GTiff", "count": len(bands), "height": bands.shape[1], "width": bands.shape[2]}
    profile |= {"dtype": bands.dtype, "nodata": nodata, "crs": place.crs, "transform": place.affine}
    if colours:
        profile["photometric"] = "PALETTE"
    with (
        disk_errors(f"Writing “{path.name}”", full=full, other="choose another place"),
        _unplaced_too(),
        MemoryFile() as memory,
    ):
        with memory.open(**profile) as data:
            data.write(bands)
            data.descriptions = tuple(names)
            data.update_tags(**{name.upper().replace(" ", "_"): said for name, said in about.items()})
            if colours:
                data.write_colormap(1, colours)
        with memory.open() as data, replacing(path) as fresh:
            rasterio.shutil.copy(data, str(fresh), overview_resampling=resampling, **_COG)
            Path(f"{fresh}.aux.xml").unlink(missing_ok=True)


@contextmanager
def _unplaced_too() -> Iterator[None]:
    """Let maps of scenes without a place be written without a word."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def _write_texts(texts: dict[Path, str]) -> list[Path]:
    for path, text in texts.items():
        with disk_errors(f"Writing “{path.name}”", full="free some space", other="choose another place"):
            write_atomically(path, text.encode(), private=False)
    return list(texts)


def _aux(path: Path) -> Path:
    return path.with_name(f"{path.name}.aux.xml")


def _table_of(classes: Sequence[MapClass]) -> str:
    """Return GDAL's side file: names by code, and the table of codes, names and colours that QGIS and ArcGIS read."""
    root = ET.Element("PAMDataset")
    band = ET.SubElement(root, "PAMRasterBand", band="1")
    names, by_code = ET.SubElement(band, "CategoryNames"), {one.code: one.label for one in classes}
    for code in range(max(by_code) + 1):
        ET.SubElement(names, "Category").text = by_code.get(code, "")
    table = ET.SubElement(band, "GDALRasterAttributeTable", tableType="thematic")
    fields = (("Value", 0, 5), ("Class", 2, 2), ("Red", 0, 6), ("Green", 0, 7), ("Blue", 0, 8), ("Alpha", 0, 9))
    for index, (name, kind, usage) in enumerate(fields):
        field = ET.SubElement(table, "FieldDefn", index=str(index))
        for tag, text in (("Name", name), ("Type", kind), ("Usage", usage)):
            ET.SubElement(field, tag).text = str(text)
    for index, one in enumerate(classes):
        row = ET.SubElement(table, "Row", index=str(index))
        for cell in (one.code, one.label, *one.rgb, 255):
            ET.SubElement(row, "F").text = str(cell)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"
