"""The command that trains an encoder."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import bar_of
from core.cli.destinations import check_new_folder
from core.cli.options import LABELLED_HELP, LABELS_HELP, add_overrides, add_places, cut_of
from core.cli.sources import open_source, warn
from core.config import Config
from core.training.trained_models import history_of

if TYPE_CHECKING:
    from core.training.hyperparameters import Epoch
    from core.training.request import TrainingRequest


class FinetuneCommand:
    """Train an encoder on labelled patches; print its model card as JSON.

    The sources are zips of class folders, or scenes with a truth. They are taken into the library. The result is a
    SavedModel directory with a model card; give that directory as an encoder.

    From scratch it trains a small residual network and joins it with spectral statistics. It learns from all bands
    that the patches share, or from those named by “--bands”. (The bands in the order of the file are “--file-bands”
    here.)

    “--from” goes on from a model: one that this command wrote, or any TF-Hub module or SavedModel with variables. Its
    bands, scale, input size and number of features stay. “--freeze body” trains only what follows the body, on features
    computed once: the last layer of a network of ours; on a module, a new linear layer of 128 features. “--freeze
    features” makes a head: features stay those of the model, any SavedModel or ONNX model, and a classifier on them is
    learned, in seconds.

    A fifth of the patches is held out at random. Where places are known, whole blocks of land are held out besides: 28
    km, or a fifth of a smaller area, 2 km at least. The card has both accuracies. Of the rest, where there are enough,
    a fifth tells after each epoch how good it is. The best epoch is written, 0 being the model that is gone on from.
    When no epoch is better for a while, the training ends. Copies count once. Files of one name
    in one class show one place, and are held out together. Files of one name in “--apart” are left out, so that the
    encoder can be measured on them.

    Scenes are cut into patches of 64 pixels, side by side, or as “--patch” says. Patches that people labelled are
    learned as they were cut then. A collection keeps its own patches.

    A training that is killed goes on after its last epoch when the command is repeated. It ends with the weights it
    would have had. The finished encoder is measured on the held-out patches and on the sets in “--apart”, beside the
    plain spectrum.

    What it learned from is kept beside it: a sample of features and of band statistics (familiar.npz), by which patches
    unlike it are known later, and the band statistics of all patches (learned.npz), by which they are known again, so
    that figures measured on them are said to be too good.
    """

    name = "finetune"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the sources, what to go on from, how to train and where the model goes."""
        parser.add_argument("sources", metavar="LABELLED", nargs="+", help=LABELLED_HELP)
        _add_start(parser)
        parser.add_argument(
            "--apart",
            "--test-sets",
            dest="apart",
            metavar="LABELLED",
            nargs="*",
            default=[],
            help="measure the encoder on these, and leave out what shows the same places: files of the same names",
        )
        parser.add_argument("--labels", choices=["truth", "hand"], help=LABELS_HELP)
        parser.add_argument(
            "--epochs", type=int, metavar="N", help="passes over the patches; default: what suits the start"
        )
        parser.add_argument("--seed", type=int, default=0, metavar="S")
        _add_words(parser)
        add_places(parser)
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        add_overrides(parser, bands="--file-bands")

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Yield the model card; epochs are told on stderr as they end."""
        from tqdm import tqdm  # type: ignore[import-untyped]

        from core.scenes.library import Library
        from core.training.dataset import reader_of
        from core.training.head import head_base
        from core.training.request import label_set
        from core.training.run import plan, run

        check_new_folder(options.out)
        request = _request(options)
        epochs = 0 if request.head else plan(request, config)[1].epochs  # Refuses what it can before files are opened.
        if request.head:
            head_base(request.base, config)
        scenes, tests = (
            [open_source(options, config, one) for one in names] for names in (options.sources, options.apart)
        )
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
            own = options.patch_size is None and options.stride is None and options.edge == "leave"
            read = reader_of(Library(config.root), lambda scene: None if own else cut_of(options, scene))
            card = run(request, options.out, read, report=tell, progress=progress, config=config)
        sys.stderr.write(verdict_line(card))
        yield json.dumps(card, indent=1, ensure_ascii=False)


def _add_start(parser: argparse.ArgumentParser) -> None:
    """Add what the training starts from and what of it is trained."""
    parser.add_argument(
        "--from",
        dest="base",
        metavar="NAME|PATH|scratch",
        default="scratch",
        help="what to go on from: a name from “encoders”, or the path of a model; default: scratch",
    )
    parser.add_argument(
        "--freeze",
        choices=["body", "features"],
        help="train only what follows the body of that model, or only a classifier on its features; takes seconds",
    )
    parser.add_argument(
        "--bands",
        dest="train_bands",  # ``bands`` are those of the file in every command
        metavar="B02,B03,…",
        help="the bands the network learns from; default: all that the patches share",
    )


def _add_words(parser: argparse.ArgumentParser) -> None:
    """Add what the model card says."""
    parser.add_argument(
        "--not-learned", action="append", default=[], metavar="TEXT",
        help="what the model card says besides of what it has not learned; may be given several times",
    )  # fmt: skip
    parser.add_argument("--title", metavar="T", help="what pages call it; default: the name of the folder")


def _request(options: argparse.Namespace) -> TrainingRequest:
    """Return what the options ask for, besides the patches."""
    from core.training.request import TrainingRequest

    bands = options.train_bands
    return TrainingRequest(
        title=options.title or options.out.name,
        base=options.base,
        freeze=options.freeze == "body",
        head=options.freeze == "features",
        epochs=options.epochs,
        bands=None if bands is None else tuple(part.strip().upper() for part in bands.split(",")),
        limits=tuple(options.not_learned),
        seed=options.seed,
    )


def verdict_line(card: Mapping[str, Any]) -> str:
    """Return a line that offers a head where a training was not worth it; else nothing."""
    verdict = card.get("verdict")
    if not verdict or verdict["worth"]:
        return ""
    found = "are named worse than by" if verdict["worse"] else "cannot tell this model from"
    return f"held-out patches {found} a head on {verdict['against']}, which “--freeze features” makes in seconds\n"


def _going_on(done: int, first: int) -> str:
    """Return a line on a training that lay there, stopped after so many epochs; this one began with epoch ``first``."""
    if not done:
        return ""
    if first > 1:
        return f"going on after epoch {first - 1}\n"
    return "the training that was stopped here had other patches or settings; this one began anew\n"
