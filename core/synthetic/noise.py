"""Randomness that is a function of world position: hashes, lattice noise, smooth curves; nothing here knows of land.

A value depends on (position, seed, tag) alone, never on the block in which it is computed, so that a scene made in
blocks has no seams and a small scene is a cut of a large one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray

UintArray = NDArray[np.uint32]

_SPLINE_STD = 0.4794
"""Standard deviation of the bicubic B-spline through a lattice of independent values of standard deviation 1."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A window of the world in pixels of 10 m: columns x0 … x0 + width − 1, rows y0 … y0 + height − 1 (y south)."""

    x0: int
    y0: int
    width: int
    height: int

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    def grown(self, margin: int) -> Box:
        """Return the same window with a margin on each side."""
        return Box(
            x0=self.x0 - margin, y0=self.y0 - margin, width=self.width + 2 * margin, height=self.height + 2 * margin
        )

    def centres(self) -> tuple[FloatArray, FloatArray]:
        """Return pixel centres: x of shape (1, width), y of shape (height, 1)."""
        xs = np.arange(self.x0, self.x0 + self.width, dtype=np.float32) + np.float32(0.5)
        ys = np.arange(self.y0, self.y0 + self.height, dtype=np.float32) + np.float32(0.5)
        return xs[None, :], ys[:, None]

    def clip(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice] | None:
        """Return row and column slices of the part of the window inside a rectangle, or None."""
        c0, c1 = max(int(left) - self.x0 - 1, 0), min(int(right) - self.x0 + 2, self.width)
        r0, r1 = max(int(top) - self.y0 - 1, 0), min(int(bottom) - self.y0 + 2, self.height)
        return (slice(r0, r1), slice(c0, c1)) if c0 < c1 and r0 < r1 else None


def hash32(a: NDArray[np.integer], b: NDArray[np.integer], seed: int) -> UintArray:
    """Mix two integers (broadcast) and a seed to 32 bits; the finaliser is Wellons' lowbias32."""
    start = np.uint32((seed * 0x9E3779B1 + 0x7F4A7C15) & 0xFFFFFFFF)
    left = np.asarray(a).astype(np.uint32) * np.uint32(0x85EBCA6B) + start
    left ^= left >> np.uint32(16)
    mixed: UintArray = left * np.uint32(0x7FEB352D) + np.asarray(b).astype(np.uint32) * np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x846CA68B)
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0x7FEB352D)
    mixed ^= mixed >> np.uint32(15)
    return mixed


def uniform(a: NDArray[np.integer], b: NDArray[np.integer], seed: int) -> FloatArray:
    """Draw numbers uniform in [0, 1), float32, from two integers (broadcast) and a seed."""
    return (hash32(a, b, seed) >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)


def gauss(a: NDArray[np.integer], b: NDArray[np.integer], seed: int) -> FloatArray:
    """Draw nearly normal numbers, mean 0, standard deviation 1: the sum of the four bytes of a hash (Irwin–Hall)."""
    octets = hash32(a, b, seed).view(np.uint8).reshape(*np.broadcast_shapes(np.shape(a), np.shape(b)), 4)
    total = octets[..., 0].astype(np.float32)
    for position in (1, 2, 3):
        total += octets[..., position]
    return ((total - np.float32(510)) * np.float32(1 / 147.8)).astype(np.float32)


def _spline(positions: NDArray[np.float64]) -> tuple[NDArray[np.intp], list[FloatArray]]:
    """Return the first of four lattice points and the cubic B-spline weights at fractional lattice positions."""
    base = np.floor(positions)
    t = positions - base
    weights = [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]
    return base.astype(np.intp), [(weight / 6).astype(np.float32) for weight in weights]


def noise(box: Box, cell: float, seed: int) -> FloatArray:
    """Return smooth noise, float32 of the box's shape, mean 0, deviation 1, features about ``cell`` pixels wide."""
    iy, wy = _spline((np.arange(box.y0, box.y0 + box.height, dtype=np.float64) + 0.5) / cell)
    ix, wx = _spline((np.arange(box.x0, box.x0 + box.width, dtype=np.float64) + 0.5) / cell)
    rows, cols = np.arange(iy[0] - 1, iy[-1] + 3), np.arange(ix[0] - 1, ix[-1] + 3)
    lattice = gauss(cols[None, :], rows[:, None], seed)
    iy, ix = iy - iy[0], ix - ix[0]
    # Columns first, while there are few rows: rows are then gathered whole.
    wide = sum(lattice[:, ix + k] * wx[k] for k in range(4))
    out = np.take(wide, iy, axis=0) * wy[0][:, None]
    for k in (1, 2, 3):
        out += np.take(wide, iy + k, axis=0) * wy[k][:, None]
    out *= np.float32(1 / _SPLINE_STD)
    return np.asarray(out, dtype=np.float32)


def fractal(box: Box, cell: float, seed: int, octaves: int, roughness: float = 0.5) -> FloatArray:
    """Sum ``octaves`` of noise, each half as wide and ``roughness`` times as strong as the one before."""
    total = noise(box, cell, seed)
    for octave in range(1, octaves):
        total += np.float32(roughness**octave) * noise(box, cell / 2**octave, seed + 101 * octave)
    return total


@lru_cache(maxsize=256)
def _wave_parts(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return phases and frequency factors of a curve."""
    rng = np.random.default_rng([seed & 0xFFFFFFFF, 77])
    return rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.8, 1.25, 4)


def wave(t: NDArray[np.float64] | float, period: float, seed: int) -> NDArray[np.float64]:
    """Return a smooth aperiodic curve of one variable, roughly within ±1, with features about ``period`` long."""
    phases, stretch = _wave_parts(seed)
    parts = [
        np.sin(2 * np.pi * np.asarray(t) * stretch[k] / (period * (0.618 + 0.55 * k)) + phases[k]) for k in range(4)
    ]
    return np.asarray(sum(parts) / 2.2, dtype=np.float64)


def wave_at(t: float, period: float, seed: int) -> float:
    """Return ``wave`` at one place."""
    phases, stretch = _wave_parts(seed)
    parts = (math.sin(2 * math.pi * t * stretch[k] / (period * (0.618 + 0.55 * k)) + phases[k]) for k in range(4))
    return sum(parts) / 2.2
