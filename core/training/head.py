"""A head: an encoder whose features are those of its base, and which names classes by a classifier learned on them.

It takes as long as encoding the patches does. Features stay as they are, so scenes need not be encoded again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from core.bands import fill_source
from core.config import Config
from core.encoders.base import EncoderSpec
from core.encoders.files import (
    CARD,
    CHECKSUMS,
    CLASSES,
    LEARNED,
    MODEL_FILES,
    NETWORK,
    README,
    SIDECAR,
    write_checksums,
)
from core.encoders.registry import companion, describe
from core.errors import TrainingError
from core.evaluation.retrieval import findable_others
from core.progress import Progress, part_of, silent
from core.training.base_model import SCRATCH, Base
from core.training.checkpoint import kept_when_full
from core.training.dataset import Labelled, ReadPatches, drop_copies, gather, read_sets
from core.training.evaluate import Measured, measure
from core.training.model_card import (
    all_learned,
    base_title,
    every_limit,
    learned_before,
    patches_card,
    seen_before,
    today,
)
from core.training.request import TrainingRequest
from core.training.split import Split, split
from core.training.trained_models import staged_model

_READING = 400
"""Thousandths of the work that reading the patches counts for."""

_ASKED = "Learning classes as a head"

_OWN = frozenset({CHECKSUMS, CARD, CLASSES, LEARNED})
"""Files of the base that are its own and not copied."""


def head_base(reference: str, config: Config) -> Base:
    """Return the encoder that a head is put on.

    Args:
        reference: what ``registry.describe`` takes.
        config: where models lie, and which are on offer.

    Raises:
        EncoderError: for an unknown or damaged model, or one whose files are not at hand.
        TrainingError: for nothing, or an encoder without files of its own.
    """
    if reference == SCRATCH:
        raise TrainingError(_ASKED, "there are no features yet to put it on", "choose an encoder to start from")
    spec: EncoderSpec = describe(reference, config)
    file = next((file for name in MODEL_FILES if (file := companion(reference, name, config)) is not None), None)
    if file is None:
        found = f"{spec.name} has no model files that could be kept with it"
        raise TrainingError(_ASKED, found, "choose another encoder")
    return Base(
        name=spec.name, directory=file.parent, fingerprint=spec.fingerprint, bands=spec.bands,
        input_size=spec.input_size, gain=spec.gain, dimension=spec.dimension, ours=False,
    )  # fmt: skip


def put_head(
    request: TrainingRequest, directory: Path, read: ReadPatches, *, progress: Progress = silent, config: Config
) -> dict[str, Any]:
    """Learn classes on the features of an encoder, and write that encoder with the classifier; gives the model card.

    Arguments and errors as of ``training.run.run``.
    """
    base = head_base(request.base, config)
    sets, test_sets = read_sets(request, read, part_of(progress, 0, _READING))
    for one in test_sets:
        findable_others(drop_copies(one).labels)
    whole = gather(sets, test_sets=test_sets, bands=request.bands)
    _check_seen(base, whole)
    parts = split(whole, request.seed)
    before = learned_before(base)
    card = {
        "title": request.title, "data": whole.title, "head": True, "base": base.name, "base_title": base_title(base),
        "base_fingerprint": base.fingerprint, "seed": request.seed, "limits": every_limit(request.limits, whole, base),
        **patches_card(parts, base), "date": today(),
    }  # fmt: skip
    with kept_when_full(directory), staged_model(directory) as staged:
        _copy(base, staged, request.title)
        found = _measured(staged, parts, test_sets, config, base.directory)
        seen = seen_before(before, parts, test_sets, str(card["base_title"]))
        card |= found.card | {"measured": [*seen, *found.card["measured"]]}
        (staged / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False), encoding="utf-8")
        (staged / LEARNED).write_bytes(all_learned(before, parts.train).to_bytes())
        found.classifier.save(staged / CLASSES)
        write_checksums(staged, whole=True)
    progress(1000, 1000)
    return card


def _check_seen(base: Base, whole: Labelled) -> None:
    """Refuse patches none of whose bands the encoder sees."""
    if all(fill_source(name, whole.bands) is None for name in base.bands):
        found = f"{base.name} sees {', '.join(base.bands)}, and the patches have {', '.join(whole.bands)}"
        raise TrainingError(
            "Learning classes as a head", found, "give patches with its bands, or choose another encoder"
        )


def _copy(base: Base, target: Path, title: str) -> None:
    """Copy the files that make the features, under another title; what tells of the base alone stays behind."""
    source = base.directory
    if source is None:
        return
    # The README of a model from elsewhere counts for its fingerprint, by which features are known.
    own = _OWN | {README} if (source / NETWORK).is_file() else _OWN
    shutil.copytree(source, target, ignore=lambda _folder, names: own & set(names), dirs_exist_ok=True)
    sidecar = target / SIDECAR
    stated = json.loads(sidecar.read_text(encoding="utf-8")) if sidecar.is_file() else {}
    sidecar.write_text(json.dumps(stated | {"title": title}, indent=1) + "\n", encoding="utf-8")


def _measured(staged: Path, parts: Split, test_sets: list[Labelled], config: Config, before: Path | None) -> Measured:
    write_checksums(staged)
    return measure(staged, parts, test_sets, config=config, before=before)
