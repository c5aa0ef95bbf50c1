"""A file of features as heads need it: vectors, places, blocks of land, novelty, and what made it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.classification.heads import HeadOrigin
from core.classification.labelled import LabelledPatches, labelled_patches, window_outlines
from core.config import Config
from core.errors import EncoderError
from core.evaluation.novelty import novelty_percentile
from core.export.geometry import Shapes
from core.export.geoparquet import Embeddings
from core.export.selection import file_place, file_shapes, grid_of_file, valid_shares
from core.features.recipe import Recipe
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.outline_areas import patch_hectares
from core.scenes.patches import IntArray, PatchGrid


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureFile:
    """A file of features.

    Attributes:
        table: what is in it.
        name: of the file, for sentences.
    """

    table: Embeddings
    name: str

    @cached_property
    def outlines(self) -> Shapes:
        """Outlines of the patches in EPSG:4326, of shape (N,), None where unknown."""
        return file_shapes(self.table.table)

    @property
    def hectares(self) -> NDArray[np.float64] | None:
        """Hectares with data that each patch stands for, of shape (N,); None where the place of one is not known."""
        if (shapely.get_dimensions(self.outlines) != 2).any():
            return None
        return patch_hectares(self.outlines, valid_shares(self.table.table))

    @cached_property
    def grid(self) -> tuple[GeoBox, PatchGrid] | None:
        """Where the pixels of the scene lie and how it was cut; None for collections and unknown ones."""
        return file_place(self.table)

    @property
    def sharing(self) -> Shapes | None:
        """Outlines that tell which patches share land, as of ``land_outlines``; None where no two do."""
        cut = grid_of_file(self.table)
        return self.outlines if cut is None else window_outlines(cut, self.table.patch_ids)

    @property
    def places(self) -> IntArray | None:
        """Row and column of each patch, int64 of shape (N, 2); None where the file has none."""
        columns = [name for name in ("row", "col") if name in self.table.table.column_names]
        if len(columns) < 2 or self.table.scene.get("kind") == "collection":
            return None
        pair = [self.table.table.column(name).to_numpy(zero_copy_only=False) for name in columns]
        if any(one.dtype.kind not in "iu" for one in pair):
            return None
        return np.stack(pair, axis=1).astype(np.int64)

    @property
    def fingerprint(self) -> str:
        """Of the encoder that made it; empty where it does not say so."""
        return str(self.table.spec.get("fingerprint") or "")

    @property
    def cut(self) -> Cut | None:
        """How its patches were cut; None where it does not say so."""
        return Cut.from_dict({"stride": self.table.cut.get("size"), **self.table.cut})

    @property
    def scene_id(self) -> str:
        """Of the scene; empty where it does not say so."""
        return str(self.table.scene.get("id") or "")

    @property
    def level(self) -> str:
        """Of the scene, or empty."""
        return str(self.table.scene.get("level") or "")

    @property
    def bands(self) -> tuple[str, ...]:
        """Of the scene; empty where it does not say so."""
        stated = self.table.scene.get("bands")
        return tuple(name for name in BAND_NAMES if name in stated) if isinstance(stated, list) else ()

    @property
    def origin(self) -> HeadOrigin:
        """What a head taught on it was taught on."""
        return HeadOrigin(
            encoder=str(self.table.spec.get("name") or ""), fingerprint=self.fingerprint,
            cut="" if self.cut is None else self.cut.key, level=self.level, bands=self.bands,
            scenes=tuple(str(name) for name in (self.table.scene.get("name"),) if name),
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        )  # fmt: skip

    def labelled(self, labels: Mapping[int, str]) -> LabelledPatches:
        """Return its labelled patches.

        Args:
            labels: class by patch id.

        Raises:
            ClassificationError: when fewer than two classes have a patch.
        """
        return labelled_patches(
            self.table.vectors, self.table.patch_ids, labels, lonlat=self.table.lonlat, places=self.places,
            outlines=self.sharing,
        )  # fmt: skip

    def novelty(self, config: Config) -> FloatArray | None:
        """Return how unlike known land its patches are to its encoder, percentiles of shape (N,); None = not known."""
        table, cut = self.table, self.cut
        if cut is None or table.band_mean is None or table.band_std is None or not self.fingerprint:
            return None
        recipe = Recipe(
            scene_id=self.scene_id, encoder=str(table.spec.get("name", "")),
            fingerprint=self.fingerprint, cut=cut,
        )  # fmt: skip
        bands = self.bands or BAND_NAMES
        statistics: tuple[NDArray[np.float32], NDArray[np.float32]] = (table.band_mean, table.band_std)
        try:
            return novelty_percentile(recipe, config, statistics, bands, self.level or None)
        except EncoderError:
            return None
