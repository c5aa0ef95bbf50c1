"""Heads that a background job taught on the labels of a scene, each with what cross-validation found, kept on disk."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from core.classification.heads import Taught
from core.classification.models import HeadKind, check_kind
from core.classification.saved import SUFFIX, load_head, save_head
from core.classification.validation import Validation
from core.errors import EncoderError, SettingsError
from core.features.recipe import Recipe
from core.files import discard, disk_errors, write_atomically

_HELD_OUT = ".held-out.npz"


class ComparedHeads:
    """Heads under ``root``/compared: for each recipe and version of the labels, two files a kind of head.

    Of each kind the latest alone is kept.
    """

    def __init__(self, root: Path) -> None:
        self.root = root / "compared"

    def put(self, recipe: Recipe, version: str, taught: Taught) -> None:
        """Keep a head in place of those of its kind before.

        Raises:
            StoreError: when the disk refuses it.
        """
        folder, kind = self._folder(recipe) / version, taught.head.kind
        advice = "free some space and start again"
        with disk_errors("Keeping a head", full=advice, other=advice):
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / f"{kind}{_HELD_OUT}", _bytes_of(taught.validation))
        save_head(taught.head, folder / f"{kind}{SUFFIX}")
        for other in self._folder(recipe).iterdir():
            if other.name != version:
                for path in (other / f"{kind}{SUFFIX}", other / f"{kind}{_HELD_OUT}"):
                    discard(path)
                with suppress(OSError):  # Heads of another kind are in it.
                    other.rmdir()

    def get(self, recipe: Recipe, version: str, kind: HeadKind) -> Taught | None:
        """Return the head of a kind that labels of a version teach; None where it was not taught, or is damaged."""
        folder = self._folder(recipe) / version
        if not self.has(recipe, version, kind):
            return None
        try:
            head = load_head(folder / f"{kind}{SUFFIX}")
            return Taught(head=head, validation=_validation_of((folder / f"{kind}{_HELD_OUT}").read_bytes()))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, EncoderError, SettingsError):
            return None

    def has(self, recipe: Recipe, version: str, kind: HeadKind) -> bool:
        """Return whether a head was taught; quick."""
        return bool(version) and (self._folder(recipe) / version / f"{kind}{SUFFIX}").is_file()

    def latest(self, recipe: Recipe, kind: HeadKind) -> str:
        """Return the version of the labels that the latest head of a kind was taught on; empty where there is none."""
        found = [path.parent.name for path in self._folder(recipe).glob(f"*/{kind}{SUFFIX}")]
        return found[0] if found else ""

    def delete_scene(self, scene_id: str) -> None:
        """Remove all heads of a scene."""
        discard(self.root / scene_id)

    def delete(self, recipe: Recipe) -> None:
        """Remove all heads of a recipe."""
        discard(self._folder(recipe))

    def disk_bytes(self, scene_id: str) -> int:
        """Return the bytes on disk of a scene's heads."""
        return sum(path.stat().st_size for path in (self.root / scene_id).rglob("*.npz"))

    def _folder(self, recipe: Recipe) -> Path:
        return self.root / recipe.scene_id / recipe.key


def _bytes_of(found: Validation) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, kind=np.str_(found.kind), setting=found.setting, temperature=found.temperature,
        classes=np.array(found.classes, dtype=np.str_), labels=found.labels, chances=found.chances, raw=found.raw,
        blocks=found.blocks, spatial=found.spatial, held_apart=found.held_apart,
    )  # fmt: skip
    return buffer.getvalue()


def _validation_of(content: bytes) -> Validation:
    with np.load(io.BytesIO(content), allow_pickle=False) as held:
        return Validation(
            kind=check_kind(str(held["kind"])), setting=float(held["setting"]), temperature=float(held["temperature"]),
            classes=tuple(held["classes"].tolist()), labels=held["labels"], chances=held["chances"], raw=held["raw"],
            blocks=held["blocks"], spatial=bool(held["spatial"]), held_apart=bool(held.get("held_apart", False)),
        )  # fmt: skip
