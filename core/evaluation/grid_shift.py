"""What a small shift of the grid does to answers: some patches are cut a few pixels aside, encoded, and asked again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.encoders.base import Encoder
from core.errors import EncoderError, PatchError
from core.evaluation.retrieval import Share, share
from core.progress import Progress, silent
from core.scenes.patches import IntArray, PatchGrid
from core.scenes.scene import Scene, SceneReader
from core.similarity.neighbours import nearest_patches, unit_rows

SHIFT = 8
"""Pixels down and to the right; up and to the left where the scene ends."""

SHIFTED_PATCHES = 200
COMPARED = 10


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
        ids: the patches that were shifted, int64 of shape (M,).
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
    if scene.kind == "collection":
        return "these patches are single pictures, and there is no land around them to shift into"
    if grid.count < COMPARED + 2 or not _movable(grid, np.arange(grid.count)).any():
        return "the scene is too small to shift its grid"
    return None


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
        ids: their patch ids, int64 of shape (N,).
        sample: patches to shift, at most.
        seed: of the sample.
        progress: told (patches done, patches); what it raises ends the work.

    Raises:
        PatchError: when the grid cannot be shifted.
        EncoderError: when the encoder gives features of another length.
    """
    why = cannot_shift(scene, grid)
    if why is not None:
        raise PatchError("Shifting the grid of patches", why, "open a larger scene")
    rows = np.flatnonzero(_movable(grid, ids))
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:sample])
    moved, kept_rows = _encode_shifted(scene, grid, encoder, ids[rows], progress)
    rows = rows[kept_rows]
    if not len(rows) or moved.shape[1] != vectors.shape[1]:
        found = f"it gives {moved.shape[1]} numbers instead of {vectors.shape[1]} for {len(rows)} patches"
        raise EncoderError("Encoding shifted patches", found, "choose the encoder again")
    unit, shifted = unit_rows(vectors), unit_rows(moved)
    compared = [_compare(unit, ids, int(row), other, grid) for row, other in zip(rows, shifted, strict=True)]
    kept, itself = np.array([one[0] for one in compared]), np.array([one[1] for one in compared])
    alike = np.einsum("ij,ij->i", unit[rows], shifted)
    return GridShift(
        k=COMPARED,
        pixels=SHIFT,
        kept=share(kept),
        itself=share(itself),
        similarity=float(np.median(alike)),
        ids=ids[rows],
        kept_each=kept.astype(np.float32),
    )


def _compare(unit: FloatArray, ids: IntArray, row: int, moved: FloatArray, grid: PatchGrid) -> tuple[float, bool]:
    """Return the share of neighbours that stay, and whether the patch is the most similar to its shifted self."""
    touching = grid.touching(int(ids[row]))
    before = nearest_patches(unit, ids, row, COMPARED, exclude=touching).ids
    scores = unit @ moved
    first = int(scores.argmax()) == row
    scores[np.isin(ids, touching)] = -np.inf
    best = min(len(before), len(ids))
    after = ids[np.argpartition(-scores, best - 1)[:best]] if best else before
    return float(np.isin(after, before).mean()) if best else 0.0, first


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


def _encode_shifted(
    scene: Scene, grid: PatchGrid, encoder: Encoder, ids: IntArray, progress: Progress
) -> tuple[FloatArray, IntArray]:
    """Return the features of shifted patches, and which of ``ids`` they are of: those with enough valid pixels."""
    tops, lefts = grid.first_pixels(ids).T
    tops, lefts = tops + _offsets(tops, grid.height, grid.size), lefts + _offsets(lefts, grid.width, grid.size)
    step = max(1, min(encoder.batch_size, 16))
    parts, kept = [np.empty((0, encoder.spec.dimension), np.float32)], []
    with SceneReader(scene) as reader:
        for start in range(0, len(ids), step):
            batch = []
            for place in range(start, min(start + step, len(ids))):
                pixels, mask = reader.read(
                    encoder.spec.bands, (int(tops[place]), int(lefts[place]), grid.size, grid.size)
                )
                if mask.mean() >= grid.cut.least_valid:
                    batch.append(_filled(pixels, mask))
                    kept.append(place)
            if batch:
                parts.append(encoder.encode(np.stack(batch)))
            progress(min(start + step, len(ids)), len(ids))
    return np.concatenate(parts), np.array(kept, dtype=np.int64)


def _filled(pixels: FloatArray, mask: NDArray[np.bool_]) -> FloatArray:
    """Return a patch of shape (size, size, bands), the band's mean where nothing is valid, as scenes are encoded."""
    patch = np.ascontiguousarray(pixels.transpose(1, 2, 0))
    if not mask.all():
        patch[~mask] = patch[mask].mean(axis=0)
    return patch
