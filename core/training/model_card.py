"""What the card of a trained model says: how it was trained, how well it does, and what it has not learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from core.bands import BAND_NAMES
from core.encoders.files import CARD, LEARNED
from core.evaluation.training_overlap import TrainingBlock, TrainingPatches
from core.training.base_model import Base
from core.training.dataset import Labelled
from core.training.hyperparameters import Epoch, Hyperparameters
from core.training.split import Split
from core.training.trained_models import read_card


def training_card(
    split: Split,
    hyperparameters: Hyperparameters,
    base: Base,
    history: list[dict[str, Any]],
    best: Epoch | None,
) -> dict[str, Any]:
    """Say how a network was trained, and which epoch was kept: 0 = the base itself, None = the last."""
    return {
        "base": base.name,
        "base_fingerprint": base.fingerprint or None,
        "seed": hyperparameters.seed,
        **patches_card(split, base),
        "settings": asdict(hyperparameters),
        "epochs": len(history),
        "kept_epoch": None if best is None else best.number,
        "history": history,
        "date": today(),
    }


def today() -> str:
    """Return the day a card is written on."""
    return datetime.now(UTC).date().isoformat()


INHERITED = "As of "
"""What a limit begins with that a model has from its base, whose title follows."""


def every_limit(said: Sequence[str], learned: Labelled, base: Base) -> list[str]:
    """Return what was not learned, as a person and the card of the base say, and as follows from the patches."""
    known = read_card(base.directory / CARD).get("limits", []) if base.directory is not None else []
    own = [*said, *_limits(learned, base)]
    inherited = [str(limit) for limit in known if str(limit) not in own] if isinstance(known, list) else []
    return list(dict.fromkeys([*said, *(_inherited(limit, base) for limit in inherited), *own]))


def base_title(base: Base) -> str:
    """Return what people call a base."""
    card = read_card(base.directory / CARD) if base.directory is not None else {}
    return str(card.get("title") or base.name)


def _inherited(limit: str, base: Base) -> str:
    return limit if limit.startswith(INHERITED) else f"{INHERITED}{base_title(base)}: {limit}"


def learned_before(base: Base) -> TrainingPatches | None:
    """Read what the base has learned from; None when that is not known.

    Raises:
        EncoderError: when the file that says so is damaged.
    """
    path = None if base.directory is None else base.directory / LEARNED
    return TrainingPatches.load(path) if path is not None and path.exists() else None


def all_learned(before: TrainingPatches | None, train: Labelled) -> TrainingPatches:
    """Return what a model has learned from, its base's patches with it."""
    own = TrainingBlock(bands=train.bands, statistics=train.band_statistics())
    return TrainingPatches(blocks=(own, *(before.blocks if before is not None else ())))


def seen_before(
    before: TrainingPatches | None, split: Split, test_sets: Sequence[Labelled], base: str
) -> Iterator[str]:
    """Name patches the model is measured by although its base has learned from them, in sentences."""
    if before is None:
        return
    sets = [("held out at random", split.random), ("held out in whole blocks of land", split.spatial)]
    for name, part in [*sets, *(("kept apart", one) for one in test_sets)]:
        if part is not None and len(part):
            known = int(before.holds_statistics(part.bands, part.band_statistics()).sum())
            if known:
                yield (
                    f"{base}, which it goes on from, had learned from {known:,} of the {len(part):,} patches {name}: "
                    "figures of these are too good."
                )


def _limits(learned: Labelled, base: Base) -> list[str]:
    """Return what was not learned, as far as it follows from the patches."""
    found = ["Clouds, snow, and seasons and regions other than those of its patches."]
    if not base.ours:
        found.append("Land cover other than its classes; it is found by its likeness to what was learned.")
        return found
    found.append("Land cover other than its classes; it is found by its ground: the light of bands, and how it varies.")
    if len(learned.bands) < len(BAND_NAMES):
        known = ", ".join(learned.bands)
        found.append(f"Texture in bands other than {known}: of these count the values, and how they vary within 40 m.")
    return found


def patches_card(split: Split, base: Base) -> dict[str, Any]:
    """Return what the card says of the patches."""
    copies = f"; {split.train.repeats:,} copies of others were left out" if split.train.repeats else ""
    chose = f", {len(split.validation):,} held out to choose by" if split.validation is not None else ""
    blocks = "none in held-out blocks of land, because places are unknown or too close together"
    if split.spatial is not None:
        blocks = f"{len(split.spatial):,} in held-out blocks of land"
    if base.directory is not None:
        blocks += f"; {base.name} may have learned from any of them before"
    return {
        "classes": split.train.counts(),
        "bands": list(split.train.bands),
        "split": f"{len(split.train):,} patches learned from{chose}, {len(split.random):,} held out at random, "
        f"{blocks}{copies}",
    }
