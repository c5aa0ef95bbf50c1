from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import folium
import numpy as np
import pytest

from core.scenes.cut import Cut
from core.scenes.library import Library
from core.scenes.location import bounds_lonlat
from core.scenes.patches import PatchRef, centres_lonlat, patch_grid
from core.scenes.scene import Scene
from core.similarity.neighbours import Neighbours
from core.values.indices import NDVI
from core.values.similarity import SIMILARITY
from pages.ui.explore import map as scene_maps
from pages.ui.explore.map import NEAR_POLE, NO_PLACE, LocalMap, Overlay, attribution, scene_map
from pages.ui.http.assets import ASSETS
from tests.mapped import add_collection, add_mapped, square_corners


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


class Frame:
    """Stands in for the browser: keeps what was sent, and clicks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[dict[str, Any]] = []
        self.spot: dict[str, float] | None = None
        self.told: list[str] = []
        monkeypatch.setattr(scene_maps, "st_folium", self.draw)
        monkeypatch.setattr(scene_maps.widgets, "trigger", lambda _key, _event: self.spot)
        monkeypatch.setattr(scene_maps.st, "info", lambda text, **_: self.told.append(text))

    def draw(self, base: folium.Map, **arguments: Any) -> dict[str, Any]:
        self.calls.append({"base": base, **arguments})
        return {"last_clicked": self.spot}

    @property
    def view(self) -> dict[str, Any]:
        group = self.calls[-1]["feature_group_to_add"]
        view = next(iter(group._children.values())).view
        assert json.loads(json.dumps(view)) == view
        return view  # type: ignore[no-any-return]

    def script(self) -> str:
        """The base map's JavaScript as Streamlit's frame gets it, random names evened out."""
        from streamlit_folium import generate_leaflet_string

        base = self.calls[-1]["base"]
        base.get_root().render()
        return generate_leaflet_string(base)

    def click(self, lon: float, lat: float, reach: float = 0.0) -> None:
        self.spot = {"lat": lat, "lng": lon, "reach": reach}
        self.calls[-1]["on_change"]()


@pytest.fixture
def frame(monkeypatch: pytest.MonkeyPatch) -> Frame:
    return Frame(monkeypatch)


NEIGHBOURS = Neighbours(scene="s", ids=np.array([9, 4]), similarity=np.array([0.98, 0.5], np.float32))


def test_a_new_query_leaves_the_map_itself_alone(library: Library, frame: Frame) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene)
    scene_map(scene, grid, rendering="true")
    before = frame.script()
    scene_map(scene, grid, rendering="ndvi", contrast="strong", query=3, neighbours=NEIGHBOURS, selection=[1, 2])
    assert frame.script() == before
    assert frame.calls[0]["key"] == frame.calls[1]["key"]
    assert frame.calls[1]["returned_objects"] == ["last_clicked"]
    assert "center" not in frame.calls[1]


def test_query_and_neighbours_are_outlined_where_they_lie(library: Library, frame: Frame) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene)
    scene_map(scene, grid, rendering="true", query=3, neighbours=NEIGHBOURS)
    marks = frame.view["marks"]
    centres = centres_lonlat(scene, grid, np.array([3, 9, 4]))
    assert centres is not None
    shown = [marks["query"], *marks["neighbours"]]
    for mark, (lon, lat) in zip(shown, centres, strict=True):
        assert np.mean(mark["ring"], axis=0) == pytest.approx((lat, lon), abs=1e-5)
    assert [mark["rank"] for mark in shown] == [0, 1, 2]
    assert "0.980" in shown[1]["words"]
    assert "patch 9" in shown[1]["words"]


def test_strips_that_no_patch_covers_are_shaded_until_the_edge_is_covered(library: Library, frame: Frame) -> None:
    scene = add_mapped(library)
    scene_map(scene, patch_grid(scene, Cut.of(60)), rendering="true")
    assert frame.view["leftOver"]
    scene_map(scene, patch_grid(scene, Cut.of(60, edge="cover")), rendering="true")
    assert frame.view["leftOver"] == []


def test_imagery_follows_rendering_and_contrast(library: Library, frame: Frame) -> None:
    scene = add_mapped(library, date="2021-07-01")
    grid = patch_grid(scene)
    scene_map(scene, grid, rendering="swir", contrast="soft")
    imagery = frame.view["imagery"]
    assert imagery["url"].startswith("/tiles/m-1/swir/{z}/{x}/{y}.png?contrast=soft")
    assert imagery["attribution"] == "Contains modified Copernicus Sentinel data 2021"
    # 10 m at 46° north: a pixel of zoom 14 is 6.6 m; one zoom finer still smooths.
    assert imagery["deepest"] == 15


def test_a_synthetic_scene_says_so_instead_of_thanking_copernicus(library: Library) -> None:
    told = attribution(add_mapped(library, synthetic=True))
    assert "Synthetic" in told
    assert "Copernicus" not in told


def test_a_date_from_a_file_cannot_write_html(library: Library) -> None:
    assert "<" not in attribution(add_mapped(library, date="<img>"))


def test_the_overlay_is_tiles_of_the_recipe(library: Library, frame: Frame) -> None:
    scene = add_mapped(library)
    overlay = Overlay(url="/overlay/key/similarity-3/{z}/{x}/{y}.png", legend=SIMILARITY.scale.legend(0.4, 0.97))
    scene_map(scene, patch_grid(scene), rendering="true", query=3, overlay=overlay)
    assert frame.view["overlay"]["url"] == overlay.url
    (legend,) = frame.view["legends"]
    assert (legend["title"], legend["low"], legend["high"]) == ("Similarity", "0.40 unlike", "alike 0.97")
    scene_map(scene, patch_grid(scene), rendering="ndvi")
    assert frame.view["overlay"] is None
    (legend,) = frame.view["legends"]
    assert (legend["title"], legend["low"]) == ("NDVI", "−0.30 bare or water")
    assert legend["colours"][0] == "#46607f"
    same = Overlay(url="/overlay/key/ndvi/{z}/{x}/{y}.png", legend=NDVI.scale.legend())
    scene_map(scene, patch_grid(scene), rendering="ndvi", overlay=same)
    assert len(frame.view["legends"]) == 1, "picture and patches in the same colours need one bar"
    scene_map(scene, patch_grid(scene), rendering="true")
    assert frame.view["legends"] == []


def test_a_selection_of_any_size_is_one_small_picture(library: Library, frame: Frame) -> None:
    scene = add_mapped(library, shape=(512, 512))
    grid = patch_grid(scene, Cut.of(8))
    scene_map(scene, grid, rendering="true", selection=range(0, grid.count, 2))
    mask = frame.view["marks"]["mask"]
    assert mask["url"].startswith("data:image/png;base64,")
    assert len(mask["url"]) < 60_000
    west, south, east, north = bounds_lonlat(scene)  # type: ignore[misc]
    assert mask["bounds"] == [[south, west], [north, east]]


def test_a_click_asks_for_the_patch_under_it_once(library: Library, frame: Frame) -> None:
    scene = add_mapped(library)
    grid = patch_grid(scene)
    asked: list[PatchRef] = []
    assert scene_map(scene, grid, rendering="true", on_click=asked.append) is None
    lon, lat = centres_lonlat(scene, grid, np.array([27]))[0]  # type: ignore[index]
    frame.click(lon, lat)
    assert scene_map(scene, grid, rendering="true", on_click=asked.append) == (lat, lon)
    assert asked == [PatchRef(scene.id, 27)]
    frame.click(lon + 360, lat)
    frame.click(0.0, 0.0)
    assert asked == [PatchRef(scene.id, 27)] * 2


@pytest.mark.parametrize(
    ("crs", "transform", "sentence"),
    [
        (None, (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), NO_PLACE),
        ("EPSG:3995", (10.0, 0.0, -3000.0, 0.0, -10.0, 2500.0), NEAR_POLE),
    ],
)
def test_without_a_place_there_is_only_a_sentence(
    library: Library, frame: Frame, crs: str | None, transform: tuple[float, ...], sentence: str
) -> None:
    scene = add_mapped(library, crs=crs, transform=transform)  # type: ignore[arg-type]
    assert scene_map(scene, patch_grid(scene), rendering="true", query=1) is None
    assert frame.calls == []
    assert frame.told == [sentence]


def test_collections_show_their_patches_at_their_places(library: Library, frame: Frame) -> None:
    places = [(10.0, 46.0), (24.0, 60.0), (-8.0, 40.0)]
    corners = [*(square_corners(*place) for place in places), np.full((4, 2), np.nan)]
    scene: Scene = add_collection(library, corners)
    grid = patch_grid(scene)
    asked: list[PatchRef] = []
    found = Neighbours(scene="s", ids=np.array([2, 3]), similarity=np.array([0.9, 0.8], np.float32))
    scene_map(scene, grid, rendering="true", query=1, neighbours=found, selection=[0, 3], on_click=asked.append)
    marks = frame.view["marks"]
    assert np.mean(marks["query"]["ring"], axis=0) == pytest.approx((60.0, 24.0), abs=1e-3)
    assert [mark["rank"] for mark in marks["neighbours"]] == [1], "a patch without a place cannot be drawn"
    assert len(marks["selection"]) == 1
    frame.click(24.05, 60.0, reach=5000)
    frame.click(10.0, 46.0)
    assert asked == [PatchRef(scene.id, 1), PatchRef(scene.id, 0)]


def test_scenes_across_the_antimeridian_stay_in_one_piece(library: Library, frame: Frame) -> None:
    scene = add_mapped(library, crs="EPSG:32660", transform=(10.0, 0.0, 814_945.0, 0.0, -10.0, 1_826_548.0))
    grid = patch_grid(scene)
    ids = np.arange(grid.count)
    scene_map(
        scene,
        grid,
        rendering="true",
        neighbours=Neighbours(scene="s", ids=ids, similarity=np.ones(len(ids), np.float32)),
    )
    lons = np.array([mark["ring"] for mark in frame.view["marks"]["neighbours"]])[..., 1]
    assert np.ptp(lons) < 0.2
    assert '"room": null' in frame.script()


def test_the_map_asks_no_other_machine(library: Library, frame: Frame) -> None:
    scene_map(add_mapped(library), patch_grid(library.get("m-1")), rendering="true")
    base = frame.calls[0]["base"]
    assert isinstance(base, LocalMap)
    for _, url in [*base.default_js, *base.default_css]:
        assert url.startswith("../../assets/")
        assert url.removeprefix("../../assets/").split("?")[0] in ASSETS
    page = base.get_root().render()
    assert re.findall(r'(?:src|href)="(?!\.\./\.\./assets/)[^"]*"', page) == []
    assert folium.Map.default_js[0][1].startswith("https://"), "folium's own default was changed for everybody"


def test_our_script_names_no_address() -> None:
    for name in ("map.js", "map.css"):
        text = ASSETS[name].path.read_text(encoding="utf-8")
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == []
        assert "innerHTML" not in text
