"""The commands about areas: draw a sample to be judged, and estimate accuracy and areas from it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.destinations import check_out
from core.cli.options import add_encoding, add_overrides
from core.cli.sources import engine_of, open_source, recipe_of
from core.config import Config
from core.errors import SettingsError

if TYPE_CHECKING:
    from core.classification.areas.class_map import ClassifiedPatches

CSV_ENDINGS = (".csv",)


class SampleDesignCommand:
    """Draw a stratified random sample of classified patches for people to judge, as CSV.

    Strata are the classes of the map; patches without a class are a stratum of their own, “abstained”. Each class gets
    at least 50, or an equal part of a smaller size; the rest goes by the number of patches. Equal seeds give equal
    samples. Lines stand in random order: judge from the top, and stop where you must.

    Fill in the column “reference” with the class on the ground. Then “python -m core accuracy S.csv --areas A.csv”
    estimates accuracy and areas. “--areas” writes A.csv: class, hectares on the ground of pixels that hold data,
    number of patches. What patches share that overlap counts once.

    With “--target-error” the size follows from the standard error wanted of the overall accuracy (Olofsson et al. 2014,
    equation 13). The accuracy to expect of each class is the mean probability of its patches.
    """

    name = "sample-design"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the map, the size and where the sample goes."""
        parser.add_argument("file", type=Path, metavar="C.parquet", help="what “classify” wrote")
        size = parser.add_mutually_exclusive_group(required=True)
        size.add_argument("--size", type=int, metavar="N", help="how many patches are judged")
        size.add_argument("--target-error", type=float, metavar="E", help="standard error wanted, such as 0.01")
        parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the draw; default: 0")
        parser.add_argument("--out", type=Path, required=True, metavar="S.csv")
        parser.add_argument("--areas", type=Path, metavar="A.csv", help="write the hectares of each class too")

    def run(self, options: argparse.Namespace, _config: Config) -> Iterable[str]:
        """Write the sample, and the areas where they are asked for."""
        from core.classification.areas.class_map import read_classified
        from core.classification.areas.ground import areas_of, counted_words
        from core.classification.areas.sample_design import allocate, draw_sample, sample_columns
        from core.classification.areas.tables import write_areas, write_csv

        for path in filter(None, (options.out, options.areas)):
            check_out(path, CSV_ENDINGS, str(options.file))
        if options.areas is not None and options.areas.absolute() == options.out.absolute():
            raise SettingsError("Designing a sample", "--out and --areas are one file", "give two names")
        if options.seed < 0:
            raise SettingsError("Designing a sample", f"--seed is {options.seed}", "give at least 0")
        patches = read_classified(options.file)
        units = {name: len(rows) for name, rows in patches.strata.items()}
        size = _size(options, patches)
        allocation = allocate(size, units)
        areas = None if options.areas is None else areas_of(patches)
        write_csv(options.out, sample_columns(patches, draw_sample(patches, allocation, options.seed)))
        if areas is not None:
            write_areas(options.areas, areas)
            if words := counted_words(patches):
                sys.stderr.write(f"{options.file.name}: {words}\n")
        sys.stderr.writelines(f"{name}: {count} of {units[name]:,} patches\n" for name, count in allocation.items())
        return ()


def _size(options: argparse.Namespace, patches: ClassifiedPatches) -> int:
    """Return the size that is asked for, or that follows from the error; say on stderr what it rests on."""
    from core.classification.areas.sample_design import FEWEST, conjectured, size_for_error

    every = len(patches.ids)
    if options.size is not None:
        if options.size > every:
            sys.stderr.write(f"{options.size} are asked for, and there are {every} patches; all are in the sample\n")
        return int(options.size)
    expected = conjectured(patches)
    weights = [len(rows) / every for rows in patches.strata.values()]
    size = size_for_error(weights, list(expected.values()), options.target_error, every)
    listed = ", ".join(f"{name} {share:.2f}" for name, share in expected.items())
    sys.stderr.write(f"{size} patches for a standard error of {options.target_error:g}; expected right: {listed}\n")
    return max(size, sum(min(FEWEST, len(rows)) for rows in patches.strata.values()))


class AreasCommand:
    """Print as JSON how much land each class of a scene's map has, as the Classify page shows it.

    The map is the one that is made there, by labels, a head, or the encoder's own classes. “mapped” is hectares a class
    on the map. “estimated” is what the judged sample tells, with 95 % intervals, as “accuracy” prints it: null where
    none was judged, for then areas are those of a map, which errs. “true” is by the scene's own truth, if it has one.
    """

    name = "areas"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the source, the encoder and the cutting."""
        add_encoding(parser)
        add_overrides(parser)

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Yield the JSON."""
        from core.engine.land_areas import areas_of_scene

        engine, scene = engine_of(config), open_source(options, config)
        found = areas_of_scene(engine, recipe_of(options, engine, scene))
        yield json.dumps(found.to_dict(), indent=1, ensure_ascii=False)


class AccuracyCommand:
    """Estimate how right a map is and what its classes cover from a judged sample, with 95 % intervals, as JSON.

    S.csv has a line for each judged patch: “map” and “reference”, its class on the map and on the ground, and “stratum”
    where patches were not drawn by the map's classes. A.csv has “class” (or “stratum”), “hectares” and perhaps
    “patches”, how many there are, by which a class that was judged as a whole leaves no doubt.

    The estimators are Stehman's (2014), which are those of Olofsson et al. (2014) where the strata are the classes.
    Lines without a reference are left out and counted. Where none has one, the areas are those of the map.
    """

    name = "accuracy"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the sample and the areas."""
        parser.add_argument("sample", type=Path, metavar="S.csv", help="the judged sample")
        parser.add_argument("--areas", type=Path, required=True, metavar="A.csv", help="hectares of each class")

    def run(self, options: argparse.Namespace, _config: Config) -> Iterator[str]:
        """Yield the JSON."""
        from core.classification.areas.estimation import estimate_accuracy
        from core.classification.areas.tables import read_areas, read_sample

        strata = read_areas(options.areas)
        found = estimate_accuracy(read_sample(options.sample, strata), strata)
        yield json.dumps(found.to_dict(), indent=1, ensure_ascii=False)
