"""What a person may decide about a source instead of letting its statistics decide; limits of size are elsewhere."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, replace
from typing import NoReturn

from core.bands import BAND_NAMES
from core.errors import SettingsError

SCALE_NAMES: tuple[str, ...] = (
    "auto", "dn", "dn+1000", "unit", "unit+0.1", "1000", "1000+100", "100", "100+10", "65535", "255",
)  # fmt: skip
"""How numbers in a file mean reflectance ρ: ρ × 10 000; ρ × 10 000 + 1000; ρ itself; ρ + 0.1; ρ × 1000, or + 100; ρ in
percent, or + 10; ρ × 65 535; ρ × 255, which is taken only where a person says so."""

SKIP = "-"
"""Stands in ``IngestSettings.bands`` for a band of the file that is left out."""

PRODUCT_LEVELS: tuple[str, ...] = ("L1C", "L2A")
FIRST_IMAGE = datetime.date(2015, 6, 27)
"""When Sentinel-2A, launched four days before, sent its first pictures (ESA); no scene is older."""

_CRS = re.compile(r"EPSG:[0-9]{4,6}")
_TILE = re.compile(r"\d{2}[A-Z]{3}")
_LATER = ("by_wavelength", "ten_metres", "tile", "window", "bounds", "vector", "model", "lat_first")
"""Fields that are not written where nothing is wished, so that scenes of before they were there keep their ids."""


@dataclass(frozen=True, kw_only=True)
class IngestSettings:
    """A person's decisions about a source; None and ``auto`` leave the decision to the ingest.

    Attributes:
        bands: names in the order of the file's bands (or of the files, sorted by name); ``-`` leaves one out.
        scale: one of ``SCALE_NAMES``.
        date: acquisition date as ``YYYY-MM-DD``.
        level: ``L1C`` or ``L2A``.
        crs: coordinate reference system as ``EPSG:`` and a number, in place of the file's own.
        nodata: value that marks missing pixels in the file's own numbers.
        time: which date of an array of several, counted from 0; None = every one, a scene each.
        by_wavelength: True = take a product of another satellite, its bands as those of Sentinel-2 of the same light.
        ten_metres: True = interpolate a scene to pixels of 10 m, which encoders know.
        tile: which tile of a product of several, such as ``32TPS``; None = all, side by side.
        window: part of a scene to take in, (row, col, height, width) in pixels of its north-up grid; None = all.
        bounds: the same as (west, south, east, north) in degrees; one of the two at most.
        vector: of a file of vectors, which column holds them; None = the only one.
        model: what made them, as a person calls it; files of one name can be compared.
        lat_first: True = its coordinates are latitude and longitude, in this order.

    Raises:
        SettingsError: when a field is outside its range.
    """

    bands: tuple[str, ...] | None = None
    scale: str = "auto"
    date: str | None = None
    level: str | None = None
    crs: str | None = None
    nodata: float | None = None
    time: int | None = None
    by_wavelength: bool = False
    ten_metres: bool = False
    tile: str | None = None
    window: tuple[int, int, int, int] | None = None
    bounds: tuple[float, float, float, float] | None = None
    vector: str | None = None
    model: str | None = None
    lat_first: bool = False

    def __post_init__(self) -> None:
        if self.bands is not None:
            _check_bands(self.bands)
        if self.scale not in SCALE_NAMES:
            _refuse("scale", self.scale, f"choose one of {', '.join(SCALE_NAMES)}")
        if self.level not in (None, *PRODUCT_LEVELS):
            _refuse("level", str(self.level), f"choose one of {', '.join(PRODUCT_LEVELS)}")
        if self.crs is not None:
            _check_crs(self.crs)
        if self.nodata is not None and math.isinf(self.nodata):
            _refuse("nodata", str(self.nodata), "give a number or NaN")
        if self.time is not None and not 0 <= self.time < 10_000:
            _refuse("time", str(self.time), "count the dates from 0")
        if self.date is not None:
            _check_date(self.date)
        if self.tile is not None and not _TILE.fullmatch(self.tile):
            _refuse("tile", self.tile[:40], "write it like 32TPS")
        _check_part(self.window, self.bounds)
        _check_name("vector", self.vector)
        _check_name("model", self.model)

    def to_dict(self) -> dict[str, object]:
        """Return the fields as plain JSON values; NaN becomes the text ``nan``, and what is not wished is left out."""
        fields = asdict(self)
        for name in _LATER:
            if not fields[name]:
                del fields[name]
        if self.nodata is not None and math.isnan(self.nodata):
            fields["nodata"] = "nan"
        return fields

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the settings; that of the first date of an array is that of no date chosen, as ever."""
        fields = self.to_dict() | {"time": self.time or 0}
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    def of_part(self, part: str | int) -> IngestSettings:
        """Return the settings for one of several dates: ``YYYY-MM-DD``, or counted from 0 in an array."""
        return replace(self, time=part) if isinstance(part, int) else replace(self, date=part)


