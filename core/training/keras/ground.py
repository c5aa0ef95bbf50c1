"""What the ground of a patch is made of: two descriptions of its pixels that nobody has to teach.

- The *distribution* of each channel over the patch: deviation, mean, and the share of it above five thresholds.
- *Words*: how much of the patch is ground of each of 64 kinds. A kind is what bands and indices are like inside a block
  of 4 × 4 pixels, and how much the bands vary there; a block belongs to several kinds a little (Sivic and Zisserman,
  “Video Google”, 2003; van Gemert et al., “Visual Word Ambiguity”, 2010). Shares are compared by a power of them, as
  by their roots (Arandjelović and Zisserman, “Three things everyone should know to improve object retrieval”, 2012).

Beside these stand two numbers by which a network's word on a patch can be weighed (``training.keras.joint``): how
*strange* its light is beside that of the reference patches, and how *uneven* it is from place to place, as land of
several kinds is.

A channel is the root of the reflectance of a band of ``core.bands.GROUND_BANDS``, or an index. The constants are fitted
without labels by ``fit_ground``; run as a program with a file of patches of 13 bands, this module writes them.

Nothing here is a matrix product: where the processor has bfloat16, OpenVINO rounds to it whatever leads to one, and the
small deviations of even land would be lost.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from sklearn.cluster import KMeans

from core.bands import BAND_NAMES, GROUND_BANDS, INDICES, FloatArray
from core.errors import EncoderError
from core.files import replacing
from core.scenes.scene import REFLECTANCE_SCALE
from core.training.dataset import labelled
from core.training.keras.whitening import whitening_axes

TABLE = Path(__file__).with_name("ground.npz")
"""The shipped constants."""

DIMENSION = 64
"""Numbers that each of the two descriptions gives, and words."""

WORDS_SHARE = 0.5
"""Share of the words in the cosine of two grounds; the rest is the distribution's."""

BLOCK = 4
"""Pixels a side of what is of one word, and counts as one value in the distribution."""

SOFTNESS = 0.7
"""How much a block belongs to other words than its own, in units of the distance to its own."""

WORDS_POWER = 0.75
"""Shares of words are compared by this power of them: rare words count more than by the shares, less than by roots."""

CELLS = 4
"""Parts a side between which a patch may be uneven."""

VISIBLE_BANDS = ("B02", "B03", "B04")
"""Bands by which it is looked whether a patch is uneven; nearly every scene has them."""

PERCENTILES = (10, 30, 50, 70, 90)
"""Of reference pixels, by channel: the thresholds."""

MOST_SPREAD = 3.0
"""Statistics of the distribution count for no more than this many deviations."""

LEAST_UNEVEN, MOST_EVEN = 1e-3, -1.0
"""Roots of reflectance that the cells of every patch differ by, at least; and how even a patch counts as, at most:
water is more even than any patch of one class has to be."""

SEED = 0
_TINY = 1e-6


@dataclass(frozen=True, kw_only=True)
class GroundTable:
    """Fixed constants between pixels and the description of the ground.

    C is the number of channels, G of statistics of a block, S of statistics of a patch, W = DIMENSION of words.

    Attributes:
        thresholds: of channels, shape (thresholds, C).
        widths: of channels, shape (C,): over so much of it the share above a threshold goes from 0 to 1.
        mean: of the statistics of the distribution, shape (S,).
        deviation: likewise.
        axes: shape (S, DIMENSION), what standardised statistics are multiplied by.
        centre: shape (DIMENSION,), what is taken off after that.
        word_weights: shape (G, W), from the statistics of a block to the logits of its words.
        word_offsets: shape (W,), added to these.
        word_centre: shape (W,), mean of the powers of the shares of words.
        usual_length: shape (), median of the length of the distribution, as a logarithm.
        cell_mean: shape (3,), mean of the logarithm of how much cells differ, by band of ``VISIBLE_BANDS``.
        cell_deviation: likewise.
    """

    thresholds: FloatArray
    widths: FloatArray
    mean: FloatArray
    deviation: FloatArray
    axes: FloatArray
    centre: FloatArray
    word_weights: FloatArray
    word_offsets: FloatArray
    word_centre: FloatArray
    usual_length: FloatArray
    cell_mean: FloatArray
    cell_deviation: FloatArray

    def save(self, path: Path) -> None:
        """Write the constants to a file."""
        with replacing(path, durable=False) as part, part.open("wb") as file:
            np.savez(file, **{one.name: getattr(self, one.name) for one in fields(self)})


