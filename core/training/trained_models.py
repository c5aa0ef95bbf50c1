"""Models trained on this computer: their folders, their cards, and how a training under way stands."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.encoders.files import MODEL_FILES
from core.errors import TrainingError
from core.files import discard, move_in, staged_folder

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
"""What names of models look like: they are names of folders and parts of addresses."""

UNDER_WAY, STATE = ".training", "state.json"
"""A training's last epoch is kept in the folder of this ending beside its result; this file there says how it went."""


class Trained:
    """The models below one folder, each in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def directory(self, name: str) -> Path:
        """Return where a model lies or will lie.

        Raises:
            TrainingError: when it is no name of a model.
        """
        if not MODEL_NAME.fullmatch(name):
            raise TrainingError(f"Looking for the model “{name}”", "that is no name of one", "choose one from the list")
        return self.root / name

    def fresh_name(self, title: str, taken: Collection[str] = ()) -> str:
        """Return a name that no model has, made of a title: ``Alpine meadows 2`` gives ``alpine-meadows-2``.

        Args:
            title: what people call it.
            taken: names that mean something else.
        """
        plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
        stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].rstrip("-")
        stem = f"model-{stem}".rstrip("-") if stem.isdigit() or not stem else stem
        name, number = stem, 1
        while name in taken or (self.root / name).exists() or under_way(self.root / name).exists():
            number += 1
            name = f"{stem}-{number}"
        return name

    def names(self) -> list[str]:
        """Return the names of finished models."""
        return sorted({path.parent.name for file in MODEL_FILES for path in self.root.glob(f"[!.]*/{file}")})

    def history(self, name: str) -> list[dict[str, float]]:
        """Return how a training under way has gone: ``number``, ``loss``, ``accuracy``, ``seconds`` of each epoch."""
        return history_of(self.directory(name))

    def standing(self, name: str) -> dict[str, Any]:
        """Return what else is known of a training under way: ``rivals`` and ``best``; empty when there is none."""
        return _read(under_way(self.directory(name)) / STATE)

    def delete(self, name: str) -> None:
        """Remove a model, and what a stopped training of that name left; does nothing when there is none."""
        folder = self.directory(name)
        for path in (folder, under_way(folder)):
            discard(path, first=_whole(path))


@contextmanager
def staged_model(directory: Path) -> Iterator[Path]:
    """Give a folder to write a model into; it appears in its place by one rename, whole or not at all."""
    with staged_folder(directory.parent, f".{directory.name}.") as staged:
        yield staged
        staged.chmod(0o755)
        move_in(staged, directory, whole=_whole(staged))


def _whole(folder: Path) -> str:
    """Return the file without which a folder is no model."""
    return next((name for name in MODEL_FILES if (folder / name).is_file()), MODEL_FILES[0])


def history_of(directory: Path) -> list[dict[str, float]]:
    """Return how the training whose result will lie in a directory has gone, as of ``Trained.history``."""
    found = _read(under_way(directory) / STATE).get("history", [])
    return found if isinstance(found, list) else []


def under_way(directory: Path) -> Path:
    """Return the folder of the training whose result will lie in a directory."""
    return directory.with_name(directory.name + UNDER_WAY)


def read_card(path: Path | None) -> dict[str, Any]:
    """Read a model card; empty when there is none or it cannot be read."""
    return {} if path is None else _read(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return fields if isinstance(fields, dict) else {}
