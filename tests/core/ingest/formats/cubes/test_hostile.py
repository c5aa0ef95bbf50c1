"""Cubes that are damaged, made up or meant to harm: one sentence each, and nothing outside of them is opened."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from core.errors import SourceError, SourceTooLargeError, UnsafeSourceError
from core.ingest.boundary import ingest
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.formats.cubes.made import SIX, cube, written
from tests.core.ingest.rasters import land, read_scene

pytestmark = pytest.mark.usefixtures("here")
DOCUMENT_2: dict[str, Any] = {
    "zarr_format": 2, "shape": [64, 80], "chunks": [64, 80], "dtype": "<u2", "compressor": None, "filters": None,
    "fill_value": 0, "order": "C",
}  # fmt: skip


def zarr(folder: Path, **changed: Any) -> Path:
    """Write a Zarr of version 2 whose arrays state whatever a test wants."""
    folder.mkdir()
    (folder / ".zgroup").write_text('{"zarr_format": 2}')
    for name in SIX:
        (folder / name).mkdir()
        (folder / name / ".zarray").write_text(json.dumps(DOCUMENT_2 | changed))
        (folder / name / ".zattrs").write_text('{"_ARRAY_DIMENSIONS": ["y", "x"]}')
        (folder / name / "0.0").write_bytes(bytes(64 * 80 * 2))
    return folder


def test_links_out_of_a_file_and_round_in_it_are_refused(tmp_path: Path, library: Library) -> None:
    secret = written(tmp_path / "secret.nc", cube())
    for number, link in enumerate((h5py.ExternalLink(str(secret), "/B02"), h5py.SoftLink("/"), h5py.SoftLink("/gone"))):
        path = written(tmp_path / f"{number}.nc", cube(SIX[1:]))
        with h5py.File(path, "a") as file:
            file["B02"] = link
        with pytest.raises(UnsafeSourceError, match=r"its part “B02” is a link to another"):
            ingest([path], library)
    path = written(tmp_path / "circle.nc", cube())
    with h5py.File(path, "a") as file:
        file["inner"] = file["/"]
    with pytest.raises(UnsafeSourceError, match="hold each other in a circle"):
        ingest([path], library)


def test_numbers_in_other_files_are_refused(tmp_path: Path, library: Library) -> None:
    secret = written(tmp_path / "secret.nc", cube())
    path = written(tmp_path / "virtual.nc", cube(SIX[1:]))
    layout = h5py.VirtualLayout((64, 80), dtype="u2")
    layout[:] = h5py.VirtualSource(str(secret), "B02", shape=(64, 80))
    with h5py.File(path, "a") as file:
        file.create_virtual_dataset("B02", layout)
    with pytest.raises(UnsafeSourceError, match=r"the numbers of “B02” lie in other files"):
        ingest([path], library)
    path = written(tmp_path / "external.nc", cube(SIX[1:]))
    with h5py.File(path, "a") as file:
        file.create_dataset("B02", (64, 80), "u2", external=[(str(secret), 0, 64 * 80 * 2)])
    with pytest.raises(UnsafeSourceError, match=r"the numbers of “B02” lie in other files"):
        ingest([path], library)


def test_values_that_are_no_numbers_are_no_bands(tmp_path: Path, library: Library) -> None:
    path = written(tmp_path / "odd.nc", cube(SIX[1:]))
    with h5py.File(path, "a") as file:
        file.create_dataset("B02", (64, 80), h5py.vlen_dtype(np.uint16))
        file.create_dataset("B05", (64, 80), h5py.ref_dtype)
        file.create_dataset("B06", (64, 80), np.dtype([("a", "u2"), ("b", "f4")]))
        file.create_dataset("B07", (64, 80), "c8")
    assert ingest([path], library).bands == SIX[1:]


def test_a_filter_that_is_not_there_is_named(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "zstd.nc"
    with h5py.File(path, "w") as file:
        for name in SIX:
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_chunk((64, 80))
            creation.set_filter(32_015, h5py.h5z.FLAG_OPTIONAL, ())
            space = h5py.h5s.create_simple((64, 80))
            h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_UINT16, space, creation)
    with pytest.raises(SourceError, match=r"its variable “B02” cannot be read: it is packed by filter 32015"):
        ingest([path], library)


@pytest.mark.parametrize("kept", [9, 200, 3000, 0.5, 0.9])
def test_a_file_that_breaks_off_is_damaged(tmp_path: Path, library: Library, kept: float) -> None:
    whole = written(tmp_path / "whole.nc", cube(dates=("2021-05-01",))).read_bytes()
    path = tmp_path / "cut.nc"
    path.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    with pytest.raises(SourceError, match="damaged or cut short"):
        ingest([path], library)


def test_a_classic_file_that_breaks_off_is_damaged(tmp_path: Path, library: Library) -> None:
    made = cube()
    for name in SIX:
        made[name] = made[name].astype(np.int16)
    whole = written(tmp_path / "whole.nc", made, engine="scipy").read_bytes()
    for kept in (5, 100, len(whole) // 2):
        path = tmp_path / f"cut{kept}.nc"
        path.write_bytes(whole[:kept])
        with pytest.raises(SourceError, match="damaged or cut short"):
            ingest([path], library)


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"CDF\x05\0\0\0\0", "a NetCDF file of the form CDF-5"),
        (b"\x0e\x03\x13\x01\0\0\0\0", "an HDF4 file"),
        (b'{"version": 1, "refs": {".zgroup": "{}"}}', "points to other files or addresses"),
        (b'{"version": 1, "refs": {"B02/0.0": ["/etc/passwd", 0, 100]}}', "points to other files or addresses"),
    ],
)
def test_forms_that_are_not_read_are_named(tmp_path: Path, library: Library, head: bytes, what: str) -> None:
    path = tmp_path / "cube.nc"
    path.write_bytes(head + bytes(100))
    with pytest.raises(SourceError, match=what):
        ingest([path], library)


def test_sizes_beyond_the_limits_are_refused_before_anything_is_read(tmp_path: Path, library: Library) -> None:
    with h5py.File(tmp_path / "large.nc", "w") as file:
        for name in SIX:
            file.create_dataset(name, (10**6, 10**6), "u2", chunks=(1024, 1024))
    with pytest.raises(SourceTooLargeError, match=r"is cut into 954,529 chunks|has 1,000,000 × 1,000,000 pixels"):
        ingest([tmp_path / "large.nc"], library)
    with h5py.File(tmp_path / "chunk.nc", "w") as file:
        for name in SIX:
            file.create_dataset(name, (20_000, 20_000), "u2", chunks=(20_000, 20_000), compression="gzip")
    with pytest.raises(SourceTooLargeError, match=r"“B02” is stored in chunks of 763 MB, more than the 256 MB"):
        ingest([tmp_path / "chunk.nc"], library)


def test_groups_deep_in_each_other_are_refused(tmp_path: Path, library: Library) -> None:
    path = written(tmp_path / "deep.nc", cube())
    with h5py.File(path, "a") as file:
        file.create_group("/".join("a" * 21))
    with pytest.raises(SourceTooLargeError, match="its groups lie more than 20 deep in each other"):
        ingest([path], library)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"shape": [10**7, 10**7], "chunks": [10**5, 10**5]}, "stored in chunks of 19,073 MB"),
        ({"shape": [10**7, 10**7], "chunks": [4096, 4096]}, "is cut into 5,963,364 chunks"),
        ({"shape": [10**5, 10**5], "chunks": [8192, 8192]}, "it has 100,000 × 100,000 pixels"),
        ({"chunks": [1, 1], "shape": [10_000, 1000]}, "is cut into 10,000,000 chunks"),
        ({"shape": [-1, 5]}, "damaged or cut short"),
        ({"shape": [64, 80, 3]}, "damaged or cut short"),
        ({"chunks": [0, 80]}, "damaged or cut short"),
        ({"filters": [{"id": "pickle", "protocol": 5}], "dtype": "|O"}, "packed by pickle, which Landlike does not"),
        ({"compressor": {"id": "pcodec"}}, "packed by pcodec, which Landlike does not unpack"),
        ({"compressor": {"id": "zlib", "level": 1}}, "damaged or cut short"),
        ({"compressor": {"id": "lzma"}}, "damaged or cut short"),
        ({"dtype": "|O"}, "cannot be read|of a type that holds no numbers|damaged"),
        ({"dtype": "x y"}, "cannot be read: its values are of a type that holds no numbers"),
        ({"dtype": [["a", "<u2"]]}, "cannot be read: its values are of a type that holds no numbers"),
    ],
)
def test_documents_of_zarr_that_make_no_sense_are_refused(
    tmp_path: Path, library: Library, changed: dict[str, Any], what: str
) -> None:
    with pytest.raises(SourceError, match=what):
        ingest([zarr(tmp_path / "farm.zarr", **changed)], library)


def test_documents_that_are_no_documents_are_damaged(tmp_path: Path, library: Library) -> None:
    for number, text in enumerate(("", "[1", "[" * 100_000, "{}", "null", '{"shape": "many"}')):
        folder = zarr(tmp_path / f"{number}.zarr")
        (folder / "B02" / ".zarray").write_text(text)
        with pytest.raises(SourceError, match="damaged or cut short"):
            ingest([folder], library)


def test_chunks_are_found_by_exact_names_alone(tmp_path: Path, library: Library) -> None:
    """Neither a link nor a name that leaves the folder is followed; what is absent is no data, and said."""
    folder = written(tmp_path / "farm.zarr", cube(), encoding={name: {"chunks": (32, 80)} for name in SIX})
    (folder / "B04" / "1.0").unlink()
    (folder / "B04" / "1.0").symlink_to("/etc/passwd")
    scene = ingest([folder], library)
    expected = land(SIX)
    expected[:, 32:] = 0
    np.testing.assert_array_equal(read_scene(scene.directory), expected)
    lines = {line.topic: line for line in load_quality(scene.directory).findings}
    assert (lines["absent chunks"].value, lines["absent chunks"].basis) == ("B04", "warning")


def test_a_zip_that_leaves_itself_is_refused(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "farm.zarr.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(".zgroup", '{"zarr_format": 2}')
        packed.writestr("B02/../../../etc/x", "1")
    with pytest.raises(UnsafeSourceError, match="names a file outside of itself"):
        ingest([path], library)


def test_a_zarr_without_its_hidden_files_is_called_so(tmp_path: Path, library: Library) -> None:
    folder = written(tmp_path / "farm.zarr", cube())
    for document in folder.rglob(".z*"):
        document.unlink()
    with pytest.raises(SourceError, match=r"documents are missing, files such as “\.zarray” that systems hide"):
        ingest([folder], library)


def test_a_summary_of_all_documents_stands_in_for_those_that_are_missing(tmp_path: Path, library: Library) -> None:
    folder = written(tmp_path / "farm.zarr", cube(), consolidated=True)
    for document in [*folder.rglob(".zarray"), *folder.rglob(".zattrs")]:
        document.unlink()
    assert ingest([folder], library).bands == SIX


@pytest.mark.parametrize("value", [None, "x", {"a": [1]}, [[1, 2], [3]]])
def test_attributes_that_make_no_sense_harm_nothing(tmp_path: Path, library: Library, value: object) -> None:
    folder = written(tmp_path / "farm.zarr", cube())
    for document, keys in (
        (folder / "B03" / ".zattrs", ("scale_factor", "valid_range", "valid_min", "_FillValue", "units", "long_name")),
        (folder / "y" / ".zattrs", ("scale_factor", "units", "bounds")),
        (folder / ".zattrs", ("crs", "transform", "stac_discovery", "proj:projjson")),
    ):
        stated = json.loads(document.read_text())
        document.write_text(json.dumps(stated | dict.fromkeys(keys, value)))
    scene = ingest([folder], library)
    np.testing.assert_array_equal(read_scene(scene.directory), land(SIX))
