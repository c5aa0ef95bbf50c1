"""A cluster whose workers share no folder with the server, but a bucket: who reaches it has a copy of his own."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config import Config, working_copy
from core.errors import JobError
from core.features.encode import encode_scene
from core.features.parts import encode_on_cluster
from core.features.recipe import Recipe
from core.features.store import FeatureStore
from core.files import never
from core.jobs.cluster.connection import cluster_at
from core.mirror.opening import close_data, open_data
from core.scenes.cut import Cut
from tests.buckets import serving
from tests.clusters import LocalCluster
from tests.fakes import PlaceEncoder, place_scene
from tests.waiting import until

BUCKET = "s3://land/some/data"


def test_a_worker_that_reaches_the_bucket_encodes_without_a_shared_folder(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = PlaceEncoder()
    config = Config(root=tmp_path / "server", model_cache=tmp_path, scheduler=cluster.address, bucket=BUCKET)
    recipe = Recipe(scene_id="place-1", encoder="place", fingerprint=encoder.spec.fingerprint, cut=Cut.of(32))
    with serving() as bucket:
        for name, value in {**bucket.environment(), "LANDLIKE_CACHE": str(tmp_path / "worker")}.items():
            monkeypatch.setenv(name, value)
        open_data(config)
        scene, store = place_scene(config.root), FeatureStore(config.root)
        far = cluster_at(cluster.address, config.root, BUCKET)
        with pytest.raises(JobError, match=rf"the worker \S+ does not reach {BUCKET}; give it the same credentials"):
            far.workers("Encoding", lambda _: None, never)
        worker = cluster.add_worker()
        try:
            until(lambda: _fit(far), 60, "no worker reaches the bucket")
            encode_on_cluster(scene, recipe, store, config, load=PlaceEncoder, spec=encoder.spec, part_patches=4)
            found = store.read(recipe)
        finally:
            worker.terminate()
            worker.wait(20)
            far.close()
            close_data(config)
    alone = FeatureStore(tmp_path / "alone")
    encode_scene(place_scene(tmp_path / "alone"), encoder, recipe, alone)
    assert found.vectors.tobytes() == alone.read(recipe).vectors.tobytes()
    copies = tmp_path / "worker" / working_copy(BUCKET).name
    assert (copies / "scenes" / "place-1" / "pixels.tif").read_bytes() == scene.pixels_path.read_bytes()
    assert not (copies / "jobs").exists()


def _fit(far: object) -> bool:
    try:
        return bool(far.workers("Testing", lambda _: None, never))  # type: ignore[attr-defined]
    except JobError:
        return False
