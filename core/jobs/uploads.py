"""Files that people sent, in the folder of uploads, from the job that takes them to their end; arriving is above."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from core.config import Config

UPLOADS = "uploads"
"""The folder, in that of all data; it belongs to each computer."""

UPLOAD_PREFIX = "upload-"
"""How folders in there begin, in which what was sent at once lies."""


def drop_upload(config: Config, paths: Sequence[Path]) -> None:
    """Remove files that lie in the folder of uploads, and the folder they came in when it is empty then."""
    for path in paths:
        if path.is_relative_to(config.root / UPLOADS):
            path.unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()


def sweep_uploads(config: Config, waiting: Sequence[Path], seconds: float) -> None:
    """Remove uploads older than so many seconds, but those that files which are still waited for lie in."""
    kept = {path.parent for path in waiting}
    for folder in (config.root / UPLOADS).glob(f"{UPLOAD_PREFIX}*"):
        if folder not in kept and time.time() - folder.stat().st_mtime > seconds:
            shutil.rmtree(folder, ignore_errors=True)
