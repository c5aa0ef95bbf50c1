"""The locked-down process that opens files from outside: ``python -m core.ingest.sandbox.child``, one task on stdin.

It speaks JSON, one object a line: ``{"progress": [done, total]}`` and at last ``{"result": …}`` or ``{"error": …}``.
Its environment comes from ``profile``; nothing of GDAL is imported before the limits hold.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

from core.ingest.sandbox.limits import ALLOWED_DRIVERS, apply_limits

_INTERVAL = 0.1
"""Seconds between two reports of progress."""


def main() -> int:
    """Read one task, do it, say what came of it."""
    request = json.loads(sys.stdin.readline())
    apply_limits(request["limits"])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    say = _Speaker()
    say(_work(request, say))
    return 0


class _Speaker:
    """Writes lines to the parent."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, message: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    def progress(self, done: int, total: int) -> None:
        """Report progress, not too often."""
        now = time.monotonic()
        if now - self._last >= _INTERVAL or done == total:
            self._last = now
            self({"progress": [done, total]})


def _work(request: dict[str, Any], say: _Speaker) -> dict[str, Any]:
    """The one boundary where everything is caught: whatever goes wrong becomes one sentence."""
    import rasterio

    from core.errors import LandlikeError, SourceTooLargeError
    from core.ingest.intake import take_in
    from core.ingest.messages import disk_full, is_disk_full, opening
    from core.ingest.sandbox.landlock import confine
    from core.ingest.sandbox.protocol import error_to_dict, task_from_dict, unreadable

    name = str(request["task"]["name"])
    try:
        _check_drivers()
        task = task_from_dict(request["task"])
        confine(read=[*task.paths], write=[task.directory, task.scratch])
        with rasterio.Env():
            return {"result": take_in(task, say.progress).to_dict()}
    except LandlikeError as error:
        return {"error": error_to_dict(error)}
    except MemoryError:
        found = "reading it takes more memory than allowed"
        remedy = "save it again as a tiled GeoTIFF, or cut the area of interest out of it"
        return {"error": error_to_dict(SourceTooLargeError(opening(name), found, remedy))}
    except OSError as error:
        return {"error": error_to_dict(disk_full(name) if is_disk_full(error) else unreadable(name))}
    except Exception as error:  # noqa: BLE001 (the boundary)
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return {"error": error_to_dict(unreadable(name))}


def _check_drivers() -> None:
    """Do nothing at all unless the drivers are the allowed ones.

    Raises:
        RuntimeError: when GDAL came up with others.
    """
    import rasterio

    with rasterio.Env() as env:
        extra = set(env.drivers()) - ALLOWED_DRIVERS
    if extra:
        raise RuntimeError(f"drivers that must not be: {sorted(extra)[:5]}")


def _end_with_parent() -> None:
    """Die as soon as the parent closes the pipe."""
    sys.stdin.buffer.read()
    os._exit(3)


if __name__ == "__main__":
    sys.exit(main())
