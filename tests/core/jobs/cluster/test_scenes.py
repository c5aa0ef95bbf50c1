"""Whole scenes over the workers of a real cluster: the same bytes as on one computer. Who dies is ``test_chunks``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.config import Config, settings
from core.engine.batch.inputs import batch_inputs
from core.engine.batch.run import in_turn, on_cluster, run_batch
from core.engine.batch.wish import BatchWish, fingerprint_of
from core.jobs.cluster.connection import cluster_at
from tests.clusters import LocalCluster, workers_ready
from tests.tiles import write_tile


def files(out: Path) -> dict[str, bytes]:
    found = [*out.rglob("*.parquet"), *out.rglob("*.stac.json"), out / "collection.json"]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in found}


@pytest.mark.usefixtures("here")  # As far as this computer does them itself.
def test_scenes_of_a_cluster_are_those_of_one_computer(cluster: LocalCluster, tmp_path: Path) -> None:
    write_tile(tmp_path / "in" / "T31UFS_20240601.tif", 1)
    workers_ready(cluster.address, tmp_path, 2)
    here = replace(settings({}), root=tmp_path)
    there = replace(here, scheduler=cluster.address)
    wish = BatchWish(encoder="spectral", fingerprint=fingerprint_of("spectral", None, here))

    def run(out: Path, config: Config) -> list[str]:
        inputs = batch_inputs(str(tmp_path / "in"), str(out))
        mapped = on_cluster(config) if config.scheduler else in_turn
        return [step.state for step in run_batch(inputs, wish, str(out), config, mapped=mapped)]

    assert run(tmp_path / "cluster", there) == ["written"]
    assert run(tmp_path / "alone", here) == ["written"]
    assert files(tmp_path / "cluster") == files(tmp_path / "alone")
    cluster_at(cluster.address, tmp_path).close()
