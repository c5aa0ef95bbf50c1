"""What each command of the command line does; parsing arguments and printing lines is ``core.__main__``.

Every command takes the parsed arguments and the configuration, and yields the lines it has to say. Heavy modules are
imported inside, so that ``neighbours`` does not wait for what ``project`` needs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.config import Config
from core.errors import SettingsError, SourceError, StoreError
from core.progress import Progress, silent
from core.quality import load_quality
from core.store_trained import history_of, under_way

if TYPE_CHECKING:
    from core.encoders.fit_settings import Epoch
    from core.pipeline import Engine
    from core.scene import Scene
    from core.sources.settings import IngestSettings

SAMPLE = "sample"
"""As a SOURCE, the sample scene."""

SIZE = 64
"""Pixels a side of the patches of a scene where nothing else is asked for."""


def encoders(_options: argparse.Namespace, config: Config) -> Iterator[str]:
    """Every encoder on offer, what it is or why it cannot be used."""
    from core.encoders.registry import list_encoders
    from core.pipeline_tasks import hub_config

    for listing in list_encoders(hub_config(config)):
        yield listing.name
        if listing.spec is None:
            yield f"  not available  {listing.why_not}"
            continue
        spec = listing.spec
        size = "any" if spec.input_size is None else f"{spec.input_size} × {spec.input_size}"
        yield f"  bands          {len(spec.bands)}: {' '.join(spec.bands)}"
        yield f"  input size     {size}"
        yield f"  dimension      {spec.dimension}"
        yield f"  backend        {spec.backend}"
        yield f"  fingerprint    {spec.fingerprint}"
        yield f"  from           {spec.origin}"


def scene(options: argparse.Namespace, config: Config) -> Iterator[str]:
    """Take a source into the library; its quality record as JSON."""
    from core.quality import load_quality

    found = _open_source(options, config)
    yield json.dumps({"scene": found.id} | asdict(load_quality(found.directory)), indent=1, ensure_ascii=False)


def embed(options: argparse.Namespace, config: Config) -> Iterable[str]:
    """Encode the patches of a source into GeoParquet."""
    from core.encoders.registry import default_encoder
    from core.export import write_geoparquet
    from core.patches import patch_grid

    _check_out(options.out)
    engine = _engine(config)
    name = options.encoder or default_encoder()
    spec = engine.spec(name, options.backend)
    found = _open_source(options, config)
    size = (found.patch_size or SIZE) if options.patch_size is None else options.patch_size
    recipe = engine.recipe(found, name, backend=options.backend, patch_size=size, stride=options.stride)
    if found.patch_size is not None and (size, options.stride or size) != (recipe.patch_size, recipe.stride):
        sys.stderr.write(f"{found.name}: its patches are {found.patch_size} pixels a side and are not cut otherwise\n")
    with _bar("Encoding", "patches") as progress:
        features = engine.encode_now(found, recipe, progress=progress)
    grid = patch_grid(found, recipe.patch_size, recipe.stride)
    write_geoparquet(options.out, found, grid, features, spec)
    return ()


def evaluate(options: argparse.Namespace, config: Config) -> Iterator[str]:
    """How well an encoder tells the classes of labelled patches apart, beside the plain spectrum; a table."""
    from core.encoders.registry import default_encoder
    from core.pipeline_evaluation import assess, table
    from core.report_counts import left_out

    engine, found = _engine(config), _open_source(options, config)
    _warn([found])
    with _bar("Encoding", "patches") as progress:
        name = options.encoder or default_encoder()
        assessments = assess(engine, found, name, backend=options.backend, by=options.labels, progress=progress)
    sys.stderr.writelines(f"{sentence}\n" for sentence in left_out(assessments[0].copies))
    yield from table(assessments)


def finetune(options: argparse.Namespace, config: Config) -> Iterator[str]:
    """Train an encoder on labelled patches; its model card as JSON."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    from core.pipeline_tasks import hub_config
    from core.pipeline_training import Wanted, look_up
    from core.pipeline_training import finetune as train
    from core.training import labelled

    _check_new_folder(options.out)
    bands = (
        None if options.train_bands is None else tuple(part.strip().upper() for part in options.train_bands.split(","))
    )
    wanted = Wanted(
        base=options.base, freeze=options.freeze is not None, bands=bands, epochs=options.epochs, seed=options.seed
    )
    epochs = look_up(wanted, hub_config(config))[1].epochs
    scenes = [_open_source(argparse.Namespace(**vars(options) | {"source": one}), config) for one in options.sources]
    apart = [_open_source(argparse.Namespace(**vars(options) | {"source": one}), config) for one in options.apart]
    _warn([*scenes, *apart])

    earlier = iter([len(history_of(options.out))])

    def tell(epoch: Epoch) -> None:
        for done in earlier:  # Before the first epoch that is told of.
            sys.stderr.write(_going_on(done, epoch.number))
        tqdm.write(
            f"epoch {epoch.number} of {epochs}: loss {epoch.loss:.3f}, "
            f"accuracy on held-out patches {epoch.accuracy:.3f}, {epoch.seconds:.0f} s",
            file=sys.stderr,
        )

    with _bar("Training", "steps") as progress:
        card = train(
            [labelled(one, by=options.labels) for one in scenes], wanted, options.out,
            apart=[labelled(one) for one in apart],
            title=options.title or options.out.name, source=", ".join(one.name for one in scenes),
            limits=options.not_learned, report=tell, progress=progress, config=hub_config(config),
        )  # fmt: skip
    yield json.dumps(card, indent=1, ensure_ascii=False)


