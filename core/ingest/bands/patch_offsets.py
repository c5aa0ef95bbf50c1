"""Whether only some patches of a collection hold the offset of 0.1; of one scene it is ``offset``.

A patch tells little by itself: bright land looks like dark land with the offset. Many patches tell more. Where some
hold it, the patches that could are as many copies of those that cannot, 0.1 brighter in every band.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.ingest.bands.calibration import LIFT

_CANNOT, _MAY = 850.0, 950.0
"""A patch with a band darker than the first does not hold the offset; one whose bands are all brighter than the second
may. Both are × 10,000."""
_FEWEST, _SMALLEST = 5, 0.05
"""Patches of each kind, and the share of all, below which nothing is said."""
_GAP = 2
"""So many times as many patches may hold it as lie in the valley between the two kinds."""
_LIKE, _MOST = 1.5, 0.8
"""Without the offset a patch lies as near to those that do not hold it as these to each other, times the first, and
nearer than with it in the second share of cases."""
_WHERE = (1, 50)
"""Percentiles of a band's numbers by which patches are compared: its dark end and its middle."""

_DIM, _LIFTED = 500.0, (960.0, 1150.0)
"""Middles of B10, where hardly any light returns, without and with the offset, × 10,000."""


def spectrum(numbers: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return dark end and middle × 10,000 of each band of a patch, shape (2, bands).

    Args:
        numbers: of shape (bands, pixels), valid ones alone.
    """
    found: NDArray[np.float64] = np.percentile(numbers.astype(np.float64), _WHERE, axis=1)
    return found


def may_hold_offset(spectra: Sequence[NDArray[np.float64]]) -> NDArray[np.bool_] | None:
    """Tell which patches hold the offset, where some do and others do not; None where nothing shows that.

    Args:
        spectra: as of ``spectrum``, of all patches, without B10.
    """
    if len(spectra) < 2 * _FEWEST:
        return None
    patches = np.stack(spectra)
    darkest = patches[:, 0].min(axis=1)
    plain, bright = patches[darkest < _CANNOT], patches[darkest >= _MAY]
    valley = np.sum((darkest >= _CANNOT - 50) & (darkest < _MAY + 50))
    fewest = min(len(plain), len(bright))
    if fewest < max(_FEWEST, _SMALLEST * len(patches)) or len(bright) < _GAP * valley:
        return None
    own = np.median([_nearest(patch, np.delete(plain, place, axis=0)) for place, patch in enumerate(plain)])
    lowered = np.array([_nearest(patch - LIFT, plain) for patch in bright])
    kept = np.array([_nearest(patch, plain) for patch in bright])
    if np.median(lowered) >= _LIKE * own or np.mean(lowered < kept) <= _MOST:
        return None
    held: NDArray[np.bool_] = darkest >= _MAY
    return held


def cirrus_holds_offset(middles: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Tell which patches hold the offset by the middles of their B10, where both kinds are there; else None."""
    plain, held = middles < _DIM, (middles >= _LIFTED[0]) & (middles <= _LIFTED[1])
    if min(plain.sum(), held.sum()) < max(_FEWEST, _SMALLEST * len(middles)) or np.mean(plain | held) < 1 - _SMALLEST:
        return None
    found: NDArray[np.bool_] = held
    return found


def _nearest(patch: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return how far the nearest of other patches is, the mean over bands."""
    return float(np.abs(others - patch).mean(axis=(1, 2)).min())
