"""Labelled patches made ready for training: several sets as one, refused where nothing can be learned, and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.bands import BAND_NAMES
from core.errors import TrainingError
from core.evaluation.splits import leaves_every_class, random_split, spatial_split
from core.training.dataset import Labelled, contradictions, joined, stems, without_copies

HELD_OUT = 0.2
"""Share of the patches held out at random, and of those in whole blocks of land where places are known."""

_ASKED = "Learning from labelled patches"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Labelled patches in three parts.

    Attributes:
        train: learned from.
        random: held out at random, of every class.
        spatial: in held-out blocks of land; None where places are unknown.
    """

    train: Labelled
    random: Labelled
    spatial: Labelled | None


def gather(sets: Sequence[Labelled], *, apart: Sequence[Labelled] = (), bands: Sequence[str] | None = None) -> Labelled:
    """One set of several, on the bands they share, less copies, and less patches that show a place of ``apart``.

    Raises:
        TrainingError: when nothing can be learned from them.
    """
    shown = {stem for other in apart for stem in stems(other.names)}
    kept = [one.take(np.array([stem not in shown for stem in stems(one.names)], dtype=bool)) for one in sets]
    every = joined(kept, bands)
    whole = without_copies(every)
    wrong = contradictions(every)
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        found = f"the same patch stands for several classes: {', '.join(wrong[:3])}{more}"
        raise TrainingError(_ASKED, found, "leave each patch in one class only")
    counts = whole.counts()
    few = [f"{name} ({count})" for name, count in counts.items() if count < 2]
    if len(counts) < 2 or few:
        found = (
            f"too few patches of {', '.join(few)}" if few else f"there is only the class {next(iter(counts), 'none')}"
        )
        gone = sum(map(len, sets)) - len(every)
        found += _missing(copies=whole.repeats, apart=gone)
        raise TrainingError(_ASKED, found, "give two classes or more, two patches or more each")
    return whole


def _missing(*, copies: int, apart: int) -> str:
    """Why fewer patches count than were given, as the end of a clause; empty when all count."""
    reasons = []
    if copies:
        reasons.append(f"{copies:,} {'is a copy' if copies == 1 else 'are copies'} of others, which count once")
    if apart:
        reasons.append(f"{apart:,} of the same names as the sets kept apart {'was' if apart == 1 else 'were'} left out")
    return "".join(f", and {reason}" for reason in reasons)


def split(whole: Labelled, seed: int) -> Parts:
    """Held-out blocks first, then a random part of the rest; patches of one place stay together."""
    kin = whole.kin()
    blocks = spatial_split(whole.lonlat, HELD_OUT, seed)
    if blocks is not None:
        blocks = np.isin(kin, kin[blocks])
        if not leaves_every_class(whole.labels, blocks):
            blocks = None
    rest = np.arange(len(whole)) if blocks is None else np.flatnonzero(~blocks)
    held = random_split(whole.labels[rest], HELD_OUT, seed, kin[rest])
    return Parts(
        train=whole.take(rest[~held]),
        random=whole.take(rest[held]),
        spatial=None if blocks is None else whole.take(blocks),
    )


def shared_bands(sets: Sequence[Labelled]) -> tuple[str, ...]:
    """Bands that all sets have, in product order."""
    return tuple(name for name in BAND_NAMES if all(name in one.bands for one in sets))
