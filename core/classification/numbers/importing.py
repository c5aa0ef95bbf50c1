"""Numbers of patches from tables, points and polygons that people bring, and what of these could not be used."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry

from core.classification.areas.tables import (
    NOT_JUDGED,
    TextTable,
    looks_like_a_number,
    read_text_table,
    table_numbers,
)
from core.classification.label_import import (
    containing,
    elsewhere,
    lines_with_a_place,
    of_other_scenes,
    patch_number,
    placed_outlines,
    places_of_lines,
)
from core.classification.shape_import import SLIVER
from core.errors import ClassificationError
from core.ingest.vectors.adding import read_label_shapes
from core.ingest.vectors.geojson import NOT_NUMBERS, VALUE_COLUMNS, LabelShapes
from core.scenes.patches import IntArray

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
LEAST_COVERED_SHARE = 0.5
"""Polygons give a patch their mean, by area, where they cover at least so much of it together."""

_NOT_VALUES = NOT_NUMBERS | {"longitude", "latitude", "long", "row", "col", "rank"}
"""Columns, in small letters, that are no value, whatever they hold."""


@dataclass(frozen=True, kw_only=True)
class ImportedNumbers:
    """Numbers of patches.

    Attributes:
        values: number by patch id.
        column: what they are, as the file calls it.
        said: what was left out or joined, a sentence each.
    """

    values: Mapping[int, float]
    column: str
    said: tuple[str, ...] = ()


def read_numbers(
    path: Path,
    patch_ids: IntArray,
    outlines: NDArray[np.object_] | None,
    *,
    column: str = "",
    layer: str = "",
    name: str = "",
    scene_id: str = "",
) -> ImportedNumbers:
    """Read the numbers of patches from a CSV, GeoJSON, GeoPackage or zipped Shapefile.

    Args:
        path: of the file.
        patch_ids: that may have a number, int64 of shape (N,).
        outlines: of these, shapely's in EPSG:4326, None where unknown; None = no place is known.
        column: with the numbers; empty = the one that can only be meant.
        layer: of the file, where it has several.
        scene_id: of the patches, as of ``labels_of_table``.
        name: of the file, for sentences; empty = as it is called.

    Raises:
        ClassificationError: one sentence on why it cannot be used.
        SourceError: when it is no file of points or polygons.
    """
    if path.suffix.lower() in TEXT_SUFFIXES:
        return numbers_of_table(read_text_table(path), patch_ids, outlines, column=column, scene_id=scene_id)
    shapes = read_label_shapes(path, column=column, layer=layer, numbers=True)
    return numbers_of_shapes(shapes, patch_ids, outlines, asked=f"Reading “{name or path.name}”")


def numbers_of_table(
    table: TextTable,
    patch_ids: IntArray,
    outlines: NDArray[np.object_] | None = None,
    *,
    column: str = "",
    scene_id: str = "",
) -> ImportedNumbers:
    """Return numbers of a table with ``patch_id`` and a value, or ``lon``, ``lat`` and a value.

    Of several places in a patch the mean counts. A patch id stands once.

    Raises:
        ClassificationError: for columns that are missing or may be meant as well, cells that are no finite number, a
            patch id twice, or when no number can be used.
    """
    table.check_places()
    title = column or _value_column(table)
    filled = [at for at, cell in enumerate(table.titled(title)) if cell.casefold() not in NOT_JUDGED]
    others = of_other_scenes(table, scene_id)
    known = replace(table, rows=tuple(table.rows[at] for at in filled if at not in others))
    said = [*table.said]
    said += _counted(len(table.rows) - len(filled), "line without a number was", "lines without a number were")
    said += _counted(len(others & set(filled)), "line of another scene was", "lines of another scene were")
    numbers = table_numbers(known, title)
    if known.column("patch_id") is not None:
        ids = _ids(known, scene_id)
        _each_once(known, ids)
        own = set(patch_ids.tolist())
        wrong = set() if outlines is None else set(elsewhere(known, ids, patch_ids, outlines))
        values = {ids[row]: numbers[row] for row in range(len(ids)) if ids[row] in own and row not in wrong}
        absent = sum(patch not in own for patch in ids)
        said += _counted(absent, "patch that is not here was", "patches that are not here were")
        one, many = "line whose place lies in another patch was", "lines whose place lies in another patch were"
        said += _counted(len(wrong), one, many)
    else:
        placed = lines_with_a_place(known)
        said += _counted(len(known.rows) - len(placed), "line without a place was", "lines without a place were")
        known, numbers = replace(known, rows=tuple(known.rows[at] for at in placed)), [numbers[at] for at in placed]
        points = shapely.points(places_of_lines(known))
        values, more = _means_of_points(points, numbers, patch_ids, placed_outlines(table.asked, outlines))
        said += more
    return _result(table.asked, values, title, said)


def numbers_of_shapes(
    found: LabelShapes, patch_ids: IntArray, outlines: NDArray[np.object_] | None, *, asked: str
) -> ImportedNumbers:
    """Return numbers of the patches that points lie in, their mean, and that polygons cover, their mean by area.

    Of vectors of points, which have no area, those get the mean of the polygons over them that lie in one.
    Where points lie in a patch, polygons over it do not count.

    Raises:
        ClassificationError: when a number is none, or none can be used.
    """
    land = placed_outlines(asked, outlines)
    filled = [at for at, text in enumerate(found.labels) if text.casefold() not in NOT_JUDGED]
    said = [*found.said]
    said += _counted(len(found.labels) - len(filled), "shape without a number was", "shapes without a number were")
    said += _counted(found.other, "line or feature without a shape was", "lines or features without a shape were")
    rows = tuple((found.number(at), (found.labels[at],)) for at in filled)
    table = TextTable(name=asked.removeprefix("Reading “").removesuffix("”"), separator=";", columns=(found.column,),
                      rows=rows)  # fmt: skip
    numbers, shapes = np.array(table_numbers(table, found.column, line="shape")), found.shapes[filled]
    are_points = np.isin(shapely.get_type_id(shapes), (0, 4))
    parts, owner = shapely.get_parts(shapes[are_points], return_index=True)
    values, more = _means_of_points(parts, numbers[are_points][owner].tolist(), patch_ids, land)
    covered, small, twice = _means_of_polygons(shapes[~are_points], numbers[~are_points], patch_ids, land)
    one, many = "polygon that covers too little of any patch was", "polygons that cover too little of any patch were"
    said += [*more, *_counted(small, one, many)]
    if twice:
        said.append(f"Patches in which polygons overlap, whose mean counts there: {twice:,}.")
    return _result(asked, covered | values, found.column, said)


def _value_column(table: TextTable) -> str:
    """Return the column that can only be meant: the one called so, else the only other one of numbers."""
    named = [name for name in table.columns if name.casefold() in VALUE_COLUMNS]
    return only_column(table.asked, named or value_columns(table), table.columns)


def value_columns(table: TextTable) -> list[str]:
    """Return the columns of a table that hold numbers and are not known for others, those called as one first.

    Raises:
        ClassificationError: when there is none, with what the others hold.
    """
    others = [name for name in dict.fromkeys(table.columns) if name and name.casefold() not in _NOT_VALUES]
    named = [name for name in others if _is_of_numbers(table.titled(name))]
    if others and not named and table.rows:
        found = f"none of its columns holds numbers: {', '.join(_held(table, name) for name in others[:4])}"
        raise ClassificationError(table.asked, found, "give it a column with a number a line")
    return sorted(named, key=lambda name: name.casefold() not in VALUE_COLUMNS)


def _held(table: TextTable, name: str) -> str:
    cells = table.titled(name)
    text = next((cell for cell in cells if cell.casefold() not in NOT_JUDGED and not looks_like_a_number(cell)), "")
    return f"“{name[:40]}” has “{text[:40]}”" if text else f"“{name[:40]}” is empty"


def only_column(asked: str, named: Sequence[str], there: Sequence[str]) -> str:
    """Return the one column that can be the value.

    Raises:
        ClassificationError: when several can, or none.
    """
    if len(named) == 1:
        return named[0]
    if named:
        listed = " and ".join(f"“{name[:40]}”" for name in named[:4])
        raise ClassificationError(asked, f"the value could be {listed}", "name the column that is meant")
    listed = ", ".join(f"“{name[:40]}”" for name in there[:8]) or "none"
    raise ClassificationError(asked, f"no column is called value; its columns are {listed}", "name the one with it")


def _is_of_numbers(cells: Sequence[str]) -> bool:
    known = [cell for cell in cells if cell.casefold() not in NOT_JUDGED]
    return bool(known) and all(looks_like_a_number(cell) for cell in known)


def _ids(table: TextTable, scene_id: str) -> list[int]:
    found = []
    for row, cell in enumerate(table.needed("patch_id")):
        number = patch_number(cell, scene_id)
        if number is None:
            wrong = f"line {table.line(row)} has “{cell[:40]}” as patch_id"
            raise ClassificationError(table.asked, wrong, "give numbers of patches of this scene")
        found.append(number)
    return found


def _each_once(table: TextTable, ids: Sequence[int]) -> None:
    twice = [patch for patch, times in Counter(ids).items() if times > 1]
    if twice:
        lines = " and ".join(str(table.line(row)) for row, patch in enumerate(ids) if patch == twice[0])
        more = f", and {len(twice) - 1} more patches stand there twice" if len(twice) > 1 else ""
        found = f"patch {twice[0]} stands in lines {lines}{more}"
        raise ClassificationError(table.asked, found, "leave one line for each patch")


def _means_of_points(
    points: NDArray[np.object_], numbers: Sequence[float], patch_ids: IntArray, land: NDArray[np.object_]
) -> tuple[dict[int, float], list[str]]:
    given: dict[int, list[float]] = defaultdict(list)
    rows = containing(points, land).tolist() if len(points) else []
    for row, number in zip(rows, numbers, strict=True):
        if row >= 0:
            given[int(patch_ids[row])].append(number)
    several = sum(len(one) > 1 for one in given.values())
    said = _counted(rows.count(-1), "point outside of all patches was", "points outside of all patches were")
    if several:
        said.append(f"Patches with several points have their mean: {several:,}.")
    return {patch: float(np.mean(one)) for patch, one in given.items()}, said


def _means_of_polygons(
    shapes: NDArray[np.object_], numbers: NDArray[np.float64], patch_ids: IntArray, land: NDArray[np.object_]
) -> tuple[dict[int, float], int, int]:
    """Return the mean by area of the polygons over each patch that they cover enough.

    Beside it stand how many polygons helped none, and in how many of these patches polygons overlap.
    """
    if not len(shapes):
        return {}, 0, 0
    which, rows = shapely.STRtree(land).query(shapes, predicate="intersects")
    parts = shapely.intersection(shapes[which], land[rows])
    areas, whole = shapely.area(parts), shapely.area(land)
    means, helped, overlapping = {}, set(), 0
    for row in np.unique(rows).tolist():
        here = np.flatnonzero((rows == row) & ((areas > 0) | (whole[row] == 0)))
        given = numbers[which[here]].tolist()
        # A point has no area, of which a polygon could cover some: each that it lies in counts alike.
        pieces = [(1.0, given)] if whole[row] == 0 else _pieces(parts[here].tolist(), given)
        cover = np.array([area for area, _ in pieces])
        if cover.sum() < (LEAST_COVERED_SHARE - 1e-9) * whole[row]:
            continue
        own = [float(np.mean(some)) for _, some in pieces]
        means[int(patch_ids[row])] = float(np.average(own, weights=cover))
        helped.update(which[here].tolist())
        twice = sum(area for area, some in pieces if len(some) > 1)
        overlapping += twice > SLIVER * whole[row]
    return means, len(shapes) - len(helped), overlapping


def _pieces(parts: Sequence[Geometry], numbers: Sequence[float]) -> list[tuple[float, list[float]]]:
    """Return areas of pieces of land that do not overlap, each with the numbers of the polygons that cover it."""
    pieces: list[tuple[Geometry, list[float]]] = []
    for part, number in zip(parts, numbers, strict=True):
        rest, parted = part, []
        for piece, some in pieces:
            common = piece.intersection(part)
            if common.area > 0:
                parted += [(common, [*some, number]), (piece.difference(part), some)]
                rest = rest.difference(piece)
            else:
                parted.append((piece, some))
        pieces = [(piece, some) for piece, some in [*parted, (rest, [number])] if piece.area > 0]
    return [(piece.area, some) for piece, some in pieces]


def _counted(count: int, one: str, more: str) -> list[str]:
    return [f"{count:,} {one if count == 1 else more} left out."] if count else []


def _result(asked: str, values: Mapping[int, float], column: str, said: Sequence[str]) -> ImportedNumbers:
    if not values:
        found = "; ".join(one.rstrip(".") for one in said) or "it has no numbers"
        remedy = "give patch ids of this scene and cut, or points and polygons on its land"
        raise ClassificationError(asked, found, remedy)
    return ImportedNumbers(values=dict(sorted(values.items())), column=column, said=tuple(said))
