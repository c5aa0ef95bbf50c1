"""One training from beginning to end: what is asked for, the patches read, the epochs, the encoder and its card.

A training that was stopped goes on where it was (``core.training.checkpoint``). How one goes is told in ``README.md``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.bands import GROUND_BANDS
from core.config import Config
from core.encoders.files import CARD, CLASSES, FAMILIAR, LEARNED, write_checksums
from core.encoders.registry import companion, default_encoder, describe
from core.errors import JobCancelledError, TrainingError
from core.evaluation.retrieval import findable_others
from core.evaluation.training_overlap import TrainingPatches
from core.progress import Progress, part_of, silent
from core.training.base_model import Base, check_bands, find_base, suited, unwatched_steps
from core.training.checkpoint import Checkpoint, kept_key, kept_when_full
from core.training.dataset import Labelled, ReadPatches, drop_copies, gather, read_sets, resize, shared_bands
from core.training.evaluate import measure, rivals
from core.training.head import put_head
from core.training.hyperparameters import Epoch, Examples, Hyperparameters
from core.training.model_card import all_learned, base_title, every_limit, learned_before, seen_before, training_card
from core.training.request import TrainingRequest
from core.training.split import Split, split
from core.training.trained_models import staged_model

if TYPE_CHECKING:
    from core.training.keras.initialise import Initialised
    from core.training.keras.loop import Learner

MOST_SEEN = 0.02
"""Share of the held-out patches that an encoder may have learned from and still be compared with."""

FEWEST_TELLING = 200
"""Patches not learned from by which it may be said how features vary; with fewer, it is said by those learned from."""

FEWEST_USUAL = 20
"""Patches that tell what is usual for the land learned from."""

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
        seen: the same with all bands that features are made of.
        test_sets: labelled patches whose places are not among these.
        before: what the base has learned from; None when that is not known.
        former: how it was fitted before the best epoch was chosen.
        rival: title and directory of the encoder it has to be better than; None = there is none to compare with.
    """

    request: TrainingRequest
    directory: Path
    base: Base
    hyperparameters: Hyperparameters
    split: Split
    seen: Split
    test_sets: list[Labelled]
    before: TrainingPatches | None
    former: Hyperparameters
    rival: tuple[str, Path] | None


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
    if request.head:
        return put_head(request, directory, read, progress=progress, config=config)
    material, title = _material(request, directory, read, part_of(progress, 0, READING), config)
    base, parts = material.base, material.split
    card: dict[str, Any] = {"title": request.title, "data": title, "frozen": request.freeze}
    card["limits"] = every_limit(request.limits, parts.train, base)
    card |= {"base_title": base_title(base)} if base.directory is not None else {}
    initial, learner, checkpoint = _ready(material)
    checkpoint.rivals = _rivals(material, config)
    checkpoint.tell()
    _fit(material, learner, checkpoint, report=report, progress=part_of(progress, READING, 1000))
    card |= training_card(parts, material.hyperparameters, base, checkpoint.history, checkpoint.best)
    card |= {"rivals": checkpoint.rivals} if checkpoint.rivals else {}
    card |= _write(material, initial, card, config)
    checkpoint.remove()
    return card


def _material(
    request: TrainingRequest, directory: Path, read: ReadPatches, progress: Progress, config: Config
) -> tuple[_Material, str]:
    """Return what a training works with, as it began where one was stopped, and what it learns from in words.

    Errors as of ``run``.
    """
    base, hyperparameters = plan(request, config)  # Refuses a base before patches are read.
    sets, test_sets = read_sets(request, read, progress, base.level)
    check_bands(base, shared_bands(sets), request.bands)
    for one in test_sets:
        findable_others(drop_copies(one).labels)  # Refuses now what could not be measured after the training.
    bands = base.product_bands or request.bands or shared_bands(sets)
    # Features of ours see all bands, also those that the network does not: they are measured, and named, as they are.
    whole = resize(gather(sets, test_sets=test_sets, bands=bands, whole=base.ours), base.side)
    seen = split(whole, hyperparameters.seed)
    parts = seen.on(bands)
    if parts.validation is None and not request.freeze and "learning_rate" not in request.hyperparameters:
        hyperparameters = unwatched_steps(base, hyperparameters)
    # What belongs to the base is read before the training, in which somebody may delete it.
    material = _Material(
        request=request, directory=directory, base=base, hyperparameters=hyperparameters, split=parts, seen=seen,
        test_sets=test_sets, before=learned_before(base),
        former=plan(request, config, former=True)[1],
        rival=_rival(base, seen, config, request.title),
    )  # fmt: skip
    return _as_it_began(material, whole), whole.title


def plan(request: TrainingRequest, config: Config, *, former: bool = False) -> tuple[Base, Hyperparameters]:
    """Return base and hyperparameters of a training, which can be asked before patches are read.

    Args:
        request: what is asked for.
        config: where models lie.
        former: True = the hyperparameters from before the best epoch was chosen.

    Raises:
        EncoderError: for a base that is unknown or damaged.
        TrainingError: for a base without weights, or when there is nothing to freeze.
        SettingsError: for a setting outside its range.
    """
    base = find_base(request.base, config)
    chosen = suited(base, freeze=request.freeze, former=former).with_changes(request.hyperparameters)
    epochs = chosen.epochs if request.epochs is None else request.epochs
    return base, replace(chosen, epochs=epochs, seed=request.seed)


