"""A scene and all that is known of its encoded patches: one object that pages and routes share. No drawing, no visitor.

``pages.ui.state.cache`` makes and keeps it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.classification.heads import Taught
from core.classification.maps.choice import MapChoice
from core.encoders.files import LEARNED
from core.errors import EncoderError, SettingsError
from core.evaluation.classifier import Named, classifier_of
from core.evaluation.novelty import NOVEL_ABOVE, novelty_flaws, novelty_percentile
from core.features.recipe import Recipe, companion_of
from core.projection.layout import pca_layout
from core.projection.settings import ProjectionSettings
from core.scenes.areas import HECTARE, PatchAreas, patch_areas
from core.scenes.classification import clear_shares, patch_classes
from core.scenes.patches import IntArray, PatchGrid, PatchRef, centres_lonlat
from core.search.examples import Evidence, SearchSpace, rank, search_space
from core.search.filters import Filters, FilterSource
from core.search.ranking import Ranking
from core.search.words import search_words
from core.similarity.neighbours import Neighbours, nearest_patches
from core.values.base import Asked, PatchSource, PatchValue
from core.values.classified import NamedByMap
from core.values.legend import Legend
from pages.ui.state import class_map
from pages.ui.state.question import Question

if TYPE_CHECKING:
    from core.engine.operations import Engine

KEPT = 64
"""Answers of one recipe that are kept, those asked for last."""


class Answers:
    """What was found out about the patches of a recipe, kept from click to click; safe to use from any thread."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._found: dict[Hashable, Any] = {}
        self._locks: dict[Hashable, threading.RLock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:  # noqa: ANN401  as various as what is asked
        """Return what was kept under a key, else what ``make`` gives; a None is not kept, for it may come to be."""
        with self._lock:
            if key in self._found:
                self._found[key] = found = self._found.pop(key)
                return found
            waiting = self._locks.setdefault(key, threading.RLock())
        with waiting:
            with self._lock:
                if key in self._found:
                    return self._found[key]
            made = make()
            if isinstance(made, np.ndarray):
                made.flags.writeable = False
            with self._lock:
                self._locks.pop(key, None)
                if made is not None:
                    self._found[key] = made
                while len(self._found) > self._most:
                    del self._found[next(iter(self._found))]
            return made


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneView(PatchSource):
    """A scene, how it was encoded, its patches and all that is known of them. Patch ids are of this scene.

    Attributes:
        recipe: how it was encoded.
        grid: the patches it was cut into.
        engine: what computes and keeps.
        answers: what was computed before.
        choice: how its map of classes is wanted.
    """

    recipe: Recipe
    grid: PatchGrid
    engine: Engine
    answers: Answers
    choice: MapChoice = field(default_factory=MapChoice)

    @property
    def places(self) -> NDArray[np.float64] | None:
        """Longitude and latitude of the table's patches, shape (N, 2); None when the place is unknown."""
        found: NDArray[np.float64] | None = self.answers.get(
            "places", lambda: centres_lonlat(self.scene, self.grid, self.table.patch_ids)
        )
        return found

    def groups(self) -> NDArray[np.int16] | None:
        """Return the group of each patch, from 0, int16 of shape (N,); None while they are not made."""
        found: NDArray[np.int16] | None = self.answers.get("groups", lambda: self.engine.groups(self.recipe))
        return found

    def classification(self) -> NDArray[np.int16] | None:
        """Return the class of each patch in the product's own map, int16 of shape (N,), −1 = none; None without one."""
        found: tuple[NDArray[np.int16] | None] = self.answers.get(
            "classification", lambda: (patch_classes(self.scene, self.grid),)
        )
        return None if found[0] is None else found[0][self.table.patch_ids]

    def novelty(self) -> FloatArray | None:
        """Return how strange each patch is to the encoder, percentiles of shape (N,); None when it cannot be known."""
        found: tuple[FloatArray | None] = self.answers.get("novelty", lambda: (self._novelty(),))
        return found[0]

    def named(self, key: str = "") -> Named | None:
        """Return the classes that the encoder's classifier gives the patches; None where it was taught none.

        ``key`` asks for a certain classifier on these features; empty = that of the encoder.
        """
        found: tuple[Named | None] = self.answers.get(("named", key), lambda: (self._named(key),))
        return found[0]

    def valid_fraction(self) -> FloatArray | None:
        """Return the share of pixels of each patch that hold data, 0 to 1, shape (N,)."""
        found: FloatArray = self.answers.get("valid", lambda: self.engine.features(self.recipe).valid_fraction)
        return found

    def clear_fraction(self) -> FloatArray | None:
        """Return the share of pixels of each patch free of cloud and shadow, 0 to 1, (N,); None without a map of it."""
        found: tuple[FloatArray | None] = self.answers.get("clear", lambda: (clear_shares(self.scene, self.grid),))
        return None if found[0] is None else found[0][self.table.patch_ids]

    def hectares(self) -> FloatArray | None:
        """Return the ground of each patch in hectares, NaN = unknown, shape (N,); None when no place is known."""
        areas = self.areas()
        return None if areas is None else np.asarray(areas.of(self.table.patch_ids) / HECTARE, np.float32)

    def taught(self) -> Taught | None:
        """Return the head that the labels given by hand teach, and how well it does; None for fewer than two classes.

        It takes tens of milliseconds for some hundred labels.
        """
        return class_map.taught_by_labels(self, class_map.taught_kind(self.choice))

    def classified(self) -> Named | None:
        """Return the class of every patch on the map that is made on the Classify page; None where there is none."""
        return class_map.named_on_map(self)

    def classified_version(self) -> str:
        """Return what tells that map from any other; empty where there is none."""
        return class_map.version_of_map(self)

    def stability(self) -> FloatArray | None:
        """Return the share of neighbours that each patch keeps under a shifted grid, (N,); None = not measured."""
        found: FloatArray | None = self.answers.get("stability", lambda: self.engine.stability(self.recipe))
        return found

    def distortion(self, layout: ProjectionSettings) -> FloatArray | None:
        """Return how badly a layout places each patch, 0 to 1, shape (N,); None while that is not measured."""
        found: FloatArray | None = self.answers.get(("distortion", layout), lambda: self._distortion(layout))
        return found

    def layout(self, settings: ProjectionSettings | None) -> FloatArray | None:
        """Return places in the plot, float32 of shape (N, 2): UMAP or, without settings, PCA; None until it is made."""
        found: FloatArray | None = self.answers.get(("layout", settings), lambda: self._layout(settings))
        return found

    def novel_patches(self) -> IntArray:
        """Return the patches that are unfamiliar to the encoder, the strangest first; none when it cannot be known."""
        found: IntArray = self.answers.get("novel_patches", self._novel_patches)
        return found

    def trained_on_known_patches(self) -> bool:
        """Return whether it is known which patches the encoder has learned from."""
        found: bool = self.answers.get(
            "learned", lambda: companion_of(self.recipe, LEARNED, self.engine.config) is not None
        )
        return found

    def values(self, value: PatchValue, asked: Asked) -> FloatArray | None:
        """Return a value of all patches, float32 of shape (N,), NaN = none; None when there are none."""
        key = ("value", value.name, asked, self.labels.state, self._map_of(value))
        found: FloatArray | None = self.answers.get(key, lambda: value.compute(self, asked))
        return found

    def legend(self, value: PatchValue, asked: Asked) -> Legend:
        """Return what the colours of a value mean."""
        values = self.values(value, asked)
        if values is None:
            return value.legend_of(self, None, asked)
        key = ("legend", value.name, asked, self.labels.state, self._map_of(value))
        found: Legend = self.answers.get(key, lambda: value.legend_of(self, values, asked))
        return found

    def _map_of(self, value: PatchValue) -> str:
        """Return which map of classes a value is of; empty for those that are of none."""
        return self.classified_version() if isinstance(value, NamedByMap) else ""

    def neighbours(self, patch_id: int, count: int, *, leave_out_touching: bool) -> Neighbours:
        """Return the patches most like one of them, best first.

        In a collection, neighbours in the mosaic do not touch on Earth, so nothing is left out there.
        """
        apart = leave_out_touching and self.scene.kind == "scene"
        found: Neighbours = self.answers.get(
            ("neighbours", patch_id, count, apart), lambda: self._neighbours(patch_id, count, apart)
        )
        return found

    def areas(self) -> PatchAreas | None:
        """Return how much ground the patches cover; None when the place is unknown."""
        found: tuple[PatchAreas | None] = self.answers.get("areas", lambda: (patch_areas(self.scene, self.grid),))
        return found[0]

    def ranking(self, question: Question) -> Ranking:
        """Return all patches by how well they answer good and bad examples.

        Raises:
            SettingsError: when there are no examples, or they cancel out.
        """
        found: Ranking = self.answers.get(("ranking", question), lambda: self._ranking(question))
        return found

    def mask(self, filters: Filters, asked: Asked, ranking: Ranking | None) -> NDArray[np.bool_]:
        """Return which patches meet all conditions that can be asked of them, bool of shape (N,)."""
        source = FilterSource(source=self, asked=asked, ranking=ranking, lonlat=self.places)
        for one in filters.unknown(source):
            filters = filters.without(one.value)
        return filters.mask(source)

    def scores(self, like: tuple[int, ...], unlike: tuple[int, ...]) -> FloatArray | None:
        """Return how well each patch answers good and bad examples, (N,); None where they are not among the patches."""
        if not like or not all(map(self.table.holds, (*like, *unlike))):
            return None
        try:
            return self.ranking(Question(self.scene.id, like, unlike)).score
        except SettingsError:
            return None

    def touching(self, question: Question) -> IntArray:
        """Return the patches that touch good examples; none in a collection, where neighbours are no neighbours."""
        if self.scene.kind != "scene":
            return np.empty(0, np.int64)
        return np.unique(np.concatenate([self.grid.touching(patch) for patch in question.like]))

    def examples(self, count: int = 12) -> IntArray:
        """Return patches as different from one another as can be, to start from: from the middle outwards.

        Source: T. Gonzalez, "Clustering to minimize the maximum intercluster distance" (1985), on the PCA layout.
        """
        found: IntArray = self.answers.get(("examples", count), lambda: self._examples(count))
        return found

    def flaws(self) -> dict[str, float]:
        """Return the share of patches that look as if misread, by flaw; empty where that is not known."""
        statistics, scene = (self.table.band_mean, self.table.band_std), self.scene
        try:
            return novelty_flaws(self.recipe, self.engine.config, statistics, scene.bands, scene.level)
        except EncoderError:
            return {}

    def _novelty(self) -> FloatArray | None:
        try:
            statistics, scene, engine = (self.table.band_mean, self.table.band_std), self.scene, self.engine
            kept = engine.novelties
            return novelty_percentile(self.recipe, engine.config, statistics, scene.bands, scene.level, kept=kept)
        except EncoderError:
            return None

    def _named(self, key: str) -> Named | None:
        try:
            found = classifier_of(self.recipe, self.engine.config, self.scene.bands, key)
            return None if found is None else found.name(self.table.unit)
        except EncoderError:
            return None

    def _distortion(self, layout: ProjectionSettings) -> FloatArray | None:
        found = self.engine.reports.values(self.recipe, layout.key, "distortion")
        whole = found is not None and len(found) == len(self.table)
        return np.asarray(found, dtype=np.float32) if whole else None

    def _layout(self, settings: ProjectionSettings | None) -> FloatArray | None:
        if settings is None:
            return pca_layout(self.table.unit).astype(np.float32)
        found = self.engine.projection(self.recipe, settings)
        return None if found is None else np.asarray(found, dtype=np.float32)

    def _novel_patches(self) -> IntArray:
        found = self.novelty()
        if found is None:
            return np.empty(0, np.int64)
        rows = np.flatnonzero(found > NOVEL_ABOVE)
        strange: IntArray = self.table.patch_ids[rows[np.argsort(-found[rows], kind="stable")]]
        return strange

    def _neighbours(self, patch_id: int, count: int, apart: bool) -> Neighbours:
        table = self.table
        touching = self.grid.touching(patch_id) if apart else None
        position = int(table.positions(np.array([patch_id]))[0])
        return nearest_patches(table.unit, table.patch_ids, position, min(count, len(table)), exclude=touching)

    def _ranking(self, question: Question) -> Ranking:
        if question.words:
            return search_words(question.words, self)
        good, bad = ((PatchRef(question.scene, one) for one in ids) for ids in (question.like, question.unlike))
        return rank(Evidence.of(good, bad), self._space())

    def _space(self) -> SearchSpace:
        found: SearchSpace = self.answers.get(
            "space",
            lambda: search_space(self.scene, self.grid, self.table, fingerprint=self.recipe.fingerprint),
        )
        return found

    def _examples(self, count: int) -> IntArray:
        table, points = self.table, self.layout(None)
        if points is None or len(table) <= count:
            return table.patch_ids
        off_middle = np.abs(points - np.median(points, axis=0))
        allowed = (off_middle <= np.quantile(off_middle, 0.98, axis=0)).all(axis=1)
        chosen = [int(np.argmin(np.where(allowed, np.square(off_middle).sum(axis=1), np.inf)))]
        distance = np.where(allowed, np.inf, -1.0)
        for _ in range(count - 1):
            distance = np.minimum(distance, np.square(points - points[chosen[-1]]).sum(axis=1))
            chosen.append(int(distance.argmax()))
        return table.patch_ids[chosen]
