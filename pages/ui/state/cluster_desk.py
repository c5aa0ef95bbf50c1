"""What one visitor looks at among clusters: ids and small values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class ClusterDesk:
    """One visitor's place among the clusters of a scene.

    Attributes:
        chosen: the cluster on show, by the smallest number that it was found as, which merges and renames leave; None =
            none is.
        order: ``typical`` or ``odd``: which of its patches come first.
        beside: ``clusters`` or ``light``: what is shown beside the gallery while clusters colour the points.
        told: what became of the latest change, a sentence.
        labelled: True = that change gave labels, which can be taken back.
        changes: how often something was changed or chosen; what was open for that is closed by it.
    """

    chosen: int | None = None
    order: str = "typical"
    beside: str = "clusters"
    told: str = ""
    labelled: bool = False
    changes: int = 0

    def tell(self, sentence: str, *, labelled: bool = False) -> None:
        """Take note of what became of a change."""
        self.told, self.labelled = sentence, labelled
        self.changes += 1

    def forget_patches(self) -> None:
        """Drop what names clusters of a scene."""
        self.chosen, self.order = None, "typical"
        self.tell("")
