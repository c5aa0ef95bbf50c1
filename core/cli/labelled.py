"""The commands that learn from labels or measure by them; the others are ``core.cli.commands``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.cli.common import bar_of, check_new_folder, engine_of, open_source, warn
from core.config import Config
from core.training.trained_models import history_of

if TYPE_CHECKING:
    from core.training.hyperparameters import Epoch


def evaluate(options: argparse.Namespace, config: Config) -> Iterator[str]:
    """How well an encoder tells the classes of labelled patches apart, beside the plain spectrum; a table."""
    from core.encoders.registry import default_encoder
    from core.evaluation.benchmark import assess, table
    from core.evaluation.report.wording import left_out

    engine, found = engine_of(config), open_source(options, config)
    warn([found])
    with bar_of("Encoding", "patches") as progress:
        name = options.encoder or default_encoder()
        assessments = assess(engine, found, name, backend=options.backend, by=options.labels, progress=progress)
    sys.stderr.writelines(f"{sentence}\n" for sentence in left_out(assessments[0].copies))
    yield from table(assessments)


def finetune(options: argparse.Namespace, config: Config) -> Iterator[str]:
    """Train an encoder on labelled patches; its model card as JSON."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    from core.training.dataset import labelled
    from core.training.run import Wanted, look_up
    from core.training.run import finetune as train

    check_new_folder(options.out)
    bands = (
        None if options.train_bands is None else tuple(part.strip().upper() for part in options.train_bands.split(","))
    )
    wanted = Wanted(
        base=options.base, freeze=options.freeze is not None, bands=bands, epochs=options.epochs, seed=options.seed
    )
    epochs = look_up(wanted, config)[1].epochs
    scenes = [open_source(argparse.Namespace(**vars(options) | {"source": one}), config) for one in options.sources]
    apart = [open_source(argparse.Namespace(**vars(options) | {"source": one}), config) for one in options.apart]
    warn([*scenes, *apart])

    earlier = iter([len(history_of(options.out))])

    def tell(epoch: Epoch) -> None:
        for done in earlier:  # Before the first epoch that is told of.
            sys.stderr.write(_going_on(done, epoch.number))
        tqdm.write(
            f"epoch {epoch.number} of {epochs}: loss {epoch.loss:.3f}, "
            f"accuracy on held-out patches {epoch.accuracy:.3f}, {epoch.seconds:.0f} s",
            file=sys.stderr,
        )

    with bar_of("Training", "steps") as progress:
        card = train(
            [labelled(one, by=options.labels) for one in scenes], wanted, options.out,
            apart=[labelled(one) for one in apart],
            title=options.title or options.out.name, source=", ".join(one.name for one in scenes),
            limits=options.not_learned, report=tell, progress=progress, config=config,
        )  # fmt: skip
    yield json.dumps(card, indent=1, ensure_ascii=False)


def _going_on(done: int, first: int) -> str:
    """A line on a training that lay there, stopped after so many epochs; this one began with epoch ``first``."""
    if not done:
        return ""
    if first > 1:
        return f"going on after epoch {first - 1}\n"
    return "the training that was stopped here had other patches or settings; this one began anew\n"
