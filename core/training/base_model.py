"""What a training starts from: nothing, a model that ``finetune`` wrote, or any module with variables.

Here is only what can be known without TensorFlow; the networks themselves are made in ``training.keras.initialise``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.bands import BAND_NAMES
from core.config import Config
from core.encoders import registry
from core.encoders.files import NETWORK, digest
from core.errors import EncoderError, TrainingError
from core.training.hyperparameters import Hyperparameters

NOMINAL_LEVEL = "L1C"
"""Product level of what encoders of ours are fed; surface reflectance is brought to it."""

SCRATCH = "scratch"
"""The reference of no model at all."""

FEWEST_FOR_BATCH_NORM = 16
"""Batches of fewer patches say too little about the statistics of batch normalisation (Wu and He, “Group
Normalization”, 2018: errors rise below 16); a warm start then keeps those of its base."""

_FORMER_OURS = Hyperparameters(
    epochs=16,
    learning_rate=3e-4,
    crops=(0.75, 1.0),
    milestones=(0.7,),
    frozen_batch_norm_below=FEWEST_FOR_BATCH_NORM,
)
_FORMER_MODULE = replace(_FORMER_OURS, epochs=10, batch_size=32, learning_rate=1e-4)
_FORMER_HEAD = replace(_FORMER_OURS, epochs=40, batch_size=256, learning_rate=1e-3)

_SCRATCH = Hyperparameters(air_jitter=0.4)
"""As much as air differs from the usual one where surface reflectance was brought to the top of the atmosphere."""

UNWATCHED = 0.25
"""Share of the learning rate of a warm start where no patches are held out to choose the best epoch by."""

_OURS = replace(_FORMER_OURS, learning_rate=1e-4, patience=6)
_MODULE = replace(_FORMER_MODULE, learning_rate=5e-5, patience=4)
_HEAD = replace(_FORMER_HEAD, patience=10)


@dataclass(frozen=True, kw_only=True)
class Base:
    """A model to train on from, or none.

    Attributes:
        name: as people asked for it.
        directory: where its files lie; None = from scratch.
        fingerprint: of its specification; empty = from scratch.
        bands: that it takes, in its own order; empty = from scratch, any.
        side: pixels a side that patches are brought to before training; None = as they are.
        input_size: pixels a side of what goes into the model; None = from scratch, those of the patches.
        gain: as of ``EncoderSpec``.
        dimension: number of features; 0 = from scratch.
        ours: True = ``finetune`` made its network.
        level: product level that patches are brought to before training; None = as they are.
    """

    name: str
    directory: Path | None = None
    fingerprint: str = ""
    bands: tuple[str, ...] = ()
    side: int | None = None
    input_size: int | None = None
    gain: float | None = None
    dimension: int = 0
    ours: bool = True
    level: str | None = NOMINAL_LEVEL

    @property
    def product_bands(self) -> tuple[str, ...]:
        """Return its bands in product order, in which labelled patches have them."""
        return tuple(sorted(self.bands, key=BAND_NAMES.index))


FROM_SCRATCH = Base(name=SCRATCH)
"""The base of a training from scratch."""


def find_base(reference: str, config: Config) -> Base:
    """Return what a reference names.

    Args:
        reference: ``scratch``, or what ``registry.describe`` takes.
        config: where models lie, and which are on offer.

    Raises:
        EncoderError: for an unknown or damaged model.
        TrainingError: for an encoder without weights that can be trained.
    """
    if reference == SCRATCH:
        return FROM_SCRATCH
    spec = registry.describe(reference, config)
    file = registry.companion(reference, "saved_model.pb", config)
    if file is None or not spec.trainable:
        found = "it has no weights that can be trained"
        raise TrainingError(f"Training on from {spec.name}", found, f"choose another model or {SCRATCH}")
    directory = file.parent
    digest(directory)
    ours = (directory / NETWORK).is_file()
    return Base(
        name=spec.name,
        directory=directory,
        fingerprint=spec.fingerprint,
        bands=_own_bands(directory) if ours else spec.bands,
        side=spec.input_size if ours else None,
        input_size=spec.input_size,
        gain=spec.gain,
        dimension=spec.dimension,
        ours=ours,
        level=NOMINAL_LEVEL if ours else spec.level,
    )


def check_bands(base: Base, offered: Sequence[str], wanted: Sequence[str] | None) -> None:
    """Refuse patches, or a choice of bands, that do not fit a base.

    Raises:
        TrainingError: naming the bands.
    """
    asked = f"Training on from {base.name}"
    missing = [name for name in base.product_bands if name not in offered]
    if missing:
        found = f"it takes {', '.join(base.product_bands)}, and the patches lack {', '.join(missing)}"
        raise TrainingError(asked, found, "give patches with these bands, or start from another model")
    if base.bands and wanted is not None and set(wanted) != set(base.bands):
        found = f"it takes {', '.join(base.product_bands)}, and {', '.join(wanted)} were asked for"
        raise TrainingError(asked, found, "leave the choice of bands out, or start from another model")


def suited(base: Base, *, freeze: bool, former: bool = False) -> Hyperparameters:
    """Return what suits a start: a warm one takes fewer epochs, at a fortieth to a half of the learning rate.

    At three times the rate of today a training on the shipped model lost in its first pass what it hardly got back
    (``README.md``).

    Args:
        base: what is started from.
        freeze: True = only the head is trained.
        former: True = as before the best epoch was chosen; trainings stopped then go on.

    Raises:
        TrainingError: when there is nothing to freeze.
    """
    if base.directory is None:
        if freeze:
            found = "a network from scratch has no body yet that is worth keeping"
            raise TrainingError("Training with a frozen body", found, "name a model to start from, or do not freeze")
        return Hyperparameters() if former else _SCRATCH
    if former:
        return _FORMER_HEAD if freeze else _FORMER_OURS if base.ours else _FORMER_MODULE
    return _HEAD if freeze else _OURS if base.ours else _MODULE


def unwatched_steps(base: Base, chosen: Hyperparameters) -> Hyperparameters:
    """Return smaller steps for a warm start where too few patches are there to tell a good epoch from a bad one."""
    if base.directory is None:
        return chosen
    return replace(chosen, learning_rate=UNWATCHED * chosen.learning_rate)


def _own_bands(directory: Path) -> tuple[str, ...]:
    try:
        bands = json.loads((directory / NETWORK).read_text(encoding="utf-8"))["bands"]
        return tuple(BAND_NAMES[BAND_NAMES.index(name)] for name in bands)
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = f"{NETWORK} is damaged"
        raise EncoderError(f"Training on from the model “{directory.name}”", found, "get the model again") from error
