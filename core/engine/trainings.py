"""Trainings that are asked for, and what is told of them as they go; what one does is ``core.training``."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

from core.config import Config
from core.encoders.registry import encoder_names
from core.jobs.queue import Job, JobQueue, job_id
from core.scenes.labels import hand_version
from core.scenes.library import Library
from core.scenes.truth import map_version
from core.training.base_model import SCRATCH
from core.training.request import TrainingRequest
from core.training.trained_models import Trained


class Trainings:
    """The trainings of a data folder; safe to use from any thread."""

    def __init__(self, config: Config, library: Library, trained: Trained, jobs: JobQueue) -> None:
        self._config, self._library, self._trained, self._jobs = config, library, trained, jobs
        self._naming = threading.Lock()

    def submit(self, request: TrainingRequest) -> Job:
        """Ask for an encoder that has learned the labels of some scenes; the done job's message is its name.

        A training that was asked for before and ended with an epoch done, but without a model, goes on.

        Raises:
            SceneError: when one of the scenes is not there.
        """
        wanted = request.to_payload()
        given = json.dumps([wanted, self._versions(request)], sort_keys=True)
        key = hashlib.sha256(given.encode()).hexdigest()
        with self._naming:
            name = self._stopped(key) or self._trained.fresh_name(request.title, self._taken_names())
            return self._jobs.submit("train", key, f"Training “{request.title}”", wanted | {"name": name})

    def history(self, job_id: str) -> list[dict[str, float]]:
        """Tell how a training has gone so far, an object an epoch; empty before the first is over."""
        name = self._jobs.payload(job_id).get("name")
        return self._trained.history(name) if name else []

    def standing(self, job_id: str) -> dict[str, Any]:
        """Tell what a training has to be better than, and its best epoch so far: ``rivals`` and ``best``."""
        name = self._jobs.payload(job_id).get("name")
        return self._trained.standing(name) if name else {}

    def _versions(self, request: TrainingRequest) -> list[str]:
        """Return the versions of the labels that are learned from or tested by."""
        sets = (*request.sets, *request.test_sets)
        by_hand = [hand_version(self._library.get(one.scene_id)) for one in sets if one.by == "hand"]
        by_truth = [map_version(self._library.get(one.scene_id)) for one in sets if one.by == "truth"]
        return [*by_hand, *filter(None, by_truth)]

    def _taken_names(self) -> set[str]:
        """Return names that a new model cannot have: those of other encoders, and of models that are being trained."""
        active = [job.id for job in self._jobs.jobs() if job.kind == "train" and job.active]
        names = {str(self._jobs.payload(active_id).get("name")) for active_id in active}
        return {SCRATCH, *encoder_names(self._config), *names}

    def _stopped(self, key: str) -> str | None:
        """Return the name of the same training where it ended with an epoch done and no model; it goes on then."""
        name = self._jobs.payload(job_id("train", key)).get("name")
        return str(name) if name and self._trained.history(str(name)) else None
