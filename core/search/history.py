"""What was searched for, step by step: undo and redo of examples. Keeping them on disk is ``core.search.saved``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.search.examples import Evidence

NO_EVIDENCE = Evidence()

MOST_STEPS = 100
"""Steps that can be undone."""


@dataclass(frozen=True, kw_only=True)
class EvidenceHistory:
    """Evidence as it is now, and as it was.

    Attributes:
        present: what counts now.
        past: what it was before, the latest last.
        future: what undoing left, the next one last.
    """

    present: Evidence = NO_EVIDENCE
    past: tuple[Evidence, ...] = ()
    future: tuple[Evidence, ...] = ()

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return bool(self.past)

    @property
    def can_redo(self) -> bool:
        """Whether a step was undone."""
        return bool(self.future)

    def to(self, evidence: Evidence) -> EvidenceHistory:
        """Return the history with one more step; what was undone before it is gone. No change is no step."""
        if evidence == self.present:
            return self
        return EvidenceHistory(present=evidence, past=(*self.past, self.present)[-MOST_STEPS:])

    def step(self, change: Callable[[Evidence], Evidence]) -> EvidenceHistory:
        """Return the history after a change of the present, such as ``lambda evidence: evidence.mark(example)``."""
        return self.to(change(self.present))

    def named(self, name: str) -> EvidenceHistory:
        """Return the history with another name for what counts now; a name is no step."""
        return replace(self, present=replace(self.present, name=name))

    def undo(self) -> EvidenceHistory:
        """Return the history one step back, under the name that it has now; as it is where there is none."""
        if not self.past:
            return self
        *before, last = self.past
        present = replace(last, name=self.present.name)
        return EvidenceHistory(present=present, past=tuple(before), future=(*self.future, self.present))

    def redo(self) -> EvidenceHistory:
        """Return the history before the latest ``undo``, under the name that it has now."""
        if not self.future:
            return self
        *after, following = self.future
        present = replace(following, name=self.present.name)
        return EvidenceHistory(present=present, past=(*self.past, self.present), future=tuple(after))
