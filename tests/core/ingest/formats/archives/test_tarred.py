"""Tars: read as zips are, with the same limits, and as careful of what somebody made up."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import SourceError, SourceTooLargeError, UnsafeSourceError
from core.ingest.boundary import ingest
from core.ingest.files import source_title
from core.ingest.formats.archives.tarred import TarShelf
from core.ingest.grouping import sources_of
from core.ingest.messages import clean_name
from core.scenes.library import Library
from tests.core.ingest.rasters import land, read_scene, write_tif
from tests.core.ingest.test_refusals import refused

BANDS = ("B02", "B03", "B04", "B08")


def entry(name: str, size: int = 4, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def tar_of(path: Path, members: dict[str, bytes], mode: str = "w", **options: object) -> Path:
    with tarfile.open(path, mode, **options) as file:  # type: ignore[call-overload]
        for name, content in members.items():
            file.addfile(entry(name, len(content)), io.BytesIO(content))
    return path


def bands(tmp_path: Path) -> dict[str, bytes]:
    return {f"./{band}.tif": write_tif(tmp_path / "one.tif", land([band])).read_bytes() for band in BANDS}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_read_as_its_files_are(tmp_path: Path, library: Library, mode: str) -> None:
    path = tar_of(tmp_path / f"response.{mode.replace('w', 'tar').replace(':', '.')}", bands(tmp_path), mode)
    scene = ingest([path], library)
    assert scene.name == "response"
    assert scene.bands == BANDS
    np.testing.assert_array_equal(read_scene(scene.directory), land(BANDS))


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("packed", ["beside", "in a zip"])
def test_an_answer_lies_beside_its_request(tmp_path: Path, library: Library, packed: str) -> None:
    answer = tar_of(tmp_path / "response.tar", bands(tmp_path))
    asked = tmp_path / "request.json"
    asked.write_text("{}")
    paths = [asked, answer]
    assert sources_of(paths) == [paths]
    assert source_title(paths, "request.json and 1 more") == "response"
    if packed == "in a zip":
        with zipfile.ZipFile(tmp_path / "order.zip", "w") as file:
            for path in paths:
                file.write(path, path.name)
        paths = [tmp_path / "order.zip"]
    np.testing.assert_array_equal(read_scene(ingest(paths, library).directory), land(BANDS))


@pytest.mark.parametrize("page", ["utf-8", "cp1252", "cp437", "cp1251"])
def test_names_are_told_whatever_they_are_written_in(tmp_path: Path, page: str) -> None:
    name = "Поле" if page == "cp1251" else "Grünland"
    path = tar_of(tmp_path / "a.tar", {f"{name}/B02.tif": b"one"}, encoding=page, format=tarfile.GNU_FORMAT)
    shelf = TarShelf(path, tmp_path)
    assert [member.name for member in shelf.members] == [f"{name}/B02.tif"]
    assert shelf.path(shelf.members[0]).read_bytes() == b"one"


def test_of_files_of_one_name_the_last_counts(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "a.tar", {"B02.tif": b"old"})
    with tarfile.open(path, "a") as file:
        file.addfile(entry("./B02.tif", 3), io.BytesIO(b"new"))
    shelf = TarShelf(path, tmp_path)
    assert [shelf.path(member).read_bytes() for member in shelf.members] == [b"new"]


def test_of_a_long_name_only_what_is_shown_is_looked_at() -> None:
    class Long(str):
        __slots__ = ()

        def __iter__(self) -> Iterator[str]:
            raise AssertionError

    assert clean_name(Long("a\n" * 30_000), 9) == "a?a?a…?a?"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("info", "why"),
    [
        (entry("../B04.tif"), "outside of itself"),
        (entry("/etc/B04.tif"), "outside of itself"),
        (entry("C:\\B04.tif"), "outside of itself"),
        (entry("B04.tif", 0, type=tarfile.SYMTYPE, linkname="/etc/passwd"), "link or device"),
        (entry("B04.tif", 0, type=tarfile.LNKTYPE, linkname="B02.tif"), "link or device"),
        (entry("B04.tif", 0, type=tarfile.CHRTYPE, devmajor=1, devminor=5), "link or device"),
        (entry("B04.tif", 0, type=tarfile.FIFOTYPE), "link or device"),
        (entry("B04.tif", 4, pax_headers={"GNU.sparse.map": "0,4", "GNU.sparse.size": "4"}), "with holes"),
        (entry("more.tar"), "another archive"),
        (entry("more.zip"), "another archive"),
    ],
)
def test_a_tar_that_does_more_than_hold_files(
    tmp_path: Path, library: Library, info: tarfile.TarInfo, why: str
) -> None:
    with tarfile.open(tmp_path / "bands.tar", "w", format=tarfile.PAX_FORMAT) as file:
        file.addfile(entry("B02.tif"), io.BytesIO(b"II*\x00"))
        file.addfile(info, io.BytesIO(bytes(4)))
    assert why in refused([tmp_path / "bands.tar"], library, UnsafeSourceError)


@pytest.mark.usefixtures("here")
def test_a_tar_that_unpacks_to_far_more(tmp_path: Path, library: Library) -> None:
    path = tar_of(tmp_path / "bomb.tgz", {"B02.tif": bytes(128 * 2**20)}, "w:gz")
    assert "100 times" in refused([path], library, SourceTooLargeError)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("keep", [0.3, 0.6, 1024 + 700])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_half_a_tar(tmp_path: Path, library: Library, mode: str, keep: float) -> None:
    path = tar_of(tmp_path / "bands.tar", bands(tmp_path), mode)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    assert "damaged or cut short" in refused([path], library)


@pytest.mark.usefixtures("here")
def test_a_tar_that_ends_between_two_files(tmp_path: Path, library: Library) -> None:
    path = tar_of(tmp_path / "bands.tar", bands(tmp_path))
    with tarfile.open(path) as file:
        last = file.getmembers()[-1].offset
    path.write_bytes(path.read_bytes()[:last])
    assert "damaged or cut short" in refused([path], library)


def made_up(head: tarfile.TarInfo, size: bytes) -> bytes:
    """A header whose size is another one than it can hold."""
    block = bytearray(head.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = size
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    "header",
    [
        made_up(entry("B02.tif"), b"\xff" * 11 + b"\x00"),
        made_up(entry("B02.tif", type=tarfile.XHDTYPE), b"\xff" * 11 + b"\x00"),
        made_up(entry("B02.tif", type=tarfile.GNUTYPE_LONGNAME), b"77777777777\0"),
        made_up(entry("B02.tif"), b"77777777777\0"),
        entry("B02.tif", 0, type=tarfile.XHDTYPE).tobuf(tarfile.GNU_FORMAT) * 2000,
    ],
)
def test_headers_that_lead_backwards_or_nowhere(tmp_path: Path, header: bytes) -> None:
    path = tar_of(tmp_path / "bands.tar", {"B03.tif": b"II*\x00"})
    path.write_bytes(path.read_bytes()[:1024] + header + bytes(1024))
    with pytest.raises(SourceError, match="damaged or cut short"):
        TarShelf(path, tmp_path)


def with_more_holes() -> bytes:
    """A header of a file with holes that says that more of them follow."""
    block = bytearray(made_up(entry("B02.tif", 0, type=tarfile.GNUTYPE_SPARSE), b"00000000000\0"))
    block[482] = 1
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize("rest", [b"", (b"00000000001\0" * 42 + b"\1" + bytes(7)) * 3])
def test_what_tells_of_holes_is_not_read(tmp_path: Path, rest: bytes) -> None:
    (tmp_path / "bands.tar").write_bytes(with_more_holes() + rest)
    with pytest.raises(UnsafeSourceError, match=r"a file with holes, “B02\.tif”"):
        TarShelf(tmp_path / "bands.tar", tmp_path)
    version = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"}
    with tarfile.open(tmp_path / "new.tar", "w", format=tarfile.PAX_FORMAT) as file:
        file.addfile(entry("B02.tif", 512, pax_headers=version), io.BytesIO(b"99999999\n" + b"1\n" * 251 + b"\n"))
    with pytest.raises(UnsafeSourceError, match=r"a file with holes, “B02\.tif”"):
        TarShelf(tmp_path / "new.tar", tmp_path)


@pytest.mark.usefixtures("here")
def test_a_tar_of_nothing_and_one_beside_other_files(tmp_path: Path, library: Library) -> None:
    with tarfile.open(tmp_path / "bands.tar", "w") as file:
        file.addfile(entry("empty", 0, type=tarfile.DIRTYPE))
    assert "the tar holds no files" in refused([tmp_path / "bands.tar"], library)
    other = write_tif(tmp_path / "B03.tif", land(["B03"]))
    assert "open the archive on its own" in refused([tar_of(tmp_path / "b.tar", {"B02.tif": b"II"}), other], library)
