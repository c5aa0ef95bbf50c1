"""The address of a Dask scheduler, and whether anybody answers there; using it is ``core.jobs.cluster``."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

ANSWER_SECONDS = 3.0


def scheduler_answers(address: str) -> bool:
    """Tell whether somebody listens at ``protocol://host:port``."""
    where = urlsplit(address)
    try:
        with socket.create_connection((where.hostname or "", where.port or 0), timeout=ANSWER_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def absence(address: str) -> str:
    """Return the sentence that a scheduler does not answer; empty when it does."""
    if scheduler_answers(address):
        return ""
    return (
        f"Using the Dask cluster at {address}: nobody answers there; start its scheduler, or unset LANDLIKE_SCHEDULER. "
        "Jobs wait until it answers."
    )
