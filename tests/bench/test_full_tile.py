"""A full tile of 13 bands as GeoTIFF: making it, taking it in, and the way to features, a layout and the explorer.

What is spent is beside what cannot be spared: unpacking and packing its pixels once, and the encoder's arithmetic.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rasterio
from playwright.sync_api import Page
from rasterio.windows import Window

from core.config import settings
from core.encoders import eight_bits
from core.encoders.openvino import processor_key
from core.encoders.registry import ENTRIES, default_encoder, load_encoder
from core.features.encode import CACHE_BYTES
from core.features.store import FeatureStore
from core.jobs.files import JobFiles
from core.scenes.library import Library
from tests.bench.spending import Spending, run, spent
from tests.browser.conftest import browser, serving
from tests.browser.conftest import own_page as page
from tests.browser.test_main_job import UPLOADER
from tests.browser.views import LONG, wait_for_views
from tests.waiting import until

pytestmark = pytest.mark.bench
__all__ = ["browser", "page"]

SIDE = 10_980
PATCHES = (SIDE // 64) ** 2
MOST_TIMES = 1.7
"""Processor seconds of taking a tile in, as a multiple of unpacking and packing it."""
MOST_BYTES = 2**30
MOST_WAITING = 2.2
"""Seconds from adding a tile to exploring it, as a multiple of unpacking, packing and encoding it and nothing else."""
BATCH = 512


@dataclass(frozen=True, kw_only=True)
class MadeTile:
    """A tile, and what making it took."""

    path: Path
    made: Spending


@pytest.fixture(scope="module")
def tile(tmp_path_factory: pytest.TempPathFactory) -> MadeTile:
    folder = tmp_path_factory.mktemp("tile")
    path = folder / "tile.tif"
    return MadeTile(path=path, made=run(folder, "synthetic", "--size", SIDE, "--seed", 3, "--out", path))


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


def test_a_full_tile_from_its_file_to_a_layout(tile: MadeTile, tmp_path: Path) -> None:
    features, made = tmp_path / "F.parquet", tile.made
    print(f"\nmaking {SIDE:,} × {SIDE:,}: {made.seconds:.0f} s, {made.processor:.0f} processor-seconds")
    plain_seconds, plain = spent(lambda: repack(tile.path, tmp_path / "copy.tif"))
    taken = run(tmp_path, "scene", tile.path)
    print(f"taking it in: {taken.seconds:.0f} s, {taken.processor:.0f} processor-seconds, {taken.peak / 2**20:.0f} MB")
    print(f"unpacking and packing alone: {plain_seconds:.0f} s, {plain:.0f}; {taken.processor / plain:.2f} times that")
    encoded = run(tmp_path, "embed", json.loads(taken.printed)["scene"], "--out", features)
    laid = run(tmp_path, "project", features, "--out", tmp_path / "L.parquet")
    print(f"features: {encoded.seconds:.0f} s, {encoded.processor:.0f} processor-seconds")
    print(f"a layout: {laid.seconds:.0f} s, {laid.processor:.0f} processor-seconds")
    print(f"from the file to a layout, by commands: {taken.seconds + encoded.seconds + laid.seconds:.0f} s")
    assert taken.processor <= MOST_TIMES * plain
    assert taken.peak <= MOST_BYTES


def without_bf16(root: Path, *, int8: bool) -> None:
    """Leave word that this processor has no bf16; without ``int8``, that it gains nothing by 8 bits either."""
    memory = settings({"LANDLIKE_DATA": str(root)}).model_cache
    memory.mkdir(parents=True)
    (memory / f"bf16-{processor_key()}").write_text("no")
    if not int8:
        eight_bits.keep(eight_bits.FAILED, Path(ENTRIES[default_encoder()].reference), memory)


def encoding_alone(root: Path, precision: str) -> float:
    """Return seconds that the arithmetic of a tile's patches takes, by those of some that lie ready in memory."""
    encoder = load_encoder(default_encoder(), settings({"LANDLIKE_DATA": str(root)}), f"openvino-{precision}")
    batch = encoder.prepare(np.random.default_rng(0).uniform(0, 0.6, (BATCH, 64, 64, 13)).astype(np.float32))
    encoder.infer(batch)
    return PATCHES / BATCH * min(spent(lambda: encoder.infer(batch))[0] for _ in range(3))


@pytest.mark.parametrize("precision", ["int8", "f32"])
def test_a_full_tile_from_its_file_to_the_explorer(precision: str, tile: MadeTile, page: Page, tmp_path: Path) -> None:
    """What a person waits for, without bf16: from *Add* to plot, map and gallery; the file is with the server then."""
    root = tmp_path / "data"
    without_bf16(root, int8=precision == "int8")
    plain = spent(lambda: repack(tile.path, tmp_path / "copy.tif"))[0] + encoding_alone(tmp_path, precision)
    with serving(root) as server:
        page.goto(server.url)
        wait_for_views(page)  # The first scene is explored, as on any server that has been used,
        until(lambda: not any(job.active for job in JobFiles(root / "jobs").records()), 120)  # and all work on it done.
        page.goto(f"{server.url}/scenes")
        began = time.perf_counter()
        page.locator(UPLOADER).set_input_files([tile.path])
        page.locator(".st-key-upload_add button:enabled").click(timeout=LONG)
        handed_over = time.perf_counter() - began
        began = time.perf_counter()
        page.locator("[class*='st-key-explore_in_'] button").click(timeout=LONG)
        taken_in = time.perf_counter() - began
        wait_for_views(page)
        page.frame_locator("iframe[title*='folium']").locator(".leaflet-tile-loaded").first.wait_for(timeout=LONG)
        seconds = time.perf_counter() - began
    scene = next(one for one in Library(root).scenes() if one.name == "tile")
    (recipe,) = FeatureStore(root).recipes(scene.id)
    spec = FeatureStore(root).spec(recipe)
    print(f"\nthe browser hands it over in {handed_over:.0f} s")
    print(f"{precision}: in {taken_in:.0f} s after “Add”, explored after {seconds:.0f} s")
    print(f"unpacking, packing and encoding alone: {plain:.0f} s; {seconds / plain:.2f} times that")
    assert spec is not None
    assert spec.precision == precision
    assert seconds <= MOST_WAITING * plain
