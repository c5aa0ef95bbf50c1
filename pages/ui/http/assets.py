"""JavaScript, styles and images that pages load, and their route: Leaflet's, Plotly's and our own, from their packages.

/assets/leaflet/{file}, /assets/plotly.min.js, and the scripts and styles of the map: /assets/map*.js, /assets/map.css
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pages.ui.http.below import below_base
from pages.ui.http.headers import FOR_EVER, SAME_ORIGIN

_KINDS = {".js": "text/javascript", ".css": "text/css", ".png": "image/png"}
_LEAFLET = (
    "leaflet.js", "leaflet.css", "images/layers.png", "images/layers-2x.png", "images/marker-icon.png",
    "images/marker-icon-2x.png", "images/marker-shadow.png",
)  # fmt: skip

PLOTLY = "plotly.min.js"
"""Plotly's JavaScript, as it is called in its package and here."""

_FRONTEND = Path(__file__).parents[1] / "frontend"

QUICK = 4
"""Level of compression: half the time of gzip's usual one, and 4 % more bytes for Plotly's 4.8 MB."""

_WRAPPED = re.compile(
    rb"\n\(\n function\(root, factory\).*?, \(\) => \{\n(?P<body>.*)\nreturn Plotly;\n\}\)\);?\s*\Z", re.DOTALL
)
_COMPILE_ALL = b"//# allFunctionsCalledOnLoad\n"
"""Asks V8 to compile a script's functions while it arrives, in a thread of its own; a comment to other browsers."""


@dataclass(frozen=True)
class Asset:
    """One file that is served; read on first use and kept."""

    path: Path

    @property
    def kind(self) -> str:
        """Its media type."""
        return _KINDS[self.path.suffix]

    @property
    def tag(self) -> str:
        """Its ETag."""
        return f'"{_digest(self.path)}"'

    @property
    def version(self) -> str:
        """Some letters that change with its content, for addresses."""
        return _digest(self.path)[:12]

    def content(self, zipped: bool) -> tuple[bytes, str | None]:
        """Return what is sent and its content encoding: gzip where that is wanted and smaller."""
        if zipped and self.kind.startswith("text/"):
            return _zipped(self.path), "gzip"
        return _read(self.path), None


def _package(name: str) -> Path:
    """Return the directory of an installed package, without importing it."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(name)
    return Path(next(iter(spec.submodule_search_locations)))


@lru_cache(maxsize=64)
def _read(path: Path) -> bytes:
    content = path.read_bytes()
    return early_compiled(content) if path.name == PLOTLY else content


def early_compiled(script: bytes) -> bytes:
    """Return a bundle of plotly.js as browsers compile it while it arrives, not when it is run; it does the same.

    Inside the function that Plotly wraps around its bundle, for loaders of other kinds, nothing is compiled before
    that is called, and the page stands still meanwhile. A bundle that is wrapped otherwise stays as it is.
    """
    found = _WRAPPED.search(script)
    bare = script if found is None else script[: found.start() + 1] + found["body"]
    return _COMPILE_ALL + bare


@lru_cache(maxsize=64)
def _zipped(path: Path) -> bytes:
    return gzip.compress(_read(path), QUICK, mtime=0)


@lru_cache(maxsize=64)
def _digest(path: Path) -> str:
    return hashlib.sha256(_read(path)).hexdigest()[:32]


def _found() -> dict[str, Asset]:
    own, leaflet = _FRONTEND, _package("xstatic.pkg.leaflet") / "data"
    files = {f"leaflet/{name}": Asset(leaflet / name) for name in _LEAFLET}
    files[PLOTLY] = Asset(_package("plotly") / "package_data" / PLOTLY)
    of_map = ("tell.js", "early.js", "map.js", "map_patches.js", "map_ground.js", "map.css")
    files |= {name: Asset(own / name) for name in of_map}
    return files


ASSETS: Mapping[str, Asset] = MappingProxyType(_found())
"""Everything below ``/assets/``, by the rest of its address."""


def asset_path(name: str) -> str:
    """Return the path of an asset on a site of its own; it changes with the content."""
    return f"/assets/{name}?v={ASSETS[name].version}"


def asset_url(name: str) -> str:
    """Return the address of an asset."""
    return below_base(asset_path(name))


async def _serve(request: Request) -> Response:
    """Answer with one of our own or Leaflet's files; nothing else lies in this folder."""
    asset: Asset | None = ASSETS.get(request.path_params["name"])
    if asset is None:
        return PlainTextResponse("There is no such file.", status_code=404, headers=SAME_ORIGIN)
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    content, encoding = await asyncio.to_thread(asset.content, zipped)
    headers = {**FOR_EVER, "etag": asset.tag, "vary": "accept-encoding"}
    if encoding:
        headers["content-encoding"] = encoding
    if request.headers.get("if-none-match") == asset.tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=asset.kind, headers=headers)


ASSET_ROUTES: list[Route] = [Route("/assets/{name:path}", _serve)]
"""What ``app.py`` adds to its routes at once: a browser asks for these files before the pages are loaded."""
