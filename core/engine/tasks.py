"""What background jobs do, one function a kind, each run in a worker process by ``core.jobs.worker.perform``.

Each takes the configuration, a ``Work`` to report to, and its arguments as JSON values, and gives a short text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.classification.compared import ComparedHeads
from core.classification.maps.finer import FinerMaps
from core.classification.numbers.store import LearnedNumbers
from core.config import Config
from core.encoders.base import Encoder
from core.encoders.registry import default_encoder, describe, matching_encoder, try_forms
from core.encoders.registry import fetch as fetch_encoder
from core.errors import BucketError, EncoderError, ScaleError, VectorsError
from core.features.clusters import ClusterStore
from core.features.database import load as load_database
from core.features.encode import encode_scene
from core.features.given import given_recipe, store_given
from core.features.novelty import Novelties
from core.features.parts import encode_on_cluster
from core.features.recipe import Recipe
from core.features.stability import Stabilities
from core.features.store import FeatureStore
from core.files import locked, present
from core.ingest.settings import IngestSettings, settings_from_dict
from core.jobs.queue import job_id
from core.jobs.uploads import drop_upload
from core.jobs.worker import Work
from core.mirror.opening import at_worker, open_data
from core.progress import Progress
from core.projection.store import Layouts
from core.scenes.cut import DEFAULT_CUT
from core.scenes.given.transfer import LabelTransfer, transfer_labels
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.quality import Basis, Finding, add_findings, load_quality
from core.scenes.scene import Scene
from core.scenes.truth import carry_truth_map
from core.search.chips import Chips
from core.similarity.clusters import ClusterSettings
from core.training.trained_models import Trained

if TYPE_CHECKING:
    from core.projection.settings import ProjectionSettings

Payload = Mapping[str, Any]
Task = Callable[[Config, Work, Payload], str]
"""Does one job where the data are as configured."""

LABELS_TOPIC = "labels by hand"
"""Topic of the line that says what became of labels when a scene was read again."""

_DERIVED = (Layouts, ClusterStore, Stabilities, Novelties, ComparedHeads, FinerMaps, LearnedNumbers)
"""What is kept of features and goes with them."""


def on_data(config: Config, kind: str, task: Task, work: Work, payload: Payload) -> str:
    """Do a job where the server has the data; who does the same on the same bucket as another waits for that.

    Args:
        config: where the data are; of a bucket the working copy is opened here.
        kind: of the job.
        task: does it.
        work: reported to.
        payload: what both were asked for.
    """
    open_data(config)
    if not config.bucket or "recipe" not in payload:
        return task(config, work, payload)
    name = job_id(kind, json.dumps(payload, sort_keys=True))
    with locked(config.root / "work" / f"{name}.lock", work.cancelled, work.waiting):
        return task(config, work, payload)


def at_cluster(config: Config, kind: str, task: Task, work: Work, payload: Payload) -> str:
    """Do a job where a worker of the cluster has the data, all of it by itself; as ``on_data``."""
    return on_data(at_worker(config), kind, task, work, payload)


def ingest_task(config: Config, work: Work, payload: Payload) -> str:
    """Take a source in; gives the scene's id, of a series the first one's.

    Payload: ``paths``, ``settings``, ``name``; perhaps ``rereads`` and ``replaces``.

    An upload is kept beside its scene, and gone when it could not become one, unless a person is asked what its numbers
    mean, or the bucket failed. ``rereads`` is the scene that was made of
    the same source before: its labels are carried over, and with ``replaces`` the new one takes its place.
    """
    from core.ingest.boundary import ingest_all

    library, paths = Library(config.root), [present(Path(path)) for path in payload["paths"]]
    settings, old_id = settings_from_dict(payload["settings"]), str(payload.get("rereads") or "")
    before, asked = {scene.id for scene in library.scenes()}, False
    try:
        scenes = ingest_all(
            paths,
            library,
            settings,
            name=payload["name"],
            progress=work.progress,
            cancelled=work.cancelled,
            doing=work.doing,
            known=_still_known(library, old_id, settings),
        )
        for scene in scenes:
            if not scene.has_pixels:
                work.doing("storing the vectors")
                store_given(scene, given_recipe(scene), FeatureStore(config.root), progress=work.progress)
        for scene in scenes:
            if paths[0].is_relative_to(config.root):
                library.keep_origin(scene.id, paths)
            else:
                library.note_origin(scene.id, paths)
        if old_id:
            fresh = [scene for scene in scenes if scene.id not in before]
            _follow(library, old_id, fresh, name=str(payload["name"]), replaces=bool(payload.get("replaces")))
    except (ScaleError, VectorsError, BucketError):
        asked = True  # Once a person has said what is meant, or the bucket is there again, the upload is read again.
        raise
    finally:
        if not asked:
            drop_upload(config, paths)
    return scenes[0].id


def _still_known(library: Library, old_id: str, settings: IngestSettings) -> list[Finding]:
    """Return what was known of a source beforehand when it was read before; not what is chosen otherwise now."""
    if not old_id or old_id not in library:
        return []
    record, chosen = load_quality(library.directory(old_id)), settings.to_dict()
    lines = [line for line in record.findings if line.basis == "known"]
    return [
        line for line in lines if line.override is None or chosen[line.override] == record.settings.get(line.override)
    ]


def _follow(library: Library, old_id: str, fresh: Sequence[Scene], *, name: str, replaces: bool) -> None:
    """Carry the labels of an earlier reading over, say so in the record, and let the new scene take its place.

    One date of a series read again is called as it is meant to be; a copy of it stands alone.
    """
    if old_id not in library or not fresh:
        return
    old = library.get(old_id)
    for scene in fresh:
        found = transfer_labels(old, scene)
        if found.kept or found.lost:
            add_findings(scene.directory, [_transferred(old, found)])
        if carry_truth_map(old, scene) is False:
            add_findings(scene.directory, [_left_behind(old)])
    if len(fresh) == 1 and fresh[0].series is not None:
        library.join_series(fresh[0].id, old.series if replaces else None)
        library.rename(fresh[0].id, name)
    if replaces:
        library.set_aside(old_id, successor=fresh[0].id)


def _transferred(old: Scene, found: LabelTransfer) -> Finding:
    """Tell what became of labels given by hand."""
    lost = f", {found.lost:,} could not be" if found.lost else ""
    because = f"given by hand to “{old.name}”, and kept where a patch shows the same ground"
    basis: Basis = "warning" if found.lost else "read"
    return Finding(topic=LABELS_TOPIC, value=f"{found.kept:,} kept{lost}", basis=basis, because=because)


def _left_behind(old: Scene) -> Finding:
    """Tell that a map of classes has to be added again."""
    because = f"the one added to “{old.name}” does not lie on the pixels of this reading; add it again"
    return Finding(topic="truth map", value="not kept", basis="warning", because=because)


def sample_task(config: Config, work: Work, payload: Payload) -> str:
    """Take the sample scene in; gives its id. A payload of ``size`` and ``seed`` asks for a synthetic one."""
    if "size" in payload:  # The sample was synthetic in the version before, whose jobs may still wait.
        return synthetic_task(config, work, payload)
    from core.sample.package import sample_files
    from core.sample.scene import open_sample

    library = Library(config.root)
    scene = open_sample(library, progress=work.progress, cancelled=work.cancelled, doing=work.doing)
    library.keep_origin(scene.id, sample_files())
    return scene.id


def synthetic_task(config: Config, work: Work, payload: Payload) -> str:
    """Make a synthetic scene; gives its id. Payload: ``size``, ``seed``."""
    from core.synthetic.landscape import make_synthetic

    library = Library(config.root)
    return make_synthetic(library, size=payload["size"], seed=payload["seed"], progress=work.progress).id


def truth_task(config: Config, work: Work, payload: Payload) -> str:
    """Keep a map of classes with a scene; gives the scene's id. Payload: ``scene_id``, ``paths``, ``classes``.

    An upload is gone afterwards; the map is kept as it lies on the scene's grid.
    """
    from core.ingest.truth.adding import add_map

    library, paths = Library(config.root), [Path(path) for path in payload["paths"]]
    try:
        scene = library.get(str(payload["scene_id"]))
        add_map(
            paths, library, scene, classes=str(payload["classes"]), progress=work.progress, cancelled=work.cancelled
        )
    finally:
        drop_upload(config, paths)
    return scene.id


def fetch_task(config: Config, work: Work, payload: Payload) -> str:
    """Download an encoder's files; gives its name. Payload: ``name``."""
    fetch_encoder(payload["name"], config, work.progress)
    return str(payload["name"])


