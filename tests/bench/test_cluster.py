"""Encoding by a cluster of this computer: its rate with 1, 2 and 4 workers, each of which has one processor.

With two processors this shows what the second worker brings, and what handing out parts costs: four workers share the
two, so they cannot be faster. What a network and other computers bring it cannot show.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from core.config import Config
from core.encoders.registry import describe, matching_encoder
from core.features.encode import encode_scene
from core.features.parts import encode_on_cluster
from core.features.recipe import Recipe
from core.features.store import FeatureStore
from core.jobs.cluster.connection import cluster_at
from core.scenes.cut import Cut
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.synthetic.landscape import make_synthetic
from tests.clusters import LocalCluster, workers_ready

ENCODER, BACKEND = "landlike-2", "openvino-f32"
CUT = Cut.of(64, 32)
TIMES = 2
"""The best of so many runs counts."""
LEAST_GAIN = 1.5
"""Of the second worker, where each has a processor of its own."""


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


@pytest.mark.bench
def test_the_rate_with_more_workers(tmp_path: Path) -> None:
    config = Config(root=tmp_path, model_cache=tmp_path / "models")
    scene = make_synthetic(Library(tmp_path), size=2560, seed=0)
    patches, processors = patch_grid(scene, CUT).count, sorted(psutil.Process().cpu_affinity())
    spec = describe(ENCODER, config, BACKEND)
    recipe = Recipe(scene_id=scene.id, encoder=ENCODER, fingerprint=spec.fingerprint, cut=CUT)
    first = replace(recipe, cut=Cut.of(64))
    encoder = matching_encoder(ENCODER, recipe.fingerprint, config)
    encode_scene(scene, encoder, first, FeatureStore(tmp_path / "warm"))
    stores = [FeatureStore(tmp_path / f"here-{number}") for number in range(TIMES)]
    here = [patches / seconds(partial(encode_scene, scene, encoder, recipe, store)) for store in stores]
    print(f"{patches:,} patches, {ENCODER} in f32, {len(processors)} processors, best of {TIMES}")
    print(f"without a cluster, all processors: {max(here):,.0f} patches/s")
    whole, rates = stores[0].read(recipe), {}
    for count in (1, 2, 4):
        home = tmp_path / f"{count}"
        home.mkdir()
        cluster = LocalCluster(home, workers=count, processors=processors)
        try:
            workers_ready(cluster.address, tmp_path, count)
            far = replace(config, scheduler=cluster.address)
            encode_on_cluster(scene, first, FeatureStore(home / "warm"), far, part_patches=32)
            stores = [FeatureStore(home / f"{number}") for number in range(TIMES)]
            took = [seconds(partial(encode_on_cluster, scene, recipe, store, far)) for store in stores]
            rates[count] = patches / min(took)
            assert all(store.read(recipe).vectors.tobytes() == whole.vectors.tobytes() for store in stores)
        finally:
            cluster_at(cluster.address, tmp_path).close()
            cluster.close()
        print(
            f"{count} workers of one processor: {rates[count]:,.0f} patches/s, {rates[count] / rates[1]:.2f} times one"
        )
    if len(processors) > 1:
        assert rates[2] > LEAST_GAIN * rates[1]
