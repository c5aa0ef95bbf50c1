"""The engine: ask, wait, have; nothing computed twice; a deleted scene is gone."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.bands import FloatArray
from core.config import FIRST_SCENES, Config
from core.encoders.registry import default_encoder, matching_encoder
from core.engine.background import default_lanes, job_kinds, job_lanes
from core.engine.operations import Engine
from core.engine.tasks import LABELS_TOPIC, at_cluster, delete_task, warm_encoder
from core.errors import EncoderError, PatchError, SceneError, StoreError
from core.ingest.bands.choices import scale_asked, scales_asked
from core.ingest.settings import IngestSettings, settings_from_dict
from core.jobs.files import JobFiles, Record
from core.jobs.lanes import Lane
from core.jobs.pool import WorkerPool
from core.jobs.worker import Work
from core.mirror.opening import at_worker
from core.progress import Progress, silent
from core.projection.settings import ProjectionSettings
from core.scenes.cut import Cut
from core.scenes.labels import give_label, given_windows
from core.scenes.patches import patch_grid
from core.scenes.quality import Finding, load_quality
from core.scenes.scene import Scene
from core.similarity.clusters import ClusterSettings, find_clusters
from core.synthetic.landscape import write_synthetic
from tests.fakes import ThreadWorker, place_scene

ROOT = Path(__file__).resolve().parents[3]


def config(root: Path) -> Config:
    return Config(root=root, model_cache=root / "models")


def thread_lanes() -> dict[str, Lane]:
    return {
        name: Lane(executor=ThreadWorker) for name in ("scene", "encode", "project", "trust", "stability", "classify")
    }


class Layouts:
    """In place of UMAP: the first two features, and how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[ProjectionSettings] = []

    def __call__(
        self, vectors: FloatArray, settings: ProjectionSettings, labels: object, progress: Progress = silent
    ) -> FloatArray:
        self.asked.append(settings)
        progress(1, 1)
        return vectors[:, :2] * settings.n_neighbors


@pytest.fixture
def layouts(monkeypatch: pytest.MonkeyPatch) -> Layouts:
    fake = Layouts()
    monkeypatch.setattr("core.projection.layout.fast_layout", fake)
    return fake


@pytest.fixture
def engine(tmp_path: Path, here: None) -> Iterator[Engine]:
    engine = Engine(config(tmp_path), thread_lanes())
    engine.start()
    yield engine
    engine.close()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return place_scene(tmp_path)


def test_encode_then_read(engine: Engine, scene: Scene) -> None:
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(16))
    assert not engine.encoded(recipe)
    with pytest.raises(StoreError, match="they are not complete"):
        engine.features(recipe)
    job = engine.jobs.wait(engine.submit_encode(recipe).id, 60)
    assert (job.state, job.kind, job.done, job.total) == ("done", "encode", 80, 80)
    assert engine.encoded(recipe)
    features = engine.features(recipe)
    assert len(features) == 80
    assert engine.store.recipes(scene.id) == [recipe]
    assert engine.store.spec(recipe) == engine.spec("spectral")


def test_what_is_encoded_is_not_encoded_again(engine: Engine, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(16))
    engine.jobs.wait(engine.submit_encode(recipe).id, 60)
    monkeypatch.setattr("core.encoders.spectral.SpectralEncoder.infer", None)
    again = engine.submit_encode(recipe)
    assert (again.state, again.message) == ("done", recipe.key)
    assert len(engine.encode_now(scene, recipe)) == 80


def test_recipes_are_normalised_and_checked(engine: Engine, scene: Scene) -> None:
    assert engine.recipe(scene, "spectral") == engine.recipe(scene, "spectral", cut=Cut.of(64))
    fixed = replace(scene, patch_size=32)
    assert engine.recipe(fixed, "spectral", cut=Cut.of(64)).cut == Cut.of(32)
    with pytest.raises(PatchError):
        engine.recipe(scene, "spectral", cut=Cut.of(256))
    with pytest.raises(EncoderError):
        engine.recipe(scene, "no such encoder")


def test_asking_for_a_projection_asks_for_features_first(engine: Engine, scene: Scene, layouts: Layouts) -> None:
    recipe, settings = engine.recipe(scene, "spectral", cut=Cut.of(16)), ProjectionSettings()
    assert engine.projection(recipe, settings) is None
    job = engine.submit_projection(recipe, settings)
    assert {job.kind for job in engine.jobs.jobs()} == {"encode", "project"}
    assert engine.jobs.wait(job.id, 60).state == "done"
    positions = engine.projection(recipe, settings)
    assert positions is not None
    np.testing.assert_array_equal(positions, engine.features(recipe).vectors[:, :2] * 15)
    assert not positions.flags.writeable


