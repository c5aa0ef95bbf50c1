from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette

from pages.ui.frontend import text
from pages.ui.http import splash
from pages.ui.http.assets import ASSET_ROUTES
from pages.ui.http.front_end import FrontEndScripts, later_scripts, page_scripts
from pages.ui.http.lazy import Deferred
from pages.ui.state.session import SETTINGS
from tests.asgi import ask


@pytest.mark.parametrize("address", splash.ADDRESSES)
def test_the_first_page_shows_our_name_before_any_script_has_run(address: str) -> None:
    answer = ask(Starlette(routes=splash.SPLASH_ROUTES), address)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-cache"
    assert "<title>Landlike</title>" in answer.text
    root = answer.text.split('<div id="root">')[1]
    assert 'aria-label="Landlike"' in root.split("</svg>")[0]
    assert f"</div><style>{text('page.css')}</style>" in root, "a dialog may take the place of what the page draws"
    assert 'type="module"' in answer.text, "Streamlit's own scripts are still there"


def test_every_page_that_has_an_address_is_among_them() -> None:
    named = re.findall(r'url_path="(\w+)"', (Path(__file__).parents[4] / "pages/main.py").read_text(encoding="utf-8"))
    assert sorted(splash.PAGES) == sorted(named)
    assert all(f"(?:{'|'.join(splash.PAGES)})" in splash.splash_page(address) for address in splash.ADDRESSES)


def test_settings_that_are_no_step_of_the_history_are_those_of_a_link() -> None:
    assert splash.NO_STEPS == SETTINGS
    assert f"of {json.dumps(SETTINGS)})" in splash.splash_page()


@pytest.mark.parametrize("address", splash.ADDRESSES)
def test_what_is_drawn_with_is_loaded_ahead_where_it_is_needed(address: str) -> None:
    app = Starlette(routes=[*splash.SPLASH_ROUTES, *ASSET_ROUTES, FrontEndScripts()])
    asked = re.findall(r'ahead\("(/assets/[^"]+)", (\[[^]]+\])\)', ask(app, address).text)
    assert len(asked) == (address == "/")
    for plotly, scripts in asked:
        assert b"Plotly" in ask(app, plotly).body
        assert any("/BidiComponent." in script for script in json.loads(scripts))
        assert all(ask(app, script).status == 200 for script in json.loads(scripts))


def test_scripts_of_streamlit_are_served_as_they_are_and_others_left_to_it() -> None:
    app = Starlette(routes=[FrontEndScripts()])
    folder = Path(streamlit.__file__).parent / "static" / "static" / "js"
    assert len(page_scripts()) > 20
    assert not page_scripts().intersection(later_scripts())
    for name in ("index.", "react-dom.", "BidiComponent."):
        (path,) = [
            folder / one for one in {*page_scripts(), *later_scripts()} if one.startswith(name) and "esm" not in one
        ]
        answer = ask(app, f"/static/js/{path.name}")
        assert answer.body == path.read_bytes()
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
    for other in ("PlotlyChart.js", "../index.html", "none.js", ""):
        assert ask(app, f"/static/js/{other}").status == 404


def test_the_server_says_that_it_is_well() -> None:
    answer = ask(Starlette(routes=splash.SPLASH_ROUTES), "/health")
    assert json.loads(answer.text) == {"status": "ok"}
    assert answer.headers["cache-control"] == "no-store"


def test_deferred_routes_answer_like_their_module() -> None:
    there = Starlette(routes=[Deferred("pages.ui.http.assets", "ASSET_ROUTES", ("/assets/", "/tiles/"))])
    for address in ("/assets/map.css", "/assets/none.css", "/tiles/", "/elsewhere"):
        ours, theirs = ask(there, address), ask(Starlette(routes=ASSET_ROUTES), address)
        assert (ours.status, ours.body) == (theirs.status, theirs.body), address


def test_a_deferred_module_is_imported_by_its_first_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def importing(name: str) -> object:
        asked.append(name)
        return splash

    monkeypatch.setattr("pages.ui.http.lazy.import_module", importing)
    app = Starlette(routes=[Deferred("some.module", "SPLASH_ROUTES", ("/health",))])
    assert asked == []
    assert ask(app, "/elsewhere").status == 404
    assert asked == []
    assert ask(app, "/health").text == ask(app, "/health").text
    assert asked == ["some.module"]
