"""Features of a scene's patches, and the recipe that names them. Keeping them is ``core.features.store``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.config import Config
from core.encoders.registry import companion, matching_backend
from core.errors import EncoderError, PatchError
from core.scenes.cut import Cut


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The frozen settings of one run; equal recipes share one computation.

    Attributes:
        scene_id: the scene.
        encoder: name or path the encoder was asked by; for people.
        fingerprint: ``EncoderSpec.fingerprint``; what counts.
        cut: how the scene is cut into patches.
    """

    scene_id: str
    encoder: str
    fingerprint: str
    cut: Cut

    @property
    def key(self) -> str:
        """A name for files and rows made from this recipe: letters, digits, ``-``."""
        return f"{self.scene_id}-{self.fingerprint[:16]}-{self.cut.key}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, in the form that the first version reads where it knows the cut."""
        values = {"scene_id": self.scene_id, "encoder": self.encoder, "fingerprint": self.fingerprint}
        cut = self.cut.to_dict()
        return {**values, "patch_size": cut.pop("size"), **cut}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Return the recipe that ``to_dict`` gave these values for.

        Raises:
            KeyError: when one is missing.
            ValueError: when there can be no such cut.
        """
        cut = Cut.from_dict({**values, "size": values["patch_size"]})
        if cut is None:
            raise ValueError("no way of cutting")
        scene_id, encoder, fingerprint = (str(values[name]) for name in ("scene_id", "encoder", "fingerprint"))
        return cls(scene_id=scene_id, encoder=encoder, fingerprint=fingerprint, cut=cut)


@dataclass(frozen=True, kw_only=True)
class FeatureBatch:
    """Features of some patches on their way into the store.

    Attributes:
        ids: int64 of shape (N,), patch ids.
        rows: int64 of shape (N,), rows in the grid of patches.
        cols: int64 of shape (N,), columns in the grid of patches.
        vectors: finite float32 of shape (N, D).
        valid_fraction: float32 of shape (N,), 0 to 1.
        band_mean: float32 of shape (N, 13), as in ``Features``.
        band_std: float32 of shape (N, 13), as in ``Features``.
        lonlat: float64 of shape (N, 2), centres in EPSG:4326, NaN = unknown; or None when no place is known.
    """

    ids: NDArray[np.int64]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    vectors: FloatArray
    valid_fraction: NDArray[np.float32]
    band_mean: FloatArray
    band_std: FloatArray
    lonlat: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.ids)


def join_batches(batches: Sequence[FeatureBatch]) -> FeatureBatch:
    """One batch of several, in their order."""
    lonlat = [batch.lonlat for batch in batches if batch.lonlat is not None]
    return FeatureBatch(
        ids=np.concatenate([batch.ids for batch in batches]),
        rows=np.concatenate([batch.rows for batch in batches]),
        cols=np.concatenate([batch.cols for batch in batches]),
        vectors=np.concatenate([batch.vectors for batch in batches]),
        valid_fraction=np.concatenate([batch.valid_fraction for batch in batches]),
        band_mean=np.concatenate([batch.band_mean for batch in batches]),
        band_std=np.concatenate([batch.band_std for batch in batches]),
        lonlat=np.concatenate(lonlat) if len(lonlat) == len(batches) else None,
    )


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


def companion_of(recipe: Recipe, file: str, config: Config) -> Path | None:
    """Return a file beside the model that made the features of a recipe.

    None when there is no such file, or the model of that name is another by now.
    """
    try:
        path = companion(recipe.encoder, file, config)
        return None if path is None or matching_backend(recipe.encoder, recipe.fingerprint, config) is None else path
    except EncoderError:
        return None