def test_other_projection_settings_encode_nothing(
    engine: Engine, scene: Scene, layouts: Layouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(16))
    engine.jobs.wait(engine.submit_projection(recipe, ProjectionSettings()).id, 60)
    monkeypatch.setattr("core.encoders.spectral.SpectralEncoder.infer", None)
    other = ProjectionSettings(n_neighbors=30)
    assert engine.jobs.wait(engine.submit_projection(recipe, other).id, 60).state == "done"
    assert engine.submit_projection(recipe, other).state == "done"
    assert layouts.asked == [ProjectionSettings(), other]
    assert engine.projection(recipe, ProjectionSettings()) is not None


def test_clusters_are_asked_for_made_once_and_kept(
    engine: Engine, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(16))
    assert engine.clusters(recipe) is None
    job = engine.submit_clusters(recipe)
    assert {job.kind for job in engine.jobs.jobs()} == {"encode", "groups"}
    assert engine.jobs.wait(job.id, 60).state == "done"
    found, wanted = engine.clusters(recipe), find_clusters(engine.features(recipe).vectors)
    assert found is not None
    np.testing.assert_array_equal(found.index, wanted.index)
    assert found.index.dtype == np.int16
    assert not found.index.flags.writeable
    assert found.scores == wanted.scores
    assert engine.clusters(recipe, ClusterSettings(count=3)) is None
    monkeypatch.setattr("core.similarity.clusters.find_clusters", None)
    assert engine.submit_clusters(recipe).state == "done"
    engine.jobs.wait(engine.delete_scene(scene.id).id, 60)
    assert not list((tmp_path / "groups").rglob("*.npy"))
    assert engine.clusters(recipe) is None


def test_stability_is_measured_once_kept_and_goes_with_the_features(
    engine: Engine, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(16))
    engine.jobs.wait(engine.submit_encode(recipe).id, 60)
    assert engine.stability(recipe) is None
    job = engine.submit_stability(recipe)
    assert (job.kind, engine.jobs.wait(job.id, 60).state) == ("stability", "done")
    found = engine.stability(recipe)
    assert found is not None
    assert found.shape == (len(engine.features(recipe)),)
    assert ((found >= 0) & (found <= 1)).all()
    assert [path.name for path in (tmp_path / "stability").rglob("*.npy")] == [f"{recipe.key}-shift8-10.npy"]
    monkeypatch.setattr("core.evaluation.grid_shift.stability", None)
    assert engine.submit_stability(recipe).state == "done"
    engine.jobs.wait(engine.delete_features(recipe).id, 60)
    assert not list((tmp_path / "stability").rglob("*.npy"))


def test_a_damaged_projection_counts_as_none_and_is_made_again(
    engine: Engine, scene: Scene, layouts: Layouts, tmp_path: Path
) -> None:
    recipe, settings = engine.recipe(scene, "spectral", cut=Cut.of(16)), ProjectionSettings()
    engine.jobs.wait(engine.submit_projection(recipe, settings).id, 60)
    path = next((tmp_path / "projections").rglob("*.npy"))
    raw = bytearray(path.read_bytes())
    raw[200] ^= 1
    path.write_bytes(raw)
    assert engine.projection(recipe, settings) is None
    engine.jobs.wait(engine.submit_projection(recipe, settings).id, 60)
    assert engine.projection(recipe, settings) is not None


def test_a_deleted_scene_is_gone_with_all_that_was_made_of_it(
    engine: Engine, scene: Scene, layouts: Layouts, tmp_path: Path
) -> None:
    recipe, settings = engine.recipe(scene, "spectral", cut=Cut.of(16)), ProjectionSettings()
    engine.jobs.wait(engine.submit_projection(recipe, settings).id, 60)
    assert engine.disk_bytes(scene.id) > engine.library.disk_bytes(scene.id) + engine.store.disk_bytes(scene.id)
    job = engine.delete_scene(scene.id)
    assert scene.id not in engine.library
    assert engine.jobs.wait(job.id, 60).state == "done"
    assert engine.disk_bytes(scene.id) == 0
    assert not engine.encoded(recipe)
    assert engine.projection(recipe, settings) is None
    assert not list(tmp_path.rglob("*.npy"))
    with pytest.raises(SceneError):
        engine.submit_encode(recipe)


def test_deleting_a_scene_stops_work_on_it(tmp_path: Path, scene: Scene) -> None:
    engine = Engine(config(tmp_path), thread_lanes())
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(16))
    waiting = engine.submit_encode(recipe)
    engine.delete_scene(scene.id)
    found = engine.jobs.get(waiting.id)
    assert found is not None
    assert found.state == "cancelled"


