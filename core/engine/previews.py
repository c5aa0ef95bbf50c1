"""Pictures of sources that are not taken in yet, made in the background and kept for a day."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config import Config
from core.files import write_atomically
from core.ingest.settings import settings_from_dict
from core.jobs.worker import Work
from core.scenes.library import Library

if TYPE_CHECKING:
    from core.ingest.preview.making import SourcePreview

_FOLDER = "previews"


def preview_task(config: Config, work: Work, payload: Mapping[str, Any]) -> str:
    """Make a picture of a source; gives the name of its file, and height and width of the scene that it would become.

    Payload: ``paths``, ``settings``, ``key``.
    """
    from core.ingest.preview.making import preview_source

    paths, settings = [Path(path) for path in payload["paths"]], settings_from_dict(payload["settings"])
    found = preview_source(paths, Library(config.root), settings, cancelled=work.cancelled, doing=work.doing)
    name = f"{payload['key']}.png"
    (config.root / _FOLDER).mkdir(exist_ok=True)
    write_atomically(config.root / _FOLDER / name, found.png)
    work.made.append(config.root / _FOLDER / name)
    return f"{name} {found.height} {found.width}"


def made_preview(config: Config, told: str) -> SourcePreview | None:
    """Return the picture that a job made; None where it is gone.

    Args:
        config: whose folder it lies in.
        told: the message of the job.
    """
    from core.ingest.preview.making import SourcePreview

    name, height, width = told.split(" ")
    try:
        png = (config.root / _FOLDER / Path(name).name).read_bytes()
    except OSError:
        return None
    return SourcePreview(height=int(height), width=int(width), png=png)


def sweep_previews(config: Config, seconds: float) -> None:
    """Remove pictures older than so many seconds."""
    for path in (config.root / _FOLDER).glob("*.png"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > seconds:
                path.unlink()
