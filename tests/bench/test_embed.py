"""Embedding many scenes: a few full tiles by one command, what a second run takes, and memory over fifty small ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import rasterio

from tests.bench.all_land import TileCost, all_land
from tests.bench.spending import run
from tests.tiles import write_tile

pytestmark = pytest.mark.bench

ROOT = Path(__file__).resolve().parents[2]
SIDE, TILES = 10_980, 2
MOST_PEAK = 3 * 2**30
SCENES = 50
MOST_GROWTH = 60e6
"""Bytes more memory after fifty scenes than after ten."""


def test_full_tiles_one_after_another(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    first = folder / "T31UFS_20240601.tif"
    run(tmp_path, "synthetic", "--size", SIDE, "--seed", 3, "--out", first)
    for number in range(1, TILES):
        another = folder / f"T31UFS_2024060{number + 1}.tif"
        shutil.copyfile(first, another)
        with rasterio.open(another, "r+") as data:
            data.update_tags(NUMBER=str(number))  # Another file, of the same work.
    done = run(tmp_path, "embed", folder, "--out", out)
    again = run(tmp_path, "embed", folder, "--out", out)
    rows = json.loads((out / "manifest.json").read_text())["scenes"]
    assert len(rows) == TILES
    written = sum(row["bytes"] + (out / row["item"]).stat().st_size for row in rows)
    cost = TileCost(
        patches=rows[0]["patches"], seconds=done.seconds / TILES, processor=done.processor / TILES,
        written=written / TILES, read=sum(path.stat().st_size for path in folder.iterdir()) / TILES,
    )  # fmt: skip
    alone = sum(row["seconds"] for row in rows) / TILES
    print(f"\n{TILES} tiles of {SIDE:,} × {SIDE:,} in {done.seconds:.0f} s, peak memory {done.peak / 1e6:,.0f} MB")
    print(cost.line())
    print(f"one tile from its first byte to its last: {alone:.0f} s, while the next is read")
    print(f"again, with all there: {again.seconds:.1f} s, {again.processor:.1f} processor-seconds")
    for line in all_land(cost, price=0.05, computers=100):
        print(f"all land once, {line}")
    assert done.peak <= MOST_PEAK
    assert again.processor <= 0.2 * done.processor


def test_memory_does_not_grow_with_the_number_of_scenes(tmp_path: Path) -> None:
    for number in range(SCENES):
        write_tile(tmp_path / "in" / f"T31UFS_{number:03d}.tif", number, side=256)
    command = [sys.executable, "-u", "-m", "core", "embed", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "LANDLIKE_DATA": str(tmp_path / "data")}
    began, memory = time.monotonic(), list[int]()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        watched = psutil.Process(process.pid)
        memory.extend(watched.memory_info().rss for line in process.stdout or () if "patches" in line)
    assert process.returncode == 0
    assert len(memory) == SCENES
    seconds = (time.monotonic() - began) / SCENES
    told = ", ".join(f"{memory[number - 1] / 1e6:,.0f} MB after {number}" for number in (1, 10, 20, 30, 40, 50))
    print(f"\n{SCENES} scenes of 256 × 256: {seconds:.1f} s a scene; memory {told}")
    assert memory[-1] - memory[9] <= MOST_GROWTH
