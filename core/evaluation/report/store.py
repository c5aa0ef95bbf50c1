"""Report cards kept on disk beside the layouts they judge, and deleted with them; ``measure`` makes them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.evaluation.report.card import Section, from_json, to_json
from core.evaluation.retrieval import Share, share
from core.features.recipe import Recipe
from core.files import discard, disk_errors, write_atomically

FEATURES = "features"
"""As a settings key: the part of a report that belongs to the features themselves."""

BY_TRUTH = "truth-"
"""The start of a settings key: the part that belongs to the truth of the scene; its version follows."""

HAND_LABELLED = "hand-"
"""The start of a settings key: the part that belongs to labels given by hand; their version follows."""


class Reports:
    """Reports under ``root``/projections, for each recipe and settings: sections as JSON, numbers as ``.npz``."""

    def __init__(self, root: Path) -> None:
        self.root = root / "projections"

    def put(
        self, recipe: Recipe, settings_key: str, sections: Sequence[Section], arrays: Mapping[str, NDArray[np.generic]]
    ) -> None:
        """Keep a report; its JSON is written last, and without it there is none.

        Raises:
            StoreError: when it cannot be written.
        """
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        path = self._path(recipe, settings_key)
        advice = "free some space and start again"
        with disk_errors("Storing a report", full=advice, other=advice):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path.with_suffix(".npz"), buffer.getvalue())
            write_atomically(path, to_json(sections).encode())

    def drop(self, recipe: Recipe, start: str, but: str) -> None:
        """Remove the reports whose settings key begins like that, but for one."""
        kept = self._path(recipe, but)
        for path in kept.parent.glob(f"{recipe.key}-{start}*.trust.*"):
            if path.stem != kept.stem:
                discard(path)

    def get(self, recipe: Recipe, settings_key: str) -> list[Section] | None:
        """Return the sections; None when there are none of this version, or the file is damaged."""
        try:
            return from_json(self._path(recipe, settings_key).read_bytes())
        except OSError:
            return None

    def has(self, recipe: Recipe, settings_key: str) -> bool:
        """Tell whether a report with the figures of a verdict is there; earlier versions wrote sentences only."""
        sections = self.get(recipe, settings_key)
        return sections is not None and all(one.figures or not one.measured for one in sections)

    def whole(self, recipe: Recipe) -> bool:
        """Tell whether the part of the features is there with its numbers; one of an earlier version may lack some."""
        sections = self.get(recipe, FEATURES)
        if sections is None or not self.has(recipe, FEATURES):
            return False
        shifted = any(one.name == "stability" and one.measured for one in sections)
        return not shifted or self.values(recipe, FEATURES, "kept") is not None

    def kept_under_shift(self, recipe: Recipe) -> Share | str | None:
        """Return the share of neighbours that patches keep when the grid is shifted.

        A sentence says why it cannot be measured; None = that was not tried yet.
        """
        found = self.values(recipe, FEATURES, "kept")
        if found is not None and len(found):
            return share(found.astype(np.float64))
        sections = self.get(recipe, FEATURES) or []
        return next((one.sentences[0] for one in sections if one.name == "stability" and not one.measured), None)

    def newest(self, recipe: Recipe, start: str) -> list[Section]:
        """Return the sections kept last whose settings key begins like that; none when there are none."""
        folder = self.root / recipe.scene_id
        paths = sorted(folder.glob(f"{recipe.key}-{start}*.trust.json"), key=lambda path: path.stat().st_mtime)
        return (from_json(paths[-1].read_bytes()) or []) if paths else []

    def values(self, recipe: Recipe, settings_key: str, name: str) -> NDArray[np.generic] | None:
        """Return one of the arrays, read-only; None when there is none or it is damaged."""
        path = self._path(recipe, settings_key).with_suffix(".npz")
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                found: NDArray[np.generic] = data[name]
        except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile):
            return None
        found.flags.writeable = False
        return found

    def _path(self, recipe: Recipe, settings_key: str) -> Path:
        return self.root / recipe.scene_id / f"{recipe.key}-{settings_key}.trust.json"
