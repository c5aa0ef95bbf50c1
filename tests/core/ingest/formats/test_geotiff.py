"""What a file is, by its first bytes and its name; rasters of ERDAS Imagine."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import SourceError, UnsafeSourceError
from core.ingest.boundary import ingest
from core.ingest.formats.geotiff import sniff_driver
from core.scenes.library import Library
from tests.core.ingest.rasters import NORTH_UP, UTM, land, read_scene, write_tif


@pytest.mark.parametrize(
    ("head", "what", "remedy"),
    [
        (b"\x0e\x03\x13\x01\0\0", "an HDF4 file", "make a GeoTIFF of it"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "an archive other than zip or tar", "unpack it"),
        (b"B02.tif".ljust(257, b"\0") + b"ustar\0" + b"00", "a tar", "open it by itself"),
        (b"Rar!\x1a\x07\x01\0", "an archive other than zip or tar", "unpack it"),
        (b"\x1f\x8b\x08\0", "a file packed by gzip, bzip2 or xz that is no tar", "unpack it"),
        (b"PCIDSK  V2.1", "a PCIDSK file of PCI Geomatica", "make a GeoTIFF of it"),
        (b"NITF02.10", "a NITF file", "make a GeoTIFF of it"),
        (b"GRIB\0\0\0\x02", "a GRIB file", "make a GeoTIFF of it"),
        (b"Object = IsisCube\n", "a cube of ISIS", "make a GeoTIFF of it"),
        (b"DatasetHeader Begin\n", "a raster of ER Mapper", "make a GeoTIFF of it"),
        (b"ncols 240\nnrows 240\n", "an Arc/Info ASCII grid", "make a GeoTIFF of it"),
        (b"SQLite format 3\0".ljust(68, b"\0") + b"GPKG", "a GeoPackage", "make a GeoTIFF of it"),
        (b"SQLite format 3\0".ljust(100, b"\0"), "a database of SQLite, such as MBTiles", "make a GeoTIFF of it"),
        (b"RIFF\0\0\0\0WEBPVP8L", "a WebP picture", "choose the bands themselves"),
        (b"MATLAB 5.0 MAT-file", "a MATLAB file", "save its numbers"),
        (b"\x80\x04\x95\0", "a pickle of Python", "save its numbers"),
    ],
)
def test_kinds_that_are_not_read_are_named(head: bytes, what: str, remedy: str) -> None:
    with pytest.raises(SourceError) as caught:
        sniff_driver(head)
    assert caught.value.found.removesuffix(" here") == f"it is {what}, which Landlike does not read"
    assert str(caught.value.remedy).startswith(remedy)


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"\xef\xbb\xbf\n<!DOCTYPE HTML><title>Sign in</title>", "a web page"),
        (b"<html lang='en'>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "a note of Git LFS"),
    ],
)
def test_what_lies_in_place_of_a_file_is_named(head: bytes, what: str) -> None:
    with pytest.raises(SourceError, match=f"it is {what}"):
        sniff_driver(head)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("scene.bil", "a raster of plain numbers with a header of its own"),
        ("scene.gri", "a raster of R's package “raster”"),
        ("scene.ecw", "an ECW image"),
        ("patches.tfrecord", "a file of TensorFlow records"),
        ("picture.BMP", "a bitmap picture"),
        ("BM.txt", ""),
    ],
)
def test_where_first_bytes_tell_nothing_names_do(name: str, what: str) -> None:
    with pytest.raises(SourceError) as caught:
        sniff_driver(b"BM\0\0\0\0", name)
    assert caught.value.found == (
        f"it is {what}, which Landlike does not read" if what else "its content is not a raster image"
    )


def test_a_vrt_is_called_so_with_the_way_on() -> None:
    with pytest.raises(UnsafeSourceError, match=r"it is a VRT of GDAL.* does not follow; .*gdal_translate stack.vrt"):
        sniff_driver(b'<VRTDataset rasterXSize="2" rasterYSize="2">')


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<?xml version="1.0"?><xfdu:XFDU xmlns:xfdu="urn">', "it lists the files of a product, which are not there"),
        ('{"type": "Feature", "stac_version": "1.0.0"}', "it is a STAC item, which states where images are"),
        ("<PAMDataset><PAMRasterBand/></PAMDataset>", "it holds what GDAL notes beside a raster, and no pixels"),
    ],
)
def test_what_describes_rasters_elsewhere_is_called_so(text: str, found: str) -> None:
    with pytest.raises(SourceError) as caught:
        sniff_driver(text.encode())
    assert caught.value.found.startswith(found)


NAMES = ("B02", "B03", "B04", "B08")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("options", [{}, {"COMPRESSED": "YES", "nodata": 0}], ids=["plain", "packed"])
def test_rasters_of_erdas_imagine_are_read(tmp_path: Path, library: Library, options: dict[str, Any]) -> None:
    pixels = land(NAMES, 130, 70)
    path = write_tif(tmp_path / "S2_L2A_20190620.img", pixels, NAMES, driver="HFA", **options)
    scene = ingest([path], library)
    assert (scene.bands, scene.date, scene.level) == (NAMES, "2019-06-20", "L2A")
    assert (scene.grid.crs, scene.grid.transform[:6]) == (UTM, tuple(NORTH_UP)[:6])
    np.testing.assert_array_equal(read_scene(scene.directory), pixels)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceError, match="damaged or cut short"):
        ingest([path], library)


@pytest.mark.usefixtures("here")
def test_a_packing_that_gdal_does_not_know_is_no_damage(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "S2_L2A_20190620.tif", land(NAMES), NAMES)
    data = bytearray(path.read_bytes())
    start = struct.unpack("<L", data[4:8])[0]
    tags = [start + 2 + 12 * n for n in range(struct.unpack("<H", data[start : start + 2])[0])]
    packing = next(at for at in tags if struct.unpack("<H", data[at : at + 2])[0] == 259)
    data[packing + 8 : packing + 10] = struct.pack("<H", 60_000)
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a way that cannot be unpacked here \(60000\); .*COMPRESS=DEFLATE"):
        ingest([path], library)


@pytest.mark.usefixtures("here")
def test_pixels_of_erdas_imagine_in_another_file_are_not_followed(tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    write_tif(folder / "S2.img", land(NAMES), NAMES, driver="HFA", USE_SPILL="YES")
    with pytest.raises(UnsafeSourceError, match=r"pixels lie in another file, an .ige, .* make a GeoTIFF of it"):
        ingest([folder], library)


def test_rasters_are_known_by_their_first_bytes() -> None:
    assert sniff_driver(b"II+\x00\x08\x00") == "GTiff"
    assert sniff_driver(b"\x00\x00\x00\x0cjP  \r\n") == "JP2OpenJPEG"


@pytest.mark.parametrize("head", [b"\x89HDF\r\n\x1a\n\0\0", b"CDF\x01\0\0\0\0"])
def test_a_cube_in_the_place_of_a_raster_is_sent_where_it_is_read(head: bytes) -> None:
    with pytest.raises(
        SourceError, match="a NetCDF or HDF5 file, which Landlike does not read here; open it by itself"
    ):
        sniff_driver(head)


def test_references_to_chunks_elsewhere_are_refused_as_such() -> None:
    with pytest.raises(UnsafeSourceError, match="points to other files or addresses"):
        sniff_driver(b'{"version": 1, "refs": {".zgroup": "{}", "B02/0.0": ["s3://bucket/a.nc", 0, 100]}}')
