"""A question put as a sentence is read back as it was meant."""

from __future__ import annotations

import pytest

from core.ingest.bands.choices import scale_asked, scales_asked


@pytest.mark.parametrize(
    ("middles", "said"),
    [
        ({"dn": 0.3125, "dn+1000": 0.2125}, {"dn": "B04 reflects 0.31", "dn+1000": "B04 reflects 0.21"}),
        ({"unit": 0.05, "unit+0.1": -0.05}, {"unit": "B04 reflects 0.050", "unit+0.1": "B04 reflects -0.050"}),
        ({"1000": 0.64, "dn": 0.064}, {"1000": "B04 reflects 0.64", "dn": "B04 reflects 0.064"}),
    ],
)
def test_choices(middles: dict[str, float], said: dict[str, str]) -> None:
    assert scales_asked(str(scale_asked("nothing tells", "B04", middles))) == said


def test_other_sentences_ask_nothing() -> None:
    assert scales_asked("Opening “dn where it reflects 1”: it is empty; choose another.") == {}
