"""Training an encoder: what is learned from, what is held out, the last epoch kept, the model card."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import JobCancelledError, TrainingError
from core.evaluation import share
from core.library import write_atomically
from core.splits import random_split, spatial_split
from core.training import Labelled, joined, stems

if TYPE_CHECKING:
    from core.encoders.fitting import Epoch, FitSettings

HELD_OUT = 0.2
"""Share of the patches held out at random, and of those in whole blocks of land where places are known."""

SATURATED = 99.5
"""Percentile of each band's reflectance above which pixels count as equally bright."""

WEIGHTS, STATE = "last.weights.h5", "state.json"
"""Files of a training under way, in the folder ``DIR.training`` beside its result."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Labelled patches in three parts.

    Attributes:
        train: learned from.
        random: held out at random, of every class.
        spatial: in held-out blocks of land; None where places are unknown.
    """

    train: Labelled
    random: Labelled
    spatial: Labelled | None


def gather(sets: Sequence[Labelled], *, apart: Sequence[Labelled] = (), bands: Sequence[str] | None = None) -> Labelled:
    """One set of several, on the bands they share, less the patches that show a place of ``apart``.

    Raises:
        TrainingError: when nothing can be learned from them.
    """
    shown = {stem for other in apart for stem in stems(other.names)}
    kept = [one.take(np.array([stem not in shown for stem in stems(one.names)], dtype=bool)) for one in sets]
    whole = joined(kept, bands)
    counts = whole.counts()
    few = [f"{name} ({count})" for name, count in counts.items() if count < 2]
    if len(counts) < 2 or few:
        found = (
            f"there is only the class {next(iter(counts), 'none')}"
            if not few
            else f"too few patches of {', '.join(few)}"
        )
        raise TrainingError(
            "Learning from labelled patches", found, "give two classes or more, two patches or more each"
        )
    return whole


def split(whole: Labelled, seed: int) -> Parts:
    """Held-out blocks first, then a random part of the rest."""
    blocks = spatial_split(whole.lonlat, HELD_OUT, seed)
    if blocks is not None and len(np.unique(whole.labels[~blocks])) < len(np.unique(whole.labels)):
        blocks = None
    rest = whole if blocks is None else whole.take(~blocks)
    held = random_split(rest.labels, HELD_OUT, seed)
    return Parts(train=rest.take(~held), random=rest.take(held), spatial=None if blocks is None else whole.take(blocks))


def train(
    parts: Parts,
    settings: FitSettings,
    directory: Path,
    *,
    title: str,
    source: str,
    report: Callable[[Epoch], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    """Train a network from scratch and write the encoder; a training that was stopped goes on where it was.

    Args:
        parts: of ``split``.
        settings: how.
        directory: where the model goes; must not exist.
        title: what pages show.
        source: what the card says of the data.
        report: told after each epoch.
        cancelled: asked at each step; the encoder of the last whole epoch is written then, if there is one.

    Returns:
        The model card.

    Raises:
        JobCancelledError: when it was cancelled before the first epoch was over.
        TrainingError: when the loss is no number any more.
    """
    from core.encoders import fitting, network

    mean, std, ceiling = _light(parts.train)
    net = network.build(mean, std, ceiling, len(parts.train.classes))
    work = directory.with_name(f"{directory.name}.training")
    work.mkdir(parents=True, exist_ok=True)
    state = _resume(net, work, settings, parts)
    history: list[dict[str, float]] = state["history"]

    def keep(epoch: Epoch) -> None:
        if not np.isfinite(epoch.loss):
            raise TrainingError(f"Training “{title}”", "the loss is no number any more", "try a smaller step size")
        history.append(asdict(epoch))
        net.save_weights(work / f"new.{WEIGHTS}")
        (work / f"new.{WEIGHTS}").replace(work / WEIGHTS)
        write_atomically(work / STATE, json.dumps(state).encode())
        report(epoch)

    train_on, judged_by = (
        fitting.Samples(pixels=part.pixels, labels=part.labels) for part in (parts.train, parts.random)
    )
    try:
        fitting.fit(net, train_on, judged_by, settings, first=len(history) + 1, report=keep, cancelled=cancelled)
    except JobCancelledError:
        if not history:
            raise
        net.load_weights(work / WEIGHTS)
    card = _card(net, parts, settings=settings, history=history, title=title, source=source)
    _write(net, parts, directory, title, card)
    shutil.rmtree(work)
    return card


def _light(train: Labelled) -> tuple[list[float], list[float], list[float]]:
    """Mean, deviation and ceiling of each band, reflectance, over a sample of the patches."""
    sample = train.pixels[:: max(1, len(train) // 4000)].astype(np.float32) / 10_000
    ceiling = np.percentile(sample, SATURATED, axis=(0, 1, 2))
    sample = np.minimum(sample, ceiling.astype(np.float32))
    mean, std = sample.mean(axis=(0, 1, 2)), sample.std(axis=(0, 1, 2)) + 1e-4
    return mean.tolist(), std.tolist(), ceiling.tolist()


def _resume(net: Any, work: Path, settings: FitSettings, parts: Parts) -> dict[str, Any]:  # noqa: ANN401
    """The state of a training of the same settings and patches that was stopped, or a fresh one."""
    key = json.dumps([asdict(settings), parts.train.counts(), list(parts.train.bands)])
    try:
        state = json.loads((work / STATE).read_text(encoding="utf-8"))
        if state["key"] == key:
            net.load_weights(work / WEIGHTS)
            return dict(state)
    except (OSError, ValueError, KeyError):
        pass
    return {"key": key, "history": []}


def _card(
    net: Any,  # noqa: ANN401  tensorflow is untyped
    parts: Parts,
    *,
    settings: FitSettings,
    history: list[dict[str, float]],
    title: str,
    source: str,
) -> dict[str, Any]:
    from core.encoders.fitting import predict

    figures = {}
    for name, part in (("random", parts.random), ("spatial", parts.spatial)):
        if part is not None and len(part):
            right = share(predict(net, part.pixels)[1].argmax(axis=1) == part.labels)
            figures[name] = {"patches": right.count, "accuracy": right.value, "low": right.low, "high": right.high}
    return {
        "title": title,
        "data": source,
        "classes": parts.train.counts(),
        "bands": list(parts.train.bands),
        "split": f"{len(parts.train):,} patches learned from, {len(parts.random):,} held out at random"
        + (f", {len(parts.spatial):,} in held-out blocks of land" if parts.spatial is not None else ""),
        "accuracy": figures,
        "settings": asdict(settings),
        "epochs": len(history),
        "history": history,
        "date": datetime.now(UTC).date().isoformat(),
    }


def _write(net: Any, parts: Parts, directory: Path, title: str, card: dict[str, Any]) -> None:  # noqa: ANN401
    """The model appears by one rename, whole or not at all."""
    from core.encoders.joining import write_model

    staged = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
    try:
        write_model(net, staged, bands=parts.train.bands, side=parts.train.pixels.shape[1], title=title, card=card)
        staged.chmod(0o755)
        staged.rename(directory)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
