"""How a network is fitted, as plain values that are known without TensorFlow; and what goes in and comes out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from core.errors import SettingsError

Array = np.ndarray[Any, np.dtype[Any]]


EMBEDDING_DIMENSION = 128
"""Numbers in an embedding of our network."""

NETWORK_FEATURES = 64
"""Features of a model of ours that the network gives, the first; the others are of the ground."""

BATCH_NORM_MOMENTUM = 0.97
"""Of the moving statistics of batch normalisation, a step; low, because small sets of patches have few steps."""

MOST_EPOCHS = 10_000
"""A network is fitted for no more epochs."""

FEW_BANDS = 4
"""Up to so many bands none is left out in training."""

MOST_AIR = 2.0
"""Units of air that a patch may be seen through more or less; at 443 nm so much leaves half of the land's light."""

LATER = frozenset({"patience", "air_jitter"})
"""Fields that came with the choice of the best epoch, or after it: files from before do not have them."""

FORMER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "learning_rate": "rate",
        "weight_decay": "decay",
        "milestones": "until",
        "label_smoothing": "smoothing",
        "mixup": "mixing",
        "brightness_jitter": "gain",
        "offset_jitter": "offset",
        "frozen_batch_norm_below": "steady_below",
    }
)
"""What fields were called in the files of version 0.1, by what they are called now."""


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """How a network is fitted.

    Attributes:
        epochs: how often all patches are gone through.
        batch_size: patches a step, at most.
        learning_rate: highest step size of AdamW.
        weight_decay: of AdamW.
        crops: pixels a side that are cut out of a patch at random, as shares of the side, one after the other.
        milestones: share of the epochs at which each of the crops but the last ends.
        label_smoothing: share of each label that is spread over all classes.
        mixup: share of the patches that are mixed with another one.
        brightness_jitter: bands are multiplied by up to this much more or less, all by one number and each by one of
            its own, of half of it.
        offset_jitter: reflectance added to or taken from each band, at most.
        air_jitter: units of air (``core.encoders.atmosphere``) that a patch is seen through more or less, at most.
        band_dropout: probability that a band of a patch is set to 0, as if it had not been measured; only where there
            are more than ``FEW_BANDS``, so that a network of pictures never loses a colour.
        frozen_batch_norm_below: batches of fewer patches leave batch normalisation in the body as it is.
        widths: channels of the stages of a network from scratch.
        blocks: residual blocks of each of its stages.
        seed: of everything that is drawn.
        patience: epochs in a row that are no better than the best before them after which the training ends; 0 = it
            goes through all.
    """

    epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    crops: tuple[float, ...] = (0.625, 0.75, 1.0)
    milestones: tuple[float, ...] = (0.65, 0.9)
    label_smoothing: float = 0.1
    mixup: float = 0.15
    brightness_jitter: float = 0.08
    offset_jitter: float = 0.003
    air_jitter: float = 0.0
    band_dropout: float = 0.1
    frozen_batch_norm_below: int = 0
    widths: tuple[int, ...] = (48, 96, 192)
    blocks: int = 2
    seed: int = 0
    patience: int = 16

    def __post_init__(self) -> None:
        if not 1 <= self.epochs <= MOST_EPOCHS:
            raise SettingsError("Training", f"{self.epochs} epochs were asked for", f"ask for 1 to {MOST_EPOCHS:,}")
        if not 0 <= self.seed < 2**32:
            found = f"the seed {self.seed} was asked for"
            raise SettingsError("Training", found, "give a whole number from 0 to 4,294,967,295")
        if not 0 <= self.air_jitter <= MOST_AIR:
            found = f"patches are to be seen through {self.air_jitter} units of air more or less"
            raise SettingsError("Training", found, f"give a number from 0 to {MOST_AIR:g}")
        if not 0 <= self.band_dropout < 1:
            found = f"bands are to be left out with the probability {self.band_dropout}"
            raise SettingsError("Training", found, "give a number from 0 to below 1")
        if self.patience < 0:
            found = f"a patience of {self.patience} epochs was asked for"
            raise SettingsError("Training", found, "give a whole number from 0; 0 goes through all epochs")
        if len(self.crops) != len(self.milestones) + 1:
            found = f"there are {len(self.crops)} crops and {len(self.milestones)} milestones between them"
            raise SettingsError("Training", found, "give one milestone fewer than crops")

    def with_changes(self, changes: Mapping[str, Any]) -> Hyperparameters:
        """Return these with some of them changed, given by name; lists, as JSON has them, count as tuples.

        Raises:
            SettingsError: for a name that is none, or a value outside its range.
        """
        known = [field.name for field in fields(self)]
        unknown = [name for name in changes if name not in known]
        if unknown:
            found = f"there is no hyperparameter {', '.join(unknown)}"
            raise SettingsError("Training", found, f"choose among {', '.join(known)}")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()
        }
        return replace(self, **values)

    def before_validation(self) -> dict[str, Any]:
        """Return them as files have them that were written before the best epoch was chosen."""
        return {name: value for name, value in asdict(self).items() if name not in LATER}

    def before_air(self) -> dict[str, Any]:
        """Return them as files have them that were written before patches were seen through more or less air."""
        return {name: value for name, value in asdict(self).items() if name != "air_jitter"}

    def in_former_names(self) -> dict[str, Any]:
        """Return them as the files of version 0.1 have them, which knew one network from scratch only."""
        values = {FORMER_NAMES.get(name, name): value for name, value in self.before_validation().items()}
        return {name: value for name, value in values.items() if name not in {"widths", "blocks"}}


@dataclass(frozen=True, kw_only=True)
class Examples:
    """What a network or its head learns from.

    Attributes:
        pixels: uint16 reflectance × 10 000 of shape (N, H, W, bands), 0 where not measured; of a head, float32 of
            shape (N, D), what the body makes of them.
        labels: int64 of shape (N,).
    """

    pixels: Array
    labels: Array

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.labels)


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """How fitting stands after an epoch.

    Attributes:
        number: from 1; 0 = the base before the first.
        loss: mean over the steps; of the base 0.
        accuracy: share of held-out patches named rightly, all classes counting alike; NaN without any.
        seconds: since fitting began.
        held_out_loss: mean cross-entropy of held-out patches; None without any, and in older files.
    """

    number: int
    loss: float
    accuracy: float
    seconds: float
    held_out_loss: float | None = None

    def better_than(self, other: Epoch) -> bool:
        """Return whether more held-out patches are named rightly, or as many with a lower loss.

        A lower loss alone is no reason to leave the base, which has seen more than these patches.
        """
        if other.number == 0:
            return self.accuracy > other.accuracy
        return self._rank() > other._rank()

    def _rank(self) -> tuple[float, float]:
        return self.accuracy, -math.inf if self.held_out_loss is None else -self.held_out_loss
