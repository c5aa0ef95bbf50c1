"""Taking a product of JPEG 2000 in: seconds, processor seconds beside plainly decoding its bands once, and memory."""

from __future__ import annotations

from pathlib import Path

import pytest
import rasterio
from rasterio.windows import Window

from core.synthetic.landscape import write_synthetic
from tests.bench.make_safe import make_safe
from tests.bench.spending import run, spent

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
    taken = run(tmp_path, "scene", product)
    print(f"\n{SIDE:,} × {SIDE:,}, 13 bands: {taken.seconds:.0f} s, {taken.processor:.0f} processor-seconds")
    print(f"decoding alone: {plain:.0f} processor-seconds; {taken.processor / plain:.2f} times that")
    print(f"peak {taken.peak / 2**20:.0f} MB")
    assert taken.processor <= MOST_TIMES * plain
    assert taken.peak <= MOST_BYTES
