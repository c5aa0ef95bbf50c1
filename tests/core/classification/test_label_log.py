"""Labels as a table: who, when, from what view, in their order, and only those of the patches as they are cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.classification.label_log import label_log
from core.scenes.given.annotations import Annotations, LabelFact
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from tests.scenes import add_scene


def test_labels_are_listed_by_patch_and_ordered_by_moment(tmp_path: Path) -> None:
    grid, known = patch_grid(add_scene(Library(tmp_path))), Annotations()
    for second, (patch, name, view) in enumerate(((7, "Fen", "map"), (2, "Bog", "map"), (4, "Fen", "L.csv"))):
        fact = LabelFact(who="Ada", when=f"2026-01-01T00:00:0{second}Z", view=view)
        known = known.with_class([grid.window(patch)[:3]], name, fact)
    known = known.with_class([(1, 2, 32)], "Reed", LabelFact())
    known = Annotations(classes=known.classes, facts=known.facts, confirmed=frozenset({grid.window(2)[:3]}))
    log = label_log(known, grid)
    assert log.patch_ids.tolist() == [2, 4, 7], "a label of patches cut otherwise is none of these"
    assert log.labels.tolist() == ["Bog", "Fen", "Fen"]
    assert log.who.tolist() == ["Ada"] * 3
    assert log.confirmed.tolist() == [True, False, False]
    assert log.in_order().tolist() == [7, 2, 4]
    assert log.in_order("map").tolist() == [7, 2]
    assert log.some(log.labels == "Fen").patch_ids.tolist() == [4, 7]
    there = np.arange(grid.count) < 5
    assert label_log(known, grid, there).patch_ids.tolist() == [2, 4], "nor one outside of the area of a cut"
    empty = label_log(Annotations(), grid)
    assert len(empty) == 0
    assert np.array_equal(empty.in_order(), [])
