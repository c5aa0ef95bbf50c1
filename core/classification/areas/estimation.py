"""Accuracy of a map and area of its classes, estimated from a stratified random sample that people judged.

The estimators are those of Stehman (2014), “Estimating area and map accuracy for stratified random sampling when the
strata are different from the map classes”, International Journal of Remote Sensing 35, 4923–4939: totals of indicator
functions, and ratios of such totals. Where the strata are the classes of the map they are those of Olofsson et al.
(2014), “Good practices for estimating area and assessing accuracy of land change”, Remote Sensing of Environment 148,
42–57, equations 1 to 11.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ClassificationError

Z_95 = 1.96
"""Standard errors to each side of a 95 % interval, as both papers have it."""

ABSTAINED = "abstained"
"""The stratum of patches that a classifier gave no class: a class of no map, but land all the same."""

ASKED = "Estimating accuracy and areas"
NOTHING_JUDGED = "mapped area, not an estimate: nothing of the sample was judged"

Indicator = NDArray[np.bool_]
"""For each judged unit, whether something holds."""

FEW = 10
"""Judged units of a stratum below which a share is far from normally distributed."""

_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class AreaStratum:
    """A part of the land that was sampled by itself.

    Attributes:
        name: of a class of the map, or of whatever the land was parted by.
        hectares: its area on the ground, at least 0.
        units: how many units, such as patches, it has; None = not known, many more than were sampled.
    """

    name: str
    hectares: float
    units: int | None = None


@dataclass(frozen=True, kw_only=True)
class JudgedUnit:
    """A unit of the sample.

    Attributes:
        stratum: where it was drawn from.
        mapped: its class on the map; ``ABSTAINED`` = none.
        reference: its class on the ground; None = not judged yet.
    """

    stratum: str
    mapped: str
    reference: str | None


@dataclass(frozen=True, kw_only=True)
class StratifiedEstimate:
    """A share or an area.

    Attributes:
        value: the estimate; shares from 0 to 1, areas in hectares.
        standard_error: likewise; None = not known, because a stratum that counts has one judged unit.
        low: lower end of the 95 % interval, clipped to what is possible; None likewise.
        high: its upper end, likewise.
    """

    value: float
    standard_error: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return value, error and interval for JSON; ``margin`` is half the interval before it was clipped."""
        error = self.standard_error
        margin = None if error is None else Z_95 * error
        return {"estimate": self.value, "se": error, "margin": margin, "low": self.low, "high": self.high}


