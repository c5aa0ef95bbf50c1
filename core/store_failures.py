"""What LanceDB and the system raise when files cannot be written or read, turned into one sentence each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from core.errors import StoreError
from core.features import Recipe

FAILURES = (OSError, RuntimeError, ValueError, pa.ArrowException)
_log = logging.getLogger(__name__)


@contextmanager
def storing(recipe: Recipe) -> Iterator[None]:
    """Turn what LanceDB and the system raise while writing into one sentence."""
    try:
        yield
    except FAILURES as error:
        asked = f"Storing the features of {recipe.scene_id}"
        if "No space left" in str(error) or "StorageFull" in str(error) or "Disk quota" in str(error):
            remedy = "free some and start again, what is stored so far is kept"
            raise StoreError(asked, "the disk is full", remedy) from error
        _log.warning("%s: %s", asked, error)
        remedy = "check the disk and its permissions, then start again"
        raise StoreError(asked, "the store could not be written", remedy) from error


@contextmanager
def reading(recipe: Recipe) -> Iterator[None]:
    """Turn what LanceDB raises over damaged files into one sentence."""
    try:
        yield
    except FAILURES as error:
        _log.warning("Reading the features of %s: %s", recipe.scene_id, error)
        asked = f"Reading the features of {recipe.scene_id}"
        raise StoreError(asked, "the store is damaged", "encode the scene again") from error
