"""The store of features, in LanceDB: one table an encoder, a row a patch. Small results: ``derived``.

A run appends its chunks to a table of its own; when it is done, its rows move into the encoder's table in one commit.
So the encoder's table consists of few large pieces, and neither table needs compacting while people wait. Every commit
is atomic. Beside the tables lie

- a small record a run (``core.features.runs``): what was planned, what was skipped, whether all is there,
- a snapshot of each finished run (``core.features.snapshots``), from which it is read without LanceDB,
- lock files (``core.files``), which make sure that one process at a time writes.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from core.encoders.base import EncoderSpec
from core.errors import BucketError, StoreError
from core.features.arrow import READ_COLUMNS, schema, to_arrow, to_features, without
from core.features.database import connect
from core.features.recipe import FeatureBatch, Features, Recipe
from core.features.runs import RunRecord, Runs
from core.features.snapshots import Snapshots
from core.files import discard, disk_full, exists, locked, mirror_of, never
from core.scenes.patches import IntArray

ROW_BYTES = 160
"""Bytes of a row beside its vector: places, statistics of thirteen bands, ids."""


def stored_bytes(patches: int, spec: EncoderSpec) -> int:
    """Return bytes on disk of the features of so many patches, table and snapshot."""
    return 2 * patches * (4 * spec.dimension + ROW_BYTES)


FAILURES = (OSError, RuntimeError, ValueError, pa.ArrowException)
"""What LanceDB and the system raise when files cannot be written or read."""

_OF_BUCKETS = re.compile(r"https?://|Generic (S3|GCS|MicrosoftAzure)|RetryError|HTTP error|privileges")
"""What LanceDB says of a bucket that fails, and never of files that are damaged."""

_OPTIONS = {"allow_http": "true", "client_max_retries": "100", "client_retry_timeout": "180"}
"""How LanceDB asks a bucket: as long as we do. Credentials and endpoint it reads from the environment itself, and only
such an endpoint begins with http."""

_log = logging.getLogger(__name__)


class FeatureSink(Protocol):
    """What a run writes features into, one recipe at a time; errors as of ``FeatureStore``."""

    def claim(self, recipe: Recipe, cancelled: Callable[[], bool] = never) -> AbstractContextManager[None]:
        """Hold the sole right to run a recipe."""

    def complete(self, recipe: Recipe) -> bool:
        """Tell whether every patch of a recipe is there or skipped."""

    def begin(self, recipe: Recipe, spec: EncoderSpec, planned: int) -> IntArray:
        """Open a run; returns ascending int64 ids of the patches that need no work."""

    def append(self, recipe: Recipe, spec: EncoderSpec, batch: FeatureBatch) -> None:
        """Take features of some patches, all or none."""

    def skip(self, recipe: Recipe, ids: IntArray) -> None:
        """Remember patches that need no features."""

    def count(self, recipe: Recipe) -> int:
        """Return the number of patches whose features are there."""

    def finish(self, recipe: Recipe, spec: EncoderSpec, rate: float = 0.0) -> None:
        """End the run."""


class FeatureStore:
    """Features under ``root``/features; any number of readers, one writer at a time; safe to use from threads."""

    def __init__(self, root: Path) -> None:
        self.root = root / "features"
        self.root.mkdir(parents=True, exist_ok=True)
        self.runs = Runs(self.root / "runs")
        self.snapshots = Snapshots(self.root / "snapshots")

    def claim(self, recipe: Recipe, cancelled: Callable[[], bool] = never) -> AbstractContextManager[None]:
        """Hold the sole right to run a recipe; waits while another process runs the same one."""
        return locked(self.root / "locks" / f"{recipe.key}.lock", cancelled)

    def begin(self, recipe: Recipe, spec: EncoderSpec, planned: int) -> IntArray:
        """Open a run, or reopen a stopped one; call under ``claim``.

        Tables that cannot be read are dropped, so that the run can start over.

        Returns:
            Ascending int64 ids of the patches that need no work: already stored, or skipped for want of valid data.
        """
        record = self.runs.get(recipe)
        try:
            if record is not None and record.suspect:
                self._read_twice(recipe)
            done = self.done_ids(recipe)
        except BucketError:
            raise
        except StoreError as error:
            _log.warning("Dropping damaged features: %s", error)
            self._discard(recipe)
            done = np.empty(0, np.int64)
        skipped = self.runs.skipped(recipe)
        self.runs.put(RunRecord(recipe=recipe, spec=spec, planned=planned, stored=len(done)))
        return np.union1d(done, skipped)

    def append(self, recipe: Recipe, spec: EncoderSpec, batch: FeatureBatch) -> None:
        """Commit features of some patches, all or none; call under ``claim``.

        Raises:
            StoreError: when they cannot be written, as when the disk is full.
        """
        with self._storing(recipe):
            self._table(_run_table(recipe), schema(spec.dimension)).add(to_arrow(recipe, batch, spec.dimension))

    def skip(self, recipe: Recipe, ids: IntArray) -> None:
        """Remember patches that need no features; call under ``claim``."""
        with self._storing(recipe):
            self.runs.skip(recipe, ids)

    def finish(self, recipe: Recipe, spec: EncoderSpec, rate: float = 0.0) -> None:
        """Move a run's rows into the encoder's table and mark it complete; call under ``claim``; may be repeated.

        Args:
            recipe: the run's.
            spec: the encoder that ran.
            rate: patches a second that it encoded; 0 = not measured.

        Raises:
            StoreError: when they cannot be written.
        """
        with self._storing(recipe), locked(self.root / "locks" / f"{_encoder_table(recipe)}.lock"):
            run = self._open(_run_table(recipe))
            if run is not None:
                table = self._table(_encoder_table(recipe), schema(spec.dimension))
                older = _ids(table, recipe)
                if not np.isin(_ids(run, recipe), older).all():
                    table.add(without(run.search().to_batches(), run.schema, older))
            ids = self._snapshot(recipe)
            planned = len(ids) + self.runs.skipped(recipe).size
            record = RunRecord(recipe=recipe, spec=spec, planned=planned, stored=len(ids), rate=rate)
            self.runs.put(record.finished())
            if run is not None:
                self._database().drop_table(_run_table(recipe))

    def complete(self, recipe: Recipe) -> bool:
        """Tell whether every patch of a recipe is stored or skipped; reads one small file."""
        record = self.runs.get(recipe)
        return record is not None and record.complete

    def done_ids(self, recipe: Recipe) -> IntArray:
        """Return ascending int64 ids of the patches whose features are stored.

        Raises:
            StoreError: when the store is damaged.
        """
        with self._reading(recipe):
            return np.unique(np.concatenate([_ids(table, recipe) for table in self._tables(recipe)] or [_NO_IDS]))

    def count(self, recipe: Recipe) -> int:
        """Return number of patches whose features are stored."""
        return len(self.done_ids(recipe))

    def read(self, recipe: Recipe) -> Features:
        """Return all stored features of a recipe, ordered by patch id, each patch once.

        Arrays are read-only; of complete runs they are mapped from the snapshot.

        Raises:
            StoreError: when there are none, or when the store is damaged; the run then counts as incomplete.
        """
        if self.complete(recipe) and (snapshot := self.snapshots.read(recipe)) is not None:
            return snapshot
        try:
            features = self._read_twice(recipe)
            self._check_whole(recipe, features)
        except BucketError:
            raise
        except StoreError:
            self.runs.suspect(recipe)
            raise
        return features

    def recipes(self, scene_id: str) -> list[Recipe]:
        """Return recipes of a scene whose features are complete, newest first."""
        return [record.recipe for record in self.runs.of_scene(scene_id) if record.complete]

    def spec(self, recipe: Recipe) -> EncoderSpec | None:
        """Return the specification of the encoder that made a recipe's features; None when it never ran."""
        record = self.runs.get(recipe)
        return None if record is None else record.spec

    def delete_scene(self, scene_id: str) -> None:
        """Remove all features of a scene and give their disk space back.

        Raises:
            StoreError: when they cannot be removed.
        """
        for record in self.runs.of_scene(scene_id):
            self.delete(record.recipe)

    def delete(self, recipe: Recipe) -> None:
        """Remove the features of one recipe and give their disk space back.

        Raises:
            StoreError: when they cannot be removed.
        """
        with self.claim(recipe), locked(self.root / "locks" / f"{_encoder_table(recipe)}.lock"):
            self.runs.suspect(recipe)  # It counts as absent at once, and is known until all of it is gone.
            self.snapshots.remove(recipe)
            try:
                self._delete_rows(recipe)
            except FAILURES as error:
                self._check_reached(f"Deleting the features of {recipe.scene_id}", error)
                _log.warning("Dropping a damaged table while deleting %s: %s", recipe.key, _told(error))
                self._drop(_encoder_table(recipe))
                self.runs.remove_fingerprint(recipe.fingerprint)
            self._drop(_run_table(recipe))
            self.runs.remove(recipe)

    def disk_bytes(self, scene_id: str) -> int:
        """Return bytes on disk of a scene's features, table and snapshot, computed from their number."""
        return sum(stored_bytes(record.stored, record.spec) for record in self.runs.of_scene(scene_id))

    def _snapshot(self, recipe: Recipe) -> IntArray:
        """Write the snapshot of a finished run; without one, reading only takes longer."""
        table = self._open(_encoder_table(recipe))
        if table is None:
            return _NO_IDS
        ids = np.unique(_ids(table, recipe))
        try:
            self.snapshots.write(recipe, ids, _rows(table, recipe))
        except OSError as error:
            _log.warning("No snapshot of %s: %s", recipe.key, error)
        return ids

    def _delete_rows(self, recipe: Recipe) -> None:
        table = self._open(_encoder_table(recipe))
        if table is not None and _ids(table, recipe).size:
            table.delete(_where(recipe))
            table.optimize(cleanup_older_than=timedelta(milliseconds=1), delete_unverified=True)

    def _discard(self, recipe: Recipe) -> None:
        """Drop the tables a recipe lies in that cannot be read; runs that lay in them start over."""
        self._drop(_run_table(recipe))
        self.runs.forget_skipped(recipe)
        with locked(self.root / "locks" / f"{_encoder_table(recipe)}.lock"):
            self._drop(_encoder_table(recipe))
            self.runs.remove_fingerprint(recipe.fingerprint)

    def _drop(self, name: str) -> None:
        """Remove a table, readable or not."""
        discard(self.root / f"{name}.lance")

    def _check_whole(self, recipe: Recipe, features: Features) -> None:
        record = self.runs.get(recipe)
        if record is not None and record.complete and len(features) != record.stored:
            found = f"{len(features)} of {record.stored} patches are left"
            raise StoreError(f"Reading the features of {recipe.scene_id}", found, "encode the scene again")

    def _read_twice(self, recipe: Recipe) -> Features:
        """Read, and once more if files went away meanwhile because a deletion compacted the table."""
        try:
            with self._reading(recipe):
                return self._read(recipe)
        except StoreError as error:
            if error.__cause__ is None:
                raise
            with self._reading(recipe):
                return self._read(recipe)

    def _read(self, recipe: Recipe) -> Features:
        batches = [batch for table in self._tables(recipe) for batch in _rows(table, recipe)]
        if not sum(batch.num_rows for batch in batches):
            raise StoreError(f"Reading the features of {recipe.scene_id}", "there are none", "encode the scene first")
        return to_features(recipe, batches)

    def _tables(self, recipe: Recipe) -> list[Any]:
        """Return the tables that can hold rows of a recipe: the encoder's first, then the run's own."""
        opened = [self._open(name) for name in (_encoder_table(recipe), _run_table(recipe))]
        return [table for table in opened if table is not None]

    @contextmanager
    def _storing(self, recipe: Recipe) -> Iterator[None]:
        """Turn what LanceDB and the system raise while writing into one sentence."""
        try:
            yield
        except FAILURES as error:
            asked = f"Storing the features of {recipe.scene_id}"
            if disk_full(error):
                remedy = "free some and start again, what is stored so far is kept"
                raise StoreError(asked, "the disk is full", remedy) from error
            self._check_reached(asked, error)
            _log.warning("%s: %s", asked, _told(error))
            remedy = "check the disk and its permissions, then start again"
            raise StoreError(asked, "the store could not be written", remedy) from error

    @contextmanager
    def _reading(self, recipe: Recipe) -> Iterator[None]:
        """Turn what LanceDB raises over damaged files into one sentence."""
        try:
            yield
        except FAILURES as error:
            asked = f"Reading the features of {recipe.scene_id}"
            self._check_reached(asked, error)
            _log.warning("%s: %s", asked, _told(error))
            raise StoreError(asked, "the store is damaged", "encode the scene again") from error

    def _check_reached(self, asked: str, error: BaseException) -> None:
        """Tell a bucket that failed from tables that are damaged, which would be dropped.

        Raises:
            BucketError: when the bucket failed, or fails.
        """
        mirror = mirror_of(self.root)
        if mirror is not None:
            mirror.reach()
            if _OF_BUCKETS.search(str(error)) and "not found" not in str(error).lower():
                found, remedy = "the bucket did not answer in time", "start again, what is stored so far is kept"
                raise BucketError(asked, found, remedy) from None

    def _database(self) -> Any:  # noqa: ANN401  lancedb is untyped
        mirror = mirror_of(self.root)
        return connect(str(self.root)) if mirror is None else connect(mirror.address(self.root), _OPTIONS)

    def _open(self, name: str) -> Any:  # noqa: ANN401  lancedb is untyped
        """Return a table, or None when there is none of that name."""
        if not exists(self.root / f"{name}.lance"):
            return None
        return self._database().open_table(name)

    def _table(self, name: str, columns: pa.Schema) -> Any:  # noqa: ANN401  lancedb is untyped
        return self._database().create_table(name, schema=columns, exist_ok=True)


def _told(error: BaseException) -> str:
    """Return what a log may hold of a failure: no address, for it may be signed."""
    return type(error).__name__ if "://" in str(error) else str(error)


_NO_IDS: IntArray = np.empty(0, np.int64)


def _encoder_table(recipe: Recipe) -> str:
    return f"encoder-{recipe.fingerprint[:32]}"


def _run_table(recipe: Recipe) -> str:
    return f"run-{recipe.key}"


def _where(recipe: Recipe) -> str:
    """Return a filter on the rows of a recipe; keys hold only letters, digits and ``-``."""
    return f"recipe = '{recipe.key}'"


def _rows(table: Any, recipe: Recipe) -> Iterator[pa.RecordBatch]:  # noqa: ANN401  lancedb is untyped
    found: Iterator[pa.RecordBatch] = table.search().where(_where(recipe)).select(list(READ_COLUMNS)).to_batches()
    return found


def _ids(table: Any, recipe: Recipe) -> IntArray:  # noqa: ANN401  lancedb is untyped
    found = table.search().where(_where(recipe)).select(["patch_id"]).to_arrow()
    ids: IntArray = found.column("patch_id").to_numpy()
    return ids
