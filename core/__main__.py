"""The command line, ``python -m core``: the same pipeline as the pages, without the queue.

Exit codes: 0 = done, 1 = the input was refused (one sentence on stderr), 2 = wrong usage, 130 = stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from core.cli import commands
from core.cli import labelled as labelled_commands
from core.config import hush, settings
from core.errors import LandlikeError

LABELS_HELP = "the truth of a scene, or what people gave its patches in the app; default: the truth if there is one"

STOPPED, CLOSED_PIPE = 130, 141
"""128 + the number of the signal, as shells count."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    options = _parser().parse_args(arguments)
    hush()
    try:
        for line in options.run(options, settings()):
            print(line)
        sys.stdout.flush()
    except LandlikeError as error:
        return _refuse(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except OSError as error:
        return _refuse(f"{options.command}: {error.strerror or error}; check the disk and its permissions.")
    except KeyboardInterrupt:
        print(f"{options.command}: stopped; what is stored so far is kept.", file=sys.stderr)
        return STOPPED
    return 0


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Find land like this, without the pages.")
    choice = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    source_help = "a file, a folder, a zip, the id of a scene in the library, or “sample”"

    encoders = choice.add_parser("encoders", help="list the encoders")
    encoders.set_defaults(run=commands.encoders)

    scene = choice.add_parser("scene", help="take a source into the library; prints its quality record as JSON")
    scene.add_argument("source", metavar="SOURCE", help=source_help)
    _add_overrides(scene)
    scene.set_defaults(run=commands.scene)

    embed = choice.add_parser("embed", help="encode the patches of a source into GeoParquet")
    embed.add_argument("source", metavar="SOURCE", help=source_help)
    embed.add_argument("--encoder", metavar="NAME|PATH", help="a name from “encoders”, or the path of a model")
    embed.add_argument("--backend", metavar="B", help="tensorflow, openvino or openvino-f32")
    embed.add_argument("--patch-size", type=int, metavar="PIXELS", help="a side; default: 64, or a collection's own")
    embed.add_argument("--stride", type=int, metavar="PIXELS", help="pixels from patch to patch; default: the size")
    embed.add_argument("--out", type=Path, required=True, metavar="F.parquet")
    _add_overrides(embed)
    embed.set_defaults(run=commands.embed)

    _add_labelled(choice)

    neighbours = choice.add_parser("neighbours", help="list the patches most similar to one, as JSON lines")
    neighbours.add_argument("file", type=Path, metavar="F.parquet")
    neighbours.add_argument("--patch-id", type=int, required=True, metavar="N")
    neighbours.add_argument("-k", type=int, default=10, metavar="K", help="how many; default 10")
    neighbours.set_defaults(run=commands.neighbours)

    report = choice.add_parser("report", help="how far features can be trusted, in sentences and tables")
    report.add_argument("file", type=Path, metavar="F.parquet")
    report.add_argument("--encoder", metavar="PATH", help="the model that made the file, if it is no encoder here")
    report.set_defaults(run=commands.report)

    project = choice.add_parser("project", help="add positions x, y of a layout in the plane")
    project.add_argument("file", type=Path, metavar="F.parquet")
    project.add_argument("--out", type=Path, required=True, metavar="G.parquet")
    project.add_argument("--neighbours", type=int, metavar="K", help="neighbours a point is placed by")
    project.add_argument("--min-dist", type=float, metavar="D", help="how close points may lie")
    project.add_argument("--metric", metavar="M", help="cosine, euclidean or correlation")
    project.add_argument("--seed", type=int, metavar="S")
    project.add_argument(
        "--method",
        default="fast",
        choices=["fast", "umap", "densmap", "supervised"],
        help="fast (default), umap and densmap by umap-learn, or supervised by the column “label”",
    )
    project.set_defaults(run=commands.project)

    sample = choice.add_parser("sample", help="write a synthetic scene")
    sample.add_argument("--size", type=int, default=2560, metavar="PIXELS")
    sample.add_argument("--seed", type=int, default=0, metavar="S")
    sample.add_argument("--out", type=Path, required=True, metavar="scene.tif")
    sample.set_defaults(run=commands.sample)

    serve = choice.add_parser("serve", help="start the app")
    serve.add_argument("--port", type=int, metavar="P", help="where to listen; default 8501, or LANDLIKE_PORT")
    serve.set_defaults(run=commands.serve)
    return parser


def _add_labelled(choice: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands that learn from labels or measure by them."""
    evaluate = choice.add_parser("evaluate", help="how well an encoder tells labelled patches apart; prints a table")
    evaluate.add_argument(
        "source", metavar="LABELLED", help="patches in folders named by class, or a scene with a truth"
    )
    evaluate.add_argument("--encoder", metavar="NAME|PATH", help="a name from “encoders”, or the path of a model")
    evaluate.add_argument("--backend", metavar="B", help="tensorflow, openvino or openvino-f32")
    evaluate.add_argument("--labels", choices=["truth", "hand"], help=LABELS_HELP)
    _add_overrides(evaluate)
    evaluate.set_defaults(run=labelled_commands.evaluate)

    finetune = choice.add_parser("finetune", help="train an encoder on labelled patches; prints its model card as JSON")
    finetune.add_argument(
        "sources", metavar="LABELLED", nargs="+", help="patches in folders named by class, or a scene with a truth"
    )
    finetune.add_argument(
        "--from",
        dest="base",
        metavar="NAME|PATH|scratch",
        default="scratch",
        help="what to go on from: a name from “encoders”, or the path of a model; default: scratch",
    )
    finetune.add_argument(
        "--freeze", choices=["body"], help="train only what follows the body of that model, which takes seconds"
    )
    finetune.add_argument(
        "--apart",
        metavar="LABELLED",
        nargs="*",
        default=[],
        help="leave out what shows the same places: files of the same names",
    )
    finetune.add_argument(
        "--bands",
        dest="train_bands",  # ``bands`` are those of the file in every command
        metavar="B02,B03,…",
        help="the bands the network learns from; default: all that the patches share",
    )
    finetune.add_argument("--labels", choices=["truth", "hand"], help=LABELS_HELP)
    finetune.add_argument(
        "--epochs", type=int, metavar="N", help="passes over the patches; default: what suits the start"
    )
    finetune.add_argument("--seed", type=int, default=0, metavar="S")
    finetune.add_argument(
        "--not-learned", action="append", default=[], metavar="TEXT",
        help="what the model card says besides of what it has not learned; may be given several times",
    )  # fmt: skip
    finetune.add_argument("--title", metavar="T", help="what pages call it; default: the name of the folder")
    finetune.add_argument("--out", type=Path, required=True, metavar="DIR")
    _add_overrides(finetune, bands="--file-bands")
    finetune.set_defaults(run=labelled_commands.finetune)


def _add_overrides(parser: argparse.ArgumentParser, bands: str = "--bands") -> None:
    """The decisions that a person may take out of the ingest's hands; ``bands`` is what that of the bands is called."""
    group = parser.add_argument_group("decide instead of the ingest")
    group.add_argument(
        bands, dest="bands", metavar="B01,B02,…", help="the bands in the order of the file; - leaves one out"
    )
    group.add_argument("--scale", metavar="S", help="auto, dn, dn+1000, unit or 65535")
    group.add_argument("--date", metavar="YYYY-MM-DD")
    group.add_argument("--level", metavar="L", help="L1C or L2A")
    group.add_argument("--crs", metavar="EPSG:N")
    group.add_argument("--nodata", type=float, metavar="X")
    group.add_argument("--time", type=int, metavar="I", help="which date of an array of several, from 0")


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    warnings.simplefilter("ignore")
    status = main()
    if status == STOPPED:  # Threads of libraries may still be at work, and would abort the process when Python ends.
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
