"""Which files of a source are a Zarr, told by names alone (Zarr specifications, versions 2 and 3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from core.ingest.files import Member

GROUP_2, ARRAY_2, ATTRIBUTES_2, WHOLE_2, NODE_3 = ".zgroup", ".zarray", ".zattrs", ".zmetadata", "zarr.json"
DOCUMENTS = frozenset({GROUP_2, ARRAY_2, ATTRIBUTES_2, WHOLE_2, NODE_3})
ZARR_SUFFIX = ".zarr"
_CHUNK = re.compile(r"\d+(?:\.\d+)*")


def zarrs_of(members: Sequence[Member]) -> dict[str, dict[str, Member]]:
    """Return the Zarrs among files, by their folders (``""`` = the source itself): files by key.

    A folder that only holds arrays is a Zarr, too: its document may have got lost. Of files of one name in a zip the
    last counts, as in every zip.
    """
    marked: dict[str, set[str]] = {}
    for member in members:
        path = PurePosixPath(member.name)
        if path.name in DOCUMENTS:
            marked.setdefault("" if str(path.parent) == "." else str(path.parent), set()).add(path.name)
    tops = [folder for folder in marked if not any(outer in marked for outer in _around(folder))]
    roots = set()
    for folder in tops:
        bare = ARRAY_2 in marked[folder] and GROUP_2 not in marked[folder]
        parent = str(PurePosixPath(folder).parent)
        roots.add(("" if parent == "." else parent) if bare and folder else folder)
    found: dict[str, dict[str, Member]] = {root: {} for root in roots}
    for member in sorted(members, key=lambda one: one.number):
        root = next((outer for outer in _around(member.name) if outer in roots), None)
        if root is not None:
            found[root][member.name[len(root) + 1 :] if root else member.name] = member
    return dict(sorted(found.items()))


def without_documents(members: Sequence[Member]) -> bool:
    """Tell whether files look like the chunks of a Zarr whose documents, hidden files all, are missing."""
    chunks = [member for member in members if _CHUNK.fullmatch(member.base)]
    named = any(part.lower().endswith(ZARR_SUFFIX) for member in members[:1] for part in member.name.split("/"))
    return len(chunks) > 3 and len(chunks) >= 0.9 * len(members) and (named or any("." in m.base for m in chunks))


def _around(name: str) -> list[str]:
    """Return the folders that a file or folder lies in, the nearest first, at last ``""``."""
    parts = name.split("/")[:-1] if name else []
    return ["/".join(parts[:count]) for count in range(len(parts), -1, -1)] if name else []
