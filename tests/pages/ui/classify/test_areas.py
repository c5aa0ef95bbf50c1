"""The table of areas: what each column says, and what stands where nothing is known."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from core.classification.areas.estimation import ABSTAINED
from core.classification.areas.known_truth import true_accuracy
from pages.ui.classify.areas import areas_table

MAPPED = ["Forest", "Forest", ABSTAINED, "River", "River"]
TRUTH = ["Forest", "River", "River", "Lake", None]
HECTARES = np.array([10.0, 30.0, 5.0, 20.0, 40.0])


def test_the_truth_stands_beside_what_is_mapped_for_each_class() -> None:
    mapped = {name: float(HECTARES[[one == name for one in MAPPED]].sum()) for name in dict.fromkeys(MAPPED)}
    said = rows(areas_table(mapped, None, true_accuracy(MAPPED, TRUTH, HECTARES)))
    # By hand: 10 of the 40 hectares mapped forest are, none of the 20 mapped river whose truth is known.
    assert said == {
        "Class": ["Mapped", "True", "Truly right of what is mapped so"],
        "Forest": ["40 ha", "10 ha", "25 %"],
        "Unsure": ["5.0 ha", "–", "–"],
        "River": ["60 ha", "35 ha", "0 %"],
        "Lake": ["0.0 ha", "20 ha", "–"],
    }


def test_without_truth_and_sample_there_is_what_is_mapped_alone() -> None:
    assert rows(areas_table({"Forest": 40.0, "River": float("nan")}, None)) == {
        "Class": ["Mapped"], "Forest": ["40 ha"], "River": ["–"],
    }  # fmt: skip


def rows(table: str) -> dict[str, list[str]]:
    """The cells of a table by the first of each row."""
    found = [["".join(cell.itertext()) for cell in row] for row in ElementTree.fromstring(table).iter("tr")]
    return {name: cells for name, *cells in found}