def trial_task(config: Config, work: Work, payload: Payload) -> str:
    """Find out in which form an encoder is faster here, and load it; gives its name. Payload: ``encoder``."""
    try_forms(payload["encoder"], config, work.progress)
    if payload["encoder"] == default_encoder():
        warm_encoder(config)
    return str(payload["encoder"])


def encode_task(config: Config, work: Work, payload: Payload) -> str:
    """Encode a scene; gives the recipe's key. Payload: ``recipe``."""
    recipe = Recipe.from_dict(payload["recipe"])
    scene = Library(config.root).get(recipe.scene_id)
    store = FeatureStore(config.root)
    if not scene.has_pixels:
        store_given(scene, recipe, store, progress=work.progress, cancelled=work.cancelled)
        return recipe.key
    if config.scheduler:
        encode_on_cluster(
            scene, recipe, store, config, progress=work.progress, cancelled=work.cancelled, waiting=work.waiting
        )
        return recipe.key
    encoder = matching_encoder(recipe.encoder, recipe.fingerprint, config)
    encode_scene(scene, encoder, recipe, store, progress=work.progress, cancelled=work.cancelled)
    return recipe.key


def chip_task(config: Config, work: Work, payload: Payload) -> str:
    """Take a picture in and encode it as a scene that is searched; gives its id.

    Payload: ``recipe`` of the scene, and ``paths``, ``settings``, ``name``, or ``chip`` of one that is there already.
    An upload is gone afterwards.
    """
    recipe, chips = Recipe.from_dict(payload["recipe"]), Chips(config.root)
    chip = str(payload.get("chip") or "")
    if not chip:
        paths = [Path(path) for path in payload["paths"]]
        try:
            settings = settings_from_dict(payload["settings"])
            chip = chips.add(
                paths, settings, name=payload["name"], cancelled=work.cancelled, doing=work.doing
            ).id  # fmt: skip
        finally:
            drop_upload(config, paths)
    encoder = matching_encoder(recipe.encoder, recipe.fingerprint, config)
    chips.encode(chip, encoder, recipe.cut.size, work.progress)
    return chip


