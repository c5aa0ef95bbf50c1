"""The commands that make scenes: of a source, and of a seed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from core.cli.command import bar_of
from core.cli.destinations import TIFF_ENDINGS, check_out
from core.cli.options import SOURCE_HELP, add_overrides
from core.cli.sources import open_sources
from core.config import Config


class SceneCommand:
    """Take a source into the library; print its quality record as JSON.

    A source is one multi-band GeoTIFF, the band files of one scene in a folder, a zip or tar of them, a NetCDF or Zarr
    cube, a NumPy array, or a zip or folder of labelled patches in class folders, as EuroSAT comes. Pixels become
    reflectance × 10 000 on one grid. A Parquet file of vectors that others computed becomes a scene without pixels.

    The record says what was read, decided and assumed: bands, scale, offset, place, date. The options below override
    it. A source that is in the library already is not read again. Of several dates each becomes a scene, and one record
    after another is printed.
    """

    name = "scene"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the source and the overrides."""
        parser.add_argument("source", metavar="SOURCE", help=SOURCE_HELP)
        add_overrides(parser)

    def run(self, options: argparse.Namespace, config: Config) -> Iterator[str]:
        """Yield the quality record of each scene as JSON."""
        from core.scenes.quality import load_quality

        for scene in open_sources(options, config):
            record = {"scene": scene.id} | asdict(load_quality(scene.directory))
            yield json.dumps(record, indent=1, ensure_ascii=False)


class SyntheticCommand:
    """Write a synthetic scene.

    It is a GeoTIFF of 13 bands of a made-up landscape. The same size and seed give the same pixels.
    """

    name = "synthetic"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its size, its seed and where it goes."""
        parser.add_argument(
            "--size", type=int, default=2560, metavar="PIXELS", help="a side, 64 to 30000; default 2560"
        )
        parser.add_argument("--seed", type=int, default=0, metavar="S", help="default 0")
        parser.add_argument("--out", type=Path, required=True, metavar="scene.tif")

    def run(self, options: argparse.Namespace, _config: Config) -> Iterable[str]:
        """Write the file."""
        from core.synthetic.landscape import write_synthetic

        check_out(options.out, TIFF_ENDINGS)
        with bar_of("Making the scene", "blocks") as progress:
            write_synthetic(options.out, size=options.size, seed=options.seed, progress=progress)
        return ()


class SampleCommand(SyntheticCommand):
    """Do the same as “synthetic”, of which this is the old name.

    As a SOURCE of other commands, “sample” is the real scene that the app opens first.
    """

    name = "sample"
