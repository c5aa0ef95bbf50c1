"""A scene and what is asked of its encoded patches on the page: one object that pages and routes share. No drawing.

What is known of them is ``core.engine.library_source``. ``pages.ui.state.cache`` makes and keeps it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from core.bands import FloatArray
from core.encoders.files import LEARNED
from core.engine.library_source import LibrarySource
from core.errors import EncoderError, LandlikeError, SettingsError
from core.evaluation.novelty import NOVEL_ABOVE, novelty_flaws
from core.features.recipe import companion_of
from core.scenes.patches import IntArray, PatchRef
from core.search.by_examples import rank
from core.search.chips import ChipExample
from core.search.conditions import FilterSource
from core.search.examples import Evidence, Example, PatchExample
from core.search.ranking import Ranking
from core.search.words import search_words
from core.similarity.neighbours import Neighbours, nearest_patches
from core.values.base import Asked
from pages.ui.state.other_examples import OtherExample, others_digest
from pages.ui.state.question import Question


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneView(LibrarySource):
    """A scene, and what is asked of its patches. Patch ids are of this scene."""

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

    def neighbours(self, patch_id: int, count: int, *, leave_out_touching: bool) -> Neighbours:
        """Return the patches most like one of them, best first.

        In a collection, neighbours in the mosaic do not touch on Earth, so nothing is left out there.
        """
        apart = leave_out_touching and not self.scene.is_collection
        found: Neighbours = self.answers.get(
            ("neighbours", patch_id, count, apart), lambda: self._neighbours(patch_id, count, apart)
        )
        return found

    def ranking(self, question: Question) -> Ranking:
        """Return all patches by how well they answer good and bad examples.

        Raises:
            SettingsError: when there are no examples, or they cancel out.
        """
        found: Ranking = self.answers.get(self.ranking_key(question), lambda: self._ranking(question))
        return found

    def ranking_key(self, question: Question) -> Hashable:
        """Return what tells the ranking by a question from any other: words go by classes and clusters as they are."""
        known = (self.labels.state, self.cluster_version()) if question.words else None
        return "ranking", question, known

    def filtered(self, asked: Asked, ranking: Ranking | None) -> FilterSource:
        """Return what conditions on the patches are asked of."""
        return FilterSource(source=self, asked=asked, ranking=ranking, lonlat=self.places)

    def scores(self, like: tuple[int, ...], unlike: tuple[int, ...], also: str = "") -> FloatArray | None:
        """Return how well each patch answers good and bad examples, (N,); None where they are not known here."""
        kept: tuple[tuple[OtherExample, ...], tuple[tuple[int, float], ...]] | None
        kept = self.answers.get(("others", also), lambda: None) if also else ((), ())
        if kept is None or not all(map(self.table.holds, (*like, *unlike))):
            return None
        question = Question(self.scene.id, like, unlike, others=kept[0], weights=kept[1])
        try:
            return self.ranking(question).score if question.answerable else None
        except LandlikeError:
            return None

    def also(self, question: Question) -> str:
        """Return what the examples of a question that are no patches are called in addresses of values."""
        digest, kept = others_digest(question.others, question.weights), (question.others, question.weights)
        return digest if digest and self.answers.get(("others", digest), lambda: kept) else ""

    def evidence(self, question: Question, name: str = "") -> Evidence:
        """Return the examples of a question with the features of its pictures.

        Raises:
            SettingsError: when a picture is not encoded by this encoder yet.
        """
        heavy = dict(question.weights)
        listed = [
            PatchExample(ref=PatchRef(question.scene, one), good=good, weight=heavy.get(one, 1.0))
            for good, ids in ((True, question.like), (False, question.unlike))
            for one in ids
        ]  # fmt: skip
        return Evidence(examples=(*listed, *map(self._featured, question.others)), name=name)

    def _featured(self, one: OtherExample) -> Example:
        if not isinstance(one, ChipExample):
            return one
        found = self.engine.chips.example(one, self.recipe.fingerprint, self.recipe.cut.size)
        if found is None:
            what = f"the picture “{one.title}” is not encoded by this encoder yet"
            raise SettingsError("Searching by examples", what, "wait for that, or take it away")
        return found

    def touching(self, question: Question) -> IntArray:
        """Return the patches that touch good examples; none in a collection, where neighbours are no neighbours."""
        if self.scene.is_collection:
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
        return nearest_patches(
            table.unit, table.patch_ids, position, min(count, len(table)), scene=self.scene.id, exclude=touching
        )

    def _ranking(self, question: Question) -> Ranking:
        if question.words:
            return search_words(question.words, self)
        return rank(*self.searched(self.evidence(question)))

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
