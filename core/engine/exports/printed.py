"""The report of a view: scene, what was looked for, the map on show, classes and areas, and how far to trust it."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.classification.areas.ground import strata_of
from core.engine.class_map import head_or_none
from core.engine.exports.classified import map_classes
from core.engine.exports.maps import coloured_by, legend_lines, map_image, scattered
from core.engine.exports.order import ExportOrder
from core.engine.land_areas import CHANGED_SINCE, classified_patches, land_areas, measured_patches
from core.engine.library_source import LibrarySource
from core.engine.views import SearchView, results
from core.errors import SettingsError
from core.evaluation.report.file import report_on_file
from core.export.geometry import patch_shapes
from core.export.geoparquet import add_positions, read_geoparquet, write_geoparquet
from core.export.picture import painted, pale
from core.export.raster import map_cells
from core.imagery.render import quicklook
from core.progress import Progress
from core.report.classes import Facts
from core.report.contents import ReportContents, report_contents
from core.report.html import html_report
from core.report.pictures import GROUND_OF, EmbeddedPicture, embedded, patch_picture
from core.report.searched import MOST_PICTURED, SearchPart
from core.scenes.location import bounds_lonlat
from core.scenes.outline_areas import HECTARE
from core.similarity.neighbours import Neighbours
from core.similarity.scores import score_digits, score_texts, step_digits
from core.values.registry import export_columns
from core.values.similarity import SIMILARITY

_SIDE = 1200
"""Pixels of the longer side of a map."""
_STAGES, _PARTS = 6, 1000
"""What a report is made of, about, and the units in which its progress is told."""


def report_file(source: LibrarySource, order: ExportOrder, *, progress: Progress) -> bytes:
    """Return the report as HTML or PDF.

    Raises:
        LandlikeError: when the scene's features cannot be measured.
    """
    contents = view_report(source, order, progress=progress)
    if order.form == "html":
        return html_report(contents).encode()
    from core.report.pdf import pdf_report  # fpdf reads fonts' tables when it is imported, which no page needs.

    return pdf_report(contents)


def view_report(source: LibrarySource, order: ExportOrder, *, progress: Progress) -> ReportContents:
    """Return what the report says; measures what is measured, a stage after the other."""
    engine, recipe = source.engine, source.recipe
    stages = _Stages(progress)
    with tempfile.TemporaryDirectory(prefix="landlike-report-") as folder:
        path = Path(folder) / f"{source.scene.id}.parquet"
        features = engine.features(recipe)
        write_geoparquet(
            path,
            source.scene,
            source.grid,
            features,
            engine.spec_that_ran(source.scene, recipe),
            values=export_columns(source),
        )
        points = None if order.layout is None else source.layout(order.layout)
        if points is not None:
            add_positions(path, path, points)
        found = read_geoparquet(path)
        measured = report_on_file(path, found, engine.config, stages.bar)
    classes = _classes(source)
    made = datetime.now(UTC).date().isoformat()
    said = report_contents(
        found, measured, made=made, search=_search(source, order.view), coloured=_coloured(source, order), **classes
    )
    progress(_PARTS, _PARTS)
    return said


class _Stages:
    """Tells the progress of one stage after the other as that of the whole."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._stage = progress, 0

    @contextmanager
    def bar(self, _title: str, _unit: str) -> Iterator[Progress]:
        """Give the progress of the next stage."""
        begun = self._stage

        def tell(done: int, total: int) -> None:
            share = (begun + min(1.0, done / max(total, 1))) / _STAGES
            self._progress(min(_PARTS - 1, int(_PARTS * share)), _PARTS)

        tell(0, 1)
        yield tell
        self._stage = min(self._stage + 1, _STAGES - 1)


def _classes(source: LibrarySource) -> dict[str, Any]:
    """Return the map of classes as ``report_contents`` takes it, with what a judged sample tells of it.

    Hectares are those of the Classify page: none of vectors of points, nor of patches whose place is not known.
    """
    found, every, measured = source.classified(), classified_patches(source), measured_patches(source)
    if found is None or every is None:
        return {}
    head = head_or_none(source)
    colours = {} if head is None else {one.name: one.colour for one in map_classes(source, head)}
    patches = every if measured is None else measured[0]
    classified = replace(patches, shapes=patch_shapes(source.scene, source.grid, patches.ids))
    if measured is None:
        return {"classified": classified, "colours": colours}
    land = land_areas(source)
    changed = (CHANGED_SINCE,) if land.estimated is not None and land.changed else ()
    return {
        "classified": classified, "areas": strata_of(patches.strata, measured[1]), "assessment": land.estimated,
        "areas_said": " ".join((*changed, *land.said)), "colours": colours,
    }  # fmt: skip


