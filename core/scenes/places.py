"""The places of a collection's patches, from the table beside its mosaic: corners, and the files they came from."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.scenes.scene import Scene


def collection_corners(scene: Scene) -> NDArray[np.float64]:
    """Return corners of all patches of a collection by patch_id, as ``corners_lonlat`` gives them; read-only."""
    return table_corners(scene.places_path, scene.places_path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def table_corners(path: Path, _changed: int) -> NDArray[np.float64]:
    """Return the corners in a ``places.parquet``, read again only when it has changed."""
    import pyarrow.parquet as pq  # a tenth of a second, which scenes cut by a grid do without

    flat = pq.read_table(path, columns=["corners"]).column(0).combine_chunks().flatten()
    corners: NDArray[np.float64] = flat.to_numpy(zero_copy_only=False).astype(np.float64).reshape(-1, 4, 2)
    corners.flags.writeable = False
    return corners


def source_names(scene: Scene) -> list[str] | None:
    """Return for a collection the file each patch came from, by patch_id; None for scenes."""
    if not scene.is_collection:
        return None
    import pyarrow.parquet as pq

    names: list[str] = pq.read_table(scene.places_path, columns=["source_name"]).column(0).to_pylist()
    return names
