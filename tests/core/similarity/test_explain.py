"""Signatures against numpy over all pixels; words against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bands import BAND_NAMES, INDICES
from core.errors import SettingsError
from core.similarity.explain import band_origins, compare_indices, index_values, indices_of, signature, signed


def bands(**values: float) -> np.ndarray:
    return np.array([values.get(name, 0.1) for name in BAND_NAMES], dtype=np.float32)


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_a_signature_is_that_of_all_pixels_together(count: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).random((count, 50, 13))
    found = signature(pixels.mean(axis=1).astype(np.float32), pixels.std(axis=1).astype(np.float32))
    np.testing.assert_allclose(found.mean, pixels.reshape(-1, 13).mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.spread, pixels.reshape(-1, 13).std(axis=0), atol=1e-4)


def test_no_patches_have_no_signature() -> None:
    none = np.zeros((0, 13), dtype=np.float32)
    with pytest.raises(SettingsError, match="there are no patches"):
        signature(none, none)


def test_index_values_take_the_right_bands() -> None:
    values = np.stack([bands(B08=0.4, B04=0.1), bands(B03=0.3, B08=0.1, B11=0.3)])
    assert index_values(values, "NDVI")[0] == pytest.approx(0.6)
    assert index_values(values, "NDWI")[1] == pytest.approx(0.5)
    assert index_values(values, "NDBI")[1] == pytest.approx(0.5)
    with pytest.raises(SettingsError, match="NDVI, NDWI, NDBI"):
        index_values(values, "EVI")


def test_band_origins_tell_measured_from_filled() -> None:
    sources = {source.band: source for source in band_origins(("B02", "B03", "B04", "B08"))}
    assert sources["B04"].measured
    assert sources["B04"].words == ""
    assert sources["B8A"].words == "not in this scene; B08 stands in"
    assert sources["B10"].words == "not in this scene; taken as zero"


def test_words_say_which_way_and_how_much() -> None:
    query = bands(B08=0.4, B04=0.1, B03=0.1, B11=0.2)
    scene = np.stack([query, *(bands(B08=0.2, B04=0.18, B03=0.1, B11=0.3) for _ in range(9))])
    less = np.stack([bands(B08=0.4, B04=0.2, B03=0.1, B11=0.2)] * 3)
    notes = {note.name: note for note in compare_indices(query, less, scene)}
    assert list(notes) == list(INDICES)
    assert notes["NDVI"].query == pytest.approx(0.6)
    assert notes["NDVI"].neighbours == pytest.approx(1 / 3, abs=1e-5)
    assert notes["NDVI"].below == pytest.approx(0.9)
    words = {name: note.sentence.replace("\N{NO-BREAK SPACE}", " ") for name, note in notes.items()}
    assert words["NDVI"] == ("NDVI 0.60: greener than 90 % of the scene; neighbours clearly less green (0.33 ± 0.00)")
    assert words["NDWI"] == ("NDWI −0.60: drier than 90 % of the scene; neighbours the same (−0.60 ± 0.00)")
    assert words["NDBI"].startswith("NDBI −0.33: less built-up or bare than 90 % of the scene;")


@pytest.mark.parametrize(
    ("red", "words"),
    [(0.1, "neighbours the same"), (0.108, "neighbours slightly less green"), (0.13, "neighbours less green"),
     (0.085, "neighbours slightly greener"), (0.3, "neighbours much less green")],
)  # fmt: skip
def test_degrees_of_difference(red: float, words: str) -> None:
    query = bands(B08=0.4, B04=0.1)
    note = compare_indices(query, bands(B08=0.4, B04=red)[None], query[None])[0]
    assert words in note.sentence
    assert note.sentence.startswith("NDVI 0.60: about as green as most of the scene;")


def test_without_neighbours_only_the_query_is_described() -> None:
    query = bands(B08=0.4, B04=0.1)
    note = compare_indices(query, np.zeros((0, 13), dtype=np.float32), query[None])[0]
    assert "neighbours" not in note.sentence
    assert note.neighbours == note.query


def test_indices_of_stand_ins_are_left_out() -> None:
    assert indices_of(BAND_NAMES) == tuple(INDICES)
    assert indices_of(("B02", "B03", "B04", "B08")) == ("NDVI", "NDWI")
    assert indices_of(("B02", "B03", "B04")) == ()
    query = bands(B08=0.4, B04=0.1)
    notes = compare_indices(query, query[None], query[None], ("B04", "B08", "B12"))
    assert [note.name for note in notes] == ["NDVI"]


def test_numbers_read_well() -> None:
    assert signed(-0.004) == "0.00"
    assert signed(-0.126) == "−0.13"
