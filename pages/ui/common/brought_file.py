"""What a visitor brings, as a file for as long as it is read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath

from core.files import disk_errors
from core.ingest.messages import clean_name
from pages.ui.http.uploads import Upload, put_upload


@contextmanager
def brought_file(upload: Upload) -> Iterator[Path]:
    """Give an upload as a file that is gone afterwards; its name is kept, for sentences say it and endings tell kinds.

    Raises:
        StoreError: when it did not arrive, or cannot be written.
    """
    name = upload.name
    suffix = PurePath(name).suffix.lower()[:10]
    stem = clean_name(PurePath(name).stem, 80).replace("/", "?") or "upload"
    with tempfile.TemporaryDirectory(prefix="landlike-brought-") as folder:
        path = Path(folder) / f"{stem}{suffix}"
        with disk_errors(f"Reading “{path.name}”", full="free some space and bring it again", other="bring it again"):
            put_upload(upload, path)
        yield path
