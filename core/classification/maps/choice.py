"""How the map of classes of a scene is wanted: by which head, from which confidence on, smoothed, finer. Kept with it.

It is the scene's, as its labels are: who opens the scene again finds the map that was made.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from core.classification.cells import SMOOTHINGS, Smoothing
from core.classification.models import HEAD_KINDS
from core.errors import SettingsError
from core.evaluation.classifier import SURE_FROM
from core.scenes.cut import FINEST_STRIDE, Cut
from core.scenes.kept import read_kept, write_kept
from core.scenes.scene import Scene

CLASS_MAP = "class_map.json"
"""File of the choice, in the folder of a scene."""

BY_ENCODER, SAVED = "encoder", "saved-"
"""Heads that are not taught by the scene's own labels: that of the encoder, and, before its name, one that was kept."""

PARTS = (1, 2, 4)
"""Into how many parts a side of a patch can be mapped."""

SMOOTHING_WORDS: Mapping[Smoothing, str] = {
    "none": "not smoothed",
    "majority": "smoothed: the class that most of a cell and its eight neighbours have",
    "probability": "smoothed: the mean of the probabilities of a cell and its eight neighbours, the nearer the more",
}
"""What each way of smoothing does, as maps and files say it."""


@dataclass(frozen=True, kw_only=True)
class MapChoice:
    """How a map of classes is wanted.

    Attributes:
        head: a kind of head that the scene's labels teach, ``BY_ENCODER``, or ``SAVED`` and a name.
        below: probability below which patches are left unsure, 0 to 1.
        strange: True = land that the encoder does not know gets a class too.
        smoothing: over neighbouring patches or cells.
        parts: of a side of a patch; above 1 the map is that of overlapping patches.

    Raises:
        SettingsError: when one of them cannot be.
    """

    head: str = "logistic"
    below: float = SURE_FROM
    strange: bool = False
    smoothing: Smoothing = "none"
    parts: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        known = self.head in HEAD_KINDS or self.head == BY_ENCODER or self.head.startswith(SAVED)
        asked = "Making a map of classes"
        if not known:
            raise SettingsError(asked, f"there is no head “{self.head[:60]}”", f"choose {', '.join(HEAD_KINDS)}")
        if not (math.isfinite(self.below) and 0 <= self.below <= 1):
            raise SettingsError(asked, f"the least confidence is {self.below:g}", "choose one from 0 to 1")
        if self.smoothing not in SMOOTHINGS:
            raise SettingsError(asked, f"there is no smoothing “{self.smoothing}”", f"choose {', '.join(SMOOTHINGS)}")
        if self.parts not in PARTS:
            listed = ", ".join(map(str, PARTS))
            raise SettingsError(asked, f"{self.parts} parts a side are asked for", f"choose one of {listed}")

    @property
    def by_labels(self) -> bool:
        """Whether the labels of the scene teach its head."""
        return self.head in HEAD_KINDS

    def finer_cut(self, cut: Cut) -> Cut | None:
        """Return the cut whose patches overlap so that cells are finer; None where it cannot be finer than it is."""
        stride = cut.size // self.parts
        if self.parts == 1 or cut.size % self.parts or stride >= cut.stride or stride < cut.size / FINEST_STRIDE:
            return None
        return replace(cut, stride=stride)


def load_choice(scene: Scene) -> MapChoice:
    """Return how the map of a scene is wanted; the usual one where nobody said, or the file cannot be read."""
    return read_kept(scene, CLASS_MAP, _parsed, "how the map is wanted") or MapChoice()


def _parsed(content: bytes) -> MapChoice:
    whole = json.loads(content)
    held = whole["map"]
    known = MapChoice(
        head=str(held["head"]), below=float(held["below"]), strange=bool(held["strange"]),
        smoothing=held["smoothing"], parts=int(held["parts"]),
    )  # fmt: skip
    return known if whole["version"] == 1 else MapChoice()


def save_choice(scene: Scene, choice: MapChoice) -> None:
    """Keep how the map of a scene is wanted.

    Raises:
        SceneError: when the disk refuses it.
    """
    content = json.dumps({"version": 1, "map": asdict(choice)}).encode()
    write_kept(scene, CLASS_MAP, content, asked=f"Making a map of “{scene.name}”")
