"""Embedding many scenes: what the command says of each, and of all together."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.destinations import PARQUET_ENDINGS, check_batch_folder
from core.cli.options import overrides_of
from core.config import Config
from core.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from core.engine.batch.run import BatchStep
    from core.engine.batch.wish import BatchWish


def is_batch(out: str) -> bool:
    """Tell whether results go into a folder or a bucket; what has an ending, and is no folder, is a file.

    Raises:
        SettingsError: for a file in a bucket.
    """
    from core.storage.address import scheme_of, shown_address

    if scheme_of(out):
        if Path(out).suffix.lower() in PARQUET_ENDINGS:
            found = f"{shown_address(out)} is one file in a bucket"
            raise SettingsError("Embedding", found, "give a folder there, such as s3://bucket/embeddings")
        return True
    return Path(out).is_dir() or out.endswith(os.sep) or not Path(out).suffix


def embed_batch(options: argparse.Namespace, config: Config) -> Iterator[str]:
    """Embed many scenes, and yield a line an input that was written, and one of all together.

    Raises:
        SourceError: when there is nothing to be embedded.
        StoreError: when the storage cannot be written, or some inputs could not be done.
    """
    from core.engine.batch.inputs import batch_inputs
    from core.engine.batch.run import in_turn, on_cluster, run_batch
    from core.storage.address import open_storage

    title = open_storage(options.out).title
    wish = _wish(options, config)
    inputs = batch_inputs(options.source, options.out)
    check_batch_folder(options.out)
    states: dict[str, int] = {}
    doubtful = 0

    def begun(todo: int, count: int) -> None:
        if todo < count:
            sys.stderr.write(f"{count - todo:,} of {count:,} inputs are there already\n")

    mapped = on_cluster(config, _waiting) if config.scheduler else in_turn
    ended = run_batch(inputs, wish, _absolute(options.out), config, mapped=mapped, begun=begun)
    for number, step in enumerate(ended, start=1):
        states[step.state] = states.get(step.state, 0) + 1
        if step.state == "written":
            doubtful += any(scene.warnings for scene in step.record.scenes)
            yield _line(step, number, len(inputs))
        elif step.state == "failed":
            sys.stderr.write(f"{number}/{len(inputs)} {step.record.sentence}\n")
    yield _summary(title, states, doubtful)
    if failed := states.get("failed", 0):
        found = f"{failed:,} of {len(inputs):,} inputs could not be done"
        raise StoreError(f"Embedding into {title}", found, "see failures.csv there, and give the command again")


def _absolute(out: str) -> str:
    """Return where results go as workers have it, who may have been started elsewhere."""
    from core.storage.address import scheme_of

    return out if scheme_of(out) else str(Path(out).absolute())


def _waiting(words: str) -> None:
    if words:
        sys.stderr.write(f"{words}\n")


def _wish(options: argparse.Namespace, config: Config) -> BatchWish:
    from core.engine.batch.wish import BatchWish, fingerprint_of

    area = None if options.only is None else Path(options.only)
    if area is not None and not area.is_file():
        found = f"there is no file {options.only}"
        raise SettingsError("Cutting the patches of an area", found, "give a file, for many scenes know no other areas")
    return BatchWish(
        encoder=options.encoder,
        fingerprint=fingerprint_of(options.encoder, options.backend, config),
        backend=options.backend,
        patch=options.patch_size,
        stride=options.stride,
        edge=options.edge,
        least_valid=options.least_valid,
        area=area,
        settings=overrides_of(options),
    )


def _line(step: BatchStep, number: int, count: int) -> str:
    scenes = step.record.scenes
    patches, size = sum(one.patches for one in scenes), sum(one.data.size for one in scenes)
    dates = f"{len(scenes)} scenes, " if len(scenes) > 1 else ""
    doubtful = ", with warnings" if any(one.warnings for one in scenes) else ""
    told = f"{dates}{patches:,} patches, {size / 1e6:,.1f} MB, {step.record.seconds:,.0f} s{doubtful}"
    return f"{number}/{count} {step.record.input}: {told}"


def _summary(title: str, states: dict[str, int], doubtful: int) -> str:
    told = ", ".join(f"{states.get(state, 0):,} {state}" for state in ("written", "there already", "failed"))
    more = f"; {doubtful:,} with warnings, see manifest.json" if doubtful else ""
    return f"{title}: {told}{more}"
