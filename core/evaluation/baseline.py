"""The plain spectrum of some patches of a scene: what the encoder ``spectral`` makes of them, and nothing like it.

It is what every encoder is shown beside. The band means and deviations that lie beside features do not quite suffice
for it: the mean of an index over the pixels of a patch is not the index of the means, and its deviation is not in them
at all. Where there is nothing else, they give it roughly.
"""

from __future__ import annotations

import numpy as np

from core.bands import INDICES, FloatArray
from core.encoders.spectral import N_STATISTICS, SpectralEncoder, shipped_table
from core.features.batches import iter_patches
from core.progress import Progress, silent
from core.scenes.patches import IntArray, PatchGrid
from core.scenes.scene import Scene
from core.similarity.explain import index_values


def plain_spectrum(scene: Scene, grid: PatchGrid, ids: IntArray, progress: Progress = silent) -> FloatArray:
    """Return the features of patches by the encoder ``spectral``, read from the scene's pixels.

    Args:
        scene: the scene.
        grid: its patches.
        ids: which of them, int64 of shape (N,), in any order, each once.
        progress: told how many of them are read.

    Returns:
        float32 of shape (N, 32), bit for bit those that encoding the scene gives.

    Raises:
        EncoderError: when the shipped constants are damaged.
    """
    encoder = SpectralEncoder()
    order = np.argsort(ids)
    ascending = ids[order]
    features = np.empty((len(ids), N_STATISTICS), np.float32)
    skip = frozenset(np.setdiff1d(np.arange(grid.count), ids).tolist())
    done = 0
    for batch in iter_patches(scene, grid, encoder.spec.bands, skip=skip):
        features[order[np.searchsorted(ascending, batch.ids)]] = encoder.encode(batch.pixels)
        done += len(batch.ids)
        progress(done, len(ids))
    return features


def rough_spectrum(band_mean: FloatArray, band_std: FloatArray) -> FloatArray:
    """Return nearly the same without pixels: indices are those of the means, and their deviations count as average.

    A test holds the precision of the nearest 10 within 2 points of the true one.

    Args:
        band_mean: shape (N, 13), mean reflectance, in the order of ``BAND_NAMES``.
        band_std: shape (N, 13), standard deviation inside the patch, likewise.

    Returns:
        float32 of shape (N, 32).

    Raises:
        EncoderError: when the shipped constants are damaged.
    """
    table = shipped_table()
    indices = [index_values(band_mean, name) for name in INDICES]
    # Statistics are compared after a square root, so an average one is the square of the mean.
    average = np.square(table.mean[-len(INDICES) :])
    unknown = np.broadcast_to(average, (len(band_mean), len(INDICES)))
    return table.features(np.concatenate([band_mean, band_std, np.stack(indices, axis=1), unknown], axis=1))


def spectrum_of_means(
    every: IntArray, band_mean: FloatArray, band_std: FloatArray, ids: IntArray, _: Progress = silent
) -> FloatArray:
    """Return the plain spectrum of patches of some ids, from the means of all."""
    order = np.argsort(every)
    rows = order[np.searchsorted(every, ids, sorter=order)]
    return rough_spectrum(band_mean[rows], band_std[rows])