def settings_from_dict(fields: dict[str, object]) -> IngestSettings:
    """Make the inverse of ``IngestSettings.to_dict``.

    Raises:
        SettingsError: when a field is unknown or outside its range.
    """
    known = dict(fields)
    bands = known.pop("bands", None)
    nodata = known.pop("nodata", None)
    parts = [known.pop(name, None) for name in ("window", "bounds")]
    try:
        return IngestSettings(
            bands=None if bands is None else tuple(bands),  # type: ignore[arg-type]
            nodata=None if nodata is None else float(nodata),  # type: ignore[arg-type]
            window=None if parts[0] is None else tuple(parts[0]),  # type: ignore[arg-type]
            bounds=None if parts[1] is None else tuple(parts[1]),  # type: ignore[arg-type]
            **known,  # type: ignore[arg-type]
        )
    except (TypeError, ValueError) as error:
        found = "a field is unknown or of the wrong type"
        raise SettingsError("Reading the ingest settings", found, "use the fields of IngestSettings") from error


def _check_name(field: str, text: str | None) -> None:
    if text is not None and not (0 < len(text) <= 120 and text.isprintable() and text.strip()):
        _refuse(field, text[:40], "give a name of 1 to 120 characters")


def _check_bands(bands: tuple[str, ...]) -> None:
    named = [name for name in bands if name != SKIP]
    unknown = [name for name in named if name not in BAND_NAMES]
    if unknown:
        _refuse("bands", unknown[0][:40], f"use {', '.join(BAND_NAMES)} or {SKIP}")
    if len(set(named)) != len(named):
        _refuse("bands", ", ".join(named), "name each band once")


def _check_crs(text: str) -> None:
    if not _CRS.fullmatch(text):
        _refuse("crs", text[:40], "write it like EPSG:32633")
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        known = CRS.from_user_input(text)
    except CRSError:
        _refuse("crs", text, "there is no such reference system, so look its number up")
    if not (known.is_projected or (known.is_geographic and len(known.axis_info) == 2)):
        _refuse("crs", text, "choose one for maps, such as EPSG:32633 or EPSG:4326")


def _check_date(text: str) -> None:
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        _refuse("date", text[:40], "write it like 2019-04-16")
    if date < FIRST_IMAGE:
        _refuse("date", text[:40], f"give one from {FIRST_IMAGE} on, when Sentinel-2 took its first pictures")


def _check_part(window: tuple[int, ...] | None, bounds: tuple[float, ...] | None) -> None:
    if window is not None and bounds is not None:
        _refuse("window", "given together with a part in degrees", "give one of the two")
    if window is not None:
        whole = len(window) == 4 and all(isinstance(number, int) for number in window)
        if not whole or min(window) < 0 or min(window[2:]) < 1 or max(window) > 10**7:
            _refuse("window", str(window)[:60], "give row, column, height and width in pixels, from 0")
    if bounds is not None:
        finite = len(bounds) == 4 and all(math.isfinite(number) for number in bounds)
        west, south, east, north = bounds if finite else (0.0, 0.0, 0.0, 0.0)
        if not (-90 <= south < north <= 90 and -180 <= west <= 180 and -180 <= east <= 180 and west != east):
            _refuse("bounds", str(bounds)[:60], "give west, south, east and north in degrees")


def _refuse(field: str, found: str, remedy: str) -> NoReturn:
    raise SettingsError(f"Setting “{field}” of the ingest", f"it is {found}", remedy)
