"""The commands that measure: report on a file of features, evaluate on labelled patches."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from core.cli.common import (
    BACKEND_HELP,
    ENCODER_HELP,
    LABELLED_HELP,
    LABELS_HELP,
    add_overrides,
    bar_of,
    engine_of,
    open_source,
    warn,
)
from core.config import Config


class ReportCommand:
    """Say how far features can be trusted, in sentences and tables.

    It measures what the file allows, and says of the rest why it was not measured. Classes of your own go into the
    file's column “label”. The plain spectrum beside them is read from the scene's pixels. Where the scene is gone, it
    is made roughly of the file's band means.

    A patch is asked for at most as many neighbours as its class has others. Copies count once, and not at all where
    they stand for two classes. What was left out is said.

    Where “project” was run before, the layout is judged too. Where the scene is in the library, 200 patches are
    encoded again on a shifted grid.
    """

    name = "report"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the file and its encoder."""
        parser.add_argument("file", type=Path, metavar="F.parquet")
        parser.add_argument("--encoder", metavar="PATH", help="the model that made the file, if it is no encoder here")

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Yield the report."""
        from core.evaluation.report.file import report_on_file
        from core.export.geoparquet import read_geoparquet

        yield from report_on_file(options.file, read_geoparquet(options.file), config, bar_of, options.encoder)


class EvaluateCommand:
    """Say how well an encoder tells labelled patches apart; print a table.

    The table has the share of neighbours of the same class and the accuracy of a linear classifier, with 95 %
    intervals, beside the same of the plain spectrum. What was left out of the count is said on stderr.

    The source is taken into the library. With “--labels hand” the labels count that were given in the app.
    """

    name = "evaluate"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the source, the encoder and where classes come from."""
        parser.add_argument("source", metavar="LABELLED", help=LABELLED_HELP)
        parser.add_argument("--encoder", metavar="NAME|PATH", help=ENCODER_HELP)
        parser.add_argument("--backend", metavar="B", help=BACKEND_HELP)
        parser.add_argument("--labels", choices=["truth", "hand"], help=LABELS_HELP)
        add_overrides(parser)

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Yield the table."""
        from core.encoders.registry import default_encoder
        from core.evaluation.benchmark import assess, assessment_table
        from core.evaluation.report.wording import left_out

        engine, scene = engine_of(config), open_source(options, config)
        warn([scene])
        with bar_of("Encoding", "patches") as progress:
            name = options.encoder or default_encoder()
            assessments = assess(engine, scene, name, backend=options.backend, by=options.labels, progress=progress)
        sys.stderr.writelines(f"{sentence}\n" for sentence in left_out(assessments[0].duplicates))
        yield from assessment_table(assessments)
