"""What the points of the plot can be coloured by, and the legend of each choice. The drawing is ``explore.plot``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.bands import INDICES
from core.features.recipe import Recipe
from core.projection.settings import ProjectionSettings
from core.scenes.scene import Scene
from core.similarity.explain import indices_of
from pages.ui.common.progress import line, wanted
from pages.ui.common.theme import SCALES, UNKNOWN_COLOUR, class_colours, class_title, group_colours
from pages.ui.http.points import layout_name, values_url
from pages.ui.state import cache
from pages.ui.state.engine import engine

TITLES = {
    "class": "Colour by class",
    "hand": "Colour by your labels",
    "group": "Colour by group",
    "ndvi": "Colour by NDVI (plants)",
    "ndwi": "Colour by NDWI (water)",
    "ndbi": "Colour by NDBI (built-up)",
    "similarity": "Colour by similarity",
    "distortion": "Colour by distortion",
    "unfamiliar": "Colour by unfamiliarity",
    "date": "Colour by date",
}
MOST_GROUPS = 30


@dataclass(frozen=True, kw_only=True)
class Colouring:
    """How the points are coloured.

    Attributes:
        values: where the browser gets a number a patch, or None when all are alike.
        legend: what the numbers mean, as the plot's script takes it.
    """

    values: str | None
    legend: dict[str, Any]


def choices(scene: Scene, recipe: Recipe, layout: ProjectionSettings | None, query: int | None) -> list[str]:
    """What can colour the points of a scene, the best first; ``layout`` is the one the plot is to show."""
    there = {name.lower() for name in indices_of(scene.bands)}
    wanted = {
        **{name.lower(): name.lower() in there for name in INDICES},
        "class": bool(scene.classes),
        "hand": cache.given_labels(recipe) is not None,
        "similarity": query is not None,
        "distortion": layout is not None and engine().reports.get(recipe, layout.key) is not None,
        "unfamiliar": cache.novelty(recipe) is not None,
        "date": scene.date is not None,
    }
    order = ("class", "hand", "ndvi", "ndwi", "ndbi", "group", "similarity", "distortion", "unfamiliar", "date")
    return [name for name in order if wanted.get(name, True)]


def colouring(
    scene: Scene, recipe: Recipe, name: str, query: int | None, layout: ProjectionSettings | None = None
) -> Colouring:
    """The colours of a choice; distortion is that of ``layout``."""
    if name == "class":
        return _made(_classes(recipe, scene.classes), values_url(recipe, "class"))
    given = cache.given_labels(recipe)
    if name == "hand" and given is not None:
        return _made(_classes(recipe, given.classes), values_url(recipe, f"hand-{cache.label_version(scene.id)}"))
    if name == "group":
        return _groups(recipe)
    if name == "date":
        return _made({"kind": "date", "names": [scene.date or "No date"], "colours": group_colours(1)}, None)
    if name == "similarity" and query is not None:
        low, high = cache.similarity_range(recipe, query)
        return _made(_scale(name, low, high), values_url(recipe, f"similarity-{query}"))
    ramp = SCALES[name].ramp
    what = f"{name}-{layout_name(layout)}" if name == "distortion" and layout is not None else name
    return _made(_scale(name, ramp.low, ramp.high), values_url(recipe, what))


def _groups(recipe: Recipe) -> Colouring:
    if cache.groups(recipe) is None:
        return _made({"kind": "waiting", "names": ["Not grouped yet"], "colours": [UNKNOWN_COLOUR]}, None)
    return _made({"kind": "group", "colours": group_colours(MOST_GROUPS)}, values_url(recipe, "group"))


def ask_for_groups(recipe: Recipe) -> None:
    """Ask for the groups of a scene unless they are there, and draw how far they are."""
    if cache.groups(recipe) is None:
        key = f"groups-{recipe.key}"
        line(wanted(key, lambda: engine().submit_groups(recipe)), key, "Looking for groups")


def colours_of(recipe: Recipe, classes: Sequence[str]) -> list[str]:
    """The colours of some classes, which are the same whichever of them are on show."""
    shown = cache.shown_labels(recipe)
    every = classes if shown is None else shown.classes
    return [dict(zip(every, class_colours(every), strict=True))[name] for name in classes]


def _classes(recipe: Recipe, classes: Sequence[str]) -> dict[str, Any]:
    return {"kind": "class", "names": titles(classes), "colours": colours_of(recipe, classes)}


def titles(classes: Sequence[str]) -> list[str]:
    """Classes as people write them."""
    return [class_title(name) for name in classes]


def _scale(name: str, low: float, high: float) -> dict[str, Any]:
    scale = SCALES[name]
    ends = {"low": low, "high": high, "low_word": scale.low_word, "high_word": scale.high_word}
    return {"kind": "scale", "title": scale.title, "colours": scale.colours(), "digits": scale.digits, **ends}


def _made(legend: dict[str, Any], values: str | None) -> Colouring:
    return Colouring(values=values, legend={**legend, "unknown": UNKNOWN_COLOUR})
