"""What numba compiles is kept for the processes to come, and is not compiled again there."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from core.projection.machine_code import keep_compiled
from core.projection.umap_learn import quiet_umap

SOURCE = """
import numba

@numba.njit
def doubled(values):
    return values + values

@numba.njit(cache=True)
def tripled(values):
    return 3 * values
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "loops_of_somebody.py"
    path.write_text(SOURCE)
    return path


def imported(path: Path) -> ModuleType:
    """The module as another process has it: nothing compiled yet."""
    sys.modules.pop(path.stem, None)
    module = importlib.import_module(path.stem)
    keep_compiled([path.stem])
    return module


def test_what_was_compiled_once_is_read_the_next_time_until_its_source_changes(written: Path) -> None:
    for hits, factor in ((0, 2), (1, 2)):
        found = imported(written).doubled
        np.testing.assert_array_equal(found(np.arange(3)), factor * np.arange(3))
        assert sum(found.stats.cache_hits.values()) == hits
    written.write_text(SOURCE.replace("values + values", "values * 4  # and more"))
    importlib.invalidate_caches()
    changed = imported(written).doubled
    np.testing.assert_array_equal(changed(np.arange(3)), 4 * np.arange(3))
    assert not changed.stats.cache_hits


def test_where_nothing_can_be_kept_it_compiles_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("loops_of_nowhere")
    exec(compile(SOURCE.replace("(cache=True)", ""), "nowhere.py", "exec"), vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    keep_compiled([module.__name__])
    np.testing.assert_array_equal(module.doubled(np.arange(3)), 2 * np.arange(3))
    assert module.doubled.stats.cache_path is None


def test_all_that_umap_learn_compiles_for_a_layout_is_kept() -> None:
    with quiet_umap() as umap:
        for function in (
            umap.umap_.smooth_knn_dist,
            umap.umap_.compute_membership_strengths,
            umap.umap_.init_transform,
            umap.layouts._nb_optimize_layout_euclidean_single_epoch,
        ):
            assert function.stats.cache_path is not None, function
