"""A training under way: epoch by epoch, the last one kept, and at the end the encoder and its model card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from core.encoders.files import CARD, FAMILIAR, LEARNED, write_checksums
from core.errors import JobCancelledError, StoreError, TrainingError
from core.evaluation.training_overlap import Learned
from core.files import replacing, staged_folder, write_atomically
from core.progress import Progress
from core.training.base_model import NOTHING, Base
from core.training.dataset import Labelled
from core.training.evaluate import measure
from core.training.hyperparameters import DIMENSION, Epoch, FitSettings, Samples
from core.training.labelled import Parts
from core.training.model_card import all_learned, card_of, every_limit, learned_before, seen_before, title_of
from core.training.trained_models import STATE, under_way

if TYPE_CHECKING:
    from core.training.keras.initialise import Start

SATURATED = 99.5
"""Percentile of each band's reflectance above which pixels count as equally bright."""

LAST = "last.npz"
"""A training under way after its last epoch, in the folder beside its result that ``training.trained_models`` names.

Weights, the optimiser's moments and how it went are one file, because they are worth nothing if of different epochs.
"""


def train(
    parts: Parts,
    settings: FitSettings,
    directory: Path,
    *,
    base: Base = NOTHING,
    freeze: bool = False,
    title: str,
    source: str,
    apart: Sequence[Labelled] = (),
    limits: Sequence[str] = (),
    report: Callable[[Epoch], None],
    progress: Progress,
) -> dict[str, Any]:
    """Train on patches that are gathered and split already; a training that was stopped goes on.

    Args:
        parts: of ``split``, with the bands and the size that the base takes.
        settings: how.
        directory: where the model goes; must not exist.
        base: what it starts from.
        freeze: True = only what follows the body of the base is trained.
        title: what pages show.
        source: what the card says of the data.
        apart: labelled patches whose places are not among ``parts``; the finished encoder is measured on each set.
        limits: what the card says besides of what was not learned.
        report: told after each epoch.
        progress: told at each step how many of all are done; when it raises ``JobCancelledError``, the encoder of the
            last whole epoch is written, if there is one.

    Returns:
        The model card.

    Raises:
        JobCancelledError: when it was cancelled before the first epoch was over.
        StoreError: when the disk cannot be written.
        TrainingError: when the loss is no number any more.
    """
    # What belongs to the base is read before the training, in which somebody may delete it.
    said = {"title": title, "data": source, "frozen": freeze, "limits": every_limit(limits, parts.train, base)}
    said |= {"base_title": title_of(base)} if base.directory is not None else {}
    before = learned_before(base)
    start = _start(base, parts.train, freeze=freeze, seed=settings.seed)
    net, work = start.network, under_way(directory)
    with _room(directory):
        work.mkdir(parents=True, exist_ok=True)
    patches = [part.digest() for part in (parts.train, parts.random)]
    optimizer = _ready(net, parts.train, settings, freeze=freeze)
    kept = [*net.weights, *optimizer.variables]
    state = _resume(kept, work, [asdict(settings), *patches, base.fingerprint, freeze])
    history: list[dict[str, float]] = state["history"]

    def keep(epoch: Epoch) -> None:
        if not np.isfinite(epoch.loss):
            raise TrainingError(f"Training “{title}”", "the loss is no number any more", "try a smaller step size")
        history.append(asdict(epoch))
        with _room(directory):
            whole = json.dumps(state).encode()
            _save(kept, work / LAST, whole)
            write_atomically(work / STATE, whole)
        report(epoch)

    try:
        _fit(start, optimizer, parts, settings, freeze=freeze, done=len(history), report=keep, progress=progress)
    except JobCancelledError:
        if not history:
            shutil.rmtree(work, ignore_errors=True)
            raise
        with np.load(work / LAST) as file:
            _load(kept, file)
    card = said | card_of(net, parts, settings, base, history)
    card |= _write(directory, start, parts, apart, card, base=base, before=before)
    shutil.rmtree(work)
    return card


def _write(
    directory: Path, start: Start, parts: Parts, apart: Sequence[Labelled], card: dict[str, Any], *, base: Base,
    before: Learned | None,
) -> dict[str, Any]:  # fmt: skip
    """Write the model whole, its card with what the finished encoder measures on patches held out; gives the latter."""
    known = (card["base_title"], base.directory) if base.directory is not None and base.directory.is_dir() else None
    with _room(directory), _staged(directory) as staged:
        start.write(staged, card["title"], card)
        measured = measure(staged, parts, apart, columns=range(DIMENSION) if base.ours else None, base=known)
        found = measured.card | {
            "measured": [*seen_before(before, parts, apart, card.get("base_title", "")), *measured.card["measured"]]
        }
        (staged / CARD).write_text(json.dumps(card | found, indent=1, ensure_ascii=False), encoding="utf-8")
        (staged / LEARNED).write_bytes(all_learned(before, parts.train).to_bytes())
        if measured.familiar is not None:
            measured.familiar.save(staged / FAMILIAR)
        write_checksums(staged, whole=True)
    return found


