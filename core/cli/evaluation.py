"""The commands that measure: report on a file of features, evaluate on labelled patches."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import bar_of
from core.cli.destinations import check_out
from core.cli.options import BACKEND_HELP, ENCODER_HELP, LABELLED_HELP, LABELS_HELP, add_file, add_overrides
from core.cli.sources import engine_of, first_encoder_of, open_source, read_features, warn
from core.config import Config
from core.errors import EncoderError, SettingsError
from core.files import disk_errors

if TYPE_CHECKING:
    from core.engine.operations import Engine
    from core.evaluation.land import LandRetrieval
    from core.report.contents import ReportContents
    from core.scenes.scene import Scene


class ReportCommand:
    """Say how far features can be trusted, in sentences and tables.

    It begins with a verdict, “Holds well” (without classes “Holds so far”), “Holds partly” or “Do not rely”, and a line
    for each question.

    It measures what the file allows, and says of the rest why it was not measured. Classes of your own go into the
    file's column “label”. The plain spectrum beside them is read from the scene's pixels. Where the scene is gone, it
    is made roughly of the file's band means.

    A patch is asked for at most as many neighbours as its class has others. Copies count once, and not at all where
    they stand for two classes. What was left out is said.

    Where “project” was run before, the layout is judged too. Where the scene is in the library, 200 patches are
    encoded again on a shifted grid.

    “--html” and “--pdf” write a report to print or hand on: scene, what was assumed, encoder, trust, pictures, classes
    and areas. Classes are those of a map (“--classes C.parquet”) or of the file. “--sample” with “--areas” adds
    accuracy and areas with 95 % intervals from a judged sample.
    """

    name = "report"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the file and its encoder."""
        add_file(parser)
        parser.add_argument("--encoder", metavar="PATH", help="the model that made the file, if it is no encoder here")
        printed = parser.add_argument_group("a report to print")
        printed.add_argument("--html", type=Path, metavar="R.html", help="write it as one HTML file")
        printed.add_argument("--pdf", type=Path, metavar="R.pdf", help="write it as PDF")
        printed.add_argument("--classes", type=Path, metavar="C.parquet", help="a map of classes, by “classify”")
        printed.add_argument("--sample", type=Path, metavar="S.csv", help="a judged sample of the map")
        printed.add_argument("--areas", type=Path, metavar="A.csv", help="hectares of its strata")

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Yield the report, and write it where that is asked for."""
        from core.evaluation.report.file import report_on_file

        for path, endings in ((options.html, HTML_ENDINGS), (options.pdf, PDF_ENDINGS)):
            if path is not None:
                check_out(path, endings, str(options.file))
        classes = _classes(options)
        found = read_features(options, config)
        measured = report_on_file(options.file, found, config, bar_of, options.encoder)
        if options.html is not None or options.pdf is not None:
            from core.report.contents import report_contents

            made = datetime.now(UTC).date().isoformat()
            _print_out(options, report_contents(found, measured, made=made, **classes))
        yield from (measured.beside_map() if options.classes or options.areas else measured).lines()


HTML_ENDINGS, PDF_ENDINGS = (".html", ".htm"), (".pdf",)


def _classes(options: argparse.Namespace) -> dict[str, Any]:
    """Return what is known of a map of classes, as ``report_contents`` takes it.

    Raises:
        SettingsError: for a sample without areas, or classes without a report.
    """
    from core.classification.areas.class_map import read_classified
    from core.classification.areas.estimation import estimate_accuracy
    from core.classification.areas.ground import areas_of, counted_words
    from core.classification.areas.tables import read_areas, read_sample

    asked = "Reporting on classes"
    if not (options.html or options.pdf) and (options.classes or options.sample or options.areas):
        raise SettingsError(asked, "nothing is to be written", "give --html or --pdf too")
    if options.sample is not None and options.areas is None and options.classes is None:
        raise SettingsError(asked, "the areas of the sample's strata are missing", "give --areas or --classes too")
    classified = None if options.classes is None else read_classified(options.classes)
    areas = None if options.areas is None else read_areas(options.areas)
    said = ""
    if areas is None and classified is not None and options.sample is not None:
        areas, said = areas_of(classified), counted_words(classified)
    if options.sample is None or areas is None:
        return {"classified": classified, "areas": areas}
    assessment = estimate_accuracy(read_sample(options.sample, areas), areas)
    return {"classified": classified, "areas": areas, "assessment": assessment, "areas_said": said}


def _print_out(options: argparse.Namespace, contents: ReportContents) -> None:
    """Write a report in the forms that are asked for, whole or not at all."""
    from core.files import disk_errors, replacing
    from core.report.html import html_report
    from core.report.pdf import pdf_report

    forms: list[tuple[Path | None, Callable[[], bytes]]] = [
        (options.html, lambda: html_report(contents).encode()),
        (options.pdf, lambda: pdf_report(contents)),
    ]
    for path, form in forms:
        if path is None:
            continue
        asked, advice = f"Writing “{path.name}”", "free some space or choose another place"
        with disk_errors(asked, full=advice, other="choose another place"), replacing(path) as fresh:
            fresh.write_bytes(form())


class EvaluateCommand:
    """Say how well an encoder tells labelled patches apart; print a table.

    The table has the share of neighbours of the same class and the accuracy of a linear classifier, with 95 %
    intervals, beside the same of the plain spectrum. What was left out of the count is said on stderr.

    The source is taken into the library. With “--labels hand” the labels count that were given in the app.

    With “--truth” a map of classes says what each patch of a scene holds. The table then has how much of their land a
    patch and its nearest share, and how often they have the same commonest class, beside the plain spectrum, the best
    possible and chance. Patches of mixed land count too. The map is any GeoTIFF with a code or a colour for each class,
    and is kept with the scene, in place of one that was added before. “--land” measures by the one that is there.

    “--into-card” writes that into the card of an encoder of ours, in place of what it said of a scene of that name. The
    Models page shows it to whoever has the encoder.
    """

    name = "evaluate"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the source, the encoder and where classes come from."""
        parser.add_argument("source", metavar="LABELLED", help=LABELLED_HELP)
        parser.add_argument("--encoder", metavar="NAME|PATH", help=ENCODER_HELP)
        parser.add_argument("--backend", metavar="B", help=BACKEND_HELP)
        parser.add_argument("--labels", choices=["truth", "hand"], help=LABELS_HELP)
        land = parser.add_argument_group("measure by a map of classes")
        land.add_argument("--truth", type=Path, metavar="MAP.tif", help="a raster of classes, or a zip of one")
        land.add_argument(
            "--classes", metavar="NAMES.csv|0=water,1=trees",
            help="what the codes mean, where the map does not say it; several codes of one name are one class",
        )  # fmt: skip
        land.add_argument("--land", action="store_true", help="by the map that the scene has already")
        land.add_argument("-k", type=int, metavar="N", help="neighbours of a patch; default: 10")
        land.add_argument(
            "--not-asked", action="append", metavar="CLASS,…",
            help="leave out as questions, not as answers, patches that are half or more of these classes",
        )  # fmt: skip
        land.add_argument("--json", action="store_true", help="print the figures as JSON")
        land.add_argument(
            "--into-card", action="store_true", help="write the figures into the card of the encoder, a model of ours"
        )
        land.add_argument("--remark", metavar="SENTENCE", default="", help="what the card says to keep in mind of them")
        add_overrides(parser)

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Yield the table."""
        from core.evaluation.benchmark import assess, assessment_table
        from core.evaluation.report.caveats import left_out

        engine, scene = engine_of(config), open_source(options, config)
        warn([scene])
        if _by_land(options):
            yield from _land(engine, scene, options)
            return
        with bar_of("Encoding", "patches") as progress:
            name = options.encoder or first_encoder_of(scene)
            assessments = assess(engine, scene, name, backend=options.backend, by=options.labels, progress=progress)
        sys.stderr.writelines(f"{sentence}\n" for sentence in left_out(assessments[0].duplicates))
        yield from assessment_table(assessments)


def _by_land(options: argparse.Namespace) -> bool:
    """Tell whether anything is asked that only a map of classes answers.

    Raises:
        SettingsError: when something else is asked that does not go with it.
    """
    wanted = options.truth is not None or options.land or options.json or options.k is not None
    wanted = wanted or bool(options.not_asked) or options.into_card
    if options.classes is not None and options.truth is None:
        raise SettingsError("Naming classes", "there is no map with --truth", "give the map too")
    if options.remark and not options.into_card:
        raise SettingsError("Remarking on figures", "they go into no card", "give --into-card too")
    if wanted and options.labels == "hand":
        raise SettingsError("Measuring by a map of classes", "labels by hand are asked for", "leave --labels out")
    return wanted


def _land(engine: Engine, scene: Scene, options: argparse.Namespace) -> Iterator[str]:
    """Take the map in where one is given, and yield the table or the JSON."""
    from core.evaluation.benchmark import assess_land, land_table
    from core.evaluation.land import K, check_count

    # All that can be refused is, before a map replaces the one that is there.
    count = check_count(K if options.k is None else options.k)
    encoder = options.encoder or first_encoder_of(scene)
    engine.recipe(scene, encoder, backend=options.backend)
    not_asked = [name for part in options.not_asked or () for name in part.split(",") if name.strip()]
    if options.truth is not None:
        _add_map(engine, scene, options, not_asked)
    with bar_of("Encoding", "patches") as progress:
        found = assess_land(
            engine, scene, encoder, backend=options.backend, k=count,
            not_asked=not_asked if options.not_asked else None, progress=progress,
        )  # fmt: skip
    if options.into_card:
        _into_card(encoder, scene, found.found, options.remark, engine.config)
    if options.json:
        yield json.dumps({"scene": scene.name} | found.to_dict(), indent=1, ensure_ascii=False)
    else:
        yield from land_table(found)


def _into_card(encoder: str, scene: Scene, found: LandRetrieval, remark: str, config: Config) -> None:
    """Write figures into the card of an encoder.

    Raises:
        EncoderError: when it has none.
    """
    from core.encoders.files import CARD
    from core.encoders.registry import companion
    from core.training.land_figures import note_land

    asked, card = "Noting figures of land in a card", companion(encoder, CARD, config)
    if card is None:
        raise EncoderError(asked, f"“{encoder}” has none", "name an encoder that was trained here")
    with disk_errors(asked, full="free some space", other="copy the model to where it can be written"):
        note_land(card.parent, scene.name, found, remark)


def _add_map(engine: Engine, scene: Scene, options: argparse.Namespace, having: Sequence[str]) -> None:
    """Keep a map of classes with a scene, and say on stderr what was assumed of it."""
    from core.ingest.truth.adding import add_map, with_files_beside

    named = options.classes or ""
    table = [Path(named)] if named and Path(named).suffix.lower() == ".csv" else []
    with bar_of("Reading the map", "rows") as progress:
        truth = add_map(
            [*with_files_beside(options.truth), *table], engine.library, scene, classes="" if table else named,
            fewest=2, having=having, progress=progress,
        )  # fmt: skip
    for line in truth.findings:
        if line.basis in {"warning", "assumed"}:
            sys.stderr.write(f"{options.truth.name}: {line.topic}: {line.value} ({line.because})\n")