@pytest.mark.parametrize("scene_id", ["../../etc", "A", "", "x/y"])
def test_only_ids_of_scenes_can_be_deleted(engine: Engine, scene_id: str) -> None:
    with pytest.raises(SceneError):
        engine.delete_scene(scene_id)


def test_a_synthetic_scene_is_made_once(engine: Engine) -> None:
    made = engine.jobs.wait(engine.submit_synthetic(size=256).id, 60)
    assert made.state == "done"
    assert engine.library.get(made.message).synthetic
    assert engine.submit_synthetic(size=256).state == "done"


def test_a_sample_that_the_version_before_asked_for_is_synthetic(engine: Engine) -> None:
    waiting = engine.jobs.submit("sample", "64-5", "Making the sample scene", {"size": 64, "seed": 5})
    made = engine.jobs.wait(waiting.id, 60)
    assert (made.state, made.message) == ("done", "sample-64-5")
    assert engine.library.get("sample-64-5").synthetic


@pytest.mark.parametrize("first", FIRST_SCENES)
def test_the_first_scene_is_as_configured(tmp_path: Path, first: str) -> None:
    engine = Engine(replace(config(tmp_path), first_scene=first), {})
    assert engine.submit_first().kind == first


def test_deleting_one_cut_stops_its_work_and_removes_what_was_made_of_it(
    engine: Engine, scene: Scene, layouts: Layouts
) -> None:
    settings = ProjectionSettings()
    kept, gone = (engine.recipe(scene, "spectral", cut=cut) for cut in (Cut.of(16), Cut.of(16, 12, edge="cover")))
    for recipe in (kept, gone):
        engine.jobs.wait(engine.submit_projection(recipe, settings).id, 60)
        engine.jobs.wait(engine.submit_clusters(recipe).id, 60)
    before = engine.disk_bytes(scene.id)
    job = engine.delete_features(gone)
    assert not engine.encoded(gone), "at once"
    assert engine.jobs.wait(job.id, 60).state == "done"
    assert engine.store.recipes(scene.id) == [kept]
    assert engine.projected(kept, settings)
    assert not engine.layouts.has(gone, settings.key)
    assert not engine.clustered.has(gone, ClusterSettings().key)
    assert engine.clusters(kept) is not None
    assert engine.disk_bytes(scene.id) < before
    assert engine.jobs.wait(engine.submit_encode(gone).id, 60).state == "done", "it can be made again"


def test_what_killed_workers_left_is_swept_away(tmp_path: Path) -> None:
    engine = Engine(config(tmp_path), {})
    old, fresh = engine.library.root / ".staging-old", engine.library.root / ".staging-fresh"
    old.mkdir()
    fresh.mkdir()
    (old / "pixels.tif").touch()
    os.utime(old, (0, 0))
    engine.start()
    engine.close()
    assert not old.exists()
    assert fresh.exists()


def test_an_ingest_that_is_refused_tells_why(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "empty.tif"
    path.touch()
    ended = engine.jobs.wait(engine.submit_ingest([path]).id, 60)
    assert ended.state == "failed"
    assert ended.message.count("; ") >= 1
    assert ended.message.endswith(".")
    assert "empty.tif" in ended.title


def test_an_encoder_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="have changed since it was chosen"):
        matching_encoder("spectral", "0" * 64, config(tmp_path))


def test_every_kind_has_a_lane(tmp_path: Path) -> None:
    assert {kind.lane for kind in job_kinds(config(tmp_path)).values()} == default_lanes(config(tmp_path)).keys()
    cluster = replace(config(tmp_path), scheduler="tcp://127.0.0.1:1")
    kinds = job_kinds(cluster)
    assert {kind.lane for kind in kinds.values()} == job_lanes(cluster).keys()
    # A worker that waited for other workers would keep one of them from its work.
    here = [name for name, kind in kinds.items() if getattr(kind.task, "func", None) is not at_cluster]
    assert here == ["encode", "trial"]
    assert at_worker(cluster).scheduler == ""
    assert isinstance(job_lanes(cluster)["encode"].executor(), WorkerPool)


