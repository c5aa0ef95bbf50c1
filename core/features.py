"""Features of a scene's patches, and the recipe that names them. Keeping them is ``core.store``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.errors import PatchError


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The frozen settings of one run; equal recipes share one computation.

    Attributes:
        scene_id: the scene.
        encoder: name or path the encoder was asked by; for people.
        fingerprint: ``EncoderSpec.fingerprint``; what counts.
        patch_size: pixels a side.
        stride: pixels from patch to patch.
    """

    scene_id: str
    encoder: str
    fingerprint: str
    patch_size: int
    stride: int

    @property
    def key(self) -> str:
        """A name for files and rows made from this recipe: letters, digits, ``-``."""
        return f"{self.scene_id}-{self.fingerprint[:16]}-{self.patch_size}-{self.stride}"


@dataclass(frozen=True, kw_only=True)
class Features:
    """Features of the encoded patches of one scene, ordered by patch id.

    Attributes:
        recipe: what they were made by.
        patch_ids: int64 of shape (N,), ascending; patches with too little valid data are absent.
        vectors: float32 of shape (N, D), read-only.
        valid_fraction: float32 of shape (N,), 0 to 1.
        band_mean: float32 of shape (N, 13), mean reflectance of each band in the order of ``BAND_NAMES``; missing bands
            hold their stand-in.
        band_std: float32 of shape (N, 13), standard deviation inside the patch, likewise.
    """

    recipe: Recipe
    patch_ids: NDArray[np.int64]
    vectors: FloatArray
    valid_fraction: NDArray[np.float32]
    band_mean: FloatArray
    band_std: FloatArray

    def __len__(self) -> int:
        return len(self.patch_ids)

    def position(self, patch_id: int) -> int:
        """Row of a patch in ``vectors``.

        Raises:
            PatchError: when the patch has no features.
        """
        position = int(np.searchsorted(self.patch_ids, patch_id))
        if position == len(self.patch_ids) or self.patch_ids[position] != patch_id:
            found = "it has too little valid data or is not in the scene"
            raise PatchError(f"Looking up patch {patch_id}", found, "choose another patch")
        return position
