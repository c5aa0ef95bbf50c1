"""What does not count in a measure, what it is worth, and what no measure looks at, a sentence for each reason."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from core.errors import LandlikeError
from core.evaluation.duplicates import Duplicates
from core.evaluation.report.phrases import count_of_patches
from core.evaluation.retrieval import Retrieval
from core.features.stand_ins import lacking_words
from core.scenes.labels import MIN_PURITY
from core.scenes.overview import overview
from core.scenes.quality import load_quality
from core.scenes.scene import Scene

NAMED = 5
"""Classes of one patch that are named."""

NO_CLOUD_MAP = "Clouds were not looked for: no map of them came with the scene."


def left_out(found: Duplicates) -> list[str]:
    """Return which patches do not count because they are the same as others, a sentence for each reason."""
    told = []
    if found.duplicates:
        what = (
            "patch that is a copy of another does" if found.duplicates == 1 else "patches that are copies of others do"
        )
        told.append(f"{found.duplicates:,} {what} not count.")
    if found.conflicting:
        told.append(
            f"{count_of_patches(found.conflicting)} do not count, because the same patch stands for several classes."
        )
    return told


def mixed_words(number: int) -> list[str]:
    """Return that patches of mixed land do not count; empty where there are none."""
    if not number:
        return []
    are, where = ("is", "it") if number == 1 else ("are", "such a patch")
    return [
        f"{count_of_patches(number)} of mixed land {are} left out: no class covers {100 * MIN_PURITY:.0f} % of {where}."
    ]


def unasked(found: Retrieval, names: Sequence[str]) -> list[str]:
    """Return which patches were not asked, a sentence for each reason; ``names`` are of the classes of one patch."""
    told = []
    if names:
        more = [f"{len(names) - NAMED:,} more"] if len(names) > NAMED else []
        parts = [*names[:NAMED], *more]
        listed = " and ".join([part for part in (", ".join(parts[:-1]), parts[-1]) if part])
        told.append(
            f"{listed} {'has one patch and is' if len(names) == 1 else 'have one patch each and are'} not counted."
        )
    touched = found.unasked - len(found.singletons)
    if touched:
        are, it = ("is", "it") if touched == 1 else ("are", "them")
        told.append(f"{count_of_patches(touched)} {are} not asked, because all others of the class touch {it}.")
    return told


def overlap_words(overlap: int, count: int) -> list[str]:
    """Return what the figures are worth where the encoder has learned from some patches; empty where from none."""
    if not overlap:
        return []
    what = "these patches" if overlap == count else f"{overlap:,} of these {count:,} patches"
    return [f"The encoder has learned from {what}, so this is better than it does on land it never saw."]


def unexamined(scene: Scene, wanted: Sequence[str]) -> list[str]:
    """Return what no section looks at although it may spoil answers: bands that others stand in for, and clouds.

    Args:
        scene: that the answers are of; nothing is said of one without pixels.
        wanted: bands that the encoder reads.
    """
    if not scene.has_pixels:
        return []
    told = [lacking_words(wanted, scene)]
    with suppress(LandlikeError):
        seen = overview(scene, load_quality(scene.directory))
        if seen.cloud is None and not (scene.synthetic or scene.is_collection):
            told.append(NO_CLOUD_MAP)
    return [one for one in told if one]
