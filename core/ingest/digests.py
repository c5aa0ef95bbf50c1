"""SHA-256 of large files that were read once, so that a source which is there already is not read again.

A file counts as the same while nothing of what the disk says of it has changed; the time at which its record changed
cannot be set back, as that of its content can. What was changed just now is not kept, for clocks of disks are coarse.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from core.files import write_atomically

LEAST_BYTES = 16 * 2**20
"""Smaller files are read again in no time."""

MOST_DIGESTS = 2000
_SETTLED = 2.0  # seconds
_DIGEST = re.compile(r"[0-9a-f]{64}")


class KeptDigests:
    """Digests by the state of files, kept in one small file.

    Args:
        path: of that file; what is damaged or not there counts as empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, file: Path) -> str | None:
        """Return the digest of a file as it is now, hexadecimal; None when it has to be read.

        Raises:
            OSError: when the file is not there.
        """
        key = state_of(file)
        return None if key is None else self._read().get(key)

    def put(self, file: Path, before: str | None, digest: str) -> None:
        """Keep the digest of a file that has not changed while it was read. A full disk is no error.

        Args:
            file: which.
            before: ``state_of`` from before it was read.
            digest: hexadecimal.
        """
        if before is None or state_of(file) != before:
            return
        known = self._read()
        known[before] = digest
        latest = dict([*known.items()][-MOST_DIGESTS:])
        try:
            write_atomically(self._path, json.dumps(latest).encode())
        except OSError:
            return

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._path.read_bytes())
            return {key: one for key, one in found.items() if _DIGEST.fullmatch(one)}
        except (OSError, ValueError, AttributeError, TypeError, RecursionError):
            return {}


def state_of(file: Path) -> str | None:
    """Return what tells a file as it is now from itself at any other time; None where nothing is to be kept of it.

    Raises:
        OSError: when it is not there.
    """
    found = file.stat()
    young = time.time() - max(found.st_mtime, found.st_ctime) < _SETTLED
    if found.st_size < LEAST_BYTES or young:
        return None
    return f"{found.st_dev}-{found.st_ino}-{found.st_size}-{found.st_mtime_ns}-{found.st_ctime_ns}"
