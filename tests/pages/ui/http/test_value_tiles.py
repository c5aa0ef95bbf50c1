"""Values on the map, in the colours of the plot, for scenes and for collections."""

from __future__ import annotations

import numpy as np
import pytest
from starlette.applications import Starlette

from core.engine.operations import Engine
from core.evaluation.benchmark import BASELINE
from core.values.base import NOTHING_ASKED, Asked
from core.values.registry import VALUES
from pages.ui.http.pictures import PICTURE_ROUTES, overlay_url
from pages.ui.state import cache
from tests.asgi import ask
from tests.mapped import add_collection, pixels_of, square_corners, tile_at
from tests.pages.conftest import encode, small_scene


@pytest.mark.parametrize("name", ["brightness", "ndvi", "similarity"])
def test_a_patch_of_a_collection_has_its_colour_at_its_place(engine: Engine, name: str) -> None:
    places = [(10.0, 46.0), (24.0, 60.0), (-8.0, 40.0)]
    corners = [square_corners(*place) for place in places]
    recipe = encode(engine, add_collection(engine.library, corners), BASELINE)
    view, value, asked = cache.scene_view(recipe), VALUES[name], Asked(query=1)
    values = view.values(value, asked)
    assert values is not None
    colours, _ = view.legend(value, asked).paint(values)
    for row, place in enumerate(places):
        x, y = tile_at(*place, 14)
        url = overlay_url(recipe.key, value.address(view, asked)).format(z=14, x=x, y=y)
        drawn = pixels_of(ask(Starlette(routes=PICTURE_ROUTES), url).body)
        shown = drawn[drawn[..., 3] > 0][:, :3]
        np.testing.assert_array_equal(np.unique(shown, axis=0), colours[row : row + 1])


def test_classes_are_in_the_colours_of_the_legend_and_nothing_else_is(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine), BASELINE)
    view = cache.scene_view(recipe)
    legend = VALUES["class"].legend(view, None).script()["colours"]
    lon, lat = (float(part) for part in np.asarray(view.places).mean(axis=0))
    x, y = tile_at(lon, lat, 13)
    url = overlay_url(recipe.key, VALUES["class"].address(view, NOTHING_ASKED)).format(z=13, x=x, y=y)
    drawn = pixels_of(ask(Starlette(routes=PICTURE_ROUTES), url).body)
    shown = {f"#{red:02X}{green:02X}{blue:02X}" for red, green, blue in drawn[drawn[..., 3] > 0][:, :3].tolist()}
    assert shown
    assert shown <= {colour.upper() for colour in legend}
