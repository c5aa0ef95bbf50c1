"""Encodes a scene in a process of its own and prints what it took; ``python -m tests.bench.encode_once`` alone."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from core.bands import BAND_NAMES
from core.config import settings
from core.encoders.base import Encoder
from core.encoders.registry import load_encoder
from core.features.batches import iter_patches
from core.features.database import load
from core.features.encode import encode_scene
from core.features.recipe import Recipe
from core.features.store import FeatureStore
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.pixels.writer import canonical_writer
from core.scenes.scene import Scene

PATTERN = 1024


def write_scene(root: Path, size: int) -> Scene:
    """A 13-band scene of ``size`` × ``size`` pixels that compresses like a real one: a repeated field with noise."""
    library, scene_id = Library(root), f"bench-{size}"
    if scene_id in library:
        return library.get(scene_id)
    random = np.random.default_rng(0)
    coarse = random.uniform(200, 4000, (len(BAND_NAMES), PATTERN // 32, PATTERN // 32))
    field = coarse.repeat(32, axis=1).repeat(32, axis=2)
    pattern = np.clip(field + random.normal(0, 40, field.shape), 1, 10_000).astype(np.uint16)
    grid = GeoBox(crs="EPSG:32632", transform=(10, 0, 500_000, 0, -10, 5_000_000), height=size, width=size)
    with library.staged() as staged:
        with canonical_writer(staged, grid, BAND_NAMES) as data:
            for top in range(0, size, PATTERN):
                rows = np.tile(pattern, (1, 1, size // PATTERN + 1))[:, : min(PATTERN, size - top), :size]
                data.write(rows, window=Window(0, top, size, rows.shape[1]))
        (staged / "quality.json").write_text("{}")
        return library.add(staged, Scene(id=scene_id, name="Bench", grid=grid, bands=BAND_NAMES, created="2026-01-01"))


def own_rate(encoder: Encoder, scene: Scene, wanted: int) -> tuple[float, float]:
    """Patches a second, and processor seconds a patch, of ``encode`` on patches that lie ready in memory."""
    positions = [BAND_NAMES.index(name) for name in encoder.spec.bands]
    patches = next(iter_patches(scene, patch_grid(scene), BAND_NAMES)).pixels[..., positions]
    batch = np.concatenate([patches] * (encoder.batch_size // len(patches) + 1))[: encoder.batch_size]
    encoder.encode(batch)
    rounds = max(2, wanted // len(batch))
    started, busy = time.perf_counter(), time.process_time()
    for _ in range(rounds):
        encoder.encode(batch)
    count = rounds * len(batch)
    return count / (time.perf_counter() - started), (time.process_time() - busy) / count


def reading_rate(scene: Scene) -> float:
    """Patches a second of reading all strips and doing nothing with them."""
    grid = patch_grid(scene)
    started = time.perf_counter()
    for _ in iter_patches(scene, grid, BAND_NAMES):
        pass
    return grid.count / (time.perf_counter() - started)


def encode(root: Path, scene: Scene, name: str, encoder: Encoder) -> tuple[float, float]:
    """Patches a second, and processor seconds a patch, from the scene on disk to features in a new store."""
    recipe = Recipe(scene_id=scene.id, encoder=name, fingerprint=encoder.spec.fingerprint, cut=Cut.of(64))
    store = FeatureStore(root)
    store.delete_scene(scene.id)
    count, started, busy = patch_grid(scene).count, time.perf_counter(), time.process_time()
    encode_scene(scene, encoder, recipe, store)
    return count / (time.perf_counter() - started), (time.process_time() - busy) / count


def main(root: Path, size: int, name: str, backend: str | None, rounds: int) -> None:
    """Encode, and print patches, rate and peak memory; with ``rounds``, those of the parts, by turns, at the median."""
    scene = write_scene(root, size)
    encoder = load_encoder(name, settings(), backend)
    count = patch_grid(scene).count
    load()  # once a worker, not once a scene
    whole, parts = [], []
    for _ in range(max(1, rounds)):
        if rounds:
            parts.append(own_rate(encoder, scene, count // 2))
        whole.append(encode(root, scene, name, encoder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    rate, processor = np.median(whole, axis=0)
    found = {"patches": count, "seconds": count / rate, "rate": rate, "peak_bytes": peak}
    if rounds:
        parts.append(own_rate(encoder, scene, count // 2))
        own = np.median(parts, axis=0)
        found |= {"encode_rate": own[0], "reading_rate": reading_rate(scene), "own_processor_share": own[1] / processor}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "write":
        write_scene(Path(rest[0]), int(rest[1]))
    else:
        main(Path(rest[0]), int(rest[1]), rest[2], rest[3] or None, 5 if command == "rates" else 0)
