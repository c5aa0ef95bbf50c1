"""The map of a scene: its imagery, the query and its neighbours as ranked outlines, and the similarity of all patches.

Python says what is on show; ``frontend/map.js`` draws it. The Leaflet map is made once a scene: everything else reaches
it as a message, so that a new query neither rebuilds nor moves it, and moving it runs nothing here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import folium
import numpy as np
import streamlit as st
from branca.element import Element, MacroElement
from folium.template import Template
from numpy.typing import NDArray
from streamlit_folium import st_folium

from core.imagery.render import RENDERINGS
from core.scenes.geobox import METRES_PER_DEGREE
from core.scenes.location import Bounds, bounds_lonlat, patch_at_lonlat
from core.scenes.patches import PatchGrid, PatchRef
from core.scenes.scene import Scene
from core.similarity.neighbours import Neighbours
from core.values.base import ScaleValue
from core.values.legend import ClassLegend, Legend, ScaleLegend
from core.values.registry import VALUES
from pages.ui.common.escape import safe_label
from pages.ui.common.theme import ACCENT
from pages.ui.explore.colouring import Colouring
from pages.ui.explore.map_marks import lat_lon, left_over, outlined
from pages.ui.explore.novelty_marks import Ring, diamonds_legend
from pages.ui.http.assets import asset_path
from pages.ui.http.ground import ground_options
from pages.ui.http.pictures import overlay_url, tile_url
from pages.ui.state import widgets
from pages.ui.state.question import Question
from pages.ui.state.scene_view import SceneView

NO_PLACE = "This scene has no map: its place on Earth is unknown. Plot, gallery and download work without it."
NEAR_POLE = "This scene has no map: web maps end at 85° of latitude. Plot, gallery and download work without it."
DEEPEST = 18
_COLLECTION_DEEPEST = 16
MOST_SWATCHES = 12
"""Classes that the map lists."""

_UP = "../.."
"""From the map's frame, at component/{name}/index.html, to where the server's addresses begin."""
BASEMAPS = (
    {
        "title": "OpenStreetMap",
        "url": "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
        "attribution": '© <a href="https://www.openstreetmap.org/copyright" target="_blank" rel="noopener">'
        "OpenStreetMap contributors</a>",
    },
)
"""Maps of others that a person can switch on; off until then, and nothing is requested before."""

LatLon = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """A value of all patches in colour.

    Attributes:
        url: template of map tiles on this server.
        legend: its colours.
        counts: of each class, how many patches or cells; empty for numbers.
        note: what else is said of it, or empty.
        opacity: 0 to 1.
    """

    url: str
    legend: Legend
    counts: Sequence[int] = ()
    note: str = ""
    opacity: float = 0.65


class _Head(Element):
    """What the map needs in the head of its frame: it fills it."""

    _template = Template(
        "<style>html, body, #map_div { width: 100%; height: 100%; margin: 0; padding: 0; }"
        " #map_div { position: relative; } .leaflet-container { font-size: 1rem; }</style>"
        "<script>L_NO_TOUCH = false; L_DISABLE_3D = false;</script>"
    )


class LocalMap(folium.Map):
    """A folium map that loads Leaflet from this server and nothing from anywhere else.

    ``st_folium`` takes the scripts from the elements' templates. What folium's own ``render`` makes for a page of its
    own is thrown away, and compiles a template for each part in every run; so there is none here.
    """

    default_js = [  # noqa: RUF012
        ("leaflet", _UP + asset_path("leaflet/leaflet.js")),
        ("landlike-tell", _UP + asset_path("tell.js")),
        ("landlike-early", _UP + asset_path("early.js")),
        ("landlike-patches", _UP + asset_path("map_patches.js")),
        ("landlike-ground", _UP + asset_path("map_ground.js")),
        ("landlike", _UP + asset_path("map.js")),
    ]
    default_css = [  # noqa: RUF012
        ("leaflet", _UP + asset_path("leaflet/leaflet.css")),
        ("landlike", _UP + asset_path("map.css")),
    ]

    def render(self, **_: object) -> None:
        """Give the frame its head; the rest is taken from the templates."""
        self.get_root().header.add_child(_Head(), name="landlike")


class _Group(folium.FeatureGroup):
    """The layer that carries a view into the frame; ``st_folium`` itself adds it to the map."""

    def render(self, **_: object) -> None:
        """Do nothing, as ``LocalMap`` says."""


class _Start(MacroElement):
    """Hands the fresh Leaflet map over."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "landlike.start({{ this._parent.get_name() }}, {{ this.options|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        self._name = "Start"
        self.options = options


class _View(MacroElement):
    """Says what is on show. The list is emptied because the frame would keep every group it was ever given."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "window.feature_group = []; landlike.update({{ this.view|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, view: dict[str, Any]) -> None:
        super().__init__()
        self._name = "View"
        self.view = view


def value_overlay(view: SceneView, colours: Colouring) -> Overlay | None:
    """Return what colours the plot, for the map; None while there are no values."""
    if colours.values is None:
        return None
    counts: Sequence[int] = ()
    if isinstance(colours.legend, ClassLegend):
        shown = colours.values if colours.cells is None else colours.cells.values
        numbers = shown[np.isfinite(shown)].astype(np.int64)
        counts = np.bincount(numbers, minlength=len(colours.legend.names)).tolist()
    url = overlay_url(view.recipe.key, colours.address)
    return Overlay(url=url, legend=colours.legend, counts=counts, note=colours.note)


def scene_map(
    scene: Scene,
    grid: PatchGrid,
    *,
    rendering: str,
    contrast: str = "normal",
    query: int | None = None,
    neighbours: Neighbours | None = None,
    overlay: Overlay | None = None,
    selection: Sequence[int] = (),
    question: Question | None = None,
    left_out: NDArray[np.int64] | None = None,
    there: NDArray[np.int64] | None = None,
    novel: int = 0, diamonds: Sequence[Ring] = (),
    patches: Mapping[str, Any] | None = None,
    key: str = "map", height: int = 560,
    on_click: Callable[[PatchRef], None] | None = None,
) -> LatLon | None:  # fmt: skip
    """Draw the map.

    Args:
        scene: what to show; of one without a place only a sentence appears.
        grid: its patches.
        rendering: of ``core.imagery.render.RENDERINGS``.
        contrast: of ``core.imagery.render.CONTRASTS``.
        query: the patch whose like is sought.
        neighbours: patches like it.
        overlay: values of all patches in colour.
        selection: marked patches.
        question: good and bad examples, the query among them.
        left_out: patches that do not meet the conditions that were set; they are veiled.
        there: the patches that are encoded, of which one shows and is clicked where several lie; None = all.
        novel: how many patches are unfamiliar to the encoder.
        diamonds: their marks, of ``novelty_marks.diamonds``; the strangest ones where they are many.
        patches: where the script gets outlines of patches, and what it tells of each; None = neither.
        key: names the map on its page.
        height: pixels.
        on_click: called with the patch that was just clicked, before the page runs again.

    Returns:
        (lat, lon) of the latest click on land, also when it is long past; None before the first.
    """
    bounds = bounds_lonlat(scene)
    if bounds is None:
        _say_no_map(scene)
        return None
    marked = np.array(selection, dtype=np.int64)
    view = {
        "imagery": _imagery(scene, rendering, contrast, bounds),
        "overlay": {"url": overlay.url, "opacity": overlay.opacity} if overlay is not None else None,
        "marks": outlined(
            scene, grid, query, neighbours, selection=marked, question=question, left_out=left_out, there=there
        ),
        "strangers": list(diamonds),
        "patches": dict(patches or {}),
        "leftOver": left_over(scene, grid),
        "legends": [*_legends(rendering, overlay), *diamonds_legend(novel)],
    }
    clicked = partial(_clicked, scene, grid, key, on_click, there)
    return _folium_map(bounds, view, key=key, height=height, dotted=scene.is_collection, clicked=clicked)


def _say_no_map(scene: Scene) -> None:
    unknown = scene.is_collection or scene.grid.crs is None
    st.info(NO_PLACE if unknown else NEAR_POLE, icon=":material/location_off:")


def _clicked(
    scene: Scene,
    grid: PatchGrid,
    key: str,
    on_click: Callable[[PatchRef], None] | None,
    there: NDArray[np.int64] | None,
) -> None:
    """Pass on the patch that was just clicked, before the next run."""
    spot = widgets.trigger(key, "last_clicked")
    patch_id = _clicked_patch(scene, grid, spot, there) if spot else None
    if on_click is not None and patch_id is not None:
        on_click(PatchRef(scene.id, patch_id))


def _folium_map(
    bounds: Bounds, view: dict[str, Any], *, key: str, height: int, dotted: bool, clicked: Callable[[], None]
) -> LatLon | None:
    """Draw the map with a view in it; return (lat, lon) of the latest click."""
    group = _Group(name="view")
    group.add_child(_View(view))
    found = st_folium(
        _base_map(bounds, dotted=dotted),
        render=False,  # It is rendered by st_folium in any case; this would do it twice.
        key=key,
        height=height,
        use_container_width=True,
        returned_objects=["last_clicked"],
        feature_group_to_add=group,
        on_change=clicked,
    )
    spot = (found or {}).get("last_clicked")
    return (spot["lat"], spot["lng"]) if spot else None


def _clicked_patch(
    scene: Scene, grid: PatchGrid, spot: dict[str, float], there: NDArray[np.int64] | None
) -> int | None:
    """Return the encoded patch at a place, else one that is not, of which the page says so."""
    place = spot["lng"], spot["lat"], spot.get("reach", 0.0)
    found = patch_at_lonlat(scene, grid, *place, there=there)
    return patch_at_lonlat(scene, grid, *place) if found is None else found


def _base_map(bounds: Bounds, *, dotted: bool) -> LocalMap:
    """Return the map itself: the same text for a scene whatever is on show, so that the frame keeps it."""
    west, south, east, north = bounds
    base = LocalMap(tiles=None)  # Given a place, folium would import pandas to see whether it is a table.
    base.location = [(south + north) / 2, (west + east) / 2]
    base.options |= {"zoom": 10, "maxZoom": DEEPEST, "minZoom": 1, "zoomSnap": 0.5}
    base.options["trackResize"] = False  # The script follows the size, and knows which is none.
    # Tiles are requested a little beyond the edge, where dots of a collection reach out.
    edge = max(east - west, north - south) * 0.01
    room: list[list[float]] | None = lat_lon((west - edge, south - edge, east + edge, north + edge))
    if west < -180 or east > 180:
        room = None  # Leaflet compares tiles of the one side of the antimeridian with edges of the other
    options = {
        "bounds": lat_lon(bounds),
        "room": room,
        "accent": ACCENT,
        "basemaps": BASEMAPS,
        "ground": ground_options(names_below=dotted),
    }
    base.add_child(_Start(options))
    return base


def _imagery(scene: Scene, rendering: str, contrast: str, bounds: Bounds) -> dict[str, Any]:
    url = tile_url(scene.id, rendering, "normal" if RENDERINGS[rendering].ramp else contrast)
    return {"url": url, "deepest": _deepest(scene, bounds), "attribution": attribution(scene)}


def _legends(rendering: str, overlay: Overlay | None) -> list[dict[str, Any]]:
    """Return colour bars and classes of what is on show, as the browser draws them."""
    shown: list[dict[str, Any]] = []
    pictured = VALUES.get(rendering)
    if isinstance(pictured, ScaleValue):
        shown.append(_bar(pictured.scale.legend()))
    if overlay is None:
        return shown
    note = [{"title": overlay.note, "note": True}] if overlay.note else []
    if isinstance(overlay.legend, ScaleLegend):
        bar = _bar(overlay.legend)
        return shown + note if bar in shown else [*shown, bar, *note]
    return shown + _swatches(overlay.legend, overlay.counts) + note


def _bar(legend: ScaleLegend) -> dict[str, Any]:
    scale = legend.scale
    ends = [f"{end:z.{scale.digits}f}".replace("-", "−") for end in (legend.low, legend.high)]
    return {
        "title": scale.title,
        "colours": scale.colours(),
        "low": f"{ends[0]} {scale.low_word}",
        "high": f"{scale.high_word} {ends[1]}",
    }


def _swatches(legend: ClassLegend, counts: Sequence[int]) -> list[dict[str, Any]]:
    """Return the classes that patches have, as the browser lists them."""
    shown = [
        {"title": name, "swatch": colour, "count": f"{count:,}"}
        for name, colour, count in zip(legend.names, legend.colours, counts, strict=True)
        if count
    ]
    more = len(shown) - MOST_SWATCHES
    return shown if more <= 0 else [*shown[:MOST_SWATCHES], {"title": f"and {more} more"}]


def attribution(scene: Scene) -> str:
    """Return who saw the scene."""
    if not scene.has_pixels:
        return "Places as the file of vectors states them"
    if scene.synthetic:
        return "<b>Synthetic scene</b>: no satellite saw it"
    year = f" {safe_label(scene.date[:4])}" if scene.date else ""
    return f"Contains modified Copernicus Sentinel data{year}"


def _deepest(scene: Scene, bounds: Bounds) -> int:
    """Return the zoom beyond which tiles hold no more detail and the browser enlarges them."""
    if scene.is_collection:
        return _COLLECTION_DEEPEST
    _, south, _, north = bounds
    metres = (north - south) * METRES_PER_DEGREE / max(scene.grid.height, 1)
    at_zero = 156_543.0 * math.cos(math.radians((south + north) / 2))
    return max(1, min(DEEPEST, math.ceil(math.log2(max(at_zero / max(metres, 1e-3), 2))) + 1))
