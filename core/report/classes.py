"""What a report says of classes: a table and a figure of areas, and the map; of a judged sample with its intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from core.classification.areas.class_map import ClassifiedPatches
from core.classification.areas.estimation import (
    ABSTAINED,
    AccuracyAssessment,
    AreaStratum,
    StratifiedEstimate,
)
from core.classification.areas.ground import counted_ground
from core.classification.schemes import SCHEMES
from core.errors import ClassificationError
from core.evaluation.report.card import Sheet
from core.export.geoparquet import Embeddings
from core.export.selection import file_shapes, valid_shares
from core.report.figures import BarFigure, FigureBar
from core.report.pictures import EmbeddedPicture, class_picture, dots_picture
from core.scenes.cut import WHOLE_AT_EDGE
from core.scenes.outline_areas import patch_hectares
from core.values.palette import UNKNOWN_COLOUR, class_colours

Facts = tuple[tuple[str, str], ...]
"""Names of facts and what they are, both text from wherever: to be escaped."""

MAPPED_ONLY = "Mapped area, not an estimate: all land of a patch counts for its class, right or wrong."

_MOST_SQUARES = 2000
"""Rows or columns of a map of classes that is drawn."""

_SAME_PLACE = 1e-4
"""Degrees, about 11 m, by which the middles of a patch in two files may lie apart; patches are larger."""


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


def class_part(
    found: Embeddings,
    classified: ClassifiedPatches | None,
    areas: Sequence[AreaStratum] | None,
    assessment: AccuracyAssessment | None,
    *,
    areas_said: str = "",
    colours: Mapping[str, str] = MappingProxyType({}),
) -> ClassPart | None:
    """Return what is said of the classes of a file of features; None where it has none. Arguments as of a report.

    Raises:
        ClassificationError: when the map or the sample's strata are those of other patches.
    """
    if classified is not None:
        _check_patches(found, classified)
        _check_strata(classified, areas or (), assessment)
    title, names = _class_names(found, classified)
    if assessment is not None and assessment.overall is not None:
        part = _assessed_part(assessment, colours)
    elif areas is not None:
        part = _mapped_part(areas, "classes of the map", colours)
    elif any(names):
        part, areas_said = _mapped_part(_counted(found, names), title, colours), _counted_of(found)
    else:
        return None
    said = (areas_said,) if areas_said and part.figure is not None else ()
    return replace(part, notes=(*part.notes, *said), **_class_map(found, names, colours))


def _counted_of(found: Embeddings) -> str:
    """Return what counts as land in the hectares of a file's classes; empty where all patches hold data everywhere."""
    edge = (WHOLE_AT_EDGE,) if found.cut.get("area") else ()
    return " ".join(filter(None, (*edge, counted_ground(file_shapes(found.table), valid_shares(found.table)))))


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


def _class_map(found: Embeddings, names: Sequence[str | None], stated: Mapping[str, str]) -> dict[str, Any]:
    """Return the picture of the classes and its legend: as patches lie in the file's grid, or as dots of a collection.

    Empty where it is not known how they lie.
    """
    if not any(names):
        return {}
    if found.scene.get("kind") == "collection":
        return _class_dots(found, names, stated)
    if not {"row", "col"} <= set(found.table.column_names):
        return {}
    try:
        rows, cols = (found.table.column(name).to_numpy().astype(np.int64, casting="safe") for name in ("row", "col"))
    except (ValueError, TypeError):
        return {}
    if min(rows.min(), cols.min()) < 0 or max(rows.max(), cols.max()) >= _MOST_SQUARES:
        return {}
    colours = _colours(sorted({name for name in names if name}), stated)
    picture = class_picture(rows, cols, [colours.get(name or "", UNKNOWN_COLOUR) for name in names])
    return {"picture": picture, "legend": tuple((_class_name(name), colour) for name, colour in colours.items())}


def _class_dots(found: Embeddings, names: Sequence[str | None], stated: Mapping[str, str]) -> dict[str, Any]:
    if found.lonlat is None:
        return {}
    colours = _colours(sorted({name for name in names if name}), stated)
    painted = [colours.get(name or "", UNKNOWN_COLOUR) for name in names]
    picture = dots_picture(file_shapes(found.table), found.lonlat, painted)
    legend = tuple((_class_name(name), colour) for name, colour in colours.items())
    return {} if picture is None else {"picture": picture, "legend": legend}


def _colours(names: Sequence[str], stated: Mapping[str, str]) -> dict[str, str]:
    """Return a colour a class, as stated or as a scheme of the field has it; that of unknown for land without one."""
    classes = [name for name in names if name != ABSTAINED]
    scheme = next((one for one in SCHEMES.values() if set(classes) <= set(one.names)), None)
    usual = {} if scheme is None else {one.name: one.colour for one in scheme.classes}
    painted = class_colours(classes, [stated.get(name) or usual.get(name, "") for name in classes])
    found = dict(zip(classes, painted, strict=True))
    return found | ({ABSTAINED: UNKNOWN_COLOUR} if ABSTAINED in names else {})


def _hectares(found: Embeddings) -> np.ndarray[Any, np.dtype[np.float64]]:
    unknown = np.full(len(found), np.nan)
    if found.lonlat is None or not np.isfinite(found.lonlat).all():
        return unknown
    return patch_hectares(file_shapes(found.table), valid_shares(found.table))


def _mapped_part(strata: Sequence[AreaStratum], title: str, stated: Mapping[str, str]) -> ClassPart:
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
    colours = _colours(sorted(one.name for one in strata), stated)
    bars = tuple(
        FigureBar(label=_class_name(name), value=one.hectares, told=f"{one.hectares:,.0f}", colour=colours[name])
        for one in strata
        for name in (one.name,)
    )
    figure = BarFigure(title="Mapped area, hectares", bars=bars) if known else None
    return ClassPart(sheet=sheet, figure=figure, notes=(MAPPED_ONLY,) if known else ())


def _assessed_part(assessment: AccuracyAssessment, stated: Mapping[str, str]) -> ClassPart:
    rows = tuple(
        (
            name, "–" if (mapped := assessment.mapped.get(name)) is None else f"{mapped:,.0f}",
            _told(area, ",.0f"), _told(assessment.users.get(name), ".3f"), _told(assessment.producers.get(name), ".3f"),
        )
        for name, area in assessment.areas.items()
    )  # fmt: skip
    colours = _colours(sorted(assessment.areas), stated)
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
