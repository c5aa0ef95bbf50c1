"""Ways of cutting: refused out of range, named by keys that were there before, and found again by them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PatchError
from core.scenes.cut import DEFAULT_CUT, Cut, GroundLength


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    size = draw(st.integers(8, 512))
    return Cut.of(
        size,
        draw(st.integers(max(1, size // 8), size)),
        edge=draw(st.sampled_from(["leave", "cover"])),
        least_valid=draw(st.integers(1, 100)) / 100,
        area=draw(st.sampled_from(["", "a0123456789ab", "affffffffffff"])),
    )


def test_what_the_first_version_knew_is_named_and_written_as_it_did() -> None:
    assert DEFAULT_CUT == Cut.of(64) == Cut.of(64, 64)
    assert (Cut.of(64).key, Cut.of(64, 32).key) == ("64-64", "64-32")
    assert Cut.of(64, 32).to_dict() == {"size": 64, "stride": 32}


def test_what_is_new_shows_in_the_key() -> None:
    keys = [Cut.of(64, edge="cover").key, Cut.of(64, least_valid=0.25).key, Cut(64, 32, "cover", 1).key]
    keys.append(Cut(64, 32, "cover", 0.25, "a0123456789ab").key)
    assert keys == ["64-64c", "64-64v25", "64-32cv100", "64-32cv25a0123456789ab"]


@given(cuts())
def test_a_cut_is_found_again_by_its_key_and_its_values(cut: Cut) -> None:
    assert Cut.parse(cut.key) == cut
    assert Cut.from_dict(cut.to_dict()) == cut


@given(cuts(), cuts())
def test_different_cuts_have_different_keys(one: Cut, other: Cut) -> None:
    assert (one.key == other.key) == (one == other)


@pytest.mark.parametrize(
    "key",
    ["", "64", "64-64-", "64-65", "64-7", "7-7", "513-513", "64-64x", "064-64", "64-64v", "64-64v0", "64-64v101",
     "64-64v50", "64-64vc", "٦٤-64", "64-64c" + "c" * 90, "64-64a",
     "64-64a0123456789a", "64-64a0123456789abc", "64-64a0123456789abv50"],
)  # fmt: skip
def test_what_is_no_key_is_none(key: str) -> None:
    assert Cut.parse(key) is None


@pytest.mark.parametrize(
    "values",
    [{}, {"size": 64}, {"size": "64", "stride": 64}, {"size": 64, "stride": 1}, {"size": 64, "stride": 64, "edge": 1},
     {"size": 64, "stride": 64, "edge": "fold"}, {"size": 64, "stride": 64, "least_valid": "0.5"},
     {"size": 64, "stride": 64, "area": "../a"}, {"size": 64, "stride": 64, "area": 3}],
)  # fmt: skip
def test_values_of_no_cut_are_none(values: dict[str, object]) -> None:
    assert Cut.from_dict(values) is None


@pytest.mark.parametrize("least_valid", [0, -0.5, 1.01, 0.005, 0.555, float("nan"), float("inf")])
def test_fractions_out_of_range_are_refused(least_valid: float) -> None:
    with pytest.raises(PatchError, match=r"choose whole hundredths from 0\.01 to 1"):
        Cut.of(64, least_valid=least_valid)


def test_an_unknown_rule_for_the_edge_is_refused() -> None:
    with pytest.raises(PatchError, match="choose leave or cover"):
        Cut.of(64, edge="fold")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "metres", "pixels"),
    [("64", None, 64), ("64px", 20.0, 64), ("640m", 10.0, 64), ("1.28 km", 20.0, 64), ("645 M", 10.0, 64)],
)
def test_lengths_in_pixels_and_on_the_ground(text: str, metres: float | None, pixels: int) -> None:
    found = GroundLength.parse(text)
    assert found is not None
    assert found.pixels(metres) == pixels


@pytest.mark.parametrize("text", ["", "m", "6.4", "6.4px", "64 ft", "nan", "1e3", "64m 2"])
def test_what_is_no_length(text: str) -> None:
    assert GroundLength.parse(text) is None


def test_metres_of_pixels_that_are_not_known() -> None:
    with pytest.raises(PatchError, match="not known how large its pixels are on the ground; give the size"):
        GroundLength(640, 1.0).pixels(None)
