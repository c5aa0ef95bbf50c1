"""Telling nameless bands by count, known orders and pixels; bands with names are ``bands.assign``.

Three facts of Sentinel-2 over land carry it: the cirrus band B10 receives almost no light, so it is the darkest by far;
the narrow B8A (865 nm) sees nearly what the broad B08 (833 nm) sees; and sorted by wavelength the light of land runs
smoothly, so the right one of two orders is the smoother. Which of blue and red comes first that does not tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, BY_NAME, EUROSAT_ORDER
from core.errors import BandsError
from core.ingest.bands.calibration import LIFT
from core.ingest.bands.known_light import strangeness


@dataclass(frozen=True, kw_only=True)
class KnownOrder:
    """An order in which products and programs write bands.

    Attributes:
        title: the order in words.
        bands: names in that order.
    """

    title: str
    bands: tuple[str, ...]


def _known(title: str, text: str, *, without: tuple[str, ...] = ()) -> KnownOrder:
    return KnownOrder(title=title, bands=tuple(band for band in text.split() if band not in without))


_PRODUCT, _EUROSAT = " ".join(BAND_NAMES), " ".join(EUROSAT_ORDER)
_FINE_FIRST = "B02 B03 B04 B08 B05 B06 B07 B8A B11 B12"
_RED_FIRST = "B04 B03 B02 B08 B05 B06 B07 B8A B11 B12"
_AS_PRODUCT, _AS_EUROSAT = "product order (B8A after B08)", "EuroSAT order (B8A last)"
_BY_PIXEL = "bands of 10 m first, then of 20 m"
_ORDERS: dict[int, tuple[KnownOrder, ...]] = {
    13: (
        _known(_AS_PRODUCT, _PRODUCT),
        _known(_AS_EUROSAT, _EUROSAT),
        _known(_BY_PIXEL, f"{_FINE_FIRST} B01 B09 B10"),
        _known(f"{_BY_PIXEL}, red first", f"{_RED_FIRST} B01 B09 B10"),
    ),
    12: (
        _known(_AS_PRODUCT, _PRODUCT, without=("B10",)),
        _known(_AS_EUROSAT, _EUROSAT, without=("B10",)),
        _known(_BY_PIXEL, f"{_FINE_FIRST} B01 B09"),
        _known(f"{_BY_PIXEL}, red first", f"{_RED_FIRST} B01 B09"),
        _known(f"B01 first, {_BY_PIXEL}", f"B01 {_FINE_FIRST} B09"),
    ),
    10: (
        _known("product order (B8A after B08)", _PRODUCT, without=("B01", "B09", "B10")),
        _known(_AS_EUROSAT, _EUROSAT, without=("B01", "B09", "B10")),
        _known(_BY_PIXEL, _FINE_FIRST),
        _known(f"{_BY_PIXEL}, red first", _RED_FIRST),
    ),
}
_INSTANCES = {
    3: "B04,B03,B02",
    4: "B02,B03,B04,B08",
    6: "B02,B03,B04,B08,B11,B12",
    9: "B02,B03,B04,B05,B06,B07,B8A,B11,B12",
    10: "B02,B03,B04,B05,B06,B07,B08,B8A,B11,B12",
    11: "B01,B02,B03,B04,B05,B06,B07,B08,B8A,B11,B12",
}
"""How files of so many bands are often ordered; too uncertain to be taken for granted."""
_AS_NUMBERED = tuple(name for name in BAND_NAMES if name != "B8A")
_SEN2R = re.compile(r"(?<![A-Za-z0-9])S2[ABC](?:1C|2A)_\d{8}_\d{3}_\w*?_(TOA|BOA)_\d")
_FORCE = re.compile(r"(?<![A-Za-z0-9])LEVEL2_SEN2[ABC]_BOA", re.IGNORECASE)
_CLOSE = 0.35
"""Largest mean difference of B8A from B08, as a share of B08, still taken for the same light."""
_SMOOTHER = 1.12
"""How much rougher every other order has to be."""
_APART, _SURELY, _STRANGER, _AS_GOOD = 0.04, 1.2, 0.02, 2.0
"""From how far apart B07, B08 and B8A are doubted, as a share of their mean; how many times as far, or how much less
alike, they are where another order is doubted with that; and how many times as rough that order may be.
Chosen by EuroSAT's patches in known orders and reversed."""
_LIFTED = 900.0
"""Where the darkest numbers lie above it, they may hold the offset."""
_NO_LIGHT = 0.095
"""How far pixels in the right order hardly are from any mixture of known lights, and dates of one band mostly are.

Chosen by real patches, of which a few are farther and are asked about, and by stacks of dates that passed all else.
"""
_FEWEST_DATES, _BELOW, _OFTEN = 6, 0.1, 0.01
"""With how many layers dates are thought of; and how far below 0, as a share of the highest, how often indices go."""
_FLAT = 0.4
"""Light runs much more unevenly over land; only over clouds and snow it may not."""
_FALLS = 0.2
"""Share of pixels in which light falls over the red edge, from which the bands are not what they are called."""
_CIRRUS = 0.2
"""B10 has at most this share of the light of the next darkest band."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Bands told by their pixels, or by what names their product.

    Attributes:
        bands: names in the order of the file.
        title: the order in words.
        because: the evidence, one clause.
    """

    bands: tuple[str, ...]
    title: str
    because: str


