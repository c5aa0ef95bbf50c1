"""A new kind of input is one class and one entry: here a made-up one, taken in like those that are built in."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.errors import OPENING, SourceError
from core.ingest.files import SourceFiles
from core.ingest.formats.arrays.numpy_file import ArrayFile
from core.ingest.formats.kind import SceneLayers
from core.ingest.formats.product_metadata import Hint, Hints
from core.ingest.formats.registry import SOURCE_KINDS, own_files
from core.ingest.grid.stack import layers_of
from core.ingest.intake import take_in
from core.ingest.sandbox.protocol import IngestRequest
from core.ingest.settings import IngestSettings
from core.progress import silent
from tests.core.ingest.rasters import land, read_scene


class RawNumbers:
    """Digital numbers one after the other, 13 bands of 64 × 80 pixels in product order."""

    own_files = frozenset({".raw"})

    def recognises(self, files: SourceFiles) -> bool:
        """Tell whether the one file ends in .raw."""
        return len(files.members) == 1 and files.members[0].suffix == ".raw"

    def layers(self, files: SourceFiles, _opened: ExitStack) -> SceneLayers:
        """Return its bands."""
        (member,) = files.members
        pixels = np.fromfile(files.shelf.path(member), dtype=np.uint16).reshape(13, 64, 80)
        array = ArrayFile(name=member.name, pixels=pixels, times=1, layout="", shape_text="")
        return SceneLayers(layers=layers_of(array), hints=Hints(date=Hint(value="2021-05-06", where="it is known")))


def request(tmp_path: Path, name: str, content: bytes) -> IngestRequest:
    for folder in ("in", "out", "scratch"):
        (tmp_path / folder).mkdir()
    path = tmp_path / "in" / "000000"
    path.write_bytes(content)
    return IngestRequest(
        name=name, paths=(path,), names=(name,), settings=IngestSettings(), directory=tmp_path / "out",
        scratch=tmp_path / "scratch",
    )  # fmt: skip


def test_a_new_kind_is_one_class_and_one_entry(tmp_path: Path) -> None:
    result = take_in(request(tmp_path, "field.raw", land().tobytes()), silent, kinds=(RawNumbers(), *SOURCE_KINDS))
    assert (result.bands, result.date) == (BAND_NAMES, "2021-05-06")
    np.testing.assert_array_equal(read_scene(tmp_path / "out"), land())


def test_without_the_entry_the_file_is_no_raster(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not a raster image") as caught:
        take_in(request(tmp_path, "field.raw", land().tobytes()), silent)
    assert caught.value.asked == "Opening “field.raw”"


def test_files_of_a_kind_of_their_own_are_a_source_each() -> None:
    known = {".npy", ".npz", ".nc", ".nc3", ".nc4", ".cdf", ".netcdf", ".h5", ".hdf5", ".he5"}
    known |= {".zip", ".tar", ".tgz", ".tbz2", ".txz"}
    known |= {".parquet", ".geoparquet", ".gpq", ".pq"}
    assert own_files() == known
    assert own_files((RawNumbers(), *SOURCE_KINDS)) == known | {".raw"}


def test_the_last_kind_takes_everything() -> None:
    assert SOURCE_KINDS[-1].recognises(None)  # type: ignore[arg-type]


def test_an_error_is_told_of_the_innermost_name_and_of_it_alone() -> None:
    error = SourceError(found="it is odd", remedy="choose another")
    assert error.asked == OPENING
    error.about("Opening “B04.tif”")
    error.about("Opening “scene.zip”")
    assert str(error) == "Opening “B04.tif”: it is odd; choose another."
    assert error.args == ("Opening “B04.tif”", "it is odd", "choose another")
