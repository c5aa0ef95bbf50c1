"""Where the files of hub modules lie: by handle in a cache of TF-Hub's own layout, by directory, by .tar.gz.

A handle's module lies in the folder of the cache named by the SHA-1 of the handle, which is the layout of
``tensorflow_hub`` 0.16 (``compressed_module_resolver``), so modules it downloaded are found and the other way round.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from pathlib import Path

from core.config import Config
from core.encoders.archive import unpack
from core.encoders.files import shortage, write_checksums
from core.errors import EncoderError, EncoderUnavailableError, StoreError
from core.files import disk_errors, exists, present, replacing

SHARED = "fetched"
"""The folder in that of all data of downloaded modules that computers share which have a bucket in common."""

ARCHIVE_SUFFIXES = (".tar.gz", ".tgz")


def is_handle(reference: str) -> bool:
    """Tell a URL that names a module from a path."""
    return reference.startswith(("https://", "http://"))


def is_archive(path: Path) -> bool:
    """Tell whether a path ends like a compressed tar archive."""
    return path.name.endswith(ARCHIVE_SUFFIXES)


def handle_directory(cache_dir: Path, handle: str) -> Path:
    """Return where the module of a handle lies in a cache, or would lie."""
    # TF-Hub's naming, not a safeguard.
    return cache_dir / hashlib.sha1(handle.encode(), usedforsecurity=False).hexdigest()


def archive_path(cache_dir: Path, handle: str) -> Path:
    """Return where a person may put the downloaded .tar.gz of a handle by hand."""
    return cache_dir / f"{handle_directory(cache_dir, handle).name}.tar.gz"


def share_module(handle: str, config: Config) -> None:
    """Put a module that was downloaded into the bucket, for the other computers; once, and where there is one.

    Raises:
        StoreError: when it cannot be put there; this computer has it all the same.
    """
    directory, path = handle_directory(config.model_cache, handle), shared_path(handle, config)
    if not config.bucket or exists(path) or not holds_model(directory):
        return
    asked = f"Sharing the model {handle} with other computers"
    with disk_errors(asked, full="free some space, then start again", other="check the disk and its rights"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as fresh, tarfile.open(fresh, "w:gz", compresslevel=1) as archive:
            archive.add(directory, arcname=".")


def shared_path(handle: str, config: Config) -> Path:
    """Return where the module of a handle lies that another computer downloaded, or would lie."""
    return config.root / SHARED / f"{handle_directory(config.root, handle).name}.tar.gz"


def locate(reference: str, config: Config) -> Path:
    """Return the directory with the files of a model; an archive is unpacked into the cache first.

    Raises:
        EncoderUnavailableError: when a handle's files are not at hand, or a path does not exist.
        EncoderError: when an archive is damaged or unsafe, or the path is no model.
    """
    if is_handle(reference):
        return _locate_handle(reference, config)
    path = Path(reference)
    if path.is_dir():
        return path
    if not path.is_file():
        raise EncoderUnavailableError(f"Opening the model “{path.name}”", "there is no such file", "check the path")
    if not is_archive(path):
        raise EncoderError(
            f"Opening the model “{path.name}”",
            "it is neither a directory nor a .tar.gz",
            "give the directory of a model, or a .tar.gz of one",
        )
    return unpack_by_content(path, config.model_cache)


def unpack_by_content(archive: Path, cache_dir: Path) -> Path:
    """Return the unpacked form of an archive, kept in the cache under the SHA-256 of the archive."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    target = cache_dir / f"archive-{digest[:32]}"
    if not target.is_dir():
        unpack(archive, target, prepare=write_checksums)
    return target


def _locate_handle(handle: str, config: Config) -> Path:
    own = handle_directory(config.model_cache, handle)
    for cache in (config.model_cache, _own_default_cache()):
        if cache is not None and holds_model(directory := handle_directory(cache, handle)):
            return directory
    by_hand = archive_path(config.model_cache, handle)
    if by_hand.is_file():
        unpack(by_hand, own, prepare=write_checksums, instead=is_half)
        return own
    if config.bucket and exists(shared := shared_path(handle, config)):
        try:
            unpack(present(shared), own, title=f"the model {handle}", prepare=write_checksums, instead=is_half)
        except StoreError as error:
            raise EncoderUnavailableError(f"Opening the model {handle}", error.found, error.remedy) from error
        return own
    found = "its files are not on this computer"
    if own.is_dir():
        found = f"its folder {own} is not complete, as an interrupted download leaves it ({shortage(own)})"
    raise EncoderUnavailableError(f"Opening the model {handle}", found, how_to_get(handle, config))


def holds_model(directory: Path) -> bool:
    """Tell whether the folder of a handle holds a model, whole or damaged, and not only what a broken download left."""
    return directory.is_dir() and not is_half(directory)


def is_half(directory: Path) -> bool:
    """Tell whether a folder of the cache is empty, lacks a file or holds one cut short, as after a broken download."""
    return shortage(directory) is not None


def how_to_get(handle: str, config: Config) -> str:
    """Say what a person can do to have the files of a handle, as the remedy of a sentence."""
    by_hand = archive_path(config.model_cache, handle)
    return (
        f"get it on the Models page of the app, or download {compressed_url(handle)} elsewhere and save it as {by_hand}"
    )


def compressed_url(handle: str) -> str:
    """Return where a hub serves a module as .tar.gz (TensorFlow Hub, “Hosting a model”)."""
    return f"{handle}{'&' if '?' in handle else '?'}tf-hub-format=compressed"


def _own_default_cache() -> Path | None:
    """Return TF-Hub's default cache in the temporary directory, if it is this user's and nobody else may write it."""
    path = Path(tempfile.gettempdir()) / "tfhub_modules"
    if not path.is_dir():
        return None
    if hasattr(os, "getuid"):
        status = path.stat()
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            return None
    return path
