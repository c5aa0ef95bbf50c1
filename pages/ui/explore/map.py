"""The map of a scene: its imagery, the query and its neighbours as ranked outlines, and the similarity of all patches.

Python says what is on show; ``frontend/map.js`` draws it. The Leaflet map is made once a scene: everything else reaches
it as a message, so that a new query neither rebuilds nor moves it, and moving it runs nothing here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import folium
import numpy as np
import streamlit as st
from branca.element import MacroElement
from folium.template import Template
from numpy.typing import NDArray
from streamlit_folium import st_folium

from core.features.recipe import Recipe
from core.imagery.render import RENDERINGS
from core.scenes.geobox import METRES_PER_DEGREE
from core.scenes.location import Bounds, bounds_lonlat, patch_at_lonlat
from core.scenes.patches import PatchGrid
from core.scenes.scene import Scene
from core.similarity.neighbours import Neighbours
from pages.ui.common.escape import safe_label
from pages.ui.common.theme import ACCENT, SCALES
from pages.ui.explore.colouring import colours_of, titles
from pages.ui.explore.map_marks import lat_lon, outlined
from pages.ui.explore.novelty_marks import diamonds, diamonds_legend
from pages.ui.http.assets import asset_url
from pages.ui.http.pictures import labels_url, overlay_url, tile_url
from pages.ui.state import cache, session

NO_PLACE = "This scene has no map: its place on Earth is unknown. Plot, gallery and download work without it."
NEAR_POLE = "This scene has no map: web maps end at 85° of latitude. Plot, gallery and download work without it."
DEEPEST = 18
_COLLECTION_DEEPEST = 16
MOST_SWATCHES = 12
"""Classes that the map lists."""

_UP = "../.."
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
    """Values of all patches in colour.

    Attributes:
        url: template of map tiles on this server.
        scale: name of the colour bar in ``pages.ui.common.theme.SCALES``.
        low: value of its first colour.
        high: value of its last.
        opacity: 0 to 1.
    """

    url: str
    scale: str
    low: float
    high: float
    opacity: float = 0.65


@dataclass(frozen=True, kw_only=True)
class MapLabels:
    """Classes that people gave to patches.

    Attributes:
        url: template of map tiles on this server.
        classes: title and colour of each.
        opacity: 0 to 1.
    """

    url: str
    classes: Sequence[tuple[str, str]]
    opacity: float = 0.6


class LocalMap(folium.Map):
    """A folium map that loads Leaflet from this server and nothing from anywhere else."""

    default_js = [  # noqa: RUF012
        ("leaflet", _UP + asset_url("leaflet/leaflet.js")),
        ("landlike", _UP + asset_url("map.js")),
    ]
    default_css = [  # noqa: RUF012
        ("leaflet", _UP + asset_url("leaflet/leaflet.css")),
        ("landlike", _UP + asset_url("map.css")),
    ]


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


def similarity_overlay(recipe: Recipe, query: int) -> Overlay:
    """The similarity of all patches to a query; its colours run over ``cache.similarity_range``."""
    low, high = cache.similarity_range(recipe, query)
    return Overlay(url=overlay_url(recipe.key, query), scale="similarity", low=low, high=high)


def given_on_map(recipe: Recipe) -> MapLabels | None:
    """The labels that people gave to a scene's patches; None when there are none."""
    given = cache.given_labels(recipe)
    if given is None:
        return None
    url = labels_url(recipe.key, cache.label_version(recipe.scene_id))
    colours = colours_of(recipe, given.classes)
    return MapLabels(url=url, classes=tuple(zip(titles(given.classes), colours, strict=True)))


def scene_map(
    scene: Scene,
    grid: PatchGrid,
    *,
    rendering: str,
    contrast: str = "normal",
    query: int | None = None,
    neighbours: Neighbours | None = None,
    overlay: Overlay | None = None,
    labels: MapLabels | None = None,
    selection: Sequence[int] = (),
    novel: Sequence[int] | NDArray[np.int64] = (),
    key: str = "map",
    height: int = 560,
    on_click: Callable[[int], None] | None = None,
) -> LatLon | None:
    """Draw the map.

    Args:
        scene: what to show; of one without a place only a sentence appears.
        grid: its patches.
        rendering: of ``core.imagery.render.RENDERINGS``.
        contrast: of ``core.imagery.render.CONTRASTS``.
        query: the patch whose like is sought.
        neighbours: patches like it.
        overlay: values of all patches in colour.
        labels: what people gave to patches, in the colours of the classes.
        selection: marked patches.
        novel: patches that are unfamiliar to the encoder, the strangest first; they get a diamond.
        key: names the map on its page.
        height: pixels.
        on_click: called with the patch that was just clicked, before the page runs again.

    Returns:
        (lat, lon) of the latest click on land, also when it is long past; None before the first.
    """
    bounds = bounds_lonlat(scene)
    if bounds is None:
        unknown = scene.kind == "collection" or scene.grid.crs is None
        st.info(NO_PLACE if unknown else NEAR_POLE, icon=":material/location_off:")
        return None

    def clicked() -> None:
        spot = session.trigger(key, "last_clicked")
        patch_id = _clicked_patch(scene, grid, spot) if spot else None
        if on_click is not None and patch_id is not None:
            on_click(patch_id)

    view = {
        "imagery": _imagery(scene, rendering, contrast, bounds),
        "overlay": {"url": overlay.url, "opacity": overlay.opacity} if overlay is not None else None,
        "labels": {"url": labels.url, "opacity": labels.opacity} if labels is not None else None,
        "marks": outlined(scene, grid, query, neighbours, np.array(selection, dtype=np.int64)),
        "strangers": diamonds(scene, grid, np.array(novel, dtype=np.int64)),
        "legends": [*_legends(rendering, overlay), *_swatches(labels), *diamonds_legend(len(novel))],
    }
    return _folium_map(bounds, view, key=key, height=height, clicked=clicked)


