"""The commands for views, which are searches of a scene: answering one, and opening one that somebody handed on."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import bar_of
from core.cli.destinations import check_out
from core.cli.options import add_encoding, add_overrides
from core.cli.sources import engine_of, open_source, recipe_of
from core.config import Config
from core.errors import SettingsError

if TYPE_CHECKING:
    from core.engine.bundles import OpenedBundle
    from core.engine.operations import Engine
    from core.engine.views import SearchView
    from core.features.recipe import Recipe
    from core.projection.settings import ProjectionSettings
    from core.scenes.patches import PatchRef
    from core.search.examples import Evidence
    from core.search.filters import Filters

BUNDLE_ENDINGS = (".zip",)
_ASKED = "Answering a view"
_WEIGHTED = re.compile(r"((?:[a-z0-9-]+:)?\d{1,9}):(\d{1,9}(?:\.\d{1,9})?)")
"""A patch, its scene before it or not, and how often it counts."""


class ViewCommand:
    """Find what a view of a scene finds, as the Explore page does, and write it as a file or a bundle.

    The scene is encoded first where it is not yet. What is looked for are words or examples. Examples are patch ids;
    one of another scene is SCENE:ID, and 3:2 is patch 3 counted twice. Best first: the file has the columns rank,
    similarity and measure, as “search” explains them, and what is known of each patch. “--min-similarity” lists all
    that fit at least so well, examples too; without it they are left out, and with “--apart” so are patches that touch
    a good one.

    Where the like of one patch is looked for it comes first, as rank 0.

    A file that ends in .zip is a bundle: recipe, checksum of the scene, labels, examples, filters and what was found,
    for “open-bundle” on another computer. It holds no pixels. The same view gives the same bytes.

    “--what” takes away something else that the pages show: “selected” patches (“--patches”), those “labelled”, all with
    their “classes” on the scene's map, all “patches”; “features” with a STAC item beside them; the “map” or the “plot”
    in the colours of a value (.png, .svg; a map as .zip is a GeoTIFF with a style for QGIS), the “class-map”, the
    “spectra” that tell why patches are alike (.json), a “report” (.html, .pdf), a “bundle”.
    """

    name = "view"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the source, the encoder, the cutting, what is looked for and where the result goes."""
        add_encoding(parser)
        parser.add_argument("--words", default="", metavar="WORDS", help="what is looked for, such as “bare soil”")
        parser.add_argument("--like", default="", metavar="N,N,…", help="patches that are what is looked for")
        parser.add_argument("--unlike", default="", metavar="N,N,…", help="patches that are not")
        parser.add_argument("--examples", metavar="JSON", help="areas and pictures as examples, as searches keep them")
        parser.add_argument(
            "--filters", metavar="JSON", help="conditions that patches have to meet, as bundles hold them"
        )
        parser.add_argument("-k", type=int, metavar="K", help="how many; default: all")
        parser.add_argument("--min-similarity", type=float, metavar="S", help="the least that counts")
        parser.add_argument("--seen", default="", metavar="N,N,…", help="patches that are left out, as seen before")
        parser.add_argument("--apart", action="store_true", help="leave out what touches a good example")
        parser.add_argument(
            "--out", type=Path, required=True, metavar="R.csv|B.zip", help="or .geojson, .gpkg, .parquet, .kml"
        )
        parser.add_argument("--what", default="", metavar="WHAT", help="what is written; default: what is found")
        parser.add_argument("--patches", default="", metavar="N,N,…", help="those that are selected")
        parser.add_argument("--colour", default="", metavar="VALUE", help="what colours map and plot, such as ndvi")
        parser.add_argument("--layout", metavar="JSON", help="how the plot is arranged, as bundles hold it")
        add_overrides(parser)

    def run(self, options: argparse.Namespace, config: Config) -> Iterable[str]:
        """Write the file."""
        from core.engine.exports.files import write_export
        from core.engine.exports.order import BUNDLE, FORMS_OF_PATCHES, FOUND, ExportOrder
        from core.engine.views import SearchView
        from core.export.formats import format_name

        ending = options.out.suffix.lower()
        what = options.what or (BUNDLE if ending in BUNDLE_ENDINGS else FOUND)
        check_out(options.out, _endings(options.what), options.source)
        engine, scene = engine_of(config), open_source(options, config)
        recipe = recipe_of(options, engine, scene)
        view = SearchView(
            recipe=recipe, evidence=_evidence(options, engine, recipe), filters=_filters(options.filters),
            count=options.k, least=options.min_similarity, apart=options.apart, words=options.words,
            seen=tuple(ref.patch for ref in _refs(options.seen, "--seen", recipe)),
        )  # fmt: skip
        order = ExportOrder(
            what=what, form=(format_name(options.out) if what in FORMS_OF_PATCHES else "") or ending[1:], view=view,
            patches=tuple(ref.patch for ref in _refs(options.patches, "--patches", recipe)),
            colour=options.colour, layout=_layout(options.layout),
        )  # fmt: skip
        with bar_of("Working", "steps") as progress:
            write_export(engine, order, options.out, progress=progress)
        return ()


