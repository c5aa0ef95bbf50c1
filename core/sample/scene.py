"""The sample scene taken into a library, by the same ingest as any upload, with what is known of it in its record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.files import never
from core.ingest.boundary import ingest
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
    """Take the sample scene into the library; at once when it is there already.

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
    known = known_findings(settings)
    return ingest(
        sample_files(),
        library,
        told,
        name=SAMPLE_NAME,
        progress=progress,
        cancelled=cancelled,
        doing=doing,
        known=known,
    )


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
