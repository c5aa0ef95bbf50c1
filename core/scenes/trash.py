"""Deleted scenes, set aside for a day so that a deletion can be undone; their features stay in their stores meanwhile.

A scene here is its directory as it was in the library, and in it ``deleted.json``: its name, when it was deleted, and
which scene took its place. Of one that was removed for good that file alone stays, so that who still had it open
is told its name, until the day is over.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.files import discard, folder_bytes, move_in, write_atomically
from core.scenes.scene import SCENE_ID

KEEP_SECONDS = 24 * 3600.0
"""How long a deleted scene can be brought back."""

_NOTE, _RECORD = "deleted.json", "scene.json"


@dataclass(frozen=True, kw_only=True)
class DeletedScene:
    """A scene that was deleted.

    Attributes:
        id: as it had in the library.
        name: what people called it.
        at: when it was deleted, seconds since 1970.
        until: until when it is kept, seconds since 1970.
        successor: id of the scene that took its place when it was read again, or None.
        whole: True = it can be brought back.
    """

    id: str
    name: str
    at: float
    until: float
    successor: str | None
    whole: bool


class Trash:
    """Deleted scenes in one folder, which lies on the file system of the library.

    Args:
        root: the folder; made when something is put in.
        keep_seconds: how long scenes are kept.
        clock: seconds since 1970.
    """

    def __init__(
        self, root: Path, *, keep_seconds: float = KEEP_SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        self.root = root
        self._keep_seconds, self._clock = keep_seconds, clock

    def put(self, directory: Path, name: str, successor: str | None = None) -> None:
        """Take a scene's directory in; for readers of the library it is gone at once.

        Raises:
            OSError: when it cannot be moved; it stays where it was.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        note = {"name": name, "at": self._clock(), "successor": successor}
        write_atomically(directory / _NOTE, json.dumps(note).encode())
        self._drop(directory.name)
        move_in(directory, self.root / directory.name, whole=_RECORD)

    def find(self, scene_id: str) -> DeletedScene | None:
        """Return what is known of a deleted scene; None when nothing is, also for what is no id."""
        if not SCENE_ID.fullmatch(scene_id):
            return None
        directory = self.root / scene_id
        try:
            note = json.loads((directory / _NOTE).read_text(encoding="utf-8"))
            name, at, successor = str(note["name"]), float(note["at"]), note["successor"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return DeletedScene(
            id=scene_id,
            name=name,
            at=at,
            until=at + self._keep_seconds,
            successor=None if successor is None else str(successor),
            whole=(directory / _RECORD).exists(),
        )

    def scenes(self) -> list[DeletedScene]:
        """Return those that can be brought back, the one deleted last first."""
        whole = [found for found in self._all() if found.whole]
        return sorted(whole, key=lambda found: found.at, reverse=True)

    def expired(self) -> list[DeletedScene]:
        """Return those whose day is over."""
        now = self._clock()
        return [found for found in self._all() if found.until <= now]

    def take_out(self, scene_id: str, target: Path) -> bool:
        """Move a scene back to where it was; False when it is not here whole, or another is there."""
        found = self.find(scene_id)
        if found is None or not found.whole:
            return False
        try:
            move_in(self.root / scene_id, target, whole=_RECORD)
        except OSError:
            return False
        discard(target / _NOTE)
        return True

    def remove(self, scene_id: str) -> None:
        """Remove a scene's files for good; its name stays until the day is over."""
        found = self.find(scene_id)
        if found is None or found.until <= self._clock():
            self._drop(scene_id)
            return
        note = (self.root / scene_id / _NOTE).read_bytes()
        self._drop(scene_id)
        (self.root / scene_id).mkdir(exist_ok=True)
        write_atomically(self.root / scene_id / _NOTE, note)

    def disk_bytes(self, scene_id: str) -> int:
        """Return bytes on disk of a scene's own files."""
        return folder_bytes(self.root / scene_id)

    def _all(self) -> list[DeletedScene]:
        names = [path.name for path in self.root.glob("[!.]*")] if self.root.is_dir() else []
        return [found for found in map(self.find, names) if found is not None]

    def _drop(self, scene_id: str) -> None:
        """Remove a scene's folder at once for all readers."""
        discard(self.root / scene_id, first=_RECORD)
