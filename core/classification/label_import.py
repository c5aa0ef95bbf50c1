"""Labels of patches from tables, points and polygons that people bring, and what of these could not be used.

Files of vectors are read in ``core.ingest.vectors``; tables of text by ``areas.tables``. Nothing is dropped silently.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import shapely
from numpy.typing import NDArray

from core.classification.areas.estimation import ABSTAINED
from core.classification.areas.tables import TextTable
from core.errors import ClassificationError, SettingsError
from core.ingest.vectors.geojson import LabelShapes
from core.scenes.annotations import clean_class
from core.scenes.patches import IntArray

LEAST_COVER = 0.5
"""A polygon, or several of a class, labels a patch of which it covers at least so much."""

_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class ImportedLabels:
    """What became of labels that were brought.

    Attributes:
        labels: class by patch id.
        left_out: how many lines or shapes were not used, by the reason; reasons without any are not there.
        said: the same and what was mended, a sentence each.
    """

    labels: Mapping[int, str]
    left_out: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    said: tuple[str, ...] = ()


class _Tally:
    """Counts what could not be used, with examples."""

    def __init__(self) -> None:
        self._examples: dict[str, list[str]] = defaultdict(list)
        self._counts: Counter[str] = Counter()
        self.said: list[str] = []

    def add(self, reason: str, example: object = "", count: int = 1) -> None:
        self._counts[reason] += count
        if str(example) and len(self._examples[reason]) < _SHOWN:
            self._examples[reason].append(str(example))

    def result(self, asked: str, labels: Mapping[int, str], sentences: Mapping[str, str]) -> ImportedLabels:
        """Return what was found; refuse where nothing was."""
        left_out = {reason: count for reason, count in self._counts.items() if count > 0}
        said = [*self.said, *(self._sentence(sentences[reason], reason) for reason in left_out)]
        if not labels:
            found = " ".join(said).rstrip(".").replace(". ", "; ") or "it has no labels"
            remedy = "give patch ids of this file, or points and polygons on its land"
            raise ClassificationError(asked, found[:1].lower() + found[1:], remedy)
        return ImportedLabels(labels=dict(sorted(labels.items())), left_out=left_out, said=tuple(said))

    def _sentence(self, sentence: str, reason: str) -> str:
        examples = ", ".join(self._examples[reason])
        told = sentence.format(count=f"{self._counts[reason]:,}")
        return f"{told}, such as {examples}." if examples else f"{told}."


_TABLE_SENTENCES = {
    "no_label": "Lines without a label were left out: {count}",
    "bad_label": "Labels that cannot be a class were left out: {count}",
    "bad_id": "Lines whose patch_id is no whole number were left out: {count}",
    "unknown": "Patches that are not in the file were left out: {count}",
    "outside": "Places outside of all patches were left out: {count}",
    "duplicate": "Lines that repeat a label counted once: {count}",
    "contradicting": "Patches with two different labels were left out: {count}",
}


def labels_of_table(
    table: TextTable, patch_ids: IntArray, outlines: NDArray[np.object_] | None = None, *, label: str = "label"
) -> ImportedLabels:
    """Return labels of a table with ``patch_id`` and ``label``, or ``lon``, ``lat`` and ``label``.

    What a patch is told twice alike counts once; what contradicts itself is left out.

    Args:
        table: of text.
        patch_ids: that may be labelled, int64 of shape (N,).
        outlines: of these, shapely's in EPSG:4326, None where unknown; None = no place is known.
        label: the column with the classes.

    Raises:
        ClassificationError: when columns are missing or no label can be used.
    """
    tally = _Tally()
    names = table.needed(label)
    if table.column("patch_id") is None and table.column("lon") is not None:
        ids = _ids_of_places(table, patch_ids, outlines, tally)
    else:
        ids = _ids_of_column(table, set(patch_ids.tolist()), tally)
    given: dict[int, Counter[str]] = defaultdict(Counter)
    for patch_id, raw in zip(ids, names, strict=True):
        name = _usable(raw, tally)
        if patch_id is not None and name is not None:
            given[patch_id][name] += 1
    return tally.result(table.asked, _decided(given, tally), _TABLE_SENTENCES)


def _usable(raw: str, tally: _Tally) -> str | None:
    """Return the name of a class, or None and count why not."""
    if not raw.strip():
        tally.add("no_label")
        return None
    try:
        name = clean_class("Reading labels", raw)
    except SettingsError:
        name = ABSTAINED
    if name.casefold() == ABSTAINED:
        tally.add("bad_label", f"“{' '.join(raw.split())[:40]}”")
        return None
    return name


def _ids_of_column(table: TextTable, known: set[int], tally: _Tally) -> list[int | None]:
    found: list[int | None] = []
    for cell in table.needed("patch_id"):
        plain = cell.removesuffix(".0").replace(",", "") if cell.endswith(".0") else cell
        if not (plain.isascii() and plain.isdigit() and len(plain) < 16):
            tally.add("bad_id", f"“{cell[:20]}”")
            found.append(None)
        elif int(plain) not in known:
            tally.add("unknown", int(plain))
            found.append(None)
        else:
            found.append(int(plain))
    return found


def _ids_of_places(
    table: TextTable, patch_ids: IntArray, outlines: NDArray[np.object_] | None, tally: _Tally
) -> list[int | None]:
    places = []
    for row, cells in enumerate(zip(table.needed("lon"), table.needed("lat"), strict=True)):
        try:
            lon, lat = (float(cell.replace(",", ".")) for cell in cells)
        except ValueError:
            lon = lat = np.nan
        if not (abs(lon) <= 360 and abs(lat) <= 90):
            found = f"line {table.line(row)} has “{cells[0][:20]}”, “{cells[1][:20]}” as lon and lat"
            raise ClassificationError(table.asked, found, "give degrees with a decimal point")
        places.append((lon, lat))
    rows = containing(shapely.points(np.array(places).reshape(-1, 2)), _placed(table.asked, outlines))
    for (lon, lat), row in zip(places, rows.tolist(), strict=True):
        if row < 0:
            tally.add("outside", f"{lon:.5f} {lat:.5f}")
    return [None if row < 0 else int(patch_ids[row]) for row in rows.tolist()]


def _decided(given: Mapping[int, Counter[str]], tally: _Tally) -> dict[int, str]:
    """Return the one label of each patch; contradictions and repetitions are counted."""
    labels = {}
    for patch_id, names in given.items():
        if len(names) > 1:
            tally.add("contradicting", f"patch {patch_id}: {' and '.join(f'“{name}”' for name in sorted(names))}")
            continue
        [(name, times)] = names.items()
        labels[patch_id] = name
        if times > 1:
            tally.add("duplicate", count=times - 1)
    return labels


def _placed(asked: str, outlines: NDArray[np.object_] | None) -> NDArray[np.object_]:
    if outlines is None or shapely.is_missing(outlines).all():
        found = "it is not known where the patches lie on Earth"
        raise ClassificationError(asked, found, "give a CSV with the columns patch_id and label")
    return outlines


def containing(points: NDArray[np.object_], outlines: NDArray[np.object_]) -> IntArray:
    """Return the row of the patch that each point lies in, of several the one whose middle is nearest; −1 = none.

    Args:
        points: shapely's in EPSG:4326, of shape (M,).
        outlines: of shape (N,), None where unknown.
    """
    tree = shapely.STRtree(outlines)
    which, rows = tree.query(points, predicate="intersects")
    apart = shapely.distance(points[which], shapely.centroid(outlines[rows]))
    found = np.full(len(points), -1, np.int64)
    for at in np.lexsort((rows, -apart)).tolist():  # The nearest comes last and stays.
        found[which[at]] = rows[at]
    return found


_SHAPE_SENTENCES = {
    "no_label": "Shapes without a label were left out: {count}",
    "bad_label": "Labels that cannot be a class were left out: {count}",
    "outside": "Shapes outside of all patches were left out: {count}",
    "small": "Polygons that cover less than the least share of any patch were left out: {count}",
    "duplicate": "Points that repeat a label of a patch counted once: {count}",
    "contradicting": "Patches with two different labels were left out: {count}",
    "other": "Lines and features without a shape were left out: {count}",
}


def labels_of_shapes(
    found: LabelShapes,
    patch_ids: IntArray,
    outlines: NDArray[np.object_] | None,
    *,
    asked: str,
    least_share: float = LEAST_COVER,
) -> ImportedLabels:
    """Return labels of the patches that points lie in and polygons cover.

    A patch gets the class whose polygons cover at least the least share of it; where two classes do, it contradicts
    itself and is left out, as it is where points of two classes lie in it. A point beside polygons of another class
    contradicts them too.

    Args:
        found: points and polygons with their classes.
        patch_ids: that may be labelled, int64 of shape (N,).
        outlines: of these, as of ``labels_of_table``.
        asked: what was asked for, for sentences.
        least_share: of a patch, above 0, at most 1.

    Raises:
        ClassificationError: when no label can be used, or the share is out of range.
    """
    if not 0 < least_share <= 1:
        raise ClassificationError(asked, f"the least share is {least_share:g}", "choose above 0 and at most 1")
    tally, land = _Tally(), _placed(asked, outlines)
    if found.mended:
        tally.said.append(f"Polygons that cross themselves were parted at the crossings: {found.mended:,}.")
    if found.other:
        tally.add("other", count=found.other)
    names = [_usable(label, tally) for label in found.labels]
    known = np.flatnonzero([name is not None for name in names])
    laid = _LaidOver(shapes=found.shapes[known], names=[str(names[row]) for row in known.tolist()], land=land)
    laid.points(tally)
    laid.polygons(least_share, tally)
    by_id = {int(patch_ids[row]): counted for row, counted in laid.given.items()}
    return tally.result(asked, _decided(by_id, tally), _SHAPE_SENTENCES)


@dataclass(frozen=True, kw_only=True, eq=False)
class _LaidOver:
    """Shapes with a name each, laid over patches.

    Attributes:
        shapes: points and polygons.
        names: of each.
        land: outlines of the patches.
        given: how often each name was given to a patch, by row of ``land``.
    """

    shapes: NDArray[np.object_]
    names: list[str]
    land: NDArray[np.object_]
    given: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def points(self, tally: _Tally) -> None:
        """Give patches the names of the points in them."""
        rows = np.flatnonzero(self._are_points)
        parts, owner = shapely.get_parts(self.shapes[rows], return_index=True)
        for patch, which in zip(containing(parts, self.land).tolist(), rows[owner].tolist(), strict=True):
            if patch < 0:
                tally.add("outside")
            else:
                self.given[patch][self.names[which]] += 1

    def polygons(self, least_share: float, tally: _Tally) -> None:
        """Give patches the names of the polygons that cover enough of them."""
        rows = np.flatnonzero(~self._are_points)
        which, patches = shapely.STRtree(self.land).query(self.shapes[rows], predicate="intersects")
        which = rows[which]
        tally.add("outside", count=len(rows) - len(np.unique(which)))
        common = shapely.area(shapely.intersection(self.shapes[which], self.land[patches]))
        shares = common / shapely.area(self.land[patches])
        covered: dict[tuple[int, str], float] = defaultdict(float)
        pairs = [(patch, self.names[at]) for at, patch in zip(which.tolist(), patches.tolist(), strict=True)]
        for pair, share in zip(pairs, shares.tolist(), strict=True):
            covered[pair] += share
        enough = {pair for pair, share in covered.items() if share >= least_share - 1e-9}
        for patch, name in enough:
            self.given[patch][name] = max(1, self.given[patch][name])
        helped = {at for at, pair in zip(which.tolist(), pairs, strict=True) if pair in enough}
        tally.add("small", count=len(set(which.tolist()) - helped))

    @property
    def _are_points(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = np.isin(shapely.get_type_id(self.shapes), (0, 4))
        return found
