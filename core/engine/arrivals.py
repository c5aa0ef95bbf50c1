"""Files that browsers send, on disk from their first byte: where they lie until a job takes them, and when they go."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from uuid import uuid4

_PREFIX = "arriving-"
_SPARE_BYTES = 2**26
"""Room that is left on the disk for everything else, such as the record of what failed."""


class ArrivedFile:
    """A file in a folder of its own; both are gone when nobody holds this any more, or when the process ends.

    Attributes:
        path: where it lies.
        size: its bytes.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, path.stat().st_size
        weakref.finalize(self, shutil.rmtree, path.parent, ignore_errors=True)

    def put(self, path: Path) -> None:
        """Have the same file under another name too: a link, or a copy where that is another disk.

        Raises:
            OSError: when it cannot be written, or the name is taken.
        """
        try:
            os.link(self.path, path)
        except OSError:
            shutil.copyfile(self.path, path)


class Arrivals:
    """The folder of uploads, as far as files are on their way."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "uploads"
        self._prefix = f"{_PREFIX}{uuid4().hex[:8]}-"

    def place(self, expected: int) -> Path:
        """Return where a file can be written, in a fresh folder that only this user may read.

        Args:
            expected: bytes that are said to come.

        Raises:
            OSError: when the folder cannot be made, or the disk has no room for so much.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < expected + _SPARE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return Path(tempfile.mkdtemp(dir=self.folder, prefix=self._prefix)) / "file"

    def sweep(self) -> None:
        """Remove what servers before this one left behind when they were killed."""
        for folder in self.folder.glob(f"{_PREFIX}*"):
            if not folder.name.startswith(self._prefix):
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove what came and was not taken: who sent it has no session any more."""
        for folder in self.folder.glob(f"{self._prefix}*"):
            shutil.rmtree(folder, ignore_errors=True)
