"""How a scene was cut when people labelled its patches, told from where the labels lie."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from core.scenes.cut import DEFAULT_CUT, FINEST_STRIDE, Cut, Edge
from core.scenes.given.annotations import Window
from core.scenes.labels import given_windows
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene


def cut_of_labels(scene: Scene) -> Cut:
    """Return the cut whose patches most labels given by hand belong to; of equal ones the usual cut.

    Errors as of ``patch_grid`` where not even the usual cut fits.
    """
    windows = [window for given in given_windows(scene).values() for window in given]
    if scene.is_collection or not windows:
        return DEFAULT_CUT
    usual = Cut.of(min(DEFAULT_CUT.size, scene.grid.width, scene.grid.height))
    sides = [side for side, _ in Counter(side for _, _, side in windows).most_common()]
    cuts = [usual, *(_cut_of_side(scene, [window for window in windows if window[2] == side]) for side in sides)]
    return max(cuts, key=lambda cut: _held(scene, cut, windows))


def _held(scene: Scene, cut: Cut, windows: Sequence[Window]) -> int:
    """Return how many windows are patches of a cut."""
    grid = patch_grid(scene, cut)
    return sum(grid.patch_of_window(*window) is not None for window in windows)


def _cut_of_side(scene: Scene, windows: Sequence[Window]) -> Cut:
    """Return the coarsest cut that patches of one size fit; those moved inwards at the edge tell of nothing else."""
    side, height, width = windows[0][2], scene.grid.height, scene.grid.width
    tops, lefts = {top for top, _, _ in windows}, {left for _, left, _ in windows}
    stride = math.gcd(side, *(tops - {height - side}), *(lefts - {width - side}))
    if stride < max(1, side // FINEST_STRIDE):
        stride = side
    moved = any(start % stride for start in ({height - side} & tops) | ({width - side} & lefts))
    edge: Edge = "cover" if moved else "leave"
    return Cut.of(side, stride, edge=edge)
