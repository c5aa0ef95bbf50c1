"""Conditions on what is not known of the patches yet: said not to count, and counted as soon as it is known."""

from __future__ import annotations

import json

import numpy as np

from core.engine.operations import Engine
from core.evaluation.grid_shift import STABILITY_KEY
from core.projection.settings import ProjectionSettings
from core.values.base import Asked
from core.values.distortion import DISTORTION
from pages.ui.state import cache
from pages.ui.state.session import Session
from pages.ui.state.view_state import view_state
from tests.pages.conftest import encode, small_scene, visit
from tests.pages.test_explore import sees_nothing_wrong, texts

STABLE = json.dumps([{"value": "stability", "low": 0.5, "high": None}])


def test_a_condition_on_what_is_not_measured_is_said_not_to_count_until_it_is(engine: Engine) -> None:
    recipe = encode(engine, small_scene(engine))
    app = visit(where=STABLE)
    sees_nothing_wrong(app)
    assert "not known of these patches, so it does not count" in texts(app)
    known = cache.scene_view(recipe)
    visitor = Session(scene_id=recipe.scene_id, filters=STABLE)
    before = view_state(visitor, known.scene, recipe)
    assert before.mask is not None
    assert (int(before.mask.sum()), len(before.uncounted)) == (42, 1)
    engine.stabilities.put(recipe, STABILITY_KEY, np.repeat([0.2, 0.8], [30, 12]).astype(np.float32))
    after = view_state(visitor, known.scene, recipe)
    assert after.mask is not None
    assert np.flatnonzero(after.mask).tolist() == list(range(30, 42))
    assert after.uncounted == ()


def test_a_condition_on_distortion_is_of_the_layout_that_its_address_names(engine: Engine) -> None:
    recipe, settings = encode(engine, small_scene(engine)), ProjectionSettings()
    engine.reports.put(recipe, settings.key, [], {"distortion": np.repeat([0.1, 0.4], [40, 2]).astype(np.float32)})
    known = cache.scene_view(recipe)
    address = DISTORTION.address(known, Asked(layout=settings))
    filters = json.dumps([{"value": address, "low": 0.3, "high": None}])
    view = view_state(Session(scene_id=recipe.scene_id, filters=filters), known.scene, recipe)
    assert view.mask is not None
    assert (np.flatnonzero(view.mask).tolist(), view.uncounted) == ([40, 41], ())