class OpenBundleCommand:
    """Open a bundle that somebody handed on; print as JSON what it is, what it lacks here, and how to go on.

    “--out” writes what its view finds here, “--labels” takes its labels into the scene: patches that have a class here
    keep it. Where the scene or the encoder is not here, “lacks” says which, and nothing is changed.

    With “--out” its clusters are made again, and called and merged as there. Where somebody decided otherwise on those
    of the scene here, or they come out otherwise, they are left and “lacks” says so, and what of the filters with them.

    “same” tells whether what is found here is, byte by byte, what was found there; it takes “--out”.
    """

    name = "open-bundle"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the bundle, where the result goes, and whether labels are taken."""
        parser.add_argument("file", type=Path, metavar="B.zip")
        parser.add_argument("--out", type=Path, metavar="R.csv", help="or .geojson, .gpkg, .parquet, .kml, .zip")
        parser.add_argument("--labels", action="store_true", help="take its labels into the scene")

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Yield what it is as JSON."""
        from core.engine.bundles import open_bundle, take_clusters, take_labels
        from core.engine.exports.order import FOUND, ExportOrder
        from core.engine.snippets import command_of
        from core.export.bundle import read_bundle
        from core.export.formats import EXPORT_ENDINGS

        if options.out is not None:
            check_out(options.out, (*EXPORT_ENDINGS, *BUNDLE_ENDINGS), str(options.file))
        engine, name = engine_of(config), options.file.name
        opened = open_bundle(engine, read_bundle(options.file), name)
        if options.out is not None:
            opened = _clusters_found(engine, opened, name)
            take_clusters(engine, opened)
        scene = {key: opened.bundle.scene.get(key) for key in ("id", "name", "date", "checksum")}
        said: dict[str, Any] = {"scene": scene, "recipe": dict(opened.bundle.recipe), "lacks": list(opened.lacking)}
        if opened.view is not None:
            said["command"] = command_of(ExportOrder(what=FOUND, form="csv", view=opened.view), "results.csv")
            if options.labels:
                said["labels_taken"] = take_labels(engine, opened, name)
            if options.out is not None:
                said["same"] = _written(engine, opened.view, opened.bundle.tables, options.out)
        yield json.dumps(said, indent=1, ensure_ascii=False)
        if opened.view is None and (options.out is not None or options.labels):
            sys.stderr.write(f"{name}: nothing was written, because of what it lacks here\n")


def _clusters_found(engine: Engine, opened: OpenedBundle, name: str) -> OpenedBundle:
    """Return a bundle when its clusters are found here, as far as there are such; encodes first where needed."""
    from core.engine.bundles import open_bundle
    from core.errors import LandlikeError

    if opened.view is None or opened.clusters is None or not opened.to_find:
        return opened
    recipe = opened.view.recipe
    with bar_of("Finding clusters", "steps") as progress:
        engine.encode_now(engine.library.get(recipe.scene_id), recipe, progress=progress)
        try:
            engine.find_clusters_now(recipe, opened.clusters.settings, progress=progress)
        except LandlikeError as error:
            return opened.without_clusters(str(error))
    return open_bundle(engine, opened.bundle, name)


