"""What commands of the command line share: their form, opening a source, where results go, progress bars.

A command is a class whose docstring is its manual: the first line is what ``--help`` lists, all of it is what
``COMMAND --help`` prints.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.config import Config
from core.errors import SourceError, StoreError
from core.progress import Progress, silent
from core.scenes.cut import DEFAULT_CUT, MIN_VALID_FRACTION, Cut, GroundLength
from core.scenes.quality import load_quality
from core.training.trained_models import under_way

if TYPE_CHECKING:
    from core.engine.operations import Engine
    from core.export.geoparquet import Embeddings
    from core.features.recipe import Recipe
    from core.ingest.settings import IngestSettings
    from core.scenes.scene import Scene
    from core.similarity.neighbours import Neighbours

SAMPLE_SOURCE, SYNTHETIC_SOURCE = "sample", "synthetic"
"""As a SOURCE, the real scene that the app opens first, and the made-up landscape whose classes are known."""

SOURCE_HELP = "a file, a folder, a zip, the id of a scene in the library, “sample” or “synthetic”"
LABELLED_HELP = "patches in folders named by class, or a scene with a truth, such as “synthetic”"
ENCODER_HELP = "a name from “encoders”, or the path of a model"
BACKEND_HELP = "tensorflow, openvino, openvino-f32 or openvino-int8"
LABELS_HELP = "the truth of a scene, or what people gave its patches in the app; default: the truth if there is one"

WIDEST = 100
"""Characters of a line of a manual, where the terminal is that wide."""


class Command(Protocol):
    """One command; its docstring is its manual."""

    name: str

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what may be asked of it to its parser."""

    def run(self, options: argparse.Namespace, config: Config) -> Iterable[str]:
        """Do it, and yield the lines it has to say. Heavy modules are imported here, so that others need not wait.

        Raises:
            LandlikeError: when the input is refused.
        """


