"""What a browser sends: putting it where ingest finds it, and the form of settings. The panel is ``adding``."""

from __future__ import annotations

import datetime
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import LandlikeError, SettingsError
from core.files import disk_errors
from core.ingest.settings import FIRST_IMAGE, IngestSettings
from pages.ui.common.escape import plain
from pages.ui.http.uploads import Upload, opened, put_upload

SCALE_WORDS = {
    "auto": "Decide from the values",
    "dn": "Digital numbers: reflectance × 10 000",
    "dn+1000": "Digital numbers with the offset of 1000 (products since January 2022)",
    "unit": "Reflectance from 0 to 1",
    "unit+0.1": "Reflectance from 0 to 1 with the offset of 0.1",
    "1000": "Reflectance × 1 000",
    "1000+100": "Reflectance × 1 000 with the offset of 100",
    "100": "Reflectance in percent",
    "100+10": "Reflectance in percent with the offset of 10",
    "65535": "Reflectance × 65 535 (browser portals)",
    "255": "Reflectance × 255, in 8 bits",
}
LEVEL_WORDS = {None: "Decide from the names and bands", "L1C": "L1C, top of atmosphere", "L2A": "L2A, surface"}


NOTHING_KNOWN = IngestSettings()
_BLOCK = 2**20
USUAL = ("B02", "B03", "B04", "B08")


def spool(uploads: Sequence[Upload], root: Path) -> list[Path]:
    """Have uploads in a fresh directory under ``root`` by ``upload_names``; what lies on its disk is not copied.

    A folder is packed into one zip, which keeps what lies where; nothing is read into memory for it.

    Raises:
        StoreError: when they did not arrive, or cannot be written.
    """
    advice = "free some space and add them again"
    with disk_errors("Adding files", full=advice, other="check the folder of the data and add them again"):
        root.mkdir(parents=True, exist_ok=True)
        directory = Path(tempfile.mkdtemp(dir=root, prefix="upload-"))
        paths = [directory / name for name in upload_names(uploads)]
        if folder_of(uploads):
            _pack(uploads, paths[0])
            return paths
        for path, upload in zip(paths, uploads, strict=True):
            put_upload(upload, path)
    return paths


def folder_of(uploads: Sequence[Upload]) -> str:
    """Return the folder that a person chose whole, as the browser names its files; empty where files were chosen."""
    parts = [upload.name.split("/") for upload in uploads]
    tops = {names[0] for names in parts}
    lying = all(len(names) > 1 and not {"", ".", ".."}.intersection(names) for names in parts)
    return tops.pop() if len(tops) == 1 and lying else ""


def _pack(uploads: Sequence[Upload], path: Path) -> None:
    """Write the files of a folder into a zip, as they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
        for upload in uploads:
            entry = zipfile.ZipInfo(upload.name)
            with opened(upload) as file, packed.open(entry, "w", force_zip64=True) as target:
                shutil.copyfileobj(file, target, _BLOCK)


def upload_names(uploads: Sequence[Upload]) -> list[str]:
    """Return a name on disk for each upload, all different; of a folder one for all.

    The names are kept, for they tell the bands, but only their last part and without what a file system cannot hold;
    files of one name get a number in front.
    """
    if folder := folder_of(uploads):
        return [f"{file_name(folder)}.zip"]
    names: list[str] = []
    for number, upload in enumerate(uploads):
        name = file_name(upload.name)
        names.append(f"{number}_{name}" if name in names else name)
    return names


def file_name(name: str) -> str:
    """Return the last part of a name as a name on disk: printable, not hidden, at most 200 bytes, its ending kept."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(letter for letter in last if letter.isprintable()).lstrip(".").strip() or "upload"
    stem, dot, ending = clean.rpartition(".")
    stem, ending = (stem, dot + ending) if dot and len(ending) <= 8 else (clean, "")
    while len((stem + ending).encode()) > 200:
        stem = stem[:-1]
    return stem + ending


def wished(
    key: str, known: IngestSettings = NOTHING_KNOWN, named: Sequence[str] = USUAL, *, pixels: bool | None = None
) -> IngestSettings | None:
    """Draw the form for files with pixels, for vectors without any, or, with None, for what may be either.

    None, and the sentence, when it cannot be so.
    """
    try:
        if pixels is False:
            return vectors_form(key, known)
        return settings_form(key, known, named, vectors=pixels is None)
    except LandlikeError as error:
        st.error(plain(error), icon=":material/error:")
        return None


