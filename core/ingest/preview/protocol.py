"""What the sandbox is asked about a picture of a source, and what it answers, field by field, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.ingest.sandbox.protocol import IngestRequest, request_from_dict

PREVIEW_SIDE = 720
"""Pixels of the longer side of a picture, at most."""
PICTURE_FILE = "picture.bin"
_MOST = 10**7


@dataclass(frozen=True, kw_only=True)
class PreviewRequest:
    """What the child is asked to do.

    Attributes:
        source: the source, as for taking it in; the picture is written to its directory.
    """

    source: IngestRequest

    @property
    def name(self) -> str:
        """The source, for sentences."""
        return self.source.name

    @property
    def scratch(self) -> Path:
        """A folder for temporary files."""
        return self.source.scratch

    def to_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps({"kind": "preview", **json.loads(self.source.to_json())})


def preview_request_from_dict(fields: Mapping[str, Any]) -> PreviewRequest:
    """Read what ``PreviewRequest.to_json`` wrote; the parent is trusted."""
    return PreviewRequest(source=request_from_dict(fields))


@dataclass(frozen=True, kw_only=True)
class PreviewResult:
    """What the child says; ``PICTURE_FILE`` holds red, green and blue of each pixel, 8 bits each, row by row.

    Attributes:
        height: rows of the scene that the source would become.
        width: its columns.
        rows: of the picture.
        cols: of the picture.
    """

    height: int
    width: int
    rows: int
    cols: int

    def to_dict(self) -> dict[str, int]:
        """Return plain JSON values."""
        return {"height": self.height, "width": self.width, "rows": self.rows, "cols": self.cols}


def preview_result_from_dict(fields: Mapping[str, Any]) -> PreviewResult:
    """Take over what the child says.

    Raises:
        ValueError, KeyError, TypeError: when a field is not of its form.
    """
    numbers = {name: fields[name] for name in ("height", "width", "rows", "cols")}
    limits = {"height": _MOST, "width": _MOST, "rows": PREVIEW_SIDE, "cols": PREVIEW_SIDE}
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= limits[name]:
            raise ValueError(name)
    return PreviewResult(**numbers)