def _start(base: Base, learned: Labelled, *, freeze: bool, seed: int) -> Start:
    from core.encoders.saved_model.tensorflow import import_tensorflow

    import_tensorflow()
    from core.training.keras import initialise as starting

    classes = learned.classes
    if base.directory is None:
        side = learned.pixels.shape[1]
        return starting.from_scratch(_light(learned), learned.bands, side=side, classes=len(classes), seed=seed)
    samples = Samples(pixels=learned.pixels, labels=learned.labels)
    return starting.from_base(base, base.directory, samples, classes, freeze=freeze, seed=seed)


def _ready(net: Any, learned: Labelled, settings: FitSettings, *, freeze: bool) -> Any:  # noqa: ANN401
    from core.training.keras import head as heading
    from core.training.keras import loop as fitting

    samples = Samples(pixels=learned.pixels, labels=learned.labels)
    return heading.ready_head(net, settings) if freeze else fitting.ready(net, samples, settings)


def _fit(
    start: Start,
    optimizer: Any,  # noqa: ANN401
    parts: Parts,
    settings: FitSettings,
    *,
    freeze: bool,
    done: int,
    report: Callable[[Epoch], None],
    progress: Progress,
) -> None:
    from core.training.keras import head as heading
    from core.training.keras import loop as fitting

    learned, judged_by = (Samples(pixels=part.pixels, labels=part.labels) for part in (parts.train, parts.random))
    if done >= settings.epochs:
        return
    fit = heading.fit_head if freeze else partial(fitting.fit, compiles=start.compiles)
    fit(start.network, optimizer, learned, judged_by, settings, first=done + 1, report=report, progress=progress)


def _light(train: Labelled) -> tuple[list[float], list[float], list[float]]:
    """Mean, deviation and ceiling of each band, reflectance, over a sample of the patches."""
    sample = train.pixels[:: max(1, len(train) // 4000)].astype(np.float32) / 10_000
    ceiling = np.percentile(sample, SATURATED, axis=(0, 1, 2))
    sample = np.minimum(sample, ceiling.astype(np.float32))
    mean, std = sample.mean(axis=(0, 1, 2)), sample.std(axis=(0, 1, 2)) + 1e-4
    return mean.tolist(), std.tolist(), ceiling.tolist()


def _resume(kept: Sequence[Any], work: Path, identity: Sequence[Any]) -> dict[str, Any]:
    """The state of a training of the same settings, patches and base that was stopped, or a fresh one."""
    key = json.dumps(identity)
    try:
        with (work / LAST).open("rb") as opened, np.load(opened) as file:
            state = json.loads(file["state"].item())
            if state["key"] == key:
                history = [asdict(Epoch(**epoch)) for epoch in state["history"]]
                _load(kept, file)
                return {"key": key, "history": history}
    except (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, BadZipFile):
        pass  # What cannot be read is as good as none: the training begins anew.
    return {"key": key, "history": []}


def _save(kept: Sequence[Any], path: Path, state: bytes) -> None:
    """Keep variables and state; not as HDF5, whose library ends the process when the disk is full."""
    with replacing(path) as fresh, fresh.open("wb") as file:
        np.savez(file, *(variable.numpy() for variable in kept), state=np.bytes_(state))


def _load(kept: Sequence[Any], file: Mapping[str, Any]) -> None:
    values = [file[f"arr_{number}"] for number in range(len(kept))]
    if [value.shape for value in values] != [tuple(variable.shape) for variable in kept]:
        raise ValueError("the variables are of another network")
    for variable, value in zip(kept, values, strict=True):
        variable.assign(value)


@contextmanager
def _staged(directory: Path) -> Iterator[Path]:
    """A folder to write a model into; it appears in its place by one rename, whole or not at all."""
    with staged_folder(directory.parent, f".{directory.name}.") as staged:
        yield staged
        staged.chmod(0o755)
        staged.rename(directory)


@contextmanager
def _room(directory: Path) -> Iterator[None]:
    """An error of the disk, told as one; what was kept before stays."""
    try:
        yield
    except OSError as error:
        found = f"it cannot be written ({error.strerror or str(error)[:100]})"
        remedy = "make room on the disk and repeat it, the last whole epoch is kept"
        raise StoreError(f"Writing the model “{directory.name}”", found, remedy) from error
