"""What a report says: gathered from a file of features and its scene, once for every form it takes."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from core.bands import BAND_NAMES
from core.classification.areas.class_map import ClassifiedPatches
from core.classification.areas.estimation import (
    ABSTAINED,
    AccuracyAssessment,
    AreaStratum,
    StratifiedEstimate,
)
from core.classification.areas.ground import patch_hectares
from core.errors import ClassificationError, LandlikeError
from core.evaluation.report.card import Section, Sheet
from core.evaluation.report.file import FileReport
from core.evaluation.report.verdict import SIGNS, TOPICS, SceneVerdict, grade_of, in_order, verdict_on
from core.export.geoparquet import Embeddings
from core.export.selection import file_shapes
from core.report.figures import BarFigure, FigureBar
from core.report.pictures import EmbeddedPicture, ExampleRow, class_picture, example_rows, scene_picture
from core.scenes.location import bounds_lonlat
from core.scenes.overview import overview, pixel_side
from core.scenes.quality import Finding, QualityRecord, load_quality
from core.scenes.scene import Scene
from core.values.palette import UNKNOWN_COLOUR, class_colours

Facts = tuple[tuple[str, str], ...]
"""Names of facts and what they are, both text from wherever: to be escaped."""

BASIS_WORDS = {
    "read": "read from the file",
    "decided": "decided by the values",
    "assumed": "assumed: nothing said so",
    "chosen": "chosen by a person",
    "known": "known beforehand",
    "warning": "mind: may change results",
}
MAPPED_ONLY = "Mapped area, not an estimate: a patch counts as a whole for its class, right or wrong."
WITHOUT_SCENE = (
    "The scene is not in the library here, so that there is no picture of it and nothing on how it was read."
)

_MOST_SQUARES = 2000
"""Rows or columns of a map of classes that is drawn."""

_SAME_PLACE = 1e-4
"""Degrees, about 11 m, by which the middles of a patch in two files may lie apart; patches are larger."""

_LIBRARIES = ("numpy", "rasterio", "scikit-learn", "openvino", "tensorflow")


@dataclass(frozen=True, kw_only=True)
class ClassPart:
    """What a report says of classes.

    Attributes:
        sheet: a row a class.
        figure: hectares by class; None where places are unknown.
        notes: what a reader has to know, sentences.
        picture: the class of each patch on the map; None where patches have no place beside each other.
        legend: names and colours of the picture.
    """

    sheet: Sheet
    figure: BarFigure | None
    notes: tuple[str, ...]
    picture: EmbeddedPicture | None = None
    legend: Facts = ()


@dataclass(frozen=True, kw_only=True)
class ReportContents:
    """All a report says. Text is as it came: whoever writes it down escapes it.

    Attributes:
        title: of the page.
        made: when, ``YYYY-MM-DD``.
        verdict: whether the answers hold.
        summary: sign, topic and a sentence of each question.
        sections: the questions with sentences and tables.
        scene: facts of the scene.
        picture: of the scene; None where it is not here.
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
    summary: tuple[tuple[str, str, str], ...]
    sections: tuple[Section, ...]
    scene: Facts
    picture: EmbeddedPicture | None
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
) -> ReportContents:
    """Gather what a report says of a file of features.

    Args:
        found: what is in the file.
        measured: what was measured of it.
        made: the date, ``YYYY-MM-DD``.
        classified: a map of classes of these patches; None = the classes that the file itself has.
        areas: of the strata of the judged sample; None = counted on the map.
        assessment: what a judged sample tells of that map; None where there is none.

    Raises:
        ClassificationError: when the map or the sample's strata are those of other patches.
    """
    if classified is not None:
        _check_patches(found, classified)
        _check_strata(classified, areas or (), assessment)
    home = measured.home
    scene = None if home is None else home.scene
    record = None if scene is None else _record(scene)
    name = str(found.scene.get("name") or "patches of an unnamed scene") if scene is None else scene.name
    return ReportContents(
        title=name,
        made=made,
        verdict=verdict_on(measured.sections),
        summary=tuple((SIGNS[grade_of(one)], TOPICS[one.name], one.in_short) for one in in_order(measured.sections)),
        sections=measured.sections,
        scene=tuple(_scene_facts(found, scene, record)),
        picture=None if scene is None else scene_picture(scene),
        examples=() if home is None else example_rows(home.scene, home.grid, found.patch_ids, found.vectors),
        findings=() if record is None else _ordered(record),
        encoder=tuple(_encoder_facts(found)),
        classes=_class_part(found, classified, areas, assessment),
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
    if metres is None or (scene is not None and scene.kind == "collection"):
        return words
    return f"{words} of {metres:.4g} m; {grid['width'] * metres / 1000:.1f} × {grid['height'] * metres / 1000:.1f} km"


def _patches(found: Embeddings) -> str:
    size, stride = found.cut.get("size"), found.cut.get("stride", found.cut.get("size"))
    words = f"{len(found):,}"
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


def _class_part(
    found: Embeddings,
    classified: ClassifiedPatches | None,
    areas: Sequence[AreaStratum] | None,
    assessment: AccuracyAssessment | None,
) -> ClassPart | None:
    title, names = _class_names(found, classified)
    if assessment is not None and assessment.overall is not None:
        part = _assessed_part(assessment)
    elif areas is not None:
        part = _mapped_part(areas, "classes of the map")
    elif any(names):
        part = _mapped_part(_counted(found, names), title)
    else:
        return None
    return replace(part, **_class_map(found, names))


def _check_patches(found: Embeddings, classified: ClassifiedPatches) -> None:
    """Refuse a map of other patches than those of the file: other numbers, or the same ones elsewhere."""
    row_of = {number: row for row, number in enumerate(found.patch_ids.tolist())}
    rows = [row_of.get(number) for number in classified.ids.tolist()]
    strange = [number for number, row in zip(classified.ids.tolist(), rows, strict=True) if row is None]
    told = "" if not strange else f"{len(strange):,} of its patches are not in the features, such as {strange[0]}"
    if not told and found.lonlat is not None:
        apart = np.abs(found.lonlat[np.array(rows)] - classified.places(np.arange(len(rows))))
        moved = np.flatnonzero((apart > _SAME_PLACE).any(axis=1))
        told = "" if not len(moved) else f"patch {classified.ids[moved[0]]} lies elsewhere than in the features"
    if told:
        raise ClassificationError(
            f"Reporting on “{classified.name}”", told, "give the map that was made of these features"
        )


def _check_strata(
    classified: ClassifiedPatches, areas: Sequence[AreaStratum], assessment: AccuracyAssessment | None
) -> None:
    """Refuse areas by classes of another map; strata that are no classes may be called anything."""
    if assessment is not None and all(hectares is None for hectares in assessment.mapped.values()):
        return
    for one in areas:
        rows = classified.strata.get(one.name)
        if rows is None and one.hectares > 0:
            told = f"“{one.name}” of the areas is no class of it"
        elif rows is not None and one.units not in {None, len(rows)}:
            told = f"“{one.name}” has {one.units:,} patches by the areas and {len(rows):,} on the map"
        else:
            continue
        remedy = "give the sample and the areas of this map"
        raise ClassificationError(f"Reporting on “{classified.name}”", told, remedy)


def _class_names(found: Embeddings, classified: ClassifiedPatches | None) -> tuple[str, list[str | None]]:
    """Return what the classes are, and that of each patch of a file."""
    if classified is not None:
        by_id = dict(zip(classified.ids.tolist(), classified.classes.tolist(), strict=True))
        return "classes of the map", [by_id.get(number) for number in found.patch_ids.tolist()]
    for column, title in (("label", "classes of the patches"), ("predicted", "classes that the encoder names")):
        if column in found.table.column_names:
            names = [str(one) if one else None for one in found.table.column(column).to_pylist()]
            if any(names):
                return title, names
    return "", [None] * len(found)


def _counted(found: Embeddings, names: Sequence[str | None]) -> list[AreaStratum]:
    """Return patches and hectares of classes, the commonest first; NaN hectares where a place is unknown."""
    hectares = _hectares(found)
    counts = Counter(name for name in names if name)
    rows = {name: [at for at, one in enumerate(names) if one == name] for name in counts}
    return [
        AreaStratum(name=name, hectares=float(hectares[rows[name]].sum()), units=count)
        for name, count in counts.most_common()
    ]


def _class_map(found: Embeddings, names: Sequence[str | None]) -> dict[str, Any]:
    """Return the picture of the classes and its legend, where patches lie beside each other as in the file's grid."""
    if found.scene.get("kind") == "collection" or not any(names) or not {"row", "col"} <= set(found.table.column_names):
        return {}
    try:
        rows, cols = (found.table.column(name).to_numpy().astype(np.int64, casting="safe") for name in ("row", "col"))
    except (ValueError, TypeError):
        return {}
    if min(rows.min(), cols.min()) < 0 or max(rows.max(), cols.max()) >= _MOST_SQUARES:
        return {}
    colours = _colours(sorted({name for name in names if name}))
    picture = class_picture(rows, cols, [colours.get(name or "", UNKNOWN_COLOUR) for name in names])
    return {"picture": picture, "legend": tuple((_class_name(name), colour) for name, colour in colours.items())}


def _colours(names: Sequence[str]) -> dict[str, str]:
    """Return a colour a class, that of unknown for land without one."""
    classes = [name for name in names if name != ABSTAINED]
    found = dict(zip(classes, class_colours(classes), strict=True))
    return found | ({ABSTAINED: UNKNOWN_COLOUR} if ABSTAINED in names else {})


def _hectares(found: Embeddings) -> np.ndarray[Any, np.dtype[np.float64]]:
    unknown = np.full(len(found), np.nan)
    if found.lonlat is None or not np.isfinite(found.lonlat).all():
        return unknown
    return patch_hectares(file_shapes(found.table))


def _mapped_part(strata: Sequence[AreaStratum], title: str) -> ClassPart:
    known = all(np.isfinite(one.hectares) for one in strata)
    whole = sum(one.hectares for one in strata)
    rows = tuple(
        (
            _class_name(one.name), "" if one.units is None else f"{one.units:,}",
            f"{one.hectares:,.0f}" if known else "not known", f"{one.hectares / whole:.1%}" if known and whole else "",
        )
        for one in strata
    )  # fmt: skip
    sheet = Sheet(title=f"The {title}", head=("Class", "Patches", "Mapped area, ha", "Share"), rows=rows)
    colours = _colours(sorted(one.name for one in strata))
    bars = tuple(
        FigureBar(label=_class_name(name), value=one.hectares, told=f"{one.hectares:,.0f}", colour=colours[name])
        for one in strata
        for name in (one.name,)
    )
    figure = BarFigure(title="Mapped area, hectares", bars=bars) if known else None
    return ClassPart(sheet=sheet, figure=figure, notes=(MAPPED_ONLY,) if known else ())


def _assessed_part(assessment: AccuracyAssessment) -> ClassPart:
    rows = tuple(
        (
            name, "–" if (mapped := assessment.mapped.get(name)) is None else f"{mapped:,.0f}",
            _told(area, ",.0f"), _told(assessment.users.get(name), ".3f"), _told(assessment.producers.get(name), ".3f"),
        )
        for name, area in assessment.areas.items()
    )  # fmt: skip
    colours = _colours(sorted(assessment.areas))
    head = ("Class", "Mapped, ha", "Estimated, ha", "User's accuracy", "Producer's accuracy")
    bars = tuple(
        FigureBar(
            label=name, value=area.value, low=area.low, high=area.high, told=f"{area.value:,.0f}", colour=colours[name]
        )
        for name, area in assessment.areas.items()
        if area is not None
    )
    figure = BarFigure(title="Estimated area, hectares", bars=bars, note="Lines are 95 % intervals.")
    overall = f"Overall accuracy {_told(assessment.overall, '.3f')}, from {sum(assessment.judged.values()):,} judged."
    sheet = Sheet(title="The classes of the map, with 95 % intervals", head=head, rows=rows)
    return ClassPart(sheet=sheet, figure=figure, notes=(overall, *assessment.notes))


def _class_name(name: str) -> str:
    return "without a class" if name == ABSTAINED else name


def _told(one: StratifiedEstimate | None, form: str) -> str:
    """Return an estimate with its interval in words."""
    if one is None:
        return "–"
    if one.low is None or one.high is None:
        return f"{one.value:{form}} (no interval)"
    return f"{one.value:{form}} ({one.low:{form}}–{one.high:{form}})"


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
    return (
        f"The scene was cut into patches: {_patches(found)}. {title} turned each into {found.vectors.shape[1]:,} "
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
