"""The same bytes under another name: told apart from files whose names state something else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from core.ingest.bands.names import band_of_file, names_other_layer
from core.ingest.bands.order import product_of_known_order
from core.ingest.files import scene_id_of
from core.ingest.formats.classification import names_classes
from core.ingest.formats.extra_samples import is_mask_name
from core.ingest.formats.other_sensors import product_of
from core.ingest.formats.product_metadata import dates_in, read_hints
from core.ingest.formats.tiles import shard_of
from core.ingest.settings import IngestSettings

MOST_READ = 500
"""Reading what the names of a large collection state would take longer than it is worth."""


def same_content(files: Sequence[tuple[str, Path]], content: bytes, settings: IngestSettings) -> str:
    """Return what is the same for all sources of the same bytes and settings whose names state the same.

    Names of several files say besides which belongs where: they may differ only in what all begin with.

    Args:
        files: relative name and path of each file of a source.
        content: as of ``files.content_of``.
        settings: a person's decisions.

    Returns:
        Digits; nothing where the source has more files than ``MOST_READ``.
    """
    if not 0 < len(files) <= MOST_READ:
        return ""
    digests = [line.rpartition(b" ")[2] for line in content.rstrip(b"\n").split(b"\n")]
    if len(digests) != len(files):  # A name holds a line break.
        return ""
    names = [name for name, _ in files]
    said: object = _stated(names[0]) if len(names) == 1 else _stated_together(names)
    stated = hashlib.sha256(repr(said).encode("utf-8", "surrogateescape")).digest()
    return scene_id_of(b"".join(digests) + stated, settings).removeprefix("s-")


def _stated_together(names: Sequence[str]) -> tuple[object, ...]:
    """Return everything that ingest reads off the names of several files, and off how they differ."""
    paths = [PurePosixPath(name) for name in names]
    first, last = min(path.name for path in paths), max(path.name for path in paths)
    begin = next((place for place, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first))
    ends = [(str(path.parent), path.name[begin:]) for path in paths]
    return [_stated(name) for name in names], ends, read_hints(names, {}, ())


def _stated(name: str) -> tuple[object, ...]:
    """Return everything that ingest reads off the name of a file."""
    path = PurePosixPath(name)
    bands = band_of_file(path.stem), names_other_layer(path.stem), is_mask_name(path.stem), names_classes(path.stem)
    products = product_of(name), product_of_known_order(name), shard_of(path.stem) is not None
    return path.suffix.lower(), bands, products, dates_in(path.stem), read_hints([name], {}, ())