def shipped_ground() -> GroundTable:
    """Return the shipped constants.

    Raises:
        EncoderError: when their file is missing or damaged.
    """
    try:
        with np.load(TABLE) as held:
            return GroundTable(**{one.name: held[one.name] for one in fields(GroundTable)})
    except (OSError, ValueError, KeyError) as error:
        found = f"its table {TABLE.name} is missing or damaged"
        raise EncoderError("Describing the ground", found, "install Landlike again") from error


@dataclass(frozen=True, kw_only=True)
class BandPlanes:
    """Some bands of patches.

    Attributes:
        names: of the bands, in their order.
        pixels: reflectance (N, bands, H, W), each band in one piece of memory; H and W are known.
    """

    names: Sequence[str]
    pixels: Any


@dataclass(frozen=True, kw_only=True)
class DescribedGround:
    """What patches are made of.

    Attributes:
        features: float32 of shape (N, 2 · DIMENSION) and length 1.
        strangeness: shape (N, 1), how much longer their distribution is than is usual, as a logarithm.
        unevenness: shape (N, 1), how much they differ from place to place, in deviations from what is usual, from
            ``MOST_EVEN``.
    """

    features: Any
    strangeness: Any
    unevenness: Any


def describe_ground(planes: Sequence[BandPlanes], table: GroundTable) -> DescribedGround:
    """Return the description of the ground.

    Args:
        planes: that hold all channels' bands together; bands that are no channel cost time and change nothing.
        table: the constants.
    """
    channels, deviations = _blocks(planes)
    spread = _spread(_statistics(channels, table), table)
    words = tf.pow(_word_shares(channels, deviations, table), WORDS_POWER) - table.word_centre
    parts = ((spread, 1 - WORDS_SHARE), (words, WORDS_SHARE))
    differences = (_differences(channels, *_sides(planes)) - table.cell_mean) / table.cell_deviation
    return DescribedGround(
        features=tf.concat(
            [tf.math.l2_normalize(part, axis=-1) * np.float32(share**0.5) for part, share in parts], axis=-1
        ),
        strangeness=tf.math.log(tf.norm(spread, axis=-1, keepdims=True) + _TINY) - table.usual_length,
        unevenness=tf.maximum(tf.reduce_mean(differences, axis=-1, keepdims=True), MOST_EVEN),
    )


def _spread(statistics: Any, table: GroundTable) -> Any:  # noqa: ANN401
    """Return the distribution, (N, DIMENSION), of its statistics (N, S)."""
    scores = tf.clip_by_value((statistics - table.mean) / table.deviation, -MOST_SPREAD, MOST_SPREAD)
    return _times(scores, table.axes) - table.centre


def _sides(planes: Sequence[BandPlanes]) -> tuple[int, int]:
    """Return how many blocks patches are high and wide."""
    high, wide = planes[0].pixels.shape[2:]
    return high // BLOCK, wide // BLOCK


def _differences(channels: Any, high: int, wide: int) -> Any:  # noqa: ANN401
    """Return the logarithm of the deviation between the cells of patches, (N, 3), of channels (N, C, blocks).

    Rows and columns of blocks that are left over at the edges are left out; of patches of 64 pixels none are.
    """
    seen = tf.gather(channels, [GROUND_BANDS.index(name) for name in VISIBLE_BANDS], axis=1)
    rows, cols = min(CELLS, high), min(CELLS, wide)
    tall, broad = high // rows, wide // cols
    cut = tf.reshape(seen, (-1, high, wide))[:, : rows * tall, : cols * broad]
    means = tf.reduce_mean(tf.reshape(cut, (-1, rows, tall, cols, broad)), axis=(2, 4))
    means = tf.reshape(means, (-1, len(VISIBLE_BANDS), rows * cols))
    off = tf.square(means - tf.reduce_mean(means, axis=-1, keepdims=True))
    return tf.math.log(tf.sqrt(tf.reduce_mean(off, axis=-1)) + LEAST_UNEVEN)


