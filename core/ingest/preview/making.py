"""A picture of a source before it is taken in: asked of the sandbox, and made a PNG here."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.errors import SourceError
from core.files import never
from core.ingest.boundary import DEFAULT_LIMITS, DEFAULT_SETTINGS, linked
from core.ingest.files import list_files, source_name
from core.ingest.messages import errors_about, unreadable
from core.ingest.preview.protocol import PICTURE_FILE, PreviewRequest, preview_result_from_dict
from core.ingest.sandbox.limits import Limits
from core.ingest.sandbox.process import answer_of_sandbox
from core.ingest.sandbox.protocol import IngestRequest
from core.ingest.settings import IngestSettings
from core.progress import Doing, silent, unsaid
from core.scenes.library import Library


@dataclass(frozen=True, kw_only=True)
class SourcePreview:
    """A picture of a source.

    Attributes:
        height: rows of the scene that it would become.
        width: its columns.
        png: the picture, of all of it.
    """

    height: int
    width: int
    png: bytes


def preview_source(
    paths: Sequence[Path],
    library: Library,
    settings: IngestSettings = DEFAULT_SETTINGS,
    *,
    cancelled: Callable[[], bool] = never,
    doing: Doing = unsaid,
    limits: Limits = DEFAULT_LIMITS,
) -> SourcePreview:
    """Return a picture of a source.

    Args:
        paths: files, one folder, or one zip.
        library: in whose folder the sandbox may write.
        settings: a person's decisions.
        cancelled: asked ten times a second; True stops the work.
        doing: told which file is opened.
        limits: what the sandbox may use.

    Raises:
        SourceError: one sentence on why there is none.
        JobCancelledError: when it was cancelled.
    """
    shown = source_name(paths)
    with errors_about(shown), library.staged() as staged:
        files = list_files(paths)
        links, scratch = linked(files, staged)
        source = IngestRequest(
            name=shown, paths=links, names=tuple(name for name, _ in files), settings=settings, directory=staged,
            scratch=scratch,
        )  # fmt: skip
        request = PreviewRequest(source=source)
        found = answer_of_sandbox(request, limits, silent, cancelled, understand=preview_result_from_dict, doing=doing)
        return SourcePreview(
            height=found.height, width=found.width, png=_png(staged / PICTURE_FILE, (found.rows, found.cols))
        )


def _png(path: Path, shape: tuple[int, int]) -> bytes:
    """Return the picture that the sandbox wrote as PNG.

    Raises:
        SourceError: when it is not of the size that was told.
    """
    size = shape[0] * shape[1] * 3
    if path.is_symlink() or not path.is_file() or path.stat().st_size != size:
        raise unreadable()
    try:
        pixels = np.frombuffer(path.read_bytes(), dtype=np.uint8).reshape(*shape, 3)
    except OSError as error:
        raise SourceError(found="its picture cannot be read", remedy="try again") from error
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    return target.getvalue()
