"""Which patches searches showed a visitor as pictures, so that a search can go on with those that were not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

NOTHING_SEEN: frozenset[int] = frozenset()


@dataclass
class SeenPatches:
    """Patches by the scene and cut that they are of, as ``key`` names it.

    What is left out stays as it is until a person asks again, so that a list does not change while it is looked at.

    Attributes:
        shown: all that were shown.
        left_out: those that are left out.
    """

    shown: dict[str, set[int]] = field(default_factory=dict)
    left_out: dict[str, frozenset[int]] = field(default_factory=dict)

    def note(self, key: str, ids: Iterable[int]) -> None:
        """Remember patches as seen."""
        self.shown.setdefault(key, set()).update(ids)

    def count(self, key: str) -> int:
        """Return how many were shown that are not left out yet."""
        return len(self.shown.get(key, set()) - self.out(key))

    def out(self, key: str) -> frozenset[int]:
        """Return the patches that are left out."""
        return self.left_out.get(key, NOTHING_SEEN)

    def leave_out(self, key: str) -> None:
        """Leave out all that were shown until now."""
        self.left_out[key] = frozenset(self.shown.get(key, ()))

    def take(self, key: str, ids: Iterable[int]) -> None:
        """Leave out just some patches, as a view does that somebody handed on; they count as shown."""
        self.left_out[key] = frozenset(ids)
        self.note(key, self.left_out[key])

    def reset(self, key: str) -> None:
        """Leave out nothing, and forget what was shown."""
        self.shown.pop(key, None)
        self.left_out.pop(key, None)
