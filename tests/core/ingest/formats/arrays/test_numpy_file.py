"""NumPy files: axes, types, and headers that promise more than the file holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import SourceError, SourceTooLargeError
from core.ingest.boundary import ingest, ingest_all
from core.ingest.formats.arrays.numpy_file import open_array
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import land, read_scene


def saved(tmp_path: Path, array: np.ndarray, **options: bool) -> Path:
    path = tmp_path / "a.npy"
    np.save(path, array, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((70, 80, 13), (13, 70, 80)),
        ((13, 70, 80), (13, 70, 80)),
        ((3, 70, 80, 13), (13, 70, 80)),
        ((3, 13, 70, 80), (13, 70, 80)),
        ((64, 64, 13), (13, 64, 64)),
        ((13, 64, 64), (13, 64, 64)),
        ((30, 40, 4), (4, 30, 40)),
        ((10, 32, 32), (10, 32, 32)),
        ((32, 32, 10), (10, 32, 32)),
        ((4, 24, 36), (4, 24, 36)),
        ((2, 10, 32, 36), (10, 32, 36)),
    ],
)
@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("kind", [">u2", "<f8"])
def test_axes(tmp_path: Path, shape: tuple[int, ...], size: tuple[int, ...], fortran: bool, kind: str) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    path = saved(tmp_path, np.asfortranarray(array) if fortran else array)
    got = open_array(path, "a.npy", time=len(shape) // 4)
    assert got.pixels.shape == size
    one = array[1] if len(shape) == 4 else array
    expected = one if one.shape == size else np.moveaxis(one, -1, 0)
    window = got.read([1, size[0]], (2, 3, 10, 12))
    np.testing.assert_array_equal(window, expected[[0, -1], 2:12, 3:15])
    assert window.dtype.isnative


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((10, 10)),
        np.zeros((2, 2, 2, 2, 2)),
        np.zeros((100, 100, 100)),
        np.zeros((0, 10, 13)),
        np.zeros((10, 10, 13), dtype=np.uint8),
        np.zeros((10, 10, 13), dtype=complex),
        np.zeros((10, 10, 13), dtype=[("a", "f4")]),
        np.array([None, {}]),
    ],
)
def test_refused(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(SourceError, match="save float reflectance"):
        open_array(saved(tmp_path, array), "a.npy", time=0)


def test_cut_short(tmp_path: Path) -> None:
    path = saved(tmp_path, np.zeros((20, 20, 13)))
    for keep in (8, 60, 1000):
        content = path.read_bytes()[:keep]
        (tmp_path / "b.npy").write_bytes(content)
        with pytest.raises(SourceError, match="damaged or cut short"):
            open_array(tmp_path / "b.npy", "b.npy", time=0)


def test_header_of_a_giant(tmp_path: Path) -> None:
    path = saved(tmp_path, np.zeros((20, 20, 13)))
    content = path.read_bytes().replace(b"(20, 20, 13), }     ", b"(90000, 90000, 13), }"[:20])
    path.write_bytes(content.replace(b"(20, 20, 13)", b"(90000,9000,13)"[:12]))
    giant = np.lib.format.header_data_from_array_1_0(np.zeros((1, 1, 1))) | {"shape": (90_000, 90_000, 13)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, giant)
    with pytest.raises(SourceTooLargeError, match="allowed for arrays"):
        open_array(path, "a.npy", time=0)


@pytest.mark.usefixtures("here")
def test_arrays_that_are_named_as_bands(tmp_path: Path) -> None:
    """One plane each under the keys of an archive; what else it holds is listed."""
    bands = ("B02", "B03", "B04", "B8A")
    planes = dict(zip(bands, land(bands), strict=True))
    np.savez(tmp_path / "site_2019-04-16.npz", **planes, label=np.zeros((64, 80), dtype=np.uint8))
    scene = ingest([tmp_path / "site_2019-04-16.npz"], Library(tmp_path / "library"))
    assert (scene.bands, scene.date) == (bands, "2019-04-16")
    np.testing.assert_array_equal(read_scene(scene.directory), land(bands))
    left_out = [line.value for line in load_quality(scene.directory).findings if line.topic == "left out"]
    assert left_out == ["label.npy"]


@pytest.mark.usefixtures("here")
def test_an_array_of_a_field_a_band(tmp_path: Path, library: Library) -> None:
    """As Earth Engine gives pixels: fields of several types, one of which is no band."""
    bands = ("B2", "B3", "B4", "B8")
    pixels = np.zeros((64, 80), dtype=[("SCL", "u1"), *((band, "<u2") for band in bands)])
    for band, numbers in zip(bands, land(("B02", "B03", "B04", "B08")), strict=True):
        pixels[band] = numbers
    np.save(tmp_path / "pixels_20190416.npy", pixels)
    scene = ingest([tmp_path / "pixels_20190416.npy"], library)
    assert (scene.bands, scene.date) == (("B02", "B03", "B04", "B08"), "2019-04-16")
    np.testing.assert_array_equal(read_scene(scene.directory), land(scene.bands))
    told = {line.topic: line.value for line in load_quality(scene.directory).findings}
    assert told["left out"] == "SCL"


@pytest.mark.usefixtures("here")
def test_arrays_of_fields_of_a_date_each_are_a_series(tmp_path: Path, library: Library) -> None:
    (tmp_path / "site").mkdir()
    dates = ("2019-04-05", "2019-06-20")
    for n, date in enumerate(dates):
        pixels = np.zeros((64, 80), dtype=[(band, "<u2") for band in ("B2", "B3", "B4")])
        for band, numbers in zip(("B2", "B3", "B4"), land(("B02", "B03", "B04")) + 50 * n, strict=True):
            pixels[band] = numbers
        np.save(tmp_path / "site" / f"site_{date}.npy", pixels)
    scenes = ingest_all([tmp_path / "site"], library)
    assert [scene.date for scene in scenes] == list(dates)
    for n, scene in enumerate(scenes):
        np.testing.assert_array_equal(read_scene(scene.directory), land(("B02", "B03", "B04")) + 50 * n)
