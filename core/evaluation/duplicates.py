"""Patches that are the same, and which of them count where neighbours are judged by their classes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.scenes.patches import IntArray


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Which patches count where some are the same.

    Attributes:
        kept: shape (N,), True = of a class, the first of its copies, and of one class only.
        duplicates: how many of a class were left out because another of the same class is the same.
        conflicting: how many were left out because the same patch stands for several classes.
    """

    kept: NDArray[np.bool_]
    duplicates: int = 0
    conflicting: int = 0


def find_duplicates(content: FloatArray, labels: IntArray) -> Duplicates:
    """Return one patch of each that are the same, and none where these are of different classes.

    A copy among neighbours proves nothing, and of one patch in two classes nobody knows which is right.

    Args:
        content: what patches are the same by, float32 of shape (N, D), such as means and deviations of their bands.
        labels: int64 of shape (N,), −1 = no class.
    """
    rows = np.ascontiguousarray(content, np.float32)
    known = np.flatnonzero(labels >= 0)
    first: dict[bytes, int] = {}
    keys = [hashlib.blake2b(rows[row].data, digest_size=16).digest() for row in known]
    origin = np.array([first.setdefault(key, row) for key, row in zip(keys, known.tolist(), strict=True)], np.int64)
    conflicting = np.isin(origin, origin[labels[origin] != labels[known]])
    kept = np.zeros(len(labels), bool)
    kept[known[(origin == known) & ~conflicting]] = True
    return Duplicates(
        kept=kept, duplicates=int(((origin != known) & ~conflicting).sum()), conflicting=int(conflicting.sum())
    )
