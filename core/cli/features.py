"""The commands that make features and work on files of them: embed, neighbours, compare, project."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

from core.cli.batch import embed_batch, is_batch
from core.cli.command import bar_of
from core.cli.destinations import PARQUET_ENDINGS, check_out
from core.cli.options import ENCODER_HELP, SOURCE_HELP, add_cutting, add_encoding, add_file, add_overrides, cut_of
from core.cli.sources import engine_of, feature_file, near_lines, open_source, read_features, recipe_of, write_features
from core.config import Config
from core.errors import SettingsError


class EmbedCommand:
    """Encode the patches of a source into GeoParquet, or those of thousands of scenes.

    The file holds a row a patch: its outline, its class if there is one, its features, and the mean and deviation of
    each band. Where the encoder was taught classes, it has the likeliest of them, “Unsure” where none counts, and its
    probability: “predicted” and “confidence”. QGIS and GeoPandas open it. Features that were computed before are not
    computed again.

    Beside it a STAC item says what it holds, by the extension for embeddings: F.stac.json.

    The patches of a collection are not cut otherwise than they came.

    Where --out is a folder, or an address that begins with s3://, az:// or gs://, SOURCE may be many scenes: a folder,
    of which each GeoTIFF, archive, SAFE, folder of bands or other scene is done, or a list, .txt with a path or an
    address (https://, s3://, …) a line; # begins a remark, and paths count from where the list lies. Files of one place
    at several dates are a scene each with its own date, done anew when it changes; several dates in a folder, a zip or
    a cube are one input with a file a date. Nothing goes into the library. In the folder each encoder has a folder of
    its own with a file and a STAC item a scene; above them lie collection.json, the STAC collection; manifest.json,
    which says of each scene its input, date, encoder, number of patches, bytes, digest, seconds and what was doubtful;
    and failures.csv.

    Give the same command again to go on after a stop of any kind: what is there as it was written is left alone, and
    inputs that are new, have changed or failed are done. Several runs may write into one folder at once. The exit code
    is 0 when all inputs are there, and 1 when one could not be done, of which a sentence is told.

    Credentials of a bucket are read from the environment, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (also
    AWS_REGION, AWS_ENDPOINT_URL), AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or
    GOOGLE_APPLICATION_CREDENTIALS. They are never told or kept.
    """

    name = "embed"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the source, the encoder, the cutting and where the file goes."""
        add_encoding(parser, backend=True)
        parser.add_argument(
            "--out", required=True, metavar="F.parquet|FOLDER|s3://…", help="a file, or where those of many scenes go"
        )
        add_overrides(parser)

    def run(self, options: argparse.Namespace, config: Config) -> Iterable[str]:
        """Write the file, or those of a batch."""
        from core.export.geoparquet import read_geoparquet
        from core.export.stac import write_stac_item

        if is_batch(options.out):
            return embed_batch(options, config)
        out = Path(options.out)
        check_out(out, PARQUET_ENDINGS, options.source)
        engine = engine_of(config)
        if options.encoder is not None and _takes_long(options.source):
            engine.spec(options.encoder, options.backend)  # An unknown name is told before the source is opened.
        scene = open_source(options, config)
        recipe = recipe_of(options, engine, scene, options.backend)
        with bar_of("Encoding", "patches") as progress:
            write_features(engine, scene, recipe, out, backend=options.backend, progress=progress)
        write_stac_item(out, read_geoparquet(out))
        return ()


def _takes_long(source: str) -> bool:
    """Tell whether opening a source may take long: a scene of the library and vectors of others take no time."""
    return Path(source).exists() and Path(source).suffix.lower() not in PARQUET_ENDINGS


class NeighboursCommand:
    """List the patches most similar to one, as JSON lines.

    Best first, by cosine similarity over all patches of the file; exact, not approximate.
    """

    name = "neighbours"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the file, the patch and how many."""
        add_file(parser)
        parser.add_argument("--patch-id", type=int, required=True, metavar="N")
        parser.add_argument("-k", type=int, default=10, metavar="K", help="how many; default 10")

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Yield a line of JSON a neighbour."""
        from core.similarity.neighbours import nearest_patches, unit_rows

        table = read_features(options, config)
        position = table.position(options.patch_id)
        if options.k < 1:
            raise SettingsError("Listing neighbours", f"-k is {options.k}", "ask for at least 1")
        near = nearest_patches(
            unit_rows(table.vectors), table.patch_ids, position, options.k, scene=str(table.scene.get("id", ""))
        )
        yield from near_lines(table, near)


class CompareCommand:
    """Ask several encoders for the patches most similar to one, as JSON lines.

    A line an encoder: its answer, best first, and the share of neighbours that a patch keeps when the grid is shifted,
    where Trust has measured it. Then a line a pair: how many of the nearest both found.

    Patches that touch the one asked about are left out.

    Features that were computed before are not computed again.
    """

    name = "compare"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the source, the patch, the encoders and how many."""
        parser.add_argument("source", metavar="SOURCE", help=SOURCE_HELP)
        parser.add_argument("--patch-id", type=int, required=True, metavar="N")
        parser.add_argument(
            "--encoder", action="append", required=True, metavar="NAME|PATH", help=f"{ENCODER_HELP}; give several"
        )
        parser.add_argument("-k", type=int, default=10, metavar="K", help="how many; default 10")
        add_cutting(parser)
        add_overrides(parser)

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Yield the lines."""
        from core.evaluation.retrieval import Share
        from core.scenes.patches import patch_grid
        from core.similarity.neighbours import nearest_patches, unit_rows
        from core.similarity.overlap import overlap

        asked = "Comparing encoders"
        if options.k < 1:
            raise SettingsError(asked, f"-k is {options.k}", "ask for at least 1")
        names = list(dict.fromkeys(options.encoder))
        if len(names) < 2:
            raise SettingsError(asked, f"{names[0]} is the only one", "give --encoder twice or more")
        scene, engine, answers = open_source(options, config), engine_of(config), {}
        cut = cut_of(options, scene)
        recipes = {
            name: engine.recipe(scene, name, cut=cut) for name in names
        }  # All of them before the first takes its time.
        for name, recipe in recipes.items():
            with bar_of("Encoding", "patches") as progress:
                features = engine.encode_now(scene, recipe, progress=progress)
            touching = None if scene.is_collection else patch_grid(scene, recipe.cut).touching(options.patch_id)
            position = features.position(options.patch_id)
            near = nearest_patches(
                unit_rows(features.vectors), features.patch_ids, position, options.k, scene=scene.id, exclude=touching
            )
            answers[name], kept = near.ids, engine.reports.kept_under_shift(recipe)
            line = {
                "encoder": name,
                "patch_ids": near.ids.tolist(),
                "similarity": near.similarity.tolist(),
                "kept_when_shifted": kept.value if isinstance(kept, Share) else None,
            }
            yield json.dumps(line)
        for one, other in combinations(answers, 2):
            shared = overlap(answers[one], answers[other], options.k)
            yield json.dumps({"encoders": [one, other], "nearest": len(answers[one]), "shared": shared})


class ProjectCommand:
    """Add positions x, y of a layout in the plane to a file of features.

    “fast” is UMAP in our own code. “umap”, “densmap” and “supervised” are run by umap-learn, which takes longer.
    densMAP keeps dense groups dense. The supervised one draws patches together that share a class in column “label”.

    Nothing is encoded again. The same settings and seed give the same positions.
    """

    name = "project"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the file, the settings of the layout and where the result goes."""
        add_file(parser)
        parser.add_argument("--out", type=Path, required=True, metavar="G.parquet")
        parser.add_argument("--neighbours", type=int, metavar="K", help="neighbours a point is placed by")
        parser.add_argument("--min-dist", type=float, metavar="D", help="how close points may lie")
        parser.add_argument("--metric", metavar="M", help="cosine, euclidean or correlation")
        parser.add_argument("--seed", type=int, metavar="S")
        parser.add_argument(
            "--method",
            default="fast",
            choices=["fast", "umap", "densmap", "supervised"],
            help="fast (default), umap and densmap by umap-learn, or supervised by the column “label”",
        )

    def run(self, options: argparse.Namespace, config: Config) -> Iterable[str]:
        """Write the file."""
        from core.export.geoparquet import add_positions, read_geoparquet
        from core.projection.labels import COLUMN, classes_in
        from core.projection.methods import arrange
        from core.projection.settings import METHODS, ProjectionSettings

        check_out(options.out, PARQUET_ENDINGS)  # Which may be the file itself: positions are added to it in place.
        chosen = {
            "n_neighbors": options.neighbours,
            "min_dist": options.min_dist,
            "metric": options.metric,
            "seed": options.seed,
        }
        settings = {key: value for key, value in chosen.items() if value is not None}
        labelled = options.method in METHODS and METHODS[options.method].labelled
        wanted = ProjectionSettings(**settings, method=options.method, labels=COLUMN if labelled else "")
        with feature_file(options, config) as path:
            table = read_geoparquet(path)
            labels = classes_in(table.table) if labelled else None
            with bar_of("Arranging", "steps") as progress:
                positions = arrange(table.vectors, wanted, labels=labels, progress=progress)
            add_positions(path, options.out, positions)
        return ()
