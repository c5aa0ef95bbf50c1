"""JSON from outside, read so that nothing in it does more than fail to be an object."""

from __future__ import annotations

import json
from typing import Any


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """Return the object that a text is in JSON; None where it is none, damaged, or nested too deep to be read.

    Args:
        text: of a file from outside, as long as its reader allows.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
