"""The routes of the ground: what they answer, and one sentence for anything else."""

from __future__ import annotations

import json

import pytest
from starlette.applications import Starlette

from core.imagery.ground.drawing import ground_tile
from pages.ui.http.ground import GROUND_ROUTES, ground_options
from tests.asgi import Answer, ask
from tests.mapped import tile_at

APP = Starlette(routes=GROUND_ROUTES)
OPTIONS = ground_options(names_below=False)


def get(name: str, **parts: object) -> Answer:
    return ask(APP, str(OPTIONS[name]).format(**parts))


def test_tiles_names_and_words() -> None:
    x, y = tile_at(-76.0, 37.0, 7)
    tile = get("tiles", shade="dark", z=7, x=x, y=y)
    assert (tile.status, tile.headers["content-type"]) == (200, "image/png")
    assert tile.body == ground_tile(7, x, y, "dark")
    assert "immutable" in tile.headers["cache-control"]
    names = json.loads(get("names", z=7, x=x, y=y).body)
    assert [name[:2] for name in names][:1] == [["place", "Virginia Beach"]]
    assert json.loads(get("where", lat=48.85, lon=2.35).body)["words"].startswith("near Paris")
    assert json.loads(get("where", lat=-90, lon=-180).body)["words"]


@pytest.mark.parametrize(
    "url",
    [
        "/ground/pink/1/0/0.png", "/ground/light/1/2/0.png", "/ground/light/13/0/0.png", "/ground/light/1/-1/0.png",
        "/ground/light/01/0/0.png", "/ground/light/1/0/99999999999.png", "/ground/%2e%2e/1/0/0.png",
        "/ground/names/12/0/0.json", "/ground/names/1/0/2.json", "/ground/names/x/0/0.json",
        "/ground/where/91/0.json", "/ground/where/0/181.json", "/ground/where/nan/0.json", "/ground/where/1e1/0.json",
        "/ground/where/0.12345/0.json", "/ground/where/--1/0.json", "/ground/where/١/0.json",
        "/ground/where/inf/0.json",
        "/ground/where/0/%3Cscript%3E.json",
    ],
)  # fmt: skip
def test_anything_else_gets_one_sentence(url: str) -> None:
    answer = ask(APP, url)
    assert answer.status == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.endswith(".")
    assert "<" not in answer.text
    assert "\n" not in answer.text