def test_reopening_needs_no_database(
    engine: Engine, scene: Scene, layouts: Layouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, settings = engine.recipe(scene, "spectral", cut=Cut.of(16)), ProjectionSettings()
    engine.jobs.wait(engine.submit_projection(recipe, settings).id, 60)
    for name in [name for name in sys.modules if name.partition(".")[0] in {"lancedb", "lance", "umap", "openvino"}]:
        monkeypatch.setitem(sys.modules, name, None)  # Whoever imports one now is refused.
    for name in ("lancedb", "lance", "umap", "openvino"):
        monkeypatch.setitem(sys.modules, name, None)
    again = Engine(config(engine.config.root), {})
    assert again.store.recipes(scene.id) == [recipe]
    assert len(again.features(recipe)) == 80
    assert again.projection(recipe, settings) is not None


def test_the_encoder_that_was_warmed_up_is_the_one_that_encodes(tmp_path: Path, scene: Scene) -> None:
    """It is loaded once: by the words that its recipe asks for it by, and for patches of the usual size."""
    where = config(tmp_path)
    lanes = default_lanes(where)
    assert lanes["encode"].warm_beside == {"ingest"}
    warm_encoder(where)
    loaded = matching_encoder.cache_info().misses
    recipe = Engine(where, lanes={}).recipe(scene, default_encoder())
    matching_encoder(recipe.encoder, recipe.fingerprint, where)
    assert matching_encoder.cache_info().misses == loaded


def test_a_deletion_is_undone_with_all_that_was_made_of_the_scene(
    engine: Engine, scene: Scene, layouts: Layouts
) -> None:
    recipe, settings = engine.recipe(scene, "spectral", cut=Cut.of(16)), ProjectionSettings()
    engine.jobs.wait(engine.submit_projection(recipe, settings).id, 60)
    vectors, taken = engine.features(recipe).vectors.copy(), engine.disk_bytes(scene.id)
    engine.set_scene_aside(scene.id)
    assert scene.id not in engine.library
    assert engine.disk_bytes(scene.id) > taken
    assert engine.library.bring_back(scene.id)
    assert engine.disk_bytes(scene.id) == taken
    np.testing.assert_array_equal(engine.features(recipe).vectors, vectors)
    assert engine.projection(recipe, settings) is not None


def test_a_day_after_a_deletion_the_next_start_removes_it_for_good(tmp_path: Path, scene: Scene) -> None:
    engine = Engine(config(tmp_path), thread_lanes())
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(16))
    engine.encode_now(scene, recipe)
    engine.set_scene_aside(scene.id)
    engine.sweep_trash()
    assert [gone.id for gone in engine.library.trash.scenes()] == [scene.id]
    note = engine.library.trash.root / scene.id / "deleted.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"at": time.time() - 24 * 3600 - 1}))
    engine.start()
    try:
        job = next(job for job in engine.jobs.jobs() if job.kind == "delete")
        assert engine.jobs.wait(job.id, 60).state == "done"
        assert not list(engine.library.trash.root.iterdir())
        assert engine.disk_bytes(scene.id) == 0
        assert not engine.encoded(recipe)
    finally:
        engine.close()


def test_the_removal_of_features_spares_a_scene_that_came_back(tmp_path: Path, scene: Scene) -> None:
    engine = Engine(config(tmp_path), thread_lanes())
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(16))
    engine.encode_now(scene, recipe)
    delete_task(engine.config, Work(JobFiles(tmp_path / "jobs"), "x", "Deleting"), {"scene_id": scene.id})
    assert engine.encoded(recipe)
    engine.set_scene_aside(scene.id)
    delete_task(engine.config, Work(JobFiles(tmp_path / "jobs"), "x", "Deleting"), {"scene_id": scene.id})
    assert engine.encoded(recipe)


def upload(engine: Engine) -> Scene:
    """A scene of 3 × 4 patches of 64 pixels, taken in as uploads are."""
    path = engine.config.root / "uploads" / "one" / "fields.tif"
    path.parent.mkdir(parents=True)
    write_synthetic(path, size=192, seed=1)
    job = engine.jobs.wait(engine.submit_ingest([path], name="Fields").id, 60)
    return engine.library.get(job.message)


def test_a_scene_read_again_keeps_its_name_and_its_labels_and_its_place_is_taken(engine: Engine) -> None:
    old = upload(engine)
    give_label(old, patch_grid(old), [0, 4], "Forest")
    engine.jobs.wait(engine.submit_rereading(old, IngestSettings(date="2020-02-02"), old.name, replace=True).id, 60)
    (new,) = engine.library.scenes()
    assert (new.name, new.date) == ("Fields", "2020-02-02")
    assert given_windows(new) == {"Forest": {(0, 0, 64), (64, 64, 64)}}
    line = load_quality(new.directory).findings[-1]
    assert (line.topic, line.value, line.basis) == (LABELS_TOPIC, "2 kept", "read")
    gone = engine.library.trash.find(old.id)
    assert gone is not None
    assert (gone.name, gone.successor) == ("Fields", new.id)
    assert engine.library.bring_back(old.id)
    assert given_windows(old) == given_windows(new)
    assert [path.name for path in engine.library.origin(new.id)] == ["fields.tif"]


