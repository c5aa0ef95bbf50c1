"""The quality record: everything that was read, decided or assumed while a source became a scene."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from core.errors import SceneError
from core.files import FileState, editing, file_state, write_atomically

Basis = Literal["read", "decided", "assumed", "chosen", "known", "warning"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the record.

    Attributes:
        topic: what it is about: ``bands``, ``scale``, ``offset``, ``no data``, ``place``, ``date``, ``level``, …
        value: what holds, in words or numbers for a person.
        basis: ``read`` from the source, ``decided`` by its statistics, ``assumed`` for want of evidence, ``chosen``
            by a person, ``known`` to Landlike beforehand, or a ``warning``.
        because: the evidence, one clause.
        override: name of the ingest setting that changes it, or None.
    """

    topic: str
    value: str
    basis: Basis
    because: str
    override: str | None = None


@dataclass(frozen=True, kw_only=True)
class QualityRecord:
    """All findings about one scene, in reading order, and the settings that were in force."""

    source: str
    findings: tuple[Finding, ...]
    settings: dict[str, object]

    def to_json(self) -> str:
        """Return the text of ``quality.json``."""
        return json.dumps(asdict(self), indent=1)

    def warnings(self) -> tuple[Finding, ...]:
        """Return the findings a reader has to see first: assumptions and warnings."""
        return tuple(finding for finding in self.findings if finding.basis in {"warning", "assumed"})


def load_quality(directory: Path) -> QualityRecord:
    """Read ``quality.json`` of a scene's directory, again only when it has changed.

    Raises:
        SceneError: when it is missing or damaged.
    """
    try:
        return _read_quality(directory, file_state(directory / "quality.json"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SceneError(
            f"Reading the quality record of {directory.name}",
            "it is missing or damaged",
            "add the scene again",
        ) from error


@lru_cache(maxsize=256)
def _read_quality(directory: Path, _state: FileState) -> QualityRecord:
    fields = json.loads((directory / "quality.json").read_text(encoding="utf-8"))
    findings = tuple(Finding(**finding) for finding in fields["findings"])
    return QualityRecord(source=fields["source"], findings=findings, settings=fields["settings"])


def add_findings(directory: Path, findings: Iterable[Finding]) -> None:
    """Add lines to the record of a scene's directory, those that it does not hold yet.

    Raises:
        SceneError: when the record is missing or damaged.
        OSError: when it cannot be written.
    """
    with editing(directory / "quality.json", asked="Adding to the record of a scene"):
        record = load_quality(directory)
        more = tuple(finding for finding in findings if finding not in record.findings)
        if more:
            whole = replace(record, findings=(*record.findings, *more))
            write_atomically(directory / "quality.json", whole.to_json().encode())
