"""What measures mean, in plain sentences with their numbers: a section of a report card each. No measuring."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from core.bands import FloatArray, class_title
from core.encoders.spectral import SPECTRAL as BASELINE
from core.evaluation.duplicates import Duplicates
from core.evaluation.hubness import LOPSIDED, Hubness
from core.evaluation.land import Estimate, LandRetrieval, Verdict
from core.evaluation.novelty import NOVEL_ABOVE
from core.evaluation.novelty_causes import MUCH_NOVEL
from core.evaluation.report.card import Section, Sheet
from core.evaluation.report.caveats import left_out, overlap_words, unasked
from core.evaluation.report.phrases import (
    count_of_patches,
    of_hundred,
    points,
    points_between,
    share_between,
    signed_points,
)
from core.evaluation.report.verdict import open_words, rule_words
from core.evaluation.retrieval import DEPTHS, NORMAL_95, VOTERS, ClassRow, Retrieval, Share
from core.evaluation.trustworthiness import MISPLACED, Trustworthiness
from core.scenes.patches import IntArray

DEPTH = DEPTHS[-1]

QUESTIONS = {
    "labels": "Do neighbours show the same kind of land?",
    "hand": "Do neighbours share the labels that people gave by hand?",
    "land": "Do neighbours hold the same mix of land?",
    "familiar": "Does the encoder know land like this?",
    "stability": "Do the answers depend on where the grid of patches happens to lie?",
    "hubs": "Are there hubs, patches that turn up among the nearest of very many others?",
    "layout": "How true is the plot?",
}
"""The questions, in the order of a report."""


NOVELTY_UNKNOWN = "what this encoder was trained on is not known here, so unfamiliar land cannot be told"
TOO_FEW_HELD = (
    "too few patches were held out when this encoder was trained to tell what is unfamiliar to it; it takes a hundred"
)
LEARNED_NOTHING = "It was not trained, so no land is unfamiliar to it."
ITSELF = "This encoder is the plain spectrum itself, beside which every other one is shown."
NO_SPECTRUM = (
    "What the plain spectrum would give is not known: this needs the pixels or the means of the bands, and neither is "
    "here."
)


_BESIDE: dict[Verdict, float] = {"better than": 1, "not told apart from": 0, "worse than": -1}


_ONE = 1 - NOVEL_ABOVE / 100
"""Share of unfamiliar patches in land of the kind that an encoder was trained on."""

UNMEASURED = "Not measured: "
"""How a section begins that has no answer; the reason follows."""


def unmeasured(name: str, why: str, *more: str) -> Section:
    """Return a section that says why there is no answer; ``why`` has no full stop; ``more`` are whole ones."""
    return Section(name=name, title=QUESTIONS[name], sentences=(f"{UNMEASURED}{why}.", *more), measured=False)


def novelty_unknown(encoder: str | None, *, trained: bool = False) -> Section:
    """Return why it is not known what is unfamiliar to an encoder; ``trained`` = what it learned from is known."""
    if encoder != BASELINE:
        return unmeasured("familiar", TOO_FEW_HELD if trained else NOVELTY_UNKNOWN)
    return Section(name="familiar", title=QUESTIONS["familiar"], sentences=(LEARNED_NOTHING,), measured=False)


def labels_section(
    own: Retrieval, plain: Retrieval | None, *, touching_left_out: bool, itself: bool, rough: bool = False,
    duplicates: Duplicates | None = None, overlap: int = 0, total: int = 0,
) -> Section:  # fmt: skip
    """Return how often neighbours share a class.

    Args:
        own: of the encoder.
        plain: of the plain spectrum of the same patches; None when it is not known, or the encoder is that itself.
        touching_left_out: True = patches that touch the query were left out.
        itself: True = the encoder is the plain spectrum.
        rough: True = the plain spectrum was made without pixels.
        duplicates: the patches that were left out because they are the same as others.
        overlap: how many patches the encoder has learned from.
        total: patches that there are, also those without a class.
    """
    found = own.precision[DEPTH]
    beside = f"chance would give {round(100 * own.chance)}"
    if plain is not None:
        about = "about " if rough else ""
        beside = f"the plain spectrum would give {about}{share_between(plain.precision[DEPTH])}"
        beside += f", chance {round(100 * own.chance)}"
    first = f"Neighbours here share the class {share_between(found, 'times in 100')}; {beside}."
    verdict = ITSELF if itself else (NO_SPECTRUM if plain is None else _verdict(found, plain.precision[DEPTH]))
    how = f"The {DEPTH} nearest of {_asked(own)} were looked at"
    how += "; patches that touch the one asked about were left out." if touching_left_out else "."
    caveats = [
        *unasked(own, [class_title(name) for name in own.singletons]),
        *([] if duplicates is None else left_out(duplicates)),
    ]
    beaten = 0 if plain is None else _beside(found, plain.precision[DEPTH])
    section = Section(
        name="labels",
        title=QUESTIONS["labels"],
        short=f"{of_hundred(found.value)} of 100 neighbours are of the same class; {beside}.",
        figures=_between("share", found)
        | {
            "count": found.count,
            "all": total,
            "chance": own.chance,
            "beside": beaten,
            "learned": overlap / max(own.count, 1),
        },
        sentences=(
            first,
            *overlap_words(overlap, own.count),
            verdict,
            _best_and_worst(own),
            f"{how} In brackets: where the true value lies 95 times in 100.",
            *caveats,
        ),
        sheets=(_classes(own, plain), _confusion(own)),
    )
    return _said_open(section)


def _said_open(section: Section) -> Section:
    """Return a section that begins with it where too little is known for a grade."""
    if not (words := open_words(section)):
        return section
    rule = (rule,) if (rule := rule_words(section)) else ()
    return replace(section, short=f"{words} {section.in_short}", sentences=(*section.sentences, *rule))


def _between(name: str, found: Share | Estimate) -> dict[str, float]:
    """Return a figure with both ends of its interval; where there is none, anything is possible."""
    known = not math.isnan(found.low)
    return {name: found.value, f"{name}_low": found.low if known else 0.0, f"{name}_high": found.high if known else 1.0}


def _best_and_worst(own: Retrieval) -> str:
    """Return which classes are found best and worst."""
    counted = [row for row in own.classes if row.precision.count]
    worst = min(counted, key=lambda row: row.precision.value)
    best = max(counted, key=lambda row: row.precision.value)
    even = best.precision.value == worst.precision.value
    return (
        f"All classes are found alike often, {share_between(best.precision)} of 100 neighbours."
        if even
        else f"Best found: {class_title(best.name)}, {share_between(best.precision)} of 100 neighbours; worst: "
        f"{class_title(worst.name)}, {share_between(worst.precision)}{_mistaken(own, worst)}."
    )


def by_hand(found: Section) -> Section:
    """Return what ``labels_section`` says of labels that people gave in the app, with what to keep in mind of these."""
    beware = "Patches that were labelled because they look alike make these numbers too good; label places you know."
    sentences = (*found.sentences, beware) if found.measured else found.sentences
    return replace(found, name="hand", title=QUESTIONS["hand"], sentences=sentences)


def land_section(
    found: LandRetrieval, classes: Sequence[str], *, itself: bool, unknown: int = 0, not_asked: Sequence[str] = (),
    source: str = "", covered: float = 1.0,
) -> Section:  # fmt: skip
    """Return how much of their land neighbours share.

    Args:
        found: the figures.
        classes: names of all classes.
        itself: True = the encoder is the plain spectrum.
        unknown: patches of which too little is known.
        not_asked: classes whose patches were not asked.
        source: the map that somebody added, or empty.
        covered: share of the scene that it covers.
    """
    own, plain = found.own, found.plain
    beside = f"the best possible is {points(found.best.overlap)}, chance {points(found.chance.overlap)}"
    if plain is not None:
        beside = f"{found.verdict} the plain spectrum ({points(plain.overlap)}); {beside}"
    first = f"Of 100 parts of its land a patch shares {points_between(own.overlap)} with its neighbours: {beside}."
    verdict = [ITSELF] if itself else []
    if found.gain is not None:
        verdict = [f"Beside the plain spectrum: {signed_points(found.gain.overlap)} of 100 parts."]
    common = f"the best possible is {points(found.best.dominant)}, chance {points(found.chance.dominant)}"
    common = common if plain is None else f"the plain spectrum gives {points(plain.dominant)}, {common}"
    dominant = (
        f"A neighbour has the commonest class of the patch {points_between(own.dominant, 'times in 100')}; {common}."
    )
    section = Section(
        name="land",
        title=QUESTIONS["land"],
        sentences=(
            first,
            *verdict,
            dominant,
            *_how_land(found, unknown, [class_title(name) for name in not_asked]),
            *([f"The classes are those of “{source}”, for {of_hundred(covered)} % of the scene."] if source else []),
        ),
        sheets=(_land_classes(found, classes),),
        short=f"A patch shares {points(own.overlap)} of 100 parts of its land with its neighbours: {beside}.",
        figures=_land_figures(found),
    )
    return _said_open(section)


def _land_figures(found: LandRetrieval) -> dict[str, float]:
    figures = _between("share", found.own.overlap) | {
        "chance": found.chance.overlap.value,
        "best": found.best.overlap.value,
    }
    return figures | ({} if found.verdict is None else {"beside": _BESIDE[found.verdict]})


def _how_land(found: LandRetrieval, unknown: int, not_asked: Sequence[str]) -> Iterator[str]:
    """Return which patches were asked and which not, and what the brackets are."""
    drawn = ", drawn at random," if found.sampled else ""
    yield (
        f"The {found.k} nearest of {count_of_patches(found.asked)}{drawn} were looked at; patches that touch the one "
        "asked about were left out."
    )
    if found.skipped:
        are = "is not asked, as it is" if found.skipped == 1 else "are not asked, as they are"
        yield f"{count_of_patches(found.skipped)} {are} half or more {' or '.join(not_asked)}."
    if unknown:
        are = "is" if unknown == 1 else "are"
        yield f"{count_of_patches(unknown)} {are} left out: the map knows less than half of the patch."
    if math.isnan(found.own.overlap.low):
        yield "There is too little land to say within which range the true value lies."
        return
    block = "patches" if found.side == 1 else f"blocks of {found.side} × {found.side} patches"
    yield f"In brackets: where the true value lies 95 times in 100, by drawing {found.blocks} {block} anew."


def _land_classes(found: LandRetrieval, classes: Sequence[str]) -> Sheet:
    head = ["Commonest class", "Patches", "Shared land", "Same commonest class"]
    rows = [
        [class_title(classes[row.number]), f"{row.asked:,}", f"{100 * row.own:.0f}", f"{100 * row.dominant:.0f}"]
        for row in found.classes
    ]
    if found.plain is not None:
        head.append("Plain spectrum, shared land")
        rows = [[*cells, f"{100 * row.plain:.0f}"] for cells, row in zip(rows, found.classes, strict=True)]
    title = f"By commonest class, of 100: land shared with the {found.k} nearest; neighbours of that class too"
    return Sheet(title=title, head=tuple(head), rows=tuple(tuple(row) for row in rows))


def _asked(found: Retrieval) -> str:
    if found.queries == found.count:
        return f"all {found.count:,} labelled patches"
    if found.queries == found.count - found.unasked:
        return f"{found.queries:,} of {found.count:,} labelled patches"
    return f"{found.queries:,} of {found.count:,} labelled patches, drawn at random,"


def _verdict(own: Share, plain: Share) -> str:
    return {
        1: "This encoder tells land apart clearly better than the plain spectrum does.",
        -1: "The plain spectrum does better here: this encoder is not the one to use on this land.",
        0: "The two are too close to call with this many labels.",
    }[_beside(own, plain)]


def _beside(own: Share, plain: Share) -> int:
    """Return 1 where the first is clearly better, −1 where it is clearly worse, else 0."""
    return int(own.low > plain.high) - int(own.high < plain.low)


def _mistaken(found: Retrieval, worst: ClassRow) -> str:
    """Return which class one is mostly mistaken for, in words; nothing where there is none."""
    counts = found.confusion[worst.number].copy()
    counts[worst.number] = 0
    names = {row.number: row.name for row in found.classes}
    return f", most often taken for {class_title(names[int(counts.argmax())])}" if counts.any() else ""


def _classes(own: Retrieval, plain: Retrieval | None) -> Sheet:
    head = ["Class", "Patches", f"Same class, {DEPTH} nearest", f"Named by {VOTERS} nearest"]
    rows = []
    for number, row in enumerate(own.classes):
        cells = [
            class_title(row.name),
            f"{row.count:,}",
            share_between(row.precision),
            share_between(row.recall),
        ]
        rows.append(cells + ([] if plain is None else [share_between(plain.classes[number].precision)]))
    whole = ["All", f"{own.count:,}", share_between(own.precision[DEPTH]), share_between(own.accuracy)]
    rows.append(whole + ([] if plain is None else [share_between(plain.precision[DEPTH])]))
    head += [] if plain is None else ["Plain spectrum, same class"]
    title = f"By class, of 100: neighbours of the same class; patches whose {VOTERS} nearest name their class rightly"
    return Sheet(title=title, head=tuple(head), rows=tuple(tuple(row) for row in rows))


def _confusion(found: Retrieval) -> Sheet:
    numbers = [row.number for row in found.classes]
    names = [class_title(row.name) for row in found.classes]
    rows = [
        (name, *(f"{found.confusion[number, other]:,}" for other in numbers))
        for name, number in zip(names, numbers, strict=True)
    ]
    title = f"Patches by their class (down) and the class that their {VOTERS} nearest name (across)"
    return Sheet(title=title, head=("", *names), rows=tuple(rows))


def novelty_section(percent: FloatArray, ids: IntArray, *, marked: bool) -> Section:
    """Return how much of the land is unfamiliar to the encoder.

    Args:
        percent: percentiles of shape (N,).
        ids: the patches' ids.
        marked: True = who reads this sees those patches marked.
    """
    novel = np.flatnonzero(percent > NOVEL_ABOVE)
    order = novel[np.argsort(-percent[novel], kind="stable")]
    count, total = len(novel), len(percent)
    many = "1 patch is" if count == 1 else f"{count:,} patches are"
    first = f"{of_hundred(1 - count / max(total, 1))} of 100 patches look like what the encoder was trained on."
    if not count:
        second = "No patch is farther from that than 99 in 100 of its held-out training patches."
    else:
        them = "it" if count == 1 else "them"
        mark = f"; {'it is' if count == 1 else 'they are'} marked with a diamond ◇, and what" if marked else "; what"
        second = (
            f"{many} unfamiliar, farther from that than 99 in 100 of its held-out training patches{mark} is found for "
            f"{them} deserves a second look."
        )
    third = (
        f"Of land of the kind it was trained on, 1 in 100 counts as unfamiliar by this rule; here it is "
        f"{of_hundred(count / max(total, 1))} in 100."
    )
    share = count / max(total, 1)
    usual = f"; cloudless land new to it has up to {of_hundred(MUCH_NOVEL)}" if _ONE < share <= MUCH_NOVEL else ""
    return Section(
        name="familiar",
        title=QUESTIONS["familiar"],
        short=f"{of_hundred(share)} of 100 patches are unfamiliar: like nothing the encoder was trained on{usual}."
        if count
        else "No patch is unfamiliar to the encoder.",
        figures={"novel": share},
        sentences=(first, second, third),
        patches=tuple(ids[order].tolist()),
    )


def grid_shift_section(kept: Share, itself: Share, similarity: float, *, k: int, pixels: int, total: int) -> Section:
    """Return what a small shift of the grid changes.

    Args:
        kept: share of the k nearest that stay.
        itself: share of shifted patches to which the patch itself is the most similar.
        similarity: cosine similarity of a patch to its shifted self, at the median.
        k: how many nearest.
        pixels: the shift.
        total: patches that there are.
    """
    first = (
        f"With the grid moved by {pixels} pixels, a patch keeps {k * kept.value:.1f} of its {k} nearest "
        f"({k * kept.low:.1f}–{k * kept.high:.1f})."
    )
    second = (
        f"{share_between(itself, 'times in 100')} the patch most like the moved one is the patch itself; "
        f"their similarity is {similarity:.2f} at the median."
    )
    drawn = f"all {total:,} patches" if itself.count == total else f"{itself.count:,} patches drawn at random"
    third = f"Measured on {drawn}, encoded again."
    section = Section(
        name="stability",
        title=QUESTIONS["stability"],
        short=f"{k * kept.value:.1f} of a patch's {k} nearest stay when the grid moves by {pixels} pixels.",
        figures=_between("kept", kept) | _between("itself", itself),
        sentences=(first, second, third),
    )
    return _said_open(section)


def hubs_section(found: Hubness, ids: IntArray) -> Section:
    """Return which patches are hubs; ``ids`` are those of the rows that were counted."""
    most = int(found.counts.max(initial=0))
    if found.skewness > LOPSIDED:
        first = f"Yes: one patch is among the {found.k} nearest of {most:,} others."
    else:
        first = f"No: every patch is among the {found.k} nearest of {most:,} others at most."
    second = (
        f"The average is {found.k}. {of_hundred(found.in_no_list)} of 100 patches are among the nearest of no other "
        "patch, so that no search from another patch finds them."
    )
    third = (
        f"Skewness of these counts: {found.skewness:.1f}. At 0 patches turn up evenly; above {LOPSIDED} a few patches "
        "turn up in many answers."
    )
    top = ids[found.top]
    rows = tuple((f"Patch {patch}", f"{found.counts[row]:,}") for patch, row in zip(top, found.top, strict=True))
    sheet = Sheet(title="The most frequent neighbours", head=("", f"Among the {found.k} nearest of"), rows=rows)
    short = (
        f"Some patches crowd into answers: one is among the {found.k} nearest of {most:,} others."
        if found.skewness > LOPSIDED
        else "No patch crowds into the answers of very many others."
    )
    return Section(
        name="hubs",
        title=QUESTIONS["hubs"],
        short=short,
        figures={"skewness": found.skewness},
        sentences=(first, second, third),
        sheets=(sheet,),
        patches=tuple(top.tolist()) if found.skewness > LOPSIDED else (),
    )


def layout_section(found: Trustworthiness, ids: IntArray, total: int) -> Section:
    """Return how true the plot is; ``ids`` are those of ``found.rows``, ``total`` all points."""
    trust, continuity = float(found.trust.mean()), float(found.continuity.mean())
    bad = np.flatnonzero(found.distortion > MISPLACED)
    order = bad[np.argsort(-found.distortion[bad], kind="stable")]
    k, kept = found.k, found.k * float(found.kept.mean())
    first = f"Of the {k} points nearest to a point in the plot, {kept:.1f} are among its {k} nearest by features."
    second = (
        f"Trustworthiness {trust:.3f} of 1: points near each other in the plot are alike. Continuity "
        f"{continuity:.3f} of 1: alike points are near each other in the plot. A random plot would have "
        "about 0.5 of both."
    )
    asked = f"all {total:,}" if len(found.rows) == total else f"{len(found.rows):,} of {total:,} (drawn at random)"
    third = (
        f"{of_hundred(len(bad) / max(len(found.rows), 1))} of 100 points are misplaced: their distortion is "
        f"above {MISPLACED}, where 0 is right and 0.5 is random. Measured at {asked} points."
    )
    return Section(
        name="layout",
        title=QUESTIONS["layout"],
        short=f"{kept:.1f} of the {k} points nearest to one in the plot are among its {k} nearest by features.",
        figures=_between("trustworthiness", _mean_trust(found, total)),
        sentences=(first, second, third),
        patches=tuple(ids[order].tolist()),
    )


def _mean_trust(found: Trustworthiness, total: int) -> Estimate:
    """Return the trustworthiness of all points; by those asked, where not all were, within 1.96 standard errors."""
    mean, asked = float(found.trust.mean()), len(found.rows)
    error = float(found.trust.std()) / math.sqrt(asked) * math.sqrt(1 - asked / total)
    return Estimate(value=mean, low=mean - NORMAL_95 * error, high=mean + NORMAL_95 * error)
