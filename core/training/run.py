"""One training from beginning to end: what is asked for, the patches read, the epochs, the encoder and its card.

A training that was stopped goes on where it was (``core.training.checkpoint``). How one goes is told in ``README.md``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.config import Config
from core.encoders.files import CARD, FAMILIAR, LEARNED, write_checksums
from core.errors import JobCancelledError, TrainingError
from core.evaluation.retrieval import findable_others
from core.evaluation.training_overlap import TrainingPatches
from core.files import staged_folder
from core.progress import Progress, part_of, silent
from core.training.base_model import Base, check_bands, find_base, suited
from core.training.checkpoint import Checkpoint, kept_when_full
from core.training.dataset import Labelled, ReadPatches, Split, drop_copies, gather, resize, shared_bands, split
from core.training.evaluate import measure
from core.training.hyperparameters import EMBEDDING_DIMENSION, Epoch, Examples, Hyperparameters
from core.training.model_card import all_learned, base_title, every_limit, learned_before, seen_before, training_card
from core.training.request import TrainingRequest

if TYPE_CHECKING:
    from core.training.keras.initialise import Initialised
    from core.training.keras.loop import Learner

READING = 50
"""Thousandths of a training that reading the patches counts for."""


@dataclass(frozen=True, kw_only=True)
class _Material:
    """What a training works with.

    Attributes:
        request: what was asked for.
        directory: where the model goes.
        base: what it starts from.
        hyperparameters: how it is fitted.
        split: patches learned from and held out, with the bands and the size that the base takes.
        test_sets: labelled patches whose places are not among these.
        before: what the base has learned from; None when that is not known.
    """

    request: TrainingRequest
    directory: Path
    base: Base
    hyperparameters: Hyperparameters
    split: Split
    test_sets: list[Labelled]
    before: TrainingPatches | None


def unheard(_epoch: Epoch) -> None:
    """Tell nobody of an epoch."""


def run(
    request: TrainingRequest,
    directory: Path,
    read: ReadPatches,
    *,
    report: Callable[[Epoch], None] = unheard,
    progress: Progress = silent,
    config: Config,
) -> dict[str, Any]:
    """Train an encoder on labelled patches and write it; a training that was stopped goes on where it was.

    Args:
        request: what is asked for.
        directory: where the model goes; must not exist.
        read: reads a set of labelled patches.
        report: told after each epoch.
        progress: told in thousandths; when it raises ``JobCancelledError``, the encoder of the last whole epoch is
            written, if there is one.
        config: where models lie.

    Returns:
        The model card.

    Raises:
        TrainingError: for patches that nothing can be learned from, or that do not fit the base, or when the loss is no
            number any more.
        EncoderError: for a base that cannot be trained on.
        SettingsError: for a setting outside its range.
        StoreError: when the disk cannot be written; the last whole epoch is kept.
        JobCancelledError: when it was cancelled before the first epoch was over.
    """
    base, hyperparameters = plan(request, config)  # Refuses a base before patches are read.
    sets, test_sets = _read(request, read, part_of(progress, 0, READING))
    check_bands(base, shared_bands(sets), request.bands)
    for one in test_sets:
        findable_others(drop_copies(one).labels)  # Refuses now what could not be measured after the training.
    whole = gather(sets, test_sets=test_sets, bands=base.product_bands or request.bands)
    parts = split(resize(whole, base.side), hyperparameters.seed)
    # What belongs to the base is read before the training, in which somebody may delete it.
    material = _Material(
        request=request, directory=directory, base=base, hyperparameters=hyperparameters, split=parts,
        test_sets=test_sets, before=learned_before(base),
    )  # fmt: skip
    card: dict[str, Any] = {"title": request.title, "data": whole.title, "frozen": request.freeze}
    card["limits"] = every_limit(request.limits, parts.train, base)
    card |= {"base_title": base_title(base)} if base.directory is not None else {}
    initial, learner, checkpoint = _ready(material)
    _fit(material, learner, checkpoint, report=report, progress=part_of(progress, READING, 1000))
    card |= training_card(initial.network, parts, hyperparameters, base, checkpoint.history)
    card |= _write(material, initial, card, config)
    checkpoint.remove()
    return card


def plan(request: TrainingRequest, config: Config) -> tuple[Base, Hyperparameters]:
    """Return base and hyperparameters of a training, which can be asked before patches are read.

    Raises:
        EncoderError: for a base that is unknown or damaged.
        TrainingError: for a base without weights, or when there is nothing to freeze.
        SettingsError: for a setting outside its range.
    """
    base = find_base(request.base, config)
    chosen = suited(base, freeze=request.freeze).with_changes(request.hyperparameters)
    epochs = chosen.epochs if request.epochs is None else request.epochs
    return base, replace(chosen, epochs=epochs, seed=request.seed)


def _read(request: TrainingRequest, read: ReadPatches, progress: Progress) -> tuple[list[Labelled], list[Labelled]]:
    """Read the sets to learn from and the test sets."""
    names = [*request.sets, *request.test_sets]
    ends = [1000 * number // max(1, len(names)) for number in range(len(names) + 1)]
    found = [read(one, part_of(progress, *ends[place : place + 2])) for place, one in enumerate(names)]
    return found[: len(request.sets)], found[len(request.sets) :]


def _ready(material: _Material) -> tuple[Initialised, Learner, Checkpoint]:
    """Make the network, what trains it, and what keeps it, as it was where the same training was stopped."""
    from core.encoders.saved_model.tensorflow import import_tensorflow

    import_tensorflow()
    from core.training.keras.end_to_end import EndToEnd
    from core.training.keras.head import HeadOnly
    from core.training.keras.initialise import initialise

    parts, hyperparameters = material.split, material.hyperparameters
    initial = initialise(material.base, parts.train, hyperparameters, freeze=material.request.freeze)
    train, held_out = (Examples(pixels=part.pixels, labels=part.labels) for part in (parts.train, parts.random))
    learner: Learner
    if material.request.freeze:
        learner = HeadOnly(initial.network, train, held_out, hyperparameters)
    else:
        learner = EndToEnd(initial.network, train, held_out, hyperparameters, compiles=initial.compiles)
    checkpoint = Checkpoint(material.directory, learner.variables, *_keys(material))
    checkpoint.resume()
    return initial, learner, checkpoint


def _keys(material: _Material) -> tuple[str, str]:
    """Return what tells this training from any other, as it is written now, and as version 0.1 wrote it.

    The latter says nothing of the size of the network; variables of another one are not taken over.
    """
    chosen = material.hyperparameters
    patches = [material.split.train.digest(), material.split.random.digest()]
    rest = [*patches, material.base.fingerprint, material.request.freeze]
    return json.dumps([asdict(chosen), *rest]), json.dumps([chosen.in_former_names(), *rest])


def _fit(
    material: _Material,
    learner: Learner,
    checkpoint: Checkpoint,
    *,
    report: Callable[[Epoch], None],
    progress: Progress,
) -> None:
    """Go through the epochs that are not done yet, each kept; a cancelled training goes back to its last whole one."""
    from core.training.keras.loop import fit

    def keep(epoch: Epoch) -> None:
        if not np.isfinite(epoch.loss):
            found = "the loss is no number any more"
            raise TrainingError(f"Training “{material.request.title}”", found, "try a smaller step size")
        checkpoint.keep(epoch)
        report(epoch)

    first = len(checkpoint.history) + 1
    try:
        fit(learner, material.hyperparameters, first=first, report=keep, progress=progress)
    except JobCancelledError:
        if not checkpoint.history:
            checkpoint.remove()
            raise
        checkpoint.reload()


def _write(material: _Material, initial: Initialised, card: dict[str, Any], config: Config) -> dict[str, Any]:
    """Write the model whole, its card with what the finished encoder measures on patches held out; gives the latter."""
    base, parts, test_sets = material.base, material.split, material.test_sets
    known = (card["base_title"], base.directory) if base.directory is not None and base.directory.is_dir() else None
    columns = range(EMBEDDING_DIMENSION) if base.ours else None
    with kept_when_full(material.directory), _staged(material.directory) as staged:
        initial.write(staged, card["title"], card)
        measured = measure(staged, parts, test_sets, columns=columns, config=config, base=known)
        told = [*seen_before(material.before, parts, test_sets, card.get("base_title", "")), *measured.card["measured"]]
        found = measured.card | {"measured": told}
        (staged / CARD).write_text(json.dumps(card | found, indent=1, ensure_ascii=False), encoding="utf-8")
        (staged / LEARNED).write_bytes(all_learned(material.before, parts.train).to_bytes())
        if measured.novelty is not None:
            measured.novelty.save(staged / FAMILIAR)
        write_checksums(staged, whole=True)
    return found


@contextmanager
def _staged(directory: Path) -> Iterator[Path]:
    """Give a folder to write a model into; it appears in its place by one rename, whole or not at all."""
    with staged_folder(directory.parent, f".{directory.name}.") as staged:
        yield staged
        staged.chmod(0o755)
        staged.rename(directory)