def project_task(config: Config, work: Work, payload: Payload) -> str:
    """Project features into the plane; gives the recipe's key. Payload: ``recipe``, ``settings``."""
    from core.projection.settings import ProjectionSettings

    recipe, settings = Recipe.from_dict(payload["recipe"]), ProjectionSettings(**payload["settings"])
    if not Layouts(config.root).has(recipe, settings.key):
        arrange_features(config, recipe, settings, work.progress)
    return recipe.key


def arrange_features(config: Config, recipe: Recipe, settings: ProjectionSettings, progress: Progress) -> None:
    """Make a layout of features and keep it.

    Raises:
        LandlikeError: when the features are not there, or cannot be arranged so.
    """
    from core.projection.labels import classes_of
    from core.projection.methods import arrange

    library, features, labels = Library(config.root), FeatureStore(config.root).read(recipe), None
    if settings.labels:
        scene = library.get(recipe.scene_id)
        labels = classes_of(scene, patch_grid(scene, recipe.cut), features.patch_ids, settings.labels)
    positions = arrange(features.vectors, settings, labels=labels, progress=progress)
    if recipe.scene_id in library:
        Layouts(config.root).put(recipe, settings.key, positions)


def clusters_task(config: Config, work: Work, payload: Payload) -> str:
    """Find clusters of alike patches; gives the recipe's key. Payload: ``recipe``, ``settings``."""
    recipe, settings = Recipe.from_dict(payload["recipe"]), ClusterSettings.from_values(payload["settings"])
    if not ClusterStore(config.root).has(recipe, settings.key):
        find_and_keep_clusters(config, recipe, settings, work.progress)
    return recipe.key


def find_and_keep_clusters(config: Config, recipe: Recipe, settings: ClusterSettings, progress: Progress) -> None:
    """Find clusters of alike patches and keep them.

    Raises:
        LandlikeError: when the features are not there, or there are no such clusters.
    """
    from core.similarity.clusters import find_clusters

    found = find_clusters(FeatureStore(config.root).read(recipe).vectors, settings, progress=progress)
    if recipe.scene_id in Library(config.root):
        ClusterStore(config.root).keep(recipe, settings, found)


