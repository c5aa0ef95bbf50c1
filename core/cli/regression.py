"""The command that learns a number a patch on a file of features and predicts it everywhere."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from core.cli.destinations import TIFF_ENDINGS, check_out
from core.cli.options import add_file
from core.cli.sources import read_features
from core.config import Config


class RegressCommand:
    """Learn a number a patch, such as a yield or biomass, and predict it for all patches with intervals.

    V.csv has a line a patch: patch_id and value, or lon, lat and value. V.geojson has points, whose mean counts in each
    patch, and polygons, which give a patch of which they cover at least half their mean by area. GeoPackages and zipped
    Shapefiles are read too. The column is the one called value, target, yield or biomass, the only one of numbers, or
    the one that “--column” names.

    R.csv or R.parquet has a row a patch: “predicted”, “low” and “high” of its 90 % interval, “actual” where given,
    “predicted_held_out”, what was predicted of it by its neighbours' land left out, and “unfamiliar_land”: whom its
    land is unfamiliar to, “encoder”, “examples” or “both”, where predictions are guesses. R.tif is a cloud-optimised
    GeoTIFF with four bands: predicted, low, high, unfamiliar. GeoJSON, GeoPackage and KML are written by their endings.

    It prints as JSON how right that is on blocks of land that were held out: R², the root of the mean squared error,
    and how many numbers lie in their interval. Intervals need numbers in nine blocks of land or more; with fewer there
    are none, which is said. The mean is over land, and leaves the unfamiliar out. What could not be
    used is said on stderr.
    """

    name = "regress"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the file, the numbers and where the result goes."""
        add_file(parser)
        parser.add_argument("--values", type=Path, required=True, metavar="V.csv|V.geojson|V.gpkg|V.zip")
        parser.add_argument("--column", default="", metavar="NAME", help="with the number")
        parser.add_argument("--layer", default="", metavar="NAME", help="of the numbers, where their file has several")
        parser.add_argument("--out", type=Path, required=True, metavar="R.csv|R.parquet|R.tif")

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Write the predictions, and yield how right they are as JSON."""
        from core.classification.feature_file import FeatureFile
        from core.classification.labelled import blocks_of
        from core.classification.numbers.files import number_columns, number_facts, write_number_map
        from core.classification.numbers.importing import read_numbers
        from core.classification.numbers.regression import teach_values
        from core.export.formats import EXPORT_ENDINGS, write_rows
        from core.export.selection import file_rows

        endings = (".csv", ".parquet", *TIFF_ENDINGS, *EXPORT_ENDINGS)
        check_out(options.out, endings, options.file, options.values)
        known = FeatureFile(table=read_features(options, config), name=options.file.name)
        table = known.table
        given = read_numbers(
            options.values, table.patch_ids, known.outlines, column=options.column, layer=options.layer,
            scene_id=known.scene_id,
        )  # fmt: skip
        sys.stderr.writelines(f"{options.values.name}: {sentence}\n" for sentence in given.said)
        blocks = blocks_of(len(table.patch_ids), table.lonlat, known.places)
        model = teach_values(
            table.vectors, table.patch_ids, dict(given.values), blocks=blocks, outlines=known.sharing
        )  # fmt: skip
        novelty = known.novelty(config)
        columns = number_columns(model, table.patch_ids, table.vectors, novelty)
        if options.out.suffix.lower() in TIFF_ENDINGS:
            write_number_map(options.out, known.grid, table.patch_ids, columns, given.column)
        else:
            write_rows(options.out, file_rows(table, columns=columns))
        facts = number_facts(
            model, given.column, columns, novelty_known=novelty is not None, hectares=known.hectares
        )  # fmt: skip
        yield json.dumps(facts | {"said": list(given.said)}, indent=1, ensure_ascii=False)
