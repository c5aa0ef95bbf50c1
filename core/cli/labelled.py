"""The commands that learn from labels or measure by them; the others are ``core.cli.commands``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from core.cli.common import bar_of, check_new_folder, engine_of, open_source, warn
from core.config import Config
from core.training.trained_models import history_of

if TYPE_CHECKING:
    from core.scenes.scene import Scene
    from core.training.hyperparameters import Epoch
    from core.training.request import TrainingRequest


def evaluate(options: argparse.Namespace, config: Config) -> Iterator[str]:
    """Measure how well an encoder tells the classes of labelled patches apart, beside the plain spectrum; a table."""
    from core.encoders.registry import default_encoder
    from core.evaluation.benchmark import assess, assessment_table
    from core.evaluation.report.wording import left_out

    engine, found = engine_of(config), open_source(options, config)
    warn([found])
    with bar_of("Encoding", "patches") as progress:
        name = options.encoder or default_encoder()
        assessments = assess(engine, found, name, backend=options.backend, by=options.labels, progress=progress)
    sys.stderr.writelines(f"{sentence}\n" for sentence in left_out(assessments[0].duplicates))
    yield from assessment_table(assessments)


def finetune(options: argparse.Namespace, config: Config) -> Iterator[str]:
    """Train an encoder on labelled patches; its model card as JSON."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    from core.scenes.library import Library
    from core.training.dataset import patches_of
    from core.training.request import label_set
    from core.training.run import plan, run

    check_new_folder(options.out)
    request = _request(options)
    epochs = plan(request, config)[1].epochs  # Refuses what it can before files are opened.
    scenes, tests = ([_open(one, options, config) for one in names] for names in (options.sources, options.apart))
    warn([*scenes, *tests])
    sets = tuple(label_set(one, options.labels) for one in scenes)
    request = replace(request, sets=sets, test_sets=tuple(label_set(one) for one in tests))

    earlier = iter([len(history_of(options.out))])

    def tell(epoch: Epoch) -> None:
        for done in earlier:  # Before the first epoch that is told of.
            sys.stderr.write(_going_on(done, epoch.number))
        tqdm.write(
            f"epoch {epoch.number} of {epochs}: loss {epoch.loss:.3f}, "
            f"accuracy on held-out patches {epoch.accuracy:.3f}, {epoch.seconds:.0f} s",
            file=sys.stderr,
        )

    with bar_of("Training", "‰") as progress:
        read = patches_of(Library(config.root))
        card = run(request, options.out, read, report=tell, progress=progress, config=config)
    yield json.dumps(card, indent=1, ensure_ascii=False)


def _open(source: str, options: argparse.Namespace, config: Config) -> Scene:
    return open_source(argparse.Namespace(**vars(options) | {"source": source}), config)


def _request(options: argparse.Namespace) -> TrainingRequest:
    """Return what the options ask for, besides the patches."""
    from core.training.request import TrainingRequest

    bands = options.train_bands
    return TrainingRequest(
        title=options.title or options.out.name,
        base=options.base,
        freeze=options.freeze is not None,
        epochs=options.epochs,
        bands=None if bands is None else tuple(part.strip().upper() for part in bands.split(",")),
        limits=tuple(options.not_learned),
        seed=options.seed,
    )


def _going_on(done: int, first: int) -> str:
    """Say in a line that a training lay there, stopped after so many epochs; this one began with epoch ``first``."""
    if not done:
        return ""
    if first > 1:
        return f"going on after epoch {first - 1}\n"
    return "the training that was stopped here had other patches or settings; this one began anew\n"
