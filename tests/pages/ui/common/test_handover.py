"""Handing a view on: what the page looks for as a value, and where a bundle leads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.engine.bundles import OpenedBundle
from core.engine.views import SearchView
from core.export.bundle import Bundle
from core.features.recipe import Recipe
from core.features.table import PatchTable
from core.scenes.cut import Cut
from core.scenes.patches import PatchRef
from core.search.conditions import ClassCondition, RangeCondition
from core.search.examples import Evidence
from core.search.filters import Filters
from core.values.source import PatchSource
from pages.ui.common.handover import follow_view, search_view
from pages.ui.state.question import Question
from pages.ui.state.session import Session
from pages.ui.state.view_state import seen_key

NDVI, CLUSTER = RangeCondition(value="ndvi", low=-0.5), ClassCondition(value="group", classes=("Group 1",))
RECIPE = Recipe(scene_id="s-1", encoder="spectral", fingerprint="ab" * 32, cut=Cut.of(32, 16))


def seen(visitor: Session) -> Any:
    question = visitor.question("s-1")
    return SimpleNamespace(
        scene=SimpleNamespace(id="s-1"), question=question, recipe=RECIPE, least=visitor.least, uncounted=(CLUSTER,),
        filters=visitor.filters, known=known(),
    )  # fmt: skip


class Known(PatchSource):
    """Patches without a place."""

    places = None

    def evidence(self, question: Question) -> Evidence:
        return Evidence.of(*([PatchRef("s-1", one) for one in ids] for ids in (question.like, question.unlike)))


def known() -> PatchSource:
    ids, bands = np.arange(4), np.linspace(0.1, 0.9, 4 * 13, dtype=np.float32).reshape(4, 13)
    table = PatchTable(patch_ids=ids, unit=np.eye(4, dtype=np.float32), band_mean=bands, band_std=bands)
    scene: Any = SimpleNamespace(id="s-1", bands=BAND_NAMES)
    return Known(scene=scene, table=table)


def opened(search: SearchView, **parts: Any) -> OpenedBundle:
    return OpenedBundle(bundle=Bundle(scene={}, recipe={}, **parts), view=search)


@pytest.mark.parametrize("least", [None, 0.5])
@pytest.mark.parametrize(
    "question", [Question("s-1", (3,)), Question("s-1", (3, 8), (5,)), Question("s-1", words="“dry” grass")]
)
def test_a_view_that_is_handed_on_shows_the_same(question: Question, least: float | None) -> None:
    there = Session()
    there.open("s-1")
    there.pursue(question)
    there.limit(least)
    there.count, there.leave_out_touching = 33, False
    there.seen.take(seen_key(RECIPE), [9, 7])
    there.filter(Filters(conditions=(NDVI, CLUSTER)).link())
    search = search_view(there, seen(there))
    assert search.evidence.examples or search.words == "“dry” grass"
    assert search.filters == Filters(conditions=(NDVI,))  # Nothing is known of groups, so the page passes it over.
    here = Session()
    here.open("s-2")
    here.seen.take(seen_key(RECIPE), [1])
    layout = {"n_neighbors": 30, "min_dist": 0.5, "metric": "euclidean", "method": "umap", "seed": 0, "labels": ""}
    follow_view(here, opened(search, layout=layout, view={"colour": "ndvi"}))
    assert here.scene_id == "s-1"
    assert here.cut("s-1") == RECIPE.cut
    assert (here.encoder, here.colour, here.least) == ("spectral", "ndvi", least)
    assert here.leave_out_touching is False
    assert (here.layout_neighbours, here.layout_metric, here.layout_method) == (30, "euclidean", "umap")
    assert here.question("s-1") == question
    assert Filters.parse(here.filters) == search.filters
    assert search_view(here, seen(here)).evidence == search.evidence
    assert search_view(here, seen(here)).seen == search.seen == (7, 9)
    assert least is not None or here.count == 33


@pytest.mark.parametrize(
    "parts",
    [
        {"layout": {"n_neighbors": -1}},
        {"layout": {"rm": "-rf"}},
        {"view": {"colour": ["ndvi"]}},
        {"view": {"colour": "x"}},
    ],
)
def test_settings_that_make_no_sense_are_passed_over(parts: dict[str, Any]) -> None:
    visitor = Session()
    search = SearchView(recipe=RECIPE, evidence=Evidence.of([PatchRef("s-1", 3)]), count=100_000)
    follow_view(visitor, opened(search, **parts))
    assert (visitor.colour, visitor.layout_neighbours, visitor.count) == (None, 15, 100)


def test_what_is_not_here_leads_nowhere() -> None:
    visitor = Session()
    follow_view(visitor, OpenedBundle(bundle=Bundle(scene={}, recipe={}), view=None, lacking=("no",)))
    assert visitor == Session()
