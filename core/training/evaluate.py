"""What a finished encoder does with patches it never saw, beside the plain spectrum; for its model card.

The encoder is measured as it was written, by the way it will be used: features of one backend, nearest neighbours by
cosine. So the figures are of the whole encoder, not of the network that was trained inside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.config import Config
from core.encoders.base import Encoder
from core.encoders.files import FAMILIAR
from core.encoders.registry import load_encoder
from core.encoders.spectral import SPECTRAL as BASELINE
from core.errors import EncoderError
from core.evaluation.classifier import FeatureClassifier
from core.evaluation.novelty import FEWEST_KNOWN, NoveltyReference, calibrate_novelty
from core.evaluation.retrieval import (
    DEPTHS,
    NORMAL_95,
    VOTERS,
    Share,
    balanced_share,
    nearest_accuracy,
    nearest_classes,
    retrieval,
    share,
)
from core.evaluation.taught_classes import fit_for_scenes
from core.features.level import at_level
from core.training.base_model import SCRATCH
from core.training.dataset import Labelled, drop_copies
from core.training.split import Split

SMALL_SIDE, MOST, MOST_OF_LARGE = 64, 30_000, 500
"""Of encoders whose input is larger than so many pixels a side, which are slow, fewer patches are measured."""

_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was found.

    Attributes:
        card: for the model card: ``accuracy``, ``held_out``, ``apart``, ``verdict`` and ``measured``, the sentences.
        novelty: the land that the encoder knows, by which patches unlike it are told; None when that is too little.
        classifier: names the classes by the encoder's features.
    """

    card: dict[str, Any]
    novelty: NoveltyReference | None
    classifier: FeatureClassifier


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """An encoder on the patches of a split: what its classifier and its nearest patches name rightly.

    Attributes:
        known: features of patches that were learned from.
        asked: features of those held out at random.
        named: which of the latter its classifier names rightly, bool of shape (N,).
        nearest: which of them the nearest patches name rightly.
        classifier: fitted to ``known``, calibrated by the validation part.
    """

    known: FloatArray
    asked: FloatArray
    named: NDArray[np.bool_]
    nearest: NDArray[np.bool_]
    classifier: FeatureClassifier

    def to_json(self) -> dict[str, Any]:
        """Return both shares as the card has them."""
        return {"nearest": as_json(share(self.nearest)), "linear": as_json(share(self.named))}


def measure(
    directory: Path, split: Split, test_sets: Sequence[Labelled], *, config: Config,
    rival: tuple[str, Path] | None = None, base: str = "", before: Path | None = None,
) -> Measured:  # fmt: skip
    """Measure an encoder that was just written.

    Args:
        directory: of the model.
        split: what it learned from, and what was held out.
        test_sets: labelled patches whose places were left out of training; each set is measured by itself.
        config: where encoders keep what they remember.
        rival: title and directory of the encoder it has to be better than; None = none.
        base: name of what it goes on from; ``scratch`` = the rival is another.
        before: directory of what it goes on from, whose land it knows too; None = nothing.
    """
    encoder, baseline = load_encoder(str(directory), config), load_encoder(BASELINE, config)
    small = fewer(split, encoder)
    judged = {"encoder": _judge(encoder, directory, small), "spectrum": _judge(baseline, None, small)}
    if rival is not None:
        judged["base"] = _judge(load_encoder(str(rival[1]), config), rival[1], small)
    ours = judged["encoder"]
    card: dict[str, Any] = {"held_out": {name: one.to_json() for name, one in judged.items()}, "apart": []}
    card["accuracy"] = {"random": as_json(share(ours.named))}
    if small.spatial is not None and len(small.spatial):
        land = features(encoder, small.spatial)
        card["accuracy"]["spatial"] = as_json(share(ours.classifier.name(land).index == small.spatial.labels))
    for one in test_sets:
        once = drop_copies(one)
        card["apart"].append({"patches": len(once), **_retrieved(once, encoder, baseline)})
    if rival is not None:
        card["verdict"] = {"against": rival[0], **_verdict(ours, judged["base"])}
    card["measured"] = measured_sentences(card, None if rival is None else rival[0], scratch=base == SCRATCH)
    return Measured(card=card, novelty=familiar_land(small, test_sets, before), classifier=ours.classifier)


