"""The command line, ``python -m core``: the same pipeline as the pages, without the queue.

Exit codes: 0 = done, 1 = the input was refused (one sentence on stderr), 2 = wrong usage, 130 = stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import socket
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.config import Config, settings
from core.errors import LandlikeError, SettingsError, StoreError
from core.progress import Progress, silent

if TYPE_CHECKING:
    from core.pipeline import Engine
    from core.scene import Scene

SAMPLE = "sample"
"""As a SOURCE, the sample scene."""

STOPPED, CLOSED_PIPE = 130, 141
"""128 + the number of the signal, as shells count."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    warnings.simplefilter("ignore")
    options = _parser().parse_args(arguments)
    try:
        options.run(options, settings())
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
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    source_help = "a file, a folder, a zip, the id of a scene in the library, or “sample”"

    encoders = commands.add_parser("encoders", help="list the encoders")
    encoders.set_defaults(run=_encoders)

    scene = commands.add_parser("scene", help="take a source into the library; prints its quality record as JSON")
    scene.add_argument("source", metavar="SOURCE", help=source_help)
    _add_overrides(scene)
    scene.set_defaults(run=_scene)

    embed = commands.add_parser("embed", help="encode the patches of a source into GeoParquet")
    embed.add_argument("source", metavar="SOURCE", help=source_help)
    embed.add_argument("--encoder", metavar="NAME|PATH", help="a name from “encoders”, or the path of a model")
    embed.add_argument("--backend", metavar="B", help="tensorflow, openvino or openvino-f32")
    embed.add_argument("--patch-size", type=int, default=64, metavar="PIXELS")
    embed.add_argument("--stride", type=int, metavar="PIXELS", help="pixels from patch to patch; default: the size")
    embed.add_argument("--out", type=Path, required=True, metavar="F.parquet")
    _add_overrides(embed)
    embed.set_defaults(run=_embed)

    neighbours = commands.add_parser("neighbours", help="list the patches most similar to one, as JSON lines")
    neighbours.add_argument("file", type=Path, metavar="F.parquet")
    neighbours.add_argument("--patch-id", type=int, required=True, metavar="N")
    neighbours.add_argument("-k", type=int, default=10, metavar="K", help="how many; default 10")
    neighbours.set_defaults(run=_neighbours)

    project = commands.add_parser("project", help="add positions x, y of a UMAP projection")
    project.add_argument("file", type=Path, metavar="F.parquet")
    project.add_argument("--out", type=Path, required=True, metavar="G.parquet")
    project.add_argument("--neighbours", type=int, metavar="K", help="neighbours a point is placed by")
    project.add_argument("--min-dist", type=float, metavar="D", help="how close points may lie")
    project.add_argument("--metric", metavar="M", help="cosine or euclidean")
    project.add_argument("--seed", type=int, metavar="S")
    project.set_defaults(run=_project)

    sample = commands.add_parser("sample", help="write a synthetic scene")
    sample.add_argument("--size", type=int, default=2560, metavar="PIXELS")
    sample.add_argument("--seed", type=int, default=0, metavar="S")
    sample.add_argument("--out", type=Path, required=True, metavar="scene.tif")
    sample.set_defaults(run=_sample)

    serve = commands.add_parser("serve", help="start the app")
    serve.add_argument("--port", type=int, metavar="P", help="where to listen; default 8501, or LANDLIKE_PORT")
    serve.set_defaults(run=_serve)
    return parser


def _add_overrides(parser: argparse.ArgumentParser) -> None:
    """The decisions that a person may take out of the ingest's hands."""
    group = parser.add_argument_group("decide instead of the ingest")
    group.add_argument("--bands", metavar="B01,B02,…", help="the bands in the order of the file; - leaves one out")
    group.add_argument("--scale", metavar="S", help="auto, dn, dn+1000, unit or 65535")
    group.add_argument("--date", metavar="YYYY-MM-DD")
    group.add_argument("--level", metavar="L", help="L1C or L2A")
    group.add_argument("--crs", metavar="EPSG:N")
    group.add_argument("--nodata", type=float, metavar="X")
    group.add_argument("--time", type=int, metavar="I", help="which date of an array of several, from 0")


def _encoders(_options: argparse.Namespace, config: Config) -> None:
    from core.encoders.registry import list_encoders
    from core.pipeline_tasks import hub_config

    for listing in list_encoders(hub_config(config)):
        print(listing.name)
        if listing.spec is None:
            print(f"  not available  {listing.why_not}")
            continue
        spec = listing.spec
        size = "any" if spec.input_size is None else f"{spec.input_size} × {spec.input_size}"
        print(f"  bands          {len(spec.bands)}: {' '.join(spec.bands)}")
        print(f"  input size     {size}")
        print(f"  dimension      {spec.dimension}")
        print(f"  backend        {spec.backend}")
        print(f"  fingerprint    {spec.fingerprint}")
        print(f"  from           {spec.origin}")


def _scene(options: argparse.Namespace, config: Config) -> None:
    from core.quality import load_quality

    scene = _open_source(options, config)
    print(json.dumps({"scene": scene.id} | asdict(load_quality(scene.directory)), indent=1, ensure_ascii=False))


def _embed(options: argparse.Namespace, config: Config) -> None:
    from core.encoders.registry import default_encoder
    from core.export import write_geoparquet
    from core.patches import patch_grid

    _check_out(options.out)
    engine = _engine(config)
    name = options.encoder or default_encoder()
    spec = engine.spec(name, options.backend)
    scene = _open_source(options, config)
    recipe = engine.recipe(scene, name, backend=options.backend, patch_size=options.patch_size, stride=options.stride)
    with _bar("Encoding", "patches") as progress:
        features = engine.encode_now(scene, recipe, progress=progress)
    grid = patch_grid(scene, recipe.patch_size, recipe.stride)
    write_geoparquet(options.out, scene, grid, features, spec)


def _neighbours(options: argparse.Namespace, _config: Config) -> None:
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
        print(json.dumps({"patch_id": patch_id, "similarity": similarity, "lon": lon, "lat": lat}))


def _project(options: argparse.Namespace, _config: Config) -> None:
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


def _sample(options: argparse.Namespace, _config: Config) -> None:
    from core.sources.synthetic import write_sample

    _check_out(options.out)
    with _bar("Making the scene", "rows") as progress:
        write_sample(options.out, size=options.size, seed=options.seed, progress=progress)


def _serve(options: argparse.Namespace, config: Config) -> None:
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
    importlib.import_module("app").app.run(config={"server.port": port})


def _check_port(port: int) -> None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
    except (OSError, OverflowError) as error:
        raise SettingsError(f"Listening on port {port}", str(error), "choose another with --port") from error


def _engine(config: Config) -> Engine:
    from core.pipeline import Engine

    return Engine(config, lanes={})


def _open_source(options: argparse.Namespace, config: Config) -> Scene:
    """The scene of a SOURCE, taken into the library if it is not there yet."""
    from core.library import SCENE_ID, Library
    from core.sources.ingest import ingest
    from core.sources.synthetic import make_sample

    library, source = Library(config.root), options.source
    if not Path(source).exists():
        if SCENE_ID.fullmatch(source) and source in library:
            return library.get(source)
        if source == SAMPLE:
            with _bar("Making the scene", "rows") as progress:
                return make_sample(library, progress=progress)
    with _bar("Opening", "steps") as progress:
        return ingest([Path(source)], library, _overrides(options), progress=progress)


def _overrides(options: argparse.Namespace) -> object:
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


if __name__ == "__main__":
    sys.exit(main())
