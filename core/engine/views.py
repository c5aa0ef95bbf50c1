"""A search of one scene as a value of its own, and what it finds: what pages, bundles, commands and scripts share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.clusters.changes import chosen_settings
from core.engine.library_source import LibrarySource, library_source
from core.engine.operations import Engine
from core.errors import SettingsError
from core.export.rows import ExportRows, constant, scene_rows
from core.features.recipe import Recipe
from core.progress import Progress, silent
from core.search.by_examples import rank
from core.search.conditions import FilterSource
from core.search.examples import Evidence, PatchExample
from core.search.filters import Filters
from core.search.ranking import Measure, Ranking
from core.search.words import search_words
from core.similarity.neighbours import Neighbours
from core.values.base import Asked
from core.values.clusters import CLUSTER
from core.values.registry import export_columns


@dataclass(frozen=True, kw_only=True)
class SearchView:
    """What is looked for in one scene, and how.

    Attributes:
        recipe: scene, encoder and cut.
        evidence: good and bad examples.
        filters: what patches have to meet beside.
        count: how many of the best are listed, at least 1; None = all.
        least: the score from which on all count, examples too; None = any.
        apart: True = without ``least``, patches that touch a good example are left out; scenes only.
        seen: ids of patches of the scene that were looked at before and are left out.
        words: what is looked for in words, in place of examples; empty = the examples say it.
    """

    recipe: Recipe
    evidence: Evidence
    filters: Filters = field(default_factory=Filters)
    count: int | None = 20
    least: float | None = None
    apart: bool = False
    words: str = ""
    seen: tuple[int, ...] = ()

    def patches(self, good: bool) -> list[int]:
        """Return ids of the examples that are patches of the scene, as they were given."""
        here = [one for one in self.evidence.examples if isinstance(one, PatchExample) and one.good is good]
        return [one.ref.patch for one in here if one.ref.scene == self.recipe.scene_id]


def answer(engine: Engine, view: SearchView, *, progress: Progress = silent) -> ExportRows:
    """Return the patches that a view finds, best first, with all that is known of them.

    Encodes first where needed, and finds the clusters that its filters name.

    Raises:
        LandlikeError: when the scene or the encoder is not here, or the examples or filters make no sense.
    """
    scene = engine.library.get(view.recipe.scene_id)
    engine.encode_now(scene, view.recipe, progress=progress)
    if any(one.is_on(CLUSTER) for one in view.filters.conditions):
        engine.find_clusters_now(view.recipe, chosen_settings(scene, view.recipe), progress=progress)
    return found_rows(library_source(engine, view.recipe), view)


def found_rows(source: LibrarySource, view: SearchView) -> ExportRows:
    """Return the patches that a view finds in its scene, as files have them.

    Where the like of one patch is looked for it comes first, as rank 0.

    Raises:
        LandlikeError: as of ``answer``.
    """
    found, measure = results(source, view)
    first = view.patches(good=True) if len(view.evidence) == 1 and view.least is None else []
    ids = np.array([*first, *found.ids.tolist()], dtype=np.int64)
    rows = source.table.positions(ids)
    columns: dict[str, Any] = {
        "rank": np.arange(len(ids)) + (not first),
        "similarity": np.concatenate([np.ones(len(first), np.float32), found.similarity]),
        "measure": constant(measure.name, len(ids)),
        **{name: values[rows] for name, values in export_columns(source).items()},
    }
    return scene_rows(
        source.scene, source.grid, ids, encoder=view.recipe.encoder, labels=source.labels.shown,
        valid=source.valid_of(ids), columns=columns
    )  # fmt: skip


def results(source: LibrarySource, view: SearchView) -> tuple[Neighbours, Measure]:
    """Return the patches that a view finds in its scene, best first, and what their score means.

    Raises:
        LandlikeError: as of ``answer``.
    """
    ranking = view_ranking(source, view)
    return _found(view, source, ranking), ranking.measure


def view_ranking(source: LibrarySource, view: SearchView) -> Ranking:
    """Return all patches of a scene by how well they fit a view, whatever its filters.

    Raises:
        LandlikeError: as of ``answer``.
    """
    if view.words:
        ranking = search_words(view.words, source)
    else:
        for other in view.evidence.scenes - {source.scene.id}:
            source.engine.encode_now(source.engine.library.get(other), source.engine.twin(view.recipe, other))
        ranking = rank(*source.searched(view.evidence))
    return ranking


def _found(view: SearchView, source: LibrarySource, ranking: Ranking) -> Neighbours:
    """Return what a view finds; examples are left out, but where all from a score on count."""
    if view.count is not None and view.count < 1:
        raise SettingsError("Listing what is found", f"{view.count} were asked for", "ask for at least 1")
    good, bad = view.patches(good=True), view.patches(good=False)
    mask = None
    if view.filters:
        asked = Asked(query=good[0] if good else None, like=tuple(good), unlike=tuple(bad))
        mask = view.filters.mask(FilterSource(source=source, asked=asked, ranking=ranking, lonlat=source.places))
    if view.seen:
        unseen = ~np.isin(ranking.patch_ids, view.seen)
        mask = unseen if mask is None else mask & unseen
    if view.least is not None:
        return ranking.best(view.count, least=view.least, mask=mask, seen=ranking.patch_ids[ranking.bad].tolist())
    apart = view.apart and not source.scene.is_collection
    touching = [source.grid.touching(patch) for patch in good] if apart else []
    seen = {*ranking.patch_ids[ranking.examples].tolist(), *(int(patch) for near in touching for patch in near)}
    return ranking.best(view.count, mask=mask, seen=seen)
