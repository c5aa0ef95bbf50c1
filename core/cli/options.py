"""Options that several commands have, and what they say: how a scene is read, cut and encoded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.scenes.cut import MIN_VALID_FRACTION, Cut, GroundLength

if TYPE_CHECKING:
    from core.ingest.settings import IngestSettings
    from core.scenes.scene import Scene

SOURCE_HELP = "a file, a folder, a zip or tar, the id of a scene in the library, “sample” or “synthetic”"
LABELLED_HELP = "patches in folders named by class, or a scene with a truth, such as “synthetic”"
ENCODER_HELP = "a name from “encoders”, or the path of a model"
BACKEND_HELP = "tensorflow, openvino, openvino-f32, openvino-bf16 or openvino-int8"
LABELS_HELP = "the truth of a scene, or what people gave its patches in the app; default: the truth if there is one"


def add_overrides(parser: argparse.ArgumentParser, bands: str = "--bands") -> None:
    """Add what a person may decide in place of the ingest; ``bands`` is what the option of the bands is called."""
    group = parser.add_argument_group("how to read files")
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
    from core.scenes.overview import cut_by_lengths

    area = "" if options.only is None else _area_of(options.only, scene)
    return cut_by_lengths(
        scene, options.patch_size, options.stride, edge=options.edge, least_valid=options.least_valid, area=area
    )


def _area_of(text: str, scene: Scene) -> str:
    """Return the name of an area that is kept beside a scene, or of one in a file, which is kept from now on.

    What there is to know of it goes to stderr.
    """
    from core.ingest.messages import clean_name
    from core.ingest.vectors.adding import read_area
    from core.scenes.regions.of_interest import keep_area, kept_area, kept_areas

    key = text if text in kept_areas(scene) else keep_area(scene, read_area(Path(text)))
    sys.stderr.writelines(f"{clean_name(Path(text).name)}: {one}\n" for one in kept_area(scene, key).said)
    return key


_OF_VECTORS = ("vector", "model", "lat_first")


_PARTS = ("tile", "window", "bounds")


def overrides_of(options: argparse.Namespace) -> IngestSettings:
    """Return what ``add_overrides`` says is decided in place of the ingest."""
    from core.ingest.settings import IngestSettings

    names = (
        "scale", "date", "level", "crs", "nodata", "time", "by_wavelength", "ten_metres", *_PARTS, *_OF_VECTORS,
    )  # fmt: skip
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.bands is not None:
        chosen["bands"] = tuple(part.strip() for part in options.bands.split(","))
    return IngestSettings(**chosen)


def add_file(parser: argparse.ArgumentParser) -> None:
    """Add a file of features, ours or of others, and which of its columns holds the vectors."""
    parser.add_argument("file", type=Path, metavar="F.parquet", help="what “embed” wrote, or vectors of others")
    parser.add_argument("--vector", metavar="COLUMN", help="which column of a file of others holds the vectors")
