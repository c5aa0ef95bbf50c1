"""Ways of cutting in people's words, those a scene has been encoded by, and going from one to another."""

from __future__ import annotations

import numpy as np

from core.errors import LandlikeError
from core.features.given import first_encoder
from core.features.recipe import Recipe
from core.scenes.cut import MIN_VALID_FRACTION, Cut
from core.scenes.outline_areas import outline_hectares
from core.scenes.patches import PatchRef, patch_grid
from core.scenes.regions.map_region import MapRegion
from core.scenes.regions.of_interest import kept_area
from core.scenes.scene import Scene
from pages.ui.common.format import ground_words
from pages.ui.state.engine import engine
from pages.ui.state.session import Session


def length(pixels: int, metres: float | None) -> str:
    """Return a length on the ground, or in pixels where metres are not known: ``640 m``, ``1.28 km``, ``64 px``."""
    if metres is None:
        return f"{pixels:,} px"
    ground = pixels * metres
    if ground >= 1000:
        return f"{ground / 1000:.2f}".rstrip("0").rstrip(".") + " km"
    return f"{ground:.0f} m" if ground >= 10 else f"{ground:.1f} m"


def cut_title(cut: Cut, metres: float | None, scene: Scene | None = None) -> str:
    """Return a way of cutting in a few words: ``640 m every 320 m, edge covered``, ``640 m, in 8,420 ha``."""
    words = length(cut.size, metres)
    if cut.stride < cut.size:
        words += f" every {length(cut.stride, metres)}"
    if cut.edge == "cover":
        words += ", edge covered"
    if cut.least_valid != MIN_VALID_FRACTION:
        words += f", {cut.least_valid:.0%} valid".replace("%", " %")
    if cut.area:
        words += f", in {area_ground(scene, cut.area)}"
    return words


def area_ground(scene: Scene | None, area: str) -> str:
    """Return how large an area is that is kept beside a scene, as it is called wherever ways of cutting are listed."""
    if scene is None:
        return "an area"
    try:
        return area_words(kept_area(scene, area))
    except LandlikeError:
        return "an area"


def area_words(area: MapRegion) -> str:
    """Return how large an area is, in words."""
    return ground_words(float(outline_hectares(np.array([area.shape], dtype=object))[0]))


def recipes_there(scene: Scene, encoder: str | None) -> list[Recipe]:
    """Return how a scene has been encoded by an encoder, from large patches to small; None = the default encoder."""
    encoder = encoder or first_encoder(scene)
    if scene.has_pixels and engine().untried(encoder):
        return []  # Which form's features are shown is found out on the page, which says so.
    try:
        fingerprint = engine().spec_of(scene, encoder).fingerprint
    except LandlikeError:
        return []
    found = {recipe.cut: recipe for recipe in engine().store.recipes(scene.id) if recipe.fingerprint == fingerprint}
    return [found[cut] for cut in sorted(found, key=lambda cut: (-cut.size, -cut.stride, cut.key))]


def take_cut(visitor: Session, scene: Scene, cut: Cut) -> None:
    """Show a scene by another way of cutting; the query becomes the patch at its place."""
    visitor.recut(scene.id, cut, _same_place(visitor, scene, cut))


def _same_place(visitor: Session, scene: Scene, cut: Cut) -> PatchRef | None:
    query = visitor.query
    if query is None or query.scene != scene.id:
        return query
    try:
        row, col, height, width = patch_grid(scene, visitor.cut(scene.id)).window(query.patch)
        found = patch_grid(scene, cut).patch_at(row + height / 2, col + width / 2)
    except LandlikeError:
        return None
    return None if found is None else PatchRef(scene.id, found)
