"""The engine: everything that pages and the command line ask for, in one object a process."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.bands import FloatArray
from core.config import Config
from core.encoders.base import EncoderSpec
from core.encoders.registry import describe, is_untried, matching_encoder
from core.engine import tasks
from core.engine.arrivals import Arrivals
from core.engine.background import job_kinds, job_lanes, sweep_jobs
from core.engine.classifications import Classifications
from core.engine.previews import made_preview, sweep_previews
from core.engine.trainings import Trainings
from core.errors import StoreError
from core.evaluation.grid_shift import STABILITY_KEY
from core.evaluation.report.card import Section
from core.evaluation.report.store import BY_TRUTH, Reports
from core.features.clusters import ClusterStore
from core.features.encode import encode_scene
from core.features.forecast import Forecast, forecast
from core.features.given import needed_spec, store_given
from core.features.novelty import Novelties
from core.features.parts import encode_on_cluster
from core.features.recipe import Features, Recipe
from core.features.stability import Stabilities
from core.features.stand_ins import check_has_bands
from core.features.store import FeatureStore
from core.files import never
from core.ingest.files import map_name, source_name, source_title
from core.ingest.settings import IngestSettings
from core.jobs.lanes import Lane
from core.jobs.queue import Job, JobQueue
from core.jobs.uploads import drop_upload, sweep_uploads
from core.mirror.opening import PAGE_PATIENCE, Refresher, open_data
from core.progress import Progress, silent
from core.projection.store import Layouts
from core.scenes.cut import DEFAULT_CUT, Cut
from core.scenes.labels import hand_version
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.regions.of_interest import patches_in_area
from core.scenes.scene import Scene
from core.scenes.truth import map_version
from core.search.chips import Chips
from core.similarity.clusters import ClusterSettings, FoundClusters
from core.training.trained_models import Trained

if TYPE_CHECKING:
    from core.ingest.preview.making import SourcePreview
    from core.projection.settings import ProjectionSettings

SPEC_SECONDS = 30.0
"""How long a description of an encoder is believed before its files are looked at again."""

SWEEP_SECONDS = 24 * 3600.0
"""Half-made scenes older than this belong to nobody."""


def _truth_part(scene: Scene) -> str:
    """Return the part of a job's key that the truth of a scene gives; empty where nothing was added to it."""
    return f"-{version}" if (version := map_version(scene)) else ""


def _sweep(folder: Path) -> None:
    """Remove what killed workers left half made a day ago or earlier; its name begins with a dot."""
    for path in folder.glob(".*"):
        if path.is_dir() and time.time() - path.stat().st_mtime > SWEEP_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


