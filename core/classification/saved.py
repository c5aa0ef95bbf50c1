"""Heads in files: one ``.npz`` with plain arrays and what is known of the head, and the folder where they are kept."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from core.bands import BAND_NAMES
from core.classification.heads import Head, HeadOrigin
from core.classification.models import model_from
from core.classification.schemes import CODES, LandClass
from core.errors import EncoderError, StoreError
from core.files import discard, disk_errors, replacing
from core.scenes.given.classes import clean_class

SUFFIX = ".head.npz"
LARGEST_BYTES = 2**29
"""What a head may take in memory; a forest of 10,000 patches takes a tenth of it."""

_ASKED = "Reading a saved head"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def save_head(head: Head, path: Path) -> None:
    """Write a head to a file that ``load_head`` reads, whole or not at all.

    Raises:
        StoreError: when the disk refuses it.
    """
    about = {
        "version": 1, "kind": head.kind, "classes": [asdict(one) for one in head.classes],
        "temperature": head.temperature, "calibrated": head.calibrated, "setting": head.setting,
        "origin": {**vars(head.origin), "counts": dict(head.origin.counts), "measures": dict(head.origin.measures)},
    }  # fmt: skip
    buffer = io.BytesIO()
    parts: dict[str, Any] = {"about": np.bytes_(json.dumps(about)), **head.model.arrays()}
    np.savez_compressed(buffer, **parts)
    advice = "make room on the disk and save it again"
    with disk_errors("Saving a head", full=advice, other=advice), replacing(path) as part:
        part.write_bytes(buffer.getvalue())


def load_head(path: Path) -> Head:
    """Read what ``save_head`` wrote; nothing in the file is run, whoever made it.

    Raises:
        EncoderError: when it is no head, is damaged, or was written by a later version.
    """
    try:
        with ZipFile(path) as archive:
            if sum(one.file_size for one in archive.infolist()) > LARGEST_BYTES:
                raise ValueError("too large")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            about = json.loads(data["about"].item())
            if about["version"] != 1:
                raise EncoderError(_ASKED, "it was written by a later version", "use that version, or teach it again")
            arrays = {name: data[name] for name in data.files if name != "about"}
        return _head_from(about, arrays)
    except FileNotFoundError as error:
        raise EncoderError(_ASKED, f"there is no {path.name}", "check the path") from error
    except (OSError, ValueError, KeyError, EOFError, TypeError, IndexError, AttributeError, BadZipFile) as error:
        found = f"{path.name} is no head, or it is damaged"
        raise EncoderError(_ASKED, found, "save the head again and give that file") from error


def _head_from(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> Head:
    classes = tuple(_class_from(row) for row in about["classes"])
    if len(classes) < 2 or len({one.name for one in classes}) < len(classes):
        raise ValueError("classes")
    temperature, setting = float(about["temperature"]), float(about["setting"])
    if not 0 < temperature < np.inf or not 0 <= setting < np.inf:
        raise ValueError("temperature")
    return Head(
        model=model_from(about["kind"], arrays, len(classes)), classes=classes, temperature=temperature,
        calibrated=bool(about["calibrated"]), setting=setting, origin=_origin_from(about["origin"]),
    )  # fmt: skip


def _class_from(row: Mapping[str, Any]) -> LandClass:
    code, colour = row["code"], str(row["colour"])
    if not isinstance(code, int) or code not in CODES or not _COLOUR.fullmatch(colour):
        raise ValueError("class")
    name = str(row["name"])
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise ValueError("name")
    return LandClass(code=code, name=name, colour=colour, key=str(row["key"])[:1])


def _origin_from(fields: Mapping[str, Any]) -> HeadOrigin:
    texts = {name: str(fields[name])[:200] for name in ("encoder", "fingerprint", "cut", "level", "date")}
    counts = {str(name): int(count) for name, count in fields["counts"].items()}
    scenes = tuple(str(name)[:120] for name in fields["scenes"])
    bands = tuple(str(name) for name in fields.get("bands", ()) if name in BAND_NAMES)
    return HeadOrigin(**texts, bands=bands, scenes=scenes, counts=counts, measures=dict(fields["measures"]))


class Heads:
    """The heads that people saved, a file each.

    Args:
        root: folder of the data.
    """

    def __init__(self, root: Path) -> None:
        self.root = root / "heads"

    def names(self) -> list[str]:
        """Return the names of all saved heads, in order."""
        return sorted(path.name.removesuffix(SUFFIX) for path in self.root.glob(f"*{SUFFIX}"))

    def save(self, head: Head, title: str) -> str:
        """Keep a head, and return its name, made of its title.

        Raises:
            StoreError: when the disk refuses it, the title has no letter or digit, or another head is called so.
        """
        title = clean_class("Saving a head", title)
        name = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:60].strip("-")
        if not name:
            raise StoreError("Saving a head", f"“{title}” has no letter or digit", "give it another name")
        if name in self.names():
            raise StoreError("Saving a head", f"there is a head “{name}” already", "choose another name, or delete it")
        self.root.mkdir(parents=True, exist_ok=True)
        save_head(head, self._path(name))
        return name

    def load(self, name: str) -> Head:
        """Return a saved head.

        Raises:
            EncoderError: when there is none of that name, or its file is damaged.
        """
        return load_head(self._path(name))

    def stamp(self, name: str) -> int:
        """Return what tells a file of a name from one of before; 0 where there is none."""
        try:
            return self._path(name).stat().st_mtime_ns
        except OSError:
            return 0

    def delete(self, name: str) -> None:
        """Remove a saved head; nothing happens where there is none."""
        discard(self._path(name))

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise EncoderError(_ASKED, f"there is no head “{name[:60]}”", f"choose one of {', '.join(self.names())}")
        return self.root / f"{name}{SUFFIX}"
