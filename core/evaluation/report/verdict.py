"""The verdict on a scene: do its answers hold? From the sections of a report, by thresholds that stand here alone.

What classes show decides, where there are any: it is proof. Without them unfamiliar land and a shifted grid decide,
which are grounds for suspicion. Beside a proof they lower it by no more than one step, as hubs and a crooked plot
always do: these spoil some answers, or only how they are drawn.

A grade follows from the interval of a figure, not from the figure: where both ends of it give the same grade, or none
of them the worst, the worse of both is said. Else it is open, and said how many more labels would do. Unfamiliar land
and hubs are counted over all patches; these have no interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.evaluation.hubness import LOPSIDED
from core.evaluation.novelty_causes import MUCH_NOVEL
from core.evaluation.report.card import Section
from core.evaluation.retrieval import MAX_QUERIES, NORMAL_95

Grade = Literal["good", "fair", "poor"]

MOST_OF_THE_WAY, HALF_OF_THE_WAY = 0.75, 0.4
"""How far neighbours get from chance (0) to the best possible (1). From three quarters on, of the ten neighbours of a
patch at most two or three are there by chance; below two fifths more are there by chance than not."""

ENOUGH_TO_CONDEMN = 300
"""Labelled patches from which a low share speaks against the answers. Of fewer, where most patches have no label, the
nearest that have one lie farther off than the nearest of all, so that the share is too low: of five classes of green in
the first scene 0.56 by 14 to 60 labels, 0.63 by 120, 0.69 by 300 and 0.75 by all 900."""

LITTLE_LEARNED = 0.1
"""Share of the patches that the encoder has learned from, above which they do not tell how it does elsewhere."""

MOSTLY_NOVEL = 0.5
"""Share of unfamiliar patches above which a place that is asked about is more likely unfamiliar than not. Up to
``MUCH_NOVEL``, what cloudless land of the encoder's own level has at most, it speaks against nothing."""

HALF_KEPT, FEW_KEPT = 0.5, 0.2
"""Share of neighbours that a shifted grid leaves: from a half on most of an answer stays; below a fifth nearly all of
it is owed to where the grid lies, if the patch itself is not found again either (``FOUND_AGAIN``): in a large scene
others that are as much alike may take the places."""

FOUND_AGAIN = 0.5

TRUE_PLOT = 0.9
"""Trustworthiness from which near points of a plot can be read as alike; chance gives 0.5, good layouts above 0.95."""

TOPICS = {
    "land": "Land",
    "labels": "Classes",
    "hand": "Labels by hand",
    "familiar": "Unfamiliar land",
    "stability": "Stability",
    "hubs": "Hubs",
    "layout": "Plot",
}
"""What sections are called in the summary, in its order."""

PROOF = ("land", "labels", "hand")
SUSPICION = ("familiar", "stability")

GRADE_WORDS: dict[Grade | None, str] = {
    "good": "Holds well",
    "fair": "Holds partly",
    "poor": "Do not rely",
    None: "Not known",
}
UNPROVEN = "Holds so far"
"""What is said in place of ``Holds well`` where there are no classes to check answers by."""

TOO_FEW = "Too few to say"
"""What is said in place of ``Not known`` where there are classes, of too few patches."""

SIGNS: dict[Grade | None, str] = {"good": "✓", "fair": "~", "poor": "✕", None: "–"}
"""How grades are told without colour."""

_ORDER: tuple[Grade, ...] = ("poor", "fair", "good")


@dataclass(frozen=True, kw_only=True)
class SceneVerdict:
    """Whether the answers of a scene hold.

    Attributes:
        grade: the whole; None = too little is known.
        because: why, a sentence.
        proven: True = classes or a map of them say so; else there was nothing to check answers by.
        few: True = there are classes, of too few patches to say.
    """

    grade: Grade | None
    because: str
    proven: bool = True
    few: bool = False

    @property
    def words(self) -> str:
        """The grade in four words at most."""
        if self.few:
            return TOO_FEW
        return GRADE_WORDS[self.grade] if self.proven or self.grade != "good" else UNPROVEN


@dataclass(frozen=True, kw_only=True)
class GradeRange:
    """The grades that an interval leaves possible.

    Attributes:
        worst: by its worse end.
        best: by its better end.
    """

    worst: Grade
    best: Grade

    @property
    def grade(self) -> Grade | None:
        """What can be said; None where it may be the worst and may be better."""
        return self.worst if self.worst == self.best or self.worst != "poor" else None

    def at_least(self, grade: Grade) -> GradeRange:
        """Return it where nothing counts for less than a grade."""
        return GradeRange(worst=_better(self.worst, grade), best=_better(self.best, grade))


