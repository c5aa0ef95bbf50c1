"""A part of a site: what browsers are told, and what the routes answer below the path that a proxy passes on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from starlette.applications import Starlette
from starlette.routing import Match
from streamlit import config

from core.scenes.patches import Cut
from pages.ui.explore.map import LocalMap
from pages.ui.http import splash
from pages.ui.http.assets import ASSET_ROUTES, asset_url
from pages.ui.http.below import BelowBase, all_below
from pages.ui.http.front_end import FrontEndScripts
from pages.ui.http.ground import ground_options
from pages.ui.http.lazy import Deferred
from pages.ui.http.pictures import overlay_url, quicklook_url, thumb_url, tile_url
from pages.ui.http.uploads import UploadRoute
from tests.asgi import ask

ROUTES = [*splash.SPLASH_ROUTES, *ASSET_ROUTES, FrontEndScripts()]


@pytest.fixture(params=["/land", "a/b/"])
def base(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A path in a form that Streamlit takes, as browsers have it."""
    monkeypatch.setattr(config, "get_option", {"server.baseUrlPath": request.param}.__getitem__)
    splash.splash_page.cache_clear()
    yield f"/{request.param.strip('/')}"
    splash.splash_page.cache_clear()


def test_all_that_a_page_names_lies_below_the_path_and_is_there(base: str) -> None:
    site = Starlette(routes=all_below(ROUTES))
    page = ask(site, f"{base}/").text
    (scripts,) = re.findall(r'ahead\("[^"]+", (\[[^]]+\])\)', page)
    named = [asset_url("plotly.min.js"), asset_url("map.js"), *json.loads(scripts)]
    assert asset_url("plotly.min.js") in page
    for address in named:
        assert address.startswith(f"{base}/")
        assert ask(site, address).body == ask(Starlette(routes=ROUTES), address.removeprefix(base)).body != b""
        assert ask(site, address.removeprefix(base)).status == 404
    assert [ask(site, f"{base}{path}").status for path in ("/health", "/classify", "/none")] == [200, 200, 404]
    assert [ask(site, path).status for path in ("/health", base, f"{base}r/health")] == [404, 307, 404]


def test_the_path_itself_leads_to_the_first_page_whatever_the_server_is_called(base: str) -> None:
    answer = ask(Starlette(routes=all_below(ROUTES)), f"{base}?scene=a", host="10.0.0.7:8501")
    assert (answer.status, answer.headers["location"]) == (307, f"{base}/?scene=a")


def test_pictures_and_uploads_lie_below_it_too(base: str) -> None:
    pictures = BelowBase(Deferred("none", "NONE", ("/tiles/", "/thumbs/", "/quicklook/", "/overlay/", "/ground/")))
    ground = [ground_options(names_below=False)[name] for name in ("tiles", "names", "where")]
    for address in (
        tile_url("s", "true"),
        thumb_url("s", Cut(64, 64), "true", 5),
        quicklook_url("s"),
        overlay_url("k", "w"),
        *ground,
    ):
        assert pictures.matches({"type": "http", "method": "GET", "path": address})[0] is Match.FULL, address
    sent = {"type": "http", "method": "PUT", "path": f"{base}/_stcore/upload_file/a/b"}
    match, found = BelowBase(UploadRoute()).matches(sent)
    assert (match, found["path"]) == (Match.FULL, "/_stcore/upload_file/a/b")
    assert BelowBase(UploadRoute()).matches(sent | {"path": "/_stcore/upload_file/a/b"})[0] is Match.NONE


def test_the_frame_of_the_map_finds_its_scripts(base: str) -> None:
    site = Starlette(routes=all_below(ROUTES))
    for _, url in [*LocalMap.default_js, *LocalMap.default_css]:
        assert ask(site, urljoin(f"{base}/component/a.b/index.html", url)).status == 200, url
