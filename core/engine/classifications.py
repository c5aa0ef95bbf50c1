"""Maps of classes as pages ask for them: heads that are compared, saved and used, and finer maps, by jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.classification.cells import ChanceCells
from core.classification.compared import ComparedHeads
from core.classification.heads import Head
from core.classification.maps.finer import FinerMaps
from core.classification.maps.patches import head_key
from core.classification.models import HeadKind
from core.classification.numbers.store import LearnedNumbers
from core.classification.saved import Heads
from core.config import Config
from core.engine.tasks import recipe_payload
from core.features.recipe import Recipe
from core.jobs.queue import Job, JobQueue
from core.scenes.cut import Cut
from core.scenes.labels import hand_version
from core.scenes.library import Library


class Classifications:
    """What is taught on labels of scenes and kept; safe to use from any thread.

    Args:
        config: where the data lie.
        library: the scenes.
        jobs: the queue.
    """

    def __init__(self, config: Config, library: Library, jobs: JobQueue) -> None:
        self.compared = ComparedHeads(config.root)
        self.saved = Heads(config.root)
        self.finer = FinerMaps(config.root)
        self.numbers = LearnedNumbers(config.root)
        self._library, self._jobs = library, jobs

    def submit_heads(self, recipe: Recipe, kinds: Sequence[HeadKind]) -> Job:
        """Ask for heads of some kinds to be taught on the labels a scene has now, and measured.

        Raises:
            SceneError: when there is no such scene.
        """
        scene = self._library.get(recipe.scene_id)
        version, title = hand_version(scene), f"Teaching classes of “{scene.name}”"
        key = f"{recipe.key}-{version}-{'-'.join(kinds)}"
        if all(self.compared.has(recipe, version, kind) for kind in kinds):
            return self._jobs.settled("heads", key, title, version)
        return self._jobs.submit("heads", key, title, recipe_payload(recipe) | {"kinds": list(kinds)})

    def submit_finer(self, recipe: Recipe, cut: Cut, head: Head, after: Job | None) -> Job:
        """Ask for a map on the cells of overlapping patches.

        Args:
            recipe: of the patches as they are.
            cut: of the overlapping ones, whose features are there once ``after`` is done.
            head: that names them.
            after: the job that encodes them; None = they are encoded.

        Raises:
            SceneError: when there is no such scene.
            StoreError: when the disk refuses the head.
        """
        fine, key = replace(recipe, cut=cut), head_key(head)
        title = f"Mapping “{self._library.get(recipe.scene_id).name}” finer"
        if self.finer.has(fine, key):
            return self._jobs.settled("finer", f"{fine.key}-{key}", title, fine.key)
        self.finer.put_head(fine, key, head)
        payload = recipe_payload(fine) | {"head": key}
        return self._jobs.submit(
            "finer", f"{fine.key}-{key}", title, payload, after=None if after is None else after.id
        )

    def submit_numbers(self, recipe: Recipe, path: Path, column: str, layer: str = "") -> Job:
        """Ask for a number of each patch to be learned from a file, which is gone afterwards.

        Args:
            recipe: of the patches.
            path: of the upload.
            column: with the number; empty = as the file says.
            layer: of the file, where it has several.

        Raises:
            SceneError: when there is no such scene.
        """
        title = f"Learning a number of “{self._library.get(recipe.scene_id).name}”"
        payload = recipe_payload(recipe) | {"paths": [str(path)], "column": column, "layer": layer}
        return self._jobs.submit("regress", f"{recipe.key}-{path.parent.name}", title, payload)

    def finer_map(self, recipe: Recipe, cut: Cut, key: str) -> ChanceCells | None:
        """Return a map on the cells of overlapping patches by the key of its head; None while it is not made."""
        return self.finer.cells(replace(recipe, cut=cut), key)
