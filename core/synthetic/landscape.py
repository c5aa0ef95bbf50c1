"""The synthetic scene: a made-up landscape as Sentinel-2 would see it, from a seed; real input is ingested elsewhere.

The world behind it (``layout``) has no edge; a scene is the window of it centred on one spot, so the scene
of one size is a cut of the scene of a larger one with the same seed. It is painted in blocks (``block``) and
seen through air and instrument (``sensor``), so that memory does not grow with the scene.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from core.bands import BAND_NAMES, EUROSAT_CLASSES
from core.errors import SettingsError
from core.files import write_atomically
from core.progress import Progress, silent
from core.scenes.geobox import GeoBox
from core.scenes.library import Library
from core.scenes.pixels.writer import canonical_writer
from core.scenes.quality import Finding, QualityRecord
from core.scenes.scene import Scene
from core.synthetic.block import CORRIDOR, paint
from core.synthetic.courses import COUNTY
from core.synthetic.layout import Plan, make_plan
from core.synthetic.noise import Box
from core.synthetic.sensor import HALO, expose
from core.synthetic.spectra import MATERIALS

SYNTHETIC_VERSION = 1
"""Raise when the same size and seed give other pixels, so that scenes made before keep their own id."""
SYNTHETIC_DATE = "2024-06-21"
CRS = "EPSG:32631"
_CENTRE = (500_000.0, 5_200_020.0)
"""Where the middle of every synthetic scene lies: 3° east, 46.95° north, farmland in the middle of France, chosen for
its open surroundings; nothing of the real place is shown."""
BLOCK_SIDE, _STEP = 768, 12
"""Side of a block in pixels, and what origins and sizes of blocks are multiples of: the native pixels of all bands."""
_MAX_SIZE = 30_000
_THREADS = 2

_Numbers = NDArray[np.uint16]


def synthetic_id(size: int, seed: int) -> str:
    """Return the id of a synthetic scene; ``sample`` in it is what such scenes were called at first."""
    return f"sample-{size}-{seed}" if SYNTHETIC_VERSION == 1 else f"sample-{size}-{seed}-v{SYNTHETIC_VERSION}"


def synthetic_grid(size: int) -> GeoBox:
    """Return where a synthetic scene of ``size`` × ``size`` pixels lies: UTM zone 31 north, 10 m."""
    origin = _origin(size) - COUNTY // 2
    west, north = _CENTRE[0] + 10.0 * origin, _CENTRE[1] - 10.0 * origin
    return GeoBox(crs=CRS, transform=(10.0, 0.0, west, 0.0, -10.0, north), height=size, width=size)


def make_synthetic(library: Library, *, size: int = 2560, seed: int = 0, progress: Progress | None = None) -> Scene:
    """Make the synthetic scene of a size and seed and take it into the library, with its truth and quality record.

    Args:
        library: where it goes; one that is there already is returned at once.
        size: pixels a side, 64 to 30 000.
        seed: 0 to 2³¹ − 1; equal seeds give equal pixels.
        progress: told blocks done and blocks in all; may raise to stop.

    Raises:
        SettingsError: for a size or seed out of range.
    """
    _check(size, seed)
    if synthetic_id(size, seed) in library:
        return library.get(synthetic_id(size, seed))
    from core.imagery.render import compute_stretch

    with library.staged() as staged:
        grid = synthetic_grid(size)
        with ExitStack() as files:
            pixels = files.enter_context(canonical_writer(staged, grid, BAND_NAMES))
            truth = files.enter_context(_truth_writer(staged / "truth.tif", grid))
            _write(pixels, truth, size, seed, progress or silent)
        write_atomically(staged / "quality.json", _record(size, seed).to_json().encode())
        scene = Scene(
            id=synthetic_id(size, seed),
            name="Synthetic landscape" if (size, seed) == (2560, 0) else f"Synthetic landscape {size} px, seed {seed}",
            grid=grid,
            bands=BAND_NAMES,
            date=SYNTHETIC_DATE,
            level="L1C",
            synthetic=True,
            classes=EUROSAT_CLASSES,
            stretch=compute_stretch(staged / "pixels.tif", BAND_NAMES),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        return library.add(staged, scene)


def write_synthetic(
    path: Path,
    *,
    size: int,
    seed: int,
    progress: Progress | None = None,
    truth: Path | None = None,
    block_side: int = BLOCK_SIDE,
) -> None:
    """Write a synthetic scene as one GeoTIFF of 13 bands in product order, uint16 reflectance × 10 000, with tags.

    Args:
        path: where to.
        size: pixels a side, 64 to 30 000.
        seed: 0 to 2³¹ − 1.
        progress: told blocks done and blocks in all; may raise to stop.
        truth: where to write the classes too (uint16, 1 + index into ``EUROSAT_CLASSES``), or None.
        block_side: pixels a side of what is painted at once, a multiple of 12; the pixels do not depend on it.

    Raises:
        SettingsError: for a size or seed out of range.
    """
    _check(size, seed)
    grid = synthetic_grid(size)
    with ExitStack() as files:
        pixels = files.enter_context(_writer(path, grid, len(BAND_NAMES)))
        pixels.descriptions = BAND_NAMES
        pixels.update_tags(**_tags(size, seed))
        classes = files.enter_context(_truth_writer(truth, grid)) if truth else None
        _write(pixels, classes, size, seed, progress or silent, side=block_side)


def _check(size: int, seed: int) -> None:
    """Refuse sizes and seeds out of range."""
    asked = "Making a synthetic scene"
    if not 64 <= size <= _MAX_SIZE:
        raise SettingsError(asked, f"its size is {size} pixels", f"choose 64 to {_MAX_SIZE}")
    if not 0 <= seed < 2**31:
        raise SettingsError(asked, f"its seed is {seed}", "choose 0 to 2147483647")


def _origin(size: int) -> int:
    """Return world column and row of a scene's first pixel, a multiple of ``_STEP``."""
    return (COUNTY // 2 - size // 2) // _STEP * _STEP


def _tags(size: int, seed: int) -> dict[str, str]:
    """Return file tags that say what it is."""
    return {
        "LANDLIKE": "synthetic",
        "TIFFTAG_IMAGEDESCRIPTION": f"Synthetic Sentinel-2 L1C landscape, seed {seed}, {size} x {size}; no real place",
        "ACQUISITION_DATE": SYNTHETIC_DATE,
        "PROCESSING_LEVEL": "L1C",
        "REFLECTANCE_SCALE": "10000",
        "SEED": str(seed),
    }


def _writer(path: Path, grid: GeoBox, count: int) -> Any:  # noqa: ANN401  (rasterio has no types)
    """Open a tiled, deflated GeoTIFF for writing."""
    return rasterio.open(
        path, "w", driver="GTiff", height=grid.height, width=grid.width, count=count, dtype="uint16", nodata=0,
        crs=grid.crs, transform=rasterio.Affine(*grid.transform), tiled=True, blockxsize=256, blockysize=256,
        interleave="band", compress="deflate", zlevel=1, predictor=2, num_threads="all_cpus", bigtiff="if_safer",
    )  # fmt: skip


def _truth_writer(path: Path, grid: GeoBox) -> Any:  # noqa: ANN401
    """Open the class raster for writing."""
    return _writer(path, grid, 1)


def _blocks(size: int, side: int) -> list[tuple[int, int]]:
    """Return row and column of the blocks of a scene."""
    return [(row, col) for row in range(0, size, side) for col in range(0, size, side)]


def render(plan: Plan, box: Box) -> tuple[_Numbers, _Numbers]:
    """Render pixels of shape (13, height, width) and classes of shape (height, width) of a window of the world.

    The window's origin has to be a multiple of 12 pixels.
    """
    height, width = (-(-side // _STEP) * _STEP for side in box.shape)
    canvas = paint(Box(x0=box.x0, y0=box.y0, width=width, height=height).grown(HALO), plan)
    truth = canvas.truth[HALO : HALO + box.height, HALO : HALO + box.width]
    return expose(canvas, plan.seed)[:, : box.height, : box.width], truth


def _rendered(size: int, seed: int, side: int) -> Iterator[tuple[Window, _Numbers, _Numbers]]:
    """Give the blocks of a scene in order, a few of them made ahead in threads (NumPy lets go of the interpreter)."""
    origin = _origin(size)
    plan = make_plan(Box(x0=origin, y0=origin, width=size, height=size), seed)
    waiting: deque[tuple[Window, Future[tuple[_Numbers, _Numbers]]]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for row, col in _blocks(size, side):
                width, height = min(side, size - col), min(side, size - row)
                box = Box(x0=origin + col, y0=origin + row, width=width, height=height)
                waiting.append((Window(col, row, width, height), pool.submit(render, plan, box)))
                if len(waiting) > _THREADS + 1:
                    window, future = waiting.popleft()
                    yield window, *future.result()
            while waiting:
                window, future = waiting.popleft()
                yield window, *future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _write(  # rasterio has no types
    pixels: Any,  # noqa: ANN401
    truth: Any | None,  # noqa: ANN401
    size: int,
    seed: int,
    progress: Progress,
    *,
    side: int = BLOCK_SIDE,
) -> None:
    """Write a scene's blocks into open rasters."""
    total = len(_blocks(size, side))
    progress(0, total)
    for done, (window, numbers, classes) in enumerate(_rendered(size, seed, side), start=1):
        pixels.write(numbers, window=window)
        if truth is not None:
            truth.write(classes, 1, window=window)
        progress(done, total)


def _record(size: int, seed: int) -> QualityRecord:
    """Say what a reader of the scene has to know."""
    modelled = (
        f"reflectance of {len(MATERIALS)} materials from published libraries, parcels, crops of several stages, "
        "hedges, woods, towns, rivers, a coast, terrain light, air, point spread and native resolution, and noise"
    )
    corridor = f"{CORRIDOR * 10} m on either side of motorways and broad rivers carry their class"
    facts: tuple[tuple[str, str, str], ...] = (
        ("origin", "synthetic: no satellite saw this land", "it is made by Landlike's own generator"),
        ("seed", f"{seed}, {size} × {size} pixels", "the same seed and size give the same pixels"),
        (
            "place",
            f"made up; it lies at 3° E 46.95° N ({CRS}) only so that maps work",
            "nothing of that place is shown",
        ),
        ("date", f"{SYNTHETIC_DATE}, made up", "crops and sun are those of a day in June"),
    )
    findings = [Finding(topic=topic, value=value, basis="warning", because=why) for topic, value, why in facts[:1]]
    findings += [Finding(topic=topic, value=value, basis="chosen", because=why) for topic, value, why in facts[1:]]
    findings += [
        Finding(topic="level", value="L1C, top of atmosphere", basis="chosen", because="the air is modelled"),
        Finding(topic="bands", value="13 in product order", basis="read", because="it writes all"),
        Finding(topic="scale", value="reflectance × 10 000, no offset", basis="read", because="it is written so"),
        Finding(topic="modelled", value=modelled, basis="read", because="it is what the generator does"),
        Finding(topic="left out", value="clouds, adjacency light, whitecaps, band misregistration", basis="warning",
                because="the generator does not model them"),
        Finding(topic="truth", value=corridor, basis="chosen", because="EuroSAT names patches so"),
    ]  # fmt: skip
    return QualityRecord(
        source=f"synthetic landscape, seed {seed}", findings=tuple(findings), settings={"size": size, "seed": seed}
    )
