"""The library: the scenes kept on disk, listed, renamed and deleted. How they come to be there is ``core.ingest``."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from core.errors import SceneError
from core.files import discard, editing, exists, folder_bytes, move_in, staged_folder, write_atomically
from core.scenes.scene import SCENE_ID, Scene, Series, load_scene
from core.scenes.trash import Trash

_NOTED = "origin.json"
_RECORD = "scene.json"


class Library:
    """Scenes under ``root``/scenes; a scene appears there by one atomic rename of its finished directory."""

    def __init__(self, root: Path) -> None:
        self.root = root / "scenes"
        self.root.mkdir(parents=True, exist_ok=True)
        self.trash = Trash(root / "trash")

    def directory(self, scene_id: str) -> Path:
        """Return where a scene of that id lies or would lie.

        Raises:
            SceneError: when the id is not of the form of ids.
        """
        if not SCENE_ID.fullmatch(scene_id):
            raise SceneError("Looking up a scene", "that is no scene's id", "choose a scene from the list")
        return self.root / scene_id

    def get(self, scene_id: str) -> Scene:
        """Return one scene.

        Raises:
            SceneError: when there is none of that id; of one that was deleted it tells the name.
        """
        directory = self.directory(scene_id)
        if not (directory / _RECORD).is_file() and (not directory.is_dir() or self.trash.find(scene_id) is not None):
            gone = self.trash.find(scene_id)
            asked = f"Opening the scene {scene_id}" if gone is None else f"Opening “{gone.name}”"
            found = "it is not in the library" if gone is None else "it was deleted and is not in the library"
            undo = "bring it back on the Scenes page, or " if gone is not None and gone.whole else ""
            raise SceneError(asked, found, f"{undo}choose a scene from the list")
        return load_scene(directory)

    def __contains__(self, scene_id: str) -> bool:
        return (self.directory(scene_id) / _RECORD).exists()

    def scenes(self) -> list[Scene]:
        """Return all readable scenes, newest first."""
        found = []
        for directory in self.root.iterdir():
            if SCENE_ID.fullmatch(directory.name):
                try:
                    found.append(load_scene(directory))
                except SceneError:
                    continue
        return sorted(found, key=lambda scene: scene.created, reverse=True)

    def of_content(self, content: str) -> Scene | None:
        """Return a readable scene of that content, or None; nothing is the same as no content."""
        return next((scene for scene in self.scenes() if content and scene.content == content), None)

    def series(self, series_id: str) -> list[Scene]:
        """Return the readable scenes of a series, as its dates follow each other; empty when there is none."""
        found = [scene for scene in self.scenes() if scene.series is not None and scene.series.id == series_id]
        return sorted(found, key=lambda scene: scene.series.index if scene.series else 0)

    def staged(self) -> AbstractContextManager[Path]:
        """Give a fresh directory on the same file system to build a scene in; gone in the end unless it was added."""
        return staged_folder(self.root, ".staging-")

    def add(self, staged: Path, scene: Scene) -> Scene:
        """Take a finished staging directory in; a scene of the same id is kept as it is, and comes back if deleted.

        ``staged`` must hold ``pixels.tif`` and ``quality.json``; ``scene.json`` is written here.
        """
        write_atomically(staged / _RECORD, scene.to_json().encode())
        target = self.directory(scene.id)
        self.bring_back(scene.id)
        try:
            move_in(staged, target, whole=_RECORD)
        except OSError:
            shutil.rmtree(staged, ignore_errors=True)
            if scene.id not in self:
                raise
        return self.get(scene.id)

    def rename(self, scene_id: str, name: str) -> Scene:
        """Give a scene another name (1 to 120 characters)."""
        clean = " ".join(name.split())[:120]
        if not clean:
            raise SceneError("Renaming a scene", "the new name is empty", "type at least one character")
        with editing(self.directory(scene_id) / _RECORD, asked="Renaming a scene"):
            return _written(replace(self.get(scene_id), name=clean))

    def rename_series(self, series_id: str, name: str) -> list[Scene]:
        """Give a series another name (1 to 120 characters), and its scenes that are called by it and their date."""
        clean = " ".join(name.split())[:120]
        if not clean:
            raise SceneError("Renaming a series", "the new name is empty", "type at least one character")
        renamed = []
        for one in self.series(series_id):
            with editing(one.directory / _RECORD, asked="Renaming a series"):
                scene = self.get(one.id)
                if scene.series is not None:
                    head, comma, date = scene.name.rpartition(", ")
                    called = f"{clean[:90]}, {date}" if comma and head == scene.series.name[:90] else scene.name
                    renamed.append(_written(replace(scene, name=called, series=replace(scene.series, name=clean))))
        return renamed

    def join_series(self, scene_id: str, series: Series | None) -> None:
        """Put a scene in the place of another one of a series; None = it stands alone."""
        with editing(self.directory(scene_id) / _RECORD, asked="Putting a scene into a series"):
            _written(replace(self.get(scene_id), series=series))

    def delete(self, scene_id: str) -> None:
        """Remove a scene's files for good, at once for readers; its features go by ``FeatureStore.delete_scene``."""
        discard(self.directory(scene_id), first=_RECORD)

    def set_aside(self, scene_id: str, successor: str | None = None) -> None:
        """Delete a scene so that ``bring_back`` undoes it, for a day.

        Args:
            scene_id: the scene; its features are left where they are.
            successor: id of the scene that takes its place.

        Raises:
            SceneError: when there is none of that id, or the disk refuses it.
        """
        name = self.get(scene_id).name
        try:
            self.trash.put(self.directory(scene_id), name, successor)
        except OSError as error:
            found = f"the disk refused it ({error.strerror})"
            raise SceneError(f"Deleting “{name}”", found, "check the folder of the data and try again") from error

    def bring_back(self, scene_id: str) -> bool:
        """Undo a deletion; False when there is none to undo."""
        return self.trash.take_out(scene_id, self.directory(scene_id))

    def keep_origin(self, scene_id: str, paths: Sequence[Path]) -> None:
        """Keep what a scene was made from beside it, so that it can be read again by other settings.

        The files are linked where the file system can, else copied; kept once, they stay as they are. Of a series they
        are copied for the first scene only.
        """
        target, series = self.directory(scene_id) / "origin", self.get(scene_id).series
        if exists(target) and self.origin(scene_id):
            return
        with staged_folder(target.parent, ".origin-") as staged:
            for path in paths:
                try:
                    os.link(path, staged / path.name)
                except OSError:
                    if series is not None and series.index > 0:
                        return
                    shutil.copyfile(path, staged / path.name)
            kept = sorted(path.name for path in staged.iterdir())
            write_atomically(target.parent / _NOTED, json.dumps({"kept": kept}).encode())
            move_in(staged, target, whole=kept[-1])

    def note_origin(self, scene_id: str, paths: Sequence[Path]) -> None:
        """Keep where the files lie that a scene was made from, which are somebody's own and stay where they are."""
        target = self.directory(scene_id)
        if not exists(target / "origin") and not self.origin(scene_id):
            whole = [path.absolute() for path in paths]
            noted = {"paths": [str(path) for path in whole], "state": _state(whole)}
            write_atomically(target / _NOTED, json.dumps(noted).encode())

    def origin(self, scene_id: str) -> list[Path]:
        """Return the files a scene was made from, by name; empty when they were not kept, or are others by now.

        What is shared may not be copied here yet: who reads them asks for them by ``core.files.present``.
        """
        folder = self.directory(scene_id) / "origin"
        try:
            noted = json.loads((folder.parent / _NOTED).read_bytes())
            if "kept" in noted:
                kept = [folder / Path(str(name)).name for name in noted["kept"]]
                return kept if all(map(exists, kept)) else []
            if not folder.is_dir():
                paths = [Path(path) for path in noted["paths"]]
                return paths if _state(paths) == noted["state"] else []
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def disk_bytes(self, scene_id: str) -> int:
        """Return bytes on disk of a scene's own files (features not counted); of linked files its share."""
        return folder_bytes(self.directory(scene_id))


def _written(scene: Scene) -> Scene:
    """Write the record of a scene, and return the scene."""
    write_atomically(scene.directory / _RECORD, scene.to_json().encode())
    return scene


def _state(paths: Sequence[Path]) -> list[int]:
    """Return what changes with files: how many there are, their bytes, and when the last of them was written."""
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]) if not file.is_dir()]
    found = [file.stat() for file in files]
    return [len(found), sum(one.st_size for one in found), max((one.st_mtime_ns for one in found), default=0)]
