"""What LanceDB and the system raise when files cannot be written or read, turned into one sentence each."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from core.errors import StoreError
from core.features.recipe import Recipe

FAILURES = (OSError, RuntimeError, ValueError, pa.ArrowException)
_log = logging.getLogger(__name__)


def disk_full(error: BaseException) -> bool:
    """Whether a failure to write comes from a disk or a quota that has no room, whoever raises it."""
    words = str(error).lower()
    return any(sign in words for sign in ("no space left", "storagefull", "disk quota"))


def reason(error: OSError) -> str:
    """What the system says of a failure in a few words, without what libraries write around it."""
    inside = re.search(r"\[errno (\d+)\]", str(error), re.IGNORECASE)
    number = error.errno or (int(inside[1]) if inside else None)
    return (os.strerror(number) if number else str(error).splitlines()[0].rstrip(".")).lower()


@contextmanager
def storing(recipe: Recipe) -> Iterator[None]:
    """Turn what LanceDB and the system raise while writing into one sentence."""
    try:
        yield
    except FAILURES as error:
        asked = f"Storing the features of {recipe.scene_id}"
        if disk_full(error):
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
