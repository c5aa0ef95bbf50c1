"""Undo and redo of evidence."""

from __future__ import annotations

from core.scenes.patches import PatchRef
from core.search.examples import Evidence, PatchExample
from core.search.history import MOST_STEPS, EvidenceHistory


def marked(history: EvidenceHistory, patch: int) -> EvidenceHistory:
    return history.step(lambda evidence: evidence.mark(PatchExample(ref=PatchRef("s", patch))))


def test_steps_are_undone_and_done_again() -> None:
    start = EvidenceHistory()
    two = marked(marked(start, 1), 2)
    assert [len(one) for one in (two.present, two.undo().present, two.undo().undo().present)] == [2, 1, 0]
    assert two.undo().redo() == two
    assert not two.undo().undo().can_undo
    assert start.undo() == start
    assert two.redo() == two
    other = marked(two.undo(), 3)
    assert not other.can_redo, "what was undone is gone after another step"
    assert marked(two, 2) == two, "no change is no step"


def test_a_name_stays_through_steps_and_is_none() -> None:
    two = marked(marked(EvidenceHistory(), 1), 2).named("Lakes")
    assert (two.undo().present.name, two.undo().redo().present.name) == ("Lakes", "Lakes")
    assert len(two.past) == 2


def test_no_more_steps_are_kept_than_somebody_undoes() -> None:
    history = EvidenceHistory(present=Evidence())
    for patch in range(MOST_STEPS + 20):
        history = marked(history, patch)
    assert len(history.past) == MOST_STEPS
