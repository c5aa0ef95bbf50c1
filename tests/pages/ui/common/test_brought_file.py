"""What a visitor brings becomes a file of its name, inside of a folder of its own, for as long as it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import StoreError
from pages.ui.common.brought_file import brought_file
from tests.fakes import SentFile


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Plots 2024.GeoJSON", "Plots 2024.geojson"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("a\u202eb\n.gpkg", "a?b?.gpkg"),
        (f"{'x' * 300}.zip", f"{'x' * 53}…{'x' * 26}.zip"),
        ("", "upload"),
    ],
)
def test_it_has_its_name_and_content_and_is_gone_afterwards(name: str, stored: str) -> None:
    with brought_file(SentFile(name, b"\x00content")) as path:
        assert path.name == stored
        assert path.read_bytes() == b"\x00content"
        assert [*path.parent.iterdir()] == [path]
    assert not path.parent.exists()


def test_a_name_that_no_disk_takes_is_one_sentence() -> None:
    with pytest.raises(StoreError, match="bring it again"), brought_file(SentFile("😀" * 90 + ".csv", b"x")) as path:
        assert isinstance(path, Path)