def _going_on(done: int, first: int) -> str:
    """A line on a training that lay there, stopped after so many epochs; this one began with epoch ``first``."""
    if not done:
        return ""
    if first > 1:
        return f"going on after epoch {first - 1}\n"
    return "the training that was stopped here had other patches or settings; this one began anew\n"


def neighbours(options: argparse.Namespace, _config: Config) -> Iterator[str]:
    """The patches most similar to one, best first, each a line of JSON."""
    from core.export import read_geoparquet
    from core.neighbours import nearest, unit_rows

    found = read_geoparquet(options.file)
    position = found.position(options.patch_id)
    if options.k < 1:
        raise SettingsError("Listing neighbours", f"-k is {options.k}", "ask for at least 1")
    near = nearest(unit_rows(found.vectors), found.patch_ids, position, options.k, exclude=None)
    places = {} if found.lonlat is None else dict(zip(found.patch_ids.tolist(), found.lonlat.tolist(), strict=True))
    for patch_id, similarity in zip(near.ids.tolist(), near.similarity.tolist(), strict=True):
        lon, lat = (None if value != value else value for value in places.get(patch_id, (None, None)))  # noqa: PLR0124
        yield json.dumps({"patch_id": patch_id, "similarity": similarity, "lon": lon, "lat": lat})


def report(options: argparse.Namespace, config: Config) -> Iterator[str]:
    """How far the features of a file, and its layout, can be trusted: sentences and tables."""
    from core.export_reading import read_geoparquet
    from core.pipeline_report_file import report_on_file

    yield from report_on_file(options.file, read_geoparquet(options.file), config, _bar)


def project(options: argparse.Namespace, _config: Config) -> Iterable[str]:
    """Add positions x, y of a UMAP layout to a file of features."""
    from core.export import add_positions, read_geoparquet
    from core.projection import ProjectionSettings, umap_layout

    _check_out(options.out)
    chosen = {
        "n_neighbors": options.neighbours,
        "min_dist": options.min_dist,
        "metric": options.metric,
        "seed": options.seed,
    }
    wanted = replace(ProjectionSettings(), **{key: value for key, value in chosen.items() if value is not None})
    found = read_geoparquet(options.file)
    with _bar("Arranging", "steps") as progress:
        positions = umap_layout(found.vectors, wanted, progress=progress)
    add_positions(options.file, options.out, positions)
    return ()


def sample(options: argparse.Namespace, _config: Config) -> Iterable[str]:
    """Write a synthetic scene."""
    from core.sources.synthetic import write_sample

    _check_out(options.out)
    with _bar("Making the scene", "rows") as progress:
        write_sample(options.out, size=options.size, seed=options.seed, progress=progress)
    return ()


