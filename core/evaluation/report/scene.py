"""The report card of an encoded scene: measured once for its features and once for each layout, and kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.encoders.base import Encoder
from core.evaluation.report.measure import (
    Case,
    case_of,
    grid_shift_part,
    hubs_part,
    labels_part,
    land_part,
    layout_part,
    no_labels_of,
)
from core.evaluation.report.store import BY_TRUTH, FEATURES, HAND_LABELLED, Reports
from core.evaluation.report.wording import by_hand
from core.evaluation.training_overlap import TrainingPatches
from core.features.recipe import Features, Recipe
from core.features.store import FeatureStore
from core.progress import Progress, part_of, silent
from core.projection.settings import ProjectionSettings
from core.projection.store import Layouts
from core.scenes.labels import hand_version
from core.scenes.library import Library
from core.scenes.scene import Scene
from core.scenes.truth import truth_of


def report_on_scene(
    root: Path,
    recipe: Recipe,
    settings: ProjectionSettings | None,
    load: Callable[[], Encoder],
    *,
    training: TrainingPatches | None = None,
    progress: Progress = silent,
) -> None:
    """Measure what of a report is not kept yet, and keep it, unless the scene is gone by then.

    Args:
        root: where scenes, features and layouts lie.
        recipe: finished features.
        settings: of a finished layout, or None for the features only.
        load: gives the encoder that made the features, once it is needed.
        training: what that encoder has learned from; None when that is not known.
        progress: told thousandths; what it raises ends the work.

    Raises:
        SceneError: when there is no such scene.
        StoreError: when the features cannot be read, or the report cannot be written.
    """
    reports, library = Reports(root), Library(root)
    features = FeatureStore(root).read(recipe)
    half = 1000
    if settings is not None:
        half = 1000 if reports.has(recipe, settings.key) else 400
    scene = library.get(recipe.scene_id)
    _report_on_hand_labels(root, scene, features, training, part_of(progress, 0, 50))
    _report_on_truth(root, scene, features, training, part_of(progress, 50, 100))
    if not reports.whole(recipe):
        case = case_of(scene, features, "own", training)
        _report_on_features(root, features, case, load, progress=part_of(progress, 100, half))
    if settings is None or reports.has(recipe, settings.key):
        return
    layout = Layouts(root).get(recipe, settings.key)
    if layout is not None:
        case = case_of(scene, features)
        section, arrays = layout_part(case, layout, settings.metric, progress=part_of(progress, half, 1000))
        if recipe.scene_id in library:
            reports.put(recipe, settings.key, [section], arrays)


def _report_on_hand_labels(
    root: Path, scene: Scene, features: Features, training: TrainingPatches | None, progress: Progress
) -> None:
    """Keep the part on labels given by hand as they are now; the one on labels as they were goes."""
    recipe, library, reports = features.recipe, Library(root), Reports(root)
    version = hand_version(scene)  # Before the labels: newer ones under an older version are measured again.
    if version and not reports.has(recipe, HAND_LABELLED + version):
        section = by_hand(labels_part(case_of(scene, features, "hand", training), no_labels_of(scene), progress))
        if recipe.scene_id in library:
            reports.put(recipe, HAND_LABELLED + version, [section], {})
            reports.drop(recipe, HAND_LABELLED, HAND_LABELLED + version)


def _report_on_truth(
    root: Path, scene: Scene, features: Features, training: TrainingPatches | None, progress: Progress
) -> None:
    """Keep the part on the truth as it is now: the land of patches, and of a map that was added the classes too."""
    recipe, library, reports = features.recipe, Library(root), Reports(root)
    truth = truth_of(scene)
    if truth is None or scene.is_collection or reports.has(recipe, BY_TRUTH + truth.version):
        return
    sections = [land_part(scene, features, part_of(progress, 0, 600))]
    if truth.added is not None:
        case = case_of(scene, features, training=training)
        sections.append(labels_part(case, progress=part_of(progress, 600, 1000)))
    if recipe.scene_id in library:
        reports.put(recipe, BY_TRUTH + truth.version, sections, {})
        reports.drop(recipe, BY_TRUTH, BY_TRUTH + truth.version)


def _report_on_features(
    root: Path, features: Features, case: Case, load: Callable[[], Encoder], *, progress: Progress
) -> None:
    recipe, library = features.recipe, Library(root)
    scene = library.get(recipe.scene_id)
    sections = [labels_part(case, no_labels_of(scene), part_of(progress, 0, 300))]
    progress(300, 1000)
    shift, shifted = grid_shift_part(scene, features, load, part_of(progress, 300, 600))
    hubs, counts = hubs_part(case, part_of(progress, 600, 1000))
    if recipe.scene_id in library:
        Reports(root).put(recipe, FEATURES, [*sections, shift, hubs], shifted | counts)
