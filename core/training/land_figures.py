"""What the card of a model says of land that it was not taught, as a map of classes judged it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.encoders.files import CARD, CHECKSUMS, list_checksums
from core.errors import EncoderError
from core.evaluation.land import LandRetrieval
from core.files import replacing
from core.training.model_card import today
from core.training.trained_models import read_card

_FIELD = "land"


@dataclass(frozen=True, kw_only=True)
class LandFigures:
    """How much of their land patches of a scene share with their nearest.

    Attributes:
        scene: its name.
        patches: that were asked.
        k: neighbours of each.
        share: mean share of land in common, 0 to 1.
        low: lower end of its 95 % interval; None where there was too little land for one.
        high: upper end, likewise.
        spectrum: the same share by the plain spectrum; None = not known.
        best: the largest share that is possible.
        chance: that of patches at random.
        remark: what to keep in mind of it, a sentence or nothing.
        date: of measuring, ``YYYY-MM-DD``.
    """

    scene: str
    patches: int
    k: int
    share: float
    low: float | None
    high: float | None
    spectrum: float | None
    best: float
    chance: float
    remark: str = ""
    date: str = ""


def note_land(directory: Path, scene: str, found: LandRetrieval, remark: str = "") -> None:
    """Write into a model's card what was measured on a scene, in place of what it said of a scene of that name.

    Args:
        directory: of the model.
        scene: name of the scene.
        found: the figures.
        remark: what to keep in mind of them.

    Raises:
        EncoderError: when the model has no card.
        OSError: when the card cannot be written.
    """
    card = read_card(directory / CARD)
    if not card:
        found_here, remedy = f"“{directory}” has no card", "name an encoder that was trained here"
        raise EncoderError("Noting figures of land in a model's card", found_here, remedy)
    told = found.to_dict()
    own = told["own"]["overlap"]
    fresh = LandFigures(
        scene=scene, patches=found.asked, k=found.k, share=own["value"], low=own["low"], high=own["high"],
        spectrum=None if told["plain"] is None else told["plain"]["overlap"]["value"],
        best=told["best"]["overlap"]["value"], chance=told["chance"]["overlap"]["value"],
        remark=remark, date=today(),
    )  # fmt: skip
    kept = [one for one in land_in(card) if one.scene != scene]
    card[_FIELD] = [asdict(one) for one in (*kept, fresh)]
    with replacing(directory / CARD) as path:
        path.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if (directory / CHECKSUMS).is_file():
        list_checksums(directory, [CARD])


def land_in(card: Mapping[str, Any]) -> tuple[LandFigures, ...]:
    """Return what a card says of land; what cannot be understood is passed over."""
    listed = card.get(_FIELD)
    return tuple(_understood(listed)) if isinstance(listed, list) else ()


def _understood(listed: list[Any]) -> Iterator[LandFigures]:
    for one in listed:
        try:
            figures = LandFigures(**one)
            numbers = (figures.share, figures.best, figures.chance)
            optional = (figures.low, figures.high, figures.spectrum)
            if all(0 <= float(n) <= 1 for n in numbers) and all(n is None or 0 <= float(n) <= 1 for n in optional):
                yield figures
        except (TypeError, ValueError):
            continue
