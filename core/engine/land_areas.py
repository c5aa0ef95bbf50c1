"""How much land each class of a scene's map has: as mapped, as a judged sample estimates it, and by the scene's truth.

What estimates are is ``core.classification.areas``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.classification.areas.class_map import ClassifiedPatches
from core.classification.areas.estimation import ABSTAINED, AccuracyAssessment
from core.classification.areas.ground import WHOLE_OUTLINES
from core.classification.areas.judgements import JudgedSample, load_sample, told_by
from core.classification.areas.known_truth import true_accuracy
from core.engine.library_source import LibrarySource, library_source
from core.engine.operations import Engine
from core.errors import ClassificationError
from core.features.recipe import Recipe
from core.scenes.areas import partial_words
from core.scenes.cut import WHOLE_AT_EDGE
from core.values.named.unsure import sure_patches

_Hectares = NDArray[np.float64]


CHANGED_SINCE = (
    "The map changed since the sample was drawn. What was judged tells of the map as it is now, by the strata of the "
    "map of then (Stehman 2014)."
)
"""Said beside estimates of such a map."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LandAreas:
    """The areas of a map's classes.

    Attributes:
        mapped: hectares by class.
        sample: that was drawn to be judged; None = none was.
        estimated: what its judgements tell of the map as it is now; likewise.
        true: by the truth of the scene; None where it is not known, or has other classes.
        changed: True = the map is another than the one that the sample was drawn from.
        said: what counts as the land of patches where that is not simply theirs, a sentence each.
    """

    mapped: dict[str, float]
    sample: JudgedSample | None = None
    estimated: AccuracyAssessment | None = None
    true: AccuracyAssessment | None = None
    changed: bool = False
    said: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as it is printed."""
        known = {name: hectares if np.isfinite(hectares) else None for name, hectares in self.mapped.items()}
        return {
            "mapped": known, "unit": "hectares", "sample": None if self.sample is None else len(self.sample.patches),
            "judged": 0 if self.sample is None else self.sample.judged, "map_changed_since": self.changed,
            "estimated": None if self.estimated is None else self.estimated.to_dict(),
            "true": None if self.true is None else self.true.to_dict(), "said": list(self.said),
        }  # fmt: skip


def land_areas(source: LibrarySource) -> LandAreas:
    """Return the areas of the classes on a scene's map.

    Raises:
        ClassificationError: when there is no map, or no place of a patch is known.
    """
    measured = measured_patches(source)
    if measured is None:
        mapped = classified_patches(source) is not None
        found = "it is not known where its patches lie" if mapped else "it has no map of classes yet"
        remedy = "use a scene with a place on Earth" if mapped else "label patches of two classes on the Classify page"
        raise ClassificationError(f"Measuring the classes of “{source.scene.name}”", found, remedy)
    placed, ground = measured
    patches = classified_patches(source)
    sample = sample_here(source)
    every = {} if patches is None else dict(zip(patches.ids.tolist(), patches.classes.tolist(), strict=True))
    return LandAreas(
        mapped={name: float(ground[rows].sum()) for name, rows in placed.strata.items()},
        sample=sample,
        estimated=None if sample is None else told_by(sample, every),
        true=_true(source, placed, ground),
        changed=sample is not None and not sample.drawn_from(source.classified_version(), every),
        said=tuple(counted_sentences(source)),
    )


def counted_sentences(source: LibrarySource) -> Iterator[str]:
    """Yield what counts as the land of patches where that is not simply theirs, a sentence each."""
    areas, ids = source.areas(), source.table.patch_ids
    if areas is None:
        return
    if source.recipe.cut.area:
        yield WHOLE_AT_EDGE
    if areas.overlapping:
        yield "Ground that several patches show counts once, for that whose middle is nearest."
    if source.valid_fraction() is None:
        yield WHOLE_OUTLINES
    elif words := partial_words(areas.partial(ids), overlapping=areas.overlapping):
        yield words
    if lost := areas.unplaced(ids):
        some = "1 patch is not known, and its" if lost == 1 else f"{lost:,} patches is not known, and their"
        yield f"The place of {some} ground is not counted."


def areas_of_scene(engine: Engine, recipe: Recipe) -> LandAreas:
    """Return the areas of the classes on the map of a scene, which is encoded first where it is not yet.

    Raises:
        LandlikeError: as of ``land_areas``, or when the scene or the encoder is not here.
    """
    engine.encode_now(engine.library.get(recipe.scene_id), recipe)
    return land_areas(library_source(engine, recipe))


def sample_here(source: LibrarySource) -> JudgedSample | None:
    """Return the sample of the scene as it is cut now; None when none was drawn."""
    return load_sample(source.scene, source.recipe.cut.key)


def classified_patches(source: LibrarySource) -> ClassifiedPatches | None:
    """Return the class of every patch, as samples are drawn from; None while labels teach nothing."""
    found = source.classified()
    if found is None:
        return None
    names = np.array(found.classes, dtype=object)[found.index]
    return ClassifiedPatches(
        name=source.scene.name,
        ids=source.table.patch_ids,
        classes=np.where(sure_patches(source, found), names, ABSTAINED),
        probability=found.confidence.astype(np.float64),
        shapes=np.full(len(names), None, dtype=object),
    )


def measured_patches(source: LibrarySource) -> tuple[ClassifiedPatches, _Hectares] | None:
    """Return the patches whose place is known and the hectares that each stands for; None where there are none."""
    patches, ground = classified_patches(source), source.standing_hectares()
    if patches is None or ground is None:
        return None
    rows = np.flatnonzero(np.isfinite(ground))
    placed = replace(
        patches, ids=patches.ids[rows], classes=patches.classes[rows], probability=patches.probability[rows],
        shapes=patches.shapes[rows],
    )  # fmt: skip
    return (placed, ground[rows]) if len(rows) else None


def _true(source: LibrarySource, patches: ClassifiedPatches, ground: _Hectares) -> AccuracyAssessment | None:
    """Return true accuracy and areas by the truth of the scene; None without one, or where it has other classes."""
    truth = source.labels.truth
    if truth is None:
        return None
    ours = {name.casefold(): name for name in patches.strata}
    names = [ours.get(name.casefold(), name) for name in truth.classes]
    numbers = truth.index[patches.ids]
    if not set(names) & set(patches.strata) or (numbers < 0).all():
        return None
    on_ground = [names[number] if number >= 0 else None for number in numbers.tolist()]
    key = ("true_areas", source.classified_version(), source.labels.truth_version)
    found: AccuracyAssessment = source.answers.get(
        key, lambda: true_accuracy(patches.classes.tolist(), on_ground, ground)
    )
    return found
