"""The locked-down process that opens files from outside: ``python -m core.ingest.sandbox.child``, one request on stdin.

It speaks JSON, one object a line: ``{"opening": [file, files]}``, ``{"progress": [done, total]}`` and at last
``{"result": …}`` or ``{"error": …}``.
Its environment comes from ``limits``; nothing of GDAL is imported before the limits hold.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from core.ingest.sandbox.limits import ALLOWED_DRIVERS, VECTOR_DRIVERS, apply_limits

_INTERVAL = 0.1
"""Seconds between two reports of progress."""


def main() -> int:
    """Read one request, do it, say what came of it."""
    given = json.loads(sys.stdin.readline())
    apply_limits(given["limits"])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    say = _Speaker()
    say(_work(given["request"], say))
    return 0


class _Speaker:
    """Writes lines to the parent."""

    def __init__(self) -> None:
        self._last = self._opened = 0.0
        self._reads = False

    def __call__(self, message: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    def progress(self, done: int, total: int) -> None:
        """Report progress, not too often."""
        now = time.monotonic()
        self._reads = True
        if now - self._last >= _INTERVAL or done == total:
            self._last = now
            self({"progress": [done, total]})

    def opening(self, done: int, total: int) -> None:
        """Report which file is opened, not too often; nothing once there is progress."""
        now = time.monotonic()
        if not self._reads and now - self._opened >= _INTERVAL:
            self._opened = now
            self({"opening": [done, total]})


def _work(fields: dict[str, Any], say: _Speaker) -> dict[str, Any]:
    """Do what is asked; here everything is caught, and whatever goes wrong becomes an error the parent can tell."""
    from core.errors import LandlikeError, SourceTooLargeError
    from core.files import disk_full
    from core.ingest.messages import no_room, unreadable
    from core.ingest.sandbox.protocol import error_to_dict

    # xarray imports it where it can, with much of SciPy, which takes longer than reading a small cube; nothing uses it.
    sys.modules["dask"] = None  # type: ignore[assignment]
    try:
        return {"result": _WAYS.get(str(fields.get("kind")), _scene)(fields, say)}
    except LandlikeError as error:
        return {"error": error_to_dict(error)}
    except MemoryError:
        found = "reading it takes more memory than allowed"
        remedy = "save it again as a tiled GeoTIFF, or cut the area of interest out of it"
        return {"error": error_to_dict(SourceTooLargeError(found=found, remedy=remedy))}
    except OSError as error:
        return {"error": error_to_dict(no_room() if disk_full(error) else unreadable())}
    except Exception as error:  # noqa: BLE001 (the boundary)
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return {"error": error_to_dict(unreadable())}


def _scene(fields: dict[str, Any], say: _Speaker) -> dict[str, Any]:
    """Make a scene.

    Raises:
        LandlikeError: why there is none.
    """
    import rasterio

    from core.ingest.intake import take_in
    from core.ingest.sandbox.landlock import lock_down
    from core.ingest.sandbox.protocol import request_from_dict

    _check_drivers()
    wanted = request_from_dict(fields)
    lock_down(read=[*wanted.paths], write=[wanted.directory, wanted.scratch])
    with rasterio.Env():
        return take_in(wanted, say.progress, opening=say.opening).to_dict()


def _truth(fields: dict[str, Any], say: _Speaker) -> dict[str, Any]:
    """Read a map of classes.

    Raises:
        LandlikeError: why it cannot be used.
    """
    import rasterio

    from core.ingest.sandbox.landlock import lock_down
    from core.ingest.sandbox.protocol import truth_request_from_dict
    from core.ingest.truth.reader import read_truth

    _check_drivers()
    wanted = truth_request_from_dict(fields)
    lock_down(read=[*wanted.paths], write=[wanted.directory, wanted.scratch])
    with rasterio.Env():
        return read_truth(wanted, say.progress).to_dict()


def _vectors(fields: dict[str, Any], _say: _Speaker) -> dict[str, Any]:
    """Read a file of points and polygons.

    Raises:
        RuntimeError: when pyogrio's GDAL came up with other drivers.
        LandlikeError: why the file cannot be used.
    """
    # pyogrio imports them where it can, which takes longer than all else here; its plain reading needs neither.
    sys.modules.update(dict.fromkeys(("geopandas", "pandas")))  # type: ignore[arg-type]
    import pyogrio

    from core.ingest.sandbox.landlock import lock_down
    from core.ingest.vectors.protocol import shapes_to_dict, vector_request_from_dict
    from core.ingest.vectors.reader import read_label_file

    extra = set(pyogrio.list_drivers()) - VECTOR_DRIVERS
    if extra:
        raise RuntimeError(f"drivers that must not be: {sorted(extra)[:5]}")
    wanted = vector_request_from_dict(fields)
    lock_down(read=[*wanted.paths], write=[wanted.scratch])
    return shapes_to_dict(read_label_file(wanted))


def _preview(fields: dict[str, Any], say: _Speaker) -> dict[str, Any]:
    """Make a picture of a source.

    Raises:
        LandlikeError: why there is none.
    """
    import rasterio

    from core.ingest.preview.protocol import preview_request_from_dict
    from core.ingest.preview.reader import read_preview
    from core.ingest.sandbox.landlock import lock_down

    _check_drivers()
    wanted = preview_request_from_dict(fields)
    lock_down(read=[*wanted.source.paths], write=[wanted.source.directory, wanted.scratch])
    with rasterio.Env():
        return dict(read_preview(wanted, say.opening).to_dict())


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


_WAYS: dict[str, Callable[[dict[str, Any], _Speaker], dict[str, Any]]] = {
    "preview": _preview,
    "truth": _truth,
    "vectors": _vectors,
}
"""How each kind of request is answered; any other is for a scene."""


def _end_with_parent() -> None:
    """Die as soon as the parent closes the pipe."""
    sys.stdin.buffer.read()
    os._exit(3)


if __name__ == "__main__":
    sys.exit(main())
