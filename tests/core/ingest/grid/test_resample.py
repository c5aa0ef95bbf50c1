"""Reading one geobox on another, against plain slicing and against rasterio's own bilinear warp."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.warp import reproject

from core.ingest.grid.resample import Bools, NoData, PixelWindow, read_resampled
from core.scenes.geobox import GeoBox


@dataclass
class Picture:
    """Pixels in memory on a geobox."""

    pixels: NDArray[np.float32]
    transform: Affine

    @property
    def geobox(self) -> GeoBox:
        _, height, width = self.pixels.shape
        return GeoBox(crs="EPSG:32633", transform=tuple(self.transform)[:6], height=height, width=width)

    def read(self, indexes: list[int], window: PixelWindow) -> NDArray[np.float32]:
        row, col, height, width = window
        assert min(row, col) >= 0
        assert row + height <= self.pixels.shape[1]
        assert col + width <= self.pixels.shape[2]
        return self.pixels[[index - 1 for index in indexes], row : row + height, col : col + width]

    def read_missing(self, window: PixelWindow) -> Bools | None:
        return None


TARGET = Affine(10, 0, 400_000, 0, -10, 5_000_000)
SMALL = st.integers(1, 30)


@given(st.integers(-12, 12), st.integers(-12, 12), SMALL, SMALL, SMALL, SMALL)
def test_shifts_are_slices(down: int, right: int, height: int, width: int, rows: int, cols: int) -> None:
    numbers = np.arange(1, height * width + 1, dtype=np.float32).reshape(1, height, width)
    got = read_resampled(
        Picture(numbers, TARGET @ Affine.translation(-right, -down)), [1], [None], tuple(TARGET)[:6], (0, 0, rows, cols)
    )
    padded = np.full((rows + 24, cols + 24), np.nan)
    canvas = np.full((rows + height + 24, cols + width + 24), np.nan)
    canvas[12 - down : 12 - down + height, 12 - right : 12 - right + width] = numbers[0]
    padded = canvas[12 : 12 + rows, 12 : 12 + cols]
    np.testing.assert_array_equal(got.missing, np.isnan(padded))
    np.testing.assert_array_equal(got.values[0][~got.missing], padded[~np.isnan(padded)])


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([2.0, 6.0, 1.5, 3.7]),
    st.integers(8, 25),
    st.integers(8, 25),
    st.integers(0, 2**31),
    st.floats(-2, 2),
)
def test_upsampling_is_rasterios(factor: float, height: int, width: int, seed: int, shift: float) -> None:
    numbers = np.random.default_rng(seed).uniform(100, 200, (2, height, width)).astype(np.float32)
    transform = TARGET @ Affine.translation(shift, shift) @ Affine.scale(factor)
    rows, cols = int((height - 3) * factor), int((width - 3) * factor)
    got = read_resampled(Picture(numbers, transform), [1, 2], [None, None], tuple(TARGET)[:6], (0, 0, rows, cols))
    expected = np.zeros((2, rows, cols), dtype=np.float32)
    reproject(
        numbers, expected, src_transform=transform, src_crs="EPSG:32633", dst_transform=TARGET, dst_crs="EPSG:32633",
        resampling=Resampling.bilinear, tolerance=0,
    )  # fmt: skip
    inner = np.s_[:, int(factor) + 3 :, int(factor) + 3 :]
    np.testing.assert_allclose(got.values[inner], expected[inner], rtol=2e-4)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20), st.sampled_from([0.0, 17.0]))
def test_windows_agree_with_the_whole(row: int, col: int, height: int, width: int, angle: float) -> None:
    numbers = np.random.default_rng(1).uniform(1, 9, (1, 25, 25)).astype(np.float32)
    source = Picture(numbers, TARGET @ Affine.rotation(angle) @ Affine.scale(2))
    whole = read_resampled(source, [1], [None], tuple(TARGET)[:6], (0, 0, 40, 40))
    part = read_resampled(source, [1], [None], tuple(TARGET)[:6], (row, col, height, width))
    inside = np.s_[row : row + height, col : col + width]
    np.testing.assert_array_equal(part.missing, whole.missing[inside])
    np.testing.assert_allclose(part.values[0][~part.missing], whole.values[0][inside][~part.missing], rtol=1e-5)


def test_missing_numbers_carry_no_weight() -> None:
    numbers = np.full((1, 10, 10), 7, dtype=np.float32)
    numbers[0, 4, 4], numbers[0, 5, 5], numbers[0, 6, 6], numbers[0, 7, 7] = np.nan, np.inf, -9999, 0
    source = Picture(numbers, TARGET @ Affine.scale(2))
    got = read_resampled(source, [1], [-9999], tuple(TARGET)[:6], (0, 0, 20, 20))
    assert got.missing.sum() == 3 * 4
    assert got.zero.sum() == 4 * 4
    held = ~got.missing & ~got.zero
    np.testing.assert_allclose(got.values[0][held], 7, rtol=1e-6)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float32])
def test_integers_are_missing_where_they_are_as_doubles(kind: type[np.generic]) -> None:
    numbers = np.array([0, 1, 2, 3, 4, 7, 8, 255, 9999, 10_000, 10_001, 65_535, -1, -3000, -3001, -9999])
    numbers = numbers.astype(np.int64).astype(kind)
    plain = numbers.astype(np.float64)
    limits = (-math.inf, -3000.5, 0.0, 2.5), (math.inf, 10_000.5, 7.0)
    for value, lowest, highest in product((0.0, 7.0, 3.5, -9999.0, 65_535.0, 1e12), *limits):
        expected = (plain == value) | (plain < lowest)
        if kind is not np.uint16:  # Numbers of 16 bits have no upper limit.
            expected |= plain > highest
        found = NoData(values=(value,), lowest=lowest, highest=highest).found_in(numbers)
        assert found.tolist() == expected.tolist(), (value, lowest, highest)
