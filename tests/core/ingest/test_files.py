"""The files of a source: what a scene of them is called, and which of them is said to be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.files import never
from core.ingest.files import FileShelf, ToldShelf, content_of, source_name, source_title

FOUR = ("B02", "B03", "B04", "B08")


@pytest.mark.parametrize(
    ("names", "title"),
    [
        (["B02.tif", "B03.tif", "B04.tif", "B8A.tif", "B12.tif"], "5 bands, B02 to B12"),
        (["band_1.tif", "band_2.tif", "band_10.tif"], "3 bands, band_1 to band_10"),
        (["delta/B02.tif", "delta/B03.tif"], "delta"),
        (["upload-x1/B02.tif", "upload-x1/B03.tif"], "2 bands, B02 to B03"),
        (["one/B02.tif", "two/B03.tif"], "2 bands, B02 to B03"),
        (["T31UFU_20190604_B02.jp2", "T31UFU_20190604_B03.jp2"], "T31UFU_20190604"),
        (["fields.tif", "woods.tif"], "fields.tif and 1 more"),
        (["fields.tif"], "fields"),
    ],
)
def test_a_scene_is_called_what_its_files_have_in_common(names: list[str], title: str) -> None:
    paths = [Path(name) for name in names]
    assert source_title(paths, source_name(paths)) == title


def test_which_file_is_read_is_said(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_text(path.name)
    said: list[str] = []
    content_of([(path.name, path) for path in paths], never, said.append)
    assert said == [f"checking file {number} of 3" for number in (1, 2, 3)]
    handed: list[tuple[int, int]] = []
    shelf = ToldShelf(FileShelf(paths, [path.name for path in paths]), lambda done, total: handed.append((done, total)))
    for member in (*shelf.members, shelf.members[0]):
        shelf.path(member)
    assert handed == [(1, 3), (2, 3), (3, 3)]