def _better(first: Grade, second: Grade) -> Grade:
    return max(first, second, key=_ORDER.index)


def grade_of(section: Section) -> Grade | None:
    """Return what one section says by its figures; None where it says nothing either way."""
    found = range_of(section)
    return None if found is None else found.grade


def range_of(section: Section) -> GradeRange | None:
    """Return the grades that the figures of a section leave possible; None where it has none."""
    figures = section.figures
    if not section.measured or not figures:
        return None
    if section.name == "familiar":
        return _counted(_falling(figures["novel"], MUCH_NOVEL, MOSTLY_NOVEL))
    if section.name == "hubs":
        return _counted(_falling(figures["skewness"], LOPSIDED, float("inf")))
    worst, best = (_at(section.name, figures, end) for end in ("_low", "_high"))
    if best == "poor" and _is_sparse(section):
        best = "fair"
    return GradeRange(worst=worst, best=best)


def _is_sparse(section: Section) -> bool:
    """Tell whether so few of the patches have a label that a low share says little."""
    return section.name in PROOF and section.figures.get("count", math.inf) < _enough(section.figures)


def _enough(figures: dict[str, float]) -> int:
    """Return from how many labelled patches on a low share speaks against the answers."""
    return min(ENOUGH_TO_CONDEMN, math.ceil(figures.get("all", 0) / 2))


def _counted(grade: Grade) -> GradeRange:
    return GradeRange(worst=grade, best=grade)


def _at(name: str, figures: dict[str, float], end: str) -> Grade:
    """Return the grade by one end of the intervals; a figure that was counted over all has none."""

    def of(figure: str) -> float:
        return figures.get(figure + end, figures[figure])

    if name in PROOF:
        return _of_classes(of("share"), figures)
    if name == "stability":
        few = of("kept") < FEW_KEPT and of("itself") < FOUND_AGAIN
        return "poor" if few else ("good" if of("kept") >= HALF_KEPT else "fair")
    return "good" if of("trustworthiness") >= TRUE_PLOT else "fair"


def _of_classes(share: float, figures: dict[str, float]) -> Grade:
    """Grade how often neighbours are of a class, or how much of their land they share."""
    if share < _share_at(HALF_OF_THE_WAY, figures):
        return "poor"
    beaten, learned = figures.get("beside", 0) < 0, figures.get("learned", 0) > LITTLE_LEARNED
    return "fair" if beaten or learned or share < _share_at(MOST_OF_THE_WAY, figures) else "good"


def _share_at(way: float, figures: dict[str, float]) -> float:
    """Return the share that is so far on the way from chance to the best possible."""
    return figures["chance"] + way * max(figures.get("best", 1.0) - figures["chance"], 1e-6)


def _falling(value: float, good: float, fair: float) -> Grade:
    return "good" if value <= good else ("fair" if value <= fair else "poor")


def open_words(section: Section) -> str:
    """Return why a section has no grade though it was measured, and what would do, a sentence; else empty."""
    found = range_of(section)
    if found is None or found.grade is not None:
        return ""
    if section.name not in PROOF:
        return "Too few patches to say whether the answers depend on the grid."
    if "count" not in section.figures:
        return "Too little land to say whether the answers hold."
    figures = section.figures
    count, more = round(figures["count"]), more_labels(figures)
    are = f"{count:,} labelled patches are too few to say"
    return f"{are}: about {more:,} more would do." if more else f"{are}, and it is too close for more to tell soon."


def rule_words(section: Section) -> str:
    """Return by what rule labels are too few, a sentence; empty where they are not."""
    if not open_words(section) or "count" not in section.figures:
        return ""
    figures, told = section.figures, []
    low, high, edge = (
        round(100 * n) for n in (figures["share_low"], figures["share_high"], _share_at(HALF_OF_THE_WAY, figures))
    )
    if high >= edge:
        told.append(
            f"The true value may be {low} to {high} of 100, and below {edge} answers are not to be relied on. More "
            f"labels do when that range leaves out {edge}; how many is reckoned from the share found so far."
        )
    if _is_sparse(section) and figures["share"] < _share_at(HALF_OF_THE_WAY, figures):
        told.append(
            "Of so few labels the nearest lie farther off than the nearest of all patches, which makes the share too "
            f"low; from {_enough(figures):,} labels on it counts against the answers."
        )
    return " ".join(told)


