"""What a small shift of the grid does to answers: patches are cut a few pixels aside, encoded, and asked again.

Of a sample it tells how shaky the answers of a scene are (``grid_shift``), of all patches where (``stability``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.encoders.base import Encoder
from core.errors import EncoderError, JobCancelledError, PatchError
from core.evaluation.retrieval import Share, share
from core.features.batches import PatchBatch, iter_windows
from core.features.encode import encode_patches
from core.features.vector_table import NO_PIXELS
from core.prefetch import ahead
from core.progress import Progress, silent
from core.scenes.patches import IntArray, PatchGrid
from core.scenes.scene import Scene
from core.similarity.knn_graph import top_columns
from core.similarity.neighbours import unit_rows

SHIFT = 8
"""Pixels down and to the right; up and to the left where the scene ends."""

SHIFTED_PATCHES = 200
COMPARED = 10

MOST_SHIFTED = 30_000
"""Patches up to which all are encoded again: a full tile cut by 64 pixels has 29,241."""

SAVE_SECONDS = 20.0
"""A run that is stopped loses at most what it did in so long."""

STABILITY_KEY = f"shift{SHIFT}-{COMPARED}"
"""Names how the figure of each patch is made; another way is another name."""

TO_MEASURE = np.float32(-1)
"""Stands for a figure that is still to be measured."""

_BLOCK_ELEMENTS = 6_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class GridShift:
    """What the shift changed.

    Attributes:
        k: nearest that were compared.
        pixels: the shift, down and aside.
        kept: share of the k nearest of a patch that are also the k nearest of its shifted self; patches that touch it
            are left out of both.
        itself: share of shifted patches to which, of all patches, the one itself is the most similar.
        similarity: cosine similarity of patch and shifted self, at the median.
        ids: the patches that were shifted, int64 of shape (M,); those that all others touch are left out.
        kept_each: share of neighbours that each of them keeps, float32 of shape (M,); their mean is ``kept``.
    """

    k: int
    pixels: int
    kept: Share
    itself: Share
    similarity: float
    ids: IntArray
    kept_each: FloatArray


def cannot_shift(scene: Scene, grid: PatchGrid) -> str | None:
    """Return why the grid of a scene cannot be shifted, a clause; None when it can."""
    if not scene.has_pixels:
        return f"{NO_PIXELS}, so that nothing can be encoded again"
    if scene.is_collection:
        return "these patches are single pictures, and there is no land around them to shift into"
    if grid.count < COMPARED + 2 or not _movable(grid, np.arange(grid.count)).any():
        return "the scene is too small to shift its grid"
    return None


def no_stability(scene: Scene, grid: PatchGrid, count: int) -> str | None:
    """Return why there can be no figure for each of so many encoded patches, a clause; None when there can."""
    if count > MOST_SHIFTED and not scene.is_collection:
        return (
            f"there are {count:,} patches, and each would be encoded again, which is done for {MOST_SHIFTED:,} at most"
        )
    return cannot_shift(scene, grid)


def grid_shift(
    scene: Scene,
    grid: PatchGrid,
    encoder: Encoder,
    vectors: FloatArray,
    ids: IntArray,
    *,
    sample: int = SHIFTED_PATCHES,
    seed: int = 0,
    progress: Progress = silent,
) -> GridShift:
    """Encode a sample of patches with the grid shifted and compare their neighbours.

    Args:
        scene: where the pixels are.
        grid: its patches.
        encoder: the one that made ``vectors``.
        vectors: features of all encoded patches, shape (N, D).
        ids: their patch ids, ascending int64 of shape (N,).
        sample: patches to shift, at most.
        seed: of the sample.
        progress: told (patches done, patches); what it raises ends the work.

    Raises:
        PatchError: when the grid cannot be shifted.
        EncoderError: when the encoder gives features of another length.
    """
    _check(cannot_shift(scene, grid))
    rows = np.flatnonzero(_movable(grid, ids))
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:sample])
    patches = _Patches(scene=scene, grid=grid, encoder=encoder, ids=ids, unit=unit_rows(vectors))
    found = list(patches.shifted(rows, progress))
    if not found:
        what = f"none of {len(rows)} shifted patches has enough valid pixels"
        raise EncoderError("Encoding shifted patches", what, "choose another scene")
    moved = np.concatenate([one.rows for one in found])
    kept = np.concatenate([one.kept for one in found])
    known = np.isfinite(kept)
    return GridShift(
        k=COMPARED,
        pixels=SHIFT,
        kept=share(kept[known]),
        itself=share(np.concatenate([one.itself for one in found])),
        similarity=float(np.median(np.concatenate([one.alike for one in found]))),
        ids=ids[moved[known]],
        kept_each=kept[known],
    )


def _forget(_: FloatArray) -> None:
    """Keep nothing to go on from."""


def stability(
    scene: Scene,
    grid: PatchGrid,
    encoder: Encoder,
    vectors: FloatArray,
    ids: IntArray,
    *,
    before: FloatArray | None = None,
    save: Callable[[FloatArray], None] = _forget,
    progress: Progress = silent,
) -> FloatArray:
    """Return the share of its nearest that each patch keeps when the grid is shifted, 0 to 1, float32 of shape (N,).

    NaN where there is no room for the shift, or the shifted patch has too little valid pixels. It is what
    ``GridShift.kept`` is the mean of. Memory beside ``vectors``: one copy of them, and some batches.

    Args:
        scene: where the pixels are.
        grid: its patches.
        encoder: the one that made ``vectors``.
        vectors: features of all encoded patches, shape (N, D).
        ids: their patch ids, ascending int64 of shape (N,).
        before: figures of a run that was stopped, ``TO_MEASURE`` where one is still to be measured.
        save: called now and then, and when the work is cancelled, with figures to go on from.
        progress: told (patches done, patches); what it raises ends the work.

    Raises:
        PatchError: when there can be no figure.
        EncoderError: when the encoder gives features of another length.
    """
    _check(no_stability(scene, grid, len(ids)))
    kept = np.full(len(ids), TO_MEASURE) if before is None else before.astype(np.float32)
    kept[~_movable(grid, ids)] = np.nan
    rows = np.flatnonzero(kept == TO_MEASURE)
    done, saved = len(ids) - len(rows), time.monotonic()

    def told(some: int, _: int) -> None:
        progress(done + some, len(ids))

    patches = _Patches(scene=scene, grid=grid, encoder=encoder, ids=ids, unit=unit_rows(vectors))
    try:
        for one in patches.shifted(rows, told):
            kept[one.rows] = one.kept
            if time.monotonic() - saved >= SAVE_SECONDS:
                save(kept)
                saved = time.monotonic()
    except JobCancelledError:
        save(kept)
        raise
    kept[kept == TO_MEASURE] = np.nan
    return kept


@dataclass(frozen=True, kw_only=True, eq=False)
class _Compared:
    """Some shifted patches beside themselves.

    Attributes:
        rows: of the features, int64 of shape (B,).
        kept: share of neighbours that stay, float32 of shape (B,), NaN where there are none.
        itself: True = of all patches the one itself is the most similar, shape (B,).
        alike: cosine similarity to itself, shape (B,).
    """

    rows: IntArray
    kept: FloatArray
    itself: NDArray[np.bool_]
    alike: FloatArray


def _check(why: str | None) -> None:
    if why is not None:
        raise PatchError("Shifting the grid of patches", why, "open a larger scene, or cut larger patches")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Patches:
    """Encoded patches of a scene and what encoded them.

    Attributes:
        scene: where the pixels are.
        grid: its patches.
        encoder: the one that made the features.
        ids: patch ids, ascending int64 of shape (N,).
        unit: features scaled to length 1, shape (N, D).
    """

    scene: Scene
    grid: PatchGrid
    encoder: Encoder
    ids: IntArray
    unit: FloatArray

    def shifted(self, rows: IntArray, progress: Progress) -> Generator[_Compared]:
        """Yield comparisons of some with their shifted selves; those with too little valid pixels are left out."""
        done, asked, places = 0, self.ids[rows], _places(self.grid, self.ids[rows])
        windows = ahead(iter_windows(self.scene, places, self.grid.size, BAND_NAMES, ids=asked), depth=1)
        encoded = encode_patches(self.scene, self.grid, self.encoder, _valid(windows, self.grid))
        with closing(windows), closing(encoded):
            for batch in encoded:
                if batch.vectors.shape[1] != self.unit.shape[1]:
                    found = f"it gives {batch.vectors.shape[1]} numbers instead of {self.unit.shape[1]}"
                    raise EncoderError("Encoding shifted patches", found, "choose the encoder again")
                yield self._compare(_rows_of(self.ids, batch.ids), unit_rows(batch.vectors))
                done += len(batch)
                progress(done, len(rows))
        progress(len(rows), len(rows))

    def _compare(self, rows: IntArray, moved: FloatArray) -> _Compared:
        """Return what became of the nearest of some; ``moved`` are their shifted selves, scaled to length 1."""
        kept, itself = np.empty(len(rows), np.float32), np.empty(len(rows), np.bool_)
        size = max(1, _BLOCK_ELEMENTS // len(self.ids))
        for start in range(0, len(rows), size):
            part = slice(start, start + size)
            touching = [_rows_of(self.ids, self.grid.touching(int(self.ids[row]))) for row in rows[part]]
            after = moved[part] @ self.unit.T
            itself[part] = after.argmax(axis=1) == rows[part]
            kept[part] = _shared(_nearest(self.unit[rows[part]] @ self.unit.T, touching), _nearest(after, touching))
        return _Compared(rows=rows, kept=kept, itself=itself, alike=np.einsum("ij,ij->i", self.unit[rows], moved))


def _valid(windows: Iterator[PatchBatch], grid: PatchGrid) -> Iterator[PatchBatch]:
    """Yield windows less those with too little valid pixels."""
    for batch in windows:
        enough = batch.valid_fraction >= grid.cut.least_valid
        if enough.any():
            yield PatchBatch(
                ids=batch.ids[enough], pixels=batch.pixels[enough], valid_fraction=batch.valid_fraction[enough]
            )


def _rows_of(ids: IntArray, some: IntArray) -> IntArray:
    """Return the rows of those of some ids that are there."""
    found = np.minimum(np.searchsorted(ids, some), len(ids) - 1)
    rows: IntArray = found[ids[found] == some]
    return rows


def _nearest(scores: FloatArray, left_out: list[IntArray]) -> IntArray:
    """Return the columns of the largest scores of each row, some left out, shape (B, k); −1 where there are no more."""
    for row, columns in enumerate(left_out):
        scores[row, columns] = -np.inf
    found = top_columns(scores, min(COMPARED, scores.shape[1]))
    best: IntArray = np.where(np.take_along_axis(scores, found, axis=1) > -np.inf, found, -1)
    return best


def _shared(before: IntArray, after: IntArray) -> FloatArray:
    """Return the share of neighbours before that are neighbours after, float32 of shape (B,); NaN where none were."""
    known = before >= 0
    stay = ((before[:, :, None] == after[:, None, :]).any(axis=2) & known).sum(axis=1)
    count = known.sum(axis=1)
    found: FloatArray = np.where(count, stay / np.maximum(count, 1), np.nan).astype(np.float32)
    return found


def _places(grid: PatchGrid, ids: IntArray) -> IntArray:
    """Return row and column of the first pixel of shifted patches, int64 of shape (N, 2)."""
    tops, lefts = grid.first_pixels(ids).T
    down, right = _offsets(tops, grid.height, grid.size), _offsets(lefts, grid.width, grid.size)
    return np.stack([tops + down, lefts + right], axis=1)


def _movable(grid: PatchGrid, ids: IntArray) -> NDArray[np.bool_]:
    """Return which patches have room for the shift within the scene, to either side."""
    tops, lefts = grid.first_pixels(ids).T
    down, right = _offsets(tops, grid.height, grid.size), _offsets(lefts, grid.width, grid.size)
    movable: NDArray[np.bool_] = (down != 0) & (right != 0)
    return movable


def _offsets(starts: IntArray, length: int, size: int) -> IntArray:
    """Return the shift of windows along one side: forward where there is room, else backward, else 0."""
    backward = np.where(starts >= SHIFT, -SHIFT, 0)
    return np.where(starts + SHIFT + size <= length, SHIFT, backward)
