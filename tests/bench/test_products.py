"""Taking a product of JPEG 2000 in: seconds, processor seconds beside plainly decoding its bands once, and memory."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import rasterio
from rasterio.windows import Window

from core.synthetic.landscape import write_synthetic
from tests.bench.make_safe import make_safe

pytestmark = pytest.mark.bench

SIDE = 5490
"""Pixels a side, a quarter of a tile."""
MOST_TIMES = 3.0
"""Processor seconds of taking it in, as a multiple of decoding it: it is interpolated, written and given overviews."""
MOST_BYTES = 1.1 * 2**30


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product of a synthetic landscape."""
    folder = tmp_path_factory.mktemp("product")
    write_synthetic(folder / "tile.tif", size=SIDE, seed=3)
    return make_safe(folder / "tile.tif", folder)


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Return seconds on the clock and of processors, of this process and those that it waited for."""
    begun, before = time.monotonic(), processor_seconds()
    work()
    return time.monotonic() - begun, processor_seconds() - before


def processor_seconds() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def decode(product: Path) -> None:
    """Decode each band once, by rows of tiles."""
    for path in product.rglob("*.jp2"):
        with rasterio.open(path, OVERVIEW_LEVEL="NONE") as data:
            rows = data.block_shapes[0][0]
            for row in range(0, data.height, rows):
                data.read(1, window=Window(0, row, data.width, min(rows, data.height - row)))


def test_a_product_as_downloaded(product: Path, tmp_path: Path) -> None:
    with rasterio.Env(GDAL_NUM_THREADS="1"):
        _, plain = spent(lambda: decode(product))
    command = [sys.executable, "-m", "core", "scene", str(product)]
    environment = {"LANDLIKE_DATA": str(tmp_path / "data"), "PATH": "/usr/bin:/bin"}
    seconds, processor = spent(
        lambda: subprocess.run(command, env=environment, check=True, capture_output=True, timeout=600)
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(f"\n{SIDE:,} × {SIDE:,}, 13 bands: {seconds:.0f} s, {processor:.0f} processor-seconds")
    print(
        f"decoding alone: {plain:.0f} processor-seconds; {processor / plain:.2f} times that; peak {peak / 2**20:.0f} MB"
    )
    assert processor <= MOST_TIMES * plain
    assert peak <= MOST_BYTES