def _coloured(source: LibrarySource, order: ExportOrder) -> tuple[EmbeddedPicture, tuple[tuple[str, str], ...]] | None:
    """Return the map on show and its legend; None without a value, and for collections without a place."""
    apart = source.scene.is_collection
    if apart and bounds_lonlat(source.scene) is None:
        return None
    try:
        value, values, legend = coloured_by(source, order)
    except SettingsError:
        return None
    cells = value.cells(source, order.asked)
    image, _ = scattered(source, values, legend) if apart else map_image(source, values, legend, cells, _SIDE)
    about = value.about_of(source)
    caption = f"{value.title[:1].upper()}{value.title[1:]}{f': {about}' if about else ''}"
    lines = tuple((words, colour) for colour, words in legend_lines(legend, values if cells is None else cells.values))
    caption = f"{caption}. {GROUND_OF}" if apart else caption
    return embedded(image, f"The scene coloured by {value.title}", caption), lines


def _search(source: LibrarySource, view: SearchView) -> SearchPart | None:
    """Return what was looked for and found; None where nothing was."""
    if not (view.words or view.evidence.examples):
        return None
    found, measure = results(source, view)
    shown = slice(0, MOST_PICTURED)
    pairs = zip(found.ids[shown].tolist(), score_texts(found.similarity[shown].tolist()), strict=True)
    picture, legend = _found_map(source, found)
    return SearchPart(
        sentences=tuple(_sentences(source, view, found, measure.title)),
        good=tuple(patch_picture(source.scene, source.grid, one) for one in view.patches(good=True)[shown]),
        bad=tuple(patch_picture(source.scene, source.grid, one) for one in view.patches(good=False)[shown]),
        found=tuple(
            patch_picture(source.scene, source.grid, one, f"{one} · {alike}") for one, alike in pairs
        ),
        picture=picture, legend=legend,
    )  # fmt: skip


def _sentences(source: LibrarySource, view: SearchView, found: Neighbours, measure: str) -> Iterator[str]:
    good, bad = (sum(one.good is sign for one in view.evidence.examples) for sign in (True, False))
    if view.words:
        yield f"Land that matches the words “{view.words}”."
    else:
        unlike = f" and unlike {bad:,} bad" if bad else ""
        yield f"Land like {good:,} good example{'' if good == 1 else 's'}{unlike}."
    how = (
        f"All that score {view.least:.{score_digits([view.least], 3)}f} or more"
        if view.least is not None
        else "The best"
    )
    apart = ", without patches that touch an example" if view.apart and view.least is None and good else ""
    yield f"{how} by {measure}{apart}; of patches that meet: {view.filters.told(source)}."
    areas = source.areas()
    ground = None if areas is None else areas.together(found.ids) / HECTARE
    yield f"Found: {len(found):,} of {len(source.table):,} patches{'' if ground is None else f', {ground:,.0f} ha'}."


def _found_map(source: LibrarySource, found: Neighbours) -> tuple[EmbeddedPicture | None, Facts]:
    """Return where all that was found lies, in the colours of how well it fits, and their legend; None without a place.

    The ground is pale and without colour: weak hits are dark, and would not be seen on dark forest.
    """
    apart = source.scene.is_collection
    if not len(found) or (apart and bounds_lonlat(source.scene) is None):
        return None, ()
    low, high = float(found.similarity.min()), float(found.similarity.max())
    digits = step_digits((high - low) / 5, least=2)
    scale = replace(SIMILARITY.scale, low_word="weakest", high_word="strongest", digits=digits)
    legend = scale.legend(min(low, high - 1e-6), high)
    best, least = score_texts([high, low])
    lines = tuple((words, colour) for colour, words in legend_lines(legend, found.similarity))
    caption = f"Where it lies, by scores from {least} to {best}"
    if apart:
        scores = np.full(len(source.table), np.nan, np.float32)
        scores[source.table.positions(found.ids)] = found.similarity
        image, _ = scattered(source, scores, legend)
        return embedded(image, "Where the patches that were found lie", f"{caption}. {GROUND_OF}"), lines
    colours, _ = legend.paint(found.similarity)
    numbers, cells = np.full(len(source.table), -1), map_cells(source.scene.grid, source.grid)
    numbers[np.searchsorted(source.table.patch_ids, found.ids)] = np.arange(len(found))
    shown = cells.spread(source.table.patch_ids, numbers, -1)
    with Image.open(io.BytesIO(quicklook(source.scene, "true", _SIDE))) as look:
        image, _ = painted(pale(look), source.scene.grid, shown, cells.side, colours, strength=0.9)
    picture = embedded(image, "Where the patches that were found lie", f"{caption}; all other land is grey.")
    return picture, lines