class Engine:
    """Scenes, features, projections and the jobs that make them; safe to use from any thread."""

    def __init__(
        self, config: Config, lanes: Mapping[str, Lane] | None = None, waiting: Callable[[str], None] | None = None
    ) -> None:
        self.config, self._waiting = config, waiting
        shared = open_data(config, PAGE_PATIENCE)
        self._refresher = None if shared is None else Refresher(shared)
        self.library = Library(config.root)
        self.store = FeatureStore(config.root)
        self.layouts = Layouts(config.root)
        self.clustered = ClusterStore(config.root)
        self.stabilities = Stabilities(config.root)
        self.novelties = Novelties(config.root)
        self.reports = Reports(config.root)
        self.trained = Trained(config.trained)
        self.chips = Chips(config.root)
        self.arrivals = Arrivals(config.root)
        self.jobs = JobQueue(config.root, job_kinds(config), job_lanes(config) if lanes is None else lanes)
        self.trainings = Trainings(config, self.library, self.trained, self.jobs)
        self.classifications = Classifications(config, self.library, self.jobs)
        self._tried: set[str] = set()
        self._specs: dict[tuple[str, str | None], tuple[float, EncoderSpec]] = {}

    def start(self) -> None:
        """Begin to work on jobs, those of an earlier server first; for the web process only.

        Raises:
            StoreError: when another server works on the same data.
        """
        self.jobs.start()
        if self._refresher is not None:
            self._refresher.start()
        for folder in (self.library.root, self.library.trash.root, self.store.snapshots.root):
            _sweep(folder)
        # An upload that waits for an answer is asked about as long as its job is known.
        waiting = [Path(path) for job in self.jobs.jobs() for path in self.jobs.payload(job.id).get("paths", ())]
        self.arrivals.sweep()
        sweep_uploads(self.config, waiting, SWEEP_SECONDS)
        sweep_jobs(self.config, self.jobs.runs())
        sweep_previews(self.config, SWEEP_SECONDS)
        self.sweep_trash()
        self.chips.sweep()

    def close(self) -> None:
        """Stop; unfinished jobs go on at the next start."""
        if self._refresher is not None:
            self._refresher.close()
        self.jobs.close()
        self.arrivals.close()

    @property
    def trouble(self) -> str:
        """What keeps this computer from seeing what others wrote, in a sentence; empty = nothing."""
        return "" if self._refresher is None else self._refresher.trouble

    def spec(self, encoder: str, backend: str | None = None) -> EncoderSpec:
        """Describe an encoder.

        Raises:
            EncoderError: when it is unknown or cannot be used.
        """
        looked, spec = self._specs.get((encoder, backend), (0.0, None))
        if spec is None or time.monotonic() - looked > SPEC_SECONDS:
            spec = describe(encoder, self.config, backend)
            self._specs[encoder, backend] = (time.monotonic(), spec)
        return spec

    def spec_of(self, scene: Scene, encoder: str, backend: str | None = None) -> EncoderSpec:
        """Describe an encoder as it is for a scene; of one without pixels the one that its vectors are from.

        Raises:
            EncoderError: as of ``spec``, and when a scene without pixels is to be encoded by another.
        """
        return self.spec(encoder, backend) if scene.has_pixels else needed_spec(scene, encoder)

    def spec_that_ran(self, scene: Scene, recipe: Recipe) -> EncoderSpec:
        """Describe the encoder that the features of a recipe are of, which may run in other numbers here now.

        Raises:
            EncoderError: as of ``spec_of``, where nothing is noted of these features.
        """
        record = self.store.runs.get(recipe)
        return self.spec_of(scene, recipe.encoder) if record is None else record.spec

    def recipe(self, scene: Scene, encoder: str, *, backend: str | None = None, cut: Cut = DEFAULT_CUT) -> Recipe:
        """Return the recipe of a scene, an encoder and a way of cutting; cheap.

        Raises:
            EncoderError: when the encoder is unknown or cannot be used, or the scene has none of its bands.
            PatchError: when patches of that size do not fit the scene.
        """
        cut = patch_grid(scene, cut).cut
        spec = self.spec_of(scene, encoder, backend)
        check_has_bands(spec, scene)
        return Recipe(scene_id=scene.id, encoder=encoder, fingerprint=spec.fingerprint, cut=cut)

    @property
    def synthetic_scene(self) -> str:
        """The id of the synthetic scene of the usual size and seed."""
        from core.synthetic.landscape import synthetic_id

        return synthetic_id(2560, 0)

    def submit_first(self) -> Job:
        """Ask for the scene that opens where there is none yet, as configured; the done job's message is its id."""
        return self.submit_synthetic() if self.config.first_scene == "synthetic" else self.submit_sample()

    def submit_sample(self) -> Job:
        """Ask for the sample scene, a real one; the done job's message is its id."""
        return self.jobs.submit("sample", "real", "Opening the sample scene")

    def submit_synthetic(self, size: int = 2560, seed: int = 0) -> Job:
        """Ask for a synthetic scene; the done job's message is its id."""
        from core.synthetic.landscape import synthetic_id

        key, title = f"{size}-{seed}", "Making the synthetic landscape"
        if synthetic_id(size, seed) in self.library:
            return self.jobs.settled("synthetic", key, title, synthetic_id(size, seed))
        return self.jobs.submit("synthetic", key, title, {"size": size, "seed": seed})

    def submit_ingest(
        self,
        paths: Sequence[Path],
        settings: IngestSettings | None = None,
        name: str | None = None,
        *,
        asked_by: str = "",
    ) -> Job:
        """Ask for a source to become a scene; the done job's message is the scene's id, of a series the first one's.

        Args:
            paths: the source.
            settings: a person's decisions.
            name: what people will call the scene; None = as the source is called.
            asked_by: which part of the app wants it, so that its end is told there.
        """
        return self._ingest(paths, settings or IngestSettings(), name, {"asked_by": asked_by} if asked_by else {})

    def submit_rereading(self, scene: Scene, settings: IngestSettings, name: str, *, replace: bool) -> Job:
        """Ask for a scene to be read again by other settings; the done job's message is the id of the new one.

        Labels given by hand go with it, by place. Settings that give what is there already change nothing.

        Args:
            scene: whose source was kept.
            settings: a person's decisions.
            name: of the new scene.
            replace: True = the new one takes the place of this one, which can be brought back for a day.
        """
        origin = self.library.origin(scene.id)
        return self._ingest(origin, settings, name, {"rereads": scene.id, "replaces": replace})

    def submit_again(self, job_id: str, settings: IngestSettings) -> Job:
        """Ask once more for a source that could not become a scene, by other settings; what failed is dismissed.

        Args:
            job_id: of the job.
            settings: a person's decisions.
        """
        payload = self.jobs.payload(job_id)
        more = {key: payload[key] for key in ("asked_by", "rereads", "replaces") if key in payload}
        self.jobs.dismiss(job_id)
        return self._ingest([Path(path) for path in payload["paths"]], settings, payload["name"], more)

    def dismiss(self, job_id: str) -> None:
        """Take a job that has ended off the list, and with it an upload that waited for a person's decision."""
        job = self.jobs.get(job_id)
        if job is not None and job.kind == "ingest" and job.state == "failed":
            drop_upload(self.config, [Path(path) for path in self.jobs.payload(job_id).get("paths", ())])
        self.jobs.dismiss(job_id)

    def _ingest(
        self, paths: Sequence[Path], settings: IngestSettings, name: str | None, more: Mapping[str, object]
    ) -> Job:
        payload = {"paths": [str(path) for path in paths], "settings": settings.to_dict(), "name": name, **more}
        stamps = [(path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.exists()]
        key = hashlib.sha256(json.dumps([payload, stamps], sort_keys=True).encode()).hexdigest()
        several = source_title(paths, source_name(paths)) if len(paths) > 1 else ""
        shown = name or several or (paths[0].name if paths else "nothing")
        return self.jobs.submit("ingest", key, f"Opening “{shown}”", payload)

    def submit_preview(self, paths: Sequence[Path], settings: IngestSettings | None = None) -> Job:
        """Ask for a picture of a source that is not taken in yet; the done job's message is for ``preview``.

        Args:
            paths: the source.
            settings: a person's decisions.
        """
        payload = {"paths": list(map(str, paths)), "settings": (settings or IngestSettings()).to_dict()}
        stamps = [(path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.exists()]
        key = hashlib.sha256(json.dumps([payload, stamps], sort_keys=True).encode()).hexdigest()
        shown = paths[0].name if paths else "nothing"
        return self.jobs.submit("preview", key, f"Looking at “{shown}”", {**payload, "key": key})

    def preview(self, job: Job) -> SourcePreview | None:
        """Return the picture that a job made; None where it is gone."""
        return made_preview(self.config, job.message)

    def submit_truth(self, scene: Scene, paths: Sequence[Path], classes: str = "", *, asked_by: str = "") -> Job:
        """Ask for a map of classes to be kept with a scene, in place of one before; the done job's message is its id.

        Args:
            scene: the scene.
            paths: the map and what goes with it.
            classes: what its codes mean, ``0=water,1=trees``; empty = as the files say.
            asked_by: which part of the app wants it, so that its end is told there.
        """
        payload: dict[str, object] = {"scene_id": scene.id, "paths": list(map(str, paths)), "classes": classes}
        payload |= {"asked_by": asked_by} if asked_by else {}
        key = hashlib.sha256(json.dumps([payload, time.time()]).encode()).hexdigest()
        return self.jobs.submit("truth", key, f"Opening “{map_name(paths)}”", payload)

    def submit_chip(
        self, paths: Sequence[Path], recipe: Recipe, settings: IngestSettings | None = None, name: str | None = None
    ) -> Job:
        """Ask for a picture to be taken in and encoded as a recipe says; the done job's message is its id.

        Args:
            paths: the picture; an upload is gone afterwards.
            recipe: of the scene that is searched.
            settings: a person's decisions.
            name: what people will call it; None = as the file is called.
        """
        shown = name or (paths[0].name if paths else "nothing")
        payload: dict[str, object] = {"paths": list(map(str, paths)), "name": name, **tasks.recipe_payload(recipe)}
        payload["settings"] = (settings or IngestSettings()).to_dict()
        key = hashlib.sha256(json.dumps([payload, time.time()]).encode()).hexdigest()
        return self.jobs.submit("chip", key, f"Reading “{shown}”", payload)

    def submit_chip_again(self, chip: str, recipe: Recipe, title: str) -> Job:
        """Ask for a picture that was taken in before to be encoded as a recipe says too."""
        payload = {"chip": chip, **tasks.recipe_payload(recipe)}
        return self.jobs.submit("chip", f"{chip}-{recipe.key}", f"Encoding “{title}”", payload)

    def twin(self, recipe: Recipe, scene_id: str) -> Recipe:
        """Return the recipe of another scene that is encoded and cut as a recipe says, as far as it can be.

        An area is that of one scene: another is taken whole, unless it is encoded in that very area alone.

        Raises:
            SceneError: when there is no such scene.
            PatchError: when patches of that size do not fit it.
        """
        cut = patch_grid(self.library.get(scene_id), recipe.cut).cut
        found = replace(recipe, scene_id=scene_id, cut=cut)
        whole = replace(found, cut=replace(cut, area=""))
        return found if scene_id == recipe.scene_id or (not self.encoded(whole) and self.encoded(found)) else whole

    def submit_fetch(self, encoder: str) -> Job:
        """Ask for an encoder's files to be downloaded."""
        return self.jobs.submit("fetch", encoder, f"Downloading the encoder {encoder}", {"name": encoder})

    def untried(self, encoder: str) -> bool:
        """Tell whether it is not known yet in which form an encoder is faster here; quick, and never an error."""
        if encoder not in self._tried and not is_untried(encoder, self.config):
            self._tried.add(encoder)
        return encoder not in self._tried

    def submit_trial(self, encoder: str) -> Job:
        """Ask in which form an encoder is faster here, which what it gives depends on; once a computer."""
        title = "Trying in which form the encoder is faster on this computer, once"
        return self.jobs.submit("trial", encoder, title, {"encoder": encoder})

    def submit_encode(self, recipe: Recipe) -> Job:
        """Ask for features; only what the store does not have is computed.

        Raises:
            SceneError: when there is no such scene.
        """
        title = f"Encoding “{self.library.get(recipe.scene_id).name}”"
        if self.encoded(recipe):
            return self.jobs.settled("encode", recipe.key, title, recipe.key)
        return self.jobs.submit("encode", recipe.key, title, tasks.recipe_payload(recipe))

    def encoded(self, recipe: Recipe) -> bool:
        """Tell whether all features of a recipe are there."""
        return self.store.complete(recipe)

    def features(self, recipe: Recipe) -> Features:
        """Return all features of a recipe.

        Raises:
            StoreError: when they are not complete yet, or damaged.
        """
        if not self.encoded(recipe):
            raise StoreError(f"Reading the features of {recipe.scene_id}", "they are not complete", "encode it first")
        return self.store.read(recipe)

    def submit_projection(self, recipe: Recipe, settings: ProjectionSettings) -> Job:
        """Ask for a projection; features that are missing are asked for first.

        Raises:
            SceneError: when there is no such scene.
        """
        key = f"{recipe.key}-{settings.key}"
        title = f"Arranging “{self.library.get(recipe.scene_id).name}”"
        if self.layouts.has(recipe, settings.key):
            return self.jobs.settled("project", key, title, recipe.key)
        before = None if self.encoded(recipe) else self.submit_encode(recipe).id
        payload = tasks.recipe_payload(recipe) | {"settings": asdict(settings)}
        return self.jobs.submit("project", key, title, payload, after=before)

    def projected(self, recipe: Recipe, settings: ProjectionSettings) -> bool:
        """Tell whether a projection is made."""
        return self.layouts.has(recipe, settings.key) and self.encoded(recipe)

    def projection(self, recipe: Recipe, settings: ProjectionSettings) -> FloatArray | None:
        """Return positions of shape (N, 2), rows as in ``features``; None when they are not made yet."""
        positions = self.layouts.get(recipe, settings.key)
        return positions if self.encoded(recipe) else None

    def submit_clusters(self, recipe: Recipe, settings: ClusterSettings | None = None) -> Job:
        """Ask for clusters of alike patches; features that are missing are asked for first.

        Raises:
            SceneError: when there is no such scene.
        """
        settings = settings or ClusterSettings()
        key = f"{recipe.key}-{settings.key}"
        title = f"Finding clusters of “{self.library.get(recipe.scene_id).name}”"
        if self.clustered.has(recipe, settings.key):
            return self.jobs.settled("groups", key, title, recipe.key)
        before = None if self.encoded(recipe) else self.submit_encode(recipe).id
        payload = tasks.recipe_payload(recipe) | {"settings": asdict(settings)}
        return self.jobs.submit("groups", key, title, payload, after=before)

    def clusters(self, recipe: Recipe, settings: ClusterSettings | None = None) -> FoundClusters | None:
        """Return clusters as they were found, rows as in ``features``; None when they are not made yet."""
        found = self.clustered.found(recipe, settings or ClusterSettings())
        return found if found is not None and self.encoded(recipe) else None

    def submit_stability(self, recipe: Recipe) -> Job:
        """Ask for the stability of each patch of finished features.

        Raises:
            SceneError: when there is no such scene.
        """
        title = f"Shifting the grid of “{self.library.get(recipe.scene_id).name}”"
        if self.stabilities.has(recipe, STABILITY_KEY):
            return self.jobs.settled("stability", recipe.key, title, recipe.key)
        return self.jobs.submit("stability", recipe.key, title, tasks.recipe_payload(recipe))

    def stability(self, recipe: Recipe) -> FloatArray | None:
        """Return the share of neighbours that each patch keeps under a shifted grid, 0 to 1, shape (N,), NaN = unknown.

        Rows are as in ``features``; None while it is not measured.
        """
        found = self.stabilities.get(recipe, STABILITY_KEY)
        return found if self.encoded(recipe) else None

    def submit_trust(self, recipe: Recipe, settings: ProjectionSettings | None) -> Job:
        """Ask for the report card of finished features and, unless it is None, of a finished layout of them.

        Raises:
            SceneError: when there is no such scene.
        """
        scene = self.library.get(recipe.scene_id)
        key = f"{recipe.key}-{'' if settings is None else settings.key}-{hand_version(scene)}{_truth_part(scene)}"
        title = f"Measuring “{scene.name}”"
        payload = tasks.recipe_payload(recipe) | {"settings": None if settings is None else asdict(settings)}
        return self.jobs.submit("trust", key, title, payload)

    def land_reports(self, fingerprint: str) -> dict[str, Section]:
        """Return how an encoder was measured to do on land with a map of classes, by the name of the scene."""
        found: dict[str, Section] = {}
        for record in self.store.runs.of_encoder(fingerprint):
            recipe = record.recipe
            sections = self.reports.newest(recipe, BY_TRUTH) if recipe.scene_id in self.library else []
            told = next((one for one in sections if one.name == "land" and one.measured), None)
            if told is not None:
                found.setdefault(self.library.get(recipe.scene_id).name, told)
        return found

    def delete_scene(self, scene_id: str) -> Job:
        """Remove a scene for good at once, stop all work on it, and ask for its features to be removed.

        Raises:
            SceneError: when the id is not of the form of ids.
        """
        self._stop_work_on(scene_id)
        self.library.delete(scene_id)
        self.library.trash.remove(scene_id)
        # Only now: the work leaves a scene alone that is in the library, for it may have come back.
        return self.jobs.submit("delete", scene_id, "Deleting a scene", {"scene_id": scene_id})

    def set_scene_aside(self, scene_id: str) -> None:
        """Delete a scene so that it can be brought back for a day with all that was made of it; stop work on it.

        Raises:
            SceneError: when there is none of that id, or the disk refuses it.
        """
        self.library.set_aside(scene_id)
        self._stop_work_on(scene_id)
        self.sweep_trash()

    def sweep_trash(self) -> None:
        """Remove for good what was deleted more than a day ago."""
        for gone in self.library.trash.expired():
            if gone.id in self.library or not gone.whole:
                self.library.trash.remove(gone.id)
            else:
                self.delete_scene(gone.id)

    def _stop_work_on(self, scene_id: str) -> None:
        self.library.directory(scene_id)
        for job in self.jobs.jobs():
            if job.active and job.kind != "delete" and self.jobs.payload(job.id).get("scene_id") == scene_id:
                self.jobs.cancel(job.id)

    def delete_features(self, recipe: Recipe) -> Job:
        """Stop all work on a recipe, and ask for its features and all that was made of them to be removed.

        They count as absent from now on.
        """
        wanted = recipe.to_dict()
        for job in self.jobs.jobs():
            if job.active and job.kind != "delete_features" and self.jobs.payload(job.id).get("recipe") == wanted:
                self.jobs.cancel(job.id)
        self.store.runs.suspect(recipe)
        title = f"Deleting patches of “{self.library.get(recipe.scene_id).name}”"
        return self.jobs.submit("delete_features", recipe.key, title, tasks.recipe_payload(recipe))

    def forecast(self, scene: Scene, recipe: Recipe) -> Forecast:
        """Return what encoding a scene by a recipe will take; features that are there are counted too."""
        grid = patch_grid(scene, recipe.cut)
        spec = self.spec_of(scene, recipe.encoder)
        return forecast(self.store.runs, spec, grid, patches_in_area(scene, grid))

    def disk_bytes(self, scene_id: str) -> int:
        """Return bytes on disk of a scene with all that was made of it, also of one that was deleted."""
        made = self.classifications
        derived = (
            self.layouts,
            self.clustered,
            self.stabilities,
            self.novelties,
            made.compared,
            made.finer,
            made.numbers,
        )
        return sum(store.disk_bytes(scene_id) for store in (self.library, self.library.trash, self.store, *derived))

    def encode_now(
        self,
        scene: Scene,
        recipe: Recipe,
        *,
        progress: Progress = silent,
        cancelled: Callable[[], bool] = never,
    ) -> Features:
        """Encode here, or on the cluster where one is configured, and wait; for the command line.

        Errors as of ``encode_scene``.
        """
        if not self.encoded(recipe):
            if not scene.has_pixels:
                store_given(scene, recipe, self.store, progress=progress, cancelled=cancelled)
                return self.features(recipe)
            if self.config.scheduler:
                encode_on_cluster(
                    scene,
                    recipe,
                    self.store,
                    self.config,
                    progress=progress,
                    cancelled=cancelled,
                    waiting=self._waiting,
                )
                return self.features(recipe)
            model = matching_encoder(recipe.encoder, recipe.fingerprint, self.config)
            encode_scene(scene, model, recipe, self.store, progress=progress, cancelled=cancelled)
        return self.features(recipe)

    def find_clusters_now(self, recipe: Recipe, settings: ClusterSettings, *, progress: Progress = silent) -> None:
        """Find clusters in this process and wait, where they are not found; for the command line.

        Raises:
            LandlikeError: when the features are not there, or there are no such clusters.
        """
        if self.clusters(recipe, settings) is None:
            tasks.find_and_keep_clusters(self.config, recipe, settings, progress)
