"""How ingest speaks of sources: names made fit for one line, and the sentences several modules share."""

from __future__ import annotations

import errno
import unicodedata

from core.errors import SourceError

MAX_NAME = 80


def clean_name(text: str, limit: int = MAX_NAME) -> str:
    """A name on one line: control, bidirectional and unpaired characters become ``?``; long ones lose their middle.

    Markup is left alone: escaping belongs to the page.
    """
    shown = "".join("?" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char for char in text)
    if len(shown) <= limit:
        return shown
    tail = limit // 3
    return f"{shown[: limit - tail - 1]}…{shown[-tail:]}"


def opening(name: str) -> str:
    """The first part of a sentence about a source."""
    return f"Opening “{clean_name(name)}”"


def damaged(name: str) -> SourceError:
    """The sentence for a file that breaks off or does not decode."""
    return SourceError(opening(name), "the file is damaged or cut short", "get it again from where it came from")


def disk_full(name: str) -> SourceError:
    """The sentence for a disk without room."""
    return SourceError(
        opening(name),
        "the disk is full, so the scene could not be stored",
        "free some space or delete scenes you no longer need, then open it again",
    )


def is_disk_full(error: OSError) -> bool:
    """True when writing failed for want of room."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
