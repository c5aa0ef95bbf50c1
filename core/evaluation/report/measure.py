"""The report card of features: which measures there are for some patches, taken, and put into words.

The parts that belong to the features are apart from the one that belongs to a layout of them, because layouts change
more often. Keeping reports is ``core.evaluation.report.store``; the pages and the command line show them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.config import Config
from core.encoders.base import Encoder
from core.encoders.files import LEARNED
from core.encoders.spectral import SPECTRAL as BASELINE
from core.errors import EncoderError, LandlikeError, SceneError, SettingsError
from core.evaluation.baseline import plain_spectrum, spectrum_of_means
from core.evaluation.duplicates import find_duplicates
from core.evaluation.grid_shift import cannot_shift, grid_shift
from core.evaluation.hubness import hubness
from core.evaluation.land import known_land, land_retrieval, mostly
from core.evaluation.novelty import novelty_percentile
from core.evaluation.report.card import Section
from core.evaluation.report.caveats import mixed_words
from core.evaluation.report.phrases import count_of_patches, too_few
from core.evaluation.report.wording import (
    grid_shift_section,
    hubs_section,
    labels_section,
    land_section,
    layout_section,
    novelty_section,
    novelty_unknown,
    unmeasured,
)
from core.evaluation.retrieval import Retrieval, retrieval
from core.evaluation.training_overlap import TrainingPatches
from core.evaluation.trustworthiness import trustworthiness
from core.features.recipe import Features, Recipe, companion_of
from core.progress import Progress, part_of, silent
from core.scenes.labels import By, labels_by
from core.scenes.patches import IntArray, PatchGrid, patch_grid
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from core.scenes.truth import class_numbers, truth_of
from core.similarity.knn_graph import knn_graph

HUB_NEAREST = 10
FEWEST_MEASURED = 12
"""Patches below which nearest neighbours are not worth counting."""

SUMMARY_ROWS = 2000
"""Points at which the truth of a layout is measured where only the summary is wanted."""

NO_LABELS_IN_SCENE = (
    "the patches have no classes; give them some with Label above, or add a truth map on the Scenes page"
)
NO_LABELS_IN_COLLECTION = "the patches have no classes; give them some with Label above"
NO_LABELS_IN_FILE = "the patches have no classes; give them a truth map, class folders, or a column “label”"
NO_LAND = "there is no map of classes for this land; add one on the Scenes page"
LABELS_OF_MAP = (
    "the only classes here are those of a map, and a map is no truth to check features by; give the patches a truth "
    "map, class folders, or a column “label”"
)
TOO_FEW_LABELS = f"too few to measure by; {FEWEST_MEASURED} are enough"
ALL_MIXED = "every patch with a class is of mixed land"
NO_BANDS = "the file holds no means and deviations of bands"
NO_PLACES = "the file holds no places of a plot; “python -m core project” adds them"

LEFT_OUT = ("left out",)
"""Topics of the quality record that say which files are no part of a collection."""

Arrays = dict[str, NDArray[np.generic]]
Spectrum = Callable[[IntArray, Progress], FloatArray]
"""Gives the plain spectrum of the patches of some ids, float32 of shape (N, 32)."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Patches to report on.

    Attributes:
        vectors: float32 of shape (N, D).
        ids: patch ids, int64 of shape (N,).
        labels: int64 of shape (N,), indices into ``classes``, −1 = none.
        classes: their names.
        mixed: how many patches have no label only because they hold more than one class.
        places: int64 of shape (N, 2), rows and columns where patches begin; None where what touches there is not beside
            each other on land.
        reach: how far apart patches begin, at most, that touch; in the unit of ``places``.
        band_mean: means of 13 bands, shape (N, 13); None when they are not known.
        band_std: their deviations, likewise.
        content: what tells a patch from its copies, float32 of shape (N, C).
        spectrum: gives the plain spectrum; None when neither pixels nor means are at hand.
        rough: True = it is made of means, without the pixels.
        overlap: True = the encoder has learned from the patch, shape (N,); None when that is not known.
        itself: True = the encoder is the plain spectrum.
        warnings: which files of a collection were left out when it was read, sentences.
        bands: bands that the scene has.
        level: of the scene, or None.
    """

    vectors: FloatArray
    ids: IntArray
    labels: IntArray
    classes: tuple[str, ...]
    places: IntArray | None
    reach: int = 1
    band_mean: FloatArray | None
    band_std: FloatArray | None
    content: FloatArray
    spectrum: Spectrum | None
    itself: bool
    rough: bool = False
    overlap: NDArray[np.bool_] | None = None
    warnings: tuple[str, ...] = ()
    mixed: int = 0
    bands: tuple[str, ...] = BAND_NAMES
    level: str | None = None


def case_of(
    scene: Scene, features: Features, by: By | Literal["own"] = "truth", training: TrainingPatches | None = None
) -> Case:
    """Return the case of an encoded scene; patches of mixed land have no class, as ``PatchLabels.pure`` says."""
    recipe, ids = features.recipe, features.patch_ids
    grid = patch_grid(scene, recipe.cut)
    truth = labels_by(by, scene, grid)
    labels = np.full(len(ids), -1, np.int64) if truth is None else truth.pure[ids]
    return Case(
        vectors=features.vectors,
        ids=ids,
        labels=labels,
        classes=() if truth is None else truth.classes,
        mixed=0 if truth is None else int(((truth.index[ids] >= 0) & (labels < 0)).sum()),
        places=None if scene.is_collection else grid.first_pixels(ids),
        reach=grid.size,
        **_light(scene, grid, features),
        itself=recipe.encoder == BASELINE,
        overlap=None if training is None or not scene.bands else training.holds(features.band_mean, features.band_std),
        warnings=warnings_of(scene),
        bands=scene.bands,
        level=scene.level,
    )


def _light(scene: Scene, grid: PatchGrid, features: Features) -> dict[str, Any]:
    """Return what a case has of reflectance; of vectors alone nothing, and copies are told by the vectors."""
    if not scene.bands:
        return {"band_mean": None, "band_std": None, "content": features.vectors, "spectrum": None}
    mean, deviation, ids = features.band_mean, features.band_std, features.patch_ids
    plain = (
        partial(plain_spectrum, scene, grid) if scene.has_pixels else partial(spectrum_of_means, ids, mean, deviation)
    )
    return {
        "band_mean": mean, "band_std": deviation, "content": np.concatenate([mean, deviation], axis=1),
        "spectrum": plain, "rough": not scene.has_pixels,
    }  # fmt: skip


def warnings_of(scene: Scene) -> tuple[str, ...]:
    """Return which files were left out when a collection was read, by its quality record."""
    try:
        findings = load_quality(scene.directory).findings if scene.is_collection else ()
    except SceneError:
        return ()
    told = [one for one in findings if one.basis == "warning" and one.topic in LEFT_OUT]
    return tuple(f"When these patches were read: {one.topic}, {one.value}; {one.because}." for one in told)


def no_labels_of(scene: Scene) -> str:
    """Return what is said where the patches of a scene have no classes: a truth map is taken for scenes alone."""
    return NO_LABELS_IN_COLLECTION if scene.is_collection else NO_LABELS_IN_SCENE


def labels_part(case: Case, none: str = NO_LABELS_IN_SCENE, progress: Progress = silent) -> Section:
    """Return how often neighbours share a class, beside the plain spectrum; or why that is not known.

    Args:
        case: the patches.
        none: what is said where they have no classes.
        progress: told how many patches are read for the plain spectrum.
    """
    duplicates = find_duplicates(case.content, case.labels)
    known = duplicates.kept
    mixed = mixed_words(case.mixed)
    why = _why_no_labels(case, known, none)
    if why is not None:
        return unmeasured("labels", why, *mixed)
    try:
        own = _retrieved(case, case.vectors[known], known)
    except SettingsError as error:
        return unmeasured("labels", error.found, *mixed)
    plain = None
    if case.spectrum is not None and not case.itself:
        plain = _retrieved(case, case.spectrum(case.ids[known], progress), known)
    section = labels_section(
        own, plain, touching_left_out=case.places is not None, itself=case.itself, rough=case.rough,
        duplicates=duplicates, overlap=0 if case.overlap is None else int(case.overlap[known].sum()),
        total=len(case.ids),
    )  # fmt: skip
    return replace(section, sentences=(*section.sentences, *mixed, *case.warnings))


def _why_no_labels(case: Case, known: NDArray[np.bool_], none: str) -> str | None:
    """Return why the labels of patches leave nothing to measure by; None where they do not."""
    count = int(known.sum())
    if not (case.labels >= 0).any():
        return ALL_MIXED if case.mixed else none
    if count < FEWEST_MEASURED:
        return f"{count_of_patches(count)} with a class {'is' if count == 1 else 'are'} {TOO_FEW_LABELS}"
    if (np.bincount(case.labels[known]) > 1).sum() < 2:
        return "fewer than two classes have two patches or more, which leaves nothing to tell apart"
    return None


def _retrieved(case: Case, vectors: FloatArray, known: NDArray[np.bool_]) -> Retrieval:
    places = None if case.places is None else case.places[known]
    return retrieval(vectors, case.labels[known], case.classes, places=places, reach=case.reach)


def land_part(scene: Scene, features: Features, progress: Progress = silent) -> Section:
    """Return how much of their land neighbours share, by the truth of the scene; or why that is not known.

    Raises:
        SceneError: when the truth cannot be read.
    """
    truth, grid, ids = truth_of(scene), patch_grid(scene, features.recipe.cut), features.patch_ids
    if truth is None or scene.is_collection:
        return unmeasured("land", NO_LAND)
    land = known_land(truth, grid, ids)
    if len(land.rows) < FEWEST_MEASURED:
        are = "is" if len(land.rows) == 1 else "are"
        return unmeasured("land", f"{count_of_patches(len(land.rows))} of known land {are} {TOO_FEW_LABELS}")
    itself, known = features.recipe.encoder == BASELINE, ids[land.rows]
    plain = None if itself else plain_spectrum(scene, grid, known, part_of(progress, 0, 500))
    try:
        found = land_retrieval(
            features.vectors[land.rows],
            land.shares,
            grid.first_pixels(known),
            reach=grid.size,
            plain=plain,
            skip=mostly(land.shares, class_numbers(truth.classes, truth.not_asked)),
            progress=part_of(progress, 500, 1000),
        )
    except SettingsError as error:
        return unmeasured("land", error.found)
    source, covered = ("", 1.0) if truth.added is None else (truth.added.source, truth.added.covered)
    return land_section(
        found, truth.classes, itself=itself, unknown=land.unknown, not_asked=truth.not_asked, source=source,
        covered=covered,
    )  # fmt: skip


def hubs_part(case: Case, progress: Progress = silent) -> tuple[Section, Arrays]:
    """Return the section on hubs, and ``counts``, int64 of shape (N,)."""
    if len(case.ids) < 4 * HUB_NEAREST:
        return unmeasured("hubs", too_few(len(case.ids))), {}
    near = knn_graph(case.vectors, HUB_NEAREST + 1, progress=progress)[0]
    found = hubness(near[:, 1:])
    return hubs_section(found, case.ids), {"counts": found.counts}


def grid_shift_part(
    scene: Scene, features: Features, load: Callable[[], Encoder], progress: Progress = silent
) -> tuple[Section, Arrays]:
    """Return what a shifted grid changes, and the arrays ``shifted`` and ``kept``; or why it was not measured.

    ``shifted`` are patch ids, int64 of shape (M,), and ``kept`` the share of neighbours that each keeps, float32
    of shape (M,). ``load`` gives the encoder, once it is needed.
    """
    grid = patch_grid(scene, features.recipe.cut)
    why = cannot_shift(scene, grid)
    if why is not None:
        return unmeasured("stability", why), {}
    try:
        found = grid_shift(scene, grid, load(), features.vectors, features.patch_ids, progress=progress)
    except EncoderError as error:
        return unmeasured("stability", f"the encoder is not at hand ({error.found})"), {}
    section = grid_shift_section(
        found.kept, found.itself, found.similarity, k=found.k, pixels=found.pixels, total=len(features.patch_ids)
    )
    return section, {"shifted": found.ids, "kept": found.kept_each}


def layout_part(
    case: Case, layout: FloatArray, metric: str = "cosine", *, sampled: bool = False, progress: Progress = silent
) -> tuple[Section, Arrays]:
    """Return how true a layout is, and ``distortion``, float32 of shape (N,), or of the sample where that was asked."""
    total = len(case.ids)
    if total < FEWEST_MEASURED:
        return unmeasured("layout", too_few(total)), {}
    rows = None
    if sampled and total > SUMMARY_ROWS:
        rows = np.sort(np.random.default_rng(0).permutation(total)[:SUMMARY_ROWS])
    found = trustworthiness(case.vectors, layout, metric, rows=rows, progress=progress)
    return layout_section(found, case.ids[found.rows], total), {"distortion": found.distortion}


def novelty_part(case: Case, recipe: Recipe, config: Config) -> Section:
    """Return how much of the land is unfamiliar to the encoder, or that this is not known."""
    if case.band_mean is None or case.band_std is None:
        return unmeasured("familiar", NO_BANDS)
    try:
        found = novelty_percentile(recipe, config, (case.band_mean, case.band_std), case.bands, case.level)
        if found is None:
            return novelty_unknown(recipe.encoder, trained=companion_of(recipe, LEARNED, config) is not None)
        return novelty_section(found, case.ids, marked=False)
    except LandlikeError as error:
        return unmeasured("familiar", error.found)