@dataclass(frozen=True, kw_only=True)
class Rivals:
    """What a training has to be better than, on the patches that its epochs are judged by, all classes counting alike.

    Attributes:
        title: of the encoder as it is.
        nearest: share that its nearest patches name rightly.
        head: share that a linear classifier on its features names rightly.
    """

    title: str
    nearest: float
    head: float


def rivals(title: str, directory: Path, split: Split, config: Config) -> Rivals:
    """Measure an encoder as it is by the validation part, or by the patches held out at random where there is none.

    Args:
        title: of the encoder.
        directory: of the encoder.
        split: what is learned from, and what was held out.
        config: where encoders keep what they remember.
    """
    encoder = load_encoder(str(directory), config)
    small = fewer(replace(split, spatial=None), encoder)
    judges = small.random if small.validation is None else small.validation
    known, asked = features(encoder, small.train), features(encoder, judges)
    head = _fitted(encoder, directory, known, small.train).name(asked).index == judges.labels
    nearest = nearest_accuracy(known, small.train.labels, asked, judges.labels)
    return Rivals(title=title, nearest=nearest, head=balanced_share(head, judges.labels))


def fewer(split: Split, encoder: Encoder) -> Split:
    """Return a split of no more patches than an encoder goes through in reasonable time."""
    most = MOST if (encoder.spec.input_size or 0) <= SMALL_SIDE else MOST_OF_LARGE
    parts = {one.name: getattr(split, one.name) for one in fields(split)}
    return replace(split, **{name: _some(part, most) for name, part in parts.items() if part is not None})


def _fitted(encoder: Encoder, directory: Path | None, known: FloatArray, train: Labelled) -> FeatureClassifier:
    """Return a classifier of features of the patches learned from, as it will name scenes."""
    return fit_for_scenes(
        known, train.labels, train.classes, bands=train.bands, spec=encoder.spec, directory=directory
    )  # fmt: skip


def _judge(encoder: Encoder, directory: Path | None, split: Split) -> _Judged:
    """Fit a classifier to an encoder's features of the patches learned from, and name those held out at random."""
    train, random, validation = split.train, split.random, split.validation
    known, asked = features(encoder, train), features(encoder, random)
    classifier = _fitted(encoder, directory, known, train)
    if validation is not None:
        classifier = classifier.calibrate(features(encoder, validation), validation.labels)
    return _Judged(
        known=known, asked=asked, classifier=classifier,
        named=classifier.name(asked).index == random.labels,
        nearest=nearest_classes(known, train.labels, asked) == random.labels,
    )  # fmt: skip


def _verdict(ours: _Judged, base: _Judged) -> dict[str, Any]:
    """Say whether training on was worth it, beside a classifier on the features of the base: ``worth`` and ``worse``.

    The same patches are named by both, so that only those count which one names rightly and the other does not
    (McNemar, “Note on the sampling error of the difference between correlated proportions or percentages”, 1947).
    """
    pairs = ((ours.named, base.named), (ours.nearest, base.nearest))
    gained = [int(after.sum()) - int(before.sum()) for after, before in pairs]
    noise = [NORMAL_95 * math.sqrt(int((after != before).sum())) for after, before in pairs]
    better = any(gain > doubt for gain, doubt in zip(gained, noise, strict=True))
    worse = any(-gain > doubt for gain, doubt in zip(gained, noise, strict=True))
    return {"worth": better and not worse, "worse": worse and not better, "patches": len(ours.named)}