def _ready(material: _Material) -> tuple[Initialised, Learner, Checkpoint]:
    """Make the network, what trains it, and what keeps it, as it was where the same training was stopped."""
    from core.encoders.saved_model.tensorflow import import_tensorflow

    import_tensorflow()
    from core.training.keras.end_to_end import EndToEnd
    from core.training.keras.head import HeadOnly
    from core.training.keras.initialise import initialise

    parts, hyperparameters = material.split, material.hyperparameters
    judges = parts.random if parts.validation is None else parts.validation
    known = judges if len(judges) >= FEWEST_TELLING else parts.train
    initial = initialise(
        material.base, parts.train, hyperparameters, freeze=material.request.freeze, known=known, usual=_usual(material)
    )
    train, held_out = (Examples(pixels=part.pixels, labels=part.labels) for part in (parts.train, judges))
    learner: Learner
    if material.request.freeze:
        learner = HeadOnly(initial.network, train, held_out, hyperparameters)
    else:
        learner = EndToEnd(
            initial.network, train, held_out, hyperparameters, bands=parts.train.bands, compiles=initial.compiles
        )
    weights = None if parts.validation is None else learner.weights
    checkpoint = Checkpoint(material.directory, learner.variables, *_keys(material), weights=weights)
    checkpoint.resume()
    return initial, learner, checkpoint


def _usual(material: _Material) -> Labelled | None:
    """Return patches of known land with all bands of the ground: held out, or kept apart; None = there are too few.

    With fewer bands others stand in, and land would count as usual that is strange in its own.
    """
    held_out = material.seen.random if material.seen.validation is None else material.seen.validation
    others = held_out if len(held_out) >= FEWEST_TELLING else material.seen.train
    side = material.split.train.pixels.shape[1]
    for one in (others, *material.test_sets):
        if set(GROUND_BANDS) <= set(one.bands) and len(one) >= FEWEST_USUAL:
            return resize(one, side)
    return None


def _keys(material: _Material) -> tuple[str, list[str]]:
    """Return what tells this training from any other, as it is written now, and as earlier versions wrote it.

    The latter know no validation part. Those of version 0.1 say nothing of the size of the network either, and
    variables of another one are not taken over.
    """
    chosen, parts = material.hyperparameters, material.split
    patches = [parts.train.digest(), parts.random.digest()]
    rest = [*patches, material.base.fingerprint, material.request.freeze]
    former = [json.dumps([names, *rest]) for names in (chosen.before_validation(), chosen.in_former_names())]
    if parts.validation is None:
        return json.dumps([asdict(chosen), *rest]), former
    rest.append(parts.validation.digest())
    return json.dumps([asdict(chosen), *rest]), [json.dumps([chosen.before_air(), *rest])]


def _as_it_began(material: _Material, whole: Labelled) -> _Material:
    """Return a training that was stopped before the best epoch was chosen as it was begun, else as it is."""
    kept = kept_key(material.directory)
    if kept is None:
        return material
    seen = split(whole, material.hyperparameters.seed, validates=False)
    parts = seen.on(material.split.train.bands)
    former = replace(material, split=parts, seen=seen, hyperparameters=material.former)
    return former if kept in _keys(former)[1] else material


def _rival(base: Base, parts: Split, config: Config, title: str) -> tuple[str, Path] | None:
    """Return title and directory of what a training has to be better than: its base, or the encoder there is anyway.

    The latter only where there are patches enough to tell, where it has not learned from them, and where it is not
    the one that is made again, by its title.
    """
    if base.directory is not None:
        return base_title(base), base.directory
    other = default_encoder()
    file = companion(other, LEARNED, config)
    if parts.validation is None or file is None:
        return None
    seen = TrainingPatches.load(file).holds_statistics(parts.random.bands, parts.random.band_statistics())
    rival = describe(other, config).title
    return None if rival == title or seen.mean() > MOST_SEEN else (rival, file.parent)


def _rivals(material: _Material, config: Config) -> dict[str, Any]:
    """Measure what the training has to be better than: its base, or from scratch the encoder that is there anyway."""
    rival = material.rival
    return {} if rival is None or not rival[1].is_dir() else asdict(rivals(*rival, material.seen, config))


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
    chosen = material.hyperparameters
    try:
        fit(
            learner, chosen, first=first, report=keep, progress=progress,
            begun=lambda found: checkpoint.consider(found) if material.base.directory is not None else None,
            enough=lambda: checkpoint.stalled(chosen.patience),
        )  # fmt: skip
    except JobCancelledError:
        if not checkpoint.history:
            checkpoint.remove()
            raise
        checkpoint.reload()
    checkpoint.restore_best()


def _write(material: _Material, initial: Initialised, card: dict[str, Any], config: Config) -> dict[str, Any]:
    """Write the model whole, its card with what the finished encoder measures on patches held out; gives the latter."""
    base, parts, test_sets = material.base, material.split, material.test_sets
    known = material.rival if material.rival is not None and material.rival[1].is_dir() else None
    with kept_when_full(material.directory), staged_model(material.directory) as staged:
        initial.write(staged, card["title"], card)
        measured = measure(
            staged, material.seen, test_sets, config=config, rival=known, base=base.name, before=base.directory
        )
        told = [*seen_before(material.before, parts, test_sets, card.get("base_title", "")), *measured.card["measured"]]
        found = measured.card | {"measured": told}
        (staged / CARD).write_text(json.dumps(card | found, indent=1, ensure_ascii=False), encoding="utf-8")
        (staged / LEARNED).write_bytes(all_learned(material.before, parts.train).to_bytes())
        measured.classifier.save(staged / CLASSES)
        if measured.novelty is not None:
            measured.novelty.save(staged / FAMILIAR)
        write_checksums(staged, whole=True)
    return found