def add_command(
    choice: argparse._SubParsersAction[argparse.ArgumentParser], command: Command
) -> argparse.ArgumentParser:
    """Add a command with its manual to those that can be chosen."""
    paragraphs = inspect.cleandoc(type(command).__doc__ or command.name).split("\n\n")
    parser = choice.add_parser(
        command.name,
        help=(paragraphs[0][:1].lower() + paragraphs[0][1:].rstrip(".")).replace("%", "%%"),
        description="\n\n".join(_filled(" ".join(one.split())) for one in paragraphs),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.arguments(parser)
    parser.set_defaults(run=command.run)
    return parser


def _filled(text: str) -> str:
    width = min(WIDEST, shutil.get_terminal_size().columns - 2)
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def add_overrides(parser: argparse.ArgumentParser, bands: str = "--bands") -> None:
    """Add what a person may decide in place of the ingest; ``bands`` is what the option of the bands is called."""
    group = parser.add_argument_group("decide instead of the ingest")
    group.add_argument(
        bands, dest="bands", metavar="B01,B02,…", help="the bands in the order of the file; - leaves one out"
    )
    group.add_argument(
        "--scale", metavar="S", help="auto, dn, dn+1000, unit, unit+0.1, 1000, 1000+100, 100, 100+10, 65535 or 255"
    )
    group.add_argument("--date", metavar="YYYY-MM-DD")
    group.add_argument("--level", metavar="L", help="L1C or L2A")
    group.add_argument("--crs", metavar="EPSG:N")
    group.add_argument("--nodata", type=float, metavar="X")
    group.add_argument(
        "--by-wavelength", action="store_true", default=None,
        help="take Landsat or HLS L30: its bands count as those of Sentinel-2 that see the same light",
    )  # fmt: skip
    group.add_argument(
        "--ten-metres", action="store_true", default=None, help="interpolate to pixels of 10 m, which encoders know"
    )
    group.add_argument("--time", type=int, metavar="I", help="which date of an array of several, from 0; default: each")
    group.add_argument("--tile", metavar="32TPS", help="which tile of a product of several; default: all, side by side")
    group.add_argument(
        "--window", type=_window, metavar="COL,ROW,WIDTH,HEIGHT", help="take in a part of the scene only, in its pixels"
    )
    group.add_argument(
        "--bbox",
        dest="bounds",
        type=_bounds,
        metavar="WEST,SOUTH,EAST,NORTH",
        help="the same in degrees; write --bbox=-76,… where it begins with a minus",
    )
    add_vector_overrides(group)


def _window(text: str) -> tuple[int, int, int, int]:
    """Read a part in pixels, columns first as GDAL's programs write it."""
    col, row, width, height = (int(part) for part in text.split(","))
    return row, col, height, width


def _bounds(text: str) -> tuple[float, float, float, float]:
    """Read a part in degrees."""
    west, south, east, north = (float(part) for part in text.split(","))
    return west, south, east, north


def add_vector_overrides(group: argparse._ArgumentGroup) -> None:
    """Add what a person may decide about a file of vectors."""
    group.add_argument("--vector", metavar="COLUMN", help="which column of a Parquet file holds the vectors")
    group.add_argument("--model", metavar="NAME", help="what made them; files of one model can be compared")
    group.add_argument(
        "--lat-first", action="store_true", default=None, help="its coordinates are latitude, then longitude"
    )


def add_cutting(parser: argparse.ArgumentParser) -> None:
    """Add how a scene is cut into patches, and which of these are encoded."""
    add_places(parser)
    parser.add_argument(
        "--least-valid",
        type=float,
        default=MIN_VALID_FRACTION,
        metavar="F",
        help="patches with a smaller share of valid pixels are not encoded; default: 0.5",
    )
    parser.add_argument(
        "--only", metavar="AREA",
        help="cut the patches of an area alone: GeoJSON, KML, GeoPackage or zipped Shapefile, or the name of one given "
        "before",
    )  # fmt: skip


def add_encoding(parser: argparse.ArgumentParser, *, backend: bool = False) -> None:
    """Add a source, by which encoder it is encoded and how it is cut; ``backend`` says whether what runs it is too."""
    parser.add_argument("source", metavar="SOURCE", help=SOURCE_HELP)
    parser.add_argument("--encoder", metavar="NAME|PATH", help=ENCODER_HELP)
    if backend:
        parser.add_argument("--backend", metavar="B", help=BACKEND_HELP)
    add_cutting(parser)


def add_places(parser: argparse.ArgumentParser) -> None:
    """Add where the patches of a scene lie."""
    parser.add_argument(
        "--patch", "--patch-size", dest="patch_size", type=_length, metavar="LENGTH",
        help="a side, in pixels or on the ground, such as 64 or 640m; default: 64, or a collection's own",
    )  # fmt: skip
    parser.add_argument(
        "--step", "--stride", dest="stride", type=_length, metavar="LENGTH",
        help="from patch to patch, likewise; default: the size",
    )  # fmt: skip
    parser.add_argument(
        "--edge",
        default="leave",
        choices=["leave", "cover"],
        help="leave out what no whole patch fits on (default), or move the last ones inwards to cover it",
    )
    parser.set_defaults(least_valid=MIN_VALID_FRACTION, only=None)


def _length(text: str) -> GroundLength:
    found = GroundLength.parse(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"“{text}” is no length such as 64 or 640m")
    return found


def cut_of(options: argparse.Namespace, scene: Scene) -> Cut:
    """Return how ``add_cutting`` or ``add_places`` says that a scene is to be cut.

    Raises:
        PatchError: when it cannot be cut so.
    """
    from core.scenes.overview import metres_of

    wanted: list[GroundLength | None] = [options.patch_size, options.stride]
    metres = metres_of(scene) if any(one is not None and one.metres is not None for one in wanted) else None
    size, stride = (None if one is None else one.pixels(metres) for one in wanted)
    size = (scene.patch_size or DEFAULT_CUT.size) if size is None else size
    area = "" if options.only is None else _area_of(options.only, scene)
    return Cut.of(size, stride, edge=options.edge, least_valid=options.least_valid, area=area)


def _area_of(text: str, scene: Scene) -> str:
    """Return the name of an area that is kept beside a scene, or of one in a file, which is kept from now on."""
    from core.ingest.vectors.adding import read_area
    from core.scenes.regions.of_interest import keep_area, kept_areas

    return text if text in kept_areas(scene) else keep_area(scene, read_area(Path(text)))


def recipe_of(options: argparse.Namespace, engine: Engine, scene: Scene, backend: str | None = None) -> Recipe:
    """Return what ``add_encoding`` says a scene is encoded by; on stderr, where its patches are not cut as asked.

    Raises:
        PatchError: when it cannot be cut so.
        EncoderError: when there is no such encoder.
    """
    cut = cut_of(options, scene)
    recipe = engine.recipe(scene, options.encoder or first_encoder_of(scene), backend=backend, cut=cut)
    if cut != recipe.cut:
        sys.stderr.write(f"{scene.name}: its patches are {scene.patch_size} pixels a side and are not cut otherwise\n")
    return recipe


def engine_of(config: Config) -> Engine:
    """Return an engine that works in this process."""
    from core.engine.operations import Engine

    return Engine(config, lanes={})


def open_sources(options: argparse.Namespace, config: Config) -> list[Scene]:
    """Return the scenes of a SOURCE: one, or those of its dates; taken into the library if they are not there yet.

    Raises:
        SourceError: when it cannot be opened.
    """
    from core.ingest.boundary import ingest_all
    from core.scenes.library import Library

    if not Path(options.source).exists() or not options.source:
        return [open_source(options, config)]
    with bar_of("Opening", "steps") as progress:
        return ingest_all([Path(options.source)], Library(config.root), _overrides(options), progress=progress)


def open_source(options: argparse.Namespace, config: Config, source: str | None = None) -> Scene:
    """Return the scene of a SOURCE, taken into the library if it is not there yet.

    Args:
        options: with ``source`` and what ``add_overrides`` adds.
        config: where the library is.
        source: in place of that of the options.

    Raises:
        SourceError: when it cannot be opened.
    """
    from core.ingest.boundary import ingest
    from core.scenes.library import Library
    from core.scenes.scene import SCENE_ID

    library, source = Library(config.root), options.source if source is None else source
    if not source:
        raise SourceError(
            "Opening a scene", "its name is empty", "give a file, a folder, a zip, “sample” or “synthetic”"
        )
    if not Path(source).exists():
        if SCENE_ID.fullmatch(source) and source in library:
            return library.get(source)
        if source == SAMPLE_SOURCE:
            from core.sample.scene import open_sample

            with bar_of("Opening", "steps") as progress:
                return open_sample(library, _overrides(options), progress=progress)
        if source == SYNTHETIC_SOURCE:
            from core.synthetic.landscape import make_synthetic

            with bar_of("Making the scene", "blocks") as progress:
                return make_synthetic(library, progress=progress)
    with bar_of("Opening", "steps") as progress:
        return ingest([Path(source)], library, _overrides(options), progress=progress)


def warn(scenes: Iterable[Scene]) -> None:
    """Tell on stderr what was left out or doubtful when scenes were read."""
    for one in scenes:
        for finding in load_quality(one.directory).findings:
            if finding.basis == "warning":
                sys.stderr.write(f"{one.name}: {finding.topic}: {finding.value} ({finding.because})\n")


_OF_VECTORS = ("vector", "model", "lat_first")
_PARTS = ("tile", "window", "bounds")


def _overrides(options: argparse.Namespace) -> IngestSettings:
    from core.ingest.settings import IngestSettings

    names = (
        "scale", "date", "level", "crs", "nodata", "time", "by_wavelength", "ten_metres", *_PARTS, *_OF_VECTORS,
    )  # fmt: skip
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.bands is not None:
        chosen["bands"] = tuple(part.strip() for part in options.bands.split(","))
    return IngestSettings(**chosen)


PARQUET_ENDINGS = (".parquet", ".geoparquet", ".gpq")
TIFF_ENDINGS = (".tif", ".tiff")


def check_out(path: Path, endings: tuple[str, ...], *sources: str | Path | None) -> None:
    """Refuse, before the work is done, a place where its result cannot be written or must not be.

    Args:
        path: where the result goes.
        endings: those a file of its kind may have, the usual one first.
        sources: what is read, where the result must not take its place; None or empty = nothing.

    Raises:
        StoreError: for a folder, a source, another ending, or a place that is not there or not writable.
    """
    asked = f"Writing {path}"
    if path.is_dir():
        raise StoreError(asked, "that is a folder", "give the name of a file")
    if path.exists() and any(source and Path(source).exists() and path.samefile(source) for source in sources):
        raise StoreError(asked, "that is the file to be read, and would be lost", "choose another name for --out")
    if path.suffix.lower() not in endings:
        listed = ", ".join(dict.fromkeys(endings))
        remedy = f"give a name that ends in {'one of ' if ',' in listed else ''}{listed}"
        raise StoreError(asked, f"its name does not end in {endings[0]}", remedy)
    if not path.parent.is_dir():
        raise StoreError(asked, "its folder does not exist", "make the folder first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise StoreError(asked, "writing there is not permitted", "choose another place")


def check_new_folder(path: Path) -> None:
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


def add_file(parser: argparse.ArgumentParser) -> None:
    """Add a file of features, ours or of others, and which of its columns holds the vectors."""
    parser.add_argument("file", type=Path, metavar="F.parquet", help="what “embed” wrote, or vectors of others")
    parser.add_argument("--vector", metavar="COLUMN", help="which column of a file of others holds the vectors")


@contextmanager
def feature_file(options: argparse.Namespace, config: Config) -> Iterator[Path]:
    """Give the file of ``add_file`` as “embed” writes it: itself, or one that is made of the vectors of others.

    What is doubtful or left out of those is told on stderr.

    Raises:
        SourceError: when there are no vectors in it, or several columns of them.
    """
    from core.ingest.boundary import ingest
    from core.ingest.settings import IngestSettings
    from core.scenes.library import Library

    path = Path(options.file)
    if not _of_others(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="landlike-vectors-") as folder:
        inside = replace(config, root=Path(folder))
        settings = IngestSettings(vector=options.vector)
        with bar_of("Opening", "rows") as progress:
            scene = ingest([path], Library(inside.root), settings, progress=progress)
        warn([scene])
        made, engine = Path(folder) / f"{path.stem}.parquet", engine_of(inside)
        write_features(engine, scene, engine.recipe(scene, first_encoder_of(scene)), made)
        yield made


def read_features(options: argparse.Namespace, config: Config) -> Embeddings:
    """Return what is in the file of ``add_file``.

    Raises:
        StoreError: when it cannot be read.
        SourceError: as of ``feature_file``.
    """
    from core.export.geoparquet import read_geoparquet

    with feature_file(options, config) as path:
        return read_geoparquet(path)


def first_encoder_of(scene: Scene) -> str:
    """Return the encoder of a scene where nobody names one."""
    from core.features.given import first_encoder

    return first_encoder(scene)


def _of_others(path: Path) -> bool:
    """Tell whether a file is Parquet and has no column that features of ours lie in."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return "vector" not in pq.read_schema(path).names
    except (OSError, pa.ArrowException):
        return False


def write_features(
    engine: Engine, scene: Scene, recipe: Recipe, out: Path, *, backend: str | None = None, progress: Progress = silent
) -> None:
    """Write the features of a scene as a file, encoding what is not stored. Errors as of ``encode_now``."""
    from core.export.geoparquet import write_geoparquet
    from core.scenes.patches import patch_grid
    from core.values.encoded import encoded_source
    from core.values.registry import export_columns

    features = engine.encode_now(scene, recipe, progress=progress)
    columns = export_columns(encoded_source(scene, features, engine.config))
    spec = engine.spec_of(scene, recipe.encoder, backend)
    write_geoparquet(out, scene, patch_grid(scene, recipe.cut), features, spec, values=columns)


def near_lines(table: Embeddings, near: Neighbours, **said: str) -> Iterator[str]:
    """Yield a line of JSON a patch of a file: its id, similarity, what is said of each, and its centre or null."""
    places = {} if table.lonlat is None else dict(zip(table.patch_ids.tolist(), table.lonlat.tolist(), strict=True))
    for one in near:
        patch_id = one.ref.patch
        lon, lat = (None if value != value else value for value in places.get(patch_id, (None, None)))  # noqa: PLR0124
        yield json.dumps({"patch_id": patch_id, "similarity": one.similarity, **said, "lon": lon, "lat": lat})


@contextmanager
def bar_of(title: str, unit: str) -> Iterator[Progress]:
    """Show a progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield silent
        return
    from tqdm import tqdm  # type: ignore[import-untyped]

    with tqdm(desc=title, unit=f" {unit}", leave=False) as bar:

        def progress(done: int, total: int) -> None:
            if bar.total is None:
                bar.initial = done
            bar.total = total
            bar.update(done - bar.n)

        yield progress
