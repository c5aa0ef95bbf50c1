"""Makes a product of Sentinel-2 as JPEG 2000 out of a synthetic tile, to measure taking it in: run it as a program.

Bands have pixels of their own sizes and tiles as in ESA's products: 1024, 640 and 192 pixels a side, lossless.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import rasterio

from core.bands import BAND_NAMES, BY_NAME
from tests.core.ingest.formats.safe.making import Made, manifest, product_xml

_BLOCKS = {10: 1024, 20: 640, 60: 192}


def make_safe(tile: Path, out: Path) -> Path:
    """Write a Level-1C product of a GeoTIFF of 13 bands at 10 m; return its folder."""
    made = Made()
    folder = out / f"{made.name}.SAFE"
    images = folder / "GRANULE" / made.granule / "IMG_DATA"
    images.mkdir(parents=True)
    listed = []
    with rasterio.open(tile) as data:
        for number, band in enumerate(BAND_NAMES, 1):
            side = BY_NAME[band].resolution
            step, block = side // 10, _BLOCKS[side]
            pixels = data.read(number)
            rows, cols = (length // step for length in pixels.shape)
            parts = pixels[: rows * step, : cols * step].reshape(rows, step, cols, step)
            coarse = parts[:, step // 2, :, step // 2] if step > 1 else pixels
            name = f"T{made.tile}_{made.date}T101031_{band}"
            with rasterio.open(
                images / f"{name}.jp2", "w", driver="JP2OpenJPEG", dtype="uint16", count=1, height=rows, width=cols,
                crs=data.crs, transform=data.transform @ rasterio.Affine.scale(step), QUALITY="100", REVERSIBLE="YES",
                BLOCKXSIZE=block, BLOCKYSIZE=block, NBITS=15,
            ) as image:  # fmt: skip
                image.write(np.ascontiguousarray(coarse)[None])
            listed.append((made.tile_id, f"GRANULE/{made.granule}/IMG_DATA/{name}"))
    (folder / "MTD_MSIL1C.xml").write_text(product_xml(made, listed))
    (folder / "manifest.safe").write_text(manifest([f"{path}.jp2" for _, path in listed]))
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tile", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    print(make_safe(options.tile, options.out))
