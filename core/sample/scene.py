"""The sample scene taken into a library, by the same ingest as any upload, with what is known of it in its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from core.files import never
from core.ingest.boundary import ingest
from core.ingest.files import FORMER_VERSIONS, content_of, list_files, scene_id_of
from core.ingest.settings import IngestSettings
from core.progress import Doing, Progress, silent, unsaid
from core.sample.package import PACKAGE, RELEASE, sample_files
from core.scenes.library import Library
from core.scenes.quality import Finding
from core.scenes.scene import Scene

SAMPLE_NAME = "Virginia's barrier coast"
SAMPLE_DATE, SAMPLE_LEVEL = "2016-01-12", "L1C"
_KNOWN = "Landlike knows these very files; they do not say it themselves"
_AUTO = IngestSettings()


def open_sample(
    library: Library,
    settings: IngestSettings = _AUTO,
    *,
    progress: Progress = silent,
    cancelled: Callable[[], bool] = never,
    doing: Doing = unsaid,
) -> Scene:
    """Take the sample scene into the library; at once when it is there already, also as a version before read it.

    Args:
        library: where it goes.
        settings: a person's decisions, in place of what is known of it.
        progress: told rows of pixels.
        cancelled: asked ten times a second; True stops the work.
        doing: told what is done before there is progress.

    Raises:
        SourceError: when its package is missing or damaged.
        JobCancelledError: when it was cancelled.
    """
    told = replace(settings, date=settings.date or SAMPLE_DATE, level=settings.level or SAMPLE_LEVEL)
    known, files = known_findings(settings), sample_files()
    earlier = _read_before(library, list_files(files), told, cancelled)
    if earlier is not None:
        return earlier
    return ingest(
        files,
        library,
        told,
        name=SAMPLE_NAME,
        progress=progress,
        cancelled=cancelled,
        doing=doing,
        known=known,
    )


def _read_before(
    library: Library, files: Sequence[tuple[str, Path]], settings: IngestSettings, cancelled: Callable[[], bool]
) -> Scene | None:
    """Return the scene that an earlier version of ingest made of the same files, with the labels and maps it has.

    What later versions read otherwise these files do not hold, so that its pixels are the same.
    """
    content = content_of(files, cancelled)
    if scene_id_of(content, settings) in library:
        return None
    ids = [scene_id_of(content, settings, version) for version in FORMER_VERSIONS]
    return next((library.get(one) for one in ids if one in library), None)


def known_findings(settings: IngestSettings) -> tuple[Finding, ...]:
    """Return what the record says of the scene; date and level only where a person did not choose them."""
    facts = (
        ("origin", f"{SAMPLE_NAME}, USA: fields, forest, marsh, towns and sea, in Sentinel-2's tile 18SVG", _KNOWN),
        (
            "licence",
            "data CC0; contains modified Copernicus Sentinel data 2016",
            f"so says {PACKAGE} {RELEASE} by sat-utils, the Python package it comes in, whose code is under MIT",
        ),
        *((("date", SAMPLE_DATE, _KNOWN),) if settings.date is None else ()),
        *((("level", f"{SAMPLE_LEVEL}, top of atmosphere", _KNOWN),) if settings.level is None else ()),
    )
    return tuple(
        Finding(topic=topic, value=value, basis="known", because=because, override=_override(topic))
        for topic, value, because in facts
    )


def _override(topic: str) -> str | None:
    return topic if topic in {"date", "level"} else None