NAMELESS, COUNTED = "have no names", "are only counted"


def tell_order(
    pixels: NDArray[np.float32], name: str = "", metres: float | None = None, nameless: str = NAMELESS
) -> Order:
    """Tell the bands of a file without names.

    Args:
        pixels: valid pixels, shape (bands, pixels), in the file's own order and numbers.
        name: of the file, which may be that of a product of known order.
        metres: size of its pixels, or None.
        nameless: what is known of their names, after “its bands”.

    Raises:
        BandsError: when the pixels do not decide.
    """
    count = len(pixels)
    stated = _stated_order(name, count, metres)
    if stated is not None:
        return stated
    orders = _ORDERS.get(count)
    if count == 1:
        found = "it holds a single band to a file, and no name says which band of Sentinel-2 that is"
        remedy = "open the band files of one scene together, and give the names of the bands in the order of the files"
        raise BandsError(found=found, remedy=remedy)
    if orders is None:
        found = f"its {count} bands {nameless}, and only 10, 12 or 13 can be told by their pixels"
        raise _undecided(f"{found}{_or_dates(pixels)}", _INSTANCES.get(count))
    if pixels.shape[1] < 16:
        raise _undecided(f"its {count} bands {nameless} and too few valid pixels to tell them by")
    floor = np.percentile(pixels, 0.1)
    light = pixels - np.float32(floor if floor > _LIFTED else 0.0)
    if nameless.startswith(COUNTED) and count == len(_AS_NUMBERED):
        medians = np.sort(np.median(light, axis=1))
        if int(np.argmin(np.median(light, axis=1))) == _AS_NUMBERED.index("B10") and medians[0] < _CIRRUS * medians[1]:
            because = "band 10 is the darkest by far, as B10 is over land, so their numbers are those of Sentinel-2"
            return Order(bands=_AS_NUMBERED, title="as they are numbered, without B8A", because=because)
    order, because = _smoothest(light, orders, nameless)
    _refuse_strange(pixels, order, float(floor), nameless)
    dark = np.sort(np.median(light, axis=1))
    if "B10" not in order.bands and 0 <= dark[0] < _CIRRUS * dark[1]:
        band = int(np.argmin(np.median(light, axis=1))) + 1
        raise _undecided(f"its {count} bands {nameless}, and band {band} is as dark as B10, which leaves one out")
    if "B10" in order.bands:
        darkest = int(np.argmin(np.median(light, axis=1)))
        if darkest != order.bands.index("B10"):
            found = f"its bands {nameless}, and band {darkest + 1} is the darkest where B10 should not be"
            raise _undecided(found)
        because += f", and band {darkest + 1} is the darkest, as B10 is over land"
    return Order(bands=order.bands, title=order.title, because=because)


