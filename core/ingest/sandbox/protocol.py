"""What parent and child of an ingest say to each other; what the child says is taken only field by field, checked."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from core.bands import BAND_NAMES
from core.errors import (
    BandsError,
    LandlikeError,
    PictureError,
    ScaleError,
    SettingsError,
    SeveralDatesError,
    SourceError,
    SourceTooLargeError,
    UnsafeSourceError,
    VectorsError,
)
from core.ingest.messages import clean_name, unreadable
from core.ingest.sandbox.limits import MAX_CLASSES, MAX_DATES
from core.ingest.settings import IngestSettings, settings_from_dict
from core.scenes.geobox import GeoBox
from core.scenes.quality import Basis, Finding
from core.scenes.scene import GivenColumn, GivenVectors

_ERRORS: dict[str, type[LandlikeError]] = {
    kind.__name__: kind
    for kind in (
        SourceError,
        UnsafeSourceError,
        SourceTooLargeError,
        VectorsError,
        BandsError,
        ScaleError,
        PictureError,
        SeveralDatesError,
        SettingsError,
    )
}
_CLAUSE = 400
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_MAX_FINDINGS = 200
_MAX_COLUMNS = 40
_FINGERPRINT = re.compile(r"[0-9a-f]{16,64}")


@dataclass(frozen=True, kw_only=True)
class IngestRequest:
    """What the child is asked to do.

    Attributes:
        name: the source, for sentences.
        paths: numbered links to its files.
        names: relative names of the files.
        settings: a person's decisions.
        directory: where the scene is built.
        scratch: where archives are unpacked.
        part: which of several dates is wanted, as of ``SourceFiles.part``.
        alike: the scale of all its other dates, which counts where its own pixels do not tell; None = not known.
    """

    name: str
    paths: tuple[Path, ...]
    names: tuple[str, ...]
    settings: IngestSettings
    directory: Path
    scratch: Path
    part: str | int | None = None
    alike: str | None = None

    def to_json(self) -> str:
        """Return one line of JSON."""
        fields = {
            "name": self.name,
            "paths": [str(path) for path in self.paths],
            "names": list(self.names),
            "settings": self.settings.to_dict(),
            "directory": str(self.directory),
            "scratch": str(self.scratch),
            "part": self.part,
            "alike": self.alike,
        }
        return json.dumps(fields)


def request_from_dict(fields: Mapping[str, Any]) -> IngestRequest:
    """Read what ``IngestRequest.to_json`` wrote; the parent is trusted."""
    return IngestRequest(
        name=fields["name"],
        paths=tuple(Path(path) for path in fields["paths"]),
        names=tuple(fields["names"]),
        settings=settings_from_dict(fields["settings"]),
        directory=Path(fields["directory"]),
        scratch=Path(fields["scratch"]),
        part=fields["part"],
        alike=fields["alike"],
    )


@dataclass(frozen=True, kw_only=True)
class TruthRequest:
    """What the child is asked to do with a map of classes.

    Attributes:
        name: the map, for sentences.
        paths: numbered links to its files.
        names: relative names of the files.
        directory: where ``truth.tif`` is written.
        scratch: where archives are unpacked.
        grid: of the scene.
        turned: True = the scene was turned or mirrored when it was read.
        classes: what a person says of the codes, ``0=water,1=trees``, or empty.
    """

    name: str
    paths: tuple[Path, ...]
    names: tuple[str, ...]
    directory: Path
    scratch: Path
    grid: GeoBox
    turned: bool = False
    classes: str = ""

    def to_json(self) -> str:
        """Return one line of JSON."""
        fields = {
            "kind": "truth",
            "name": self.name,
            "paths": [str(path) for path in self.paths],
            "names": list(self.names),
            "directory": str(self.directory),
            "scratch": str(self.scratch),
            "grid": asdict(self.grid),
            "turned": self.turned,
            "classes": self.classes,
        }
        return json.dumps(fields)


def truth_request_from_dict(fields: Mapping[str, Any]) -> TruthRequest:
    """Read what ``TruthRequest.to_json`` wrote; the parent is trusted."""
    grid = fields["grid"]
    return TruthRequest(
        name=fields["name"],
        paths=tuple(Path(path) for path in fields["paths"]),
        names=tuple(fields["names"]),
        directory=Path(fields["directory"]),
        scratch=Path(fields["scratch"]),
        grid=GeoBox(**{**grid, "transform": tuple(grid["transform"])}),
        turned=fields["turned"],
        classes=fields["classes"],
    )


@dataclass(frozen=True, kw_only=True)
class TruthResult:
    """What the child says of a map of classes; ``truth.tif`` lies in the directory of the request.

    Attributes:
        classes: names.
        colours: of the classes, ``#rrggbb`` or empty.
        covered: share of the scene's pixels that have a class.
        findings: what was read, decided and assumed.
    """

    classes: tuple[str, ...]
    colours: tuple[str, ...]
    covered: float
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def truth_result_from_dict(fields: Mapping[str, Any]) -> TruthResult:
    """Take over what the child says of a map, every field checked.

    Raises:
        ValueError, KeyError, TypeError: when a field is not of its form.
    """
    classes = tuple(_text(name, 120) for name in fields["classes"][:MAX_CLASSES])
    colours = tuple(_text(colour, 7) for colour in fields["colours"])
    known = all(colour == "" or _COLOUR.fullmatch(colour) for colour in colours)
    if not classes or len(colours) != len(classes) or not known or not 0 <= _number(fields["covered"]) <= 1:
        raise ValueError("classes")
    findings = tuple(_finding(finding) for finding in fields["findings"][:_MAX_FINDINGS])
    return TruthResult(classes=classes, colours=colours, covered=_number(fields["covered"]), findings=findings)


@dataclass(frozen=True, kw_only=True)
class PlacedPatch:
    """One patch of a collection.

    Attributes:
        name: its file.
        label: its class, or None.
        corners: lon, lat from the upper left clockwise, 8 numbers; NaN = unknown.
        crs: its own reference system, or None.
    """

    name: str
    label: str | None
    corners: tuple[float, ...]
    crs: str | None


@dataclass(frozen=True, kw_only=True)
class IngestResult:
    """What the child hands back; ``pixels.tif`` and ``truth.tif`` lie in the directory of the request.

    Attributes:
        grid: of the scene.
        bands: present bands in product order.
        kind: ``scene`` or ``collection``.
        patch_size: of a collection.
        classes: names for ``truth.tif``; empty = none.
        date: ``YYYY-MM-DD`` or None.
        level: ``L1C``, ``L2A`` or None.
        synthetic: made by our own generator.
        findings: the quality record.
        places: patches of a collection by id.
        position: of a source of several dates, which of them it is, counted from 0, and how many there are.
        classification: True = ``classification.tif`` was written too.
        given: of a source without pixels, what its vectors are; arrays lie in the directory in place of pixels.
    """

    grid: GeoBox
    bands: tuple[str, ...]
    kind: str = "scene"
    patch_size: int | None = None
    classes: tuple[str, ...] = ()
    date: str | None = None
    level: str | None = None
    synthetic: bool = False
    findings: tuple[Finding, ...] = ()
    places: tuple[PlacedPatch, ...] = field(default=())
    position: tuple[int, int] | None = None
    classification: bool = False
    given: GivenVectors | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; unknown corners become null."""
        fields = asdict(self)
        for place in fields["places"]:
            if math.isnan(place["corners"][0]):
                place["corners"] = None
        return fields


