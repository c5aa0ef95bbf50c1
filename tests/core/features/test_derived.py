"""Arrays made from features: kept whole, found damaged, and not read again to know that they are there."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.features.derived import DerivedArrays
from core.features.recipe import Recipe
from core.scenes.cut import Cut

RECIPE = Recipe(scene_id="s-1", encoder="place", fingerprint="0" * 64, cut=Cut.of(64))
COVERED = replace(RECIPE, cut=Cut.of(64, edge="cover"))


def test_an_array_is_there_until_its_file_is_damaged_or_gone(tmp_path: Path) -> None:
    arrays, array = DerivedArrays(tmp_path), np.arange(6, dtype=np.float32).reshape(3, 2)
    assert not arrays.has(RECIPE, "k")
    arrays.put(RECIPE, "k", array)
    assert arrays.has(RECIPE, "k")
    found = arrays.get(RECIPE, "k")
    assert found is not None
    assert found.tolist() == array.tolist()
    path = next((tmp_path / "s-1").glob("*.npy"))
    stamp = path.stat().st_mtime_ns
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stamp + 1, stamp + 1))
    assert not arrays.has(RECIPE, "k")
    arrays.put(RECIPE, "k", array)
    assert arrays.has(RECIPE, "k")
    arrays.put(COVERED, "k", array)
    arrays.delete(RECIPE)
    assert not arrays.has(RECIPE, "k")
    assert arrays.has(COVERED, "k"), "whose key begins alike"
    arrays.put(RECIPE, "k", array)
    arrays.delete_scene("s-1")
    assert not arrays.has(RECIPE, "k")


def test_a_file_that_has_not_changed_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = DerivedArrays(tmp_path)
    arrays.put(RECIPE, "k", np.zeros(3))
    assert arrays.has(RECIPE, "k")
    monkeypatch.setattr(Path, "read_bytes", None)
    assert arrays.has(RECIPE, "k")