def test_a_copy_read_again_leaves_the_scene_as_it_is(engine: Engine) -> None:
    old = upload(engine)
    give_label(old, patch_grid(old), [0], "Forest")
    again = engine.submit_rereading(old, IngestSettings(level="L2A"), "Fields, L2A", replace=False)
    new = engine.library.get(engine.jobs.wait(again.id, 60).message)
    assert {scene.name: scene.level for scene in engine.library.scenes()} == {"Fields": old.level, "Fields, L2A": "L2A"}
    assert given_windows(new) == given_windows(old)
    same = engine.submit_rereading(old, IngestSettings(level="L2A"), "Other", replace=True)
    assert engine.jobs.wait(same.id, 60).message == new.id
    assert old.id in engine.library, "what is there already takes nobody's place"


def test_what_is_known_of_a_source_stays_known_when_it_is_read_again(engine: Engine) -> None:
    old = upload(engine)
    record = load_quality(old.directory)
    facts = (("licence", None), ("date", "date"), ("level", "level"))
    known = tuple(
        Finding(topic=topic, value="of these files", basis="known", because="a test says so", override=override)
        for topic, override in facts
    )
    told = replace(record, findings=known, settings=IngestSettings(date="2020-02-02", level="L1C").to_dict())
    (old.directory / "quality.json").write_text(told.to_json())
    again = engine.submit_rereading(old, IngestSettings(date="2020-02-02", level="L2A"), "Fields", replace=False)
    new = engine.library.get(engine.jobs.wait(again.id, 60).message)
    basis = {line.topic: line.basis for line in load_quality(new.directory).findings}
    assert (basis["licence"], basis["date"], basis["level"]) == ("known", "known", "chosen")


@pytest.mark.parametrize("replaces", [True, False])
def test_one_date_of_a_series_read_again_keeps_its_place_and_a_copy_of_it_stands_alone(
    engine: Engine, replaces: bool
) -> None:
    path = engine.config.root / "uploads" / "one" / "delta.npy"
    path.parent.mkdir(parents=True)
    land = np.random.default_rng(0).integers(200, 4000, (1, 4, 64, 64))
    np.save(path, np.concatenate([land, land + 100]).astype(np.uint16))
    bands = IngestSettings(bands=("B02", "B03", "B04", "B08"), scale="dn")
    first = engine.jobs.wait(engine.submit_ingest([path], bands, name="Delta").id, 60)
    assert first.state == "done", first.message
    old = engine.library.get(first.message)
    assert old.series is not None
    settings = replace(settings_from_dict(load_quality(old.directory).settings), level="L2A")
    again = engine.submit_rereading(old, settings, old.name if replaces else "Copy", replace=replaces)
    new = engine.library.get(engine.jobs.wait(again.id, 60).message)
    assert (new.name, new.level) == (old.name if replaces else "Copy", "L2A")
    assert new.series == (old.series if replaces else None)
    together = [scene.id for scene in engine.library.series(old.series.id)]
    assert len(together) == 2
    assert together[0] == (new.id if replaces else old.id)


def test_an_upload_that_waits_for_an_answer_is_asked_about_after_a_restart(tmp_path: Path) -> None:
    """Uploads that nobody waits for any more are gone a day later."""
    asked, left, fresh = (tmp_path / "uploads" / f"upload-{name}" / "field.tif" for name in ("asked", "left", "fresh"))
    for path in (asked, left, fresh):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"II*\0")
    for path in (asked, left):
        os.utime(path.parent, (time.time() - 2 * 24 * 3600,) * 2)
    payload = {"paths": [str(asked)], "settings": IngestSettings().to_dict(), "name": None}
    question = str(scale_asked("nothing tells", "B04", {"dn": 0.31, "dn+1000": 0.21}))
    ended = time.time() - 3600
    JobFiles(tmp_path / "jobs").write(
        Record(id="a", kind="ingest", title="", payload=payload, state="failed", message=question, finished=ended)
    )
    engine = Engine(config(tmp_path), thread_lanes())
    engine.start()
    (job,) = engine.jobs.jobs()
    engine.close()
    assert (job.state, list(scales_asked(job.message))) == ("failed", ["dn", "dn+1000"])
    assert engine.jobs.payload(job.id)["paths"] == [str(asked)]
    assert (asked.exists(), left.exists(), fresh.exists()) == (True, False, True)
