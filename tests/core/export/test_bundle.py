"""Bundles: equal views are equal bytes, and what is no bundle, or no longer the one that was written, is told."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import StoreError
from core.export.bundle import Bundle, bundle_bytes, is_bundle, parse_bundle, read_bundle, write_bundle

BUNDLE = Bundle(
    scene={"id": "s-1", "name": "Küste <b>", "checksum": "ab" * 32},
    recipe={"encoder": "spectral", "fingerprint": "cd" * 32, "patch_size": 64, "scene_id": "s-1", "stride": 64},
    labels={"version": 1, "classes": {"Wald": [[0, 64, 64]]}},
    examples={"like": [3]},
    view={"count": 20},
    tables={"results": b"rank,patch_id\r\n1,4\r\n"},
)


def rezipped(change: dict[str, bytes | None], content: bytes | None = None, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A bundle with some files replaced, added, or (None) left out, as anybody can do with a zip."""
    with zipfile.ZipFile(io.BytesIO(content or bundle_bytes(BUNDLE))) as packed:
        files: dict[str, bytes | None] = {name: packed.read(name) for name in packed.namelist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as packed:
        for name, data in (files | change).items():
            if data is not None:
                packed.writestr(name, data)
    return buffer.getvalue()


def manifest(**change: object) -> bytes:
    with zipfile.ZipFile(io.BytesIO(bundle_bytes(BUNDLE))) as packed:
        return json.dumps(json.loads(packed.read("manifest.json")) | change).encode()


def test_equal_bundles_are_equal_bytes_and_give_back_what_was_written(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b.zip", BUNDLE)
    other = Bundle(**{name: getattr(BUNDLE, name) for name in reversed(BUNDLE.__dataclass_fields__)})
    assert (tmp_path / "b.zip").read_bytes() == bundle_bytes(other)
    assert read_bundle(tmp_path / "b.zip") == BUNDLE
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        assert packed.namelist() == sorted(packed.namelist())
        assert {info.date_time for info in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert packed.read("tables/results.csv") == BUNDLE.tables["results"]


def test_a_bundle_that_others_packed_again_is_read_too() -> None:
    assert parse_bundle(rezipped({}), "b.zip") == BUNDLE


def test_a_bundle_is_told_from_zips_of_scenes_and_other_files() -> None:
    assert is_bundle(io.BytesIO(bundle_bytes(BUNDLE)))
    assert is_bundle(io.BytesIO(rezipped({})))
    for other in (rezipped({"recipe.json": None}), b"PK", b"", b"II*\0"):
        assert not is_bundle(io.BytesIO(other))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (lambda: b"no zip", "it is no zip, or it is damaged or locked"),
        (lambda: bundle_bytes(BUNDLE)[:-40], "it is no zip, or it is damaged or locked"),
        (lambda: rezipped({"manifest.json": None}), "it has no manifest.json"),
        (lambda: rezipped({"manifest.json": b"[1"}), "its manifest.json is damaged"),
        (lambda: rezipped({"manifest.json": b"[" * 100_000}), "its manifest.json is damaged"),
        (lambda: rezipped({"manifest.json": b"{}"}), "its manifest.json is not that of a bundle"),
        (
            lambda: rezipped({"manifest.json": manifest(landlike_bundle=2), "new.json": b"{}"}),
            "it is a bundle of version 2, and this Landlike reads version 1",
        ),
        (
            lambda: rezipped({"manifest.json": manifest(parts={})}),
            "the list of its parts was changed after it was written",
        ),
        (lambda: rezipped({"labels.json": None}), "“labels.json” is missing"),
        (lambda: rezipped({"tables/results.csv": None}), "“tables/results.csv” is missing"),
        (
            lambda: rezipped({"labels.json": b"{}"}),
            "“labels.json” was changed after it was written: its checksum differs",
        ),
        (lambda: rezipped({"tables/more.csv": b""}), "“tables/more.csv” was added after it was written"),
        (lambda: rezipped({"../../etc/cron.d/x": b""}), "it holds “../../etc/cron.d/x”, which no bundle has"),
        (lambda: rezipped({"/etc/passwd": b""}), "it holds “/etc/passwd”, which no bundle has"),
        (lambda: rezipped({"tables/a\nb.csv": b""}), "it holds “tables/a�b.csv”, which no bundle has"),
        (lambda: rezipped({"labels.json": bytes(50 * 2**20)}), "it would unpack to 50 MB"),
        (lambda: rezipped({f"tables/t{n}.csv": b"" for n in range(40)}), "it holds 49 files, and a bundle at most 40"),
        (lambda: rezipped({}, how=zipfile.ZIP_LZMA), "it is packed in another way than bundles are"),
        (lambda: rezipped({}, how=zipfile.ZIP_BZIP2), "it is packed in another way than bundles are"),
        (lambda: rezipped({"manifest.json": b'{"parts": NaN}'}), "its manifest.json is damaged"),
        (
            lambda: rezipped({"manifest.json": b'{"a": [' + b"[]," * 750_001}, how=zipfile.ZIP_STORED),
            "it holds too many values",
        ),
        (
            lambda: rezipped({"manifest.json": b'{"a": [' + b"1," * 2_500_001}, how=zipfile.ZIP_STORED),
            "it holds too many values",
        ),
        (
            lambda: rezipped({"manifest.json": b'{"a": "' + b"x" * 2**25}, how=zipfile.ZIP_STORED),
            "it holds too many values",
        ),
        (lambda: rezipped({"manifest.json": b'{"parts": -1e999}'}), "its manifest.json is damaged"),
        (lambda: rezipped({"manifest.json": b'{"parts": ' + b"9" * 5000 + b"}"}), "its manifest.json is damaged"),
        (lambda: rezipped({"manifest.json": rb'{"a": "\udc00"}'}), "its manifest.json is damaged"),
        (lambda: rezipped({"manifest.json": rb'{"a": "\ud83d\ude00"}'}), "its manifest.json is not that of a bundle"),
        (lambda: rezipped({"manifest.json": '{"a": 1}'.encode("utf-16")}), "its manifest.json is damaged"),
        (lambda: rezipped({"manifest.json": b'"parts"'}), "its manifest.json is damaged"),
    ],
    ids=range(29),
)
def test_what_is_no_bundle_or_no_longer_the_one_is_told_in_a_sentence(content: Callable[[], bytes], found: str) -> None:
    packed = content()
    with pytest.raises(StoreError) as caught:
        parse_bundle(packed, "b.zip")
    assert str(caught.value).startswith(f"Opening “b.zip”: {found}; ")


def test_a_checksum_that_was_edited_to_fit_an_edited_part_does_not_fit_the_list() -> None:
    sums = json.loads(manifest())["parts"] | {"labels.json": hashlib.sha256(b"{}").hexdigest()}
    edited = rezipped({"labels.json": b"{}", "manifest.json": manifest(parts=sums)})
    with pytest.raises(StoreError, match="the list of its parts was changed"):
        parse_bundle(edited, "b.zip")


def test_a_size_that_lies_is_damage() -> None:
    content = bundle_bytes(BUNDLE)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        size = packed.getinfo("labels.json").file_size
    at = content.rindex(b"labels.json") - 46 + 24  # the size unpacked, in the directory (APPNOTE 4.3.12)
    assert int.from_bytes(content[at : at + 4], "little") == size
    lying = content[:at] + (size - 5).to_bytes(4, "little") + content[at + 4 :]
    with pytest.raises(StoreError, match="damaged"):
        parse_bundle(lying, "b.zip")


def test_a_directory_of_very_many_entries_is_refused_before_it_is_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for number in range(2000):
            packed.writestr(str(number), b"")
    with pytest.raises(StoreError, match="it holds 2,000 files"):
        parse_bundle(buffer.getvalue()[:-20], "b.zip")  # Without its end it could not be read as a zip.


def test_a_part_of_more_values_than_are_read_is_not_written() -> None:
    with pytest.raises(StoreError, match="it holds too many values"):
        bundle_bytes(Bundle(scene={}, recipe={}, view={"selected": [[]] * 750_000}))


def parsed(content: bytes) -> Bundle | None:
    try:
        return parse_bundle(content, "b.zip")
    except StoreError:
        return None


@settings(max_examples=30)
@given(st.data())
def test_any_byte_that_changes_is_told_or_means_nothing(data: st.DataObject) -> None:
    content = bytearray(bundle_bytes(BUNDLE))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    assert parsed(bytes(content)) in (BUNDLE, None)


def test_names_of_tables_are_plain() -> None:
    with pytest.raises(StoreError, match=r"“tables/\.\./x\.csv” is no name of a table"):
        bundle_bytes(Bundle(scene={}, recipe={}, tables={"../x": b""}))


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such file"):
        read_bundle(tmp_path / "none.zip")
