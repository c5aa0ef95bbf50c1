"""The features of a scene as a file of GeoParquet, with the values of patches that go into every such file."""

from __future__ import annotations

from pathlib import Path

from core.config import Config
from core.encoders.base import EncoderSpec
from core.export.geoparquet import write_geoparquet
from core.features.recipe import Features
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from core.values.encoded import encoded_source
from core.values.registry import export_columns


def write_embeddings(path: Path, scene: Scene, features: Features, spec: EncoderSpec, config: Config) -> None:
    """Write the features of a scene; readers see the whole file or none.

    Args:
        path: the file.
        scene: they are of.
        features: all of a recipe.
        spec: what made them.
        config: where models lie.

    Raises:
        StoreError: when the file cannot be written.
    """
    columns = export_columns(encoded_source(scene, features, config))
    write_geoparquet(path, scene, patch_grid(scene, features.recipe.cut), features, spec, values=columns)
