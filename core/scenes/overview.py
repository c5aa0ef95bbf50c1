"""What a list of scenes says of each: sensor, pixel size on the ground, cloud, number of patches. No drawing."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from pyproj import Geod

from core.errors import PatchError
from core.scenes.cut import DEFAULT_CUT, MIN_VALID_FRACTION, Cut, Edge, GroundLength
from core.scenes.geobox import pixel_metres
from core.scenes.patches import patch_grid
from core.scenes.places import table_corners
from core.scenes.quality import QualityRecord
from core.scenes.scene import Scene

CLOUD_TOPIC, SENSOR_TOPIC = "cloud", "sensor"
"""Topics of the lines of the quality record that are listed: cloud begins with a share in percent."""

_ELLIPSOID = Geod(ellps="WGS84")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")
_SPACECRAFT = re.compile(r"(?<![A-Za-z0-9])S(?:ENTINEL-?)?2([ABCD])(?![A-Za-z0-9])", re.IGNORECASE)
_SAMPLE_PATCHES = 200


@dataclass(frozen=True, kw_only=True)
class SceneOverview:
    """A scene in a few facts.

    Attributes:
        sensor: what took the pictures, in words.
        pixel_metres: side of a pixel on the ground in metres, in the middle of the scene; None = its place is unknown.
        cloud: share under cloud, 0 to 1, as the source states it; None = it does not.
        patches: of a scene the whole patches of the usual size, of a collection its patches.
    """

    sensor: str
    pixel_metres: float | None
    cloud: float | None
    patches: int


def overview(scene: Scene, record: QualityRecord | None) -> SceneOverview:
    """Return a scene in a few facts; ``record`` is its quality record, None when that cannot be read."""
    return SceneOverview(
        sensor=_sensor(scene, record),
        pixel_metres=pixel_side(scene),
        cloud=_cloud(record),
        patches=_patches(scene),
    )


def _sensor(scene: Scene, record: QualityRecord | None) -> str:
    if not scene.has_pixels:
        return "Vectors of others"
    if scene.synthetic:
        return "Synthetic"
    stated = _line(record, SENSOR_TOPIC)
    if stated is not None:
        return stated
    named = _SPACECRAFT.search(record.source.replace("_", " ")) if record is not None else None
    return f"Sentinel-2{named[1].upper()}" if named else "Sentinel-2"


def _cloud(record: QualityRecord | None) -> float | None:
    percent = _PERCENT.match(_line(record, CLOUD_TOPIC) or "")
    return float(percent[1]) / 100 if percent else None


def _line(record: QualityRecord | None, topic: str) -> str | None:
    """Return what the last line on a topic says: what was measured of the scene follows what its product states."""
    values = [finding.value for finding in (record.findings if record else ()) if finding.topic == topic]
    return values[-1] if values else None


def _patches(scene: Scene) -> int:
    if not scene.has_pixels:
        return len(np.load(scene.directory / "rows.npy", mmap_mode="r", allow_pickle=False))
    if scene.is_collection:
        return _named_patches(scene.places_path, scene.places_path.stat().st_mtime_ns)
    try:
        return patch_grid(scene).count
    except PatchError:
        return 0


@lru_cache(maxsize=64)
def _named_patches(path: Path, _changed: int) -> int:
    """Count the cells of a mosaic that hold a patch."""
    import pyarrow.parquet as pq

    names = pq.read_table(path, columns=["source_name"]).column(0).to_pylist()
    return sum(1 for name in names if name)


def pixel_side(scene: Scene) -> float | None:
    """Return the side of a pixel on the ground in metres, in the middle of the scene; None = its place is unknown."""
    if not scene.has_pixels:
        return None
    if scene.is_collection:
        path = scene.places_path
        return _patch_metres(path, path.stat().st_mtime_ns, scene.patch_size or 1)
    sides = None if scene.grid.crs is None else pixel_metres(scene.grid)
    return None if sides is None else math.sqrt(sides[0] * sides[1])


def metres_of(scene: Scene) -> float | None:
    """Return the side of a pixel on the ground in metres, or None where the place is unknown, and for collections.

    What differs from a whole number by no more than map projections stretch is taken for that number.
    """
    metres = None if scene.is_collection else pixel_side(scene)
    if metres is None:
        return None
    whole = round(metres)
    return float(whole) if whole and abs(metres / whole - 1) < 0.002 else metres


def cut_by_lengths(
    scene: Scene,
    size: GroundLength | None,
    stride: GroundLength | None,
    *,
    edge: Edge = "leave",
    least_valid: float = MIN_VALID_FRACTION,
    area: str = "",
) -> Cut:
    """Return how a scene is cut by lengths in pixels or on the ground; without them as scenes of its kind are.

    Raises:
        PatchError: when it cannot be cut so.
    """
    lengths = (size, stride)
    metres = metres_of(scene) if any(one is not None and one.metres is not None for one in lengths) else None
    side, step = (None if one is None else one.pixels(metres) for one in lengths)
    side = (scene.patch_size or DEFAULT_CUT.size) if side is None else side
    return Cut.of(side, step, edge=edge, least_valid=least_valid, area=area)


@lru_cache(maxsize=64)
def _patch_metres(path: Path, changed: int, patch_size: int) -> float | None:
    """Return the side of a pixel of a collection's patches, the median of some of those whose place is known."""
    corners = table_corners(path, changed)
    known = corners[np.isfinite(corners).all(axis=(1, 2))][:_SAMPLE_PATCHES]
    if not len(known):
        return None
    (lon, lat), (lon_across, lat_across), (lon_down, lat_down) = (known[:, at].T for at in (0, 1, 3))
    _, _, across = _ELLIPSOID.inv(lon, lat, lon_across, lat_across)
    _, _, down = _ELLIPSOID.inv(lon, lat, lon_down, lat_down)
    return float(np.median(np.sqrt(across * down))) / patch_size
