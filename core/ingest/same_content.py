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


def same_content(files: Sequence[tuple[str, Path]], content: bytes, settings: IngestSettings) -> str:
    """Return what is the same for every file of the same bytes and settings whose name states the same.

    Names of several files say which belongs where, so that these are never the same under others.

    Args:
        files: relative name and path of each file of a source.
        content: as of ``files.content_of``.
        settings: a person's decisions.

    Returns:
        Digits, or nothing where the source is not a single file.
    """
    if len(files) != 1:
        return ""
    digest = content.rstrip(b"\n").rpartition(b" ")[2]
    stated = hashlib.sha256(repr(_stated(files[0][0])).encode("utf-8", "surrogateescape")).digest()
    return scene_id_of(digest + stated, settings).removeprefix("s-")


def _stated(name: str) -> tuple[object, ...]:
    """Return everything that ingest reads off the name of a single file."""
    path = PurePosixPath(name)
    bands = band_of_file(path.stem), names_other_layer(path.stem), is_mask_name(path.stem), names_classes(path.stem)
    products = product_of(name), product_of_known_order(name), shard_of(path.stem) is not None
    return path.suffix.lower(), bands, products, dates_in(path.stem), read_hints([name], {}, ())
