"""Labelled patches parted into those to learn from and those held out.

How patches and blocks of land are drawn is ``core.evaluation.splits``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.splits import leaves_every_class, random_split, spatial_split
from core.scenes.patches import IntArray
from core.training.dataset import Labelled

HELD_OUT_SHARE = 0.2
"""Share of the patches held out at random, and of those in whole blocks of land where places are known."""

VALIDATION_SHARE, MOST_VALIDATION, FEWEST_VALIDATION = 0.2, 2_000, 10
"""Share of the rest by which the best epoch is chosen; how many patches at most, and without how many there are none.

They are neither learned from nor reported on: what chose among epochs says too much good of the one it chose.
"""

_BLOCK_DRAWS, _LARGEST_PART = 4, 0.3
"""Draws of blocks of land that are tried for such a part, and how much of the rest it may be."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Labelled patches, those learned from and those held out.

    Attributes:
        train: learned from.
        random: held out at random, of every class.
        spatial: in held-out blocks of land; None where places are unknown.
        validation: held out to choose the best epoch by; None where there are too few patches.
    """

    train: Labelled
    random: Labelled
    spatial: Labelled | None
    validation: Labelled | None = None

    def on(self, bands: Sequence[str]) -> Split:
        """Return the same patches in some of the bands."""
        return Split(
            train=self.train.on(bands), random=self.random.on(bands),
            spatial=None if self.spatial is None else self.spatial.on(bands),
            validation=None if self.validation is None else self.validation.on(bands),
        )  # fmt: skip


def split(whole: Labelled, seed: int, *, validates: bool = True) -> Split:
    """Hold out whole blocks of land first, then a random part of the rest, then what the best epoch is chosen by.

    Patches of one place stay together.

    Args:
        whole: of ``gather``.
        seed: of what is drawn.
        validates: False = nothing is held out to choose the best epoch by, as it was before one was chosen.
    """
    groups = whole.groups()
    blocks = spatial_split(whole.lonlat, HELD_OUT_SHARE, seed)
    if blocks is not None:
        blocks = np.isin(groups, groups[blocks])
        if not leaves_every_class(whole.labels, blocks):
            blocks = None
    rest = np.arange(len(whole)) if blocks is None else np.flatnonzero(~blocks)
    held = random_split(whole.labels[rest], HELD_OUT_SHARE, seed, groups[rest])
    if not held.any():  # The blocks left one place of each class.
        blocks, rest = None, np.arange(len(whole))
        held = random_split(whole.labels, HELD_OUT_SHARE, seed, groups)
    learned = rest[~held]
    validation = _validation(whole.take(learned), groups[learned], seed + 1) if validates else None
    return Split(
        train=whole.take(learned if validation is None else learned[~validation]),
        random=whole.take(rest[held]),
        spatial=None if blocks is None else whole.take(blocks),
        validation=None if validation is None else whole.take(learned[validation]),
    )


def _validation(part: Labelled, groups: IntArray, seed: int) -> NDArray[np.bool_] | None:
    """Choose blocks of land with every class in and beside them, else patches of each class; None when too few."""
    share = min(VALIDATION_SHARE, MOST_VALIDATION / len(part))
    for draw in range(_BLOCK_DRAWS):
        blocks = spatial_split(part.lonlat, share, seed + draw)
        if blocks is None:
            break
        blocks = np.isin(groups, groups[blocks])
        whole = leaves_every_class(part.labels, blocks) and leaves_every_class(part.labels, ~blocks)
        if whole and FEWEST_VALIDATION <= blocks.sum() <= _LARGEST_PART * len(part):
            return blocks
    held = random_split(part.labels, share, seed, groups)
    return held if held.sum() >= FEWEST_VALIDATION else None
