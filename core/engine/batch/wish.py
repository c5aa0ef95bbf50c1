"""What is wished of every scene of a batch: by which encoder it is encoded, how it is read and cut."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from core.config import Config
from core.encoders.base import EncoderSpec
from core.encoders.registry import default_encoder, describe
from core.features.given import first_encoder, needed_spec
from core.features.recipe import Recipe
from core.features.stand_ins import check_has_bands
from core.ingest.files import INGEST_VERSION
from core.ingest.settings import IngestSettings
from core.scenes.cut import MIN_VALID_FRACTION, Cut, Edge, GroundLength
from core.scenes.overview import cut_by_lengths
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene

OUTPUT_VERSION = "1"
"""Raised when the same wish would give other files."""


@dataclass(frozen=True, kw_only=True)
class BatchWish:
    """What is wished of every scene; can be sent to another process.

    Attributes:
        encoder: a name or path; None = the one that a scene is encoded by where nobody chooses.
        fingerprint: of that encoder, from when the batch began; scenes of vectors have their own.
        backend: what runs it; None = the fastest.
        patch: a side of a patch; None = the usual one.
        stride: from patch to patch; None = side by side.
        edge: what becomes of the edge of a scene.
        least_valid: patches with a smaller share of valid pixels are not encoded.
        area: file of an area of interest; None = all of each scene.
        settings: a person's decisions in place of the ingest.
    """

    fingerprint: str
    encoder: str | None = None
    backend: str | None = None
    patch: GroundLength | None = None
    stride: GroundLength | None = None
    edge: Edge = "leave"
    least_valid: float = MIN_VALID_FRACTION
    area: Path | None = None
    settings: IngestSettings = field(default_factory=IngestSettings)

    @cached_property
    def place(self) -> str:
        """SHA-256 (hex) of what was wished; what replaces something older has the same."""
        lengths = [None if one is None else [one.number, one.metres] for one in (self.patch, self.stride)]
        area = "" if self.area is None else hashlib.sha256(self.area.read_bytes()).hexdigest()
        parts = [self.fingerprint, lengths, self.edge, self.least_valid, area, self.settings.digest]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of all that decides what comes out for a given input."""
        return hashlib.sha256(f"{OUTPUT_VERSION} {INGEST_VERSION} {self.place}".encode()).hexdigest()

    def recipe(self, scene: Scene, config: Config) -> tuple[Recipe, EncoderSpec]:
        """Return how a scene is encoded, and by what.

        Raises:
            PatchError: when it cannot be cut so.
            EncoderError: when the encoder cannot be used, or the scene has none of its bands.
        """
        cut = patch_grid(scene, self._cut(scene)).cut
        encoder = self.encoder or first_encoder(scene)
        spec = describe(encoder, config, self.backend) if scene.has_pixels else needed_spec(scene, encoder)
        check_has_bands(spec, scene)
        return Recipe(scene_id=scene.id, encoder=encoder, fingerprint=spec.fingerprint, cut=cut), spec

    def _cut(self, scene: Scene) -> Cut:
        area = ""
        if self.area is not None:
            from core.ingest.vectors.adding import read_area
            from core.scenes.regions.of_interest import keep_area

            area = keep_area(scene, read_area(self.area))
        return cut_by_lengths(
            scene, self.patch, self.stride, edge=self.edge, least_valid=self.least_valid, area=area
        )  # fmt: skip


def fingerprint_of(encoder: str | None, backend: str | None, config: Config) -> str:
    """Return the fingerprint of an encoder, of the default one where none is named.

    Raises:
        EncoderError: when it is unknown or cannot be used.
    """
    return describe(encoder or default_encoder(), config, backend).fingerprint
