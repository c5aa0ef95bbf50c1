"""How a network is fitted and how fitting stands, as plain values that are known without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import SettingsError

Array = np.ndarray[Any, np.dtype[Any]]


DIMENSION = 128
"""Numbers in an embedding of our network; the first so many features of a model of ours."""

MOST_EPOCHS = 10_000
"""A network is fitted for no more passes."""

FEW_BANDS = 4
"""Up to so many bands none is left out in training."""


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How a network is fitted.

    Attributes:
        epochs: passes over the patches.
        batch_size: patches a step, at most.
        rate: highest step size of AdamW.
        decay: weight decay of AdamW.
        crops: pixels a side that are cut out of a patch at random, as shares of the side, one after the other.
        until: share of the epochs at which each of them but the last ends.
        smoothing: share of each label that is spread over all classes.
        mixing: share of the patches that are mixed with another one.
        gain: bands are multiplied by up to this much more or less, all by one number and each by one of its own.
        offset: reflectance added to or taken from each band, at most.
        band_dropout: probability that a band of a patch is set to 0, as if it had not been measured; only where there
            are more than ``FEW_BANDS``, so that a network of pictures never loses a colour.
        steady_below: batches of fewer patches leave batch normalisation in the body as it is.
        seed: of everything that is drawn.
    """

    epochs: int = 40
    batch_size: int = 128
    rate: float = 2e-3
    decay: float = 0.05
    crops: tuple[float, ...] = (0.625, 0.75, 1.0)
    until: tuple[float, ...] = (0.65, 0.9)
    smoothing: float = 0.1
    mixing: float = 0.15
    gain: float = 0.08
    offset: float = 0.003
    band_dropout: float = 0.1
    steady_below: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.epochs <= MOST_EPOCHS:
            raise SettingsError("Training", f"{self.epochs} epochs were asked for", f"ask for 1 to {MOST_EPOCHS:,}")
        if not 0 <= self.seed < 2**32:
            found = f"the seed {self.seed} was asked for"
            raise SettingsError("Training", found, "give a whole number from 0 to 4,294,967,295")
        if not 0 <= self.band_dropout < 1:
            found = f"bands are to be left out with the probability {self.band_dropout}"
            raise SettingsError("Training", found, "give a number from 0 to below 1")


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Labelled patches.

    Attributes:
        pixels: uint16 reflectance × 10 000 of shape (N, H, W, bands), 0 where not measured.
        labels: int64 of shape (N,).
    """

    pixels: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """How fitting stands after an epoch.

    Attributes:
        number: from 1.
        loss: mean over the steps.
        accuracy: share of validation patches named rightly, all classes counting alike; NaN without any.
        seconds: since fitting began.
    """

    number: int
    loss: float
    accuracy: float
    seconds: float
