"""Hectares of patches on the ground: along the ellipsoid, land that several patches share counted once.

It needs outlines only, as a file has them; ``core.scenes.areas`` measures the patches of a scene by their grid.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from core.classification.areas.class_map import ClassifiedPatches
from core.classification.areas.estimation import AreaStratum
from core.errors import ClassificationError
from core.export.geometry import Shapes, hectares
from core.scenes.patches import IntArray

_SHARED = 1e-6


def patch_hectares(shapes: Shapes) -> NDArray[np.float64]:
    """Return the hectares that each patch stands for, float64 of shape (N,).

    Where patches overlap, land goes to the patch whose middle is nearest, so that all together they have the area of
    what they cover. Areas are those on the ellipsoid, whatever the reference system the patches were cut in.

    Args:
        shapes: outlines in EPSG:4326, all known.
    """
    own = hectares(shapes)
    flat = _unbroken(shapes)
    whole = shapely.union_all(flat)
    if shapely.area(flat).sum() <= shapely.area(whole) * (1 + _SHARED):
        return own
    cells, sharing = _cells(flat, whole)
    nearest = np.nan_to_num(hectares(shapely.intersection(flat, cells))) / sharing  # NaN: they touch in a line at most
    covered: float = hectares(np.array([whole], dtype=object))[0]
    counted: NDArray[np.float64] = nearest * (covered / nearest.sum())
    return counted


def _unbroken(shapes: Shapes) -> Shapes:
    """Return outlines of longitudes that go on beyond 180°, where one is parted by the antimeridian."""
    west, _, east, _ = shapely.bounds(shapes).T
    if (east - west).max() <= 180:
        return shapes
    moved: Shapes = shapely.transform(shapes, _eastwards)
    return moved


def _eastwards(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points of longitude 0 to 360."""
    return np.stack([points[:, 0] % 360, points[:, 1]], axis=1)


def _cells(shapes: Shapes, whole: shapely.Geometry) -> tuple[Shapes, NDArray[np.int64]]:
    """Return for each patch the land to whose middle none other is nearer, and how many patches have that middle."""
    middles, place, sharing = np.unique(
        shapely.get_coordinates(shapely.centroid(shapes)).round(9), axis=0, return_inverse=True, return_counts=True
    )
    if len(middles) == 1:
        return np.full(len(shapes), whole, dtype=object), sharing[place]
    cells = shapely.voronoi_polygons(shapely.multipoints(middles), extend_to=whole, ordered=True)
    found: Shapes = shapely.get_parts(cells)[place]
    return found, sharing[place]


def areas_of(patches: ClassifiedPatches) -> list[AreaStratum]:
    """Return hectares and number of patches of each class, and of the land that has none.

    Raises:
        ClassificationError: when the place of a patch is not known.
    """
    unknown = int((shapely.get_dimensions(patches.shapes) != 2).sum())
    if unknown:
        found = f"the place of {'all' if unknown == len(patches.ids) else unknown} of its patches is not known"
        remedy = "measure the hectares of each class in another way"
        raise ClassificationError(f"Measuring the land of “{patches.name}”", found, remedy)
    return strata_of(patches.strata, patch_hectares(patches.shapes))


def strata_of(rows: Mapping[str, IntArray], areas: NDArray[np.float64]) -> list[AreaStratum]:
    """Return strata by their rows and the hectares of all rows."""
    return [AreaStratum(name=name, hectares=float(areas[at].sum()), units=len(at)) for name, at in rows.items()]