def _times(values: Any, matrix: FloatArray) -> Any:  # noqa: ANN401
    """Return the product of values (N, A) and a matrix (A, B), as a sum."""
    return tf.reduce_sum(values[:, :, None] * matrix, axis=1)


def _blocks(planes: Sequence[BandPlanes]) -> tuple[Any, Any]:
    """Return what blocks are like.

    Returns:
        Channels, (N, C, blocks); and of the bands among them the root of the deviation, (N, bands, blocks).
    """
    names = [name for one in planes for name in one.names]
    wanted = [names.index(name) for name in GROUND_BANDS]
    # A root squared is the band itself.
    mean, square = (
        tf.gather(tf.concat([_pooled(change(one.pixels)) for one in planes], axis=1), wanted, axis=1)
        for change in (lambda pixels: tf.sqrt(tf.maximum(pixels, 0)), tf.identity)
    )
    first, second = (
        tf.gather(square, [GROUND_BANDS.index(pair[side]) for pair in INDICES.values()], axis=1) for side in (0, 1)
    )
    indices = (first - second) / tf.maximum(first + second, _TINY)
    deviation = tf.sqrt(tf.maximum(square - tf.square(mean), 0))
    return tf.concat([mean, indices], axis=1), tf.sqrt(deviation)


def _pooled(planes: Any) -> Any:  # noqa: ANN401
    """Return means of blocks, (N, P, blocks), of planes (N, P, H, W); what is left over at the edges is left out.

    First of rows, then of columns: OpenVINO takes half the time of a pooling, which puts the planes side by side first.
    """
    count, high, wide = planes.shape[1], planes.shape[2] // BLOCK, planes.shape[3] // BLOCK
    if planes.shape[2:] != (high * BLOCK, wide * BLOCK):
        planes = planes[:, :, : high * BLOCK, : wide * BLOCK]
    rows = tf.reduce_mean(tf.reshape(planes, (-1, BLOCK, wide * BLOCK)), axis=1)
    return tf.reshape(tf.reduce_mean(tf.reshape(rows, (-1, BLOCK)), axis=1), (-1, count, high * wide))


def _statistics(means: Any, table: GroundTable) -> Any:  # noqa: ANN401
    """Return the statistics of the distribution, (N, S): roots of deviations, means, shares above thresholds.

    Args:
        means: of channels inside blocks, (N, C, blocks).
        table: of which thresholds and widths count.
    """
    mean = tf.reduce_mean(means, axis=-1, keepdims=True)
    deviation = tf.sqrt(tf.reduce_mean(tf.square(means - mean), axis=-1))
    above = [
        tf.reduce_mean(tf.clip_by_value((means - row[:, None]) / table.widths[:, None] + 0.5, 0, 1), axis=-1)
        for row in table.thresholds
    ]
    return tf.concat([tf.sqrt(deviation), mean[..., 0], *above], axis=-1)


def _word_shares(channels: Any, deviations: Any, table: GroundTable) -> Any:  # noqa: ANN401
    """Return how much of each patch is of each word, (N, W), of what ``_blocks`` gives.

    The logits are summed up statistic by statistic, which OpenVINO makes one pass of.
    """
    logits = tf.constant(table.word_offsets[:, None])
    singly = [part[:, row : row + 1] for part in (channels, deviations) for row in range(part.shape[1])]
    for statistic, weights in zip(singly, table.word_weights, strict=True):
        logits += statistic * weights[:, None]
    return tf.reduce_mean(tf.nn.softmax(logits, axis=1), axis=-1)


