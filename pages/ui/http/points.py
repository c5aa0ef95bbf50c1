"""Routes that feed the plot: places and values of all patches as plain little-endian arrays. Pictures are elsewhere.

    /layout/{recipe key}/pca.bin                               int32 N, int32 ids (N), float32 x (N), float32 y (N)
    /layout/{recipe key}/umap-{neighbours}-{distance}-{metric}-{seed}.bin    the same
    /values/{recipe key}/{what}.bin                            float32 (N), NaN = none

``what`` is ``class``, ``hand-{version}`` (labels by people), ``label-{version}`` (labels by people, else the truth),
``group``, ``ndvi``, ``ndwi``, ``ndbi``, ``unfamiliar``, ``similarity-{patch id}`` or ``distortion-`` and the name of a
UMAP layout. An answer never changes for one address, so browsers keep it.
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
from core.projection.settings import ProjectionSettings
from pages.ui.state import cache

_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}-[0-9a-f]{1,16}-\d{1,3}-\d{1,3}")
_UMAP = re.compile(r"umap-(\d{1,3})-([01]\.\d{1,4})-([a-z]{3,12})-(\d{1,9})")
_SIMILARITY = re.compile(r"similarity-(\d{1,9})")
_HEADERS = {"cache-control": "public, max-age=31536000, immutable"}


def layout_url(recipe: Recipe, settings: ProjectionSettings | None) -> str:
    """Where the browser gets a layout; PCA when ``settings`` is None."""
    return f"/layout/{recipe.key}/{'pca' if settings is None else layout_name(settings)}.bin"


def layout_name(settings: ProjectionSettings) -> str:
    """A UMAP layout in an address."""
    return f"umap-{settings.n_neighbors}-{settings.min_dist:.4f}-{settings.metric}-{settings.seed}"


def values_url(recipe: Recipe, what: str) -> str:
    """Where the browser gets the values of a table's patches."""
    return f"/values/{recipe.key}/{what}.bin"


def layout(request: Request) -> Response:
    """Ids and places of all patches."""
    name = request.path_params["name"]
    match = _UMAP.fullmatch(name)
    if not _KEY.fullmatch(request.path_params["recipe"]) or (match is None and name != "pca"):
        return PlainTextResponse("There is no such layout.", status_code=404)
    try:
        recipe = cache.recipe_by_key(request.path_params["recipe"])
        points = cache.layout(recipe, _settings(match) if match else None)
        ids = cache.table(recipe).patch_ids
    except LandlikeError as error:
        return PlainTextResponse(str(error), status_code=404)
    parts = [np.array([len(ids)], "<i4"), ids.astype("<i4"), points[:, 0].astype("<f4"), points[:, 1].astype("<f4")]
    return _binary(b"".join(part.tobytes() for part in parts))


def values(request: Request) -> Response:
    """One number a patch."""
    if not _KEY.fullmatch(request.path_params["recipe"]):
        return PlainTextResponse("There are no such values.", status_code=404)
    try:
        found = _values(cache.recipe_by_key(request.path_params["recipe"]), request.path_params["what"])
    except LandlikeError as error:
        return PlainTextResponse(str(error), status_code=404)
    if found is None:
        return PlainTextResponse("There are no such values.", status_code=404)
    return _binary(found.astype("<f4").tobytes())


def _settings(match: re.Match[str]) -> ProjectionSettings:
    neighbours, distance, metric, seed = match.groups()
    return ProjectionSettings(n_neighbors=int(neighbours), min_dist=float(distance), metric=metric, seed=int(seed))


def _values(recipe: Recipe, what: str) -> FloatArray | None:
    if what in {"ndvi", "ndwi", "ndbi"}:
        return cache.index(recipe, what.upper())
    if what == "group":
        groups = cache.groups(recipe)
        return None if groups is None else groups.astype(np.float32)
    if what == "class" or what.startswith(("hand-", "label-")):
        return _labels(recipe, what)
    if what == "unfamiliar" or what.startswith("distortion-"):
        return _trust(recipe, what)
    match = _SIMILARITY.fullmatch(what)
    if match is None or not cache.table(recipe).holds(int(match[1])):
        return None
    return cache.similarity(recipe, int(match[1]))


def _labels(recipe: Recipe, what: str) -> FloatArray | None:
    """Numbers of classes; those that a person's labels had in another version are no longer known."""
    if what == "class":
        found = cache.labels(recipe.scene_id, recipe.patch_size, recipe.stride)
    elif what.partition("-")[2] == cache.label_version(recipe.scene_id):
        found = cache.given_labels(recipe) if what.startswith("hand-") else cache.shown_labels(recipe)
    else:
        return None
    if found is None:
        return None
    numbers = found.index[cache.table(recipe).patch_ids].astype(np.float32)
    return np.where(numbers < 0, np.float32(np.nan), numbers)


def _trust(recipe: Recipe, what: str) -> FloatArray | None:
    if what == "unfamiliar":
        return cache.novelty(recipe)
    match = _UMAP.fullmatch(what.removeprefix("distortion-"))
    return cache.distortion(recipe, _settings(match)) if match else None


def _binary(content: bytes) -> Response:
    return Response(content, media_type="application/octet-stream", headers=_HEADERS)


ROUTES: list[Route] = [
    Route("/layout/{recipe}/{name}.bin", layout),
    Route("/values/{recipe}/{what}.bin", values),
]
"""All of them; ``app.py`` adds them to its own when the first is asked for."""
