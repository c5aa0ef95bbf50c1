from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from starlette.applications import Starlette

from core.features.recipe import Features, Recipe
from core.imagery.render import quicklook, thumbnail
from core.imagery.tiles import map_tile
from core.scenes.cut import Cut
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.search.chips import Chips
from pages.ui.http import pictures as routes
from pages.ui.http.assets import ASSET_ROUTES, ASSETS, asset_url, early_compiled
from pages.ui.state import cache
from pages.ui.state.engine import replace_engine
from tests.asgi import Answer, ask
from tests.mapped import add_collection, add_mapped, pixels_of, square_corners, tile_at

RECIPE = Recipe(scene_id="m-1", encoder="spectral", fingerprint="ab" * 32, cut=Cut.of(64))
APP = Starlette(routes=[*routes.PICTURE_ROUTES, *ASSET_ROUTES])


def get(url: str, **headers: str) -> Answer:
    return ask(APP, url, **headers)


class Store:
    """Features of one recipe: patch i points i degrees to the right."""

    def __init__(self, library: Library) -> None:
        grid = patch_grid(library.get("m-1"))
        angle = np.radians(np.arange(grid.count))
        vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
        flat = np.zeros((grid.count, 13), np.float32)
        ids = np.arange(grid.count)
        self.features = Features(
            recipe=RECIPE, patch_ids=ids, vectors=vectors, valid_fraction=flat[:, 0] + 1, band_mean=flat, band_std=flat
        )

    def recipes(self, scene_id: str) -> list[Recipe]:
        return [RECIPE] if scene_id == RECIPE.scene_id else []


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Scenes not to be changed."""
    library = Library(tmp_path_factory.mktemp("written"))
    add_mapped(library)
    add_mapped(library, "m-2", crs=None)
    add_collection(library, [square_corners(10, 46)])
    return library


@contextmanager
def served(library: Library) -> Iterator[Library]:
    """Have the routes answer from a library."""
    store = Store(library)
    chips = Chips(library.root.parent)
    fake = SimpleNamespace(
        library=library, store=store, chips=chips, features=lambda _: store.features, close=lambda: None
    )
    replace_engine(fake)  # type: ignore[arg-type]
    cache.forget()
    yield library
    replace_engine(None)
    cache.forget()


@pytest.fixture
def library(written: Library) -> Iterator[Library]:
    with served(written) as found:
        yield found


def test_tiles_are_those_of_the_scene(library: Library) -> None:
    x, y = tile_at(13.75, 46.02, 13)
    answer = get(routes.tile_url("m-1", "true", "strong").format(z=13, x=x, y=y))
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.body == map_tile(library.get("m-1"), 13, x, y, "true", "strong")
    assert pixels_of(answer.body)[..., 3].max() == 255


def test_thumbnails_and_quicklooks(library: Library) -> None:
    scene = library.get("m-1")
    answer = get(routes.thumb_url("m-1", Cut.of(64, 32), "swir", 7, 96))
    assert answer.headers["content-type"] == "image/webp"
    assert answer.body == thumbnail(scene, patch_grid(scene, Cut.of(64, 32)), 7, "swir", 96)
    assert get(routes.thumb_url("m-1", Cut.of(), "true", 7)).body == thumbnail(scene, patch_grid(scene), 7, "true")
    assert get(routes.quicklook_url("m-1", "ndvi", 200)).body == quicklook(scene, "ndvi", 200)
    assert get("/quicklook/m-1/true.webp").status == 200


def test_overlays_are_brightest_at_the_query(library: Library) -> None:
    scene = library.get("m-1")
    from core.scenes.patches import centres_lonlat

    lon, lat = centres_lonlat(scene, patch_grid(scene), np.array([7]))[0]  # type: ignore[index]
    x, y = tile_at(lon, lat, 15)
    near = get(routes.overlay_url(RECIPE.key, "similarity-7").format(z=15, x=x, y=y))
    far = get(routes.overlay_url(RECIPE.key, "similarity-79").format(z=15, x=x, y=y))
    assert near.status == far.status == 200
    light = [pixels_of(item.body)[..., :3][pixels_of(item.body)[..., 3] > 0].mean() for item in (near, far)]
    assert light[0] > light[1] + 20
    assert get(f"/overlay/{RECIPE.key}/similarity-999/1/0/0.png").status == 404
    assert get("/overlay/other-ab-64-64/similarity-1/1/0/0.png").status == 404


REFUSED = [
    ("/tiles/M-1/true/1/0/0.png", 400),
    ("/tiles/..%5cx/true/1/0/0.png", 400),
    ("/tiles/m-9/true/1/0/0.png", 404),
    ("/tiles/m-1/thermal/1/0/0.png", 400),
    ("/tiles/m-1/true/1/2/0.png", 400),
    ("/tiles/m-1/true/1/-1/0.png", 400),
    ("/tiles/m-1/true/23/0/0.png", 400),
    ("/tiles/m-1/true/01/0/0.png", 400),
    ("/tiles/m-1/true/1e1/0/0.png", 400),
    ("/tiles/m-1/true/99999999999/0/0.png", 400),
    ("/tiles/m-1/true/1/0/0.png?contrast=extreme", 400),
    ("/tiles/m-1/true/１/0/0.png", 400),
    ("/tiles/m-2/true/1/0/0.png", 404),
    ("/thumbs/m-1/64-64/true/80.webp", 404),
    ("/thumbs/m-1/64-64/true/x.webp", 400),
    ("/thumbs/m-1/64/true/1.webp", 400),
    ("/thumbs/m-1/0-0/true/1.webp", 400),
    ("/thumbs/m-1/999-999/true/1.webp", 400),
    ("/thumbs/m-1/64-64/true/1.webp?side=65", 400),
    ("/thumbs/m-1/64-64/true/1.webp?side=%3Cscript%3E", 400),
    ("/quicklook/m-1/true.webp?side=99999", 400),
    ("/quicklook/m-1/true.webp?side=9", 400),
    ("/overlay/m-1/similarity-1/1/0/0.png", 400),
    (f"/overlay/{RECIPE.key}/evi/1/0/0.png", 400),
    (f"/overlay/{RECIPE.key}/similarity-x/1/0/0.png", 400),
    (f"/overlay/{RECIPE.key}/ndvi-1/1/0/0.png", 400),
    (f"/overlay/{RECIPE.key}/class/1/0/0.png", 404),
    ("/assets/leaflet/leaflet-src.js", 404),
    ("/assets/../app.py", 404),
    ("/assets/map.py", 404),
]


@pytest.mark.parametrize(("url", "status"), REFUSED)
def test_anything_else_gets_one_sentence(library: Library, url: str, status: int) -> None:
    answer = get(url)
    assert answer.status == status
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.endswith(".")
    assert "\n" not in answer.text
    assert "<" not in answer.text
    assert "Traceback" not in answer.text
    assert str(library.root) not in answer.text


def test_damaged_pixels_get_one_sentence_too(tmp_path: Path) -> None:
    library = Library(tmp_path)
    add_mapped(library)
    library.get("m-1").pixels_path.write_bytes(b"II*\x00 nothing more")
    with served(library):
        answer = get("/quicklook/m-1/false.webp")
    assert answer.status == 404
    assert answer.text.endswith("add the scene again.")


@pytest.mark.parametrize(
    "url", ["/tiles/m-1/true/9/275/182.png", "/thumbs/m-1/64-64/true/3.webp", "/assets/leaflet/leaflet.js"]
)
def test_pictures_are_kept_by_browsers_and_by_nobody_elses_pages(library: Library, url: str) -> None:
    answer = get(url)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert not any(name.startswith("access-control") for name in answer.headers)
    again = get(url, if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert get(url, if_none_match='"other"').status == 200


def test_different_pictures_have_different_tags(library: Library) -> None:
    urls = [
        "/tiles/m-1/true/9/275/182.png",
        "/tiles/m-1/true/9/275/182.png?contrast=soft",
        "/tiles/m-1/ndvi/9/275/182.png",
    ]
    assert len({get(url).headers["etag"] for url in urls}) == 3


def test_collections_have_tiles_at_their_places(library: Library) -> None:
    x, y = tile_at(10.0, 46.0, 14)
    assert pixels_of(get(f"/tiles/c-1/true/14/{x}/{y}.png").body)[..., 3].max() == 255


def test_every_asset_is_served_and_scripts_are_packed() -> None:
    for name, asset in ASSETS.items():
        plain, packed = get(asset_url(name)), get(asset_url(name), accept_encoding="gzip, br")
        assert plain.status == packed.status == 200
        if name == "plotly.min.js":
            assert plain.body == early_compiled(asset.path.read_bytes())
        else:
            assert plain.body == asset.path.read_bytes()
        assert plain.headers["content-type"].startswith(asset.kind)
        if asset.kind != "image/png":
            assert packed.headers["content-encoding"] == "gzip"
            assert gzip.decompress(packed.body) == plain.body
            assert len(packed.body) < 0.6 * len(plain.body) + 40  # what gzip itself needs


def test_plotly_is_compiled_while_it_arrives_and_a_bundle_of_another_kind_is_left_alone() -> None:
    bundle = ASSETS["plotly.min.js"].path.read_bytes()
    sent = early_compiled(bundle)
    assert sent.startswith(b"//# allFunctionsCalledOnLoad\n/**\n* plotly.js v"), "the licence stays"
    assert sent.endswith(b"window.Plotly = Plotly;")
    assert b"function(root, factory)" not in sent
    body = bundle[bundle.index(b'"use strict";') : bundle.rindex(b"\nreturn Plotly;")]
    assert sent.endswith(body)
    assert early_compiled(b"other();") == b"//# allFunctionsCalledOnLoad\nother();"


def test_leaflets_own_addresses_are_all_served() -> None:
    import re

    style = get("/assets/leaflet/leaflet.css").text
    images = set(re.findall(r"url\((images/[^)]+)\)", style))
    assert images
    for image in images:
        assert get(f"/assets/leaflet/{image}").headers["content-type"] == "image/png"
