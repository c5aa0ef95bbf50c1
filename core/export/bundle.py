"""A view as one file to hand on, a zip: scene and recipe by checksums, labels, examples, filters, layout, tables.

Pixels and features are not in it: who opens it has the scene, or is told which to get. Equal views give equal bytes.

A bundle comes from anybody, and yet is read outside the sandbox: it is only a zip and JSON, which Python's ``zipfile``
and ``json`` read, and the sandbox would answer in JSON too. It is read from memory, no name in it becomes a path, and
limits are looked at before anything is made of it. What the largest ones take, below half a second and 200 MB, is
measured by ``tests/bench/test_bundles.py``.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from core.errors import StoreError
from core.files import disk_errors, write_atomically

VERSION = 1
"""Of the form; one that is read must have it, or a lower one."""

MOST_BYTES, MOST_PART_BYTES, MOST_PARTS, MOST_RATIO = 64 * 2**20, 64 * 2**20, 40, 400
"""Of a bundle and of a part unpacked; how many parts; and how much smaller than unpacked it may be."""

MOST_JSON_BYTES = 32 * 2**20
"""Of all JSON of a bundle, which becomes objects; tables stay bytes."""

MOST_VALUES, MOST_LISTS = 2_500_000, 750_000
"""Values, and lists and objects, in all JSON of a bundle: few bytes make many objects, and nobody is served meanwhile.

Labels of half a million patches fit.
"""

_ENTRY = b"PK\x01\x02"
"""What each entry of a zip's directory begins with (APPNOTE 4.3.12)."""

_DIRECTORY = 8192
"""Bytes at the end of a bundle that hold its directory: at most ``MOST_PARTS`` entries of about 100."""

_HALF_LETTER = re.compile(r"\\u[dD][89a-fA-F]")
"""How JSON spells halves of letters, of which two make one."""

