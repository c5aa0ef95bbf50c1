"""An order made into a file: in the page where that is quick, else by a job, or by a command."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.clusters.changes import chosen_settings
from core.config import Config
from core.engine.bundles import bundle_of
from core.engine.exports.classified import classified_zip
from core.engine.exports.maps import map_file
from core.engine.exports.order import (
    BUNDLE,
    CLASS_MAP,
    FEATURES,
    FORMS_OF_PATCHES,
    MAP,
    PLOT,
    REPORT,
    SPECTRA,
    ExportOrder,
    order_of,
)
from core.engine.exports.packed import packed
from core.engine.exports.patches import patch_rows
from core.engine.exports.plot import plot_file
from core.engine.exports.printed import report_file
from core.engine.exports.state import source_state
from core.engine.library_source import LibrarySource, library_source
from core.engine.operations import Engine
from core.engine.spectra import spectra_of_view, spectra_values
from core.engine.tasks import arrange_features
from core.errors import StoreError
from core.export.bundle import bundle_bytes
from core.export.formats import FORMATS
from core.export.geoparquet import read_geoparquet, write_geoparquet
from core.export.stac import write_stac_item
from core.files import disk_errors, write_atomically
from core.jobs.queue import Job
from core.jobs.worker import Work
from core.progress import Progress, silent
from core.values.clusters import CLUSTER
from core.values.registry import export_columns

EXPORTS = "exports"
"""Folder of finished files, in that of all data."""
HELD_SECONDS = 24 * 3600.0
"""How long a file is kept for whoever asked for it."""


def export_bytes(source: LibrarySource, order: ExportOrder, *, progress: Progress = silent) -> bytes:
    """Return the file that is wanted.

    Raises:
        LandlikeError: when what it is of is not there.
    """
    if order.what in FORMS_OF_PATCHES:
        return FORMATS[order.form].encode(patch_rows(source, order))
    if order.what == REPORT:
        return report_file(source, order, progress=progress)
    makers: Mapping[str, Callable[[LibrarySource, ExportOrder], bytes]] = {
        BUNDLE: _bundle, MAP: map_file, CLASS_MAP: classified_zip, PLOT: plot_file, FEATURES: _features,
        SPECTRA: _spectra,
    }  # fmt: skip
    return makers[order.what](source, order)


def write_export(engine: Engine, order: ExportOrder, path: Path, *, progress: Progress = silent) -> None:
    """Write the file that is wanted; encodes, arranges and finds clusters first where needed.

    Raises:
        LandlikeError: as of ``export_bytes``, and when it cannot be written.
    """
    recipe = order.view.recipe
    scene = engine.library.get(recipe.scene_id)
    engine.encode_now(scene, recipe, progress=progress)
    if order.colour == CLUSTER.name or any(one.is_on(CLUSTER) for one in order.view.filters.conditions):
        engine.find_clusters_now(recipe, chosen_settings(scene, recipe), progress=progress)
    if order.layout is not None and order.what in {PLOT, REPORT} and not engine.projected(recipe, order.layout):
        arrange_features(engine.config, recipe, order.layout, progress)
    content = export_bytes(library_source(engine, recipe), order, progress=progress)
    with disk_errors(f"Writing “{path.name}”", full="free some space or choose another place", other="choose another"):
        write_atomically(path, content, private=False)


def submit_export(engine: Engine, order: ExportOrder, source: LibrarySource) -> Job:
    """Ask for a file; the done job's message is where it lies in the folder of all data.

    Who asks for the same of the same labels, map and clusters gets the same job.
    """
    payload = order.payload(engine)
    said = json.dumps([payload, source_state(source)], sort_keys=True)
    key = hashlib.sha256(said.encode()).hexdigest()
    return engine.jobs.submit("export", key, f"Making “{order.stem}.{order.form}”", payload)


def export_task(config: Config, work: Work, payload: Mapping[str, Any]) -> str:
    """Make a file that was asked for; gives where it lies. Payload: that of an ``ExportOrder``."""
    engine = Engine(config, lanes={})
    order = order_of(engine, payload)
    work.doing("reading")
    source = library_source(engine, order.view.recipe)
    state = source_state(source)
    content = export_bytes(source, order, progress=work.progress)
    folder = config.root / EXPORTS
    folder.mkdir(exist_ok=True)
    sweep_exports(config)
    # Labels may have been given while it was made: the file is of neither state then.
    held = state if source_state(library_source(engine, order.view.recipe)) == state else "mixed"
    place = Path(tempfile.mkdtemp(prefix=f"{held}-", dir=folder)) / f"{order.stem}.{order.form}"
    with disk_errors(f"Writing “{place.name}”", full="free some space", other="look at the disk"):
        write_atomically(place, content)
    work.made.append(place)
    return str(place.relative_to(config.root))


def export_path(config: Config, job: Job) -> Path | None:
    """Return the file of a job that is done; None when it is not, or the file is gone."""
    path = config.root / job.message
    there = job.state == "done" and path.is_relative_to(config.root / EXPORTS) and path.is_file()
    return path if there else None


def export_is_latest(path: Path, source: LibrarySource) -> bool:
    """Return whether a file that a job made is of the labels, map, clusters and measures as they are now."""
    return path.parent.name.startswith(f"{source_state(source)}-")


def read_export(path: Path) -> bytes:
    """Return a file that a job made.

    Raises:
        StoreError: when it is gone.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"Saving “{path.name}”", "the file is gone", "make it again") from error


def sweep_exports(config: Config) -> None:
    """Remove files that nobody will fetch any more."""
    for folder in (config.root / EXPORTS).glob("*"):
        if time.time() - folder.stat().st_mtime > HELD_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _bundle(source: LibrarySource, order: ExportOrder) -> bytes:
    layout = {} if order.layout is None else asdict(order.layout)
    shown = {name: said for name, said in (("colour", order.colour), ("patches", list(order.patches))) if said}
    return bundle_bytes(bundle_of(source.engine, order.view, layout=layout, shown=shown))


def _spectra(source: LibrarySource, order: ExportOrder) -> bytes:
    told = spectra_values(spectra_of_view(source, order.view, order.patches), source)
    return json.dumps(told, indent=1, ensure_ascii=False).encode()


def _features(source: LibrarySource, order: ExportOrder) -> bytes:
    """Return a zip of the file of features, as ``embed`` writes it, and the STAC item beside it."""
    engine, recipe = source.engine, source.recipe
    with tempfile.TemporaryDirectory(prefix="landlike-features-") as folder:
        path = Path(folder) / f"{order.stem}.parquet"
        spec, features = engine.spec_that_ran(source.scene, recipe), engine.features(recipe)
        write_geoparquet(path, source.scene, source.grid, features, spec, values=export_columns(source))
        write_stac_item(path, read_geoparquet(path))
        return packed(Path(folder).iterdir())