def _refuse_strange(pixels: NDArray[np.float32], order: KnownOrder, floor: float, nameless: str) -> None:
    """Refuse an order in which pixels look like no light of land, as dates of one band may run as smoothly.

    Raises:
        BandsError: when they do not.
    """
    plain = pixels - np.float32(min(floor, LIFT) if floor > _LIFTED else 0.0)
    if "B10" not in order.bands and strangeness(plain, order.bands) > _NO_LIGHT:
        found = f"its {len(pixels)} bands {nameless}, and in no known order do they look like light of land or water"
        raise _undecided(f"{found}{_or_dates(pixels)}")


def _stated_order(name: str, count: int, metres: float | None) -> Order | None:
    """Return the order of a product that the name of a file states, or None."""
    if _FORCE.search(name) and count == 10:
        because = "its name is that of a product of FORCE, which writes ten bands so"
        return Order(bands=_ORDERS[10][0].bands, title="order of FORCE", because=because)
    if (product := _SEN2R.search(name)) and count == (12 if product[1] == "TOA" else 11):
        other = "B8A" if metres is None or metres < 15 else "B08"
        left_out = (other, "B10") if count == 11 else (other,)
        bands = tuple(band for band in BAND_NAMES if band not in left_out)
        because = "its name is that of a product of sen2r, which has B08 below 20 m a pixel and B8A from there on"
        return Order(bands=bands, title="order of sen2r", because=because)
    return None


def product_of_known_order(name: str) -> str | None:
    """Return the program whose order of bands the name of a file may state, or None."""
    return "FORCE" if _FORCE.search(name) else "sen2r" if _SEN2R.search(name) else None


def _smoothest(light: NDArray[np.float32], orders: tuple[KnownOrder, ...], nameless: str) -> tuple[KnownOrder, str]:
    """Return the order by which the light of land runs smoothest, and the evidence.

    Raises:
        BandsError: when none does, or two do.
    """
    rough = [_roughness(light, order.bands) for order in orders]
    ranked = [orders[position] for position in np.argsort(rough)]
    best, second = ranked[0], ranked[1]
    unlike = _unlikeness(light, best.bands)
    if unlike > _CLOSE or not np.isfinite(min(rough)):
        raise _undecided(f"its {len(light)} bands {nameless}, and no band looks like B8A beside B08{_or_dates(light)}")
    if min(rough) < _FLAT:
        found = f"its {len(light)} bands {nameless}, and differ less than the light of land does from band to band"
        raise _undecided(f"{found}{_or_dates(light, ', so they may be dates of one band')}")
    if sorted(rough)[1] < _SMOOTHER * min(rough):
        raise _fit_two(light, best, second, nameless)
    others = [order for order, one in zip(orders, rough, strict=True) if one <= _AS_GOOD * min(rough)]
    _refuse_nearer(light, best, others, nameless)
    broad, narrow = best.bands.index("B08") + 1, best.bands.index("B8A") + 1
    return best, f"band {narrow} differs from band {broad} by {unlike:.0%} only"


def _refuse_nearer(light: NDArray[np.float32], best: KnownOrder, others: Sequence[KnownOrder], nameless: str) -> None:
    """Refuse an order where B07, B08 and B8A are nearer to one light in another, or from the last band to the first.

    The way light runs does not tell either: reversed it is as smooth, and over dry soil short waves look like B8A.

    Args:
        light: of the bands.
        best: the order.
        others: all that are nearly as smooth.
        nameless: what is known of the names of bands.

    Raises:
        BandsError: naming the other.
    """
    apart, strange = _infrared_apart(light, best.bands), _infrared_strange(light, best.bands)
    for order in others:
        if "B10" not in order.bands and apart > max(_APART, _SURELY * _infrared_apart(light[::-1], order.bands)):
            found = f"its {len(light)} bands {nameless}, and their light runs as well from the last to the first"
            raise _undecided(f"{found}{_or_dates(light)}")
        nearer = apart > max(_APART, _SURELY * _infrared_apart(light, order.bands))
        if nearer or strange > _STRANGER + _infrared_strange(light, order.bands):
            raise _fit_two(light, best, order, nameless)


def _fit_two(light: NDArray[np.float32], one: KnownOrder, other: KnownOrder, nameless: str) -> BandsError:
    orders = f"{','.join(one.bands)} and {','.join(other.bands)}"
    return _undecided(f"its {len(light)} bands {nameless}, and the pixels fit two orders, {orders}{_or_dates(light)}")