def stability_task(config: Config, work: Work, payload: Payload) -> str:
    """Measure how stable the answer to each patch is; gives the recipe's key. Payload: ``recipe``.

    A run that was stopped goes on where it was.
    """
    from core.evaluation.grid_shift import STABILITY_KEY, stability

    recipe, kept, part = Recipe.from_dict(payload["recipe"]), Stabilities(config.root), f"{STABILITY_KEY}-part"
    if kept.has(recipe, STABILITY_KEY):
        return recipe.key
    library = Library(config.root)
    scene, features = library.get(recipe.scene_id), FeatureStore(config.root).read(recipe)
    encoder, before = matching_encoder(recipe.encoder, recipe.fingerprint, config), kept.get(recipe, part)
    found = stability(
        scene,
        patch_grid(scene, recipe.cut),
        encoder,
        features.vectors,
        features.patch_ids,
        before=before if before is not None and len(before) == len(features) else None,
        save=partial(kept.put, recipe, part),
        progress=work.progress,
    )
    if recipe.scene_id in library:
        kept.put(recipe, STABILITY_KEY, found)
    kept.drop(recipe, part)
    return recipe.key


def trust_task(config: Config, work: Work, payload: Payload) -> str:
    """Measure how far features, and a layout of them, can be trusted; gives the recipe's key.

    What is measured already is not measured again. Payload: ``recipe``, ``settings`` of the layout or None.
    """
    from core.evaluation.report.scene import report_on_scene
    from core.evaluation.training_overlap import training_patches
    from core.projection.settings import ProjectionSettings

    recipe, wanted = Recipe.from_dict(payload["recipe"]), payload["settings"]
    settings = None if wanted is None else ProjectionSettings(**wanted)

    def load() -> Encoder:
        return matching_encoder(recipe.encoder, recipe.fingerprint, config)

    try:
        training = training_patches(recipe, config)
    except EncoderError:
        training = None
    report_on_scene(config.root, recipe, settings, load, training=training, progress=work.progress)
    return recipe.key


def train_task(config: Config, work: Work, payload: Payload) -> str:
    """Train an encoder on the labels of scenes; gives its name.

    Payload: that of a ``TrainingRequest``, and ``name``.
    """
    from core.training.dataset import reader_of
    from core.training.request import TrainingRequest
    from core.training.run import run

    trained, name = Trained(config.trained), str(payload["name"])
    trained.root.mkdir(parents=True, exist_ok=True)
    request, read = TrainingRequest.from_payload(payload), reader_of(Library(config.root))
    run(request, trained.directory(name), read, progress=work.progress, config=config)
    return name


def delete_task(config: Config, work: Work, payload: Payload) -> str:
    """Remove a scene's features, projections and clusters; gives its id. Payload: ``scene_id``.

    Those of a scene that was added or brought back meanwhile are left alone.
    """
    scene_id, library = str(payload["scene_id"]), Library(config.root)
    gone = library.trash.find(scene_id)
    if scene_id in library or (gone is not None and gone.whole):
        return scene_id
    FeatureStore(config.root).delete_scene(scene_id)
    for store in _DERIVED:
        store(config.root).delete_scene(scene_id)
    return scene_id


def delete_features_task(config: Config, work: Work, payload: Payload) -> str:
    """Remove the features of a recipe and what was made of them; gives its key. Payload: ``recipe``."""
    recipe = Recipe.from_dict(payload["recipe"])
    FeatureStore(config.root).delete(recipe)
    for store in _DERIVED:
        store(config.root).delete(recipe)
    return recipe.key


def warm_encoder(config: Config) -> None:
    """Load the store and the encoder that is used unless another is chosen, so that a scene does not wait for them.

    Raises:
        EncoderError: when it cannot be used.
    """
    spec = describe(default_encoder(), config)
    encoder, side = matching_encoder(spec.name, spec.fingerprint, config), DEFAULT_CUT.size
    encoder.encode(np.zeros((1, side, side, len(spec.bands)), np.float32))
    load_database()


def warm_encoding(config: Config) -> None:
    """Load the store here and the usual encoder on the workers of the cluster, so that a scene does not wait for them.

    Raises:
        EncoderError: when it cannot be used.
    """
    from core.jobs.cluster.connection import cluster_at

    cluster_at(config.scheduler, config.root, config.bucket).everywhere(
        partial(warm_encoder, replace(config, scheduler=""))
    )
    load_database()


def warm_projection() -> None:
    """Compile the projection's loops, so that the first projection does not wait for it."""
    from core.projection.layout import warm_up

    warm_up()


def task_of(path: str, config: Config, work: Work, payload: Payload) -> str:
    """Do what a function somewhere above this does; ``path`` is ``module:function``, imported when it is wanted."""
    module, _, name = path.partition(":")
    task: Task = getattr(import_module(module), name)
    return task(config, work, payload)


def recipe_payload(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as part of a payload."""
    return {"scene_id": recipe.scene_id, "recipe": recipe.to_dict()}
