"""Training an encoder on labelled patches: what is asked for, whether it can be done, and doing it.

``core.training.labelled`` makes the patches ready, ``core.training.epochs`` trains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.config import Config
from core.encoders.preprocessing import resized
from core.progress import Progress, part_of
from core.scenes.labels import By
from core.scenes.scene import Scene
from core.training.base_model import SCRATCH, Base, check_bands, find_base, suited
from core.training.dataset import Labelled, labelled
from core.training.epochs import train
from core.training.hyperparameters import Epoch, FitSettings
from core.training.labelled import gather, shared_bands, split

READING = 50
"""Thousandths of a training that reading the patches counts for."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person asks of a training.

    Attributes:
        base: ``scratch``, or the name, path or handle of a model to go on from.
        freeze: True = only what follows the body of the base is trained.
        bands: that a network from scratch sees; None = all that the patches share, or those of the base.
        epochs: passes over the patches; None = as many as suit the base.
        seed: of everything that is drawn.
    """

    base: str = SCRATCH
    freeze: bool = False
    bands: tuple[str, ...] | None = None
    epochs: int | None = None
    seed: int = 0


def look_up(wanted: Wanted, config: Config | None = None) -> tuple[Base, FitSettings]:
    """The base and the settings of a training, which can be asked before patches are read; errors as of both."""
    base = find_base(wanted.base, config)
    return base, suited(base, freeze=wanted.freeze, epochs=wanted.epochs, seed=wanted.seed)


def finetune(
    sets: Sequence[Labelled],
    wanted: Wanted,
    directory: Path,
    *,
    apart: Sequence[Labelled] = (),
    title: str,
    source: str,
    limits: Sequence[str] = (),
    report: Callable[[Epoch], None],
    progress: Progress,
    config: Config | None = None,
) -> dict[str, Any]:
    """Train an encoder on labelled patches and write it; a training that was stopped goes on where it was.

    Args:
        sets: labelled patches.
        wanted: from what, and how.
        directory: where the model goes; must not exist.
        apart: labelled patches whose places are left out; the finished encoder is measured on each set.
        title: what pages show.
        source: what the card says of the data.
        limits: what the card says besides of what was not learned.
        report: told after each epoch.
        progress: told at each step how many of all are done; when it raises ``JobCancelledError``, the encoder of the
            last whole epoch is written, if there is one.
        config: where models lie; None = the operator's.

    Returns:
        The model card.

    Raises:
        TrainingError: for patches that nothing can be learned from, or that do not fit the base.
        EncoderError: for a base that cannot be trained on.
        SettingsError: for a setting outside its range.
        StoreError: when the disk cannot be written; the last whole epoch is kept.
        JobCancelledError: when it was cancelled before the first epoch was over.
    """
    base, settings = look_up(wanted, config)
    check_bands(base, shared_bands(sets), wanted.bands)
    whole = gather(sets, apart=apart, bands=base.product_bands or wanted.bands)
    parts = split(_sized(whole, base.side), wanted.seed)
    return train(
        parts, settings, directory, base=base, freeze=wanted.freeze,
        title=title, source=source, apart=apart, limits=limits, report=report, progress=progress,
    )  # fmt: skip


def teach(
    scenes: Sequence[tuple[Scene, By]],
    directory: Path,
    *,
    base: str,
    freeze: bool,
    epochs: int | None,
    title: str,
    hub: Config,
    progress: Progress,
) -> dict[str, Any]:
    """``finetune`` on the labels of scenes, as background work.

    Args:
        scenes: scenes or collections, each with where its classes come from.
        directory: where the model goes; must not exist.
        base: as of ``Wanted``.
        freeze: as of ``Wanted``.
        epochs: as of ``Wanted``.
        title: what pages show.
        hub: where models lie.
        progress: told in thousandths; it may stop the work as in ``finetune``.

    Returns:
        The model card.
    """
    wanted = Wanted(base=base, freeze=freeze, epochs=epochs)
    look_up(wanted, hub)  # Refuses a base before patches are read.
    ends = [READING * number // len(scenes) for number in range(len(scenes) + 1)]
    sets = [
        labelled(scene, by=by, progress=part_of(progress, first, last))
        for (scene, by), first, last in zip(scenes, ends, ends[1:], strict=False)
    ]
    return finetune(
        sets,
        wanted,
        directory,
        title=title,
        source=", ".join(scene.name for scene, _by in scenes),
        report=lambda _epoch: None,
        progress=part_of(progress, READING, 1000),
        config=hub,
    )


def _sized(whole: Labelled, side: int | None) -> Labelled:
    """Patches brought to the side that a base was trained on, by the same rule as when it encodes."""
    if side is None or whole.pixels.shape[1] == side:
        return whole
    pixels = np.empty((len(whole), side, side, len(whole.bands)), np.uint16)
    for row, patch in enumerate(whole.pixels):
        pixels[row] = np.rint(resized(patch[None].astype(np.float32), side)[0])
    return replace(whole, pixels=pixels, lit=whole.light())
