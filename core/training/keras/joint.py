"""A trained network and the description of the ground as one encoder.

A network taught some classes tells these superbly, and says little of land that it never saw: nine axes hold nearly all
that its embeddings vary by. So features are two parts side by side:

- the *network part*: the embedding, half-way whitened, so that what varies little counts too;
- the *ground part* (``training.keras.ground``): what pixels the patch holds, of whatever land.

How much the network's word counts goes with the length of its embedding, which is long where the network sees what it
was taught, and short elsewhere (Yu et al., “Block Selection Method for Using Feature Norm in Out-of-Distribution
Detection”, 2023, measure the like). It counts for less where the light of the patch is strange to it, and where the
patch is uneven, as it was taught patches of one class each. So a patch of known land is compared by class, one of
unknown land by its ground, and a known one with an unknown one by both a little. All features have length 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from core.bands import BAND_NAMES, GROUND_BANDS, FloatArray
from core.training.hyperparameters import NETWORK_FEATURES
from core.training.keras.ground import BandPlanes, DescribedGround, GroundTable, describe_ground, weighed_by
from core.training.keras.whitening import whitening_axes

SHORT_PERCENTILE = 11
"""Of the lengths of embeddings of known land, 11 in 100 are shorter."""

NETWORK_SHARE = 0.84
"""Share of the network part in the cosine of two patches of land that it knows well, at most."""

LENGTH_WEIGHT, STRANGENESS_WEIGHT, UNEVENNESS_WEIGHT = 3.5, 2.5, 0.5
"""By what the share goes, as the logarithm of odds: how much longer than the short ones an embedding is, as a share of
their length; how strange the patch is, which counts against it; and how uneven, which does too."""

WHITENING_POWER = 0.15
"""Of its axes each is divided by its variance to the power of this; ½ would be all the way to white."""

MOST_USUAL_STRANGENESS = 0.2
"""Strangeness that is usual for known land, at most: with more, other land that is strange would pass for known."""

MOST_DEVIATIONS = 5.0
"""Numbers of the embedding count for no more than this many deviations."""

REFERENCES = 4_000
"""Patches by which the network part is fitted, at most."""

_LATER = frozenset({"usual_strangeness", "usual_unevenness"})
"""Constants that files from before do not have."""

_TINY = 1e-6


@dataclass(frozen=True, kw_only=True)
class NetworkPart:
    """Fixed constants between a network's embedding and its part of the features; D numbers in an embedding.

    Attributes:
        mean: shape (D,).
        deviation: shape (D,).
        axes: shape (D, NETWORK_FEATURES), what the standardised embedding is multiplied by.
        centre: shape (NETWORK_FEATURES,), what is taken off after that.
        half_length: of an embedding whose part has half its share, where the patch is as usual.
        usual_strangeness: of patches of known land (``training.keras.ground``).
        usual_unevenness: likewise.
    """

    mean: FloatArray
    deviation: FloatArray
    axes: FloatArray
    centre: FloatArray
    half_length: float
    usual_strangeness: float = 0.0
    usual_unevenness: float = 0.0

    def save(self, path: Path) -> None:
        """Write the constants to a file."""
        held: dict[str, Any] = {one.name: np.asarray(getattr(self, one.name), np.float32) for one in fields(self)}
        np.savez(path, **held)

    @classmethod
    def load(cls, path: Path) -> NetworkPart:
        """Read what ``save`` wrote.

        Raises:
            OSError: when it cannot be read.
            KeyError: when one of the constants is missing.
            ValueError: when the file is damaged.
        """
        with np.load(path) as held:
            there = [one.name for one in fields(cls) if one.name not in _LATER or one.name in held]
            values: dict[str, Any] = {name: held[name] for name in there}
        return cls(**values | {name: float(value) for name, value in values.items() if value.ndim == 0})


def fit_network_part(embeddings: FloatArray) -> NetworkPart:
    """Fit the constants to embeddings of known land, better such as was not learned from, shape (N, D)."""
    mean, deviation = embeddings.mean(axis=0), embeddings.std(axis=0) + _TINY
    scores = np.clip((embeddings - mean) / deviation, -MOST_DEVIATIONS, MOST_DEVIATIONS)
    middle, axes = whitening_axes(scores, power=WHITENING_POWER, count=NETWORK_FEATURES)
    lengths = np.linalg.norm(embeddings, axis=1)
    return NetworkPart(
        mean=mean,
        deviation=deviation,
        axes=axes.astype(np.float32),
        centre=(middle @ axes).astype(np.float32),
        half_length=float(np.percentile(lengths, SHORT_PERCENTILE)) + _TINY,
    )


def accustomed(part: NetworkPart, images: FloatArray, table: GroundTable) -> NetworkPart:
    """Return the constants with what is usual for patches of known land, so that land like it is less strange.

    What is as strange in another way is so, too; hence no more than ``MOST_USUAL_STRANGENESS`` of it is usual. Where
    known land is less strange or uneven than the patches of the ground are, what is usual for these counts.

    Args:
        part: the constants.
        images: reflectance (N, H, W, 13), with all bands of the ground.
        table: the constants of the ground.
    """
    strangeness, unevenness = weighed_by(images, table)
    return replace(
        part,
        usual_strangeness=min(max(float(np.median(strangeness)), 0.0), MOST_USUAL_STRANGENESS),
        usual_unevenness=max(float(np.median(unevenness)), 0.0),
    )


class JointEncoder(tf.Module):  # type: ignore[misc]
    """Reflectance of thirteen bands in, features out."""

    def __init__(self, network: Any, bands: Sequence[str], part: NetworkPart | None, ground: GroundTable) -> None:  # noqa: ANN401
        """Join a network and the ground.

        Args:
            network: of ``core.training.keras.network.build``, trained.
            bands: of the network, in product order.
            part: its constants; None = features are its embedding alone, of length 1.
            ground: the constants of the ground.
        """
        super().__init__()
        self.network, self._bands = network, tuple(bands)
        self._part, self._ground = part, ground

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def features(self, images: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return float32 (N, D) of reflectance (N, H, W, 13) in product order, 0 where not measured."""
        seen, *unseen = _planes(images, [self._bands, [name for name in GROUND_BANDS if name not in self._bands]])
        embedding = self.network(tf.transpose(seen.pixels, (0, 2, 3, 1)), training=False)["embedding"]
        embedding = tf.cast(embedding, tf.float32)
        if self._part is None:
            return {"default": tf.math.l2_normalize(embedding, axis=-1)}
        ground = describe_ground([seen, *unseen], self._ground)
        share = _network_share(embedding, self._part, ground)
        parts = [_network_part(embedding, self._part) * tf.sqrt(share), ground.features * tf.sqrt(1 - share)]
        return {"default": tf.concat(parts, axis=-1)}


