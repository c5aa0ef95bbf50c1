"""The map of a value of patches: as a picture, and as GeoTIFF with a style for QGIS."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from core.bands import FloatArray
from core.engine.exports.classified import classified_zip
from core.engine.exports.order import ExportOrder
from core.engine.exports.packed import packed
from core.engine.library_source import LibrarySource
from core.engine.views import view_ranking
from core.errors import SettingsError
from core.export.picture import MapPicture, map_png, map_svg, painted
from core.export.qgis import MapClass
from core.export.raster import NO_DATA_CODE, map_cells, write_class_map, write_value_map
from core.export.scatter import mapped
from core.imagery.ground.drawing import locator
from core.imagery.ground.places import whereabouts
from core.imagery.render import quicklook
from core.scenes.location import bounds_lonlat
from core.scenes.patches import centres_lonlat
from core.scenes.scene import Scene
from core.values.base import PatchValue
from core.values.legend import ClassLegend, Legend
from core.values.registry import OLDER_NAMES, VALUES, choices
from core.values.similarity import SIMILARITY
from core.values.source import ValueCells

MAP_SIDE = 1600
"""Pixels of the longer side of a picture."""
_LOCATOR = 150, 100
"""Half the pixels of the small map that says where a scene lies."""
_STEPS = 5
"""Lines that the legend of a picture gives a scale."""
_RAMP = 17
"""Colours that the style of a map of numbers has."""


def coloured_by(source: LibrarySource, order: ExportOrder) -> tuple[PatchValue, FloatArray, Legend]:
    """Return the value that colours map and plot, or without one the best there is, with its numbers and their legend.

    Raises:
        SettingsError: when it is not known of these patches.
    """
    asked = order.asked
    there = choices(source, asked)
    name = OLDER_NAMES.get(order.colour, order.colour) or next(iter(there), "")
    values = source.values(VALUES[name], asked) if name in VALUES else None
    if name == SIMILARITY.name and order.others:
        values = view_ranking(source, order.view).score
    if values is None or not np.isfinite(values).any():
        title = VALUES[name].title_of(source) if name in VALUES else "value"
        remedy = f"choose of {', '.join(there) or 'nothing: there is none'}"
        raise SettingsError("Taking a map away", f"the {title} of these patches is not known", remedy)
    return VALUES[name], values, VALUES[name].legend_of(source, values, asked)


def map_file(source: LibrarySource, order: ExportOrder) -> bytes:
    """Return the map in the form that is wanted.

    Raises:
        SettingsError: when patches lie on no map, or their value is not known.
    """
    bounds, collection = bounds_lonlat(source.scene), source.scene.is_collection
    if collection and (order.form == "zip" or bounds is None):
        found = "the patches of a collection lie apart, or their places are not known"
        raise SettingsError("Taking a map away", found, "take the patches away")
    value, values, legend = coloured_by(source, order)
    cells = value.cells(source, order.asked)
    if order.form == "zip" and cells is not None:
        return classified_zip(source, order)
    if order.form == "zip":
        return map_zip(source, values, legend, f"map-{source.scene.id}-{value.name}")
    painted_values = values if cells is None else cells.values
    said, small = source_line(source.scene), None
    image, metres = scattered(source, values, legend) if collection else map_image(source, values, legend, cells)
    if collection:
        said = f"{said}. Ground: Natural Earth, not for measuring"
    elif bounds is not None:
        west, south, east, north = bounds
        small = locator(bounds, *_LOCATOR)
        where = whereabouts((south + north) / 2, ((west + east) / 2 + 180) % 360 - 180)
        how = "" if cells is None else f" {value.about_of(source)}."
        said = f"{said}.{how} Middle: {where}. Small map: Natural Earth; places: GeoNames, CC BY 4.0"
    sheet = MapPicture(
        image=image, metres=metres, title=f"{source.scene.name} · {value.title}",
        legend=legend_lines(legend, painted_values),
        source=said, locator=small,
    )  # fmt: skip
    return map_png(sheet) if order.form == "png" else map_svg(sheet)


def map_image(
    source: LibrarySource, values: FloatArray, legend: Legend, cells: ValueCells | None, side: int = MAP_SIDE
) -> tuple[Image.Image, float | None]:
    """Return the scene with the colours of its patches, or of finer cells, and metres of ground along a pixel."""
    colours, known = legend.paint(values if cells is None else cells.values.ravel())
    with Image.open(io.BytesIO(quicklook(source.scene, "true", side))) as look:
        numbers = np.where(known, np.arange(len(known)), -1)
        if cells is None:
            laid = map_cells(source.scene.grid, source.grid)
            shown, pixels = laid.spread(source.table.patch_ids, numbers, -1), laid.side
        else:
            shown, pixels = numbers.reshape(cells.values.shape), cells.side
        return painted(look, source.scene.grid, shown, pixels, colours)


def scattered(source: LibrarySource, values: FloatArray, legend: Legend) -> tuple[Image.Image, float | None]:
    """Return the patches of a collection as points on a map of the world, and metres along a pixel.

    Raises:
        SettingsError: when no place is known.
    """
    colours, known = legend.paint(values)
    bounds = bounds_lonlat(source.scene)
    centres = centres_lonlat(source.scene, source.grid, source.table.patch_ids[known])
    if bounds is None or centres is None:
        raise SettingsError("Taking a map away", "the places of the patches are not known", "take the patches away")
    return mapped(bounds, centres, colours[known])


def legend_lines(legend: Legend, values: FloatArray) -> list[tuple[str, str]]:
    """Return colour and words of each line of a printed legend: the classes that occur, or steps of a scale."""
    if isinstance(legend, ClassLegend):
        there = set(values[np.isfinite(values)].astype(int).tolist())
        return [pair for at, pair in enumerate(zip(legend.colours, legend.names, strict=True)) if at in there]
    numbers = np.linspace(legend.low, legend.high, _STEPS)
    words = [f"{number:z.{legend.scale.digits}f}".replace("-", "−") for number in numbers]
    words[0] += f" {legend.scale.low_word}"
    words[-1] += f" {legend.scale.high_word}"
    return list(zip(legend.scale.colours(_STEPS), words, strict=True))


def map_zip(source: LibrarySource, values: FloatArray, legend: Legend, stem: str) -> bytes:
    """Return a zip of the map as GeoTIFF and what QGIS takes from beside it."""
    cells, ids = map_cells(source.scene.grid, source.grid), source.table.patch_ids
    with tempfile.TemporaryDirectory(prefix="landlike-map-") as folder:
        path = Path(folder) / f"{stem}.tif"
        if isinstance(legend, ClassLegend):
            codes = np.where(np.isfinite(values), np.nan_to_num(values) + 1, NO_DATA_CODE).astype(np.int64)
            pairs = enumerate(zip(legend.names, legend.colours, strict=True))
            classes = [MapClass(code=at + 1, name=words, colour=colour) for at, (words, colour) in pairs]
            write_class_map(path, cells.spread(ids, codes, NO_DATA_CODE), cells.place, classes)
        else:
            spread = cells.spread(ids, values.astype(np.float32), np.nan)
            write_value_map(
                path, spread, cells.place, title=legend.scale.title, colours=legend.scale.colours(_RAMP),
                low=legend.low, high=legend.high,
            )  # fmt: skip
        return packed(Path(folder).iterdir())


def source_line(scene: Scene) -> str:
    """Return who made the data, as a picture has to say it."""
    if scene.synthetic:
        return "Synthetic scene: no satellite saw it"
    return f"Contains modified Copernicus Sentinel data{f' {scene.date[:4]}' if scene.date else ''}"