def familiar_land(split: Split, test_sets: Sequence[Labelled], before: Path | None) -> NoveltyReference | None:
    """Return the land that an encoder knows, in as many bands as there are; None when it is too little.

    That is the land it learned from and, in the same bands, that of its base. Where a test set has more bands, it
    stands for the land learned from: sets kept apart are of the same kind.

    Args:
        split: what it learned from, and what was held out.
        test_sets: as of ``measure``.
        before: as of ``measure``.
    """
    own = [split.train, split.random]
    richest = max((one for one in test_sets if len(one) >= FEWEST_KNOWN), key=lambda one: len(one.bands), default=None)
    parts = own if richest is None or len(richest.bands) <= len(own[0].bands) else [richest]
    bands, statistics = parts[0].bands, [one.band_statistics() for one in parts]
    earlier = None if before is None else _land_of(before)
    if earlier is not None and set(bands) <= set(earlier.bands):
        statistics.append(earlier.in_bands(bands))
    whole = np.concatenate(statistics)
    return calibrate_novelty(whole, bands) if len(whole) >= FEWEST_KNOWN else None


def _land_of(directory: Path) -> NoveltyReference | None:
    """Return the land that a model knows; None where its file is missing or damaged, which spoils no training."""
    try:
        return NoveltyReference.load(directory / FAMILIAR)
    except EncoderError:
        return None


def features(encoder: Encoder, part: Labelled) -> FloatArray:
    """Encode labelled patches, missing bands filled as in scenes, float32 of shape (N, dimension)."""
    parts = [np.empty((0, encoder.spec.dimension), np.float32)]
    for first in range(0, len(part), _BATCH):
        batch = part.images(encoder.spec.bands, slice(first, first + _BATCH))
        batch = at_level(batch, encoder.spec.bands, level=part.level, present=part.bands, spec=encoder.spec)
        parts.append(encoder.encode(batch))
    return np.concatenate(parts)


def as_json(share: Share) -> dict[str, float]:
    """Return a share as the card has it."""
    return {"patches": share.count, "accuracy": share.value, "low": share.low, "high": share.high}


def measured_sentences(card: Mapping[str, Any], base: str | None = None, *, scratch: bool = False) -> list[str]:
    """Put the figures in words; ``base`` is the title of what it goes on from or, ``scratch``, is compared with."""
    ours, plain = (card["held_out"][name]["nearest"] for name in ("encoder", "spectrum"))
    lines = [
        f"The {VOTERS} nearest of the patches it learned from name {_of_hundred(ours)} held-out patches rightly; "
        f"by the plain spectrum of the same bands it would be {100 * plain['accuracy']:.0f}."
    ]
    if base is not None:
        lines.append(_beside(base, card, "" if scratch else ", which it goes on from,"))
    for one in card["apart"]:
        first, last = (one["encoder"][str(depth)] for depth in (DEPTHS[0], DEPTHS[-1]))
        bare = [100 * one["spectrum"][str(depth)]["accuracy"] for depth in (DEPTHS[0], DEPTHS[-1])]
        lines.append(
            f"Of {one['patches']:,} patches in {len(one['bands'])} bands that were kept apart from what it learned "
            f"from, the nearest neighbour shares the class {_times(first)}, the {DEPTHS[-1]} nearest {_times(last)}; "
            f"by the plain spectrum it would be {bare[0]:.0f} and {bare[1]:.0f}."
        )
    return lines


def _beside(base: str, card: Mapping[str, Any], relation: str) -> str:
    """Say whether training on was worth it."""
    before, ours = card["held_out"]["base"], card["held_out"]["encoder"]
    found = (
        f"By {base}{relation} it would be {100 * before['nearest']['accuracy']:.0f}. A head on {base}, "
        f"which takes seconds, names {100 * before['linear']['accuracy']:.0f} in 100 of them rightly, this model "
        f"{100 * ours['linear']['accuracy']:.0f}"
    )
    verdict = card["verdict"]
    if verdict["worth"]:
        return f"{found}: the training was worth it."
    if verdict["worse"]:
        return f"{found}: the training made it worse. Make a head instead."
    return f"{found}: {verdict['patches']:,} patches cannot tell them apart. A head would do."


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