def fit_ground(pixels: FloatArray) -> GroundTable:
    """Fit the constants to reference patches.

    Args:
        pixels: reflectance, float32 of shape (N, H, W, 13), top of the atmosphere.
    """
    blocks = _batched(lambda planes: tf.concat(_blocks(planes), axis=1), pixels).numpy()
    count = len(GROUND_BANDS) + len(INDICES)
    channels = blocks[:, :count]
    flat = channels.transpose(0, 2, 1).reshape(-1, count)
    thresholds, widths = np.percentile(flat, PERCENTILES, axis=0), flat.std(axis=0)
    names = [one.name for one in fields(GroundTable)]
    table = dict.fromkeys(names, np.zeros((), np.float32)) | {"thresholds": thresholds, "widths": widths}
    raw = _statistics(tf.constant(channels), _table(table)).numpy()
    table |= {"mean": raw.mean(0), "deviation": raw.std(0) + _TINY}
    known = np.clip((raw - table["mean"]) / table["deviation"], -MOST_SPREAD, MOST_SPREAD)
    mean, axes = whitening_axes(known, power=0.25, count=DIMENSION)
    lengths = np.linalg.norm((known - mean) @ axes, axis=1)
    table |= {"axes": axes, "centre": mean @ axes, "usual_length": np.log(np.median(lengths))}
    uneven = _differences(tf.constant(channels), *(side // BLOCK for side in pixels.shape[1:3])).numpy()
    table |= {"cell_mean": uneven.mean(axis=0), "cell_deviation": uneven.std(axis=0) + _TINY}
    return _table(table | _fit_words(blocks))


def _table(values: dict[str, Any]) -> GroundTable:
    return GroundTable(**{name: np.asarray(value, np.float32) for name, value in values.items()})


def _fit_words(given: FloatArray) -> dict[str, Any]:
    """Return the constants of the words: k-means of whitened blocks, as logits of distances."""
    blocks = given.transpose(0, 2, 1)
    flat = blocks.reshape(-1, blocks.shape[-1]).astype(np.float64)
    mean, deviation = flat.mean(axis=0), flat.std(axis=0) + _TINY
    middle, axes = whitening_axes((flat - mean) / deviation, power=0.25)
    white = ((flat - mean) / deviation - middle) @ axes
    words = KMeans(DIMENSION, random_state=SEED, n_init=1, max_iter=50).fit(white[::3]).cluster_centers_
    some = white[::50]
    nearest = ((some[:, None] - words) ** 2).sum(-1).min(axis=1)
    sharpness = 1 / (SOFTNESS * np.median(nearest))
    to_white, offset = axes / deviation[:, None], (mean / deviation + middle) @ axes
    found: dict[str, Any] = {
        "word_weights": 2 * sharpness * to_white @ words.T,
        "word_offsets": -sharpness * (2 * offset @ words.T + (words**2).sum(axis=1)),
    }
    logits = blocks @ found["word_weights"] + found["word_offsets"]
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    powers = (shares / shares.sum(axis=-1, keepdims=True)).mean(axis=1) ** WORDS_POWER
    return found | {"word_centre": powers.mean(axis=0)}


def _batched(function: Any, pixels: FloatArray, batch: int = 64) -> Any:  # noqa: ANN401
    """Return what a function of planes gives for patches (N, H, W, 13), a part after the other."""
    parts = [pixels[first : first + batch].transpose(0, 3, 1, 2) for first in range(0, len(pixels), batch)]
    planes = ([BandPlanes(names=BAND_NAMES, pixels=tf.constant(part, tf.float32))] for part in parts)
    return tf.concat([function(one) for one in planes], axis=0)


def weighed_by(pixels: FloatArray, table: GroundTable) -> tuple[FloatArray, FloatArray]:
    """Return strangeness and unevenness of patches (N, H, W, 13), each of shape (N,)."""

    def both(planes: Sequence[BandPlanes]) -> Any:  # noqa: ANN401
        ground = describe_ground(planes, table)
        return tf.concat([ground.strangeness, ground.unevenness], axis=-1)

    strangeness, unevenness = _batched(both, pixels).numpy().T
    return strangeness, unevenness


def main() -> None:
    """Fit the constants to a file of patches of 13 bands and keep them."""
    from core.ingest.boundary import ingest
    from core.ingest.settings import IngestSettings
    from core.scenes.library import Library

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("patches", type=Path)
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = labelled(ingest([options.patches], Library(Path(folder)), IngestSettings()))
    if found.bands != BAND_NAMES:
        raise SystemExit(f"Describing the ground: patches of all 13 bands are needed; these have {len(found.bands)}.")
    fit_ground(found.pixels.astype(np.float32) / np.float32(REFLECTANCE_SCALE)).save(options.out)


if __name__ == "__main__":
    main()