def more_labels(figures: dict[str, float]) -> int | None:
    """Return about how many more labelled patches tell whether answers are to be relied on; None = very many.

    Wilson's interval leaves out a share t once there are more than z² t (1 − t) / (p − t)² cases, p being the share
    found; it is the score test turned round.
    """
    edge, found = _share_at(HALF_OF_THE_WAY, figures), figures["share"]
    needed = NORMAL_95**2 * edge * (1 - edge) / max((found - edge) ** 2, 1e-9)
    if needed > MAX_QUERIES:
        return None
    more = (needed if found >= edge else max(needed, _enough(figures))) - figures["count"]
    step = 10.0 ** max(math.floor(math.log10(max(more, 1))) - 1, 0)
    return max(1, int(math.ceil(more / step) * step))


def verdict_on(sections: Sequence[Section]) -> SceneVerdict:
    """Return the verdict on a scene by the sections of its report that there are."""
    ranges = {one.name: found for one in sections if (found := range_of(one)) is not None}
    proven = any(found.grade is not None for name, found in ranges.items() if name in PROOF)
    if proven:  # What is open yet takes nothing from what is known.
        ranges = {name: found for name, found in ranges.items() if name not in PROOF or found.grade is not None}
    if not any(name in ranges for name in (*PROOF, *SUSPICION)):
        return SceneVerdict(grade=None, because="Too little is known of these patches to say whether answers hold.")
    weighed = {name: _weighed(name, found, proven=proven) for name, found in ranges.items()}
    worst, best = (
        min((getattr(found, end) for found in weighed.values()), key=_ORDER.index) for end in ("worst", "best")
    )
    whole = GradeRange(worst=worst, best=best)
    if whole.grade is None:
        return _open([one for one in sections if one.name in weighed and weighed[one.name].grade is None])
    if whole.grade == "good" and not proven and "familiar" not in ranges:
        why = "Classes did not check the answers, and it is not known what is unfamiliar to this encoder."
        return SceneVerdict(grade="fair", because=why)
    because = _because(whole, weighed, ranges, proven=proven)
    return SceneVerdict(grade=whole.grade, because=because, proven=proven)


def _open(sections: Sequence[Section]) -> SceneVerdict:
    """Return that some sections leave the whole open."""
    first = in_order(sections)[0]
    return SceneVerdict(grade=None, because=open_words(first), proven=False, few="count" in first.figures)


def _weighed(name: str, found: GradeRange, *, proven: bool) -> GradeRange:
    """Return what a grade counts for in the whole."""
    return found if name in PROOF or (name in SUSPICION and not proven) else found.at_least("fair")


def _because(whole: GradeRange, weighed: dict[str, GradeRange], ranges: dict[str, GradeRange], *, proven: bool) -> str:
    grade = whole.grade
    if grade == "good":
        more = "" if proven else "; classes did not check them"
        return f"Nothing that was measured speaks against the answers{more}."
    surely = [name for name in TOPICS if name in weighed and weighed[name].best == grade]
    if surely and grade == "poor":  # What would not be enough alone is as bad all the same.
        of_answers = {name for name in (*PROOF, *SUSPICION) if name in ranges and ranges[name].best == grade}
        surely = [name for name in TOPICS if name in of_answers or name in surely]
    if not surely:
        perhaps = [name for name in TOPICS if name in weighed and weighed[name].worst == grade]
        return f"It may be better than that: {_listed(perhaps)} cannot be told more closely."
    return f"{'Held back by' if grade == 'fair' else 'What speaks against it:'} {_listed(surely)}."


def _listed(names: Sequence[str]) -> str:
    topics = [TOPICS[name][0].lower() + TOPICS[name][1:] for name in names]
    return " and ".join(part for part in (", ".join(topics[:-1]), topics[-1]) if part)


def summary_lines(sections: Sequence[Section], unexamined: Sequence[str] = ()) -> list[str]:
    """Return the verdict, what no section looks at, and a line for each section, for a terminal."""
    found = verdict_on(sections)
    lines = [f"  {SIGNS[grade_of(one)]} {TOPICS[one.name]}: {one.in_short}" for one in in_order(sections)]
    return ["", " ".join([f"{found.words}. {found.because}", *unexamined]), *lines]


def in_order(sections: Sequence[Section]) -> list[Section]:
    """Return the sections in the order of the summary; those without a topic are left out."""
    return sorted((one for one in sections if one.name in TOPICS), key=lambda one: list(TOPICS).index(one.name))
