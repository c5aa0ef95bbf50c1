"""A search of one scene as a value of its own, and what it finds: what pages, bundles, commands and scripts share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core.engine.operations import Engine
from core.errors import SettingsError
from core.export.rows import ExportRows, constant, scene_rows
from core.features.recipe import Features, Recipe
from core.features.table import PatchTable, patch_table
from core.progress import Progress, silent
from core.scenes.labels import hand_version, patch_labels, scene_labels
from core.scenes.patches import PatchGrid, centres_lonlat, patch_grid
from core.scenes.scene import Scene
from core.scenes.truth import map_version
from core.search.examples import Evidence, PatchExample, rank, search_space
from core.search.filters import Filters, FilterSource
from core.search.ranking import Ranking
from core.similarity.neighbours import Neighbours
from core.values.base import Asked
from core.values.encoded import EncodedSource, encoded_source
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
    """

    recipe: Recipe
    evidence: Evidence
    filters: Filters = field(default_factory=Filters)
    count: int | None = 20
    least: float | None = None
    apart: bool = False

    def patches(self, good: bool) -> list[int]:
        """Return ids of the examples that are patches of the scene, as they were given."""
        here = [one for one in self.evidence.examples if isinstance(one, PatchExample) and one.good is good]
        return [one.ref.patch for one in here if one.ref.scene == self.recipe.scene_id]


def answer(engine: Engine, view: SearchView, *, progress: Progress = silent) -> ExportRows:
    """Return the patches that a view finds, best first, with all that is known of them; encodes first where needed.

    Raises:
        LandlikeError: when the scene or the encoder is not here, or the examples or filters make no sense.
    """
    scene = engine.library.get(view.recipe.scene_id)
    grid = patch_grid(scene, view.recipe.cut)
    features = engine.encode_now(scene, view.recipe, progress=progress)
    source = _source(engine, scene, grid, features)
    elsewhere = {other: _table(engine, other, view.recipe) for other in view.evidence.scenes - {scene.id}}
    space = search_space(scene, grid, source.table, fingerprint=view.recipe.fingerprint, elsewhere=elsewhere)
    ranking = rank(view.evidence, space)
    found = _found(view, source, ranking, grid, scene)
    rows = source.table.positions(found.ids)
    columns: dict[str, Any] = {
        "rank": np.arange(1, len(found) + 1),
        "similarity": found.similarity,
        "measure": constant(ranking.measure.name, len(found)),
        **{name: values[rows] for name, values in export_columns(source).items()},
    }
    return scene_rows(
        scene, grid, found.ids, encoder=view.recipe.encoder, labels=source.labels.shown, columns=columns
    )  # fmt: skip


def _source(engine: Engine, scene: Scene, grid: PatchGrid, features: Features) -> EncodedSource:
    labels = scene_labels(scene, grid, hand_version(scene), patch_labels(scene, grid), map_version(scene))
    return replace(encoded_source(scene, features, engine.config), labels=labels)


def _table(engine: Engine, scene_id: str, recipe: Recipe) -> PatchTable:
    """Return the encoded patches of another scene that examples are of, cut likewise."""
    other = engine.library.get(scene_id)
    cut = patch_grid(other, recipe.cut).cut
    return patch_table(engine.encode_now(other, replace(recipe, scene_id=scene_id, cut=cut)))


def _found(view: SearchView, source: EncodedSource, ranking: Ranking, grid: PatchGrid, scene: Scene) -> Neighbours:
    """Return what a view finds; examples are left out, but where all from a score on count."""
    if view.count is not None and view.count < 1:
        raise SettingsError("Listing what is found", f"{view.count} were asked for", "ask for at least 1")
    good, bad = view.patches(good=True), view.patches(good=False)
    mask = None
    if view.filters:
        asked = Asked(query=good[0] if good else None, like=tuple(good), unlike=tuple(bad))
        places = centres_lonlat(scene, grid, source.table.patch_ids)
        mask = view.filters.mask(FilterSource(source=source, asked=asked, ranking=ranking, lonlat=places))
    if view.least is not None:
        return ranking.best(view.count, least=view.least, mask=mask, seen=bad)
    touching = [] if not view.apart or scene.kind != "scene" else [grid.touching(patch) for patch in good]
    seen = {*good, *bad, *(int(patch) for near in touching for patch in near)}
    return ranking.best(view.count, mask=mask, seen=seen)
