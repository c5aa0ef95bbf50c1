"""Telling nameless bands by their pixels; bands with names are ``bands.assign``.

Two facts of Sentinel-2 over land carry it: the cirrus band B10 receives almost no light, so it is the darkest by far,
and the narrow B8A (865 nm) sees nearly what the broad B08 (833 nm) sees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, EUROSAT_ORDER
from core.errors import BandsError

_WITHOUT_B10 = tuple(name for name in BAND_NAMES if name != "B10")
_EUROSAT_WITHOUT_B10 = tuple(name for name in EUROSAT_ORDER if name != "B10")
_ORDERS: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {
    13: (BAND_NAMES, EUROSAT_ORDER),
    12: (_WITHOUT_B10, _EUROSAT_WITHOUT_B10),
}
_TITLES = ("product order (B8A after B08)", "EuroSAT order (B8A last)")
_INSTANCES = {
    3: "B04,B03,B02",
    4: "B02,B03,B04,B08",
    6: "B02,B03,B04,B08,B11,B12",
    10: "B02,B03,B04,B05,B06,B07,B08,B8A,B11,B12",
}
"""How files of so many bands are often ordered; too uncertain to be taken for granted."""
_CLOSE = 0.35
"""Largest mean difference of B8A from B08, as a share of B08, still taken for the same light."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Bands told by their pixels.

    Attributes:
        bands: names in the order of the file.
        title: the order in words.
        because: the evidence, one clause.
    """

    bands: tuple[str, ...]
    title: str
    because: str


def tell_order(pixels: NDArray[np.float32]) -> Order:
    """Tell the bands of a file without names.

    Args:
        pixels: valid pixels, shape (bands, pixels), in the file's own order and numbers.

    Raises:
        BandsError: when the pixels do not decide.
    """
    orders = _ORDERS.get(len(pixels))
    if orders is None:
        found = f"its {len(pixels)} bands have no names, and only 12 or 13 can be told by their pixels"
        raise _undecided(found, _INSTANCES.get(len(pixels)))
    if pixels.shape[1] < 16:
        raise _undecided("its bands have no names and too few valid pixels to tell them by")
    floor = np.percentile(pixels, 0.1)
    base = floor if floor > 900 else 0.0
    unlike = [_unlikeness(pixels - np.float32(base), order) for order in orders]
    best = int(np.argmin(unlike))
    bands = orders[best]
    if unlike[best] > _CLOSE or unlike[1 - best] < 1.2 * unlike[best]:
        raise _undecided("its bands have no names, and no band looks like B8A beside B08")
    because = f"band {bands.index('B8A') + 1} differs from band {bands.index('B08') + 1} by {unlike[best]:.0%} only"
    if "B10" in bands:
        medians = np.median(pixels, axis=1)
        darkest = int(np.argmin(medians))
        if darkest != bands.index("B10"):
            found = f"its bands have no names, and band {darkest + 1} is the darkest where B10 should not be"
            raise _undecided(found)
        because += f", and band {darkest + 1} is the darkest, as B10 is over land"
    return Order(bands=bands, title=_TITLES[best], because=because)


def _unlikeness(pixels: NDArray[np.float32], order: tuple[str, ...]) -> float:
    """Return the mean difference between what would be B08 and B8A in an order, as a share of their mean."""
    broad, narrow = pixels[order.index("B08")], pixels[order.index("B8A")]
    total = float(np.mean(np.abs(broad) + np.abs(narrow))) / 2
    return float(np.mean(np.abs(broad - narrow))) / total if total > 0 else float("inf")


def _undecided(found: str, instance: str | None = None) -> BandsError:
    instance = f", for instance {instance}" if instance else ""
    return BandsError(found=found, remedy=f"give the names of the bands in the order of the file{instance}")
