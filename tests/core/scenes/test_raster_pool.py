from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.scenes.library import Library
from core.scenes.raster_pool import RasterPool
from tests.mapped import add_mapped


def test_a_raster_is_reused_but_never_lent_twice(tmp_path: Path) -> None:
    scene = add_mapped(Library(tmp_path))
    pool = RasterPool()
    with pool.borrow(scene.pixels_path) as first, pool.borrow(scene.pixels_path) as second:
        assert first is not second
    with pool.borrow(scene.pixels_path) as third:
        assert third in (first, second)
    pool.close()


def test_an_overview_is_half_as_large(tmp_path: Path) -> None:
    scene = add_mapped(Library(tmp_path), shape=(512, 640))
    pool = RasterPool()
    with pool.borrow(scene.pixels_path, 0) as half:
        assert half.shape == (256, 320)
    pool.close()


def test_the_longest_unused_are_closed(tmp_path: Path) -> None:
    library = Library(tmp_path)
    scenes = [add_mapped(library, f"s-{number}", shape=(64, 64)) for number in range(4)]
    pool = RasterPool(limit=2)
    lent = []
    for scene in scenes:
        with pool.borrow(scene.pixels_path) as data:
            lent.append(data)
    assert [data.closed for data in lent] == [True, True, False, False]
    pool.close()
    assert all(data.closed for data in lent)


def test_a_replaced_file_is_opened_anew(tmp_path: Path) -> None:
    library = Library(tmp_path)
    scene, other = add_mapped(library, "a-1", shape=(64, 64)), add_mapped(library, "b-1", shape=(64, 96))
    pool = RasterPool()
    with pool.borrow(scene.pixels_path) as data:
        assert data.width == 64
    other.pixels_path.replace(scene.pixels_path)
    with pool.borrow(scene.pixels_path) as data:
        assert data.width == 96
    pool.close()


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), RasterPool().borrow(tmp_path / "none.tif"):
        pass


def test_many_threads_read_the_same_pixels(tmp_path: Path) -> None:
    scene = add_mapped(Library(tmp_path))
    pool, start = RasterPool(limit=3), threading.Barrier(6)

    def read(_: int) -> int:
        start.wait()
        total = 0
        for _ in range(5):
            with pool.borrow(scene.pixels_path) as data:
                total += int(data.read(4).sum(dtype=np.int64))
        return total

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(read, range(6)))) == 1
    pool.close()
