"""Bad input: each gets one sentence, and nothing is left behind in the library."""

from __future__ import annotations

import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.bands import BAND_NAMES
from core.errors import BandsError, SourceError, SourceTooLargeError, UnsafeSourceError
from core.export.bundle import Bundle, bundle_bytes
from core.ingest.boundary import ingest
from core.ingest.files import RASTER_SUFFIXES
from core.ingest.formats.archives.names import TAR_SUFFIXES, ZIP_SUFFIXES
from core.ingest.formats.registry import own_files
from core.ingest.messages import WHAT_IS_READ
from core.ingest.sandbox.limits import Limits
from core.scenes.library import Library
from tests.core.ingest.rasters import NORTH_UP, land, write_tif


def refused(paths: list[Path], library: Library, kind: type[SourceError] = SourceError, **options: object) -> str:
    """The one sentence that ingest refuses with; the library stays empty."""
    with pytest.raises(kind) as caught:
        ingest(paths, library, **options)  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    assert len(sentence) < 500
    assert list(library.root.iterdir()) == []
    return sentence


def zip_of(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, compress_type=compression)
    return path


def band_bytes(tmp_path: Path, band: str) -> bytes:
    return write_tif(tmp_path / "one.tif", land([band])).read_bytes()


@pytest.mark.usefixtures("here")
def test_empty_file(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "field.tif"
    path.touch()
    assert refused([path], library) == (f"Opening “field.tif”: the file is empty; {WHAT_IS_READ}.")


@pytest.mark.usefixtures("here")
def test_a_text_under_the_name_of_a_cube_is_told_all_that_is_read(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "text.nc"
    path.write_text("words, and no numbers")
    assert refused([path], library) == f"Opening “text.nc”: its content is not a raster image; {WHAT_IS_READ}."


def test_what_may_be_chosen_names_every_kind_of_file_that_is_read() -> None:
    called = {
        ".nc": "NetCDF", ".h5": "HDF5", ".npy": "NumPy", ".npz": "NumPy", ".parquet": "Parquet", ".tif": "GeoTIFF",
        ".jp2": "JPEG 2000", ".img": "ENVI",
    }  # fmt: skip
    alike = {".nc4", ".nc3", ".cdf", ".netcdf", ".hdf5", ".he5", ".geoparquet", ".gpq", ".pq", ".tiff"}
    pictures, archives = {".png", ".jpg", ".jpeg"}, ZIP_SUFFIXES | TAR_SUFFIXES
    assert own_files() | RASTER_SUFFIXES == called.keys() | alike | pictures | archives
    assert all(name in WHAT_IS_READ for name in [*called.values(), "Zarr"])


@pytest.mark.usefixtures("here")
def test_a_bundle_is_named_and_where_it_is_opened(tmp_path: Path, library: Library) -> None:
    content = bundle_bytes(Bundle(scene={"id": "s"}, recipe={"encoder": "e"}))
    (tmp_path / "b.zip").write_bytes(content)
    assert refused([tmp_path / "b.zip"], library) == (
        "Opening “b.zip”: it is a bundle, a view that somebody handed on, and holds no pixels; open it on the Scenes "
        "page under “Open a view that somebody handed on”, or by “open-bundle”."
    )


@pytest.mark.usefixtures("here")
def test_text_renamed(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "field.tif"
    path.write_text("hello, this is no image\n" * 100)
    assert "not a raster" in refused([path], library)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("keep", [6, 200, 0.5, 0.98])
def test_truncated_file(tmp_path: Path, library: Library, keep: float) -> None:
    path = write_tif(tmp_path / "field.tif", land(), BAND_NAMES, compress="deflate")
    content = path.read_bytes()
    path.write_bytes(content[: keep if isinstance(keep, int) else int(len(content) * keep)])
    assert "damaged or cut short" in refused([path], library)


DESCRIPTIONS = (
    '<VRTDataset rasterXSize="4" rasterYSize="4"></VRTDataset>',
    "<GDAL_WMS><Service name='TMS'></Service></GDAL_WMS>",
    "<?xml version='1.0'?>\n<!-- a comment -->\n<VRTDataset/>",
)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["scene.vrt", "scene.tif", "B04.tif", "scene.xml"])
@pytest.mark.parametrize("text", DESCRIPTIONS)
def test_descriptions_of_other_files(tmp_path: Path, library: Library, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    refused([path], library, UnsafeSourceError)


@pytest.mark.usefixtures("here")
def test_tiff_that_asks_for_further_files(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "field.tif", land(), BAND_NAMES)
    with rasterio.open(path, "r+") as data:
        data.update_tags(ns="OVERVIEWS", OVERVIEW_FILE="other.tif")
    assert "further files" in refused([path], library, UnsafeSourceError)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["../B04.tif", "/etc/B04.tif", "a/../../B04.tif", "..\\B04.tif", "C:\\B04.tif"])
def test_zip_that_leaves_itself(tmp_path: Path, library: Library, name: str) -> None:
    path = zip_of(tmp_path / "bands.zip", {"B02.tif": b"II*\x00", name: b"II*\x00"})
    assert "outside of itself" in refused([path], library, UnsafeSourceError)


@pytest.mark.usefixtures("here")
def test_zip_with_link(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "bands.zip"
    with zipfile.ZipFile(path, "w") as file:
        info = zipfile.ZipInfo("B04.tif")
        info.external_attr = 0o120777 << 16
        file.writestr(info, "target")
    assert "link" in refused([path], library, UnsafeSourceError)


@pytest.mark.usefixtures("here")
def test_nested_zip(tmp_path: Path, library: Library) -> None:
    inner = zip_of(tmp_path / "inner.zip", {"B04.tif": b"II*\x00"})
    named = zip_of(tmp_path / "outer.zip", {"B02.tif": b"II*\x00", "more.zip": inner.read_bytes()})
    assert "another archive" in refused([named], library, UnsafeSourceError)
    renamed = zip_of(tmp_path / "outer2.zip", {f"B0{n}.tif": inner.read_bytes() for n in (2, 3, 4)})
    assert "not a raster" in refused([renamed], library)


@pytest.mark.usefixtures("here")
def test_zip_of_too_many_members(tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.ingest.formats.archives.names.MAX_COLLECTION_FILES", 1000)
    path = zip_of(tmp_path / "many.zip", {f"a/{n}.tif": b"" for n in range(1001)}, zipfile.ZIP_STORED)
    assert "1,001 files, more than the 1,000 allowed" in refused([path], library, SourceTooLargeError)


@pytest.mark.usefixtures("here")
def test_zip_of_many_members_that_are_no_collection(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.ingest.formats.band_files.MAX_SOURCE_FILES", 1000)
    path = zip_of(tmp_path / "many.zip", {f"a/{n}.txt": b"" for n in range(1001)}, zipfile.ZIP_STORED)
    assert "1,001 files, more than the 1,000 allowed" in refused([path], library, SourceTooLargeError)


@pytest.mark.usefixtures("here")
def test_zip_that_unpacks_to_far_more(tmp_path: Path, library: Library) -> None:
    path = zip_of(tmp_path / "bomb.zip", {"B02.tif": bytes(16 * 2**20)})
    assert "100 times" in refused([path], library, SourceTooLargeError)


@pytest.mark.usefixtures("here")
def test_zip_whose_sizes_are_wrong(tmp_path: Path, library: Library) -> None:
    path = zip_of(tmp_path / "bands.zip", {f"B0{n}.tif": band_bytes(tmp_path, f"B0{n}") for n in (2, 3, 4)})
    content = path.read_bytes()
    size = struct.pack("<L", len(band_bytes(tmp_path, "B02")))
    path.write_bytes(content.replace(size, struct.pack("<L", 300)))
    assert "damaged or cut short" in refused([path], library)


@pytest.mark.usefixtures("here")
def test_locked_zip(tmp_path: Path, library: Library) -> None:
    path = zip_of(tmp_path / "bands.zip", {"B02.tif": b"II*\x00"}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(content))
    assert "password" in refused([path], library)


@pytest.mark.usefixtures("here")
def test_empty_zip(tmp_path: Path, library: Library) -> None:
    assert "no files" in refused([zip_of(tmp_path / "bands.zip", {})], library)


@pytest.mark.usefixtures("here")
def test_damaged_zip(tmp_path: Path, library: Library) -> None:
    path = zip_of(tmp_path / "bands.zip", {"B02.tif": b"II*\x00" * 400}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes()[:600])
    assert "damaged or cut short" in refused([path], library)


@pytest.mark.usefixtures("here")
def test_zip_beside_other_files(tmp_path: Path, library: Library) -> None:
    path = zip_of(tmp_path / "bands.zip", {"B02.tif": b"II*\x00"})
    other = write_tif(tmp_path / "B03.tif", land(["B03"]))
    assert "on its own" in refused([path, other], library)


@pytest.mark.usefixtures("here")
def test_huge_sparse_tiff(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "huge.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=200_000, height=200_000, count=3, dtype="uint16", crs="EPSG:32633",
        transform=NORTH_UP, tiled=True, blockxsize=4096, blockysize=4096, sparse_ok=True, bigtiff="yes",
    ):  # fmt: skip
        pass
    assert path.stat().st_size < 2**24
    assert "200,000 × 200,000" in refused([path], library, SourceTooLargeError)


@pytest.mark.usefixtures("here")
def test_block_over_the_limit(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "block.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=8192, height=4096, count=3, dtype="uint16", crs="EPSG:32633",
        transform=NORTH_UP, blockysize=4096, sparse_ok=True, compress="deflate",
    ):  # fmt: skip
        pass
    assert "64 MB" in refused([path], library, SourceTooLargeError)


@pytest.mark.usefixtures("here")
def test_very_many_bands(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "many.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=1, height=1, count=65_535, dtype="uint8", crs="EPSG:32633",
        transform=NORTH_UP, interleave="pixel",
    ):  # fmt: skip
        pass
    assert "65,535 bands" in refused([path], library, SourceTooLargeError)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", ["complex64", "complex128"])
def test_complex_numbers(tmp_path: Path, library: Library, kind: str) -> None:
    path = write_tif(tmp_path / "radar.tif", land().astype(kind), BAND_NAMES)
    assert "complex" in refused([path], library)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", ["uint8", "int8"])
def test_eight_bits(tmp_path: Path, library: Library, kind: str) -> None:
    path = write_tif(tmp_path / "picture.tif", (land() % 100).astype(kind), BAND_NAMES)
    assert "8-bit" in refused([path], library)


@pytest.mark.usefixtures("here")
def test_picture(tmp_path: Path, library: Library) -> None:
    pixels = np.full((3, 64, 64), 80, dtype=np.uint8)
    path = write_tif(tmp_path / "true.jpg", pixels, driver="JPEG", crs=None, transform=None)
    refused([path], library)


@pytest.mark.usefixtures("here")
def test_all_no_data(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "field.tif", np.zeros((13, 64, 64), dtype=np.uint16), BAND_NAMES)
    assert "every pixel is no data" in refused([path], library)
    floats = write_tif(tmp_path / "nan.tif", np.full((13, 64, 64), np.nan, dtype=np.float32), BAND_NAMES)
    assert "every pixel is no data" in refused([floats], library)


@pytest.mark.usefixtures("here")
def test_too_few_bands(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "field.tif", land(["B02", "B03", "B10"]), ["B02", "B03", "B10"])
    assert "only B02, B03, B10" in refused([path], library, BandsError)


@pytest.mark.usefixtures("here")
def test_nameless_bands_that_pixels_do_not_tell(tmp_path: Path, library: Library) -> None:
    noise = np.random.default_rng(0).integers(100, 4000, (13, 64, 64)).astype(np.uint16)
    assert "names of the bands" in refused([write_tif(tmp_path / "noise.tif", noise)], library, BandsError)
    few = write_tif(tmp_path / "few.tif", land(BAND_NAMES[:5]))
    assert "names of the bands" in refused([few], library, BandsError)


@pytest.mark.usefixtures("here")
def test_numbers_that_fit_no_scale(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "field.tif", np.rint(land() / 20).astype(np.float32), BAND_NAMES)
    assert "choose the scale" in refused([path], library)


@pytest.mark.usefixtures("here")
def test_bands_of_different_places(tmp_path: Path, library: Library) -> None:
    far = NORTH_UP @ rasterio.Affine.translation(10_000, 0)
    paths = [write_tif(tmp_path / f"{band}.tif", land([band])) for band in ("B02", "B03", "B04")]
    moved = write_tif(tmp_path / "B08.tif", land(["B08"]), transform=far)
    assert "another place" in refused([*paths, moved], library, BandsError)
    turned = write_tif(tmp_path / "B8A.tif", land(["B8A"]), crs="EPSG:32634")
    assert "another reference system" in refused([*paths, turned], library, BandsError)


@pytest.mark.usefixtures("here")
def test_damaged_band_file(tmp_path: Path, library: Library) -> None:
    paths = [write_tif(tmp_path / f"{band}.tif", land([band])) for band in ("B02", "B03", "B04", "B08")]
    paths[2].write_bytes(paths[2].read_bytes()[:300])
    assert "B04.tif" in refused(paths, library)


@pytest.mark.usefixtures("here")
def test_missing_file(tmp_path: Path, library: Library) -> None:
    for name in ("nothing.tif", "/vsicurl/http://example.invalid/a.tif", "GTIFF_DIR:1:field.tif", "ZARR:field"):
        assert "no such file" in refused([Path(name)], library)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no files" in refused([empty], library)
    assert "at least one" in refused([], library)


def test_disk_full(tmp_path: Path, library: Library) -> None:
    noise = np.random.default_rng(0).integers(1, 4000, (13, 128, 128)).astype(np.uint16)
    path = write_tif(tmp_path / "field.tif", noise, BAND_NAMES)
    assert "disk is full" in refused([path], library, limits=Limits(file_bytes=200_000))


def test_memory_and_time_run_out(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "field.tif", land(), BAND_NAMES)
    refused([path], library, limits=Limits(memory=150 * 2**20))
    assert "minutes allowed" in refused([path], library, limits=Limits(wall_seconds=0.0))


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.tif", "`tick` ${HOME} $(id).tif", "a'b\"c & d;.tif"])
def test_odd_names_stay_as_they_are(tmp_path: Path, library: Library, name: str) -> None:
    path = write_tif(tmp_path / name, land(), BAND_NAMES)
    scene = ingest([path], library)
    assert scene.name == name.removesuffix(".tif")
    assert name in (scene.directory / "quality.json").read_text(encoding="utf-8").replace('\\"', '"')
    (tmp_path / name).write_bytes(b"II*\x00 nothing")
    other = Library(tmp_path / "other")
    assert f"“{name}”" in refused([path], other)


@pytest.mark.usefixtures("here")
def test_control_characters_in_names_are_replaced(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "a\x1b[31m\u202eb\nc.tif"
    path.touch()
    sentence = refused([path], library)
    assert re.search(r"“a\?\[31m\?b\?c\.tif”", sentence)
