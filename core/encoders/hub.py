"""Hub modules as encoders: TF1-Hub modules and TF2 SavedModels, run by TensorFlow or OpenVINO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.encoders.base import Encoder, EncoderSpec
from core.encoders.hub_cache import HubConfig, locate
from core.errors import EncoderError
from core.progress import Progress

if TYPE_CHECKING:
    from core.encoders.registry import Entry


def describe(name: str, entry: Entry, backend: str | None, config: HubConfig) -> EncoderSpec:
    """The specification of a hub module."""
    locate(entry.reference, config)
    raise EncoderError(f"Opening {name}", "hub modules come next", f"use spectral, not {backend}")


def load(name: str, entry: Entry, backend: str | None, config: HubConfig) -> Encoder:
    """A hub module, ready."""
    describe(name, entry, backend, config)
    raise NotImplementedError


def fetch(name: str, entry: Entry, config: HubConfig, progress: Progress) -> None:
    """Download a hub module."""
    raise EncoderError(f"Downloading {name}", "it comes next", str((entry, config, progress)))