def _folium_map(
    bounds: Bounds, view: dict[str, Any], *, key: str, height: int, clicked: Callable[[], None]
) -> LatLon | None:
    """The map with a view in it; gives (lat, lon) of the latest click."""
    group = folium.FeatureGroup(name="view")
    group.add_child(_View(view))
    found = st_folium(
        _base_map(bounds),
        key=key,
        height=height,
        use_container_width=True,
        returned_objects=["last_clicked"],
        feature_group_to_add=group,
        on_change=clicked,
    )
    spot = (found or {}).get("last_clicked")
    return (spot["lat"], spot["lng"]) if spot else None


def _clicked_patch(scene: Scene, grid: PatchGrid, spot: dict[str, float]) -> int | None:
    return patch_at_lonlat(scene, grid, spot["lng"], spot["lat"], reach=spot.get("reach", 0.0))


def _base_map(bounds: Bounds) -> LocalMap:
    """The map itself: the same text for a scene whatever is on show, so that the frame keeps it."""
    west, south, east, north = bounds
    base = LocalMap(location=[(south + north) / 2, (west + east) / 2], tiles=None, zoom_start=10)
    base.options |= {"maxZoom": DEEPEST, "minZoom": 1, "zoomSnap": 0.5}
    # Tiles are requested a little beyond the edge, where dots of a collection reach out.
    edge = max(east - west, north - south) * 0.01
    room: list[list[float]] | None = lat_lon((west - edge, south - edge, east + edge, north + edge))
    if west < -180 or east > 180:
        room = None  # Leaflet compares tiles of the one side of the antimeridian with edges of the other
    options = {"bounds": lat_lon(bounds), "room": room, "accent": ACCENT, "basemaps": BASEMAPS}
    base.add_child(_Start(options))
    return base


def _imagery(scene: Scene, rendering: str, contrast: str, bounds: Bounds) -> dict[str, Any]:
    url = tile_url(scene.id, rendering, "normal" if RENDERINGS[rendering].ramp else contrast)
    return {"url": url, "deepest": _deepest(scene, bounds), "attribution": attribution(scene)}


def _legends(rendering: str, overlay: Overlay | None) -> list[dict[str, Any]]:
    """Colour bars of what is on show, as the browser draws them."""
    ramp = RENDERINGS[rendering].ramp
    shown = [] if ramp is None else [(rendering, ramp.low, ramp.high)]
    shown += [] if overlay is None else [(overlay.scale, overlay.low, overlay.high)]
    return [
        {
            "title": SCALES[name].title,
            "colours": SCALES[name].colours(),
            "low": f"{_number(low)} {SCALES[name].low_word}",
            "high": f"{SCALES[name].high_word} {_number(high)}",
        }
        for name, low, high in shown
    ]


def _swatches(labels: MapLabels | None) -> list[dict[str, Any]]:
    """The classes of labels, as the browser lists them."""
    shown = [] if labels is None else [{"title": title, "swatch": colour} for title, colour in labels.classes]
    more = len(shown) - MOST_SWATCHES
    return shown if more <= 0 else [*shown[:MOST_SWATCHES], {"title": f"and {more} more"}]


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def attribution(scene: Scene) -> str:
    """Who saw the scene."""
    if scene.synthetic:
        return "<b>Synthetic scene</b>: no satellite saw it"
    year = f" {safe_label(scene.date[:4])}" if scene.date else ""
    return f"Contains modified Copernicus Sentinel data{year}"


def _deepest(scene: Scene, bounds: Bounds) -> int:
    """The zoom beyond which tiles hold no more detail and the browser enlarges them."""
    if scene.kind == "collection":
        return _COLLECTION_DEEPEST
    _, south, _, north = bounds
    metres = (north - south) * METRES_PER_DEGREE / max(scene.grid.height, 1)
    at_zero = 156_543.0 * math.cos(math.radians((south + north) / 2))
    return max(1, min(DEEPEST, math.ceil(math.log2(max(at_zero / max(metres, 1e-3), 2))) + 1))
