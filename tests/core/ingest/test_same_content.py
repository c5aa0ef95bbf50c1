"""Sources of the same bytes are the same only where their names state the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.files import never
from core.ingest.files import content_of
from core.ingest.same_content import same_content
from core.ingest.settings import IngestSettings


def of(folder: Path, files: Mapping[str, bytes], settings: IngestSettings | None = None) -> str:
    """What tells the content of some files, written into a folder."""
    listed = []
    for number, (name, content) in enumerate(sorted(files.items())):
        path = folder / f"{number}"
        path.write_bytes(content)
        listed.append((name, path))
    return same_content(listed, content_of(listed, never), settings or IngestSettings())


def test_several_files_may_differ_in_what_their_names_begin_with(tmp_path: Path) -> None:
    bands = of(tmp_path, {"field_B02.tif": b"2", "field_B03.tif": b"3"})
    assert bands == of(tmp_path, {"my farm B02.tif": b"2", "my farm B03.tif": b"3"})
    others = (
        {"field_B02.tif": b"2", "field_B03.tif": b"4"},
        {"field_B02.tif": b"3", "field_B03.tif": b"2"},
        {"field_B02.tif": b"2", "field_B04.tif": b"3"},
        {"field_20200102_B02.tif": b"2", "field_20200102_B03.tif": b"3"},
        {"S2A_MSIL2A_B02.tif": b"2", "S2A_MSIL2A_B03.tif": b"3"},
        {"Forest/field_B02.tif": b"2", "Forest/field_B03.tif": b"3"},
        {"field_B02.tif": b"2", "field_B03_mask.tif": b"3"},
        {"field_B02.tif": b"23"},
    )
    found = {of(tmp_path, one) for one in others} | {
        of(tmp_path, {"field_B02.tif": b"2", "field_B03.tif": b"3"}, IngestSettings(level="L2A"))
    }
    assert len(found) == len(others) + 1
    assert bands not in found


def test_zips_are_the_same_whatever_they_are_called(tmp_path: Path) -> None:
    assert of(tmp_path, {"a.zip": b"PK"}) == of(tmp_path, {"download (1).zip": b"PK"}) != of(tmp_path, {"a.zip": b"PL"})
