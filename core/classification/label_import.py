"""Labels of patches from tables that people bring, and what of these could not be used; shapes are ``shape_import``.

Files of vectors are read in ``core.ingest.vectors``; tables of text by ``areas.tables``. Nothing is dropped silently.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import shapely
from numpy.typing import NDArray

from core.classification.areas.estimation import ABSTAINED
from core.classification.areas.tables import NOT_JUDGED, TextTable, spans_lines
from core.classification.schemes import LandClass
from core.errors import ClassificationError, SettingsError
from core.scenes.given.classes import clean_class
from core.scenes.patches import IntArray
from core.scenes.scene import SCENE_ID

_SHOWN = 3
_FRACTION = re.compile(r"[+-]?\d*[.,]\d*[1-9]\d*")
"""A number that is no whole one, which names no class."""

_WHOLE = re.compile(r"(?a:(\d{1,15})(?:[.,](?:0{1,2}|0{4,}))?|(\d{1,3}(?:,\d{3}){1,4})\.0+)")
"""A whole number, perhaps with zeros behind it; three of them may be a thousand, and say nothing."""

_NOTHING = NOT_JUDGED | {"none", "<na>", "#value!", "#ref!", "#name?", "#div/0!"}
"""Labels, in small letters, by which programs and people say that there is none."""

_SAME_PLACE = 1e-5
"""Degrees, about a metre; files round places to as much."""
MOST_LABELS_OF_COLUMN = 254
"""Values of a column that may hold classes; a map tells no more apart."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A line, a shape or a patch that got no label.

    Attributes:
        what: which, such as ``line 7`` or ``patch 12``.
        label: what it says, as it stands there, or empty.
        reason: why, in a few words.
    """

    what: str
    label: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ImportedLabels:
    """What became of labels that were brought.

    Attributes:
        labels: class by patch id.
        left_out: how many lines or shapes were not used, by the reason; reasons without any are not there.
        said: the same and what was mended, a sentence each.
        listed: each of them with its reason.
    """

    labels: Mapping[int, str]
    left_out: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    said: tuple[str, ...] = ()
    listed: tuple[LeftOut, ...] = ()


REASONS: Mapping[str, str] = MappingProxyType(
    {
        "no_label": "has no label",
        "no_place": "has no place",
        "other_scene": "its patch is of another scene",
        "bad_label": "its label cannot be a class",
        "bad_id": "its patch_id is no number of a patch of this scene",
        "unknown": "no such patch here",
        "elsewhere": "its place lies in another patch than it names",
        "outside": "lies outside of all patches",
        "small": "covers too little of any patch",
        "duplicate": "repeats a label, and counts once",
        "contradicting": "has two different labels",
        "overlapping": "two classes claim part of it, which counted for neither",
        "other": "is no point and no polygon",
    }
)
"""Why something got no label, in a few words, by the names of ``ImportedLabels.left_out``."""


class ClassNames:
    """Finds the class that a label means, however it is written.

    Args:
        classes: that there are; a label that is one of their names or titles but for capitals and blanks means it.
        codes: True = labels are codes of these classes.
    """

    def __init__(self, classes: Sequence[LandClass] = (), *, codes: bool = False) -> None:
        self._names: dict[str, str] = {}
        self._codes = {str(one.code): one.name for one in classes} if codes else {}
        for one in classes:
            for spelling in (one.name, one.title):
                self._names.setdefault(_folded(spelling), one.name)

    def meant(self, label: str) -> str:
        """Return the name of the class; of one that there is not, as it was written first.

        It is empty for what says that nothing is known, such as NaN, unless a class is called so.
        """
        if _folded(label) in _NOTHING and _folded(label) not in self._names:
            return ""
        whole = _whole(label)
        label = self._codes.get(whole, whole)
        return self._names.setdefault(_folded(label), label)


def _whole(label: str) -> str:
    """Return a whole number as such, which programs that keep numbers of one kind write as 1.0; others as they are."""
    found = re.fullmatch(r"\s*(\d+)\.0+\s*", label)
    return found[1] if found else label


def _folded(label: str) -> str:
    return " ".join(label.casefold().split())


def all_codes(labels: Iterable[str], classes: Sequence[LandClass]) -> bool:
    """Return whether all labels are codes of classes and none is the name of one."""
    found, codes = {_whole(label).strip() for label in labels} - {""}, {str(one.code) for one in classes}
    return bool(found) and found <= codes and found.isdisjoint({one.name for one in classes})


class Tally:
    """Counts what could not be used, and lists it."""

    def __init__(self, names: ClassNames | None = None) -> None:
        self._names = names or ClassNames()
        self._examples: dict[str, list[str]] = defaultdict(list)
        self._counts: Counter[str] = Counter()
        self._listed: list[LeftOut] = []
        self.said: list[str] = []

    def add(self, reason: str, what: str, *, label: str = "", example: object = "", count: int = 1) -> None:
        """Count something under a reason; it is listed as ``what``, and the example stands in the sentence."""
        self._counts[reason] += count
        self._listed.append(LeftOut(what=what, label=label, reason=REASONS[reason]))
        if str(example) and len(self._examples[reason]) < _SHOWN:
            self._examples[reason].append(str(example))

    def usable(self, raw: str, what: str) -> str | None:
        """Return the name of the class that a label means, or None and count why not."""
        meant = self._names.meant(raw)
        if not meant.strip():
            self.add("no_label", what, label=" ".join(raw.split())[:40])
            return None
        try:
            name = ABSTAINED if spans_lines(raw) else clean_class("Reading labels", meant)
        except SettingsError:
            name = ABSTAINED
        if name.casefold() == ABSTAINED:
            shown = " ".join(raw.split())[:40]
            self.add("bad_label", what, label=shown, example=f"“{shown}”")
            return None
        return name

    def decided(self, given: Mapping[int, Counter[str]]) -> dict[int, str]:
        """Return the one label of each patch; contradictions and repetitions are counted."""
        labels = {}
        for patch_id, names in given.items():
            if len(names) > 1:
                listed = " and ".join(f"“{name}”" for name in sorted(names))
                self.add("contradicting", f"patch {patch_id}", label=listed, example=f"patch {patch_id}: {listed}")
                continue
            [(name, times)] = names.items()
            labels[patch_id] = name
            if times > 1:
                self.add("duplicate", f"patch {patch_id}", label=name, count=times - 1)
        return labels

    def result(self, asked: str, labels: Mapping[int, str], sentences: Mapping[str, str]) -> ImportedLabels:
        """Return what was found.

        Raises:
            ClassificationError: when no patch got a label.
        """
        left_out = {reason: count for reason, count in self._counts.items() if count > 0}
        said = [*self.said, *(self._sentence(sentences[reason], reason) for reason in left_out)]
        if not labels:
            found = " ".join(said).rstrip(".").replace(". ", "; ") or "it has no labels"
            remedy = "give patch ids of this file, or points and polygons on its land"
            raise ClassificationError(asked, found[:1].lower() + found[1:], remedy)
        return ImportedLabels(
            labels=dict(sorted(labels.items())), left_out=left_out, said=tuple(said), listed=tuple(self._listed)
        )

    def _sentence(self, sentence: str, reason: str) -> str:
        examples = ", ".join(self._examples[reason])
        told = sentence.format(count=f"{self._counts[reason]:,}")
        return f"{told}, such as {examples}." if examples else f"{told}."


_TABLE_SENTENCES = {
    "no_label": "Lines without a label were left out: {count}",
    "bad_label": "Labels that cannot be a class were left out: {count}",
    "bad_id": "Lines whose patch_id is no number of a patch of this scene were left out: {count}",
    "unknown": "Patches that are not in the file were left out: {count}",
    "no_place": "Lines without a place were left out: {count}",
    "other_scene": "Lines of patches of another scene were left out: {count}",
    "elsewhere": "Lines whose place lies in another patch than they name were left out: {count}",
    "outside": "Places outside of all patches were left out: {count}",
    "duplicate": "Lines that repeat a label counted once: {count}",
    "contradicting": "Patches with two different labels were left out: {count}",
}


def labels_of_table(
    table: TextTable,
    patch_ids: IntArray,
    outlines: NDArray[np.object_] | None = None,
    *,
    column: str = "",
    names: ClassNames | None = None,
    scene_id: str = "",
) -> ImportedLabels:
    """Return labels of a table with ``patch_id`` and ``label``, or ``lon``, ``lat`` and ``label``.

    What a patch is told twice alike counts once; what contradicts itself is left out. Where a line has a patch and a
    place and the place lies in no such patch, the table is of patches cut otherwise, and the line is left out.

    Args:
        table: of text.
        patch_ids: that may be labelled, int64 of shape (N,).
        outlines: of these, shapely's in EPSG:4326, None where unknown; None = no place is known.
        column: with the classes, as it is called; empty = ``label`` or what else that may be called.
        names: finds the class that a label means; None = as it is written.
        scene_id: of the patches; ids may have it before them, as in ``fields-1:12``.

    Raises:
        ClassificationError: when columns are missing or no label can be used.
    """
    table.check_places()
    tally = Tally(names)
    tally.said += table.said
    labels = table.titled(column) if column else table.needed("label")
    by_place = table.column("lon") is not None and table.column("lat") is not None
    if table.column("patch_id") is None and by_place:
        ids = _ids_of_places(table, patch_ids, placed_outlines(table.asked, outlines), tally)
    else:
        ids = _ids_of_column(table, set(patch_ids.tolist()), tally, scene_id)
        if by_place and outlines is not None:
            for line in elsewhere(table, ids, patch_ids, outlines):
                tally.add("elsewhere", f"line {table.line(line)}", example=f"patch {ids[line]}")
                ids[line] = None
    given: dict[int, Counter[str]] = defaultdict(Counter)
    for row, (patch_id, raw) in enumerate(zip(ids, labels, strict=True)):
        name = tally.usable(raw, f"line {table.line(row)}")
        if patch_id is not None and name is not None:
            given[patch_id][name] += 1
    return tally.result(table.asked, tally.decided(given), _TABLE_SENTENCES)


def label_columns(table: TextTable) -> list[str]:
    """Return the columns of a table that may hold the classes, those called so first: texts of a few values."""
    named = [name for name in ("label", "class", "class_name", "reference") if name in map(str.casefold, table.columns)]
    places = {"patch_id", "lon", "lat", "longitude", "latitude", "long", "x", "y", "row", "col", "who", "when", "view"}
    found = []
    for at, name in enumerate(table.columns):
        values = {cells[at] for _, cells in table.rows} - {""}
        measured = all(_FRACTION.fullmatch(value) for value in values)
        if name and name.casefold() not in places and 0 < len(values) <= MOST_LABELS_OF_COLUMN and not measured:
            found.append(name)
    return sorted(dict.fromkeys(found), key=lambda name: name.casefold() not in named)


def _ids_of_column(table: TextTable, known: set[int], tally: Tally, scene_id: str) -> list[int | None]:
    found: list[int | None] = []
    others = of_other_scenes(table, scene_id)
    for row, cell in enumerate(table.needed("patch_id")):
        number, what = patch_number(cell, scene_id), f"line {table.line(row)}"
        if number is None:
            tally.add("bad_id", what, example=f"“{cell[:40]}”")
        elif number not in known:
            tally.add("unknown", what, example=number)
        elif row in others:
            tally.add("other_scene", what)
        found.append(number if number in known and row not in others else None)
    return found


def of_other_scenes(table: TextTable, scene_id: str) -> set[int]:
    """Return the rows of patches of other scenes than one: a column ``scene`` says so, as our own files have it.

    Where it never has an id of a scene it means something else, and says nothing.
    """
    scenes = table.column("scene") if scene_id else None
    if scenes is None or not all(SCENE_ID.fullmatch(one) for one in scenes if one):
        return set()
    if scene_id not in scenes and table.column("source_name") is None:
        return set()
    return {row for row, one in enumerate(scenes) if one and one != scene_id}


def patch_number(cell: str, scene_id: str = "") -> int | None:
    """Return the id of a patch that a cell says, as programs write whole numbers; None where it says none of a scene.

    Args:
        cell: such as ``12``, ``12.0``, ``1,200.0`` or, with its scene before it, ``fields-1:12``.
        scene_id: the scene; empty = any.
    """
    before, sign, number = cell.rpartition(":")
    rest = cell.removeprefix(scene_id)
    if scene_id and rest != cell and rest[:1] in tuple(":/_#- "):
        before, number = scene_id, rest.lstrip(":/_#- ")
    if before.strip() != scene_id if sign and scene_id else sign and not SCENE_ID.fullmatch(before.strip()):
        return None
    said = _WHOLE.fullmatch(number.strip())
    return int((said[1] or said[2]).replace(",", "")) if said else None


def _ids_of_places(
    table: TextTable, patch_ids: IntArray, outlines: NDArray[np.object_], tally: Tally
) -> list[int | None]:
    placed = lines_with_a_place(table)
    there = set(placed)
    for line in sorted(set(range(len(table.rows))) - there):
        tally.add("no_place", f"line {table.line(line)}")
    places = np.full((len(table.rows), 2), np.nan)
    places[placed] = places_of_lines(replace(table, rows=tuple(table.rows[line] for line in placed)))
    rows = np.full(len(places), -1, np.int64)
    rows[placed] = containing(shapely.points(places[placed]), outlines)
    for line, row in enumerate(rows.tolist()):
        if row < 0 and line in there:
            lon, lat = places[line].tolist()
            tally.add("outside", f"line {table.line(line)}", example=f"{lon:.5f} {lat:.5f}")
    return [None if row < 0 else int(patch_ids[row]) for row in rows.tolist()]


def lines_with_a_place(table: TextTable) -> list[int]:
    """Return the rows whose longitude and latitude are not both empty."""
    pairs = zip(table.needed("lon"), table.needed("lat"), strict=True)
    return [row for row, (lon, lat) in enumerate(pairs) if lon or lat]


def places_of_lines(table: TextTable) -> NDArray[np.float64]:
    """Return longitude and latitude of each line, shape (N, 2).

    Raises:
        ClassificationError: for a line whose numbers are no place, or none.
    """
    places = np.array([_place(*cells) for cells in zip(table.needed("lon"), table.needed("lat"), strict=True)])
    places = places.reshape(-1, 2)
    wrong = np.flatnonzero(~((np.abs(places[:, 0]) <= 360) & (np.abs(places[:, 1]) <= 90)))
    if len(wrong):
        row = int(wrong[0])
        lon, lat = (table.needed(name)[row][:20] for name in ("lon", "lat"))
        found = f"line {table.line(row)} has “{lon}”, “{lat}” as lon and lat"
        raise ClassificationError(table.asked, found, "give degrees with a decimal point")
    return places


def _place(lon: str, lat: str) -> tuple[float, float]:
    """Return a place as a line has it, with decimal points or commas; NaN where it has none."""
    try:
        return float(lon.replace(",", ".")), float(lat.replace(",", "."))
    except ValueError:
        return np.nan, np.nan


def elsewhere(
    table: TextTable, ids: Sequence[int | None], patch_ids: IntArray, outlines: NDArray[np.object_]
) -> list[int]:
    """Return the rows of a table whose place lies in another patch than they name: its patches are cut otherwise.

    Lines without a place are believed.

    Args:
        table: with ``lon`` and ``lat``, or without.
        ids: patch of each row; None, or one that is not among ``patch_ids`` = none.
        patch_ids: int64 of shape (N,).
        outlines: of these, as of ``labels_of_table``.
    """
    lon, lat = (table.column(name) for name in ("lon", "lat"))
    if lon is None or lat is None:
        return []
    row_of, ground = {int(patch_id): row for row, patch_id in enumerate(patch_ids.tolist())}, _ground(outlines)
    found = []
    for line, patch_id in enumerate(ids):
        place = _place(lon[line], lat[line])
        land = ground[row_of[patch_id]] if patch_id in row_of else None
        if land is not None and np.isfinite(place).all() and not land.intersects(shapely.Point(place)):
            found.append(line)
    return found


def placed_outlines(asked: str, outlines: NDArray[np.object_] | None) -> NDArray[np.object_]:
    """Return outlines of patches of which some place is known.

    Raises:
        ClassificationError: when none is.
    """
    if outlines is None or shapely.is_missing(outlines).all():
        found = "it is not known where the patches lie on Earth"
        raise ClassificationError(asked, found, "give a CSV with the columns patch_id and label")
    return outlines


def _ground(outlines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return outlines, in place of those that are points what is the same place in a file that rounds its numbers."""
    grown, are_points = outlines.copy(), shapely.get_type_id(outlines) == shapely.GeometryType.POINT
    grown[are_points] = shapely.buffer(outlines[are_points], _SAME_PLACE)
    return grown


def containing(points: NDArray[np.object_], outlines: NDArray[np.object_]) -> IntArray:
    """Return the row of the patch that each point lies in, of several the one whose middle is nearest; −1 = none.

    A patch that is a point itself, of vectors of others, holds what lies at its place.

    Args:
        points: shapely's in EPSG:4326, of shape (M,).
        outlines: of shape (N,), None where unknown.
    """
    tree = shapely.STRtree(_ground(outlines))
    which, rows = tree.query(points, predicate="intersects")
    apart = shapely.distance(points[which], shapely.centroid(outlines[rows]))
    found = np.full(len(points), -1, np.int64)
    for at in np.lexsort((rows, -apart)).tolist():  # The nearest comes last and stays.
        found[which[at]] = rows[at]
    return found
