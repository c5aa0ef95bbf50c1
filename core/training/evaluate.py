"""What a finished encoder does with patches it never saw, beside the plain spectrum; for its model card.

The encoder is measured as it was written, by the way it will be used: features of one backend, nearest neighbours by
cosine. So the figures are of the whole encoder, not of the network that was trained inside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.bands import FloatArray, fill_source
from core.config import Config
from core.encoders.base import Encoder
from core.encoders.registry import load_encoder
from core.encoders.spectral import SPECTRAL as BASELINE
from core.evaluation.novelty import BANK_NEAREST, FEWEST_HELD, NoveltyReference, calibrate_novelty
from core.evaluation.retrieval import DEPTHS, VOTERS, Share, held_out, retrieval
from core.scenes.scene import REFLECTANCE_SCALE
from core.training.dataset import Labelled, Split, drop_copies

SMALL_SIDE, MOST, MOST_OF_LARGE = 64, 30_000, 500
"""Of encoders whose input is larger than so many pixels a side, which are slow, fewer patches are measured."""

_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was found.

    Attributes:
        card: for the model card: ``held_out``, ``apart`` and ``measured``, the sentences.
        novelty: what the encoder was trained on, by which patches unlike it are known; None when too few were held
            out.
    """

    card: dict[str, Any]
    novelty: NoveltyReference | None


def measure(
    directory: Path, split: Split, test_sets: Sequence[Labelled], *, columns: Sequence[int] | None,
    config: Config, base: tuple[str, Path] | None = None,
) -> Measured:  # fmt: skip
    """Measure an encoder that was just written.

    Args:
        directory: of the model.
        split: what it learned from, and what was held out.
        test_sets: labelled patches whose places were left out of training; each set is measured by itself.
        columns: of the features that training made; None = all.
        config: where encoders keep what they remember.
        base: title and directory of the model it goes on from; None = none.
    """
    encoder, baseline = load_encoder(str(directory), config), load_encoder(BASELINE, config)
    most = MOST if (encoder.spec.input_size or 0) <= SMALL_SIDE else MOST_OF_LARGE
    train, random = _some(split.train, most), _some(split.random, most)
    known, asked = features(encoder, train), features(encoder, random)
    card: dict[str, Any] = {"held_out": {}, "apart": []}
    pairs = {"encoder": (known, asked), "spectrum": (features(baseline, train), features(baseline, random))}
    if base is not None:
        before = load_encoder(str(base[1]), config)
        pairs["base"] = (features(before, train), features(before, random))
    for name, pair in pairs.items():
        found = held_out(
            np.concatenate(pair),
            np.concatenate([train.labels, random.labels]),
            np.arange(sum(map(len, pair))) >= len(train),
        )
        card["held_out"][name] = {"nearest": as_json(found.nearest), "linear": as_json(found.linear)}
    for one in test_sets:
        once = drop_copies(one)
        card["apart"].append({"patches": len(once), **_retrieved(once, encoder, baseline)})
    enough = len(asked) >= FEWEST_HELD and len(known) >= BANK_NEAREST
    statistics = train.band_statistics(), random.band_statistics()
    novelty = calibrate_novelty(known, asked, columns, statistics=statistics, bands=train.bands) if enough else None
    card["measured"] = measured_sentences(card, None if base is None else base[0])
    return Measured(card=card, novelty=novelty)


def features(encoder: Encoder, part: Labelled) -> FloatArray:
    """Encode labelled patches, missing bands filled as in scenes, float32 of shape (N, dimension)."""
    sources = [fill_source(name, part.bands) for name in encoder.spec.bands]
    parts = [np.empty((0, encoder.spec.dimension), np.float32)]
    for first in range(0, len(part), _BATCH):
        pixels = part.pixels[first : first + _BATCH]
        batch = np.zeros((*pixels.shape[:3], len(sources)), np.float32)
        for place, name in enumerate(sources):
            if name is not None:
                batch[..., place] = pixels[..., part.bands.index(name)] / np.float32(REFLECTANCE_SCALE)
        parts.append(encoder.encode(batch))
    return np.concatenate(parts)


def as_json(share: Share) -> dict[str, float]:
    """Return a share as the card has it."""
    return {"patches": share.count, "accuracy": share.value, "low": share.low, "high": share.high}


def measured_sentences(card: Mapping[str, Any], base: str | None = None) -> list[str]:
    """Put the figures in words; ``base`` is the title of the model it goes on from."""
    ours, plain = (card["held_out"][name]["nearest"] for name in ("encoder", "spectrum"))
    lines = [
        f"The {VOTERS} nearest of the patches it learned from name {_of_hundred(ours)} held-out patches rightly; "
        f"by the plain spectrum of the same bands it would be {100 * plain['accuracy']:.0f}."
    ]
    if base is not None:
        lines.append(_beside(base, ours["accuracy"], card["held_out"]["base"]["nearest"]["accuracy"]))
    for one in card["apart"]:
        first, last = (one["encoder"][str(depth)] for depth in (DEPTHS[0], DEPTHS[-1]))
        bare = [100 * one["spectrum"][str(depth)]["accuracy"] for depth in (DEPTHS[0], DEPTHS[-1])]
        lines.append(
            f"Of {one['patches']:,} patches in {len(one['bands'])} bands that were kept apart from what it learned "
            f"from, the nearest neighbour shares the class {_times(first)}, the {DEPTHS[-1]} nearest {_times(last)}; "
            f"by the plain spectrum it would be {bare[0]:.0f} and {bare[1]:.0f}."
        )
    return lines


def _beside(base: str, ours: float, before: float) -> str:
    """Say whether training on was worth it."""
    found = f"By {base}, which it goes on from, it would be {100 * before:.0f}"
    if ours > before:
        return f"{found}."
    return f"{found}: on these patches the training made nothing better; fewer passes, or more patches, may."


def _times(found: Mapping[str, float]) -> str:
    return f"{100 * found['accuracy']:.0f} times in 100 ({100 * found['low']:.0f} to {100 * found['high']:.0f})"


def _of_hundred(found: Mapping[str, float]) -> str:
    return f"{100 * found['accuracy']:.0f} in 100 ({100 * found['low']:.0f} to {100 * found['high']:.0f})"


def _retrieved(part: Labelled, encoder: Encoder, baseline: Encoder) -> dict[str, Any]:
    """Return the precision by number of neighbours, of the encoder and of the plain spectrum."""
    found: dict[str, Any] = {"bands": list(part.bands)}
    for name, one in (("encoder", encoder), ("spectrum", baseline)):
        precision = retrieval(features(one, part), part.labels, part.classes).precision
        found[name] = {str(depth): as_json(share) for depth, share in precision.items()}
    return found


def _some(part: Labelled, most: int) -> Labelled:
    """Return at most so many patches, evenly spaced among each class."""
    order = np.argsort(part.labels, kind="stable")
    return part if len(part) <= most else part.take(np.sort(order[:: -(-len(part) // most)]))
