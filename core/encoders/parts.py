"""On which bands the numbers of features rest, so that land seen in other bands is compared by what both sides show.

A picture of three bands has no near infrared. What an encoder makes of stand-ins for it tells that they are stand-ins,
and little of the land: EuroSAT's pictures find patches of thirteen bands better without it, by statistics of bands
nearly twice as often (``tests/bench/picture_queries.py``).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, GROUND_BANDS, INDICES, FloatArray, fill_source
from core.config import Config
from core.encoders.base import EncoderSpec
from core.encoders.files import NETWORK, SHARES
from core.encoders.registry import companion, describe, matching_backend
from core.encoders.spectral import shipped_table, spectral_spec
from core.errors import EncoderError

EMBEDDING_FEATURES = 128
"""The first so many features of a model without constants for shares are its network's embedding; its class directions
belong to them."""

NETWORK_FIELDS = frozenset(
    {"mean", "std", "ceiling", "widths", "bands", "side", "spectrum_share", "classes", "weights"}
)
"""What ``network.json`` says of such a model; one that says more may have features of another make."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureParts:
    """On which bands each number rests; D numbers in a feature vector.

    Attributes:
        bands: of each of M numbers, the bands that it is made of.
        axes: shape (M, D), what the numbers are multiplied by to be features; None = they are features, and M is D.
    """

    bands: tuple[tuple[str, ...], ...]
    axes: FloatArray | None = None

    def alike(self, one: Collection[str], other: Collection[str]) -> NDArray[np.bool_]:
        """Return which numbers are made of the same bands, measured or stood in for, in two scenes, bool of (M,)."""
        sources = {band: (fill_source(band, one), fill_source(band, other)) for band in BAND_NAMES}
        same = {made: all(sources[band][0] == sources[band][1] for band in made) for made in set(self.bands)}
        return np.array([same[made] for made in self.bands], np.bool_)

    def of(self, vectors: FloatArray, numbers: NDArray[np.bool_]) -> FloatArray:
        """Return features (N, D) by some of the numbers only, float32 of shape (N, those columns, or D)."""
        if self.axes is None:
            return np.asarray(vectors[:, numbers], np.float32)
        back = np.linalg.inv(self.axes.astype(np.float64))[:, numbers] @ self.axes[numbers]
        return np.asarray(vectors @ back.astype(np.float32), np.float32)


def feature_parts(name: str, fingerprint: str, config: Config) -> FeatureParts | None:
    """Return on which bands the features of an encoder rest; None when it is not here, or another by now.

    Args:
        name: of the encoder.
        fingerprint: of the features.
        config: where models lie.
    """
    try:
        if fingerprint == spectral_spec().fingerprint:
            return _of_statistics()
        backend = matching_backend(name, fingerprint, config)
        if backend is None:
            return None
        network = companion(name, NETWORK, config)
        return parts_of_model(describe(name, config, backend), None if network is None else network.parent)
    except EncoderError:
        return None


def parts_of_model(spec: EncoderSpec, directory: Path | None) -> FeatureParts:
    """Return on which bands the features of a model rest: those of a network of ours on fewer than those beside it.

    Args:
        spec: what it is.
        directory: of its files; None = it has none that tell of a network.
    """
    network = network_features(directory)
    count = min(network.count, spec.dimension)
    joined = directory is not None and (directory / SHARES).is_file()
    beside = tuple(name for name in (GROUND_BANDS if joined else BAND_NAMES) if name in spec.bands)
    made = beside if count else spec.bands
    return FeatureParts(bands=(network.bands,) * count + (made,) * (spec.dimension - count))


@dataclass(frozen=True, kw_only=True)
class NetworkFeatures:
    """Which features of a model of ours are its network's; they are the first ones.

    Attributes:
        count: of them; 0 = it has no network, or files that do not say so.
        bands: that the network sees.
        taught: the classes it was taught, where shares of classes are among what its features are made of.
        weighed: True = how much its word counts goes with what is strange and uneven, too.
    """

    count: int = 0
    bands: tuple[str, ...] = ()
    taught: tuple[str, ...] = ()
    weighed: bool = False


def network_features(directory: Path | None) -> NetworkFeatures:
    """Return what the files of a model say of its network; None = it has none."""
    if directory is None:
        return NetworkFeatures()
    try:
        fields = json.loads((directory / NETWORK).read_text(encoding="utf-8"))
        bands = tuple(str(name) for name in fields["bands"])
        if not (directory / SHARES).is_file():
            known = fields.keys() <= NETWORK_FIELDS
            return NetworkFeatures(count=EMBEDDING_FEATURES, bands=bands) if known else NetworkFeatures()
        with np.load(directory / SHARES) as held:
            return NetworkFeatures(
                count=len(held["centre"]),
                bands=bands,
                taught=tuple(fields.get("classes") or ()),
                weighed="usual_strangeness" in held,
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BadZipFile):
        return NetworkFeatures()


def _of_statistics() -> FeatureParts:
    bands = tuple((name,) for name in BAND_NAMES)
    indices = tuple(INDICES.values())
    return FeatureParts(bands=(*bands, *bands, *indices, *indices), axes=shipped_table().axes)
