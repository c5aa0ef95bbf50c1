"""What a report says of a search: what was looked for, what was found, and where."""

from __future__ import annotations

from dataclasses import dataclass

from core.report.classes import Facts
from core.report.pictures import EmbeddedPicture

MOST_PICTURED = 12
"""Pictures of examples of a kind, and of what was found."""


@dataclass(frozen=True, kw_only=True)
class SearchPart:
    """A search and its answer. Text is as it came.

    Attributes:
        sentences: what was looked for, how, and how much was found.
        good: examples of what is looked for, as far as they are patches of the scene.
        bad: those of what is not.
        found: the best.
        picture: where all that was found lies; None where patches have no place beside each other.
        legend: words and colours of the picture.
    """

    sentences: tuple[str, ...]
    good: tuple[EmbeddedPicture, ...] = ()
    bad: tuple[EmbeddedPicture, ...] = ()
    found: tuple[EmbeddedPicture, ...] = ()
    picture: EmbeddedPicture | None = None
    legend: Facts = ()

    @property
    def rows(self) -> tuple[tuple[str, tuple[EmbeddedPicture, ...]], ...]:
        """The pictures with their titles, rows that hold none left out."""
        named = (("Good examples", self.good), ("Bad examples", self.bad), ("Found, the best first", self.found))
        return tuple((title, pictures) for title, pictures in named if pictures)
