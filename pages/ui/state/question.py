"""What land a visitor looks for, by examples: patches of one scene like it and unlike it. Small values, no drawing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

MOST_IN_LINK = 400
"""Examples that an address holds; more would be too long for browsers."""
_IDS = re.compile(r"\d{1,9}(?:\.\d{1,9})*")


@dataclass(frozen=True, slots=True)
class Question:
    """Good and bad examples, each patch once, in the order in which they were given.

    Attributes:
        scene: id of the scene that the patches are of.
        like: ids of the patches that are what is looked for; the first is the one that was asked about.
        unlike: ids of the patches that are not.
    """

    scene: str
    like: tuple[int, ...] = ()
    unlike: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.like) + len(self.unlike)

    @property
    def plain(self) -> bool:
        """Return whether it says no more than one patch does."""
        return len(self.like) == 1 and not self.unlike

    def sign(self, patch: int) -> int:
        """Return 1 for a good example, −1 for a bad one, 0 for any other patch."""
        return 1 if patch in self.like else -1 if patch in self.unlike else 0

    def marked(self, patch: int, sign: int) -> Question:
        """Return the question with a patch as good (1) or bad (−1) example, or as none (0)."""
        like = tuple(one for one in self.like if one != patch or sign == 1)
        unlike = tuple(one for one in self.unlike if one != patch or sign == -1)
        if sign == 1 and patch not in like:
            like += (patch,)
        if sign == -1 and patch not in unlike:
            unlike += (patch,)
        return replace(self, like=like, unlike=unlike)

    def only(self, there: frozenset[int]) -> Question:
        """Return the question without patches that are not there."""
        like, unlike = (tuple(one for one in ids if one in there) for ids in (self.like, self.unlike))
        return replace(self, like=like, unlike=unlike)

    def link(self) -> dict[str, str]:
        """Return the parameters ``like`` and ``unlike`` of an address; none where it is plain or too long."""
        if self.plain or not 0 < len(self) <= MOST_IN_LINK:
            return {}
        parts = {"like": self.like, "unlike": self.unlike}
        return {name: ".".join(map(str, ids)) for name, ids in parts.items() if ids}

    @classmethod
    def parse(cls, scene: str, like: str, unlike: str) -> Question | None:
        """Return the question of an address; None when it holds none."""
        good, bad = (_ids(text) for text in (like, unlike))
        found = cls(scene, good, tuple(one for one in bad if one not in good))
        return found if len(found) else None


def _ids(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(map(int, text.split("."))))[:MOST_IN_LINK] if _IDS.fullmatch(text) else ()
