"""What a file is, by its first bytes."""

from __future__ import annotations

import pytest

from core.errors import SourceError, UnsafeSourceError
from core.ingest.formats.geotiff import sniff_driver


@pytest.mark.parametrize(
    ("head", "what", "remedy"),
    [
        (b"\x0e\x03\x13\x01\0\0", "an HDF4 file", "export its bands as GeoTIFF"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "an archive other than zip", "unpack it"),
        (b"B02.tif".ljust(257, b"\0") + b"ustar\0" + b"00", "an archive other than zip", "unpack it"),
        (b"Rar!\x1a\x07\x01\0", "an archive other than zip", "unpack it"),
        (b"\x1f\x8b\x08\0", "an archive other than zip", "unpack it"),
    ],
)
def test_kinds_that_are_not_read_are_named(head: bytes, what: str, remedy: str) -> None:
    with pytest.raises(SourceError) as caught:
        sniff_driver(head)
    assert caught.value.found == f"it is {what}, which Landlike does not read"
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
