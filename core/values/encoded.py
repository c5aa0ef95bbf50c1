"""What values are computed from outside the pages: the features of a scene and the encoder that made them."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import Config
from core.evaluation.classifier import Named
from core.evaluation.taught_classes import classifier_of
from core.features.recipe import Features, Recipe
from core.features.table import patch_table
from core.scenes.scene import Scene
from core.values.source import PatchSource


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedSource(PatchSource):
    """A source that knows which encoder made the features.

    Attributes:
        recipe: how they were made.
        config: where models lie.
    """

    recipe: Recipe
    config: Config

    def named(self, key: str = "") -> Named | None:
        """Return the classes that the encoder's classifier gives the patches; None where it was taught none.

        Raises:
            EncoderError: when the file of the classifier is damaged.
        """
        found = classifier_of(self.recipe, self.config, self.scene.bands, key)
        return None if found is None else found.name(self.table.unit)


def encoded_source(scene: Scene, features: Features, config: Config) -> EncodedSource:
    """Return the source of features.

    Raises:
        SettingsError: when a feature is not a finite number.
    """
    return EncodedSource(scene=scene, table=patch_table(features), recipe=features.recipe, config=config)
