"""A full tile of 13 bands as GeoTIFF: making it, taking it in, and the way to features and a layout of its patches.

Processor seconds of taking it in are beside those of unpacking and packing its pixels once, which cannot be spared.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio
from rasterio.windows import Window

from core.features.encode import CACHE_BYTES
from tests.bench.test_products import spent

pytestmark = pytest.mark.bench

SIDE = 10_980
MOST_TIMES = 1.9
"""Processor seconds of taking a tile in, as a multiple of unpacking and packing it."""
MOST_BYTES = 2**30


def run(folder: Path, *words: object) -> tuple[float, float, str]:
    """Run a command; return seconds on the clock, of processors, and what it printed."""
    told: list[str] = []
    environment = {**os.environ, "LANDLIKE_DATA": str(folder / "data")}

    def work() -> None:
        command = [sys.executable, "-m", "core", *map(str, words)]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=900)
        told.append(done.stdout)

    return *spent(work), told[0]


def repack(source: Path, out: Path) -> None:
    """Unpack all pixels once and pack them as scenes are kept, without overviews."""
    options = {"compress": "zstd", "zstd_level": 1, "predictor": 2, "interleave": "band", "num_threads": "all_cpus"}
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES, GDAL_NUM_THREADS="ALL_CPUS"), rasterio.open(source) as data:
        profile = {**data.profile, **options, "bigtiff": "if_safer"}
        profile.pop("zlevel", None)
        with rasterio.open(out, "w", **profile) as copy:
            for row in range(0, data.height, 1024):
                window = Window(0, row, data.width, min(1024, data.height - row))
                for band in range(1, data.count + 1):
                    copy.write(data.read(band, window=window), band, window=window)
    out.unlink()


def test_a_full_tile_from_its_file_to_a_layout(tmp_path: Path) -> None:
    tile, features = tmp_path / "tile.tif", tmp_path / "F.parquet"
    seconds, processor, _ = run(tmp_path, "synthetic", "--size", SIDE, "--seed", 3, "--out", tile)
    print(f"\nmaking {SIDE:,} × {SIDE:,}: {seconds:.0f} s, {processor:.0f} processor-seconds")
    plain_seconds, plain = spent(lambda: repack(tile, tmp_path / "copy.tif"))
    seconds, processor, record = run(tmp_path, "scene", tile)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(f"taking it in: {seconds:.0f} s, {processor:.0f} processor-seconds, peak {peak / 2**20:.0f} MB")
    print(f"unpacking and packing alone: {plain_seconds:.0f} s, {plain:.0f}; {processor / plain:.2f} times that")
    scene = json.loads(record)["scene"]
    embedded, busy, _ = run(tmp_path, "embed", scene, "--out", features)
    laid, busier, _ = run(tmp_path, "project", features, "--out", tmp_path / "L.parquet")
    print(f"features: {embedded:.0f} s, {busy:.0f} processor-seconds; a layout: {laid:.0f} s, {busier:.0f}")
    print(f"from the file to a layout: {seconds + embedded + laid:.0f} s")
    assert processor <= MOST_TIMES * plain
    assert peak <= MOST_BYTES
