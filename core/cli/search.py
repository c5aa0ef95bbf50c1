"""The command that searches a file of features by good and bad examples."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.destinations import check_out
from core.cli.options import add_file
from core.cli.sources import near_lines, read_features
from core.config import Config
from core.errors import SettingsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.export.geoparquet import Embeddings
    from core.search.examples import Evidence, VectorExample
    from core.search.ranking import Ranking
    from core.search.space import SearchSpace
    from core.similarity.neighbours import Neighbours

DEFAULT_COUNT = 10
"""How many patches are listed where neither a number nor a least similarity is given."""

_ASKED = "Searching by examples"
_NONE = "no patch is found: all that may be are examples, or fit less than --min-similarity asks\n"
_ID = re.compile(r"(\d{1,18})(?::(\d{1,9}(?:\.\d{1,9})?))?")


class SearchCommand:
    """Find the patches that are like good examples and unlike bad ones, as JSON lines or as a file.

    Best first, over all patches of the file but the examples. “similarity” says how well a patch fits, and “measure”
    what that number is. Up to nine good examples it is “cosine”: the cosine similarity, −1 to 1, to the mean of the
    good examples less 30 % of the mean of the bad ones. From ten on it is “probability”: that of being like the good
    ones rather than the bad ones and the rest of the file, by logistic regression, 0 to 1.

    An example counts once, or as often as a number after its id says: “3:2,17:0.5” are patch 3 twice and 17 by half.

    A patch can be named by a place too: “--at "37.2, -75.9"”, in degrees or UTM. “--chip” looks for land like a
    picture, a GeoTIFF, PNG or JPEG, which the encoder of the file encodes; it is said what was assumed of it. Where
    it lacks bands of the scene, only features of bands that both have are compared, if the encoder keeps them apart.
    “--bands” and “--scale” say what the file of the picture does not.

    “--area” keeps to patches whose centre lies in a polygon. “--min-similarity” keeps to those that fit at least so
    well, and without “-k” gives all of them.

    “--out” writes the patches with all that the file says of them, in the format that its name ends in.
    """

    name = "search"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the file, the examples, what is left out and where the result goes."""
        add_file(parser)
        parser.add_argument("--like", metavar="N,N,…", help="patches that are what is looked for")
        parser.add_argument("--at", metavar="PLACE", help="the patch at a place is what is looked for")
        parser.add_argument("--chip", type=Path, metavar="FILE", help="what a picture shows is what is looked for")
        parser.add_argument("--bands", metavar="B01,B02,…", help="the bands of the picture, in the order of its file")
        parser.add_argument("--scale", default="auto", metavar="S", help="what its numbers mean, such as dn or dn+1000")
        parser.add_argument("--unlike", metavar="N,N,…", help="patches that are not")
        parser.add_argument("--area", type=Path, metavar="A.geojson", help="search in these polygons only, in degrees")
        parser.add_argument("--min-similarity", type=float, metavar="S", help="the least that counts")
        parser.add_argument(
            "-k", type=int, metavar="K", help=f"how many; default {DEFAULT_COUNT}, with --min-similarity all"
        )
        parser.add_argument(
            "--out", type=Path, metavar="R.geojson", help="a file; or its name ends in .gpkg, .csv, .parquet or .kml"
        )

    def run(self, options: argparse.Namespace, config: Config) -> Iterable[str]:
        """Yield a line of JSON a patch, or write the file."""
        from core.encoders.parts import feature_parts
        from core.export.formats import format_of
        from core.search.by_examples import rank

        if options.k is not None and options.k < 1:
            raise SettingsError(_ASKED, f"-k is {options.k}", "ask for at least 1")
        if options.chip is None and (options.bands is not None or options.scale != "auto"):
            missing = "--bands and --scale speak of a picture, and there is none"
            raise SettingsError(_ASKED, missing, "give the picture with --chip, or leave them out")
        if options.out is not None:
            check_out(options.out, format_of(options.out).suffixes, options.file, options.area, options.chip)
        table = read_features(options, config)
        space = _space(table)
        evidence = _evidence(options, space.scene, table)
        if options.chip is not None:
            evidence = evidence.mark(_chip(options, table, config))
            parts = feature_parts(str(table.spec.get("name", "")), space.fingerprint, config)
            space = replace(space, parts=parts)
        ranking = rank(evidence, space)
        if ranking.note:
            sys.stderr.write(f"{ranking.sentence}.\n")
        found = _found(options, space, ranking)
        if not len(found):
            sys.stderr.write(_NONE)
        if options.out is None:
            return near_lines(table, found, measure=ranking.measure.name)
        _write(options.out, table, space, ranking, found)
        return ()


