"""What each command of the command line does; parsing arguments and printing lines is ``core.__main__``.

Those that learn from labels or measure by them are ``core.cli.labelled``.

Every command takes the parsed arguments and the configuration, and yields the lines it has to say. Heavy modules are
imported inside, so that ``neighbours`` does not wait for what ``project`` needs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from core.cli.common import bar_of, check_out, engine_of, open_source
from core.config import Config
from core.errors import SettingsError, StoreError

SIZE = 64
"""Pixels a side of the patches of a scene where nothing else is asked for."""


def encoders(_options: argparse.Namespace, config: Config) -> Iterator[str]:
    """Every encoder on offer, what it is or why it cannot be used."""
    from core.encoders.registry import list_encoders

    for listing in list_encoders(config):
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
    from core.scenes.quality import load_quality

    found = open_source(options, config)
    yield json.dumps({"scene": found.id} | asdict(load_quality(found.directory)), indent=1, ensure_ascii=False)


def embed(options: argparse.Namespace, config: Config) -> Iterable[str]:
    """Encode the patches of a source into GeoParquet."""
    from core.encoders.registry import default_encoder
    from core.export.geoparquet import write_geoparquet
    from core.scenes.patches import patch_grid

    check_out(options.out)
    engine = engine_of(config)
    name = options.encoder or default_encoder()
    spec = engine.spec(name, options.backend)
    found = open_source(options, config)
    size = (found.patch_size or SIZE) if options.patch_size is None else options.patch_size
    recipe = engine.recipe(found, name, backend=options.backend, patch_size=size, stride=options.stride)
    if found.patch_size is not None and (size, options.stride or size) != (recipe.patch_size, recipe.stride):
        sys.stderr.write(f"{found.name}: its patches are {found.patch_size} pixels a side and are not cut otherwise\n")
    with bar_of("Encoding", "patches") as progress:
        features = engine.encode_now(found, recipe, progress=progress)
    grid = patch_grid(found, recipe.patch_size, recipe.stride)
    write_geoparquet(options.out, found, grid, features, spec)
    return ()


def neighbours(options: argparse.Namespace, _config: Config) -> Iterator[str]:
    """The patches most similar to one, best first, each a line of JSON."""
    from core.export.geoparquet import read_geoparquet
    from core.similarity.neighbours import nearest_patches, unit_rows

    found = read_geoparquet(options.file)
    position = found.position(options.patch_id)
    if options.k < 1:
        raise SettingsError("Listing neighbours", f"-k is {options.k}", "ask for at least 1")
    near = nearest_patches(unit_rows(found.vectors), found.patch_ids, position, options.k, exclude=None)
    places = {} if found.lonlat is None else dict(zip(found.patch_ids.tolist(), found.lonlat.tolist(), strict=True))
    for patch_id, similarity in zip(near.ids.tolist(), near.similarity.tolist(), strict=True):
        lon, lat = (None if value != value else value for value in places.get(patch_id, (None, None)))  # noqa: PLR0124
        yield json.dumps({"patch_id": patch_id, "similarity": similarity, "lon": lon, "lat": lat})


def report(options: argparse.Namespace, config: Config) -> Iterator[str]:
    """How far the features of a file, and its layout, can be trusted: sentences and tables."""
    from core.evaluation.report.file import report_on_file
    from core.export.geoparquet import read_geoparquet

    yield from report_on_file(options.file, read_geoparquet(options.file), config, bar_of, options.encoder)


def project(options: argparse.Namespace, _config: Config) -> Iterable[str]:
    """Add positions x, y of a layout to a file of features."""
    from core.export.geoparquet import add_positions, read_geoparquet
    from core.projection.labels import FILE, classes_in
    from core.projection.methods import arrange
    from core.projection.settings import METHODS, ProjectionSettings

    check_out(options.out)
    chosen = {
        "n_neighbors": options.neighbours,
        "min_dist": options.min_dist,
        "metric": options.metric,
        "seed": options.seed,
    }
    settings = {key: value for key, value in chosen.items() if value is not None}
    labelled = options.method in METHODS and METHODS[options.method].labelled
    wanted = ProjectionSettings(**settings, method=options.method, labels=FILE if labelled else "")
    found = read_geoparquet(options.file)
    labels = classes_in(found.table) if labelled else None
    with bar_of("Arranging", "steps") as progress:
        positions = arrange(found.vectors, wanted, labels=labels, progress=progress)
    add_positions(options.file, options.out, positions)
    return ()


def sample(options: argparse.Namespace, _config: Config) -> Iterable[str]:
    """Write a synthetic scene."""
    from core.synthetic.sample import write_sample

    check_out(options.out)
    with bar_of("Making the scene", "rows") as progress:
        write_sample(options.out, size=options.size, seed=options.seed, progress=progress)
    return ()


def serve(options: argparse.Namespace, config: Config) -> Iterable[str]:
    """Start the app of ``app.py``, which lies beside this package."""
    from core.files import FileLock

    port = config.port if options.port is None else options.port
    lock = FileLock(config.root / "jobs" / "server.lock")
    if not lock.take():
        found = f"another server works on the data in {config.root} (process {lock.holder()})"
        raise StoreError("Starting the app", found, "stop that one, or set LANDLIKE_DATA to another folder")
    lock.release()
    _check_port(port)
    home = Path(__file__).resolve().parents[2]
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
