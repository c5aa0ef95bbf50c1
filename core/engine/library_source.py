"""A scene of the library and all that is known of its encoded patches, which pages, exports and commands share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.classification.heads import Taught
from core.classification.maps.choice import load_choice
from core.classification.numbers.known_land import unfamiliar_land
from core.classification.numbers.store import LearnedNumber
from core.clusters.changes import ClusterOrigin, changes_of, chosen_settings
from core.clusters.overview import ClusterOverview, cluster_set, overviews
from core.encoders.parts import FeatureParts, feature_parts
from core.engine import class_map
from core.engine.class_map import MappedSource
from core.engine.operations import Engine
from core.errors import EncoderError, SettingsError
from core.evaluation.classifier import Named
from core.evaluation.novelty import novelty_percentile
from core.evaluation.taught_classes import classifier_of
from core.features.recipe import Recipe
from core.features.table import PatchTable, patch_table
from core.projection.layout import pca_layout
from core.projection.settings import ProjectionSettings
from core.scenes.areas import PatchAreas, patch_areas
from core.scenes.classification import clear_shares, patch_classes
from core.scenes.labels import hand_version, patch_labels, scene_labels
from core.scenes.outline_areas import HECTARE
from core.scenes.patches import IntArray, PatchRef, centres_lonlat, patch_grid
from core.scenes.truth import map_version
from core.search.by_examples import rank
from core.search.examples import Evidence, PatchExample, VectorExample
from core.search.light import PatchLight, patch_light
from core.search.ranking import Ranking
from core.search.space import SearchSpace, search_space
from core.similarity.clusters import ClusterSet, ClusterSettings, FoundClusters
from core.values.base import NOTHING_ASKED, Asked, PatchValue
from core.values.clusters import ClusterValue
from core.values.learned import LearnedValue
from core.values.legend import Legend
from core.values.named.classified import NamedByMap
from core.values.named.finer import FinerValue
from core.values.source import FinerClasses, LearnedValues


@dataclass(frozen=True, kw_only=True, eq=False)
class LibrarySource(MappedSource):
    """A scene, how it was encoded, its patches and all that is known of them. Patch ids are of this scene."""

    @property
    def places(self) -> NDArray[np.float64] | None:
        """Longitude and latitude of the table's patches, shape (N, 2); None when the place is unknown."""
        found: NDArray[np.float64] | None = self.answers.get(
            "places", lambda: centres_lonlat(self.scene, self.grid, self.table.patch_ids)
        )
        return found

    def clusters(self) -> ClusterSet | None:
        """Return the clusters that are on show as they are called now; None while they are not found."""
        origin = self.cluster_origin()
        if origin is None:
            return None
        changes = changes_of(origin)
        known: ClusterSet = self.answers.get(
            ("clusters", origin.settings, changes.version),
            lambda: cluster_set(origin.settings, origin.found, self._light(), changes),
        )
        return known

    def _light(self) -> PatchLight | None:
        """Return what the patches reflect; None where nothing is known of it."""
        return patch_light(self.scene, self.table) if self.scene.bands else None

    def cluster_settings(self) -> ClusterSettings:
        """Return how the clusters on show are found, as somebody chose last."""
        return chosen_settings(self.scene, self.recipe)

    def cluster_origin(self) -> ClusterOrigin | None:
        """Return the clusters that are on show as they were found, to be changed; None while they are not found."""
        settings = self.cluster_settings()
        found: FoundClusters | None = self.answers.get(
            ("found clusters", settings), lambda: self.engine.clusters(self.recipe, settings)
        )
        if found is None or len(found.index) != len(self.table):
            return None
        return ClusterOrigin(scene=self.scene, recipe=self.recipe, settings=settings, found=found)

    def named_clusters(self) -> frozenset[int]:
        """Return the numbers of the clusters on show that people gave a name."""
        known, origin = self.clusters(), self.cluster_origin()
        if known is None or origin is None:
            return frozenset()
        given = changes_of(origin).names
        return frozenset(number for number, parts in enumerate(known.parts) if min(parts) in given)

    def cluster_version(self) -> str:
        """Return what tells the clusters on show from any others; empty while they are not found."""
        known = self.clusters()
        return "" if known is None else known.key

    def cluster_overviews(self) -> tuple[ClusterOverview, ...]:
        """Return what is told of each cluster on show, the largest first; none while they are not found."""
        known = self.clusters()
        if known is None:
            return ()
        found: tuple[ClusterOverview, ...] = self.answers.get(
            ("cluster overviews", known.key),
            lambda: overviews(known, self.table.unit, self.table.patch_ids, self.ground),
        )
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
        if not self.scene.has_pixels:
            return None
        found: FloatArray = self.answers.get("valid", lambda: self.engine.features(self.recipe).valid_fraction)
        return found

    def clear_fraction(self) -> FloatArray | None:
        """Return the share of pixels of each patch free of cloud and shadow, 0 to 1, (N,); None without a map of it."""
        found: tuple[FloatArray | None] = self.answers.get("clear", lambda: (clear_shares(self.scene, self.grid),))
        return None if found[0] is None else found[0][self.table.patch_ids]

    def hectares(self) -> FloatArray | None:
        """Return the ground with data of each patch in hectares, NaN = unknown, (N,); None when no place is known."""
        areas = self.areas()
        return None if areas is None else np.asarray(areas.of(self.table.patch_ids) / HECTARE, np.float32)

    def ground(self, ids: IntArray) -> float | None:
        """Return the hectares with data that some patches show together, shared ground once.

        None where the place of the scene, or of one of them, is unknown.
        """
        areas = self.areas()
        return None if areas is None or areas.unplaced(ids) else areas.together(ids) / HECTARE

    def standing_hectares(self) -> NDArray[np.float64] | None:
        """Return the hectares with data that each patch stands for, which add up also where patches overlap.

        float64 of shape (N,), NaN where its place is unknown; None when no place is known.
        """
        found: tuple[NDArray[np.float64] | None] = self.answers.get("standing", lambda: (self._standing(),))
        return found[0]

    def _standing(self) -> NDArray[np.float64] | None:
        areas = self.areas()
        return None if areas is None else areas.standing(self.table.patch_ids) / HECTARE

    def taught(self) -> Taught | None:
        """Return the head that the labels given by hand teach, and how well it does; None for fewer than two classes.

        It takes tens of milliseconds for some hundred labels.
        """
        return class_map.taught_by_labels(self, class_map.taught_kind(self.choice))

    def classified(self) -> Named | None:
        """Return the class of every patch on the map that is made on the Classify page; None where there is none."""
        return class_map.named_on_map(self)

    def learned_number(self) -> LearnedNumber | None:
        """Return the number that was learned for the patches, with what predicts it; None while none was."""
        kept = self.engine.classifications.numbers
        if not (stamp := kept.stamp(self.recipe)):
            return None
        found: LearnedNumber | None = self.answers.get(("number", stamp), lambda: kept.get(self.recipe))
        return found

    def learned(self) -> LearnedValues | None:
        """Return that number predicted for all patches; None while none was learned."""
        found = self.learned_number()
        if found is None or len(found.model.weights) != self.table.unit.shape[1]:
            return None
        made: LearnedValues = self.answers.get(("learned", found.version), lambda: self._learned(found))
        return made

    def _learned(self, found: LearnedNumber) -> LearnedValues:
        ids, unit, model = self.table.patch_ids, self.table.unit, found.model
        strange = unfamiliar_land(model, ids, unit, self.novelty()) != None  # noqa: E711  element by element
        return LearnedValues(
            title=found.title, predicted=model.predict(unit), version=found.version, unfamiliar=strange
        )  # fmt: skip

    def finer(self) -> FinerClasses | None:
        """Return the map of classes on cells finer than patches; None where none was made."""
        if not (version := self.finer_version()):
            return None
        found: FinerClasses | None = self.answers.get(("finer", version), lambda: class_map.finer_classes(self))
        return found

    def finer_version(self) -> str:
        """Return what tells that map from any other; empty where there is none; quick."""
        return class_map.finer_version_of(self)

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

    def values(self, value: PatchValue, asked: Asked) -> FloatArray | None:
        """Return a value of all patches, float32 of shape (N,), NaN = none; None when there are none."""
        key = ("value", value.name, asked, self.labels.state, self._version_of(value))
        found: FloatArray | None = self.answers.get(key, lambda: value.compute(self, asked))
        return found

    def legend(self, value: PatchValue, asked: Asked) -> Legend:
        """Return what the colours of a value mean."""
        values = self.values(value, asked)
        if values is None:
            return value.legend_of(self, None, asked)
        key = ("legend", value.name, asked, self.labels.state, self._version_of(value))
        found: Legend = self.answers.get(key, lambda: value.legend_of(self, values, asked))
        return found

    def _version_of(self, value: PatchValue) -> str:
        """Return which map of classes, or clusters, a value is of; empty for those that are of none."""
        if isinstance(value, ClusterValue):
            return self.cluster_version()
        if isinstance(value, LearnedValue | FinerValue):
            return value.version(self, NOTHING_ASKED)
        return self.classified_version() if isinstance(value, NamedByMap) else ""

    def areas(self) -> PatchAreas | None:
        """Return how much ground with data the patches cover; None when the place is unknown."""
        found: tuple[PatchAreas | None] = self.answers.get("areas", lambda: (self._areas(),))
        return found[0]

    def _areas(self) -> PatchAreas | None:
        valid, own = np.ones(self.grid.count, np.float32), self.valid_fraction()
        if own is not None:
            valid[self.table.patch_ids] = own
        return patch_areas(self.scene, self.grid, valid)

    def space(self) -> SearchSpace:
        """Return the patches as searches by examples take them."""
        found: SearchSpace = self.answers.get(
            "space",
            lambda: search_space(self.scene, self.grid, self.table, fingerprint=self.recipe.fingerprint),
        )
        return found

    def searched(self, evidence: Evidence) -> tuple[Evidence, SearchSpace]:
        """Return examples, and the patches that are ranked by them, with the examples that are of other scenes.

        Raises:
            LandlikeError: when those are not encoded as these are.
        """
        scenes = evidence.scenes - {self.scene.id}
        if not scenes and not any(isinstance(one, VectorExample) for one in evidence.examples):
            return evidence, self.space()
        elsewhere = {scene: self._elsewhere(scene, evidence) for scene in scenes}
        bands = {scene: tuple(self.engine.library.get(scene).bands) for scene in (self.scene.id, *scenes)}
        return evidence, replace(self.space(), elsewhere=elsewhere, bands=bands, parts=self._parts())

    def _parts(self) -> FeatureParts | None:
        found: tuple[FeatureParts | None] = self.answers.get(
            "parts", lambda: (feature_parts(self.recipe.encoder, self.recipe.fingerprint, self.engine.config),)
        )
        return found[0]

    def _elsewhere(self, scene_id: str, evidence: Evidence) -> PatchTable:
        """Return the examples that are of another scene, encoded and cut as this one is."""
        table = patch_table(self.engine.features(self.engine.twin(self.recipe, scene_id)))
        wanted = [
            one.ref.patch
            for one in evidence.examples
            if isinstance(one, PatchExample) and one.ref.scene == scene_id
        ]  # fmt: skip
        rows = np.unique(table.positions(np.array(wanted, np.int64)))
        return PatchTable(
            patch_ids=table.patch_ids[rows], unit=table.unit[rows], band_mean=table.band_mean[rows],
            band_std=table.band_std[rows],
        )  # fmt: skip

    def scores(self, like: tuple[int, ...], unlike: tuple[int, ...], also: str = "") -> FloatArray | None:
        """Return how well each patch answers good and bad examples, (N,); None where they are not among the patches."""
        if also or not like or not all(map(self.table.holds, (*like, *unlike))):
            return None
        good, bad = ((PatchRef(self.scene.id, one) for one in ids) for ids in (like, unlike))
        try:
            found: Ranking = self.answers.get(
                ("scores", like, unlike), lambda: rank(Evidence.of(good, bad), self.space())
            )
        except SettingsError:
            return None
        return found.score

    def _novelty(self) -> FloatArray | None:
        if not self.scene.bands:
            return None
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


def library_source(engine: Engine, recipe: Recipe) -> LibrarySource:
    """Return the source of a scene that is encoded, with the labels that it has now.

    Raises:
        StoreError: when the features are not complete, or damaged.
        SceneError: when there is no such scene.
        SettingsError: when a feature is not a finite number.
    """
    scene = engine.library.get(recipe.scene_id)
    grid, table = patch_grid(scene, recipe.cut), patch_table(engine.features(recipe))
    labels = scene_labels(scene, grid, hand_version(scene), patch_labels(scene, grid), map_version(scene))
    return LibrarySource(
        scene=scene, table=table, labels=labels, recipe=recipe, grid=grid, engine=engine, choice=load_choice(scene)
    )  # fmt: skip
