"""What the card of a trained model says: how it was trained, how well it does, and what it has not learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from core.bands import BAND_NAMES
from core.encoders.files import CARD, LEARNED
from core.evaluation.retrieval import share
from core.evaluation.training_overlap import Block, Learned
from core.training.base_model import Base
from core.training.dataset import Labelled
from core.training.hyperparameters import FitSettings
from core.training.labelled import Parts
from core.training.trained_models import read_card


def card_of(
    net: Any,  # noqa: ANN401  tensorflow is untyped
    parts: Parts,
    settings: FitSettings,
    base: Base,
    history: list[dict[str, float]],
) -> dict[str, Any]:
    """How the network was trained, and how many held-out patches it names rightly."""
    return {
        "base": base.name,
        "base_fingerprint": base.fingerprint or None,
        "seed": settings.seed,
        **_figures(net, parts, base),
        "settings": asdict(settings),
        "epochs": len(history),
        "history": history,
        "date": datetime.now(UTC).date().isoformat(),
    }


INHERITED = "As of "
"""What a limit begins with that a model has from its base, whose title follows."""


def every_limit(said: Sequence[str], learned: Labelled, base: Base) -> list[str]:
    """What was not learned: what a person says, what the card of the base says, and what follows from the patches."""
    known = read_card(base.directory / CARD).get("limits", []) if base.directory is not None else []
    own = [*said, *_limits(learned, base)]
    inherited = [str(limit) for limit in known if str(limit) not in own] if isinstance(known, list) else []
    return list(dict.fromkeys([*said, *(_inherited(limit, base) for limit in inherited), *own]))


def title_of(base: Base) -> str:
    """What people call a base."""
    card = read_card(base.directory / CARD) if base.directory is not None else {}
    return str(card.get("title") or base.name)


def _inherited(limit: str, base: Base) -> str:
    return limit if limit.startswith(INHERITED) else f"{INHERITED}{title_of(base)}: {limit}"


def learned_before(base: Base) -> Learned | None:
    """What the base has learned from; None when that is not known.

    Raises:
        EncoderError: when the file that says so is damaged.
    """
    path = None if base.directory is None else base.directory / LEARNED
    return Learned.load(path) if path is not None and path.exists() else None


def all_learned(before: Learned | None, train: Labelled) -> Learned:
    """What a model has learned from, its base's patches with it."""
    own = Block(bands=train.bands, light=train.light())
    return Learned(blocks=(own, *(before.blocks if before is not None else ())))


def seen_before(before: Learned | None, parts: Parts, apart: Sequence[Labelled], base: str) -> Iterator[str]:
    """Sentences on patches the model is measured by although its base has learned from them."""
    if before is None:
        return
    sets = [("held out at random", parts.random), ("held out in whole blocks of land", parts.spatial)]
    for name, part in [*sets, *(("kept apart", one) for one in apart)]:
        if part is not None and len(part):
            known = int(before.holds_light(part.bands, part.light()).sum())
            if known:
                yield (
                    f"{base}, which it goes on from, had learned from {known:,} of the {len(part):,} patches {name}: "
                    "figures of these are too good."
                )


def _limits(learned: Labelled, base: Base) -> list[str]:
    """What was not learned, as far as it follows from the patches."""
    found = ["Clouds, snow, and seasons and regions other than those of its patches."]
    found.append("Land cover other than its classes; it is found by its likeness to what was learned.")
    if base.ours and len(learned.bands) < len(BAND_NAMES):
        known = ", ".join(learned.bands)
        found.append(f"Texture in bands other than {known}: these count by their mean and spread in a patch only.")
    return found


def _figures(net: Any, parts: Parts, base: Base) -> dict[str, Any]:  # noqa: ANN401  tensorflow is untyped
    """What the card says of the patches, and of how many held-out ones the network names rightly, with intervals."""
    from core.training.keras.loop import predict

    figures = {}
    for name, part in (("random", parts.random), ("spatial", parts.spatial)):
        if part is not None and len(part):
            right = share(predict(net, part.pixels)[1].argmax(axis=1) == part.labels)
            figures[name] = {"patches": right.count, "accuracy": right.value, "low": right.low, "high": right.high}
    copies = f"; {parts.train.repeats:,} copies of others were left out" if parts.train.repeats else ""
    blocks = "none in held-out blocks of land, because places are unknown or too close together"
    if parts.spatial is not None:
        blocks = f"{len(parts.spatial):,} in held-out blocks of land"
    if base.directory is not None:
        blocks += f"; {base.name} may have learned from any of them before"
    return {
        "classes": parts.train.counts(),
        "bands": list(parts.train.bands),
        "split": f"{len(parts.train):,} patches learned from, {len(parts.random):,} held out at random, "
        f"{blocks}{copies}",
        "accuracy": figures,
    }
