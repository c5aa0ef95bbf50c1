"""Which patches people are asked to judge: a stratified random sample, its size and its allocation.

The design is that of Olofsson et al. (2014), Remote Sensing of Environment 148, 42–57, section 5.1, after Cochran
(1977), “Sampling Techniques”, section 5.5: strata are the classes of the map, the size follows from the standard error
wanted of the overall accuracy, each class gets a minimum and the rest goes by area.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from core.classification.areas.class_map import ClassifiedPatches
from core.classification.areas.estimation import ABSTAINED
from core.errors import SettingsError
from core.scenes.patches import IntArray

LEAST_A_CLASS = 50
"""Judged patches of each class that Olofsson et al. recommend at least, where the size allows it."""

FEWEST = 2
"""Without so many of a class its share has no standard error."""

LEAST_CERTAIN, MOST_CERTAIN = 0.5, 0.98
"""User's accuracies that are conjectured: a class is taken for no better than that before anybody judged it."""

_ASKED = "Designing a sample"


def size_for_error(
    weights: Sequence[float], accuracies: Sequence[float], error: float, units: int | None = None
) -> int:
    """Return how many units have to be judged for a standard error of the overall accuracy.

    It is (Σ W·S)² / (V + Σ W·S² / N) with S = √(U·(1 − U)) and V the square of the error: equation 13 of Olofsson et
    al. (2014) where N is large, equation 5.25 of Cochran (1977).

    Args:
        weights: share of the land of each class, summing to 1.
        accuracies: the user's accuracy that is conjectured of each.
        error: the standard error wanted, more than 0.
        units: N, how many there are; None = many.

    Raises:
        SettingsError: for an error outside 0 to 0.5.
    """
    if not 0 < error < 0.5:
        found = f"a standard error of {error:g} is asked for"
        raise SettingsError(_ASKED, found, "give a share more than 0 and less than 0.5, such as 0.01")
    spread = [math.sqrt(one * (1 - one)) for one in accuracies]
    first = sum(weight * one for weight, one in zip(weights, spread, strict=True)) ** 2
    finite = 0.0 if units is None else sum(w * s * s for w, s in zip(weights, spread, strict=True)) / units
    return max(1, math.ceil(first / (error**2 + finite) - 1e-9))


def conjectured(patches: ClassifiedPatches) -> dict[str, float]:
    """Return the user's accuracy to expect of each class: the mean probability of its patches, within limits.

    What has no class, or no probability, counts as known least.
    """
    found = {}
    for name, rows in patches.strata.items():
        known = patches.probability[rows][np.isfinite(patches.probability[rows])]
        mean = float(known.mean()) if len(known) and name != ABSTAINED else LEAST_CERTAIN
        found[name] = min(MOST_CERTAIN, max(LEAST_CERTAIN, mean))
    return found


def allocate(size: int, units: Mapping[str, int], least: int = LEAST_A_CLASS) -> dict[str, int]:
    """Return how many units of each stratum are drawn.

    Each gets ``least``, or an equal part of a smaller size, and the rest goes by the number of units; none gets more
    than it has.

    Args:
        size: of all together; more than there are counts as all.
        units: how many each stratum has, at least 1.
        least: of each, where the size allows it.

    Raises:
        SettingsError: when the size does not give each stratum two.
    """
    needed = sum(min(FEWEST, count) for count in units.values())
    if size < needed:
        found = f"{size} are asked for, and {len(units)} classes have to be judged"
        raise SettingsError(_ASKED, found, f"ask for at least {needed}, two of each class")
    size = min(size, sum(units.values()))
    floor = min(least, size // len(units))
    given = {name: min(count, max(floor, min(FEWEST, count))) for name, count in units.items()}
    while (rest := size - sum(given.values())) > 0:
        room = {name: count - given[name] for name, count in units.items() if count > given[name]}
        given = {name: given[name] + more for name, more in _shared(rest, units, room, given).items()}
    return _lowered(given, size)


def _shared(rest: int, units: Mapping[str, int], room: Mapping[str, int], given: Mapping[str, int]) -> dict[str, int]:
    """Return how much of a rest each stratum gets by its units and by the room it has; by largest remainders."""
    whole = sum(units[name] for name in room)
    exact = {name: rest * units[name] / whole for name in room}
    more = {name: min(room[name], math.floor(exact[name])) for name in room}
    for name in sorted(room, key=lambda one: (more[one] - exact[one], one)):
        if sum(more.values()) < rest and more[name] < room[name]:
            more[name] += 1
    return {name: more.get(name, 0) for name in given}


def _lowered(given: dict[str, int], size: int) -> dict[str, int]:
    """Return an allocation with as many less of the largest as it has too many."""
    while sum(given.values()) > size:
        largest = max(given, key=lambda name: (given[name], name))
        given = given | {largest: given[largest] - 1}
    return given


def draw_sample(patches: ClassifiedPatches, allocation: Mapping[str, int], seed: int) -> IntArray:
    """Return the rows of a sample, drawn without replacement from each class, in random order.

    The order is random so that whoever judges only a beginning of it has judged a random sample too. Equal patches,
    allocation and seed give the same, whatever the order of the file.

    Args:
        patches: to draw from.
        allocation: how many of each class.
        seed: of the draw, at least 0.
    """
    random = np.random.default_rng(seed)
    drawn = []
    for name, rows in patches.strata.items():
        by_id = rows[np.argsort(patches.ids[rows])]
        drawn.append(by_id[np.sort(random.permutation(len(by_id))[: allocation[name]])])
    every = np.concatenate(drawn)
    return random.permutation(every)


def sample_columns(patches: ClassifiedPatches, rows: IntArray) -> dict[str, Sequence[object]]:
    """Return the table of a sample: ``patch_id``, ``map``, ``lon``, ``lat``, ``stratum`` and an empty ``reference``.

    Places are in degrees, None where they are unknown.
    """
    places = patches.places(rows).round(7)
    lon, lat = ([None if math.isnan(one) else one for one in column] for column in places.T.tolist())
    names = patches.classes[rows].tolist()
    return {
        "patch_id": patches.ids[rows].tolist(), "map": names, "lon": lon, "lat": lat, "stratum": names,
        "reference": [None] * len(rows),
    }  # fmt: skip
