"""Downloading a hub module into the cache, so that it appears there complete or not at all."""

from __future__ import annotations

import http.client
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any

from core.config import Config
from core.encoders.archive import MAX_BYTES, unpack
from core.encoders.cache import archive_path, compressed_url, handle_directory, holds_model, is_half, is_handle
from core.encoders.files import write_checksums
from core.errors import EncoderError, EncoderUnavailableError
from core.files import reason
from core.progress import Progress

TIMEOUT = 30.0
"""Seconds without a byte after which a download is given up."""

_CHUNK = 1 << 18


def download(handle: str, config: Config, progress: Progress, timeout: float = TIMEOUT) -> None:
    """Have a handle's module in the cache; nothing is done when it is there, and a folder left half is replaced.

    The archive's own checksum (of gzip) guards the way here; a ``SHA256SUMS`` written after unpacking guards from then
    on.

    Args:
        handle: URL of the module.
        config: says where the cache is.
        progress: called with bytes done and bytes in all, 0 when the server does not say.
        timeout: seconds without a byte after which to give up.

    Raises:
        EncoderUnavailableError: when the server cannot be reached or the connection is cut.
        EncoderError: when what comes is no archive of a model, or cannot be kept.
    """
    target = handle_directory(config.model_cache, handle)
    if holds_model(target):
        return
    if not is_handle(handle):
        raise EncoderError(f"Downloading {handle}", "it is no http or https address", "give a handle")
    asked = f"Downloading the model {handle}"
    try:
        config.model_cache.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=config.model_cache, prefix=".download-", suffix=".tar.gz")
    except OSError as error:
        remedy = "check the model cache and the disk"
        raise EncoderError(asked, reason(error), remedy) from error
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _receive(handle, config, file, progress, timeout)
        unpack(part, target, title=f"the model {handle}", prepare=write_checksums, instead=is_half)
    except OSError as error:
        raise EncoderError(asked, reason(error), "check the model cache and the disk") from error
    finally:
        part.unlink(missing_ok=True)


def _receive(handle: str, config: Config, file: IO[bytes], progress: Progress, timeout: float) -> None:
    done = total = 0
    try:
        request = urllib.request.Request(compressed_url(handle), headers={"User-Agent": "Landlike"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 - http and https only, see above
            total = _length(answer)
            progress(0, total)
            while chunk := answer.read(_CHUNK):
                done += len(chunk)
                if done > MAX_BYTES:
                    found = f"it is larger than {MAX_BYTES >> 30} GB"
                    raise EncoderError(f"Downloading the model {handle}", found, "use a smaller model")
                file.write(chunk)
                progress(done, total)
    except urllib.error.HTTPError as error:
        raise _unavailable(handle, config, f"the server answered {error.code}") from error
    except urllib.error.URLError as error:
        host = handle.split("/")[2]
        raise _unavailable(handle, config, f"{host} cannot be reached from this computer") from error
    except (TimeoutError, http.client.HTTPException, ConnectionError) as error:
        raise _unavailable(handle, config, f"the connection was cut after {done:,} bytes") from error
    if done < total:
        raise _unavailable(handle, config, f"the connection was cut after {done:,} of {total:,} bytes")


def _length(answer: Any) -> int:  # noqa: ANN401 - urlopen gives one of several classes
    stated = answer.headers.get("Content-Length", "")
    return int(stated) if stated.isdigit() else 0


def _unavailable(handle: str, config: Config, found: str) -> EncoderUnavailableError:
    remedy = (
        f"check the connection and try again, or save the archive by hand as {archive_path(config.model_cache, handle)}"
    )
    return EncoderUnavailableError(f"Downloading the model {handle}", found, remedy)
