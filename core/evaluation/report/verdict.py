"""The verdict on a scene: do its answers hold? From the sections of a report, by thresholds that stand here alone.

What classes show decides, where there are any: it is proof. Without them unfamiliar land and a shifted grid decide,
which are grounds for suspicion. Beside a proof they lower it by no more than one step, as hubs and a crooked plot
always do: these spoil some answers, or only how they are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.evaluation.hubness import LOPSIDED
from core.evaluation.novelty_causes import MUCH_NOVEL
from core.evaluation.report.card import Section

Grade = Literal["good", "fair", "poor"]

MOST_OF_THE_WAY, HALF_OF_THE_WAY = 0.75, 0.4
"""How far neighbours get from chance (0) to the best possible (1). From three quarters on, of the ten neighbours of a
patch at most two or three are there by chance; below two fifths more are there by chance than not."""

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
    """

    grade: Grade | None
    because: str
    proven: bool = True

    @property
    def words(self) -> str:
        """The grade in three words at most."""
        return GRADE_WORDS[self.grade] if self.proven or self.grade != "good" else UNPROVEN


def grade_of(section: Section) -> Grade | None:
    """Return what one section says by its figures; None where it says nothing either way."""
    figures = section.figures
    if not section.measured or not figures:
        return None
    if section.name in PROOF:
        return _of_classes(figures["share"], figures["chance"], figures)
    if section.name == "familiar":
        return _falling(figures["novel"], MUCH_NOVEL, MOSTLY_NOVEL)
    if section.name == "stability":
        few = figures["kept"] < FEW_KEPT and figures["itself"] < FOUND_AGAIN
        return "poor" if few else ("good" if figures["kept"] >= HALF_KEPT else "fair")
    if section.name == "hubs":
        return _falling(figures["skewness"], LOPSIDED, float("inf"))
    return "good" if figures["trustworthiness"] >= TRUE_PLOT else "fair"


def _of_classes(share: float, chance: float, figures: dict[str, float]) -> Grade:
    """Grade how often neighbours are of a class, or how much of their land they share."""
    way = (share - chance) / max(figures.get("best", 1.0) - chance, 1e-6)
    if way < HALF_OF_THE_WAY:
        return "poor"
    beaten, learned = figures.get("beside", 0) < 0, figures.get("learned", 0) > LITTLE_LEARNED
    return "fair" if beaten or learned or way < MOST_OF_THE_WAY else "good"


def _falling(value: float, good: float, fair: float) -> Grade:
    return "good" if value <= good else ("fair" if value <= fair else "poor")


def verdict_on(sections: Sequence[Section]) -> SceneVerdict:
    """Return the verdict on a scene by the sections of its report that there are."""
    grades = {one.name: grade for one in sections if (grade := grade_of(one)) is not None}
    proof = [grades[name] for name in PROOF if name in grades]
    if not proof and not any(name in grades for name in SUSPICION):
        return SceneVerdict(grade=None, because="Too little is known of these patches to say whether answers hold.")
    weighed = {name: _weighed(name, grade, proven=bool(proof)) for name, grade in grades.items()}
    worst = min(weighed.values(), key=_ORDER.index)
    if worst == "good" and not proof and "familiar" not in grades:
        why = "Classes did not check the answers, and it is not known what is unfamiliar to this encoder."
        return SceneVerdict(grade="fair", because=why)
    because = _because(worst, [name for name in TOPICS if weighed.get(name) == worst], proven=bool(proof))
    return SceneVerdict(grade=worst, because=because, proven=bool(proof))


def _weighed(name: str, grade: Grade, *, proven: bool) -> Grade:
    """Return what a grade counts for in the whole."""
    return grade if name in PROOF or (name in SUSPICION and not proven) else max(grade, "fair", key=_ORDER.index)


def _because(grade: Grade, names: Sequence[str], *, proven: bool) -> str:
    if grade == "good" and not proven:
        return "Nothing that was measured speaks against the answers; classes did not check them."
    if grade == "good":
        return "Nothing that was measured speaks against the answers."
    topics = [TOPICS[name][0].lower() + TOPICS[name][1:] for name in names]
    listed = " and ".join(part for part in (", ".join(topics[:-1]), topics[-1]) if part)
    return f"{'Held back by' if grade == 'fair' else 'Because of'} {listed}."


def summary_lines(sections: Sequence[Section]) -> list[str]:
    """Return the verdict and a line for each section, for a terminal."""
    found = verdict_on(sections)
    lines = [f"  {SIGNS[grade_of(one)]} {TOPICS[one.name]}: {one.in_short}" for one in in_order(sections)]
    return ["", f"{found.words}. {found.because}", *lines]


def in_order(sections: Sequence[Section]) -> list[Section]:
    """Return the sections in the order of the summary; those without a topic are left out."""
    return sorted((one for one in sections if one.name in TOPICS), key=lambda one: list(TOPICS).index(one.name))
