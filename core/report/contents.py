"""What a report says: gathered from a file of features and its scene, once for every form it takes."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from core.bands import BAND_NAMES
from core.classification.areas.class_map import ClassifiedPatches
from core.classification.areas.estimation import AccuracyAssessment, AreaStratum
from core.errors import LandlikeError
from core.evaluation.report.card import Section
from core.evaluation.report.file import FileReport
from core.evaluation.report.verdict import SIGNS, TOPICS, SceneVerdict, grade_of, in_order, verdict_on
from core.export.geoparquet import Embeddings
from core.report.classes import ClassPart, Facts, class_part
from core.report.figures import BarFigure, FigureBar
from core.report.pictures import EmbeddedPicture, ExampleRow, example_rows, scene_picture
from core.report.searched import SearchPart
from core.scenes.cut import WHOLE_AT_EDGE
from core.scenes.location import bounds_lonlat
from core.scenes.overview import overview, pixel_side
from core.scenes.quality import Finding, QualityRecord, load_quality
from core.scenes.scene import Scene

BASIS_WORDS = {
    "read": "read from the file",
    "decided": "decided by the values",
    "assumed": "assumed: nothing said so",
    "chosen": "chosen by a person",
    "known": "known beforehand",
    "warning": "mind: may change results",
}
WITHOUT_SCENE = (
    "The scene is not in the library here, so that there is no picture of it and nothing on how it was read."
)

_LIBRARIES = ("numpy", "rasterio", "scikit-learn", "openvino", "tensorflow")


@dataclass(frozen=True, kw_only=True)
class ReportContents:
    """All a report says. Text is as it came: whoever writes it down escapes it.

    Attributes:
        title: of the page.
        made: when, ``YYYY-MM-DD``.
        verdict: whether the answers hold.
        unexamined: what that does not look at although it may spoil answers, sentences.
        summary: sign, topic and a sentence of each question.
        sections: the questions with sentences and tables.
        scene: facts of the scene.
        picture: of the scene; None where it is not here.
        search: what was looked for and found; None where nothing was.
        coloured: the scene in the colours of a value of its patches; None where none was chosen.
        legend: names and colours of that picture.
        examples: patches with those most like them.
        findings: how the scene was read, what was assumed first.
        encoder: facts of it.
        classes: of the patches; None where they have none.
        bands: what light the patches send; None where the file does not say.
        method: how all was made, a paragraph.
        versions: of programs.
        notes: what is missing, sentences.
    """

    title: str
    made: str
    verdict: SceneVerdict
    unexamined: tuple[str, ...]
    summary: tuple[tuple[str, str, str], ...]
    sections: tuple[Section, ...]
    scene: Facts
    picture: EmbeddedPicture | None
    search: SearchPart | None = None
    coloured: EmbeddedPicture | None = None
    legend: Facts = ()
    examples: tuple[ExampleRow, ...]
    findings: tuple[Finding, ...]
    encoder: Facts
    classes: ClassPart | None
    bands: BarFigure | None
    method: str
    versions: Facts
    notes: tuple[str, ...]


def report_contents(
    found: Embeddings,
    measured: FileReport,
    *,
    made: str,
    classified: ClassifiedPatches | None = None,
    areas: Sequence[AreaStratum] | None = None,
    assessment: AccuracyAssessment | None = None,
    areas_said: str = "",
    colours: Mapping[str, str] = MappingProxyType({}),
    search: SearchPart | None = None,
    coloured: tuple[EmbeddedPicture, Facts] | None = None,
) -> ReportContents:
    """Gather what a report says of a file of features.

    Args:
        found: what is in the file.
        measured: what was measured of it.
        made: the date, ``YYYY-MM-DD``.
        classified: a map of classes of these patches; None = the classes that the file itself has.
        areas: of the strata of the judged sample; None = counted on the map.
        assessment: what a judged sample tells of that map; None where there is none.
        areas_said: what counts as land in these areas, a sentence, or empty.
        colours: of classes by name, as the map shows them; of others those of a scheme of the field, or ours.
        search: what was looked for; None where nothing was.
        coloured: the map that was on show, and its legend; None where there was none.

    Raises:
        ClassificationError: when the map or the sample's strata are those of other patches.
    """
    classes = class_part(found, classified, areas, assessment, areas_said=areas_said, colours=colours)
    measured = measured if classes is None else measured.beside_map()
    home = measured.home
    scene = None if home is None else home.scene
    record = None if scene is None else _record(scene)
    name = str(found.scene.get("name") or "patches of an unnamed scene") if scene is None else scene.name
    return ReportContents(
        title=name,
        made=made,
        verdict=verdict_on(measured.sections),
        unexamined=measured.unexamined,
        summary=tuple((SIGNS[grade_of(one)], TOPICS[one.name], one.in_short) for one in in_order(measured.sections)),
        sections=measured.sections,
        scene=tuple(_scene_facts(found, scene, record)),
        picture=None if scene is None else scene_picture(scene),
        search=search,
        coloured=None if coloured is None else coloured[0],
        legend=() if coloured is None else coloured[1],
        examples=() if home is None else example_rows(home.scene, home.grid, found.patch_ids, found.vectors),
        findings=() if record is None else _ordered(record),
        encoder=tuple(_encoder_facts(found)),
        classes=classes,
        bands=_band_figure(found),
        method=_method(found),
        versions=tuple(_versions()),
        notes=(WITHOUT_SCENE,) if scene is None else (),
    )


def _record(scene: Scene) -> QualityRecord | None:
    try:
        return load_quality(scene.directory)
    except LandlikeError:
        return None


def _ordered(record: QualityRecord) -> tuple[Finding, ...]:
    """Return the findings, those first that a reader has to see."""
    first = record.warnings()
    return (*first, *(one for one in record.findings if one not in first))


def _scene_facts(found: Embeddings, scene: Scene | None, record: QualityRecord | None) -> Iterator[tuple[str, str]]:
    stated = found.scene
    date, level = stated.get("date"), stated.get("level")
    yield "Scene", str(stated.get("name") or "not named")
    if stated.get("synthetic"):
        yield "Kind", "a made-up landscape, no real place"
    if scene is not None and record is not None:
        yield "Sensor", overview(scene, record).sensor
    yield "Date", str(date or "not known")
    yield "Level", f"{level}, {_LEVELS[level]}" if level in _LEVELS else str(level or "not known")
    place = _place(found, scene)
    yield "Place", place or "not known"
    grid = stated.get("grid")
    if isinstance(grid, dict) and {"width", "height"} <= grid.keys():
        yield "Size", _size(grid, scene)
    if isinstance(stated.get("bands"), list):
        yield "Bands", ", ".join(map(str, stated["bands"]))
    yield "Patches", _patches(found)


_LEVELS = {"L1C": "as seen from above the air", "L2A": "freed from the air"}


def _place(found: Embeddings, scene: Scene | None) -> str | None:
    box = None if scene is None else bounds_lonlat(scene)
    if box is None and found.lonlat is not None:
        known = found.lonlat[np.isfinite(found.lonlat).all(axis=1)]
        box = (*known.min(axis=0).tolist(), *known.max(axis=0).tolist()) if len(known) else None
    if box is None:
        return None
    west, south, east, north = box
    upright = f"{_degrees(south, 'N', 'S')} to {_degrees(north, 'N', 'S')}"
    return f"{upright}, {_degrees(west, 'E', 'W')} to {_degrees(east, 'E', 'W')}"


def _degrees(value: float, positive: str, negative: str) -> str:
    turned = (value + 180) % 360 - 180 if positive == "E" else value
    return f"{abs(turned):.3f}° {positive if turned >= 0 else negative}"


def _size(grid: dict[str, Any], scene: Scene | None) -> str:
    words = f"{grid['width']:,} × {grid['height']:,} pixels"
    metres = None if scene is None else pixel_side(scene)
    if metres is None or (scene is not None and scene.is_collection):
        return words
    return f"{words} of {metres:.4g} m; {grid['width'] * metres / 1000:.1f} × {grid['height'] * metres / 1000:.1f} km"


def _patches(found: Embeddings) -> str:
    size, stride = found.cut.get("size"), found.cut.get("stride", found.cut.get("size"))
    words = f"{len(found):,}"
    words += " of an area of the scene" if found.cut.get("area") else ""
    if size is None:
        return words
    return f"{words}, each {size} × {size} pixels" + (f", {stride} pixels apart" if stride != size else "")


def _encoder_facts(found: Embeddings) -> Iterator[tuple[str, str]]:
    spec = found.spec
    yield "Encoder", str(spec.get("title") or spec.get("name") or "not named in the file")
    yield "Features", f"{found.vectors.shape[1]:,} numbers a patch"
    for key, title in (("name", "Name"), ("origin", "Origin"), ("backend", "Computed by")):
        if spec.get(key):
            yield title, str(spec[key])
    if isinstance(spec.get("bands"), list):
        yield "Bands it looks at", ", ".join(map(str, spec["bands"]))
    if spec.get("fingerprint"):
        yield "Fingerprint", str(spec["fingerprint"])[:16]


def _band_figure(found: Embeddings) -> BarFigure | None:
    if found.band_mean is None:
        return None
    low, middle, high = np.percentile(found.band_mean, (10, 50, 90), axis=0).tolist()
    bars = tuple(
        FigureBar(label=name, value=max(0.0, at), low=max(0.0, first), high=max(0.0, last), told=f"{at:.3f}")
        for name, first, at, last in zip(BAND_NAMES, low, middle, high, strict=True)
        if not (first == at == last == 0)
    )
    note = "Bars are medians over patches; lines reach from the 10th to the 90th of a hundred."
    return BarFigure(title="Mean reflectance of patches by band", bars=bars, note=note) if bars else None


def _method(found: Embeddings) -> str:
    title = str(found.spec.get("title") or "An encoder that the file does not name")
    edge = f"{WHOLE_AT_EDGE} " if found.cut.get("area") else ""
    return (
        f"The scene was cut into patches: {_patches(found)}. {edge}{title} turned each into {found.vectors.shape[1]:,} "
        "numbers, its features. Patches are alike as far as their features point the same way (cosine similarity); "
        "nearest neighbours are exact. Trust compares neighbours with classes where there are some, with the plain "
        "spectrum and with chance; it asks whether the land is familiar to the encoder, encodes patches anew on a "
        "shifted grid, and looks for patches that are neighbours of too many. Areas are those on the WGS 84 ellipsoid; "
        "ground that patches share counts once. Areas with intervals are estimated from a stratified random sample "
        "that people judged (Olofsson et al. 2014; Stehman 2014); areas without are counted on the map."
    )


def _versions() -> Iterator[tuple[str, str]]:
    yield "Landlike", _own_version()
    yield "Python", platform.python_version()
    for name in _LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def _own_version() -> str:
    import tomllib

    project = Path(__file__).resolve().parents[2] / "pyproject.toml"
    return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
