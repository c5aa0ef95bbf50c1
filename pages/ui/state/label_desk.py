"""What a visitor is labelling: who they are, what they passed over, how patches come. Small values only."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

WHO_COOKIE = "landlike_who"
"""In which a browser remembers what its visitor calls themselves."""

LONGEST_WHO = 60


@dataclass
class LabelDesk:
    """A visitor's place in labelling.

    Attributes:
        who: gives labels, as they call themselves, or empty.
        passed: patches that the visitor left without a class when asked.
        at_random: True = patches to label come at random, as a control.
        hurried: True = a label was just given and another may follow at once, so that what takes longer waits.
        bringings: how often labels of a file were taken; the uploader is emptied by it.
    """

    who: str = ""
    passed: tuple[int, ...] = ()
    at_random: bool = False
    hurried: bool = False
    bringings: int = 0

    def leave(self, patch: int) -> None:
        """Pass a patch over."""
        self.passed = (*self.passed, patch)

    def forget_patches(self) -> None:
        """Drop everything that names patches."""
        self.passed, self.hurried = (), False


def who_of_cookie(value: str) -> str:
    """Return a name as a browser remembered it, on one line."""
    return " ".join(unquote(value).split())[:LONGEST_WHO]