def result_from_dict(fields: Mapping[str, Any]) -> IngestResult:
    """Take over what the child says, every field checked.

    Raises:
        ValueError, KeyError, TypeError: when a field is not of its form.
    """
    grid = fields["grid"]
    height, width = _whole(grid["height"], 1, 10**7), _whole(grid["width"], 1, 10**7)
    transform = tuple(_number(value) for value in grid["transform"])
    bands = tuple(fields["bands"])
    if len(transform) != 6 or list(bands) != [name for name in BAND_NAMES if name in bands]:
        raise ValueError("grid or bands")
    if fields["kind"] not in ("scene", "collection") or fields["level"] not in (None, "L1C", "L2A"):
        raise ValueError("kind or level")
    try:
        settings = IngestSettings(date=fields["date"], level=fields["level"])
    except SettingsError as error:
        raise ValueError("date") from error
    size = fields["patch_size"]
    return IngestResult(
        grid=GeoBox(crs=_crs(grid["crs"]), transform=transform, height=height, width=width),
        bands=bands,
        kind=fields["kind"],
        patch_size=None if size is None else _whole(size, 8, 512),
        classes=tuple(_text(name, 120) for name in fields["classes"][:1000]),
        date=settings.date,
        level=settings.level,
        synthetic=fields["synthetic"] is True,
        classification=fields["classification"] is True,
        findings=tuple(_finding(finding) for finding in fields["findings"][:_MAX_FINDINGS]),
        places=tuple(_place(place) for place in fields["places"]),
        position=_position(fields["position"]),
        given=None if fields["given"] is None else _given(fields["given"]),
    )


