"""What a browser sends lands on disk under safe names that still tell the bands."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SettingsError, StoreError
from pages.ui.scenes.adding import planned_scenes
from pages.ui.scenes.upload import file_name, parse_bands, parse_window, spool
from tests.fakes import SentFile


def test_uploads_keep_their_names_and_content(tmp_path: Path) -> None:
    paths = spool([SentFile("a_B02_(Raw).tiff", b"blue"), SentFile("a_B03_(Raw).tiff", b"green")], tmp_path)
    assert [path.name for path in paths] == ["a_B02_(Raw).tiff", "a_B03_(Raw).tiff"]
    assert [path.read_bytes() for path in paths] == [b"blue", b"green"]


def test_files_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    paths = spool([SentFile("B02.tif", b"first"), SentFile("B02.tif", b"second")], tmp_path)
    assert {path.read_bytes() for path in paths} == {b"first", b"second"}


def test_two_uploads_do_not_share_a_folder(tmp_path: Path) -> None:
    first, second = spool([SentFile("x.tif", b"1")], tmp_path), spool([SentFile("x.tif", b"2")], tmp_path)
    assert first[0].read_bytes() == b"1"
    assert second[0].read_bytes() == b"2"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\x.tif", "/etc/x", "..", ".hidden", "", "a\x00b.tif", "\n"]
)
def test_names_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    path = spool([SentFile(name, b"x")], tmp_path)[0]
    assert path.parent.parent == tmp_path
    assert path.is_file()
    assert not path.name.startswith(".")


@settings(max_examples=40)
@given(st.text(max_size=400))
def test_any_text_gives_a_name_a_disk_can_hold(name: str) -> None:
    made = file_name(name)
    assert 0 < len(made.encode()) <= 200
    assert "/" not in made
    assert made.isprintable()


def test_band_names_are_read_leniently() -> None:
    assert parse_bands("b02, B03;-  b8a") == ("B02", "B03", "-", "B8A")
    assert parse_bands("  ") is None


def test_uploads_are_parted_into_scenes_before_they_are_written() -> None:
    names = ["field_B02.tif", "field_B03.tif", "field_B08.tif", "whole.tif", "patches.zip"]
    plans = planned_scenes([SentFile(name, b"12345") for name in names], None)
    assert {plan.title: plan.positions for plan in plans} == {"patches": (4,), "whole": (3,), "field": (0, 1, 2)}
    assert "3 files, 15 bytes: field_B02.tif … field_B08.tif" in [plan.files for plan in plans]


def test_many_small_rasters_are_one_collection_and_many_large_ones_are_scenes() -> None:
    class Large(SentFile):
        def __init__(self, name: str) -> None:
            super().__init__(name, b"")
            self.size = 2**26

    small = [SentFile(f"patch_{number}.tif", b"1") for number in range(20)]
    assert len(planned_scenes(small, None)) == 1
    assert len(planned_scenes([Large(f"scene_{number}.tif") for number in range(20)], None)) == 20


def test_a_disk_that_refuses_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"Adding files: .*; check the folder of the data"):
        spool([SentFile("x.tif", b"1")], tmp_path / "uploads")


def test_a_folder_becomes_one_zip_in_which_all_lies_where_it_lay(tmp_path: Path) -> None:
    names = [
        "S2A.SAFE/MTD_MSIL1C.xml",
        "S2A.SAFE/GRANULE/L1C/MTD.xml",
        "S2A.SAFE/GRANULE/L2A/MTD.xml",
        "S2A.SAFE/.zattrs",
    ]
    sent = [SentFile(name, name.encode()) for name in names]
    [plan] = planned_scenes(sent, None)
    assert (plan.title, plan.positions) == ("S2A.SAFE", (0,))
    assert plan.files == f"4 files, {sum(map(len, names))} bytes: the folder S2A.SAFE"
    [path] = spool(sent, tmp_path)
    assert path.name == "S2A.SAFE.zip"
    with zipfile.ZipFile(path) as packed:
        assert {name: packed.read(name).decode() for name in packed.namelist()} == {name: name for name in names}


@pytest.mark.parametrize("names", [["a/x.tif", "b/x.tif"], ["a/x.tif", "y.tif"], ["x.tif"]])
def test_files_that_are_of_no_one_folder_stay_files(tmp_path: Path, names: list[str]) -> None:
    paths = spool([SentFile(name, b"1") for name in names], tmp_path)
    assert len({path.name for path in paths}) == len(names)
    assert {path.suffix for path in paths} == {".tif"}


def test_a_part_is_typed_columns_first() -> None:
    assert parse_window(" 20, 10 40 30") == (10, 20, 30, 40)
    assert parse_window(" ") is None
    for text in ("1 2 3", "a b c d", "1 2 3 -4", "1.5 2 3 4"):
        with pytest.raises(SettingsError, match="column, row, width and height"):
            parse_window(text)
