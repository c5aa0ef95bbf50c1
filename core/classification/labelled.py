"""Labelled patches with their features: what heads are taught on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import ClassificationError
from core.evaluation.logistic import Spread, spread_of
from core.evaluation.splits import grid_blocks, land_blocks, sharing_land
from core.export.geometry import Shapes, patch_shapes
from core.scenes.labels import PatchLabels
from core.scenes.patches import IntArray, PatchGrid, centres_lonlat
from core.scenes.scene import Scene
from core.similarity.neighbours import unit_rows

_ASKED = "Teaching classes"

_TOUCH = 0.25
"""Pixels by which a window is drawn wider, so that windows that touch share land."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledPatches:
    """Patches whose class is known.

    Attributes:
        vectors: their features, float32 of shape (N, D), of length 1.
        labels: int64 of shape (N,), indices into ``classes``; every class occurs.
        classes: names, in the order of their indices.
        blocks: int64 of shape (N,), the block of land each lies in, from 0; −1 = unknown.
        patch_ids: int64 of shape (N,).
        spread: of the features of the whole scene, which a logistic regression is centred and scaled by.
        outlines: of each, of shape (N,), as ``land_outlines`` gives them; None = no two share land.
    """

    vectors: FloatArray
    labels: IntArray
    classes: tuple[str, ...]
    blocks: IntArray
    patch_ids: IntArray
    spread: Spread
    outlines: Shapes | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def pairs(self) -> IntArray:
        """Pairs of them that share land, int64 of shape (2, M), as of ``sharing_land``."""
        return np.zeros((2, 0), np.int64) if self.outlines is None else sharing_land(self.outlines)

    @property
    def counts(self) -> Mapping[str, int]:
        """Patches a class, by name, in the order of ``classes``."""
        sizes = np.bincount(self.labels, minlength=len(self.classes))
        return dict(zip(self.classes, sizes.tolist(), strict=True))

    def some(self, rows: IntArray) -> LabelledPatches:
        """Return some of them; classes without a patch are left out, and the others numbered anew."""
        present, labels = np.unique(self.labels[rows], return_inverse=True)
        return replace(
            self, vectors=self.vectors[rows], labels=labels.astype(np.int64), blocks=self.blocks[rows],
            classes=tuple(self.classes[number] for number in present.tolist()), patch_ids=self.patch_ids[rows],
            outlines=None if self.outlines is None else self.outlines[rows],
        )  # fmt: skip


def labelled_patches(
    vectors: FloatArray,
    patch_ids: IntArray,
    labels: Mapping[int, str],
    *,
    lonlat: NDArray[np.float64] | None = None,
    places: IntArray | None = None,
    outlines: Shapes | None = None,
    order: Sequence[str] = (),
) -> LabelledPatches:
    """Return the patches of a scene that have a label, with their features.

    Args:
        vectors: features of all encoded patches of the scene, float32 of shape (M, D), of any length.
        patch_ids: of these, int64 of shape (M,).
        labels: class by patch id; patches without features are left out.
        lonlat: centres of all patches in degrees, shape (M, 2), NaN where unknown; None = unknown.
        places: row and column of all patches on the grid, int64 of shape (M, 2), where ``lonlat`` is not known.
        outlines: of all patches, of shape (M,), as ``land_outlines`` gives them; None = no two share land.
        order: classes that come first, where they occur; the others follow by name.

    Raises:
        ClassificationError: when fewer than two classes have a patch.
    """
    rows = np.flatnonzero(np.isin(patch_ids, np.fromiter(labels, np.int64, len(labels))))
    names = [labels[patch_id] for patch_id in patch_ids[rows].tolist()]
    present = set(names)
    classes = [*dict.fromkeys(name for name in order if name in present), *sorted(present - set(order))]
    check_classes(classes)
    number = {name: at for at, name in enumerate(classes)}
    unit = unit_rows(vectors)
    return LabelledPatches(
        vectors=unit[rows], labels=np.array([number[name] for name in names], np.int64), classes=tuple(classes),
        blocks=blocks_of(len(patch_ids), lonlat, places)[rows], patch_ids=patch_ids[rows], spread=spread_of(unit),
        outlines=None if outlines is None else outlines[rows],
    )  # fmt: skip


def labelled_scene(
    scene: Scene, grid: PatchGrid, patch_ids: IntArray, vectors: FloatArray, given: PatchLabels
) -> LabelledPatches:
    """Return the patches of a scene that people gave a class, with their features.

    Args:
        scene: the scene.
        grid: its patches.
        patch_ids: of the encoded ones, int64 of shape (M,).
        vectors: their features, float32 of shape (M, D), of any length.
        given: by hand.

    Raises:
        ClassificationError: when fewer than two classes have a patch with features.
    """
    rows = np.flatnonzero(given.index >= 0).tolist()
    labels = {patch: given.classes[given.index[patch]] for patch in rows}
    lonlat, places = centres_lonlat(scene, grid, patch_ids), places_on(scene, grid, patch_ids)
    outlines = land_outlines(scene, grid, patch_ids)
    return labelled_patches(vectors, patch_ids, labels, lonlat=lonlat, places=places, outlines=outlines)


def places_on(scene: Scene, grid: PatchGrid, patch_ids: IntArray) -> IntArray | None:
    """Return row and column of patches, int64 of shape (N, 2); None in a collection, where they say nothing of land."""
    return np.stack(grid.rows_cols(patch_ids), axis=1) if not scene.is_collection else None


def land_outlines(scene: Scene, grid: PatchGrid, patch_ids: IntArray) -> Shapes | None:
    """Return outlines of patches that tell which of them share land, of shape (N,); None where no two do.

    Of a scene they are in pixels, of a collection in degrees. Errors as of ``corners_lonlat``.
    """
    return window_outlines(grid, patch_ids) if not scene.is_collection else patch_shapes(scene, grid, patch_ids)


def window_outlines(grid: PatchGrid, patch_ids: IntArray) -> Shapes | None:
    """Return windows of patches in pixels, of shape (N,), by which neighbours share land; None side by side.

    Where a stride is shorter than a patch, windows that only touch count too: there are enough others.
    """
    if grid.side_by_side:
        return None
    top, left = grid.first_pixels(patch_ids).T
    more = _TOUCH if grid.cut.stride < grid.size else 0.0
    shapes: Shapes = shapely.box(left - more, top - more, left + grid.size + more, top + grid.size + more)
    return shapes


def blocks_of(count: int, lonlat: NDArray[np.float64] | None, places: IntArray | None) -> IntArray:
    """Return the block of land of each of ``count`` patches, by their place on Earth, else on the grid; −1 = unknown.

    Arguments as of ``labelled_patches``.
    """
    if lonlat is not None and not np.isnan(lonlat).all():
        return land_blocks(lonlat)
    return np.full(count, -1, np.int64) if places is None else grid_blocks(places)


def check_classes(classes: Sequence[str]) -> None:
    """Refuse labels that tell nothing apart.

    Raises:
        ClassificationError: for no class, or only one.
    """
    if not classes:
        raise ClassificationError(_ASKED, "no patch has a label", "label patches of two classes or more")
    if len(classes) == 1:
        found = f"all labelled patches are of one class, “{classes[0]}”"
        raise ClassificationError(_ASKED, found, "label patches of a second class too")
