"""A few thousand valid pixels spread over a stack, from which its scale and its bands are told."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.ingest.grid.resample import PixelWindow
from core.ingest.grid.stack import Stack

_SIDE = 64
_ENOUGH = 2_000
FEW_WINDOWS = 3
"""Windows a side that do where a source states what its numbers mean, so that pixels may only doubt it."""
_MOST = 150_000


def draw_pixels(stack: Stack, *, few: bool = False) -> NDArray[np.float32]:
    """Draw valid pixels as float32 of shape (bands, pixels), in the file's own numbers; empty when all is no data.

    Windows on a finer and finer net over the scene are tried until enough pixels are found; in the end all windows are.

    Args:
        stack: the bands.
        few: True = begin with ``FEW_WINDOWS`` windows a side.
    """
    for count in (FEW_WINDOWS, 6, 20) if few else (6, 20):
        pixels = _collect(stack, _spread(stack, count))
        if pixels.shape[1] >= _ENOUGH:
            return pixels
    return _collect(stack, stack.windows(), stop_at=_ENOUGH)


def _spread(stack: Stack, count: int) -> Iterator[PixelWindow]:
    grid = stack.grid
    rows, cols = min(_SIDE, grid.height), min(_SIDE, grid.width)
    for top in _begins(grid.height, rows, count):
        for left in _begins(grid.width, cols, count):
            yield top, left, rows, cols


def _begins(length: int, side: int, count: int) -> list[int]:
    """Return where windows begin; on a small scene no more than cover it, or its middle would count many times."""
    number = min(count, -(-length // side))
    return sorted(set(np.linspace(0, length - side, number).astype(int).tolist()))


def _collect(stack: Stack, windows: Iterator[PixelWindow], stop_at: int = _MOST) -> NDArray[np.float32]:
    found, total = [], 0
    for window in windows:
        pixels = stack.read(window)
        if not pixels.valid.any():
            continue
        chosen = np.stack([values[pixels.valid] for values in pixels.values]).astype(np.float32)
        found.append(chosen[:, :: max(1, chosen.shape[1] // 8192)])
        total += found[-1].shape[1]
        if total >= stop_at:
            break
    return np.concatenate(found, axis=1) if found else np.empty((len(stack.bands), 0), dtype=np.float32)