def _ids(text: str, option: str) -> dict[int, float]:
    """Return the patch ids of an option, and how often each counts.

    Raises:
        SettingsError: when there are none, or one is no number.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise SettingsError(_ASKED, f"{option} names no patch", "give patch ids with commas between them, such as 3,17")
    found: dict[int, float] = {}
    for part in parts:
        named = _ID.fullmatch(part)
        if named is None:
            what = f"“{part[:40]}” in {option} is no patch id"
            raise SettingsError(_ASKED, what, "give patch ids with commas between them, such as 3,17 or 3:2,17")
        patch, weight = int(named[1]), 1.0 if named[2] is None else float(named[2])
        if found.setdefault(patch, weight) != weight:
            what = f"patch {patch} is in {option} twice, and counts {found[patch]:g} and {weight:g} times"
            raise SettingsError(_ASKED, what, "give it once")
    return found


def _evidence(options: argparse.Namespace, scene: str, table: Embeddings) -> Evidence:
    from core.scenes.patches import PatchRef
    from core.search.examples import Evidence

    if options.like is None and options.at is None and options.chip is None:
        raise SettingsError(_ASKED, "nothing says what is looked for", "give --like, --at or --chip")
    good = {} if options.like is None else _ids(options.like, "--like")
    if options.at is not None:
        good.setdefault(_patch_at(options.at, table), 1.0)
    bad = {} if options.unlike is None else _ids(options.unlike, "--unlike")
    refs = ([PatchRef(scene, patch) for patch in ids] for ids in (good, bad))
    return Evidence.of(*refs, weights={PatchRef(scene, patch): heavy for patch, heavy in (good | bad).items()})


def _patch_at(text: str, table: Embeddings) -> int:
    """Return the patch whose outline holds a place, of several the one whose middle is nearest.

    Raises:
        SettingsError: when it is no place, or no patch lies there.
    """
    import numpy as np
    import shapely
    from pyproj import Geod

    from core.export.selection import file_shapes
    from core.search.coordinates import read_spots

    shapes = file_shapes(table.table)
    for spot in read_spots(text):
        held = np.flatnonzero(shapely.intersects_xy(shapes, spot.lon, spot.lat))
        if len(held) and table.lonlat is not None:
            lon, lat = table.lonlat[held].T
            away = Geod(ellps="WGS84").inv(lon, lat, np.full(len(held), spot.lon), np.full(len(held), spot.lat))[2]
            return int(table.patch_ids[held[np.nan_to_num(away, nan=np.inf).argmin()]])
    found = f"no patch of the file lies at {read_spots(text)[0].title}"
    raise SettingsError(f"Looking up the place “{text.strip()[:60]}”", found, "write a place in its scene")


def _chip(options: argparse.Namespace, table: Embeddings, config: Config) -> VectorExample:
    """Return a picture as an example, by the encoder of a file; what is assumed of it is told.

    Raises:
        LandlikeError: when that is not here, or the picture cannot be searched by.
    """
    import tempfile

    from core.encoders.registry import matching_encoder
    from core.ingest.settings import IngestSettings
    from core.scenes.cut import DEFAULT_CUT, Cut
    from core.search.chips import ChipExample, Chips

    path, fingerprint = options.chip, str(table.spec.get("fingerprint", ""))
    bands = None if options.bands is None else tuple(part.strip().upper() for part in options.bands.split(","))
    settings = IngestSettings(bands=bands, scale=options.scale)
    if not fingerprint:
        found = "the file does not say which encoder made its features"
        raise SettingsError(f"Searching by “{path.name}”", found, "give a file that “python -m core embed” wrote")
    encoder = matching_encoder(str(table.spec.get("name", "")), fingerprint, config)
    size = (Cut.from_dict(table.cut) or DEFAULT_CUT).size
    with tempfile.TemporaryDirectory() as folder:
        chips = Chips(Path(folder))
        scene = chips.add([path], settings)
        chips.encode(scene.id, encoder, size)
        sys.stderr.write("".join(f"{note}\n" for note in chips.notes(scene.id)))
        example = chips.example(ChipExample(chip=scene.id, title=scene.name), fingerprint, size)
    if example is None:
        raise SettingsError(f"Searching by “{path.name}”", "its features cannot be kept", "free some space")
    return example


def _space(table: Embeddings) -> SearchSpace:
    from core.search.space import SearchSpace
    from core.similarity.neighbours import unit_rows

    scene, fingerprint = str(table.scene.get("id", "")), str(table.spec.get("fingerprint", ""))
    stated = table.scene.get("bands")
    bands = tuple(str(name) for name in stated) if isinstance(stated, list) else ()
    return SearchSpace(
        scene=scene, patch_ids=table.patch_ids, unit=unit_rows(table.vectors), lonlat=table.lonlat,
        fingerprint=fingerprint, bands={scene: bands},
    )  # fmt: skip


def _found(options: argparse.Namespace, space: SearchSpace, ranking: Ranking) -> Neighbours:
    """Return the patches that are wanted, best first.

    Raises:
        SettingsError: for an area that holds none, or a least similarity that no patch can reach.
    """
    from core.scenes.regions.map_region import read_region_file
    from core.search.space import rows_inside

    least, measure = options.min_similarity, ranking.measure
    if least is not None and not measure.low <= least <= measure.high:
        remedy = f"give {measure.low:g} to {measure.high:g}".replace("-", "−")
        raise SettingsError(_ASKED, f"--min-similarity is {least:g}, and the {measure.title} never is", remedy)
    mask = None
    if options.area is not None:
        mask = rows_inside(read_region_file(options.area), space, asked=f"Searching in “{options.area.name}”")
    count = DEFAULT_COUNT if options.k is None and least is None else options.k
    return ranking.best(count, least=least, mask=mask, seen=ranking.patch_ids[ranking.examples].tolist())


def _write(path: Path, table: Embeddings, space: SearchSpace, ranking: Ranking, found: Neighbours) -> None:
    """Write patches with their rank, and what the file says of them."""
    import numpy as np

    from core.export.formats import write_rows
    from core.export.rows import constant
    from core.export.selection import file_rows

    columns: dict[str, NDArray[Any]] = {
        "rank": np.arange(1, len(found) + 1),
        "similarity": found.similarity,
        "measure": constant(ranking.measure.name, len(found)),
    }
    write_rows(path, file_rows(table, space.rows(found.ids), columns=columns))