def _given(fields: Mapping[str, Any]) -> GivenVectors:
    """Take over what the vectors of a source are."""
    stated = fields["encoder"]
    size, level = stated["input_size"], stated["level"]
    if not _FINGERPRINT.fullmatch(stated["fingerprint"]) or level not in (None, "L1C", "L2A"):
        raise ValueError("encoder")
    encoder = {
        **{name: _text(stated[name], limit) for name, limit in (("name", 80), ("title", 100), ("origin", 200))},
        "fingerprint": stated["fingerprint"],
        "dimension": _whole(stated["dimension"], 1, 10_000),
        "bands": [name for name in BAND_NAMES if name in stated["bands"]],
        "input_size": None if size is None else _whole(size, 1, 10_000),
        "level": level,
    }
    return GivenVectors(
        column=_text(fields["column"], 120),
        encoder=encoder,
        points=fields["points"] is True,
        statistics=fields["statistics"] is True,
        columns=tuple(_given_column(one) for one in fields["columns"][:_MAX_COLUMNS]),
    )


def _given_column(fields: Mapping[str, Any]) -> GivenColumn:
    if fields["kind"] not in ("number", "class", "date"):
        raise ValueError("kind of column")
    classes = tuple(_text(name, 120) for name in fields["classes"][:MAX_CLASSES])
    return GivenColumn(name=_text(fields["name"], 60), kind=fields["kind"], classes=classes)


def error_to_dict(error: LandlikeError) -> dict[str, Any]:
    """Return an error as plain JSON values."""
    clauses = {"kind": type(error).__name__, "asked": error.asked, "found": error.found, "remedy": error.remedy}
    return clauses | ({"parts": list(error.parts)} if isinstance(error, SeveralDatesError) else {})


def error_from_dict(fields: Mapping[str, Any]) -> LandlikeError:
    """Take over an error that the child reports; of a form unknown, a general sentence."""
    kind = _ERRORS.get(str(fields.get("kind")), SourceError)
    clauses = [fields.get(part) for part in ("asked", "found", "remedy")]
    if not all(isinstance(clause, str) and clause for clause in clauses):
        return unreadable()
    told = [clean_name(str(clause), _CLAUSE) for clause in clauses]
    if kind is not SeveralDatesError:
        return kind(*told)
    try:
        asked, found, remedy = told
        return SeveralDatesError(asked, found, remedy, _parts(fields["parts"]))
    except (KeyError, TypeError, ValueError):
        return unreadable()


def _parts(values: Any) -> tuple[str | int, ...]:  # noqa: ANN401  what the child says
    """Take over dates that a source holds: ``YYYY-MM-DD`` each, or counted from 0."""
    if not 2 <= len(values) <= MAX_DATES or len(set(values)) < len(values):
        raise ValueError("dates")
    if all(isinstance(value, str) for value in values):
        return tuple(datetime.date.fromisoformat(value).isoformat() for value in values)
    return tuple(_whole(value, 0, MAX_DATES) for value in values)


def _position(values: Any) -> tuple[int, int] | None:  # noqa: ANN401  what the child says
    if values is None:
        return None
    index, count = values
    count = _whole(count, 2, 10_000)
    return _whole(index, 0, count - 1), count


def _whole(value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError("whole number")
    return value


def _number(value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("number")
    return number


def _text(value: object, limit: int) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return clean_name(value, limit)


def _crs(value: object) -> str | None:
    from core.ingest.grid.georeference import safe_crs

    if value is None:
        return None
    if not isinstance(value, str) or not safe_crs(value):
        raise ValueError("reference system")
    return value


def _finding(fields: Mapping[str, Any]) -> Finding:
    basis = fields["basis"]
    override = fields["override"]
    if basis not in get_args(Basis) or (override is not None and override not in IngestSettings.__dataclass_fields__):
        raise ValueError("finding")
    return Finding(
        topic=_text(fields["topic"], 40),
        value=_text(fields["value"], 2000),
        basis=basis,
        because=_text(fields["because"], 2000),
        override=override,
    )


def _place(fields: Mapping[str, Any]) -> PlacedPatch:
    corners = fields["corners"]
    numbers = (math.nan,) * 8 if corners is None else tuple(_number(value) for value in corners)
    label = fields["label"]
    if len(numbers) != 8:
        raise ValueError("corners")
    return PlacedPatch(
        name=_text(fields["name"], 1000),
        label=None if label is None else _text(label, 120),
        corners=numbers,
        crs=_crs(fields["crs"]),
    )