def settings_form(
    key: str, known: IngestSettings = NOTHING_KNOWN, named: Sequence[str] = USUAL, *, vectors: bool = True
) -> IngestSettings:
    """Draw widgets for what a person knows better than the file; all optional.

    Args:
        key: goes in front of the widgets' keys.
        known: what they show first.
        named: bands shown in grey where none are known: an example, or those that a source names itself.
        vectors: False = it is known to hold pixels, and what only vectors have is left as it is.

    Raises:
        SettingsError: when what was typed is no band name or no coordinate system.
    """
    left, right = st.columns(2)
    scales, levels = list(SCALE_WORDS), list(LEVEL_WORDS)
    scale = left.selectbox(
        "Values", scales, index=scales.index(known.scale), format_func=SCALE_WORDS.__getitem__, key=f"{key}_scale"
    )
    level = right.selectbox(
        "Product level", levels, index=levels.index(known.level), format_func=LEVEL_WORDS.__getitem__,
        key=f"{key}_level",
    )  # fmt: skip
    bands = left.text_input(
        "Bands, in the order of the file", " ".join(known.bands or ()), placeholder=" ".join(named),
        key=f"{key}_bands", help="Empty: decide.",
    )  # fmt: skip
    date = right.date_input(
        "Date",
        value=datetime.date.fromisoformat(known.date) if known.date else None,
        min_value=FIRST_IMAGE,
        max_value=datetime.datetime.now().astimezone().date(),
        key=f"{key}_date",
    )
    crs = left.text_input(
        "Coordinate system", known.crs or "", placeholder="EPSG:32631", key=f"{key}_crs", help="Empty: as in the file."
    )
    time = right.number_input(
        "Which date of an array of several", min_value=1, value=None if known.time is None else known.time + 1,
        key=f"{key}_time", help="Empty: all.",
    )  # fmt: skip
    part = _of_part(key, known)
    return IngestSettings(
        bands=parse_bands(bands),
        scale=scale,
        level=level,
        date=date.isoformat() if date else None,
        crs=crs.strip().upper() or None,
        time=None if time is None else int(time) - 1,
        **part,
        **_of_other_sensors(key, known),
        **(_of_vectors(key, known) if vectors else _vectors_known(known)),
    )


def _of_other_sensors(key: str, known: IngestSettings) -> dict[str, bool]:
    """Draw how pixels that are not of Sentinel-2, or not of 10 m, are made like those."""
    return {
        "by_wavelength": st.checkbox(
            "Take bands of Landsat by their wavelengths", value=known.by_wavelength, key=f"{key}_by_wavelength",
            help="Its bands count as those of Sentinel-2 that see the same light.",
        ),
        "ten_metres": st.checkbox(
            "Interpolate to pixels of 10 m", value=known.ten_metres, key=f"{key}_ten_metres",
            help="For scenes of 5 m to 60 m: encoders know land at 10 m.",
        ),
    }  # fmt: skip


def _of_part(key: str, known: IngestSettings) -> dict[str, Any]:
    """Draw which tile and which part is meant."""
    left, right = st.columns(2)
    tile = left.text_input(
        "Tile of a product of several", known.tile or "", placeholder="32TPS", key=f"{key}_tile",
        help="Empty: all, side by side.",
    )  # fmt: skip
    row, col, height, width = known.window or ("",) * 4
    window = right.text_input(
        "Only a part, in pixels", f"{col} {row} {width} {height}".strip(), placeholder="column row width height",
        key=f"{key}_window", help="Empty: the whole.",
    )  # fmt: skip
    return {
        "tile": tile.strip().upper().removeprefix("T") or None,
        "window": parse_window(window),
        "bounds": None if window.strip() else known.bounds,
    }


def vectors_form(key: str, known: IngestSettings = NOTHING_KNOWN) -> IngestSettings:
    """Draw widgets for what a person knows better than a file of vectors. Arguments and errors of ``settings_form``."""
    crs = st.text_input(
        "Coordinate system", known.crs or "", placeholder="EPSG:32631", key=f"{key}_crs", help="Empty: as in the file."
    )
    return IngestSettings(date=known.date, crs=crs.strip().upper() or None, **_of_vectors(key, known))


def _of_vectors(key: str, known: IngestSettings) -> dict[str, Any]:
    st.caption("Of a Parquet file of vectors:")
    left, right = st.columns(2)
    vector = left.text_input(
        "Column of vectors", known.vector or "", placeholder="embedding", key=f"{key}_vector", max_chars=120,
        help="Empty: the only one.",
    )  # fmt: skip
    model = right.text_input(
        "Model that made them", known.model or "", placeholder="Clay v1", key=f"{key}_model", max_chars=120,
        help="Empty: as the file says. Files of one model can be compared.",
    )  # fmt: skip
    lat_first = st.checkbox("Latitude comes before longitude", value=known.lat_first, key=f"{key}_lat_first")
    return {"vector": vector.strip() or None, "model": model.strip() or None, "lat_first": lat_first}


def _vectors_known(known: IngestSettings) -> dict[str, Any]:
    return {"vector": known.vector, "model": known.model, "lat_first": known.lat_first}


def parse_window(text: str) -> tuple[int, int, int, int] | None:
    """Read a part out of column, row, width and height, and give it as row, column, height and width.

    Raises:
        SettingsError: when the text is neither empty nor four whole numbers.
    """
    parts = text.replace(",", " ").split()
    if not parts:
        return None
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        found = f"it is {text.strip()[:40]}"
        raise SettingsError("Choosing a part", found, "give column, row, width and height in pixels")
    col, row, width, height = map(int, parts)
    return row, col, height, width


def parse_bands(text: str) -> tuple[str, ...] | None:
    """Read band names out of ``B02 B03, b8a -`` (``-`` leaves a band out); None for an empty text."""
    return tuple(part.upper() for part in text.replace(",", " ").replace(";", " ").split()) or None
