"""What is searched: the encoded patches of a scene, their places, and those of other scenes beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.encoders.parts import FeatureParts
from core.errors import PatchError, SettingsError
from core.features.table import PatchTable
from core.scenes.patches import IntArray, PatchGrid, centres_lonlat
from core.scenes.regions.map_region import MapRegion
from core.scenes.scene import Scene


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchSpace:
    """The patches that are ranked.

    Attributes:
        scene: id of their scene.
        patch_ids: int64 of shape (N,), each once.
        unit: float32 of shape (N, D), features scaled to length 1, in the order of the ids.
        fingerprint: of the encoder that made the features; empty = not known.
        lonlat: centres in degrees, shape (N, 2), NaN = unknown; None when no place is known.
        elsewhere: encoded patches of other scenes by the scene's id, made by the same encoder.
        bands: of scenes by id, this one and others; of one that is not there they are not known.
        parts: on which bands the features rest; None = not known.
    """

    scene: str
    patch_ids: IntArray
    unit: FloatArray
    fingerprint: str = ""
    lonlat: NDArray[np.float64] | None = None
    elsewhere: Mapping[str, PatchTable] = field(default_factory=lambda: MappingProxyType({}))
    bands: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    parts: FeatureParts | None = None

    def __len__(self) -> int:
        return len(self.patch_ids)

    def rows(self, ids: IntArray) -> IntArray:
        """Return the rows of patches, int64, in the order given.

        Raises:
            PatchError: when one is not among the encoded patches.
        """
        order = np.argsort(self.patch_ids)
        found = np.searchsorted(self.patch_ids, ids, sorter=order)
        rows: IntArray = order[np.minimum(found, len(self) - 1)]
        lacking = ids[self.patch_ids[rows] != ids]
        if len(lacking):
            what = f"patch {int(lacking[0])} is not among the {len(self):,} encoded patches"
            raise PatchError("Searching by examples", what, "choose one of them")
        return rows


def search_space(
    scene: Scene,
    grid: PatchGrid,
    table: PatchTable,
    *,
    fingerprint: str = "",
    elsewhere: Mapping[str, PatchTable] = MappingProxyType({}),
) -> SearchSpace:
    """Return the encoded patches of a scene as what is searched.

    Args:
        scene: the scene.
        grid: its patches.
        table: those that are encoded.
        fingerprint: of the encoder.
        elsewhere: encoded patches of other scenes, by the same encoder.
    """
    return SearchSpace(
        scene=scene.id, patch_ids=table.patch_ids, unit=table.unit, fingerprint=fingerprint,
        lonlat=centres_lonlat(scene, grid, table.patch_ids), elsewhere=elsewhere, bands={scene.id: tuple(scene.bands)},
    )  # fmt: skip


def rows_inside(area: MapRegion, space: SearchSpace, *, asked: str = "Searching in an area") -> NDArray[np.bool_]:
    """Return which patches have their centre in an area, bool of shape (N,).

    Raises:
        SettingsError: when none has, or no place is known.
    """
    if space.lonlat is None:
        raise SettingsError(asked, "it is not known where the patches lie", "search by patches and not by places")
    found = area.holds(space.lonlat)
    if not found.any():
        what = "it holds the centre of none of the patches"
        raise SettingsError(asked, what, "draw it over the scene, and larger than a patch")
    return found
