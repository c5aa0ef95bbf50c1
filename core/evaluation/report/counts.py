"""Numbers of patches in plain sentences: how many there are, and which do not count."""

from __future__ import annotations

from collections.abc import Sequence

from core.evaluation.duplicates import Copies
from core.evaluation.retrieval import Retrieval

NAMED = 5
"""Classes of one patch that are named."""


def patches(number: int) -> str:
    """``1 patch``, ``1,600 patches``."""
    return f"{number:,} {'patch' if number == 1 else 'patches'}"


def too_few(number: int) -> str:
    """``1 patch is too few``, ``5 patches are too few``."""
    return f"{patches(number)} {'is' if number == 1 else 'are'} too few"


def left_out(found: Copies) -> list[str]:
    """Which patches do not count because they are the same as others, a sentence for each reason."""
    told = []
    if found.copies:
        what = "patch that is a copy of another does" if found.copies == 1 else "patches that are copies of others do"
        told.append(f"{found.copies:,} {what} not count.")
    if found.torn:
        told.append(f"{patches(found.torn)} do not count, because the same patch stands for several classes.")
    return told


def unasked(found: Retrieval, names: Sequence[str]) -> list[str]:
    """Which patches were not asked, a sentence for each reason; ``names`` are those of the classes of one patch."""
    told = []
    if names:
        more = [f"{len(names) - NAMED:,} more"] if len(names) > NAMED else []
        parts = [*names[:NAMED], *more]
        listed = " and ".join([part for part in (", ".join(parts[:-1]), parts[-1]) if part])
        told.append(
            f"{listed} {'has one patch and is' if len(names) == 1 else 'have one patch each and are'} not counted."
        )
    touched = found.unasked - len(found.alone)
    if touched:
        are, it = ("is", "it") if touched == 1 else ("are", "them")
        told.append(f"{patches(touched)} {are} not asked, because all others of the class touch {it}.")
    return told