def _network_share(embedding: Any, part: NetworkPart, ground: DescribedGround) -> Any:  # noqa: ANN401
    """Return how much the network's word counts, (N, 1), 0 to ``NETWORK_SHARE``."""
    length = tf.norm(embedding, axis=-1, keepdims=True)
    known = LENGTH_WEIGHT * (length / part.half_length - 1)
    strange = STRANGENESS_WEIGHT * (ground.strangeness - part.usual_strangeness)
    uneven = UNEVENNESS_WEIGHT * (ground.unevenness - part.usual_unevenness)
    return NETWORK_SHARE * tf.sigmoid(known - strange - uneven)


def _network_part(embedding: Any, part: NetworkPart) -> Any:  # noqa: ANN401
    """Return the whitened embedding, (N, NETWORK_FEATURES), of length 1; a sum, as in ``training.keras.ground``."""
    scores = (embedding - part.mean) / part.deviation
    scores = tf.clip_by_value(scores, -MOST_DEVIATIONS, MOST_DEVIATIONS)
    return tf.math.l2_normalize(tf.reduce_sum(scores[:, :, None] * part.axes, axis=1) - part.centre, axis=-1)


def _planes(images: Any, groups: Sequence[Sequence[str]]) -> list[BandPlanes]:  # noqa: ANN401
    """Return groups of bands, those of them that are not empty, each band in one piece of memory.

    OpenVINO goes through that much faster; not reshaped, it would turn them back to bands side by side. A group is
    taken out of the images once, for whoever needs it.
    """
    _, height, width, bands = images.shape
    flat = tf.reshape(tf.transpose(images, (0, 3, 1, 2)), (-1, bands, height * width))
    taken = ((names, tf.gather(flat, [BAND_NAMES.index(name) for name in names], axis=1)) for names in groups if names)
    return [
        BandPlanes(names=names, pixels=tf.reshape(pixels, (-1, len(names), height, width))) for names, pixels in taken
    ]