def _written(engine: Engine, view: SearchView, tables: Mapping[str, bytes], out: Path) -> bool:
    """Write what a view finds, and tell whether it is what the bundle's table says."""
    from core.engine.bundles import RESULTS, bundle_of, bundle_table
    from core.engine.views import answer
    from core.export.bundle import write_bundle
    from core.export.formats import write_rows

    with bar_of("Encoding", "patches") as progress:
        rows = answer(engine, view, progress=progress)
    if out.suffix.lower() in BUNDLE_ENDINGS:
        write_bundle(out, bundle_of(engine, view))
    else:
        write_rows(out, rows)
    there = tables.get(RESULTS)
    return bool(bundle_table(rows, there) == there)


def _evidence(options: argparse.Namespace, engine: Engine, recipe: Recipe) -> Evidence:
    """Return the examples of the options.

    Raises:
        SettingsError: for what is no patch, or JSON that makes no sense.
    """
    from core.engine.bundles import grids_of
    from core.search.examples import Evidence
    from core.search.saved import read_evidence

    good, bad = (_weighted(*given, recipe) for given in ((options.like, "--like"), (options.unlike, "--unlike")))
    named = Evidence.of(good, bad, weights=good | bad)
    if options.examples is None:
        return named
    try:
        more = read_evidence(json.loads(options.examples), "", grids_of(engine, recipe))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise SettingsError(_ASKED, "--examples is not as searches keep them", "copy it from the app again") from error
    if more.lost:
        sys.stderr.write(f"{more.lost} of --examples are of scenes that are not here, and do not count\n")
    return replace(named, examples=named.examples + more.evidence.examples)


def _weighted(text: str, option: str, recipe: Recipe) -> dict[PatchRef, float]:
    """Return patches, and how often each counts; a number and a number are a patch and how often."""
    from core.scenes.patches import PatchRef

    found: dict[PatchRef, float] = {}
    for part in (part.strip() for part in text.split(",") if part.strip()):
        named = _WEIGHTED.fullmatch(part)
        ref, weight = PatchRef.parse(part if named is None else named[1], recipe.scene_id), named and named[2]
        if ref is None:
            remedy = "give patch ids with commas between them, such as 3,17 or 3:2,17"
            raise SettingsError(_ASKED, f"“{part[:40]}” in {option} is no patch", remedy)
        found[ref] = float(weight) if weight else 1.0
    return found


def _refs(text: str, option: str, recipe: Recipe) -> list[PatchRef]:
    from core.scenes.patches import PatchRef

    parts = [part.strip() for part in text.split(",") if part.strip()]
    found: list[PatchRef] = []
    for part in parts:
        ref = PatchRef.parse(part, recipe.scene_id)
        if ref is None:
            remedy = "give patch ids with commas between them, such as 3,17"
            raise SettingsError(_ASKED, f"“{part[:40]}” in {option} is no patch", remedy)
        found.append(ref)
    return found


def _endings(what: str) -> tuple[str, ...]:
    """Return the endings of files of what is wanted; empty = what is found, or a bundle.

    Raises:
        SettingsError: when there is no such thing.
    """
    from core.engine.exports.order import CONTENTS, FORMS_OF_PATCHES
    from core.export.formats import EXPORT_ENDINGS

    if not what:
        return (*EXPORT_ENDINGS, *BUNDLE_ENDINGS)
    if what not in CONTENTS:
        raise SettingsError(_ASKED, f"there is no “{what[:40]}”", f"let --what be one of {', '.join(CONTENTS)}")
    return EXPORT_ENDINGS if what in FORMS_OF_PATCHES else tuple(f".{form}" for form in CONTENTS[what])


def _layout(text: str | None) -> ProjectionSettings | None:
    from core.projection.settings import ProjectionSettings

    if text is None:
        return None
    try:
        return ProjectionSettings(**json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        remedy = "copy it from the app again"
        raise SettingsError(_ASKED, "--layout is no JSON object of settings of a plot", remedy) from error


def _filters(text: str | None) -> Filters:
    from core.search.filters import Filters

    if text is None:
        return Filters()
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise SettingsError(_ASKED, "--filters is no JSON object", "copy it from the app again")
    return Filters.from_dict(values)
