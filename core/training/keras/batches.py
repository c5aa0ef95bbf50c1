"""Batches of labelled patches: which patches come together, turned, mirrored and cut how; NumPy only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.training.hyperparameters import Array, Examples, Hyperparameters

LEAST_STEPS = 8
"""Steps that an epoch has at least, about, however few patches there are."""

MOST_JUDGED = 2_000
"""Held-out patches that an epoch is judged by, at most."""


def batch_size(patches: int, hyperparameters: Hyperparameters) -> int:
    """Return the patches a step, of so many in all: fewer where there are few, for the sake of ``LEAST_STEPS``."""
    return max(4, min(hyperparameters.batch_size, patches // LEAST_STEPS))


def step_count(patches: int, hyperparameters: Hyperparameters) -> int:
    """Return the batches an epoch of so many patches."""
    return max(1, patches // batch_size(patches, hyperparameters))


def evenly(held_out: Examples, most: int = MOST_JUDGED) -> Examples:
    """Return patches that epochs are judged by: all of them, or evenly spaced ones of each class."""
    order = np.argsort(held_out.labels, kind="stable")
    chosen = order[:: max(1, -(-len(order) // most))]
    return Examples(pixels=held_out.pixels[chosen], labels=held_out.labels[chosen])


def draw_batches(
    train: Examples, hyperparameters: Hyperparameters, random: np.random.Generator, share: float
) -> Iterator[tuple[Array, Array]]:
    """Draw pixels and labels of an epoch's batches, turned, mirrored and cut at random.

    Args:
        train: what to draw from.
        hyperparameters: their size.
        random: what to draw with.
        share: of the side that is cut out.
    """
    for chosen in draw_indices(train, hyperparameters, random):
        yield turned(train.pixels, chosen, random, share), train.labels[chosen]


def draw_indices(train: Examples, hyperparameters: Hyperparameters, random: np.random.Generator) -> Iterator[Array]:
    """Draw the indices of an epoch's batches; classes come alike often, however many patches they have."""
    size = batch_size(len(train), hyperparameters)
    order = _balanced_order(train.labels, step_count(len(train), hyperparameters) * size, random)
    for first in range(0, len(order), size):
        yield order[first : first + size]


def turned(pixels: Array, chosen: Array, random: np.random.Generator, share: float) -> Array:
    """Return some patches, turned, mirrored and cut at random; the sides of the cuts divide by 8."""
    side = pixels.shape[1]
    cut = min(side, max(8, round(side * share / 8) * 8))
    out = np.empty((len(chosen), cut, cut, pixels.shape[3]), pixels.dtype)
    tops, lefts = random.integers(0, side - cut + 1, (2, len(chosen)))
    turns = random.integers(0, 8, len(chosen))
    for place, (index, top, left, turn) in enumerate(zip(chosen, tops, lefts, turns, strict=True)):
        piece = pixels[index, top : top + cut, left : left + cut]
        piece = np.rot90(piece, turn % 4)
        out[place] = piece[::-1] if turn >= 4 else piece
    return out


def _balanced_order(labels: Array, count: int, random: np.random.Generator) -> Array:
    """Return indices to draw, in random order: each class alike often in the long run, each patch of a class too."""
    classes = np.unique(labels)
    shares = np.full(len(classes), count // len(classes))
    shares[random.permutation(len(classes))[: count - shares.sum()]] += 1
    parts = []
    for name, share in zip(classes, shares, strict=True):
        members = np.flatnonzero(labels == name)
        rounds = [random.permutation(members) for _ in range(max(1, -(-share // len(members))))]
        parts.append(np.concatenate(rounds)[:share])
    order: Array = random.permutation(np.concatenate(parts))
    return order