@dataclass(frozen=True, kw_only=True)
class AccuracyAssessment:
    """What a judged sample tells of a map.

    Attributes:
        overall: share of the classified land whose class is right; None when nothing was judged.
        users: by class, the share of the land mapped as it that is it; None where the sample has none of it.
        producers: by class, the share of its land that is mapped as it; None where the sample has none of it.
        areas: by class, hectares on the ground; None when nothing was judged.
        mapped: by class, hectares on the map; None where the strata are not the classes.
        judged: by stratum, units with a class on the ground.
        not_judged: units without, which were left out.
        notes: what a reader has to know, sentences.
    """

    overall: StratifiedEstimate | None
    users: Mapping[str, StratifiedEstimate | None]
    producers: Mapping[str, StratifiedEstimate | None]
    areas: Mapping[str, StratifiedEstimate | None]
    mapped: Mapping[str, float | None]
    judged: Mapping[str, int]
    not_judged: int
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return everything as it is printed."""
        areas = {name: _area_dict(one, self.mapped.get(name)) for name, one in self.areas.items()}
        return {
            "overall": None if self.overall is None else self.overall.to_dict(),
            "users": {name: _optional(one) for name, one in self.users.items()},
            "producers": {name: _optional(one) for name, one in self.producers.items()},
            "areas": areas,
            "unit": "hectares",
            "confidence": 0.95,
            "judged": sum(self.judged.values()),
            "not_judged": self.not_judged,
            "judged_by_stratum": dict(self.judged),
            "notes": list(self.notes),
        }


def _optional(one: StratifiedEstimate | None) -> dict[str, float | None] | None:
    return None if one is None else one.to_dict()


def _area_dict(one: StratifiedEstimate | None, mapped: float | None) -> dict[str, float | None]:
    unknown: dict[str, float | None] = dict.fromkeys(("estimate", "se", "margin", "low", "high"))
    return (unknown if one is None else one.to_dict()) | {"mapped": mapped}


def estimate_accuracy(sample: Sequence[JudgedUnit], strata: Sequence[AreaStratum]) -> AccuracyAssessment:
    """Return accuracies and areas with standard errors and 95 % intervals.

    The finite population correction is used for strata whose units are known. Land that got no class counts for areas
    and for producers' accuracies, not for the overall accuracy, which is that of the classified land.

    Args:
        sample: drawn at random within each stratum; units that are not judged are left out and counted.
        strata: all of them, each name once; together they are the land that is estimated.

    Raises:
        ClassificationError: for a stratum that is not known, that has land and no judged unit, or more units in the
            sample than there are.
    """
    known = [unit for unit in sample if unit.reference is not None]
    judged = {one.name: 0 for one in strata}
    for unit in sample:
        if unit.stratum not in judged:
            raise ClassificationError(ASKED, f"the areas have no “{unit.stratum}”", "give its hectares too")
        judged[unit.stratum] += unit.reference is not None
    own = {one.name: one.hectares for one in strata}
    by_class = all(unit.stratum == unit.mapped for unit in sample)
    if not known:
        nothing = dict.fromkeys(own)
        mapped: dict[str, float | None] = dict(own) if by_class else dict.fromkeys(own)
        return AccuracyAssessment(
            overall=None, users=nothing, producers=nothing, areas=dict.fromkeys(own), mapped=mapped, judged=judged,
            not_judged=len(sample), notes=(NOTHING_JUDGED,),
        )  # fmt: skip
    _check(judged, strata)
    design = _Design(known, strata, by_class=by_class)
    classes = _classes(known, strata if by_class else ())
    return _assessed(design, classes, own if by_class else {}, judged, len(sample) - len(known))


def _check(judged: Mapping[str, int], strata: Sequence[AreaStratum]) -> None:
    for one in strata:
        count = judged[one.name]
        if one.hectares == 0 and count:
            found = f"“{one.name}” has 0 ha and {count} judged in the sample"
            raise ClassificationError(ASKED, found, "correct its hectares")
        if one.hectares > 0 and not count:
            found = f"nothing was judged of “{one.name}”, which has {one.hectares:,.1f} ha"
            raise ClassificationError(ASKED, found, "judge at least two of it; without any its land is unknown")
        if one.units is not None and count > one.units:
            found = f"{count} were judged of “{one.name}”, which has {one.units}"
            raise ClassificationError(ASKED, found, "correct the sample or the number")


def _classes(known: Sequence[JudgedUnit], strata: Sequence[AreaStratum]) -> list[str]:
    """Return the classes in the order of the strata where these are classes, then as the sample has them."""
    mapped = [one.name for one in strata] + [unit.mapped for unit in known]
    every = dict.fromkeys([*mapped, *(unit.reference for unit in known if unit.reference is not None)])
    every.pop(ABSTAINED, None)
    return list(every)


class _Design:
    """A judged sample as numbers: estimates totals and ratios of indicator functions."""

    def __init__(self, known: Sequence[JudgedUnit], strata: Sequence[AreaStratum], *, by_class: bool) -> None:
        counted = [one for one in strata if one.hectares > 0]
        place = {one.name: number for number, one in enumerate(counted)}
        self.names = tuple(one.name for one in counted)
        self.by_class = by_class
        self.hectares = float(sum(one.hectares for one in counted))
        self.weights = np.array([one.hectares / self.hectares for one in counted])
        self.mapped = np.array([unit.mapped for unit in known], dtype=object)
        self.reference = np.array([unit.reference for unit in known], dtype=object)
        self.counts = np.bincount([place[unit.stratum] for unit in known], minlength=len(counted))
        self._stratum = np.array([place[unit.stratum] for unit in known])
        units = [math.inf if one.units is None else one.units for one in counted]
        self.left = 1 - self.counts / np.array(units, float)
        """Share of each stratum that was not judged: the finite population correction."""

    def among(self, wanted: Callable[[str], bool]) -> NDArray[np.bool_]:
        """Return in which strata the map may have some classes: all, unless the strata are classes."""
        return np.array([not self.by_class or wanted(name) for name in self.names])

    def share(self, y: Indicator, x: Indicator, among: NDArray[np.bool_]) -> StratifiedEstimate | None:
        """Return the land for which y holds as a share of that for which x holds (Stehman 2014, eq. 27 and 28).

        Args:
            y: of the judged units, holds nowhere but where x does.
            x: likewise.
            among: False = strata for which neither can hold.

        Returns:
            None where x holds for no judged unit.
        """
        base = float(self.weights @ self._means(x))
        if base <= 0:
            return None
        ratio = float(self.weights @ self._means(y)) / base
        return _within(ratio, self._variance(y - ratio * x, among) / base**2, 1.0)

    def area(self, y: Indicator) -> StratifiedEstimate:
        """Return the hectares for which y holds (Stehman 2014, eq. 3 and 25)."""
        value, variance = float(self.weights @ self._means(y)), self._variance(y.astype(np.float64), self.counts > 0)
        return _within(value * self.hectares, variance * self.hectares**2, self.hectares)

    def _means(self, y: NDArray[Any]) -> NDArray[np.float64]:
        means: NDArray[np.float64] = np.bincount(self._stratum, y, len(self.weights)) / self.counts
        return means

    def _variance(self, z: NDArray[np.float64], among: NDArray[np.bool_]) -> float:
        """Return the variance of a mean over all land; NaN where a stratum that may add to it has one judged unit."""
        squares = np.bincount(self._stratum, np.square(z - self._means(z)[self._stratum]), len(self.weights))
        with np.errstate(invalid="ignore"):
            parts = squares / (self.counts - 1) / self.counts
        adding = among & (self.left > 0)
        return float((self.weights[adding] ** 2 * self.left[adding] * parts[adding]).sum())


def _within(value: float, variance: float, most: float) -> StratifiedEstimate:
    """Return an estimate with its interval, as far as that is possible."""
    if math.isnan(variance):
        return StratifiedEstimate(value=value, standard_error=None, low=None, high=None)
    error = math.sqrt(variance)
    low, high = max(0.0, value - Z_95 * error), min(most, value + Z_95 * error)
    return StratifiedEstimate(value=value, standard_error=error, low=low, high=high)


def _assessed(
    design: _Design, classes: Sequence[str], mapped: Mapping[str, float], judged: Mapping[str, int], not_judged: int
) -> AccuracyAssessment:
    right, classified = design.mapped == design.reference, design.mapped != ABSTAINED
    users, producers, areas = {}, {}, {}
    for name in classes:
        on_map, on_ground = design.mapped == name, design.reference == name
        users[name] = design.share(right & on_map, on_map, design.among(name.__eq__))
        producers[name] = design.share(right & on_ground, on_ground, design.among(lambda _: True))
        areas[name] = design.area(on_ground)
    overall = design.share(right & classified, classified, design.among(ABSTAINED.__ne__))
    return AccuracyAssessment(
        overall=overall, users=users, producers=producers, areas=areas,
        mapped={name: mapped.get(name, 0.0) if mapped else None for name in classes},
        judged=judged, not_judged=not_judged, notes=tuple(_notes(design, overall, users, areas, not_judged)),
    )  # fmt: skip


def _notes(
    design: _Design,
    overall: StratifiedEstimate | None,
    users: Mapping[str, StratifiedEstimate | None],
    areas: Mapping[str, StratifiedEstimate],
    not_judged: int,
) -> Iterator[str]:
    """Yield what a reader has to know of a sample and its estimates."""
    if not_judged:
        yield f"{not_judged} of the sample {'is' if not_judged == 1 else 'are'} not judged yet and left out."
    if ABSTAINED in design.names:
        yield "Land without a class counts for areas and producers' accuracies, not for the overall accuracy."
    never = [name for name in users if name not in design.mapped and (design.reference == name).any()]
    if never:
        yield f"Found on the ground, never on the map of the sample: {_listed(never)}."
    part = dict(zip(design.names, zip(design.counts.tolist(), design.left.tolist(), strict=True), strict=True))
    alone = [name for name, (count, left) in part.items() if count == 1 and left > 0]
    if alone:
        yield f"One was judged of {_listed(alone)}: what depends on it has no interval; judge more."
    few = [name for name, (count, left) in part.items() if 1 < count < FEW and left > 0]
    if few:
        yield f"Fewer than {FEW} were judged of {_listed(few)}: intervals are rough."
    every = {"the overall accuracy": overall} if overall is not None else {}
    flat = [name for name, one in every.items() if _flat(one)]
    flat += [f"the user's accuracy of “{name}”" for name, one in users.items() if _flat(one)]
    flat += [f"the area of “{name}”" for name, one in areas.items() if _flat(one)]
    if flat and any(left > 0 for _, left in part.values()):
        yield f"All that was judged agrees on {', '.join(flat)}: an interval without width is no certainty; judge more."


def _flat(one: StratifiedEstimate | None) -> bool:
    return one is not None and one.standard_error is not None and one.standard_error <= _TINY * max(1, one.value)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
