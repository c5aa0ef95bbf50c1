"""The map to take away: what the plot is coloured by, as a picture and as GeoTIFF with a style for QGIS."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from core.bands import FloatArray
from core.imagery.render import quicklook
from core.scenes.location import bounds_lonlat
from core.scenes.scene import Scene
from core.values.legend import ClassLegend, Legend
from core.values.registry import OLDER_NAMES, VALUES, choices
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState

_SIDE = 1600
"""Pixels of the longer side of a picture."""
_LOCATOR = 150, 100
"""Half the pixels of the small map that says where a scene lies."""
_STEPS = 5
"""Lines that the legend of a picture gives a scale."""
_RAMP = 17
"""Colours that the style of a map of numbers has."""


def map_downloads(visitor: Session, view: ViewState) -> None:
    """Draw the ways to take the map away; nothing without colours, or of a collection whose places are not known."""
    name = coloured_by(visitor, view)
    whole = view.scene.kind == "scene"
    if not name or not (whole or bounds_lonlat(view.scene)):
        return
    value, asked = VALUES[name], view.asked
    values = view.known.values(value, asked)
    if values is None or not np.isfinite(values).any():
        return
    legend, title = view.known.legend(value, asked), f"{view.scene.name} · {value.title}"
    st.markdown(f"The map of {value.title}:")
    ways: dict[str, tuple[str, str, Callable[[], bytes]]] = {
        "PNG": ("png", "image/png", lambda: _picture("map_png", view, values, legend, title)),
        "SVG": ("svg", "image/svg+xml", lambda: _picture("map_svg", view, values, legend, title)),
        "GeoTIFF": ("zip", "application/zip", lambda: map_zip(view, values, legend, name)),
    }
    if not whole:
        del ways["GeoTIFF"]  # Patches that lie apart make no raster.
    with st.container(horizontal=True, key="map_downloads"):
        for words, (ending, kind, write) in ways.items():
            st.download_button(
                words, write, f"map-{view.scene.id}-{name}.{ending}", kind, key=f"download_map_{words}",
                on_click="ignore", icon=":material/download:", help=_HELP[words],
            )  # fmt: skip


_HELP = {
    "PNG": "A picture with legend and scale bar",
    "SVG": "The same, with letters that can be edited",
    "GeoTIFF": "For QGIS: numbers of each patch, with a style, in a zip",
}


def coloured_by(visitor: Session, view: ViewState) -> str:
    """Return the name of the value that colours the plot; empty without one."""
    there = choices(view.known, view.asked)
    chosen = OLDER_NAMES.get(visitor.colour or "", visitor.colour or "")
    return chosen if chosen in there else next(iter(there), "")


def _picture(writer: str, view: ViewState, values: FloatArray, legend: Legend, title: str) -> bytes:
    from core.export import picture
    from core.imagery.ground.drawing import locator
    from core.imagery.ground.places import whereabouts

    if view.scene.kind == "collection":
        return _collection_picture(writer, view, values, legend, title)
    bounds, source, small = bounds_lonlat(view.scene), source_words(view.scene), None
    if bounds is not None:
        west, south, east, north = bounds
        small = locator(bounds, *_LOCATOR)
        where = whereabouts((south + north) / 2, ((west + east) / 2 + 180) % 360 - 180)
        source = f"{source}. Middle: {where}. Small map: Natural Earth; places: GeoNames, CC BY 4.0"
    colours, known = legend.paint(values)
    with Image.open(io.BytesIO(quicklook(view.scene, "true", _SIDE))) as look:
        ids = view.table.patch_ids[known]
        image, metres = picture.painted(look, view.scene.grid, view.known.grid, ids, colours[known])
    sheet = picture.MapPicture(
        image=image,
        metres=metres,
        title=title,
        legend=legend_lines(legend, values),
        source=source,
        locator=small,
    )
    made: bytes = getattr(picture, writer)(sheet)
    return made


def _collection_picture(writer: str, view: ViewState, values: FloatArray, legend: Legend, title: str) -> bytes:
    from core.export import picture
    from core.export.scatter import mapped
    from core.scenes.patches import centres_lonlat

    colours, known = legend.paint(values)
    bounds = bounds_lonlat(view.scene)
    centres = centres_lonlat(view.scene, view.known.grid, view.table.patch_ids[known])
    if bounds is None or centres is None:
        return b""
    image, metres = mapped(bounds, centres, colours[known])
    source = f"{source_words(view.scene)}. Ground: Natural Earth, not for measuring"
    sheet = picture.MapPicture(
        image=image, metres=metres, title=title, legend=legend_lines(legend, values), source=source
    )
    made: bytes = getattr(picture, writer)(sheet)
    return made


def legend_lines(legend: Legend, values: FloatArray) -> list[tuple[str, str]]:
    """Return colour and words of each line of a printed legend: the classes that occur, or steps of a scale."""
    if isinstance(legend, ClassLegend):
        there = set(values[np.isfinite(values)].astype(int).tolist())
        return [pair for at, pair in enumerate(zip(legend.colours, legend.names, strict=True)) if at in there]
    numbers = np.linspace(legend.low, legend.high, _STEPS)
    words = [f"{number:.{legend.scale.digits}f}".replace("-", "−") for number in numbers]
    words[0] += f" {legend.scale.low_word}"
    words[-1] += f" {legend.scale.high_word}"
    return list(zip(legend.scale.colours(_STEPS), words, strict=True))


def map_zip(view: ViewState, values: FloatArray, legend: Legend, name: str) -> bytes:
    """Return a zip of the map as GeoTIFF and what QGIS takes from beside it."""
    from core.export.qgis import MapClass
    from core.export.raster import NO_DATA_CODE, map_cells, write_class_map, write_value_map

    cells, ids = map_cells(view.scene.grid, view.known.grid), view.table.patch_ids
    with tempfile.TemporaryDirectory(prefix="landlike-map-") as folder:
        path = Path(folder) / f"map-{view.scene.id}-{name}.tif"
        if isinstance(legend, ClassLegend):
            codes = np.where(np.isfinite(values), np.nan_to_num(values) + 1, NO_DATA_CODE).astype(np.int64)
            pairs = enumerate(zip(legend.names, legend.colours, strict=True))
            classes = [MapClass(code=at + 1, name=words, colour=colour) for at, (words, colour) in pairs]
            write_class_map(path, cells.spread(ids, codes, NO_DATA_CODE), cells.place, classes)
        else:
            spread = cells.spread(ids, values.astype(np.float32), np.nan)
            ends = {"low": legend.low, "high": legend.high}
            colours = legend.scale.colours(_RAMP)
            write_value_map(path, spread, cells.place, title=legend.scale.title, colours=colours, **ends)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
            for one in sorted(Path(folder).iterdir()):
                packed.write(one, one.name)
    return buffer.getvalue()


def source_words(scene: Scene) -> str:
    """Return who saw a scene, for what is taken away."""
    if scene.synthetic:
        return "Synthetic scene: no satellite saw it"
    return f"Contains modified Copernicus Sentinel data{f' {scene.date[:4]}' if scene.date else ''}"
