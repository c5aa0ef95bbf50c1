"""What commands of the command line share: the engine, opening a source, checking where results go, progress bars."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.config import Config
from core.errors import SourceError, StoreError
from core.progress import Progress, silent
from core.scenes.quality import load_quality
from core.training.trained_models import under_way

if TYPE_CHECKING:
    from core.engine.operations import Engine
    from core.ingest.settings import IngestSettings
    from core.scenes.scene import Scene

SAMPLE = "sample"
"""As a SOURCE, the sample scene."""


def engine_of(config: Config) -> Engine:
    """An engine that works in this process."""
    from core.engine.operations import Engine

    return Engine(config, lanes={})


def open_source(options: argparse.Namespace, config: Config) -> Scene:
    """The scene of a SOURCE, taken into the library if it is not there yet."""
    from core.ingest.boundary import ingest
    from core.scenes.library import SCENE_ID, Library

    library, source = Library(config.root), options.source
    if not source:
        raise SourceError("Opening a scene", "its name is empty", "give a file, a folder, a zip or “sample”")
    if not Path(source).exists():
        if SCENE_ID.fullmatch(source) and source in library:
            return library.get(source)
        if source == SAMPLE:
            from core.synthetic.sample import make_sample

            with bar_of("Making the scene", "rows") as progress:
                return make_sample(library, progress=progress)
    with bar_of("Opening", "steps") as progress:
        return ingest([Path(source)], library, _overrides(options), progress=progress)


def warn(scenes: Iterable[Scene]) -> None:
    """Tell on stderr what was left out or doubtful when scenes were read."""
    for one in scenes:
        for finding in load_quality(one.directory).findings:
            if finding.basis == "warning":
                sys.stderr.write(f"{one.name}: {finding.topic}: {finding.value} ({finding.because})\n")


def _overrides(options: argparse.Namespace) -> IngestSettings:
    from core.ingest.settings import IngestSettings

    names = ("scale", "date", "level", "crs", "nodata", "time")
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.bands is not None:
        chosen["bands"] = tuple(part.strip() for part in options.bands.split(","))
    return IngestSettings(**chosen)


def check_out(path: Path) -> None:
    """Refuse, before the work is done, a place where its result cannot be written."""
    asked = f"Writing {path}"
    if path.is_dir():
        raise StoreError(asked, "that is a folder", "give the name of a file")
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


@contextmanager
def bar_of(title: str, unit: str) -> Iterator[Progress]:
    """A progress bar on a terminal, nothing elsewhere."""
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
