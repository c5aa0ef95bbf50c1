"""Routes that feed the plot: places and values of all patches as plain little-endian arrays. Pictures are elsewhere.

    /layout/{recipe key}/pca.bin                               int32 N, int32 ids (N), float32 x (N), float32 y (N)
    /layout/{recipe key}/{method}-{neighbours}-{distance}-{metric}-{seed}.bin    the same
    /values/{recipe key}/{value}-{version}.bin                 float32 (N), NaN = none
    /outlines/{recipe key}.bin              int32 N, int32 ids (N), float32 latitude and longitude of corners (N, 4, 2)

Values and their versions are those of ``core.values.registry``. An answer never changes for one address, so browsers
keep it.
"""

from __future__ import annotations

import re

import numpy as np
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.bands import FloatArray
from core.errors import LandlikeError
from core.features.recipe import Recipe
from core.projection.address import layout_name, named_layout
from core.projection.settings import ProjectionSettings
from core.scenes.location import outlines
from core.values.registry import read_address
from pages.ui.http.below import below_base
from pages.ui.http.headers import FOR_EVER, SAME_ORIGIN
from pages.ui.state import cache

RECIPE_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}-[0-9a-f]{1,16}-\d{1,3}-\d{1,3}c?(?:v\d{1,3})?(?:a[0-9a-f]{12})?")
"""The form of ``Recipe.key``."""

_NO_LAYOUT, _NO_VALUES = "There is no such layout.", "There are no such values."


def layout_url(recipe: Recipe, settings: ProjectionSettings | None) -> str:
    """Return where the browser gets a layout; PCA when ``settings`` is None."""
    return below_base(f"/layout/{recipe.key}/{'pca' if settings is None else layout_name(settings)}.bin")


def values_url(recipe: Recipe, what: str) -> str:
    """Return where the browser gets the values of a table's patches; ``what`` is from ``PatchValue.address``."""
    return below_base(f"/values/{recipe.key}/{what}.bin")


def _layout(request: Request) -> Response:
    """Answer with ids and places of all patches."""
    key, name = request.path_params["recipe"], request.path_params["name"]
    settings = named_layout(name)
    if not RECIPE_KEY.fullmatch(key) or (settings is None and name != "pca"):
        return _missing(_NO_LAYOUT)
    try:
        view = cache.view_of_key(key)
        points = view.layout(settings)
    except LandlikeError as error:
        return _missing(str(error))
    if points is None:
        return _missing(_NO_LAYOUT)
    ids = view.table.patch_ids
    parts = [np.array([len(ids)], "<i4"), ids.astype("<i4"), points[:, 0].astype("<f4"), points[:, 1].astype("<f4")]
    return _binary(b"".join(part.tobytes() for part in parts))


def _values(request: Request) -> Response:
    """Answer with one number a patch."""
    found = read_address(request.path_params["what"])
    if found is None or not RECIPE_KEY.fullmatch(request.path_params["recipe"]):
        return _missing(_NO_VALUES)
    try:
        values: FloatArray | None = cache.view_of_key(request.path_params["recipe"]).values(*found)
    except LandlikeError as error:
        return _missing(str(error))
    return _missing(_NO_VALUES) if values is None else _binary(values.astype("<f4").tobytes())


def outlines_url(recipe: Recipe) -> str:
    """Return where the browser gets the outlines of all patches, about the bounds of the scene's map."""
    return below_base(f"/outlines/{recipe.key}.bin")


def _outlines(request: Request) -> Response:
    """Answer with ids and corners of all patches; NaN where a place is unknown."""
    if not RECIPE_KEY.fullmatch(request.path_params["recipe"]):
        return _missing(_NO_VALUES)
    try:
        view = cache.view_of_key(request.path_params["recipe"])
    except LandlikeError as error:
        return _missing(str(error))
    ids = view.table.patch_ids
    corners = outlines(view.scene, view.grid, ids)[:, :, ::-1]
    return _binary(
        np.array([len(ids)], "<i4").tobytes() + ids.astype("<i4").tobytes() + corners.astype("<f4").tobytes()
    )


def _missing(sentence: str) -> Response:
    return PlainTextResponse(sentence, status_code=404, headers=SAME_ORIGIN)


def _binary(content: bytes) -> Response:
    return Response(content, media_type="application/octet-stream", headers=FOR_EVER)


POINT_ROUTES: list[Route] = [
    Route("/layout/{recipe}/{name}.bin", _layout),
    Route("/values/{recipe}/{what}.bin", _values),
    Route("/outlines/{recipe}.bin", _outlines),
]
"""All of them; ``app.py`` adds them to its own when the first is asked for."""