def serve(options: argparse.Namespace, config: Config) -> Iterable[str]:
    """Start the app of ``app.py``, which lies beside this package."""
    from core.store_locks import FileLock

    port = config.port if options.port is None else options.port
    lock = FileLock(config.root / "jobs" / "server.lock")
    if not lock.take():
        found = f"another server works on the data in {config.root} (process {lock.holder()})"
        raise StoreError("Starting the app", found, "stop that one, or set LANDLIKE_DATA to another folder")
    lock.release()
    _check_port(port)
    home = Path(__file__).resolve().parents[1]
    sys.path.insert(0, str(home))
    sys.argv = [str(home / "app.py")]
    # A stated address keeps Streamlit from asking a web service for the public one.
    importlib.import_module("app").app.run(config={"server.port": port, "browser.serverAddress": "localhost"})
    return ()


def _check_port(port: int) -> None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
    except (OSError, OverflowError) as error:
        found = "another program listens there" if isinstance(error, OSError) else "ports go from 0 to 65535"
        if isinstance(error, PermissionError):
            found = "this user may not listen there"
        raise SettingsError(f"Listening on port {port}", found, "choose another with --port") from error


def _engine(config: Config) -> Engine:
    from core.pipeline import Engine

    return Engine(config, lanes={})


def _open_source(options: argparse.Namespace, config: Config) -> Scene:
    """The scene of a SOURCE, taken into the library if it is not there yet."""
    from core.library import SCENE_ID, Library
    from core.sources.ingest import ingest

    library, source = Library(config.root), options.source
    if not source:
        raise SourceError("Opening a scene", "its name is empty", "give a file, a folder, a zip or “sample”")
    if not Path(source).exists():
        if SCENE_ID.fullmatch(source) and source in library:
            return library.get(source)
        if source == SAMPLE:
            from core.sources.synthetic import make_sample

            with _bar("Making the scene", "rows") as progress:
                return make_sample(library, progress=progress)
    with _bar("Opening", "steps") as progress:
        return ingest([Path(source)], library, _overrides(options), progress=progress)


def _warn(scenes: Iterable[Scene]) -> None:
    """Tell on stderr what was left out or doubtful when scenes were read."""
    for one in scenes:
        for finding in load_quality(one.directory).findings:
            if finding.basis == "warning":
                sys.stderr.write(f"{one.name}: {finding.topic}: {finding.value} ({finding.because})\n")


def _overrides(options: argparse.Namespace) -> IngestSettings:
    from core.sources.settings import IngestSettings

    names = ("scale", "date", "level", "crs", "nodata", "time")
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.bands is not None:
        chosen["bands"] = tuple(part.strip() for part in options.bands.split(","))
    return IngestSettings(**chosen)


def _check_out(path: Path) -> None:
    """Refuse, before the work is done, a place where its result cannot be written."""
    asked = f"Writing {path}"
    if path.is_dir():
        raise StoreError(asked, "that is a folder", "give the name of a file")
    if not path.parent.is_dir():
        raise StoreError(asked, "its folder does not exist", "make the folder first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise StoreError(asked, "writing there is not permitted", "choose another place")


def _check_new_folder(path: Path) -> None:
    """Refuse, before the work is done, a folder that is there already or cannot be made."""
    asked = f"Writing {path}"
    if path.exists():
        raise StoreError(asked, "it exists already", "give the name of a new folder")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise StoreError(asked, "the folder it lies in does not exist or is not writable", "choose another place")
    try:  # What training keeps beside it has the longest name that will be needed.
        Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{under_way(path).name}.")).rmdir()
    except OSError as error:
        found = f"it cannot be made ({error.strerror})"
        raise StoreError(asked, found, "choose another place or a shorter name") from error


@contextmanager
def _bar(title: str, unit: str) -> Iterator[Progress]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield silent
        return
    from tqdm import tqdm

    with tqdm(desc=title, unit=f" {unit}", leave=False) as bar:

        def progress(done: int, total: int) -> None:
            if bar.total is None:
                bar.initial = done
            bar.total = total
            bar.update(done - bar.n)

        yield progress
