"""What a visitor's views would show for a patch, told to the browser before a page has run for it.

A run of a page takes the server and the browser some tenths of a second, most of it for what a click leaves as it is.
So each run leaves behind how a question about any patch would be answered, and the plot asks for that first. What the
page then draws is the same, and counts.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

EarlyAnswer = Callable[[int], Mapping[str, Any] | None]
"""Gives what views show for a patch id, as JSON takes it; None where only a run of the page can tell."""

_OPEN: WeakValueDictionary[str, EarlyAnswers] = WeakValueDictionary()


class EarlyAnswers:
    """How questions of one visitor are answered early; it ends with the visitor's session.

    Attributes:
        token: names it in addresses; nobody else can guess it.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(18)
        self._answer: EarlyAnswer | None = None
        _OPEN[self.token] = self

    @property
    def offered(self) -> bool:
        """Whether patches can be asked about early now."""
        return self._answer is not None

    def offer(self, answer: EarlyAnswer | None) -> None:
        """Take how patches are answered from now on; None = only by a run of the page."""
        self._answer = answer

    def of_patch(self, patch_id: int) -> Mapping[str, Any] | None:
        """Return what views show for a patch, or None where only a run of the page can tell."""
        answer = self._answer
        return None if answer is None else answer(patch_id)


def early_answers(token: str) -> EarlyAnswers | None:
    """Return those that a token names; None when that session has ended, or never was."""
    return _OPEN.get(token)