def _or_dates(pixels: NDArray[np.float32], otherwise: str = "") -> str:
    """Return that layers may be dates of one index or band, a clause; where numbers tell it, that they are no light."""
    if len(pixels) < _FEWEST_DATES or not pixels.size:
        return otherwise
    most = float(np.percentile(pixels, 99))
    negative = np.mean(pixels < -_BELOW * most, axis=1) > _OFTEN
    if most > 0 and np.mean(negative) >= 0.5:
        lowest = float(np.percentile(pixels, 1))
        return (
            f"; they go from {lowest:.3g} to {most:.3g}, as an index does and light does not, so they may be its dates"
        )
    return otherwise or "; or they may be dates of one band or index"


def _infrared_strange(light: NDArray[np.float32], order: tuple[str, ...]) -> float:
    """Return by how much what would be B8A does not go up and down with what would be B07 and B08, 0 to 2."""
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = np.atleast_2d(np.corrcoef(light[[order.index(band) for band in ("B07", "B08", "B8A")]]))
    return 1 - float(np.min(alike[2, :2]))


def _infrared_apart(light: NDArray[np.float32], order: tuple[str, ...]) -> float:
    """Return how far what would be B07, B08 and B8A lie apart, as a share of their mean; all see nearly one light."""
    bands = np.sort(light[[order.index(band) for band in ("B07", "B08", "B8A")]].astype(np.float64), axis=0)
    total = float(bands.mean())
    return float(np.mean(bands[2] - bands[0])) / (3 * total) if total > 0 else float("inf")


def _roughness(light: NDArray[np.float32], order: tuple[str, ...]) -> float:
    """Return how far light goes up and down along the wavelength, as a share of its mean; what air takes left out."""
    names = sorted((band for band in order if band not in ("B09", "B10")), key=lambda band: BY_NAME[band].wavelength)
    spectrum = light[[order.index(band) for band in names]]
    mean = float(spectrum.mean())
    return float(np.abs(np.diff(spectrum, axis=0)).sum(axis=0).mean()) / mean if mean > 0 else float("inf")


def _unlikeness(pixels: NDArray[np.float32], order: tuple[str, ...]) -> float:
    """Return the mean difference between what would be B08 and B8A in an order, as a share of their mean."""
    broad, narrow = pixels[order.index("B08")], pixels[order.index("B8A")]
    total = float(np.mean(np.abs(broad) + np.abs(narrow))) / 2
    return float(np.mean(np.abs(broad - narrow))) / total if total > 0 else float("inf")


def _undecided(found: str, instance: str | None = None) -> BandsError:
    instance = f", for instance {instance}" if instance else ""
    return BandsError(found=found, remedy=f"give the names of the bands in the order of the file{instance}")


def refuse_falling_edge(samples: Mapping[str, NDArray[np.float32]]) -> None:
    """Refuse B05, B06 and B07 in which light falls over plants: these are bands of Landsat, counted as it does.

    From the red edge to the near infrared the light of plants rises; from Landsat's B5 (near infrared) over B6 to B7
    (both short-wave infrared) it falls.

    Args:
        samples: numbers of each band at the same pixels.

    Raises:
        BandsError: saying what they look like.
    """
    if not {"B04", "B05", "B06", "B07"} <= samples.keys() or {"B08", "B8A", "B11", "B12"} & samples.keys():
        return
    red, first, second, third = (samples[band].astype(np.float64) for band in ("B04", "B05", "B06", "B07"))
    falls = (first > 1.5 * red) & (first > 1.1 * second) & (second > 1.1 * third)
    share = float(np.mean(falls)) if falls.size else 0.0
    if share > _FALLS:
        found = (
            f"bands are called B05, B06 and B07, and in {share:.0%} of the pixels light falls from one to the next, "
            "as in Landsat's near and short-wave infrared over plants, where Sentinel-2's red edge rises"
        )
        remedy = "give the names of the bands in the order of the file: Landsat's B5, B6 and B7 are B8A, B11 and B12"
        raise BandsError(found=found, remedy=remedy)
