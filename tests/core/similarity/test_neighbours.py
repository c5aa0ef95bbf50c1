from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances

from core.errors import SettingsError
from core.scenes.patches import PatchRef
from core.similarity.neighbours import BLOCK_BYTES, nearest_patches, similarities, unit_rows


def random_rows(count: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width), dtype=np.float32)


def test_unit_rows_have_length_one_and_zero_rows_stay_zero() -> None:
    rows = random_rows(50, 7)
    rows[3] = 0
    unit = unit_rows(rows)
    lengths = np.linalg.norm(unit.astype(np.float64), axis=1)
    assert lengths[3] == 0
    np.testing.assert_allclose(np.delete(lengths, 3), 1, atol=1e-6)
    assert not np.shares_memory(rows, unit)


def test_unit_rows_are_the_same_in_blocks_and_a_number_too_large_for_them_is_told() -> None:
    rows = random_rows(BLOCK_BYTES // 4 // 64 + 50, 64)
    plain = rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    np.testing.assert_allclose(unit_rows(rows), plain, atol=1e-6)
    with pytest.raises(SettingsError, match="not finite"), np.errstate(over="ignore"):
        unit_rows(np.array([[1, 2], [3, 1e300]]))


@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e18, 3e37])
def test_unit_rows_of_huge_and_tiny_numbers_neither_overflow_nor_vanish(scale: float) -> None:
    rows = random_rows(20, 5)
    np.testing.assert_allclose(unit_rows(rows * np.float32(scale)), unit_rows(rows), atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused_in_one_sentence(bad: float) -> None:
    rows = random_rows(10, 4)
    rows[7, 2] = bad
    with pytest.raises(SettingsError, match=r"^Comparing patches: some features are not finite numbers; .+\.$"):
        unit_rows(rows)


def test_similarities_are_cosines() -> None:
    rows = random_rows(200, 30)
    expected = 1 - pairwise_distances(rows[17:18], rows, metric="cosine")[0]
    np.testing.assert_allclose(similarities(unit_rows(rows), 17), expected, atol=1e-6)


def test_a_zero_vector_is_similar_to_nothing() -> None:
    rows = random_rows(6, 4)
    rows[2] = 0
    unit = unit_rows(rows)
    assert (similarities(unit, 2) == 0).all()
    assert similarities(unit, 0)[2] == 0
    assert nearest_patches(unit, np.arange(6), 2, 3, scene="s").ids.tolist() == [0, 1, 3]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 80), st.integers(0, 10_000))
def test_nearest_is_the_sorted_list_of_all_others(count: int, width: int, k: int, seed: int) -> None:
    rows = random_rows(count, width, seed)
    ids = np.random.default_rng(seed).permutation(count).astype(np.int64) * 3 + 5
    position = seed % count
    found = nearest_patches(unit_rows(rows), ids, position, k, scene="s")
    cosine = 1 - pairwise_distances(rows.astype(np.float64), metric="cosine")[position]
    assert len(found) == min(k, count - 1)
    assert ids[position] not in found.ids
    best = np.sort(np.delete(cosine, position))[::-1][:k]
    np.testing.assert_allclose(found.similarity, best, atol=2e-6)
    by_id = dict(zip(ids.tolist(), cosine.tolist(), strict=True))
    np.testing.assert_allclose([by_id[i] for i in found.ids.tolist()], found.similarity, atol=2e-6)


def test_equal_vectors_tie_and_come_in_the_order_of_their_ids() -> None:
    base = random_rows(3, 1999)
    rows = np.concatenate([base[:1], np.repeat(base[1:2], 40, axis=0), np.repeat(base[2:], 40, axis=0)])
    ids = np.random.default_rng(5).permutation(len(rows)).astype(np.int64)
    unit = unit_rows(rows)
    found = nearest_patches(unit, ids, 0, 80, scene="s")
    for start in (0, 40):
        group = found.ids[start : start + 40].tolist()
        assert group == sorted(group)
        assert len(set(found.similarity[start : start + 40].tolist())) == 1
    assert nearest_patches(unit, ids, 0, 20, scene="s").ids.tolist() == found.ids[:20].tolist()


def test_nearest_leaves_out_the_excluded_and_gives_what_is_left() -> None:
    unit, ids = unit_rows(random_rows(10, 4)), np.arange(10) * 10
    found = nearest_patches(unit, ids, 4, 100, exclude=np.array([0, 10, 20, 999]), scene="s")
    assert set(found.ids.tolist()) == {30, 50, 60, 70, 80, 90}
    nothing = nearest_patches(unit, ids, 4, 3, exclude=ids, scene="s")
    assert len(nothing) == 0
    assert nothing.ids.dtype == np.int64


def test_asking_for_no_neighbours_is_refused() -> None:
    with pytest.raises(SettingsError, match="0 neighbours were asked for"):
        nearest_patches(unit_rows(random_rows(3, 2)), np.arange(3), 0, 0, scene="s")


def test_neighbours_are_references_with_rank_and_similarity_page_by_page() -> None:
    unit, ids = unit_rows(random_rows(30, 5)), np.arange(30, dtype=np.int64) * 7
    found = nearest_patches(unit, ids, 3, 12, scene="quilt-1")
    assert [(one.ref, one.similarity) for one in found] == [
        (PatchRef("quilt-1", patch), similarity) for patch, similarity in zip(found.ids, found.similarity, strict=True)
    ]
    assert [one.rank for one in found] == list(range(1, 13))
    assert [*found.ranked(0, 5), *found.ranked(5, 5), *found.ranked(10, 5)] == list(found)
    assert list(found.ranked(12)) == []
