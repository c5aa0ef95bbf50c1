"""What background jobs do for maps of classes: teach and compare heads, and map finer. Others are ``tasks``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.classification.compared import ComparedHeads
from core.classification.heads import HeadOrigin, teach
from core.classification.labelled import blocks_of, check_classes, labelled_scene, land_outlines, places_on
from core.classification.maps.finer import FinerMaps, finer_cells
from core.classification.models import check_kind
from core.classification.numbers.regression import teach_values
from core.classification.numbers.store import LearnedNumber, LearnedNumbers
from core.config import Config
from core.errors import EncoderError
from core.evaluation.novelty import NOVEL_ABOVE, novelty_percentile
from core.export.geometry import patch_shapes
from core.features.recipe import Features, Recipe
from core.features.store import FeatureStore
from core.jobs.uploads import drop_upload
from core.jobs.worker import Work
from core.progress import Progress
from core.scenes.given.annotations import now_utc
from core.scenes.labels import PatchLabels, hand_labels, hand_version
from core.scenes.library import Library
from core.scenes.patches import PatchGrid, centres_lonlat, patch_grid
from core.scenes.scene import Scene

_STEPS = 100


def heads_task(config: Config, work: Work, payload: Mapping[str, Any]) -> str:
    """Teach heads of some kinds on the labels that a scene has now, and measure each; gives the labels' version.

    Payload: ``recipe``, ``kinds``.
    """
    recipe, kinds = Recipe.from_dict(payload["recipe"]), [check_kind(str(kind)) for kind in payload["kinds"]]
    library, kept = Library(config.root), ComparedHeads(config.root)
    scene = library.get(recipe.scene_id)
    grid = patch_grid(scene, recipe.cut)
    version, given = _labels_of_a_moment(scene, grid)
    if given is None:
        check_classes(())
        return ""
    features = FeatureStore(config.root).read(recipe)
    known = labelled_scene(scene, grid, features.patch_ids, features.vectors, given)
    for step, kind in enumerate(kinds):
        progress = _part_of(work.progress, step, len(kinds))
        taught = teach(known, kind, origin=head_origin(scene, recipe), progress=progress)
        if recipe.scene_id in library:
            kept.put(recipe, version, taught)
    return version


def _labels_of_a_moment(scene: Scene, grid: PatchGrid) -> tuple[str, PatchLabels | None]:
    """Return the version of a scene's labels and just those labels, though people may go on giving them."""
    while True:
        version, given = hand_version(scene), hand_labels(scene, grid)
        if hand_version(scene) == version:
            return version, given


def _part_of(progress: Progress, step: int, steps: int) -> Progress:
    """Return what tells the progress of one of several steps as that of the whole."""
    return lambda done, total: progress(_STEPS * step + _STEPS * done // max(1, total), _STEPS * steps)


def head_origin(scene: Scene, recipe: Recipe) -> HeadOrigin:
    """Return what a head is taught on that the labels of a scene teach today."""
    return HeadOrigin(
        encoder=recipe.encoder, fingerprint=recipe.fingerprint, cut=recipe.cut.key, level=scene.level or "",
        bands=tuple(scene.bands), scenes=(scene.name,), date=now_utc()[:10],
    )  # fmt: skip


def finer_task(config: Config, work: Work, payload: Mapping[str, Any]) -> str:
    """Name the overlapping patches of a scene by a head, and keep the mean on each cell; gives the recipe's key.

    Payload: ``recipe`` of the overlapping patches, ``head``, the key of the head.
    """
    recipe, key = Recipe.from_dict(payload["recipe"]), str(payload["head"])
    library, kept = Library(config.root), FinerMaps(config.root)
    scene = library.get(recipe.scene_id)
    head, features = kept.head(recipe, key), FeatureStore(config.root).read(recipe)
    strange = _novelty(config, scene, recipe, features)
    cells = finer_cells(
        head, features.vectors, place=scene.grid, grid=patch_grid(scene, recipe.cut), ids=features.patch_ids,
        novel=None if strange is None else strange > NOVEL_ABOVE, progress=work.progress,
    )  # fmt: skip
    if recipe.scene_id in library:
        kept.put_cells(recipe, key, cells)
    return recipe.key


def regress_task(config: Config, work: Work, payload: Mapping[str, Any]) -> str:
    """Read the numbers of some patches, learn them, and keep what predicts them; gives the recipe's key.

    Payload: ``recipe``, ``paths`` of the upload, which is gone afterwards, ``column``, empty = as the file says,
    ``layer``.
    """
    from core.classification.numbers.importing import read_numbers

    recipe, paths = Recipe.from_dict(payload["recipe"]), [Path(path) for path in payload["paths"]]
    library = Library(config.root)
    try:
        scene = library.get(recipe.scene_id)
        features, grid = FeatureStore(config.root).read(recipe), patch_grid(scene, recipe.cut)
        ids = features.patch_ids
        work.doing("Reading the numbers")
        given = read_numbers(
            paths[0], ids, patch_shapes(scene, grid, ids), column=str(payload["column"]),
            layer=str(payload.get("layer", "")), scene_id=scene.id,
        )  # fmt: skip
        blocks = blocks_of(len(ids), centres_lonlat(scene, grid, ids), places_on(scene, grid, ids))
        model = teach_values(
            features.vectors, ids, dict(given.values), blocks=blocks, outlines=land_outlines(scene, grid, ids),
            progress=work.progress,
        )  # fmt: skip
        learned = LearnedNumber(title=given.column, source=paths[0].name, model=model, said=given.said)
        if recipe.scene_id in library:
            LearnedNumbers(config.root).put(recipe, learned)
    finally:
        drop_upload(config, paths)
    return recipe.key


def _novelty(config: Config, scene: Scene, recipe: Recipe, features: Features) -> Any:  # noqa: ANN401  an array or None
    if not scene.bands:
        return None
    try:
        statistics = features.band_mean, features.band_std
        return novelty_percentile(recipe, config, statistics, scene.bands, scene.level)
    except EncoderError:
        return None
