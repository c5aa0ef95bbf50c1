"""Carrying labels given by hand to another reading of the same source, by the place of the patches on the ground."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.scenes.cut import FINEST_STRIDE, LEAST_SIZE, MOST_SIZE
from core.scenes.geobox import GeoBox, transformer
from core.scenes.given.annotations import Window, read_annotations
from core.scenes.labels import MIN_PURITY, add_windows
from core.scenes.places import source_names
from core.scenes.scene import Scene


@dataclass(frozen=True, kw_only=True)
class LabelTransfer:
    """What became of labels given by hand.

    Attributes:
        kept: patches that have their label in the other scene too.
        lost: patches whose ground no patch of the other scene shows.
    """

    kept: int
    lost: int


def transfer_labels(old: Scene, new: Scene) -> LabelTransfer:
    """Give patches of a scene the labels that people gave to the same ground in another reading of its source.

    Ground is the same where at least ``MIN_PURITY`` of a patch lies in the labelled one, so that a grid that moved by
    a few pixels keeps its labels. A collection's patches are the same when they come from the same file. Labels that
    ``new`` has stay as they are.

    Raises:
        SceneError: when the labels cannot be written.
        SettingsError: when there are too many classes.
    """
    known = read_annotations(old)
    given = known.classes
    every = {window for some in given.values() for window in some}
    if not every:
        return LabelTransfer(kept=0, lost=0)
    places = _same_files(old, new, every) if old.is_collection else _same_ground(old.grid, new.grid, every)
    moved = {
        name: {places[window] for window in windows if window in places} for name, windows in sorted(given.items())
    }
    taken: set[Window] = set()
    for name, windows in moved.items():  # Where pixels grew, two patches may come to lie in one.
        moved[name] = windows - taken
        taken |= windows
    facts = {places[window]: fact for window, fact in known.facts.items() if window in places}
    confirmed = frozenset(places[window] for window in known.confirmed if window in places)
    add_windows(new, moved, facts=facts, colours=known.colours, confirmed=confirmed, scheme=known.scheme)
    return LabelTransfer(kept=len(taken), lost=len(every) - len(taken))


def _same_files(old: Scene, new: Scene, windows: Iterable[Window]) -> Mapping[Window, Window]:
    """Find patches of a collection by the names of their files."""
    before, after, old_side, new_side = source_names(old), source_names(new), old.patch_size, new.patch_size
    if before is None or after is None or not old_side or not new_side:
        return {}
    where = {name: number for number, name in enumerate(after) if name}
    old_cols, new_cols = old.grid.width // old_side, new.grid.width // new_side
    found = {}
    for top, left, side in windows:
        number = top // old_side * old_cols + left // old_side
        at = where.get(before[number]) if number < len(before) else None
        if at is not None and side == old_side:
            row, col = divmod(at, new_cols)
            found[top, left, side] = (row * new_side, col * new_side, new_side)
    return found


def _same_ground(old: GeoBox, new: GeoBox, windows: Iterable[Window]) -> Mapping[Window, Window]:
    """Find for each window the patch of another grid that shows the same ground, cut as the windows are."""
    shape = (old.height, old.width) == (new.height, new.width)
    if shape and (old.transform == new.transform or old.crs is None or new.crs is None):
        # The same pixels, whatever is known of their place by now.
        return {window: window for window in windows}
    if old.crs is None or new.crs is None:
        return {}
    by_side: dict[int, list[Window]] = {}
    for window in windows:
        by_side.setdefault(window[2], []).append(window)
    return {window: place for side, some in by_side.items() for window, place in _moved(old, new, side, some).items()}


def _moved(old: GeoBox, new: GeoBox, side: int, windows: list[Window]) -> Mapping[Window, Window]:
    """Find the patches of windows of one size."""
    steps = [value for top, left, _ in windows for value in (top, left) if value not in _edges(old, side)]
    step = math.gcd(side, *steps)
    step = step if step >= max(1, side // FINEST_STRIDE) else side
    centres = np.array([(top + side / 2, left + side / 2) for top, left, _ in windows])
    rows, cols = _pixels(old, new, centres[:, 0], centres[:, 1])
    below, _ = _pixels(old, new, centres[:, 0] + side / 2, centres[:, 1])
    _, beside = _pixels(old, new, centres[:, 0], centres[:, 1] + side / 2)
    found = {}
    for number, window in enumerate(windows):
        height, width = 2 * abs(below[number] - rows[number]), 2 * abs(beside[number] - cols[number])
        if not all(map(math.isfinite, (height, width, rows[number], cols[number]))):
            continue
        place = _nearest(new, (rows[number], cols[number]), (height, width), step / side)
        if place is not None:
            found[window] = place
    return found


def _edges(grid: GeoBox, side: int) -> tuple[int, int]:
    """Return where the last patches begin that a grid moves inwards so that they cover its edge."""
    return grid.height - side, grid.width - side


def _pixels(
    old: GeoBox, new: GeoBox, rows: NDArray[np.float64], cols: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return fractional rows and columns of one grid's positions in another grid."""
    xs, ys = old.xy(rows, cols)
    if old.crs != new.crs:
        xs, ys = transformer(old.crs or "", new.crs or "").transform(xs, ys)
    found = new.rowcol(np.asarray(xs), np.asarray(ys))
    return found[0], found[1]


def _nearest(
    grid: GeoBox, centre: tuple[float, float], extent: tuple[float, float], step_share: float
) -> Window | None:
    """Return the patch that shows ground around a centre; None when none shows enough of it.

    Args:
        grid: of the patches.
        centre: row and column.
        extent: height and width in pixels.
        step_share: from patch to patch, as a share of their side.
    """
    side = round(math.sqrt(extent[0] * extent[1]))
    step = max(1, round(side * step_share))
    if not LEAST_SIZE <= side <= MOST_SIZE:
        return None
    overlap, place = 1.0, []
    for middle, length, limit in zip(centre, extent, (grid.height, grid.width), strict=True):
        first = middle - length / 2
        starts = [start for start in (round(first / step) * step, limit - side) if 0 <= start <= limit - side]
        shares = [(min(start + side, first + length) - max(start, first)) / max(side, length) for start in starts]
        if not shares:
            return None
        best = max(range(len(shares)), key=lambda number: shares[number])
        overlap *= max(0.0, shares[best])
        place.append(starts[best])
    return (place[0], place[1], side) if overlap >= MIN_PURITY else None