_MANIFEST = "manifest.json"
_JSON = {name: f"{name}.json" for name in ("scene", "recipe", "labels", "examples", "filters", "layout", "view")}
_TABLE = re.compile(r"tables/([a-z0-9][a-z0-9-]{0,40})\.csv")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_AGAIN = "ask for the bundle again"
_OURS = "choose a zip that Landlike wrote as a bundle"

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What a view is made of, all of it JSON values.

    Attributes:
        scene: ``id``, ``name``, ``date``, ``level``, ``bands``, ``synthetic`` of the scene, and its ``checksum``.
        recipe: as ``Recipe.to_dict``, with the encoder's fingerprint.
        labels: windows by class, as the scene's own file of labels has them.
        examples: good and bad ones, as searches are kept.
        filters: conditions, as links have them.
        layout: settings of the plot.
        view: how many neighbours, from what score, what is selected and what colours it; under ``clusters`` how they
            were found, a check of them, names and merges.
        tables: CSV by name, small letters, digits and ``-``.
    """

    scene: Json
    recipe: Json
    labels: Json = field(default_factory=dict)
    examples: Json = field(default_factory=dict)
    filters: Json = field(default_factory=dict)
    layout: Json = field(default_factory=dict)
    view: Json = field(default_factory=dict)
    tables: Mapping[str, bytes] = field(default_factory=dict)


def bundle_bytes(bundle: Bundle) -> bytes:
    """Return a bundle as a zip; the same bundle gives the same bytes.

    Raises:
        StoreError: for a table whose name no bundle can have, or a bundle too large to be read again.
    """
    asked = "Writing a bundle"
    parts = {name: _text(getattr(bundle, key)) for key, name in _JSON.items()}
    parts |= {f"tables/{name}.csv": content for name, content in bundle.tables.items()}
    for name, content in parts.items():
        if name not in _JSON.values() and not _TABLE.fullmatch(name):
            raise StoreError(asked, f"“{name}” is no name of a table", "use small letters, digits and hyphens")
        if len(content) > MOST_PART_BYTES:
            raise StoreError(asked, f"“{name}” has more than {MOST_PART_BYTES >> 20} MB", "take fewer patches")
    _check_values(parts, asked, "take fewer patches")
    if len(parts) >= MOST_PARTS:
        raise StoreError(asked, f"it has {len(parts)} parts", f"take fewer than {MOST_PARTS}")
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(parts.items())}
    manifest = {"landlike_bundle": VERSION, "parts": sums}
    parts[_MANIFEST] = _text(manifest | {"checksum": _sum_of(manifest)})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for name in sorted(parts):
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o600 << 16
            packed.writestr(info, parts[name])
    return buffer.getvalue()


def is_bundle(file: BinaryIO) -> bool:
    """Return whether a file is a bundle by the names at its end, without unpacking anything."""
    start = file.read(2)
    file.seek(max(0, file.seek(0, io.SEEK_END) - _DIRECTORY))
    names = file.read(_DIRECTORY)
    return start == b"PK" and all(name.encode() in names for name in (_MANIFEST, *_JSON.values()))


def write_bundle(path: Path, bundle: Bundle) -> None:
    """Write a bundle; readers see the whole file or none.

    Raises:
        StoreError: as of ``bundle_bytes``, and when the file cannot be written.
    """
    content = bundle_bytes(bundle)
    with disk_errors(f"Writing “{path.name}”", full="free some space or choose another place", other="choose another"):
        write_atomically(path, content, private=False)


def read_bundle(path: Path) -> Bundle:
    """Read a bundle file. Errors as of ``parse_bundle``, and for a file that is not there."""
    asked = f"Opening “{path.name}”"
    if not path.is_file():
        raise StoreError(asked, "there is no such file", "check the path")
    try:
        with path.open("rb") as file:
            return parse_bundle(file.read(MOST_BYTES + 1), path.name)
    except OSError as error:
        raise StoreError(asked, "it may not be read", "check the rights of the file") from error


def parse_bundle(content: bytes, name: str) -> Bundle:
    """Return what the bytes of a bundle hold.

    Args:
        content: of the zip.
        name: what people call it, for errors.

    Raises:
        StoreError: when it is no bundle, of a later version, too large, changed since it was written, or incomplete.
    """
    asked = f"Opening “{name}”"
    if len(content) > MOST_BYTES:
        raise StoreError(asked, f"it has more than {MOST_BYTES >> 20} MB", _OURS)
    _check_entries(content.count(_ENTRY), asked)  # Before a directory of a million entries is made objects of.
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = _unpacked(packed, asked, len(content))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise StoreError(asked, "it is no zip, or it is damaged or locked", _OURS) from error
    _check_values(parts, asked, _OURS)
    _check(parts, asked)
    values = {key: _values(parts[part], part, asked) for key, part in _JSON.items()}
    tables = {match[1]: parts[part] for part in sorted(parts) if (match := _TABLE.fullmatch(part))}
    for key, needed in (("scene", ("id", "name", "checksum")), ("recipe", ("encoder", "fingerprint", "patch_size"))):
        if lacking := next((one for one in needed if one not in values[key]), None):
            raise StoreError(asked, f"its {_JSON[key]} says no {lacking}", _AGAIN)
    return Bundle(**values, tables=tables)


def _check_entries(count: int, asked: str) -> None:
    if count > MOST_PARTS:
        raise StoreError(asked, f"it holds {count:,} files, and a bundle at most {MOST_PARTS}", _OURS)


def _unpacked(packed: zipfile.ZipFile, asked: str, size: int) -> dict[str, bytes]:
    """Return all parts by name.

    Raises:
        StoreError: for too many parts, too large or too tightly packed ones, or a name twice.
    """
    infos = packed.infolist()
    if any(info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for info in infos):
        raise StoreError(asked, "it is packed in another way than bundles are", _OURS)
    if len({info.filename for info in infos}) < len(infos):
        raise StoreError(asked, "it holds a file twice", _AGAIN)
    whole, largest = sum(info.file_size for info in infos), max((info.file_size for info in infos), default=0)
    if largest > MOST_PART_BYTES or whole > 2 * MOST_PART_BYTES or whole > MOST_RATIO * max(size, 1024):
        raise StoreError(asked, f"it would unpack to {max(whole >> 20, 1):,} MB", _OURS)
    parts: dict[str, bytes] = {}
    for info in infos:
        with packed.open(info) as file:
            # A header may say less than there is.
            parts[info.filename] = file.read(min(info.file_size, MOST_PART_BYTES) + 1)
        if len(parts[info.filename]) != info.file_size:
            raise zipfile.BadZipFile
    return parts


def _check(parts: Mapping[str, bytes], asked: str) -> None:
    """Refuse another version, missing parts, and parts that are not what was written."""
    known = {_MANIFEST, *_JSON.values()}
    if _MANIFEST not in parts:
        raise StoreError(asked, f"it has no {_MANIFEST}", _OURS)
    manifest = _values(parts[_MANIFEST], _MANIFEST, asked)
    version, sums = manifest.get("landlike_bundle"), manifest.get("parts")
    if not isinstance(version, int) or version < 1 or (version <= VERSION and not isinstance(sums, dict)):
        raise StoreError(asked, f"its {_MANIFEST} is not that of a bundle", _OURS)
    if version > VERSION:
        found = f"it is a bundle of version {version}, and this Landlike reads version {VERSION}"
        raise StoreError(asked, found, "update Landlike, or ask for the bundle in the older version")
    if strange := next((name for name in parts if name not in known and not _TABLE.fullmatch(name)), None):
        raise StoreError(asked, f"it holds “{_shown(strange)}”, which no bundle has", _OURS)
    if manifest.get("checksum") != _sum_of({key: manifest[key] for key in manifest if key != "checksum"}):
        raise StoreError(asked, "the list of its parts was changed after it was written", _AGAIN)
    expected = dict.fromkeys(_JSON.values()) | dict(sums or {})
    for name, right in expected.items():
        if name not in parts:
            raise StoreError(asked, f"“{_shown(name)}” is missing", _AGAIN)
        if hashlib.sha256(parts[name]).hexdigest() != right:
            raise StoreError(asked, f"“{_shown(name)}” was changed after it was written: its checksum differs", _AGAIN)
    if extra := next((name for name in parts if name not in expected and name != _MANIFEST), None):
        raise StoreError(asked, f"“{_shown(extra)}” was added after it was written", _AGAIN)


def _values(content: bytes, name: str, asked: str) -> dict[str, Any]:
    try:
        text = content.decode()
        found = json.loads(text, parse_constant=_refused, parse_float=_finite)
        if _HALF_LETTER.search(text):
            json.dumps(found, ensure_ascii=False).encode()  # A half that stands alone is no letter.
    except (ValueError, RecursionError) as error:
        raise StoreError(asked, f"its {name} is damaged", _AGAIN) from error
    if not isinstance(found, dict):
        raise StoreError(asked, f"its {name} is damaged", _AGAIN)
    return found


def _check_values(parts: Mapping[str, bytes], asked: str, remedy: str) -> None:
    """Refuse, without reading it, JSON that may hold more than is taken; signs within texts count too."""
    texts = [parts[name] for name in (_MANIFEST, *_JSON.values()) if name in parts]
    lists, values = (sum(text.count(sign) for text in texts for sign in signs) for signs in ((b"[", b"{"), (b",",)))
    if lists > MOST_LISTS or values > MOST_VALUES or sum(map(len, texts)) > MOST_JSON_BYTES:
        raise StoreError(asked, "it holds too many values", remedy)


def _refused(word: str) -> NoReturn:
    """Refuse NaN and infinities, which are no JSON and are never written."""
    raise ValueError(word)


def _finite(digits: str) -> float:
    """Return a number; refuse one that is too large for being one."""
    number = float(digits)
    return number if math.isfinite(number) else _refused(digits)


def _text(values: Json) -> bytes:
    return (json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _sum_of(values: Json) -> str:
    return hashlib.sha256(_text(values)).hexdigest()


def _shown(name: str) -> str:
    """Return a name as an error can show it, on one line."""
    return "".join(letter if letter.isprintable() else "�" for letter in name)[:80]
