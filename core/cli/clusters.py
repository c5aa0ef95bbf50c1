"""The command that finds clusters of alike patches in a file of features, and names them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import bar_of
from core.cli.destinations import check_out
from core.cli.options import add_file
from core.cli.sources import read_features
from core.config import Config
from core.errors import SettingsError

if TYPE_CHECKING:
    from core.export.geoparquet import Embeddings
    from core.scenes.patches import IntArray
    from core.search.light import PatchLight
    from core.similarity.clusters import ClusterSet

_EXTREMES = 5
"""Typical and odd patches that are told of each cluster."""


class ClusterCommand:
    """Find clusters of alike patches in a file of features, name them in words, and write the cluster of each patch.

    “kmeans” finds as many as “-k” says, or without it the largest number from 4 to 10 whose mean silhouette comes
    within 5 % of the best. “hdbscan” finds dense regions itself, and leaves odd patches without a cluster.

    A cluster is called by the mean reflectance of its patches and their NDVI, NDWI and NDBI, such as “Open water” or
    “Dense vegetation, bright red edge”; a file without statistics of bands has “Cluster 1” and so on.

    Each row has “cluster”, from 1 by size and 0 for none, “cluster_name”, and “likeness”: the cosine similarity to the
    middle of its cluster. It prints as JSON the number and what suggested it, and of each cluster patches, hectares
    of pixels that hold data, share, and its most typical and its oddest patches.
    """

    name = "cluster"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the file, how clusters are found, and where the result goes."""
        add_file(parser)
        parser.add_argument("--method", default="kmeans", metavar="M", help="kmeans (default) or hdbscan")
        parser.add_argument("-k", type=int, metavar="N", help="how many, 2 to 100; default: a number that suits them")
        parser.add_argument("--seed", type=int, default=0, metavar="S", help="equal seeds, equal clusters; default: 0")
        parser.add_argument(
            "--out", type=Path, required=True, metavar="C.csv", help="or .parquet, .geojson, .gpkg, .kml"
        )

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Write the file, and yield what was found as JSON."""
        from core.clusters.overview import cluster_set
        from core.export.formats import format_of
        from core.similarity.clusters import ClusterSettings, find_clusters

        check_out(options.out, format_of(options.out).suffixes, str(options.file))
        settings = ClusterSettings(method=options.method, count=options.k, seed=options.seed)
        table = read_features(options, config)
        if not len(table):
            raise SettingsError("Finding clusters", f"“{options.file.name}” has no patches", "embed a scene first")
        with bar_of("Finding clusters", "steps") as progress:
            found = find_clusters(table.vectors, settings, progress=progress)
        known = cluster_set(settings, found, _light(table))
        yield json.dumps(_write(options.out, table, known), indent=1, ensure_ascii=False)


def _light(table: Embeddings) -> PatchLight | None:
    """Return the light of a file's patches; None where it does not have it."""
    from core.bands import BAND_NAMES
    from core.search.light import PatchLight

    if table.band_mean is None:
        return None
    stated = table.scene.get("bands")
    bands = tuple(name for name in stated if name in BAND_NAMES) if isinstance(stated, list) else BAND_NAMES
    return PatchLight(bands=bands, mean=table.band_mean, deviation=table.band_std)


def _write(path: Path, table: Embeddings, known: ClusterSet) -> dict[str, Any]:
    """Write the cluster of each patch; return what was found as JSON values."""
    import numpy as np

    from core.clusters.overview import overviews
    from core.export.formats import write_rows
    from core.export.selection import file_rows, file_shapes, valid_shares
    from core.scenes.outline_areas import hectares_together
    from core.similarity.neighbours import unit_rows

    shapes, row_of = file_shapes(table.table), {int(patch): row for row, patch in enumerate(table.patch_ids)}

    def rows(ids: IntArray) -> list[int]:
        return [row_of[patch] for patch in ids.tolist()]

    valid = valid_shares(table.table)

    def ground(ids: IntArray) -> float | None:
        return hectares_together(shapes[rows(ids)], None if valid is None else valid[rows(ids)])

    every = overviews(known, unit_rows(table.vectors), table.patch_ids, ground)
    likeness = np.full(len(table), np.nan, np.float32)
    for one in every:
        likeness[rows(one.patches)] = one.likeness
    names = np.array([*known.names, None], dtype=object)[known.index]
    columns = {"cluster": known.index.astype(np.int64) + 1, "cluster_name": names, "likeness": likeness}
    write_rows(path, file_rows(table, columns=columns))
    return {
        "method": known.settings.method, "clusters": len(every), "patches": len(table),
        "without": int((known.index < 0).sum()),
        "hectares_are_of": "whole outlines; no share with data is known" if valid is None else "pixels that hold data",
        "silhouettes": {str(count): round(score, 4) for count, score in sorted(known.scores.items())},
        "found": [
            {
                "cluster": one.number + 1, "name": one.name, "patches": len(one.patches),
                "hectares": None if one.hectares is None else round(one.hectares, 2), "share": round(one.share, 4),
                "typical": one.patches[:_EXTREMES].tolist(), "odd": one.patches[::-1][:_EXTREMES].tolist(),
            }
            for one in every
        ],
    }  # fmt: skip
